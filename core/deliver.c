/* A route's way from the log to its sinks: each station (a route's filters, or one of its sinks)
 * pulls a batch from store, has its worker do it, and settles it with store. */
#include "core.h"
#include "date.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "result.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MIN	INT64_C(1000)		/* ms; doubles with each failure in a row */
#define RETRY_MAX	INT64_C(3600000)
#define RETRY_ASKED	INT64_C(86400000)	/* the longest that a sink may ask for */
#define VERDICTS_MAX	(64u << 20)		/* bytes that filters may write of one batch */
#define ROUTE_USES	1000000			/* CPU backstop of a route worker, in jobs */

enum station_state { STATION_IDLE, STATION_PULL, STATION_WORK, STATION_SETTLE };

/* What a sink answered and store has not settled yet: if store dies meanwhile and hands out the same
 * batch again, it is answered from here and not delivered twice. */
struct held {
	char			*id;		/* of the delivery; NULL: nothing is held */
	uint32_t		 done;
	enum ack_then		 then;
	int64_t			 retry;
	char			*reason;
};

struct station {
	struct core		*core;
	struct route		*route;		/* of the setup */
	struct instance		*instance;	/* the sink; NULL: the filters */
	uint32_t		 id;		/* store's, of the route */
	uint32_t		 leg;		/* place, or PULL_FILTER */
	enum station_state	 state;
	int			 behind;	/* store may have work for it */
	int64_t			 not_before;	/* ticks: pause of a list, delay of a retry */
	unsigned		 failures;	/* in a row */
	char			*reason;	/* why its filters could not judge; NULL: they did */
	struct worker		*worker;	/* NULL: none now */
	struct event		*timer;
	struct held		 held;
	unsigned		 epoch;		/* restarts of store when it gave the batch */
	/* The batch under way. */
	struct work		 work;		/* its id is owned */
	int			 batch, out;	/* memfds; -1 */
	int			 tries;
	uint32_t		 progress;	/* of a careful run */
};

static void	station_give(struct station *);
static void	deliver_on(struct core *);

/* ---- one station ---- */

static const char *
station_name(const struct station *s)
{
	return s->leg == PULL_FILTER ? "filters" : s->route->legs[s->leg].name;
}

/* Why it cannot work: a plugin is missing or refused. NULL: it can. */
static const char *
station_waiting(const struct station *s)
{
	if (s->instance != NULL)
		return s->instance->waiting;
	for (size_t i = 0; i < s->route->nfilters; i++)
		if (s->route->filters[i].instance->waiting != NULL)
			return s->route->filters[i].instance->waiting;
	return NULL;
}

static void
timer_at(struct station *s, int64_t ticks)
{
	int64_t ms = ticks - date_ticks();
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(s->timer, &tv);
}

static void
batch_close(struct station *s)
{
	if (s->batch != -1)
		close(s->batch);
	if (s->out != -1)
		close(s->out);
	s->batch = s->out = -1;
	free((char *)(uintptr_t)s->work.id);
	s->work = (struct work){ 0 };
	s->tries = 0;
	s->progress = 0;
}

static void
set_state(struct station *s, enum station_state state)
{
	struct core *c = s->core;

	if (s->state == STATION_IDLE && state != STATION_IDLE)
		c->busy_stations++;
	if (s->state != STATION_IDLE && state == STATION_IDLE) {
		c->busy_stations--;
		batch_close(s);
		timer_at(s, date_ticks() + WORKER_IDLE);
	}
	s->state = state;
}

/* Asks store for work if there may be some and the time has come. */
static void
station_pull(struct station *s)
{
	struct core *c = s->core;
	const struct pull p = { .route = s->id, .leg = s->leg, .max = BATCH_MAX };
	struct buf b;

	if (s->state != STATION_IDLE || !s->behind || !c->known || c->stopping ||
	    c->next != NULL || station_waiting(s) != NULL || c->busy_stations >= STATIONS_BUSY)
		return;
	if (s->not_before > date_ticks()) {
		if (s->worker != NULL && s->not_before > date_ticks() + WORKER_IDLE)
			worker_stop(s->worker);
		timer_at(s, s->not_before);
		return;
	}
	s->behind = 0;
	set_state(s, STATION_PULL);
	buf_init(&b, msg_limit(MSG_PULL));
	wire_put(&b, pull, &p);
	roles_send(c, ROLE_STORE, MSG_PULL, 0, &b, -1);
	buf_free(&b);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct station *s = arg;

	(void)fd;
	(void)what;
	if (s->state != STATION_IDLE)
		return;
	station_pull(s);
	if (s->state == STATION_IDLE && s->worker != NULL && !s->behind)
		worker_stop(s->worker);
}

static struct station *
station_find(struct core *c, uint32_t route, uint32_t leg)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i].id == route && c->stations[i].leg == leg)
			return &c->stations[i];
	return NULL;
}

/* The log has more for this route, and for those that draw from it, however far: a route stands
 * behind all that it draws from. */
static void
route_wake(struct core *c, const struct route *r)
{
	char woken[SETUP_ROUTES] = { 0 };
	size_t place;

	for (size_t i = 0; i < c->setup->nroutes; i++) {
		const struct route *next = &c->setup->routes[i];

		woken[i] = next == r;
		for (size_t k = 0; k < next->nroutes; k++)
			woken[i] |= woken[next->routes[k]];
	}
	for (size_t i = 0; i < c->nstations; i++) {
		place = (size_t)(c->stations[i].route - c->setup->routes);
		if (woken[place])
			c->stations[i].behind = 1;
	}
	deliver_on(c);
}

/* ---- its worker ---- */

/* What the operator lets a plugin have: its own folder and HTTP always, more when it is allowed. */
static uint32_t
grants(const struct core *c, const struct plugin *p)
{
	uint32_t wants = (uint32_t)p->wants;

	return setup_allows(c->setup, p) ? wants : wants & (CR_HTTP | CR_FILES);
}

static void
put_plugin(struct buf *b, const struct instance *in, uint32_t granted)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	instance_options(in, (granted & CR_SECRETS) != 0, &options);
	wire_put_str(b, in->plugin->copy);
	wire_put_bytes(b, options.len > 0 ? options.data : "", options.len);
	buf_free(&options);
}

static int
station_start(struct station *s)
{
	struct core *c = s->core;
	struct w_start ws = { .mode = s->leg == PULL_FILTER ? W_FILTER : W_DELIVER,
		.debug = (uint32_t)c->debug, .memory = c->setup->worker_memory,
		.out = VERDICTS_MAX, .cpu = c->setup->job_cpu * ROUTE_USES,
		.name = s->route->name };
	struct worker *w;
	struct buf b;
	char *name;

	if (s->instance != NULL) {
		ws.grants = grants(c, s->instance->plugin);
		ws.folder = ws.grants & CR_FILES ? c->out : NULL;
		if (ws.grants & CR_FILES)
			ws.out = UINT64_C(1) << 40;	/* its files are bounded by the disk */
	}
	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, s->instance != NULL ? 1 : (uint32_t)s->route->nfilters);
	if (s->instance != NULL)
		put_plugin(&b, s->instance, ws.grants);
	else
		for (size_t i = 0; i < s->route->nfilters; i++)
			put_plugin(&b, s->route->filters[i].instance, 0);
	name = xasprintf("%s/%s", s->route->name, station_name(s));
	w = worker_start(c, WORKER_ROUTE, name, &b);
	free(name);
	buf_free(&b);
	if (w == NULL)
		return -1;
	worker_owner(w, &s->worker);
	return 0;
}

/* ---- settling ---- */

static int64_t
retry_delay(const struct station *s, int64_t asked)
{
	int64_t ms = RETRY_MIN;

	if (asked >= 0)
		return asked < RETRY_ASKED ? asked : RETRY_ASKED;
	for (unsigned i = 1; i < s->failures && ms < RETRY_MAX; i++)
		ms *= 2;
	return ms < RETRY_MAX ? ms : RETRY_MAX;
}

static void
held_set(struct held *h, const char *id, uint32_t done, enum ack_then then, int64_t retry,
    const char *reason)
{
	xreplace(&h->id, id);
	xreplace(&h->reason, reason);
	h->done = done;
	h->then = then;
	h->retry = retry;
}

/* When the station may go on, by what its sink said; the wall clock time of a retry, or 0. */
static int64_t
pause_for(struct station *s, const struct held *h)
{
	int64_t ms;

	if (h->then == ACK_ALL)
		s->failures = 0;
	if (h->then != ACK_RETRY) {
		if (s->work.kind == WORK_LIST)
			s->not_before = date_ticks() + LIST_SPACING;
		return 0;
	}
	s->failures++;
	ms = retry_delay(s, h->retry);
	s->not_before = date_ticks() + ms;
	return date_now() + ms;
}

/* Idle with work left, which it asks for again when its time has come. */
static void
station_again(struct station *s)
{
	struct core *c = s->core;

	s->behind = 1;
	set_state(s, STATION_IDLE);
	deliver_on(c);
	core_idle(c);
}

/* The filters could not judge: they are asked again later, and status says why. */
static void
station_pause(struct station *s, int64_t asked, const char *why)
{
	log_warn("route %s, %s: %s", s->route->name, station_name(s), why);
	xreplace(&s->reason, why);
	s->failures++;
	s->not_before = date_ticks() + retry_delay(s, asked);
	station_again(s);
}

/* Tells store how far the batch came: what is held. */
static void
station_tell(struct station *s)
{
	struct core *c = s->core;
	const struct held *h = &s->held;
	struct ack a = { .route = s->id, .leg = s->leg, .done = h->done, .then = h->then,
		.first = s->work.first, .last = s->work.last, .reason = h->reason };
	struct buf b;

	if (!c->known || s->epoch != c->role[ROLE_STORE].restarts) {
		station_again(s);	/* store lost sight of it: it hands it out once more */
		return;
	}
	a.due = pause_for(s, h);
	set_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_ACK));
	wire_put(&b, ack, &a);
	roles_send(c, ROLE_STORE, MSG_ACK, 0, &b, -1);
	buf_free(&b);
}

/* The sink answered. */
static void
station_ack(struct station *s, uint32_t done, enum ack_then then, int64_t retry, const char *reason)
{
	if (then != ACK_ALL)
		log_warn("route %s, %s: %s", s->route->name, station_name(s),
		    reason != NULL ? reason : "failed without saying why");
	log_debug("route %s, %s: %u of %u delivered", s->route->name, station_name(s), done,
	    s->work.count);
	held_set(&s->held, s->work.id, done, then, retry, reason);
	station_tell(s);
}

static void
station_judged(struct station *s, uint32_t guilty, const char *reason)
{
	const struct judged j = { .route = s->id, .guilty = guilty, .first = s->work.first,
		.last = s->work.last, .reason = reason };
	struct buf b;

	set_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_JUDGED));
	wire_put(&b, judged, &j);
	roles_send(s->core, ROLE_STORE, MSG_JUDGED, 0, &b, s->out);
	buf_free(&b);
}

/* The sink did what it could. */
static void
delivered(struct station *s, const struct batch_done *d)
{
	uint32_t done = d->done <= s->work.count ? d->done : s->work.count;
	struct buf why;

	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	if (s->work.kind == WORK_LIST)
		done = d->failed == 0 ? s->work.count : 0;
	if (d->failed == 0 && done == s->work.count)
		station_ack(s, done, ACK_ALL, 0, NULL);
	else if (d->failed == CR_REJECTED && s->work.kind != WORK_LIST && done < s->work.count)
		station_ack(s, done, ACK_DEAD, 0, why.data);
	else
		station_ack(s, done, ACK_RETRY, d->failed == FAILED_RETRY ? d->retry : -1,
		    why.data);
	buf_free(&why);
}

/* The filters answered, or could not begin: a record that they failed on has its verdict. */
static void
filtered(struct station *s, const struct batch_done *d)
{
	struct buf why;

	if (d->failed == 0 || d->done == s->work.count) {
		station_judged(s, UINT32_MAX, NULL);
		return;
	}
	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	station_pause(s, d->failed == FAILED_RETRY ? d->retry : -1,
	    why.len > 0 ? why.data : "failed without saying why");
	buf_free(&why);
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct station *s = arg;
	uint16_t answer = s->leg == PULL_FILTER ? MSG_W_FILTERED : MSG_W_DELIVERED;
	struct batch_done d;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	if (f->type == MSG_W_PROGRESS) {
		s->progress = wire_u32(&wire);
		if (wire_end(&wire) == -1 || s->progress > s->work.count)
			worker_kill(w, "it sent a bad frame");
		return;
	}
	wire_get(&wire, batch_done, &d);
	if (f->type != answer || wire_end(&wire) == -1) {
		worker_kill(w, "it sent a bad frame");
		return;
	}
	if (s->leg == PULL_FILTER && result_seal(s->out) == -1) {
		worker_kill(w, "it keeps its verdicts open for writing");
		return;
	}
	worker_free_job(w);
	if (s->leg == PULL_FILTER)
		filtered(s, &d);
	else
		delivered(s, &d);
}

/* Two workers died of the batch: the record after the last progress is guilty. */
static void
condemn(struct station *s, const char *why)
{
	char *text = xasprintf("%d workers died of it: %s", WORKER_TRIES, why);

	if (s->work.kind != WORK_LIST && s->progress >= s->work.count) {
		log_warn("route %s, %s: %s, once all was done", s->route->name, station_name(s),
		    text);		/* and said so, which counts */
		if (s->leg != PULL_FILTER)
			station_ack(s, s->work.count, ACK_ALL, 0, NULL);
		else if (result_seal(s->out) == 0)
			station_judged(s, UINT32_MAX, NULL);
		else
			station_pause(s, -1, text);
		free(text);
		return;
	}
	log_warn("route %s, %s: parked the record after %u of batch %s: %s", s->route->name,
	    station_name(s), s->progress, s->work.id, text);
	if (s->leg == PULL_FILTER && result_seal(s->out) == -1)
		station_pause(s, -1, text);
	else if (s->leg == PULL_FILTER)
		station_judged(s, s->progress, text);
	else if (s->work.kind == WORK_LIST)
		station_ack(s, 0, ACK_RETRY, -1, text);
	else
		station_ack(s, s->progress, ACK_PARK, 0, text);
	free(text);
}

static void
on_death(struct worker *w, const char *why, void *arg)
{
	struct station *s = arg;

	(void)w;
	if (s->tries < WORKER_TRIES) {
		log_info("route %s, %s: tried once more in a fresh worker", s->route->name,
		    station_name(s));
		station_give(s);
	} else
		condemn(s, why);
}

static const struct worker_use station_use = { on_frame, on_death };

/* Gives the batch to the worker; the second time one record after the other. */
static void
station_give(struct station *s)
{
	struct core *c = s->core;
	struct batch_job bj = { .route = s->route->name, .id = s->work.id, .title = "", .self = "",
		.careful = s->tries > 0 && s->work.kind != WORK_LIST, .count = s->work.count,
		.now = date_now() };
	off_t len = lseek(s->batch, 0, SEEK_END);
	struct buf b;

	if (s->worker == NULL && station_start(s) == -1) {
		s->not_before = date_ticks() + RETRY_MIN;
		station_again(s);
		return;
	}
	s->tries++;
	s->progress = 0;
	set_state(s, STATION_WORK);
	log_debug("route %s, %s: delivers %u of batch %s", s->route->name, station_name(s),
	    s->work.count, s->work.id);
	bj.len = len > 0 ? (uint64_t)len : 0;
	if (s->leg == PULL_FILTER) {
		if (s->out != -1)
			close(s->out);
		s->out = result_fd(NULL, 0);
		if (s->out == -1)
			fatal("no memory file for verdicts: %s", strerror(errno));
	} else {
		bj.kind = s->work.kind == WORK_LIST ? CR_BATCH_LIST : CR_BATCH_RECORDS;
		if (s->work.kind == WORK_LIST) {
			bj.title = s->route->title != NULL ? s->route->title : s->route->name;
			bj.self = c->setup->base;
		}
	}
	buf_init(&b, msg_limit(MSG_W_DELIVER));
	wire_put(&b, batch_job, &bj);
	worker_job(s->worker, &station_use, s, s->route->name,
	    s->leg == PULL_FILTER ? MSG_W_FILTER : MSG_W_DELIVER, &b, s->batch, s->out);
	buf_free(&b);
}

/* ---- what store says ---- */

void
deliver_work(struct core *c, struct frame *f)
{
	struct station *s;
	struct work w;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, work, &w);
	if (wire_end(&wire) == -1)
		fatal("store's WORK is malformed");
	s = station_find(c, w.route, w.leg);
	if (s == NULL || s->state != STATION_PULL)
		return;
	if (w.kind == WORK_NONE) {
		s->behind |= w.head < c->head;
		set_state(s, STATION_IDLE);
		if (w.due > 0) {
			s->behind = 1;
			s->not_before = date_ticks() + (w.due - date_now());
		}
		deliver_on(c);
		core_idle(c);
		return;
	}
	s->work = w;
	s->work.id = xstrdup(w.id != NULL ? w.id : "");
	s->batch = f->fd[0];
	f->fd[0] = -1;
	s->epoch = c->role[ROLE_STORE].restarts;
	if (s->batch == -1)
		fatal("store's WORK has no batch");
	if (s->held.id != NULL && strcmp(s->held.id, s->work.id) == 0)
		station_tell(s);
	else
		station_give(s);
}

void
deliver_settled(struct core *c, struct frame *f)
{
	struct station *s;
	struct settled st;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, settled, &st);
	if (wire_end(&w) == -1)
		fatal("store's SETTLED is malformed");
	s = station_find(c, st.route, st.leg);
	if (s == NULL || s->state != STATION_SETTLE)
		return;
	if (st.bad) {
		if (s->worker != NULL)
			worker_stop(s->worker);
		station_pause(s, -1, "its verdicts are malformed");
		return;
	}
	if (s->leg == PULL_FILTER) {
		s->failures = 0;
		xreplace(&s->reason, NULL);
	}
	held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL);
	s->behind = 1;
	set_state(s, STATION_IDLE);
	route_wake(c, s->route);
	core_idle(c);
}

void
deliver_head(struct core *c, int64_t head)
{
	c->head = head;
	for (size_t i = 0; i < c->nstations; i++)
		c->stations[i].behind = 1;
	deliver_on(c);
}

/* Each turn begins with another station, so that none waits for ever when all have work. */
static void
deliver_on(struct core *c)
{
	size_t first = c->turn++;

	for (size_t i = 0; i < c->nstations; i++)
		station_pull(&c->stations[(first + i) % c->nstations]);
}

/* What was pulled is pulled again once store is back. A sink at work goes on: its answer is held until
 * store hands out the same batch again. */
void
deliver_store_gone(struct core *c)
{
	for (size_t i = 0; i < c->nstations; i++) {
		struct station *s = &c->stations[i];

		if (s->state == STATION_IDLE ||
		    (s->state == STATION_WORK && s->leg != PULL_FILTER))
			continue;
		if (s->state == STATION_WORK && s->worker != NULL)
			worker_stop(s->worker);
		s->behind = 1;
		set_state(s, STATION_IDLE);
	}
	core_idle(c);
}

/* ---- set-up ---- */

static void
station_init(struct core *c, struct station *s, struct route *r, uint32_t leg)
{
	*s = (struct station){ .core = c, .route = r, .leg = leg, .batch = -1, .out = -1,
		.behind = 1,
		.instance = leg == PULL_FILTER ? NULL : r->legs[leg].instance };
	s->timer = evtimer_new(c->base, on_timer, s);
	if (s->timer == NULL)
		fatal("no timer for a route");
}

static void
stations_free(struct core *c)
{
	for (size_t i = 0; i < c->nstations; i++) {
		struct station *s = &c->stations[i];

		set_state(s, STATION_IDLE);
		event_free(s->timer);
		held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL);
		free(s->reason);
		if (s->worker != NULL)
			worker_stop(s->worker);
	}
	free(c->stations);
	c->stations = NULL;
	c->nstations = 0;
}

void
deliver_setup(struct core *c)
{
	size_t n = 0;

	stations_free(c);
	for (size_t i = 0; i < c->setup->nroutes; i++)
		n += c->setup->routes[i].nlegs + (c->setup->routes[i].nfilters > 0);
	c->stations = xcalloc(n, sizeof(*c->stations));
	for (size_t i = 0; i < c->setup->nroutes; i++) {
		struct route *r = &c->setup->routes[i];

		if (r->nfilters > 0)
			station_init(c, &c->stations[c->nstations++], r, PULL_FILTER);
		for (uint32_t k = 0; k < r->nlegs; k++)
			station_init(c, &c->stations[c->nstations++], r, k);
	}
}

void
deliver_known(struct core *c, struct wire *w)
{
	uint32_t n = wire_u32(w), id;

	if (n != c->setup->nroutes)
		fatal("store knows %u routes of %zu", n, c->setup->nroutes);
	for (uint32_t i = 0; i < n; i++) {
		id = wire_u32(w);
		for (size_t k = 0; k < c->nstations; k++)
			if (c->stations[k].route == &c->setup->routes[i])
				c->stations[k].id = id;
	}
	deliver_head(c, wire_i64(w));
}

uint32_t
deliver_route_id(const struct core *c, size_t route)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i].route == &c->setup->routes[route])
			return c->stations[i].id;
	return 0;
}

const char *
deliver_reason(const struct core *c, size_t route, uint32_t leg)
{
	for (size_t i = 0; i < c->nstations; i++)
		if (c->stations[i].route == &c->setup->routes[route] && c->stations[i].leg == leg)
			return c->stations[i].reason;
	return NULL;
}

const char *
deliver_state(const struct core *c, size_t route, uint32_t leg, pid_t *pid)
{
	static const char *const names[] = { "idle", "asking", "working", "settling" };

	for (size_t i = 0; i < c->nstations; i++) {
		const struct station *s = &c->stations[i];

		if (s->route != &c->setup->routes[route] || s->leg != leg)
			continue;
		*pid = s->worker != NULL ? worker_pid(s->worker) : 0;
		if (station_waiting(s) != NULL)
			return station_waiting(s);
		return s->not_before > date_ticks() && s->failures > 0 ? "retrying" :
		    names[s->state];
	}
	*pid = 0;
	return "idle";
}

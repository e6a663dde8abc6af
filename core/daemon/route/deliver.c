/* Delivery: each station (a route's filters, or one of its sinks) pulls a batch from store, gives
 * the batch to its worker, and settles the batch with store. A new setup takes effect at once; a
 * sink that stays finishes its batch even if its options changed, and uses the new options from the
 * next batch on. */
#include "deliver.h"
#include "mails.h"
#include "station.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/shown.h"
#include "catalog/plugin.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/mailers.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

/* ---- asking ---- */

/* Whether the station's sink may send each record over the network or run a program for it:
 * slow. */
static int
station_pushes(const struct station *s)
{
	return s->instance != NULL && s->instance->plugin != NULL &&
	    (s->instance->plugin->wants & (CR_HTTP | CR_NETWORK | CR_EXEC)) != 0;
}

/* When the station may pull next, in ticks: 0, or the end of its delay; INT64_MAX: not before an
 * operator resumes it. */
static int64_t
station_next(struct station *s)
{
	if (s->resume != RESUME_NONE) {
		s->not_before = 0;
		s->failures = 0;
		return 0;
	}
	return !s->behind || s->paused ? INT64_MAX : s->not_before;
}

/* Sends PULL. replay: for replays alone. */
static void
pull_send(struct station *s, int replay)
{
	const struct pull p = { .route = s->id, .sink = s->sink, .lane = s->lane,
		.max = station_pushes(s) ? s->most : BATCH_MAX,
		.resume = s->resume != RESUME_NONE, .anew = s->anew != 0,
		.replay = (uint32_t)replay, .sample = (uint32_t)s->asked_sample,
		.to = s->asked_sample ? s->sample_to : NULL };
	struct buf b;

	buf_init(&b, msg_limit(MSG_PULL));
	wire_put(&b, pull, &p);
	roles_send(s->core, ROLE_STORE, MSG_PULL, 0, &b, -1);
	buf_free(&b);
}

/* Asks store for a batch, if there may be one and the station's delay has passed; replays do not
 * wait for that delay. */
static void
station_pull(struct station *s)
{
	struct core *c = s->core;
	int64_t now = date_ticks(), next;
	int replay = s->replay > 0 && s->replay <= now;

	if (s->state != STATION_IDLE || (!s->behind && s->replay == 0 && s->sample == 0) ||
	    !c->known || c->stopping || station_waiting(s) != NULL ||
	    c->deliver->busy - c->deliver->waiting >= STATIONS_BUSY)
		return;
	if (s->before != NULL && s->before->state == STATION_IDLE)
		return;			/* that lane takes what there is */
	s->asked_sample = s->sample != 0;
	if (s->asked_sample) {
		station_state(s, STATION_PULL);
		pull_send(s, 0);
		return;
	}
	next = station_next(s);
	if (next > now && !replay) {
		next = s->replay > 0 && s->replay < next ? s->replay : next;
		if (s->worker != NULL && next > now + WORKER_IDLE)
			worker_stop(s->worker);
		if (next < INT64_MAX)
			station_timer(s, next);
		return;
	}
	if (station_mails(s) && mailers_wait(c) > 0) {
		station_timer(s, now + mailers_wait(c));
		return;
	}
	if (s->worker == NULL && memory_full(c)) {
		station_timer(s, date_ticks() + MEMORY_AGAIN);
		return;
	}
	if (s->worker == NULL && brake_wait(&s->brake) > 0) {
		s->not_before = date_ticks() + brake_wait(&s->brake);
		station_timer(s, s->not_before);
		return;
	}
	replay = next > now;
	if (!replay) {
		s->brake.paused = 0;
		s->behind = 0;
		s->asked_anew = s->anew;
	}
	s->replay = 0;
	if (s->resume == RESUME_WANTED)
		s->resume = RESUME_ASKED;
	station_state(s, STATION_PULL);
	pull_send(s, replay);
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
	if (s->state == STATION_IDLE && s->worker != NULL &&
	    (!s->behind || (s->before != NULL && s->before->state == STATION_IDLE)))
		worker_stop(s->worker);
}

static struct station *
station_find(struct core *c, uint32_t route, uint32_t sink, uint32_t lane)
{
	for (size_t i = 0; i < c->deliver->n; i++)
		if (c->deliver->station[i]->id == route &&
		    c->deliver->station[i]->sink == sink && c->deliver->station[i]->lane == lane)
			return c->deliver->station[i];
	return NULL;
}

/* Each turn begins with another station, so that none waits for ever when all have work. */
static void
deliver_on(struct core *c)
{
	size_t first = c->deliver->turn++;

	for (size_t i = 0; i < c->deliver->n; i++)
		station_pull(c->deliver->station[(first + i) % c->deliver->n]);
}

/* The log has more for the sinks of this route and for all routes that draw from it, directly or not. The
 * setup lists a route after those that it draws from. */
static void
route_mark(struct core *c, const struct route *r)
{
	char woken[SETUP_ROUTES] = { 0 };
	size_t place;

	for (size_t i = 0; i < c->setup->nroutes; i++) {
		const struct route *next = &c->setup->routes[i];

		woken[i] = next == r;
		for (size_t k = 0; k < next->nroutes; k++)
			woken[i] |= woken[next->routes[k]];
	}
	for (size_t i = 0; i < c->deliver->n; i++) {
		place = (size_t)(c->deliver->station[i]->route - c->setup->routes);
		if (woken[place])
			c->deliver->station[i]->behind = 1;
	}
}

static void
route_wake(struct core *c, const struct route *r)
{
	route_mark(c, r);
	deliver_on(c);
}

/* ---- store's answers ---- */

/* Takes over a batch. */
static void
work_take(struct station *s, struct frame *f, const struct work *w)
{
	s->work = *w;
	s->work.id = xstrdup(w->id != NULL ? w->id : "");
	s->work.token = w->token != NULL ? xstrdup(w->token) : NULL;
	s->work.readers.data = memcpy(xmalloc(w->readers.len + 1), w->readers.len > 0 ? w->readers.data : "",
	    w->readers.len);
	s->batch = f->fd[0];
	f->fd[0] = -1;
	s->epoch = roles_get(s->core, ROLE_STORE)->restarts;
	if (s->batch == -1)
		fatal("store's WORK has no batch");
}

void
deliver_work(struct core *c, struct frame *f)
{
	struct station *s;
	struct work w;

	if (wire_whole(f->data, f->len, work, &w) == -1)
		fatal("store's WORK is malformed");
	s = station_find(c, w.route, w.sink, w.lane);
	if (s == NULL || s->state != STATION_PULL)
		return;
	if (s->asked_sample && w.kind != WORK_SAMPLE)
		station_tested(s, 1, "the store does not know it yet; ask again");
	if (w.kind == WORK_SAMPLE) {
		work_take(s, f, &w);
		station_give(s);
		return;
	}
	if (s->resume == RESUME_ASKED)
		s->resume = RESUME_NONE;
	s->paused = w.paused != 0;
	s->replay = w.replay > 0 ? date_ticks() + (w.replay - date_now()) : 0;
	if (w.replay > 0 && s->replay < 1)
		s->replay = 1;
	if (w.kind == WORK_NONE) {
		if (s->place == PULL_FILTER && w.last > 0) {
			route_mark(c, s->route);
			s->behind = 0;		/* it has asked already */
		}
		s->behind |= w.head < c->head || s->anew != s->asked_anew;
		station_state(s, STATION_IDLE);
		if (w.due > 0) {
			s->behind = 1;
			s->not_before = date_ticks() + (w.due - date_now());
		}
		deliver_on(c);
		core_idle(c);
		return;
	}
	work_take(s, f, &w);
	if (s->held.id != NULL && strcmp(s->held.id, s->work.id) == 0)
		station_tell(s);
	else
		station_give(s);
	if (station_unordered(s))
		deliver_on(c);		/* its next lane */
}

/* Sets how many records the next batch may have, by how fast this one was settled. */
static void
pace(struct station *s)
{
	if ((s->held.then != ACK_ALL && s->held.then != ACK_PART) ||
	    date_ticks() - s->begun > BATCH_FAST)
		s->most = BATCH_PUSH;
	else if (s->work.count == s->most && s->most < BATCH_PUSH_MAX)
		s->most *= 2;
}

void
deliver_settled(struct core *c, struct frame *f)
{
	struct station *s;
	struct settled st;

	if (wire_whole(f->data, f->len, settled, &st) == -1)
		fatal("store's SETTLED is malformed");
	s = station_find(c, st.route, st.sink, st.lane);
	if (s == NULL || s->state != STATION_SETTLE)
		return;
	if (st.bad == SETTLED_OTHER) {
		station_again(s);	/* a reload changed the route meanwhile */
		return;
	}
	if (st.bad) {
		if (s->worker != NULL)
			worker_stop(s->worker);
		station_pause(s, -1, "its verdicts are malformed");
		return;
	}
	if (s->place == PULL_FILTER) {
		s->failures = 0;
		if (s->not_before <= date_ticks())
			xreplace(&s->reason, NULL);
	}
	if (s->work.kind != WORK_REPLAY)
		s->paused = s->held.then == ACK_GONE;
	pace(s);
	held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL, -1);
	s->behind = 1;
	station_state(s, STATION_IDLE);
	route_wake(c, s->route);
	core_idle(c);
}

void
deliver_asked(struct core *c)
{
	for (size_t i = 0; i < c->deliver->n; i++)
		if (c->deliver->station[i]->place != PULL_FILTER &&
		    c->deliver->station[i]->lane == 0)
			c->deliver->station[i]->replay = 1;
}

void
deliver_head(struct core *c, int64_t head)
{
	c->head = head;
	for (size_t i = 0; i < c->deliver->n; i++)
		c->deliver->station[i]->behind = 1;
	deliver_on(c);
}

/* Store died: stations pull again once store is back. A sink at work goes on: its answer is held
 * until store hands out the same batch again. */
void
deliver_gone(struct core *c, enum role_id id)
{
	for (size_t i = 0; i < c->deliver->n && id == ROLE_STORE; i++) {
		struct station *s = c->deliver->station[i];

		if (s->state != STATION_WORK || s->work.kind != WORK_SAMPLE)
			station_tested(s, 1, "the store died meanwhile; ask again");
		if (s->state == STATION_IDLE ||
		    (s->state == STATION_WORK && s->place != PULL_FILTER))
			continue;
		if (s->state == STATION_WORK && s->worker != NULL)
			worker_stop(s->worker);
		s->behind = 1;
		station_state(s, STATION_IDLE);
	}
	core_idle(c);
}

/* ---- resuming ---- */

/* Until an operator resumes it, or for BRAKE_PAUSE. */
static int
is_paused(const struct station *s)
{
	return s->paused || s->brake.paused;
}

/* Whether it tries again later what failed. */
static int
is_delayed(const struct station *s)
{
	return s->failures > 0 || s->brake.row > 0 || s->brake.starts < 2 * BRAKE_START_MS;
}

/* Ends the station's pause, or the delay of its retry. */
static void
station_resume(struct station *s)
{
	s->behind = 1;
	s->failures = 0;
	s->not_before = 0;
	brake_release(&s->brake);
	if (station_mails(s))
		mailers_resume(s->core);
	s->paused = s->paused && s->lane == 0;	/* the first lane's PULL resumes the sink */
	s->resume = s->lane == 0 ? RESUME_WANTED : RESUME_NONE;
	xreplace(&s->reason, NULL);
}

/* The error for an unknown name, with the names that exist: the routes, or the sinks of r. */
static int
resume_refuse(const struct core *c, const char *what, const struct route *r, struct buf *said)
{
	size_t n = r != NULL ? r->nsinks : c->setup->nroutes;

	if (r != NULL)
		shown_fmt(said, "route %s has no sink %s", r->name, what);
	else
		shown_fmt(said, "there is no route %s", what);
	for (size_t i = 0; i < n; i++)
		shown_fmt(said, "%s%s", i > 0 ? ", " : r != NULL ? "; it has " : "; there are: ",
		    r != NULL ? r->sinks[i].name : c->setup->routes[i].name);
	buf_str(said, n == 0 ? "; there are none\n" : "\n");
	return -1;
}

static const struct route *
route_named(const struct core *c, const char *name, size_t len)
{
	for (size_t i = 0; i < c->setup->nroutes; i++)
		if (strlen(c->setup->routes[i].name) == len &&
		    strncmp(c->setup->routes[i].name, name, len) == 0)
			return &c->setup->routes[i];
	return NULL;
}

/* Resumes the stations of a route (NULL: of all), or its one sink (NULL: all). Returns their
 * number. */
static size_t
resume(struct core *c, const struct route *r, const char *sink, struct buf *said)
{
	size_t n = 0;

	for (size_t i = 0; i < c->deliver->n; i++) {
		struct station *s = c->deliver->station[i];

		if ((r != NULL && s->route != r) ||
		    (sink != NULL && strcmp(station_name(s), sink) != 0))
			continue;
		n++;
		if (s->lane == 0)
			shown_fmt(said, "%s/%s %s\n", s->route->name, station_name(s),
			    is_paused(s) ? "is resumed" : s->state == STATION_WORK ? "is at work" :
			    is_delayed(s) ? "tries again now" : "was not paused");
		if (s->state != STATION_WORK)
			station_resume(s);
	}
	return n;
}

int
deliver_resume(struct core *c, const char *name, struct buf *said)
{
	const struct route *r = route_named(c, name, strlen(name));
	const char *sink = NULL, *slash = strrchr(name, '/');

	if (name[0] == '\0') {
		(void)resume(c, NULL, NULL, said);
		deliver_on(c);
		return 0;
	}
	if (r == NULL && slash != NULL && slash > name) {
		r = route_named(c, name, (size_t)(slash - name));
		sink = slash + 1;
	}
	if (r == NULL)
		return resume_refuse(c, name, NULL, said);
	if (resume(c, r, sink, said) == 0 && sink != NULL)
		return resume_refuse(c, sink, r, said);
	deliver_on(c);
	return 0;
}

/* ---- testing a sink ---- */

int
deliver_test(struct core *c, const char *name, const char *to, uint32_t question, deliver_tested tested,
    struct buf *said)
{
	const char *slash = strrchr(name, '/');
	const struct route *r = slash != NULL ? route_named(c, name, (size_t)(slash - name)) : NULL;
	struct station *s = NULL;
	char why[256];

	for (size_t i = 0; r != NULL && i < c->deliver->n; i++)
		if (c->deliver->station[i]->route == r && c->deliver->station[i]->lane == 0 &&
		    c->deliver->station[i]->instance != NULL &&
		    strcmp(station_name(c->deliver->station[i]), slash + 1) == 0)
			s = c->deliver->station[i];
	if (s == NULL)
		return resume_refuse(c, r != NULL ? slash + 1 : name, r, said);
	shown_fmt(said, "%s/%s: ", r->name, station_name(s));
	if (station_lists(s))
		buf_str(said, "writes lists: a sample would be in its output\n");
	else if (station_waiting(s) != NULL)
		shown_fmt(said, "%s\n", station_waiting(s));
	else if (station_mails(s) && to == NULL)
		buf_str(said, "writes mail: say --to ADDRESS, who is to get the sample\n");
	else if (!station_mails(s) && to != NULL)
		buf_str(said, "writes no mail: --to is not for it\n");
	else if (to != NULL && mailbox_check(to, why, sizeof(why)) == -1)
		shown_fmt(said, "--to: %s\n", why);
	else if (s->sample != 0)
		buf_str(said, "is tested already\n");
	else {
		buf_clear(said);
		s->sample = question;
		xreplace(&s->sample_to, to);
		c->deliver->tested = tested;
		station_pull(s);
		return 0;
	}
	return -1;
}

/* ---- set-up ---- */

static struct station *
station_new(struct core *c)
{
	struct station *s = xcalloc(1, sizeof(*s));

	*s = (struct station){ .core = c, .batch = -1, .out = -1, .behind = 1, .most = BATCH_PUSH,
		.held = { .out = -1 } };
	brake_release(&s->brake);
	s->timer = evtimer_new(c->base, on_timer, s);
	if (s->timer == NULL)
		fatal("no timer for a route");
	return s;
}

/* The worker ends with the job that it has, whose result is dropped. */
static void
station_free(struct station *s)
{
	station_tested(s, 1, "it is no longer in the configuration");
	station_state(s, STATION_IDLE);
	if (s->worker != NULL)
		worker_stop(s->worker);
	event_free(s->timer);
	held_set(&s->held, NULL, 0, ACK_ALL, 0, NULL, -1);
	mails_forget(s->core, s);
	free(s->sample_to);
	free(s->mailed);
	free(s->reason);
	free(s);
}

/* Takes the station of this route, sink (name NULL: of its filters) and lane out of the old ones;
 * NULL: there is none. */
static struct station *
station_before(struct station **old, size_t n, const struct route *r, const char *name, uint32_t lane)
{
	struct station *s;

	for (size_t i = 0; i < n; i++) {
		s = old[i];
		if (s == NULL || s->lane != lane || strcmp(s->route->name, r->name) != 0 ||
		    (s->place == PULL_FILTER) != (name == NULL) ||
		    (name != NULL && strcmp(station_name(s), name) != 0))
			continue;
		old[i] = NULL;
		return s;
	}
	return NULL;
}

/* The station's worker was started for an outdated configuration: filters judge their batch again,
 * a delivery is finished. A failed or paused station tries again soon: the change may be the
 * cure. */
static void
station_change(struct station *s)
{
	s->changed = s->state == STATION_WORK && s->place != PULL_FILTER;
	if (!s->changed && s->worker != NULL)
		worker_stop(s->worker);
	if (s->state == STATION_WORK && s->place == PULL_FILTER)
		station_state(s, STATION_IDLE);
	station_resume(s);
}

/* sink: its place, or PULL_FILTER. Its stations are taken in the order of their lanes. */
static void
station_take(struct core *c, struct digest *d, struct station **old, size_t n, struct route *r,
    uint32_t sink, uint32_t lane)
{
	const char *name = sink == PULL_FILTER ? NULL : r->sinks[sink].name;
	struct station *s = station_before(old, n, r, name, lane);
	unsigned char means[DIGEST_SIZE];
	int known = s != NULL;

	if (s == NULL)
		s = station_new(c);
	s->route = r;
	s->place = sink;
	s->lane = lane;
	s->before = lane > 0 ? c->deliver->station[c->deliver->n - 1] : NULL;
	s->instance = sink == PULL_FILTER ? NULL : r->sinks[sink].instance;
	station_means(s, d, means);
	if (known && memcmp(means, s->means, sizeof(means)) != 0)
		station_change(s);
	if (station_lists(s) && (!known || !c->setup->again ||
	    memcmp(means, s->means, sizeof(means)) != 0)) {
		s->anew = 1;
		s->asked_anew = 0;
	}
	memcpy(s->means, means, sizeof(means));
	c->deliver->station[c->deliver->n++] = s;
}

void
deliver_setup(struct core *c, const struct setup *old_setup)
{
	struct station **old = c->deliver->station;
	size_t nold = c->deliver->n, n = 0;
	struct digest *d = digest_new();

	(void)old_setup;
	for (size_t i = 0; i < c->setup->nroutes; i++)
		n += SINK_LANES * c->setup->routes[i].nsinks + (c->setup->routes[i].nfilters > 0);
	c->deliver->station = xcalloc(n, sizeof(struct station *));
	c->deliver->n = 0;
	for (size_t i = 0; i < c->setup->nroutes; i++) {
		struct route *r = &c->setup->routes[i];

		if (r->nfilters > 0)
			station_take(c, d, old, nold, r, PULL_FILTER, 0);
		for (uint32_t k = 0; k < r->nsinks; k++)
			for (uint32_t lane = 0; lane < (r->sinks[k].unordered ? SINK_LANES : 1); lane++)
				station_take(c, d, old, nold, r, k, lane);
	}
	for (size_t i = 0; i < nold; i++)
		if (old[i] != NULL)
			station_free(old[i]);
	free(old);
	digest_free(d);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	deliver_on(arg);
}

void
deliver_init(struct core *c)
{
	c->deliver = xcalloc(1, sizeof(*c->deliver));
	c->deliver->wake = evtimer_new(c->base, on_wake, c);
	if (c->deliver->wake == NULL)
		fatal("no event for the routes");
}

/* A command of a sink, or its pause between two messages, may take longer than the daemon waits when
 * it stops: the sink is told to end it. */
void
deliver_stop(struct core *c)
{
	for (size_t i = 0; i < c->deliver->n; i++) {
		struct station *s = c->deliver->station[i];

		if (s->state != STATION_WORK || s->broken_off || s->worker == NULL ||
		    !worker_waiting(s->worker))
			continue;
		s->broken_off = 1;
		worker_send(s->worker, MSG_STOP, NULL, -1);
	}
}

int
deliver_busy(const struct core *c)
{
	return c->deliver->busy > 0;
}

/* Store has read the new setup: answers that sinks gave meanwhile are sent with its ids. */
void
deliver_ready(struct core *c, struct wire *w)
{
	uint32_t n = wire_u32(w), id;

	if (n != c->setup->nroutes)
		fatal("store knows %u routes of %zu", n, c->setup->nroutes);
	for (uint32_t i = 0; i < n; i++) {
		id = wire_u32(w);
		for (size_t k = 0; k < c->deliver->n; k++)
			if (c->deliver->station[k]->route == &c->setup->routes[i]) {
				c->deliver->station[k]->id = id;
				c->deliver->station[k]->sink = c->deliver->station[k]->place;
				c->deliver->station[k]->paused = 0;	/* WORK may set it again */
				c->deliver->station[k]->replay = c->deliver->station[k]->lane == 0;
			}
	}
	for (size_t k = 0; k < c->deliver->n; k++)
		if (c->deliver->station[k]->state == STATION_ANSWERED)
			station_tell(c->deliver->station[k]);
	deliver_head(c, wire_i64(w));
}

uint32_t
deliver_route_id(const struct core *c, size_t route)
{
	for (size_t i = 0; i < c->deliver->n; i++)
		if (c->deliver->station[i]->route == &c->setup->routes[route])
			return c->deliver->station[i]->id;
	return 0;
}

void
deliver_each(const struct core *c, void (*cb)(const struct deliver_seen *, void *), void *arg)
{
	for (size_t i = 0; i < c->deliver->n; i++) {
		const struct station *s = c->deliver->station[i];
		const struct deliver_seen seen = { .route = (size_t)(s->route - c->setup->routes),
			.id = s->id, .sink = s->place, .name = station_name(s),
			.paused = is_paused(s), .reason = s->reason };

		if (s->lane == 0)
			cb(&seen, arg);
	}
}

const char *
deliver_reason(const struct core *c, size_t route, uint32_t sink)
{
	for (size_t i = 0; i < c->deliver->n; i++)
		if (c->deliver->station[i]->route == &c->setup->routes[route] &&
		    c->deliver->station[i]->place == sink)
			return c->deliver->station[i]->reason;
	return NULL;
}

/* The station of a sink's place, of an unordered sink the first lane at work; NULL: there is none. */
static const struct station *
station_at(const struct core *c, size_t route, uint32_t sink)
{
	const struct station *found = NULL;

	for (size_t i = 0; i < c->deliver->n; i++) {
		const struct station *s = c->deliver->station[i];

		if (s->route == &c->setup->routes[route] && s->place == sink &&
		    (found == NULL || (found->state != STATION_WORK && s->state == STATION_WORK)))
			found = s;
	}
	return found;
}

const char *
deliver_state(const struct core *c, size_t route, uint32_t sink, pid_t *pid)
{
	static const char *const names[] = { "idle", "asking", "working", "settling", "settling" };
	const struct station *s = station_at(c, route, sink);

	*pid = s != NULL && s->worker != NULL ? worker_pid(s->worker) : 0;
	if (s == NULL)
		return "idle";
	if (station_waiting(s) != NULL)
		return station_waiting(s);
	if (is_paused(s))
		return "paused";
	return s->not_before > date_ticks() && is_delayed(s) ? "retrying" : names[s->state];
}

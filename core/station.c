/* One station of a route: its worker, the batch that it was given, and what comes of it. */
#include "date.h"
#include "deliver.h"
#include "filter.h"
#include "log.h"
#include "mem.h"
#include "pass.h"
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

/* ---- one station ---- */

const char *
station_name(const struct station *s)
{
	return s->place == PULL_FILTER ? "filters" : s->route->legs[s->place].name;
}

const char *
station_waiting(const struct station *s)
{
	if (s->instance != NULL)
		return s->instance->waiting;
	for (size_t i = 0; i < s->route->nfilters; i++)
		if (s->route->filters[i].instance->waiting != NULL)
			return s->route->filters[i].instance->waiting;
	return NULL;
}

void
station_timer(struct station *s, int64_t ticks)
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

void
station_state(struct station *s, enum station_state state)
{
	struct core *c = s->core;

	if (s->state == STATION_IDLE && state != STATION_IDLE)
		c->busy_stations++;
	if (s->state != STATION_IDLE && state == STATION_IDLE) {
		c->busy_stations--;
		batch_close(s);
		if (s->changed && s->worker != NULL)
			worker_stop(s->worker);
		s->changed = 0;
		station_timer(s, date_ticks() + WORKER_IDLE);
	}
	s->state = state;
}

/* ---- its worker ---- */

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

static void
put_filters(struct buf *b, const struct route *r)
{
	for (size_t i = 0; i < r->nfilters; i++)
		put_plugin(b, r->filters[i].instance, 0);
	for (size_t i = 0; i < r->nfilters; i++)
		wire_put_str(b, r->filters[i].rule);
}

/* How a plugin is to be started: by which copy, with what options. */
static void
plugin_means(struct digest *d, const struct instance *in, uint32_t granted)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	instance_options(in, 1, &options);
	digest_str(d, in->plugin != NULL ? in->plugin->copy : NULL);
	digest_int(d, granted);
	digest_add(d, options.len > 0 ? options.data : "", options.len);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	buf_free(&options);
}

void
station_means(const struct station *s, struct digest *d, unsigned char out[DIGEST_SIZE])
{
	const struct route *r = s->route;

	digest_begin(d);
	digest_int(d, (int64_t)s->core->setup->worker_memory);
	if (s->instance != NULL)
		plugin_means(d, s->instance, s->instance->plugin != NULL ?
		    setup_grants(s->core->setup, s->instance->plugin) : 0);
	for (size_t i = 0; s->instance == NULL && i < r->nfilters; i++) {
		digest_str(d, r->filters[i].rule);
		plugin_means(d, r->filters[i].instance, 0);
	}
	digest_end(d, out);
}

static int
station_start(struct station *s)
{
	struct core *c = s->core;
	struct w_start ws = { .mode = s->place == PULL_FILTER ? W_FILTER : W_DELIVER,
		.debug = (uint32_t)c->debug, .memory = c->setup->worker_memory,
		.out = VERDICTS_MAX, .cpu = c->setup->job_cpu * ROUTE_USES,
		.name = s->route->name };
	struct worker *w;
	struct buf b;
	char *name;

	if (s->instance != NULL) {
		ws.grants = setup_grants(c->setup, s->instance->plugin);
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
		put_filters(&b, s->route);
	name = xasprintf("%s/%s", s->route->name, station_name(s));
	w = worker_start(c, WORKER_ROUTE, name, &b);
	if (w != NULL && s->instance != NULL)
		worker_allow(w, pass_new(s->instance, ws.grants, name, NULL));
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

void
held_set(struct held *h, const char *id, uint32_t done, enum ack_then then, int64_t retry,
    const char *reason, int out)
{
	if (h->out != -1)
		close(h->out);
	h->out = out;
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
	s->failures = h->done > 0 ? 1 : s->failures + 1;
	ms = retry_delay(s, h->retry);
	s->not_before = date_ticks() + ms;
	return date_now() + ms;
}

void
station_again(struct station *s)
{
	struct core *c = s->core;

	s->behind = 1;
	station_state(s, STATION_IDLE);
	deliver_on(c);
	core_idle(c);
}

void
station_pause(struct station *s, int64_t asked, const char *why)
{
	log_warn("route %s, %s: %s", s->route->name, station_name(s), why);
	xreplace(&s->reason, why);
	s->failures++;
	s->not_before = date_ticks() + retry_delay(s, asked);
	station_again(s);
}

void
station_tell(struct station *s)
{
	struct core *c = s->core;
	const struct held *h = &s->held;
	struct ack a = { .route = s->id, .leg = s->leg, .done = h->done, .then = h->then,
		.first = s->work.first, .last = s->work.last, .reason = h->reason };
	struct buf b;

	if (s->epoch != c->role[ROLE_STORE].restarts || c->role[ROLE_STORE].pid == 0) {
		station_again(s);	/* store lost sight of it: it hands it out once more */
		return;
	}
	if (!c->known) {
		station_state(s, STATION_ANSWERED);
		return;			/* told once store has read the new setup */
	}
	a.due = pause_for(s, h);
	station_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_ACK));
	wire_put(&b, ack, &a);
	roles_send(c, ROLE_STORE, MSG_ACK, 0, &b, h->out);
	buf_free(&b);
}

/* What the sink set in its state, sealed; -1: nothing. */
static int
out_take(struct station *s)
{
	int fd = s->out;

	if (lseek(fd, 0, SEEK_END) <= 0 || result_seal(fd) == -1)
		return -1;
	s->out = -1;
	return fd;
}

/* The sink answered. */
static void
station_ack(struct station *s, uint32_t done, enum ack_then then, int64_t retry, const char *reason)
{
	if (then != ACK_ALL)
		log_warn("route %s, %s: %s%s", s->route->name, station_name(s),
		    reason != NULL ? reason : "failed without saying why",
		    then == ACK_GONE ? "; paused until `courant resume`" : "");
	log_debug("route %s, %s: %u of %u delivered", s->route->name, station_name(s), done,
	    s->work.count);
	held_set(&s->held, s->work.id, done, then, retry, reason, out_take(s));
	station_tell(s);
}

static void
station_judged(struct station *s, uint32_t guilty, const char *reason)
{
	const struct judged j = { .route = s->id, .guilty = guilty, .first = s->work.first,
		.last = s->work.last, .reason = reason };
	struct buf b;

	if (!s->core->known) {
		station_again(s);	/* store may have forgotten what it asked */
		return;
	}
	station_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_JUDGED));
	wire_put(&b, judged, &j);
	roles_send(s->core, ROLE_STORE, MSG_JUDGED, 0, &b, s->out);
	buf_free(&b);
}

/* Tells how its plugins did. 1: one of them gives way to another version. */
static int
station_blame(const struct station *s, int well, const char *why)
{
	int gone = 0;

	if (s->instance != NULL)
		return plugin_job(s->core, s->instance->plugin, well, why);
	for (size_t i = 0; i < s->route->nfilters; i++)
		gone |= plugin_job(s->core, s->route->filters[i].instance->plugin, well, why);
	return gone;
}

static int
is_fault(const struct batch_done *d)
{
	return d->failed == CR_BAD_DATA || d->failed == CR_BAD_OPTION;
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
	if (d->failed == 0 || is_fault(d))
		(void)station_blame(s, d->failed == 0, why.data);
	if (d->failed == 0 && done == s->work.count)
		station_ack(s, done, ACK_ALL, 0, NULL);
	else if (d->failed == CR_GONE)
		station_ack(s, done, ACK_GONE, 0, why.data);
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

	if (d->failed == 0)
		(void)station_blame(s, 1, NULL);
	if (d->failed == 0 || d->done == s->work.count) {
		station_judged(s, UINT32_MAX, NULL);
		return;
	}
	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	if (is_fault(d))
		(void)station_blame(s, 0, why.data);
	station_pause(s, d->failed == FAILED_RETRY ? d->retry : -1,
	    why.len > 0 ? why.data : "failed without saying why");
	buf_free(&why);
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct station *s = arg;
	uint16_t answer = s->place == PULL_FILTER ? MSG_W_FILTERED : MSG_W_DELIVERED;
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
	if (result_seal(s->out) == -1) {
		worker_kill(w, "it keeps its results open for writing");
		return;
	}
	worker_free_job(w);
	if (s->place == PULL_FILTER)
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
	if (s->place == PULL_FILTER && result_seal(s->out) == -1)
		station_pause(s, -1, text);
	else if (s->place == PULL_FILTER)
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
	} else if (station_blame(s, 0, why)) {
		s->not_before = date_ticks() + RETRY_MIN;	/* by then it is taken */
		station_again(s);
	} else
		condemn(s, why);
}

static const struct worker_use station_use = { on_frame, on_death };

void
station_give(struct station *s)
{
	struct core *c = s->core;
	struct batch_job bj = { .route = s->route->name, .id = s->work.id, .title = "", .self = "",
		.careful = s->tries > 0 && s->work.kind != WORK_LIST, .count = s->work.count,
		.now = date_now(), .attempt = s->work.attempt };
	off_t len = lseek(s->batch, 0, SEEK_END);
	struct buf b;

	if (s->worker == NULL && (station_waiting(s) != NULL || station_start(s) == -1)) {
		s->not_before = date_ticks() + RETRY_MIN;
		station_again(s);
		return;
	}
	s->tries++;
	s->progress = 0;
	station_state(s, STATION_WORK);
	log_debug("route %s, %s: delivers %u of batch %s", s->route->name, station_name(s),
	    s->work.count, s->work.id);
	bj.len = len > 0 ? (uint64_t)len : 0;
	if (s->out != -1)
		close(s->out);
	s->out = result_fd(NULL, 0);
	if (s->out == -1)
		fatal("no memory file for results: %s", strerror(errno));
	if (s->place != PULL_FILTER) {
		bj.kind = s->work.kind == WORK_LIST ? CR_BATCH_LIST : CR_BATCH_RECORDS;
		if (s->work.kind == WORK_LIST) {
			bj.title = s->route->title != NULL ? s->route->title : s->route->name;
			bj.self = c->setup->base;
		}
	}
	buf_init(&b, msg_limit(MSG_W_DELIVER));
	wire_put(&b, batch_job, &bj);
	worker_job(s->worker, &station_use, s, s->route->name,
	    s->place == PULL_FILTER ? MSG_W_FILTER : MSG_W_DELIVER, &b, s->batch, s->out);
	buf_free(&b);
}


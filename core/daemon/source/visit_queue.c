/* The queue of visits: each source has one worker for its visits, which answers one after the
 * other. */
#include "visit_queue.h"
#include "quota.h"
#include "sources.h"
#include "visit.h"
#include "visit_run.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define VISITS_MAX	256		/* at once */
#define VISITS_EACH	32		/* of one source */
#define VISITS_BYTES	(16u << 20)	/* of all bodies that wait */
#define BUSY_S		5		/* Retry-After, s, when too many wait */
#define WAITING_S	60		/* the same when the plugin is missing */

/* A source whose plugin is missing may be one that answers visits. */
static int
may_answer(const struct source *s)
{
	const struct plugin *p = s->instance->plugin;

	return p == NULL || (p->does & DOES_REQUEST) != 0;
}

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct source *all = arg;
	const uint32_t *x = a, *y = b;

	return strcmp(all[*x].name, all[*y].name);
}

/* The length of the longest source name that begins the path (a name may have "/"); 0: there is
 * none. */
static size_t
name_in(const struct core *c, const char *path)
{
	size_t len = strlen(path);

	while (len > 0 && visit_place(c, path, len) == UINT32_MAX)
		for (len--; len > 0 && path[len] != '/'; len--)
			;
	return len;
}

void
visit_setup(struct core *c, const struct setup *old)
{
	struct visits *vs = c->visits;
	const struct setup *s = c->setup;
	struct seat *seat;

	(void)old;
	free(vs->place);
	vs->place = xcalloc(s->nsources, sizeof(*vs->place));
	vs->nplaces = 0;
	for (uint32_t i = 0; i < s->nsources; i++)
		if (may_answer(&s->sources[i]))
			vs->place[vs->nplaces++] = i;
	if (vs->nplaces > 0)
		qsort_r(vs->place, vs->nplaces, sizeof(*vs->place), by_name, s->sources);
	for (seat = vs->seat; seat < vs->seat + VISIT_WORKERS; seat++) {
		seat->old = seat->visit != NULL;
		if (!seat->old && seat->worker != NULL)
			worker_stop(seat->worker);
	}
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct visit *v = arg;
	struct core *c = v->core;
	char why[64];

	(void)fd;
	(void)what;
	if (v->state != VISIT_RUNS) {
		visit_refuse(v, 503, BUSY_S, "too busy to answer in time; try again");
		visit_wake(c);
	} else if (v->batch != 0) {	/* store is slow, not the worker */
		if (!v->told)		/* told: a new serve may reuse the id */
			visit_say(c, v->theirs, 504, -1,
			    "it was not stored in time; it may be yet");
		v->told = 1;
	} else if (v->seat->worker != NULL) {
		snprintf(why, sizeof(why), "its deadline of %lld ms passed",
		    (long long)c->setup->job_deadline);
		v->late = 1;
		worker_kill(v->seat->worker, why);
	}
}

static void
visit_new(struct core *c, const struct frame *f, uint64_t bytes, char *name)
{
	const int64_t ms = c->setup->job_deadline;
	const struct timeval deadline = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	struct visit *v = xcalloc(1, sizeof(*v));

	v->core = c;
	v->id = ++c->visits->last;
	v->theirs = f->id;
	v->name = name;
	v->bytes = bytes;
	v->body = f->fd[0];
	f->fd[0] = -1;
	v->out = (struct outlet){ { -1, -1 } };
	buf_init(&v->frame, msg_limit(MSG_VISIT));
	buf_add(&v->frame, f->data, f->len);
	v->deadline = evtimer_new(c->base, on_deadline, v);
	if (v->deadline == NULL || evtimer_add(v->deadline, &deadline) == -1)
		fatal("no timer for a visit");
	TAILQ_INSERT_TAIL(&c->visits->all, v, entry);
	c->visits->n++;
	c->visits->bytes += bytes;
}

/* Whether a new visit would exceed the limits: in all, for its source, or of bytes in bodies. */
static int
too_many(const struct visits *vs, const char *name, uint64_t bytes)
{
	const struct visit *v;
	size_t n = 0;

	TAILQ_FOREACH(v, &vs->all, entry)
		n += strcmp(v->name, name) == 0;
	return vs->n >= VISITS_MAX || n >= VISITS_EACH || vs->bytes + bytes > VISITS_BYTES;
}

int
visit_came(struct core *c, struct frame *f)
{
	struct visit_ask va;
	size_t len;
	char *name;

	if (wire_whole(f->data, f->len, visit_ask, &va) == -1 || va.method == NULL ||
	    va.path == NULL || va.headers == NULL ||
	    va.peer == NULL || va.len > VISIT_BODY_MAX || (va.len > 0) != (f->fd[0] != -1))
		return -1;
	len = name_in(c, va.path);
	name = xstrndup(va.path, len);
	if (c->visits->stopped)
		visit_say(c, f->id, 503, BUSY_S, "the daemon stops");
	else if (len == 0)
		visit_say(c, f->id, 404, -1, "there is nobody of this name");
	else if (c->setup->sources[visit_place(c, name, len)].instance->waiting != NULL)
		visit_say(c, f->id, 503, WAITING_S, "its plugin is not there");
	else if (quota_waits(c, visit_place(c, name, len)))
		visit_say(c, f->id, 503, WAITING_S, "nothing can be stored now; try again later");
	else if (too_many(c->visits, name, va.len))
		visit_say(c, f->id, 503, BUSY_S, "too many ask at once; try again");
	else {
		visit_new(c, f, va.len, name);
		visit_wake(c);
		return 0;
	}
	free(name);
	return 0;
}

/* The seat of the source; NULL: it has none. */
static struct seat *
seat_of(struct visits *vs, uint32_t id)
{
	struct seat *seat;

	for (seat = vs->seat; seat < vs->seat + VISIT_WORKERS; seat++)
		if (seat->id == id && (seat->worker != NULL || seat->visit != NULL))
			return seat;
	return NULL;
}

/* A free seat, if need be after stopping another source's idle worker; NULL: all are busy. */
static struct seat *
seat_free(struct visits *vs)
{
	struct seat *seat, *idle = NULL;

	for (seat = vs->seat; seat < vs->seat + VISIT_WORKERS; seat++) {
		if (seat->visit != NULL)
			continue;
		if (seat->worker == NULL)
			return seat;
		idle = seat;
	}
	if (idle != NULL)
		worker_stop(idle->worker);
	return idle;
}

/* Gives the visit a seat, and asks store for the state of the source's plugin. */
static void
visit_begin(struct visit *v, struct seat *seat, uint32_t place)
{
	struct core *c = v->core;
	uint32_t id = c->runs[place].id;
	uint64_t hash = c->setup->sources[place].hash;
	struct state_ask q = { .owner = STATE_VISIT };
	char instance[32];
	struct buf b;

	if (seat->worker != NULL && (seat->old || seat->hash != hash))
		worker_stop(seat->worker);
	seat->id = id;
	seat->hash = hash;
	seat->old = 0;
	seat->visit = v;
	v->seat = seat;
	v->state = VISIT_ASKS;
	snprintf(instance, sizeof(instance), "source:%u", id);
	buf_init(&b, msg_limit(MSG_STATE));
	q.instance = instance;
	wire_put(&b, state_ask, &q);
	roles_send(c, ROLE_STORE, MSG_STATE, v->id, &b, -1);
	buf_free(&b);
}

/* The place of a waiting visit's source; UINT32_MAX: nobody can answer it any more, it was
 * refused. */
static uint32_t
place_now(struct visit *v)
{
	uint32_t place = visit_place(v->core, v->name, strlen(v->name));

	if (place == UINT32_MAX) {
		visit_refuse(v, 404, -1, "there is nobody of this name any more");
	} else if (v->core->setup->sources[place].instance->waiting != NULL) {
		visit_refuse(v, 503, WAITING_S, "its plugin is not there");
		return UINT32_MAX;
	}
	return place;
}

static void
visits_begin(struct core *c)
{
	struct visits *vs = c->visits;
	struct visit *v, *next;
	struct seat *seat;
	uint32_t place;

	for (v = TAILQ_FIRST(&vs->all); v != NULL && c->known; v = next) {
		next = TAILQ_NEXT(v, entry);
		if (v->state != VISIT_WAITS || (place = place_now(v)) == UINT32_MAX)
			continue;
		seat = seat_of(vs, c->runs[place].id);
		if (seat != NULL && seat->visit != NULL)
			continue;
		if (seat == NULL && (seat = seat_free(vs)) == NULL)
			return;
		visit_begin(v, seat, place);
	}
}

static void
visit_run(struct visit *v, const struct source *src, struct bytes state)
{
	struct core *c = v->core;
	uint32_t grants = setup_grants(c->setup, src->instance->plugin);
	struct seat *seat = v->seat;

	if (seat->worker == NULL && memory_full(c)) {
		visit_refuse(v, 503, BUSY_S, "too busy to answer; try again");
		return;
	}
	if (seat->worker == NULL) {
		seat->worker = dedicated_start(c, WORKER_VISIT, src, seat->id, grants);
		if (seat->worker == NULL) {
			visit_refuse(v, 503, BUSY_S, "no worker can be started");
			return;
		}
		worker_owner(seat->worker, &seat->worker);
	}
	v->state = VISIT_RUNS;
	v->tries++;
	visit_give(v, src, grants, state);
}

void
visit_stated(struct core *c, uint32_t id, struct bytes state)
{
	uint32_t place;
	struct visit *v;

	TAILQ_FOREACH(v, &c->visits->all, entry)
		if (v->id == id && v->state == VISIT_ASKS)
			break;
	if (v == NULL)
		return;
	place = visit_place(c, v->name, strlen(v->name));
	if (place == UINT32_MAX || c->runs[place].id != v->seat->id ||
	    c->setup->sources[place].hash != v->seat->hash ||
	    c->setup->sources[place].instance->waiting != NULL)
		visit_leave(v);		/* a new setup: its source is looked up again */
	else
		visit_run(v, &c->setup->sources[place], state);
	visits_begin(c);
}

static void
store_gone(struct core *c)
{
	struct visit *v;

	TAILQ_FOREACH(v, &c->visits->all, entry)
		if (v->state == VISIT_ASKS)
			visit_leave(v);
}

void
visit_ready(struct core *c)
{
	visits_begin(c);
}

/* Refuses the visits that do not run yet; a visit whose visitor is gone is only freed. */
static void
visits_drop(struct core *c)
{
	struct visit *v, *next;

	for (v = TAILQ_FIRST(&c->visits->all); v != NULL; v = next) {
		next = TAILQ_NEXT(v, entry);
		if (v->state != VISIT_RUNS)
			visit_refuse(v, 503, BUSY_S, "the daemon stops");
	}
}

/* Serve died: nobody waits for the answers. */
static void
serve_gone(struct core *c)
{
	struct visit *v;

	TAILQ_FOREACH(v, &c->visits->all, entry)
		v->told = 1;
	visits_drop(c);
}

void
visit_gone(struct core *c, enum role_id id)
{
	if (id == ROLE_STORE)
		store_gone(c);
	if (id == ROLE_SERVE)
		serve_gone(c);
}

void
visit_stop(struct core *c)
{
	c->visits->stopped = 1;
	visits_drop(c);
}

int
visit_busy(const struct core *c)
{
	return !TAILQ_EMPTY(&c->visits->all);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	visits_begin(arg);
}

void
visit_init(struct core *c)
{
	c->visits = xcalloc(1, sizeof(*c->visits));
	TAILQ_INIT(&c->visits->all);
	c->visits->wake = evtimer_new(c->base, on_wake, c);
	if (c->visits->wake == NULL)
		fatal("no event for the visits");
}

/* Visits: HTTP requests below /x/NAME/, which serve hands over and the plugin of the source NAME answers
 * in a worker of its own, one after the other. What it emits is on disk before its answer goes out. */
#include "visit.h"
#include "log.h"
#include "mem.h"
#include "msg.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define VISITS_MAX	256		/* at once */
#define VISITS_EACH	32		/* of one source */
#define VISITS_BYTES	(16u << 20)	/* of the bodies that wait, all together */
#define VISIT_WORKERS	16		/* sources that answer at once */
#define BUSY_S		5		/* Retry-After when there are too many */
#define WAITING_S	60		/* when the plugin is not there */

struct visits {
	TAILQ_HEAD(, visit)	 all;		/* in the order in which they came */
	size_t			 n;
	uint64_t		 bytes;		/* of the bodies */
	uint32_t		 last;		/* id */
	int			 stopped;
	struct seat		 seat[VISIT_WORKERS];
	uint32_t		*place;		/* of the sources that answer, by name */
	size_t			 nplaces;
};

/* ---- Which source ---- */

/* One without its plugin may be one that answers. */
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

struct name { const char *text; size_t len; const struct source *all; };

static int
is_name(const void *key, const void *place)
{
	const struct name *n = key;
	const char *name = n->all[*(const uint32_t *)place].name;
	int d = strncmp(n->text, name, n->len);

	return d != 0 ? d : name[n->len] != '\0' ? -1 : 0;
}

uint32_t
visit_place(const struct core *c, const char *text, size_t len)
{
	const struct visits *vs = c->visits;
	const struct name n = { text, len, c->setup->sources };
	const uint32_t *hit = vs->nplaces == 0 ? NULL :
	    bsearch(&n, vs->place, vs->nplaces, sizeof(*vs->place), is_name);

	return hit != NULL ? *hit : UINT32_MAX;
}

/* A name may have "/" itself: the longest that begins the path. Its length; 0: there is none. */
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
visit_setup(struct core *c)
{
	struct visits *vs = c->visits;
	const struct setup *s = c->setup;
	struct seat *seat;

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

void
visit_init(struct core *c)
{
	c->visits = xcalloc(1, sizeof(*c->visits));
	TAILQ_INIT(&c->visits->all);
}

/* ---- One visit ---- */

void
visit_tell(struct core *c, uint32_t theirs, const struct visit_answer *a, int fd)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_VISITED));
	wire_put(&b, visit_answer, a);
	roles_send(c, ROLE_SERVE, MSG_VISITED, theirs, &b, fd);
	buf_free(&b);
}

void
visit_say(struct core *c, uint32_t theirs, uint32_t status, int64_t retry, const char *error)
{
	const struct visit_answer a = { .status = status, .retry_after = retry, .error = error };

	visit_tell(c, theirs, &a, -1);
}

void
visit_leave(struct visit *v)
{
	intake_forget(v->core, v->batch);
	v->batch = 0;
	outlet_close(&v->out);
	if (v->seat != NULL)
		v->seat->visit = NULL;
	v->seat = NULL;
	v->state = VISIT_WAITS;
}

void
visit_free(struct visit *v)
{
	struct core *c = v->core;

	visit_leave(v);
	TAILQ_REMOVE(&c->visits->all, v, entry);
	c->visits->n--;
	c->visits->bytes -= v->bytes;
	if (v->body != -1)
		close(v->body);
	event_free(v->deadline);
	buf_free(&v->frame);
	free(v->name);
	free(v);
	core_idle(c);
}

void
visit_count(const struct visit *v, int failed)
{
	struct core *c = v->core;
	uint32_t place = visit_place(c, v->name, strlen(v->name));

	if (place == UINT32_MAX)
		return;
	c->runs[place].visits++;
	c->runs[place].visits_failed += failed != 0;
}

void
visit_refuse(struct visit *v, uint32_t status, int64_t retry, const char *error)
{
	visit_count(v, 1);
	if (!v->told)
		visit_say(v->core, v->theirs, status, retry, error);
	visit_free(v);
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
		visits_on(c);
	} else if (v->batch != 0) {	/* no fault of its worker's */
		if (!v->told)		/* a new serve has the id for another visitor */
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
	v->id = ++c->visits->last | VISIT_ID;
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

/* Whether there are as many as there may be, in all or of the source, or the bodies are too large. */
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
	struct wire w;
	size_t len;
	char *name;

	wire_init(&w, f->data, f->len);
	wire_get(&w, visit_ask, &va);
	if (wire_end(&w) == -1 || va.method == NULL || va.path == NULL || va.headers == NULL ||
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
	else if (too_many(c->visits, name, va.len))
		visit_say(c, f->id, 503, BUSY_S, "too many ask at once; try again");
	else {
		visit_new(c, f, va.len, name);
		visits_on(c);
		return 0;
	}
	free(name);
	return 0;
}

/* ---- Its turn ---- */

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

/* One that nobody uses, if need be by stopping another source's idle worker; NULL: all are busy. */
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

/* Asks store what the source keeps, as it is on disk now. */
static void
visit_begin(struct visit *v, struct seat *seat, uint32_t place)
{
	struct core *c = v->core;
	uint32_t id = c->runs[place].id;
	uint64_t hash = c->setup->sources[place].hash;
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
	wire_put_str(&b, instance);
	roles_send(c, ROLE_STORE, MSG_STATE, v->id, &b, -1);
	buf_free(&b);
}

/* The source of a visit that waits; one that cannot be answered any more is refused. */
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

void
visits_on(struct core *c)
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
visit_stated(struct core *c, struct frame *f)
{
	uint32_t place;
	struct bytes state;
	struct visit *v;
	struct wire w;

	wire_init(&w, f->data, f->len);
	(void)wire_str(&w);
	state = wire_bytes(&w);
	if (wire_end(&w) == -1)
		fatal("store's STATED is malformed");
	TAILQ_FOREACH(v, &c->visits->all, entry)
		if (v->id == f->id && v->state == VISIT_ASKS)
			break;
	if (v == NULL)
		return;
	place = visit_place(c, v->name, strlen(v->name));
	if (place == UINT32_MAX || c->runs[place].id != v->seat->id ||
	    c->setup->sources[place].hash != v->seat->hash ||
	    c->setup->sources[place].instance->waiting != NULL)
		visit_leave(v);		/* a new setup: it is looked for again */
	else
		visit_run(v, &c->setup->sources[place], state);
	visits_on(c);
}

/* ---- Others that come and go ---- */

void
visit_store_gone(struct core *c)
{
	struct visit *v;

	TAILQ_FOREACH(v, &c->visits->all, entry)
		if (v->state == VISIT_ASKS)
			visit_leave(v);
}

void
visit_known(struct core *c)
{
	visits_on(c);
}

/* Those that do not run yet: nobody waits for them, or they are refused. */
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

void
visit_serve_gone(struct core *c)
{
	struct visit *v;

	TAILQ_FOREACH(v, &c->visits->all, entry)
		v->told = 1;
	visits_drop(c);
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

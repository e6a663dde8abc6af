/* Visits: HTTP requests below /x/NAME/, which serve hands over and the plugin of the source NAME answers
 * in a worker of its own, one after the other. What it emits is on disk before its answer goes out. */
#include "core.h"
#include "date.h"
#include "dedicated.h"
#include "log.h"
#include "mem.h"
#include "msg.h"

#include <event2/event.h>

#include <courant/plugin.h>

#include <signal.h>
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

enum visit_state {
	VISIT_WAITS,			/* for its turn */
	VISIT_ASKS,			/* store for the state of its source */
	VISIT_RUNS,
};

struct visit {
	TAILQ_ENTRY(visit)	 entry;
	struct core		*core;
	enum visit_state	 state;
	uint32_t		 id, theirs;	/* of MSG_STATE; of serve's MSG_VISIT */
	int			 told;		/* it has its answer, or nobody waits for it */
	char			*name;		/* of its source */
	struct buf		 frame;		/* struct visit_ask */
	int			 body;		/* memfd; -1 */
	uint64_t		 bytes;		/* in it */
	struct event		*deadline;
	int			 late;		/* it passed: the worker was killed */
	int			 tries;		/* workers that it was given to */
	struct seat		*seat;		/* NULL: it waits */
	struct outlet		 out;
	uint32_t		 batch;		/* on its way to store; 0: none */
};

/* A worker for one source's visits. Without a worker and a visit: free. */
struct seat {
	struct worker		*worker;	/* NULL: none, or it retired */
	struct visit		*visit;		/* that it answers; NULL: none */
	uint32_t		 id;		/* store's, of the source */
	uint64_t		 hash;		/* of it */
	int			 old;		/* a new setup came: it takes no other visit */
};

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

static void	visits_on(struct core *);
static void	on_frame(struct worker *, struct frame *, void *);
static void	on_death(struct worker *, const char *, void *);
static const struct worker_use visit_use = { on_frame, on_death };

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

static uint32_t
place_of(const struct core *c, const char *text, size_t len)
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

	while (len > 0 && place_of(c, path, len) == UINT32_MAX)
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

static struct visit_ask
asked(const struct visit *v)
{
	struct visit_ask va;
	struct wire w;

	wire_init(&w, v->frame.data, v->frame.len);
	wire_get(&w, visit_ask, &va);
	if (wire_end(&w) == -1)
		fatal("a visit is malformed");
	return va;
}

static void
tell(struct core *c, uint32_t theirs, const struct visit_answer *a, int fd)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_VISITED));
	wire_put(&b, visit_answer, a);
	roles_send(c, ROLE_SERVE, MSG_VISITED, theirs, &b, fd);
	buf_free(&b);
}

/* retry: s; -1: it is no use. */
static void
refuse(struct core *c, uint32_t theirs, uint32_t status, int64_t retry, const char *error)
{
	const struct visit_answer a = { .status = status, .retry_after = retry, .error = error };

	tell(c, theirs, &a, -1);
}

/* What is on its way to store gets there all the same. */
static void
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

static void
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

static void
visit_count(const struct visit *v, int failed)
{
	struct core *c = v->core;
	uint32_t place = place_of(c, v->name, strlen(v->name));

	if (place == UINT32_MAX)
		return;
	c->runs[place].visits++;
	c->runs[place].visits_failed += failed != 0;
}

static void
visit_refuse(struct visit *v, uint32_t status, int64_t retry, const char *error)
{
	visit_count(v, 1);
	if (!v->told)
		refuse(v->core, v->theirs, status, retry, error);
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
		refuse(c, v->theirs, 504, -1, "it was not stored in time; it may be yet");
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
		refuse(c, f->id, 503, BUSY_S, "the daemon stops");
	else if (len == 0)
		refuse(c, f->id, 404, -1, "there is nobody of this name");
	else if (c->setup->sources[place_of(c, name, len)].instance->waiting != NULL)
		refuse(c, f->id, 503, WAITING_S, "its plugin is not there");
	else if (too_many(c->visits, name, va.len))
		refuse(c, f->id, 503, BUSY_S, "too many ask at once; try again");
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
visit_place(struct visit *v)
{
	uint32_t place = place_of(v->core, v->name, strlen(v->name));

	if (place == UINT32_MAX) {
		visit_refuse(v, 404, -1, "there is nobody of this name any more");
	} else if (v->core->setup->sources[place].instance->waiting != NULL) {
		visit_refuse(v, 503, WAITING_S, "its plugin is not there");
		return UINT32_MAX;
	}
	return place;
}

/* Begins what can be begun. */
static void
visits_on(struct core *c)
{
	struct visits *vs = c->visits;
	struct visit *v, *next;
	struct seat *seat;
	uint32_t place;

	for (v = TAILQ_FIRST(&vs->all); v != NULL && c->known; v = next) {
		next = TAILQ_NEXT(v, entry);
		if (v->state != VISIT_WAITS || (place = visit_place(v)) == UINT32_MAX)
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
give_job(struct visit *v, const struct source *src, uint32_t grants, struct bytes state)
{
	struct visit_job vj = { .source = src->name, .url = src->url, .hash = src->hash,
		.now = date_now(), .state = state };
	struct visit_ask va = asked(v);
	struct buf b, options;

	va.path += strlen(v->name);
	if (*va.path == '\0')
		va.path = "/";
	buf_init(&options, 2 * OPTION_SET_MAX);
	setup_source_granted(src, grants, &options);
	vj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	outlet_open(&v->out);
	buf_init(&b, msg_limit(MSG_W_VISIT));
	wire_put(&b, visit_job, &vj);
	wire_put(&b, visit_ask, &va);
	worker_job(v->seat->worker, &visit_use, v, v->name, MSG_W_VISIT, &b, v->out.fd[0],
	    v->body);
	worker_send(v->seat->worker, MSG_W_STORED, NULL, v->out.fd[1]);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	explicit_bzero(b.data, b.len);
	buf_free(&options);
	buf_free(&b);
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
	give_job(v, src, grants, state);
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
	place = place_of(c, v->name, strlen(v->name));
	if (place == UINT32_MAX || c->runs[place].id != v->seat->id ||
	    c->setup->sources[place].hash != v->seat->hash ||
	    c->setup->sources[place].instance->waiting != NULL)
		visit_leave(v);		/* a new setup: it is looked for again */
	else
		visit_run(v, &c->setup->sources[place], state);
	visits_on(c);
}

/* ---- What its worker does ---- */

static void
on_stored(struct core *c, const struct committed *cd, void *arg)
{
	struct visit *v = arg;
	struct worker *w = v->seat->worker;
	uint32_t place = place_of(c, v->name, strlen(v->name));

	v->batch = 0;
	log_debug("%s: of a visit, %u new, %u revised", v->name, cd->added, cd->revised);
	if (place != UINT32_MAX && c->runs[place].id == cd->source)
		c->runs[place].kept |= cd->kept & KEPT_STATE;
	if (cd->bad)
		worker_kill(w, "what it wrote is malformed");
	else
		worker_answer(w, MSG_W_STORED, 0, NULL, outlet_next(&v->out));
}

static void
on_batch(struct visit *v, const struct stream_batch *sb)
{
	static const struct mark none;
	struct core *c = v->core;
	struct worker *w = v->seat->worker;
	uint32_t place = place_of(c, v->name, strlen(v->name));
	const struct commit cm = { .source = v->seat->id, .when = date_now(),
		.url = place != UINT32_MAX ? c->setup->sources[place].url : "",
		.flags = COMMIT_ASIDE };
	const char *why = "it sent a batch before the last one was stored";
	int fd = v->batch != 0 ? -1 : outlet_take(&v->out, sb->out, STREAM_OUT, &why);

	if (fd == -1) {
		worker_kill(w, why);
		return;
	}
	(void)worker_hold(w);		/* store's time is not its own */
	v->batch = intake_put(c, &cm, &none, fd, on_stored, v);
}

/* What a failure says to a visitor; why it failed is for the log. */
static const struct {
	uint32_t	 failed, status;
	const char	*text;
} failures[] = {
	{ CR_BAD_DATA, 400, "the request is not of the shape that is read here" },
	{ CR_DENIED, 403, "this is not allowed" },
	{ CR_GONE, 410, "there is nothing here any more" },
	{ FAILED_RETRY, 503, "not now; try again" },
};

static void
tell_failure(const struct visit *v, const struct visit_done *d)
{
	int64_t retry = d->failed == FAILED_RETRY && d->retry >= 0 ? (d->retry + 999) / 1000 : -1;
	struct buf why;
	size_t i;

	buf_init(&why, 4 * REASON_MAX);
	worker_text(&why, d->error != NULL ? d->error : "the plugin failed without saying why");
	log_warn("%s: a visit failed: %s", v->name, why.data);
	buf_free(&why);
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]) && d->status == 0; i++)
		if (failures[i].failed == d->failed) {
			refuse(v->core, v->theirs, failures[i].status, retry, failures[i].text);
			return;
		}
	refuse(v->core, v->theirs, 500, -1, "it cannot be answered");
}

static void
tell_answer(const struct visit *v, const struct visit_done *d, int fd)
{
	const struct visit_answer a = { .status = d->status != 0 ? d->status : 204, .type = d->type,
		.retry_after = -1, .len = d->len };

	tell(v->core, v->theirs, &a, d->len > 0 ? fd : -1);
}

/* The job is done: the worker is for the next visit, unless it is of another setup. */
static void
visited(struct visit *v, const struct visit_done *d)
{
	struct core *c = v->core;
	struct seat *seat = v->seat;
	struct worker *w = seat->worker;
	const char *why = "it answered before all was stored";
	int bad = v->batch != 0 || (d->failed == 0 && d->status != 0 &&
	    (d->status < 200 || d->status > 599));
	int fd = bad ? -1 : outlet_take(&v->out, d->len, VISIT_ANSWER_MAX, &why);

	if (fd == -1) {
		worker_kill(w, why);
		return;
	}
	visit_count(v, d->failed != 0);
	if (!v->told && d->failed != 0)
		tell_failure(v, d);
	else if (!v->told)
		tell_answer(v, d, fd);
	close(fd);
	worker_free_job(w);
	if (seat->old && seat->worker != NULL)
		worker_stop(seat->worker);
	visit_free(v);
	visits_on(c);
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct visit *v = arg;
	struct stream_batch sb;
	struct visit_done d;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	if (f->type == MSG_W_BATCH) {
		wire_get(&wire, stream_batch, &sb);
		if (wire_end(&wire) == 0) {
			on_batch(v, &sb);
			return;
		}
	} else if (f->type == MSG_W_VISITED) {
		wire_get(&wire, visit_done, &d);
		if (wire_end(&wire) == 0) {
			visited(v, &d);
			return;
		}
	}
	worker_kill(w, "it sent a bad frame");
}

static void
on_death(struct worker *w, const char *why, void *arg)
{
	struct visit *v = arg;
	struct core *c = v->core;

	(void)w;
	(void)why;
	if (v->late)
		visit_refuse(v, 504, -1, "no answer came in time");
	else if (v->tries >= WORKER_TRIES || v->told || c->visits->stopped)
		visit_refuse(v, 502, -1, "it cannot be answered: the plugin crashed");
	else {
		log_info("%s: the visit is tried once more in a fresh worker", v->name);
		visit_leave(v);
	}
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

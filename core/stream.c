/* Sources that bring records by their own means: one worker each, begun when the source is due, which
 * is at once; their batches on the way to store; and what follows when one ends. */
#include "core.h"
#include "date.h"
#include "dedicated.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "schedule.h"

#include <event2/event.h>

#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define GRACE_MS	3000		/* for one that is to stop, before it is killed */
#define DELAY_MIN	INT64_C(1000)	/* ms before one that died begins again; doubles... */
#define DELAY_MAX	INT64_C(600000)
#define STEADY		INT64_C(60000)	/* ...unless it lived this long */
#define EVERY_MIN	INT64_C(60000)	/* the same of one with `every`, up to which it doubles */
#define AGAIN		INT64_C(10000)	/* after one that ended well, without `every` */
#define FULL_WAIT	INT64_C(60000)	/* when too many run */

struct stream {
	TAILQ_ENTRY(stream)	 entry;
	struct core		*core;
	uint32_t		 place;		/* of its source; UINT32_MAX: no longer there */
	uint32_t		 id;		/* store's */
	uint64_t		 hash;		/* of the source when it began */
	char			*name, *url;
	int64_t			 began;		/* ticks */
	struct worker		*worker;	/* NULL: store is asked for its state */
	struct event		*grace;
	struct outlet		 out;
	uint32_t		 batch, records;	/* on its way to store; 0: none */
	uint32_t		 refused;
	int			 proven;	/* it emitted or waited: the mark says ok */
	int			 stopping;
};
struct streams {
	TAILQ_HEAD(, stream)	 all;
	size_t			 n;
	int			 stopped;	/* none begins any more */
};

static void	on_frame(struct worker *, struct frame *, void *);
static void	on_death(struct worker *, const char *, void *);
static const struct worker_use stream_use = { on_frame, on_death };

int
source_streams(const struct source *s)
{
	return s->instance->plugin != NULL && (s->instance->plugin->does & DOES_STREAM) != 0;
}

void
stream_init(struct core *c)
{
	c->streams = xcalloc(1, sizeof(*c->streams));
	TAILQ_INIT(&c->streams->all);
}

static void
on_grace(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->worker != NULL)
		worker_kill(s->worker, "it did not stop when told");
}

static struct stream *
stream_new(struct core *c, uint32_t place)
{
	const struct source *src = &c->setup->sources[place];
	struct stream *s = xcalloc(1, sizeof(*s));

	s->core = c;
	s->place = place;
	s->id = c->runs[place].id;
	s->hash = src->hash;
	s->name = xstrdup(src->name);
	s->url = xstrdup(src->url);
	s->began = date_ticks();
	s->out = (struct outlet){ { -1, -1 } };
	s->grace = evtimer_new(c->base, on_grace, s);
	if (s->grace == NULL)
		fatal("no timer for a stream");
	TAILQ_INSERT_TAIL(&c->streams->all, s, entry);
	c->streams->n++;
	c->runs[place].stream = s;
	return s;
}

/* What is on its way to store gets there all the same. */
static void
stream_free(struct stream *s)
{
	struct core *c = s->core;

	TAILQ_REMOVE(&c->streams->all, s, entry);
	c->streams->n--;
	if (s->place != UINT32_MAX)
		c->runs[s->place].stream = NULL;
	intake_forget(c, s->batch);
	outlet_close(&s->out);
	event_free(s->grace);
	free(s->name);
	free(s->url);
	free(s);
	core_idle(c);
}

void
stream_place(struct stream *s, uint32_t place)
{
	s->place = place;
}

pid_t
stream_pid(const struct stream *s)
{
	return s->worker != NULL ? worker_pid(s->worker) : 0;
}

/* ---- Its end ---- */

/* Its `every`, ms; 0: it has none. */
static int64_t
every(const struct source *src)
{
	return src->every_min == SCHEDULE_EVERY_MIN && src->every_max == SCHEDULE_EVERY_MAX ? 0 :
	    src->every_min;
}

/* After a failure, ms. One with `every` works in runs, which may take a while to fail. */
static int64_t
delay_failed(const struct stream *s, struct run *r)
{
	int64_t runs = every(&s->core->setup->sources[s->place]);
	int64_t ms = runs == 0 ? DELAY_MIN : runs < EVERY_MIN ? runs : EVERY_MIN;
	int64_t most = runs == 0 ? DELAY_MAX : runs;

	if (date_ticks() - s->began >= (runs > STEADY ? runs : STEADY))
		r->deaths = 0;
	for (uint32_t i = 0; i < r->deaths && ms < most; i++)
		ms *= 2;
	r->deaths++;
	return ms < most ? ms : most;
}

/* How long until the next one, ms. */
static int64_t
delay_after(struct stream *s, uint32_t failed, int64_t asked)
{
	const struct source *src = &s->core->setup->sources[s->place];
	struct run *r = &s->core->runs[s->place];

	if (failed == 0) {
		r->deaths = 0;
		return every(src) > 0 ? every(src) : AGAIN;
	}
	if (failed == FAILED_RETRY && asked >= 0)
		return asked < DELAY_MIN ? DELAY_MIN : asked < SCHEDULE_RETRY_MAX ? asked :
		    SCHEDULE_RETRY_MAX;
	return delay_failed(s, r);
}

/* Tells how its plugin does; a failure only where the source did well before. */
static void
stream_blame(const struct stream *s, int well, const char *why)
{
	struct core *c = s->core;

	if (s->place != UINT32_MAX && !s->stopping && (well || c->runs[s->place].mark.ok > 0))
		(void)plugin_job(c, c->setup->sources[s->place].instance->plugin, well, why);
}

/* The mark of a source whose stream ended by itself. */
static void
mark_end(struct stream *s, uint32_t failed, int64_t asked, const char *why)
{
	struct mark *m = &s->core->runs[s->place].mark;
	int64_t now = date_now(), ms = delay_after(s, failed, asked);

	m->checked = now;
	m->due = failed == CR_GONE ? INT64_MAX : now + ms;
	m->not_before = failed == FAILED_RETRY && asked >= 0 ? m->due : 0;
	if (failed == 0) {
		m->ok = now;
		m->failures = 0;
	} else
		m->failures++;
	m->state = failed == 0 ? MARK_OK : failed == CR_GONE ? MARK_GONE : MARK_FAILING;
	xreplace((char **)(uintptr_t)&m->error, failed != 0 ? why : NULL);
	if (failed != 0)
		log_warn("%s: %s", s->name, why);
	if (failed == CR_GONE)
		log_info("%s: its stream is over for good", s->name);
	else
		log_info("%s: its stream begins again in %lld ms", s->name, (long long)ms);
}

/* failed: 0, enum cr_why, FAILED_RETRY. Frees it. */
static void
stream_end(struct stream *s, uint32_t failed, int64_t asked, const char *why)
{
	struct core *c = s->core;
	uint32_t place = s->place;
	int stopping = s->stopping;

	if (place != UINT32_MAX && !stopping)
		mark_end(s, failed, asked, why);
	else
		log_debug("%s: its stream has stopped", s->name);
	if (place != UINT32_MAX && stopping)
		c->runs[place].mark.due = date_now();
	stream_free(s);
	if (place == UINT32_MAX || c->streams->stopped)
		return;
	if (!stopping)
		run_touch(c, place);
	run_due(c, place);
	poll_due(c);
}

/* ---- Batches ---- */

/* The source is well: it brought records, or waits for them. */
static void
mark_well(struct stream *s, uint32_t records)
{
	struct run *r = &s->core->runs[s->place];
	struct mark *m = &r->mark;

	m->checked = m->ok = date_now();
	m->due = INT64_MAX;
	m->interval = s->core->setup->sources[s->place].every_min;
	m->not_before = 0;
	m->failures = m->status = 0;
	m->state = MARK_OK;
	m->found = records;
	xreplace((char **)(uintptr_t)&m->error, NULL);
	r->refused = s->refused;
	r->partial = 0;
}

static void
on_stored(struct core *c, const struct committed *cd, void *arg)
{
	struct stream *s = arg;

	(void)c;
	s->batch = 0;
	log_debug("%s: a batch of %u is stored, %u new, %u revised", s->name, s->records, cd->added,
	    cd->revised);
	if (s->worker == NULL)
		return;
	if (cd->bad || (cd->seen == 0 && s->records > 0)) {
		worker_kill(s->worker, "what it wrote is malformed, or not what it told");
		return;
	}
	if (s->records > 0)
		stream_blame(s, 1, NULL);
	worker_send(s->worker, MSG_W_STORED, NULL, outlet_next(&s->out));
}

/* Gives results, or none (-1), to store with the mark as it stands. */
static uint32_t
stream_commit(struct stream *s, int fd, intake_cb *done)
{
	static const struct mark none;
	const struct commit cm = { .source = s->id, .url = s->url, .when = date_now(),
		.flags = COMMIT_ASIDE | (s->place != UINT32_MAX ? COMMIT_LAST : 0) };

	return intake_put(s->core, &cm, s->place != UINT32_MAX ? &s->core->runs[s->place].mark :
	    &none, fd, done, s);
}

static void
on_batch(struct stream *s, const struct stream_batch *sb)
{
	const char *why = "it sent a batch before the last one was stored";
	int fd = s->batch != 0 ? -1 : outlet_take(&s->out, sb->out, STREAM_OUT, &why);

	if (fd == -1) {
		worker_kill(s->worker, why);
		return;
	}
	s->records = sb->records;
	s->refused += sb->refused;
	s->proven = 1;
	if (s->place != UINT32_MAX)
		mark_well(s, sb->records);
	s->batch = stream_commit(s, fd, on_stored);
}

/* One that works in runs may still fail: that it waits proves little, and not soon. */
static void
on_alive(struct stream *s)
{
	if (date_ticks() - s->began >= STEADY)
		stream_blame(s, 1, NULL);
	if (s->proven || s->place == UINT32_MAX)
		return;
	if (every(&s->core->setup->sources[s->place]) > 0 && date_ticks() - s->began < STEADY)
		return;
	s->proven = 1;
	mark_well(s, s->core->runs[s->place].mark.found);
	(void)stream_commit(s, -1, NULL);
}

/* ---- Its worker ---- */

static void
on_streamed(struct stream *s, const struct batch_done *d)
{
	struct worker *w = s->worker;
	struct buf why;

	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	if (why.len == 0)
		buf_str(&why, "the plugin failed without saying why");
	if (d->failed == 0 || d->failed == CR_BAD_DATA || d->failed == CR_BAD_OPTION)
		stream_blame(s, d->failed == 0, why.data);
	worker_owner(w, NULL);
	s->worker = NULL;
	worker_free_job(w);
	worker_stop(w);
	stream_end(s, d->failed, d->retry, why.data);
	buf_free(&why);
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct stream *s = arg;
	struct stream_batch sb;
	struct batch_done d;
	struct wire wire;

	worker_alive(w);
	wire_init(&wire, f->data, f->len);
	if (f->type == MSG_W_ALIVE) {
		on_alive(s);
		return;
	}
	if (f->type == MSG_W_BATCH) {
		wire_get(&wire, stream_batch, &sb);
		if (wire_end(&wire) == 0) {
			on_batch(s, &sb);
			return;
		}
	} else if (f->type == MSG_W_STREAMED) {
		wire_get(&wire, batch_done, &d);
		if (wire_end(&wire) == 0) {
			on_streamed(s, &d);
			return;
		}
	}
	worker_kill(w, "it sent a bad frame");
}

static void
on_death(struct worker *w, const char *why, void *arg)
{
	struct stream *s = arg;

	(void)w;
	s->worker = NULL;
	if (s->place != UINT32_MAX && s->core->runs[s->place].deaths > 0)
		stream_blame(s, 0, why);	/* it was tried once more */
	stream_end(s, CR_BAD_DATA, -1, why);
}

/* Gives it the job that lasts as long as it does. */
static void
give_job(struct stream *s, uint32_t grants, struct bytes state)
{
	const struct source *src = &s->core->setup->sources[s->place];
	struct stream_job sj = { .source = s->name, .url = s->url, .hash = s->hash,
		.state = state, .strip = src->strip };
	struct buf b, options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	setup_source_granted(src, grants, &options);
	sj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	outlet_open(&s->out);
	buf_init(&b, msg_limit(MSG_W_STREAM));
	wire_put(&b, stream_job, &sj);
	worker_job(s->worker, &stream_use, s, s->name, MSG_W_STREAM, &b, s->out.fd[0],
	    s->out.fd[1]);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	explicit_bzero(b.data, b.len);
	buf_free(&options);
	buf_free(&b);
}

static void
stream_run(struct stream *s, struct bytes state)
{
	const struct source *src = &s->core->setup->sources[s->place];
	uint32_t grants = setup_grants(s->core->setup, src->instance->plugin);

	s->worker = dedicated_start(s->core, WORKER_STREAM, src, s->id, grants);
	if (s->worker == NULL) {
		stream_end(s, CR_BAD_DATA, -1, "no worker can be started; the log says why");
		return;
	}
	worker_owner(s->worker, &s->worker);
	s->began = date_ticks();
	give_job(s, grants, state);
	log_debug("%s: its stream runs as worker %d", s->name, (int)worker_pid(s->worker));
}

/* ---- Beginning and stopping ---- */

void
stream_begin(struct core *c, uint32_t place)
{
	struct mark *m = &c->runs[place].mark;
	struct stream *s;
	char instance[32];
	struct buf b;

	if (c->streams->n >= STREAMS_MAX) {
		m->due = date_now() + FULL_WAIT;
		m->state = MARK_FAILING;
		xreplace((char **)(uintptr_t)&m->error, "too many streams run: it waits for its turn");
		run_due(c, place);
		return;
	}
	s = stream_new(c, place);
	snprintf(instance, sizeof(instance), "source:%u", s->id);
	buf_init(&b, msg_limit(MSG_STATE));
	wire_put_str(&b, instance);
	roles_send(c, ROLE_STORE, MSG_STATE, s->id, &b, -1);
	buf_free(&b);
}

void
stream_stated(struct core *c, struct frame *f)
{
	struct bytes state;
	struct stream *s;
	struct wire w;

	wire_init(&w, f->data, f->len);
	(void)wire_str(&w);
	state = wire_bytes(&w);
	if (wire_end(&w) == -1)
		fatal("store's STATED is malformed");
	TAILQ_FOREACH(s, &c->streams->all, entry)
		if (s->id == f->id && s->worker == NULL && s->place != UINT32_MAX && !s->stopping)
			break;
	if (s != NULL && !c->streams->stopped)
		stream_run(s, state);
}

/* Tells it to stop; one that has no worker yet is over at once. */
static void
stream_tell(struct stream *s)
{
	const struct timeval grace = { .tv_sec = GRACE_MS / 1000 };

	if (s->stopping)
		return;
	s->stopping = 1;
	if (s->worker == NULL) {
		stream_free(s);
		return;
	}
	evtimer_add(s->grace, &grace);
	worker_send(s->worker, MSG_STOP, NULL, -1);
}

void
stream_setup(struct core *c)
{
	struct stream *s, *next;
	const struct source *src;

	for (s = TAILQ_FIRST(&c->streams->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		src = s->place != UINT32_MAX ? &c->setup->sources[s->place] : NULL;
		if (src == NULL || src->hash != s->hash || src->instance->waiting != NULL ||
		    !source_streams(src))
			stream_tell(s);
	}
}

void
stream_store_gone(struct core *c)
{
	struct stream *s, *next;

	for (s = TAILQ_FIRST(&c->streams->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		if (s->worker != NULL)
			continue;
		if (s->place != UINT32_MAX)	/* asked again once store is back */
			c->runs[s->place].mark.due = date_now();
		stream_free(s);
	}
}

void
stream_stop(struct core *c)
{
	struct stream *s, *next;

	c->streams->stopped = 1;
	for (s = TAILQ_FIRST(&c->streams->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		stream_tell(s);
	}
}

int
stream_busy(const struct core *c)
{
	return !TAILQ_EMPTY(&c->streams->all);
}

/* Sources that bring records by their own means: one worker each, started when the source is due;
 * the batches on their way to store; and the delay before an ended stream starts again. */
#include "stream.h"
#include "forged.h"
#include "intake.h"
#include "quota.h"
#include "schedule.h"
#include "sources.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/versions.h"
#include "conf/setup_template.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/dedicated.h"
#include "daemon/supervise/memory.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <event2/event.h>

#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define GRACE_MS	3000		/* from MSG_STOP to a kill */
#define DELAY_MIN	INT64_C(1000)	/* ms before a dead stream starts again; doubles... */
#define DELAY_MAX	INT64_C(600000)
#define STEADY		INT64_C(60000)	/* ...unless the stream ran this long */
#define EVERY_MIN	INT64_C(60000)	/* DELAY_MIN with `every`, up to which it doubles */
#define AGAIN		INT64_C(10000)	/* after a stream without `every` ended well */
#define FULL_WAIT	INT64_C(60000)	/* when STREAMS_MAX run */

struct stream {
	TAILQ_ENTRY(stream)	 entry;
	struct core		*core;
	uint32_t		 place;		/* of its source; UINT32_MAX: not configured */
	uint32_t		 id;		/* store's */
	uint64_t		 hash;		/* of the source when it began */
	char			*name, *url;
	int64_t			 began;		/* ticks */
	struct worker		*worker;	/* NULL: waits for its state from store */
	struct event		*grace;
	struct outlet		 out;
	uint64_t		 written;	/* bytes of the last batch */
	int			 owed;		/* it is to be told that its batch is stored */
	uint32_t		 batch, records;	/* on the way to store; 0: none */
	uint32_t		 refused;
	int			 proven;	/* it emitted or waited: the mark says ok */
	int			 stopping;
};
struct streams {
	TAILQ_HEAD(, stream)	 all;
	size_t			 n;
	int			 stopped;	/* no stream begins any more */
};

static void	on_frame(struct worker *, struct frame *, void *);
static void	on_death(struct worker *, const char *, void *);
static void	streams_feed(struct core *);
static const struct worker_use stream_use = { on_frame, on_death };

void
stream_init(struct core *c)
{
	c->streams = xcalloc(1, sizeof(*c->streams));
	TAILQ_INIT(&c->streams->all);
	quota_tell(c, streams_feed);
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
	c->runs[place].at = &s->place;
	return s;
}

/* A batch on its way to store is stored all the same. */
static void
stream_free(struct stream *s)
{
	struct core *c = s->core;

	TAILQ_REMOVE(&c->streams->all, s, entry);
	c->streams->n--;
	if (s->place != UINT32_MAX) {
		c->runs[s->place].stream = NULL;
		c->runs[s->place].at = NULL;
	}
	intake_forget(c, s->batch);
	outlet_close(&s->out);
	event_free(s->grace);
	free(s->name);
	free(s->url);
	free(s);
	core_idle(c);
}

pid_t
stream_pid(const struct stream *s)
{
	return s->worker != NULL ? worker_pid(s->worker) : 0;
}

/* ---- Its end ---- */

/* The source's `every`, ms; 0: not configured. */
static int64_t
every(const struct source *src)
{
	return src->every_min == SCHEDULE_EVERY_MIN && src->every_max == SCHEDULE_EVERY_MAX ? 0 :
	    src->every_min;
}

/* The delay after a failure, ms. A stream with `every` works in runs, which may take long to
 * fail. */
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

/* The delay until the source's next stream, ms. */
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

/* Reports how the plugin does to its history; a failure only if the source once did well. */
static void
stream_blame(const struct stream *s, int well, const char *why)
{
	struct core *c = s->core;

	if (s->place != UINT32_MAX && !s->stopping && (well || c->runs[s->place].mark.ok > 0))
		(void)catalog_job(c->catalog, c->setup->sources[s->place].instance->plugin,
		    well ? JOB_WELL : JOB_FAILED, why);
}

/* Sets the mark of a source whose stream ended by itself. */
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

/* Ends and frees the stream. failed: 0, enum cr_why or FAILED_RETRY; asked: the plugin's delay,
 * ms. */
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
}

/* ---- Batches ---- */

/* Sets the mark of a source that is well: its stream brought records, or waits for them. */
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

/* Tells the stream that its batch is stored. One that is to bring no records now is not told, and
 * waits. */
static void
stream_feed(struct stream *s)
{
	if (!s->owed || s->worker == NULL ||
	    (!s->stopping && s->place != UINT32_MAX && quota_waits(s->core, s->place)))
		return;
	s->owed = 0;
	worker_send(s->worker, MSG_W_STORED, NULL, outlet_next(&s->out));
}

static void
streams_feed(struct core *c)
{
	struct stream *s;

	TAILQ_FOREACH(s, &c->streams->all, entry)
		stream_feed(s);
}

static void
on_stored(struct core *c, const struct committed *cd, void *arg)
{
	struct stream *s = arg;

	s->batch = 0;
	if (s->place != UINT32_MAX)
		quota_count(c, s->place, cd, s->written);
	log_debug("%s: a batch of %u is stored, %u new, %u revised", s->name, s->records, cd->added,
	    cd->revised);
	if (cd->bad || forged_count(cd, s->records, 1)) {
		forged_whole(c, s->place, cd);
		if (s->worker != NULL)
			worker_kill(s->worker, "what it wrote is malformed, or not what it told");
		return;
	}
	forged_take(c, s->place, cd);
	if (s->worker == NULL)
		return;
	if (s->records > 0 && cd->refused == 0)
		stream_blame(s, 1, NULL);
	s->owed = 1;
	stream_feed(s);
}

/* Has store commit results (fd; -1: none) and the source's current mark. */
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
	const char *why = s->batch != 0 ? "it sent a batch before the last one was stored" :
	    "it told of more records than a batch has";
	int fd = s->batch != 0 || sb->records > STREAM_RECORDS ? -1 :
	    outlet_take(&s->out, sb->out, STREAM_OUT, &why);

	if (fd == -1) {
		worker_kill(s->worker, why);
		return;
	}
	s->records = sb->records;
	s->written = sb->out;
	s->refused += sb->refused;
	s->proven = 1;
	if (s->place != UINT32_MAX)
		mark_well(s, sb->records);
	s->batch = stream_commit(s, fd, on_stored);
}

/* The stream waited. A stream with `every` works in runs and may still fail: waiting proves that it
 * is well only after STEADY. */
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

	worker_alive(w);
	if (f->type == MSG_W_ALIVE) {
		on_alive(s);
		return;
	}
	if (f->type == MSG_W_BATCH) {
		if (wire_whole(f->data, f->len, stream_batch, &sb) == 0) {
			on_batch(s, &sb);
			return;
		}
	} else if (f->type == MSG_W_STREAMED) {
		if (wire_whole(f->data, f->len, batch_done, &d) == 0) {
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
		stream_blame(s, 0, why);	/* not for the first death */
	stream_end(s, CR_BAD_DATA, -1, why);
}

/* Gives the worker its only job, which lasts as long as the worker. */
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

/* The stream cannot begin now; it tries again after so many ms. */
static void
stream_wait(struct core *c, uint32_t place, int64_t ms, const char *why)
{
	struct mark *m = &c->runs[place].mark;

	m->due = date_now() + ms;
	m->state = MARK_FAILING;
	xreplace((char **)(uintptr_t)&m->error, why);
	run_due(c, place);
}

/* 0; -1: too many run, or they hold too much memory: it waits. */
static int
stream_room(struct core *c, uint32_t place)
{
	struct buf why;

	if (c->streams->n >= STREAMS_MAX) {
		stream_wait(c, place, FULL_WAIT, "too many streams run: it waits for its turn");
		return -1;
	}
	if (!memory_full(c))
		return 0;
	buf_init(&why, REASON_MAX);
	memory_why(c, &why);
	stream_wait(c, place, MEMORY_AGAIN, why.data);
	buf_free(&why);
	return -1;
}

void
stream_begin(struct core *c, uint32_t place)
{
	struct stream *s;
	struct state_ask q = { .owner = STATE_STREAM };
	char instance[32];
	struct buf b;

	if (stream_room(c, place) == -1)
		return;
	s = stream_new(c, place);
	snprintf(instance, sizeof(instance), "source:%u", s->id);
	buf_init(&b, msg_limit(MSG_STATE));
	q.instance = instance;
	wire_put(&b, state_ask, &q);
	roles_send(c, ROLE_STORE, MSG_STATE, s->id, &b, -1);
	buf_free(&b);
}

void
stream_stated(struct core *c, uint32_t id, struct bytes state)
{
	struct stream *s;

	TAILQ_FOREACH(s, &c->streams->all, entry)
		if (s->id == id && s->worker == NULL && s->place != UINT32_MAX && !s->stopping)
			break;
	if (s != NULL && !c->streams->stopped)
		stream_run(s, state);
}

/* Asks the stream to stop; a stream without a worker ends at once. */
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
	stream_feed(s);			/* it may wait for that alone */
	worker_send(s->worker, MSG_STOP, NULL, -1);
}

void
stream_setup(struct core *c, const struct setup *old)
{
	struct stream *s, *next;
	const struct source *src;

	(void)old;
	for (s = TAILQ_FIRST(&c->streams->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		src = s->place != UINT32_MAX ? &c->setup->sources[s->place] : NULL;
		if (src == NULL || src->hash != s->hash || src->instance->waiting != NULL ||
		    !source_streams(src))
			stream_tell(s);
	}
}

void
stream_gone(struct core *c, enum role_id id)
{
	struct stream *s, *next;

	if (id != ROLE_STORE)
		return;
	for (s = TAILQ_FIRST(&c->streams->all); s != NULL; s = next) {
		next = TAILQ_NEXT(s, entry);
		if (s->worker != NULL)
			continue;
		if (s->place != UINT32_MAX)	/* begins again once store is back */
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

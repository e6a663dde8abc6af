/* A source's way from due to committed: fetch, parse in a worker, store. */
#include "core.h"
#include "date.h"
#include "due.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "result.h"
#include "schedule.h"
#include "url.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define HEADERS_MAX	16384		/* bytes of a request's own headers */
#define VALIDATOR_MAX	1024		/* bytes of an ETag or a date that we keep */
#define WAIT_MAX	60000		/* ms: the clock may be turned meanwhile */
#define STALLED		1000		/* ms until what found no worker, or no place, tries again */
#define TURN_MS		20		/* of polls begun at once, before others get their turn */
#define CLOCK_BACK	5000		/* ms: a wall clock put back by less is nobody's mistake */
#define SLOTS		JOBS_MAX	/* a power of two: an id is generation and slot */

enum job_state { JOB_FETCH, JOB_QUEUED, JOB_PARSE, JOB_COMMIT };

/* What waits for a worker, by what is known of it: those that went well do not wait for a plugin
 * that hangs, and what killed a worker has half of them at most. */
enum line { LINE_GOOD, LINE_OTHER, LINE_AGAIN, LINES };
#define OTHERS_TURN	4		/* of so many one is not of the good ones, if any is there */

/* One poll of one source. */
struct job {
	STAILQ_ENTRY(job)	 queued;
	struct core		*core;
	uint32_t		 source;	/* place; UINT32_MAX: it is no longer configured */
	uint32_t		 id;
	uint64_t		 hash;		/* of the source when the poll began */
	enum job_state		 state;
	enum line		 line;		/* where it waited, or waits */
	pid_t			 asked;		/* fetch role that has it */
	int			 tries;		/* fetch roles, then workers, that it was given to */
	struct buf		 answer;	/* struct fetch_done, encoded */
	int			 body, out;	/* memfds; -1 */
	uint64_t		 bytes;		/* of the body */
	struct worker		*worker;
	struct outcome		 outcome;
	char			*error;		/* of the outcome, or of a partial document */
	int			 partial;
	int			 again;		/* the operator asked while it was under way */
};
STAILQ_HEAD(queue, job);

struct jobs {
	struct job	*slot[SLOTS];
	uint32_t	 generation, next;
	size_t		 n, nqueued;
	uint64_t	 bytes;			/* of the documents in the queue */
	struct queue	 line[LINES];		/* fetched, waiting for a worker */
	unsigned	 turn, suspects;	/* picks; those of LINE_AGAIN with a worker */
	struct event	*wake;
	int		 beginning;		/* within poll_due() */
	int64_t		 ahead;			/* wall clock over ticks when it was last looked at */
};

static void	begin_parse(struct job *);
static void	job_ask(struct job *);

static struct job *
job_new(struct core *c, uint32_t source)
{
	struct jobs *js = c->jobs;
	struct job *j;

	while (js->slot[js->next % SLOTS] != NULL)
		js->next++;
	j = xcalloc(1, sizeof(*j));
	j->core = c;
	j->source = source;
	j->hash = c->setup->sources[source].hash;
	j->id = (js->generation++ * SLOTS) | (js->next % SLOTS);
	j->body = j->out = -1;
	buf_init(&j->answer, msg_limit(MSG_FETCHED) + 1);
	js->slot[js->next++ % SLOTS] = j;
	js->n++;
	c->runs[source].job = j;
	return j;
}

static struct job *
job_find(struct core *c, uint32_t id)
{
	struct job *j = c->jobs->slot[id % SLOTS];

	return j != NULL && j->id == id ? j : NULL;
}

static void
job_close(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
job_queue(struct job *j)
{
	struct jobs *js = j->core->jobs;
	const struct mark *m = &j->core->runs[j->source].mark;

	j->state = JOB_QUEUED;
	j->line = j->tries > 0 ? LINE_AGAIN : m->ok > 0 && m->failures == 0 ? LINE_GOOD :
	    LINE_OTHER;
	STAILQ_INSERT_TAIL(&js->line[j->line], j, queued);
	js->nqueued++;
	js->bytes += j->bytes;
}

static void
job_unqueue(struct job *j, enum job_state state)
{
	struct jobs *js = j->core->jobs;

	STAILQ_REMOVE(&js->line[j->line], j, job, queued);
	js->nqueued--;
	js->bytes -= j->bytes;
	j->state = state;
}

static void
job_free(struct job *j)
{
	struct core *c = j->core;
	struct mark *m;

	if (j->state == JOB_QUEUED)
		job_unqueue(j, JOB_FETCH);
	if (j->source != UINT32_MAX)
		c->runs[j->source].job = NULL;
	c->jobs->slot[j->id % SLOTS] = NULL;
	c->jobs->n--;
	job_close(&j->body);
	job_close(&j->out);
	buf_free(&j->answer);
	free(j->error);
	if (j->source != UINT32_MAX) {
		m = &c->runs[j->source].mark;
		if (j->again)
			m->due = m->not_before > date_now() ? m->not_before : date_now();
		run_due(c, j->source);
	}
	free(j);
}

void
job_place(struct job *j, uint32_t place)
{
	j->source = place;
}

static struct fetch_done
job_answer(const struct job *j)
{
	struct fetch_done d;
	struct wire w;

	wire_init(&w, j->answer.data, j->answer.len);
	wire_get(&w, fetch_done, &d);
	if (wire_end(&w) == -1)
		fatal("an answer of fetch is malformed");
	return d;
}

/* Whether the source is still what it was when the poll began (DESIGN law 10). */
static int
job_current(const struct job *j)
{
	return j->source != UINT32_MAX && j->core->setup->sources[j->source].hash == j->hash;
}

/* Moves the mark by what happened, and plans the next poll. */
static void
move(struct job *j, int64_t now)
{
	struct core *c = j->core;
	const struct source *s = &c->setup->sources[j->source];
	const struct schedule_rule rule = { s->every_min, s->every_max };
	struct mark *m = &c->runs[j->source].mark;

	j->outcome.random = run_chance();
	j->outcome.error = j->error;
	schedule_move(m, &rule, &j->outcome, now);
	xreplace((char **)(uintptr_t)&m->error, j->error);
	c->runs[j->source].partial = (uint32_t)j->partial;
}

/* The source was made another by a reload while it was polled: it is polled anew. */
static void
changed(struct job *j)
{
	struct run *r = &j->core->runs[j->source];

	r->changed = 0;
	mark_unproven(&r->mark);
}

/* Ends a poll that brought nothing to store. */
static void
job_end(struct job *j, int kind, const char *error)
{
	struct core *c = j->core;

	if (j->source == UINT32_MAX) {
		job_free(j);
		return;
	}
	if (!job_current(j)) {
		kind = OUTCOME_DROPPED;
		error = NULL;
		changed(j);
	}
	j->outcome.kind = kind;
	xreplace(&j->error, error);
	move(j, date_now());
	if (error != NULL)
		log_warn("%s: %s", c->setup->sources[j->source].name, error);
	if (kind == OUTCOME_SAME)
		c->same++;
	else if (kind != OUTCOME_DROPPED)
		c->failed++;
	run_touch(c, j->source);
	job_free(j);
	poll_due(c);
}

/* ---- fetch ---- */

static int
is_file(const char *url)
{
	return strncmp(url, "file:", 5) == 0;
}

/* "CONFIGURED MOVED" in mark.moved: the second holds while the first is what is configured. */
static const char *
moved_to(const struct run *r, const struct source *s)
{
	size_t n = strlen(s->url);
	const char *m = r->mark.moved;

	return m != NULL && strncmp(m, s->url, n) == 0 && m[n] == ' ' ? m + n + 1 : NULL;
}

static void
answer_locally(struct job *j, const struct fetch_job *fj)
{
	struct fetch_done d;
	int fd[CHAN_FDS] = { -1, -1 };
	struct frame f = { .fd = fd, .id = j->id };
	struct buf own, b;

	buf_init(&own, 8192);
	buf_init(&b, msg_limit(MSG_FETCHED));
	fd[0] = local_fetch(j->core->setup, fj, &d, &own);
	wire_put(&b, fetch_done, &d);
	f.data = b.data;
	f.len = b.len;
	poll_fetched(j->core, &f);
	job_close(&fd[0]);
	buf_free(&own);
	buf_free(&b);
}

/* What a mark keeps of a URL: with stand-ins for secrets, as text of the source's own. */
static void
mark_url(const char **to, const struct source *s, const char *url)
{
	struct buf b;

	buf_init(&b, 2 * URL_MAX);
	if (url != NULL)
		setup_conceal(s->instance, url, &b);
	xreplace((char **)(uintptr_t)to, url != NULL ? b.data : NULL);
	buf_free(&b);
}

/* The request: URL and headers with the secrets filled in, which follow to no other address. */
static void
fill_request(const struct job *j, const char *moved, struct buf *url, struct buf *headers,
    struct buf *validated)
{
	const struct source *s = &j->core->setup->sources[j->source];
	const char *known = j->core->runs[j->source].mark.validated;

	setup_source_request(s, url, headers);
	if (moved != NULL) {
		buf_clear(url);
		buf_str(url, moved);
	}
	if (known != NULL)
		setup_reveal(s->instance, known, validated);
}

/* Has the page fetched: by the role, or here when it is a file. */
static void
job_ask(struct job *j)
{
	struct core *c = j->core;
	const struct source *s = &c->setup->sources[j->source];
	const struct run *r = &c->runs[j->source];
	struct buf b, url, headers, validated;
	struct fetch_job fj = { .source = s->name, .etag = r->mark.etag,
		.modified = r->mark.modified, .max = c->setup->max_body,
		.timeout = c->setup->fetch_timeout };

	buf_init(&url, 2 * URL_MAX);
	buf_init(&validated, 2 * URL_MAX);
	buf_init(&headers, HEADERS_MAX);
	fill_request(j, moved_to(r, s), &url, &headers, &validated);
	fj.url = url.data != NULL ? url.data : "";
	fj.headers = headers.data;
	fj.validated = validated.data;
	log_debug("%s: fetches %s as job %u", s->name, s->url, j->id);
	if (is_file(fj.url)) {
		answer_locally(j, &fj);
	} else {
		buf_init(&b, msg_limit(MSG_FETCH));
		wire_put(&b, fetch_job, &fj);
		j->asked = c->role[ROLE_FETCH].pid;
		j->tries += j->asked != 0;	/* while it is away nobody can die of it */
		roles_send(c, ROLE_FETCH, MSG_FETCH, j->id, &b, -1);
		buf_free(&b);
	}
	buf_free(&url);
	buf_free(&headers);
	buf_free(&validated);
}

void
poll_fetch_back(struct core *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct job *j = c->jobs->slot[i];

		if (j == NULL || j->state != JOB_FETCH || j->asked == c->role[ROLE_FETCH].pid)
			continue;
		if (j->source == UINT32_MAX)
			job_free(j);
		else if (!job_current(j) || roles_full(c, ROLE_FETCH))
			job_end(j, OUTCOME_DROPPED, NULL);
		else if (j->tries < FETCH_TRIES)
			job_ask(j);
		else
			job_end(j, OUTCOME_ERROR, "the fetch role died of it twice");
	}
	poll_due(c);
}

/* What an answer without a document means for the schedule. */
static int
answer_kind(const struct fetch_done *d)
{
	if (d->why == FETCH_OK)
		return OUTCOME_SAME;
	if (d->why == FETCH_STATUS && d->status == 410)
		return OUTCOME_GONE;
	if (d->why == FETCH_STATUS && (d->status == 429 || d->status == 503))
		return OUTCOME_SLOW;
	return OUTCOME_ERROR;
}

/* A 304 may carry new validators (RFC 9110 15.4.5). */
static void
take_validators(struct mark *m, const struct source *s, const struct fetch_done *d)
{
	if ((d->etag != NULL && strlen(d->etag) > VALIDATOR_MAX) ||
	    (d->modified != NULL && strlen(d->modified) > VALIDATOR_MAX))
		return;
	if (d->status == 304 && d->etag == NULL && d->modified == NULL)
		return;
	if (d->status != 304 || d->etag != NULL)
		xreplace((char **)(uintptr_t)&m->etag, d->etag);
	if (d->status != 304 || d->modified != NULL)
		xreplace((char **)(uintptr_t)&m->modified, d->modified);
	mark_url(&m->validated, s, d->url);
}

static void
take_move(struct core *c, uint32_t source, const struct fetch_done *d)
{
	const struct source *s = &c->setup->sources[source];
	struct mark *m = &c->runs[source].mark;

	if (d->why != FETCH_OK && moved_to(&c->runs[source], s) != NULL) {
		log_info("%s: the address it moved to fails; back to %s", s->name, s->url);
		xreplace((char **)(uintptr_t)&m->moved, NULL);
	} else if (d->why == FETCH_OK && d->moved != NULL && s->instance->nsecrets == 0) {
		free((char *)(uintptr_t)m->moved);
		m->moved = xasprintf("%s %s", s->url, d->moved);
		log_info("%s: moved for good to %s: please change its url", s->name, d->moved);
	}
}

void
poll_fetched(struct core *c, struct frame *f)
{
	struct job *j = job_find(c, f->id);
	struct fetch_done d;

	if (j == NULL || j->state != JOB_FETCH)
		return;			/* its source is gone */
	if (j->source == UINT32_MAX) {
		job_free(j);
		poll_due(c);
		return;
	}
	c->runs[j->source].tried = date_ticks();
	buf_clear(&j->answer);
	buf_add(&j->answer, f->data, f->len);
	d = job_answer(j);
	log_debug("%s: job %u fetched, status %u", c->setup->sources[j->source].name, j->id,
	    d.status);
	c->runs[j->source].mark.status = d.status;
	j->outcome.retry_after = d.retry_after;
	j->outcome.max_age = d.max_age;
	take_move(c, j->source, &d);
	if (d.why != FETCH_OK || f->fd[0] == -1 || !job_current(j)) {
		if (d.why == FETCH_OK && job_current(j))
			take_validators(&c->runs[j->source].mark, &c->setup->sources[j->source], &d);
		job_end(j, answer_kind(&d), d.why == FETCH_OK ? NULL : d.error);
		return;
	}
	j->body = f->fd[0];
	f->fd[0] = -1;
	j->bytes = d.len;
	j->tries = 0;
	job_queue(j);
	c->fetched++;
	poll_parse(c);
}

/* ---- parse ---- */

static void	on_parsed(struct worker *, struct frame *, void *);
static void	on_parse_death(struct worker *, const char *, void *);
static const struct worker_use parse_use = { on_parsed, on_parse_death };

/* Whose turn it is; NULL: nobody's. */
static struct job *
line_next(struct core *c)
{
	struct jobs *js = c->jobs;
	unsigned first = js->turn % OTHERS_TURN == 0 ? LINE_OTHER : LINE_GOOD;

	for (unsigned i = 0; i < LINES; i++) {
		unsigned line = (first + i) % LINES;

		if (line == LINE_AGAIN && js->suspects > 0 &&
		    js->suspects >= c->setup->workers / 2)
			continue;
		if (!STAILQ_EMPTY(&js->line[line]))
			return STAILQ_FIRST(&js->line[line]);
	}
	return NULL;
}

/* Gives waiting documents to workers while there are any. */
void
poll_parse(struct core *c)
{
	struct job *j;

	while ((j = line_next(c)) != NULL) {
		const struct plugin *p;

		if (!job_current(j)) {
			job_end(j, OUTCOME_DROPPED, NULL);
			continue;
		}
		p = c->setup->sources[j->source].instance->plugin;
		j->worker = pool_parse(c, p, j->tries > 0);
		if (j->worker == NULL)
			return;
		begin_parse(j);
	}
}

static void
begin_parse(struct job *j)
{
	struct core *c = j->core;
	const struct source *s = &c->setup->sources[j->source];
	const struct fetch_done d = job_answer(j);
	struct parse_job pj = { .source = s->name, .type = d.type, .charset = d.charset, .tag = "",
		.now = date_now(), .len = d.len, .hash = s->hash };
	struct buf options, url, headers, b;

	job_unqueue(j, JOB_PARSE);
	c->jobs->turn++;
	c->jobs->suspects += j->line == LINE_AGAIN;
	j->tries++;
	job_close(&j->out);
	j->out = result_fd(NULL, 0);
	if (j->out == -1)
		fatal("no memory file for results: %s", strerror(errno));
	pj.when = pj.now;
	buf_init(&options, OPTION_SET_MAX);
	setup_source_options(s, &options);
	pj.options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	pj.state = (struct bytes){ "", 0 };
	buf_init(&url, msg_limit(MSG_FETCHED));
	buf_init(&headers, msg_limit(MSG_FETCHED));
	setup_conceal(s->instance, d.url, &url);
	setup_conceal(s->instance, d.headers, &headers);
	pj.url = url.data != NULL ? url.data : "";
	pj.headers = headers.data != NULL ? headers.data : "";
	buf_init(&b, msg_limit(MSG_W_PARSE));
	wire_put(&b, parse_job, &pj);
	worker_job(j->worker, &parse_use, j, s->name, MSG_W_PARSE, &b, j->body, j->out);
	buf_free(&options);
	buf_free(&url);
	buf_free(&headers);
	buf_free(&b);
}

static void
on_parse_death(struct worker *w, const char *why, void *arg)
{
	struct job *j = arg;
	struct core *c = j->core;
	char *text;

	(void)w;
	j->worker = NULL;
	c->jobs->suspects -= j->line == LINE_AGAIN;
	if (j->source == UINT32_MAX || !job_current(j)) {
		job_end(j, OUTCOME_DROPPED, NULL);
	} else if (j->tries < WORKER_TRIES) {
		log_info("%s: tried once more in a fresh worker", c->setup->sources[j->source].name);
		job_queue(j);
	} else {
		text = xasprintf("parked: %d workers died of its document: %s", WORKER_TRIES, why);
		job_end(j, OUTCOME_PARKED, text);
		free(text);
	}
	poll_parse(c);
}

/* What a plugin's failure means for the schedule. */
static int
failure_kind(uint32_t failed)
{
	switch (failed) {
	case 0:
		return OUTCOME_SAME;
	case FAILED_RETRY:
		return OUTCOME_RETRY;
	case CR_GONE:
		return OUTCOME_GONE;
	default:
		return OUTCOME_ERROR;
	}
}

/* Takes what the plugin said of the document. */
static void
take_parsed(struct job *j, const struct parse_done *pd)
{
	struct run *r = &j->core->runs[j->source];
	const char *said = pd->failed != 0 ? pd->error : pd->partial;
	struct buf text;

	j->outcome.kind = failure_kind(pd->failed);
	if (!is_file(j->core->setup->sources[j->source].url)) {	/* a file is nobody's burden */
		j->outcome.ttl = pd->ttl;
		j->outcome.skip_hours = pd->skip_hours;
		j->outcome.skip_days = pd->skip_days;
	}
	if (pd->failed == FAILED_RETRY && pd->retry >= 0)
		j->outcome.retry_after = pd->retry < SCHEDULE_RETRY_MAX ? pd->retry :
		    SCHEDULE_RETRY_MAX;
	j->partial = pd->failed == 0 && pd->partial != NULL;
	buf_init(&text, 4 * REASON_MAX);
	if (said != NULL)
		worker_text(&text, said);
	if (pd->failed != 0 && text.len == 0)
		buf_str(&text, "the plugin failed without saying why");
	xreplace(&j->error, text.len > 0 ? text.data : NULL);
	buf_free(&text);
	r->refused = pd->refused;
	r->mark.found = pd->records;
}

/* Hands the results to store together with the mark as it will stand. */
static void
job_commit(struct job *j)
{
	struct core *c = j->core;
	struct run *r = &c->runs[j->source];
	const struct fetch_done d = job_answer(j);
	const struct source *s = &c->setup->sources[j->source];
	const struct commit cm = { .source = r->id, .url = s->url, .when = date_now(),
		.flags = COMMIT_LAST | (j->outcome.kind == OUTCOME_SAME ? 0 : COMMIT_FAILED) };
	struct buf b;

	if (j->outcome.kind == OUTCOME_SAME) {
		if (j->partial)
			mark_unproven(&r->mark);
		else
			take_validators(&r->mark, s, &d);
	}
	move(j, cm.when);
	if (j->error != NULL)
		log_warn("%s: %s", s->name, j->error);
	buf_init(&b, msg_limit(MSG_COMMIT));
	wire_put(&b, commit, &cm);
	wire_put(&b, mark, &r->mark);
	j->state = JOB_COMMIT;
	log_debug("%s: job %u commits", s->name, j->id);
	roles_send(c, ROLE_STORE, MSG_COMMIT, j->id, &b, j->out);
	buf_free(&b);
	buf_free(&j->answer);
	job_close(&j->body);
	job_close(&j->out);
}

static void
on_parsed(struct worker *w, struct frame *f, void *arg)
{
	struct job *j = arg;
	struct core *c = j->core;
	struct parse_done pd;
	struct wire wire;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, parse_done, &pd);
	if (f->type != MSG_W_PARSED || wire_end(&wire) == -1) {
		worker_kill(w, "it sent a bad frame");
		return;
	}
	if (lseek(j->out, 0, SEEK_END) != (off_t)pd.out) {
		worker_kill(w, "it told of other results than it wrote");
		return;
	}
	if (result_seal(j->out) == -1) {
		worker_kill(w, "it keeps its results open for writing");
		return;
	}
	j->worker = NULL;
	c->jobs->suspects -= j->line == LINE_AGAIN;
	worker_free_job(w);
	if (!job_current(j)) {
		job_end(j, OUTCOME_DROPPED, NULL);
	} else {
		take_parsed(j, &pd);
		if (c->known)
			job_commit(j);
		else		/* store is away: fetched again once it is back */
			job_end(j, OUTCOME_DROPPED, NULL);
	}
	poll_parse(c);
	poll_due(c);
}

/* ---- commit ---- */

void
poll_committed(struct core *c, struct frame *f)
{
	struct job *j = job_find(c, f->id);
	struct committed cd;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, committed, &cd);
	if (wire_end(&w) == -1)
		fatal("store's COMMITTED is malformed");
	if (cd.head > c->head)
		deliver_head(c, cd.head);
	if (j == NULL || j->state != JOB_COMMIT)
		return;
	if (j->source != UINT32_MAX &&
	    (cd.bad || (cd.seen == 0 && c->runs[j->source].mark.found > 0))) {
		mark_unproven(&c->runs[j->source].mark);
		job_end(j, OUTCOME_PARKED,
		    "parked: what its plugin wrote is malformed, or not what it told");
		return;
	}
	if (j->source != UINT32_MAX) {
		log_debug("%s: job %u committed, %u seen, %u new, %u revised",
		    c->setup->sources[j->source].name, j->id, cd.seen, cd.added, cd.revised);
		if (!job_current(j)) {
			changed(j);
			j->again = 1;
			run_touch(c, j->source);
		} else if (cd.added > 0 && j->outcome.kind == OUTCOME_SAME) {
			j->outcome.kind = OUTCOME_NEW;
			move(j, date_now());
			run_touch(c, j->source);
		}
	}
	c->polls++;
	job_free(j);
	poll_due(c);
}

void
poll_store_gone(struct core *c)
{
	for (size_t i = 0; i < SLOTS; i++) {
		struct job *j = c->jobs->slot[i];

		if (j == NULL || j->state != JOB_COMMIT)
			continue;
		if (j->source != UINT32_MAX)	/* as the database has it, once it is back */
			c->runs[j->source].mark.due = 0;
		j->again = 0;		/* it is due by itself: the mark here is not to be kept */
		job_free(j);
	}
	due_clear(c);
}

/* ---- begin ---- */

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	poll_parse(arg);
	poll_due(arg);
}

static void
wake_in(struct core *c, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	if (ms > WAIT_MAX)
		ms = WAIT_MAX;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(c->jobs->wake, &tv);
}

/* A wall clock that was put back takes the times that wait with it, or all would wait as long. */
static void
follow_clock(struct core *c)
{
	int64_t ahead = date_now() - date_ticks(), back = c->jobs->ahead - ahead;

	c->jobs->ahead = ahead;
	if (back < CLOCK_BACK)
		return;
	log_warn("the clock was put back by %lld s: so are the polls", (long long)back / 1000);
	for (uint32_t i = 0; i < c->setup->nsources; i++) {
		struct mark *m = &c->runs[i].mark;

		if (m->due > back && m->due < INT64_MAX)
			m->due -= back;
		if (m->not_before > back)
			m->not_before -= back;
	}
	for (uint32_t i = 0; i < c->setup->nsources; i++)
		if (c->runs[i].place != UINT32_MAX)
			due_set(c, i);
}

/* Whether no more polls are to begin for now. */
static int
jobs_full(const struct core *c)
{
	const struct jobs *js = c->jobs;

	return js->n >= JOBS_MAX || js->nqueued >= PARSE_QUEUE_MAX || js->bytes >= QUEUE_BYTES ||
	    roles_full(c, ROLE_FETCH);
}

/* A poll that ends at once, as that of a file may, comes back here: it is left to the loop below. */
void
poll_due(struct core *c)
{
	int64_t now, begun = date_ticks(), wait = WAIT_MAX;
	uint32_t place;

	if (!c->known || c->stopping || c->jobs->beginning)
		return;
	c->jobs->beginning = 1;
	follow_clock(c);
	now = date_now();
	while ((place = due_first(c)) != UINT32_MAX && c->runs[place].mark.due <= now) {
		if (jobs_full(c)) {	/* goes on when a poll ends, too */
			wait = STALLED;
			break;
		}
		if (date_ticks() - begun >= TURN_MS) {
			wait = 0;
			break;
		}
		due_remove(c, place);
		job_ask(job_new(c, place));
	}
	c->jobs->beginning = 0;
	if (place != UINT32_MAX && c->runs[place].mark.due > now)
		wait = c->runs[place].mark.due - now;
	if (c->jobs->nqueued > 0 && wait > STALLED)
		wait = STALLED;
	wake_in(c, wait);
}

int
poll_now(struct core *c, const char *source, struct buf *why)
{
	int64_t now = date_now();
	size_t i;

	for (i = 0; i < c->setup->nsources; i++)
		if (strcmp(c->setup->sources[i].name, source) == 0)
			break;
	if (i == c->setup->nsources)
		buf_fmt(why, "there is no source %s\n", source);
	else if (c->setup->sources[i].instance->waiting != NULL)
		buf_fmt(why, "%s\n", c->setup->sources[i].instance->waiting);
	else if (!c->known)
		buf_fmt(why, "the store role is away; try again\n");
	else if (c->runs[i].mark.not_before > now)
		buf_fmt(why, "%s: its server asked to wait for %lld s more\n", source,
		    (long long)(c->runs[i].mark.not_before - now) / 1000);
	else if (c->runs[i].job != NULL) {
		c->runs[i].job->again = 1;
		buf_fmt(why, "%s is being polled, and will be once more after that\n", source);
		return 0;
	} else {
		c->runs[i].mark.due = now;
		due_set(c, (uint32_t)i);
		poll_due(c);
		return 0;
	}
	return -1;
}

/* ---- set-up ---- */

void
poll_init(struct core *c)
{
	c->jobs = xcalloc(1, sizeof(*c->jobs));
	for (int i = 0; i < LINES; i++)
		STAILQ_INIT(&c->jobs->line[i]);
	c->jobs->wake = evtimer_new(c->base, on_due, c);
	if (c->jobs->wake == NULL)
		fatal("no timer for the polls");
}

/* What a poll asks for: its source's own url, or a page owed, with secrets where they may go; and what
 * comes of it. */
#include "job.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "request.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX	(64u << 10)	/* bytes of a request's own headers */
#define VALIDATOR_MAX	1024		/* bytes of an ETag or a date that we keep */

/* A request with its secrets filled in: for fetch alone. */
struct asked {
	struct buf	 url, headers, validated, veil;
};

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

static void
asked_init(struct asked *a)
{
	buf_init(&a->url, 4 * URL_MAX);
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->validated, 4 * URL_MAX);
	buf_init(&a->veil, msg_limit(MSG_FETCH));
}

static void
asked_free(struct asked *a)
{
	struct buf *all[] = { &a->url, &a->headers, &a->validated, &a->veil };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->data != NULL)
			explicit_bzero(all[i]->data, all[i]->len);
		buf_free(all[i]);
	}
}

/* What is said of a request, for people: a redirect may repeat a secret. */
static void
said(const struct source *s, const char *text, struct buf *b)
{
	struct buf kept;

	buf_init(&kept, 4 * URL_MAX);
	setup_keep(s->instance, text, &kept);
	if (kept.data != NULL)
		setup_show(kept.data, b);
	buf_free(&kept);
}

void
page_name(const struct job *j, struct buf *b)
{
	const struct owed_page o = job_page(j);

	setup_show(o.page != 0 ? o.url : job_source(j)->url, b);
}

/* ---- Asking ---- */

/* The source's own url, or where it moved to, which a secret does not follow to. */
static void
ask_own(const struct job *j, struct asked *a)
{
	const struct source *s = job_source(j);
	const struct run *r = job_run(j);
	const char *moved = moved_to(r, s);

	setup_source_request(s, &a->url, &a->headers);
	if (moved != NULL && s->instance->nsecrets == 0) {
		buf_clear(&a->url);
		buf_str(&a->url, moved);
	}
	if (r->mark.validated != NULL && (r->kept & KEPT_BROKEN) == 0 &&
	    setup_unkeep(s->instance, r->mark.validated, 1, &a->validated) == -1)
		buf_clear(&a->validated);
}

void
page_ask(struct job *j)
{
	struct core *c = j->core;
	const struct source *s = job_source(j);
	const struct run *r = job_run(j);
	const struct owed_page o = job_page(j);
	struct fetch_job fj = { .source = s->name, .max = c->setup->max_body,
		.timeout = c->setup->fetch_timeout, .body = { "", 0 }, .veil = { "", 0 } };
	const char *why = NULL;
	struct asked a;
	struct buf b;

	asked_init(&a);
	buf_init(&b, msg_limit(MSG_FETCH));
	page_name(j, &b);
	log_debug("%s: fetches %s as job %u", s->name, b.data != NULL ? b.data : "", j->id);
	buf_clear(&b);
	j->state = JOB_FETCH;
	if (o.page != 0) {
		why = request_page(s, o.url, o.headers, &a.url, &a.headers);
		fj.method = o.method != NULL ? o.method : o.body.len > 0 ? "POST" : NULL;
		fj.body = o.body;
	} else {
		ask_own(j, &a);
		fj.validated = a.validated.data;
		fj.etag = r->mark.etag;
		fj.modified = r->mark.modified;
	}
	fj.url = a.url.data != NULL ? a.url.data : "";
	fj.headers = a.headers.data;
	setup_veil(s->instance, &a.veil);
	fj.veil = (struct bytes){ a.veil.len > 0 ? a.veil.data : "", a.veil.len };
	if (why != NULL) {
		page_failed(j, PAGE_REFUSED, why);
	} else if (o.page == 0 && is_file(fj.url)) {
		answer_locally(j, &fj);
	} else {
		wire_put(&b, fetch_job, &fj);
		j->asked = c->role[ROLE_FETCH].pid;
		j->tries += j->asked != 0;	/* while it is away nobody can die of it */
		roles_send(c, ROLE_FETCH, MSG_FETCH, j->id, &b, -1);
		if (b.data != NULL)
			explicit_bzero(b.data, b.len);
	}
	buf_free(&b);
	asked_free(&a);
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
			page_ask(j);
		else
			page_failed(j, OUTCOME_ERROR, "the fetch role died of it twice");
	}
	poll_due(c);
}

/* ---- What comes ---- */

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

/* Whether an answer says that the page will never be had. */
static int
is_never(const struct job *j)
{
	struct fetch_done d;

	if (j->answer.len == 0)
		return 0;
	d = job_answer(j);
	return d.why == FETCH_STATUS && (d.status == 404 || d.status == 410);
}

/* Whether a failure says something of the page, rather than of when to ask for it. */
static int
says_of_page(int kind)
{
	return kind == OUTCOME_ERROR || kind == OUTCOME_PARKED || kind == OUTCOME_GONE;
}

int
page_failure(const struct job *j, int kind)
{
	const struct owed_page o = job_page(j);

	if (!says_of_page(kind))
		return COMMIT_FAILED;
	return o.failures + 1 < PAGE_TRIES ? COMMIT_FAILED | COMMIT_COUNTS : COMMIT_NEVER;
}

void
page_failed(struct job *j, int kind, const char *error)
{
	const struct owed_page o = job_page(j);
	struct buf text;

	if (o.page == 0 || j->source == UINT32_MAX || !job_current(j) || !j->core->known) {
		job_end(j, o.page == 0 ? kind : OUTCOME_DROPPED, error);
		return;
	}
	buf_init(&text, 4 * URL_MAX);
	page_name(j, &text);
	buf_str(&text, ": ");
	buf_str(&text, error != NULL ? error : "nothing came");
	if (kind == OUTCOME_SLOW && j->outcome.retry_after >= 0)
		kind = OUTCOME_RETRY;	/* goes on then, and not when its next poll were due */
	if (kind == PAGE_REFUSED || is_never(j))
		commit_failure(j, OUTCOME_ERROR, text.data, COMMIT_NEVER);
	else
		commit_failure(j, kind, text.data, page_failure(j, kind));
	buf_free(&text);
}

/* The validators that the mark gets when the walk is whole: those of its first page, if that is the
 * source's own url. A 304 may carry new ones (RFC 9110 15.4.5). */
static void
take_validators(struct job *j, const struct fetch_done *d)
{
	const struct mark *m = &job_run(j)->mark;
	struct buf url;

	if (d->status == 304) {
		xreplace(&j->etag, m->etag);
		xreplace(&j->modified, m->modified);
		xreplace(&j->validated, m->validated);
	}
	if ((d->etag != NULL && strlen(d->etag) > VALIDATOR_MAX) ||
	    (d->modified != NULL && strlen(d->modified) > VALIDATOR_MAX) ||
	    (d->status == 304 && d->etag == NULL && d->modified == NULL))
		return;
	if (d->status != 304 || d->etag != NULL)
		xreplace(&j->etag, d->etag);
	if (d->status != 304 || d->modified != NULL)
		xreplace(&j->modified, d->modified);
	buf_init(&url, 4 * URL_MAX);
	if (d->url != NULL)
		setup_keep(job_source(j)->instance, d->url, &url);
	xreplace(&j->validated, d->url != NULL ? url.data : NULL);
	buf_free(&url);
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

/* An answer for the job, in j->answer: without a document, or to the workers. */
static void
answered(struct job *j, struct frame *f)
{
	struct core *c = j->core;
	const struct fetch_done d = job_answer(j);
	int first = job_page(j).page == 0;
	struct buf error;

	c->runs[j->source].mark.status = d.status;
	if (first)
		j->outcome.max_age = d.max_age;
	j->outcome.retry_after = d.retry_after;
	if (first) {
		take_move(c, j->source, &d);
		if (d.why == FETCH_OK && job_current(j))
			take_validators(j, &d);
	}
	if (d.why != FETCH_OK || f->fd[0] == -1 || !job_current(j)) {
		buf_init(&error, 4 * URL_MAX);
		if (d.error != NULL)
			said(job_source(j), d.error, &error);
		page_failed(j, answer_kind(&d), d.why == FETCH_OK ? NULL : error.data);
		buf_free(&error);
		return;
	}
	j->body = f->fd[0];
	f->fd[0] = -1;
	j->bytes = d.len;
	j->tries = 0;
	c->fetched++;
	document_queue(j);
}

void
poll_fetched(struct core *c, struct frame *f)
{
	struct job *j = job_find(c, f->id);

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
	log_debug("%s: job %u fetched, status %u", job_source(j)->name, j->id,
	    job_answer(j).status);
	answered(j, f);
}

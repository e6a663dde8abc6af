/* A poll's HTTP requests, for its source's own url or an owed page, with secrets where they may go;
 * and the answers. */
#include "poll_fetch.h"
#include "due.h"
#include "poll.h"
#include "schedule.h"
#include "sources.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "conf/file_url.h"
#include "conf/request.h"
#include "conf/setup_secret.h"
#include "conf/setup_template.h"
#include "daemon/supervise/role.h"
#include "ipc/chan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEADERS_MAX	(64u << 10)	/* bytes of a request's configured headers */
#define VALIDATOR_MAX	1024		/* bytes of an ETag or a date that is stored */

/* The parts of a request that hold secrets: for the fetch role alone. */
struct asked {
	struct buf	 url, headers, validated, redact;
};

static int
is_file(const char *url)
{
	return strncmp(url, "file:", 5) == 0;
}

static void
answer_locally(struct poll *j, const struct fetch_job *fj)
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
	poll_close(&fd[0]);
	buf_free(&own);
	buf_free(&b);
}

static void
asked_init(struct asked *a)
{
	buf_init(&a->url, 4 * URL_MAX);
	buf_init(&a->headers, HEADERS_MAX);
	buf_init(&a->validated, 4 * URL_MAX);
	buf_init(&a->redact, msg_limit(MSG_FETCH));
}

static void
asked_free(struct asked *a)
{
	struct buf *all[] = { &a->url, &a->headers, &a->validated, &a->redact };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i]->data != NULL)
			explicit_bzero(all[i]->data, all[i]->len);
		buf_free(all[i]);
	}
}

/* An error text for people, redacted: a redirect may repeat a secret. */
static void
said(const struct source *s, const char *text, struct buf *b)
{
	struct buf kept;

	buf_init(&kept, 4 * URL_MAX);
	secret_mark(s->instance, text, &kept);
	if (kept.data != NULL)
		secret_shown(kept.data, b);
	buf_free(&kept);
}

/* ---- Asking ---- */

/* Whether the source's requests carry secrets, which are for its origin alone. */
static int
is_private(const struct source *s)
{
	return s->instance->nsecrets + s->instance->nlogins > 0;
}

/* The URL that the source moved to; NULL: it did not, or to another origin, where secrets do not
 * go. */
static const char *
may_move(const struct source *s, const char *own, const char *moved)
{
	return moved != NULL && is_private(s) && !request_same_origin(own, moved) ? NULL : moved;
}

/* Makes the request for the source's own url, or for the URL that the source moved to. */
static void
ask_own(const struct poll *j, struct asked *a)
{
	const struct source *s = poll_source(j);
	const struct run *r = poll_run(j);
	const char *moved;

	setup_source_request(s, &a->url, &a->headers);
	moved = may_move(s, a->url.data != NULL ? a->url.data : "", poll_moved(r, s));
	if (moved != NULL) {
		buf_clear(&a->url);
		buf_str(&a->url, moved);
	}
	if (r->mark.validated != NULL && (r->kept & KEPT_BROKEN) == 0 &&
	    secret_unmark(s->instance, r->mark.validated, 1, &a->validated) == -1)
		buf_clear(&a->validated);
}

void
poll_fetch(struct poll *j)
{
	struct core *c = j->core;
	const struct source *s = poll_source(j);
	const struct run *r = poll_run(j);
	const struct owed_page o = poll_page(j);
	struct fetch_job fj = { .source = s->name, .max = c->setup->max_body,
		.timeout = c->setup->fetch_timeout, .body = { "", 0 }, .redact = { "", 0 } };
	const char *why = NULL;
	struct asked a;
	struct buf b;

	asked_init(&a);
	buf_init(&b, msg_limit(MSG_FETCH));
	poll_page_name(j, &b);
	log_debug("%s: fetches %s as job %u", s->name, b.data != NULL ? b.data : "", j->id);
	buf_clear(&b);
	j->state = POLL_IS_FETCH;
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
	secret_redact(s->instance, &a.redact);
	fj.redact = (struct bytes){ a.redact.len > 0 ? a.redact.data : "", a.redact.len };
	if (why != NULL) {
		poll_failed(j, PAGE_REFUSED, why);
	} else if (o.page == 0 && is_file(fj.url)) {
		answer_locally(j, &fj);
	} else {
		wire_put(&b, fetch_job, &fj);
		j->asked = roles_get(c, ROLE_FETCH)->pid;
		j->tries += j->asked != 0;	/* while away, fetch cannot die of it */
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
	for (size_t i = 0; i < POLL_SLOTS; i++) {
		struct poll *j = c->polls->slot[i];

		if (j == NULL || j->state != POLL_IS_FETCH || j->asked == roles_get(c, ROLE_FETCH)->pid)
			continue;
		if (j->source == UINT32_MAX)
			poll_free(j);
		else if (!poll_current(j) || roles_full(c, ROLE_FETCH))
			poll_end(j, OUTCOME_DROPPED, NULL);
		else if (j->tries < FETCH_TRIES)
			poll_fetch(j);
		else
			poll_failed(j, OUTCOME_ERROR, "the fetch role died of it twice");
	}
	due_wake(c);
}

/* ---- Answers ---- */

/* The outcome of an answer without a document. */
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

/* Takes the validators that the mark gets when all pages are stored: those of the first page, if
 * that is the source's own url. A 304 may carry new ones (RFC 9110 15.4.5). */
static void
take_validators(struct poll *j, const struct fetch_done *d)
{
	const struct mark *m = &poll_run(j)->mark;
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
		secret_mark(poll_source(j)->instance, d->url, &url);
	xreplace(&j->validated, d->url != NULL ? url.data : NULL);
	buf_free(&url);
}

static void
take_move(struct core *c, uint32_t source, const struct fetch_done *d)
{
	const struct source *s = &c->setup->sources[source];
	struct mark *m = &c->runs[source].mark;

	if (d->why != FETCH_OK && poll_moved(&c->runs[source], s) != NULL) {
		log_info("%s: the address it moved to fails; back to %s", s->name, s->url);
		xreplace((char **)(uintptr_t)&m->moved, NULL);
	} else if (d->why == FETCH_OK && may_move(s, s->url, d->moved) != NULL &&
	    s->instance->nsecrets == 0) {
		free((char *)(uintptr_t)m->moved);
		m->moved = xasprintf("%s %s", s->url, d->moved);
		log_info("%s: moved for good to %s: please change its url", s->name, d->moved);
	}
}

/* Handles the answer in j->answer: a document goes to the workers. */
static void
answered(struct poll *j, struct frame *f)
{
	struct core *c = j->core;
	const struct fetch_done d = poll_answer(j);
	int first = poll_page(j).page == 0;
	struct buf error;

	c->runs[j->source].mark.status = d.status;
	if (first)
		j->outcome.max_age = d.max_age;
	j->outcome.retry_after = d.retry_after;
	if (first) {
		take_move(c, j->source, &d);
		if (d.why == FETCH_OK && poll_current(j))
			take_validators(j, &d);
	}
	if (d.why != FETCH_OK || f->fd[0] == -1 || !poll_current(j)) {
		buf_init(&error, 4 * URL_MAX);
		if (d.error != NULL)
			said(poll_source(j), d.error, &error);
		poll_failed(j, answer_kind(&d), d.why == FETCH_OK ? NULL : error.data);
		buf_free(&error);
		return;
	}
	j->body = f->fd[0];
	f->fd[0] = -1;
	j->bytes = d.len;
	j->tries = 0;
	c->polls->fetched++;
	poll_next(j, POLL_PARSE);
}

void
poll_fetched(struct core *c, struct frame *f)
{
	struct poll *j = poll_find(c, f->id);

	if (j == NULL || j->state != POLL_IS_FETCH)
		return;			/* that poll has ended */
	if (j->source == UINT32_MAX) {
		poll_free(j);
		due_wake(c);
		return;
	}
	c->runs[j->source].tried = date_ticks();
	buf_clear(&j->answer);
	buf_add(&j->answer, f->data, f->len);
	log_debug("%s: job %u fetched, status %u", poll_source(j)->name, j->id,
	    poll_answer(j).status);
	answered(j, f);
}

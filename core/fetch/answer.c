/* HTTP answers to jobs: a redirect is followed, one request at a time; a document or the reason of
 * a failure is sent to core. */
#include "answer.h"
#include "job.h"
#include "redact_file.h"
#include "base/date.h"
#include "base/headers.h"
#include "base/log.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/url.h"
#include "ipc/memfd.h"

#include <string.h>

static const char *
reason(uint32_t status)
{
	static const struct { uint32_t status; const char *text; } table[] = {
		{ 204, "no content" }, { 205, "no content" },
		{ 206, "a part, though all was asked for" }, { 300, "several choices" },
		{ 304, "not modified, though that was not asked" }, { 400, "bad request" },
		{ 401, "who is asking?" }, { 402, "payment required" }, { 403, "forbidden" },
		{ 404, "not found" }, { 405, "method not allowed" }, { 406, "not acceptable" },
		{ 408, "request timeout" }, { 410, "gone for good" }, { 421, "misdirected request" },
		{ 426, "upgrade required" }, { 429, "too many requests" },
		{ 451, "withheld for legal reasons" }, { 500, "internal server error" },
		{ 501, "not implemented" }, { 502, "bad gateway" }, { 503, "service unavailable" },
		{ 504, "gateway timeout" }, { 520, "the server behind the CDN fails" },
		{ 521, "the server behind the CDN is down" },
		{ 522, "the server behind the CDN does not answer" },
		{ 530, "the CDN does not find the server" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].text;
	return status < 300 ? "no document" : status < 400 ? "no redirect that we know" :
	    status < 500 ? "refused" : "the server fails";
}

/* Whether the answer is a document, or a 304 to a conditional request. */
static int
is_good(const struct job *j, const struct answer *a)
{
	if (a->status == 304)
		return j->conditional;
	return a->status >= 200 && a->status < 300 && a->status != 204 && a->status != 205 &&
	    a->status != 206;
}

/* Seals the answer's document after redaction of the secrets that its request contained. */
static void
document_take(const struct job *j, struct answer *a, struct fetch_done *d)
{
	if (a->fd == -1) {
		a->fd = memfd_new("", 1);
		a->len = 0;
	}
	if (a->fd == -1 || memfd_seal(a->fd) == -1)
		fatal("no memory for a document");
	if (redact_file(j->redact, &a->fd, &a->len,
	    j->want.max > 0 ? j->want.max : TRANSFER_BODY_MAX) == -1) {
		d->why = FETCH_TOO_LARGE;
		d->error = "the document repeats a secret of its source too often";
	}
	d->len = d->why == FETCH_OK ? a->len : 0;
}

/* Ends a job by its last answer: core gets the status, the headers and the document. */
static void
finish(struct fetch *f, struct job *j, struct answer *a)
{
	int64_t now = date_now();
	int good = a->why == FETCH_OK && is_good(j, a);
	struct buf type, charset, etag, modified, error;
	struct fetch_done d = { .why = (uint32_t)a->why, .status = a->status, .error = a->error,
		.headers = a->headers, .moved = good ? j->moved : NULL };

	buf_init(&type, HEADERS_MAX);
	buf_init(&charset, HEADERS_MAX);
	buf_init(&etag, HEADERS_MAX);
	buf_init(&modified, HEADERS_MAX);
	buf_init(&error, URL_MAX);
	headers_type(a->headers, &type, &charset);
	d.type = type.data;
	d.charset = charset.data;
	d.etag = headers_str(a->headers, "etag", &etag);
	d.modified = headers_str(a->headers, "last-modified", &modified);
	d.retry_after = headers_retry_after(a->headers, now);
	d.max_age = headers_max_age(a->headers, now);
	if (a->why == FETCH_OK && !good) {
		d.why = FETCH_STATUS;
		buf_fmt(&error, "%s: status %u, %s", j->host->name, a->status, reason(a->status));
		d.error = error.data;
	}
	if (good && a->status != 304)
		document_take(j, a, &d);
	fetch_tell(f, j, &d, d.why == FETCH_OK ? a->fd : -1);
	buf_free(&type);
	buf_free(&charset);
	buf_free(&etag);
	buf_free(&modified);
	buf_free(&error);
}

/* Ends a direct job by its only answer, whatever the status. */
static void
finish_direct(struct fetch *f, struct job *j, const struct answer *a)
{
	struct fetch_done d = { .why = (uint32_t)a->why, .status = a->status, .error = a->error,
		.headers = a->headers, .type = "", .charset = "", .body = a->body, .len = a->len,
		.retry_after = headers_retry_after(a->headers, date_now()), .max_age = -1 };
	struct buf cut;

	buf_init(&cut, URL_MAX);
	if (a->why != FETCH_OK)
		d.status = 0;
	else if (a->cut)
		buf_fmt(&cut, "%s: the answer is longer than %llu bytes and was cut", j->host->name,
		    (unsigned long long)a->len);
	if (a->cut && a->why == FETCH_OK)
		d.error = cut.data;
	if (a->fd != -1 && memfd_seal(a->fd) == -1)
		fatal("no memory for an answer");
	fetch_tell(f, j, &d, a->fd);
	buf_free(&cut);
}

static int
was_there(const struct job *j, const char *url)
{
	if (strcmp(j->want.url, url) == 0)
		return 1;
	for (unsigned i = 0; i < j->hops; i++)
		if (strcmp(j->url[i], url) == 0)
			return 1;
	return 0;
}

/* Whether a URL would send a secret of the job to another origin than the job's. */
static int
takes_secret(const struct job *j, const char *url)
{
	const char *instead;
	size_t at;

	return redact_find(j->redact, url, strlen(url), &at, &instead) > 0 &&
	    !job_is_home(j, url);
}

/* Writes the redirect's target into `to`. -1: the job must not follow it; err has the reason. */
static int
redirect_to(const struct job *j, const struct answer *a, struct buf *to, struct buf *err)
{
	struct buf location, shown;
	int rc = -1;

	buf_init(&location, URL_MAX);
	buf_init(&shown, URL_MAX);
	if (headers_str(a->headers, "location", &location) == NULL) {
		buf_fmt(err, "%s: a redirect (%u) that does not say where to", j->host->name,
		    a->status);
	} else if (url_resolve(to, job_url(j), location.data) == -1) {
		login_shown(&shown, location.data);
		buf_fmt(err, "redirected to %.200s, which is no URL", shown.data);
	} else if (to->data[strcspn(to->data, "#")] = '\0', policy_url(to->data, err) == -1) {
		to->len = 0;
	} else if (takes_secret(j, to->data)) {
		buf_fmt(err, "redirected to another origin, with a secret in the URL: %.200s; say so "
		    "in url if it is to go there", to->data);
	} else if (was_there(j, to->data) && a->status != 303) {
		buf_fmt(err, "redirected in a circle, to %.200s again", to->data);
	} else if (j->hops >= HOPS_MAX) {
		buf_fmt(err, "more than %d redirects, the last to %.200s", HOPS_MAX, to->data);
	} else if (job_is_post(j) && a->status != 303 &&
	    (a->status < 307 || !job_is_home(j, to->data))) {
		buf_fmt(err, "a POST is not redirected to %.200s", to->data);
	} else {
		rc = 0;
	}
	buf_free(&location);
	buf_free(&shown);
	return rc;
}

static int
is_redirect(uint32_t status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows a redirect. -1: refused; the job has ended and core has the reason. */
static int
follow(struct fetch *f, struct job *j, const struct answer *a)
{
	struct buf to, err;
	int rc;

	buf_init(&to, URL_MAX);
	buf_init(&err, URL_MAX);
	rc = redirect_to(j, a, &to, &err);
	if (rc == 0) {
		j->url[j->hops++] = xstrdup(to.data);
		j->lasting = j->lasting && (a->status == 301 || a->status == 308);
		if (j->lasting)
			xreplace(&j->moved, to.data);
		if (a->status == 303)
			j->changed = 1;
		fetch_queue(f, j);
	} else {
		fetch_fail(f, j, FETCH_REDIRECTS, err.data);
	}
	buf_free(&to);
	buf_free(&err);
	return rc;
}

void
answer_take(struct answer *a, void *arg)
{
	struct job *j = arg;
	struct host *h = j->host;
	struct fetch *f = h->all;

	TAILQ_REMOVE(&f->flying, j, entry);
	f->active--;
	h->active--;
	j->left -= date_ticks() - j->began;
	if (j->want.direct)
		finish_direct(f, j, a);
	else if (a->why == FETCH_OK && is_redirect(a->status))
		follow(f, j, a);
	else
		finish(f, j, a);
	host_settle(h);
	fetch_pump(f);
}

/* http(): sends a plugin's requests to core over the worker's channel, and waits for the
 * answers. */
#include "host_http.h"
#include "host.h"
#include "host_done.h"
#include "host_wait.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_FIRST	offsetof(struct cr_request, timeout)	/* size of the struct in 1.0 */

/* The memory of an answer that the plugin reads, until the next http(). */
struct held {
	struct buf	 error, headers, body;
	const char	*map;
	size_t		 size;
};
static struct held held[HTTP_AT_ONCE];
static uint32_t last;			/* id of the last request */

static void
held_clear(struct held *h)
{
	buf_free(&h->error);
	buf_free(&h->headers);
	buf_free(&h->body);
	memfd_unmap(h->map, h->size);
	*h = (struct held){ .map = NULL };
	buf_init(&h->error, HOST_ERROR);
	buf_init(&h->headers, msg_limit(MSG_W_ANSWERED));
	buf_init(&h->body, HTTP_SHORT);
}

/* The nth of the plugin's array, whose elements have the size of the plugin's header. */
static const struct cr_request *
request_at(const struct cr_request *rq, size_t nth)
{
	return (const void *)((const char *)rq + nth * rq->size);
}

static struct cr_response *
response_at(struct cr_response *rs, size_t nth)
{
	return (void *)((char *)rs + nth * (rs->size > 0 ? rs->size : sizeof(*rs)));
}

static void
respond(struct cr_response *rs, const struct cr_response *what)
{
	size_t size = rs->size > 0 && rs->size < sizeof(*rs) ? rs->size : sizeof(*rs);
	struct cr_response r = *what;

	r.size = rs->size > 0 ? rs->size : sizeof(*rs);
	memcpy(rs, &r, size);
}

/* Why the requests cannot be sent; NULL: they can. */
static const char *
wrong(const struct cr_request *rq, const struct cr_response *rs, size_t n)
{
	size_t i;

	if ((host.phase & MAY_HTTP) == 0)
		return "is not for this callback";
	if ((host.grants & CR_HTTP) == 0)
		return "is not granted: it has to be in `wants`";
	if (n > HTTP_AT_ONCE)
		return "takes at most 16 requests at once";
	if (n > 0 && (rq == NULL || rs == NULL || rq->size < REQUEST_FIRST))
		return "was called without requests or places for answers";
	for (i = 0; i < n; i++)
		if (request_at(rq, i)->url == NULL || request_at(rq, i)->len > HTTP_BODY_MAX)
			return "was given a request without a URL, or with a body over 64 MiB";
	return NULL;
}

static size_t
body_len(const struct cr_request *r)
{
	return r->body != NULL ? r->len : 0;
}

static int
in_turn(const struct cr_request *r)
{
	return CR_HAS(r, in_turn) && r->in_turn != 0;
}

/* An upper bound of a request's bytes in a frame. */
static size_t
room(const struct cr_request *r)
{
	return strlen(r->url) + (r->method != NULL ? strlen(r->method) : 0) +
	    (r->headers != NULL ? strlen(r->headers) : 0) + body_len(r) + 64;
}

/* How many of n requests go in one frame: the first, and those behind it with in_turn that fit. */
static size_t
together(const struct cr_request *rq, size_t n)
{
	size_t len = room(rq), i = 1;

	if (body_len(rq) > HTTP_SHORT)
		return 1;
	for (; i < n; i++) {
		const struct cr_request *r = request_at(rq, i);

		len += room(r);
		if (!in_turn(r) || len > HTTP_TURN || body_len(r) > HTTP_SHORT)
			break;
	}
	return i;
}

/* Sends n requests to core in one frame. -1: they do not fit, or their body has no memfd. */
static int
ask(const struct cr_request *rq, size_t n, uint32_t id)
{
	size_t len = body_len(rq), whole = len > HTTP_SHORT ? len : 0;
	int fd = -1, rc = -1;
	struct buf b;

	if (whole > 0 && ((fd = memfd_new(rq->body, len)) == -1 || memfd_seal(fd) == -1)) {
		host_say("http(): no memory file for a body of %zu bytes", len);
		if (fd != -1)
			close(fd);
		return -1;
	}
	buf_init(&b, msg_limit(MSG_W_HTTP));
	for (size_t i = 0; i < n; i++) {
		const struct cr_request *r = request_at(rq, i);
		const struct http_ask a = { .url = r->url, .method = r->method,
			.headers = r->headers, .timeout = CR_HAS(r, timeout) ? r->timeout : 0,
			.body = { r->body, whole > 0 ? 0 : body_len(r) }, .len = whole };

		wire_put(&b, http_ask, &a);
	}
	if (!b.over) {
		rc = chan_send(host.chan, MSG_W_HTTP, id, &b, fd, -1);
		if (rc == -1)
			_exit(1);	/* core is gone */
	}
	buf_free(&b);
	if (fd != -1)
		close(fd);
	return rc;
}

/* Reads an answer into the plugin's response. -1: malformed. */
static int
take(struct frame *f, struct held *h, struct cr_response *rs)
{
	struct cr_response r;
	struct http_answer a;

	if (wire_whole(f->data, f->len, http_answer, &a) == -1 || a.len > HTTP_BODY_MAX)
		return -1;
	if (a.len > 0 && (h->map = memfd_map(f->fd[0], (size_t)a.len + 1, &h->size)) == NULL)
		return -1;
	buf_str(&h->error, a.error);
	buf_str(&h->headers, a.headers);
	buf_add(&h->body, a.body.data, a.body.len);
	r = (struct cr_response){ .status = (int)a.status,
		.error = a.error != NULL ? h->error.data : NULL,
		.headers = h->headers.data != NULL ? h->headers.data : "",
		.body = h->map != NULL ? h->map : h->body.data != NULL ? h->body.data : "",
		.len = h->map != NULL ? (size_t)a.len : h->body.len,
		.retry_after = a.retry_after };
	respond(rs, &r);
	return 0;
}

static int
taken(const struct cr_response *r)
{
	return r->status >= 200 && r->status < 300;
}

/* Waits for `sent` answers to the n requests with ids from `first` on. */
static void
await(const struct cr_request *rq, struct cr_response *rs, uint32_t first, size_t n, size_t sent)
{
	const struct cr_request *r;
	struct frame f;

	while (sent > 0 && host_answer_next(&f, MSG_W_ANSWERED, first, n)) {
		if (take(&f, &held[f.id - first], response_at(rs, f.id - first)) == -1)
			_exit(70);
		sent--;
		r = request_at(rq, f.id - first);
		if (CR_HAS(r, done) && r->done > 0 && taken(response_at(rs, f.id - first)))
			host_done(r->done);
	}
}

static int
cr_http(struct cr *cr, const struct cr_request *rq, struct cr_response *rs, size_t n)
{
	static const struct cr_response none = { .headers = "", .body = "", .retry_after = -1,
		.error = "the worker was told to stop" }, unsent = { .headers = "", .body = "",
		.retry_after = -1, .error = "the request is too long" }, late = { .headers = "",
		.body = "", .retry_after = -1, .error = "not sent: the one before it was not taken" };
	const char *why = wrong(rq, rs, n);
	uint32_t first = last + 1;
	size_t i, k, sent = 0;
	int good = 0;

	(void)cr;
	if (why != NULL) {
		host_say("http() %s", why);
		return -1;
	}
	for (i = 0; i < n; i++) {
		held_clear(&held[i]);
		respond(response_at(rs, i), &none);
	}
	last += (uint32_t)n;
	for (i = 0; i < n && !host.stop; i += k) {
		k = together(request_at(rq, i), n - i);
		if (i > 0 && in_turn(request_at(rq, i))) {
			await(rq, rs, first, n, sent);
			sent = 0;
			if (!taken(response_at(rs, i - 1))) {
				respond(response_at(rs, i), &late);
				k = 1;
				continue;
			}
		}
		if (ask(request_at(rq, i), k, first + (uint32_t)i) == 0)
			sent += k;
		else
			for (size_t j = i; j < i + k; j++)
				respond(response_at(rs, j), &unsent);
	}
	await(rq, rs, first, n, sent);
	for (i = 0; i < n; i++)
		good += response_at(rs, i)->status != 0;
	return good;
}

void
host_http_table(struct cr *cr)
{
	cr->http = cr_http;
}

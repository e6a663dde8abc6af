/* Outbound HTTP: passes the requests that plugins make by http() to the send role, and the answers
 * back. The worker's deadline stands still meanwhile. */
#include "outbound.h"
#include "core.h"
#include "egress.h"
#include "role.h"
#include "workers.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define TIMEOUT_MAX	INT64_C(3600000)	/* ms that a plugin may give a request */
#define ERROR_MAX	1024			/* bytes of an error's text */

/* The requests of one frame: one, or several to be made in turn. */
struct outgoing {
	TAILQ_ENTRY(outgoing)	 entry;
	uint32_t		 id, theirs;	/* of the first: core's, to send; the worker's */
	uint32_t		 n, told;	/* requests; a bit for each that is answered */
	struct worker		*worker;
	int			 asked;		/* send has it */
	unsigned		 tries;		/* times that it may still be given to send */
	struct buf		 frame;		/* a MSG_FETCH; empty once it is not needed again */
	int			 body;		/* memfd; -1 */
};
struct outbound {
	TAILQ_HEAD(, outgoing)	 all;
	uint32_t		 last;		/* id */
};

static void
forget_request(struct outgoing *e)
{
	if (e->frame.data != NULL)
		explicit_bzero(e->frame.data, e->frame.len);
	buf_free(&e->frame);
	if (e->body != -1)
		close(e->body);
	e->body = -1;
}

static void
outbound_free(struct core *c, struct outgoing *e)
{
	TAILQ_REMOVE(&c->outbound->all, e, entry);
	forget_request(e);
	free(e);
}

/* ---- Answers ---- */

/* A stand-in may be longer than its secret: an answer that repeats the secret may outgrow its
 * limits. */
static const struct http_answer outgrown = { .retry_after = -1,
	.error = "the answer repeats a secret too often to be told" };

/* Sends the worker an answer, which lets its deadline run on. */
static void
answer(struct worker *w, uint32_t theirs, const struct http_answer *a, int fd)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_W_ANSWERED));
	wire_put(&b, http_answer, a);
	if (b.over) {
		buf_clear(&b);
		wire_put(&b, http_answer, &outgrown);
	}
	worker_answer(w, MSG_W_ANSWERED, theirs, &b, fd);
	buf_free(&b);
}

/* Answers all requests that are not answered yet with an error. */
static void
refuse(const struct outgoing *e, const char *why)
{
	const struct http_answer a = { .error = why, .retry_after = -1 };

	for (uint32_t i = 0; i < e->n; i++)
		if ((e->told & 1u << i) == 0)
			answer(e->worker, e->theirs + i, &a, -1);
}

/* Redacts the body if it repeats a secret; *fd may be replaced. Returns a memfd to be closed, or
 * -1. */
static int
conceal_body(const struct egress *p, struct http_answer *a, struct buf *b, int *fd)
{
	const char *map;
	size_t size;

	if (*fd == -1) {
		if (egress_hide(p, a->body.data, a->body.len, b))
			a->body = (struct bytes){ b->data, b->len };
		return -1;
	}
	map = memfd_map(*fd, (size_t)a->len, &size);
	if (map == NULL || !egress_hide(p, map, size, b)) {
		memfd_unmap(map, size);
		return -1;
	}
	memfd_unmap(map, size);
	a->len = b->len;
	buf_char(b, '\0');
	if (b->over)
		return -1;
	*fd = memfd_new(b->data, b->len);
	if (*fd == -1 || memfd_seal(*fd) == -1)
		fatal("no memory for an answer");
	return *fd;
}

static const char *
conceal_text(const struct egress *p, const char *text, struct buf *b)
{
	return text != NULL && egress_hide(p, text, strlen(text), b) ? b->data : text;
}

/* Passes send's answer to the nth request to the worker, redacted. */
static void
answered(const struct outgoing *e, uint32_t nth, const struct fetch_done *d, int fd)
{
	const struct egress *p = worker_egress(e->worker);
	struct http_answer a = { .status = d->status, .body = d->body,
		.len = fd != -1 ? d->len : 0, .retry_after = d->retry_after };
	struct buf error, headers, body;
	int made;

	buf_init(&error, msg_limit(MSG_FETCHED));
	buf_init(&headers, msg_limit(MSG_FETCHED));
	buf_init(&body, 8 * HTTP_ANSWER_MAX);
	a.error = conceal_text(p, d->error, &error);
	a.headers = conceal_text(p, d->headers, &headers);
	made = conceal_body(p, &a, &body, &fd);
	answer(e->worker, e->theirs + nth, error.over || headers.over || body.over ? &outgrown : &a,
	    fd);
	if (made != -1)
		close(made);
	buf_free(&error);
	buf_free(&headers);
	buf_free(&body);
}

void
outbound_answered(struct core *c, struct frame *f)
{
	struct outgoing *e;
	struct fetch_done d;

	if (wire_whole(f->data, f->len, fetch_done, &d) == -1)
		fatal("send's FETCHED is malformed");
	TAILQ_FOREACH(e, &c->outbound->all, entry)
		if (f->id - e->id < e->n)
			break;
	if (e == NULL)
		return;			/* its worker is gone */
	answered(e, f->id - e->id, &d, f->fd[0]);
	e->told |= 1u << (f->id - e->id);
	if (e->told == (1u << e->n) - 1)
		outbound_free(c, e);
}

/* ---- Requests ---- */

/* Gives the requests to the send role, unless it is away. */
static void
outbound_give(struct core *c, struct outgoing *e)
{
	if (!roles_get(c, ROLE_SEND)->ready)
		return;
	e->asked = 1;
	e->tries--;
	roles_send(c, ROLE_SEND, MSG_FETCH, e->id, &e->frame, e->body);
	if (e->tries == 0)
		forget_request(e);
}

/* Only requests with a safe method are made twice (RFC 9110 9.2.1). */
static unsigned
tries_of(const struct http_ask *ask)
{
	return ask->method == NULL ? ask->body.len == 0 && ask->len == 0 ? FETCH_TRIES : 1 :
	    strcmp(ask->method, "GET") == 0 || strcmp(ask->method, "HEAD") == 0 ? FETCH_TRIES : 1;
}

/* Adds a request to the frame for send, with its secrets filled in. -1: a secret may not go there,
 * or the frame is full; err says so. */
static int
outbound_add(struct core *c, struct outgoing *e, const struct http_ask *ask, struct buf *err)
{
	const struct egress *p = worker_egress(e->worker);
	int64_t timeout = ask->timeout > 0 ? ask->timeout : c->setup->fetch_timeout;
	struct fetch_job j = { .source = egress_name(p), .body = ask->body, .len = ask->len,
		.max = HTTP_ANSWER_MAX, .redact = { "", 0 },
		.method = ask->method != NULL ? ask->method :
		    ask->body.len > 0 || ask->len > 0 ? "POST" : "GET",
		.timeout = timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX, .direct = 1 };
	struct buf url, headers;
	int rc;

	buf_init(&url, msg_limit(MSG_FETCH));
	buf_init(&headers, msg_limit(MSG_FETCH));
	rc = egress_fill(p, ask->url, ask->headers, &url, &headers, err);
	if (rc == 0) {
		j.url = url.data;
		j.headers = headers.data;
		wire_put(&e->frame, fetch_job, &j);
		if (e->frame.over) {
			buf_str(err, "the request is too long");
			rc = -1;
		}
	}
	e->n++;
	c->outbound->last++;
	buf_free(&url);
	buf_free(&headers);
	return rc;
}

/* The next request of a worker's frame. -1: it is malformed. */
static int
ask_read(struct wire *w, const struct outgoing *e, int fd, struct http_ask *ask)
{
	wire_get(w, http_ask, ask);
	if (w->bad || ask->url == NULL || ask->len > HTTP_BODY_MAX || e->n == HTTP_AT_ONCE)
		return -1;
	/* Only a single request may have a memfd as its body. */
	return (ask->len > 0) != (fd != -1) || (fd != -1 && (e->n > 0 || w->at < w->end)) ? -1 : 0;
}

/* Reads the requests of the worker's frame. 0; -1: refused, err says why; -2: the worker was
 * killed. */
static int
outbound_read(struct core *c, struct outgoing *e, const struct frame *f, struct buf *err)
{
	struct http_ask ask;
	struct wire w;
	int rc = 0;

	wire_init(&w, f->data, f->len);
	do {
		if (ask_read(&w, e, f->fd[0], &ask) == -1) {
			worker_kill(e->worker, "it sent a bad frame");
			return -2;
		}
		/* One more than HTTP_AT_ONCE: a visit's batch may wait for store as well. */
		if (!egress_http(worker_egress(e->worker)) ||
		    worker_hold(e->worker) > HTTP_AT_ONCE + 1) {
			worker_kill(e->worker, "it asked for HTTP beyond what it may");
			return -2;
		}
		e->tries = w.at < w.end || e->n > 0 ? 1 : tries_of(&ask);
		if (outbound_add(c, e, &ask, err) == -1)
			rc = -1;
	} while (w.at < w.end);
	return rc;
}

static void
outbound_ask(struct core *c, struct worker *w, struct frame *f)
{
	struct outgoing *e = xcalloc(1, sizeof(*e));
	struct buf err;
	int rc;

	*e = (struct outgoing){ .id = c->outbound->last + 1, .theirs = f->id, .worker = w, .body = -1 };
	TAILQ_INSERT_TAIL(&c->outbound->all, e, entry);
	buf_init(&e->frame, msg_limit(MSG_FETCH));
	buf_init(&err, ERROR_MAX);
	rc = outbound_read(c, e, f, &err);
	if (rc == 0) {
		e->body = f->fd[0];
		f->fd[0] = -1;
		outbound_give(c, e);
	} else {
		if (rc == -1)
			refuse(e, err.data);
		outbound_free(c, e);
	}
	buf_free(&err);
}

/* ---- The end of a worker, and of send ---- */

/* The worker is gone. Requests that send has not begun must not be made: a retry of the job makes
 * them again. */
static void
outbound_forget(struct core *c, struct outgoing *e)
{
	struct buf b;

	if (e->asked) {
		buf_init(&b, msg_limit(MSG_FORGET));
		wire_put_u32(&b, e->n);
		roles_send(c, ROLE_SEND, MSG_FORGET, e->id, &b, -1);
		buf_free(&b);
	}
	outbound_free(c, e);
}

static void
outbound_left(struct core *c, const struct worker *w)
{
	struct outgoing *e, *next;

	for (e = TAILQ_FIRST(&c->outbound->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (e->worker == w)
			outbound_forget(c, e);
	}
}

/* Send died with its requests: those that may be repeated wait until send is back. */
void
outbound_gone(struct core *c, enum role_id id)
{
	struct outgoing *e, *next;

	if (id != ROLE_SEND)
		return;
	for (e = TAILQ_FIRST(&c->outbound->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (!e->asked)
			continue;
		e->asked = 0;
		if (e->tries > 0)
			continue;
		refuse(e, "the send role died: it may have arrived or not");
		outbound_free(c, e);
	}
}

void
outbound_send_back(struct core *c)
{
	struct outgoing *e;

	TAILQ_FOREACH(e, &c->outbound->all, entry)
		if (!e->asked)
			outbound_give(c, e);
}

void
outbound_end(struct core *c)
{
	struct outgoing *e;

	while ((e = TAILQ_FIRST(&c->outbound->all)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the last one was taken out */
		outbound_free(c, e);
	free(c->outbound);
	c->outbound = NULL;
}

void
outbound_init(struct core *c)
{
	struct workers_tell *tell = workers_tell(c);

	c->outbound = xcalloc(1, sizeof(*c->outbound));
	TAILQ_INIT(&c->outbound->all);
	tell->http = outbound_ask;
	tell->left = outbound_left;
}

/* Errands: the HTTP requests that plugins ask for by http(), handed to the send role, and their
 * answers, handed back. A worker's clock stands still meanwhile. */
#include "core.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "pass.h"
#include "result.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define TIMEOUT_MAX	INT64_C(3600000)	/* ms that a plugin may give a request */
#define ERROR_MAX	1024			/* bytes of an error's text */

/* The requests of one frame: one, or several to be made in turn. */
struct errand {
	TAILQ_ENTRY(errand)	 entry;
	uint32_t		 id, theirs;	/* ours to send, and the worker's: of the first */
	uint32_t		 n, told;	/* requests; a bit for each that is answered */
	struct worker		*worker;
	int			 asked;		/* send has it */
	unsigned		 tries;		/* it may be given to send so often */
	struct buf		 frame;		/* a MSG_FETCH; empty once it is not needed again */
	int			 body;		/* memfd; -1 */
};
struct errands {
	TAILQ_HEAD(, errand)	 all;
	uint32_t		 last;		/* id */
};

void
errand_init(struct core *c)
{
	c->errands = xcalloc(1, sizeof(*c->errands));
	TAILQ_INIT(&c->errands->all);
}

static void
forget_request(struct errand *e)
{
	if (e->frame.data != NULL)
		explicit_bzero(e->frame.data, e->frame.len);
	buf_free(&e->frame);
	if (e->body != -1)
		close(e->body);
	e->body = -1;
}

static void
errand_free(struct core *c, struct errand *e)
{
	TAILQ_REMOVE(&c->errands->all, e, entry);
	forget_request(e);
	free(e);
}

/* ---- Answers ---- */

/* A stand-in is longer than a short secret: an answer full of that outgrows its frame, or more. */
static const struct http_answer outgrown = { .retry_after = -1,
	.error = "the answer repeats a secret too often to be told" };

/* Tells the worker, and its clock goes on. */
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

/* All of them that are not answered yet. */
static void
refuse(const struct errand *e, const char *why)
{
	const struct http_answer a = { .error = why, .retry_after = -1 };

	for (uint32_t i = 0; i < e->n; i++)
		if ((e->told & 1u << i) == 0)
			answer(e->worker, e->theirs + i, &a, -1);
}

/* A body that repeats a secret is told without it. Returns what is to be closed, or -1. */
static int
conceal_body(const struct pass *p, struct http_answer *a, struct buf *b, int *fd)
{
	const char *map;
	size_t size;

	if (*fd == -1) {
		if (pass_conceal(p, a->body.data, a->body.len, b))
			a->body = (struct bytes){ b->data, b->len };
		return -1;
	}
	map = result_map(*fd, (size_t)a->len, &size);
	if (map == NULL || !pass_conceal(p, map, size, b)) {
		result_unmap(map, size);
		return -1;
	}
	result_unmap(map, size);
	a->len = b->len;
	buf_char(b, '\0');
	if (b->over)
		return -1;
	*fd = result_fd(b->data, b->len);
	if (*fd == -1 || result_seal(*fd) == -1)
		fatal("no memory for an answer");
	return *fd;
}

static const char *
conceal_text(const struct pass *p, const char *text, struct buf *b)
{
	return text != NULL && pass_conceal(p, text, strlen(text), b) ? b->data : text;
}

/* What send told of the nth, as the worker may know it. */
static void
answered(const struct errand *e, uint32_t nth, const struct fetch_done *d, int fd)
{
	const struct pass *p = worker_pass(e->worker);
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
errand_answered(struct core *c, struct frame *f)
{
	struct errand *e;
	struct fetch_done d;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, fetch_done, &d);
	if (wire_end(&w) == -1)
		fatal("send's FETCHED is malformed");
	TAILQ_FOREACH(e, &c->errands->all, entry)
		if (f->id - e->id < e->n)
			break;
	if (e == NULL)
		return;			/* its worker is gone */
	answered(e, f->id - e->id, &d, f->fd[0]);
	e->told |= 1u << (f->id - e->id);
	if (e->told == (1u << e->n) - 1)
		errand_free(c, e);
}

/* ---- Requests ---- */

/* Gives it to send, once send is there. */
static void
errand_give(struct core *c, struct errand *e)
{
	if (!c->role[ROLE_SEND].ready)
		return;
	e->asked = 1;
	e->tries--;
	roles_send(c, ROLE_SEND, MSG_FETCH, e->id, &e->frame, e->body);
	if (e->tries == 0)
		forget_request(e);
}

/* Only what asks and changes nothing is asked for twice (RFC 9110 9.2.1). */
static unsigned
tries_of(const struct http_ask *ask)
{
	return ask->method == NULL ? ask->body.len == 0 && ask->len == 0 ? FETCH_TRIES : 1 :
	    strcmp(ask->method, "GET") == 0 || strcmp(ask->method, "HEAD") == 0 ? FETCH_TRIES : 1;
}

/* Adds one to the requests of an errand, with the secrets that it may have. -1: it may not, or there is
 * no room: err says so. */
static int
errand_add(struct core *c, struct errand *e, const struct http_ask *ask, struct buf *err)
{
	const struct pass *p = worker_pass(e->worker);
	int64_t timeout = ask->timeout > 0 ? ask->timeout : c->setup->fetch_timeout;
	struct fetch_job j = { .source = pass_name(p), .body = ask->body, .len = ask->len,
		.max = HTTP_ANSWER_MAX, .veil = { "", 0 },
		.method = ask->method != NULL ? ask->method :
		    ask->body.len > 0 || ask->len > 0 ? "POST" : "GET",
		.timeout = timeout < TIMEOUT_MAX ? timeout : TIMEOUT_MAX, .direct = 1 };
	struct buf url, headers;
	int rc;

	buf_init(&url, msg_limit(MSG_FETCH));
	buf_init(&headers, msg_limit(MSG_FETCH));
	rc = pass_reveal(p, ask->url, ask->headers, &url, &headers, err);
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
	c->errands->last++;
	buf_free(&url);
	buf_free(&headers);
	return rc;
}

/* The next request of a worker's frame. -1: it is malformed. */
static int
ask_read(struct wire *w, const struct errand *e, int fd, struct http_ask *ask)
{
	wire_get(w, http_ask, ask);
	if (w->bad || ask->url == NULL || ask->len > HTTP_BODY_MAX || e->n == HTTP_AT_ONCE)
		return -1;
	/* A body of its own goes with a single one. */
	return (ask->len > 0) != (fd != -1) || (fd != -1 && (e->n > 0 || w->at < w->end)) ? -1 : 0;
}

/* Takes its frame apart. 0; -1: refused, err says why; -2: the worker was killed. */
static int
errand_read(struct core *c, struct errand *e, const struct frame *f, struct buf *err)
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
		if (!pass_http(worker_pass(e->worker)) || worker_hold(e->worker) > HTTP_AT_ONCE + 1) {	/* and a batch */
			worker_kill(e->worker, "it asked for HTTP beyond what it may");
			return -2;
		}
		e->tries = w.at < w.end || e->n > 0 ? 1 : tries_of(&ask);
		if (errand_add(c, e, &ask, err) == -1)
			rc = -1;
	} while (w.at < w.end);
	return rc;
}

void
errand_ask(struct core *c, struct worker *w, struct frame *f)
{
	struct errand *e = xcalloc(1, sizeof(*e));
	struct buf err;
	int rc;

	*e = (struct errand){ .id = c->errands->last + 1, .theirs = f->id, .worker = w, .body = -1 };
	TAILQ_INSERT_TAIL(&c->errands->all, e, entry);
	buf_init(&e->frame, msg_limit(MSG_FETCH));
	buf_init(&err, ERROR_MAX);
	rc = errand_read(c, e, f, &err);
	if (rc == 0) {
		e->body = f->fd[0];
		f->fd[0] = -1;
		errand_give(c, e);
	} else {
		if (rc == -1)
			refuse(e, err.data);
		errand_free(c, e);
	}
	buf_free(&err);
}

/* ---- Those who go ---- */

/* Nobody waits for it. What of it send has not yet begun must not be made: it is asked for again. */
static void
errand_forget(struct core *c, struct errand *e)
{
	struct buf b;

	if (e->asked) {
		buf_init(&b, msg_limit(MSG_FORGET));
		wire_put_u32(&b, e->n);
		roles_send(c, ROLE_SEND, MSG_FORGET, e->id, &b, -1);
		buf_free(&b);
	}
	errand_free(c, e);
}

void
errand_worker_gone(struct core *c, const struct worker *w)
{
	struct errand *e, *next;

	for (e = TAILQ_FIRST(&c->errands->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (e->worker == w)
			errand_forget(c, e);
	}
}

void
errand_send_gone(struct core *c)
{
	struct errand *e, *next;

	for (e = TAILQ_FIRST(&c->errands->all); e != NULL; e = next) {
		next = TAILQ_NEXT(e, entry);
		if (!e->asked)
			continue;
		e->asked = 0;
		if (e->tries > 0)
			continue;
		refuse(e, "the send role died: it may have arrived or not");
		errand_free(c, e);
	}
}

void
errand_send_back(struct core *c)
{
	struct errand *e;

	TAILQ_FOREACH(e, &c->errands->all, entry)
		if (!e->asked)
			errand_give(c, e);
}

void
errand_stop(struct core *c)
{
	struct errand *e;

	while ((e = TAILQ_FIRST(&c->errands->all)) != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the last one was taken out */
		errand_free(c, e);
	free(c->errands);
	c->errands = NULL;
}

/* Requests below /x/: handed to core, for a plugin to answer, and its answers. */
#include "headers.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "peer.h"
#include "proxy.h"
#include "result.h"
#include "serve.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATE_MAX	256		/* requests that wait for an answer */

struct gate {
	struct { struct evhttp_request *req; uint32_t id; } at[GATE_MAX];
	size_t		 n;
	uint32_t	 last;		/* id */
};

/* What a plugin sees of a method: HEAD is a GET whose answer's body is left out (RFC 9110 9.3.2). */
static const struct {
	enum evhttp_cmd_type	 command;
	const char		*name;
} methods[] = {
	{ EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_HEAD, "GET" }, { EVHTTP_REQ_POST, "POST" },
	{ EVHTTP_REQ_PUT, "PUT" }, { EVHTTP_REQ_PATCH, "PATCH" }, { EVHTTP_REQ_DELETE, "DELETE" },
	{ EVHTTP_REQ_OPTIONS, "OPTIONS" },
};
#define ALLOW	"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

/* Headers that an answer has besides those of all: a plugin's pages may have forms and their own
 * looks, but run nothing. */
#define POLICY	"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;" \
		" base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

struct gate *
gate_new(void)
{
	return xcalloc(1, sizeof(struct gate));
}

void
gate_free(struct gate *g)
{
	free(g);
}

/* ---- To core ---- */

static const char *
method_of(struct evhttp_request *req)
{
	enum evhttp_cmd_type command = evhttp_request_get_command(req);

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].command == command)
			return methods[i].name;
	return NULL;
}

static void
put_headers(struct evhttp_request *req, struct buf *b)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const struct evkeyval *kv;
	struct buf line;

	buf_init(&line, HEADERS_MAX);
	for (kv = in->tqh_first; kv != NULL; kv = kv->next.tqe_next) {
		buf_clear(&line);
		buf_fmt(&line, "%s: %s", kv->key, kv->value);
		if (!line.over)
			headers_add(b, line.data, line.len);
	}
	buf_free(&line);
}

/* The body: a short one into the frame, another into a memfd with a NUL behind it. -1: there is no
 * memory for it. */
static int
put_body(struct evhttp_request *req, struct visit_ask *va, int *fd)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);
	const void *p;

	if (len == 0)
		return 0;
	if (evbuffer_add(in, "", 1) == -1 || (p = evbuffer_pullup(in, -1)) == NULL)
		return -1;
	if (len <= VISIT_SHORT) {
		va->body = (struct bytes){ p, len };
		return 0;
	}
	va->len = len;
	*fd = result_fd(p, len + 1);
	evbuffer_drain(in, len + 1);	/* the visitor may wait for long */
	return *fd == -1 ? -1 : result_seal(*fd);
}

static int
hand_over(struct serve *s, struct evhttp_request *req, const char *method, const char *path)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	char visitor[PROXY_ADDRESS];
	struct visit_ask va = { .method = method, .path = path,
		.query = evhttp_uri_get_query(uri), .peer = visitor };
	struct buf headers, b;
	int fd = -1, rc;

	buf_init(&headers, HEADERS_MAX);
	put_headers(req, &headers);
	va.headers = headers.data != NULL ? headers.data : "";
	proxies_visitor(s->proxies, connection_peer(req), va.headers, visitor);
	rc = headers.over ? -1 : put_body(req, &va, &fd);
	buf_init(&b, msg_limit(MSG_VISIT));
	wire_put(&b, visit_ask, &va);
	if (rc == 0)
		rc = peer_send(s->peer, MSG_VISIT, s->gate->last, &b, fd, -1);
	buf_free(&b);
	buf_free(&headers);
	if (fd != -1)
		close(fd);
	return rc;
}

void
gate_answer(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct gate *g = s->gate;
	const char *method = method_of(req);

	if (method == NULL) {
		reply_header(req, "Allow", ALLOW);
		reply_header(req, "Connection", "close");
		reply_error(s, req, 405, "this method is not answered here");
		return;
	}
	g->last++;
	if (g->n == GATE_MAX || hand_over(s, req, method, path + strlen("/x/")) == -1) {
		reply_error(s, req, 503, "too many wait for an answer; try again");
		return;
	}
	g->at[g->n].req = req;
	g->at[g->n++].id = g->last;
}

/* ---- From core ---- */

/* A header's value: nothing of a plugin's makes lines of its own. */
static int
is_type(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] <= '~')
		n++;
	return n > 0 && n <= VISIT_TYPE_MAX && s[n] == '\0';
}

static void
answer(struct serve *s, struct evhttp_request *req, const struct visit_answer *a, int fd)
{
	const void *map = NULL;
	size_t size = 0;
	struct buf b;

	if (a->len > 0 && (map = result_map(fd, (size_t)a->len, &size)) == NULL) {
		reply_error(s, req, 502, "the answer cannot be read");
		return;
	}
	reply_header(req, "Content-Security-Policy", POLICY);
	reply_header(req, "Cache-Control", "no-store");
	if (a->status == 204 || a->status == 304) {
		reply_empty(req, (int)a->status);
	} else {
		buf_init(&b, VISIT_ANSWER_MAX);
		buf_add(&b, map, (size_t)a->len);
		reply_buf(s, req, (int)a->status, a->type, &b);
	}
	result_unmap(map, size);
}

/* The request that waits for the answer; NULL: it was answered. */
static struct evhttp_request *
gate_take(struct gate *g, uint32_t id)
{
	struct evhttp_request *req;
	size_t i;

	for (i = 0; i < g->n && g->at[i].id != id;)
		i++;
	if (i == g->n)
		return NULL;
	req = g->at[i].req;
	g->at[i] = g->at[--g->n];
	return req;
}

void
gate_visited(struct serve *s, struct frame *f)
{
	struct evhttp_request *req = gate_take(s->gate, f->id);
	struct visit_answer a;
	struct wire w;
	char seconds[24];

	wire_init(&w, f->data, f->len);
	wire_get(&w, visit_answer, &a);
	if (wire_end(&w) == -1 || a.status < 200 || a.status > 599 || a.len > VISIT_ANSWER_MAX)
		fatal("core's VISITED is malformed");
	if (req == NULL)
		return;
	if (a.retry_after >= 0) {
		snprintf(seconds, sizeof(seconds), "%lld", (long long)a.retry_after);
		reply_header(req, "Retry-After", seconds);
	}
	if (a.error != NULL || (a.len > 0 && !is_type(a.type != NULL ? a.type : "")))
		reply_error(s, req, (int)a.status, "%s", a.error != NULL ? a.error :
		    "the answer has no type");
	else
		answer(s, req, &a, f->fd[0]);
}

void
gate_stop(struct serve *s)
{
	struct gate *g = s->gate;

	while (g->n > 0) {
		struct evhttp_request *req = g->at[--g->n].req;

		reply_error(s, req, 503, "the daemon stops");
	}
}

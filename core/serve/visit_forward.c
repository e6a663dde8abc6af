/* Requests below /x/: forwarded to core for a plugin to answer, and answered with core's reply. */
#include "visit_forward.h"
#include "connections.h"
#include "proxies.h"
#include "reply.h"
#include "serve.h"
#include "base/buf.h"
#include "base/headers.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATE_MAX	256		/* requests that wait for an answer */

struct visit_forward {
	struct { struct evhttp_request *req; uint32_t id; } at[GATE_MAX];
	size_t		 n;
	uint32_t	 last;		/* id of the last request */
};

/* The method that a plugin gets: HEAD is GET, and the answer's body is left out (RFC 9110
 * 9.3.2). */
static const struct {
	enum evhttp_cmd_type	 command;
	const char		*name;
} methods[] = {
	{ EVHTTP_REQ_GET, "GET" }, { EVHTTP_REQ_HEAD, "GET" }, { EVHTTP_REQ_POST, "POST" },
	{ EVHTTP_REQ_PUT, "PUT" }, { EVHTTP_REQ_PATCH, "PATCH" }, { EVHTTP_REQ_DELETE, "DELETE" },
	{ EVHTTP_REQ_OPTIONS, "OPTIONS" },
};
#define ALLOW	"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

/* The Content-Security-Policy of plugins' answers: pages may have forms and their own styles, but
 * no scripts. */
#define POLICY	"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;" \
		" base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

struct visit_forward *
visit_forward_new(void)
{
	return xcalloc(1, sizeof(struct visit_forward));
}

void
visit_forward_free(struct visit_forward *g)
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

void
visit_headers(struct evhttp_request *req, struct buf *b)
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

/* Puts a short body into the message, a longer one into a memfd with a NUL behind it. -1: no
 * memory. */
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
	*fd = memfd_new(p, len + 1);
	evbuffer_drain(in, len + 1);	/* the request may wait for long: free the memory */
	return *fd == -1 ? -1 : memfd_seal(*fd);
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
	visit_headers(req, &headers);
	va.headers = headers.data != NULL ? headers.data : "";
	proxies_visitor(s->proxies, connection_peer(req), va.headers, visitor);
	rc = headers.over ? -1 : put_body(req, &va, &fd);
	buf_init(&b, msg_limit(MSG_VISIT));
	wire_put(&b, visit_ask, &va);
	if (rc == 0)
		rc = peer_send(s->peer, MSG_VISIT, s->visits->last, &b, fd, -1);
	buf_free(&b);
	buf_free(&headers);
	if (fd != -1)
		close(fd);
	return rc;
}

void
visit_forward_answer(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct visit_forward *g = s->visits;
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

/* Whether a plugin's media type is safe as a header's value: printable ASCII without line ends. */
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

	if (a->len > 0 && (map = memfd_map(fd, (size_t)a->len, &size)) == NULL) {
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
	memfd_unmap(map, size);
}

/* Removes and returns the request that waits for the answer; NULL: already answered. */
static struct evhttp_request *
visit_forward_take(struct visit_forward *g, uint32_t id)
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
visit_forward_back(struct serve *s, struct frame *f)
{
	struct evhttp_request *req = visit_forward_take(s->visits, f->id);
	struct visit_answer a;
	char seconds[24];

	if (wire_whole(f->data, f->len, visit_answer, &a) == -1 || a.status < 200 ||
	    a.status > 599 || a.len > VISIT_ANSWER_MAX)
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
visit_forward_stop(struct serve *s)
{
	struct visit_forward *g = s->visits;

	while (g->n > 0) {
		struct evhttp_request *req = g->at[--g->n].req;

		reply_error(s, req, 503, "the daemon stops");
	}
}

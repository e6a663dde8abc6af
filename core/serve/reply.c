/* Answers to HTTP requests: common headers, and a count of the bytes held for slow readers. */
#include "reply.h"
#include "serve.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"

#include <event2/buffer.h>
#include <event2/http.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERROR_MAX	1024		/* bytes of an error's text */
#define AGAIN_S		"5"		/* default Retry-After of a 503, s */

static const struct { const char *name, *value; } common[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none';"
	    " form-action 'none'; frame-ancestors 'none'" },
};

int
is_head(struct evhttp_request *req)
{
	return evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
}

void
reply_header(struct evhttp_request *req, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

void
reply_common(struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (evhttp_find_header(headers, common[i].name) == NULL)
			evhttp_add_header(headers, common[i].name, common[i].value);
}

struct shared *
shared_new(struct serve *serve, struct buf *b)
{
	struct shared *s = xcalloc(1, sizeof(*s));

	s->serve = serve;
	s->data = b->data;
	s->len = b->len;
	s->refs = 1;
	serve->held += s->len;
	buf_init(b, b->max);
	return s;
}

void
shared_free(struct shared *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	s->serve->held -= s->len;
	free(s->data);
	free(s);
}

static void
sent(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	shared_free(arg);
}

/* Sends status and body; for HEAD the same headers without the body. */
static void
send_shared(struct evhttp_request *req, int status, struct shared *s)
{
	struct evbuffer *out = evhttp_request_get_output_buffer(req);
	char len[24];

	snprintf(len, sizeof(len), "%zu", s->len);
	reply_header(req, "Content-Length", len);
	if (!is_head(req) && s->len > 0) {
		s->refs++;
		if (evbuffer_add_reference(out, s->data, s->len, sent, s) == -1)
			fatal("no memory for an answer");
	}
	evhttp_send_reply(req, status, NULL, NULL);
}

void
reply_shared(struct evhttp_request *req, struct shared *s)
{
	send_shared(req, 200, s);
}

void
reply_buf(struct serve *serve, struct evhttp_request *req, int status, const char *type,
    struct buf *b)
{
	struct shared *s;

	if (b->over || (b->len > ERROR_MAX && serve->held > SERVE_HELD_MAX)) {
		buf_free(b);
		reply_error(serve, req, 503, "too much is on its way already; try again");
		return;
	}
	reply_common(req);
	reply_header(req, "Content-Type", type);
	if (evhttp_find_header(evhttp_request_get_output_headers(req), "Cache-Control") == NULL)
		reply_header(req, "Cache-Control", "no-cache");
	s = shared_new(serve, b);
	send_shared(req, status, s);
	shared_free(s);
}

void
reply_empty(struct evhttp_request *req, int status)
{
	reply_common(req);
	evhttp_send_reply(req, status, NULL, NULL);
}

void
reply_error(struct serve *serve, struct evhttp_request *req, int status, const char *fmt, ...)
{
	const char *uri = evhttp_request_get_uri(req);
	char text[ERROR_MAX / 2];
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_init(&b, 8 * ERROR_MAX);
	reply_header(req, "Cache-Control", "no-store");
	if (status == 503 && evhttp_find_header(evhttp_request_get_output_headers(req),
	    "Retry-After") == NULL)
		reply_header(req, "Retry-After", AGAIN_S);
	if (uri != NULL && strncmp(uri, "/api/", 5) == 0) {
		buf_str(&b, "{\"error\": ");
		text_json(&b, text, text_valid(text, strlen(text)));
		buf_str(&b, "}\n");
		reply_buf(serve, req, status, "application/json", &b);
	} else {
		buf_add(&b, text, text_valid(text, strlen(text)));
		buf_str(&b, "\n");
		reply_buf(serve, req, status, "text/plain; charset=utf-8", &b);
	}
}

/* Whether a list of entity tags has this one, by weak comparison. */
static int
list_has(const char *list, const char *etag)
{
	size_t len = strlen(etag);
	const char *end;

	for (;;) {
		list += strspn(list, " \t,");
		if (*list == '*')
			return 1;
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		if (*list != '"' || (end = strchr(list + 1, '"')) == NULL)
			return 0;
		if ((size_t)(end + 1 - list) == len && memcmp(list, etag, len) == 0)
			return 1;
		list = end + 1;
	}
}

int
reply_matches(struct evhttp_request *req, const char *etag)
{
	const char *match = evhttp_find_header(evhttp_request_get_input_headers(req), "If-None-Match");

	return match != NULL && list_has(match, etag);
}

void
reply_unreadable(struct serve *s, struct evhttp_request *req)
{
	reply_header(req, "Retry-After", "1");
	reply_error(s, req, 503, "%s", reader_why(s->reader));
}

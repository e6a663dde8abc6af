/* fetch() and next(): the pages that a source plugin requests in plan() and parse(). */
#include "host_ask.h"
#include "host.h"
#include "base/buf.h"
#include "base/login.h"
#include "base/url.h"
#include "base/utf8.h"
#include "ipc/msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Refuses a request: logs it, and marks the document as partial with the reason. */
static int
refuse(const char *url, const char *why)
{
	struct buf shown;

	buf_init(&shown, URL_MAX);
	login_shown(&shown, url != NULL ? url : "nothing");
	url = shown.data != NULL ? shown.data : "a URL";
	host_say("a request for %.200s refused: %s", url, why);
	if (host.partial[0] == '\0')
		snprintf(host.partial, sizeof(host.partial), "a request for %.200s was refused: %s",
		    url, why);
	buf_free(&shown);
	return -1;
}

/* The length of the stand-in at s, verbatim or percent-encoded; 0: s does not begin with it. */
static size_t
begins(const char *s, const char *stand_in)
{
	const char *at = s;
	char hex[3] = "";

	for (; *stand_in != '\0'; stand_in++) {
		if (*at == *stand_in) {
			at++;
			continue;
		}
		if (at[0] != '%' || at[1] == '\0' || at[2] == '\0')
			return 0;
		memcpy(hex, at + 1, 2);
		if (strtol(hex, NULL, 16) != (unsigned char)*stand_in)
			return 0;
		at += 3;
	}
	return (size_t)(at - s);
}

/* The name of the secret whose stand-in s begins with, and *len of the stand-in; NULL: none. The
 * options are those of the job: NAME\0VALUE\0... */
static const char *
stand_in_at(const char *s, size_t *len)
{
	struct bytes all = host.page->options;
	const char *name = all.data, *value;
	const struct cr_option *o;

	if (*s != '{' && *s != '%')
		return NULL;
	for (; name != NULL && name < all.data + all.len; name = value + strlen(value) + 1) {
		value = name + strlen(name) + 1;
		if (strncmp(value, STAND_IN, strlen(STAND_IN)) != 0)
			continue;
		for (o = host.slot->plugin.options; o->name != NULL; o++)
			if (o->type == CR_SECRET && strcmp(o->name, name) == 0 &&
			    (*len = begins(s, value)) > 0)
				return name;
	}
	return NULL;
}

/* Adds text for a request, with each stand-in as the bytes 1, NAME, 1. -1: the text has control
 * characters other than those in `but`, or a stand-in that is not of this job. */
static int
put_text(const char *text, const char *but, struct buf *b)
{
	const char *secret;
	size_t len;

	for (; *text != '\0'; text++) {
		if (((unsigned char)*text < ' ' || *text == 0x7f) && strchr(but, *text) == NULL)
			return -1;
		secret = stand_in_at(text, &len);
		if (secret == NULL && begins(text, STAND_IN) > 0)
			return -1;
		if (secret == NULL) {
			buf_char(b, *text);
			continue;
		}
		buf_fmt(b, "\001%s\001", secret);
		text += len - 1;
	}
	return 0;
}

/* Whether a body has a stand-in; stand-ins in bodies are not replaced. */
static int
names_secret(struct bytes body)
{
	return body.len > 0 && memmem(body.data, body.len, STAND_IN, strlen(STAND_IN)) != NULL;
}

static const char *
put(const struct result_request *q)
{
	const char *why = result_request_bad(q);
	size_t begun;

	if (why == NULL && host.requests >= RESULT_REQUESTS)
		why = "there are more than a page may make";
	if (why != NULL)
		return why;
	begun = result_begin(&host.asked, RESULT_REQUEST);
	wire_put(&host.asked, result_request, q);
	if (host.asked.over) {
		host.asked.over = 0;
		host.asked.len = begun;
		return "the requests of this page are over their maximum";
	}
	result_end(&host.asked, begun);
	host.requests++;
	return NULL;
}

/* Adds a request. q's url is the plugin's, relative to the page if there is one. */
static int
ask(struct result_request *q)
{
	const char *said = q->url, *why = NULL;
	struct buf whole, url, headers;

	buf_init(&whole, URL_MAX);
	buf_init(&url, URL_MAX);
	buf_init(&headers, RESULT_LINES_MAX);
	if (url_resolve(&whole, host.phase == PHASE_PARSE ? host.page->url : NULL, said) == -1 ||
	    !url_fetchable(whole.data))
		why = "it is no URL that can be fetched";
	else if (put_text(whole.data, "", &url) == -1 ||
	    (q->headers != NULL && put_text(q->headers, "\t\n", &headers) == -1))
		why = "control characters, or a stand-in of another run: make it of the option anew";
	else if (names_secret(q->body) || (q->tag != NULL && strstr(q->tag, STAND_IN) != NULL))
		why = "a secret is filled in in url and headers only";
	else if (q->tag != NULL && text_valid(q->tag, strlen(q->tag)) != strlen(q->tag))
		why = "its tag is no UTF-8";
	else if (url.over || headers.over)
		why = "its url or headers are too long";
	if (why == NULL) {
		q->url = url.data;
		q->headers = headers.data;
		why = put(q);
	}
	buf_free(&whole);
	buf_free(&url);
	buf_free(&headers);
	return why != NULL ? refuse(said, why) : 0;
}

static int
cr_fetch(struct cr *cr, const struct cr_request *rq)
{
	struct result_request q = { .body = { "", 0 } };

	(void)cr;
	if ((host.phase != PHASE_PARSE && host.phase != PHASE_PLAN) || rq == NULL)
		return -1;
	if (!CR_HAS(rq, url) || rq->url == NULL)
		return 0;
	q.url = rq->url;
	q.method = CR_HAS(rq, method) ? rq->method : NULL;
	q.headers = CR_HAS(rq, headers) ? rq->headers : NULL;
	q.tag = CR_HAS(rq, tag) ? rq->tag : NULL;
	if (CR_HAS(rq, len) && rq->body != NULL)
		q.body = (struct bytes){ rq->body, rq->len };
	return ask(&q);
}

static int
cr_next(struct cr *cr, const char *url)
{
	struct result_request q = { .next = 1, .url = url, .body = { "", 0 } };

	(void)cr;
	if (host.phase != PHASE_PARSE)
		return -1;
	return url != NULL ? ask(&q) : 0;
}

void
host_ask_write(void)
{
	size_t begun;
	struct wire all, body;
	enum result_kind kind;

	if (host.asked.len == 0)
		return;
	wire_init(&all, host.asked.data, host.asked.len);
	while (result_next(&all, &kind, &body) == 1) {
		begun = out_begin(kind);
		buf_add(&host.out.b, body.at, (size_t)(body.end - body.at));
		out_end(begun);
	}
}

void
host_ask_table(struct cr *cr)
{
	cr->fetch = cr_fetch;
	cr->next = cr_next;
}

/* The items in the memfds between workers and store. */
#include "result.h"
#include "base/utf8.h"

#include <string.h>
#include <strings.h>

#define HEAD	(sizeof(uint32_t) + sizeof(uint8_t))

WIRE_TABLE(result_state, RESULT_STATE_FIELDS);
WIRE_TABLE(result_verdict, RESULT_VERDICT_FIELDS);
WIRE_TABLE(result_said, RESULT_SAID_FIELDS);
WIRE_TABLE(result_item, RESULT_ITEM_FIELDS);
WIRE_TABLE(result_request, RESULT_REQUEST_FIELDS);
WIRE_TABLE(result_past, RESULT_PAST_FIELDS);
WIRE_TABLE(result_section, RESULT_SECTION_FIELDS);
WIRE_TABLE(result_edition, RESULT_EDITION_FIELDS);

static int
utf8(const char *s)
{
	return text_valid(s, strlen(s)) == strlen(s);
}

int
result_state_read(struct wire *w, struct result_state *st)
{
	wire_get(w, result_state, st);
	return wire_end(w) == -1 || st->key == NULL || st->key[0] == '\0' ||
	    strlen(st->key) > RESULT_KEY_MAX || !utf8(st->key) ||
	    (st->value != NULL && !utf8(st->value)) ? -1 : 0;
}

/* Whether a text has control characters other than the marks of secrets and those in `but`. */
static int
controls(const char *s, const char *but)
{
	for (; *s != '\0'; s++)
		if (((unsigned char)*s < ' ' || *s == 0x7f) && *s != 1 && strchr(but, *s) == NULL)
			return 1;
	return 0;
}

/* Whether a text is printable ASCII without spaces, but for the marks of secrets. */
static int
plain(const char *s)
{
	while ((*s > ' ' && *s < 0x7f) || *s == 1)
		s++;
	return *s == '\0';
}

const char *
result_request_bad(const struct result_request *q)
{
	size_t url = q->url != NULL ? strlen(q->url) : 0, tag = q->tag != NULL ? strlen(q->tag) : 0;
	size_t lines = q->headers != NULL ? strlen(q->headers) : 0;

	if (url == 0 || url > RESULT_URL_MAX || !plain(q->url) ||
	    (strncasecmp(q->url, "http://", 7) != 0 && strncasecmp(q->url, "https://", 8) != 0))
		return "its url is none that can be fetched";
	if (q->method != NULL && strcmp(q->method, "GET") != 0 && strcmp(q->method, "POST") != 0)
		return "its method is neither GET nor POST";
	if (q->body.len > 0 && q->method != NULL && strcmp(q->method, "GET") == 0)
		return "a GET has no body";
	if (lines > RESULT_LINES_MAX || (lines > 0 && controls(q->headers, "\t\n")))
		return "its headers are too long, or no lines \"Name: value\"";
	if (tag > RESULT_TAG_MAX || (tag > 0 && !utf8(q->tag)))
		return "its tag is longer than 255 bytes, or no UTF-8";
	if (url + lines + tag + q->body.len > RESULT_REQUEST_MAX)
		return "it is longer than 64 KiB";
	return NULL;
}

size_t
result_begin(struct buf *b, enum result_kind kind)
{
	size_t begun = b->len;

	wire_put_u32(b, 0);
	wire_put_u8(b, (uint8_t)kind);
	return begun;
}

void
result_end(struct buf *b, size_t begun)
{
	uint32_t len;

	if (b->over)
		return;
	len = (uint32_t)(b->len - begun - HEAD);
	memcpy(b->data + begun, &len, sizeof(len));
}

int
result_next(struct wire *all, enum result_kind *kind, struct wire *body)
{
	uint32_t len;

	if (!all->bad && all->at == all->end)
		return 0;
	len = wire_u32(all);
	*kind = (enum result_kind)wire_u8(all);
	if (all->bad || *kind < RESULT_RECORD || *kind > RESULT_EDITION ||
	    (size_t)(all->end - all->at) < len)
		return -1;
	wire_init(body, all->at, len);
	all->at += len;
	return 1;
}

/* Tags within a text, written out again as HTML: Atom's xhtml, and feeds that do not escape. */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

static void
raw(struct reader *r, const char *s)
{
	struct draft *d = r->now;
	size_t len = strlen(s);

	if (d->len - r->cap.start + len > r->cap.max) {
		r->cap.max = 0;
		d->lost = 1;
		return;
	}
	if (draft_room(d, len) == 0) {
		memcpy(d->text + d->len, s, len);
		d->len += len;
	}
}

void
markup_text(struct reader *r, const char *s, size_t len)
{
	static const char *const escapes[256] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;",
	};
	size_t i, from = 0;

	for (i = 0; i < len; i++)
		if (escapes[(unsigned char)s[i]] != NULL) {
			gather_add(r, s + from, i - from);
			gather_add(r, escapes[(unsigned char)s[i]],
			    strlen(escapes[(unsigned char)s[i]]));
			from = i + 1;
		}
	gather_add(r, s + from, len - from);
}

static int
is_address(const char *name)
{
	static const char *const names[] = {
		"action", "background", "cite", "data", "formaction", "href", "longdesc", "poster",
		"src",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return 1;
	return 0;
}

/* An address below an inner xml:base is resolved here; the host does the rest. */
static void
put_value(struct reader *r, const struct frame *f, const char *name, const char *s, size_t len)
{
	const struct frame *of = &r->stack[r->cap.frame];
	FEED_UNSET char url[FEED_LINE_MAX];

	if (f->base != of->base && is_address(name) &&
	    text_resolve(url, sizeof(url), r->strings[f->base], s, len) == 0)
		markup_text(r, url, strlen(url));
	else
		markup_text(r, s, len);
}

/* The text so far was plain; from here on it is HTML. */
static void
escape_before(struct reader *r)
{
	struct draft *d = r->now;
	size_t len = d->len - r->cap.start;
	char *copy;

	r->cap.children = 1;
	if (r->cap.gather == GATHER_XHTML)
		return;
	if (r->cap.gather == GATHER_TEXT && len > 0 && (copy = malloc(len)) != NULL) {
		memcpy(copy, d->text + r->cap.start, len);
		d->len = r->cap.start;
		markup_text(r, copy, len);
		free(copy);
	}
	r->cap.gather = GATHER_XHTML;
}

void
markup_open(struct reader *r, struct frame *f, const xmlChar *name, const struct attrs *a)
{
	int i;

	f->tag = FRAME_HIDDEN;
	if (r->cap.gather == GATHER_BASE64)
		return;
	/* Atom's own div, which is not part of the text (RFC 4287 3.1.1.3), and a needless one */
	if (!r->cap.children && r->depth == r->cap.frame + 1 &&
	    strcmp((const char *)name, "div") == 0) {
		r->cap.children = 1;
		return;
	}
	f->tag = FRAME_MARKUP;
	escape_before(r);
	raw(r, "<");
	raw(r, (const char *)name);
	for (i = 0; i < a->n; i++) {
		const xmlChar **v = a->v + 5 * i;

		raw(r, " ");
		if (v[1] != NULL && strcmp((const char *)v[1], "xml") != 0) {
			raw(r, (const char *)v[1]);
			raw(r, ":");
		}
		raw(r, (const char *)v[0]);
		raw(r, "=\"");
		put_value(r, f, (const char *)v[0], (const char *)v[3], (size_t)(v[4] - v[3]));
		raw(r, "\"");
	}
	raw(r, ">");
	if (text_is_void((const char *)name))
		f->tag = FRAME_VOID;
}

void
markup_close(struct reader *r, struct frame *f, const xmlChar *name)
{
	if (f->tag != FRAME_MARKUP)
		return;
	raw(r, "</");
	raw(r, (const char *)name);
	raw(r, ">");
}

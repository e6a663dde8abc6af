/* What the parts ask of the reader while a document runs: it gathers the text of an element into the
 * draft, remembers xml:base and xml:lang, resolves references, and stops. */
#include "feed.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
reader_stop(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	if (r->stopped)
		return;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	r->stopped = 1;
	if (r->xml != NULL)
		xmlStopParser(r->xml);
}

/* A string that frames and values refer to by number: the same again, or a new one. */
uint16_t
reader_string(struct reader *r, const char *s, size_t len, uint16_t near)
{
	char **strings;
	size_t i;

	if (near != 0 && strlen(r->strings[near]) == len && memcmp(r->strings[near], s, len) == 0)
		return near;
	for (i = r->nstrings; i > 1 && i + 8 > r->nstrings; i--)
		if (strlen(r->strings[i - 1]) == len && memcmp(r->strings[i - 1], s, len) == 0)
			return (uint16_t)(i - 1);
	if (r->nstrings == FEED_STRINGS)
		return near;
	if ((r->nstrings & (r->nstrings - 1)) == 0) {	/* full at each power of two */
		strings = realloc(r->strings, 2 * r->nstrings * sizeof(*strings));
		if (strings == NULL)
			return near;
		r->strings = strings;
	}
	if ((r->strings[r->nstrings] = strndup(s, len)) == NULL)
		return near;
	return (uint16_t)r->nstrings++;
}

int
reader_absolute(const struct reader *r, char *out, uint16_t base, const char *s, size_t len)
{
	FEED_UNSET char page[FEED_LINE_MAX];
	FEED_UNSET char full[FEED_LINE_MAX];
	const char *home = r->home != NULL ? r->home : "";
	const char *own = base != 0 ? r->strings[base] : "";

	if (text_resolve(page, sizeof(page), r->page, home, strlen(home)) == -1 ||
	    text_resolve(full, sizeof(full), page, own, strlen(own)) == -1)
		return -1;
	return text_resolve(out, FEED_LINE_MAX, full, s, len);
}

struct value
value_of(const struct frame *f, uint32_t at, enum kind kind)
{
	return (struct value){ .at = at, .base = f->base, .kind = (uint8_t)kind,
		.rank = f->el != NULL ? f->el->rank : 0 };
}

/* ---- gathering text ---- */

void
gather_begin(struct reader *r, int frame, enum gather gather, size_t max)
{
	size_t limit = (size_t)r->opts->field;

	r->cap.frame = frame;
	r->cap.gather = (uint8_t)gather;
	r->cap.children = 0;
	r->cap.start = r->now->len;
	r->cap.max = max < limit ? max : limit;
}

void
gather_drop(struct reader *r)
{
	r->now->len = r->cap.start;
	r->cap.frame = 0;
}

void
gather_add(struct reader *r, const char *s, size_t len)
{
	struct draft *d = r->now;
	size_t have = d->len - r->cap.start;

	if (have + len > r->cap.max) {
		len = have < r->cap.max ? text_cut(s, len, r->cap.max - have) : 0;
		r->cap.max = have + len;	/* nothing after the cut */
		d->lost = 1;
	}
	if (len == 0 || draft_room(d, len) == -1)
		return;
	memcpy(d->text + d->len, s, len);
	d->len += len;
}

uint32_t
gather_end(struct reader *r, size_t *len)
{
	struct draft *d = r->now;
	struct str s;

	r->cap.frame = 0;
	s = str_trim((struct str){ d->text + r->cap.start, d->len - r->cap.start });
	*len = s.len;
	if (s.len == 0) {
		d->len = r->cap.start;
		return 0;
	}
	d->len = (size_t)(s.p - d->text) + s.len;
	d->text[d->len++] = '\0';	/* draft_room() keeps a byte for it */
	return (uint32_t)(s.p - d->text);
}

/* Lists of feeds: each outline of OPML with an address is a record, its groups are categories. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An outline that is open, to its parent; allocated as they nest. */
struct outline {
	struct outline	*parent;
	char		*text;		/* NULL: none */
};

void
outline_free(struct reader *r)
{
	struct outline *o;

	free(r->seen);
	while ((o = r->outline) != NULL) {
		r->outline = o->parent;
		free(o->text);
		free(o);
	}
}

/* FNV-1a. */
static uint64_t
hash_of(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h != 0 ? h : 1;
}

static void
insert(uint64_t *table, size_t size, uint64_t h)
{
	size_t i = h & (size - 1);

	while (table[i] != 0)
		i = (i + 1) & (size - 1);
	table[i] = h;
}

static int
grow(struct reader *r)
{
	size_t size = r->seen_size > 0 ? 2 * r->seen_size : 256, i;
	uint64_t *table;

	if ((table = calloc(size, sizeof(*table))) == NULL)
		return -1;
	for (i = 0; i < r->seen_size; i++)
		if (r->seen[i] != 0)
			insert(table, size, r->seen[i]);
	free(r->seen);
	r->seen = table;
	r->seen_size = size;
	return 0;
}

/* Whether a feed was listed before; remembers as many as there may be entries. */
static int
listed(struct reader *r, struct str url)
{
	uint64_t h = hash_of(url);
	size_t i;

	if (2 * r->nseen >= r->seen_size &&
	    ((int64_t)r->nseen > r->opts->entries || grow(r) == -1))
		return 0;
	for (i = h & (r->seen_size - 1); r->seen[i] != 0; i = (i + 1) & (r->seen_size - 1))
		if (r->seen[i] == h)
			return 1;
	r->seen[i] = h;
	r->nseen++;
	return 0;
}

static void
push_outline(struct reader *r, struct str text)
{
	struct outline *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		reader_stop(r, "out of memory");
		return;
	}
	o->parent = r->outline;
	o->text = text.len > 0 ? strndup(text.p, text_cut(text.p, text.len, 1024)) : NULL;
	r->outline = o;
}

static void
category(struct reader *r, struct str s)
{
	struct part *p;
	uint32_t at;

	while (s.len > 0 && (s.p[0] == '/' || s.p[0] == ' ')) {
		s.p++;
		s.len--;
	}
	if ((at = draft_text(r->now, s.p, s.len)) == 0)
		return;
	if ((p = draft_add(r->now, ITEM_CATEGORY)) != NULL)
		p->at[0] = at;
}

/* Its own, in an attribute after commas, and the texts of the groups around it. */
static void
categories(struct reader *r, const struct attrs *a)
{
	struct str s = attr(a, "category");
	const struct outline *o;
	const char *comma;
	size_t n;

	for (; s.len > 0; s.p += n, s.len -= n) {
		comma = memchr(s.p, ',', s.len);
		n = comma != NULL ? (size_t)(comma - s.p) : s.len;
		category(r, str_trim((struct str){ s.p, n }));
		n += comma != NULL;
	}
	for (o = r->outline; o != NULL; o = o->parent)
		if (o->text != NULL)
			category(r, (struct str){ o->text, strlen(o->text) });
}

void
open_outline(struct reader *r, struct frame *f, const struct attrs *a)
{
	struct str text = attr(a, "text"), address = attr(a, "xmlurl");
	uint32_t url;

	if (text.len == 0)
		text = attr(a, "title");
	r->outlines++;
	draft_clear(&r->entry);
	r->now = &r->entry;
	url = attr_keep(a, "xmlurl");
	if (url != 0 && !str_is(attr(a, "type"), "source") && !listed(r, address)) {
		draft_set(r->now, SLOT_LINK, value_of(f, url, KIND_TEXT));
		draft_set(r->now, SLOT_GUID, value_of(f, url, KIND_TEXT));
		draft_set(r->now, SLOT_TITLE,
		    value_of(f, draft_text(r->now, text.p, text.len), KIND_TEXT));
		draft_address(r->now, "htmlUrl", attr_keep(a, "htmlurl"));
		draft_set(r->now, SLOT_SUMMARY,
		    value_of(f, attr_keep(a, "description"), KIND_TEXT));
		draft_set(r->now, SLOT_LANGUAGE,
		    value_of(f, attr_keep(a, "language"), KIND_TEXT));
		categories(r, a);
		r->entered = 1;
		reader_entry(r);
	}
	r->now = &r->feed;
	push_outline(r, text);
}

void
close_outline(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	struct outline *o = r->outline;

	(void)f;
	(void)at;
	(void)len;
	if (o == NULL)
		return;
	r->outline = o->parent;
	free(o->text);
	free(o);
}

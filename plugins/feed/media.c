/* Enclosures and pictures: RSS, Atom, Media RSS, iTunes, Podcasting 2.0. */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
add_enclosure(struct reader *r, const struct frame *f, uint32_t url, uint32_t type, long long size,
    int media)
{
	struct draft *d = r->now;
	struct part *p;
	size_t i;

	if (url == 0)
		return;
	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_ENCLOSURE &&
		    strcmp(d->text + d->parts[i].at[0], d->text + url) == 0)
			break;
	if (i < d->nparts && (media || d->parts[i].at[2] == 0))
		return;
	/* what the entry says of a file itself stands for what Media RSS says of it */
	p = i < d->nparts ? &d->parts[i] : draft_add(d, ITEM_ENCLOSURE);
	if (p == NULL)
		return;
	if (i < d->nparts) {
		type = type != 0 ? type : p->at[1];
		size = size >= 0 ? size : (long long)p->n;
	}
	p->at[0] = url;
	p->at[1] = type;
	p->base = f->base;
	p->n = (double)size;
	p->at[2] = media ? 1 : 0;
}

static int
is_image(struct str type)
{
	return type.len > 6 && strncasecmp(type.p, "image/", 6) == 0;
}

void
open_enclosure(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t url = attr_keep(a, "url");

	if (url == 0)
		url = attr_keep(a, "href");
	if (url == 0)
		url = attr_keep(a, "resource");
	add_enclosure(r, f, url, attr_keep(a, "type"), str_number(attr(a, "length"), -1), 0);
	if (is_image(attr(a, "type")))
		draft_set(r->now, SLOT_IMAGE, (struct value){ .at = url, .base = f->base });
}

void
open_media_content(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t url = attr_keep(a, "url");

	add_enclosure(r, f, url, attr_keep(a, "type"), str_number(attr(a, "filesize"), -1), 1);
	if (str_is(attr(a, "medium"), "image") || is_image(attr(a, "type")))
		draft_set(r->now, SLOT_IMAGE, (struct value){ .at = url, .base = f->base });
}

void
open_thumbnail(struct reader *r, struct frame *f, const struct attrs *a)
{
	uint32_t url = attr_keep(a, "url");

	if (url == 0)
		gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
	draft_set(r->now, SLOT_IMAGE, value_of(f, url, KIND_TEXT));
}

static void
add_number(struct reader *r, enum item item, const char *name, struct str s)
{
	char text[64], *end;
	struct part *p;
	double n;

	if (s.len == 0 || s.len >= sizeof(text))
		return;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	n = strtod(text, &end);
	if (end == text || n != n || n < 0 || n > 9e15 || (p = draft_add(r->now, item)) == NULL)
		return;
	p->name = name;
	p->n = n;
}

void
open_statistics(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	add_number(r, ITEM_COUNTER, "views", attr(a, "views"));
	add_number(r, ITEM_COUNTER, "favorites", attr(a, "favorites"));
}

void
open_star_rating(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	add_number(r, ITEM_COUNTER, "ratings", attr(a, "count"));
	add_number(r, ITEM_NUMBER, "rating", attr(a, "average"));
}

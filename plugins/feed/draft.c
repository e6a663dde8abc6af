/* The draft of an entry: its texts in one growing block, and places in that block. */
#include "feed.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX	(4 * FEED_LIST_MAX + FEED_EXTRA_MAX)

static const uint32_t limits[ITEM_MAX] = {
	[ITEM_CATEGORY] = FEED_LIST_MAX, [ITEM_AUTHOR] = FEED_LIST_MAX,
	[ITEM_CONTRIBUTOR] = FEED_LIST_MAX, [ITEM_ENCLOSURE] = FEED_LIST_MAX,
	[ITEM_EXTRA] = FEED_EXTRA_MAX / 2, [ITEM_NUMBER] = FEED_EXTRA_MAX / 4,
	[ITEM_COUNTER] = FEED_EXTRA_MAX / 4,
};

void
draft_init(struct draft *d)
{
	memset(d, 0, sizeof(*d));
	draft_clear(d);
}

void
draft_free(struct draft *d)
{
	free(d->text);
	free(d->parts);
	memset(d, 0, sizeof(*d));
}

void
draft_clear(struct draft *d)
{
	memset(d->one, 0, sizeof(d->one));
	memset(d->count, 0, sizeof(d->count));
	d->nparts = 0;
	d->len = 0;
	d->lost = 0;
	if (draft_room(d, 1) == 0)
		d->text[d->len++] = '\0';	/* place 0: the empty string */
}

/* Room for n bytes and a NUL after them. */
int
draft_room(struct draft *d, size_t n)
{
	size_t cap = d->cap > 0 ? d->cap : 4096;
	char *text;

	if (n > FEED_ENTRY_MAX || d->len + n + 2 > FEED_ENTRY_MAX) {
		d->lost = 1;
		return -1;
	}
	if (d->text != NULL && d->len + n + 2 <= d->cap)
		return 0;
	while (cap < d->len + n + 2)
		cap *= 2;
	if ((text = realloc(d->text, cap)) == NULL) {
		d->lost = 1;
		return -1;
	}
	d->text = text;
	d->cap = cap;
	return 0;
}

uint32_t
draft_text(struct draft *d, const char *s, size_t len)
{
	struct str t = str_trim((struct str){ s, len });
	uint32_t at = (uint32_t)d->len;

	if (t.len == 0 || draft_room(d, t.len + 1) == -1)
		return 0;
	memcpy(d->text + d->len, t.p, t.len);
	d->len += t.len;
	d->text[d->len++] = '\0';
	return at;
}

void
draft_set(struct draft *d, enum slot slot, struct value v)
{
	int later = slot == SLOT_PUBLISHED || slot == SLOT_UPDATED;	/* the last date counts */

	if (v.at == 0 || slot == SLOT_NONE)
		return;
	if (d->one[slot].at == 0 || d->one[slot].rank < v.rank + later)
		d->one[slot] = v;
}

struct part *
draft_add(struct draft *d, enum item item)
{
	size_t cap = d->parts_cap > 0 ? 2 * d->parts_cap : 32;
	struct part *parts;

	if (d->nparts == PARTS_MAX || d->count[item] == limits[item]) {
		d->lost = 1;
		return NULL;
	}
	if (d->nparts == d->parts_cap) {
		if ((parts = realloc(d->parts, cap * sizeof(*parts))) == NULL) {
			d->lost = 1;
			return NULL;
		}
		d->parts = parts;
		d->parts_cap = cap;
	}
	d->count[item]++;
	parts = &d->parts[d->nparts++];
	*parts = (struct part){ .item = (uint8_t)item };
	return parts;
}

void
draft_extra(struct draft *d, const char *name, uint32_t at)
{
	struct part *p;
	size_t i;

	if (at == 0)
		return;
	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_EXTRA && d->parts[i].name == name)
			return;
	if ((p = draft_add(d, ITEM_EXTRA)) != NULL) {
		p->name = name;
		p->at[0] = at;
	}
}

void
draft_address(struct draft *d, const char *name, uint32_t at)
{
	if (at != 0 && text_is_web(d->text + at))
		draft_extra(d, name, at);
}

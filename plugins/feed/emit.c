/* From the draft to the host: an entry that is whole, and the feed at the end. */
#include "feed.h"

#include <stdio.h>
#include <string.h>

/* Which field a slot becomes, as text and as HTML. 0: not by itself. */
static const struct {
	int	 text, html;
} fields[SLOT_MAX] = {
	[SLOT_TITLE] = { CR_TITLE, CR_TITLE_HTML },
	[SLOT_LINK] = { CR_LINK, CR_LINK },
	[SLOT_SUMMARY] = { CR_SUMMARY_TEXT, CR_SUMMARY },
	[SLOT_CONTENT] = { CR_CONTENT_TEXT, CR_CONTENT },
	[SLOT_PUBLISHED] = { CR_PUBLISHED, CR_PUBLISHED },
	[SLOT_UPDATED] = { CR_UPDATED, CR_UPDATED },
	[SLOT_LANGUAGE] = { CR_LANGUAGE, CR_LANGUAGE },
	[SLOT_IMAGE] = { CR_IMAGE, CR_IMAGE },
	[SLOT_COMMENTS] = { CR_COMMENTS, CR_COMMENTS },
	[SLOT_RIGHTS] = { CR_RIGHTS, CR_RIGHTS_HTML },
};

/* Relative addresses count from xml:base, else from the document's own address; where that is not
 * known, from what the feed says is its page. */
static void
use_base(struct reader *r, uint16_t base)
{
	const char *home = r->home;

	if (r->base == base)
		return;
	if (home == NULL && r->page[0] == '\0' && r->feed.one[SLOT_LINK].at != 0)
		home = r->feed.text + r->feed.one[SLOT_LINK].at;
	r->cr->base(r->cr, base != 0 ? r->strings[base] : home);
	r->base = base;
}

/* Where not even the document's address is known, those in the HTML of an entry count from its
 * page. */
static void
use_page(struct reader *r, const struct draft *d)
{
	const struct value *link = &d->one[SLOT_LINK];

	use_base(r, link->base);
	if (r->page[0] != '\0' || r->home != NULL || link->at == 0)
		return;
	r->cr->base(r->cr, d->text + link->at);
	r->base = BASE_OTHER;
}

/* What the host has no call for in parts goes as a text. */
static FEED_APART void
put_contributor(struct reader *r, struct cr_record *rec, uint16_t base, const char *name,
    const char *mail, const char *uri)
{
	FEED_UNSET char text[3 * FEED_LINE_MAX];
	FEED_UNSET char url[FEED_LINE_MAX];

	if (uri != NULL)
		uri = reader_absolute(r, url, base, uri, strlen(uri)) == 0 ? url : NULL;
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", name != NULL ? name : "",
	    mail != NULL ? " <" : "", mail != NULL ? mail : "", mail != NULL ? ">" : "",
	    uri != NULL ? " <" : "", uri != NULL ? uri : "", uri != NULL ? ">" : "");
	r->cr->set(rec, CR_CONTRIBUTOR, text);
}

static void
put_person(struct reader *r, struct cr_record *rec, const struct draft *d, const struct part *p)
{
	const char *name = p->at[0] != 0 ? d->text + p->at[0] : NULL;
	const char *mail = p->at[1] != 0 ? d->text + p->at[1] : NULL;
	const char *uri = p->at[2] != 0 ? d->text + p->at[2] : NULL;

	if (p->item == ITEM_AUTHOR)
		r->cr->add_author(rec, name, mail, uri);
	else
		put_contributor(r, rec, p->base, name, mail, uri);
}

static void
put_part(struct reader *r, struct cr_record *rec, const struct draft *d, const struct part *p)
{
	const char *first = d->text + p->at[0];

	switch (p->item) {
	case ITEM_CATEGORY:
		r->cr->set(rec, CR_CATEGORY, first);
		break;
	case ITEM_ENCLOSURE:
		use_base(r, p->base);
		r->cr->add_enclosure(rec, first, p->at[1] != 0 ? d->text + p->at[1] : NULL,
		    p->n >= 0 && p->n < 9e15 ? (int64_t)p->n : -1);
		break;
	case ITEM_EXTRA:
		r->cr->set_extra(rec, p->name != NULL ? p->name : first,
		    p->name != NULL ? first : d->text + p->at[1]);
		break;
	case ITEM_NUMBER:
		r->cr->set_number(rec, p->name, p->n);
		break;
	case ITEM_COUNTER:
		r->cr->set_counter(rec, p->name, (int64_t)p->n);
		break;
	default:
		use_base(r, p->base);
		put_person(r, rec, d, p);
	}
}

/* Of the people, those of rank 0 only count where there is nobody else. */
static int
named_better(const struct draft *d)
{
	size_t i;

	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_AUTHOR && d->parts[i].n > 0)
			return 1;
	return 0;
}

static void
put_slots(struct reader *r, struct cr_record *rec, const struct draft *d)
{
	int slot;

	for (slot = 1; slot < SLOT_MAX; slot++) {
		const struct value *v = &d->one[slot];

		if (v->at == 0 || fields[slot].text == 0)
			continue;
		if (v->kind == KIND_HTML && v->base == 0 && d == &r->entry)
			use_page(r, d);
		else
			use_base(r, v->base);
		r->cr->set(rec, v->kind == KIND_HTML ? fields[slot].html : fields[slot].text,
		    d->text + v->at);
	}
}

/* The lists: first what is the entry's own, then what Media RSS adds; a number tells how many of the
 * enclosures are its own when there are others. */
static void
put_parts(struct reader *r, struct cr_record *rec, const struct draft *d)
{
	int better = named_better(d), media;
	size_t i, own = 0;

	for (i = 0; i < d->nparts; i++)
		own += d->parts[i].item == ITEM_ENCLOSURE && d->parts[i].at[2] == 0;
	if (own < d->count[ITEM_ENCLOSURE])
		r->cr->set_number(rec, "own-enclosures", (double)own);
	for (media = 0; media < 2; media++)
		for (i = 0; i < d->nparts; i++) {
			const struct part *p = &d->parts[i];

			if (better && p->item == ITEM_AUTHOR && p->n <= 0)
				continue;
			if ((p->item == ITEM_ENCLOSURE && p->at[2] != 0) == media)
				put_part(r, rec, d, p);
		}
}

/* Who wrote the feed wrote its entries, unless they say otherwise (RFC 4287 4.2.1). */
static void
put_feed_authors(struct reader *r, struct cr_record *rec)
{
	const struct draft *d = &r->feed;
	int better = named_better(d);
	size_t i;

	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_AUTHOR && (!better || d->parts[i].n > 0))
			put_part(r, rec, d, &d->parts[i]);
}

/* An entry without a page of its own is found at what it carries. */
static void
put_link_of_enclosure(struct reader *r, struct cr_record *rec, const struct draft *d)
{
	size_t i;

	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == ITEM_ENCLOSURE) {
			use_base(r, d->parts[i].base);
			r->cr->set(rec, CR_LINK, d->text + d->parts[i].at[0]);
			return;
		}
}

void
reader_entry(struct reader *r)
{
	const struct draft *d = &r->entry;
	const struct value *guid = &d->one[SLOT_GUID];
	struct cr_record *rec;

	if (r->skip > 0) {	/* given before the document had to be mended */
		r->skip--;
		return;
	}
	if (r->entries >= r->opts->entries) {
		r->lost++;
		return;
	}
	r->entries++;
	r->cut += d->lost;
	rec = r->cr->record(r->cr, guid->at != 0 ? d->text + guid->at : CR_BY_TITLE);
	put_slots(r, rec, d);
	put_parts(r, rec, d);
	if (d->one[SLOT_LINK].at == 0)
		put_link_of_enclosure(r, rec, d);
	if (d->count[ITEM_AUTHOR] == 0)
		put_feed_authors(r, rec);
	r->cr->emit(r->cr, rec);
}

void
reader_feed(struct reader *r)
{
	struct cr_record *rec = r->cr->feed(r->cr);

	use_base(r, 0);
	put_slots(r, rec, &r->feed);
	put_parts(r, rec, &r->feed);
	if (r->hours[0] != '\0')
		r->cr->set_extra(rec, "skipHours", r->hours);
	if (r->days[0] != '\0')
		r->cr->set_extra(rec, "skipDays", r->days);
	use_base(r, 0);
}

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
	[SLOT_RIGHTS] = { CR_RIGHTS, CR_RIGHTS },
};

static void
use_base(struct reader *r, uint16_t base)
{
	if (r->base == base)
		return;
	r->cr->base(r->cr, r->strings[base]);
	r->base = base;
}

static void
put_person(struct reader *r, struct cr_record *rec, const struct draft *d, const struct part *p)
{
	const char *name = p->at[0] != 0 ? d->text + p->at[0] : NULL;
	const char *mail = p->at[1] != 0 ? d->text + p->at[1] : NULL;
	const char *uri = p->at[2] != 0 ? d->text + p->at[2] : NULL;
	char text[4096];

	if (p->item == ITEM_AUTHOR) {
		r->cr->add_author(rec, name, mail, uri);
		return;
	}
	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", name != NULL ? name : "",
	    mail != NULL ? " <" : "", mail != NULL ? mail : "", mail != NULL ? ">" : "",
	    uri != NULL ? " <" : "", uri != NULL ? uri : "", uri != NULL ? ">" : "");
	r->cr->set(rec, CR_CONTRIBUTOR, text);
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
put_draft(struct reader *r, struct cr_record *rec, const struct draft *d)
{
	int better = named_better(d), slot;
	size_t i;

	for (slot = 1; slot < SLOT_MAX; slot++) {
		const struct value *v = &d->one[slot];

		if (v->at == 0 || fields[slot].text == 0)
			continue;
		use_base(r, v->base);
		r->cr->set(rec, v->kind == KIND_HTML ? fields[slot].html : fields[slot].text,
		    d->text + v->at);
	}
	for (i = 0; i < d->nparts; i++)
		if (!better || d->parts[i].item != ITEM_AUTHOR || d->parts[i].n > 0)
			put_part(r, rec, d, &d->parts[i]);
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
	rec = r->cr->record(r->cr, guid->at != 0 ? d->text + guid->at : NULL);
	put_draft(r, rec, d);
	r->cr->emit(r->cr, rec);
}

void
reader_feed(struct reader *r)
{
	struct cr_record *rec = r->cr->feed(r->cr);

	put_draft(r, rec, &r->feed);
	if (r->hours[0] != '\0')
		r->cr->set_extra(rec, "skipHours", r->hours);
	if (r->days[0] != '\0')
		r->cr->set_extra(rec, "skipDays", r->days);
	use_base(r, 0);
}

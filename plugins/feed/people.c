/* People: as a text of many shapes, or in parts. */
#include "handlers.h"

#include <string.h>
#include <strings.h>

static int
same(const struct draft *d, const struct part *p, const struct person *who)
{
	return strcmp(d->text + p->at[0], d->text + who->name) == 0 &&
	    strcmp(d->text + p->at[1], d->text + who->mail) == 0 &&
	    strcmp(d->text + p->at[2], d->text + who->uri) == 0;
}

/* slot: ITEM_AUTHOR or ITEM_CONTRIBUTOR; rank 0: only where nobody else is named. */
static void
add_person(struct reader *r, const struct frame *f, const struct person *who)
{
	struct draft *d = r->now;
	enum item item = f->el->slot;
	struct part *p;
	size_t i;

	if (who->name == 0 && who->mail == 0 && who->uri == 0)
		return;
	for (i = 0; i < d->nparts; i++)
		if (d->parts[i].item == item && same(d, &d->parts[i], who))
			return;
	if ((p = draft_add(d, item)) == NULL)
		return;
	p->at[0] = who->name;
	p->at[1] = who->mail;
	p->at[2] = who->uri;
	p->base = f->base;
	p->n = f->el->rank;
}

void
open_person(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	(void)a;
	memset(&r->person, 0, sizeof(r->person));
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

/* A text is taken apart; else the parts have come by themselves. */
void
close_person(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	struct person who = r->person;
	struct str name, mail;
	FEED_UNSET char text[1024];

	if (at != 0) {
		len = text_cut(r->now->text + at, len, sizeof(text));
		memcpy(text, r->now->text + at, len);	/* the draft may move */
		text_person((struct str){ text, len }, &name, &mail);
		who.name = draft_text(r->now, name.p, name.len);
		who.mail = mail.len > 0 ? draft_text(r->now, mail.p, mail.len) : 0;
		who.uri = 0;
	}
	add_person(r, f, &who);
	memset(&r->person, 0, sizeof(r->person));
}

void
close_person_name(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)f;
	(void)len;
	if (r->person.name == 0)
		r->person.name = at;
}

void
close_person_mail(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)f;
	(void)len;
	if (r->person.mail == 0)
		r->person.mail = at;
}

void
close_person_uri(struct reader *r, struct frame *f, uint32_t at, size_t len)
{
	(void)f;
	(void)len;
	if (r->person.uri == 0)
		r->person.uri = at;
}

/* FOAF: an address in rdf:resource. */
void
open_person_mail(struct reader *r, struct frame *f, const struct attrs *a)
{
	struct str s = attr(a, "resource");

	(void)f;
	if (s.len > 7 && strncasecmp(s.p, "mailto:", 7) == 0)
		s = (struct str){ s.p + 7, s.len - 7 };
	if (s.len > 0)
		r->person.mail = draft_text(r->now, s.p, text_cut(s.p, s.len, FEED_LINE_MAX));
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

void
open_person_uri(struct reader *r, struct frame *f, const struct attrs *a)
{
	(void)f;
	r->person.uri = attr_keep(a, "resource");
	gather_begin(r, r->depth, GATHER_PLAIN, FEED_LINE_MAX);
}

/* An edition as an entry of a feed: its title, its page, and the list of its records. */
#include "feed_out.h"
#include "mail/mail.h"

#include <errno.h>
#include <string.h>

static void
item_add(struct text *t, struct cr *cr, const struct cr_record *rec)
{
	struct text room = { .data = NULL };
	const char *title = item_title(cr, rec, &room), *link = cr->get(rec, CR_LINK, 0), *made;

	text_str(t, "<li>");
	if (is_link(link)) {
		text_str(t, "<a href=\"");
		html_escaped(t, link, strlen(link));
		text_str(t, "\">");
	}
	made = cr->tex(cr, title, 1);
	if (made != NULL)
		text_str(t, made);
	else
		html_escaped(t, title, strlen(title));
	text_str(t, is_link(link) ? "</a></li>\n" : "</li>\n");
	t->bad |= room.bad;
	text_free(&room);
}

void
entry_content(struct text *t, struct cr *cr, const struct cr_batch *b)
{
	for (size_t i = 0; i < b->nsections; i++) {
		const struct cr_section *s = b->sections[i];

		if (s->title[0] != '\0') {
			text_str(t, "<h2>");
			html_escaped(t, s->title, strlen(s->title));
			text_str(t, "</h2>\n");
		}
		text_str(t, "<ol>\n");
		for (size_t k = s->first; k < s->first + s->n; k++)
			item_add(t, cr, b->items[k]);
		text_str(t, "</ol>\n");
	}
	if (b->n == 0)
		text_str(t, "<p>Nothing new this time.</p>\n");
}

static void
put_rss(struct out *o, const struct list *l, const char *title, const char *content)
{
	out_str(o, "<item>\n");
	element(o, "title", "", title);
	element_uri(o, "link", is_page(l->batch->archive) ? l->batch->archive : NULL);
	out_str(o, "<guid isPermaLink=\"false\">urn:courant:");
	out_urn_part(o, l->batch->id);
	out_str(o, "</guid>\n<pubDate>");
	out_rfc822(o, l->batch->sealed);
	out_str(o, "</pubDate>\n");
	element(o, "description", "", content);
	out_str(o, "</item>\n");
}

static void
put_atom(struct out *o, const struct list *l, const char *title, const char *content)
{
	out_str(o, "<entry>\n<id>urn:courant:");
	out_urn_part(o, l->batch->id);
	out_str(o, "</id>\n");
	element(o, "title", "", title);
	out_str(o, "<updated>");
	out_rfc3339(o, l->batch->sealed);
	out_str(o, "</updated>\n<published>");
	out_rfc3339(o, l->batch->sealed);
	out_str(o, "</published>\n<author>");
	element(o, "name", "", l->title);
	out_str(o, "</author>\n");
	if (is_page(l->batch->archive)) {
		out_str(o, "<link rel=\"alternate\" type=\"text/html\"");
		attribute_uri(o, "href", l->batch->archive);
		out_str(o, "/>\n");
	}
	element(o, "content", " type=\"html\"", content);
	out_str(o, "</entry>\n");
}

static void
put_json(struct out *o, const struct list *l, const char *title, const char *content)
{
	out_str(o, "\n{\"id\": \"urn:courant:");
	out_urn_part(o, l->batch->id);
	out_str(o, "\",\n");
	if (is_page(l->batch->archive)) {
		out_str(o, "\"url\": ");
		out_json_uri(o, l->batch->archive);
		out_str(o, ",\n");
	}
	out_str(o, "\"title\": ");
	out_json(o, title);
	out_str(o, ",\n\"content_html\": ");
	out_json(o, content);
	out_str(o, ",\n\"date_published\": \"");
	out_rfc3339(o, l->batch->sealed);
	out_str(o, "\"}\n");
}

/* What stands around an entry: no text of ours or of others has it, since it is escaped there. */
static const struct {
	const struct format *format;
	const char	*begin, *end;	/* both belong to the entry, but for a line's end at `begin` */
	void		(*put)(struct out *, const struct list *, const char *title, const char *content);
} kinds[] = {
	{ &format_rss, "\n<item>\n", "</item>\n", put_rss },
	{ &format_atom, "\n<entry>\n", "</entry>\n", put_atom },
	{ &format_json, "\n{\"id\": ", "\"}\n", put_json },
};

void
entry_put(struct out *o, const struct list *l, const struct format *f, const char *content)
{
	struct text title = { .data = NULL }, date = { .data = NULL };

	edition_date(&date, l->batch);
	text_str(&title, readable(l->cr, l->title));
	text_str(&title, ", ");
	text_str(&title, date.data);
	if (title.bad | date.bad)
		o->error = ENOMEM;
	for (size_t i = 0; !title.bad && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].format == f)
			kinds[i].put(o, l, title.data, content);
	text_free(&title);
	text_free(&date);
}

const char *
entry_find(const struct format *f, const char *document, size_t *len)
{
	const char *begin, *end;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].format != f || (begin = strstr(document, kinds[i].begin)) == NULL ||
		    (end = strstr(begin, kinds[i].end)) == NULL)
			continue;
		begin++;
		*len = (size_t)(end - begin) + strlen(kinds[i].end);
		return begin;
	}
	return NULL;
}

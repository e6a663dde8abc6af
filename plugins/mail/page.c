/* The page of an edition in the archive: its letter's HTML without the limit of a mail. */
#include "mail.h"

#include <stdio.h>
#include <string.h>

static void
link_put(struct text *t, const char *rel, const char *name, const char *words)
{
	text_str(t, "<a rel=\"");
	text_str(t, rel);
	text_str(t, "\" href=\"");
	html_escaped(t, name, strlen(name));
	text_str(t, "\">");
	text_str(t, words);
	html_escaped(t, name, strlen(name));
	text_str(t, "</a>");
}

/* Relative addresses: beside the page are the others. */
static void
around_put(struct text *t, const char *previous)
{
	text_str(t, "<p class=\"m f\">");
	if (previous != NULL) {
		link_put(t, "prev", previous, "\xe2\x86\x90 ");
		text_str(t, " \xc2\xb7 ");
	}
	text_str(t, "<a href=\"./\">All editions</a>" PAGE_NEXT "</p>\n");
}

void
page_next(struct text *t, const char *name)
{
	text_str(t, " \xc2\xb7 ");
	text_str(t, "<a rel=\"next\" href=\"");
	html_escaped(t, name, strlen(name));
	text_str(t, "\">");
	html_escaped(t, name, strlen(name));
	text_str(t, " \xe2\x86\x92</a>");
}

static void
others_put(struct parts *p, struct cr *cr, const struct cr_batch *b)
{
	int64_t rest = b->left_out - (int64_t)b->nothers;
	char words[64];

	if (b->nothers > 0) {
		layout_section(p, "There was no room for");
		layout_others(p, cr, b->others, b->nothers);
	}
	if (rest <= 0)
		return;
	snprintf(words, sizeof(words), "%lld more were left out", (long long)rest);
	layout_link(p, words, NULL);
}

void
page_make(struct text *out, struct cr *cr, const struct letter_options *o, const struct cr_batch *b,
    const char *previous)
{
	struct parts p = { .text = { .data = NULL } };
	struct text date = { .data = NULL };
	size_t summary = o->summary < 0 ? LETTER_USUAL : (size_t)o->summary;

	layout_head(&p, cr, b->title[0] != '\0' ? b->title : b->route, b->name, NULL,
	    letter_language(cr, b));
	edition_date(&date, b);
	layout_dateline(&p, date.data);
	layout_body(&p);
	layout_paragraph(&p, o->intro);
	if (b->n == 0)
		layout_paragraph(&p, "Nothing new this time.");
	for (size_t i = 0; i < b->n; i++) {
		letter_item(&p, cr, o, b, i, summary);
		text_clear(&p.text);
	}
	others_put(&p, cr, b);
	around_put(&p.html, previous);
	layout_foot(&p);
	text_add(out, p.html.data, p.html.len);
	out->bad |= p.html.bad | p.text.bad | date.bad;
	layout_free(&p);
	text_free(&date);
}

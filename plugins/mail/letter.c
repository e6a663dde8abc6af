/* A letter: an edition, a record or a letter of the host's, as text and as HTML, made by one loop over the
 * batch; once for all readers, whose links to leave are put between the pieces. */
#include "mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTML_MAX	80000		/* bytes of the HTML, encoded: Gmail clips at 102 kB */
#define HTML_SPARE	6000		/* of these, for the end and the links to leave */
#define SUMMARY_SHORT	120		/* of one that is shortened */
#define CONTENT_SHORT	4000		/* characters of a record whose whole text is too long */

/* ---- how much an edition has room for ---- */

/* Of an item, the encoded bytes of its HTML with so much summary; and what was chosen. */
struct fit {
	size_t	len[3], chosen;		/* 0: as configured, 1: short, 2: none */
};

static size_t
summary_of(const struct letter_options *o, size_t chosen)
{
	size_t whole = o->summary < 0 ? LETTER_USUAL : (size_t)o->summary;

	if (chosen == 2)
		return 0;
	return chosen == 1 && whole > SUMMARY_SHORT ? SUMMARY_SHORT : whole;
}

static size_t
encoded_len(const struct text *t)
{
	struct text out = { .data = NULL };
	size_t len;

	mime_quoted(&out, t->data, t->len);
	len = out.bad ? SIZE_MAX / 4096 : out.len;
	text_free(&out);
	return len;
}

/* The title of the section of item i, and its rank there; "": none. */
static const char *
section_at(const struct cr_batch *b, size_t i, size_t *rank)
{
	for (size_t k = 0; k < b->nsections; k++) {
		const struct cr_section *s = b->sections[k];

		if (i < s->first || i >= s->first + s->n)
			continue;
		*rank = i - s->first + 1;
		return s->title;
	}
	*rank = i + 1;
	return "";
}

void
letter_item(struct parts *p, struct cr *cr, const struct letter_options *o, const struct cr_batch *b,
    size_t i, size_t summary)
{
	size_t rank = 0;
	const char *section = section_at(b, i, &rank);

	if (section[0] != '\0' && rank == 1)
		layout_section(p, section);
	layout_item(p, cr, b->items[i], section, b->n > 1 ? rank : 0, summary, o->images);
}

/* Measures each item; how many fit into `room` bytes with the summaries chosen. */
static size_t
fit_items(struct fit *fits, struct cr *cr, const struct letter_options *o, const struct cr_batch *b,
    size_t room)
{
	size_t i, k, total = 0, n = b->n;
	struct parts p = { .text = { .data = NULL } };

	for (i = 0; i < n; i++) {
		for (k = 0; k < 3; k++) {
			text_clear(&p.text);
			text_clear(&p.html);
			letter_item(&p, cr, o, b, i, summary_of(o, k));
			fits[i].len[k] = encoded_len(&p.html);
		}
		fits[i].chosen = 0;
		total += fits[i].len[0];
	}
	for (k = 1; k < 3; k++)
		for (i = n; i > 0 && total > room; i--) {
			total -= fits[i - 1].len[k - 1] - fits[i - 1].len[k];
			fits[i - 1].chosen = k;
		}
	for (; n > 0 && total > room; n--)
		total -= fits[n - 1].len[fits[n - 1].chosen];
	layout_free(&p);
	return n;
}

/* ---- the parts ---- */

/* Moves the HTML so far, encoded, into the letter's next piece. */
static void
piece_end(struct letter *l, struct parts *p, size_t nth)
{
	mime_quoted(&l->html[nth], p->html.data, p->html.len);
	l->html[nth].bad |= p->html.bad;
	text_clear(&p->html);
}

static const char *
batch_title(const struct cr_batch *b)
{
	return b->title != NULL && b->title[0] != '\0' ? b->title : b->route;
}

const char *
letter_language(struct cr *cr, const struct cr_batch *b)
{
	const char *first = b->n > 0 ? cr->get(b->items[0], CR_LANGUAGE, 0) : NULL, *s;

	for (size_t i = 1; first != NULL && i < b->n; i++)
		if ((s = cr->get(b->items[i], CR_LANGUAGE, 0)) == NULL || strcmp(s, first) != 0)
			return NULL;
	return first;
}

static void
more_put(struct parts *p, const struct cr_batch *b, size_t dropped)
{
	int64_t more = b->left_out + (int64_t)dropped;
	char words[64];

	if (more == 0) {
		if (is_link(b->archive))
			layout_link(p, "This edition on the web", b->archive);
		return;
	}
	snprintf(words, sizeof(words), is_link(b->archive) ? "%lld more on the page" :
	    "%lld more were left out", (long long)more);
	layout_link(p, words, b->archive);
}

static void
edition_make(struct letter *l, struct parts *p, struct cr *cr, const struct letter_options *o,
    const struct cr_batch *b)
{
	struct fit *fits = calloc(b->n + 1, sizeof(*fits));
	struct text date = { .data = NULL };
	size_t i, n;

	layout_head(p, cr, batch_title(b), b->name, NULL, letter_language(cr, b));
	edition_date(&date, b);
	layout_dateline(p, date.data);
	l->text.bad |= date.bad | (fits == NULL);
	text_free(&date);
	piece_end(l, p, 0);
	layout_body(p);
	layout_paragraph(p, o->intro);
	if (b->n == 0)
		layout_paragraph(p, "Nothing new this time.");
	n = fits != NULL ? fit_items(fits, cr, o, b, HTML_MAX - HTML_SPARE - l->html[0].len -
	    encoded_len(&p->html)) : 0;
	for (i = 0; i < n; i++)
		letter_item(p, cr, o, b, i, summary_of(o, fits[i].chosen));
	more_put(p, b, b->n - n);
	free(fits);
}

static void
record_make(struct letter *l, struct parts *p, struct cr *cr, const struct letter_options *o,
    const struct cr_record *rec)
{
	struct text room = { .data = NULL };
	const char *link = cr->get(rec, CR_LINK, 0), *title = item_title(cr, rec, &room);
	struct parts whole = { .text = { .data = NULL } };
	size_t max = o->summary > 0 ? (size_t)o->summary : 0;

	layout_head(p, cr, title, "", link, cr->get(rec, CR_LANGUAGE, 0));
	layout_about(p, cr, rec);
	piece_end(l, p, 0);
	layout_body(p);
	layout_paragraph(p, o->intro);
	if (o->summary < 0) {
		layout_content(&whole, cr, rec, 0, o->images);
		if (encoded_len(&whole.html) + l->html[0].len + HTML_SPARE > HTML_MAX)
			max = CONTENT_SHORT;
	}
	if (o->summary != 0)
		layout_content(p, cr, rec, max, o->images);
	if (is_link(link))
		layout_link(p, max == CONTENT_SHORT && o->summary < 0 ? "Read on" : "Read it at its source",
		    link);
	l->text.bad |= room.bad | whole.html.bad;
	layout_free(&whole);
	text_free(&room);
}

/* Paragraphs are divided by empty lines. */
static void
host_letter_make(struct letter *l, struct parts *p, struct cr *cr, const struct cr_batch *b)
{
	struct text words = { .data = NULL };
	const char *s = b->text, *end;

	layout_head(p, cr, batch_title(b), "", NULL, NULL);
	piece_end(l, p, 0);
	layout_body(p);
	while (s != NULL && *s != '\0') {
		end = strstr(s, "\n\n");
		text_clear(&words);
		text_add(&words, s, end != NULL ? (size_t)(end - s) : strlen(s));
		layout_paragraph(p, words.data);
		s = end != NULL ? end + 2 : NULL;
	}
	if (is_link(b->self)) {
		text_str(&p->html, "<p><a href=\"");
		html_escaped(&p->html, b->self, strlen(b->self));
		text_str(&p->html, "\">");
		html_escaped(&p->html, b->self, strlen(b->self));
		text_str(&p->html, "</a></p>\n");
		text_str(&p->text, "\n");
		text_str(&p->text, b->self);
		text_str(&p->text, "\n");
	}
	l->text.bad |= words.bad;
	text_free(&words);
}

int
letter_make(struct letter *l, struct cr *cr, const struct letter_options *o, const struct cr_batch *b,
    size_t nth)
{
	struct parts p = { .text = { .data = NULL } };

	*l = (struct letter){ .leaves = b->kind != CR_BATCH_LETTER,
		/* A letter with a page to confirm goes to who does not subscribe yet. */
		.asks = b->kind == CR_BATCH_LETTER && is_link(b->self) };
	subject_put(&l->subject, cr, b, nth, o->subject);
	if (b->kind == CR_BATCH_EDITION)
		edition_make(l, &p, cr, o, b);
	else if (b->kind == CR_BATCH_LETTER)
		host_letter_make(l, &p, cr, b);
	else
		record_make(l, &p, cr, o, b->items[nth]);
	piece_end(l, &p, 1);
	layout_foot(&p);
	piece_end(l, &p, 2);
	mime_quoted(&l->text, p.text.data, p.text.len);
	l->text.bad |= p.text.bad | l->subject.bad;
	layout_free(&p);
	return l->text.bad | l->html[0].bad | l->html[1].bad | l->html[2].bad ? -1 : 0;
}

void
letter_free(struct letter *l)
{
	text_free(&l->subject);
	text_free(&l->text);
	for (size_t i = 0; i < 3; i++)
		text_free(&l->html[i]);
}

/* ---- for one reader ---- */

int
letter_message(struct text *out, const struct letter *l, struct mime *m)
{
	struct parts top = { .text = { .data = NULL } }, end = { .text = { .data = NULL } };
	const char *leave = is_link(m->leave) ? m->leave : m->leave_mail;
	int bad;

	if (leave != NULL && leave[0] != '\0') {
		if (l->leaves)
			layout_leave(&top, leave, LEAVE_TOP);
		layout_leave(&end, leave, l->asks ? LEAVE_LETTER : LEAVE_END);
	}
	m->subject = l->subject.data;
	mime_header(out, m);
	mime_part(out, m, "text/plain");
	text_add(out, l->text.data, l->text.len);
	mime_quoted(out, end.text.data, end.text.len);
	mime_part(out, m, "text/html");
	text_add(out, l->html[0].data, l->html[0].len);
	mime_quoted(out, top.html.data, top.html.len);
	text_add(out, l->html[1].data, l->html[1].len);
	mime_quoted(out, end.html.data, end.html.len);
	text_add(out, l->html[2].data, l->html[2].len);
	mime_end(out, m);
	bad = out->bad | top.html.bad | end.html.bad | end.text.bad;
	layout_free(&top);
	layout_free(&end);
	return bad ? -1 : 0;
}

int64_t
letter_date(struct cr *cr, const struct cr_batch *b, size_t nth)
{
	int64_t date;

	if (b->kind != CR_BATCH_RECORDS)
		return b->sealed != 0 ? b->sealed : cr->now(cr);
	date = cr->get_time(b->items[nth], CR_REVISED);
	return date != CR_NO_TIME ? date : cr->get_time(b->items[nth], CR_SEEN);
}

/* The parts of a letter as a reader sees them: one column, in the colours of the reader's own program. */
#include "mail.h"

#include <stdio.h>
#include <string.h>

#define AUTHORS_SHOWN	4		/* of more, the others are counted */
#define DOT		" \xc2\xb7 "

/* Grey lines and faint text suit a light and a dark ground alike. */
static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{margin:0}\n"
    ".letter{max-width:37em;margin:0 auto;padding:32px 20px 48px;overflow-wrap:anywhere;"
    "font:17px/1.55 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif}\n"
    "h1{font-size:1.85em;line-height:1.2;font-weight:600;margin:0 0 .25em}\n"
    "h2{font:600 .8em/1.4 system-ui,sans-serif;letter-spacing:.09em;text-transform:uppercase;"
    "margin:3em 0 1.7em;padding-bottom:.5em;border-bottom:1px solid rgba(128,128,128,.45)}\n"
    "h3{font-size:1.14em;line-height:1.35;font-weight:600;margin:0 0 .2em}\n"
    "h4,h5{font-size:1em;margin:1.6em 0 .4em}\n"
    "h1 a,h3 a,.m a,.c a{color:inherit;text-decoration-thickness:1px;text-underline-offset:.18em;"
    "text-decoration-color:rgba(128,128,128,.75)}\n"
    "p{margin:0 0 .75em}\n"
    ".i{margin:0 0 2.1em}\n"
    ".i p{margin:.35em 0 0}\n"
    ".n{font-weight:400;opacity:.7;margin-right:.35em}\n"
    ".m{font:.8em/1.5 system-ui,sans-serif;opacity:.82}\n"
    ".t{display:inline}\n"
    ".b{margin:1.7em 0 0}\n"
    ".c{margin:2em 0 0}\n"
    ".f{margin:3.2em 0 0;padding-top:1em;border-top:1px solid rgba(128,128,128,.45)}\n"
    ".w{overflow-x:auto;overflow-wrap:normal}\n"
    "pre{white-space:pre-wrap;font-size:.85em}\n"
    "blockquote{margin:1em 0;padding-left:1em;border-left:3px solid rgba(128,128,128,.45)}\n"
    "img{max-width:100%;height:auto}\n"
    "table{border-collapse:collapse}td,th{padding:.2em .6em .2em 0;text-align:start;"
    "vertical-align:top}\n";

void
layout_free(struct parts *p)
{
	text_free(&p->text);
	text_free(&p->html);
}

static void
escaped(struct text *t, const char *s)
{
	if (s != NULL)
		html_escaped(t, s, strlen(s));
}

/* A text with its TeX shown. */
static void
shown(struct text *t, struct cr *cr, const char *s, int html)
{
	const char *made = s != NULL ? cr->tex(cr, s, html) : NULL;

	if (made != NULL)
		text_str(t, made);
	else if (html)
		escaped(t, s);
	else
		text_str(t, s);
}

/* Adds words to the text part, behind an empty line; they stand `indent` to the right, but for `first`. */
static void
paragraph(struct text *t, const char *words, const char *first, const char *indent, int gap)
{
	struct flow f = { .out = t };

	if (words == NULL || words[strspn(words, " \t\r\n")] == '\0')
		return;
	snprintf(f.first, sizeof(f.first), "%s", first);
	snprintf(f.rest, sizeof(f.rest), "%s", indent);
	if (gap && t->len > 0)
		text_add(t, "\n", 1);
	flow_words(&f, words);
	flow_end(&f);
}

static void
link_open(struct text *t, const char *url)
{
	text_str(t, "<a href=\"");
	escaped(t, url);
	text_str(t, "\">");
}

/* A tag of a language, as BCP 47 writes it. */
static int
is_language(const char *s)
{
	return s != NULL && s[0] != '\0' && strlen(s) <= 35 && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0';
}

void
layout_head(struct parts *p, struct cr *cr, const char *title, const char *name, const char *link,
    const char *language)
{
	struct text plain = { .data = NULL };

	shown(&plain, cr, title, 0);
	text_str(&p->html, "<!DOCTYPE html>\n<html lang=\"");
	text_str(&p->html, is_language(language) ? language : "en");
	text_str(&p->html, "\" dir=\"auto\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<meta name=\"supported-color-schemes\" content=\"light dark\">\n<title>");
	escaped(&p->html, plain.data);
	text_str(&p->html, name[0] != '\0' ? ", " : "");
	escaped(&p->html, name);
	text_str(&p->html, "</title>\n<style>\n");
	text_str(&p->html, style);
	text_str(&p->html, "</style>\n</head>\n<body>\n<div class=\"letter\">\n<h1 dir=\"auto\">");
	if (is_link(link))
		link_open(&p->html, link);
	shown(&p->html, cr, title, 1);
	text_str(&p->html, is_link(link) ? "</a></h1>\n" : "</h1>\n");
	paragraph(&p->text, plain.data, "", "", 0);
	p->html.bad |= plain.bad;
	text_free(&plain);
}

void
layout_dateline(struct parts *p, const char *line)
{
	text_str(&p->html, "<p class=\"m t\">");
	escaped(&p->html, line);
	text_str(&p->html, "</p>\n");
	paragraph(&p->text, line, "", "", 0);
}

void
layout_body(struct parts *p)
{
	text_str(&p->html, "<div class=\"b\">\n");
}

void
layout_paragraph(struct parts *p, const char *words)
{
	if (words == NULL || words[0] == '\0')
		return;
	text_str(&p->html, "<p dir=\"auto\">");
	escaped(&p->html, words);
	text_str(&p->html, "</p>\n");
	paragraph(&p->text, words, "", "", 1);
}

void
layout_section(struct parts *p, const char *title)
{
	static const char rule[] = "------------------------------------------------------------------------";
	size_t n = 0;

	text_str(&p->html, "<h2 dir=\"auto\">");
	escaped(&p->html, title);
	text_str(&p->html, "</h2>\n");
	text_add(&p->text, "\n", 1);
	paragraph(&p->text, title, "", "", 1);
	for (; *title != '\0'; title++)
		n += ((unsigned char)*title & 0xc0) != 0x80;
	text_add(&p->text, rule, n < FLOW_WIDTH ? n : FLOW_WIDTH);
	text_add(&p->text, "\n", 1);
}

void
layout_link(struct parts *p, const char *words, const char *url)
{
	text_str(&p->html, "<p class=\"c\">");
	if (is_link(url))
		link_open(&p->html, url);
	escaped(&p->html, words);
	text_str(&p->html, is_link(url) ? "</a></p>\n" : "</p>\n");
	text_add(&p->text, "\n", 1);
	text_str(&p->text, words);
	text_str(&p->text, is_link(url) ? ":\n" : ".\n");
	if (is_link(url)) {
		text_str(&p->text, url);
		text_add(&p->text, "\n", 1);
	}
}

void
layout_leave(struct parts *p, const char *url, enum leave_place place)
{
	static const char *const before[] = { [LEAVE_TOP] = "<p class=\"m t\">\xc2\xb7 ",
		[LEAVE_END] = "<p class=\"m f\">You get this because you subscribed. ",
		[LEAVE_LETTER] = "<p class=\"m f\">" };

	text_str(&p->html, before[place]);
	link_open(&p->html, url);
	text_str(&p->html, place == LEAVE_LETTER ? "Send me no more letters like this</a></p>\n" :
	    "Leave this list</a></p>\n");
	if (place == LEAVE_TOP)
		return;
	text_str(&p->text, place == LEAVE_LETTER ? "\n-- \nSend me no more letters like this:\n" :
	    "\n-- \nYou get this because you subscribed. Leave this list:\n");
	text_str(&p->text, url);
	text_add(&p->text, "\n", 1);
}

void
layout_others(struct parts *p, struct cr *cr, const struct cr_record *const *records, size_t n)
{
	struct text room = { .data = NULL };

	text_str(&p->html, "<ul class=\"c\">\n");
	for (size_t i = 0; i < n; i++) {
		const char *title = item_title(cr, records[i], &room), *link = cr->get(records[i], CR_LINK, 0);

		text_str(&p->html, "<li dir=\"auto\">");
		if (is_link(link))
			link_open(&p->html, link);
		shown(&p->html, cr, title, 1);
		text_str(&p->html, is_link(link) ? "</a></li>\n" : "</li>\n");
	}
	text_str(&p->html, "</ul>\n");
	p->html.bad |= room.bad;
	text_free(&room);
}

void
layout_foot(struct parts *p)
{
	text_str(&p->html, "</div>\n</div>\n</body>\n</html>\n");
}

/* ---- what is told of a record ---- */

/* One piece of a line of several. */
static void
piece(struct text *t)
{
	if (t->len > 0)
		text_str(t, DOT);
}

static void
authors_put(struct text *t, struct cr *cr, const struct cr_record *rec, int html)
{
	struct text name = { .data = NULL };
	const char *author;
	char others[40];
	size_t n = 0, len;

	for (; (author = cr->get(rec, CR_AUTHOR, n)) != NULL; n++) {
		if (n >= AUTHORS_SHOWN)
			continue;
		len = strcspn(author, "<");
		while (len > 0 && author[len - 1] == ' ')
			len--;
		text_clear(&name);
		text_add(&name, author, len);
		if (name.len == 0)		/* a mail alone */
			continue;
		text_str(t, n > 0 && t->len > 0 ? ", " : "");
		shown(t, cr, name.data, html);
	}
	if (n > AUTHORS_SHOWN && t->len > 0) {
		snprintf(others, sizeof(others), " and %zu others", n - AUTHORS_SHOWN);
		text_str(t, n - AUTHORS_SHOWN == 1 ? " and 1 other" : others);
	}
	t->bad |= name.bad;
	text_free(&name);
}

/* Numbers that people count in. */
static void
numbers_put(struct text *t, struct cr *cr, const struct cr_record *rec, int html)
{
	static const struct { const char *name, *one, *many; double from; } numbers[] = {
		{ "votes", "vote", "votes", 1 }, { "points", "point", "points", 1 },
		{ "stars", "star", "stars", 1 }, { "likes", "like", "likes", 1 },
		{ "comments", "comment", "comments", 1 }, { "sources", "source", "sources", 2 },
	};
	const char *comments = cr->get(rec, CR_COMMENTS, 0);
	char out[64];
	double value;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!cr->get_number(rec, numbers[i].name, &value) || !(value >= numbers[i].from) ||
		    value > 1e15)
			continue;
		piece(t);
		snprintf(out, sizeof(out), "%.0f%s%s", value, html ? "\xc2\xa0" : " ",
		    value < 1.5 ? numbers[i].one : numbers[i].many);
		if (html && i == 4 && is_link(comments)) {
			link_open(t, comments);
			text_str(t, out);
			text_str(t, "</a>");
		} else
			text_str(t, out);
	}
}

static void
about_put(struct text *t, struct cr *cr, const struct cr_record *rec, const char *section, int html)
{
	const struct cr_record *feed = cr->feed_of(rec);
	const char *source = feed != NULL ? cr->get(feed, CR_TITLE, 0) : NULL;
	int64_t date = cr->get_time(rec, CR_DATE);

	authors_put(t, cr, rec, html);
	if (source == NULL || source[0] == '\0')
		source = cr->get(rec, CR_SOURCE, 0);
	if (source != NULL && source[0] != '\0' && (section == NULL || strcmp(source, section) != 0)) {
		piece(t);
		shown(t, cr, source, html);
	}
	if (section == NULL && date != CR_NO_TIME && date > 0) {
		piece(t);
		day_put(t, date);
	}
	numbers_put(t, cr, rec, html);
}

/* The line about a record, in both parts. section: the title of its part, which need not be said again;
 * NULL: the record has a letter of its own. */
static void
about_line(struct parts *p, struct cr *cr, const struct cr_record *rec, const char *section,
    const char *indent)
{
	struct text line = { .data = NULL };

	about_put(&line, cr, rec, section, 1);
	if (line.len > 0) {
		text_str(&p->html, section == NULL ? "<p class=\"m t\">" : "<p class=\"m\" dir=\"auto\">");
		text_add(&p->html, line.data, line.len);
		text_str(&p->html, "</p>\n");
	}
	text_clear(&line);
	about_put(&line, cr, rec, section, 0);
	if (line.len > 0)
		paragraph(&p->text, line.data, indent, indent, 0);
	p->html.bad |= line.bad;
	text_free(&line);
}

void
layout_about(struct parts *p, struct cr *cr, const struct cr_record *rec)
{
	about_line(p, cr, rec, NULL, "");
}

static const char *
content_of(struct cr *cr, const struct cr_record *rec, int whole)
{
	const char *first = cr->get(rec, whole ? CR_CONTENT : CR_SUMMARY, 0);

	return first != NULL && first[0] != '\0' ? first : cr->get(rec, whole ? CR_SUMMARY : CR_CONTENT, 0);
}

/* The beginning of the record's text, unless it only repeats the title. */
static void
excerpt_put(struct parts *p, struct cr *cr, const struct cr_record *rec, size_t max, const char *title,
    const char *indent, int whole)
{
	struct text line = { .data = NULL };
	const char *made;

	content_excerpt(&line, content_of(cr, rec, whole), max);
	if (line.len > 0 && strcmp(line.data, title) != 0) {
		text_str(&p->html, "<p dir=\"auto\">");
		shown(&p->html, cr, line.data, 1);
		text_str(&p->html, "</p>\n");
		made = cr->tex(cr, line.data, 0);
		paragraph(&p->text, made != NULL ? made : line.data, indent, indent, 1);
	}
	p->html.bad |= line.bad;
	text_free(&line);
}

static void
picture_put(struct parts *p, struct cr *cr, const struct cr_record *rec)
{
	const char *url = cr->get(rec, CR_IMAGE, 0);

	if (!is_link(url))
		return;
	text_str(&p->html, "<p><img src=\"");
	escaped(&p->html, url);
	text_str(&p->html, "\" alt=\"\" style=\"max-width:100%;height:auto\"></p>\n");
}

void
layout_item(struct parts *p, struct cr *cr, const struct cr_record *rec, const char *section, size_t rank,
    size_t summary, int images)
{
	struct text room = { .data = NULL }, plain = { .data = NULL };
	const char *title = item_title(cr, rec, &room), *link = cr->get(rec, CR_LINK, 0);
	const char *language = cr->get(rec, CR_LANGUAGE, 0), *indent = rank > 0 ? "    " : "";
	char number[64] = "";

	text_str(&p->html, "<div class=\"i\"");
	if (is_language(language)) {
		text_str(&p->html, " lang=\"");
		text_str(&p->html, language);
		text_str(&p->html, "\"");
	}
	text_str(&p->html, ">\n<h3 dir=\"auto\">");
	if (rank > 0) {
		snprintf(number, sizeof(number), "<span class=\"n\">%zu</span> ", rank);
		text_str(&p->html, number);
		snprintf(number, sizeof(number), "%2zu. ", rank);
	}
	if (is_link(link))
		link_open(&p->html, link);
	shown(&p->html, cr, title, 1);
	text_str(&p->html, is_link(link) ? "</a></h3>\n" : "</h3>\n");
	shown(&plain, cr, title, 0);
	paragraph(&p->text, plain.data, number, indent, 1);
	about_line(p, cr, rec, section, indent);
	if (is_link(link)) {
		text_str(&p->text, indent);
		text_str(&p->text, link);
		text_add(&p->text, "\n", 1);
	}
	if (images)
		picture_put(p, cr, rec);
	if (summary > 0)
		excerpt_put(p, cr, rec, summary, title, indent, 0);
	text_str(&p->html, "</div>\n");
	p->html.bad |= room.bad | plain.bad;
	text_free(&room);
	text_free(&plain);
}

void
layout_content(struct parts *p, struct cr *cr, const struct cr_record *rec, size_t max, int images)
{
	const char *html = content_of(cr, rec, 1);

	if (max > 0) {
		excerpt_put(p, cr, rec, max, "", "", 1);
		return;
	}
	if (html == NULL || html[0] == '\0')
		return;
	text_str(&p->html, "<div dir=\"auto\">\n");
	content_html(&p->html, html, images);
	text_str(&p->html, "\n</div>\n");
	if (p->text.len > 0)
		text_add(&p->text, "\n", 1);
	content_text(&p->text, html);
}

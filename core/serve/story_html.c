/* A story in a page. */
#include "story_html.h"
#include "story_read.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/tex.h"
#include "base/text.h"
#include "base/utf8.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#define AUTHORS		3		/* that are named; the others are counted */
#define SOURCES		4
#define TEXT		420		/* bytes of a story's text in a list */
#define TEXT_WHOLE	20000		/* on its own page */
#define TEXT_LOOKED	(64u << 10)	/* bytes of HTML that the text is made of */
#define DOT		" \xc2\xb7 "

void
xml_put(struct buf *b, const char *s)
{
	if (s != NULL)
		text_xml(b, s, strlen(s));
}

int
is_page(const char *url)
{
	return url != NULL && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
}

void
link_open(struct buf *b, const char *url)
{
	buf_str(b, "<a rel=\"noopener noreferrer\" href=\"");
	xml_put(b, url);
	buf_str(b, "\">");
}

void
time_put(struct buf *b, int64_t ms)
{
	char date[DATE_MAX];

	date_rfc3339(date, ms / 1000 * 1000);
	buf_fmt(b, "<time datetime=\"%s\">%.10s %.5s</time>", date, date, date + 11);
}

static void
title_put(struct buf *b, const struct story *s)
{
	const char *link = record_get(s->face, CR_LINK, 0), *title = record_get(s->face, CR_TITLE, 0);

	if (is_page(link))
		link_open(b, link);
	if (title != NULL)
		tex_html(b, title, strlen(title));
	else
		xml_put(b, is_page(link) ? link : "(no title)");
	if (is_page(link))
		buf_str(b, "</a>");
}

/* " lang", if the story has a language. */
static void
language_put(struct buf *b, const struct story *s)
{
	const char *language = record_get(s->face, CR_LANGUAGE, 0);

	if (language == NULL)
		return;
	buf_str(b, " lang=\"");
	xml_put(b, language);
	buf_str(b, "\"");
}

static void
authors_put(struct buf *b, const struct story *s)
{
	const char *name;
	size_t n = 0;

	while (record_get(s->face, CR_AUTHOR, n) != NULL)
		n++;
	if (n == 0)
		return;
	buf_str(b, "<span dir=\"auto\">");
	for (size_t i = 0; i < n && i < AUTHORS; i++) {
		name = record_get(s->face, CR_AUTHOR, i);
		buf_str(b, i > 0 ? ", " : "");
		tex_html(b, name, strlen(name));
	}
	if (n > AUTHORS)
		buf_fmt(b, " and %zu more", n - AUTHORS);
	buf_str(b, "</span>" DOT);
}

static void
numbers_put(struct buf *b, const struct story *s)
{
	for (size_t i = 0; i < s->nnumbers; i++) {
		buf_fmt(b, "<b>%" PRId64 "</b> ", s->number[i].value);
		xml_put(b, s->number[i].name);
		buf_str(b, DOT);
	}
}

static void
sources_put(struct buf *b, const struct story *s)
{
	size_t i;

	for (i = 0; i < s->ntellers && i < SOURCES; i++) {
		buf_str(b, i > 0 ? ", " : "");
		xml_put(b, s->teller[i].source);
	}
	if (s->row.items > (int64_t)i)
		buf_fmt(b, " and %" PRId64 " more", s->row.items - (int64_t)i);
}

/* The first words of the story's text, at most so many bytes. */
static void
text_put(struct buf *b, const struct story *s, size_t most)
{
	const char *html = record_get(s->face, CR_SUMMARY, 0);
	struct buf text;
	size_t len;

	if (html == NULL)
		html = record_get(s->face, CR_CONTENT, 0);
	if (html == NULL)
		return;
	buf_init(&text, 4 * TEXT_LOOKED);
	text_of_html(&text, html, text_valid(html, strnlen(html, TEXT_LOOKED)));
	len = text.len;
	if (len > most) {
		len = text_valid(text.data, most);
		while (len > most / 2 && text.data[len - 1] != ' ')
			len--;
		while (len > 0 && text.data[len - 1] == ' ')
			len--;
	}
	if (len > 0) {
		buf_str(b, "<p class=\"text\" dir=\"auto\"");
		language_put(b, s);
		buf_str(b, ">");
		if (len == text.len)
			tex_html(b, text.data, len);
		else {
			text_xml(b, text.data, len);
			buf_str(b, "\xe2\x80\xa6");
		}
		buf_str(b, "</p>\n");
	}
	buf_free(&text);
}

static void
about_put(struct buf *b, const struct story *s)
{
	buf_str(b, "<p class=\"from\">");
	authors_put(b, s);
	numbers_put(b, s);
	sources_put(b, s);
	buf_str(b, DOT);
	time_put(b, record_date(s->face, s->ntellers > 0 ? s->teller[0].seen : s->row.born));
}

void
story_put(struct buf *b, const struct story *s)
{
	buf_str(b, "<article>\n<h2 dir=\"auto\"");
	language_put(b, s);
	buf_str(b, ">");
	title_put(b, s);
	buf_str(b, "</h2>\n");
	text_put(b, s, TEXT);
	about_put(b, s);
	buf_fmt(b, DOT "<a href=\"/s/%s\">more</a></p>\n</article>\n", s->id);
}

void
story_put_whole(struct buf *b, const struct story *s)
{
	buf_str(b, "<h1 dir=\"auto\"");
	language_put(b, s);
	buf_str(b, ">");
	title_put(b, s);
	buf_str(b, "</h1>\n");
	about_put(b, s);
	buf_str(b, "</p>\n");
	text_put(b, s, TEXT_WHOLE);
}

/* The HTML pages. They have no scripts and load nothing from other sites. */
#include "pages.h"
#include "outputs.h"
#include "reply.h"
#include "serve.h"
#include "base/date.h"
#include "base/tex.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"
#include "record/record.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX	(64u << 10)	/* bytes of the names of all outputs */
#define TEXT_LOOKED	4096		/* bytes of HTML from which a record's text is made */

static const char style[] =
	":root{color-scheme:light dark;--ink:#1d2328;--soft:#66707a;--line:#dfe3e6;--link:#0b5cad;"
	"--page:#fcfcfb}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e4e7ea;--soft:#98a2ac;--line:#333b42;"
	"--link:#7fb6f0;--page:#15191c}}\n"
	"body{margin:0 auto;max-width:44rem;padding:1.5rem 1rem 4rem;background:var(--page);"
	"color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
	"header{border-bottom:1px solid var(--line);margin-bottom:1.5rem;padding-bottom:.75rem}\n"
	"h1{font-size:1.4rem;margin:0}\n"
	"nav ul{list-style:none;margin:.5rem 0 0;padding:0;display:flex;flex-wrap:wrap;"
	"gap:.25rem 1rem}\n"
	"a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}\n"
	"article{margin:0 0 1.4rem}\n"
	"h2{font-size:1.05rem;line-height:1.35;margin:0}\n"
	"p{margin:.15rem 0 0}.from,footer{color:var(--soft);font-size:.85rem}\n"
	"label{display:block}.trap{position:absolute;left:-100vw;width:1px;overflow:hidden}\n"
	"input,button{font:inherit;box-sizing:border-box;max-width:100%;padding:.6rem .8rem;"
	"border-radius:.35rem;border:1px solid var(--soft);background:var(--page);color:var(--ink)}\n"
	"input{display:block;width:24rem;margin:.4rem 0 1rem}button{border-color:var(--link);"
	"background:var(--link);color:var(--page);cursor:pointer}\n"
	"main h1{margin:0 0 1rem}form+p{margin-top:1.25rem}[role=alert]{margin-bottom:1rem;font-weight:600}\n"
	"footer{border-top:1px solid var(--line);margin-top:2rem;padding-top:.75rem}\n";

void
page_style(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct buf b;

	(void)path;
	buf_init(&b, sizeof(style));
	buf_str(&b, style);
	reply_header(req, "Cache-Control", "max-age=3600");
	reply_buf(s, req, 200, "text/css; charset=utf-8", &b);
}

static void
xml(struct buf *b, const char *s)
{
	if (s != NULL)
		text_xml(b, s, strlen(s));
}

/* Whether a link is an HTTP URL: a feed may have any other URL, such as javascript:, as a link. */
static int
is_page(const char *url)
{
	return url != NULL && (strncasecmp(url, "http://", 7) == 0 ||
	    strncasecmp(url, "https://", 8) == 0);
}

/* A file's name, percent-encoded as the path of a URL. */
static void
url_path(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9') || strchr("/-_.~", *s) != NULL)
			buf_char(b, *s);
		else
			buf_fmt(b, "%%%02X", (unsigned)(unsigned char)*s);
}

/* The first words of the text of HTML, at most PAGES_TEXT bytes. */
static void
first_words(struct buf *b, const char *html)
{
	struct buf text;
	size_t len;

	buf_init(&text, 4 * TEXT_LOOKED);
	text_of_html(&text, html, text_valid(html, strnlen(html, TEXT_LOOKED)));
	len = text.len;
	if (len > PAGES_TEXT) {
		len = text_valid(text.data, PAGES_TEXT);
		while (len > PAGES_TEXT / 2 && text.data[len - 1] != ' ')
			len--;
	}
	if (len > 0) {
		buf_str(b, "<p>");
		text_xml(b, text.data, len);
		buf_str(b, len < text.len ? "\xe2\x80\xa6</p>\n" : "</p>\n");
	}
	buf_free(&text);
}

/* The record's source and date. */
static void
put_from(struct buf *b, const struct cr_record *rec, int64_t seen)
{
	char date[DATE_MAX];

	date_rfc3339(date, record_date(rec, seen) / 60000 * 60000);
	buf_str(b, "<p class=\"from\">");
	xml(b, record_get(rec, CR_SOURCE, 0));
	buf_fmt(b, " \xc2\xb7 <time datetime=\"%s\">%.10s %.5s</time></p>\n", date, date,
	    date + 11);
}

static void
put_record(struct buf *b, const struct cr_record *rec, int64_t seen)
{
	const char *link = record_get(rec, CR_LINK, 0), *title = record_get(rec, CR_TITLE, 0);
	const char *text = record_get(rec, CR_SUMMARY, 0);

	if (text == NULL)
		text = record_get(rec, CR_CONTENT, 0);
	buf_str(b, "<article>\n<h2>");
	if (is_page(link)) {
		buf_str(b, "<a rel=\"noopener noreferrer\" href=\"");
		xml(b, link);
		buf_str(b, "\">");
	}
	if (title != NULL && title[0] != '\0')
		tex_html(b, title, strlen(title));
	else
		xml(b, is_page(link) ? link : "(no title)");
	buf_str(b, is_page(link) ? "</a></h2>\n" : "</h2>\n");
	put_from(b, rec, seen);
	if (text != NULL)
		first_words(b, text);
	buf_str(b, "</article>\n");
}

/* Links to the outputs. in_head: only to feeds, so that feed readers discover them. */
static void
put_outputs(struct serve *s, struct buf *b, const char *before, const char *between,
    const char *after, int in_head)
{
	struct buf names;
	const char *name, *type;
	char *save = NULL;

	buf_init(&names, LIST_MAX);
	outputs_list(s->outputs, &names);
	for (name = names.data != NULL ? strtok_r(names.data, "\n", &save) : NULL; name != NULL;
	    name = strtok_r(NULL, "\n", &save)) {
		type = outputs_type(name);
		if (text_valid(name, strlen(name)) != strlen(name) ||
		    (in_head && strstr(type, "+") == NULL))
			continue;
		buf_str(b, before);
		if (in_head)
			buf_fmt(b, "type=\"%.*s\" ", (int)strcspn(type, ";"), type);
		buf_str(b, "href=\"/");
		url_path(b, name);
		buf_str(b, between);
		xml(b, name);
		buf_str(b, after);
	}
	buf_free(&names);
}

/* Links to the archives of editions. */
static void
put_editions(struct serve *s, struct buf *b)
{
	const char *title;

	if (reader_ask(s->reader, LOOK_EDITION_ROUTES, DB_INT(PAGES_ARCHIVES)) == -1)
		return;			/* the page will say it */
	while (reader_step(s->reader) == 1) {
		title = reader_text(s->reader, 1);
		buf_str(b, "<li><a href=\"/edition/");
		url_path(b, reader_text(s->reader, 0));
		buf_str(b, "\">");
		xml(b, title != NULL && title[0] != '\0' ? title : reader_text(s->reader, 0));
		buf_str(b, ": editions</a></li>\n");
	}
	reader_done(s->reader);
}

static void
put_head(struct serve *s, struct buf *b)
{
	buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<title>Courant</title>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<link rel=\"stylesheet\" href=\"/style.css\">\n");
	put_outputs(s, b, "<link rel=\"alternate\" ", "\" title=\"", "\">\n", 1);
	buf_str(b, "</head>\n<body>\n<header>\n<h1>Courant</h1>\n<nav><ul>\n");
	put_outputs(s, b, "<li><a ", "\">", "</a></li>\n", 0);
	put_editions(s, b);
	buf_str(b, "</ul></nav>\n</header>\n<main>\n");
}

/* -1: the database cannot be read. */
static int
put_records(struct serve *s, struct buf *b)
{
	struct reader_row row;
	struct cr_record *rec;
	int rc, n = 0;

	if (reader_ask(s->reader, LOOK_NEWEST, DB_INT(INT64_MAX), DB_INT(0), LOOK_NULL,
		DB_INT(INT64_MIN), DB_INT(PAGES_RECORDS)) == -1)
		return -1;
	while ((rc = reader_step(s->reader)) == 1) {
		reader_row(s->reader, &row);
		if ((rec = reader_row_record(&row)) == NULL)
			continue;
		put_record(b, rec, row.seen);
		record_free(rec);
		n++;
	}
	reader_done(s->reader);
	if (n == 0)
		buf_str(b, "<p>There are no records yet.</p>\n");
	return rc == -1 ? -1 : 0;
}

void
page_front(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct buf b;

	(void)path;
	buf_init(&b, SERVE_ANSWER_MAX);
	put_head(s, &b);
	if (put_records(s, &b) == -1) {
		buf_free(&b);
		reply_header(req, "Retry-After", "1");
		reply_error(s, req, 503, "%s", reader_why(s->reader));
		return;
	}
	buf_str(&b, "</main>\n<footer><a href=\"/api/v1/status\">status</a> \xc2\xb7"
	    " <a href=\"/api/v1/sources\">sources</a> \xc2\xb7"
	    " <a href=\"/api/v1/records\">records as JSON</a></footer>\n</body>\n</html>\n");
	reply_buf(s, req, 200, "text/html; charset=utf-8", &b);
}

/* What the HTML pages share. */
#include "pages.h"
#include "outputs.h"
#include "reply.h"
#include "serve.h"
#include "story_html.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX	(64u << 10)	/* bytes of the names of all outputs */

static const char style[] =
	":root{color-scheme:light dark;--ink:#22262a;--soft:#5f6973;--line:#e2e4e6;--link:#0b5cad;"
	"--page:#fdfdfb}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#dfe3e6;--soft:#98a2ac;--line:#30373d;"
	"--link:#8abdf2;--page:#15181b}}\n"
	"body{margin:0 auto;max-width:42rem;padding:1.5rem 1.1rem 4rem;background:var(--page);"
	"color:var(--ink);font:1.06rem/1.58 Charter,'Bitstream Charter','Sitka Text',Cambria,Georgia,serif;"
	"overflow-wrap:anywhere}\n"
	"header{border-bottom:1px solid var(--line);margin-bottom:2rem;padding-bottom:.8rem}\n"
	"header,footer,.from,label,input,button,table,.when,.skip{font-family:system-ui,sans-serif}\n"
	".site{font-size:1.05rem;font-weight:650;margin:0 0 .3rem}.site a{color:inherit}\n"
	"h1{font-size:1.75rem;line-height:1.25;font-weight:600;margin:0 0 .3rem}\n"
	"nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.95rem}\n"
	"nav a{display:inline-block;padding:.15rem 0}nav [aria-current]{color:var(--ink);font-weight:650}\n"
	"a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}\n"
	":focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}\n"
	".skip{position:absolute;left:-100vw}.skip:focus{position:static}\n"
	".stories{list-style:none;margin:1.8rem 0 0;padding:0;counter-reset:place}\n"
	".stories>li{margin:0 0 2rem;position:relative}\n"
	"article{margin:0 0 1.6rem}.stories article{margin:0}\n"
	"h2{font-size:1.2rem;line-height:1.32;font-weight:600;margin:0}h2 a,h1 a{color:inherit}\n"
	"p{margin:.35rem 0 0}.from,.when,footer{color:var(--soft);font-size:.86rem}.from a,footer a{color:var(--soft);"
	"text-decoration:underline;text-underline-offset:.15em;text-decoration-color:var(--line)}\n"
	".from b{font-weight:600;color:var(--ink)}\n"
	"label{display:block}.trap{position:absolute;left:-100vw;width:1px;overflow:hidden}\n"
	"input,button{font-size:1rem;box-sizing:border-box;max-width:100%;padding:.6rem .8rem;"
	"border-radius:.35rem;border:1px solid var(--soft);background:var(--page);color:var(--ink)}\n"
	"input{display:block;width:24rem;margin:.4rem 0 1rem}button{border-color:var(--link);"
	"background:var(--link);color:var(--page);cursor:pointer}\n"
	"form+p{margin-top:1.25rem}[role=alert]{margin-bottom:1rem;font-weight:600}\n"
	"table{border-collapse:collapse;font-size:.88rem;margin:1rem 0;width:100%}"
	"th,td{text-align:start;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line)}"
	"th{color:var(--soft);font-weight:500}td.n,th.n{text-align:end;font-variant-numeric:tabular-nums}\n"
	"section{margin-top:2.4rem}section h2{font-size:1rem}svg{display:block;width:100%;height:auto;margin:.8rem 0}\n"
	"footer{border-top:1px solid var(--line);margin-top:3rem;padding-top:.8rem}"
	".around{display:flex;justify-content:space-between;margin-top:2rem}\n";

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
		xml_put(b, name);
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
		xml_put(b, title != NULL && title[0] != '\0' ? title : reader_text(s->reader, 0));
		buf_str(b, ": editions</a></li>\n");
	}
	reader_done(s->reader);
}

static const struct { const char *path, *name; } lists[] = {
	{ "/", "Today" }, { "/trending", "Trending" }, { "/new", "New" }, { "/week/", "Week" }, { "/month/", "Month" },
};

static void
put_lists(struct buf *b, const char *here)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		buf_fmt(b, "<li><a href=\"%s\"%s>%s</a></li>\n", lists[i].path,
		    strcmp(lists[i].path, here) == 0 ? " aria-current=\"page\"" : "", lists[i].name);
}

void
page_begin(struct serve *s, struct buf *b, const char *title, const char *here)
{
	buf_init(b, SERVE_ANSWER_MAX);
	buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	xml_put(b, title);
	buf_str(b, title != NULL ? " \xc2\xb7 " : "");
	xml_put(b, s->title);
	buf_str(b, "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<link rel=\"stylesheet\" href=\"/style.css\">\n");
	put_outputs(s, b, "<link rel=\"alternate\" ", "\" title=\"", "\">\n", 1);
	buf_str(b, "</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the list</a>\n<header>\n"
	    "<p class=\"site\"><a href=\"/\">");
	xml_put(b, s->title);
	buf_str(b, "</a></p>\n<nav aria-label=\"Lists\"><ul>\n");
	put_lists(b, here);
	put_editions(s, b);
	buf_str(b, "</ul></nav>\n</header>\n<main id=\"main\">\n");
}

void
page_end(struct serve *s, struct buf *b)
{
	buf_str(b, "</main>\n<footer><nav aria-label=\"Outputs\"><ul>\n");
	put_outputs(s, b, "<li><a ", "\">", "</a></li>\n", 0);
	buf_str(b, "<li><a href=\"/api/v1/stories\">API</a></li>\n<li><a href=\"/api/v1/sources\">sources</a></li>\n"
	    "<li><a href=\"/api/v1/status\">status</a></li>\n</ul></nav></footer>\n</body>\n</html>\n");
}

void
page_answer(struct serve *s, struct evhttp_request *req, struct buf *b)
{
	char hash[DIGEST_BASE64], etag[DIGEST_BASE64 + 2];

	digest_base64(b->data, b->len, hash);
	snprintf(etag, sizeof(etag), "\"%s\"", hash);
	reply_header(req, "ETag", etag);
	if (reply_matches(req, etag)) {
		reply_header(req, "Cache-Control", "no-cache");
		buf_free(b);
		reply_empty(req, 304);
	} else
		reply_buf(s, req, 200, "text/html; charset=utf-8", b);
}

/* The HTML of a record, as the host sanitised it, made fit for a letter: as HTML of a few elements, and as
 * lines of text. */
#include "mail.h"
#include "shared/grapheme.h"
#include "shared/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_	12		/* bytes of an element's name, with its NUL */
#define DEPTH_MAX	48		/* open elements; those within are left out, their text is not */
#define LINKS_MAX	200		/* addresses behind a text */
#define LISTS_MAX	8		/* lists, and quotes, that indent */
#define EXCERPT_SLACK	8		/* a word of more than an excerpt's eighth is cut */

_Static_assert(LISTS_MAX * (2 + 4) < FLOW_PREFIX, "what begins a line has its room");

enum { BLOCK = 1, LINE = 2, VOID = 4, PRE = 8, QUOTE = 16, LIST = 32, ITEM = 64, IMAGE = 128, LINK = 256,
	CELL = 512 };

/* What a letter has. as: the element's name there; "": its text alone. Sorted. */
static const struct element {
	const char	*name, *as;
	int		 is;
} elements[] = {
	{ "a", "a", LINK }, { "abbr", "abbr", 0 }, { "address", "p", BLOCK }, { "article", "div", BLOCK },
	{ "aside", "div", BLOCK }, { "b", "b", 0 }, { "bdi", "bdi", 0 }, { "blockquote", "blockquote", BLOCK | QUOTE },
	{ "br", "br", LINE | VOID }, { "caption", "caption", BLOCK }, { "center", "div", BLOCK },
	{ "cite", "cite", 0 }, { "code", "code", 0 }, { "dd", "dd", LINE }, { "del", "del", 0 },
	{ "dfn", "dfn", 0 }, { "div", "div", LINE }, { "dl", "dl", BLOCK }, { "dt", "dt", LINE },
	{ "em", "em", 0 }, { "figcaption", "p", BLOCK }, { "figure", "div", BLOCK }, { "footer", "div", BLOCK },
	{ "h1", "h4", BLOCK }, { "h2", "h4", BLOCK }, { "h3", "h4", BLOCK }, { "h4", "h4", BLOCK },
	{ "h5", "h5", BLOCK }, { "h6", "h5", BLOCK }, { "header", "div", BLOCK }, { "hr", "hr", BLOCK | VOID },
	{ "i", "i", 0 }, { "img", "img", VOID | IMAGE }, { "ins", "ins", 0 }, { "kbd", "kbd", 0 },
	{ "li", "li", LINE | ITEM }, { "mark", "b", 0 }, { "ol", "ol", BLOCK | LIST }, { "p", "p", BLOCK },
	{ "pre", "pre", BLOCK | PRE }, { "q", "q", 0 }, { "s", "s", 0 }, { "samp", "samp", 0 },
	{ "section", "div", BLOCK }, { "small", "small", 0 }, { "strong", "strong", 0 }, { "sub", "sub", 0 },
	{ "sup", "sup", 0 }, { "table", "table", BLOCK }, { "tbody", "tbody", 0 }, { "td", "td", CELL },
	{ "tfoot", "tfoot", 0 }, { "th", "th", CELL }, { "thead", "thead", 0 }, { "tr", "tr", LINE },
	{ "u", "u", 0 }, { "ul", "ul", BLOCK | LIST }, { "var", "var", 0 },
};

/* A tag that was read. */
struct tag {
	const struct element	*element;	/* NULL: none of a letter's */
	int			 close;
	const char		*attrs, *stop;	/* between the name and the > */
};

/* ---- reading ---- */

static int
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static int
by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct element *)element)->name);
}

/* Reads the tag at s, which is '<'. Its length; 0: it is none. */
static size_t
tag_read(struct tag *t, const char *s)
{
	const char *p = s + 1;
	char name[NAME_MAX_], quote = '\0';
	size_t n = 0, len;

	t->close = *p == '/';
	p += t->close;
	for (len = 0; letter_or_digit(p[len]); len++)
		if (n < sizeof(name) - 1)
			name[n++] = p[len] >= 'A' && p[len] <= 'Z' ? (char)(p[len] | 0x20) : p[len];
	if (len == 0 && *p != '!' && *p != '?')
		return 0;
	name[len < sizeof(name) ? n : 0] = '\0';
	t->element = bsearch(name, elements, sizeof(elements) / sizeof(elements[0]), sizeof(elements[0]),
	    by_name);
	for (t->attrs = p += len; *p != '\0' && (quote != '\0' || *p != '>'); p++)
		if (*p == quote)
			quote = '\0';
		else if (quote == '\0' && (*p == '"' || *p == '\''))
			quote = *p;
	t->stop = p;
	return (size_t)(p - s) + (*p == '>');
}

/* The value of the tag's attribute, as it stands between the quotes; NULL, of length 0: it has none. */
static const char *
attribute(const struct tag *t, const char *name, size_t *len)
{
	size_t n = strlen(name), got;
	const char *p, *end;

	*len = 0;
	for (p = t->attrs; p < t->stop; p = end + 1) {
		p += strspn(p, " \t\r\n/");
		end = p + strcspn(p, "= \t\r\n>");
		if (end >= t->stop || *end != '=' || (end[1] != '"' && end[1] != '\''))
			continue;
		got = (size_t)(end - p);
		p = end + 2;
		end = memchr(p, end[1], (size_t)(t->stop - p));
		if (end == NULL)
			return NULL;
		if (got == n && strncasecmp(p - 2 - n, name, n) == 0) {
			*len = (size_t)(end - p);
			return p;
		}
	}
	return NULL;
}

int
is_link(const char *url)
{
	return url != NULL && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
}

void
html_escaped(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		switch (s[i]) {
		case '<': text_str(t, "&lt;"); break;
		case '>': text_str(t, "&gt;"); break;
		case '&': text_str(t, "&amp;"); break;
		case '"': text_str(t, "&quot;"); break;
		case '\'': text_str(t, "&#39;"); break;
		default: text_add(t, s + i, 1);
		}
}

/* HTML's text, whose references stay: none of it can begin a tag or end a value. */
static void
text_kept(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == '&')
			text_add(t, s + i, 1);
		else
			html_escaped(t, s + i, 1);
}

/* ---- as HTML ---- */

struct markup {
	struct text		*out;
	const struct element	*open[DEPTH_MAX];	/* NULL: it was left out */
	size_t			 depth, deeper;
	int			 images;
};

static void
close_put(struct text *t, const struct element *e)
{
	text_str(t, "</");
	text_str(t, e->as);
	text_str(t, strcmp(e->as, "table") == 0 ? "></div>" : ">");
}

/* A picture, or its description. */
static void
image_put(struct markup *m, const struct tag *t)
{
	size_t src_len = 0, alt_len = 0;
	const char *src = attribute(t, "src", &src_len), *alt = attribute(t, "alt", &alt_len);

	if (!m->images || !is_link(src)) {
		if (alt != NULL)
			text_kept(m->out, alt, alt_len);
		return;
	}
	text_str(m->out, "<img src=\"");
	text_kept(m->out, src, src_len);
	text_str(m->out, "\" alt=\"");
	text_kept(m->out, alt != NULL ? alt : "", alt_len);
	text_str(m->out, "\" style=\"max-width:100%;height:auto\">");
}

static void
open_put(struct markup *m, const struct tag *t)
{
	const struct element *e = t->element;
	size_t len = 0;
	const char *href = e->is & LINK ? attribute(t, "href", &len) : NULL;

	if (e->is & LINK && !is_link(href) && (href == NULL || strncasecmp(href, "mailto:", 7) != 0))
		e = NULL;
	if (e != NULL) {
		text_str(m->out, strcmp(e->as, "table") == 0 ? "<div class=\"w\"><" : "<");
		text_str(m->out, e->as);
		if (href != NULL) {
			text_str(m->out, " href=\"");
			text_kept(m->out, href, len);
			text_str(m->out, "\"");
		}
		text_str(m->out, ">");
	}
	if (t->element->is & VOID)
		return;
	m->open[m->depth++] = e;
}

static void
tag_put(struct markup *m, const struct tag *t)
{
	const struct element *e = t->element;

	if (e == NULL)
		return;
	if (e->is & IMAGE)
		image_put(m, t);
	else if (!t->close && m->depth == DEPTH_MAX)
		m->deeper += !(e->is & VOID);
	else if (!t->close)
		open_put(m, t);
	else if (m->deeper > 0)
		m->deeper--;
	else if (m->depth > 0 && (m->open[m->depth - 1] == e || m->open[m->depth - 1] == NULL)) {
		if (m->open[--m->depth] != NULL)
			close_put(m->out, e);
	}
}

void
content_html(struct text *out, const char *html, int images)
{
	struct markup m = { .out = out, .images = images };
	struct tag t;
	size_t n;

	for (; html != NULL && *html != '\0'; html += n) {
		n = *html == '<' ? tag_read(&t, html) : 0;
		if (n > 0) {
			tag_put(&m, &t);
			continue;
		}
		n = 1 + strcspn(html + 1, "<");
		text_kept(out, html, n);
	}
	while (m.depth > 0)
		if (m.open[--m.depth] != NULL)
			close_put(out, m.open[m.depth]);
}

/* ---- as text ---- */

struct lines {
	struct flow	 flow;
	struct text	 links;			/* each with its NUL */
	size_t		 nlinks, link;		/* link: the number of the open one; 0: none */
	size_t		 begun;			/* bytes of text where it opened */
	int		 quotes, lists, item, pre;
	int		 number[LISTS_MAX];	/* of each list's next item; 0: they have none */
	int		 cells;			/* of this row, so far */
};

/* Sets what begins the lines from here on. */
static void
prefix(struct lines *l)
{
	size_t n = 0, slot = 0, quotes = l->quotes < LISTS_MAX ? (size_t)l->quotes : LISTS_MAX;
	size_t lists = l->lists < LISTS_MAX ? (size_t)l->lists : LISTS_MAX;
	char mark[16] = "- ";

	for (size_t i = 0; i < quotes; i++, n += 2)
		memcpy(l->flow.rest + n, "> ", 2);
	for (size_t i = 0; i < lists; i++, n += slot) {
		slot = l->number[i] > 0 ? 4 : 2;
		memset(l->flow.rest + n, ' ', slot);
	}
	l->flow.rest[n] = '\0';
	memcpy(l->flow.first, l->flow.rest, sizeof(l->flow.first));
	if (!l->item || lists == 0)
		return;
	if (l->number[lists - 1] > 0)
		snprintf(mark, sizeof(mark), "%2d. ", l->number[lists - 1]++ % 100);
	memcpy(l->flow.first + n - slot, mark, slot);
}

/* A list begins or ends. */
static void
list_lines(struct lines *l, const struct tag *t)
{
	if (!t->close && l->lists < LISTS_MAX)
		l->number[l->lists] = strcmp(t->element->as, "ol") == 0;
	if (!t->close || l->lists > 0)
		l->lists += t->close ? -1 : 1;
}

/* The cells of a row stand in a line, with a stroke between. */
static void
cell_lines(struct lines *l, int close)
{
	flow_space(&l->flow);
	if (!close && l->cells++ > 0)
		flow_words(&l->flow, "|");
}

/* Decodes the references of len bytes into a string. */
static void
decoded(struct text *t, const char *s, size_t len)
{
	const char *end = s + len;
	uint32_t c;
	char out[4];
	size_t n;

	while (s < end) {
		if (*s == '&' && (n = plain_reference(s, end, &c)) > 0)
			text_add(t, out, plain_put(out, c));
		else
			text_add(t, s, n = 1);
		s += n;
	}
}

static void
link_open(struct lines *l, const struct tag *t)
{
	size_t len = 0;
	const char *href = attribute(t, "href", &len);

	l->link = 0;
	l->begun = l->flow.out->len + l->flow.word.len;
	if (!is_link(href) || l->nlinks == LINKS_MAX)
		return;
	decoded(&l->links, href, len);
	text_add(&l->links, "", 1);
	l->link = ++l->nlinks;
}

/* The number of a link; none if it had no text. */
static void
link_close(struct lines *l)
{
	char number[24];

	if (l->link == 0 || l->flow.out->len + l->flow.word.len == l->begun)
		return;
	flow_space(&l->flow);
	snprintf(number, sizeof(number), "[%zu]", l->link);
	flow_add(&l->flow, number, strlen(number));
	l->link = 0;
}

static void
tag_lines(struct lines *l, const struct tag *t)
{
	int is = t->element != NULL ? t->element->is : 0, by = t->close ? -1 : 1;

	if (is & LINK && t->close)
		link_close(l);
	else if (is & LINK)
		link_open(l, t);
	if (is & (BLOCK | LINE))
		flow_break(&l->flow, is & BLOCK && !(is & LIST && l->lists > 0) ? 2 : 1);
	if (is & CELL)
		cell_lines(l, t->close);
	else if (is & (BLOCK | LINE))
		l->cells = 0;
	if (is & PRE)
		l->pre = !t->close;
	if (is & QUOTE && l->quotes + by >= 0)
		l->quotes += by;
	if (is & LIST)
		list_lines(l, t);
	l->item = is & ITEM && !t->close;
	if (is & (QUOTE | LIST | ITEM))
		prefix(l);
}

static int
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The characters up to the next tag. */
static size_t
text_lines(struct lines *l, const char *s)
{
	const char *end = s + 1 + strcspn(s + 1, "<"), *p;
	uint32_t c;
	char out[4];
	size_t n;

	for (p = s; p < end; p += n) {
		n = 1;
		if (l->pre && *p == '\n')
			flow_break(&l->flow, 1);
		else if (l->pre && *p == ' ')
			flow_add(&l->flow, " ", 1);
		else if (is_space(*p))
			flow_space(&l->flow);
		else if (*p == '&' && (n = plain_reference(p, end, &c)) > 0)
			flow_add(&l->flow, out, c == '\n' || c == '\r' ? 0 : plain_put(out, c));
		else
			flow_add(&l->flow, p, n = 1);
	}
	return (size_t)(end - s);
}

void
content_text(struct text *out, const char *html)
{
	struct lines l = { .flow = { .out = out } };
	const char *url;
	char number[24];
	struct tag t;
	size_t n, i;

	for (; html != NULL && *html != '\0'; html += n)
		if (*html == '<' && (n = tag_read(&t, html)) > 0)
			tag_lines(&l, &t);
		else
			n = text_lines(&l, html);
	l.quotes = l.lists = l.item = 0;
	prefix(&l);
	for (i = 0, url = l.links.data; url != NULL && i < l.nlinks; i++, url += strlen(url) + 1) {
		flow_break(&l.flow, i == 0 ? 2 : 1);
		snprintf(number, sizeof(number), "[%zu]", i + 1);
		flow_words(&l.flow, number);
		flow_words(&l.flow, url);
	}
	flow_end(&l.flow);
	out->bad |= l.links.bad;
	text_free(&l.links);
}

void
content_excerpt(struct text *out, const char *html, size_t max)
{
	size_t len = html != NULL ? strlen(html) : 0, at, n, space = 0;
	char *plain = len > 0 ? malloc(len + 1) : NULL;

	if (plain == NULL) {
		out->bad |= len > 0;
		return;
	}
	len = plain_text(plain, len, html, len);
	for (at = n = 0; at < len && n < max; n++) {
		if (plain[at] == ' ')
			space = at;
		at += grapheme(plain + at, len - at);
	}
	if (at == len || plain[at] == ' ')
		space = at;
	else if (at - space > at / EXCERPT_SLACK + 16)
		space = at;			/* a text without spaces, or a long word */
	while (space > 0 && space < len && strchr(" ,;:-", plain[space - 1]) != NULL)
		space--;
	text_add(out, plain, space);
	if (space < len && space > 0)
		text_str(out, "\xe2\x80\xa6");
	free(plain);
}

/* Sanitiser of HTML: a tokenizer, the tables of record/html.inc; nest.c keeps what is open. */
#include "html.h"
#include "mathml.h"
#include "nest.h"
#include "player.h"
#include "base/entity.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/url.h"
#include "base/utf8.h"
#include "record/css.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define HTML_AGAIN	4096		/* bytes that a short text may spend on opening elements again */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#include "record/html.inc"

struct html_span {
	const char	*s;
	size_t		 n;
};

struct html_tag {
	const struct html_element	*element;	/* NULL: unknown */
	int				 close;
	int				 empty;		/* "/>", of any element */
	size_t				 count;
	struct {
		const struct html_attr	*attr;
		struct html_span	 value;
	} attrs[HTML_ATTRS];
};

struct html {
	struct buf	*out;
	const char	*at, *end, *base;
	int		 flags;
	/* These signs are known not to come again: each search fails once. */
	int		 no_gt, no_double, no_single, no_comment;
	const char	*player_end;	/* of one whose content stays instead */
	unsigned char	 no_end[COUNT(html_elements)];
	struct nest	*nest;
	struct html_tag	 tag;
};

static int
html_letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* White space of HTML, without the vertical tab. */
static int
html_space(int c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* Characters that end a tag's name, an attribute's name, an unquoted value. */
enum { ENDS_TAG = 1, ENDS_NAME = 2, ENDS_VALUE = 4, ENDS_ALL = 7 };
static const unsigned char html_ends[256] = {
	[' '] = ENDS_ALL, ['\n'] = ENDS_ALL, ['\t'] = ENDS_ALL, ['\r'] = ENDS_ALL,
	['\f'] = ENDS_ALL, ['>'] = ENDS_ALL, ['/'] = ENDS_TAG | ENDS_NAME, ['='] = ENDS_NAME,
};

/* The first character of such a kind from s on; end: none. */
static const char *
html_until(const char *s, const char *end, unsigned what)
{
	while (s < end && (html_ends[(unsigned char)*s] & what) == 0)
		s++;
	return s;
}

static uint16_t
html_place(const struct html_element *e)
{
	return (uint16_t)(e - html_elements);
}

static const char *
html_escape(char c)
{
	return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;";
}

/* Adds text without character references, as html_text() would. */
static void
html_plain(struct buf *b, const char *s, size_t n)
{
	for (; n > 0; s++, n--)
		if (*s == '&' || *s == '<' || *s == '>')
			buf_str(b, html_escape(*s));
		else
			buf_char(b, *s);
}

/* Adds text: references decoded, then & < > and, in a value, quotes escaped; controls dropped. */
static void
html_text(struct buf *b, const char *s, size_t n, int value)
{
	const char *from = s, *end = s + n;
	struct text_char c;
	size_t used;

	for (;;) {
		s += text_plain(s, (size_t)(end - s));
		if (s < end && *s == '"' && !value) {
			s++;
			continue;
		}
		buf_add(b, from, (size_t)(s - from));
		if (s == end)
			break;
		used = 1;
		if (*s == '&' && (used = text_reference(&c, s, (size_t)(end - s), value)) > 0) {
			if (c.len == 1 && text_plain(c.bytes, 1) == 0 && c.bytes[0] > ' ')
				text_xml(b, c.bytes, 1);
			else
				buf_add(b, c.bytes, c.len);
		} else if (text_ascii(s, 1) == 1) {
			buf_str(b, html_escape(*s));
			used = 1;
		}
		s += used;
		from = s;
	}
}

/* Adds the text that stands between tags: with the references of HTML, or without any. */
static void
html_words(struct html *h, const char *s, size_t n, int plain)
{
	size_t at;

	nest_text(h->nest, s, n);
	at = h->out->len;
	if (plain)
		html_plain(h->out, s, n);
	else
		html_text(h->out, s, n, 0);
	nest_written(h->nest, at);
}

/* Cuts the output back to `len` bytes. */
static void
html_undo(struct buf *b, size_t len)
{
	b->len = len;
	if (b->data != NULL)
		b->data[len] = '\0';
}

/* Writes a URL's value to out[URL_MAX + 1] as browsers read it: references decoded, without control
 * characters and surrounding spaces; with `spaces`, white space within is one each. -1: too long. */
static int
html_address(char *out, const struct html_span *v, int spaces)
{
	const char *s = v->s, *end = s + v->n;
	struct text_char c;
	size_t fill = 0, used;

	for (; s < end; s += used) {
		used = *s == '&' ? text_reference(&c, s, (size_t)(end - s), 1) : 0;
		if (used == 0) {
			used = 1;
			c.len = 1;
			c.bytes[0] = *s;
		}
		if (spaces && c.len == 1 && c.bytes[0] != '\0' && strchr("\t\n\f\r", c.bytes[0]) != NULL)
			c.bytes[0] = ' ';
		if (c.len == 1 && ((unsigned char)c.bytes[0] < ' ' || c.bytes[0] == 0x7f ||
		    (fill == 0 && c.bytes[0] == ' ')))
			continue;
		if (fill + c.len > URL_MAX)
			return -1;
		for (size_t i = 0; i < c.len; i++)
			out[fill++] = c.bytes[i];
	}
	while (fill > 0 && (unsigned char)out[fill - 1] <= ' ')
		fill--;
	out[fill] = '\0';
	return 0;
}

/* Adds a URL, resolved and escaped. An empty one stays empty; without a base a relative one is not
 * changed. -1: not allowed; nothing is added. */
static int
html_url(struct html *h, const char *address, int link)
{
	MEM_UNSET char url[URL_MAX + 1];
	size_t plain = strcspn(address, ":/?#");

	if (h->base == NULL && address[plain] != ':') {
		text_xml(h->out, address, strlen(address));
		return 0;
	}
	if (address[0] == '\0')
		return 0;
	if (url_resolve_to(url, h->base, address) == -1)
		return -1;
	if (strncmp(url, "http:", 5) != 0 && strncmp(url, "https:", 6) != 0 &&
	    (!link || strncmp(url, "mailto:", 7) != 0))
		return -1;
	text_xml(h->out, url, strlen(url));
	return 0;
}

/* Adds the allowed URLs of a srcset, each with the size that follows it up to a comma; commas behind a URL end
 * it too (HTML, "parse a srcset attribute"). -1: none. */
static int
html_sources(struct html *h, char *list)
{
	char *s = list, *size, *end;
	size_t kept = 0, n, start;

	for (int i = 0; i < HTML_SOURCES; i++) {
		s += strspn(s, " \t\n\f\r,");
		if (*s == '\0')
			break;
		n = strcspn(s, " \t\n\f\r");
		size = s[n] != '\0' ? s + n + 1 : s + n;
		s[n] = '\0';
		if (s[n - 1] == ',') {
			while (s[n - 1] == ',')
				s[--n] = '\0';
			n = 0;
		} else {
			n = strcspn(size, ",");
		}
		start = h->out->len;
		if (kept > 0)
			buf_str(h->out, ", ");
		if (html_url(h, s, 0) == 0) {
			kept++;
			s = size + strspn(size, " \t\n\f\r");
			for (end = size + n; end > s && strchr(" \t\n\f\r", end[-1]) != NULL;)
				end--;
			if (end > s) {
				buf_char(h->out, ' ');
				text_xml(h->out, s, (size_t)(end - s));
			}
		} else {
			html_undo(h->out, start);
		}
		s = size + n;
	}
	return kept > 0 ? 0 : -1;
}

/* Adds the allowed declarations of a style. -1: none. */
static int
html_style(struct html *h, const struct html_span *v)
{
	MEM_UNSET char style[URL_MAX + 1];
	size_t start = h->out->len;

	if (html_address(style, v, 1) == -1)
		return -1;
	css_sanitise(h->out, style, strlen(style));
	return h->out->len > start ? 0 : -1;
}

/* Whether a URL is absolute and has nothing to resolve, decode or escape, as most have not. */
static int
html_plain_url(const struct html_span *v)
{
	static const unsigned char fits[256] = {
		['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		    1,
		['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		    1,
		['0'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ['-'] = 1, ['.'] = 1, ['_'] = 1, ['~'] = 1,
		['/'] = 1, ['?'] = 1, ['#'] = 1, ['='] = 1, ['%'] = 1, ['+'] = 1, [','] = 1,
	};
	size_t at = v->n > 8 && memcmp(v->s, "https://", 8) == 0 ? 8 :
	    v->n > 7 && memcmp(v->s, "http://", 7) == 0 ? 7 : 0;

	if (at == 0 || v->n > URL_MAX || !html_letter(v->s[at]))
		return 0;
	while (at < v->n && fits[(unsigned char)v->s[at]])
		at++;
	return at == v->n;
}

/* A function of its own since it needs a large stack, and most values do not need it. */
static int __attribute__((noinline))
html_value_read(struct html *h, const struct html_attr *attr, const struct html_span *v)
{
	MEM_UNSET char address[URL_MAX + 1];

	if (attr->value == V_STYLE)
		return html_style(h, v);
	if (html_address(address, v, attr->value == V_SOURCES) == -1)
		return -1;
	if (attr->value == V_SOURCES)
		return html_sources(h, address);
	if (attr->value == V_LINK && h->base == NULL && address[0] == '#')
		return -1;	/* nothing in the output has a name */
	if (attr->value != V_PLACE)
		return html_url(h, address, attr->value == V_LINK);
	if (address[0] != '\0' && address[0] != '#')
		return -1;
	text_xml(h->out, address, strlen(address));
	return 0;
}

static int
html_value(struct html *h, const struct html_attr *attr, const struct html_span *v)
{
	if (attr->value == V_TEXT) {
		html_text(h->out, v->s, v->n, 1);
		return 0;
	}
	if ((attr->value == V_LINK || attr->value == V_SOURCE) && html_plain_url(v)) {
		buf_add(h->out, v->s, v->n);
		return 0;
	}
	return html_value_read(h, attr, v);
}

/* Adds an attribute. -1: its value is not allowed; nothing is added. */
static int
html_attribute(struct html *h, const struct html_attr *attr, const struct html_span *v)
{
	size_t start = h->out->len;

	buf_char(h->out, ' ');
	buf_str(h->out, attr->name);
	buf_str(h->out, "=\"");
	if (html_value(h, attr, v) == -1) {
		html_undo(h->out, start);
		return -1;
	}
	buf_char(h->out, '"');
	return 0;
}

/* Adds the attributes of the current tag. A URL that a script would load (V_LATER) becomes src if
 * no other URL is left. -1: the element shows media, and none of its URLs is allowed. */
static int
html_attributes(struct html *h)
{
	static const struct html_attr src = { "src", V_SOURCE };
	int media = (h->tag.element->flags & E_MEDIA) != 0, given = 0, kept = 0, address;
	const struct html_attr *attr;

	for (size_t i = 0; i < h->tag.count; i++) {
		attr = h->tag.attrs[i].attr;
		if (attr->value == V_LATER || attr->value == V_DATA)
			continue;
		address = media && attr->value != V_TEXT && strncmp(attr->name, "src", 3) == 0;
		given |= address;
		if (html_attribute(h, attr, &h->tag.attrs[i].value) == 0)
			kept |= address;
	}
	for (size_t i = 0; media && !kept && i < h->tag.count; i++)
		if (h->tag.attrs[i].attr->value == V_LATER)
			kept = html_attribute(h, &src, &h->tag.attrs[i].value) == 0;
	return given && !kept ? -1 : 0;
}

static const struct html_span *
html_attr_of(const struct html_tag *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->attrs[i].attr->name, name) == 0)
			return &t->attrs[i].value;
	return NULL;
}

/* "0", "1", "1px". */
static int
html_tiny(const struct html_span *v)
{
	return v != NULL && v->n > 0 && (v->s[0] == '0' || v->s[0] == '1') &&
	    (v->n == 1 || text_is(v->s + 1, v->n - 1, "px"));
}

/* Whether a URL contains one of html_beacons, each of which begins with '/'. */
static int
html_names_beacon(const struct html_span *v)
{
	const char *s = v->s, *end = s + v->n;
	size_t n;

	for (; (s = memchr(s, '/', (size_t)(end - s))) != NULL; s++)
		for (size_t i = 0; i < COUNT(html_beacons); i++) {
			n = strlen(html_beacons[i]);
			if ((size_t)(end - s) >= n && s[1] == html_beacons[i][1] &&
			    s[2] == html_beacons[i][2] && memcmp(s, html_beacons[i], n) == 0)
				return 1;
		}
	return 0;
}

/* Whether an image is a tracking pixel: invisible, or from a known tracker. */
static int
html_is_beacon(const struct html_tag *t)
{
	const struct html_span *src = html_attr_of(t, "src");

	if (html_tiny(html_attr_of(t, "width")) && html_tiny(html_attr_of(t, "height")))
		return 1;
	return src != NULL && html_names_beacon(src);
}

/* The character c from s on; NULL: none. *none is set then, and later calls do not search. */
static const char *
html_seek(const char *s, const char *end, int c, int *none)
{
	const char *found = *none ? NULL : memchr(s, c, (size_t)(end - s));

	*none = found == NULL;
	return found;
}

/* Reads the value after the '=' before s. Returns the place after the value. */
static const char *
html_read_value(struct html *h, const char *s, struct html_span *v)
{
	const char *close = NULL;

	while (s < h->end && html_space(*s))
		s++;
	if (s < h->end && *s == '"')
		close = html_seek(s + 1, h->end, '"', &h->no_double);
	else if (s < h->end && *s == '\'')
		close = html_seek(s + 1, h->end, '\'', &h->no_single);
	if (close != NULL) {
		*v = (struct html_span){ s + 1, (size_t)(close - s - 1) };
		return close + 1;
	}
	v->s = s;
	s = html_until(s, h->end, ENDS_VALUE);
	v->n = (size_t)(s - v->s);
	return s;
}

/* Stores an allowed attribute in the tag; the first of a name counts. */
static void
html_take_attr(struct html_tag *t, const char *name, size_t n, const struct html_span *v)
{
	const struct html_attr *attr;

	if (t->close || t->count == HTML_ATTRS || t->element == NULL)
		return;
	attr = html_find(html_attrs, COUNT(html_attrs), sizeof(html_attrs[0]), name, n);
	if (attr == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		if (t->attrs[i].attr == attr)
			return;
	t->attrs[t->count].attr = attr;
	t->attrs[t->count++].value = *v;
}

/* Reads the attributes from s on. Returns the place after the '>'; NULL: there is none. */
static const char *
html_read_attrs(struct html *h, const char *s)
{
	struct html_span v;
	const char *name, *stop;

	h->tag.count = 0;
	h->tag.empty = 0;
	while (s < h->end && *s != '>') {
		h->tag.empty = *s == '/';
		if (html_space(*s) || *s == '/') {
			s++;
			continue;
		}
		name = s;
		s = html_until(s + 1, h->end, ENDS_NAME);
		for (stop = s; stop < h->end && html_space(*stop); stop++)
			;
		v = (struct html_span){ s, 0 };
		if (stop < h->end && *stop == '=') {
			size_t n = (size_t)(s - name);

			s = html_read_value(h, stop + 1, &v);
			html_take_attr(&h->tag, name, n, &v);
		} else {
			html_take_attr(&h->tag, name, (size_t)(s - name), &v);
		}
	}
	return s < h->end ? s + 1 : NULL;
}

/* Reads the tag at h->at, which is '<' and a letter or '/' and a letter: behind it, or NULL. */
static const char *
html_read_tag(struct html *h)
{
	const char *name = h->at + 1, *s, *after;

	h->tag.close = *name == '/';
	name += h->tag.close;
	s = html_until(name, h->end, ENDS_TAG);
	h->tag.element = html_find(html_elements, COUNT(html_elements), sizeof(html_elements[0]),
	    name, (size_t)(s - name));
	if ((after = html_read_attrs(h, s)) != NULL)
		return after;
	/* A quote without an end: from now on quotes are ordinary characters. */
	h->no_double = h->no_single = 1;
	return html_read_attrs(h, s);
}

static void
html_start_tag(struct html *h)
{
	const struct html_element *e = h->tag.element;
	size_t start;

	if ((e->flags & E_IMG) != 0 && (h->flags & HTML_STRIP_TRACKERS) != 0 &&
	    html_is_beacon(&h->tag))
		return;
	if (nest_before(h->nest, html_place(e)) == -1)
		return;
	start = h->out->len;
	buf_char(h->out, '<');
	buf_str(h->out, e->name);
	if (html_attributes(h) == -1) {
		html_undo(h->out, start);
		return;
	}
	buf_str(h->out, (e->flags & E_VOID) != 0 ? "/>" : ">");
	if ((e->flags & E_VOID) != 0)
		return;
	nest_open(h->nest, html_place(e), start);
	if (h->tag.empty)
		nest_end(h->nest, html_place(e));
}

/* The next tag with that name from s on; NULL: none. *close: it is an end tag. */
static const char *
html_next_tag(const char *s, const char *end, const char *name, int *close)
{
	size_t n = strlen(name);

	while ((s = memchr(s, '<', (size_t)(end - s))) != NULL) {
		const char *tag = s++;

		*close = s < end && *s == '/';
		s += *close;
		if ((size_t)(end - s) >= n && strncasecmp(s, name, n) == 0 &&
		    ((size_t)(end - s) == n || html_space(s[n]) || s[n] == '/' || s[n] == '>'))
			return tag;
	}
	return NULL;
}

/* Where the content of e, which begins at s, ends: its end tag. Of raw text without one that is the
 * end of all; else NULL: the tag alone goes. Each element that has no end is searched for once. */
static const char *
html_content_end(struct html *h, const struct html_element *e, const char *s)
{
	int close, depth = 1, raw = (e->flags & E_RAW) != 0;
	const char *tag = s;

	if (h->no_end[html_place(e)])
		return raw ? h->end : NULL;
	while ((tag = html_next_tag(tag, h->end, e->name, &close)) != NULL) {
		if (close)
			depth--;
		else if (!raw)
			depth++;
		if (depth == 0)
			return tag;
		tag++;
	}
	h->no_end[html_place(e)] = 1;
	return raw ? h->end : NULL;
}

/* The place after the next '>' from s on. */
static const char *
html_behind(const struct html *h, const char *s)
{
	const char *gt = memchr(s, '>', (size_t)(h->end - s));

	return gt != NULL ? gt + 1 : h->end;
}

/* Whether a URL is http or https and has a path or query: the root of a site plays nothing. */
static int
html_names_part(const char *url)
{
	const char *path;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return 0;
	path = strchr(strstr(url, "://") + 3, '/');
	return path != NULL ? path[1] != '\0' && path[1] != '#' : strchr(url, '?') != NULL;
}

/* Writes the page for a player's URL to out[URL_MAX + 1]. -1: it is no player. A function of its
 * own since it needs a large stack. */
static int __attribute__((noinline))
html_player_page(const struct html *h, char *out, const struct html_span *v)
{
	MEM_UNSET char address[URL_MAX + 1];

	if (v == NULL || html_address(address, v, 0) == -1 || address[0] == '\0' ||
	    (h->base == NULL && strstr(address, "://") == NULL) ||
	    url_resolve_to(out, h->base, address) == -1 || !html_names_part(out))
		return -1;
	player_page(address, out);
	return url_resolve_to(out, NULL, address) == 0 && html_names_part(out) ? 0 : -1;
}

/* The same of the tag that t is: of an object's parameter, or of the first address that is one. */
static int
html_player_of(const struct html *h, const struct html_tag *t, char *out)
{
	static const char *const names[] = { "src", "data", "data-src", "data-lazy-src" };
	const struct html_span *name = html_attr_of(t, "name");
	size_t i;

	if (t->element == NULL || t->close)
		return -1;
	if (strcmp(t->element->name, "param") == 0)
		return name != NULL && (text_is(name->s, name->n, "movie") ||
		    text_is(name->s, name->n, "src") || text_is(name->s, name->n, "url")) ?
		    html_player_page(h, out, html_attr_of(t, "value")) : -1;
	for (i = 0; (t->element->flags & E_PLAYER) != 0 && i < COUNT(names); i++)
		if (html_player_page(h, out, html_attr_of(t, names[i])) == 0)
			return 0;
	return -1;
}

/* The same for the first such tag in the content of an object, from s to stop. */
static int
html_player_in(const struct html *h, const char *s, const char *stop, char *out)
{
	struct html in = *h;

	in.end = stop;
	in.no_gt = in.no_double = in.no_single = 0;
	while ((s = memchr(s, '<', (size_t)(stop - s))) != NULL) {
		in.at = s++;
		if (s == stop || !html_letter(*s))
			continue;
		if ((s = html_read_tag(&in)) == NULL)
			return -1;
		if (html_player_of(h, &in.tag, out) == 0)
			return 0;
	}
	return -1;
}

/* Adds a link with the title as text, or else the URL without its scheme. */
static void
html_link(struct html *h, const char *url, const struct html_span *title)
{
	const char *text = strstr(url, "://") + 3;

	if (nest_before(h->nest, nest_place("a")) == -1)
		return;
	buf_str(h->out, "<a href=\"");
	text_xml(h->out, url, strlen(url));
	buf_str(h->out, "\">");
	if (title != NULL && title->n > 0)
		html_text(h->out, title->s, title->n, 0);
	else
		html_plain(h->out, text, strlen(text));
	buf_str(h->out, "</a>");
}

/* A player becomes a link in place of what it holds; but a link in that leads to the better page. Where
 * to go on. Nothing is looked through twice: players in what stays of another go. */
static const char *
html_embedded(struct html *h, const char *after)
{
	const struct html_element *e = h->tag.element;
	const struct html_span *title = html_attr_of(&h->tag, "title");
	int object = (e->flags & E_DROP) != 0, close, found;
	MEM_UNSET char url[URL_MAX + 1];
	const char *stop = NULL;

	found = after > h->player_end && html_player_of(h, &h->tag, url) == 0;
	if ((found || object) && (e->flags & E_VOID) == 0 && !h->tag.empty)
		stop = html_content_end(h, e, after);
	if (html_tiny(html_attr_of(&h->tag, "width")) && html_tiny(html_attr_of(&h->tag, "height")))
		found = 0;
	else if (object && !found && stop != NULL)
		found = html_player_in(h, after, stop, url) == 0;
	if (found && !object && stop != NULL &&
	    html_next_tag(after, stop, "a", &close) != NULL) {
		h->player_end = stop;
		return after;
	}
	if (found)
		html_link(h, url, title);
	return stop != NULL ? html_behind(h, stop) : after;
}

/* Replaces a formula by text. Returns where to go on. */
static const char *
html_math(struct html *h, const char *after)
{
	const char *stop = h->tag.empty ? NULL : html_content_end(h, h->tag.element, after);
	struct buf text;

	if (stop == NULL)
		return after;
	buf_init(&text, 8 * (size_t)(stop - after) + 64);
	math_text(&text, after, (size_t)(stop - after));
	if (text.data != NULL)
		html_words(h, text.data, text.len, 1);
	buf_free(&text);
	return html_behind(h, stop);
}

/* Handles the current tag, which ends before `after`. Returns where to go on. */
static const char *
html_tag(struct html *h, const char *after)
{
	const struct html_element *e = h->tag.element;
	const char *stop;

	if (e == NULL)
		return after;
	if (h->tag.close) {
		nest_end(h->nest, html_place(e));
		return after;
	}
	if ((e->flags & (E_PLAYER | E_MATH)) != 0)
		return (e->flags & E_MATH) != 0 ? html_math(h, after) : html_embedded(h, after);
	if ((e->flags & E_DROP) != 0) {
		stop = h->tag.empty ? NULL : html_content_end(h, e, after);
		return stop != NULL ? html_behind(h, stop) : after;
	}
	if ((e->flags & E_GONE) == 0)
		html_start_tag(h);
	if ((e->flags & E_RAW) == 0 || h->tag.empty)
		return after;
	stop = html_content_end(h, e, after);
	html_words(h, after, (size_t)(stop - after), 0);
	return stop;
}

/* Behind the comment that begins at s, or NULL. <!--> and <!---> are ones, and --!> ends one. */
static const char *
html_comment_end(struct html *h, const char *s)
{
	const char *first = s + 4;

	if (h->no_comment)
		return NULL;
	for (s += 2; (s = memmem(s, (size_t)(h->end - s), "--", 2)) != NULL; s++) {
		if (s + 2 < h->end && s[2] == '>')
			return s + 3;
		if (s >= first && s + 3 < h->end && s[2] == '!' && s[3] == '>')
			return s + 4;
	}
	h->no_comment = 1;
	return NULL;
}

/* The place after the comment, declaration or processing instruction at h->at; NULL: it is none. */
static const char *
html_markup(struct html *h)
{
	const char *s = h->at, *stop;
	size_t left = (size_t)(h->end - s);

	if (left >= 9 && memcmp(s, "<![CDATA[", 9) == 0)
		return NULL;
	if (left < 4 || memcmp(s, "<!--", 4) != 0) {
		stop = html_seek(s, h->end, '>', &h->no_gt);
		return stop != NULL ? stop + 1 : NULL;
	}
	if ((stop = html_comment_end(h, s)) != NULL)
		return stop;
	/* A comment without an end ends at the next '>', or else with the document. */
	stop = html_seek(s, h->end, '>', &h->no_gt);
	return stop != NULL ? stop + 1 : h->end;
}

/* Handles the '<' at h->at. Returns where to go on; NULL: the '<' is text. */
static const char *
html_angle(struct html *h)
{
	const char *s = h->at + 1, *after;

	if (s < h->end && (*s == '!' || *s == '?'))
		return html_markup(h);
	if (s == h->end || h->no_gt)
		return NULL;
	if (*s == '/' && s + 1 < h->end && !html_letter(s[1])) {
		after = html_seek(s, h->end, '>', &h->no_gt);
		return after != NULL ? after + 1 : NULL;
	}
	if (!html_letter(*s) && (*s != '/' || s + 1 == h->end))
		return NULL;
	if (html_seek(s, h->end, '>', &h->no_gt) == NULL)
		return NULL;
	return html_tag(h, html_read_tag(h));
}

void
html_sanitise(struct buf *b, const char *html, size_t len, const char *base, int flags)
{
	MEM_UNSET struct nest nest;
	MEM_UNSET struct html h;
	const char *lt;

	h.out = b;
	h.at = html;
	h.end = html + len;
	h.base = base;
	h.flags = flags;
	h.no_gt = h.no_double = h.no_single = h.no_comment = 0;
	h.player_end = html;
	memset(h.no_end, 0, sizeof(h.no_end));
	h.nest = &nest;
	nest_init(&nest, b, len + HTML_AGAIN);
	while (h.at < h.end) {
		if ((lt = memchr(h.at, '<', (size_t)(h.end - h.at))) == NULL)
			lt = h.end;
		html_words(&h, h.at, (size_t)(lt - h.at), 0);
		if ((h.at = lt) == h.end)
			break;
		if ((lt = html_angle(&h)) == NULL) {
			html_words(&h, "<", 1, 1);
			lt = h.at + 1;
		}
		h.at = lt;
	}
	while (nest.depth > 0)
		nest_close(&nest);
}

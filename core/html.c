/* Sanitising of HTML: a tokenizer, tables of what may pass, and a stack of what is open. */
#include "html.h"
#include "css.h"
#include "mem.h"
#include "text.h"
#include "url.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HTML_ATTRS	64		/* attributes of one tag that are kept */
#define HTML_NAME	24		/* bytes of the longest name that we know, with its NUL */
#define HTML_SOURCES	32		/* addresses in one srcset */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* What an element is to its neighbours, and what becomes of it. */
enum {
	E_VOID = 1,			/* has no content */
	E_DROP = 2,			/* goes, with what is in it */
	E_RAW = 4,			/* what is in it is text up to its end tag */
	E_GONE = 8,			/* goes, but for what is in it */
	E_TABLE = 16,			/* part of a table: ends what is open in a cell */
	E_WALL = 32,			/* no end tag inside reaches what is outside */
	E_A = 0x100, E_P = 0x200, E_LI = 0x400, E_DD = 0x800, E_OPTION = 0x1000, E_CELL = 0x2000,
	E_ROW = 0x4000, E_GROUP = 0x8000, E_IMG = 0x10000,
};

struct html_element {
	char	 name[HTML_NAME];
	int	 flags;
};

/* Sorted. What is not here goes, but for what is in it. */
static const struct html_element html_elements[] = {
	{ "a", E_A }, { "abbr", 0 }, { "acronym", 0 }, { "address", 0 }, { "applet", E_DROP },
	{ "area", E_VOID }, { "article", 0 }, { "aside", 0 }, { "audio", 0 }, { "b", 0 },
	{ "base", E_GONE | E_VOID }, { "bdi", 0 }, { "bdo", 0 }, { "big", 0 }, { "blockquote", 0 },
	{ "br", E_VOID }, { "button", 0 }, { "canvas", 0 }, { "caption", E_TABLE | E_WALL },
	{ "center", 0 }, { "cite", 0 }, { "code", 0 }, { "col", E_VOID }, { "colgroup", 0 },
	{ "command", 0 }, { "datagrid", 0 }, { "datalist", 0 }, { "dd", E_DD }, { "del", 0 },
	{ "details", 0 }, { "dfn", 0 }, { "dialog", 0 }, { "dir", 0 }, { "div", 0 }, { "dl", 0 },
	{ "dt", E_DD }, { "em", 0 }, { "embed", E_GONE | E_VOID }, { "event-source", 0 },
	{ "fieldset", 0 }, { "figcaption", 0 }, { "figure", 0 }, { "font", 0 }, { "footer", 0 },
	{ "h1", 0 }, { "h2", 0 }, { "h3", 0 }, { "h4", 0 }, { "h5", 0 }, { "h6", 0 },
	{ "header", 0 },
	{ "hgroup", 0 }, { "hr", E_VOID }, { "i", 0 }, { "iframe", E_GONE },
	{ "img", E_VOID | E_IMG }, { "input", E_VOID }, { "ins", 0 }, { "kbd", 0 },
	{ "keygen", E_VOID }, { "label", 0 }, { "legend", 0 }, { "li", E_LI }, { "m", 0 },
	{ "main", 0 }, { "map", 0 }, { "mark", 0 }, { "menu", 0 }, { "meter", 0 },
	{ "multicol", 0 },
	{ "nav", 0 }, { "nextid", 0 }, { "nobr", 0 }, { "noembed", E_GONE },
	{ "noframes", E_GONE }, { "noscript", 0 }, { "object", E_DROP }, { "ol", 0 },
	{ "optgroup", E_OPTION }, { "option", E_OPTION }, { "output", 0 }, { "p", E_P },
	{ "picture", 0 }, { "pre", 0 }, { "progress", 0 }, { "q", 0 }, { "rb", 0 }, { "rp", 0 },
	{ "rt", 0 }, { "rtc", 0 }, { "ruby", 0 }, { "s", 0 }, { "samp", 0 },
	{ "script", E_DROP | E_RAW }, { "section", 0 }, { "select", 0 }, { "small", 0 },
	{ "sound", 0 }, { "source", E_VOID }, { "spacer", 0 }, { "span", 0 }, { "strike", 0 },
	{ "strong", 0 }, { "style", E_DROP | E_RAW }, { "sub", 0 }, { "summary", 0 }, { "sup", 0 },
	{ "svg", E_DROP }, { "table", E_TABLE | E_WALL }, { "tbody", E_TABLE | E_GROUP },
	{ "td", E_TABLE | E_WALL | E_CELL }, { "template", E_DROP }, { "textarea", E_RAW },
	{ "tfoot", E_TABLE | E_GROUP }, { "th", E_TABLE | E_WALL | E_CELL },
	{ "thead", E_TABLE | E_GROUP }, { "time", 0 }, { "title", E_DROP | E_RAW },
	{ "tr", E_TABLE | E_ROW }, { "track", E_VOID }, { "tt", 0 }, { "u", 0 }, { "ul", 0 },
	{ "var", 0 }, { "video", 0 }, { "wbr", E_VOID }, { "xmp", E_GONE | E_RAW },
};

/* An open element of these is ended by the start of one of those (HTML 13.1.2.4). */
static const struct html_implied {
	int	 open, starts;
} html_implied[] = {
	{ E_A, E_A }, { E_P, E_P | E_LI | E_DD | E_CELL | E_ROW | E_GROUP }, { E_LI, E_LI },
	{ E_DD, E_DD }, { E_OPTION, E_OPTION }, { E_CELL, E_CELL | E_ROW | E_GROUP },
	{ E_ROW, E_ROW | E_GROUP }, { E_GROUP, E_GROUP },
};

enum html_value { V_TEXT, V_LINK, V_SOURCE, V_SOURCES, V_PLACE, V_STYLE };

struct html_attr {
	char		 name[HTML_NAME];
	enum html_value	 value;
};

/* Sorted. The same for all elements. */
static const struct html_attr html_attrs[] = {
	{ "abbr", V_TEXT }, { "accept", V_TEXT }, { "accept-charset", V_TEXT },
	{ "accesskey", V_TEXT }, { "align", V_TEXT }, { "alt", V_TEXT }, { "aria-hidden", V_TEXT },
	{ "aria-label", V_TEXT }, { "autocomplete", V_TEXT }, { "autofocus", V_TEXT },
	{ "axis", V_TEXT }, { "background", V_SOURCE }, { "balance", V_TEXT },
	{ "bgcolor", V_TEXT },
	{ "bgproperties", V_TEXT }, { "border", V_TEXT }, { "bordercolor", V_TEXT },
	{ "bordercolordark", V_TEXT }, { "bordercolorlight", V_TEXT }, { "bottompadding", V_TEXT },
	{ "cellpadding", V_TEXT }, { "cellspacing", V_TEXT }, { "ch", V_TEXT },
	{ "challenge", V_TEXT }, { "char", V_TEXT }, { "charoff", V_TEXT }, { "charset", V_TEXT },
	{ "checked", V_TEXT }, { "choff", V_TEXT }, { "cite", V_LINK }, { "class", V_TEXT },
	{ "clear", V_TEXT }, { "color", V_TEXT }, { "cols", V_TEXT }, { "colspan", V_TEXT },
	{ "compact", V_TEXT }, { "contenteditable", V_TEXT }, { "controls", V_TEXT },
	{ "coords", V_TEXT }, { "datafld", V_TEXT }, { "datapagesize", V_TEXT },
	{ "datasrc", V_PLACE }, { "datetime", V_TEXT }, { "default", V_TEXT }, { "delay", V_TEXT },
	{ "dir", V_TEXT }, { "disabled", V_TEXT }, { "draggable", V_TEXT }, { "dynsrc", V_SOURCE },
	{ "enctype", V_TEXT }, { "end", V_TEXT }, { "face", V_TEXT }, { "for", V_TEXT },
	{ "form", V_TEXT }, { "frame", V_TEXT }, { "galleryimg", V_TEXT }, { "gutter", V_TEXT },
	{ "headers", V_TEXT }, { "height", V_TEXT }, { "hidden", V_TEXT }, { "hidefocus", V_TEXT },
	{ "high", V_TEXT }, { "href", V_LINK }, { "hreflang", V_TEXT }, { "hspace", V_TEXT },
	{ "icon", V_SOURCE }, { "id", V_TEXT }, { "inputmode", V_TEXT }, { "ismap", V_TEXT },
	{ "keytype", V_TEXT }, { "kind", V_TEXT }, { "label", V_TEXT }, { "lang", V_TEXT },
	{ "leftspacing", V_TEXT }, { "list", V_TEXT }, { "loading", V_TEXT },
	{ "longdesc", V_LINK },
	{ "loop", V_TEXT }, { "loopcount", V_TEXT }, { "loopend", V_TEXT }, { "loopstart", V_TEXT },
	{ "low", V_TEXT }, { "lowsrc", V_SOURCE }, { "max", V_TEXT }, { "maxlength", V_TEXT },
	{ "media", V_TEXT }, { "method", V_TEXT }, { "min", V_TEXT }, { "multiple", V_TEXT },
	{ "muted", V_TEXT }, { "name", V_TEXT }, { "nohref", V_TEXT }, { "noshade", V_TEXT },
	{ "nowrap", V_TEXT }, { "open", V_TEXT }, { "optimum", V_TEXT }, { "pattern", V_TEXT },
	{ "point-size", V_TEXT }, { "poster", V_SOURCE }, { "pqg", V_TEXT },
	{ "preload", V_TEXT }, { "prompt", V_TEXT }, { "radiogroup", V_TEXT },
	{ "readonly", V_TEXT }, { "rel", V_TEXT }, { "repeat-max", V_TEXT },
	{ "repeat-min", V_TEXT }, { "replace", V_TEXT }, { "required", V_TEXT }, { "rev", V_TEXT },
	{ "reversed", V_TEXT }, { "rightspacing", V_TEXT }, { "role", V_TEXT }, { "rows", V_TEXT },
	{ "rowspan", V_TEXT }, { "rules", V_TEXT }, { "scope", V_TEXT }, { "selected", V_TEXT },
	{ "shape", V_TEXT }, { "size", V_TEXT }, { "sizes", V_TEXT }, { "span", V_TEXT },
	{ "src", V_SOURCE }, { "srclang", V_TEXT }, { "srcset", V_SOURCES }, { "start", V_TEXT },
	{ "step", V_TEXT }, { "style", V_STYLE }, { "summary", V_TEXT }, { "suppress", V_TEXT },
	{ "tabindex", V_TEXT }, { "target", V_TEXT }, { "template", V_TEXT }, { "title", V_TEXT },
	{ "toppadding", V_TEXT }, { "type", V_TEXT }, { "unselectable", V_TEXT }, { "urn", V_TEXT },
	{ "usemap", V_PLACE }, { "valign", V_TEXT }, { "value", V_TEXT }, { "variable", V_TEXT },
	{ "volume", V_TEXT }, { "vrml", V_PLACE }, { "vspace", V_TEXT }, { "width", V_TEXT },
	{ "wrap", V_TEXT }, { "xml:lang", V_TEXT },
};

/* Parts of addresses of images that only count their readers. */
static const char *const html_beacons[] = {
	"//feeds.feedburner.com/~r/", "//feeds.feedburner.com/~ff/", "//feeds2.feedburner.com/~r/",
	"//feedads.g.doubleclick.net/", "//pixel.wp.com/", "//stats.wordpress.com/",
	"//blogger.googleusercontent.com/tracker/", "//www.google-analytics.com/",
	"//ad.doubleclick.net/", "//b.scorecardresearch.com/", "//pixel.quantserve.com/",
	"//medium.com/_/stat", "//rss.feedsportal.com/", "//da.feedsportal.com/",
	"//pi.feedsportal.com/",
	"//api.follow.it/track", "//ads.pheedo.com/", "//www.pheedo.com/",
	"//feeds.wordpress.com/1.0/",
	"//www.facebook.com/tr?", "//px.ads.linkedin.com/", "//bat.bing.com/",
	"//sb.scorecardresearch.com/",
	"//counter.yadro.ru/", "//mc.yandex.ru/watch/", "//list-manage.com/track/",
	"/open.aspx?ffcb10-",
	"//hits.theguardian.com/", "//collector.githubapp.com/", "//visitor-badge.",
	"//hitcounter.",
};

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
	unsigned char	 no_end[COUNT(html_elements)];
	uint16_t	 opened[COUNT(html_elements)];	/* how many of each are open */
	uint16_t	 open[HTML_DEPTH];		/* places in the table */
	size_t		 depth;
	struct html_tag	 tag;
};

static int
html_letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* White space of HTML: no vertical tab. */
static int
html_space(int c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* What ends the name of a tag, of an attribute, a value without quotes. */
enum { ENDS_TAG = 1, ENDS_NAME = 2, ENDS_VALUE = 4, ENDS_ALL = 7 };
static const unsigned char html_ends[256] = {
	[' '] = ENDS_ALL, ['\n'] = ENDS_ALL, ['\t'] = ENDS_ALL, ['\r'] = ENDS_ALL,
	['\f'] = ENDS_ALL, ['>'] = ENDS_ALL, ['/'] = ENDS_TAG | ENDS_NAME, ['='] = ENDS_NAME,
};

/* The first such sign from s on. */
static const char *
html_until(const char *s, const char *end, unsigned what)
{
	while (s < end && (html_ends[(unsigned char)*s] & what) == 0)
		s++;
	return s;
}

/* The first eight bytes as a number: two of these stand to each other as the names do. */
static uint64_t
html_head(const char *name)
{
	uint64_t head;

	memcpy(&head, name, sizeof(head));
	return be64toh(head);
}

/* Either table: both begin their entries with the name. */
static inline const void *
html_find(const void *table, size_t count, size_t size, const char *s, size_t n)
{
	char name[HTML_NAME] = { 0 };
	const char *entry;
	size_t low = 0, mid;
	uint64_t head, other;
	int order;

	if (n >= HTML_NAME)
		return NULL;
	for (size_t i = 0; i < n; i++)
		name[i] = (char)text_lower(s[i]);
	for (head = html_head(name); low < count;) {
		mid = (low + count) / 2;
		entry = (const char *)table + mid * size;
		other = html_head(entry);
		order = head != other ? (head < other ? -1 : 1) : strcmp(name + 8, entry + 8);
		if (order == 0)
			return entry;
		if (order > 0)
			low = mid + 1;
		else
			count = mid;
	}
	return NULL;
}

static size_t
html_place(const struct html_element *e)
{
	return (size_t)(e - html_elements);
}

static const char *
html_escape(char c)
{
	return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&quot;";
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

/* Takes off again what was added since it was `len` long. */
static void
html_undo(struct buf *b, size_t len)
{
	b->len = len;
	if (b->data != NULL)
		b->data[len] = '\0';
}

/* The value with references decoded, without controls and without spaces around it: what browsers
 * make of an address. Into out[URL_MAX + 1]; -1: too long. */
static int
html_address(char *out, const struct html_span *v)
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

/* Adds the address as it may stand in the output: 0, or -1 and nothing. An empty one stays empty;
 * without a base a relative one stays as it is. */
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

/* The addresses of a srcset, those that may stay: 0, or -1 when none did. Behind an address stands
 * its size, up to a comma. */
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
		if (n > 0 && s[n - 1] == ',') {
			s[n - 1] = '\0';
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

/* A style: its declarations that may pass; -1 when none did. */
static int
html_style(struct html *h, const struct html_span *v)
{
	MEM_UNSET char style[URL_MAX + 1];
	size_t start = h->out->len;

	if (html_address(style, v) == -1)
		return -1;
	css_sanitise(h->out, style, strlen(style));
	return h->out->len > start ? 0 : -1;
}

/* Most addresses are absolute and hold nothing that has to be resolved, decoded or escaped. */
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

/* Apart, because its stack is large: most values do not need it. */
static int __attribute__((noinline))
html_value_read(struct html *h, const struct html_attr *attr, const struct html_span *v)
{
	MEM_UNSET char address[URL_MAX + 1];

	if (attr->value == V_STYLE)
		return html_style(h, v);
	if (html_address(address, v) == -1)
		return -1;
	if (attr->value == V_SOURCES)
		return html_sources(h, address);
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

static void
html_attribute(struct html *h, const struct html_attr *attr, const struct html_span *v)
{
	size_t start = h->out->len;

	buf_char(h->out, ' ');
	buf_str(h->out, attr->name);
	buf_str(h->out, "=\"");
	if (html_value(h, attr, v) == -1)
		html_undo(h->out, start);
	else
		buf_char(h->out, '"');
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

/* Whether one of the beacons stands in an address: each begins with '/'. */
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

/* An image that shows nothing and only tells somebody that it was seen. */
static int
html_is_beacon(const struct html_tag *t)
{
	const struct html_span *src = html_attr_of(t, "src");

	if (html_tiny(html_attr_of(t, "width")) && html_tiny(html_attr_of(t, "height")))
		return 1;
	return src != NULL && html_names_beacon(src);
}

/* The sign c from s on; once it did not come it is not looked for again. */
static const char *
html_seek(const char *s, const char *end, int c, int *none)
{
	const char *found = *none ? NULL : memchr(s, c, (size_t)(end - s));

	*none = found == NULL;
	return found;
}

/* Reads the value behind the '=' before s. Behind it. */
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

/* Keeps an attribute that may pass; the first of its name counts. */
static void
html_keep_attr(struct html_tag *t, const char *name, size_t n, const struct html_span *v)
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

/* Reads the attributes from s on; behind the '>', or NULL when it does not come. */
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
			html_keep_attr(&h->tag, name, n, &v);
		} else {
			html_keep_attr(&h->tag, name, (size_t)(s - name), &v);
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
	/* Quotes are broken here: from now on they are signs like others. */
	h->no_double = h->no_single = 1;
	return html_read_attrs(h, s);
}

static void
html_close_tag(struct html *h)
{
	size_t place = h->open[--h->depth];

	h->opened[place]--;
	buf_str(h->out, "</");
	buf_str(h->out, html_elements[place].name);
	buf_char(h->out, '>');
}

/* An end tag: closes what is open inside its element too, unless a wall is in between. */
static void
html_end_tag(struct html *h, const struct html_element *e)
{
	size_t depth = h->depth, place;

	if (e == NULL || h->opened[place = html_place(e)] == 0)
		return;
	while (h->open[depth - 1] != place) {
		if ((html_elements[h->open[depth - 1]].flags & E_WALL) != 0 &&
		    (e->flags & E_TABLE) == 0)
			return;
		depth--;
	}
	while (h->depth >= depth)
		html_close_tag(h);
}

static int
html_implies_end(int open, int starts)
{
	for (size_t i = 0; i < COUNT(html_implied); i++)
		if ((html_implied[i].open & open) != 0 && (html_implied[i].starts & starts) != 0)
			return 1;
	return 0;
}

static void
html_start_tag(struct html *h)
{
	const struct html_element *e = h->tag.element;

	if ((e->flags & E_IMG) != 0 && (h->flags & HTML_STRIP_TRACKERS) != 0 &&
	    html_is_beacon(&h->tag))
		return;
	while (h->depth > 0 &&
	    html_implies_end(html_elements[h->open[h->depth - 1]].flags, e->flags))
		html_close_tag(h);
	if ((e->flags & E_VOID) == 0) {
		if (h->depth == HTML_DEPTH)
			return;
		h->open[h->depth++] = (uint16_t)html_place(e);
		h->opened[html_place(e)]++;
	}
	buf_char(h->out, '<');
	buf_str(h->out, e->name);
	for (size_t i = 0; i < h->tag.count; i++)
		html_attribute(h, h->tag.attrs[i].attr, &h->tag.attrs[i].value);
	buf_str(h->out, (e->flags & E_VOID) != 0 ? "/>" : ">");
	if ((e->flags & E_VOID) == 0 && h->tag.empty)
		html_close_tag(h);
}

/* The next tag of that name from s on, NULL: there is none. *close: an end tag. */
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

/* Behind the next '>' from s on. */
static const char *
html_behind(const struct html *h, const char *s)
{
	const char *gt = memchr(s, '>', (size_t)(h->end - s));

	return gt != NULL ? gt + 1 : h->end;
}

/* What is done with the tag that was read and ends before `after`; where to go on. */
static const char *
html_tag(struct html *h, const char *after)
{
	const struct html_element *e = h->tag.element;
	const char *stop;

	if (e == NULL)
		return after;
	if (h->tag.close) {
		html_end_tag(h, e);
		return after;
	}
	if ((e->flags & E_DROP) != 0) {
		stop = h->tag.empty ? NULL : html_content_end(h, e, after);
		return stop != NULL ? html_behind(h, stop) : after;
	}
	if ((e->flags & E_GONE) == 0)
		html_start_tag(h);
	if ((e->flags & E_RAW) == 0 || h->tag.empty)
		return after;
	stop = html_content_end(h, e, after);
	html_text(h->out, after, (size_t)(stop - after), 0);
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

/* The comment, declaration or instruction at h->at: behind it; NULL: it is none. */
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
	/* An open comment ends as a declaration does, or hides the rest. */
	stop = html_seek(s, h->end, '>', &h->no_gt);
	return stop != NULL ? stop + 1 : h->end;
}

/* What stands at h->at, a '<': where to go on; NULL: it is a sign like others. */
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
	MEM_UNSET struct html h;
	const char *lt;

	h.out = b;
	h.at = html;
	h.end = html + len;
	h.base = base;
	h.flags = flags;
	h.no_gt = h.no_double = h.no_single = h.no_comment = 0;
	h.depth = 0;
	memset(h.no_end, 0, sizeof(h.no_end));
	memset(h.opened, 0, sizeof(h.opened));
	while (h.at < h.end) {
		if ((lt = memchr(h.at, '<', (size_t)(h.end - h.at))) == NULL)
			lt = h.end;
		html_text(b, h.at, (size_t)(lt - h.at), 0);
		if ((h.at = lt) == h.end)
			break;
		if ((lt = html_angle(&h)) == NULL) {
			buf_str(b, "&lt;");
			lt = h.at + 1;
		}
		h.at = lt;
	}
	while (h.depth > 0)
		html_close_tag(&h);
}

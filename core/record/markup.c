/* Recogniser of sanitised HTML, over the sanitiser's own tables. A text that it takes consists of
 * elements and attributes of these alone, is nested as browsers nest it (worker/nest.h), and loads
 * and links to http, https and (links) mailto only, or to addresses without a scheme. */
#include "markup.h"
#include "css.h"
#include "base/utf8.h"

#include "html.inc"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* Elements that may not be around another of their kind, or around a block. */
#define AROUND	(E_P | E_LI | E_DD | E_A | E_NOBR)

struct markup {
	const char	*at, *end;
	const char	*why;			/* NULL: all is well so far */
	const char	*pre;			/* where the content of a pre begins */
	size_t		 depth, tables;		/* open elements, open tables */
	struct {
		uint16_t	 place;		/* in html_elements */
		int		 around;	/* those of AROUND that are seen from inside */
	} open[NEST_DEPTH];
};

static int
wrong(struct markup *m, const char *why)
{
	m->why = why;
	return -1;
}

/* The length of the escape at s; 0: none that the sanitiser writes. */
static size_t
escape(const char *s, const char *end)
{
	static const struct { const char *text; size_t n; } escapes[] = {
		{ "&amp;", 5 }, { "&quot;", 6 }, { "&lt;", 4 }, { "&gt;", 4 }, { "&#39;", 5 },
	};

	for (size_t i = 0; i < COUNT(escapes); i++)
		if ((size_t)(end - s) >= escapes[i].n &&
		    memcmp(s, escapes[i].text, escapes[i].n) == 0)
			return escapes[i].n;
	return 0;
}

/* The flags of the innermost open element. */
static int
flags_top(const struct markup *m)
{
	return m->depth > 0 ? html_elements[m->open[m->depth - 1].place].flags : 0;
}

/* Passes text up to the next '<', or in a value up to the closing quote. */
static int
text(struct markup *m, int value)
{
	size_t n;

	while ((m->at += text_plain(m->at, (size_t)(m->end - m->at))) < m->end)
		switch (*m->at) {
		case '"':
			if (value)
				return 0;
			m->at++;
			break;
		case '&':
			if ((n = escape(m->at, m->end)) == 0)
				return wrong(m, "a bare &");
			m->at += n;
			break;
		case '<':
			return value ? wrong(m, "a bare < in a value") : 0;
		default:
			return wrong(m, *m->at == '>' ? "a bare >" : "a control character");
		}
	return 0;
}

/* ---- Values ---- */

/* Whether all bytes are printable ASCII without spaces, as in a resolved URL. */
static int
resolved(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return 0;
	return 1;
}

/* Whether an escaped URL is resolved and of a scheme that is allowed, or is empty, or, as the
 * sanitiser leaves it where there is no base, has no scheme. */
static int
url_fits(const char *s, size_t n, int link)
{
	static const struct { const char *lead; size_t n, link; } leads[] = {
		{ "https://", 8, 0 }, { "http://", 7, 0 }, { "mailto:", 7, 1 },
	};
	size_t i;

	for (i = 0; i < COUNT(leads); i++)
		if (n + leads[i].link > leads[i].n && memcmp(s, leads[i].lead, leads[i].n) == 0)
			return (link || leads[i].link == 0) && resolved(s, n);
	if (n > 0 && (s[0] == ' ' || s[n - 1] == ' '))
		return 0;
	for (i = 0; i < n && strchr(":/?", s[i]) == NULL; i++)
		if (s[i] == '#' && (i == 0 || s[i - 1] != '&'))
			break;
	if (i < n && s[i] == ':')
		return 0;
	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ')
			return 0;
	return 1;
}

/* URLs, each with the size that follows it behind a space, ", " between them. */
static int
sources_fit(const char *s, size_t n)
{
	const char *end = s + n, *stop, *comma;
	int count = 0, more = 1;

	while (more) {
		if (count++ == HTML_SOURCES)
			return 0;
		if ((stop = memchr(s, ' ', (size_t)(end - s))) == NULL)
			stop = end;
		more = stop < end && stop > s && stop[-1] == ',';
		if (stop - s == more || !url_fits(s, (size_t)(stop - s - more), 0))
			return 0;
		s = stop + 1;
		if (more || stop == end)
			continue;
		if ((comma = memchr(s, ',', (size_t)(end - s))) == NULL)
			comma = end;
		for (stop = s; stop < comma; stop++)
			if ((unsigned char)*stop < ' ')
				return 0;
		if (comma == s || s[0] == ' ' || comma[-1] == ' ')
			return 0;
		more = comma < end;
		if (more && (end - comma < 3 || comma[1] != ' '))
			return 0;
		s = comma + 2;
	}
	return 1;
}

/* A place in the page: empty, or '#' and a name. */
static int
place_fits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ')
			return 0;
	return n == 0 || (s[0] == '#' && s[n - 1] != ' ');
}

/* Why an attribute may not have the value; NULL: it may. */
static const char *
value_wrong(enum html_value kind, const char *s, size_t n)
{
	switch (kind) {
	case V_TEXT:
		return NULL;
	case V_LINK:
	case V_SOURCE:
		return url_fits(s, n, kind == V_LINK) && (kind == V_SOURCE || n == 0 || *s != '#') ?
		    NULL : "a URL that is not allowed";
	case V_SOURCES:
		return sources_fit(s, n) ? NULL : "a list of images with a URL that is not allowed";
	case V_PLACE:
		return place_fits(s, n) ? NULL : "a place that is none of this page";
	case V_STYLE:
		return css_sanitised(s, n) ? NULL : "a style that is not allowed";
	default:
		return "an attribute that is never written";
	}
}

/* ---- Tags ---- */

static int
sign(struct markup *m, char c)
{
	if (m->at == m->end || *m->at != c)
		return 0;
	m->at++;
	return 1;
}

/* The length of the name at m->at, which ends before ' ', '=', '/' or '>'. */
static size_t
name(const struct markup *m)
{
	const char *s = m->at;

	while (s < m->end && ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-' ||
	    *s == ':'))
		s++;
	return (size_t)(s - m->at);
}

/* An attribute, behind its space. seen: a bit for each of the tag's attributes. */
static int
attribute(struct markup *m, uint64_t seen[])
{
	size_t n = name(m), place;
	const struct html_attr *attr = html_find(html_attrs, COUNT(html_attrs),
	    sizeof(html_attrs[0]), m->at, n);
	const char *value, *why;

	if (attr == NULL)
		return wrong(m, "an attribute that is not allowed");
	place = (size_t)(attr - html_attrs);
	if ((seen[place / 64] >> place % 64 & 1) != 0)
		return wrong(m, "an attribute twice");
	seen[place / 64] |= UINT64_C(1) << place % 64;
	m->at += n;
	if (!sign(m, '=') || !sign(m, '"'))
		return wrong(m, "an attribute without a quoted value");
	value = m->at;
	if (text(m, 1) == -1)
		return -1;
	if (m->at == m->end)
		return wrong(m, "a value without an end");
	why = value_wrong(attr->value, value, (size_t)(m->at - value));
	m->at = why != NULL ? value : m->at + 1;
	return why != NULL ? wrong(m, why) : 0;
}

/* The end tag of the innermost open element, behind its "</". */
static int
end_tag(struct markup *m)
{
	size_t n = name(m);
	const struct html_element *e = m->depth > 0 ?
	    &html_elements[m->open[m->depth - 1].place] : NULL;

	if (e == NULL || strlen(e->name) != n || memcmp(e->name, m->at, n) != 0)
		return wrong(m, "an end tag of no open element");
	m->at += n;
	m->depth--;
	m->tables -= (e->flags & E_TABLE) != 0;
	return sign(m, '>') ? 0 : wrong(m, "a tag without an end");
}

/* What is seen of AROUND inside of an element, when `around` is seen outside. */
static int
around_in(int flags, int around)
{
	if ((flags & E_WALL) != 0)
		around = 0;
	else if ((flags & E_BLOCK) != 0 && (flags & E_PASS) == 0)
		around &= ~(E_LI | E_DD);
	return around | (flags & AROUND);
}

/* Whether an element stands where its start tag closes nothing, opens nothing and is not moved: as
 * nest_before() leaves it. */
static int
may_stand(const struct markup *m, int flags)
{
	int top = flags_top(m), around = m->depth > 0 ? m->open[m->depth - 1].around : 0;

	if ((flags & E_PART) != 0)
		return (top & ((flags & E_CELL) != 0 ? E_ROW | E_GROUP | E_TABLE :
		    (flags & E_ROW) != 0 ? E_GROUP | E_TABLE :
		    (flags & E_COL) != 0 ? E_COLS | E_TABLE : E_TABLE)) != 0;
	if ((top & E_GRID) != 0)
		return 0;
	if ((flags & E_BLOCK) != 0)
		return (around & (E_P | (flags & (E_LI | E_DD)))) == 0 &&
		    (flags & top & E_HEADING) == 0;
	if ((flags & (E_RT | E_RTC)) != 0)
		return (top & (E_P | E_LI | E_DD | E_RT | ((flags & E_RB) != 0 ? E_RTC : 0))) == 0;
	return (around & flags & (E_A | E_NOBR)) == 0;
}

/* Whether there is room for an element. */
static int
has_room(const struct markup *m, int flags)
{
	size_t needs = (flags & E_TABLE) != 0 ? NEST_TABLE_DEPTH : (flags & E_VOID) == 0;

	return m->depth + needs <= NEST_DEPTH && ((flags & E_TABLE) == 0 || m->tables < NEST_TABLES);
}

static void
push(struct markup *m, const struct html_element *e)
{
	int around = m->depth > 0 ? m->open[m->depth - 1].around : 0;

	m->open[m->depth].place = (uint16_t)(e - html_elements);
	m->open[m->depth++].around = around_in(e->flags, around);
	m->tables += (e->flags & E_TABLE) != 0;
	if ((e->flags & E_PRE) != 0)
		m->pre = m->at;
}

static int
start_tag(struct markup *m)
{
	uint64_t seen[(COUNT(html_attrs) + 63) / 64] = { 0 };
	size_t n = name(m);
	const struct html_element *e = html_find(html_elements, COUNT(html_elements),
	    sizeof(html_elements[0]), m->at, n);
	int empty;

	if (e == NULL || (e->flags & (E_DROP | E_GONE | E_MATH)) != 0)
		return wrong(m, "an element that is not allowed");
	if (!may_stand(m, e->flags))
		return wrong(m, "an element that may not stand here");
	if (!has_room(m, e->flags))
		return wrong(m, "elements that are too deep");
	m->at += n;
	while (sign(m, ' '))
		if (attribute(m, seen) == -1)
			return -1;
	empty = (e->flags & E_VOID) != 0;
	if (sign(m, '/') != empty || !sign(m, '>'))
		return wrong(m, "a tag without its end");
	if (!empty)
		push(m, e);
	return 0;
}

/* Text between tags. In a table it stands in cells alone, and no pre begins with a line end. */
static int
words(struct markup *m)
{
	const char *from = m->at;

	if (m->pre != NULL && from == m->pre && from < m->end && (*from == '\n' || *from == '\r'))
		return wrong(m, "a pre that begins with a line end");
	if (text(m, 0) == -1)
		return -1;
	for (; (flags_top(m) & E_GRID) != 0 && from < m->at; from++)
		if (strchr(" \t\n\r", *from) == NULL) {
			m->at = from;
			return wrong(m, "text in a table, outside of its cells");
		}
	return 0;
}

const char *
markup_wrong(const char *s, size_t n, size_t *at)
{
	struct markup m;			/* open[] is written before it is read */

	m.at = s;
	m.end = s + n;
	m.why = m.pre = NULL;
	m.depth = m.tables = 0;
	while (words(&m) == 0 && sign(&m, '<'))
		if ((sign(&m, '/') ? end_tag(&m) : start_tag(&m)) == -1)
			break;
	if (m.why == NULL && m.depth > 0)
		m.why = "an element that is left open";
	*at = (size_t)(m.at - s);
	return m.why;
}

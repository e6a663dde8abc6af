/* Mends a document that is not well-formed: stray ampersands and angle brackets are escaped,
 * entities of HTML written out, control characters dropped, attributes quoted, tags closed that
 * were left open. */
#include "feed.h"
#include "shared/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPEN_MAX	FEED_DEPTH_MAX	/* elements open at once */
#define MEND_GROWTH	2		/* times as long as it was, at most */
#define NAME_LISTS	1024		/* of open elements, by their names; a power of two */
#define ATTRIBUTES_MAX	64		/* of one tag */

struct tag {
	const char	*name;		/* in the document, not terminated */
	size_t		 len;
	int		 outer;		/* the next of its list outside of it: depth, 0: none */
};
struct mender {
	const char	*at, *end;
	char		*out;
	size_t		 len, cap, max;
	struct tag	 open[OPEN_MAX];
	int		 depth;
	int		 innermost[NAME_LISTS];	/* of each list: depth, 0: none is open */
	uint32_t	 seed;			/* so that nobody can fill one list by choice of names */
	int		 done, failed;
	int		 lost;		/* something of the text is not in the copy */
	int		 declared;	/* doctype has something */
	struct doctype	 doctype;
};

static void
put(struct mender *m, const char *s, size_t n)
{
	size_t cap = m->cap;
	char *out;

	if (m->failed)
		return;
	if (m->len + n + 1 > m->max) {
		m->failed = 1;
		return;
	}
	if (m->len + n + 1 > m->cap) {
		while (cap < m->len + n + 1)
			cap *= 2;
		if ((out = realloc(m->out, cap)) == NULL) {
			m->failed = 1;
			return;
		}
		m->out = out;
		m->cap = cap;
	}
	memcpy(m->out + m->len, s, n);
	m->len += n;
}

static void
puts_out(struct mender *m, const char *s)
{
	put(m, s, strlen(s));
}

static int
space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}

static int
name_char(char c)
{
	return name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}

static size_t
name_len(const char *s, const char *end)
{
	const char *at = s;

	if (at < end && name_start(*at))
		while (at < end && name_char(*at))
			at++;
	return (size_t)(at - s);
}

/* At "&#". The bytes it took, 0: it is no reference. */
static size_t
put_number(struct mender *m, const char *s, const char *end)
{
	const char *at = s + 2;
	char text[8], *after;
	char digits[12];
	int hex = at < end && (*at == 'x' || *at == 'X');
	size_t n = 0;
	uint32_t c;

	at += hex;
	while (at + n < end && n < sizeof(digits) - 1 &&
	    strchr(hex ? "0123456789abcdefABCDEF" : "0123456789", at[n]) != NULL && at[n] != '\0')
		n++;
	if (n == 0)
		return 0;
	memcpy(digits, at, n);
	digits[n] = '\0';
	c = entity_number((uint32_t)strtoull(digits, &after, hex ? 16 : 10));
	if (strchr("<>&\"'", (int)c) != NULL && c != 0 && c < 0x80) {
		put(m, s, (size_t)(at - s) + n);
		put(m, ";", 1);
	} else
		put(m, text, plain_put(text, c));
	at += n;
	return (size_t)(at - s) + (at < end && *at == ';');
}

static void
put_escaped(struct mender *m, const char *s, size_t n)
{
	static const char *const escapes[256] = {
		['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['"'] = "&quot;", ['\''] = "&apos;",
	};

	for (; n > 0; s++, n--)
		if (escapes[(unsigned char)*s] != NULL)
			puts_out(m, escapes[(unsigned char)*s]);
		else
			put(m, s, 1);
}

/* At '&'. The bytes it took. */
static size_t
put_reference(struct mender *m, const char *s, const char *end)
{
	static const char *const plain[] = { "amp", "lt", "gt", "quot", "apos" };
	const char *text;
	size_t i, n, len;

	if (s + 1 < end && s[1] == '#') {
		if ((n = put_number(m, s, end)) > 0)
			return n;
	}
	for (n = 0; s + 1 + n < end && n < 40 && name_char(s[1 + n]) && s[1 + n] != ':'; n++)
		;
	if (s + 1 + n < end && s[1 + n] == ';') {
		for (i = 0; i < sizeof(plain) / sizeof(*plain); i++)
			if (strlen(plain[i]) == n && memcmp(s + 1, plain[i], n) == 0) {
				put(m, s, n + 2);
				return n + 2;
			}
		text = m->declared ? doctype_entity(&m->doctype, s + 1, n, &len) : NULL;
		if (text == NULL)
			text = entity_find(s + 1, n, &len);
		else if (len == 0) {
			m->lost = 1;
			text = NULL;
		}
		if (text != NULL) {
			put_escaped(m, text, len);
			return n + 2;
		}
	}
	puts_out(m, "&amp;");
	return 1;
}

/* Characters of a text or of an attribute's value. */
static void
put_text(struct mender *m, const char *s, const char *end)
{
	const char *from;

	while (s < end) {
		for (from = s; s < end && *s != '&' && *s != '<' && *s != '"' && *s != '>' &&
		    ((unsigned char)*s >= ' ' || space(*s)) && *s != '\v' && *s != '\f' &&
		    (unsigned char)*s != 0xef; s++)
			;
		put(m, from, (size_t)(s - from));
		if (s == end)
			return;
		if (*s == '&')
			s += put_reference(m, s, end);
		else if (*s == '<')
			puts_out(m, "&lt;"), s++;
		else if (*s == '>')
			puts_out(m, "&gt;"), s++;
		else if (*s == '"')
			puts_out(m, "&quot;"), s++;
		else if ((unsigned char)*s == 0xef) {	/* U+FFFE, U+FFFF are not XML's */
			if (end - s >= 3 && (unsigned char)s[1] == 0xbf &&
			    (unsigned char)s[2] >= 0xbe)
				s += 3;
			else
				put(m, s++, 1);
		} else
			s++;
	}
}

static int
same_name(const struct tag *t, const char *name, size_t len)
{
	return t->len == len && strncasecmp(t->name, name, len) == 0;
}

/* The list of the elements with that name, whatever its case. */
static int *
list_of(struct mender *m, const char *name, size_t len)
{
	uint32_t h = m->seed;

	for (; len > 0; name++, len--)
		h = (h ^ ((unsigned char)*name | 0x20u)) * (m->seed | 1);
	return &m->innermost[(h >> 16) & (NAME_LISTS - 1)];
}

/* The depth of the innermost open element with that name; 0: none. */
static int
open_depth(struct mender *m, const char *name, size_t len)
{
	int i = *list_of(m, name, len);

	while (i > 0 && !same_name(&m->open[i - 1], name, len))
		i = m->open[i - 1].outer;
	return i;
}

static void
open_one(struct mender *m, const struct tag *t)
{
	int *list = list_of(m, t->name, t->len);

	m->open[m->depth] = *t;
	m->open[m->depth].outer = *list;
	*list = ++m->depth;
}

static void
close_one(struct mender *m)
{
	const struct tag *t = &m->open[--m->depth];

	*list_of(m, t->name, t->len) = t->outer;
	put(m, "</", 2);
	put(m, t->name, t->len);
	put(m, ">", 1);
	if (m->depth == 0)
		m->done = 1;
}

static int
is_entry(const struct tag *t)
{
	return same_name(t, "item", 4) || same_name(t, "entry", 5);
}

/* An entry within an entry: the first was not closed. */
static void
close_entry(struct mender *m)
{
	int item = open_depth(m, "item", 4), entry = open_depth(m, "entry", 5);
	int i = item > entry ? item : entry;

	if (i > 0)
		while (m->depth >= i)
			close_one(m);
}

/* One attribute at s; where it ends. seen: what the tag has so far. */
static const char *
put_attribute(struct mender *m, const char *s, const char *end, struct tag *seen, int *n)
{
	const char *name = s, *value = s, *stop = s;
	size_t len = name_len(s, end);
	int i, known = 0;

	if (len == 0)
		return s + 1;
	for (s += len; s < end && space(*s); s++)
		;
	if (s < end && *s == '=') {
		for (s++; s < end && space(*s); s++)
			;
		if (s < end && (*s == '"' || *s == '\'')) {
			value = s + 1;
			stop = memchr(value, *s, (size_t)(end - value));
			if (stop == NULL)
				stop = end;
			s = stop < end ? stop + 1 : end;
		} else {
			for (value = s; s < end && !space(*s) && *s != '>'; s++)
				;
			stop = s;
		}
	}
	m->lost |= *n == ATTRIBUTES_MAX;
	for (i = 0; i < *n && *n < ATTRIBUTES_MAX && !known; i++)
		known = seen[i].len == len && *seen[i].name == *name &&
		    memcmp(seen[i].name, name, len) == 0;
	if (known || *n == ATTRIBUTES_MAX)
		return s;
	seen[(*n)++] = (struct tag){ name, len, 0 };
	put(m, " ", 1);
	put(m, name, len);
	put(m, "=\"", 2);
	put_text(m, value, stop);
	put(m, "\"", 1);
	return s;
}

/* A start tag at m->at; 0: it is none, and its '<' a character. */
static int
start_tag(struct mender *m)
{
	struct tag name = { m->at + 1, name_len(m->at + 1, m->end), 0 }, seen[ATTRIBUTES_MAX];
	const char *s = name.name + name.len;
	int n = 0, empty;

	if (name.len == 0 || (s < m->end && !space(*s) && *s != '>' && *s != '/'))
		return 0;
	if (is_entry(&name))
		close_entry(m);
	put(m, "<", 1);
	put(m, name.name, name.len);
	while (s < m->end && *s != '>' && *s != '<' &&
	    !(*s == '/' && s + 1 < m->end && s[1] == '>'))
		s = put_attribute(m, s, m->end, seen, &n);
	empty = s < m->end && *s == '/';
	if (s == m->end) {	/* the document ends within the tag */
		m->at = s;
		m->done = m->lost = 1;
		return 1;
	}
	m->at = s + (*s == '/') + (*s != '<');
	if (empty || m->depth == OPEN_MAX) {
		put(m, "/>", 2);
		if (m->depth == 0)
			m->done = 1;
		return 1;
	}
	put(m, ">", 1);
	open_one(m, &name);
	return 1;
}

static void
end_tag(struct mender *m)
{
	const char *name = m->at + 2, *close;
	size_t len = name_len(name, m->end);
	int i = open_depth(m, name, len);

	close = memchr(name + len, '>', (size_t)(m->end - name) - len);
	if (i > 0)
		while (m->depth >= i)
			close_one(m);
	m->at = close != NULL ? close + 1 : m->end;
}

/* CDATA is kept, but for what no XML may hold. */
static void
put_cdata(struct mender *m)
{
	const char *s = m->at + 9, *stop = memmem(s, (size_t)(m->end - s), "]]>", 3);
	const char *from;

	m->at = stop != NULL ? stop + 3 : m->end;
	if (stop == NULL) {	/* cut off, or never closed: the entry is not whole */
		m->done = m->lost = 1;
		return;
	}
	put(m, "<![CDATA[", 9);
	while (s < stop) {
		for (from = s; s < stop && ((unsigned char)*s >= ' ' || *s == '\t' || *s == '\n' ||
		    *s == '\r') && !((unsigned char)*s == 0xef && stop - s >= 3 &&
		    (unsigned char)s[1] == 0xbf && (unsigned char)s[2] >= 0xbe); s++)
			;
		put(m, from, (size_t)(s - from));
		if (s < stop)
			s += (unsigned char)*s == 0xef ? 3 : 1;
	}
	put(m, "]]>", 3);
}

/* Past a comment, an instruction or a declaration at m->at; these are dropped. 0: it is none. */
static int
pass(struct mender *m)
{
	static const struct {
		const char	*begin, *end;
	} spans[] = { { "<!--", "-->" }, { "<?", ">" }, { "<!", ">" } };
	size_t i, n, left = (size_t)(m->end - m->at);
	const char *to;

	for (i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		n = strlen(spans[i].begin);
		if (left < n || memcmp(m->at, spans[i].begin, n) != 0)
			continue;
		to = memmem(m->at + n, left - n, spans[i].end, strlen(spans[i].end));
		m->at = to != NULL ? to + strlen(spans[i].end) : m->end;
		return 1;
	}
	return 0;
}

static void
step(struct mender *m)
{
	const char *s = m->at;
	size_t left = (size_t)(m->end - s);

	if (*s != '<') {
		while (s < m->end && *s != '<')
			s++;
		if (m->depth > 0)	/* before the root it is junk */
			put_text(m, m->at, s);
		m->at = s;
		return;
	}
	if (left >= 9 && memcmp(s, "<![CDATA[", 9) == 0 && m->depth > 0) {
		put_cdata(m);
		return;
	}
	if (left >= 2 && (s[1] == '!' || s[1] == '?') && pass(m))
		return;
	if (left >= 3 && s[1] == '/' && name_start(s[2])) {
		end_tag(m);
		return;
	}
	if (start_tag(m))
		return;
	if (m->depth > 0)
		puts_out(m, "&lt;");
	m->at++;
}

/* Whether what is behind the root's end holds an entry still. */
static int
entry_left(const char *s, const char *end)
{
	struct tag name;

	for (; (s = memchr(s, '<', (size_t)(end - s))) != NULL; s++) {
		name = (struct tag){ s + 1, name_len(s + 1, end), 0 };
		if (is_entry(&name))
			return 1;
	}
	return 0;
}

char *
mend(const char *s, size_t len, size_t *out, int *lost)
{
	struct mender *m = calloc(1, sizeof(*m));
	char *text;

	if (m == NULL)
		return NULL;
	m->at = s;
	m->end = s + len;
	m->seed = (uint32_t)((uintptr_t)m >> 4) * 2654435761u;
	m->cap = len + len / 8 + 64;
	m->max = MEND_GROWTH * len + 65536;
	m->declared = doctype_find(&m->doctype, s, len);
	if ((m->out = malloc(m->cap)) == NULL)
		m->failed = 1;
	while (m->at < m->end && !m->done && !m->failed)
		step(m);
	if (m->failed) {
		free(m->out);
		m->out = NULL;
	}
	*out = m->len;
	*lost = m->lost || m->depth > 0 || entry_left(m->at, m->end);
	text = m->out;
	free(m);
	return text;
}

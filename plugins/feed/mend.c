/* Mends a document that is not well-formed: stray ampersands and angle brackets are escaped,
 * entities of HTML written out, control characters dropped, attributes quoted, tags closed that
 * were left open. */
#include "feed.h"
#include "plain/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPEN_MAX	FEED_DEPTH_MAX	/* elements open at once */
#define MEND_GROWTH	2		/* times as long as it was, at most */

struct tag {
	const char	*name;		/* in the document, not terminated */
	size_t		 len;
};
struct mender {
	const char	*at, *end;
	char		*out;
	size_t		 len, cap, max;
	struct tag	 open[OPEN_MAX];
	int		 depth;
	int		 done, failed;
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

/* A number is the character of windows-1252 that was meant, or none that XML allows. */
static uint32_t
mend_number(uint32_t c)
{
	static const uint16_t windows[32] = {
		0x20ac, 0xfffd, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030,
		0x160, 0x2039, 0x152, 0xfffd, 0x17d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c,
		0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0xfffd,
		0x17e, 0x178,
	};

	if (c >= 0x80 && c < 0xa0)
		return windows[c - 0x80];
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0xd800 && c < 0xe000) ||
	    c > 0x10ffff || c == 0xfffe || c == 0xffff)
		return 0xfffd;
	return c;
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
	c = mend_number((uint32_t)strtoull(digits, &after, hex ? 16 : 10));
	if (strchr("<>&\"'", (int)c) != NULL && c != 0 && c < 0x80) {
		put(m, s, (size_t)(at - s) + n);
		put(m, ";", 1);
	} else
		put(m, text, plain_put(text, c));
	at += n;
	return (size_t)(at - s) + (at < end && *at == ';');
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
		if ((text = entity_find(s + 1, n, &len)) != NULL) {
			if (len == 1 && strchr("<>&\"'", *text) != NULL)
				puts_out(m, *text == '<' ? "&lt;" : *text == '>' ? "&gt;" :
				    *text == '&' ? "&amp;" : *text == '"' ? "&quot;" : "&apos;");
			else
				put(m, text, len);
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

static void
close_one(struct mender *m)
{
	const struct tag *t = &m->open[--m->depth];

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
	int i = m->depth;

	while (i > 0 && !is_entry(&m->open[i - 1]))
		i--;
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
	for (i = 0; i < *n; i++)
		known |= seen[i].len == len && memcmp(seen[i].name, name, len) == 0;
	if (known || *n == 64)
		return s;
	seen[(*n)++] = (struct tag){ name, len };
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
	struct tag name = { m->at + 1, name_len(m->at + 1, m->end) }, seen[64];
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
		m->done = 1;
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
	m->open[m->depth++] = name;
	return 1;
}

static void
end_tag(struct mender *m)
{
	const char *name = m->at + 2, *close;
	size_t len = name_len(name, m->end);
	int i = m->depth;

	close = memchr(name + len, '>', (size_t)(m->end - name) - len);
	while (i > 0 && !same_name(&m->open[i - 1], name, len))
		i--;
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
		m->done = 1;
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

char *
mend(const char *s, size_t len, size_t *out)
{
	struct mender *m = calloc(1, sizeof(*m));
	char *text;

	if (m == NULL)
		return NULL;
	m->at = s;
	m->end = s + len;
	m->cap = len + len / 8 + 64;
	m->max = MEND_GROWTH * len + 65536;
	if ((m->out = malloc(m->cap)) == NULL)
		m->failed = 1;
	while (m->at < m->end && !m->done && !m->failed)
		step(m);
	if (m->failed) {
		free(m->out);
		m->out = NULL;
	}
	*out = m->len;
	text = m->out;
	free(m);
	return text;
}

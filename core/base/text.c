/* Text: folding, escaping, HTML to text, base32. */
#include "text.h"
#include "entity.h"
#include "utf8.h"

#include <endian.h>
#include <string.h>
#include <strings.h>

#include "unicode.inc"

#define TEXT_BIDI	125		/* open embeddings and isolates (UAX 9, max_depth) */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

int
text_space(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

int
text_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

int
text_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

/* Length in bytes of the white space character (Unicode's White_Space) at s, 0: it is none. */
static size_t
text_blank(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	if (p[0] < 0x80)
		return (size_t)text_space(p[0]);
	if (n >= 2 && p[0] == 0xc2)
		return p[1] == 0x85 || p[1] == 0xa0 ? 2 : 0;
	if (n < 3 || p[0] < 0xe1 || p[0] > 0xe3)
		return 0;
	switch (p[0] << 16 | p[1] << 8 | p[2]) {
	case 0xe19a80: case 0xe280a8: case 0xe280a9: case 0xe280af: case 0xe2819f: case 0xe38080:
		return 3;
	default:
		return p[0] == 0xe2 && p[1] == 0x80 && p[2] <= 0x8a ? 3 : 0;
	}
}

/* Folding of text in pieces: a pending space is added before the next word. */
struct text_folding {
	struct buf	*out;
	int		 owed, begun;
};

static void
fold_add(struct text_folding *f, const char *s, size_t n)
{
	size_t at = 0, from, blank;

	while (at < n) {
		if ((blank = text_blank(s + at, n - at)) > 0) {
			f->owed = f->begun;
			at += blank;
			continue;
		}
		/* Adds a run of words parted by single spaces in one piece. */
		for (from = at; at < n; at++) {
			if ((unsigned char)s[at] > ' ' && (unsigned char)s[at] < 0x80)
				continue;
			if (s[at] == ' ' && at + 1 < n && text_blank(s + at + 1, n - at - 1) == 0)
				continue;
			if (text_blank(s + at, n - at) > 0)
				break;
		}
		if (f->owed)
			buf_char(f->out, ' ');
		f->owed = 0;
		f->begun = 1;
		buf_add(f->out, s + from, at - from);
	}
}

void
text_fold(struct buf *b, const char *s, size_t n)
{
	struct text_folding f = { .out = b };

	fold_add(&f, s, n);
}

/* An ASCII letter or digit. */
static int
text_plain_word(int c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

int
text_is_word(uint32_t cp)
{
	size_t low = 0, high = COUNT(text_word), mid;

	if (cp < 0x80)
		return text_plain_word((int)cp);
	while (low < high) {
		mid = (low + high) / 2;
		if (cp > text_word[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < COUNT(text_word) && cp >= text_word[low].first;
}

uint32_t
text_fold_char(uint32_t cp)
{
	size_t low = 0, high = COUNT(text_case), mid;

	if (cp < 0x80)
		return (uint32_t)text_lower((int)cp);
	while (low < high) {
		mid = (low + high) / 2;
		if (cp > text_case[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == COUNT(text_case) || cp < text_case[low].first ||
	    (cp - text_case[low].first) % text_case[low].step != 0)
		return cp;
	return (uint32_t)((int32_t)cp + text_case[low].delta);
}

int
text_joins(uint32_t cp)
{
	return cp == '\'' || cp == '`' || cp == 0xad || cp == 0x2018 || cp == 0x2019 ||
	    (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2060 && cp <= 0x206f) || (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff;
}

void
text_title_key(struct buf *b, const char *s, size_t n)
{
	size_t at = 0, start = b->len, len, bad;
	char run[64];
	uint32_t cp;
	int owed = 0;

	while (at < n) {
		/* A run of ASCII letters and digits at once: nearly all text is. */
		for (len = 0; len < sizeof(run) && at + len < n && text_plain_word(s[at + len]); len++)
			run[len] = (char)text_lower((unsigned char)s[at + len]);
		if (len > 0) {
			if (owed)
				buf_char(b, ' ');
			owed = 0;
			buf_add(b, run, len);
			at += len;
			continue;
		}
		len = text_get_char(&cp, &bad, s + at, n - at);
		at += len > 0 ? len : bad;
		if (len == 0 || text_joins(cp))
			continue;
		if (!text_is_word(cp)) {
			owed = b->len > start;
			continue;
		}
		if (owed)
			buf_char(b, ' ');
		owed = 0;
		text_put_char(b, text_fold_char(cp));
	}
}

void
text_bytes(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t tenths = bytes * 10;
	size_t unit = 0;

	if (bytes > UINT64_MAX / 10)
		tenths = UINT64_MAX;
	for (; tenths >= 10000; tenths /= 1000)
		unit++;
	if (tenths % 10 == 0 || tenths >= 1000)
		buf_fmt(b, "%llu %s", (unsigned long long)tenths / 10, units[unit]);
	else
		buf_fmt(b, "%llu.%llu %s", (unsigned long long)tenths / 10,
		    (unsigned long long)tenths % 10, units[unit]);
}

void
text_xml(struct buf *b, const char *s, size_t n)
{
	static const char *const names[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;",
	};
	const char *stop = memchr(s, '\'', n);
	size_t at = 0, from = 0;

	for (;; at++) {
		at += stop == NULL ? text_plain(s + at, n - at) : 0;
		if (at >= n)
			break;
		if (names[(unsigned char)s[at]] == NULL)
			continue;
		buf_add(b, s + from, at - from);
		buf_str(b, names[(unsigned char)s[at]]);
		from = at + 1;
	}
	buf_add(b, s + from, n - from);
}

void
text_json(struct buf *b, const char *s, size_t n)
{
	size_t at, from = 0;
	unsigned char c;

	buf_char(b, '"');
	for (at = 0; at < n; at++) {
		c = (unsigned char)s[at];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && c != 0xe2)
			continue;
		/* Many readers of JSON Lines take U+2028 and U+2029 for line ends. */
		if (c == 0xe2 && (n - at < 3 || (memcmp(s + at, "\u2028", 3) != 0 &&
		    memcmp(s + at, "\u2029", 3) != 0)))
			continue;
		buf_add(b, s + from, at - from);
		if (c == 0xe2) {
			buf_fmt(b, "\\u202%c", (s[at + 2] & 1) != 0 ? '9' : '8');
			at += 2;
		} else if (c == '"' || c == '\\') {
			buf_char(b, '\\');
			buf_char(b, (char)c);
		} else if (c >= '\b' && c <= '\r' && c != '\v') {
			buf_char(b, '\\');
			buf_char(b, "btn?fr"[c - '\b']);
		} else {
			buf_fmt(b, "\\u%04x", c);
		}
		from = at + 1;
	}
	buf_add(b, s + from, n - from);
	buf_char(b, '"');
}

/* Tags that part the words around them. */
static const char *const text_blocks[] = {
	"address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details",
	"div",
	"dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4",
	"h5",
	"h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre", "section", "table",
	"tbody", "td", "tfoot", "th", "thead", "tr", "ul",
};

static int
text_is_block(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT(text_blocks); i++)
		if (text_is(name, n, text_blocks[i]))
			return 1;
	return 0;
}

/* State of reading tags. The members no_... say which characters do not occur in the rest, so that
 * a document of malformed tags is not searched to its end for each tag. */
struct text_tags {
	const char	*end;
	int		 no_gt, no_double, no_single, no_comment;
};

static const char *
tags_find(const char *at, const char *end, int c, int *none)
{
	const char *found = *none ? NULL : memchr(at, c, (size_t)(end - at));

	*none = found == NULL;
	return found;
}

/* Behind the tag's '>' (outside of quotes), from the end of its name at s; NULL: no '>'. */
static const char *
tags_end(struct text_tags *t, const char *s)
{
	const char *start = s, *quote;

	while (s < t->end && *s != '>') {
		if (*s++ != '=')
			continue;
		while (s < t->end && text_space(*s))
			s++;
		quote = NULL;
		if (s < t->end && *s == '"')
			quote = tags_find(s + 1, t->end, '"', &t->no_double);
		else if (s < t->end && *s == '\'')
			quote = tags_find(s + 1, t->end, '\'', &t->no_single);
		if (quote != NULL)
			s = quote + 1;
	}
	if (s < t->end)
		return s + 1;
	/* A quote extends over the last '>': the quotes are malformed, ignore them from here on. */
	t->no_double = t->no_single = 1;
	s = tags_find(start, t->end, '>', &t->no_gt);
	return s != NULL ? s + 1 : NULL;
}

/* Behind the comment, declaration or instruction at s ("<!" or "<?"). */
static const char *
tags_skip(struct text_tags *t, const char *s)
{
	int comment = t->end - s >= 4 && memcmp(s, "<!--", 4) == 0;
	const char *close = NULL;

	if (comment && !t->no_comment) {
		close = memmem(s + 2, (size_t)(t->end - s) - 2, "-->", 3);
		t->no_comment = close == NULL;
		if (close != NULL)
			return close + 3;
	}
	close = tags_find(s, t->end, '>', &t->no_gt);
	return close != NULL ? close + 1 : comment ? t->end : NULL;
}

/* Behind the first "</NAME" with its '>' from s on; the end of the text if there is none. */
static const char *
tags_close(const struct text_tags *t, const char *s, const char *name, size_t n)
{
	const char *lt;

	while ((lt = memchr(s, '<', (size_t)(t->end - s))) != NULL) {
		s = lt + 1;
		if ((size_t)(t->end - s) > n && *s == '/' && strncasecmp(s + 1, name, n) == 0 &&
		    (s + 1 + n == t->end || strchr("> \t\n\f\r/", s[1 + n]) != NULL)) {
			lt = memchr(s, '>', (size_t)(t->end - s));
			return lt != NULL ? lt + 1 : t->end;
		}
	}
	return t->end;
}

static int
text_letter(int c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Behind the tag at s ('<'); s itself when the '<' begins no tag. */
static const char *
html_text_tag(struct text_folding *f, struct text_tags *t, const char *s)
{
	const char *name = s + 1, *end, *after;
	int close;

	if (name == t->end || t->no_gt)
		return s;
	if (*name == '!' || *name == '?') {
		after = tags_skip(t, s);
		return after != NULL ? after : s;
	}
	close = *name == '/';
	name += close;
	if (name == t->end || !text_letter(*name))
		return s;
	for (end = name; end < t->end && !text_space(*end) && *end != '>' && *end != '/'; end++)
		;
	if ((after = tags_end(t, end)) == NULL)
		return s;
	if (text_is_block(name, (size_t)(end - name)))
		fold_add(f, " ", 1);
	if (!close && (text_is(name, (size_t)(end - name), "script") ||
	    text_is(name, (size_t)(end - name), "style")))
		after = tags_close(t, after, name, (size_t)(end - name));
	return after;
}

void
text_of_html(struct buf *b, const char *s, size_t n)
{
	struct text_folding f = { .out = b };
	struct text_tags t = { .end = s + n };
	struct text_char c;
	const char *after;
	size_t run;

	while (s < t.end) {
		for (run = 0; s + run < t.end && s[run] != '<' && s[run] != '&'; run++)
			;
		fold_add(&f, s, run);
		if ((s += run) == t.end)
			break;
		if (*s == '<') {
			after = html_text_tag(&f, &t, s);
		} else {
			after = s + text_reference(&c, s, (size_t)(t.end - s), 0);
			if (after > s)
				fold_add(&f, c.bytes, c.len);
		}
		if (after == s)
			fold_add(&f, s++, 1);
		else
			s = after;
	}
}

/* The character that closes the embedding or isolate opened by cp; 0: cp opens none. */
static uint32_t
bidi_closer(uint32_t cp)
{
	if (cp == 0x202a || cp == 0x202b || cp == 0x202d || cp == 0x202e)
		return 0x202c;
	return cp >= 0x2066 && cp <= 0x2068 ? 0x2069 : 0;
}

struct text_bidi {
	struct buf	*out;
	size_t		 depth;
	uint32_t	 open[TEXT_BIDI];	/* the closing characters */
};

static void
bidi_close(struct text_bidi *bidi, size_t depth)
{
	while (bidi->depth > depth)
		text_put_char(bidi->out, bidi->open[--bidi->depth]);
}

/* U+2069 closes the embeddings inside its isolate, U+202C none outside its own isolate. */
static void
bidi_end(struct text_bidi *bidi, uint32_t cp)
{
	size_t depth = bidi->depth;

	while (depth > 0 && bidi->open[depth - 1] != cp) {
		if (cp == 0x202c)
			return;
		depth--;
	}
	if (depth > 0)
		bidi_close(bidi, depth - 1);
}

void
text_bidi(struct buf *b, const char *s, size_t n)
{
	struct text_bidi bidi = { .out = b };
	size_t at = 0, from = 0, len, bad;
	uint32_t cp, closer;

	for (; at < n; at += len) {
		if (s[at] == '\n' && bidi.depth > 0) {
			buf_add(b, s + from, at - from);
			bidi_close(&bidi, 0);
			from = at;
		}
		if ((unsigned char)s[at] != 0xe2 ||
		    (len = text_get_char(&cp, &bad, s + at, n - at)) == 0) {
			len = 1;
			continue;
		}
		closer = bidi_closer(cp);
		if (closer == 0 && cp != 0x202c && cp != 0x2069)
			continue;
		buf_add(b, s + from, at - from);
		from = at + len;
		if (closer == 0)
			bidi_end(&bidi, cp);
		else if (bidi.depth < TEXT_BIDI) {
			bidi.open[bidi.depth++] = closer;
			text_put_char(b, cp);
		}
	}
	buf_add(b, s + from, n - from);
	bidi_close(&bidi, 0);
}

int
text_balanced(const char *s, size_t n)
{
	uint32_t open[TEXT_BIDI], cp, closer;
	const char *end = s + n;
	size_t depth = 0, bad;

	/* A line end closes what is open: none may come before that. */
	for (; s < end; s++) {
		if (depth == 0 && (s = memchr(s, 0xe2, (size_t)(end - s))) == NULL)
			return 1;
		if (*s == '\n')
			return 0;
		if ((unsigned char)*s != 0xe2 || text_get_char(&cp, &bad, s, (size_t)(end - s)) == 0)
			continue;
		if ((closer = bidi_closer(cp)) != 0) {
			if (depth == TEXT_BIDI)
				return 0;
			open[depth++] = closer;
		} else if ((cp == 0x202c || cp == 0x2069) && (depth == 0 || open[--depth] != cp)) {
			return 0;
		}
	}
	return depth == 0;
}

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

void
text_base32(char *out, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	unsigned word = 0;
	int bits = 0;

	for (; n > 0; n--) {
		word = (word << 8 | *p++) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = base32[word >> (bits - 5) & 31];
	}
	if (bits > 0)
		*out++ = base32[word << (5 - bits) & 31];
	*out = '\0';
}

int
text_base32_read(unsigned char out[16], const char *s, size_t n)
{
	uint32_t bits = 0;
	int have = 0, at = 0;
	const char *hit;

	if (n != TEXT_BASE32_16 - 1)
		return -1;
	for (; n > 0; n--, s++) {
		if (*s == '\0' || (hit = strchr(base32, *s)) == NULL)
			return -1;
		bits = bits << 5 | (uint32_t)(hit - base32);
		have += 5;
		if (have >= 8 && at < 16) {
			have -= 8;
			out[at++] = (unsigned char)(bits >> have);
		}
	}
	return 0;
}

/* Text: UTF-8, folding, escaping, base32. */
#include "text.h"

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

/* Length of the sequence that begins with byte b; 0: none does. */
static size_t
text_lead(unsigned b)
{
	return b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
}

/* Whether b may follow the lead byte: shuts out overlong forms, surrogates, over U+10FFFF. */
static int
text_second(unsigned lead, unsigned b)
{
	unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	return b >= low && b <= high;
}

size_t
text_get_char(uint32_t *cp, size_t *bad, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t need = text_lead(p[0]), at;

	*bad = 1;
	if (need == 0)
		return 0;
	*cp = need == 1 ? p[0] : p[0] & (0xffu >> (need + 1));
	for (at = 1; at < need; at++) {
		if (at == n || (at == 1 ? !text_second(p[0], p[1]) : (p[at] & 0xc0) != 0x80)) {
			*bad = at;
			return 0;
		}
		*cp = *cp << 6 | (p[at] & 0x3f);
	}
	return need;
}

/* Sixteen bytes at once; of a comparison: 0xff where it holds. */
typedef unsigned char text_block __attribute__((vector_size(16)));

static text_block
text_load(const char *s)
{
	text_block b;

	memcpy(&b, s, sizeof(b));
	return b;
}

/* The place of the first byte that is set, 16: none is. */
static size_t
text_first(text_block b)
{
#ifdef __SSE2__
	typedef char signs __attribute__((vector_size(16)));
	unsigned set = (unsigned)__builtin_ia32_pmovmskb128((signs)b);

	return set != 0 ? (size_t)__builtin_ctz(set) : 16;
#else
	uint64_t w[2];

	memcpy(w, &b, sizeof(w));
	if (w[0] != 0)
		return (size_t)__builtin_ctzll(le64toh(w[0])) / 8;
	return w[1] != 0 ? 8 + (size_t)__builtin_ctzll(le64toh(w[1])) / 8 : 16;
#endif
}

/* Controls but tab, LF and CR. */
static text_block
text_controls(text_block b)
{
	return (text_block)((b < 0x20) & (b != '\t') & (b != '\n') & (b != '\r'));
}

size_t
text_ascii(const char *s, size_t n)
{
	size_t at = 0, found = 16;
	text_block b;
	unsigned char c;

	for (; found == 16 && at + 16 <= n; at += found) {
		b = text_load(s + at);
		found = text_first((text_block)(b > 0x7e) | text_controls(b));
	}
	for (; found == 16 && at < n; at++) {
		c = (unsigned char)s[at];
		if (c > 0x7e || (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
			break;
	}
	return at;
}

size_t
text_plain(const char *s, size_t n)
{
	static const unsigned char signs[256] = {
		1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, ['"'] = 1, ['&'] = 1, ['<'] = 1, ['>'] = 1, [0x7f] = 1,
	};
	size_t at = 0, found = 16;
	text_block b;

	for (; found == 16 && at + 16 <= n; at += found) {
		b = text_load(s + at);		/* " and & differ in one bit, < and > too */
		found = text_first((text_block)((b | 4) == '&') | (text_block)((b | 2) == '>') |
		    (text_block)(b == 0x7f) | text_controls(b));
	}
	for (; found == 16 && at < n && signs[(unsigned char)s[at]] == 0; at++)
		;
	return at;
}

int
text_folded(const char *s, size_t n)
{
	size_t at = 0;
	text_block b;

	if (n == 0 || s[0] == ' ' || s[n - 1] == ' ')
		return n == 0;
	for (; at + 17 <= n; at += 16) {
		b = text_load(s + at);
		if (text_first((text_block)(b < ' ') | (text_block)(b > 0x7e) |
		    (text_block)((b == ' ') & (text_load(s + at + 1) == ' '))) < 16)
			return 0;
	}
	for (; at < n; at++)
		if (s[at] < ' ' || s[at] > 0x7e || (s[at] == ' ' && s[at + 1] == ' '))
			return 0;
	return 1;
}

size_t
text_valid(const char *s, size_t n)
{
	size_t at = 0, len, bad;
	uint32_t cp;

	while (at < n) {
		at += text_ascii(s + at, n - at);
		if (at == n || (len = text_get_char(&cp, &bad, s + at, n - at)) == 0)
			break;
		at += len;
	}
	return at;
}

/* Fit for XML and for the log. Controls are told apart from non-characters by the caller. */
static int
text_fit(uint32_t cp)
{
	if (cp < 0xa0)
		return (cp >= 0x20 && cp < 0x7f) || cp == '\t' || cp == '\n' || cp == '\r';
	return cp < 0xd800 || (cp >= 0xe000 && cp < 0xfdd0) ||
	    (cp > 0xfdef && cp <= 0x10ffff && (cp & 0xfffe) != 0xfffe);
}

/* Length of the beginning that is fit. *cp: the character behind it, when that is a valid one; its
 * length in *len, else 0 and in *bad what stands for one U+FFFD. */
static size_t
text_fit_until(const char *s, size_t n, uint32_t *cp, size_t *len, size_t *bad)
{
	size_t at = 0;

	for (;;) {
		at += text_ascii(s + at, n - at);
		do {
			if (at == n)
				return n;
			*len = text_get_char(cp, bad, s + at, n - at);
			if (*len == 0 || !text_fit(*cp))
				return at;
			at += *len;
		} while (at < n && (unsigned char)s[at] >= 0x80);
	}
}

size_t
text_clean(const char *s, size_t n)
{
	size_t len, bad;
	uint32_t cp;

	return text_fit_until(s, n, &cp, &len, &bad);
}

/* The character of windows-1252 that was meant; one that means nothing is left out. */
static void
text_put_c1(struct buf *b, uint32_t cp)
{
	uint32_t meant = text_c1(cp);

	if (meant != 0xfffd)
		text_put_char(b, meant);
}

size_t
text_utf8(struct buf *b, const char *s, size_t n)
{
	size_t good, len, bad, count = 0;
	uint32_t cp = 0;

	while (n > 0) {
		good = text_fit_until(s, n, &cp, &len, &bad);
		buf_add(b, s, good);
		if (good == n)
			break;
		if (len > 0 && cp >= 0x80 && cp < 0xa0)
			text_put_c1(b, cp);
		else if (len == 0 || cp >= 0xa0)
			buf_add(b, "\xef\xbf\xbd", 3);
		good += len > 0 ? len : bad;
		s += good;
		n -= good;
		count++;
	}
	return count;
}

size_t
text_encode(char *out, uint32_t cp)
{
	static const unsigned char lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	for (size_t at = n - 1; at > 0; at--) {
		out[at] = (char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	out[0] = (char)(lead[n] | cp);
	return n;
}

void
text_char(struct text_char *c, uint32_t cp)
{
	c->len = text_encode(c->bytes, text_fit(cp) ? cp : 0xfffd);
	c->bytes[c->len] = '\0';
}

void
text_put_char(struct buf *b, uint32_t cp)
{
	struct text_char c;

	text_char(&c, cp);
	buf_add(b, c.bytes, c.len);
}

/* Length in bytes of the white space character at s, 0: it is none. White_Space of Unicode. */
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

/* Folding of text that comes in pieces: a space is owed once something follows. */
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
		/* A run of words parted by single spaces goes out in one piece. */
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

/* A letter, mark or number. */
static int
text_is_word(uint32_t cp)
{
	size_t low = 0, high = COUNT(text_word), mid;

	if (cp < 0x80)
		return (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
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

/* Signs inside a word that do not part it: apostrophes, soft hyphen, joiners, directions. */
static int
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
	uint32_t cp;
	int owed = 0;

	while (at < n) {
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
		/* U+2028, U+2029 are ends of line to many a reader of JSON Lines. */
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

void
text_decode(struct buf *b, const char *s, size_t n)
{
	const char *end = s + n, *amp;
	struct text_char c;
	size_t used;

	while ((amp = memchr(s, '&', (size_t)(end - s))) != NULL) {
		buf_add(b, s, (size_t)(amp - s));
		used = text_reference(&c, amp, (size_t)(end - amp), 0);
		if (used > 0)
			buf_add(b, c.bytes, c.len);
		else
			buf_char(b, '&');
		s = amp + (used > 0 ? used : 1);
	}
	buf_add(b, s, (size_t)(end - s));
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

/* Reading of tags. `no` remembers which bytes are known not to come again, so that a document of
 * broken tags is not searched to its end for each of them. */
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

/* Behind the '>' of the tag whose name ends at s, those in quotes apart; NULL: it has none. */
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
	/* A quote ran over the last '>': quotes are broken here, and no longer looked at. */
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

/* Behind "</NAME" and its '>', from s on; the end when it does not come. */
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

/* The tag at s ('<'): where what follows it begins, or s when it is none but a sign. */
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

/* What closes the embedding or isolate opened by cp; 0: it opens none. */
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
	uint32_t	 open[TEXT_BIDI];	/* what closes them */
};

static void
bidi_close(struct text_bidi *bidi, size_t depth)
{
	while (bidi->depth > depth)
		text_put_char(bidi->out, bidi->open[--bidi->depth]);
}

/* U+2069 closes the embeddings inside its isolate, U+202C nothing beyond its own isolate. */
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

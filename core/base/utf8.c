/* UTF-8: read, written, made fit for XML and JSON. No allocation but into the caller's buf. */
#include "utf8.h"
#include "buf.h"

#include <endian.h>
#include <string.h>

/* Sixteen bytes at once; the result of a comparison has 0xff where it holds. */
typedef unsigned char text_block __attribute__((vector_size(16)));

/* Length of a sequence that begins with byte b; 0: b begins none. */
static size_t
text_lead(unsigned b)
{
	return b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
}

/* Whether b may follow the lead byte: no overlong forms, no surrogates, none over U+10FFFF. */
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

static text_block
text_load(const char *s)
{
	text_block b;

	memcpy(&b, s, sizeof(b));
	return b;
}

/* The index of the first byte that is not 0; 16: all are 0. */
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

/* Whether a character is fit for XML and the log. The caller distinguishes controls from
 * non-characters. */
static int
text_fit(uint32_t cp)
{
	if (cp < 0xa0)
		return (cp >= 0x20 && cp < 0x7f) || cp == '\t' || cp == '\n' || cp == '\r';
	return cp < 0xd800 || (cp >= 0xe000 && cp < 0xfdd0) ||
	    (cp > 0xfdef && cp <= 0x10ffff && (cp & 0xfffe) != 0xfffe);
}

/* Length of the prefix that is fit. Behind it: a valid character in *cp with its length in *len, or
 * *len is 0 and *bad the number of bytes to replace by one U+FFFD. */
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

/* Adds the character of windows-1252 that a C1 control means, if any. */
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

/* The characters that 0x80 to 0x9f mean in a numeric reference (HTML, 13.2.5.80). */
static const uint16_t c1_table[32] = {
	0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
	0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
	0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

uint32_t
text_c1(uint32_t cp)
{
	return c1_table[cp - 0x80];
}

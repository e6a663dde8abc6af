/* Redaction: finds secrets in foreign text, in the written forms that redact.h names, and replaces them. */
#include "redact.h"
#include "buf.h"
#include "entity.h"
#include "mem.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BASED_MIN	8		/* bytes; shorter secrets occur by chance in base64 */
#define NESTED_MAX	3		/* escapes of an escape */

struct word {
	const char	*text, *instead;
	size_t		 len;
	/* In base64, behind 0, 1 or 2 bytes of something else: the digits that it makes alone. */
	char		*based[3];
	size_t		 based_len[3];
};
/* What stands where: its length in the text, and whether each of its characters has 16 bits. */
struct place {
	size_t	 len;
	int	 wide;
};
struct redact {
	struct word	 word[REDACT_WORDS];
	size_t		 n;
	char		 begins[256];	/* 1 for each byte that may begin a secret in any form */
};

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits16[] = "0123456789abcdef";

/* Of the bits of the secret behind `before` bytes, those that fill a digit of their own. */
static void
word_base(struct word *w, size_t before)
{
	size_t bits = 8 * (before + w->len), at = before == 0 ? 0 : before + 1, n = 0, byte;
	uint32_t pair;

	w->based[before] = xcalloc(1, 2 * w->len + 1);
	for (; 6 * (at + 1) <= bits; at++) {
		byte = 6 * at / 8 - before;
		pair = (uint32_t)(unsigned char)w->text[byte] << 8;
		if (byte + 1 < w->len)
			pair |= (unsigned char)w->text[byte + 1];
		w->based[before][n++] = digits64[pair >> (10 - 6 * at % 8) & 63];
	}
	w->based_len[before] = n;
}

static void
word_add(struct redact *v, const char *text, size_t len, const char *instead)
{
	struct word *w = &v->word[v->n];
	unsigned char c = (unsigned char)*text;

	if (len < REDACT_MIN || v->n == REDACT_WORDS)
		return;
	*w = (struct word){ .text = text, .instead = instead, .len = len };
	v->n++;
	v->begins[c] = v->begins['%'] = v->begins['\\'] = v->begins['&'] = 1;
	v->begins[(unsigned char)digits16[c >> 4]] = 1;
	v->begins[(unsigned char)digits16[c >> 4] & ~0x20] |= c >= 0xa0;
	for (size_t i = 0; i < 3 && len >= BASED_MIN; i++) {
		word_base(w, i);
		c = (unsigned char)*w->based[i];
		v->begins[c] = 1;
		v->begins[(unsigned char)(c == '+' ? '-' : c == '/' ? '_' : c)] = 1;
	}
}

struct redact *
redact_new(struct bytes words)
{
	const char *s = words.data, *end = s + words.len, *instead;
	struct redact *v = xcalloc(1, sizeof(*v));
	size_t len;

	for (; words.len > 0 && s < end; s = instead + strlen(instead) + 1) {
		instead = s + strlen(s) + 1;
		for (; *s != '\0'; s += len + (s[len] == '\n')) {
			len = strcspn(s, "\n");
			word_add(v, s, len, instead);
		}
	}
	if (v->n > 0)
		return v;
	free(v);
	return NULL;
}

void
redact_free(struct redact *v)
{
	for (size_t i = 0; v != NULL && i < v->n; i++)
		for (size_t k = 0; k < 3; k++)
			if (v->word[i].based[k] != NULL) {
				explicit_bzero(v->word[i].based[k], v->word[i].based_len[k]);
				free(v->word[i].based[k]);
			}
	free(v);
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of the two hexadecimal digits at s; -1: there are no two. */
static int
hex(const char *s)
{
	return digit(s[0]) < 0 || digit(s[1]) < 0 ? -1 : digit(s[0]) * 16 + digit(s[1]);
}

/* The length of the character c at s as a reference of XML or HTML, whose '&' may be one itself. */
static size_t
referred(const char *s, size_t len, unsigned char c, int nested)
{
	struct text_char told;
	char text[40] = "&";
	size_t skip = 0, n = 0, used;

	for (int i = 0; i <= (nested ? NESTED_MAX : 0); i++, skip += 4) {
		if (i > 0 && (len < skip + 5 || memcmp(s + 1 + skip - 4, "amp;", 4) != 0))
			break;
		used = len - skip - 1 < sizeof(text) - 2 ? len - skip - 1 : sizeof(text) - 2;
		memcpy(text + 1, s + 1 + skip, used);
		used = text_reference(&told, text, used + 1, 0);
		if (used > 0 && told.len == 1 && (unsigned char)told.bytes[0] == c)
			n = skip + used;
	}
	return n;
}

/* The length of the character c at s in an escaped form; 0: it is not there. */
static size_t
escaped(const char *s, size_t len, unsigned char c, int nested)
{
	size_t n = 0, skip = 0;

	if (*s == '&')
		return referred(s, len, c, nested);
	if (*s == '\\' && len >= 2 && (unsigned char)s[1] == c && strchr("/\"\\'", c) != NULL)
		return 2;
	if (*s == '\\' && len >= 4 && (s[1] == 'x' || s[1] == 'X'))
		return hex(s + 2) == c ? 4 : 0;
	if (*s == '\\')
		return len >= 6 && memcmp(s, "\\u00", 4) == 0 && hex(s + 4) == c ? 6 : 0;
	for (int i = 0; *s == '%' && i <= (nested ? NESTED_MAX : 0) && len >= skip + 3; i++, skip += 2) {
		if (hex(s + 1 + skip) == c)
			n = skip + 3;
		if (memcmp(s + 1 + skip, "25", 2) != 0)
			break;
	}
	return n;
}

/* The length of a secret at s, each character by itself as it is or escaped; 0: it is not there.
 * nested: an escape's own sign may be escaped, too. */
static size_t
stands_escaped(const struct word *w, const char *s, size_t len, int nested)
{
	size_t at = 0, i, n;

	for (i = 0; i < w->len; i++, at += n) {
		if (at == len)
			return 0;
		n = escaped(s + at, len - at, (unsigned char)w->text[i], nested);
		if (n == 0 && s[at] == w->text[i])
			n = 1;
		if (n == 0)
			return 0;
	}
	return at;
}

/* The same as hexadecimal digits. */
static size_t
stands_hex(const struct word *w, const char *s, size_t len)
{
	if (len / 2 < w->len)
		return 0;
	for (size_t i = 0; i < w->len; i++)
		if (hex(s + 2 * i) != (unsigned char)w->text[i])
			return 0;
	return 2 * w->len;
}

/* The same in UTF-16, whichever byte comes first: up to its last character's own byte. */
static size_t
stands_wide(const struct word *w, const char *s, size_t len)
{
	if (len < 2 * w->len - 1)
		return 0;
	for (size_t i = 0; i < w->len; i++)
		if (s[2 * i] != w->text[i] || (i + 1 < w->len && s[2 * i + 1] != '\0'))
			return 0;
	return 2 * w->len - 1;
}

/* The same in base64, of one alphabet or the other. */
static size_t
stands_based(const struct word *w, const char *s, size_t len)
{
	size_t i;

	for (size_t k = 0; k < 3; k++) {
		if (w->based[k] == NULL || len < w->based_len[k])
			continue;
		for (i = 0; i < w->based_len[k]; i++)
			if ((s[i] == '-' ? '+' : s[i] == '_' ? '/' : s[i]) != w->based[k][i])
				break;
		if (i == w->based_len[k])
			return i;
	}
	return 0;
}

/* A secret at s, literal or in another form; its length 0: it is not there. */
static struct place
stands(const struct word *w, const char *s, size_t len)
{
	size_t n;

	if (len >= w->len && memcmp(s, w->text, w->len) == 0)
		return (struct place){ w->len, 0 };
	if ((n = stands_escaped(w, s, len, 0)) > 0 || (n = stands_escaped(w, s, len, 1)) > 0 ||
	    (n = stands_based(w, s, len)) > 0 || (n = stands_hex(w, s, len)) > 0)
		return (struct place){ n, 0 };
	return (struct place){ stands_wide(w, s, len), 1 };
}

static struct place
find(const struct redact *v, const char *text, size_t len, size_t *at, const char **instead)
{
	struct place p;

	for (size_t i = 0; v != NULL && i < len; i++) {
		if (!v->begins[(unsigned char)text[i]])
			continue;
		for (size_t k = 0; k < v->n; k++)
			if ((p = stands(&v->word[k], text + i, len - i)).len > 0) {
				*at = i;
				*instead = v->word[k].instead;
				return p;
			}
	}
	return (struct place){ 0, 0 };
}

size_t
redact_find(const struct redact *v, const char *text, size_t len, size_t *at, const char **instead)
{
	return find(v, text, len, at, instead).len;
}

size_t
redact_put(const struct redact *v, const char *text, size_t len, struct buf *b)
{
	const char *instead;
	size_t found, at;
	struct place p;

	for (found = 0; (p = find(v, text, len, &at, &instead)).len > 0; found++) {
		buf_add(b, text, at);
		for (const char *s = instead; p.wide && *s != '\0'; s++)
			buf_add(b, s[1] != '\0' ? (char[]){ *s, '\0' } : s, s[1] != '\0' ? 2 : 1);
		if (!p.wide)
			buf_str(b, instead);
		text += at + p.len;
		len -= at + p.len;
	}
	buf_add(b, text, len);
	return found;
}

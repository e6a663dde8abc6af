/* In which encoding a document is (RFC 7303 3, and what the web does where that fails), and its
 * text in UTF-8. */
#include "feed.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DECLARATION_MAX	1024		/* bytes of an XML declaration that are looked at */

/* Byte order marks, and what `<` looks like without one (XML 1.0, appendix F). The longest
 * first. */
static const struct {
	const char	*name, *bytes;
	size_t		 len, mark;	/* mark: how many of them are the mark */
} signs[] = {
	{ "utf-32be", "\0\0\xfe\xff", 4, 4 },
	{ "utf-32le", "\xff\xfe\0\0", 4, 4 },
	{ "utf-32be", "\0\0\0<", 4, 0 },
	{ "utf-32le", "<\0\0\0", 4, 0 },
	{ "utf-8", "\xef\xbb\xbf", 3, 3 },
	{ "utf-16be", "\xfe\xff", 2, 2 },
	{ "utf-16le", "\xff\xfe", 2, 2 },
	{ "utf-16be", "\0<", 2, 0 },
	{ "utf-16le", "<\0", 2, 0 },
};

/* Names that are a smaller form of what is meant and used (WHATWG Encoding; UTF-7 is never
 * honoured). */
static const struct {
	const char	*name, *use;
} names[] = {
	{ "utf8", "utf-8" }, { "unicode-1-1-utf-8", "utf-8" }, { "x-sjis", "shift_jis" },
	{ "gb2312", "gb18030" }, { "gbk", "gb18030" }, { "ks_c_5601-1987", "euc-kr" },
	{ "utf-16", "utf-16le" }, { "latin1", "iso-8859-1" }, { "latin-1", "iso-8859-1" },
	{ "x-user-defined", "" }, { "utf-7", "" }, { "utf7", "" }, { "unicode-1-1-utf-7", "" },
	{ "x-unicode-2-0-utf-7", "" }, { "csunicode11utf7", "" }, { "imap-utf-7", "" },
	{ "utf-7-imap", "" },
};

/* Past the ASCII at s. */
static const unsigned char *
past_ascii(const unsigned char *s, const unsigned char *end)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t words[4];

	for (; end - s >= 32; s += 32) {
		memcpy(words, s, 32);
		if (((words[0] | words[1] | words[2] | words[3]) & high) != 0)
			break;
	}
	for (; end - s >= 8; s += 8) {
		memcpy(words, s, 8);
		if ((words[0] & high) != 0)
			return s + __builtin_ctzll(le64toh(words[0] & high)) / 8;
	}
	while (s < end && *s < 0x80)
		s++;
	return s;
}

/* Length of the valid UTF-8 at s. */
static size_t
valid_utf8(const char *text, size_t len, int *ascii)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len, *begin = s;
	size_t n, i;

	*ascii = 1;
	while (s < end) {
		if (*s < 0x80 && (s = past_ascii(s, end)) == end)
			break;
		*ascii = 0;
		n = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
		if (*s < 0xc2 || *s > 0xf4 || (size_t)(end - s) < n)
			break;
		if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
		    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
			break;
		for (i = 1; i < n && (s[i] & 0xc0) == 0x80; i++)
			;
		if (i < n)
			break;
		s += n;
	}
	return (size_t)(s - begin);
}

/* The encoding that the XML declaration names; zeros between the letters are passed over, so
 * that this serves UTF-16 and 32 too. "" for none. */
static void
declared(char *out, size_t size, const char *s, size_t len)
{
	char text[DECLARATION_MAX];
	const char *at, *end;
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < len && i < 4 * sizeof(text) && n < sizeof(text) - 1; i++)
		if (s[i] != '\0')
			text[n++] = s[i];
	text[n] = '\0';
	if ((at = strstr(text, "<?xml")) == NULL || (end = strstr(at, "?>")) == NULL)
		return;
	if ((at = strstr(at, "encoding")) == NULL || at > end)
		return;
	at += 8 + strspn(at + 8, " \t\r\n");
	if (*at != '=')
		return;
	at += 1 + strspn(at + 1, " \t\r\n");
	if (*at != '"' && *at != '\'')
		return;
	n = strcspn(at + 1, "\"'");
	if (at + 1 + n < end && n < size)
		for (i = 0; i <= n; i++)
			out[i] = i == n ? '\0' : (char)(at[1 + i] | (at[1 + i] >= 'A' &&
			    at[1 + i] <= 'Z' ? 0x20 : 0));
}

/* The name to use for one that was given; NULL: never. */
static const char *
name_of(const char *given)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(given, names[i].name) == 0)
			return names[i].use[0] != '\0' ? names[i].use : NULL;
	return given;
}

static void
choose(struct decoded *d, const char *name, const char *why)
{
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->why = why;
}

/* As UTF-8 by the host; `valid` bytes of it are UTF-8 already. 0, or -1: it has no such encoding. */
static int
convert(struct cr *cr, struct decoded *d, const char *s, size_t len, size_t valid)
{
	const char *use = name_of(d->name), *out;

	if (use == NULL || use[0] == '\0')
		return -1;
	if (strcmp(use, "utf-8") == 0 || strcmp(use, "us-ascii") == 0) {
		d->text = s;
		d->len = len;
		if (valid == len)
			return 0;
		use = strcmp(use, "utf-8") == 0 ? use : "windows-1252";
	}
	out = cr->convert(cr, use, s, len, &d->len, &d->bad);
	if (out == NULL)
		return -1;
	d->text = out;
	if (strcmp(use, d->name) != 0)
		snprintf(d->name, sizeof(d->name), "%s", use);
	return 0;
}

static int
is_latin(const char *name)
{
	return strcmp(name, "iso-8859-1") == 0 || strcmp(name, "windows-1252") == 0 ||
	    strcmp(name, "us-ascii") == 0;
}

/* Which encoding is tried first, and on whose word. */
static void
choose_first(struct decoded *d, const struct cr_page *page, const char *xml, size_t valid,
    int ascii)
{
	int is_text = strncmp(page->type, "text/", 5) == 0 && strstr(page->type, "xml") != NULL;

	if (page->charset[0] != '\0' && !(is_latin(page->charset) && strcmp(xml, "utf-8") == 0 &&
	    valid == page->len && !ascii))
		choose(d, page->charset, "HTTP charset");
	else if (is_text && ascii && page->charset[0] == '\0')
		choose(d, "us-ascii", "text type without charset, and nothing but ASCII");
	else if (xml[0] != '\0')
		choose(d, xml, "XML declaration");
	else
		choose(d, "utf-8", "default");
}

/* What was said turned out wrong: UTF-8 if it is that, else what browsers take. */
static void
fall_back(struct cr *cr, const struct cr_page *page, struct decoded *d, const char *xml,
    size_t valid)
{
	d->mistaken = 1;
	if (xml[0] != '\0' && strcmp(d->name, xml) != 0) {
		choose(d, xml, "XML declaration, HTTP charset being wrong");
		if (convert(cr, d, page->body, page->len, valid) == 0 && d->bad == 0)
			return;
	}
	choose(d, valid == page->len ? "utf-8" : guess_encoding(page->body, page->len),
	    "its bytes, what is declared being wrong");
	d->bad = 0;
	if (convert(cr, d, page->body, page->len, valid) == 0)
		return;
	choose(d, "utf-8", "nothing else known");
	if (convert(cr, d, page->body, page->len, valid) == -1)
		d->text = "", d->len = 0;
}

void
decode(struct cr *cr, const struct cr_page *page, struct decoded *d)
{
	const char *guess, *body;
	char xml[64];
	size_t i, len, valid;
	int ascii;

	memset(d, 0, sizeof(*d));
	for (i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		if (page->len < signs[i].len ||
		    memcmp(page->body, signs[i].bytes, signs[i].len) != 0)
			continue;
		choose(d, signs[i].name, signs[i].mark > 0 ? "byte order mark" : "its first bytes");
		body = page->body + signs[i].mark;
		len = page->len - signs[i].mark;
		if (convert(cr, d, body, len, valid_utf8(body, len, &ascii)) == 0)
			return;
	}
	valid = valid_utf8(page->body, page->len, &ascii);
	declared(xml, sizeof(xml), page->body, page->len);
	choose_first(d, page, xml, valid, ascii);
	if (strncmp(d->name, "utf-16", 6) == 0 || strncmp(d->name, "utf-32", 6) == 0) {
		fall_back(cr, page, d, "", valid);	/* its bytes would have shown it */
		return;
	}
	if (valid < page->len && strcmp(d->name, "utf-8") == 0) {
		d->invalid = 1;
		guess = guess_encoding(page->body, page->len);
		if (strcmp(d->why, "default") == 0) {
			choose(d, guess, "its bytes, nothing being declared");
			d->mistaken = 1;
		} else if (strcmp(guess, "utf-8") != 0) {
			fall_back(cr, page, d, xml, valid);
			return;
		}
	}
	if (convert(cr, d, page->body, page->len, valid) == -1)
		fall_back(cr, page, d, xml, valid);
}

/* Part of <courant/fakehost.h>: memory, and the handling of texts, times and URLs. */
#ifndef COURANT_FAKE_TEXT_H
#define COURANT_FAKE_TEXT_H
#include "plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Memory: freed by cr_fake_free(). Out of memory: the test program aborts. ---- */

struct cr_fake_block {
	struct cr_fake_block	*next;
	max_align_t		 data[];
};
struct cr_fake_mem {
	struct cr_fake_block	*blocks;
};

/* n bytes, all 0. */
static inline void *
cr_fake_alloc(struct cr_fake_mem *m, size_t n)
{
	struct cr_fake_block *b = calloc(1, sizeof(*b) + n);

	if (b == NULL)
		abort();
	b->next = m->blocks;
	m->blocks = b;
	return b->data;
}

static inline void
cr_fake_release(struct cr_fake_mem *m)
{
	struct cr_fake_block *b, *next;

	for (b = m->blocks; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	m->blocks = NULL;
}

static inline char *
cr_fake_copy(struct cr_fake_mem *m, const char *s, size_t len)
{
	char *to = cr_fake_alloc(m, len + 1);

	memcpy(to, s, len);
	return to;
}

/* A growing text; data is always NUL-terminated. */
struct cr_fake_text {
	struct cr_fake_mem	*mem;
	char			*data;
	size_t			 len, cap;
};

static inline void
cr_fake_add(struct cr_fake_text *t, const char *s, size_t n)
{
	char *longer;

	if (t->data == NULL || t->cap - t->len <= n) {
		t->cap = 2 * (t->len + n) + 64;
		longer = cr_fake_alloc(t->mem, t->cap);
		if (t->data != NULL)
			memcpy(longer, t->data, t->len);
		t->data = longer;
	}
	if (n > 0)
		memcpy(t->data + t->len, s, n);
	t->len += n;
	t->data[t->len] = '\0';
}

static inline void
cr_fake_str(struct cr_fake_text *t, const char *s)
{
	cr_fake_add(t, s, strlen(s));
}

static inline int
cr_fake_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Whether the n bytes at a are `word`, in any case. */
static inline int
cr_fake_is(const char *a, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n && word[i] != '\0'; i++)
		if (cr_fake_lower(a[i]) != cr_fake_lower(word[i]))
			return 0;
	return i == n && word[i] == '\0';
}

/* ---- Clean text ---- */

/* The length of the UTF-8 character at s, of n > 0 bytes; 0: invalid, and *bad bytes become one
 * U+FFFD. */
static inline size_t
cr_fake_char(const char *s, size_t n, uint32_t *cp, size_t *bad)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 :
	    p[0] < 0xf5 ? 4 : 0, i;
	unsigned low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	unsigned high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;

	*bad = 1;
	if (len == 0)
		return 0;
	*cp = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (i = 1; i < len; i++, low = 0x80, high = 0xbf) {
		if (i >= n || p[i] < low || p[i] > high) {
			*bad = i;
			return 0;
		}
		*cp = *cp << 6 | (p[i] & 0x3fu);
	}
	return *cp >= least[len] ? len : 0;
}

static inline int
cr_fake_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Adds text as UTF-8 without control characters; fold: one space between words, none at the
 * ends. */
static inline void
cr_fake_clean(struct cr_fake_text *to, const char *s, size_t n, int fold)
{
	size_t begun = to->len, len, bad;
	uint32_t cp = 0;
	int owed = 0;

	for (cr_fake_add(to, "", 0); n > 0; s += len, n -= len) {
		len = cr_fake_char(s, n, &cp, &bad);
		if (fold && (cr_fake_space(*s) || (len == 2 && cp == 0xa0))) {
			owed = to->len > begun;
			continue;
		}
		if (len > 0 && ((cp < 0x20 && !cr_fake_space(*s)) || (cp >= 0x7f && cp < 0xa0)))
			continue;
		if (owed)
			cr_fake_add(to, " ", 1);
		owed = 0;
		if (len > 0) {
			cr_fake_add(to, s, len);
			continue;
		}
		cr_fake_add(to, "\xef\xbf\xbd", 3);
		len = bad;
	}
}

/* Adds a character, escaped for HTML. */
static inline void
cr_fake_escape(struct cr_fake_text *to, char c)
{
	switch (c) {
	case '&': cr_fake_str(to, "&amp;"); break;
	case '<': cr_fake_str(to, "&lt;"); break;
	case '>': cr_fake_str(to, "&gt;"); break;
	case '"': cr_fake_str(to, "&quot;"); break;
	case '\'': cr_fake_str(to, "&#39;"); break;
	default: cr_fake_add(to, &c, 1);
	}
}

/* Adds plain text as HTML, without white space around it and with <br/> for line ends. */
static inline void
cr_fake_lines(struct cr_fake_text *to, const char *s)
{
	size_t len, i;

	while (cr_fake_space(*s))
		s++;
	for (len = strlen(s); len > 0 && cr_fake_space(s[len - 1]); len--)
		;
	for (i = 0; i < len; i++)
		if (s[i] == '\r' && s[i + 1] == '\n')
			continue;
		else if (s[i] == '\n' || s[i] == '\r')
			cr_fake_str(to, "<br/>\n");
		else
			cr_fake_escape(to, s[i]);
}

/* Adds HTML without its tags. Decodes five character references; the daemon decodes all, and
 * removes scripts. */
static inline void
cr_fake_untag(struct cr_fake_text *to, const char *s)
{
	static const char *const known[][2] = { { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" },
		{ "&quot;", "\"" }, { "&#39;", "'" } };
	size_t i;

	while (*s != '\0') {
		if (*s == '<' && strchr(s, '>') != NULL) {
			s = strchr(s, '>') + 1;
			continue;
		}
		for (i = 0; i < 5 && strncmp(s, known[i][0], strlen(known[i][0])) != 0; i++)
			;
		cr_fake_add(to, i < 5 ? known[i][1] : s, 1);
		s += i < 5 ? strlen(known[i][0]) : 1;
	}
}

/* Adds a text as a JSON string, with its quotes. */
static inline void
cr_fake_quote(struct cr_fake_text *to, const char *s)
{
	static const char plain[] = "btn?fr";
	char code[16];

	cr_fake_add(to, "\"", 1);
	for (; *s != '\0'; s++) {
		code[0] = '\0';
		if (*s == '"' || *s == '\\')
			snprintf(code, sizeof(code), "\\%c", *s);
		else if (*s >= '\b' && *s <= '\r' && *s != '\v')
			snprintf(code, sizeof(code), "\\%c", plain[*s - '\b']);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			snprintf(code, sizeof(code), "\\u%04x", (unsigned)*s);
		else if (strncmp(s, "\xe2\x80\xa8", 3) == 0 || strncmp(s, "\xe2\x80\xa9", 3) == 0)
			snprintf(code, sizeof(code), "\\u202%c", s[2] & 1 ? '9' : '8');
		if (code[0] == '\0')
			cr_fake_add(to, s, 1);
		else
			cr_fake_str(to, code);
		s += code[0] != '\0' && (unsigned char)*s == 0xe2 ? 2 : 0;
	}
	cr_fake_add(to, "\"", 1);
}

/* ---- Times ---- */

/* Days since 1970-01-01 of a date (proleptic Gregorian). */
static inline int64_t
cr_fake_days(int64_t year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1, era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	int64_t of_era = (y - era * 400) * 365 + (y - era * 400) / 4 - (y - era * 400) / 100 +
	    of_year;

	return era * 146097 + of_era - 719468;
}

/* 2026-11-21T09:16:00Z, with .123 if the milliseconds are not 0. */
static inline const char *
cr_fake_rfc3339(struct cr_fake_mem *m, int64_t ms)
{
	int64_t days = ms / 86400000 - (ms % 86400000 < 0), rest = ms - days * 86400000, year;
	char *to = cr_fake_alloc(m, 64);
	int month = 12, n;

	for (year = 1970 + days / 366 - (days < 0); cr_fake_days(year + 1, 1, 1) <= days;)
		year++;
	while (cr_fake_days(year, month, 1) > days)
		month--;
	n = snprintf(to, 64, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month,
	    (int)(days - cr_fake_days(year, month, 1)) + 1, (int)(rest / 3600000),
	    (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
	if (rest % 1000 != 0)
		n += snprintf(to + n, 8, ".%03d", (int)(rest % 1000));
	snprintf(to + n, 2, "Z");
	return to;
}

/* Reads the zone after a time, in minutes: Z, GMT, UT, UTC, none, +hh:mm, -hhmm. -1: another. */
static inline int
cr_fake_zone(const char *s, int *minutes)
{
	int h, m, n = 0;
	char sign;

	s += strspn(s, " ");
	*minutes = 0;
	if (*s == '\0' || cr_fake_is(s, strlen(s), "z") || cr_fake_is(s, strlen(s), "gmt") ||
	    cr_fake_is(s, strlen(s), "ut") || cr_fake_is(s, strlen(s), "utc"))
		return 0;
	if ((sscanf(s, "%c%2d:%2d%n", &sign, &h, &m, &n) != 3 &&
	    sscanf(s, "%c%2d%2d%n", &sign, &h, &m, &n) != 3) || s[n] != '\0' ||
	    (sign != '+' && sign != '-') || h > 23 || m > 59)
		return -1;
	*minutes = (sign == '-' ? -1 : 1) * (h * 60 + m);
	return 0;
}

/* Parses RFC 3339 (also a date alone) and RFC 5322; the daemon parses many more. CR_NO_TIME:
 * neither. */
static inline int64_t
cr_fake_time(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int year, month = 0, day, h = 0, min = 0, sec = 0, n = 0, zone;
	char name[4] = "";
	int64_t ms = 0, scale;

	if (strlen(s) > 4 && s[3] == ',')
		s += 4 + strspn(s + 4, " ");
	if (sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &n) == 3) {
		s += n + (s[n] == 'T' || s[n] == 't' || s[n] == ' ');
	} else if (sscanf(s, "%2d %3s %4d%n", &day, name, &year, &n) == 3 &&
	    strlen(name) == 3 && strstr(months, name) != NULL) {
		month = (int)(strstr(months, name) - months) / 3 + 1;
		s += n + (s[n] == ' ');
	} else {
		return CR_NO_TIME;
	}
	if (*s != '\0') {
		n = 0;
		if (sscanf(s, "%2d:%2d%n:%2d%n", &h, &min, &n, &sec, &n) < 2)
			return CR_NO_TIME;
		s += n;
		if (*s == '.')
			for (s++, scale = 100; *s >= '0' && *s <= '9'; s++, scale /= 10)
				ms += (*s - '0') * scale;
	}
	if (cr_fake_zone(s, &zone) == -1 || month < 1 || month > 12 || day < 1 ||
	    day > (month == 12 ? 31 :
	    cr_fake_days(year, month + 1, 1) - cr_fake_days(year, month, 1)) || h < 0 || h > 23 || min < 0 || min > 59 || sec < 0 || sec > 60)
		return CR_NO_TIME;
	return ((cr_fake_days(year, month, day) * 24 + h) * 60 + min - zone) * 60000 + sec * 1000 + ms;
}

/* ---- URLs (RFC 3986 5.2) ---- */

/* The length of "scheme:" at the beginning; 0: none. */
static inline size_t
cr_fake_scheme(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n > 0 && s[n] == ':' && (*s < '0' || *s > '9') ? n + 1 : 0;
}

/* Adds a path, with "." and ".." removed. */
static inline void
cr_fake_path(struct cr_fake_text *to, const char *path, size_t n)
{
	size_t root = to->len, len;

	for (; n > 0; path += len, n -= len) {
		for (len = 1; len < n && path[len] != '/'; len++)
			;
		if (len == 2 && path[1] == '.') {
			if (len == n)
				cr_fake_add(to, "/", 1);
		} else if (len == 3 && memcmp(path, "/..", 3) == 0) {
			while (to->len > root && to->data[--to->len] != '/')
				;
			to->data[to->len] = '\0';
			if (len == n)
				cr_fake_add(to, "/", 1);
		} else {
			cr_fake_add(to, path, len);
		}
	}
}

static inline int
cr_fake_join(struct cr_fake_text *to, const char *base, const char *ref)
{
	static const char *const leads[] = { "https:", "http:", "mailto:", "magnet:", "tag:" };
	struct cr_fake_text path = { .mem = to->mem };
	size_t scheme = cr_fake_scheme(ref), host, dir, i;

	for (i = 0; scheme > 0 && !cr_fake_is(ref, scheme, leads[i]);)
		if (++i == sizeof(leads) / sizeof(*leads))
			return -1;
	if (scheme > 0) {
		host = strncmp(ref + scheme, "//", 2) == 0 ?
		    scheme + 2 + strcspn(ref + scheme + 2, "/?#") : scheme;
		cr_fake_add(to, ref, host);
		if (host > scheme && ref[host] != '/')
			cr_fake_add(to, "/", 1);
		cr_fake_path(to, ref + host, host > scheme ? strcspn(ref + host, "?#") : 0);
		cr_fake_str(to, ref + host + (host > scheme ? strcspn(ref + host, "?#") : 0));
		return 0;
	}
	scheme = base != NULL ? cr_fake_scheme(base) : 0;
	if (scheme == 0 || strncmp(base + scheme, "//", 2) != 0)
		return -1;
	host = scheme + 2 + strcspn(base + scheme + 2, "/?#");
	cr_fake_add(to, base, strncmp(ref, "//", 2) == 0 ? scheme : host);
	if (strncmp(ref, "//", 2) == 0) {
		cr_fake_str(to, ref);
		return 0;
	}
	dir = host + strcspn(base + host, "?#");
	if (*ref == '\0' || *ref == '#' || *ref == '?') {
		cr_fake_add(to, base + host, *ref == '?' ? dir - host : strcspn(base + host, "#"));
		cr_fake_str(to, ref);
		return 0;
	}
	while (dir > host && base[dir - 1] != '/')
		dir--;
	if (*ref != '/')
		cr_fake_add(&path, dir > host ? base + host : "/", dir > host ? dir - host : 1);
	cr_fake_add(&path, ref, strcspn(ref, "?#"));
	cr_fake_path(to, path.data, path.len);
	cr_fake_str(to, ref + strcspn(ref, "?#"));
	return 0;
}

/* Adds an absolute URL as a URI: without user and password, and with all but ASCII escaped. (The
 * daemon converts an internationalised host name to its ASCII form.) */
static inline void
cr_fake_uri(struct cr_fake_text *to, const char *s)
{
	size_t n = cr_fake_scheme(s), i;
	char hex[4];

	if ((cr_fake_is(s, n, "http:") || cr_fake_is(s, n, "https:")) && strncmp(s + n, "//", 2) == 0) {
		cr_fake_add(to, s, n += 2);
		s += n;
		for (i = strcspn(s, "/?#"); i > 0 && s[i - 1] != '@'; i--)
			;
		s += i;
	}
	for (; *s != '\0'; s++) {
		snprintf(hex, sizeof(hex), "%%%02X", (unsigned)(unsigned char)*s);
		cr_fake_add(to, (*s & 0x80) != 0 ? hex : s, (*s & 0x80) != 0 ? 3 : 1);
	}
}

/* Adds a reference as an absolute URL. -1: the base is not absolute, or the scheme is not
 * allowed. */
static inline int
cr_fake_resolve(struct cr_fake_text *to, const char *base, const char *ref)
{
	struct cr_fake_text whole = { .mem = to->mem };

	if (cr_fake_join(&whole, base, ref) == -1)
		return -1;
	cr_fake_uri(to, whole.data != NULL ? whole.data : "");
	return 0;
}
#endif

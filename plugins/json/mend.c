/* JSON as some programs write it, made what it was meant to be: half characters, control characters,
 * NaN, numbers that are too long. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_DIGITS	19		/* an integer of so many may be too large for 64 bits */
#define REAL_MAX	400		/* bytes of a number that are looked at */

struct mend {
	const char	*s, *end;
	char		*out;
	size_t		 n;
};

static void
put(struct mend *m, const char *text, size_t len)
{
	memcpy(m->out + m->n, text, len);
	m->n += len;
}

static int
looks(const struct mend *m, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(m->end - m->s) >= len && memcmp(m->s, text, len) == 0;
}

/* The number behind a "\u" at s; -1: none. */
static long
code_at(const struct mend *m, const char *s)
{
	char hex[5] = "";

	if (m->end - s < 6 || s[0] != '\\' || s[1] != 'u')
		return -1;
	memcpy(hex, s + 2, 4);
	return strspn(hex, "0123456789abcdefABCDEF") == 4 ? strtol(hex, NULL, 16) : -1;
}

/* A backslash and what belongs to it: half a pair is no character, and no zero may be in a name. */
static void
escape(struct mend *m)
{
	long c = code_at(m, m->s), next = c >= 0xd800 && c < 0xdc00 ? code_at(m, m->s + 6) : -1;
	size_t len = c >= 0 ? 6 : m->end - m->s >= 2 ? 2 : 1;

	if (next >= 0xdc00 && next < 0xe000) {
		put(m, m->s, 12);
		len = 12;
	} else if (c == 0 || (c >= 0xd800 && c < 0xe000)) {
		put(m, "\\ufffd", 6);
	} else
		put(m, m->s, len);
	m->s += len;
}

/* From its quote to the one at its end. */
static void
string(struct mend *m)
{
	put(m, m->s++, 1);
	while (m->s < m->end && *m->s != '"') {
		if (*m->s == '\\') {
			escape(m);
			continue;
		}
		put(m, (unsigned char)*m->s < ' ' ? " " : m->s, 1);
		m->s++;
	}
	if (m->s < m->end)
		put(m, m->s++, 1);
}

/* One that would overflow becomes a text: so none of its digits is lost. */
static void
number(struct mend *m)
{
	size_t len = 0, digits, room = (size_t)(m->end - m->s);
	int minus = *m->s == '-', quote;
	char copy[REAL_MAX + 1];

	while (len < room && strchr("0123456789+-.eE", m->s[len]) != NULL && m->s[len] != '\0')
		len++;
	snprintf(copy, sizeof(copy), "%.*s", (int)(len < REAL_MAX ? len : REAL_MAX), m->s);
	digits = strspn(copy + minus, "0123456789");
	quote = digits + (size_t)minus == len || digits == REAL_MAX ? digits >= LONG_DIGITS :
	    digits > 0 && !isfinite(strtod(copy, NULL));
	put(m, "\"", (size_t)quote);
	put(m, m->s, len);
	put(m, "\"", (size_t)quote);
	m->s += len;
}

char *
json_mend(const char *s, size_t len, size_t *out)
{
	static const char *const nothing[] = { "NaN", "Infinity", "-Infinity", "nan", "inf", "-inf" };
	struct mend m = { .s = s, .end = s + len, .out = malloc(len + len / 2 + 8) };
	size_t i;

	while (m.out != NULL && m.s < m.end) {
		for (i = 0; i < sizeof(nothing) / sizeof(*nothing) && !looks(&m, nothing[i]);)
			i++;
		if (i < sizeof(nothing) / sizeof(*nothing)) {
			put(&m, "null", 4);
			m.s += strlen(nothing[i]);
		} else if (*m.s == '"') {
			string(&m);
		} else if (*m.s == '-' || (*m.s >= '0' && *m.s <= '9')) {
			number(&m);
		} else
			put(&m, m.s++, 1);
	}
	*out = m.n;
	return m.out;
}

/* HTML as text, character by character. */
#include "plain.h"

#include <stdlib.h>
#include <string.h>

#define REFERENCE_MAX	12		/* bytes of a character reference */
#define NAME_MAX_	12		/* bytes of an element's name that matter */

/* Elements within a line: their tags do not part words. Sorted. */
static const char *const in_line[] = {
	"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn",
	"em", "font", "i", "ins", "kbd", "label", "mark", "nobr", "q", "rb", "ruby", "s", "samp",
	"small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static int
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The length of the tag at s, which is '<'; 0: it is none. *parts: it parts words. */
static size_t
tag(const char *s, const char *end, int *parts)
{
	const char *p = s + 1, *close;
	char name[NAME_MAX_];
	size_t n = 0;

	if (p < end && *p == '/')
		p++;
	if (p == end || (!letter(*p) && *p != '!' && *p != '?'))
		return 0;
	for (; p < end && n < sizeof(name) - 1 && (letter(*p) || (*p >= '0' && *p <= '9')); p++)
		name[n++] = (char)(*p | 0x20);
	name[n] = '\0';
	close = memchr(p, '>', (size_t)(end - p));
	if (close == NULL)
		return 0;
	*parts = bsearch(name, in_line, sizeof(in_line) / sizeof(in_line[0]), sizeof(in_line[0]),
	    by_name) == NULL && s[1] != '!';
	return (size_t)(close - s) + 1;
}

size_t
plain_reference(const char *s, const char *end, uint32_t *c)
{
	static const struct { const char *name; uint32_t c; } names[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&nbsp;", ' ' },
	};
	size_t max = (size_t)(end - s) < REFERENCE_MAX ? (size_t)(end - s) : REFERENCE_MAX, i, len;
	const char *close = memchr(s, ';', max);
	unsigned long n;
	char *stop;

	if (close == NULL)
		return 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i].name);
		if (len <= max && memcmp(s, names[i].name, len) == 0) {
			*c = names[i].c;
			return len;
		}
	}
	if (s[1] != '#')
		return 0;
	n = s[2] == 'x' || s[2] == 'X' ? strtoul(s + 3, &stop, 16) : strtoul(s + 2, &stop, 10);
	if (stop != close)
		return 0;
	*c = n < ' ' || n > 0x10ffff || (n >= 0xd800 && n < 0xe000) ? 0xfffd : (uint32_t)n;
	return (size_t)(close - s) + 1;
}

void
plain_init(struct plain *p, const char *html, size_t len)
{
	*p = (struct plain){ .at = html, .end = html + len };
}

size_t
plain_next(struct plain *p, char *out)
{
	uint32_t c;
	size_t n;
	int parts;

	while (p->at < p->end) {
		if (*p->at == '<' && (n = tag(p->at, p->end, &parts)) > 0) {
			p->gap |= parts;
			p->at += n;
			continue;
		}
		if (*p->at != '&' || (n = plain_reference(p->at, p->end, &c)) == 0)
			c = plain_get(p->at, (size_t)(p->end - p->at), &n);
		if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0) {
			p->gap = 1;
			p->at += n;
			continue;
		}
		if (p->gap && p->begun) {	/* the character is read again */
			p->gap = 0;
			*out = ' ';
			return 1;
		}
		p->gap = 0;
		p->begun = 1;
		p->at += n;
		return plain_put(out, c);
	}
	return 0;
}

size_t
plain_text(char *out, size_t max, const char *html, size_t len)
{
	struct plain p;
	char next[4];
	size_t n, at = 0;

	plain_init(&p, html, len);
	while ((n = plain_next(&p, next)) > 0 && n <= max - at) {
		memcpy(out + at, next, n);
		at += n;
	}
	return at;
}

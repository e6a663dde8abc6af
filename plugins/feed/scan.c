/* A look at the bytes before libxml2 sees them, for what would cost it too much: a tag with tens of
 * thousands of attributes takes it half a minute. */
#include "feed.h"

#include <stdio.h>
#include <string.h>

#define ATTRIBUTE_BYTES	4		/* of the shortest attribute: ` a=""` has one more */

/* Attributes of the tag at s, up to its end; stops counting beyond max. */
static int64_t
count_attributes(const char *s, const char *end, int64_t max)
{
	int64_t n = 0;
	char quote = '\0';

	for (; s < end && n <= max; s++)
		if (quote != '\0') {
			if (*s == quote)
				quote = '\0';
		} else if (*s == '"' || *s == '\'') {
			quote = *s;
		} else if (*s == '=') {
			n++;
		} else if (*s == '>') {
			break;
		}
	return n;
}

/* Where a span ends; without its sign at the end of all. memmem() is slow on signs this short. */
static const char *
span_end(const char *s, const char *end, const char *sign)
{
	size_t n = strlen(sign);

	while ((s = memchr(s, sign[0], (size_t)(end - s))) != NULL && (size_t)(end - s) >= n) {
		if (memcmp(s, sign, n) == 0)
			return s;
		s++;
	}
	return end;
}

/* Past a comment, a CDATA section or an instruction at s; else s + 1. */
static const char *
pass(const char *s, const char *end)
{
	static const struct {
		const char	*begin, *end;
	} spans[] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" }, { "<?", "?>" } };
	size_t i, n;

	if (s + 1 < end && s[1] != '!' && s[1] != '?')
		return s + 1;
	for (i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		n = strlen(spans[i].begin);
		if ((size_t)(end - s) < n || memcmp(s, spans[i].begin, n) != 0)
			continue;
		return span_end(s + n, end, spans[i].end);
	}
	return s + 1;
}

const char *
scan_refuse(const char *s, size_t len, const struct feed_opts *opts, char *why, size_t size)
{
	const char *end = s + len, *next;

	for (s = memchr(s, '<', len); s != NULL; s = next) {
		const char *after = pass(s, end);

		next = memchr(after, '<', (size_t)(end - after));
		if (after != s + 1)
			continue;
		if ((next != NULL ? next : end) - s < ATTRIBUTE_BYTES * opts->attributes)
			continue;
		if (count_attributes(s, end, opts->attributes) <= opts->attributes)
			continue;
		snprintf(why, size, "a tag has more than %lld attributes (option attributes)",
		    (long long)opts->attributes);
		return why;
	}
	return NULL;
}

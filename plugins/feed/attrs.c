/* Attributes of a start tag, and the short texts that they are. */
#include "feed.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

/* Tags have few attributes, and few tags are asked for theirs: comparing is cheap enough. */
struct str
attr(const struct attrs *a, const char *name)
{
	const char *begin;
	int i;

	for (i = 0; i < a->n; i++) {
		const xmlChar **v = a->v + 5 * i;

		if ((v[0][0] | 0x20) == (name[0] | 0x20) &&
		    strcasecmp((const char *)v[0], name) == 0) {
			begin = (const char *)v[3];
			return str_trim((struct str){ begin, (size_t)(v[4] - v[3]) });
		}
	}
	return (struct str){ NULL, 0 };
}

static int
space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && space(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && space(s.p[s.len - 1]))
		s.len--;
	return s;
}

int
str_is(struct str s, const char *lower)
{
	s = str_trim(s);
	if (s.len > 0 && (s.p[0] | 0x20) != (lower[0] | 0x20))	/* most end here */
		return 0;
	return s.p != NULL && strlen(lower) == s.len && strncasecmp(s.p, lower, s.len) == 0;
}

long long
str_number(struct str s, long long none)
{
	long long n = 0;
	size_t i;

	s = str_trim(s);
	for (i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || n > (LLONG_MAX - 9) / 10)
			return none;
		n = 10 * n + (s.p[i] - '0');
	}
	return s.len > 0 ? n : none;
}

uint32_t
attr_keep(const struct attrs *a, const char *name)
{
	struct str s = attr(a, name);

	if (s.len > FEED_LINE_MAX)
		s.len = text_cut(s.p, s.len, FEED_LINE_MAX);
	return s.len > 0 ? draft_text(a->r->now, s.p, s.len) : 0;
}

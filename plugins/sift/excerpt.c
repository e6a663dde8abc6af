/* What was found, with a little of what is around it: for the reasons of verdicts. */
#include "sift.h"

#include <stdio.h>
#include <string.h>

#define FOUND_MAX	120		/* bytes shown of what was found */

static int
inside(const char *s, size_t at, size_t len)
{
	return at < len && ((unsigned char)s[at] & 0xc0) == 0x80;
}

void
excerpt(char out[SIFT_WHY], const char *s, size_t len, size_t begin, size_t end)
{
	size_t from = begin > SIFT_AROUND ? begin - SIFT_AROUND : 0, to;

	if (end > len || end < begin)
		end = len;
	if (end - begin > FOUND_MAX)
		end = begin + FOUND_MAX;
	to = len - end > SIFT_AROUND ? end + SIFT_AROUND : len;
	while (from > 0 && inside(s, from, len))
		from--;
	while (inside(s, to, len))
		to++;
	snprintf(out, SIFT_WHY, "%s%.*s%s", from > 0 ? "..." : "", (int)(to - from), s + from,
	    to < len ? "..." : "");
}

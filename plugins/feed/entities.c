/* What character references mean: the names of HTML 5 (W3C, "Named character references"), and
 * numbers. */
#include "feed.h"

#include <string.h>

#define END	'\001'			/* of a line: a value may be a line feed */

/* Sorted lines "name characters"; one string, so that loading the plugin relocates nothing. */
static const char table[] =
#define ENTITY(name, text)	#name " " text "\001"
#define LEGACY(name, text)	ENTITY(name, text)
#include "entity.inc"
#undef ENTITY
#undef LEGACY
	;

/* Where the line begins that the byte at is in. */
static const char *
line_of(const char *at)
{
	while (at > table && at[-1] != END)
		at--;
	return at;
}

/* How name compares with the name at the start of a line. */
static int
compare(const char *name, size_t len, const char *line)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] != line[i])
			return (unsigned char)name[i] < (unsigned char)line[i] ? -1 : 1;
	return line[i] == ' ' ? 0 : -1;
}

const char *
entity_find(const char *name, size_t len, size_t *n)
{
	const char *low = table, *high = table + sizeof(table) - 1, *line;
	int order;

	if (len == 0 || memchr(name, ' ', len) != NULL || memchr(name, END, len) != NULL)
		return NULL;
	while (low < high) {
		line = line_of(low + (high - low) / 2);
		order = compare(name, len, line);
		if (order == 0) {
			*n = (size_t)(strchr(line + len + 1, END) - (line + len + 1));
			return line + len + 1;
		}
		if (order < 0)
			high = line;
		else
			low = strchr(line + 1, END) + 1;
	}
	return NULL;
}

/* A number is the character of windows-1252 that was meant, or none that XML allows. */
uint32_t
entity_number(uint32_t c)
{
	static const uint16_t windows[32] = {
		0x20ac, 0xfffd, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030,
		0x160, 0x2039, 0x152, 0xfffd, 0x17d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c,
		0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0xfffd,
		0x17e, 0x178,
	};

	if (c >= 0x80 && c < 0xa0)
		return windows[c - 0x80];
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0xd800 && c < 0xe000) ||
	    c > 0x10ffff || c == 0xfffe || c == 0xffff)
		return 0xfffd;
	return c;
}

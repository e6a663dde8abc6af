/* The named character references of HTML 5 (W3C, "Named character references"). */
#include "feed.h"

#include <string.h>

#define END	'\001'			/* of a line: a value may be a line feed */

/* Sorted lines "name characters"; one string, so that loading the plugin relocates nothing. */
static const char table[] =
#define ENTITY(name, text)	#name " " text "\001"
#define LEGACY(name, text)	ENTITY(name, text)
#include "../../core/entity.inc"
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

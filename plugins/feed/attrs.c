/* Attributes of a start tag. */
#include "feed.h"

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

uint32_t
attr_keep(const struct attrs *a, const char *name)
{
	struct str s = attr(a, name);

	if (s.len > FEED_LINE_MAX)
		s.len = text_cut(s.p, s.len, FEED_LINE_MAX);
	return s.len > 0 ? draft_text(a->r->now, s.p, s.len) : 0;
}

/* The lists of stories by name. */
#include "list_name.h"
#include "base/date.h"

#include <string.h>

int
list_name_read(const char *zone, const char *name, struct list *l, struct span *span)
{
	static const struct { const char *name; enum calendar_every every; } spans[] = {
		{ "day:", CALENDAR_DAY }, { "week:", CALENDAR_WEEK }, { "month:", CALENDAR_MONTH },
	};
	size_t len;

	*l = (struct list){ .by = LIST_BY_HEAT };
	if (strcmp(name, "trending") == 0)
		return 0;
	l->by = LIST_BY_BIRTH;
	if (strcmp(name, "new") == 0)
		return 0;
	if (strcmp(name, "front") == 0) {
		span_at(span, CALENDAR_DAY, zone, date_now());
		*l = (struct list){ LIST_SPAN_HEAT, span->from, span->to };
		return 1;
	}
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		len = strlen(spans[i].name);
		if (strncmp(name, spans[i].name, len) != 0)
			continue;
		if (name[len] == '\0')
			span_at(span, spans[i].every, zone, date_now());
		else if (span_read(span, spans[i].every, zone, name + len) == -1)
			return -1;
		*l = (struct list){ LIST_SPAN_SCORE, span->from, span->to };
		return 1;
	}
	return -1;
}

/* Days, weeks and months of the site's zone. */
#ifndef CORE_SPAN_H
#define CORE_SPAN_H
#include "base/calendar.h"

#include <stdint.h>

struct span {
	int64_t	 from, to;			/* ms; `to` is not in it */
	char	 name[CALENDAR_NAME];		/* "2026-11-27", "2026-W48", "2026-11" */
	char	 before[CALENDAR_NAME], after[CALENDAR_NAME];	/* the names beside it */
};

void	span_at(struct span *, enum calendar_every, const char *zone, int64_t when);
/* By its name. -1: there is none of that name. */
int	span_read(struct span *, enum calendar_every, const char *zone, const char *name);
#endif

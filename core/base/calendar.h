/* Times that repeat by the calendar of a zone: each day, week or month at a time of day. */
#ifndef CORE_CALENDAR_H
#define CORE_CALENDAR_H
#include <stdint.h>

enum calendar_every { CALENDAR_DAY, CALENDAR_WEEK, CALENDAR_MONTH };
#define CALENDAR_LAST	31		/* of a month: its last day */
#define CALENDAR_NAME	16		/* bytes of a name, with its NUL */
#define CALENDAR_ALL	0x7f		/* every weekday */

struct calendar {
	enum calendar_every	 every;
	unsigned		 on;	/* bits of weekdays, 1 << 0 for Monday; of a week one of them. Of
					 * a month: its day, 1 to 28, or CALENDAR_LAST */
	int			 at;	/* minutes since midnight */
	const char		*zone;	/* as in zone.h */
};

/* The first of these times after t, and the last one up to t; ms since 1970. A time that the clocks
 * leave out (a gap) is the moment behind the gap, unless the whole day is left out; one that they show
 * twice is the first. -1: there is none within ten years. */
int64_t	calendar_next(const struct calendar *, int64_t t);
int64_t	calendar_last(const struct calendar *, int64_t t);
/* The name of the day ("2027-01-01"), of the ISO 8601 week ("2026-W53") or of the month ("2027-01") of
 * the local date at t. Returns out. */
const char *calendar_name(const struct calendar *, int64_t t, char out[CALENDAR_NAME]);
/* The local date at t: "2027-01-01". Returns out. */
const char *calendar_date(const struct calendar *, int64_t t, char out[CALENDAR_NAME]);
#endif

/* Prints the times of a calendar, for tests that compare them with another's.
 *
 *	calendar day|week|month ON MINUTES ZONE FROM UNTIL	ON, MINUTES: as in struct calendar; FROM, UNTIL:
 *		s since 1970; a line `SECONDS NAME` for each time, found forwards, and `<` behind it if the
 *		same is not found backwards */
#include "base/calendar.h"
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(int argc, char **argv)
{
	static const char *const every[] = { "day", "week", "month" };
	struct calendar c = { .every = CALENDAR_DAY };
	char name[CALENDAR_NAME];
	long long t, until;

	if (argc != 7 || zone_check(argv[4]) == -1)
		return 2;
	while (c.every < CALENDAR_MONTH && strcmp(every[c.every], argv[1]) != 0)
		c.every++;
	c.on = (unsigned)strtoul(argv[2], NULL, 10);
	c.at = (int)strtol(argv[3], NULL, 10);
	c.zone = argv[4];
	t = strtoll(argv[5], NULL, 10) * 1000;
	until = strtoll(argv[6], NULL, 10) * 1000;
	while ((t = calendar_next(&c, t)) != -1 && t < until)
		printf("%lld %s%s\n", t / 1000, calendar_name(&c, t, name),
		    calendar_last(&c, t) == t && calendar_last(&c, t + 1) == t &&
		    calendar_last(&c, t - 1) < t ? "" : " <");
	return 0;
}

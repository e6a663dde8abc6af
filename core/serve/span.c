/* Days, weeks and months of the site's zone. */
#include "span.h"
#include "base/zone.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY	INT64_C(86400000)

void
span_at(struct span *s, enum calendar_every every, const char *zone, int64_t when)
{
	const struct calendar c = { .every = every, .zone = zone,
		.on = every == CALENDAR_DAY ? CALENDAR_ALL : every == CALENDAR_WEEK ? 1 << 0 : 1 };

	s->from = calendar_last(&c, when);
	s->to = calendar_next(&c, when);
	(void)calendar_name(&c, s->from, s->name);
	(void)calendar_name(&c, s->from - 1, s->before);
	(void)calendar_name(&c, s->to, s->after);
}

/* Noon of a day by UTC; day may be beyond its month. */
static int64_t
noon(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12 };

	return (int64_t)timegm(&tm) * 1000;
}

/* Noon of the Thursday of a week of ISO 8601, by UTC: that of week 1 is in the same week as 4 January. */
static int64_t
thursday(int year, int week)
{
	const int64_t fourth = noon(year, 1, 4), days = fourth / DAY;

	return fourth + (3 - (days + 3) % 7 + 7 * (week - 1)) * DAY;	/* 1970-01-01 was a Thursday */
}

int
span_read(struct span *s, enum calendar_every every, const char *zone, const char *name)
{
	int year = 0, month = 0, day = 0, n = 0;
	int64_t when;

	if (every == CALENDAR_DAY && sscanf(name, "%4d-%2d-%2d%n", &year, &month, &day, &n) == 3)
		when = noon(year, month, day);
	else if (every == CALENDAR_WEEK && sscanf(name, "%4d-W%2d%n", &year, &day, &n) == 2)
		when = thursday(year, day);
	else if (every == CALENDAR_MONTH && sscanf(name, "%4d-%2d%n", &year, &month, &n) == 2)
		when = noon(year, month, 15);
	else
		return -1;
	if (name[n] != '\0' || year < 1970 || year > 2999)
		return -1;
	span_at(s, every, zone, when - zone_offset(zone, when / 1000) * 1000);
	return strcmp(s->name, name) == 0 ? 0 : -1;
}

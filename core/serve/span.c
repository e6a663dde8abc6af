/* Days, weeks and months of the site's zone. */
#include "span.h"
#include "base/date.h"
#include "base/zone.h"

#include <string.h>

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

/* The day of the Thursday of a week of ISO 8601: that of week 1 is in the same week as 4 January. */
static int64_t
thursday(int year, int week)
{
	const int64_t fourth = date_days(year, 1, 4);

	return fourth + 3 - (fourth + 3) % 7 + 7 * (week - 1);	/* 1970-01-01 was a Thursday */
}

/* Reads so many digits, and the characters behind them. -1: something else is there. */
static int
digits(const char **at, int n, const char *then)
{
	const size_t len = strlen(then);
	int value = 0;

	for (; n > 0; n--, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		value = 10 * value + **at - '0';
	}
	if (strncmp(*at, then, len) != 0)
		return -1;
	*at += len;
	return value;
}

int
span_read(struct span *s, enum calendar_every every, const char *zone, const char *name)
{
	const char *at = name;
	const int year = digits(&at, 4, every == CALENDAR_WEEK ? "-W" : "-");
	const int second = year == -1 ? -1 : digits(&at, 2, every == CALENDAR_DAY ? "-" : "");
	const int day = every != CALENDAR_DAY || second == -1 ? 15 : digits(&at, 2, "");
	int64_t when;

	if (year < 1970 || year > 2999 || second == -1 || day == -1 || *at != '\0')
		return -1;
	when = (every == CALENDAR_WEEK ? thursday(year, second) : date_days(year, second, day)) * DAY + DAY / 2;
	span_at(s, every, zone, when - zone_offset(zone, when / 1000) * 1000);
	return strcmp(s->name, name) == 0 ? 0 : -1;
}

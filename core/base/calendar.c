/* Times that repeat by the calendar of a zone. All is counted in whole days of the local calendar, and
 * in offsets of the zone: mktime() takes now the earlier, now the later of two equal local times. */
#include "calendar.h"
#include "date.h"
#include "zone.h"

#include <stdio.h>

#define DAY		INT64_C(86400)		/* s */
#define FAR		3660			/* days in which a time is looked for */
#define AROUND		(26 * 3600)		/* s: no zone is further from UTC */

/* ---- Days since 1970 and dates ---- */

struct date { int year, month, day; };	/* month, day: from 1 */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static struct date
date_of(int64_t days)
{
	struct date d;

	date_civil(days, &d.year, &d.month, &d.day);
	return d;
}

/* 0: Monday. */
static int
weekday(int64_t days)
{
	return (int)(((days + 3) % 7 + 7) % 7);
}

static int64_t
local(const struct calendar *c, int64_t t)
{
	return t + zone_offset(c->zone, t);
}

/* ---- Moments ---- */

/* The first moment, s, at which the clocks of the zone show `wanted`, s since 1970 of the local
 * calendar; in a gap, the moment behind it. */
static int64_t
moment(const struct calendar *c, int64_t wanted)
{
	int64_t low = wanted - AROUND, high = wanted + AROUND, mid;
	int64_t before = wanted - zone_offset(c->zone, low), after = wanted - zone_offset(c->zone, high);

	if (after < before) {
		mid = before;
		before = after;
		after = mid;
	}
	if (local(c, before) == wanted)
		return before;
	if (after != before && local(c, after) == wanted)
		return after;
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (local(c, mid) >= wanted)
			high = mid;
		else
			low = mid;
	}
	return high;
}

/* Whether a time falls on the day, and which: ms. */
static int
due_on(const struct calendar *c, int64_t day, int64_t *due)
{
	struct date d = date_of(day);
	int64_t t;

	if (c->every == CALENDAR_MONTH) {
		if (c->on == CALENDAR_LAST ? date_of(day + 1).day != 1 : d.day != (int)c->on)
			return 0;
	} else if ((c->on >> weekday(day) & 1) == 0)
		return 0;
	t = moment(c, day * DAY + c->at * 60);
	if (floor_div(local(c, t), DAY) != day)
		return 0;		/* the day is left out */
	*due = t * 1000;
	return 1;
}

int64_t
calendar_next(const struct calendar *c, int64_t t)
{
	int64_t day = floor_div(local(c, floor_div(t, 1000)), DAY) - 1, due;

	for (int i = 0; i < FAR; i++, day++)
		if (due_on(c, day, &due) && due > t)
			return due;
	return -1;
}

int64_t
calendar_last(const struct calendar *c, int64_t t)
{
	int64_t day = floor_div(local(c, floor_div(t, 1000)), DAY) + 1, due;

	for (int i = 0; i < FAR; i++, day--)
		if (due_on(c, day, &due) && due <= t)
			return due;
	return -1;
}

/* ---- Names ---- */

const char *
calendar_date(const struct calendar *c, int64_t t, char out[CALENDAR_NAME])
{
	struct date d = date_of(floor_div(local(c, floor_div(t, 1000)), DAY));

	snprintf(out, CALENDAR_NAME, "%04d-%02d-%02d", (int)d.year, d.month, d.day);
	return out;
}

const char *
calendar_name(const struct calendar *c, int64_t t, char out[CALENDAR_NAME])
{
	int64_t day = floor_div(local(c, floor_div(t, 1000)), DAY), thursday;
	struct date d = date_of(day);

	if (c->every == CALENDAR_DAY)
		return calendar_date(c, t, out);
	if (c->every == CALENDAR_MONTH) {
		snprintf(out, CALENDAR_NAME, "%04d-%02d", (int)d.year, d.month);
		return out;
	}
	thursday = day - weekday(day) + 3;	/* a week is of the year that has its Thursday */
	d = date_of(thursday);
	snprintf(out, CALENDAR_NAME, "%04d-W%02d", (int)d.year,
	    (int)((thursday - date_days(d.year, 1, 1)) / 7) + 1);
	return out;
}

/* Dates as they stand over a listing. */
#include "papers.h"

#include <string.h>
#include <strings.h>

#define DAY	INT64_C(86400000)
#define TOKENS	8			/* words of such a line, at most */
#define LINE	48			/* bytes of it, at most */

struct parts { int year, month, day; };

static const char *const months[] = { "january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december" };
static const char *const idle[] = { "published", "on", "of", "the", "papers", "monday", "tuesday",
	"wednesday", "thursday", "friday", "saturday", "sunday", "mon", "tue", "tues", "wed", "thu",
	"thur", "thurs", "fri", "sat", "sun" };

static int
leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01; month from 1. */
static int64_t
days(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162 + before[month - 1] +
	    (month > 2 && leap(year)) + day - 1;
}

static int
year_of(int64_t when)
{
	int year = 1970 + (int)(when / DAY / 366);

	while (days(year + 1, 1, 1) * DAY <= when)
		year++;
	return year;
}

/* "mar", "sept", "march": at least three letters of the name. 0: no month. */
static int
month_of(const char *word)
{
	size_t len = strlen(word);

	for (int i = 0; len >= 3 && i < 12; i++)
		if (strncasecmp(word, months[i], len) == 0)
			return i + 1;
	return 0;
}

static int
is_idle(const char *word)
{
	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++)
		if (strcasecmp(word, idle[i]) == 0)
			return 1;
	return 0;
}

/* A day or a year, with "14th" as a day. 0: neither, or a second one. */
static int
number_of(const char *word, struct parts *p)
{
	static const char *const ends[] = { "", "st", "nd", "rd", "th" };
	size_t len = strspn(word, "0123456789"), i;
	int n = 0;

	for (i = 0; i < len && i < 4; i++)
		n = n * 10 + word[i] - '0';
	if (len == 4 && word[4] == '\0' && n >= 1970 && p->year == 0) {
		p->year = n;
		return 1;
	}
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcasecmp(word + len, ends[i]) == 0)
			break;
	if (len == 0 || len > 2 || i == sizeof(ends) / sizeof(ends[0]) || p->day != 0 || n == 0 ||
	    n > 31)
		return 0;
	p->day = n;
	return 1;
}

/* 2025-03-14, or 2025/03/14. */
static int
iso_of(const char *line, struct parts *p)
{
	static const char shape[] = "dddd-dd-dd";
	int n[3] = { 0 }, at = 0;

	for (size_t i = 0; i < sizeof(shape); i++) {
		if (shape[i] == 'd' && line[i] >= '0' && line[i] <= '9')
			n[at] = n[at] * 10 + line[i] - '0';
		else if (shape[i] == '-' && (line[i] == '-' || line[i] == '/'))
			at++;
		else if (shape[i] != line[i])
			return 0;
	}
	*p = (struct parts){ n[0], n[1], n[2] };
	return 1;
}

/* In words: a month, a day, perhaps a year and a weekday, and nothing else. */
static int
words_of(char *line, struct parts *p)
{
	char *word;
	int month, n = 0;

	while ((word = strsep(&line, " ,.\t")) != NULL) {
		if (*word == '\0' || is_idle(word))
			continue;
		if (++n > TOKENS)
			return 0;
		month = p->month == 0 ? month_of(word) : 0;
		if (month != 0)
			p->month = month;
		else if (!number_of(word, p))
			return 0;
	}
	return p->month != 0 && p->day != 0;
}

int64_t
papers_date(struct text t, int64_t now)
{
	static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct parts p = { 0 };
	char line[LINE + 1];
	int year;

	if (t.len < 4 || t.len > LINE)
		return CR_NO_TIME;
	memcpy(line, t.s, t.len);
	line[t.len] = '\0';
	if (!iso_of(line, &p) && !words_of(line, &p))
		return CR_NO_TIME;
	if (p.month < 1 || p.month > 12 || p.day < 1 || p.day > lengths[p.month - 1] ||
	    (p.year != 0 && p.year < 1970))
		return CR_NO_TIME;
	if (p.year != 0)
		return days(p.year, p.month, p.day) * DAY;
	for (year = year_of(now > 0 ? now : 0) + 1; days(year, p.month, p.day) * DAY > now + DAY ||
	    (p.month == 2 && p.day == 29 && !leap(year)); year--)
		;
	return days(year, p.month, p.day) * DAY;
}

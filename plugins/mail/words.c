/* The words around the records of a letter: its subject, its date. */
#include "mail.h"
#include "shared/grapheme.h"

#include <stdio.h>
#include <string.h>

#define DAY		INT64_C(86400000)
#define TITLE_MAX	400		/* characters */

static const char months[][10] = { "January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December" };
static const char days[][10] = { "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday",
	"Wednesday" };			/* 1970-01-01 was a Thursday */

/* ---- days: proleptic Gregorian, since 1970-01-01 ---- */

static int
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int
month_days(int64_t y, int month)
{
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return n[month] + (month == 1 && is_leap(y));
}

static int64_t
days_before_year(int64_t y)
{
	y--;
	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static void
day_of(int64_t day, int64_t *y, int *month, int *mday)
{
	*y = 1970 + day / 366;
	while (days_before_year(*y + 1) <= day)
		++*y;
	day -= days_before_year(*y);
	for (*month = 0; day >= month_days(*y, *month); ++*month)
		day -= month_days(*y, *month);
	*mday = (int)day + 1;
}

static void
put_day(struct text *t, int64_t day, int weekday)
{
	char out[64];
	int64_t y;
	int month, mday;

	if (day < 0 || day > 3000000)
		return;
	day_of(day, &y, &month, &mday);
	if (weekday) {
		text_str(t, days[day % 7]);
		text_str(t, ", ");
	}
	snprintf(out, sizeof(out), "%d %s %d", mday, months[month], (int)y);
	text_str(t, out);
}

void
day_put(struct text *t, int64_t ms)
{
	put_day(t, ms >= 0 ? ms / DAY : -1, 0);
}

/* The number that n characters are; -1: one of them is no digit. */
static int
digits(const char *s, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = 10 * value + (s[i] - '0');
	}
	return value;
}

/* The day that an edition's name is; -1: another period. */
static int64_t
named_day(const char *name)
{
	int y, m, d, i;
	int64_t day;

	if (strlen(name) != 10 || name[4] != '-' || name[7] != '-')
		return -1;
	y = digits(name, 4);
	m = digits(name + 5, 2);
	d = digits(name + 8, 2);
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > month_days(y, m - 1))
		return -1;
	day = days_before_year(y) + d - 1;
	for (i = 0; i < m - 1; i++)
		day += month_days(y, i);
	return day;
}

/* An edition that makes up for others says from which day on. Days of its zone: `to` is on the day of
 * its name. */
static void
range_put(struct text *t, const struct cr_batch *b, int64_t day)
{
	int64_t first;

	if (b->from == CR_NO_TIME || b->to == CR_NO_TIME || b->from < 0 || b->to - b->from < DAY + DAY / 2)
		return;
	first = b->from / DAY + day - b->to / DAY;
	text_str(t, ", since ");
	put_day(t, first, 0);
}

void
edition_date(struct text *t, const struct cr_batch *b)
{
	int64_t day = named_day(b->name);
	size_t len = strlen(b->name);
	char out[64];
	int y, n;

	if (day >= 0) {
		put_day(t, day, 1);
		range_put(t, b, day);
		return;
	}
	out[0] = '\0';
	y = len > 4 && b->name[4] == '-' ? digits(b->name, 4) : -1;
	if (y >= 0 && len == 8 && b->name[5] == 'W' && (n = digits(b->name + 6, 2)) >= 0)
		snprintf(out, sizeof(out), "Week %d of %d", n, y);
	else if (y >= 0 && len == 7 && (n = digits(b->name + 5, 2)) >= 1 && n <= 12)
		snprintf(out, sizeof(out), "%s %d", months[n - 1], y);
	text_str(t, out[0] != '\0' ? out : b->name);
}

/* ---- subjects ---- */

/* Leaves so many characters, and an ellipsis if there were more. */
static void
cut(struct text *t, size_t max)
{
	size_t at = 0, n;

	for (n = 0; n < max && at < t->len; n++)
		at += grapheme(t->data + at, t->len - at);
	if (at >= t->len)
		return;
	t->len = at;
	text_str(t, "\xe2\x80\xa6");
}

const char *
item_title(struct cr *cr, const struct cr_record *rec, struct text *room)
{
	const char *title = cr->get(rec, CR_TITLE, 0), *html = cr->get(rec, CR_SUMMARY, 0);

	text_clear(room);
	text_str(room, title);
	if (room->len == 0)
		content_excerpt(room, html != NULL && html[0] != '\0' ? html :
		    cr->get(rec, CR_CONTENT, 0), 80);
	if (room->len == 0)
		text_str(room, cr->get(rec, CR_LINK, 0));
	if (room->len == 0)
		text_str(room, "(no title)");
	cut(room, TITLE_MAX);
	return room->data != NULL ? room->data : "";
}

/* As plain text with its TeX shown. */
static void
title_put(struct text *t, struct cr *cr, const struct cr_record *rec)
{
	struct text room = { .data = NULL };
	const char *title = item_title(cr, rec, &room), *shown = cr->tex(cr, title, 0);

	text_str(t, shown != NULL ? shown : title);
	t->bad |= room.bad;
	text_free(&room);
}

const char *
subject_wrong(const char *subject, char *why, size_t size)
{
	static const char *const names[] = { "title", "name", "first", "source", "route", "n" };
	size_t len, i;

	for (; subject != NULL && (subject = strchr(subject, '{')) != NULL; subject += len + 2) {
		len = strcspn(subject + 1, "{}");
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i]) == len && memcmp(names[i], subject + 1, len) == 0)
				break;
		if (i == sizeof(names) / sizeof(names[0]) || subject[1 + len] != '}') {
			snprintf(why, size, "{%.*s is none of {title}, {name}, {first}, {source}, "
			    "{route}, {n}", (int)(len < 40 ? len + 1 : 40), subject + 1);
			return why;
		}
	}
	return NULL;
}

/* What stands for a name of len bytes. */
static void
named_put(struct text *t, struct cr *cr, const struct cr_batch *b, const struct cr_record *rec,
    const char *name, size_t len)
{
	char n[24];

	if (len == 5 && memcmp(name, "title", 5) == 0)
		text_str(t, b->title != NULL && b->title[0] != '\0' ? b->title : b->route);
	else if (len == 5 && memcmp(name, "route", 5) == 0)
		text_str(t, b->route);
	else if (len == 5 && rec != NULL)
		title_put(t, cr, rec);
	else if (len == 4)
		text_str(t, b->name);
	else if (len == 6 && rec != NULL)
		text_str(t, cr->get(rec, CR_SOURCE, 0));
	else if (len == 1) {
		snprintf(n, sizeof(n), "%zu", b->kind == CR_BATCH_EDITION ? b->n : (size_t)1);
		text_str(t, n);
	}
}

void
subject_put(struct text *t, struct cr *cr, const struct cr_batch *b, size_t nth, const char *subject)
{
	const struct cr_record *rec = nth < b->n ? b->items[nth] : NULL;
	size_t len;

	if (b->kind == CR_BATCH_LETTER)
		subject = "{title}";
	else if (subject == NULL || subject[0] == '\0')
		subject = b->kind != CR_BATCH_EDITION ? "{first}" : rec != NULL ?
		    "{title}, {name}: {first}" : "{title}, {name}";
	while (*subject != '\0') {
		len = strcspn(subject, "{");
		text_add(t, subject, len);
		subject += len;
		if (*subject == '\0')
			break;
		len = strcspn(subject, "}");
		named_put(t, cr, b, rec, subject + 1, len - 1);
		subject += len + (subject[len] != '\0');
	}
	if (t->len > 0)
		cut(t, SUBJECT_MAX);
}

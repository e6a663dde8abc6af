/* Reads `edition` of a route: when its records are sealed, and which of them. */
#include "setup_edition.h"
#include "setup_sink.h"
#include "setup_value.h"
#include "base/mem.h"
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR	INT64_C(3600000)

struct edition_said {
	int			 every, group, empty;
	const char		*at, *tz, *order;
	const char *const	*on;
	int64_t			 top, among, late, archive;
};
static const struct cr_option edition_own[] = {
	CR_OPTION(struct edition_said, every, ENUM, "day", "day|week|month", NULL),
	CR_OPTION(struct edition_said, at, STRING, "07:00", NULL, NULL),
	CR_OPTION(struct edition_said, on, LIST, "", NULL, NULL),
	CR_OPTION(struct edition_said, tz, STRING, "", NULL, NULL),
	CR_OPTION(struct edition_said, top, INT, "0", "0..10000", NULL),
	CR_OPTION(struct edition_said, order, STRING, "score", NULL, NULL),
	CR_OPTION(struct edition_said, group, ENUM, "none", "none|source|route", NULL),
	CR_OPTION(struct edition_said, among, DURATION, "0 s", "0..366 d", NULL),
	CR_OPTION(struct edition_said, empty, ENUM, "skip", "skip|send", NULL),
	CR_OPTION(struct edition_said, archive, INT, "0", "0..100000", NULL),
	CR_OPTION(struct edition_said, late, DURATION, "0 s", "0..31 d", NULL),
	CR_END
};

/* "07:00": minutes; -1: it is no time of day. */
static int
time_of_day(const char *s)
{
	static const char form[] = "00:00";
	int h, m;

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return -1;
	h = 10 * (s[0] - '0') + (s[1] - '0');
	m = 10 * (s[3] - '0') + (s[4] - '0');
	return h < 24 && m < 60 ? 60 * h + m : -1;
}

/* A weekday's bit; 0: it is none. */
static unsigned
weekday_bit(const char *s)
{
	static const char days[] = "mon tue wed thu fri sat sun";
	const char *at = strlen(s) == 3 ? strstr(days, s) : NULL;

	return at != NULL && (at - days) % 4 == 0 ? 1u << (at - days) / 4 : 0;
}

static void
on_month(struct setup_reader *r, struct edition *e, const char *const *on, int line)
{
	char *end = NULL;
	long day = on[0] != NULL ? strtol(on[0], &end, 10) : 1;

	if (on[0] != NULL && on[1] == NULL && strcmp(on[0], "last") == 0)
		e->calendar.on = CALENDAR_LAST;
	else if (on[0] != NULL && (on[1] != NULL || *on[0] == '\0' || *end != '\0' || day < 1 || day > 28))
		wrong(r, line, "on: of a month one day from 1 to 28, or last");
	else
		e->calendar.on = (unsigned)day;
}

static void
on_read(struct setup_reader *r, struct edition *e, const char *const *on, int line)
{
	unsigned days = 0, bit;

	if (e->calendar.every == CALENDAR_MONTH) {
		on_month(r, e, on, line);
		return;
	}
	for (size_t i = 0; on[i] != NULL; i++) {
		if ((bit = weekday_bit(on[i])) == 0)
			wrong(r, line, "on: \"%s\" is none of mon, tue, wed, thu, fri, sat, sun", on[i]);
		days |= bit;
	}
	e->calendar.on = days != 0 ? days : e->calendar.every == CALENDAR_WEEK ? 1 : CALENDAR_ALL;
	if (e->calendar.every == CALENDAR_WEEK && (days & (days - 1)) != 0)
		wrong(r, line, "on: an edition a week is on one day; with `every: day` it may be on several");
}

struct edition *
edition_read(struct setup_reader *r, const struct node *map)
{
	static const int64_t late[] = { 12 * HOUR, 48 * HOUR, 120 * HOUR };
	struct edition *e = xcalloc(1, sizeof(*e));
	struct edition_said said = { 0 };
	size_t where = strlen(r->where);

	if (!is_map(r, map, "edition")) {
		free(e);
		return NULL;
	}
	snprintf(r->where + where, sizeof(r->where) - where, "edition: ");
	section_read(r, map, edition_own, NULL, &said, sizeof(said), NULL);
	e->calendar.every = (enum calendar_every)said.every;
	if (said.at == NULL || (e->calendar.at = time_of_day(said.at)) == -1)
		wrong(r, conf_line(map, "at", 0, map->line), "at: a time of day such as \"07:00\" is wanted");
	on_read(r, e, said.on, conf_line(map, "on", 0, map->line));
	e->calendar.zone = zone_read(r, said.tz, conf_line(map, "tz", 0, map->line));
	e->top = (uint32_t)said.top;
	e->group = (enum edition_group)said.group;
	e->among = said.among;
	e->send_empty = said.empty == 1;
	e->archive = (uint32_t)said.archive;
	e->late = said.late > 0 ? said.late : late[said.every];
	if (said.order == NULL || list_order_parse(r, said.order, &e->order, &e->number) == -1)
		wrong(r, conf_line(map, "order", 0, map->line), LIST_ORDER_WRONG,
		    said.order != NULL ? said.order : "");
	option_unfill(edition_own, &said);
	r->where[where] = '\0';
	return e;
}

/* How hot stories are. An event costs a few look-ups by key, however many stories and events there
 * are: its weight goes into one term, and into the story's heat. A story of several items whose counter
 * rises is computed from its terms, since of one number only the largest counts. */
#include "story_heat.h"
#include "book.h"
#include "document.h"
#include "item.h"
#include "base/date.h"
#include "base/mem.h"
#include "record/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS		INT64_C(86400000)
#define RATE_DAYS	7		/* over which a source's entries are counted */
#define DAYS_KEPT	22		/* of the table day: RATE_DAYS before the last HEAT_ANEW_MS */

/* ---- Terms ---- */

void
heat_term_get(struct db *db, int64_t item, const char *name, struct heat_term *t)
{
	*t = (struct heat_term){ .item = item, .heat = -INFINITY };
	snprintf(t->name, sizeof(t->name), "%s", name);
	db_bind(db, SQL_TERM_GET, DB_INT(item), DB_TEXT(name));
	if (db_step(db, SQL_TERM_GET)) {
		t->hi = db_int(db, SQL_TERM_GET, 0);
		t->w = db_real(db, SQL_TERM_GET, 1);
		t->heat = db_real(db, SQL_TERM_GET, 2);
		t->n = db_int(db, SQL_TERM_GET, 3);
		t->first = db_int(db, SQL_TERM_GET, 4);
		t->last = db_int(db, SQL_TERM_GET, 5);
	}
	db_done(db, SQL_TERM_GET);
}

void
heat_term_set(struct db *db, const struct heat_term *t)
{
	db_run(db, SQL_TERM_SET, DB_INT(t->item), DB_TEXT(t->name), DB_INT(t->hi), DB_REAL(t->w),
	    DB_REAL(t->heat), DB_INT(t->n), DB_INT(t->first), DB_INT(t->last));
}

/* Adds an event to the term. Returns its logarithm. */
static double
term_event(const struct heat_rules *r, struct heat_term *t, double w, int64_t when)
{
	double e = heat_log(r, w, when);

	if (w <= 0)
		return e;
	t->w += w;
	t->heat = heat_sum(t->heat, e);
	t->first = t->n == 0 || when < t->first ? when : t->first;
	t->last = when > t->last ? when : t->last;
	t->n++;
	return e;
}

struct heat_term *
heat_terms(struct db *db, int64_t story, size_t *n)
{
	struct heat_term *all = NULL, *t;
	size_t room = 0;

	*n = 0;
	db_bind(db, SQL_HEAT_TERMS, DB_INT(story));
	while (db_step(db, SQL_HEAT_TERMS)) {
		if (*n == room)
			all = xreallocarray(all, room = room > 0 ? 2 * room : 8, sizeof(*all));
		t = &all[(*n)++];
		*t = (struct heat_term){ .item = db_int(db, SQL_HEAT_TERMS, 0),
			.source = db_int(db, SQL_HEAT_TERMS, 1), .hi = db_int(db, SQL_HEAT_TERMS, 3),
			.w = db_real(db, SQL_HEAT_TERMS, 4), .heat = db_real(db, SQL_HEAT_TERMS, 5),
			.n = db_int(db, SQL_HEAT_TERMS, 6), .first = db_int(db, SQL_HEAT_TERMS, 7),
			.last = db_int(db, SQL_HEAT_TERMS, 8) };
		snprintf(t->name, sizeof(t->name), "%s", db_text(db, SQL_HEAT_TERMS, 2));
	}
	db_done(db, SQL_HEAT_TERMS);
	heat_terms_count(all, *n);
	return all;
}

/* ---- Stories ---- */

void
heat_get(struct db *db, int64_t story, struct story_heat *s)
{
	*s = (struct story_heat){ .heat = -INFINITY };
	db_bind(db, SQL_HEAT_GET, DB_INT(story));
	if (db_step(db, SQL_HEAT_GET)) {
		s->heat = db_real(db, SQL_HEAT_GET, 0);
		s->score = db_real(db, SQL_HEAT_GET, 1);
		s->born = db_int(db, SQL_HEAT_GET, 2);
		s->items = db_int(db, SQL_HEAT_GET, 3);
		s->rev = db_int(db, SQL_HEAT_GET, 4);
	}
	db_done(db, SQL_HEAT_GET);
}

int64_t
heat_number(struct db *db, int64_t story, const char *name)
{
	return db_get(db, SQL_HEAT_NUMBER, 0, DB_INT(story), DB_TEXT(name));
}

void
heat_born(struct db *db, int64_t story, int64_t born)
{
	db_run(db, SQL_HEAT_BORN, DB_INT(story), DB_INT(born));
}

static void
heat_set(struct book *book, int64_t story, const struct story_heat *s)
{
	book->moves++;
	book->ranked = 0;
	db_run(&book->db, SQL_HEAT_SET, DB_INT(story), DB_REAL(s->heat), DB_REAL(s->score));
}

/* When an item of the story was first seen, ms, in whole seconds: the earliest of them. */
static int64_t
first_seen(struct db *db, int64_t story)
{
	int64_t seen = 0, one;

	db_bind(db, SQL_HEAT_ITEMS, DB_INT(story));
	while (db_step(db, SQL_HEAT_ITEMS)) {
		one = db_int(db, SQL_HEAT_ITEMS, 2);
		seen = seen == 0 || one < seen ? one : seen;
	}
	return seen / 1000 * 1000;
}

void
heat_story(struct book *book, int64_t story)
{
	struct story_heat s;
	struct heat_term *t;
	int64_t born = 0;
	size_t n, i;

	heat_get(&book->db, story, &s);
	s.heat = -INFINITY;
	s.score = 0;
	t = heat_terms(&book->db, story, &n);
	for (i = 0; i < n; i++) {
		if (t[i].n > 0 && (born == 0 || t[i].first < born))
			born = t[i].first;
		if (!t[i].counts || t[i].n == 0)
			continue;
		s.heat = heat_sum(s.heat, t[i].heat);
		s.score += t[i].w;
	}
	if (born == 0 && s.born == 0)
		born = first_seen(&book->db, story);
	if (born != 0 && born != s.born)
		heat_born(&book->db, story, born);
	heat_set(book, story, &s);
	free(t);
}

int64_t
heat_rank(struct db *db, double heat, int64_t max)
{
	int64_t hotter;

	if (isinf(heat))
		return 0;
	db_bind(db, SQL_HEAT_RANK, DB_REAL(heat), DB_INT(max));
	hotter = db_first(db, SQL_HEAT_RANK, 0);
	return hotter < max ? hotter + 1 : 0;
}

/* ---- When, and of how many a day ---- */

double
heat_rate(struct db *db, int64_t source, int64_t t)
{
	double n = 0, days = 1;

	db_bind(db, SQL_DAY_RATE, DB_INT(source), DB_INT(t / DAY_MS), DB_INT(RATE_DAYS));
	if (db_step(db, SQL_DAY_RATE)) {
		n = (double)db_int(db, SQL_DAY_RATE, 0);
		days = (double)(t - db_int(db, SQL_DAY_RATE, 1)) / (double)DAY_MS;
	}
	db_done(db, SQL_DAY_RATE);
	days = days < 1 ? 1 : days > RATE_DAYS ? RATE_DAYS : days;
	return n / days > 1 ? n / days : 1;
}

static void
source_counts(struct db *db, int64_t source, int64_t t, int64_t now)
{
	int64_t oldest = now / DAY_MS - DAYS_KEPT;

	if (t / DAY_MS <= oldest)
		return;
	db_run(db, SQL_DAY_ADD, DB_INT(source), DB_INT(t / DAY_MS));
	if (db_get(db, SQL_DAY_FIRST, oldest, DB_INT(source)) < oldest)
		db_run(db, SQL_DAY_DROP, DB_INT(source), DB_INT(oldest));
}

/* An entry of a first fetch is an old one, if it has a date: it counts at that date, and of the entries
 * of this document, which tell how many a day there are. Without a date it counts now, as one of all
 * that came at once. */
struct heat_time
heat_time(struct book *book, struct document *doc, const struct item_source *source,
    const struct entry *e, int64_t when)
{
	const int64_t now = date_now();
	struct heat_time h;

	h.t = (when < now ? when : now) / 1000 * 1000;
	h.per_day = 0;
	if (source->weight <= 0)
		return h;
	if (source->firsts >= 0 && e->date == CR_NO_TIME) {
		h.per_day = (double)source->firsts + (double)doc->n;
		return h;
	}
	if (source->firsts >= 0 && e->date < h.t)
		h.t = e->date / 1000 * 1000;
	source_counts(&book->db, source->id, h.t, now);
	h.per_day = source->firsts >= 0 ? document_per_day(doc) :
	    heat_rate(&book->db, source->id, h.t);
	return h;
}

/* ---- Events ---- */

/* Notes the story for top_check(). */
static void
moved(struct book *book, int64_t story)
{
	if (book->top_source == 0 ||
	    (book->nmoved > 0 && book->moved[book->nmoved - 1] == story))
		return;
	if (book->nmoved == book->room) {
		book->room = book->room > 0 ? 2 * book->room : 64;
		book->moved = xreallocarray(book->moved, book->room, sizeof(*book->moved));
	}
	book->moved[book->nmoved++] = story;
}

/* 1: the item's counter rose above its highest value. */
static int
counter_rises(struct book *book, int64_t item, const char *name, int64_t value, struct story_heat *s,
    int64_t t)
{
	struct heat_term term;
	double w;

	if (strlen(name) >= HEAT_NAME)
		return 0;
	heat_term_get(&book->db, item, name, &term);
	if (value <= term.hi || (term.hi == 0 &&
	    db_get(&book->db, SQL_TERM_COUNT, 0, DB_INT(item)) >= HEAT_COUNTERS))
		return 0;
	w = heat_fade(heat_rise(&book->heat, name, term.hi, value), t - s->born);
	term.hi = value;
	s->heat = heat_sum(s->heat, term_event(&book->heat, &term, w, t));
	s->score += w;
	heat_term_set(&book->db, &term);
	return 1;
}

/* The counters of a record that is the item's. How many rose. s: as if the item were alone. */
static size_t
counters_rise(struct book *book, const struct item_source *source, const struct cr_record *r,
    int64_t item, struct story_heat *s, int64_t t)
{
	const char *name;
	int64_t value;
	size_t n = 0;

	for (size_t i = 0; source->counters && i < HEAT_COUNTERS &&
	    record_counter_at(r, i, &name, &value); i++)
		n += (size_t)counter_rises(book, item, name, value, s, t);
	return n;
}

void
heat_item(struct book *book, const struct item_source *source, const struct cr_record *r, int64_t item,
    int64_t story, const struct heat_time *h)
{
	struct heat_term mention = { .item = item, .hi = 1, .heat = -INFINITY };
	struct story_heat s;
	size_t rose;
	double w;

	heat_get(&book->db, story, &s);
	if (s.born == 0 || h->t < s.born)
		heat_born(&book->db, story, s.born = h->t);
	w = heat_fade(heat_mention(source->weight, h->per_day), h->t - s.born);
	if (w > 0) {
		s.heat = heat_sum(s.heat, term_event(&book->heat, &mention, w, h->t));
		s.score += w;
		heat_term_set(&book->db, &mention);
	}
	rose = counters_rise(book, source, r, item, &s, h->t);
	heat_set(book, story, &s);
	if (rose > 0 && s.items > 1)
		heat_story(book, story);
	if (w > 0 || rose > 0)
		moved(book, story);
}

int
heat_rises(struct book *book, const struct item_source *source, const struct cr_record *r, int64_t item,
    int64_t story, int64_t t)
{
	const int64_t now = date_now();
	struct story_heat s;

	if (!source->counters)
		return 0;
	heat_get(&book->db, story, &s);
	if (counters_rise(book, source, r, item, &s, (t < now ? t : now) / 1000 * 1000) == 0)
		return 0;
	if (s.items > 1)
		heat_story(book, story);
	else
		heat_set(book, story, &s);
	moved(book, story);
	return 1;
}

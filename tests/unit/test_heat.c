/* The arithmetic of heat: by vectors of its own, and by those in the file $HEAT_VECTORS, if it is there. */
#include "record/heat.h"

#include <jansson.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STORIES	8
#define SOURCES	16

static const struct heat_rules usual = { INT64_C(86400000), .25, .125, 1000000 };

struct told {
	const char	*name;
	double		 sum;
	int64_t		 first;		/* ms; -1: no event yet */
	const char	*source[SOURCES];	/* that have mentioned it */
	size_t		 nsources;
	int64_t		 votes, comments;
};

static struct told *
story(struct told *all, const char *name)
{
	size_t i;

	for (i = 0; i < STORIES && all[i].name != NULL; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	assert_true(i < STORIES);
	all[i] = (struct told){ .name = name, .sum = -INFINITY, .first = -1 };
	return &all[i];
}

static double
number(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

/* The weight of an event of the vectors, which it adds to its story. */
static double
happen(const struct heat_rules *r, struct told *s, const json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	const char *source = json_string_value(json_object_get(event, "source"));
	int64_t t = (int64_t)number(event, "t") * 1000, to = (int64_t)number(event, "value");
	int64_t *high = strcmp(type, "vote") == 0 ? &s->votes : &s->comments;
	double w = 0;
	size_t i;

	if (strcmp(type, "mention") == 0) {
		for (i = 0; i < s->nsources && strcmp(s->source[i], source) != 0;)
			i++;
		if (i == s->nsources) {
			s->source[s->nsources++] = source;
			w = heat_mention(number(event, "user"), number(event, "per_day"));
		}
	} else {
		w = heat_rise(r, strcmp(type, "vote") == 0 ? "votes" : "comments", *high, to);
		*high = to > *high ? to : *high;
	}
	if (s->first == -1)
		s->first = t;
	w = heat_fade(w, t - s->first);
	s->sum = heat_sum(s->sum, heat_log(r, w, t));
	return w;
}

static void
vector_holds(const json_t *v)
{
	const json_t *order = json_object_get(v, "order"), *event, *value;
	const struct heat_rules r = { (int64_t)number(v, "half_life") * 1000, number(v, "vote"),
		number(v, "comment"), 1000000 };
	const int64_t now = (int64_t)number(v, "now") * 1000;
	struct told all[STORIES] = { 0 };
	const char *name;
	double last = INFINITY;
	size_t i;

	print_message("%s\n", json_string_value(json_object_get(v, "name")));
	assert_true((int64_t)number(v, "T0") * 1000 == HEAT_EPOCH);
	json_array_foreach(json_object_get(v, "events"), i, event) {
		name = json_string_value(json_object_get(event, "story"));
		assert_true(fabs(happen(&r, story(all, name), event) -
		    json_number_value(json_array_get(json_object_get(v, "weights"), i))) < 1e-9);
	}
	json_object_foreach((json_t *)(uintptr_t)json_object_get(v, "L"), name, value)
		assert_true(fabs(story(all, name)->sum - json_number_value(value)) < 1e-9);
	json_object_foreach((json_t *)(uintptr_t)json_object_get(v, "heat"), name, value)
		assert_true(fabs(heat_at(&r, story(all, name)->sum, now) -
		    json_number_value(value)) < 1e-9);
	json_array_foreach(order, i, value) {
		assert_true(story(all, json_string_value(value))->sum < last);
		last = story(all, json_string_value(value))->sum;
	}
}

static void
the_vectors_hold(void **state)
{
	const char *path = getenv("HEAT_VECTORS");
	json_t *all = path != NULL ? json_load_file(path, 0, NULL) : NULL;
	const json_t *v;
	size_t i;

	(void)state;
	if (all == NULL)
		skip();
	assert_true(json_array_size(all) > 0);
	json_array_foreach(all, i, v)
		vector_holds(v);
	json_decref(all);
}

static void
close_to(double is, double wanted)
{
	if (fabs(is - wanted) >= 1e-9)
		fail_msg("%.12f, not %.12f", is, wanted);
}

/* Worked out by hand: log2(2 + 6) is 3, and 2026-01-01 is 2,192 days behind the epoch. */
static void
weights_and_sums_are_as_worked_out(void **state)
{
	const int64_t day = INT64_C(86400000), t = HEAT_EPOCH + 2192 * day;

	(void)state;
	close_to(heat_mention(1, 6), 1. / 3);
	close_to(heat_mention(3, 6), 1);
	close_to(heat_mention(1, 0), 1);
	close_to(heat_mention(1, -5), 1);
	close_to(heat_log(&usual, 1, t), 2192);
	close_to(heat_log(&usual, .25, t), 2190);
	close_to(heat_log(&usual, 1, t + 999), 2192);		/* whole seconds */
	close_to(heat_sum(2190, 2190), 2191);
	close_to(heat_sum(2192, heat_sum(2191, 2191)), 2193);
	close_to(heat_sum(1, 2000), 2000);			/* what is 2^1999 smaller is lost */
	close_to(heat_at(&usual, 2192, t), 1);
	close_to(heat_at(&usual, 2192, t + day), .5);
	close_to(heat_at(&usual, 2192, t + 2 * day), .25);
}

static void
nothing_adds_nothing(void **state)
{
	(void)state;
	assert_true(isinf(heat_log(&usual, 0, HEAT_EPOCH)) && heat_log(&usual, 0, HEAT_EPOCH) < 0);
	close_to(heat_sum(5, -INFINITY), 5);
	close_to(heat_sum(-INFINITY, 5), 5);
	assert_true(isinf(heat_sum(-INFINITY, -INFINITY)));
	close_to(heat_at(&usual, -INFINITY, HEAT_EPOCH), 0);
}

static void
a_counter_adds_what_it_rises_above_its_highest(void **state)
{
	(void)state;
	close_to(heat_rise(&usual, "votes", 0, 1), .25);
	close_to(heat_rise(&usual, "votes", 1, 3), .25);
	close_to(heat_rise(&usual, "likes", 0, 3), .5);
	close_to(heat_rise(&usual, "points", 0, 3), .5);
	close_to(heat_rise(&usual, "comments", 0, 3), .25);
	close_to(heat_rise(&usual, "views", 0, 1000), 0);
	close_to(heat_rise(&usual, "votes", 3, 3), 0);
	close_to(heat_rise(&usual, "votes", 3, 1), 0);
	close_to(heat_rise(&usual, "votes", -1, 1), .25);
}

static void
a_counter_is_capped(void **state)
{
	(void)state;
	close_to(heat_rise(&usual, "votes", 0, INT64_MAX), heat_rise(&usual, "votes", 0, 1000000));
	close_to(heat_rise(&usual, "votes", 1000000, INT64_MAX), 0);
	assert_true(heat_rise(&usual, "votes", 0, INT64_MAX) < 5);
}

static void
late_events_weigh_less(void **state)
{
	const int64_t hour = INT64_C(3600000);

	(void)state;
	close_to(heat_fade(1, -hour), 1);
	close_to(heat_fade(1, 48 * hour), 1);
	close_to(heat_fade(1, 72 * hour), .5);
	close_to(heat_fade(1, 96 * hour), .25);
	assert_true(heat_fade(1, INT64_MAX) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_hold),
		cmocka_unit_test(weights_and_sums_are_as_worked_out),
		cmocka_unit_test(nothing_adds_nothing),
		cmocka_unit_test(a_counter_adds_what_it_rises_above_its_highest),
		cmocka_unit_test(a_counter_is_capped),
		cmocka_unit_test(late_events_weigh_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

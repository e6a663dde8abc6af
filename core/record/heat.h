/* Heat: how much is going on about a story, and how lately. Each event (a source mentions the story, a
 * counter of one of its records rises) has a weight that halves every half-life. The sum is held as the
 * logarithm (base 2) of the weights, each as if it had grown since HEAT_EPOCH instead of fading since
 * its event: so it does not change with time, and stories can be sorted by it for ever. */
#ifndef CORE_HEAT_H
#define CORE_HEAT_H
#include <stdint.h>

#define HEAT_EPOCH	INT64_C(1577836800000)	/* 2020-01-01, ms */
#define HEAT_GRACE	INT64_C(172800000)	/* ms: a story's later events weigh less, */
#define HEAT_AGING	INT64_C(86400000)	/* and half as much with each of these ms */

#define HEAT_RANKS	1000		/* a story behind so many has no rank */

/* Which counters add heat, and how. */
struct heat_rules {
	int64_t		 half_life;	/* ms */
	double		 votes, comments;	/* weight of a doubling */
	int64_t		 cap;		/* of a counter: what is above adds nothing */
};

/* The weight of a mention by a source of so many entries a day. weight: the source's option. */
double	heat_mention(double weight, double per_day);
/* The weight of a counter that rises; 0: it does not rise, or adds no heat. */
double	heat_rise(const struct heat_rules *, const char *counter, int64_t from, int64_t to);
/* The weight of an event so many ms after its story's first. */
double	heat_fade(double weight, int64_t age);
/* The logarithm of an event at t, ms, in whole seconds. A weight of 0: -INFINITY. */
double	heat_log(const struct heat_rules *, double weight, int64_t t);
/* The logarithm of the sum, of two logarithms. */
double	heat_sum(double, double);
/* What is left at t, ms, of a sum. */
double	heat_at(const struct heat_rules *, double sum, int64_t t);
#endif

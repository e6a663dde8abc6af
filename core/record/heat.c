/* The arithmetic of heat: weights, and their sums as logarithms. */
#include "heat.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* Counters that add heat. Others, such as views, are numbers of a story and no more. */
static const struct { const char *name; size_t weight; } counters[] = {
	{ "votes", offsetof(struct heat_rules, votes) },
	{ "points", offsetof(struct heat_rules, votes) },
	{ "likes", offsetof(struct heat_rules, votes) },
	{ "comments", offsetof(struct heat_rules, comments) },
};

static double
counter_weight(const struct heat_rules *r, const char *name)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (strcmp(counters[i].name, name) == 0)
			return *(const double *)(const void *)((const char *)r + counters[i].weight);
	return 0;
}

double
heat_mention(double weight, double per_day)
{
	return weight / log2(2 + (per_day > 0 ? per_day : 0));
}

double
heat_rise(const struct heat_rules *r, const char *counter, int64_t from, int64_t to)
{
	if (to > r->cap)
		to = r->cap;
	if (from < 0)
		from = 0;
	return to > from ? counter_weight(r, counter) *
	    (log2(1 + (double)to) - log2(1 + (double)from)) : 0;
}

double
heat_fade(double weight, int64_t age)
{
	return age > HEAT_GRACE ?
	    weight * exp2(-(double)(age - HEAT_GRACE) / (double)HEAT_AGING) : weight;
}

static double
half_lives(const struct heat_rules *r, int64_t t)
{
	const int64_t seconds = t / 1000;

	return (double)(1000 * seconds - HEAT_EPOCH) / (double)r->half_life;
}

double
heat_log(const struct heat_rules *r, double weight, int64_t t)
{
	return weight > 0 ? log2(weight) + half_lives(r, t) : -INFINITY;
}

double
heat_sum(double a, double b)
{
	double more = a > b ? a : b, less = a > b ? b : a;

	return isinf(less) ? more : more + log2(1 + exp2(less - more));
}

double
heat_at(const struct heat_rules *r, double sum, int64_t t)
{
	return exp2(sum - half_lives(r, t));
}

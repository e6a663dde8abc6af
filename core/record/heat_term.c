/* The terms of a story's heat: what each of its items adds. */
#include "heat_term.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* By name; mentions by source, the earliest first; counters of one name, the highest first. */
static int
by_name(const void *a, const void *b)
{
	const struct heat_term *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	if (x->name[0] == '\0' && x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->name[0] == '\0' && x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->name[0] != '\0' && x->hi != y->hi)
		return x->hi > y->hi ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

static int
same_number(const struct heat_term *x, const struct heat_term *y)
{
	return strcmp(x->name, y->name) == 0 && (x->name[0] != '\0' || x->source == y->source);
}

void
heat_terms_count(struct heat_term *all, size_t n)
{
	if (n > 0)
		qsort(all, n, sizeof(*all), by_name);
	for (size_t i = 0; i < n; i++)
		all[i].counts = i == 0 || !same_number(&all[i - 1], &all[i]);
}

void
heat_json_set(json_t *o, const char *name, double value)
{
	if (isfinite(value))
		json_object_set_new(o, name, json_real(value));
}

json_t *
heat_term_json(const struct heat_term *t, const char *id, const char *source)
{
	json_t *o = json_object();

	json_set_text(o, "id", id);
	json_set_text(o, "source", source);
	json_set_text(o, "name", t->name[0] != '\0' ? t->name : "mention");
	json_object_set_new(o, "value", json_integer(t->hi));
	heat_json_set(o, "weight", t->w);
	heat_json_set(o, "sum", t->heat);
	json_object_set_new(o, "events", json_integer(t->n));
	json_set_time(o, "first", t->first);
	json_set_time(o, "last", t->last);
	json_object_set_new(o, "counts", json_boolean(t->counts && t->n > 0));
	return o;
}

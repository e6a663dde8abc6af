/* Routes: what they draw from, each in its place after those that it draws from; their filters. */
#include "mem.h"
#include "setup_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route_said {
	const char		*title, *backlog;
	const char *const	*from;
	int			 once, updates;
	int64_t			 patience;
};
static const struct cr_option route_own[] = {
	CR_OPTION(struct route_said, title, STRING, "", NULL, NULL),
	CR_OPTION(struct route_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct route_said, from, LIST, "", NULL, NULL),
	CR_OPTION(struct route_said, once, ENUM, "story", "story|record", NULL),
	CR_OPTION(struct route_said, updates, BOOL, "no", NULL, NULL),
	CR_OPTION(struct route_said, patience, DURATION, "7 d", "0..366 d", NULL),
	CR_END
};
static const struct cr_option route_nodes[] = {
	{ "filters", CR_STRING, 0, "", NULL, NULL },
	{ "to", CR_STRING, 0, "", NULL, NULL },
	CR_END
};

/* A route as written; draws: places in the drafts. */
struct draft {
	const struct node	*node;
	struct route		 route;
	uint32_t		*draws;
	size_t			 ndraws;
	int			 placed;
};
struct drafts {
	struct draft	*v;
	uint32_t	*by_name;	/* places in v, sorted */
	size_t		 n;
	size_t		 drawn;		/* sources that all of them draw from */
};

/* ---- from ---- */

static int
draft_by_name(const void *a, const void *b, void *arg)
{
	const struct draft *v = arg;

	return strcmp(v[*(const uint32_t *)a].node->key, v[*(const uint32_t *)b].node->key);
}

static int
draft_find(const struct drafts *d, const char *name, uint32_t *place)
{
	size_t low = 0, high = d->n, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp(name, d->v[d->by_name[mid]].node->key);
		if (order == 0) {
			*place = d->by_name[mid];
			return 1;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return 0;
}

static int
by_place(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Sorted, each once. */
static size_t
places_tidy(uint32_t *v, size_t n)
{
	size_t i, kept = 0;

	if (n > 1)
		qsort(v, n, sizeof(*v), by_place);
	for (i = 0; i < n; i++)
		if (kept == 0 || v[kept - 1] != v[i])
			v[kept++] = v[i];
	return kept;
}

static void
from_sources(struct reader *r, struct drafts *d, struct route *route, const uint32_t *places,
    size_t n)
{
	if (n > SETUP_DRAWS - d->drawn) {
		wrong(r, route->line, "from: the routes draw from more than %d sources in all",
		    SETUP_DRAWS);
		return;
	}
	d->drawn += n;
	route->from = xreallocarray(route->from, route->nfrom + n + 1, sizeof(*route->from));
	if (n > 0)
		memcpy(route->from + route->nfrom, places, n * sizeof(*route->from));
	route->nfrom += n;
}

/* Whether `sources` has such an entry: it may hold none (an empty file, autostart: no). */
static int
is_listed(const struct reader *r, const char *name, size_t len)
{
	const struct node *n = r->named != NULL ? r->named->child : NULL;

	for (; n != NULL; n = n->next)
		if (strlen(n->key) == len && memcmp(n->key, name, len) == 0)
			return 1;
	return 0;
}

static void
from_unknown(struct reader *r, const struct drafts *d, int line, const char *name)
{
	const struct node *n = r->named != NULL ? r->named->child : NULL;
	const char **names, *near;
	size_t count = 0, i;

	for (; n != NULL; n = n->next)
		count++;
	names = xcalloc(count + d->n + r->setup->nsources + 1, sizeof(*names));
	count = 0;
	for (n = r->named != NULL ? r->named->child : NULL; n != NULL; n = n->next)
		names[count++] = n->key;
	for (i = 0; i < d->n; i++)
		names[count++] = d->v[i].node->key;
	for (i = 0; i < r->setup->nsources; i++)
		names[count++] = r->setup->sources[i].name;
	near = option_nearest(name, names, count);
	if (strcmp(name, "courant") == 0)
		wrong(r, line, "from: courant, the daemon's own news, cannot be drawn from yet");
	else
		wrong(r, line, "from: there is no source, group or route `%s`%s%s%s", name,
		    near != NULL ? ", did you mean `" : "", near != NULL ? near : "",
		    near != NULL ? "`?" : "");
	free(names);
}

/* A name that ends with *. */
static void
from_pattern(struct reader *r, struct drafts *d, struct draft *to, const char *name, int line)
{
	size_t len = strlen(name) - 1, first, n;
	char *prefix = xstrndup(name, len);

	source_range(r, prefix, &first, &n);
	if (strchr(prefix, '*') != NULL)
		wrong(r, line, "from: \"%s\": one *, at the end, is all that there is", name);
	else if (len == 0)
		to->route.all = 1;
	else if (n == 0 && !(prefix[len - 1] == '/' && is_listed(r, prefix, len - 1)))
		from_unknown(r, d, line, name);
	else
		from_sources(r, d, &to->route, r->by_name + first, n);
	free(prefix);
}

/* Routes stay in the order in which they were written, each once. */
static void
from_route(struct draft *to, uint32_t place)
{
	for (size_t i = 0; i < to->ndraws; i++)
		if (to->draws[i] == place)
			return;
	to->draws = xreallocarray(to->draws, to->ndraws + 1, sizeof(*to->draws));
	to->draws[to->ndraws++] = place;
}

/* A route, a source, a group, in this order. */
static void
from_name(struct reader *r, struct drafts *d, struct draft *to, const char *name, int line)
{
	char *prefix = xasprintf("%s/", name);
	size_t first, n;
	uint32_t place;

	if (draft_find(d, name, &place) && &d->v[place] == to) {
		wrong(r, line, "from: a route cannot draw from itself");
	} else if (draft_find(d, name, &place)) {
		from_route(to, place);
	} else if (source_find(r, name, &place)) {
		from_sources(r, d, &to->route, &place, 1);
	} else {
		source_range(r, prefix, &first, &n);
		if (n > 0 || is_listed(r, name, strlen(name)))
			from_sources(r, d, &to->route, r->by_name + first, n);
		else
			from_unknown(r, d, line, name);
	}
	free(prefix);
}

static void
from_read(struct reader *r, struct drafts *d, struct draft *to)
{
	const struct node *from = conf_get(to->node, "from"), *one = from, *n;

	if (from != NULL && from->kind == CONF_LIST)
		one = from->child;
	for (n = one; n != NULL; n = n == from ? NULL : n->next) {
		if (n->kind != CONF_SCALAR || n->text == NULL || *n->text == '\0')
			continue;		/* said when the list was read */
		if (n->text[strlen(n->text) - 1] == '*')
			from_pattern(r, d, to, n->text, n->line);
		else
			from_name(r, d, to, n->text, n->line);
	}
	if (from == NULL || (from->kind == CONF_LIST && from->child == NULL))
		wrong(r, to->route.line,
		    "from: has to be given: names of sources, groups, routes, or "
		    "[\"*\"] for all");
	to->route.nfrom = places_tidy(to->route.from, to->route.nfrom);
}

/* ---- filters, to ---- */

static void
filter_fill(struct reader *r, struct route *route, const struct node *n, const char *rule)
{
	size_t where = strlen(r->where), mistakes = r->mistakes->n;
	struct options none = { 0 };
	struct instance in;
	struct filter *f;

	if (!is_map(r, n, n->key))
		return;
	if (route->nfilters == SETUP_FILTERS) {
		wrong(r, n->line, "more than %d filters", SETUP_FILTERS);
		return;
	}
	snprintf(r->where + where, sizeof(r->where) - where, "%.40s: ", n->key);
	instance_begin(r, &in, "filter", n->key, n->line);
	instance_read(r, &in, "filter", n, NULL, &none);
	route->filters =
	    xreallocarray(route->filters, route->nfilters + 1, sizeof(*route->filters));
	f = &route->filters[route->nfilters++];
	f->instance = instance_keep(r, &in, 0);
	f->rule = keep_text(r, rule);
	check_later(r, f->instance, NULL, n->line, mistakes);
	r->where[where] = '\0';
}

static void
filter_read(struct reader *r, struct route *route, const struct node *n, const char *rule)
{
	size_t had = route->nfilters;
	struct attempt a;

	attempt_begin(r, &a);
	filter_fill(r, route, n, rule);
	if (!attempt_failed(r, &a))
		return;
	route->nfilters = had;
	filter_fill(r, route, n, rule);
	r->held = NULL;
}

/* A filter or sink without options is its name alone. */
static void
named_alone(const struct node *item, struct node *to)
{
	*to = (struct node){ .kind = CONF_MAP, .key = item->text, .line = item->line };
}

static void	filters_list(struct reader *, struct route *, const struct node *, const char *,
		    int);

/* One filter, or a group of them: any, all, none. */
static void
filter_entry(struct reader *r, struct route *route, const struct node *n, const char *group,
    int depth, int place)
{
	static const char *const groups[] = { "any", "all", "none" };
	size_t i = 0;
	char *rule = xasprintf("%s%s#%d", group, n->key, place), *longer;

	while (i < sizeof(groups) / sizeof(groups[0]) && strcmp(n->key, groups[i]) != 0)
		i++;
	if (i == sizeof(groups) / sizeof(groups[0])) {
		filter_read(r, route, n, rule);
	} else if (depth == SETUP_GROUPS) {
		wrong(r, n->line, "filters: more than %d groups within each other", SETUP_GROUPS);
	} else {
		longer = xasprintf("%s/", rule);
		filters_list(r, route, n, longer, depth + 1);
		free(longer);
		if (n->kind == CONF_LIST && n->child == NULL)
			wrong(r, n->line, "filters: %s: has no filter in it", n->key);
	}
	free(rule);
}

static void
filters_list(struct reader *r, struct route *route, const struct node *list, const char *group,
    int depth)
{
	const struct node *item;
	struct node alone;
	int place = 0;

	if (list->kind != CONF_LIST) {
		wrong(r, list->line, "filters: a list is wanted, since their order counts: "
		    "- NAME: { option: value }");
		return;
	}
	for (item = list->child; item != NULL; item = item->next) {
		place++;
		if (item->kind == CONF_SCALAR && item->text != NULL) {
			named_alone(item, &alone);
			filter_entry(r, route, &alone, group, depth, place);
		} else if (item->kind == CONF_MAP && item->child != NULL &&
		    item->child->next == NULL) {
			filter_entry(r, route, item->child, group, depth, place);
		} else {
			wrong(r, item->line, "filters: an entry is one filter: "
			    "- NAME: { option: value }");
		}
	}
}

static void
filters_read(struct reader *r, struct route *route, const struct node *list)
{
	if (list == NULL || (list->kind == CONF_SCALAR && list->text == NULL))
		return;
	filters_list(r, route, list, "", 0);
}

static void
legs_map(struct reader *r, struct route *route, const struct node *map, const char *backlog)
{
	const struct node *n;

	for (n = map->child; n != NULL; n = n->next)
		leg_read(r, route, n, backlog);
}

static void
legs_read(struct reader *r, struct route *route, const struct node *to, const char *backlog)
{
	const struct node *item;
	struct node alone;

	if (to == NULL || (to->kind == CONF_SCALAR && to->text == NULL))
		return;
	if (to->kind == CONF_MAP) {
		legs_map(r, route, to, backlog);
		return;
	}
	for (item = to->kind == CONF_LIST ? to->child : to; item != NULL;
	    item = item == to ? NULL : item->next) {
		if (item->kind == CONF_SCALAR && item->text != NULL) {
			named_alone(item, &alone);
			leg_read(r, route, &alone, backlog);
		} else if (item->kind == CONF_MAP) {
			legs_map(r, route, item, backlog);
		} else {
			wrong(r, item->line, "to: an entry is a sink: - NAME: { option: value }");
		}
	}
}

/* ---- One route ---- */

static void
route_where(struct reader *r, const char *name)
{
	snprintf(r->where, sizeof(r->where), "route %.*s: ", SETUP_NAME_MAX, name);
}

static void
route_read(struct reader *r, struct drafts *all, struct draft *d)
{
	const struct node *n = d->node;
	struct route *route = &d->route;
	struct route_said said = { 0 };

	route->name = keep_text(r, n->key);
	route->line = n->line;
	route_where(r, n->key);
	if (name_check(r, n->key, "route", n->line) && r->named != NULL &&
	    conf_get(r->named, n->key) != NULL)
		wrong(r, n->line, "a source has the same name");
	if (!is_map(r, n, "a route"))
		return;
	section_read(r, n, route_own, route_nodes, &said, sizeof(said), NULL);
	route->title = keep_text(r, said.title != NULL ? said.title : n->key);
	route->once_record = said.once;
	route->updates = said.updates;
	route->patience = said.patience;
	from_read(r, all, d);
	filters_read(r, route, conf_get(n, "filters"));
	legs_read(r, route, conf_get(n, "to"), said.backlog);
	option_unfill(route_own, &said);
}

/* ---- Their order ---- */

/* Whether all that it draws from have their places. */
static int
draft_ready(const struct drafts *d, const struct draft *one)
{
	for (size_t i = 0; i < one->ndraws; i++)
		if (!d->v[one->draws[i]].placed)
			return 0;
	return 1;
}

/* Of what cannot be placed, the first that it draws from. */
static const struct draft *
draft_before(const struct drafts *d, const struct draft *one)
{
	size_t i = 0;

	while (i + 1 < one->ndraws && d->v[one->draws[i]].placed)
		i++;
	return &d->v[one->draws[i]];
}

static void
cycle_wrong(struct reader *r, const struct drafts *d)
{
	const struct draft *at = d->v, *begin;
	struct buf way;
	size_t steps;

	while (at->placed)
		at++;
	for (steps = 0; steps < d->n; steps++)		/* by then it goes round */
		at = draft_before(d, at);
	for (begin = at, steps = 0; steps < d->n; steps++) {
		at = draft_before(d, at);
		if (at < begin)				/* the first that was written */
			begin = at;
	}
	buf_init(&way, CONF_MISTAKE / 2);
	at = begin;
	do {
		at = draft_before(d, at);
		buf_fmt(&way, "%sfrom %s", way.len > 0 ? ", which draws " : "", at->node->key);
	} while (at != begin);
	wrong(r, begin->route.line, "route %s draws %s", begin->node->key,
	    way.data != NULL ? way.data : "from itself");
	buf_free(&way);
}

/* Moves the drafts into the setup, each after those it draws from, else as written. */
static void
routes_place(struct reader *r, struct drafts *d)
{
	struct setup *s = r->setup;
	uint32_t *places = xcalloc(d->n + 1, sizeof(*places));
	struct draft *one;
	size_t i = 0, j;

	s->routes = xcalloc(d->n + 1, sizeof(*s->routes));
	while (i < d->n) {
		one = &d->v[i++];
		if (one->placed || !draft_ready(d, one))
			continue;
		one->placed = 1;
		places[one - d->v] = (uint32_t)s->nroutes;
		one->route.nroutes = one->ndraws;
		one->route.routes = one->draws;
		for (j = 0; j < one->ndraws; j++)
			one->draws[j] = places[one->draws[j]];
		one->draws = NULL;
		s->routes[s->nroutes++] = one->route;
		i = 0;		/* others may be ready now */
	}
	if (s->nroutes < d->n)
		cycle_wrong(r, d);
	free(places);
}

void
route_clear(struct route *route)
{
	free(route->from);
	free(route->routes);
	free(route->filters);
	free(route->legs);
}

void
routes_read(struct reader *r, const struct node *map)
{
	struct drafts d = { 0 };
	const struct node *n;
	size_t i;

	if (map == NULL || !is_map(r, map, "routes"))
		return;
	for (n = map->child; n != NULL; n = n->next)
		d.n++;
	if (d.n > SETUP_ROUTES) {
		wrong(r, map->line, "more than %d routes", SETUP_ROUTES);
		return;
	}
	d.v = xcalloc(d.n + 1, sizeof(*d.v));
	d.by_name = xcalloc(d.n + 1, sizeof(*d.by_name));
	for (n = map->child, i = 0; n != NULL; n = n->next, i++) {
		d.v[i].node = n;
		d.by_name[i] = (uint32_t)i;
	}
	qsort_r(d.by_name, d.n, sizeof(*d.by_name), draft_by_name, d.v);
	for (i = 0; i < d.n; i++)
		route_read(r, &d, &d.v[i]);
	r->where[0] = '\0';
	routes_place(r, &d);
	outputs_check(r);
	for (i = 0; i < d.n; i++) {
		free(d.v[i].draws);
		if (!d.v[i].placed)
			route_clear(&d.v[i].route);
	}
	free(d.v);
	free(d.by_name);
}

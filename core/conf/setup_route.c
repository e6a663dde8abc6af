/* Reads routes: their options, filters and sinks, what they draw from, and their order: each after
 * those that it draws from. */
#include "setup_route.h"
#include "setup_check.h"
#include "setup_edition.h"
#include "setup_instance.h"
#include "setup_sink.h"
#include "setup_source.h"
#include "setup_value.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct route_said {
	const char		*title, *backlog;
	const char *const	*prefer;
	int			 once, updates;
	int64_t			 patience;
};
static const struct cr_option route_own[] = {
	CR_OPTION(struct route_said, title, STRING, "", NULL, NULL),
	CR_OPTION(struct route_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct route_said, once, ENUM, "story", "story|record", NULL),
	CR_OPTION(struct route_said, updates, BOOL, "no", NULL, NULL),
	CR_OPTION(struct route_said, prefer, LIST, "", NULL, NULL),
	CR_OPTION(struct route_said, patience, DURATION, "7 d", "0..366 d", NULL),
	CR_END
};
static const struct cr_option route_nodes[] = {
	{ "from", CR_STRING, 0, "", NULL, NULL },
	{ "filters", CR_STRING, 0, "", NULL, NULL },
	{ "to", CR_STRING, 0, "", NULL, NULL },
	{ "edition", CR_STRING, 0, "", NULL, NULL },
	CR_END
};

/* A route before the routes are put in order. */
struct draft {
	const struct node	*node;
	struct route		 route;
	uint32_t		*draws;		/* places in drafts->v of routes drawn from */
	size_t			 ndraws;
	int			 placed;	/* it has its place in setup->routes */
};
struct drafts {
	struct draft	*v;
	uint32_t	*by_name;	/* places in v, sorted by name */
	size_t		 n;
	size_t		 drawn;		/* sources that they draw from, summed up */
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

/* Sorts v and removes duplicates; returns how many are left. */
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
from_sources(struct setup_reader *r, struct drafts *d, struct route *route, const uint32_t *places,
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

/* Whether `sources` has such an entry, even one without a source (an empty file, autostart: no). */
static int
is_listed(const struct setup_reader *r, const char *name, size_t len)
{
	const struct node *n = r->named != NULL ? r->named->child : NULL;

	for (; n != NULL; n = n->next)
		if (strlen(n->key) == len && memcmp(n->key, name, len) == 0)
			return 1;
	return 0;
}

static void
from_unknown(struct setup_reader *r, const struct drafts *d, int line, const char *name)
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
	wrong(r, line, "from: there is no source, group or route `%s`%s%s%s", name,
	    near != NULL ? ", did you mean `" : "", near != NULL ? near : "",
	    near != NULL ? "`?" : "");
	free(names);
}

/* Adds a source of the daemon itself: that of what is wrong with it (`courant`, or `courant/trouble`, or
 * courant/ with a * behind it), or `courant/top`. */
static void
from_own(struct setup_reader *r, struct drafts *d, struct draft *to, const char *name, int line)
{
	uint32_t place;

	if (strcmp(name, SETUP_OWN) != 0 && strcmp(name, SETUP_OWN "/*") != 0 &&
	    strcmp(name, SETUP_TROUBLE) != 0 && strcmp(name, SETUP_TOP) != 0)
		wrong(r, line, "from: of the daemon itself there are `" SETUP_TROUBLE "` and `"
		    SETUP_TOP "`, and no `%s`", name);
	else if ((place = source_builtin(r, strcmp(name, SETUP_TOP) == 0 ? SETUP_TOP : SETUP_TROUBLE,
	    line)) != UINT32_MAX)
		from_sources(r, d, &to->route, &place, 1);
}

/* Adds what a name that ends with * stands for. */
static void
from_pattern(struct setup_reader *r, struct drafts *d, struct draft *to, const char *name, int line)
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

/* Adds a route to draw from, in the order written, once. */
static void
from_route(struct draft *to, uint32_t place)
{
	for (size_t i = 0; i < to->ndraws; i++)
		if (to->draws[i] == place)
			return;
	to->draws = xreallocarray(to->draws, to->ndraws + 1, sizeof(*to->draws));
	to->draws[to->ndraws++] = place;
}

/* Adds the route of that name, else the source, else the group. */
static void
from_name(struct setup_reader *r, struct drafts *d, struct draft *to, const char *name, int line)
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

/* Whether an entry is a search. */
static int
is_search(const struct node *n)
{
	return n->kind == CONF_MAP && n->child != NULL && n->child->next == NULL &&
	    strcmp(n->child->key, "search") == 0 && n->child->kind == CONF_SCALAR &&
	    n->child->text != NULL;
}

static void
from_entry(struct setup_reader *r, struct drafts *d, struct draft *to, const struct node *n)
{
	if (is_search(n))
		to->route.all = 1;		/* searches_read() adds the filters */
	else if (n->kind != CONF_SCALAR)
		wrong(r, n->line, "from: an entry is a name, or { search: QUERY }");
	else if (n->text == NULL || *n->text == '\0')
		wrong(r, n->line, "from: an entry is empty");
	else if (source_is_own(n->text))
		from_own(r, d, to, n->text, n->line);
	else if (n->text[strlen(n->text) - 1] == '*')
		from_pattern(r, d, to, n->text, n->line);
	else
		from_name(r, d, to, n->text, n->line);
}

static void
from_read(struct setup_reader *r, struct drafts *d, struct draft *to)
{
	const struct node *from = conf_get(to->node, "from"), *one = from, *n;

	if (from != NULL && from->kind == CONF_LIST)
		one = from->child;
	for (n = one; n != NULL; n = n == from ? NULL : n->next)
		from_entry(r, d, to, n);
	if (from == NULL || (from->kind == CONF_LIST && from->child == NULL))
		wrong(r, to->route.line,
		    "from: has to be given: names of sources, groups, routes, or "
		    "[\"*\"] for all");
	to->route.nfrom = places_tidy(to->route.from, to->route.nfrom);
}

/* ---- filters, to ---- */

static void
filter_fill(struct setup_reader *r, struct route *route, const struct node *n, const char *rule)
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
	f->instance = instance_intern(r, &in, 0);
	f->rule = text_copy(r, rule);
	check_later(r, f->instance, NULL, n->line, mistakes);
	r->where[where] = '\0';
}

static void
filter_read(struct setup_reader *r, struct route *route, const struct node *n, const char *rule)
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

/* Adds a filter for each search that the route draws from; of several, one has to find a record. */
static void
searches_read(struct setup_reader *r, struct route *route, const struct node *from)
{
	const struct node *n, *one = from;
	size_t entries = 0, searches = 0, nth = 0;
	struct node filter, query;
	char *rule;

	if (from != NULL && from->kind == CONF_LIST)
		one = from->child;
	for (n = one; n != NULL; n = n == from ? NULL : n->next, entries++)
		searches += (size_t)is_search(n);
	if (searches > 0 && searches < entries) {
		wrong(r, from->line, "from: a search draws from all sources, so that no names stand beside "
		    "it: `source:` in the query names some");
		return;
	}
	for (n = one; n != NULL && searches > 0; n = n == from ? NULL : n->next) {
		query = (struct node){ .kind = CONF_SCALAR, .key = (char[]){ "query" },
			.text = n->child->text, .line = n->line };
		filter = (struct node){ .kind = CONF_MAP, .key = n->child->key, .child = &query,
			.line = n->line };
		rule = xasprintf("%ssearch#%zu", searches > 1 ? "any#0/" : "",
		    searches > 1 ? ++nth : 0);
		filter_read(r, route, &filter, rule);
		free(rule);
	}
}

/* Makes a node with an empty map of a filter or sink that is written as its name alone. */
static void
named_alone(const struct node *item, struct node *to)
{
	*to = (struct node){ .kind = CONF_MAP, .key = item->text, .line = item->line };
}

/* The sources whose fields a story's face takes first. */
static void
prefer_read(struct setup_reader *r, struct route *route, const char *const *names, int line)
{
	uint32_t place;
	size_t n = 0;

	while (names[n] != NULL)
		n++;
	if (n > SETUP_PREFER) {
		wrong(r, line, "prefer: more than %d sources", SETUP_PREFER);
		return;
	}
	route->prefer = xreallocarray(NULL, n + 1, sizeof(*route->prefer));
	for (size_t i = 0; i < n; i++)
		if (source_find(r, names[i], &place))
			route->prefer[route->nprefer++] = place;
		else
			wrong(r, line, "prefer: there is no source `%s`", names[i]);
}

static void	filters_list(struct setup_reader *, struct route *, const struct node *, const char *,
		    int);

/* Reads a filter, or a group of filters (any, all, none). */
static void
filter_entry(struct setup_reader *r, struct route *route, const struct node *n, const char *group,
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
filters_list(struct setup_reader *r, struct route *route, const struct node *list, const char *group,
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
filters_read(struct setup_reader *r, struct route *route, const struct node *list)
{
	if (list == NULL || (list->kind == CONF_SCALAR && list->text == NULL))
		return;
	filters_list(r, route, list, "", 0);
}

static void
sinks_map(struct setup_reader *r, struct route *route, const struct node *map, const char *backlog)
{
	const struct node *n;

	for (n = map->child; n != NULL; n = n->next)
		sink_read(r, route, n, backlog);
}

static void
sinks_read(struct setup_reader *r, struct route *route, const struct node *to, const char *backlog)
{
	const struct node *item;
	struct node alone;

	if (to == NULL || (to->kind == CONF_SCALAR && to->text == NULL))
		return;
	if (to->kind == CONF_MAP) {
		sinks_map(r, route, to, backlog);
		return;
	}
	for (item = to->kind == CONF_LIST ? to->child : to; item != NULL;
	    item = item == to ? NULL : item->next) {
		if (item->kind == CONF_SCALAR && item->text != NULL) {
			named_alone(item, &alone);
			sink_read(r, route, &alone, backlog);
		} else if (item->kind == CONF_MAP) {
			sinks_map(r, route, item, backlog);
		} else {
			wrong(r, item->line, "to: an entry is a sink: - NAME: { option: value }");
		}
	}
}

/* ---- One route ---- */

static void
route_where(struct setup_reader *r, const char *name)
{
	snprintf(r->where, sizeof(r->where), "route %.*s: ", SETUP_NAME_MAX, name);
}

static void
route_read(struct setup_reader *r, struct drafts *all, struct draft *d)
{
	const struct node *n = d->node;
	struct route *route = &d->route;
	struct route_said said = { 0 };

	route->name = text_copy(r, n->key);
	route->line = n->line;
	route_where(r, n->key);
	if (name_check(r, n->key, "route", n->line) && r->named != NULL &&
	    conf_get(r->named, n->key) != NULL)
		wrong(r, n->line, "a source has the same name");
	if (!is_map(r, n, "a route"))
		return;
	section_read(r, n, route_own, route_nodes, &said, sizeof(said), NULL);
	route->title = text_copy(r, said.title != NULL ? said.title : n->key);
	route->once_record = said.once;
	route->updates = said.updates;
	route->patience = said.patience;
	r->backlog_line = conf_line(n, "backlog", 0, n->line);
	from_read(r, all, d);
	prefer_read(r, route, said.prefer, conf_line(n, "prefer", 0, n->line));
	searches_read(r, route, conf_get(n, "from"));
	filters_read(r, route, conf_get(n, "filters"));
	if (conf_get(n, "edition") != NULL)
		route->edition = edition_read(r, conf_get(n, "edition"));
	sinks_read(r, route, conf_get(n, "to"), said.backlog);
	option_unfill(route_own, &said);
}

/* ---- Their order ---- */

/* Whether all routes that it draws from are placed. */
static int
draft_ready(const struct drafts *d, const struct draft *one)
{
	for (size_t i = 0; i < one->ndraws; i++)
		if (!d->v[one->draws[i]].placed)
			return 0;
	return 1;
}

/* The first route that it draws from and that is not placed. */
static const struct draft *
draft_before(const struct drafts *d, const struct draft *one)
{
	size_t i = 0;

	while (i + 1 < one->ndraws && d->v[one->draws[i]].placed)
		i++;
	return &d->v[one->draws[i]];
}

static void
cycle_wrong(struct setup_reader *r, const struct drafts *d)
{
	const struct draft *at = d->v, *begin;
	struct buf way;
	size_t steps;

	while (at->placed)
		at++;
	for (steps = 0; steps < d->n; steps++)		/* after n steps, at is in the cycle */
		at = draft_before(d, at);
	for (begin = at, steps = 0; steps < d->n; steps++) {
		at = draft_before(d, at);
		if (at < begin)				/* begin with the first one written */
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

/* Makes two of the last route in the setup: its candidates, which others may draw from in its stead, and
 * behind these the route with its editions and sinks. */
static void
edition_apart(struct setup_reader *r, struct setup *s)
{
	struct route *candidates = &s->routes[s->nroutes - 1], *own = &s->routes[s->nroutes++];
	char *name = xasprintf("%s" SETUP_CANDIDATES, candidates->name);

	*own = (struct route){ .name = candidates->name, .title = candidates->title,
		.edition = candidates->edition, .sinks = candidates->sinks,
		.nsinks = candidates->nsinks, .once_record = 1, .updates = 1,
		.patience = candidates->patience, .line = candidates->line, .nroutes = 1,
		.routes = xcalloc(1, sizeof(*own->routes)) };
	own->routes[0] = (uint32_t)(s->nroutes - 2);
	candidates->name = text_copy(r, name);
	candidates->edition = NULL;
	candidates->sinks = NULL;
	candidates->nsinks = 0;
	free(name);
}

/* Moves the drafts into the setup: each after those that it draws from, otherwise in the order
 * written. */
static void
routes_place(struct setup_reader *r, struct drafts *d)
{
	struct setup *s = r->setup;
	uint32_t *places = xcalloc(d->n + 1, sizeof(*places));
	struct draft *one;
	size_t i = 0, j;

	s->routes = xcalloc(2 * d->n + 1, sizeof(*s->routes));
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
		if (one->route.edition != NULL)
			edition_apart(r, s);
		i = 0;		/* routes that draw from this one may be ready */
	}
	if (s->nroutes < d->n)
		cycle_wrong(r, d);
	free(places);
}

/* Marks the routes that deliver records of SETUP_TROUBLE; each is behind those it draws from. */
static void
routes_trouble(struct setup *s)
{
	for (struct route *one = s->routes; one < s->routes + s->nroutes; one++) {
		for (size_t i = 0; i < one->nfrom; i++)
			one->trouble |= one->from[i] == s->trouble;
		for (size_t i = 0; i < one->nroutes; i++)
			one->trouble |= s->routes[one->routes[i]].trouble;
	}
}

void
routes_read(struct setup_reader *r, const struct node *map)
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
	routes_trouble(r->setup);
	outputs_check(r);
	for (i = 0; i < d.n; i++) {
		free(d.v[i].draws);
		if (!d.v[i].placed)
			route_clear(&d.v[i].route);
	}
	free(d.v);
	free(d.by_name);
}

/* Sinks of routes: their options, what of the past they take, and that no two write one file. */
#include "mem.h"
#include "setup_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a sink says besides its plugin's options. */
struct leg_said {
	const char	*backlog;
	int64_t		 keep;
};
const struct cr_option leg_own[] = {
	CR_OPTION(struct leg_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct leg_said, keep, INT, "", "1..100000", NULL),
	CR_END
};
/* `keep` is ours for a list alone: a sink of records may keep files, and call it the same. */
static const struct cr_option leg_records[] = {
	CR_OPTION(struct leg_said, backlog, STRING, "", NULL, NULL),
	CR_END
};

/* none, all, so many records, or as old as that. */
static int
backlog_parse(const char *text, struct leg *leg)
{
	static const struct cr_option count = { "", CR_INT, 0, "", "1..", NULL };
	static const struct { const char *word; enum backlog is; } words[] = {
		{ "none", BACKLOG_NONE }, { "no", BACKLOG_NONE }, { "0", BACKLOG_NONE },
		{ "all", BACKLOG_ALL },
	};
	struct buf err;
	int bad;

	leg->backlog_n = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i].word) == 0) {
			leg->backlog = words[i].is;
			return 0;
		}
	if (option_duration(text, &leg->backlog_n) == 0 && leg->backlog_n > 0) {
		leg->backlog = BACKLOG_AGE;
		return 0;
	}
	buf_init(&err, 1024);
	bad = option_check(&count, text, &err);
	buf_free(&err);
	leg->backlog = BACKLOG_COUNT;
	leg->backlog_n = bad == 0 ? strtoll(text, NULL, 10) : 0;
	return bad;
}

/* What lists and files fill themselves with; what is pushed at others begins now. */
static enum backlog
backlog_usual(const struct plugin *p)
{
	return p != NULL && (p->wants & (CR_HTTP | CR_NETWORK | CR_EXEC)) != 0 ? BACKLOG_NONE :
	    BACKLOG_ALL;
}

/* The plugin's own option `keep` counts even where the configuration says nothing. */
static uint32_t
leg_keep(const struct instance *in, int64_t said)
{
	const struct cr_option *o = option_find(plugin_options(in), "keep");

	if (in->plugin == NULL || in->plugin->takes != CR_BATCH_LIST)
		return 0;
	if (said == 0 && o != NULL && o->type == CR_INT && o->value != NULL)
		said = strtoll(o->value, NULL, 10);
	return said > 0 && said <= UINT32_MAX ? (uint32_t)said : SETUP_KEEP;
}

static char *
leg_name(struct reader *r, const struct route *route, const char *plugin)
{
	size_t same = 1;
	char *name, *kept;

	for (size_t i = 0; i < route->nlegs; i++)
		same += strcmp(route->legs[i].instance->name, plugin) == 0;
	if (same == 1)
		return keep_text(r, plugin);
	name = xasprintf("%s#%zu", plugin, same);
	kept = keep_text(r, name);
	free(name);
	return kept;
}

/* A sink's `path` is below the outputs' folder. */
static void
path_check(struct reader *r, const struct instance *in)
{
	const struct cr_option *o = option_find(plugin_options(in), "path");
	const char *path = options_get(&in->options, "path"), *at = path;

	if (o == NULL || o->type != CR_STRING || path == NULL)
		return;
	if (*path == '/' || *path == '\0' || path[strlen(path) - 1] == '/')
		wrong(r, in->line, "path: \"%s\" is no name of a file in the folder of outputs",
		    path);
	for (; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0')) {
			wrong(r, in->line, "path: \"%s\" leads out of the folder of outputs", path);
			return;
		}
		if (*at == '\0')
			return;
	}
}

static void
leg_fill(struct reader *r, struct leg *leg, const struct options *said, const char *backlog)
{
	struct leg_said own = { 0 };
	struct buf err;

	buf_init(&err, 1024);
	if (option_fill(leg_own, &own, sizeof(own), said, &err) == -1)
		wrong(r, leg->instance->line, "%s", err.data);
	buf_free(&err);
	leg->keep = leg_keep(leg->instance, own.keep);
	leg->backlog = backlog_usual(leg->instance->plugin);
	if (own.backlog != NULL)
		backlog = own.backlog;
	if (backlog != NULL && backlog_parse(backlog, leg) == -1)
		wrong(r, leg->instance->line,
		    "backlog: \"%s\" is not none, all, a number of records or "
		    "an age such as 30 d",
		    backlog);
	option_unfill(leg_own, &own);
}

static void
leg_make(struct reader *r, struct route *route, const struct node *n, const char *backlog)
{
	size_t where = strlen(r->where), mistakes = r->mistakes->n;
	struct options said = { 0 };
	struct instance in;
	struct leg *leg;

	if (!is_map(r, n, n->key))
		return;
	if (route->nlegs == SETUP_LEGS) {
		wrong(r, n->line, "more than %d sinks", SETUP_LEGS);
		return;
	}
	snprintf(r->where + where, sizeof(r->where) - where, "%.40s: ", n->key);
	instance_begin(r, &in, "sink", n->key, n->line);
	instance_read(r, &in, "sink", n, in.plugin != NULL && in.plugin->takes != CR_BATCH_LIST ?
	    leg_records : leg_own, &said);
	path_check(r, &in);
	route->legs = xreallocarray(route->legs, route->nlegs + 1, sizeof(*route->legs));
	leg = &route->legs[route->nlegs];
	*leg = (struct leg){ .name = leg_name(r, route, n->key) };
	leg->instance = instance_keep(r, &in, 0);
	route->nlegs++;
	leg_fill(r, leg, &said, backlog);
	check_later(r, leg->instance, NULL, n->line, mistakes);
	options_free(&said);
	r->where[where] = '\0';
}

void
leg_read(struct reader *r, struct route *route, const struct node *n, const char *backlog)
{
	size_t had = route->nlegs;
	struct attempt a;

	attempt_begin(r, &a);
	leg_make(r, route, n, backlog);
	if (!attempt_failed(r, &a))
		return;
	route->nlegs = had;
	leg_make(r, route, n, backlog);
	r->held = NULL;
}

/* ---- Two sinks, one file ---- */

struct output { char *path; const struct route *route; int line; };

static int
by_path(const void *a, const void *b)
{
	const struct output *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* "./a//b" is "a/b". */
static char *
path_plain(const char *path)
{
	char *plain = xmalloc(strlen(path) + 1), *to = plain;

	for (; *path != '\0'; path++) {
		if ((to == plain || to[-1] == '/') && path[0] == '.' && path[1] == '/')
			path++;
		else if (*path != '/' || (to > plain && to[-1] != '/'))
			*to++ = *path;
	}
	*to = '\0';
	return plain;
}

void
outputs_check(struct reader *r)
{
	const struct setup *s = r->setup;
	const struct instance *in;
	struct output *all = NULL;
	const char *path;
	size_t i, j, n = 0;

	for (i = 0; i < s->nroutes; i++)
		for (j = 0; j < s->routes[i].nlegs; j++) {
			in = s->routes[i].legs[j].instance;
			path = options_get(&in->options, "path");
			if (path == NULL || option_find(plugin_options(in), "path") == NULL)
				continue;
			all = xreallocarray(all, n + 1, sizeof(*all));
			all[n++] = (struct output){ path_plain(path), &s->routes[i], in->line };
		}
	if (n > 1)
		qsort(all, n, sizeof(*all), by_path);
	for (i = 1; i < n; i++)
		if (strcmp(all[i - 1].path, all[i].path) == 0)
			wrong(r, all[i].line,
			    "route %s: path: route %s writes %s already, in line %d",
			    all[i].route->name, all[i - 1].route->name, all[i].path,
			    all[i - 1].line);
	for (i = 0; i < n; i++)
		free(all[i].path);
	free(all);
}

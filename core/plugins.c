/* The plugins of the running daemon as JSON: what they are, how they stand, and what uses them. */
#include "core.h"
#include "log.h"
#include "mem.h"
#include "told.h"

#include <stdlib.h>
#include <string.h>

#define USERS_MAX	100		/* names of sources or routes that are listed */

static const char *const states[] = {
	[CATALOG_PLAIN] = "running", [CATALOG_TRIAL] = "on trial", [CATALOG_BACK] = "gone back",
	[CATALOG_REFUSED] = "refused", [CATALOG_REMOVED] = "removed", [CATALOG_BEHIND] = "behind",
};

/* Whether the instance is of the plugin, or waits for it. */
static int
is_of(const struct instance *in, const char *kind, const struct plugin *p)
{
	size_t len = strlen(kind);

	if (in->plugin != NULL)
		return in->plugin == p;
	if (p->error == NULL)
		return 0;
	if (p->kind[0] != '\0')
		return strcmp(p->kind, kind) == 0 && strcmp(p->name, in->name) == 0;
	return strncmp(p->name, kind, len) == 0 && p->name[len] == '_' &&
	    strcmp(p->name + len + 1, in->name) == 0;
}

static int
route_uses(const struct route *r, const struct plugin *p)
{
	for (size_t i = 0; i < r->nfilters; i++)
		if (is_of(r->filters[i].instance, "filter", p))
			return 1;
	for (size_t i = 0; i < r->nlegs; i++)
		if (is_of(r->legs[i].instance, "sink", p))
			return 1;
	return 0;
}

/* How many sources or routes use it, and the names of the first. */
static void
set_users(json_t *o, const char *member, const struct setup *s, const struct plugin *p)
{
	json_t *names = json_array();
	int64_t n = 0;

	for (size_t i = 0; i < s->nsources; i++)
		if (is_of(s->sources[i].instance, "source", p) && n++ < USERS_MAX)
			json_array_append_new(names, text_of(s->sources[i].name));
	for (size_t i = 0; i < s->nroutes; i++)
		if (route_uses(&s->routes[i], p) && n++ < USERS_MAX)
			json_array_append_new(names, text_of(s->routes[i].name));
	set_number(o, member, n);
	json_object_set_new(o, "used_by", names);
}

static json_t *
plugin_json(const struct core *c, size_t i)
{
	const struct plugin *p = catalog_at(c->catalog, i);
	json_t *o = told_plugin(p, c->setup);
	const char *why, *bad;

	set_text(o, "state", states[catalog_state(c->catalog, i, &why, &bad)]);
	set_text(o, "reason", why);
	set_text(o, "not_used", bad);
	set_users(o, "uses", c->setup, p);
	return o;
}

void
plugins_json(const struct core *c, struct buf *out)
{
	char *text;
	json_t *o;

	buf_char(out, '[');
	for (size_t i = 0; i < catalog_count(c->catalog); i++) {
		o = plugin_json(c, i);
		text = json_dumps(o, JSON_COMPACT);
		if (text == NULL)
			fatal("a plugin cannot be written as JSON");
		if (i > 0)
			buf_char(out, ',');
		buf_str(out, text);
		free(text);
		json_decref(o);
	}
	buf_str(out, "]\n");
}

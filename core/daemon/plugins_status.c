/* The plugins of the running daemon as JSON: descriptors, states, and the sources and routes that
 * use them. */
#include "plugins_status.h"
#include "base/json.h"
#include "base/log.h"
#include "catalog/plugin.h"
#include "catalog/plugin_json.h"
#include "daemon/supervise/core.h"

#include <stdlib.h>
#include <string.h>

#define USERS_MAX	100		/* names of sources or routes in the list */

static const char *const states[] = {
	[CATALOG_PLAIN] = "running", [CATALOG_TRIAL] = "on trial", [CATALOG_BACK] = "gone back",
	[CATALOG_REFUSED] = "refused", [CATALOG_REMOVED] = "removed", [CATALOG_BEHIND] = "behind",
};

/* Whether the instance uses the plugin, or waits for it. */
static int
is_of(const struct instance *in, const char *kind, const struct plugin *p)
{
	if (in->plugin != NULL)
		return in->plugin == p;
	return p->error != NULL && strcmp(p->kind, kind) == 0 && strcmp(p->name, in->name) == 0;
}

static int
route_uses(const struct route *r, const struct plugin *p)
{
	for (size_t i = 0; i < r->nfilters; i++)
		if (is_of(r->filters[i].instance, "filter", p))
			return 1;
	for (size_t i = 0; i < r->nsinks; i++)
		if (is_of(r->sinks[i].instance, "sink", p))
			return 1;
	return 0;
}

/* Sets the number of sources and routes that use the plugin, and the names of the first. */
static void
set_users(json_t *o, const char *member, const struct setup *s, const struct plugin *p)
{
	json_t *names = json_array();
	int64_t n = 0;

	for (size_t i = 0; i < s->nsources; i++)
		if (is_of(s->sources[i].instance, "source", p) && n++ < USERS_MAX)
			json_array_append_new(names, json_text(s->sources[i].name));
	for (size_t i = 0; i < s->nroutes; i++)
		if (route_uses(&s->routes[i], p) && n++ < USERS_MAX)
			json_array_append_new(names, json_text(s->routes[i].name));
	json_set_number(o, member, n);
	json_object_set_new(o, "used_by", names);
}

static json_t *
catalog_plugin_json(const struct core *c, size_t i)
{
	const struct plugin *p = catalog_at(c->catalog, i);
	const char *why, *bad;
	const enum catalog_state state = catalog_state(c->catalog, i, &why, &bad);
	const uint32_t granted = state != CATALOG_BEHIND ? setup_grants(c->setup, p) : 0;
	json_t *o = plugin_json(p, &granted);

	json_set_text(o, "state", states[state]);
	json_set_text(o, "reason", why);
	json_set_text(o, "not_used", bad);
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
		o = catalog_plugin_json(c, i);
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

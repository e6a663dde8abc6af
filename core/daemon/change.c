/* Plugin files that change while the daemon runs: watched, inspected, and taken into use by a new
 * setup. */
#include "change.h"
#include "reload.h"
#include "base/mem.h"
#include "catalog/copies.h"
#include "catalog/plugin.h"
#include "catalog/watch.h"
#include "daemon/supervise/core.h"
#include "ipc/child.h"

#include <stdlib.h>
#include <string.h>

struct change {
	struct core	*core;
	struct watch	*watch;
};

/* ---- A new setup ---- */

static int
setup_uses(const struct setup *s, const struct plugin *p)
{
	for (size_t i = 0; s != NULL && i < s->ninstances; i++)
		if (s->instances[i]->plugin == p)
			return 1;
	return 0;
}

/* For catalog_sweep(): whether the running setup, or one that is being made, uses the plugin. */
static int
in_use(const struct plugin *p, void *arg)
{
	const struct core *c = arg;

	return setup_uses(c->setup, p) || setup_uses(c->next, p) || setup_uses(reload_setup(c), p);
}

/* Whether the setup names the plugin, or may be changed by its defaults. */
static int
concerned(const struct setup *s, const struct plugin *p)
{
	if (p == NULL || s == NULL)
		return 0;
	if (p->ndefaults > 0)
		return 1;
	for (size_t i = 0; i < s->ninstances; i++)
		if (strcmp(s->instances[i]->name, p->name) == 0)
			return 1;
	return 0;
}

static void
on_changed(const struct plugin *before, const struct plugin *now, void *arg)
{
	struct core *c = ((const struct change *)arg)->core;

	if (concerned(c->setup, before) || concerned(c->setup, now) ||
	    concerned(reload_setup(c), before) || concerned(reload_setup(c), now))
		reload_again(c);
}

/* ---- Files ---- */

static void
on_file(const char *path, void *arg)
{
	struct change *ch = arg;

	catalog_touch(ch->core->catalog, path);
}

static void
on_all(void *arg)
{
	struct change *ch = arg;

	catalog_inspect(ch->core->catalog, 0, NULL, NULL);
}

/* Watches the daemon's own plugin folder, and those of the setup. */
static void
folders(const struct setup *s, struct catalog *catalog, struct watch *w)
{
	const char **all = xcalloc(s->nplugin_dirs + 1, sizeof(const char *));

	all[0] = child_plugin_dir();
	for (size_t i = 0; i < s->nplugin_dirs; i++)
		all[i + 1] = s->plugin_dirs[i];
	catalog_folders(catalog, all, s->nplugin_dirs + 1);
	watch_folders(w, all, s->nplugin_dirs + 1);
	free(all);
}

void
change_setup(struct core *c)
{
	folders(c->setup, c->catalog, c->change->watch);
	catalog_sweep(c->catalog, in_use, c);
}

void
change_init(struct core *c)
{
	static const struct watch_use use = { on_file, on_all };
	struct change *ch = xcalloc(1, sizeof(*ch));

	c->change = ch;
	ch->core = c;
	ch->watch = watch_new(c->base, &use, ch);
	catalog_bind(c->catalog, c->base, on_changed, ch);
}

void
change_end(struct core *c)
{
	watch_free(c->change->watch);
	free(c->change);
	c->change = NULL;
}

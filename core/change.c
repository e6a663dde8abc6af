/* Plugins that change while the daemon runs: watched for, looked at, and taken by a setup made anew of
 * what was read before; and how the jobs of a new version end. */
#include "child.h"
#include "core.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "watch.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define GATHER_MS	30		/* for more plugins to change, before a setup is made */
#define GATHER_TIMES	10		/* so many times as long as the last setup took */

struct change {
	struct core	*core;
	struct watch	*watch;
	struct event	*timer;
	int64_t		 took;		/* ms, to make the last setup */
};

/* ---- A setup made anew ---- */

static int
setup_uses(const struct setup *s, const struct plugin *p)
{
	for (size_t i = 0; s != NULL && i < s->ninstances; i++)
		if (s->instances[i]->plugin == p)
			return 1;
	return 0;
}

/* For catalog_sweep(): what the running setup, or one that is about to be taken, was made of. */
static int
in_use(const struct plugin *p, void *arg)
{
	const struct core *c = arg;

	return setup_uses(c->setup, p) || setup_uses(c->next, p) || setup_uses(reload_setup(c), p);
}

static void
on_gathered(evutil_socket_t fd, short what, void *arg)
{
	struct change *ch = arg;
	int64_t begun = date_ticks();

	(void)fd;
	(void)what;
	reload_plugins(ch->core);
	ch->took = date_ticks() - begun;
}

void
change_again(struct core *c)
{
	int64_t ms = GATHER_MS + GATHER_TIMES * c->change->took;
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (!evtimer_pending(c->change->timer, NULL))
		evtimer_add(c->change->timer, &tv);
}

/* Whether the setup has to do with a plugin of this name. */
static int
concerned(const struct setup *s, const struct plugin *p)
{
	const char *name = p != NULL ? p->name : "";
	const char *bare = strchr(name, '_');		/* a refused one is called KIND_NAME */

	if (p == NULL || s == NULL)
		return 0;
	if (p->ndefaults > 0)
		return 1;
	for (size_t i = 0; i < s->ninstances; i++)
		if (strcmp(s->instances[i]->name, name) == 0 ||
		    (bare != NULL && strcmp(s->instances[i]->name, bare + 1) == 0))
			return 1;
	return 0;
}

static void
on_changed(const struct plugin *before, const struct plugin *now, void *arg)
{
	struct core *c = ((const struct change *)arg)->core;

	if (concerned(c->setup, before) || concerned(c->setup, now) ||
	    concerned(reload_setup(c), before) || concerned(reload_setup(c), now))
		change_again(c);
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

	catalog_look(ch->core->catalog, 0, NULL, NULL);
}

/* The daemon's own folder, then those of the setup. */
static void
folders(const struct setup *s, struct catalog *catalog, struct watch *w)
{
	const char **all = xcalloc(s->nplugin_dirs + 1, sizeof(const char *));

	all[0] = spawn_plugin_dir();
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
change_look(struct core *c, int anew)
{
	catalog_look(c->catalog, anew, NULL, NULL);
}

void
change_init(struct core *c)
{
	static const struct watch_use use = { on_file, on_all };
	struct change *ch = xcalloc(1, sizeof(*ch));

	c->change = ch;
	ch->core = c;
	ch->timer = evtimer_new(c->base, on_gathered, ch);
	if (ch->timer == NULL)
		fatal("no timer for plugins that change");
	ch->watch = watch_new(c->base, &use, ch);
	catalog_bind(c->catalog, c->base, on_changed, ch);
}

void
change_stop(struct core *c)
{
	watch_free(c->change->watch);
	event_free(c->change->timer);
	free(c->change);
	c->change = NULL;
	catalog_free(c->catalog);
	c->catalog = NULL;
}

/* ---- Jobs ---- */

int
plugin_job(struct core *c, const struct plugin *p, int well, const char *why)
{
	return catalog_job(c->catalog, p, well ? JOB_WELL : JOB_FAILED, why);
}

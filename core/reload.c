/* Setups made while the daemon runs: the configuration read again, or what was read of it for plugins
 * that changed; asked of its plugins without blocking, and taken when nothing is wrong with it. */
#include "check.h"
#include "core.h"
#include "log.h"
#include "mem.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define SAID_MAX	(1u << 20)

struct reload {
	struct core	*core;
	struct setup	*setup;		/* its plugins are being asked; or NULL */
	struct mistakes	 mistakes;	/* of setup */
	int		 file;		/* it was read from the file */
	int		 owed;		/* plugins changed, and a reload came in between */
};

/* ---- Its end ---- */

static void
drop(struct reload *r)
{
	setup_free(r->setup);
	r->setup = NULL;
	mistakes_free(&r->mistakes);
}

static void
take(struct reload *r)
{
	struct core *c = r->core;

	setup_free(c->next);
	c->next = r->setup;
	r->setup = NULL;
	mistakes_free(&r->mistakes);
	r->owed = 0;
	event_active(c->idle, EV_TIMEOUT, 0);
}

/* What a reload cannot change, since it needs what the daemon gave up when it started. */
static void
tell_fixed(const struct core *c, const struct setup *s, struct buf *said)
{
	const char *now = c->setup->listen != NULL ? c->setup->listen : "";

	if (strcmp(s->state, c->state) != 0)
		buf_str(said, "`state:` counts when the daemon is started again\n");
	if (strcmp(s->listen != NULL ? s->listen : "", now) != 0 ||
	    strcmp(s->base, c->setup->base) != 0 || strcmp(s->proxies, c->setup->proxies) != 0)
		buf_str(said, "`serve:` counts when the daemon is started again\n");
}

/* The file was read. */
static void
file_read(struct reload *r)
{
	struct core *c = r->core;
	struct buf said;

	buf_init(&said, SAID_MAX);
	if (r->setup == NULL || r->mistakes.n > 0) {
		buf_str(&said, r->mistakes.text.data);
		buf_str(&said, "the running configuration stays\n");
		log_warn("reload: %zu mistakes; the running configuration stays: %s",
		    r->mistakes.n, r->mistakes.text.data);
		drop(r);
		admin_reloaded(c, 1, &said);
		if (r->owed)
			change_again(c);
	} else {
		buf_fmt(&said, "%s: %zu sources, %zu routes\n", r->setup->file,
		    r->setup->nsources, r->setup->nroutes);
		tell_fixed(c, r->setup, &said);
		take(r);
		admin_reloaded(c, 0, &said);
	}
	buf_free(&said);
}

/* What waits is in the log: a plugin that is not what the configuration wants, or gone. */
static void
log_waiting(const struct setup *s)
{
	struct buf b;
	char *line, *rest;

	buf_init(&b, SAID_MAX);
	if (setup_waiting(s, &b) > 0)
		for (rest = b.data; (line = strsep(&rest, "\n")) != NULL;)
			if (*line != '\0')
				log_warn("%s", line);
	buf_free(&b);
}

/* Plugins changed. */
static void
text_read(struct reload *r)
{
	if (r->setup != NULL && r->mistakes.n == 0) {
		log_waiting(r->setup);
		take(r);
		return;
	}
	log_warn("plugins changed, but the configuration cannot be used with them; the running one "
	    "stays: %s", r->mistakes.text.data);
	drop(r);
}

static void
on_checked(void *arg)
{
	struct reload *r = arg;

	if (r->setup != NULL)
		setup_checked(r->setup, &r->mistakes);
	if (r->file)
		file_read(r);
	else
		text_read(r);
}

/* ---- Its beginning ---- */

/* A setup of which the top was read; NULL: that has mistakes already. */
static void
begin(struct reload *r, struct setup *s, struct node *tree)
{
	struct core *c = r->core;

	r->setup = s;
	if (s != NULL)
		(void)setup_read(s, tree, c->catalog, &r->mistakes);
	if (s == NULL || !checks_start(c->checks, c->base, s, on_checked, r))
		on_checked(r);
}

/* Another one takes its place. */
static void
supersede(struct reload *r)
{
	if (r->setup != NULL) {
		checks_stop(r->core->checks);
		r->owed |= !r->file;
		drop(r);
	}
	mistakes_init(&r->mistakes);
}

/* look: into all folders, also at what failed; what is found there is taken as it comes. */
static void
read_file(struct reload *r, int look)
{
	struct node *tree = NULL;
	struct setup *s;

	supersede(r);
	r->file = 1;
	s = setup_open(r->core->setup->file, &r->mistakes, &tree);
	for (size_t i = 0; s != NULL && i < s->nplugin_dirs; i++)
		catalog_folder(r->core->catalog, s->plugin_dirs[i]);
	if (look)
		change_look(r->core, 1);
	begin(r, s, tree);
}

void
core_reload(struct core *c)
{
	checks_forget(c->checks);
	read_file(c->reload, 1);
}

void
reload_plugins(struct core *c)
{
	struct reload *r = c->reload;
	struct node *tree = NULL;
	struct setup *s;

	if (r->setup != NULL && r->file) {	/* it is read again, with them */
		read_file(r, 0);
		return;
	}
	supersede(r);
	r->file = 0;
	s = setup_again(c->next != NULL ? c->next : c->setup, &r->mistakes, &tree);
	begin(r, s, tree);
}

/* ---- Its life ---- */

const struct setup *
reload_setup(const struct core *c)
{
	return c->reload != NULL ? c->reload->setup : NULL;
}

void
reload_init(struct core *c)
{
	c->reload = xcalloc(1, sizeof(*c->reload));
	c->reload->core = c;
}

void
reload_stop(struct core *c)
{
	checks_free(c->checks);
	c->checks = NULL;
	if (c->reload->setup != NULL)
		drop(c->reload);
	free(c->reload);
	c->reload = NULL;
}

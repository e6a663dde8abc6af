/* Setups made while the daemon runs: from the configuration read again, or, when plugins changed,
 * from the configuration as it was read before. Plugins check the options without blocking the
 * loop; a setup without mistakes is taken. */
#include "reload.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "conf/check.h"
#include "conf/difference.h"
#include "conf/setup_checked.h"
#include "conf/setup_read.h"
#include "daemon/supervise/core.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define SAID_MAX	(1u << 20)
#define FIXED		5
#define GATHER_MS	30		/* ms to wait for further changes of plugins... */
#define GATHER_TIMES	10		/* ...and so many times what the last setup took */

struct reload {
	struct core	*core;
	struct setup	*setup;		/* whose options plugins check; or NULL */
	struct mistakes	 mistakes;	/* of setup */
	int		 file;		/* setup was read from the file */
	int		 owed;		/* a reload stopped a setup for changed plugins */
	char		*fixed[FIXED];	/* values that hold until the next start */
	struct event	*gather;	/* plugins changed: makes a setup */
	int64_t		 took;		/* ms that the last one for plugins took */
	reload_cb	*done;
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

void
reload_again(struct core *c)
{
	int64_t ms = GATHER_MS + GATHER_TIMES * c->reload->took;
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (!evtimer_pending(c->reload->gather, NULL))
		evtimer_add(c->reload->gather, &tv);
}

/* The keys of values that only root or a start can change. */
static const char *const fixed_keys[FIXED] = { "user", "state", "serve", "serve", "serve" };

static void
fixed_values(const struct setup *s, const char *value[FIXED])
{
	value[0] = s->user != NULL ? s->user : "";
	value[1] = s->state;
	value[2] = s->listen != NULL ? s->listen : "";
	value[3] = s->base;
	value[4] = s->proxies;
}

/* Names the changed keys that a reload cannot apply, to the caller and in the log. */
static void
tell_fixed(const struct reload *r, const struct setup *s, struct buf *said)
{
	const char *value[FIXED], *last = "";

	fixed_values(s, value);
	for (size_t i = 0; i < FIXED; i++) {
		if (strcmp(value[i], r->fixed[i]) == 0 || strcmp(fixed_keys[i], last) == 0)
			continue;
		last = fixed_keys[i];
		shown_fmt(said, "`%s:` counts when the daemon is started again\n", last);
		log_warn("reload: `%s:` counts when the daemon is started again", last);
	}
}

/* Names the configured features that a later version will have. */
static void
tell_coming(const struct setup *s, struct buf *said)
{
	struct buf b;

	buf_init(&b, SAID_MAX);
	if (setup_warnings(s, &b) > 0) {
		buf_str(said, b.data);
		log_lines(log_warn, b.data);
	}
	buf_free(&b);
}

/* Ends a reload of the file. */
static void
file_read(struct reload *r)
{
	struct core *c = r->core;
	struct buf said;

	buf_init(&said, SAID_MAX);
	if (r->setup == NULL || r->mistakes.n > 0) {
		buf_str(&said, r->mistakes.text.data);
		buf_str(&said, "the running configuration stays\n");
		log_lines(log_error, r->mistakes.text.data);
		log_error("reload: %zu mistakes; the running configuration stays", r->mistakes.n);
		drop(r);
		r->done(c, 1, &said);
		if (r->owed)
			reload_again(c);
	} else {
		shown_fmt(&said, "%s: %zu sources, %zu routes\n", r->setup->file,
		    r->setup->nsources, r->setup->nroutes);
		setup_difference(c->setup, r->setup, &said);
		buf_char(&said, '\n');
		tell_fixed(r, r->setup, &said);
		tell_coming(r->setup, &said);
		take(r);
		r->done(c, 0, &said);
	}
	buf_free(&said);
}

/* Logs what waits for a plugin: missing, or not as the configuration needs it. */
static void
log_waiting(const struct setup *s)
{
	struct buf b;

	buf_init(&b, SAID_MAX);
	if (setup_waiting(s, &b) > 0)
		log_lines(log_warn, b.data);
	buf_free(&b);
}

/* Ends a setup that was made because plugins changed. */
static void
plugins_read(struct reload *r)
{
	if (r->setup != NULL && r->mistakes.n == 0) {
		log_waiting(r->setup);
		take(r);
		return;
	}
	log_lines(log_error, r->mistakes.text.data);
	log_error("plugins changed, but the configuration cannot be used with them; the running one "
	    "stays");
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
		plugins_read(r);
}

/* ---- Its beginning ---- */

/* Reads the rest of a setup of which the top was read; NULL: the top has mistakes. */
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

/* Drops the setup whose options are being checked: another one takes its place. */
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

/* Reads the file. look: inspects the files in all plugin folders, also versions that failed;
 * changes found there make another setup later. */
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
		catalog_inspect(r->core->catalog, 1, NULL, NULL);
	begin(r, s, tree);
}

void
core_reload(struct core *c)
{
	checks_forget(c->checks);
	read_file(c->reload, 1);
}

/* Makes a setup of the configuration as read before, with the current plugins. */
static void
read_again(struct core *c)
{
	struct reload *r = c->reload;
	struct node *tree = NULL;
	struct setup *s;

	if (r->setup != NULL && r->file) {	/* a reload is under way: restarts it */
		read_file(r, 0);
		return;
	}
	supersede(r);
	r->file = 0;
	s = setup_again(c->next != NULL ? c->next : c->setup, &r->mistakes, &tree);
	begin(r, s, tree);
}

static void
on_gathered(evutil_socket_t fd, short what, void *arg)
{
	struct reload *r = arg;
	int64_t begun = date_ticks();

	(void)fd;
	(void)what;
	read_again(r->core);
	r->took = date_ticks() - begun;
}

/* ---- Set-up and end ---- */

const struct setup *
reload_setup(const struct core *c)
{
	return c->reload != NULL ? c->reload->setup : NULL;
}

void
reload_init(struct core *c, const struct setup *first, reload_cb *done)
{
	const char *value[FIXED];

	c->reload = xcalloc(1, sizeof(*c->reload));
	c->reload->core = c;
	fixed_values(first, value);
	for (size_t i = 0; i < FIXED; i++)
		c->reload->fixed[i] = xstrdup(value[i]);
	c->reload->done = done;
	c->reload->gather = evtimer_new(c->base, on_gathered, c->reload);
	if (c->reload->gather == NULL)
		fatal("no timer for plugins that change");
}

void
reload_end(struct core *c)
{
	checks_free(c->checks);
	c->checks = NULL;
	if (c->reload->setup != NULL)
		drop(c->reload);
	for (size_t i = 0; i < FIXED; i++)
		free(c->reload->fixed[i]);
	event_free(c->reload->gather);
	free(c->reload);
	c->reload = NULL;
}

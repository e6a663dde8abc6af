/* The installed plugins: their folders and files, which files are inspected and when. */
#include "catalog.h"
#include "entry.h"
#include "plugin.h"
#include "trust.h"
#include "versions.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/event.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_MS	150		/* ms until the next inspection of a changing file */

/* ---- Inspections ---- */

static void
looked(enum inspect_end how, struct plugin *p, const struct stamp *stamp, void *arg)
{
	struct entry *e = arg;
	struct catalog *c = e->catalog;

	e->inspect = NULL;
	c->busy--;
	e->stamp = *stamp;
	e->again = how == LOOK_SEEN && p->passing;
	e->stamped = how != LOOK_GONE && how != LOOK_MOVING && !e->again;
	switch (how) {
	case LOOK_MOVING:
		e->wanted = 1;
		e->not_before = date_ticks() + SETTLE_MS;
		break;
	case LOOK_GONE:
		entry_gone(e);
		break;
	case LOOK_SAME:
		entry_same(e);
		break;
	case LOOK_SEEN:
		entry_check(e, p);
		if (p->error != NULL)
			entry_refuse(e, p);
		else
			entry_take(e, p);
		if (e->again && c->changed != NULL) {	/* the daemon's loop */
			e->wanted = 1;
			e->not_before = date_ticks() + CATALOG_RETRY;
		}
		break;
	}
	catalog_kick(c, 0);
}

/* Starts the wanted inspections, up to CATALOG_LOOKS at once. Returns the ms until the next is due,
 * or -1. *settling: 1 when one of the waiting inspections is no retry for lack of resources. */
static int64_t
looks_start(struct catalog *c, int *settling)
{
	static const struct inspect_use use = { entry_knows, looked };
	int64_t now = date_ticks(), wait = -1;

	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->v[i];

		if (!e->wanted || e->inspect != NULL || e->recall != NULL)
			continue;
		if (e->not_before > now) {
			*settling |= !e->again;
			if (wait == -1 || e->not_before - now < wait)
				wait = e->not_before - now;
			continue;
		}
		if (c->busy >= CATALOG_LOOKS)
			break;		/* the end of an inspection calls this again */
		e->wanted = 0;
		e->inspect = inspect_start(c->base, e->file, e->opened, c->copies, &use, e);
		e->opened = -1;
		c->busy++;
	}
	return wait;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct catalog *c = arg;
	void (*done)(void *) = c->done;
	int settling = 0;
	int64_t wait = looks_start(c, &settling);

	(void)fd;
	(void)what;
	if (wait >= 0)
		catalog_kick(c, wait);
	if (settling || c->busy > 0)
		return;
	entry_names(c);
	if (done == NULL)
		return;
	c->done = NULL;
	done(c->done_arg);
}

/* Has the file inspected, unless it is unchanged. */
static void
entry_want(struct entry *e, int anew)
{
	const struct history_entry *k = entry_history(e);
	struct stamp now;

	if (anew && k != NULL && (k->bad[0] != '\0' || e->state == CATALOG_BACK)) {
		entry_history(e)->bad[0] = '\0';
		e->stamped = 0;
	}
	if (e->stamped && stamp_take(e->file, e->use != NULL ? e->use->own : NULL, &now) == 0 &&
	    stamp_same(&now, &e->stamp))
		return;
	if (!e->stamped || access(e->file, F_OK) == 0 || e->use == NULL || !e->use->removed) {
		e->wanted = 1;
		e->not_before = 0;
	}
}

/* lib*.so is a library, perhaps of a plugin in the same folder, and no plugin. */
static int
is_library(const char *file)
{
	const char *slash = strrchr(file, '/');

	return strncmp(slash != NULL ? slash + 1 : file, "lib", 3) == 0;
}

/* Has those plugins inspected that have own libraries of which one changed. */
static void
library_touch(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->use != NULL && c->v[i]->use->own != NULL)
			entry_want(c->v[i], 0);
	catalog_kick(c, 0);
}

void
catalog_touch(struct catalog *c, const char *file)
{
	struct entry *e = entry_find(c, file);

	c->round++;
	library_touch(c);
	if (e == NULL && is_library(file))
		return;
	if (e == NULL && access(file, F_OK) == 0)
		e = entry_add(c, file);
	if (e == NULL)
		return;
	entry_want(e, 0);
	catalog_kick(c, 0);
}

/* ---- Folders ---- */

void
catalog_folder(struct catalog *c, const char *folder)
{
	for (size_t i = 0; i < c->nfolders; i++)
		if (strcmp(c->folder[i], folder) == 0)
			return;
	if (c->nfolders == FOLDERS_MAX)
		log_warn("%s: not looked into: %d plugin folders at most", folder, FOLDERS_MAX);
	else
		c->folder[c->nfolders++] = xstrdup(folder);
}

static int
by_order(const void *a, const void *b)
{
	return entry_order(*(struct entry *const *)a, *(struct entry *const *)b);
}

void
catalog_folders(struct catalog *c, const char *const *folder, size_t n)
{
	size_t i;

	for (i = 0; i < c->nfolders; i++)
		free(c->folder[i]);
	c->nfolders = 0;
	for (i = 0; i < n; i++)
		catalog_folder(c, folder[i]);
	for (i = 0; i < c->n;) {
		c->v[i]->folder = folder_of(c, c->v[i]->file);
		if (c->v[i]->folder == FOLDERS_MAX)
			entry_leave(c->v[i]);
		else
			i++;
	}
	qsort(c->v, c->n, sizeof(c->v[0]), by_order);
	if (c->tick != NULL)
		catalog_kick(c, 0);
}

/* Has each *.so of a folder inspected, and each file that was in it before. -1 with errno. */
static int
folder_want(struct catalog *c, const char *folder, int anew)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	struct buf why;
	size_t len;
	char *path;
	int failed = dir == NULL ? errno : 0;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		len = strlen(de->d_name);
		if (de->d_name[0] == '.' || len < 4 || strcmp(de->d_name + len - 3, ".so") != 0 ||
		    is_library(de->d_name))
			continue;
		path = xasprintf("%s/%s", folder, de->d_name);
		if (entry_find(c, path) == NULL)
			(void)entry_add(c, path);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
	buf_init(&why, TRUST_WHY);
	if (trust_folder(folder, geteuid(), &why) == -1 && why.len > 0)
		log_warn("plugins: %s: what is in it is refused: it %s", folder, why.data);
	buf_free(&why);
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->folder < c->nfolders && strcmp(c->folder[c->v[i]->folder], folder) == 0)
			entry_want(c->v[i], anew);
	errno = failed;
	return failed != 0 ? -1 : 0;
}

void
catalog_inspect(struct catalog *c, int anew, void (*done)(void *), void *arg)
{
	c->done = done;
	c->done_arg = arg;
	c->round++;
	for (size_t i = 0; i < c->nfolders; i++)
		if (folder_want(c, c->folder[i], anew) == -1)
			log_warn("plugins: %s: %s", c->folder[i], strerror(errno));
	catalog_kick(c, 0);
}

void
catalog_bind(struct catalog *c, struct event_base *base, catalog_cb *changed, void *arg)
{
	if (c->tick != NULL)
		event_free(c->tick);
	c->tick = NULL;
	c->base = base;
	c->changed = changed;
	c->arg = arg;
	if (base == NULL)
		return;
	c->tick = evtimer_new(base, on_tick, c);
	if (c->tick == NULL)
		fatal("no timer for the plugins");
}

/* ---- On a loop of its own ---- */

static void
loop_run(struct catalog *c)
{
	struct event_base *base = c->base;

	(void)event_base_dispatch(base);	/* until no event is left */
	catalog_bind(c, NULL, NULL, NULL);
	event_base_free(base);
}

static void
loop_begin(struct catalog *c)
{
	struct event_base *base = event_base_new();

	if (base == NULL)
		fatal("no event loop");
	catalog_bind(c, base, NULL, NULL);
}

void
catalog_inspect_now(struct catalog *c)
{
	loop_begin(c);
	catalog_inspect(c, 0, NULL, NULL);
	loop_run(c);
}

int
catalog_scan(struct catalog *c, const char *folder, const char *copies, struct buf *err)
{
	size_t n = 0;
	int rc;

	if (copies != NULL)
		catalog_copies(c, copies);
	catalog_folder(c, folder);
	loop_begin(c);
	c->round++;
	rc = folder_want(c, folder, 0);
	if (rc == -1)
		buf_fmt(err, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < c->n; i++)
		n += (size_t)c->v[i]->wanted;
	catalog_kick(c, 0);
	loop_run(c);
	return rc == -1 ? -1 : (int)n;
}

void
catalog_open(struct catalog *c, const char *file, uid_t own)
{
	struct entry *e = entry_find(c, file) == NULL ? entry_add(c, file) : NULL;
	struct buf why;

	buf_init(&why, TRUST_WHY);
	if (e != NULL)
		e->opened = trust_open(file, own, &why);
	buf_free(&why);			/* the inspection finds the same */
}

const struct plugin *
catalog_file(struct catalog *c, const char *file, const char *copies)
{
	struct entry *e = entry_find(c, file);

	if (copies != NULL)
		catalog_copies(c, copies);
	if (e == NULL)
		e = entry_add(c, file);
	if (e == NULL)
		fatal("more than %d plugins", CATALOG_MAX);
	loop_begin(c);
	c->round++;
	if (e != NULL)		/* always: fatal() does not return */
		entry_want(e, 0);
	catalog_kick(c, 0);
	loop_run(c);
	e = entry_find(c, file);
	if (e == NULL) {		/* no such file: reported like any other refusal */
		e = entry_add(c, file);
		e->use = plugin_new(file);
		plugin_refuse(e->use, "cannot be opened: %s", strerror(ENOENT));
	}
	return e->use;
}

/* ---- The catalog ---- */

struct catalog *
catalog_new(catalog_fit *check)
{
	struct catalog *c = xcalloc(1, sizeof(*c));

	c->check = check;
	return c;
}

void
catalog_copies(struct catalog *c, const char *folder)
{
	xreplace(&c->copies, folder);
	history_free(c->history);
	c->history = history_load(folder);
}

void
catalog_free(struct catalog *c)
{
	if (c == NULL)
		return;
	while (c->n > 0)
		entry_drop(c->v[c->n - 1]);
	for (size_t i = 0; i < c->nold; i++)
		plugin_free(c->old[i]);
	for (size_t i = 0; i < c->nfolders; i++)
		free(c->folder[i]);
	if (c->tick != NULL)
		event_free(c->tick);
	history_free(c->history);
	free(c->copies);
	free(c->old);
	free(c);
}

/* ---- Queries ---- */

const struct plugin *
catalog_find(const struct catalog *c, const char *kind, const char *name)
{
	const struct entry *e = entry_named(c, kind, name);
	const struct plugin *p = e != NULL ? e->use : NULL;

	for (size_t i = 0; p == NULL && i < c->n; i++)
		if (c->v[i]->use != NULL && strcmp(c->v[i]->use->kind, kind) == 0 &&
		    strcmp(c->v[i]->use->name, name) == 0)
			p = c->v[i]->use;
	return p;
}

size_t
catalog_count(const struct catalog *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += c->v[i]->use != NULL;
	return n;
}

const struct plugin *
catalog_at(const struct catalog *c, size_t i)
{
	const struct entry *e = entry_at(c, i);

	return e != NULL ? e->use : NULL;
}

enum catalog_state
catalog_state(const struct catalog *c, size_t i, const char **why, const char **bad)
{
	const struct entry *e = entry_at(c, i);
	const struct history_entry *k = entry_history(e);
	const struct plugin *first;

	*why = e->state == CATALOG_BACK ? e->why : e->use->error;
	*bad = k != NULL && e->state == CATALOG_BACK ? k->bad : "";
	if (e->use->error != NULL)
		return e->use->removed ? CATALOG_REMOVED : CATALOG_REFUSED;
	first = catalog_find(c, e->use->kind, e->use->name);
	if (first == e->use)
		return e->state;
	*why = first->file;
	return CATALOG_BEHIND;
}

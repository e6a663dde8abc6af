/* The plugins there are: in which folders and files, what is looked at and when, who is told. */
#include "entry.h"
#include "date.h"
#include "log.h"
#include "mem.h"

#include <event2/event.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_MS	150		/* before a file that changes while it is read is read again */

/* ---- Entries ---- */

struct entry *
entry_find(const struct catalog *c, const char *file)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i]->file, file) == 0)
			return c->v[i];
	return NULL;
}

size_t
folder_of(const struct catalog *c, const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t len = slash != NULL ? (size_t)(slash - file) : 0, i;

	for (i = 0; i < c->nfolders; i++)
		if (strlen(c->folder[i]) == len && strncmp(c->folder[i], file, len) == 0)
			return i;
	return FOLDERS_MAX;
}

static int
entry_order(const struct entry *a, const struct entry *b)
{
	return a->folder != b->folder ? (a->folder > b->folder) - (a->folder < b->folder) :
	    strcmp(a->file, b->file);
}

/* NULL: there are too many. */
static struct entry *
entry_add(struct catalog *c, const char *file)
{
	struct entry *e;
	size_t i;

	if (c->n == CATALOG_MAX) {
		log_warn("%s: not loaded: %d plugins at most", file, CATALOG_MAX);
		return NULL;
	}
	e = xcalloc(1, sizeof(*e));
	e->catalog = c;
	e->file = xstrdup(file);
	e->folder = folder_of(c, file);
	for (i = c->n++; i > 0 && entry_order(e, c->v[i - 1]) < 0; i--)
		c->v[i] = c->v[i - 1];
	c->v[i] = e;
	return e;
}

void
entry_drop(struct entry *e)
{
	struct catalog *c = e->catalog;
	size_t i;

	for (i = 0; c->v[i] != e; i++)
		;
	memmove(&c->v[i], &c->v[i + 1], (--c->n - i) * sizeof(c->v[0]));
	c->busy -= (size_t)(e->look != NULL) + (size_t)(e->recall != NULL);
	look_stop(e->look);
	look_stop(e->recall);
	entry_retire(c, e->use);
	entry_retire(c, e->other);
	free(e->why);
	free(e->file);
	free(e);
}

/* ---- Looks ---- */

static void
looked(enum look_end how, struct plugin *p, const struct stamp *stamp, void *arg)
{
	struct entry *e = arg;
	struct catalog *c = e->catalog;

	e->look = NULL;
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
		if (p->error != NULL)
			entry_refuse(e, p);
		else
			entry_take(e, p);
		if (e->again && c->changed != NULL) {	/* a loop that lasts */
			e->wanted = 1;
			e->not_before = date_ticks() + CATALOG_RETRY;
		}
		break;
	}
	catalog_kick(c, 0);
}

/* Starts what is wanted, as far as there is room; the ms until more is to be done, or -1. *settling:
 * whether that is more than trying again. */
static int64_t
looks_start(struct catalog *c, int *settling)
{
	static const struct look_use use = { entry_knows, looked };
	int64_t now = date_ticks(), wait = -1;

	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->v[i];

		if (!e->wanted || e->look != NULL || e->recall != NULL)
			continue;
		if (e->not_before > now) {
			*settling |= !e->again;
			if (wait == -1 || e->not_before - now < wait)
				wait = e->not_before - now;
			continue;
		}
		if (c->busy >= CATALOG_LOOKS)
			break;		/* one that ends comes back here */
		e->wanted = 0;
		e->look = look_start(c->base, e->file, c->copies, &use, e);
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
	if (settling || c->busy > 0 || done == NULL)
		return;
	c->done = NULL;
	done(c->done_arg);
}

void
catalog_kick(struct catalog *c, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(c->tick, &tv);
}

/* The file is to be looked at, unless it is what it was. */
static void
entry_want(struct entry *e, int anew)
{
	const struct known *k = entry_known(e);
	struct stamp now;

	if (anew && k != NULL && (k->bad[0] != '\0' || e->state == CATALOG_BACK)) {
		entry_known(e)->bad[0] = '\0';
		e->stamped = 0;
	}
	if (e->stamped && stamp_take(e->file, &now) == 0 && stamp_same(&now, &e->stamp))
		return;
	if (!e->stamped || access(e->file, F_OK) == 0 || e->use == NULL || !e->use->removed) {
		e->wanted = 1;
		e->not_before = 0;
	}
}

void
catalog_touch(struct catalog *c, const char *file)
{
	struct entry *e = entry_find(c, file);

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
			entry_drop(c->v[i]);
		else
			i++;
	}
	qsort(c->v, c->n, sizeof(c->v[0]), by_order);
}

/* Each *.so of a folder, and each that was in it. -1 with errno. */
static int
folder_want(struct catalog *c, const char *folder, int anew)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	size_t len;
	char *path;
	int failed = dir == NULL ? errno : 0;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		len = strlen(de->d_name);
		if (de->d_name[0] == '.' || len < 4 || strcmp(de->d_name + len - 3, ".so") != 0)
			continue;
		path = xasprintf("%s/%s", folder, de->d_name);
		if (entry_find(c, path) == NULL)
			(void)entry_add(c, path);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->folder < c->nfolders && strcmp(c->folder[c->v[i]->folder], folder) == 0)
			entry_want(c->v[i], anew);
	errno = failed;
	return failed != 0 ? -1 : 0;
}

void
catalog_look(struct catalog *c, int anew, void (*done)(void *), void *arg)
{
	c->done = done;
	c->done_arg = arg;
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

	(void)event_base_dispatch(base);	/* until there is nothing left to wait for */
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
catalog_look_now(struct catalog *c)
{
	loop_begin(c);
	catalog_look(c, 0, NULL, NULL);
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
	rc = folder_want(c, folder, 0);
	if (rc == -1)
		buf_fmt(err, "%s: %s", folder, strerror(errno));
	for (size_t i = 0; i < c->n; i++)
		n += (size_t)c->v[i]->wanted;
	catalog_kick(c, 0);
	loop_run(c);
	return rc == -1 ? -1 : (int)n;
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
	if (e != NULL)		/* it is: fatal() does not return */
		entry_want(e, 0);
	catalog_kick(c, 0);
	loop_run(c);
	e = entry_find(c, file);
	if (e == NULL) {		/* there is none: said as for any other reason */
		e = entry_add(c, file);
		e->use = plugin_new(file);
		plugin_refuse(e->use, "cannot be opened: %s", strerror(ENOENT));
	}
	return e->use;
}

/* ---- Its life ---- */

struct catalog *
catalog_new(void)
{
	return xcalloc(1, sizeof(struct catalog));
}

void
catalog_copies(struct catalog *c, const char *folder)
{
	xreplace(&c->copies, folder);
	knowns_free(c->knowns);
	c->knowns = knowns_load(folder);
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
	knowns_free(c->knowns);
	free(c->copies);
	free(c->old);
	free(c);
}

/* ---- What others see ---- */

const struct plugin *
catalog_find(const struct catalog *c, const char *kind, const char *name)
{
	const struct plugin *p, *refused = NULL;
	size_t len = strlen(kind);

	for (size_t i = 0; i < c->n; i++) {
		p = c->v[i]->use;
		if (p == NULL)
			continue;
		if (strcmp(p->kind, kind) == 0 && strcmp(p->name, name) == 0) {
			if (p->error == NULL)
				return p;
			refused = p;
		} else if (p->error != NULL && strncmp(p->name, kind, len) == 0 &&
		    p->name[len] == '_' && strcmp(p->name + len + 1, name) == 0)
			refused = p;
	}
	return refused;
}

/* The nth that was looked at. */
static struct entry *
entry_at(const struct catalog *c, size_t nth)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->use != NULL && nth-- == 0)
			return c->v[i];
	return NULL;
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
	const struct known *k = entry_known(e);
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

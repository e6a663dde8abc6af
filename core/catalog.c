/* The plugins there are: each file with the version of it that is used, what is looked at and when,
 * and the way back from a version that fails. */
#include "catalog.h"
#include "date.h"
#include "known.h"
#include "log.h"
#include "look.h"
#include "mem.h"

#include <event2/event.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_MS	150		/* before a file that changes while it is read is read again */
#define FOLDERS_MAX	64
#define SHORT		12		/* digits of a hash that people are shown */

/* One file. `use` is what everybody sees; `other` what may come in its place. */
struct entry {
	struct catalog	*catalog;
	char		*file;
	size_t		 folder;	/* its place; FOLDERS_MAX: in none */
	struct stamp	 stamp;
	struct plugin	*use;		/* NULL: not looked at yet */
	struct plugin	*other;		/* TRIAL: the one before; BACK: the one that failed; or NULL */
	enum catalog_state state;	/* PLAIN, TRIAL or BACK */
	char		*why;		/* BACK, or on the way back */
	int		 stamped;	/* stamp is of the last look */
	int		 trusted;	/* it failed, but so did the one before: no more going back */
	int		 doubted;	/* BACK: not sure yet that the plugin was to blame */
	int		 wanted;	/* to be looked at */
	int64_t		 not_before;	/* ticks: when */
	struct look	*look, *recall;	/* at the file; at the copy of the good version */
};

struct catalog {
	struct entry	*v[CATALOG_MAX];	/* by folder and name */
	size_t		 n;
	char		*folder[FOLDERS_MAX];
	size_t		 nfolders;
	char		*copies;
	struct knowns	*knowns;	/* NULL without copies */
	struct plugin	**old;		/* no longer ours; in use perhaps */
	size_t		 nold;
	struct event_base *base;
	struct event	*tick;
	catalog_cb	*changed;
	void		*arg;
	void		(*done)(void *);	/* of catalog_look() */
	void		*done_arg;
	size_t		 busy;		/* looks under way */
};

static void	entry_recall(struct entry *);
static void	kick(struct catalog *, int64_t ms);

/* ---- Entries ---- */

static int
fine(const struct plugin *p)
{
	return p != NULL && p->error == NULL;
}

/* No longer ours, but perhaps somebody's: freed by a sweep. */
static void
retire(struct catalog *c, struct plugin *p)
{
	if (p == NULL)
		return;
	c->old = xreallocarray(c->old, c->nold + 1, sizeof(struct plugin *));
	c->old[c->nold++] = p;
}

static struct entry *
entry_find(const struct catalog *c, const char *file)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i]->file, file) == 0)
			return c->v[i];
	return NULL;
}

static size_t
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

static void
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
	retire(c, e->use);
	retire(c, e->other);
	free(e->why);
	free(e->file);
	free(e);
}

/* Another version is seen from now on; NULL: none. */
static void
entry_use(struct entry *e, struct plugin *now)
{
	struct catalog *c = e->catalog;
	struct plugin *before = e->use;

	e->use = now;
	if (c->changed != NULL && before != now)
		c->changed(before, now, c->arg);
}

/* What is known of its versions; NULL: nothing is kept. */
static struct known *
entry_known(const struct entry *e)
{
	return e->catalog->knowns != NULL ? knowns_add(e->catalog->knowns, e->file) : NULL;
}

static void
save(struct catalog *c)
{
	if (c->knowns != NULL && c->base != NULL)
		knowns_save(c->knowns, c->base);
}

static void
entry_state(struct entry *e, enum catalog_state state, const char *why, const char *bad)
{
	struct known *k = entry_known(e);
	char *kept = why != NULL ? xstrdup(why) : NULL;	/* it may be e->why itself */

	e->state = state;
	e->doubted = 0;
	free(e->why);
	e->why = kept;
	if (k == NULL || state == CATALOG_TRIAL)
		return;
	snprintf(k->bad, sizeof(k->bad), "%s", bad);
	xreplace(&k->why, why);
	save(e->catalog);
}

/* ---- Versions that replace each other ---- */

static void
good_set(struct entry *e, const struct plugin *p, int proven)
{
	struct known *k = entry_known(e);

	if (k == NULL || (strcmp(k->good, p->hash) == 0 && k->proven == proven))
		return;
	snprintf(k->good, sizeof(k->good), "%s", p->hash);
	k->proven = proven;
	save(e->catalog);
}

/* Whether a job has to show that version p works before its predecessor is let go. */
static int
on_trial(const struct entry *e, const struct plugin *p)
{
	const struct known *k = entry_known(e);

	return k != NULL && k->proven && k->good[0] != '\0' && strcmp(k->good, p->hash) != 0;
}

/* A version that can be used. */
static void
entry_take(struct entry *e, struct plugin *p)
{
	struct plugin *before = fine(e->use) ? e->use : NULL;
	const struct known *k = entry_known(e);

	retire(e->catalog, e->other);
	e->other = NULL;
	e->trusted = 0;
	p->watched = 1;
	if (before != NULL)
		log_info("plugin %s_%s: version %s (%.*s) is replaced by %s (%.*s)", p->kind, p->name,
		    before->version, SHORT, before->hash, p->version, SHORT, p->hash);
	else if (e->catalog->changed != NULL)
		log_info("plugin %s_%s %s is there: %s", p->kind, p->name, p->version, p->file);
	if (on_trial(e, p)) {
		entry_state(e, CATALOG_TRIAL, NULL, "");
		e->other = before;
	} else {
		entry_state(e, CATALOG_PLAIN, NULL, "");
		retire(e->catalog, before);
		good_set(e, p, k != NULL && k->proven && strcmp(k->good, p->hash) == 0);
	}
	if (before == NULL)
		retire(e->catalog, e->use);
	entry_use(e, p);
}

/* A version that is refused: what ran before goes on, else there is none. A file that others can
 * change is the operator's to look at: it stops. */
static void
entry_refuse(struct entry *e, struct plugin *p)
{
	const struct known *k = entry_known(e);

	log_warn("%s: %s", p->file, p->error);
	retire(e->catalog, e->other);
	e->other = NULL;
	if (fine(e->use) && !p->unsafe) {
		log_warn("plugin %s_%s: version %s (%.*s) goes on", e->use->kind, e->use->name,
		    e->use->version, SHORT, e->use->hash);
		entry_state(e, CATALOG_BACK, p->error, p->hash);
		retire(e->catalog, p);
		return;
	}
	retire(e->catalog, e->use);
	entry_use(e, p);
	e->state = CATALOG_PLAIN;
	if (!p->unsafe && k != NULL && k->good[0] != '\0' && strcmp(k->good, p->hash) != 0) {
		xreplace(&e->why, p->error);
		entry_recall(e);
	}
}

static void
entry_gone(struct entry *e)
{
	struct plugin *before = e->use;

	if (before == NULL || (before->error != NULL && !before->removed)) {
		entry_use(e, NULL);
		e->use = before;
		entry_drop(e);
		return;
	}
	if (before->removed)
		return;
	log_info("plugin %s_%s: its file %s was removed", before->kind, before->name, e->file);
	retire(e->catalog, e->other);
	e->other = NULL;
	entry_state(e, CATALOG_PLAIN, NULL, "");
	retire(e->catalog, before);
	entry_use(e, plugin_removed(before));
}

/* The version that is used gives way to the other one. */
static void
entry_swap(struct entry *e, struct plugin *now)
{
	struct plugin *before = e->use;

	e->other = before;
	now->watched = 1;
	entry_use(e, now);
}

static void
went_back(struct entry *e, struct plugin *p)
{
	char *why = xstrdup(e->why != NULL ? e->why : "it failed");
	struct plugin *failed = e->use;

	log_warn("plugin %s_%s: gone back to version %s (%.*s), since %.*s %s: %s", p->kind, p->name,
	    p->version, SHORT, p->hash, SHORT,
	    failed->hash[0] != '\0' ? failed->hash : "the file", failed->error != NULL ?
	    "is refused" : "failed", why);
	entry_swap(e, p);
	entry_state(e, CATALOG_BACK, why, failed->hash);
	e->doubted = fine(failed);
	if (!fine(failed)) {
		retire(e->catalog, e->other);
		e->other = NULL;
	}
	free(why);
}

/* The copy of the good version was described, for the first time since the start. */
static void
recalled(enum look_end how, struct plugin *p, const struct stamp *st, void *arg)
{
	struct entry *e = arg;
	struct known *k = entry_known(e);

	(void)how;
	(void)st;
	e->recall = NULL;
	e->catalog->busy--;
	kick(e->catalog, 0);
	if (p->error == NULL && e->use != NULL) {
		went_back(e, p);
		return;
	}
	if (p->error == NULL) {		/* the file is one that failed before the restart */
		char *why = xstrdup(k->why != NULL ? k->why : "it failed"), *bad = xstrdup(k->bad);

		log_warn("plugin %s_%s: version %s (%.*s) is used, since %.*s failed: %s", p->kind,
		    p->name, p->version, SHORT, p->hash, SHORT, bad, why);
		entry_use(e, p);
		entry_state(e, CATALOG_BACK, why, bad);
		free(why);
		free(bad);
		return;
	}
	log_warn("%s: its last good version cannot be used: %s", e->file, p->error);
	plugin_free(p);
	k->good[0] = k->bad[0] = '\0';
	k->proven = 0;
	e->trusted = 1;
	if (e->use == NULL)
		e->wanted = 1;
}

static void
entry_recall(struct entry *e)
{
	static const struct look_use use = { NULL, recalled };
	struct catalog *c = e->catalog;

	if (e->recall != NULL)
		return;
	e->recall = look_again(c->base, e->file, c->copies, entry_known(e)->good, &use, e);
	c->busy++;
}

/* ---- Jobs ---- */

static void
did_well(struct entry *e)
{
	if (e->state == CATALOG_TRIAL) {
		log_info("plugin %s_%s: version %s (%.*s) works", e->use->kind, e->use->name,
		    e->use->version, SHORT, e->use->hash);
		retire(e->catalog, e->other);
		e->other = NULL;
		entry_state(e, CATALOG_PLAIN, NULL, "");
	} else if (e->state == CATALOG_BACK) {
		retire(e->catalog, e->other);	/* it was to blame */
		e->other = NULL;
	}
	e->doubted = 0;
	e->use->watched = 0;
	good_set(e, e->use, 1);
}

/* The version before fails as well: it was not the new one's fault. */
static void
go_forward(struct entry *e)
{
	struct plugin *p = e->other;

	log_warn("plugin %s_%s: version %s (%.*s) fails as well: %s (%.*s) is used again", p->kind,
	    p->name, e->use->version, SHORT, e->use->hash, p->version, SHORT, p->hash);
	entry_swap(e, p);
	entry_state(e, CATALOG_TRIAL, NULL, "");
	entry_state(e, CATALOG_PLAIN, NULL, "");
	e->trusted = 1;
	retire(e->catalog, e->other);
	e->other = NULL;
}

int
catalog_job(struct catalog *c, const struct plugin *p, enum job_how how, const char *why)
{
	struct entry *e = NULL;

	if (p == NULL || !p->watched)
		return 0;
	for (size_t i = 0; i < c->n && e == NULL; i++)
		if (c->v[i]->use == p)
			e = c->v[i];
	if (e == NULL)
		return 0;
	if (how == JOB_WELL) {
		if (e->recall == NULL)
			did_well(e);
		return 0;
	}
	if (e->state == CATALOG_TRIAL && !e->trusted) {
		xreplace(&e->why, why);
		if (e->other != NULL)
			went_back(e, e->other);
		else
			entry_recall(e);
		return 1;
	}
	if (e->state == CATALOG_BACK && e->doubted && e->other != NULL) {
		go_forward(e);
		return 1;
	}
	return 0;
}

/* ---- Looks ---- */

/* Whether the file's version needs no other look: it is used, or it is known to fail. */
static int
known(const char *hash, void *arg)
{
	const struct entry *e = arg;
	const struct known *k = entry_known(e);

	if (fine(e->use) && strcmp(e->use->hash, hash) == 0)
		return 1;
	return k != NULL && k->bad[0] != '\0' && strcmp(k->bad, hash) == 0 && k->good[0] != '\0' &&
	    (e->use == NULL || (fine(e->use) && e->state == CATALOG_BACK));
}

/* The file holds what is known: the version that is used, or the one that failed. */
static void
entry_same(struct entry *e)
{
	struct known *k = entry_known(e);

	if (e->use == NULL)
		entry_recall(e);
	else if (e->state == CATALOG_BACK && (k == NULL || k->bad[0] == '\0')) {
		log_info("%s is again the version that is used", e->file);
		retire(e->catalog, e->other);
		e->other = NULL;
		entry_state(e, CATALOG_PLAIN, NULL, "");
	}
}

static void
looked(enum look_end how, struct plugin *p, const struct stamp *stamp, void *arg)
{
	struct entry *e = arg;
	struct catalog *c = e->catalog;

	e->look = NULL;
	c->busy--;
	e->stamp = *stamp;
	e->stamped = how != LOOK_GONE && how != LOOK_MOVING;
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
		break;
	}
	kick(c, 0);
}

/* Starts what is wanted, as far as there is room; the ms until more is to be done, or -1. */
static int64_t
looks_start(struct catalog *c)
{
	static const struct look_use use = { known, looked };
	int64_t now = date_ticks(), wait = -1;

	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->v[i];

		if (!e->wanted || e->look != NULL || e->recall != NULL)
			continue;
		if (e->not_before > now) {
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
	int64_t wait = looks_start(c);

	(void)fd;
	(void)what;
	if (wait >= 0)
		kick(c, wait);
	if (wait >= 0 || c->busy > 0 || done == NULL)
		return;
	c->done = NULL;
	done(c->done_arg);
}

static void
kick(struct catalog *c, int64_t ms)
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
	if (!e->stamped || access(e->file, F_OK) == 0 || e->use == NULL || !e->use->removed)
		e->wanted = 1;
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
	kick(c, 0);
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
	kick(c, 0);
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
	kick(c, 0);
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
	kick(c, 0);
	loop_run(c);
	e = entry_find(c, file);
	if (e == NULL) {		/* there is none: said as for any other reason */
		e = entry_add(c, file);
		e->use = plugin_new(file);
		plugin_refuse(e->use, "cannot be opened: %s", strerror(ENOENT));
	}
	return e->use;
}

/* ---- What is not needed ---- */

static int
copy_needed(const struct catalog *c, const char *hash)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct plugin *both[] = { c->v[i]->use, c->v[i]->other };

		for (size_t k = 0; k < 2; k++)
			if (both[k] != NULL && strcmp(both[k]->hash, hash) == 0)
				return 1;
	}
	for (size_t i = 0; i < c->nold; i++)
		if (strcmp(c->old[i]->hash, hash) == 0)
			return 1;
	return knowns_need(c->knowns, hash);
}

/* Removes copies that nobody runs or would go back to, and what is known of files that are gone. */
static void
copies_tidy(struct catalog *c)
{
	DIR *dir = c->busy == 0 && c->base != NULL ? opendir(c->copies) : NULL;
	const struct known *k;
	struct dirent *de;
	char hash[65], *path;

	if (dir == NULL)
		return;
	for (size_t i = 0; (k = knowns_at(c->knowns, i)) != NULL;)
		if (entry_find(c, k->file) == NULL && folder_of(c, k->file) != FOLDERS_MAX)
			knowns_drop(c->knowns, k->file);
		else
			i++;
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) < 67 || strncmp(de->d_name + 64, ".so", 3) != 0)
			continue;
		memcpy(hash, de->d_name, 64);
		hash[64] = '\0';
		if (de->d_name[67] == '\0' && copy_needed(c, hash))
			continue;
		path = xasprintf("%s/%s", c->copies, de->d_name);
		if (unlink(path) == 0)
			log_debug("%s is no longer needed", path);
		free(path);
	}
	closedir(dir);
}

void
catalog_sweep(struct catalog *c, int (*used)(const struct plugin *, void *), void *arg)
{
	size_t n = 0, had = c->nold;

	for (size_t i = 0; i < c->nold; i++)
		if (used(c->old[i], arg))
			c->old[n++] = c->old[i];
		else
			plugin_free(c->old[i]);
	c->nold = n;
	if (c->copies != NULL && (n < had || c->done == NULL))
		copies_tidy(c);
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

/* The files of the catalog, each with its versions. */
#include "entry.h"
#include "catalog.h"
#include "plugin.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_BYTES	900		/* of the reason of a check */

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

int
entry_order(const struct entry *a, const struct entry *b)
{
	return a->folder != b->folder ? (a->folder > b->folder) - (a->folder < b->folder) :
	    strcmp(a->file, b->file);
}

/* Adds a file at its place in the order. NULL: the catalog has CATALOG_MAX files. */
struct entry *
entry_add(struct catalog *c, const char *file)
{
	const struct history_entry *k;
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
	k = entry_history(e);
	e->since = k != NULL ? k->since : 0;
	if (e->since >= c->round)
		c->round = e->since + 1;
	e->opened = -1;
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
	c->busy -= (size_t)(e->inspect != NULL) + (size_t)(e->recall != NULL);
	inspect_stop(e->inspect);
	inspect_stop(e->recall);
	entry_retire(c, e->use);
	entry_retire(c, e->other);
	if (e->opened != -1)
		close(e->opened);
	free(e->why);
	free(e->file);
	free(e);
}

void
catalog_kick(struct catalog *c, int64_t ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	evtimer_add(c->tick, &tv);
}

/* The nth inspected file. */
struct entry *
entry_at(const struct catalog *c, size_t nth)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i]->use != NULL && nth-- == 0)
			return c->v[i];
	return NULL;
}

int
entry_fine(const struct plugin *p)
{
	return p != NULL && p->error == NULL;
}

void
entry_check(const struct entry *e, struct plugin *p)
{
	struct buf why;

	if (p->error != NULL || e->catalog->check == NULL)
		return;
	buf_init(&why, CHECK_BYTES);
	if (e->catalog->check(p, &why) == -1)
		plugin_refuse(p, "%s", why.data != NULL ? why.data : "is not fit");
	buf_free(&why);
}

/* Workers may still run this version: catalog_sweep() frees it. */
void
entry_retire(struct catalog *c, struct plugin *p)
{
	if (p == NULL)
		return;
	c->old = xreallocarray(c->old, c->nold + 1, sizeof(struct plugin *));
	c->old[c->nold++] = p;
}

/* The history of the file's versions; NULL: the catalog has no history. */
struct history_entry *
entry_history(const struct entry *e)
{
	return e->catalog->history != NULL ? history_add(e->catalog->history, e->file) : NULL;
}

struct entry *
entry_named(const struct catalog *c, const char *kind, const char *name)
{
	struct entry *first = NULL;
	const struct plugin *p;

	for (size_t i = 0; i < c->n; i++) {
		p = c->v[i]->use;
		if (p != NULL && c->v[i]->since != 0 && strcmp(p->kind, kind) == 0 &&
		    strcmp(p->name, name) == 0 && (first == NULL || c->v[i]->since < first->since))
			first = c->v[i];
	}
	return first;
}

void
entry_since(struct entry *e, int64_t since)
{
	struct history_entry *k = entry_history(e);

	e->since = since;
	if (k == NULL || k->since == since)
		return;
	k->since = since;
	if (e->catalog->base != NULL)
		history_save(e->catalog->history, e->catalog->base);
}

/* For history_leave(). */
static int
entry_is(const char *file, void *arg)
{
	return entry_find(arg, file) != NULL;
}

void
entry_names(struct catalog *c)
{
	const struct entry *first;
	struct entry *e;

	for (size_t i = 0; i < c->n; i++) {
		e = c->v[i];
		if (!entry_fine(e->use) || e->folder == FOLDERS_MAX)
			continue;
		first = entry_named(c, e->use->kind, e->use->name);
		if (first != e && !e->second)
			log_warn("%s: refused: %s comes first and is the plugin %s_%s; remove one of "
			    "the two files", e->file, first->file, e->use->kind, e->use->name);
		else if (first == e && e->second)
			log_warn("%s: is the plugin %s_%s now, and gets what the configuration gives "
			    "to that name", e->file, e->use->kind, e->use->name);
		e->second = first != e;
	}
	if (c->history != NULL)
		history_leave(c->history, entry_is, c);
}

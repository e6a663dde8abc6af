/* The history of plugins, a JSON file beside the copies. */
#include "history.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sync.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME	"known.json"
#define HASH_SIZE	64

struct history {
	char		*path;
	struct history_entry	**v;
	size_t		 n;
	struct sync	*sync;
	int		 again;		/* changed while the file was being written: write again */
	struct event_base *base;
};

static void
history_entry_free(struct history_entry *k)
{
	free(k->file);
	free(k->why);
	free(k);
}

static struct history_entry *
history_get(struct history *all, const char *file)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->file, file) == 0)
			return all->v[i];
	return NULL;
}

struct history_entry *
history_add(struct history *all, const char *file)
{
	struct history_entry *k = history_get(all, file);

	if (k != NULL)
		return k;
	k = xcalloc(1, sizeof(*k));
	k->file = xstrdup(file);
	all->v = xreallocarray(all->v, all->n + 1, sizeof(struct history_entry *));
	all->v[all->n++] = k;
	return k;
}

void
history_leave(struct history *all, int (*there)(const char *, void *), void *arg)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i]->since != 0 && !there(all->v[i]->file, arg))
			all->v[i]->since = 0;
}

void
history_drop(struct history *all, const char *file)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->file, file) == 0) {
			history_entry_free(all->v[i]);
			all->v[i] = all->v[--all->n];
			return;
		}
}

int
history_need(const struct history *all, const char *hash)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->good, hash) == 0)
			return 1;
	return 0;
}

const struct history_entry *
history_at(const struct history *all, size_t i)
{
	return i < all->n ? all->v[i] : NULL;
}

/* ---- The file ---- */

/* Copies a version if it is a valid hash, as it becomes part of a path. */
static void
hash_read(char to[HASH_SIZE + 1], const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s != NULL && strlen(s) == HASH_SIZE && strspn(s, "0123456789abcdef") == HASH_SIZE)
		memcpy(to, s, HASH_SIZE + 1);
}

struct history *
history_load(const char *folder)
{
	struct history *all = xcalloc(1, sizeof(*all));
	const char *file;
	json_error_t why;
	json_t *tree, *o;
	struct history_entry *k;

	all->path = xasprintf("%s/" FILE_NAME, folder);
	tree = json_load_file(all->path, 0, &why);
	if (tree == NULL && access(all->path, F_OK) == 0)
		log_warn("%s: line %d: %s: which versions of plugins worked is forgotten",
		    all->path, why.line, why.text);
	json_object_foreach(tree, file, o) {
		if (all->n == HISTORY_MAX)
			break;
		k = history_add(all, file);
		hash_read(k->good, o, "good");
		hash_read(k->bad, o, "bad");
		xreplace(&k->why, json_string_value(json_object_get(o, "why")));
		k->proven = json_is_true(json_object_get(o, "proven"));
		k->since = json_integer_value(json_object_get(o, "since"));
	}
	json_decref(tree);
	return all;
}

void
history_free(struct history *all)
{
	if (all == NULL)
		return;
	sync_stop(all->sync);
	for (size_t i = 0; i < all->n; i++)
		history_entry_free(all->v[i]);
	free(all->v);
	free(all->path);
	free(all);
}

/* Leaves out files whose names are not UTF-8: after a restart they are new. */
static json_t *
tree_of(const struct history *all)
{
	json_t *tree = json_object(), *o;

	for (size_t i = 0; i < all->n; i++) {
		const struct history_entry *k = all->v[i];

		o = json_object();
		json_object_set_new(o, "good", json_string(k->good));
		if (k->proven)
			json_object_set_new(o, "proven", json_true());
		if (k->since != 0)
			json_object_set_new(o, "since", json_integer(k->since));
		if (k->bad[0] != '\0')
			json_object_set_new(o, "bad", json_string(k->bad));
		if (k->why != NULL)
			json_object_set_new(o, "why", json_string(k->why));
		(void)json_object_set_new(tree, k->file, o);
	}
	return tree;
}

static void
on_saved(int error, void *arg)
{
	struct history *all = arg;

	all->sync = NULL;
	if (error != 0)
		log_warn("%s: %s", all->path, strerror(error));
	if (all->again)
		history_save(all, all->base);
}

void
history_save(struct history *all, struct event_base *base)
{
	char *tmp = xasprintf("%s.new", all->path);
	json_t *tree;
	int fd;

	all->base = base;
	all->again = all->sync != NULL;
	if (all->again) {
		free(tmp);
		return;
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	tree = tree_of(all);
	if (fd == -1 || json_dumpfd(tree, fd, JSON_INDENT(1) | JSON_SORT_KEYS) == -1) {
		log_warn("%s: %s", tmp, strerror(errno));
		if (fd != -1)
			close(fd);
		unlink(tmp);
	} else
		all->sync = sync_file(base, fd, tmp, all->path, on_saved, all);
	json_decref(tree);
	free(tmp);
}

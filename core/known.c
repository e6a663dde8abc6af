/* Which version of each plugin worked last: a JSON file beside the copies. */
#include "known.h"
#include "log.h"
#include "mem.h"
#include "sync.h"

#include <jansson.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME	"known.json"
#define HASH_SIZE	64

struct knowns {
	char		*path;
	struct known	**v;
	size_t		 n;
	struct sync	*sync;
	int		 again;		/* it changed while it was being written */
	struct event_base *base;
};

static void
known_free(struct known *k)
{
	free(k->file);
	free(k->why);
	free(k);
}

struct known *
knowns_get(struct knowns *all, const char *file)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->file, file) == 0)
			return all->v[i];
	return NULL;
}

struct known *
knowns_add(struct knowns *all, const char *file)
{
	struct known *k = knowns_get(all, file);

	if (k != NULL)
		return k;
	k = xcalloc(1, sizeof(*k));
	k->file = xstrdup(file);
	all->v = xreallocarray(all->v, all->n + 1, sizeof(struct known *));
	all->v[all->n++] = k;
	return k;
}

void
knowns_drop(struct knowns *all, const char *file)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->file, file) == 0) {
			known_free(all->v[i]);
			all->v[i] = all->v[--all->n];
			return;
		}
}

int
knowns_need(const struct knowns *all, const char *hash)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i]->good, hash) == 0)
			return 1;
	return 0;
}

const struct known *
knowns_at(const struct knowns *all, size_t i)
{
	return i < all->n ? all->v[i] : NULL;
}

/* ---- The file ---- */

/* A version, when it is one: it becomes part of a path. */
static void
hash_read(char to[HASH_SIZE + 1], const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s != NULL && strlen(s) == HASH_SIZE && strspn(s, "0123456789abcdef") == HASH_SIZE)
		memcpy(to, s, HASH_SIZE + 1);
}

struct knowns *
knowns_load(const char *folder)
{
	struct knowns *all = xcalloc(1, sizeof(*all));
	const char *file;
	json_error_t why;
	json_t *tree, *o;
	struct known *k;

	all->path = xasprintf("%s/" FILE_NAME, folder);
	tree = json_load_file(all->path, 0, &why);
	if (tree == NULL && access(all->path, F_OK) == 0)
		log_warn("%s: line %d: %s: which versions of plugins worked is forgotten",
		    all->path, why.line, why.text);
	json_object_foreach(tree, file, o) {
		if (all->n == KNOWN_MAX)
			break;
		k = knowns_add(all, file);
		hash_read(k->good, o, "good");
		hash_read(k->bad, o, "bad");
		xreplace(&k->why, json_string_value(json_object_get(o, "why")));
		k->proven = json_is_true(json_object_get(o, "proven"));
	}
	json_decref(tree);
	return all;
}

void
knowns_free(struct knowns *all)
{
	if (all == NULL)
		return;
	sync_stop(all->sync);
	for (size_t i = 0; i < all->n; i++)
		known_free(all->v[i]);
	free(all->v);
	free(all->path);
	free(all);
}

int
knowns_busy(const struct knowns *all)
{
	return all->sync != NULL;
}

/* A file whose name is no UTF-8 is left out: it is looked at as if it were new. */
static json_t *
tree_of(const struct knowns *all)
{
	json_t *tree = json_object(), *o;

	for (size_t i = 0; i < all->n; i++) {
		const struct known *k = all->v[i];

		o = json_object();
		json_object_set_new(o, "good", json_string(k->good));
		if (k->proven)
			json_object_set_new(o, "proven", json_true());
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
	struct knowns *all = arg;

	all->sync = NULL;
	if (error != 0)
		log_warn("%s: %s", all->path, strerror(error));
	if (all->again)
		knowns_save(all, all->base);
}

void
knowns_save(struct knowns *all, struct event_base *base)
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

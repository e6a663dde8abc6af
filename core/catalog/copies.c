/* Removes copies of plugins that are neither run nor needed as a fallback. */
#include "copies.h"
#include "copy_check.h"
#include "entry.h"
#include "plugin.h"
#include "base/log.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

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
	return history_need(c->history, hash);
}

/* Removes copies that are neither run nor needed as a fallback, and the history of removed
 * files. */
static void
copies_tidy(struct catalog *c)
{
	DIR *dir = c->busy == 0 && c->base != NULL ? opendir(c->copies) : NULL;
	const struct history_entry *k;
	struct dirent *de;
	char hash[65], *path;

	if (dir == NULL)
		return;
	for (size_t i = 0; (k = history_at(c->history, i)) != NULL;)
		if (entry_find(c, k->file) == NULL && folder_of(c, k->file) != FOLDERS_MAX)
			history_drop(c->history, k->file);
		else
			i++;
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) < 67 || (strncmp(de->d_name + 64, ".so", 3) != 0 &&
		    strcmp(de->d_name + 64, ".lib") != 0))
			continue;
		memcpy(hash, de->d_name, 64);
		hash[64] = '\0';
		if ((de->d_name[67] == '\0' || de->d_name[65] == 'l') && copy_needed(c, hash))
			continue;
		path = xasprintf("%s/%s", c->copies, de->d_name);
		if (copy_remove(path) == 0)
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

/* The installed plugins: found in the folders, checked, copied, and described by short-lived
 * workers, several at once and without blocking. Core and the command-line tool never load a
 * plugin, they read this description. When a plugin is replaced, its version that worked stays
 * available as a fallback. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H
#include "option.h"

#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

struct plugin;

#define CATALOG_MAX	512		/* plugins */
#define CATALOG_LOOKS	4		/* inspections at once */
#define CATALOG_FILE_MAX (64u << 20)	/* bytes of a .so */
#define CATALOG_RETRY	10000		/* ms until a retry, when the daemon lacked resources */

struct event_base;

struct catalog;
/* check: a further check of each plugin that was described: -1 and why: it is refused. NULL: none. */
typedef int	catalog_fit(const struct plugin *, struct buf *why);
struct catalog	*catalog_new(catalog_fit *check);
void		 catalog_free(struct catalog *);
/* The folder for the copies that are loaded, and for the history of versions. Without one, each
 * plugin is copied to memory: the descriptor is in struct plugin. */
void		 catalog_copies(struct catalog *, const char *folder);
/* Adds a folder to inspect, unless the catalog has it already. */
void		 catalog_folder(struct catalog *, const char *folder);
/* Replaces all folders; plugins in other folders are dropped. */
void		 catalog_folders(struct catalog *, const char *const *folder, size_t n);

/* Sets the event loop that does the work, and the callback for each change: `before` and `now` are
 * NULL when there was, or is, no version. base NULL: unbinds; no inspection may be under way. */
typedef void	catalog_cb(const struct plugin *before, const struct plugin *now, void *arg);
void		 catalog_bind(struct catalog *, struct event_base *, catalog_cb *, void *arg);
/* Inspects each *.so in the folders that is new or has changed. `done` is called from the loop when
 * no inspection is left but those that wait for CATALOG_RETRY. anew: inspects versions that failed,
 * too. One call at a time. */
void		 catalog_inspect(struct catalog *, int anew, void (*done)(void *arg), void *arg);
/* Inspects one file after an event: it appeared, changed, or was removed. */
void		 catalog_touch(struct catalog *, const char *file);
/* catalog_inspect() on an event loop of its own, until all is done. Blocks: for programs without a
 * loop, or before it runs. Unreadable folders are logged. */
void		 catalog_inspect_now(struct catalog *);
/* Inspects one folder, blocking. Returns how many files had changed; -1: the folder cannot be read,
 * and err says why. */
int		 catalog_scan(struct catalog *, const char *folder, const char *copies, struct buf *err);
/* Opens a file now for catalog_file(): before root is given up, since the user that is then become
 * (own) may not be able to. */
void		 catalog_open(struct catalog *, const char *file, uid_t own);
/* Inspects one file in any folder, blocking. Never NULL: check error. */
const struct plugin *catalog_file(struct catalog *, const char *file, const char *copies);

/* The plugin in the file KIND_NAME.so; of several such files that which was used first, for as long as
 * it is there. Check error. NULL: no such plugin. */
const struct plugin *catalog_find(const struct catalog *, const char *kind, const char *name);
size_t		 catalog_count(const struct catalog *);
const struct plugin *catalog_at(const struct catalog *, size_t);

/* How a plugin's file relates to the version in use. */
enum catalog_state {
	CATALOG_PLAIN,
	CATALOG_TRIAL,		/* its version replaced one that worked, and has done no job yet */
	CATALOG_BACK,		/* its version failed or is unusable: an earlier one is in use */
	CATALOG_REFUSED,
	CATALOG_REMOVED,
	CATALOG_BEHIND,		/* another file has the same kind and name, and was used first */
};
/* why: the reason of BACK, REFUSED, REMOVED; the other file of BEHIND. bad: of BACK, the hash of
 * the version that failed. */
enum catalog_state catalog_state(const struct catalog *, size_t, const char **why, const char **bad);
#endif

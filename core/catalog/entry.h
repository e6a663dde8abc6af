/* Inside the catalog: its files, each with the versions of its plugin. catalog.c finds and inspects
 * files, versions.c decides which version of a file is used, copies.c removes unused copies. */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H
#include "history.h"
#include "inspect.h"

#include <stdint.h>
#include <stddef.h>

struct plugin;
struct inspect;
struct history;
struct event_base;
struct event;

#define FOLDERS_MAX	64

/* One file. Of several files that are called the same, the name belongs to the one with the lowest
 * `since`, for as long as that file is there; among equals the order of folders counts. `use` is the version in use; `other` is one that may take its place. */
struct entry {
	struct catalog	*catalog;
	char		*file;
	size_t		 folder;	/* index; FOLDERS_MAX: in none of the folders */
	struct stamp	 stamp;
	int64_t		 since;		/* the round that first found it usable; 0: none has yet */
	int		 second;	/* reported: another file has its name */
	struct plugin	*use;		/* NULL: not inspected yet */
	struct plugin	*other;		/* TRIAL: the version before; BACK: the failed one; NULL */
	enum catalog_state state;	/* PLAIN, TRIAL or BACK */
	char		*why;		/* BACK, or soon to be: why the version failed */
	int		 stamped;	/* stamp is of the last inspection */
	int		 trusted;	/* the version before failed as well: no going back */
	int		 doubted;	/* BACK: perhaps the plugin was not to blame */
	int		 wanted;	/* to be inspected */
	int		 opened;	/* the file, for its first inspection; or -1 */
	int		 again;		/* to be inspected again, as the daemon lacked resources */
	int64_t		 not_before;	/* of `wanted`, ticks: when */
	/* inspections of the file; of the copy of the good version */
	struct inspect	*inspect, *recall;
};

struct catalog {
	struct entry	*v[CATALOG_MAX];	/* by folder and name */
	size_t		 n;
	char		*folder[FOLDERS_MAX];
	size_t		 nfolders;
	char		*copies;
	struct history	*history;	/* NULL without copies */
	struct plugin	**old;		/* replaced versions that workers may still run */
	size_t		 nold;
	catalog_fit	*check;			/* or NULL */
	struct event_base *base;
	struct event	*tick;
	catalog_cb	*changed;
	void		*arg;
	void		(*done)(void *);	/* of catalog_inspect() */
	void		*done_arg;
	size_t		 busy;		/* inspections under way */
	int64_t		 round;		/* of inspections: counts up, above every `since` */
};

struct entry	*entry_find(const struct catalog *, const char *file);	/* NULL: no such file */
struct entry	*entry_add(struct catalog *, const char *file);	/* NULL: over CATALOG_MAX */
struct entry	*entry_at(const struct catalog *, size_t nth);	/* inspected ones only; or NULL */
int		 entry_order(const struct entry *, const struct entry *);	/* as for qsort() */
void		 entry_drop(struct entry *);	/* frees the entry, retires its versions */
int		 entry_fine(const struct plugin *);	/* not NULL, and usable */
/* The file that has the name; NULL: none was ever usable. */
struct entry	*entry_named(const struct catalog *, const char *kind, const char *name);
void		 entry_since(struct entry *, int64_t);	/* sets it, also in the history */
/* When no inspection is left: reports files whose name another file has, and those that have it
 * now. What the history says of names counts no more for files that are not there. */
void		 entry_names(struct catalog *);
void		 entry_check(const struct entry *, struct plugin *);	/* refuses what is not fit */
struct history_entry	*entry_history(const struct entry *);	/* NULL: no history */
void		 entry_retire(struct catalog *, struct plugin *);	/* a sweep frees it; or NULL */
size_t		 folder_of(const struct catalog *, const char *file);	/* FOLDERS_MAX: in none */
void		 catalog_kick(struct catalog *, int64_t ms);	/* the next step, in ms */
#endif

/* Inside the catalog: what its files share. catalog.c finds and looks, versions.c decides which version
 * of a file is used, copies.c removes what is not needed. */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H
#include "known.h"
#include "look.h"

#define FOLDERS_MAX	64

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
	int		 again;		/* once more, since the daemon found no room for it */
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

/* catalog.c */
struct entry	*entry_find(const struct catalog *, const char *file);	/* NULL: there is none */
void		 entry_drop(struct entry *);	/* its versions are retired */
size_t		 folder_of(const struct catalog *, const char *file);	/* FOLDERS_MAX: in none */
void		 catalog_kick(struct catalog *, int64_t ms);	/* there is something to do, then */

/* versions.c: what comes of a look. The plugins are the catalog's from then on. */
int		 entry_fine(const struct plugin *);	/* there is one, and it can be used */
void		 entry_take(struct entry *, struct plugin *);	/* a version that can be used */
void		 entry_refuse(struct entry *, struct plugin *);	/* one that cannot */
void		 entry_gone(struct entry *);	/* the file was removed; the entry may be freed */
void		 entry_same(struct entry *);	/* it holds what entry_knows() */
int		 entry_knows(const char *hash, void *entry);	/* 1: that version needs no look */
struct known	*entry_known(const struct entry *);	/* NULL: nothing is kept */
void		 entry_retire(struct catalog *, struct plugin *);	/* freed by a sweep; NULL is fine */
#endif

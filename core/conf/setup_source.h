/* Reading `sources`, and finding sources by name. */
#ifndef CORE_SETUP_SOURCE_H
#define CORE_SETUP_SOURCE_H
#include "setup_reader.h"

/* The keys of a source that the daemon itself handles. */
extern const struct cr_option source_own[];

/* Reads the map `sources` (NULL: there is none) into the setup. */
void	 sources_read(struct setup_reader *, const struct node *map);
/* Reads one entry, a source or a group. */
void	 source_read(struct setup_reader *, const struct node *);
/* To be called before sources are looked for, when some were added. */
void	 sources_sort(struct setup_reader *);
/* 1, and its place in setup->sources; 0: there is none of that name. */
int	 source_find(const struct setup_reader *, const char *name, uint32_t *place);
/* Sources whose names begin with prefix: *n places, from reader->by_name[*first] on. */
void	 source_range(const struct setup_reader *, const char *prefix, size_t *first, size_t *n);
/* The place of the source SETUP_TROUBLE or SETUP_TOP, which is added if no route drew from it before. It
 * is not found by name: patterns do not stand for it. UINT32_MAX, and a mistake: there are too many. */
uint32_t source_builtin(struct setup_reader *, const char *name, int line);
/* Whether the daemon keeps the name for itself: courant, courant/... */
int	 source_is_own(const char *name);
/* 1: the name is valid for a `what` ("source" or "route"); 0, and a mistake: it is not. */
int	 name_check(struct setup_reader *, const char *name, const char *what, int line);
#endif

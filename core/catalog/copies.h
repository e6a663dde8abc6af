/* Removes copies of plugins that are no longer used. */
#ifndef CORE_COPIES_H
#define CORE_COPIES_H
struct catalog;
struct plugin;

/* Replaced versions stay in memory while workers run them. Frees those for which used() returns 0,
 * and removes their copies. */
void		 catalog_sweep(struct catalog *, int (*used)(const struct plugin *, void *), void *arg);
#endif

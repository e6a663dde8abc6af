/* The record that a query names: by its id, its link, an id of the work. */
#ifndef CORE_NAMED_H
#define CORE_NAMED_H
#include <stddef.h>

struct found;
struct reader;

/* Adds the records that the text names to found, looked up. The number of them; -1: the database failed:
 * found->why. */
int	named(struct reader *, const char *text, size_t, struct found *);
#endif

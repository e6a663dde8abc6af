/* What plugins keep between their jobs: rows of the table `state`, by instance. */
#ifndef CORE_STATE_H
#define CORE_STATE_H
#include "schema.h"

#define STATE_MAX	(64u << 10)	/* bytes of an instance: keys and values */
#define STATE_NAME	192		/* bytes of an instance's name, with its NUL */

/* "source:ID", "leg:ID", "filter:ROUTE/RULE" (rule NULL: the rest). */
void	state_name(char name[STATE_NAME], const char *kind, int64_t id, const char *rule);
/* Adds all that it keeps: KEY\0VALUE\0... */
void	state_read(struct db *, const char *name, struct buf *);
/* What an instance keeps, counted once for many values that are set; zeroed: not yet counted. */
struct state_sum {
	char	 name[STATE_NAME];
	int64_t	 bytes;
};
/* Sets a value in the open transaction; NULL: none. -1: that would be over STATE_MAX. Nobody else sets
 * any while the sum is in use. */
int	state_set(struct db *, struct state_sum *, const char *name, const char *key,
	    const char *value);
/* It keeps nothing any more. */
void	state_drop(struct db *, const char *name);
#endif

/* The state that plugins store between their jobs: rows of the table `state`, by instance. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/buf.h"
#include "db/db.h"
#include "db/schema.h"

#define STATE_MAX	(64u << 10)	/* bytes of an instance's keys and values */
#define STATE_NAME	192		/* bytes of an instance's name, with its NUL */

/* Writes the instance's name: "source:ID", "leg:ID" (of a sink), or "filter:ROUTE/RULE"; rule is
 * NULL for the first two. */
void	state_name(char name[STATE_NAME], const char *kind, int64_t id, const char *rule);
/* Appends the instance's pairs: KEY\0VALUE\0... */
void	state_read(struct db *, const char *name, struct buf *);
/* The size of an instance's state, so that setting many values computes it once; zeroed: not yet
 * computed. */
struct state_sum {
	char	 name[STATE_NAME];
	int64_t	 bytes;
};
/* Sets a value in the open transaction; value NULL: deletes it. -1: the instance would be over
 * STATE_MAX, nothing is changed. While the sum is in use, nothing else may set values of the
 * instance. */
int	state_set(struct db *, struct state_sum *, const char *name, const char *key,
	    const char *value);
/* Deletes all state of the instance. */
void	state_drop(struct db *, const char *name);
#endif

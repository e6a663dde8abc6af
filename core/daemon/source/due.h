/* The sources ordered by due time: a heap of places in runs, and the timer of the first. */
#ifndef CORE_DUE_H
#define CORE_DUE_H
#include <stdint.h>

struct core;

#define DUE_WAIT_MAX	60000		/* ms, at most: the wall clock may be set meanwhile */

/* begin is called from the loop when the first source may be due, or after due_wake(): it begins
 * the sources that are due, and returns the ms after which it is to be called again. */
void		due_init(struct core *, int64_t (*begin)(struct core *));
void		due_free(struct core *);
void		due_wake(struct core *);	/* in the loop's next turn; calls are joined */
void		due_clear(struct core *);	/* empty, with room for all sources of the setup */
/* Puts the source in the heap by its mark.due; a source that is never due (INT64_MAX) is left
 * out. */
void		due_set(struct core *, uint32_t place);
void		due_remove(struct core *, uint32_t place);
uint32_t	due_first(const struct core *);	/* UINT32_MAX: none */
#endif

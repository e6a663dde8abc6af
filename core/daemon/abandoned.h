/* Output files that no route writes any more: named in log and status, deleted by an operator's
 * command. */
#ifndef CORE_ABANDONED_H
#define CORE_ABANDONED_H
#include <jansson.h>

struct buf;
struct core;
struct setup;

void	 abandoned_setup(struct core *, const struct setup *old);	/* a new setup */
void	 abandoned_end(struct core *);
void	 abandoned_tell(struct core *);		/* sends serve the list */
/* [{"file", "route"}] of the abandoned files that exist; owned by the caller. */
json_t	*abandoned_json(const struct core *);
/* Deletes an abandoned file for an operator, by its name below the folder of outputs. 0; -1: it is
 * not abandoned, or cannot be deleted. said gets what was done, or the error. */
int	 abandoned_drop(struct core *, const char *file, struct buf *said);
#endif

/* Workers that one source has for itself, for its stream or for visits: how they start, and the results
 * that they hand over while their job lasts. */
#ifndef CORE_DEDICATED_H
#define CORE_DEDICATED_H
#include "core.h"

/* A worker of the kind, with what is granted and what it may have sent; with CR_FILES in the source's
 * folder, which is made when it is first needed. id: store's, of the source. NULL: the log says why. */
struct worker	*dedicated_start(struct core *, enum worker_kind, const struct source *, uint32_t id,
		    uint32_t grants);

/* Two files: the worker fills the first, then, while that is on its way to store, the second. */
struct outlet { int fd[2]; };		/* memfds; -1 */
void		 outlet_open(struct outlet *);
void		 outlet_close(struct outlet *);
/* Takes the first, of so many bytes and at most max, sealed; the second is then the first. -1, and why
 * the worker is of no use any more. */
int		 outlet_take(struct outlet *, uint64_t bytes, uint64_t max, const char **why);
int		 outlet_next(struct outlet *);	/* makes a new second one, to be told to the worker */
#endif

/* Workers dedicated to one source, for its stream or its visits: how they start, and how they hand
 * over results while their job lasts. */
#ifndef CORE_DEDICATED_H
#define CORE_DEDICATED_H
#include "core.h"
#include "workers.h"

/* Starts a worker of that kind with the grants and the egress of the source's plugin; with CR_FILES
 * in the source's folder, which is created when it is first needed. id: store's, of the source.
 * NULL: it could not be started, and the log says why. */
struct worker	*dedicated_start(struct core *, enum worker_kind, const struct source *, uint32_t id,
		    uint32_t grants);

/* The path of a folder in the state folder's `files`, which is created, freed by the caller. of: whose
 * it is, for the log. NULL: it cannot be, and the log says why. */
char		*dedicated_folder(const struct core *, const char *of, const char *name);

/* Two memfds: the worker fills the first, then, while that is on its way to store, the second. */
struct outlet { int fd[2]; };		/* -1: none */
void		 outlet_open(struct outlet *);
void		 outlet_close(struct outlet *);
/* Takes the first memfd, sealed, which must have that many bytes and at most max; the second
 * becomes the first. -1: why says why the worker is to be killed. */
int		 outlet_take(struct outlet *, uint64_t bytes, uint64_t max, const char **why);
int		 outlet_next(struct outlet *);	/* a new second memfd, to be sent to the worker */
#endif

/* One look at a plugin's file: owner and mode checked, hashed, copied, described by a worker. Nothing
 * of it blocks: it is done in small steps on an event loop. */
#ifndef CORE_LOOK_H
#define CORE_LOOK_H
#include "catalog.h"

#include <sys/types.h>
#include <time.h>

#define LOOK_STEP	(256u << 10)	/* bytes of a file that are read at once */

struct event_base;
struct look;				/* opaque */

/* A file as it was when it was looked at. */
struct stamp {
	struct timespec	 mtime, ctime;
	ino_t		 inode;
	off_t		 size;
};
int	 stamp_take(const char *file, struct stamp *);	/* -1: there is no such file */
int	 stamp_same(const struct stamp *, const struct stamp *);

enum look_end {
	LOOK_SEEN,		/* the plugin is described, or refused: see its error */
	LOOK_SAME,		/* known() said that it knows the hash */
	LOOK_GONE,		/* there is no such file */
	LOOK_MOVING,		/* it changed while it was read: to be looked at once more */
};
struct look_use {
	/* Whether a version of this hash needs no description. NULL: each does. */
	int	(*known)(const char *hash, void *arg);
	/* The end of the look, which is gone by then. The plugin is the callee's: NULL unless SEEN. */
	void	(*done)(enum look_end, struct plugin *, const struct stamp *, void *arg);
};

/* copies: the folder into which what is loaded is copied; NULL: it is loaded where it lies. */
struct look	*look_start(struct event_base *, const char *file, const char *copies,
		    const struct look_use *, void *arg);
/* The same of a version that was copied before: its copy is described, file is only its name. */
struct look	*look_again(struct event_base *, const char *file, const char *copies,
		    const char *hash, const struct look_use *, void *arg);
void		 look_stop(struct look *);	/* no callback. NULL is fine */
#endif

/* The inspection of a plugin's file: its owner and mode are checked, it is hashed, copied, and
 * described by a worker. An inspection does not block: it runs in small steps on an event loop. */
#ifndef CORE_INSPECT_H
#define CORE_INSPECT_H
#include "catalog.h"

#include <sys/types.h>
#include <time.h>

#define LOOK_STEP	(256u << 10)	/* bytes of a file that one step reads */

struct event_base;
struct inspect;				/* opaque */

/* A file's metadata at an inspection; with own libraries, the sums over all files. */
struct stamp {
	struct timespec	 mtime, ctime;
	ino_t		 inode;
	off_t		 size;
};
/* own: as in struct plugin. -1: no such file. */
int	 stamp_take(const char *file, const char *own, struct stamp *);
int	 stamp_same(const struct stamp *, const struct stamp *);

enum inspect_end {
	LOOK_SEEN,		/* the plugin is described, or refused: see its error */
	LOOK_SAME,		/* history_entry() returned 1 for the hash */
	LOOK_GONE,		/* no such file */
	LOOK_MOVING,		/* it changed while it was read: to be inspected again */
};
struct inspect_use {
	/* 1: the version of this hash needs no description. NULL: every version needs one. */
	int	(*history_entry)(const char *hash, void *arg);
	/* The inspection has ended and is freed. The callee owns the plugin: NULL unless SEEN. */
	void	(*done)(enum inspect_end, struct plugin *, const struct stamp *, void *arg);
};

/* fd: the file, opened before, which is taken; or -1. copies: the folder into which the plugin is
 * copied for loading; NULL: it is copied to memory. */
struct inspect	*inspect_start(struct event_base *, const char *file, int fd, const char *copies,
		    const struct inspect_use *, void *arg);
/* The same for a version that was copied before: its copy is described, if it is still
 * what was copied; file is only named. */
struct inspect	*inspect_again(struct event_base *, const char *file, const char *copies,
		    const char *hash, const struct inspect_use *, void *arg);
void		 inspect_stop(struct inspect *);	/* no callback. NULL is fine */
#endif

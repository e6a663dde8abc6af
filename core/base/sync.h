/* Syncs a file to disk, then renames it, without blocking for the disk. */
#ifndef CORE_SYNC_H
#define CORE_SYNC_H

struct event_base;
struct sync;				/* opaque */
/* error: an errno, or 0: the file is renamed. */
typedef void	sync_cb(int error, void *arg);

/* Takes fd, a file written under the name tmp: syncs it, renames it to path, closes it. On failure
 * removes tmp. Both names are copied. */
struct sync	*sync_file(struct event_base *, int fd, const char *tmp, const char *path, sync_cb *,
		    void *arg);
/* Blocks until the disk is done; removes tmp, no callback. NULL is fine. */
void		 sync_stop(struct sync *);
#endif

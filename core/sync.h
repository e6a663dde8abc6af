/* Files that have to be on disk before they get their name, without waiting for the disk. */
#ifndef CORE_SYNC_H
#define CORE_SYNC_H

struct event_base;
struct sync;				/* opaque */
/* error: an errno, or 0 and the file has its name. */
typedef void	sync_cb(int error, void *arg);

/* Takes fd, a file written under the name tmp: synced, renamed to path, closed. When that fails tmp is
 * removed. Both names are copied. */
struct sync	*sync_file(struct event_base *, int fd, const char *tmp, const char *path, sync_cb *,
		    void *arg);
void		 sync_stop(struct sync *);	/* waits for the disk; no callback, no name. NULL: fine */
#endif

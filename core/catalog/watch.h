/* Watches the folders of plugins while the daemon runs: files that appear, change or are
 * removed. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H
#include <stddef.h>

#define WATCH_SETTLE	100		/* ms without an event before a file is reported */
#define WATCH_OPEN	1500		/* the same while a new file is still open for writing */

struct event_base;
struct watch;				/* opaque */

struct watch_use {
	void	(*file)(const char *path, void *arg);	/* a *.so: new, changed or removed */
	void	(*all)(void *arg);			/* any file may have changed */
};

struct watch	*watch_new(struct event_base *, const struct watch_use *, void *arg);
void		 watch_free(struct watch *);		/* NULL is fine */
/* Replaces the watched folders. A folder that does not exist is watched once it does. */
void		 watch_folders(struct watch *, const char *const *folder, size_t n);
#endif

/* The folders of plugins while the daemon runs: what appears, changes or goes in them. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H
#include <stddef.h>

#define WATCH_SETTLE	100		/* ms without an event before a file is told of */
#define WATCH_OPEN	1500		/* the same while a new file is still open for writing */

struct event_base;
struct watch;				/* opaque */

struct watch_use {
	void	(*file)(const char *path, void *arg);	/* a *.so: there, changed or gone */
	void	(*all)(void *arg);			/* whatever lies in the folders */
};

struct watch	*watch_new(struct event_base *, const struct watch_use *, void *arg);
void		 watch_free(struct watch *);		/* NULL is fine */
/* These folders from now on. One that is not there is waited for. */
void		 watch_folders(struct watch *, const char *const *folder, size_t n);
#endif

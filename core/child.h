/* Starting child processes: a role (this program again) or a worker, with a channel on descriptor 3. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H
#include "buf.h"
#include "chan.h"

#include <sys/types.h>

struct child {
	pid_t	 pid;
	int	 fd;			/* our end of the channel; close-on-exec */
	int	 out;			/* what it writes to its stdout and stderr; -1: ours */
};
/* 0, or -1 with errno and a log line. Everything but 0-3 is closed in the child, signals are reset. */
int	 spawn_role(struct child *, const char *role, int debug);
/* The same by another program than courantd: of the one beside it, else of that installed. */
int	 spawn_daemon_role(struct child *, const char *role);
int	 spawn_worker(struct child *, int capture /* its output into a pipe */);

/* The folder of this program's siblings while it runs from where it was built, else where it was
 * installed: the worker, and the plugins that came with it. */
const char *spawn_worker_path(void);
const char *spawn_plugin_dir(void);

/* For a child that begins: it dies with the parent that made its channel (descriptor 3). -1: that one
 * is dead already. */
int	 spawn_bind(void);

/* An obituary: how a child ended, in words for people ("killed by signal 11 (segmentation fault)",
 * "exit status 71 (out of memory)"), from waitpid()'s status. */
void	 spawn_obituary(struct buf *, int status);
#endif

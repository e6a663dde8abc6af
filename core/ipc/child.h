/* Starts child processes: a role (this program again) or a worker, with a channel on file
 * descriptor 3. Reports how they ended, and reads a worker's output. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H
#include "chan.h"
#include "base/buf.h"

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t	 pid;
	int	 fd;			/* our end of the channel; close-on-exec */
	int	 out;			/* of a worker: the pipe with what it says */
};
#define CHILD_LOG	4		/* a worker's descriptor for what it says: lines of text */

/* 0, or -1 with errno and a log line. The child has file descriptors 0 to 3 only, a worker
 * CHILD_LOG too, and default signal actions. A role has our descriptors 0 to 2 and our environment.
 * */
int	 child_role(struct child *, const char *role, int debug);
/* The same, called by another program than courantd: runs the courantd in that program's folder,
 * else the installed one. */
int	 child_daemon_role(struct child *, const char *role);
/* A worker's descriptors 0 to 2 are /dev/null. Of our environment it has the time zone, and where
 * the loader searches libraries, first in the folders `libraries` of its plugins' own (NULL or "":
 * none). -1 with EPERM when this process is root, or could become it again. */
int	 child_worker(struct child *, const char *libraries);

/* The folder of the plugins that come with Courant: in the build folder when this program runs from
 * there, else the installed one. */
const char *child_plugin_dir(void);

/* For a child that begins: it is killed when the parent that made its channel (file descriptor 3)
 * dies, and ignores the signals meant for the parent. -1: the parent is dead already. */
int	 child_bind(void);
/* For a child that begins: raises its oom_score_adj, so that a kernel without memory kills workers
 * before roles, and roles before core. */
#define CHILD_OOM_ROLE		200
#define CHILD_OOM_WORKER	600
void	 child_expendable(int more);
/* SIGTERM, SIGINT and SIGHUP reach all processes of a group; core alone acts on them, and sends
 * MSG_STOP to the others. child_bind() ignores them. commands: this process starts programs, which
 * must not inherit ignored signals: the signals are caught instead. */
void	 child_signals(int commands);

/* Ignores the signals that the owner of a descriptor gets (F_SETOWN): the socket to a child is the
 * child's too. The filters deny the calls for it; this is the second wall. */
void	 child_ignore_io(void);

/* Adds how a child ended, for people ("killed by signal 11 (segmentation fault)", "exit status 71
 * (out of memory)"), from waitpid()'s status. */
void	 child_obituary(struct buf *, int status);
/* The same of a worker, with the place of the crash that child_output has (NULL: none). */
void	 child_obituary_at(struct buf *, int status, const char *crash);
#define CRASH_MARK	"crashed "	/* begins the line with which a worker reports its crash */
#define CRASH_LINE	480		/* bytes of that line */

/* Waits at most ms for a child to end, then kills it. Blocks. 1: it was killed, 0: it ended by
 * itself. status: waitpid()'s; or NULL. */
int	 child_reap(pid_t, int64_t ms, int *status);

#define CHILD_LINE	500		/* bytes of a line of output; a longer one is split */
#define CHILD_READ	4096		/* bytes of output that are read at once */
/* What a worker says, in lines. */
struct child_output {
	int		 fd;		/* does not block */
	void		(*say)(const char *line, void *arg);
	void		*arg;
	char		 line[CHILD_LINE + 1];
	size_t		 n, lines;	/* lines: passed to say() since the reader set it to 0 */
	size_t		 most;		/* lines passed to say(), at most; others are dropped */
	size_t		 denied;	/* lines of denied calls, which do not count as such */
	char		*crash;		/* place of the crash that it reported, owned; or NULL */
};
/* Whether a line reports a denied system call. */
int	 child_denied(const char *line);
int	 child_output_read(struct child_output *);	/* reads once; -1: end of the output */
void	 child_output_end(struct child_output *);	/* reads the rest, ends the last line */
#endif

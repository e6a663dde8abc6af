/* A command in a process group of its own, and the guard that leads the group: nothing of the group
 * outlives the worker, however that ends, and nothing is left of it once the command has ended. What
 * leaves the group by itself (setsid) is out of reach. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORPHANED	SIGRTMAX	/* to the guard, when the worker dies; nobody else sends it */
#define REPORT		3		/* the guard's descriptor for what it reports */
#define ABOVE		10		/* where pipes lie before they get their numbers */
#define FILES		1024		/* descriptors of a command, if the limit allows */

enum { RUN_FAILED = 1, RUN_ENDED = 2 };	/* of a report */
struct report {
	int	 what, value;		/* errno, or a status */
};

/* ---- In the command, before it is one ---- */

static void
tell(int what, int value)
{
	const struct report r = { what, value };

	(void)!write(REPORT, &r, sizeof(r));	/* if the worker is gone, so are we */
}

/* As far as the worker's own limits are soft. */
static void
limit(int what, rlim_t most)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)what, &l) == -1)
		return;
	l.rlim_cur = l.rlim_max < most ? l.rlim_max : most;
	(void)setrlimit((__rlimit_resource_t)what, &l);
}

static void __attribute__((noreturn))
become(const struct exec_opts *o, char *const environment[], pid_t guard)
{
	sigset_t none;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != guard)
		_exit(127);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_AS, o->memory > 0 ? (rlim_t)o->memory : RLIM_INFINITY);
	fcntl(REPORT, F_SETFD, FD_CLOEXEC);
	if (o->folder == NULL || o->folder[0] == '\0' || chdir(o->folder) == 0) {
		environ = (char **)(uintptr_t)environment;
		execvp(o->command[0], (char *const *)(uintptr_t)o->command);
	}
	tell(RUN_FAILED, errno);
	_exit(127);
}

/* ---- The guard ---- */

/* Standard output and error are pipes to the worker, and nothing else is open. */
static int
guard_files(int input, int out, int err, int report)
{
	int in = input != -1 ? input : open("/dev/null", O_RDWR | O_CLOEXEC);

	if (in == -1 || dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(err, 2) == -1 ||
	    dup2(report, REPORT) == -1)
		return -1;
	return close_range(REPORT + 1, ~0u, 0);
}

/* The command's input is its own, and the pipes end with it. */
static void
guard_let_go(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2; fd++)
		if (null == -1 || dup2(null, fd) == -1)
			close(fd);
	if (null != -1)
		close(null);
}

static void __attribute__((noreturn))
guard(const struct exec_opts *o, char *const environment[], pid_t worker)
{
	pid_t self = getpid(), pid;
	int status = 0, sig = 0;
	sigset_t wake;

	sigfillset(&wake);
	sigprocmask(SIG_SETMASK, &wake, NULL);
	if (setpgid(0, 0) == -1 || prctl(PR_SET_PDEATHSIG, ORPHANED) == -1 || getppid() != worker)
		_exit(1);
	if ((pid = fork()) == 0)
		become(o, environment, self);
	if (pid == -1) {
		tell(RUN_FAILED, errno);
		_exit(1);
	}
	guard_let_go();
	sigemptyset(&wake);
	sigaddset(&wake, SIGCHLD);
	sigaddset(&wake, ORPHANED);
	while (sig != ORPHANED && waitpid(pid, &status, WNOHANG) == 0)
		sig = sigwaitinfo(&wake, NULL);
	if (sig != ORPHANED)
		tell(RUN_ENDED, status);
	kill(0, SIGKILL);		/* what the command left behind, and this process */
	_exit(0);
}

/* ---- In the worker ---- */

static int
pipe_high(int ends[2])
{
	int made[2], i;

	if (pipe2(made, O_CLOEXEC) == -1)
		return -1;
	for (i = 0; i < 2; i++) {
		ends[i] = fcntl(made[i], F_DUPFD_CLOEXEC, ABOVE);
		close(made[i]);
	}
	return ends[0] != -1 && ends[1] != -1 ? fcntl(ends[0], F_SETFL, O_NONBLOCK) : -1;
}

static int
listen_to(const struct command *c, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(c->ready, EPOLL_CTL_ADD, fd, &e);
}

int
command_start(struct command *c, const struct exec_opts *o, char *const environment[], int input)
{
	int ends[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, rc, i;
	pid_t worker = getpid();

	*c = (struct command){ .guard = 0 };
	c->ready = epoll_create1(EPOLL_CLOEXEC);
	rc = c->ready == -1 ? -1 : 0;
	for (i = 0; i < 3 && rc == 0; i++)
		rc = pipe_high(ends[i]);
	if (rc == 0 && (rc = c->guard = fork()) == 0) {
		if (guard_files(input, ends[0][1], ends[1][1], ends[2][1]) == 0)
			guard(o, environment, worker);
		_exit(1);
	}
	if (rc > 0)
		setpgid(c->guard, c->guard);	/* as the guard does: whoever comes first */
	for (i = 0; i < 3; i++)
		if (ends[i][1] != -1)
			close(ends[i][1]);
	c->out = ends[0][0];
	c->err = ends[1][0];
	c->report = ends[2][0];
	if (rc > 0 && listen_to(c, c->out) == 0 && listen_to(c, c->err) == 0 &&
	    listen_to(c, c->report) == 0)
		return 0;
	command_end(c);
	return -1;
}

int
command_report(struct command *c)
{
	struct report r;
	ssize_t n;

	while ((n = read(c->report, &r, sizeof(r))) == (ssize_t)sizeof(r)) {
		if (r.what == RUN_FAILED)
			c->failed = r.value;
		else
			c->status = r.value;
		c->ended |= r.what == RUN_ENDED;
	}
	return n == 0;
}

void
command_signal(const struct command *c, int sig)
{
	if (c->guard > 0)
		(void)kill(-c->guard, sig);	/* the guard blocks all but SIGKILL */
}

void
command_shut(struct command *c, int *fd)
{
	if (*fd == -1)
		return;
	(void)epoll_ctl(c->ready, EPOLL_CTL_DEL, *fd, NULL);
	close(*fd);
	*fd = -1;
}

void
command_end(struct command *c)
{
	int saved = errno;

	command_signal(c, SIGKILL);
	while (c->guard > 0 && waitpid(c->guard, NULL, 0) == -1 && errno == EINTR)
		;
	c->guard = 0;
	command_shut(c, &c->out);
	command_shut(c, &c->err);
	command_shut(c, &c->report);
	if (c->ready != -1)
		close(c->ready);
	c->ready = -1;
	errno = saved;
}

/* Starts child processes, reports how they ended, reads a worker's output. */
#include "child.h"
#include "filter.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ABOVE		10		/* lowest of our own file descriptors for a child */
#define ENV_MAX		8		/* variables of a worker */
#define CHILD_LAST_READS 16		/* reads of an ended child's output */
#define OOM		"/proc/self/oom_score_adj"
#define OOM_MAX		1000L
#define SELF		"/proc/self/exe"	/* this program, also when its file was replaced */

/* The folder that this program runs from. */
static const char *
own_folder(void)
{
	static char folder[PATH_MAX];
	char *slash;
	ssize_t n;

	if (folder[0] != '\0')
		return folder;
	n = readlink(SELF, folder, sizeof(folder) - 1);
	if (n <= 0)
		return "";
	folder[n] = '\0';
	slash = strrchr(folder, '/');
	if (slash != NULL)
		*slash = '\0';
	return folder;
}

static const char *
child_worker_path(void)
{
	static char path[PATH_MAX + 32];

	if (path[0] != '\0')
		return path;
	snprintf(path, sizeof(path), "%s/courant-worker", own_folder());
	if (access(path, X_OK) == -1)
		snprintf(path, sizeof(path), "%s/courant-worker", COURANT_LIBEXECDIR);
	return path;
}

const char *
child_plugin_dir(void)
{
	static char path[PATH_MAX + 32];

	if (path[0] != '\0')
		return path;
	snprintf(path, sizeof(path), "%s/courant-worker", own_folder());
	if (access(path, X_OK) == 0)
		snprintf(path, sizeof(path), "%s/plugins", own_folder());
	else
		snprintf(path, sizeof(path), "%s", COURANT_PLUGINDIR);
	return path;
}

/* Moves both file descriptors of a pair to ABOVE and higher: the child gets the numbers 0 to 4. */
static int
pair_high(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		int fd = fcntl(pair[i], F_DUPFD_CLOEXEC, ABOVE);

		close(pair[i]);
		pair[i] = fd;
	}
	if (pair[0] != -1 && pair[1] != -1)
		return 0;
	for (int i = 0; i < 2; i++)
		if (pair[i] != -1)
			close(pair[i]);
	return -1;
}

/* Signals that terminals and service managers send to all processes of a group at once. */
static const int group_signal[] = { SIGTERM, SIGINT, SIGHUP };

static void
group_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(group_signal) / sizeof(group_signal[0]); i++)
		sigaddset(set, group_signal[i]);
}

static int
start(pid_t *pid, const char *path, char *const argv[], char *const env[], int channel, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t held, all;
	int rc;

	group_signals(&held);		/* blocked until child_bind() */
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, channel, 3);
	if (out != -1) {
		posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDWR, 0);
		posix_spawn_file_actions_adddup2(&files, 0, 1);
		posix_spawn_file_actions_adddup2(&files, 0, 2);
		posix_spawn_file_actions_adddup2(&files, out, CHILD_LOG);
	}
	posix_spawn_file_actions_addclosefrom_np(&files, out != -1 ? CHILD_LOG + 1 : CHILD_LOG);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &held);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, path, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Starts path with a channel, and as a worker with a pipe for what it says. */
static int
child_start(struct child *c, const char *path, char *const argv[], char *const env[], int worker)
{
	int channel[2] = { -1, -1 }, out[2] = { -1, -1 }, rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == -1 ||
	    pair_high(channel) == -1) {
		log_warn("no channel for %s: %s", path, strerror(errno));
		return -1;
	}
	if (worker && (pipe2(out, O_CLOEXEC) == -1 || pair_high(out) == -1)) {
		rc = errno;
	} else {
		rc = start(&c->pid, path, argv, env, channel[1], out[1]);
	}
	close(channel[1]);
	if (out[1] != -1)
		close(out[1]);
	if (rc != 0) {
		log_warn("%s cannot be started: %s", path, strerror(rc));
		close(channel[0]);
		if (out[0] != -1)
			close(out[0]);
		errno = rc;
		return -1;
	}
	c->fd = channel[0];
	c->out = out[0];
	return 0;
}

static int
start_role(struct child *c, const char *path, const char *role, int debug)
{
	char *argv[] = { xasprintf("courantd"), xasprintf("--role"), xstrdup(role),
		debug ? xstrdup("--debug") : NULL, NULL };
	int rc = child_start(c, path, argv, environ, 0);

	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	return rc;
}

int
child_role(struct child *c, const char *role, int debug)
{
	return start_role(c, SELF, role, debug);
}

int
child_daemon_role(struct child *c, const char *role)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/courantd", own_folder());
	if (access(path, X_OK) == -1)
		snprintf(path, sizeof(path), "%s/courantd", COURANT_SBINDIR);
	return start_role(c, path, role, 0);
}

/* The variables of our environment that a worker gets; sanitizers read their options before main().
 * All others may hold what is nobody else's business. */
static const char *const passed[] = {
	"TZ",
#ifndef COURANT_SANDBOX
	"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
#endif
};

/* The loader searches LD_LIBRARY_PATH before everything but a DT_RPATH, whose folders the worker's
 * sandbox denies. NULL: it is not needed. */
static char *
library_path(const char *libraries)
{
	const char *given = getenv("LD_LIBRARY_PATH");
	int own = libraries != NULL && libraries[0] != '\0';

	if (given == NULL || given[0] == '\0')
		return own ? xasprintf("LD_LIBRARY_PATH=%s", libraries) : NULL;
	return own ? xasprintf("LD_LIBRARY_PATH=%s:%s", libraries, given) :
	    xasprintf("LD_LIBRARY_PATH=%s", given);
}

int
child_worker(struct child *c, const char *libraries)
{
	char name[] = "courant-worker";
	char *argv[] = { name, NULL }, *env[ENV_MAX + 1] = { NULL };
	const char *value;
	size_t n = 0;
	int rc;

	if (user_is_root()) {		/* each program has given root up before */
		log_warn("a worker runs the code of plugins: it is not started as root");
		errno = EPERM;
		return -1;
	}
	if ((env[n] = library_path(libraries)) != NULL)
		n++;
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if ((value = getenv(passed[i])) != NULL)
			env[n++] = xasprintf("%s=%s", passed[i], value);
	rc = child_start(c, child_worker_path(), argv, env, 1);
	while (n > 0)
		free(env[--n]);
	return rc;
}

static void
do_nothing(int sig)
{
	(void)sig;
}

void
child_signals(int commands)
{
	struct sigaction sa = { .sa_handler = commands ? do_nothing : SIG_IGN,
		.sa_flags = SA_RESTART };

	for (size_t i = 0; i < sizeof(group_signal) / sizeof(group_signal[0]); i++)
		(void)sigaction(group_signal[i], &sa, NULL);
}

void
child_ignore_io(void)
{
	(void)signal(SIGIO, SIG_IGN);
	(void)signal(SIGURG, SIG_IGN);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		(void)signal(sig, SIG_IGN);
}

int
child_bind(void)
{
	struct ucred parent = { 0 };
	socklen_t n = sizeof(parent);
	sigset_t held;

	child_signals(0);
	group_signals(&held);
	sigprocmask(SIG_UNBLOCK, &held, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    getsockopt(3, SOL_SOCKET, SO_PEERCRED, &parent, &n) == -1)
		return 0;		/* not started by core: reading the channel fails */
	return parent.pid == getppid() ? 0 : -1;
}

void
child_expendable(int more)
{
	char text[32] = "";
	int fd = open(OOM, O_RDWR | O_CLOEXEC), n;
	long now;

	if (fd == -1)
		return;			/* /proc is not mounted */
	(void)!read(fd, text, sizeof(text) - 1);
	now = strtol(text, NULL, 10) + more;
	n = snprintf(text, sizeof(text), "%ld", now < OOM_MAX ? now : OOM_MAX);
	if (pwrite(fd, text, (size_t)n, 0) == -1)
		log_debug("%s: %s", OOM, strerror(errno));
	close(fd);
}

/* Exit statuses with a meaning. */
static const struct {
	int		 status;
	const char	*meaning;
} exits[] = {
	{ 65, "the database is of a newer version" },
	{ 66, "the database is damaged" },
	{ 70, "an internal error" },
	{ 71, "out of memory" },
	{ 73, "cannot write" },
	{ 74, "the disk refused" },
	{ 75, "locked by another process" },
	{ 127, "the program could not be run" },
};

void
child_obituary(struct buf *b, int status)
{
	int sig, code;

	if (WIFSIGNALED(status)) {
		sig = WTERMSIG(status);
		buf_fmt(b, "killed by signal %d (%s)", sig, strsignal(sig));
		return;
	}
	code = WEXITSTATUS(status);
	buf_fmt(b, "exit status %d", code);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		if (exits[i].status == code)
			buf_fmt(b, " (%s)", exits[i].meaning);
}

/* The place of a crash, behind the mark of a line of a worker's output; points into line. NULL: the
 * line reports no crash. */
static const char *
child_crash(const char *line)
{
	size_t n = strlen(CRASH_MARK);

	return strncmp(line, CRASH_MARK, n) == 0 ? line + n : NULL;
}

void
child_obituary_at(struct buf *b, int status, const char *crash)
{
	child_obituary(b, status);
	if (!WIFSIGNALED(status) || crash == NULL)
		return;
	buf_char(b, ' ');
	for (; *crash != '\0'; crash++)	/* a plugin may have written it */
		buf_char(b, *crash >= ' ' && *crash < 0x7f ? *crash : '?');
}

/* ---- The child's end ---- */

int
child_reap(pid_t pid, int64_t ms, int *status)
{
	int64_t until = date_ticks() + ms;
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && date_ticks() < until)
		usleep(500);
	if (ended != 0)
		return 0;
	kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) == -1 && errno == EINTR)
		;
	return 1;
}

/* ---- The child's output ---- */

int
child_denied(const char *line)
{
	return strncmp(line, FILTER_DENIED, strlen(FILTER_DENIED)) == 0;
}

static void
output_line(struct child_output *o)
{
	const char *crash;

	o->line[o->n] = '\0';
	if ((crash = child_crash(o->line)) != NULL)
		xreplace(&o->crash, crash);
	else if (child_denied(o->line) ? o->denied++ < FILTER_DENIED_MAX :
	    o->n > 0 && o->lines++ < o->most)
		o->say(o->line, o->arg);
	o->n = 0;
}

int
child_output_read(struct child_output *o)
{
	char text[CHILD_READ];
	ssize_t n = read(o->fd, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++) {
		if (text[i] != '\n' && o->n < CHILD_LINE)
			o->line[o->n++] = text[i];
		else
			output_line(o);
	}
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)) ? 0 : -1;
}

void
child_output_end(struct child_output *o)
{
	for (int i = 0; i < CHILD_LAST_READS && child_output_read(o) == 0; i++)
		;
	output_line(o);
}

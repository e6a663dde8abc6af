/* Starting child processes, and telling how they ended. */
#include "child.h"
#include "log.h"
#include "mem.h"

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

#define ABOVE		10		/* our descriptors of a child lie from here on */
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

const char *
spawn_worker_path(void)
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
spawn_plugin_dir(void)
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

/* A pair of descriptors, ours first; both lie high, out of the way of what the child gets. */
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

static int
start(pid_t *pid, const char *path, char *const argv[], int channel, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, channel, 3);
	if (out != -1) {
		posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&files, out, 1);
		posix_spawn_file_actions_adddup2(&files, out, 2);
	}
	posix_spawn_file_actions_addclosefrom_np(&files, 4);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, path, &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Starts path with a channel, and when capture is set a pipe for its output. */
static int
child_start(struct child *c, const char *path, char *const argv[], int capture)
{
	int channel[2] = { -1, -1 }, out[2] = { -1, -1 }, rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) == -1 ||
	    pair_high(channel) == -1) {
		log_warn("no channel for %s: %s", path, strerror(errno));
		return -1;
	}
	if (capture && (pipe2(out, O_CLOEXEC) == -1 || pair_high(out) == -1)) {
		rc = errno;
	} else {
		rc = start(&c->pid, path, argv, channel[1], out[1]);
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
	int rc = child_start(c, path, argv, 0);

	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	return rc;
}

int
spawn_role(struct child *c, const char *role, int debug)
{
	return start_role(c, SELF, role, debug);
}

int
spawn_daemon_role(struct child *c, const char *role)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/courantd", own_folder());
	if (access(path, X_OK) == -1)
		snprintf(path, sizeof(path), "%s/courantd", COURANT_SBINDIR);
	return start_role(c, path, role, 0);
}

int
spawn_worker(struct child *c, int capture)
{
	char name[] = "courant-worker";
	char *argv[] = { name, NULL };

	return child_start(c, spawn_worker_path(), argv, capture);
}

int
spawn_bind(void)
{
	struct ucred parent = { 0 };
	socklen_t n = sizeof(parent);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
	    getsockopt(3, SOL_SOCKET, SO_PEERCRED, &parent, &n) == -1)
		return 0;		/* nobody's child: what reads the channel finds out */
	return parent.pid == getppid() ? 0 : -1;
}

/* Exit statuses that say more than a number. */
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
spawn_obituary(struct buf *b, int status)
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

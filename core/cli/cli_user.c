/* `courant` started by root: root is given up before plugin code runs. */
#include "cli_user.h"
#include "cli_print.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/user.h"
#include "conf/setup.h"
#include "ipc/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY		"nobody"
#define OPTION_FILE_MAX	(4u << 20)	/* bytes of a file that an option names */

struct early {
	char	*path;
	int	 fd;			/* -1: taken, or it could not be opened */
	int	 error;			/* errno then */
};

static struct {
	int			 root;	/* this program was started as root */
	struct passwd		 pw;	/* whom it becomes then */
	struct early		*file;
	size_t			 n;
} user;

static _Noreturn void
fail(const char *why)
{
	print_error("courant: no plugin runs as root, but %s\n", why);
	exit(1);
}

uid_t
cli_user(const struct setup *s)
{
	const char *name = s != NULL && s->user != NULL ? s->user : NOBODY;
	const struct passwd *pw;
	struct buf why;

	if (!user_is_root())
		return geteuid();
	buf_init(&why, 1024);
	pw = user_find(name, &why);
	if (pw == NULL)
		fail(why.data);
	buf_free(&why);
	user.root = 1;
	user.pw = *pw;			/* the next caller of getpwnam() overwrites its strings */
	user.pw.pw_name = xstrdup(pw->pw_name);
	return user.pw.pw_uid;
}

/* ---- Files ---- */

/* All files of the command line are open at once. */
static void
limit_raise(void)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, &all) == -1)
		return;
	all.rlim_cur = all.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &all);
}

static void
early_add(const char *path)
{
	struct early *e;

	user.file = xreallocarray(user.file, user.n + 1, sizeof(*user.file));
	e = &user.file[user.n++];
	e->path = xstrdup(path);
	e->fd = open(path, O_RDONLY | O_CLOEXEC);
	e->error = errno;
}

void
cli_user_files(char *const *paths)
{
	if (!user_is_root())
		return;
	limit_raise();
	for (; *paths != NULL; paths++)
		if (strcmp(*paths, "-") != 0)
			early_add(*paths);
}

static int
is_file_option(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, "_file") == 0;
}

void
cli_user_options(const struct options *all)
{
	for (size_t i = 0; i < all->n && user_is_root(); i++)
		if (is_file_option(all->v[i].name))
			early_add(all->v[i].value);
}

static struct early *
early_find(const char *path)
{
	for (size_t i = 0; i < user.n; i++)
		if (user.file[i].path != NULL && strcmp(user.file[i].path, path) == 0)
			return &user.file[i];
	return NULL;
}

/* The file is no longer wanted. */
static void
early_drop(struct early *e)
{
	free(e->path);
	e->path = NULL;
}

int
cli_file(const char *path)
{
	struct early *e = early_find(path);

	if (e == NULL)
		return open(path, O_RDONLY | O_CLOEXEC);
	early_drop(e);
	errno = e->error;
	return e->fd;
}

/* Copies a file to memory, with its mode, which the reader of secrets checks. -1 with errno. */
static int
copy_new(int from)
{
	static char part[65536];
	struct stat st;
	size_t sum = 0;
	ssize_t n = 0;
	int to = fstat(from, &st) == 0 && S_ISREG(st.st_mode) ? memfd_new(NULL, 0) : -1;

	while (to != -1 && sum <= OPTION_FILE_MAX && (n = read(from, part, sizeof(part))) > 0) {
		sum += (size_t)n;
		if (write(to, part, (size_t)n) != n)
			break;
	}
	if (to != -1 && n == 0 && fchmod(to, st.st_mode & 0777) == 0)
		return to;
	if (to != -1)
		close(to);
	return -1;
}

/* Replaces the path of a file that this user cannot read by that of its copy. */
static void
option_copy(char **value)
{
	struct early *e = early_find(*value);
	char name[32];
	int fd;

	if (e == NULL)
		return;
	fd = e->fd != -1 && access(*value, R_OK) == -1 ? copy_new(e->fd) : -1;
	if (e->fd != -1)
		close(e->fd);
	early_drop(e);
	if (fd == -1)
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	xreplace(value, name);
}

void
cli_user_drop(struct options *given)
{
	struct buf why;

	if (!user.root)
		return;
	buf_init(&why, 1024);
	if (user_become(&user.pw, &why) == -1)
		fail(why.data);
	buf_free(&why);
	for (size_t i = 0; i < given->n; i++)
		if (is_file_option(given->v[i].name))
			option_copy(&given->v[i].value);
}

const char *
cli_user_as(void)
{
	static char text[64];

	if (user.root)
		snprintf(text, sizeof(text), " as user %.40s", user.pw.pw_name);
	return text;
}

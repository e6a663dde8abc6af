/* Opening what a worker is to load. */
#include "trust.h"
#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX	40		/* links on one path, as the kernel's limit */
#define NAME_BYTES	(NAME_MAX + 1)

/* A path that is being followed. */
struct walk {
	int		 at;		/* the folder reached so far, O_PATH */
	char		*rest;		/* what is still to follow */
	struct buf	 reached;	/* path of `at`, for people; "" is / */
	uid_t		 own;
	int		 links;
	int		 links_only;	/* folders are not checked */
	mode_t		 mode;		/* of a folder to be made at the end; 0: none is */
	int		 made;
	struct buf	*why;
};

static int
refuse(void)
{
	errno = EPERM;
	return -1;
}

static const char *
reached(const struct walk *w)
{
	return w->reached.len > 0 ? w->reached.data : "/";
}

/* Goes on at a folder, which is taken. */
static void
walk_to(struct walk *w, int fd)
{
	close(w->at);
	w->at = fd;
}

/* Takes the next name off the rest; "": nothing is left. -1 with errno: it is too long. */
static int
name_next(struct walk *w, char name[NAME_BYTES])
{
	char *s = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(s, "/");

	if (n >= NAME_BYTES) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, s, n);
	name[n] = '\0';
	s += n;
	s += strspn(s, "/");
	memmove(w->rest, s, strlen(s) + 1);
	return 0;
}

/* Checks the folder reached. last: what is loaded lies in it itself. */
static int
folder_check(const struct walk *w, int last)
{
	struct stat st;
	int open_to_all;

	if (w->links_only)
		return 0;
	if (fstat(w->at, &st) == -1)
		return -1;
	open_to_all = (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (last || (st.st_mode & S_ISVTX) == 0);
	if (st.st_uid != 0 && st.st_uid != w->own)
		buf_fmt(w->why, "lies below folder %s, which belongs to user %u (mode %04o); only root's "
		    "or the daemon's own (%u) are trusted: chown root it", reached(w),
		    (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777), (unsigned)w->own);
	else if (open_to_all)
		buf_fmt(w->why, "lies %s folder %s, in which others can put what they like (owner %u, "
		    "mode %04o): chmod go-w it", last ? "in" : "below", reached(w),
		    (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	else
		return 0;
	return refuse();
}

/* Puts the target of a link in front of the rest. */
static int
link_follow(struct walk *w, int fd, const char *name, const struct stat *st)
{
	char target[PATH_MAX], *rest;
	ssize_t n;
	int root;

	if (st->st_uid != 0 && st->st_uid != w->own) {
		buf_fmt(w->why, "is reached over the link %s/%s, which belongs to user %u; only links of "
		    "root or of user %u are followed", w->reached.len > 0 ? w->reached.data : "",
		    name, (unsigned)st->st_uid, (unsigned)w->own);
		return refuse();
	}
	n = readlinkat(fd, "", target, sizeof(target) - 1);
	if (n == -1)
		return -1;
	target[n] = '\0';
	if (w->links++ == LINKS_MAX) {
		errno = ELOOP;
		return -1;
	}
	rest = xasprintf("%s/%s", target, w->rest);
	if (w->rest[0] == '\0')
		rest[n] = '\0';		/* no / behind the last name */
	free(w->rest);
	w->rest = rest;
	if (target[0] != '/')
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root == -1)
		return -1;
	buf_clear(&w->reached);
	walk_to(w, root);
	return 0;
}

static void
reached_add(struct walk *w, const char *name)
{
	if (strcmp(name, "..") != 0) {
		buf_fmt(&w->reached, "/%s", name);
		return;
	}
	while (w->reached.len > 0 && w->reached.data[w->reached.len - 1] != '/')
		w->reached.len--;
	w->reached.len -= w->reached.len > 0;
	if (w->reached.data != NULL)
		w->reached.data[w->reached.len] = '\0';
}

/* Follows one name. 1: go on; 0: *file is open; -1. */
static int
step(struct walk *w, const char *name, int folder, int *file)
{
	int fd, last = w->rest[0] == '\0' && !folder, rc = 1;
	struct stat st;

	if (folder_check(w, last) == -1)
		return -1;
	fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT && w->mode != 0 && w->rest[0] == '\0' &&
	    mkdirat(w->at, name, w->mode) == 0) {
		w->made = 1;
		fd = openat(w->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd == -1 || fstat(fd, &st) == -1)
		rc = -1;
	else if (S_ISLNK(st.st_mode))
		rc = link_follow(w, fd, name, &st) == -1 ? -1 : 1;
	else if (last) {
		*file = openat(w->at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		rc = *file != -1 ? 0 : -1;
	} else if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		rc = -1;
	} else {
		walk_to(w, fd);
		reached_add(w, name);
		return 1;
	}
	if (fd != -1) {
		int error = errno;

		close(fd);
		errno = error;
	}
	return rc;
}

static int
walk_open(struct walk *w, const char *path, uid_t own, struct buf *why)
{
	char here[PATH_MAX] = "";

	*w = (struct walk){ .own = own, .why = why };
	if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
		return -1;
	w->at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->at == -1)
		return -1;
	w->rest = xasprintf("%s/%s", here, path);
	buf_init(&w->reached, 4 * PATH_MAX);
	return 0;
}

/* Follows a path to its end. folder: it is one, and is checked as the last. 0; -1 with errno. */
static int
walk_run(struct walk *w, int folder, int *file)
{
	char name[NAME_BYTES];
	int rc = 1;

	while (rc == 1) {
		errno = EISDIR;		/* a path that ends in / or . is no file's */
		if (name_next(w, name) == -1)
			rc = -1;
		else if (name[0] == '\0')
			rc = folder ? folder_check(w, 1) : -1;
		else if (strcmp(name, ".") != 0)
			rc = step(w, name, folder, file);
	}
	return rc;
}

static void
walk_close(struct walk *w)
{
	int error = errno;

	close(w->at);
	free(w->rest);
	buf_free(&w->reached);
	errno = error;
}

int
trust_open(const char *path, uid_t own, struct buf *why)
{
	struct walk w;
	int file = -1;

	if (walk_open(&w, path, own, why) == -1)
		return -1;
	if (walk_run(&w, 0, &file) == -1)
		file = -1;
	walk_close(&w);
	return file;
}

int
trust_folder(const char *path, uid_t own, struct buf *why)
{
	struct walk w;
	int none, rc;

	if (walk_open(&w, path, own, why) == -1)
		return -1;
	rc = walk_run(&w, 1, &none);
	walk_close(&w);
	return rc;
}

int
trust_make(const char *path, mode_t mode, int *made, struct buf *why)
{
	struct walk w;
	int none, fd = -1;

	*made = 0;
	if (walk_open(&w, path, 0, why) == -1)
		return -1;
	w.links_only = 1;
	w.mode = mode;
	if (walk_run(&w, 1, &none) == 0)
		fd = openat(w.at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*made = w.made;
	walk_close(&w);
	return fd;
}

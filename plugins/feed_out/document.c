/* A document on its way to its name: whole or not at all. */
#include "feed_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
document_open(struct out *o, const char *path, const char *suffix)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	o->error = 0;
	o->len = 0;
	snprintf(o->name, sizeof(o->name), "%s%s", path, suffix);
	snprintf(o->temporary, sizeof(o->temporary), "%.*s.%s%s.tmp", (int)folder, path,
	    path + folder, suffix);
	o->self[0] = '\0';
	o->fd = open(o->temporary,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	return o->fd == -1 ? -1 : 0;
}

/* Whether both files hold the same bytes. */
static int
same_bytes(int a, int b)
{
	char p[4096], q[4096];
	struct stat sa, sb;
	off_t at;
	ssize_t n;

	if (fstat(a, &sa) == -1 || fstat(b, &sb) == -1 || sa.st_size != sb.st_size)
		return 0;
	for (at = 0; at < sa.st_size; at += n) {
		if ((n = pread(a, p, sizeof(p), at)) <= 0 || pread(b, q, sizeof(q), at) != n ||
		    memcmp(p, q, (size_t)n) != 0)
			return 0;
	}
	return 1;
}

static int
out_unchanged(const struct out *o)
{
	int fd = open(o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), same;

	if (fd == -1)
		return 0;
	same = same_bytes(o->fd, fd);
	close(fd);
	return same;
}

void
document_drop(struct out *o)
{
	if (o->fd == -1)
		return;
	close(o->fd);
	o->fd = -1;
	unlink(o->temporary);
}

int
document_finish(struct out *o)
{
	int saved;

	out_flush(o);
	errno = o->error;
	if (o->error == 0 && out_unchanged(o)) {
		document_drop(o);
		return 0;
	}
	if (o->error == 0 && fsync(o->fd) == 0 && rename(o->temporary, o->name) == 0) {
		close(o->fd);
		o->fd = -1;
		return 0;
	}
	saved = errno;
	document_drop(o);
	errno = saved;
	return -1;
}

/* Reads file: URLs: a file below an allowed folder, answered as the fetch role answers. */
#include "file_url.h"
#include "setup.h"
#include "base/mem.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"

#include <linux/openat2.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Media types by file name extension. */
static const struct {
	const char	*end, *type;
} types[] = {
	{ ".rss", "application/rss+xml" }, { ".atom", "application/atom+xml" },
	{ ".xml", "application/xml" }, { ".rdf", "application/rdf+xml" },
	{ ".json", "application/json" }, { ".html", "text/html" }, { ".txt", "text/plain" },
	{ ".opml", "text/x-opml" },
};

static const char *
type_of(const char *path)
{
	size_t len = strlen(path), n;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		n = strlen(types[i].end);
		if (len > n && strcmp(path + len - n, types[i].end) == 0)
			return types[i].type;
	}
	return "";
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of a file: URL (RFC 8089: no host, or localhost), percent-decoded. NULL: not valid. */
static char *
path_of(const char *url)
{
	const char *s = url + strlen("file:");
	char *path, *to;

	if (strncmp(s, "//", 2) == 0)
		s = strncmp(s + 2, "localhost/", 10) == 0 ? s + 11 : s + 2;
	if (*s != '/')
		return NULL;
	path = to = xmalloc(strlen(s) + 1);
	for (; *s != '\0'; s++)
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to++ = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		} else
			*to++ = *s;
	*to = '\0';
	return path;
}

/* Opens the real path of `named` below the first allowed folder that has it; symbolic links may not
 * lead out of the folder. -1 with errno. */
static int
open_beneath(const struct setup *s, const char *named)
{
	char path[PATH_MAX];
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	size_t n;
	int dir, fd;

	if (realpath(named, path) == NULL)
		return -1;
	for (size_t i = 0; i < s->nfiles; i++) {
		n = strlen(s->files[i]);
		if (strncmp(path, s->files[i], n) != 0 || path[n] != '/')
			continue;
		dir = open(s->files[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir == -1)
			return -1;
		fd = (int)syscall(SYS_openat2, dir, path + n + 1, &how, sizeof(how));
		close(dir);
		return fd;
	}
	errno = EACCES;
	return -1;
}

/* Copies the file into a sealed memfd, within the kernel. -1 with errno. */
static int
copy_in(int fd, size_t size)
{
	int to = memfd_new(NULL, 0);
	size_t left = size;
	ssize_t n = 0;

	if (to == -1)
		return -1;
	while (left > 0 && (n = sendfile(to, fd, NULL, left)) > 0)
		left -= (size_t)n;
	if (left > 0 || write(to, "", 1) != 1 || memfd_seal(to) == -1) {
		if (n == 0)
			errno = EAGAIN;		/* the file became shorter meanwhile */
		close(to);
		return -1;
	}
	return to;
}

static const char *
own_text(struct buf *own, size_t begin)
{
	buf_char(own, '\0');
	return own->over ? "" : own->data + begin;
}

static int
refuse(struct fetch_done *d, struct buf *own, const char *why)
{
	size_t begin = own->len;

	buf_str(own, why);
	d->why = FETCH_BROKEN;
	d->error = own_text(own, begin);
	return -1;
}

/* Answers with the open file: its memfd, or -1 and *d says why. */
static int
answer(const struct fetch_job *j, int fd, struct fetch_done *d, struct buf *own)
{
	struct stat st;
	size_t begin = own->len;
	int body;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return refuse(d, own, "is no regular file");
	if ((uint64_t)st.st_size > j->max) {
		d->why = FETCH_TOO_LARGE;
		buf_fmt(own, "has %lld bytes, over the limit of %llu (limits: max_body)",
		    (long long)st.st_size, (unsigned long long)j->max);
		d->error = own_text(own, begin);
		return -1;
	}
	buf_fmt(own, "\"%lld-%lld.%09ld\"", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
	d->etag = own_text(own, begin);
	if (j->etag != NULL && j->validated != NULL && strcmp(j->validated, j->url) == 0 &&
	    strcmp(j->etag, d->etag) == 0) {
		d->status = 304;
		return -1;
	}
	body = copy_in(fd, (size_t)st.st_size);
	if (body == -1)
		return refuse(d, own, strerror(errno));
	d->status = 200;
	d->len = (uint64_t)st.st_size;
	return body;
}

int
local_fetch(const struct setup *s, const struct fetch_job *j, struct fetch_done *d, struct buf *own)
{
	char *path = path_of(j->url);
	int fd, body = -1;

	/* The strings of the answer point into own, which must not be reallocated as it grows. */
	(void)buf_room(own, own->max);
	*d = (struct fetch_done){ .url = j->url, .type = "", .charset = "", .headers = "",
		.retry_after = -1, .max_age = -1 };
	if (path == NULL)
		return refuse(d, own, "is no file: URL of this machine; say file:///PATH");
	d->type = type_of(path);
	fd = open_beneath(s, path);
	if (fd == -1)
		(void)refuse(d, own, errno == EACCES || errno == EXDEV ?
		    "lies below no folder that `files:` allows" : strerror(errno));
	else {
		body = answer(j, fd, d, own);
		close(fd);
	}
	free(path);
	return body;
}

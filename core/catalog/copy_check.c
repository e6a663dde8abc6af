/* Whether a plugin's copy is still what was copied. */
#include "copy_check.h"
#include "base/log.h"
#include "base/mem.h"

#include <openssl/evp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct copy_check {
	char		*folder, *hash, *file;
	int		 fd;		/* the copy; -1 */
	struct stat	 st;
	struct libraries own;
	size_t		 nth;		/* read now: 0: the copy; else its nth library */
	off_t		 at;
	EVP_MD_CTX	*digest;
	unsigned char	 sum[LIBRARY_MAX + 1][COPY_DIGEST];
};

static void
digest_take(EVP_MD_CTX *digest, unsigned char to[COPY_DIGEST])
{
	unsigned n;

	if (EVP_DigestFinal_ex(digest, to, &n) != 1 || n != COPY_DIGEST)
		fatal("no digest");
}

void
copy_hash(char hash[65], EVP_MD_CTX *digest, unsigned char sum[][COPY_DIGEST],
    const struct libraries *own)
{
	unsigned char all[COPY_DIGEST];

	memcpy(all, sum[0], COPY_DIGEST);
	if (own->n > 0) {
		EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
		EVP_DigestUpdate(digest, sum[0], COPY_DIGEST);
		for (size_t i = 0; i < own->n; i++) {
			EVP_DigestUpdate(digest, own->v[i].name, strlen(own->v[i].name) + 1);
			EVP_DigestUpdate(digest, sum[i + 1], COPY_DIGEST);
		}
		digest_take(digest, all);
	}
	for (unsigned i = 0; i < COPY_DIGEST; i++)
		snprintf(hash + 2 * i, 3, "%02x", all[i]);
}

struct copy_check *
copy_check_new(const char *copy, const char *folder, const char *hash)
{
	struct copy_check *c = xcalloc(1, sizeof(*c));

	c->file = xstrdup(copy);
	c->folder = xstrdup(folder);
	c->hash = xstrdup(hash);
	c->digest = EVP_MD_CTX_new();
	if (c->digest == NULL)
		fatal("no memory to look at a copy");
	c->fd = -1;
	return c;
}

void
copy_check_free(struct copy_check *c)
{
	if (c == NULL)
		return;
	if (c->fd != -1)
		close(c->fd);
	libraries_close(&c->own);
	EVP_MD_CTX_free(c->digest);
	free(c->folder);
	free(c->hash);
	free(c->file);
	free(c);
}

int
copy_check_libraries(const struct copy_check *c)
{
	return c->own.n > 0;
}

/* Whether others than root and this user could have written the file. -1, and why. */
static int
mode_check(const char *file, const struct stat *st, struct buf *why)
{
	if (S_ISREG(st->st_mode) && (st->st_uid == 0 || st->st_uid == geteuid()) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	buf_fmt(why, "%s is %s (owner %u, mode %04o)", file, S_ISREG(st->st_mode) ?
	    "one that others can write" : "no regular file", (unsigned)st->st_uid,
	    (unsigned)(st->st_mode & 07777));
	return -1;
}

/* Whether the libraries' folder holds those that the copy needs, and no other: the loader would
 * prefer one in it to the system's. */
static int
folder_whole(const struct copy_check *c, struct buf *why)
{
	DIR *dir = opendir(c->folder);
	const struct dirent *de;
	size_t n, found = 0;

	while (dir != NULL && (de = readdir(dir)) != NULL) {
		n = strlen(de->d_name);
		if (de->d_name[0] != '.' && (n < 4 || strcmp(de->d_name + n - 4, ".new") != 0))
			found++;
	}
	if (dir != NULL)
		closedir(dir);
	if (found == c->own.n)
		return 0;
	buf_fmt(why, "%s has %zu files, and the copy needs %zu", c->folder, found, c->own.n);
	return -1;
}

/* The copy is read: finds its libraries, which are read next. -1, and why. */
static int
libraries_open(struct copy_check *c, struct buf *why)
{
	if (libraries_copied(&c->own, c->folder, c->fd, why) == -1)
		return -1;
	for (size_t i = 0; i < c->own.n; i++)
		if (mode_check(c->own.v[i].file, &c->own.v[i].st, why) == -1)
			return -1;
	return folder_whole(c, why);
}

/* All is read. */
static int
compare(struct copy_check *c, struct buf *why)
{
	char hash[65];

	copy_hash(hash, c->digest, c->sum, &c->own);
	if (strcmp(hash, c->hash) == 0)
		return 0;
	buf_fmt(why, "its SHA-256 is %s", hash);
	return -1;
}

static int
copy_open(struct copy_check *c, struct buf *why)
{
	c->fd = open(c->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd == -1 || fstat(c->fd, &c->st) == -1) {
		buf_fmt(why, "it cannot be opened: %s", strerror(errno));
		return -1;
	}
	EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL);
	return mode_check(c->file, &c->st, why) == -1 ? -1 : 1;
}

int
copy_check_step(struct copy_check *c, struct buf *why)
{
	MEM_UNSET char part[COPY_STEP];
	ssize_t n;

	if (c->fd == -1)
		return copy_open(c, why);
	n = pread(c->nth == 0 ? c->fd : c->own.v[c->nth - 1].fd, part, sizeof(part), c->at);
	if (n == -1 && errno != EINTR && errno != EAGAIN) {
		buf_fmt(why, "it cannot be read: %s", strerror(errno));
		return -1;
	}
	if (n > 0 && EVP_DigestUpdate(c->digest, part, (size_t)n) != 1)
		fatal("no digest");
	c->at += n > 0 ? n : 0;
	if (n != 0)
		return 1;
	digest_take(c->digest, c->sum[c->nth]);
	if (c->nth == 0 && libraries_open(c, why) == -1)
		return -1;
	if (c->nth++ == c->own.n)
		return compare(c, why);
	c->at = 0;
	EVP_DigestInit_ex(c->digest, EVP_sha256(), NULL);
	return 1;
}

int
copy_remove(const char *path)
{
	const struct dirent *de;
	DIR *dir;

	if (unlink(path) == 0)
		return 0;
	dir = opendir(path);
	while (dir != NULL && (de = readdir(dir)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), de->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	return rmdir(path);
}

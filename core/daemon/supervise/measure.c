/* The memory of one process, its memory files included, as /proc tells. */
#include "measure.h"
#include "base/mem.h"
#include "ipc/memfd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_MAX 4096 /* bytes of /proc/PID/status */

uint64_t
measure_device(void)
{
	int fd = memfd_new(NULL, 0);
	struct stat st = { 0 };

	if (fd == -1)
		return 0;
	(void)fstat(fd, &st);
	close(fd);
	return st.st_dev;
}

uint64_t
measure_own(pid_t pid)
{
	static const char *const members[] = {
		"\nRssAnon:", "\nRssShmem:", "\nVmPTE:", "\nVmSwap:", "\nHugetlbPages:"
	};
	char path[64], text[STATUS_MAX];
	const char *at;
	uint64_t kib = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if ((at = strstr(text, members[i])) != NULL)
			kib += strtoull(at + strlen(members[i]), NULL, 10);
	return kib << 10;
}

static void
add(struct measure_files *f, const struct stat *st, uint64_t *bytes)
{
	const struct measure_file file = { st->st_ino, (uint64_t)st->st_blocks * 512 };

	if (f->n == f->room) {
		f->room = f->room > 0 ? 2 * f->room : 64;
		f->v = xreallocarray(f->v, f->room, sizeof(f->v[0]));
	}
	f->v[f->n++] = file;
	*bytes += file.bytes;
}

int
measure_open(pid_t pid, struct measure_files *f, uint64_t *bytes)
{
	const struct dirent *e;
	char path[64];
	struct stat st;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	all = opendir(path);
	if (all == NULL)
		return errno == ENOENT || errno == ESRCH ? 0 : -1;
	errno = 0;
	while ((e = readdir(all)) != NULL)
		if (e->d_name[0] != '.' && fstatat(dirfd(all), e->d_name, &st, 0) == 0 &&
		    st.st_dev == f->device && st.st_blocks > 0)
			add(f, &st, bytes);
	closedir(all);
	return 0;
}

static int
by_inode(const void *a, const void *b)
{
	const struct measure_file *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode;
}

void
measure_sort(struct measure_files *f)
{
	if (f->n > 0)
		qsort(f->v, f->n, sizeof(f->v[0]), by_inode);
}

int
measure_has(const struct measure_files *f, uint64_t inode)
{
	const struct measure_file key = { inode, 0 };

	return f->n > 0 && bsearch(&key, f->v, f->n, sizeof(f->v[0]), by_inode) != NULL;
}

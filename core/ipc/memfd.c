/* Memory files that carry large bodies between processes; once sealed, they cannot change. */
#include "memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEAL_TRIES	3

int
memfd_new(const void *p, size_t n)
{
	const char *at = p;
	int fd = memfd_create("courant", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t w;

	while (fd != -1 && n > 0) {
		w = write(fd, at, n);
		if (w == -1 && errno == EINTR)
			continue;
		if (w <= 0) {
			close(fd);
			return -1;
		}
		at += w;
		n -= (size_t)w;
	}
	return fd;
}

int
memfd_seal(int fd)
{
	int rc;

	/* EBUSY while another processor still holds a page that was just written. */
	for (int i = 0; (rc = fcntl(fd, F_ADD_SEALS, SEALS)) == -1 && errno == EBUSY &&
	    i < SEAL_TRIES; i++)
		usleep(1000);
	return rc;
}

const void *
memfd_map(int fd, size_t len, size_t *size)
{
	static const char nothing[1] = "";
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *p;

	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1 ||
	    (len != SIZE_MAX && (size_t)st.st_size < len)) {
		errno = EINVAL;
		return NULL;
	}
	*size = len != SIZE_MAX ? len : (size_t)st.st_size;
	if (*size == 0)
		return nothing;
	p = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	return p != MAP_FAILED ? p : NULL;
}

void
memfd_unmap(const void *p, size_t size)
{
	if (p != NULL && size > 0)
		munmap((void *)(uintptr_t)p, size);
}

/* The items in the memfds that pass between workers and store, and the memfds themselves. */
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS	(F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#define SEAL_TRIES	3
#define HEAD	(sizeof(uint32_t) + sizeof(uint8_t))

#define F(m, t)	WIRE(result_verdict, m, t)
const struct wire_field result_verdict[] = {
	F(verdict, U32), F(rule, STR), F(why, STR), F(changes, BYTES), WIRE_END
};
#undef F
#define F(m, t)	WIRE(result_item, m, t)
const struct wire_field result_item[] = {
	F(n, I64), F(revision, U32), F(id, STR), F(delivery, STR), F(source, STR),
	F(record, BYTES), F(changes, BYTES), F(seen, I64), WIRE_END
};

size_t
result_begin(struct buf *b, enum result_kind kind)
{
	size_t begun = b->len;

	wire_put_u32(b, 0);
	wire_put_u8(b, (uint8_t)kind);
	return begun;
}

void
result_end(struct buf *b, size_t begun)
{
	uint32_t len;

	if (b->over)
		return;
	len = (uint32_t)(b->len - begun - HEAD);
	memcpy(b->data + begun, &len, sizeof(len));
}

int
result_next(struct wire *all, enum result_kind *kind, struct wire *body)
{
	uint32_t len;

	if (!all->bad && all->at == all->end)
		return 0;
	len = wire_u32(all);
	*kind = (enum result_kind)wire_u8(all);
	if (all->bad || *kind < RESULT_RECORD || *kind > RESULT_ITEM ||
	    (size_t)(all->end - all->at) < len)
		return -1;
	wire_init(body, all->at, len);
	all->at += len;
	return 1;
}

int
result_fd(const void *p, size_t n)
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
result_seal(int fd)
{
	int rc;

	/* Busy as long as another processor still holds a page that was just written. */
	for (int i = 0; (rc = fcntl(fd, F_ADD_SEALS, SEALS)) == -1 && errno == EBUSY &&
	    i < SEAL_TRIES; i++)
		usleep(1000);
	return rc;
}

const void *
result_map(int fd, size_t len, size_t *size)
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
result_unmap(const void *p, size_t size)
{
	if (p != NULL && size > 0)
		munmap((void *)(uintptr_t)p, size);
}

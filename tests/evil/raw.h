/* Bytes of a plugin's own making in place of its host's results: the first four are the number of
 * records that it tells core of, the rest goes into the memory file as it is. */
#ifndef TESTS_EVIL_RAW_H
#define TESTS_EVIL_RAW_H
#include "../../core/ipc/msg.h"

#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define RAW_CHANNEL	3		/* to core */

struct raw_head { uint32_t len; uint16_t type, nfds; uint32_t id; };

/* The first empty memory file among the descriptors. */
static inline int
raw_out(void)
{
	int fd = RAW_CHANNEL + 1;

	while (fd < 64 && lseek(fd, 0, SEEK_END) != 0)
		fd++;
	return fd;
}

/* Writes what follows the number, and returns the number. */
static inline uint32_t
raw_write(const char *bytes, size_t len)
{
	uint32_t n = 0;

	if (len < sizeof(n) || pwrite(raw_out(), bytes + sizeof(n), len - sizeof(n), 0) == -1)
		_exit(1);
	memcpy(&n, bytes, sizeof(n));
	return n;
}

static inline void
raw_tell(const void *frame, size_t size)
{
	if (write(RAW_CHANNEL, frame, size) != (ssize_t)size)
		_exit(1);
}

/* Decodes hexadecimal digits in place; their number of bytes. */
static inline size_t
raw_hex(char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; text[2 * n] != '\0' && text[2 * n + 1] != '\0'; n++)
		text[n] = (char)((strchr(digits, text[2 * n]) - digits) << 4 |
		    (strchr(digits, text[2 * n + 1]) - digits));
	return n;
}
#endif

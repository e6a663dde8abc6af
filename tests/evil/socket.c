/* Opens sockets, and one inside the kernel's queue of requests.
 * tags: sandbox
 */
#include "evil.h"

#include <sys/socket.h>
#include <sys/syscall.h>

static void
evil(struct cr *cr)
{
	char ring[256] = { 0 };
	int fd[2];

	tell(cr, "inet", socket(AF_INET, SOCK_STREAM, 0) != -1);
	tell(cr, "unix", socket(AF_UNIX, SOCK_STREAM, 0) != -1);
	tell(cr, "pair", socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != -1);
	tell(cr, "io_uring", syscall(SYS_io_uring_setup, 4, ring) != -1);
}

EVIL_SOURCE("socket");

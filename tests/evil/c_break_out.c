/* Tries all that is forbidden while it is loaded; dies by SIGKILL if any of it works.
 * tags: sandbox
 */
#include "evil.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

__attribute__((constructor)) static void
evil(void)
{
	int fd[2];

	if (open("/etc/passwd", O_RDONLY) != -1 || open("/etc/hostname", O_RDONLY) != -1 ||
	    open("/tmp/courant-evil", O_WRONLY | O_CREAT, 0600) != -1 ||
	    socket(AF_INET, SOCK_STREAM, 0) != -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != -1 ||
	    fork() != -1 || kill(getppid(), SIGTERM) == 0 || kill(0, 0) == 0 ||
	    execl("/bin/true", "true", NULL) != -1)
		kill(getpid(), SIGKILL);
}

EVIL_CONSTRUCTOR("c_break_out");

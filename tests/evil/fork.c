/* Makes processes and threads.
 * tags: sandbox
 */
#include "evil.h"

#include <sys/syscall.h>

static void
evil(struct cr *cr)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	tell(cr, "fork", pid != -1);
	pid = vfork();
	if (pid == 0)
		_exit(0);
	tell(cr, "vfork", pid != -1);
	tell(cr, "clone3", syscall(SYS_clone3, NULL, 0) != -1);
}

EVIL_SOURCE("fork");

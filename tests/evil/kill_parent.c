/* Sends signals to the daemon, to its own group, and by way of a descriptor.
 * tags: sandbox
 */
#include "evil.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void
evil(struct cr *cr)
{
	struct f_owner_ex owner = { F_OWNER_PID, getppid() };

	tell(cr, "kill", kill(getppid(), SIGTERM) == 0);
	tell(cr, "kill group", kill(0, SIGTERM) == 0);
	tell(cr, "tgkill", syscall(SYS_tgkill, getppid(), getppid(), SIGTERM) == 0);
	tell(cr, "queue", sigqueue(getppid(), SIGTERM, (union sigval){ 0 }) == 0);
	tell(cr, "owner", fcntl(3, F_SETOWN, getppid()) == 0);
	tell(cr, "owner_ex", fcntl(3, F_SETOWN_EX, &owner) == 0);
	tell(cr, "ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
	tell(cr, "prlimit", prlimit(getppid(), RLIMIT_CPU, &(struct rlimit){ 0, 0 }, NULL) == 0);
}

EVIL_SOURCE("kill_parent");

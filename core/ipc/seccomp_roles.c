/* The system calls that each role may make once it is up, as tables. A call without a rule is
 * trapped: it fails with ENOSYS, and the role's log names it (filter.c). Calls that a library tries
 * first and does without, fail without a word. */
#include "seccomp_roles.h"

#ifndef COURANT_SANDBOX
struct bytes
seccomp_role(enum role_id id)
{
	(void)id;
	return (struct bytes){ 0 };
}
#else

#include "filter.h"
#include "seccomp_make.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

#define NO_TMPFILE	020000000	/* O_TMPFILE without its O_DIRECTORY */
/* Flags with which open() could change a file. */
#define WRITES		(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | NO_TMPFILE)
#define THREAD		(CLONE_VM | CLONE_THREAD)
#define LOCAL(type)	{ 0, SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_UNIX }, \
	{ 1, SCMP_CMP_MASKED_EQ, 0xf, type }
#define QUIET		SCMP_ACT_ERRNO(EAFNOSUPPORT)

/* For all roles: the event loop, the channel to core, memory files, memory, time, the log. */
static const struct rule every[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(preadv),
	CALL(recvmsg), CALL(sendmsg), CALL(shutdown), CALL(lseek), CALL(close), CALL(close_range),
	CALL(fstat), CALL(newfstatat), CALL(statx), CALL(stat), CALL(lstat), CALL(readlink),
	CALL(readlinkat), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(getcwd),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(epoll_ctl),
	CALL(timerfd_settime), CALL(timerfd_gettime), CALL(poll), CALL(ppoll), CALL(select),
	CALL(pselect6), CALL(futex), CALL(futex_waitv), CALL(brk), CALL(munmap), CALL(mremap),
	CALL(madvise), CALL_IF(mmap, LACKS(2, PROT_EXEC)), CALL_IF(mprotect, LACKS(2, PROT_EXEC)),
	CALL(memfd_create), CALL(ftruncate), CALL(clock_gettime), CALL(clock_getres),
	CALL(clock_nanosleep), CALL(nanosleep), CALL(gettimeofday), CALL(time), CALL(getrandom),
	CALL_IF(fcntl, IS(1, F_GETFD)), CALL_IF(fcntl, IS(1, F_SETFD)),
	CALL_IF(fcntl, IS(1, F_GETFL)), CALL_IF(fcntl, IS(1, F_SETFL), LACKS(2, O_ASYNC)),
	CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)), CALL_IF(fcntl, IS(1, F_ADD_SEALS)),
	CALL_IF(fcntl, IS(1, F_GET_SEALS)), CALL_IF(ioctl, IS(1, FIONREAD)),
	CALL_IF(ioctl, IS(1, TCGETS)), CALL(rt_sigaction), CALL(rt_sigprocmask),
	CALL(rt_sigreturn), CALL(sigaltstack), CALL_IF(kill, IS(0, FILTER_SELF)),
	CALL_IF(tgkill, IS(0, FILTER_SELF)), CALL(getpid), CALL(gettid), CALL(getppid),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getrlimit),
	CALL_IF(prlimit64, IS(0, 0), { 2, SCMP_CMP_EQ, 0, 0 }), CALL(getrusage), CALL(times),
	CALL(sched_yield), CALL(sched_getaffinity), CALL(getcpu), CALL(sysinfo), CALL(uname),
	CALL(restart_syscall), CALL(set_robust_list), CALL(rseq), CALL(membarrier), CALL(exit),
	CALL(exit_group), CALL_IF(prctl, IS(0, PR_SET_NAME)), CALL_IF(prctl, IS(0, PR_GET_NAME)),
	CALL_IF(prctl, IS(0, PR_SET_VMA)),
	/* To read only, whatever Landlock says. */
	CALL_IF(openat, LACKS(2, WRITES)), CALL_IF(open, LACKS(1, WRITES)),
};
/* A role without threads: libc would fork by these calls with all signals blocked, when a trap
 * would end the process without a log line. */
static const struct rule spawns[] = {
	CALL(clone3), CALL_IF(clone, HAS(0, CLONE_VM)),
};
/* Newer ways of calls above, which the filter cannot look into. */
static const struct rule unseen[] = {
	CALL(openat2),
};
/* SQLite writes the files that it opened before. At its end it removes the log, and syncs the
 * folder. */
static const struct rule database[] = {
	CALL(pwrite64), CALL(pwritev), CALL(fsync), CALL(fdatasync), CALL(fallocate),
	CALL(unlink), CALL(unlinkat), CALL_IF(fcntl, IS(1, F_GETLK)),
	CALL_IF(fcntl, IS(1, F_SETLK)), CALL_IF(fcntl, IS(1, F_SETLKW)),
	CALL_IF(fcntl, IS(1, F_OFD_GETLK)), CALL_IF(fcntl, IS(1, F_OFD_SETLK)),
};
/* Files of its own, in the one folder that Landlock lets it write in. O_TRUNC: versions of Landlock
 * before 3 do not know it. */
static const struct rule owns[] = {
	CALL_IF(openat, LACKS(2, O_TRUNC | NO_TMPFILE)), CALL_IF(open, LACKS(1, O_TRUNC | NO_TMPFILE)),
	CALL(rename), CALL(renameat), CALL(renameat2),
};
/* A reader's locks, and folders of outputs. */
static const struct rule reads[] = {
	CALL_IF(fcntl, IS(1, F_GETLK)), CALL_IF(fcntl, IS(1, F_SETLK)),
	CALL_IF(fcntl, IS(1, F_SETLKW)), CALL_IF(fcntl, IS(1, F_OFD_GETLK)),
	CALL_IF(fcntl, IS(1, F_OFD_SETLK)), CALL(getdents64), CALL(fstatfs), CALL(fadvise64),
};
/* Connections from the listening socket that serve was given. sendto() on those: a socket that
 * could send elsewhere is not to be had. */
static const struct rule accepts[] = {
	CALL(accept), CALL(accept4), CALL(getpeername), CALL(getsockname),
	CALL(getsockopt), CALL(setsockopt), CALL(sendto), CALL(recvfrom), CALL(sendfile),
};
/* For the name of an interface, in the link-local address of a visitor. */
static const struct rule interface_names[] = {
	CALL_IF(socket, LOCAL(SOCK_DGRAM)),
};
/* HTTP, DNS, and which of the kernel's addresses are of use (netlink); never to listen. */
static const struct rule connects[] = {
	CALL_IF(socket, IS(0, AF_INET)), CALL_IF(socket, IS(0, AF_INET6)),
	CALL_IF(socket, IS(0, AF_NETLINK)), CALL_IF(socketpair, IS(0, AF_UNIX)),
	CALL(connect), CALL(bind), CALL(getpeername), CALL(getsockname),
	CALL(getsockopt), CALL(setsockopt), CALL(sendto), CALL(recvfrom), CALL(sendmmsg),
	CALL(recvmmsg), CALL(pipe2), CALL(eventfd2), CALL(getdents64), CALL(fstatfs),
	/* Names are looked up in threads. */
	CALL_IF(clone, HAS_OF(0, THREAD, THREAD)), CALL_IF(ioctl, IS(1, FIONBIO)),
};
/* Unix sockets are denied: from the daemon's user the admin socket takes orders. libc asks nscd and
 * others by them for a name before it asks DNS. */
static const struct rule local_services[] = {
	CALL_IF(socket, LOCAL(SOCK_STREAM)), CALL_IF(socket, LOCAL(SOCK_DGRAM)),
};
/* The same as spawns, where threads are allowed; without clone3() libc takes clone(). */
static const struct rule spawns_no_thread[] = {
	CALL(clone3), CALL_IF(clone, HAS_OF(0, CLONE_VM, THREAD)),
};

#define OF(id)	(1u << (id))
#define NETWORK	(OF(ROLE_FETCH) | OF(ROLE_SEND) | OF(ROLE_MAIL))

/* One row a table: the roles that have it. */
static const struct {
	struct part	 part;
	unsigned	 roles;
} rows[] = {
	{ { RULES(every), SCMP_ACT_ALLOW, 0, 0 }, OF(ROLES_ALL) - 1 },
	{ { RULES(unseen), FAIL, 0, 0 }, OF(ROLES_ALL) - 1 },
	{ { RULES(database), SCMP_ACT_ALLOW, 0, 0 }, OF(ROLE_STORE) | OF(ROLE_INDEX) },
	{ { RULES(owns), SCMP_ACT_ALLOW, 0, 0 }, OF(ROLE_INDEX) },
	{ { RULES(reads), SCMP_ACT_ALLOW, 0, 0 }, OF(ROLE_SERVE) | OF(ROLE_INDEX) },
	{ { RULES(accepts), SCMP_ACT_ALLOW, 0, 0 }, OF(ROLE_SERVE) },
	{ { RULES(interface_names), QUIET, 0, 0 }, OF(ROLE_SERVE) },
	{ { RULES(spawns), FAIL, 0, 0 }, OF(ROLE_STORE) | OF(ROLE_SERVE) | OF(ROLE_INDEX) },
	{ { RULES(connects), SCMP_ACT_ALLOW, 0, 0 }, NETWORK },
	{ { RULES(local_services), QUIET, 0, 0 }, NETWORK },
	{ { RULES(spawns_no_thread), FAIL, 0, 0 }, NETWORK },
};
#define ROWS	(sizeof(rows) / sizeof(rows[0]))

struct bytes
seccomp_role(enum role_id id)
{
	struct part parts[ROWS];
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].roles & OF(id)) != 0)
			parts[n++] = rows[i].part;
	return seccomp_make(parts, n, SCMP_ACT_TRAP, 0);
}
#endif

/* The system calls that a worker may make, as tables. The process that starts a worker makes the
 * filter programs of them: loading libseccomp would take a worker longer than the rest of its
 * start. */
#include "seccomp.h"

#ifndef COURANT_SANDBOX
void
seccomp_fill(struct w_start *ws)
{
	(void)ws;
}
#else

#include "filter.h"
#include "seccomp_make.h"

#include <courant/plugin.h>

#include <asm/sockios.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define WIDE		(CR_NETWORK | CR_EXEC)
#define GRANTS		(WIDE | CR_FILES | CR_HTTP | CR_MAIL)	/* grants that change a filter */
#define CLONE_NEW_ANY	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* All tables allow calls: what stands in none of them is denied. Paths cannot be compared, so a call
 * that changes a file by its path stands here only where Landlock restricts it: no chmod(), chown(),
 * utimensat(), setxattr(), truncate(). */

/* ---- For all ---- */

/* All calls that a job needs once the plugin is loaded. */
static const struct rule job[] = {
	CALL(read), CALL(write), CALL(pwrite64), CALL(writev), CALL(recvmsg), CALL(sendmsg),
	CALL(ppoll), CALL(poll), CALL(mremap), CALL(munmap), CALL(brk), CALL(madvise), CALL(close),
	CALL_IF(mmap, LACKS(2, PROT_EXEC)), CALL_IF(mprotect, LACKS(2, PROT_EXEC)), CALL(futex),
	CALL(clock_gettime), CALL(clock_nanosleep), CALL(nanosleep), CALL(clock_getres),
	CALL(gettimeofday), CALL(time), CALL(getrandom), CALL(pread64), CALL(readv), CALL(lseek),
	CALL(fstat), CALL_IF(fcntl, IS(1, F_GETFD)), CALL_IF(fcntl, IS(1, F_SETFD)),
	CALL_IF(fcntl, IS(1, F_GETFL)), CALL_IF(fcntl, IS(1, F_GET_SEALS)),
	CALL_IF(ioctl, IS(1, TCGETS)), CALL(rt_sigaction), CALL(rt_sigprocmask),
	CALL(rt_sigreturn), CALL(sigaltstack), CALL(pause), CALL_IF(kill, IS(0, FILTER_SELF)),
	CALL_IF(tgkill, IS(0, FILTER_SELF)), CALL_IF(prlimit64, IS(0, 0)), CALL(getpid),
	CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid),
	CALL(getrusage), CALL(sched_yield), CALL(restart_syscall), CALL(uname), CALL(sysinfo),
	CALL(times), CALL(set_robust_list), CALL(rseq), CALL(exit), CALL(exit_group),
	CALL_IF(prctl, IS(0, PR_SET_NAME)), CALL_IF(prctl, IS(0, PR_GET_NAME)),
	CALL(sched_getaffinity),
};

#define ONLY(arg, bits)	LACKS(arg, UINT32_MAX & ~(uint32_t)(bits))	/* none but these */
#define OPENS_READ	(O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY | O_NONBLOCK | O_NOCTTY)

/* What the loader, libc and the constructors of libraries need besides, while plugins are loaded. */
static const struct rule load[] = {
	CALL_IF(openat, ONLY(2, OPENS_READ)), CALL(newfstatat), CALL(access), CALL(faccessat),
	CALL(mmap), CALL(mprotect), CALL(dup2), CALL(dup3), CALL(statfs), CALL(get_mempolicy),
	CALL_IF(prctl, IS(0, PR_CAPBSET_READ)),
	CALL_IF(prctl, IS(0, PR_SET_SECCOMP), IS(1, SECCOMP_MODE_FILTER)),	/* the second filter */
};

/* libc makes these calls with all signals blocked, when a trap would end the process without a log
 * line: they fail instead. */
static const struct rule spawns[] = {
	CALL(clone3), CALL_IF(clone, HAS(0, CLONE_VM)),
};

/* ---- With CR_FILES ---- */

#define OPENS	(OPENS_READ | O_CREAT | O_EXCL | O_APPEND | O_DSYNC | O_SYNC | O_TMPFILE)
#define OPEN_AS(mode, flags) \
	CALL_IF(openat, HAS_OF(2, mode, (UINT32_MAX & ~(uint32_t)(flags)) | O_ACCMODE))

/* Landlock restricts them to the plugin's own folder. Opening to read alone does not truncate:
 * Landlock before version 3 would let it. */
static const struct rule files[] = {
	OPEN_AS(O_RDONLY, OPENS), OPEN_AS(O_WRONLY, OPENS | O_TRUNC), OPEN_AS(O_RDWR, OPENS | O_TRUNC),
	CALL(newfstatat), CALL(statx), CALL(getdents64), CALL(unlinkat), CALL(mkdirat),
	CALL(renameat), CALL(renameat2), CALL(linkat), CALL(ftruncate), CALL(fsync),
	CALL(fdatasync), CALL(sync_file_range), CALL(fallocate), CALL(faccessat),
	CALL(faccessat2), CALL(readlinkat), CALL(flock), CALL(getcwd), CALL(chdir), CALL(fchdir),
	CALL(umask), CALL(dup), CALL(dup3), CALL(fstatfs), CALL(statfs), CALL(preadv),
	CALL(pwritev), CALL(copy_file_range), CALL(sendfile), CALL(fadvise64),
	CALL_IF(fcntl, IS(1, F_SETFL), LACKS(2, O_ASYNC)), CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),
	CALL_IF(fcntl, IS(1, F_DUPFD)), CALL_IF(fcntl, IS(1, F_GETLK)),
	CALL_IF(fcntl, IS(1, F_SETLK)), CALL_IF(fcntl, IS(1, F_SETLKW)),
	CALL_IF(fcntl, IS(1, F_OFD_SETLK)), CALL_IF(fcntl, IS(1, F_OFD_SETLKW)),
	CALL_IF(fcntl, IS(1, F_OFD_GETLK)), CALL(access), CALL(unlink), CALL(mkdir), CALL(rmdir),
	CALL(rename), CALL(link), CALL(readlink), CALL(dup2),
};

/* ---- With CR_HTTP or CR_MAIL ---- */

/* A long body, or a message, is sent to core in a sealed memfd. */
static const struct rule bodies[] = {
	CALL_IF(memfd_create, ONLY(1, MFD_CLOEXEC | MFD_ALLOW_SEALING)),
	CALL_IF(fcntl, IS(1, F_ADD_SEALS)), CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),
};

/* ---- With CR_NETWORK ---- */

#define SOCK_KIND	0xf
#define SOCKET(family, kind, protocol) \
	CALL_IF(socket, IS(0, family), HAS_OF(1, kind, SOCK_KIND), IS(2, protocol))
#define SOCKETS(family) \
	SOCKET(family, SOCK_STREAM, 0), SOCKET(family, SOCK_STREAM, IPPROTO_TCP), \
	SOCKET(family, SOCK_DGRAM, 0), SOCKET(family, SOCK_DGRAM, IPPROTO_UDP)

/* What a client of any protocol needs, its threads, and the modules that libc loads to look up
 * names (mmap() of their code). Unix sockets are denied, but for connected pairs: the worker runs as
 * the daemon's user, from which the admin socket takes orders. */
static const struct rule network[] = {
	SOCKETS(AF_INET), SOCKETS(AF_INET6),
	CALL_IF(socket, IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)),	/* getaddrinfo() */
	CALL_IF(socketpair, IS(0, AF_UNIX), HAS_OF(1, SOCK_STREAM, SOCK_KIND)),
	CALL_IF(socketpair, IS(0, AF_UNIX), HAS_OF(1, SOCK_SEQPACKET, SOCK_KIND)),
	CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(sendto),
	CALL(recvfrom), CALL(sendmmsg), CALL(recvmmsg), CALL(shutdown), CALL(getsockname),
	CALL(getpeername), CALL(getsockopt), CALL(setsockopt), CALL(select), CALL(pselect6),
	CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(epoll_pwait), CALL(epoll_pwait2), CALL(eventfd), CALL(eventfd2), CALL(pipe),
	CALL(pipe2), CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime),
	CALL(signalfd4), CALL(rt_sigtimedwait), CALL(rt_sigsuspend), CALL(rt_sigpending),
	CALL(dup), CALL(dup2), CALL(dup3), CALL(sendfile), CALL(preadv), CALL(pwritev),
	CALL_IF(fcntl, IS(1, F_SETFL), LACKS(2, O_ASYNC)), CALL_IF(fcntl, IS(1, F_DUPFD)),
	CALL_IF(ioctl, IS(1, FIONREAD)), CALL_IF(ioctl, IS(1, FIONBIO)),
	CALL_IF(ioctl, IS(1, FIOCLEX)), CALL_IF(ioctl, IS(1, FIONCLEX)),
	CALL_IF(ioctl, IS(1, SIOCGIFINDEX)), CALL_IF(ioctl, IS(1, SIOCGIFNAME)),
	CALL(statx), CALL(getdents64), CALL(readlink), CALL(readlinkat), CALL(faccessat2),
	CALL(getcwd), CALL(fstatfs), CALL(fadvise64), CALL(umask), CALL(getpgrp), CALL(getresuid),
	CALL(getresgid), CALL(membarrier), CALL(getcpu), CALL(mlock), CALL(munlock),
	CALL(sched_getparam), CALL(sched_getscheduler), CALL(sched_get_priority_max),
	CALL(sched_get_priority_min),
	CALL_IF(clone, HAS_OF(0, CLONE_VM | CLONE_THREAD, CLONE_VM | CLONE_THREAD | CLONE_NEW_ANY)),
};
/* They fail as with `spawns`; the socket is libc's way to nscd, before it looks up a name itself. */
static const struct rule spawns_no_thread[] = {
	CALL(clone3), CALL_IF(clone, HAS_OF(0, CLONE_VM, CLONE_VM | CLONE_THREAD)),
	CALL_IF(socket, IS(0, AF_UNIX), IS(1, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)),
};

/* ---- With CR_EXEC ---- */

#define IOPRIO_PROCESS	1		/* the kernel's IOPRIO_WHO_PROCESS */

/* What programs usually need: files, sockets, processes, with the rights of the daemon's user. Left
 * out is what controls other processes or the machine: ptrace(), mount(), namespaces, other users,
 * keys, bpf(), io_uring, System V's shared memory. */
static const struct rule commands[] = {
	CALL(open), CALL(openat), CALL(openat2), CALL(creat), CALL(stat), CALL(lstat), CALL(statx),
	CALL(newfstatat), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(getdents),
	CALL(getdents64), CALL(getcwd), CALL(chdir), CALL(fchdir), CALL(readlink),
	CALL(readlinkat), CALL(link), CALL(linkat), CALL(symlink), CALL(symlinkat), CALL(unlink),
	CALL(unlinkat), CALL(rename), CALL(renameat), CALL(renameat2), CALL(mkdir), CALL(mkdirat),
	CALL(rmdir), CALL(mknod), CALL(mknodat), CALL(chmod), CALL(fchmod), CALL(fchmodat),
	CALL(chown), CALL(fchown), CALL(lchown), CALL(fchownat), CALL(utime), CALL(utimes),
	CALL(futimesat), CALL(utimensat), CALL(truncate), CALL(ftruncate), CALL(fallocate),
	CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr), CALL(setxattr), CALL(lsetxattr),
	CALL(fsetxattr), CALL(listxattr), CALL(llistxattr), CALL(flistxattr), CALL(removexattr),
	CALL(lremovexattr), CALL(fremovexattr), CALL(umask), CALL(statfs), CALL(fstatfs),
	CALL(sync), CALL(syncfs), CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(flock),
	CALL(fadvise64), CALL(readahead), CALL(copy_file_range), CALL(sendfile), CALL(splice),
	CALL(tee), CALL(vmsplice), CALL(preadv), CALL(preadv2), CALL(pwritev), CALL(pwritev2),
	CALL(dup), CALL(dup2), CALL(dup3), CALL(close_range), CALL(pipe), CALL(pipe2),
	CALL(memfd_create), CALL(inotify_init), CALL(inotify_init1), CALL(inotify_add_watch),
	CALL(inotify_rm_watch), CALL(select), CALL(pselect6), CALL(epoll_create),
	CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait),
	CALL(epoll_pwait2), CALL(eventfd), CALL(eventfd2), CALL(signalfd), CALL(signalfd4),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime), CALL(timer_create),
	CALL(timer_settime), CALL(timer_gettime), CALL(timer_getoverrun), CALL(timer_delete),
	CALL(alarm), CALL(getitimer), CALL(setitimer), CALL(rt_sigtimedwait), CALL(rt_sigsuspend),
	CALL(rt_sigpending), CALL(kill), CALL(tgkill), CALL(execve), CALL(execveat), CALL(fork),
	CALL(vfork), CALL_IF(clone, LACKS(0, CLONE_NEW_ANY)), CALL(wait4), CALL(waitid),
	CALL(set_tid_address), CALL(get_robust_list), CALL(arch_prctl), CALL(setsid),
	CALL(getsid), CALL(setpgid), CALL(getpgid), CALL(getpgrp), CALL(getgroups),
	CALL(getresuid), CALL(getresgid), CALL(getrlimit), CALL(setrlimit), CALL(getpriority),
	CALL_IF(setpriority, IS(0, PRIO_PROCESS), IS(1, 0)), CALL(ioprio_get),
	CALL_IF(ioprio_set, IS(0, IOPRIO_PROCESS), IS(1, 0)), CALL(sched_getparam),
	CALL(sched_getscheduler), CALL(sched_getattr), CALL(sched_get_priority_max),
	CALL(sched_get_priority_min), CALL(sched_rr_get_interval),
	CALL_IF(sched_setaffinity, IS(0, 0)), CALL_IF(sched_setscheduler, IS(0, 0)),
	CALL_IF(sched_setparam, IS(0, 0)), CALL_IF(sched_setattr, IS(0, 0)), CALL(getcpu),
	CALL(get_mempolicy), CALL(membarrier), CALL(mincore), CALL(msync), CALL(mlock),
	CALL(mlock2), CALL(munlock), CALL(mlockall), CALL(munlockall), CALL(pkey_alloc),
	CALL(pkey_free), CALL(pkey_mprotect), CALL(mmap), CALL(mprotect), CALL(seccomp),
	CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self),
	CALL_IF(socket, IS(0, AF_UNIX)), CALL_IF(socket, IS(0, AF_INET)),
	CALL_IF(socket, IS(0, AF_INET6)), CALL_IF(socket, IS(0, AF_NETLINK)), CALL(socketpair),
	CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(sendto),
	CALL(recvfrom), CALL(sendmmsg), CALL(recvmmsg), CALL(shutdown), CALL(getsockname),
	CALL(getpeername), CALL(getsockopt), CALL(setsockopt),
};
/* Of the calls that do many things: what changes no owner of a descriptor (fcntl(), ioctl()) and
 * neither the program's memory nor its rights (prctl()). */
static const struct rule commands_by_argument[] = {
	CALL_IF(fcntl, IS(1, F_SETFL), LACKS(2, O_ASYNC)), CALL_IF(fcntl, IS(1, F_DUPFD)),
	CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)), CALL_IF(fcntl, IS(1, F_GETLK)),
	CALL_IF(fcntl, IS(1, F_SETLK)), CALL_IF(fcntl, IS(1, F_SETLKW)),
	CALL_IF(fcntl, IS(1, F_OFD_GETLK)), CALL_IF(fcntl, IS(1, F_OFD_SETLK)),
	CALL_IF(fcntl, IS(1, F_OFD_SETLKW)), CALL_IF(fcntl, IS(1, F_ADD_SEALS)),
	CALL_IF(fcntl, IS(1, F_GETPIPE_SZ)), CALL_IF(fcntl, IS(1, F_SETPIPE_SZ)),
	CALL_IF(fcntl, IS(1, F_GETOWN)), CALL_IF(ioctl, IS(1, FIONREAD)),
	CALL_IF(ioctl, IS(1, FIONBIO)), CALL_IF(ioctl, IS(1, FIOCLEX)),
	CALL_IF(ioctl, IS(1, FIONCLEX)), CALL_IF(ioctl, IS(1, TCSETS)),
	CALL_IF(ioctl, IS(1, TCSETSW)), CALL_IF(ioctl, IS(1, TCSETSF)),
	CALL_IF(ioctl, IS(1, TIOCGWINSZ)), CALL_IF(ioctl, IS(1, TIOCSWINSZ)),
	CALL_IF(ioctl, IS(1, TIOCGPGRP)), CALL_IF(ioctl, IS(1, TIOCSPGRP)),
	CALL_IF(ioctl, IS(1, TIOCGSID)), CALL_IF(ioctl, IS(1, TIOCSCTTY)),
	CALL_IF(ioctl, IS(1, TIOCNOTTY)), CALL_IF(ioctl, IS(1, TIOCGPTN)),
	CALL_IF(ioctl, IS(1, TIOCSPTLCK)), CALL_IF(ioctl, IS(1, TIOCGPTPEER)),
	CALL_IF(ioctl, IS(1, SIOCGIFINDEX)), CALL_IF(ioctl, IS(1, SIOCGIFNAME)),
	CALL_IF(ioctl, IS(1, SIOCGIFCONF)), CALL_IF(ioctl, IS(1, SIOCGIFFLAGS)),
	CALL_IF(ioctl, IS(1, SIOCGIFADDR)), CALL_IF(ioctl, IS(1, SIOCGIFHWADDR)),
	CALL_IF(ioctl, IS(1, SIOCGIFMTU)), CALL_IF(ioctl, IS(1, FICLONE)),
	CALL_IF(ioctl, IS(1, FICLONERANGE)),
	CALL_IF(ioctl, IS(1, FS_IOC_GETFLAGS)), CALL_IF(prctl, IS(0, PR_SET_PDEATHSIG)),
	CALL_IF(prctl, IS(0, PR_GET_PDEATHSIG)), CALL_IF(prctl, IS(0, PR_GET_DUMPABLE)),
	CALL_IF(prctl, IS(0, PR_SET_DUMPABLE)), CALL_IF(prctl, IS(0, PR_SET_NO_NEW_PRIVS)),
	CALL_IF(prctl, IS(0, PR_GET_NO_NEW_PRIVS)), CALL_IF(prctl, IS(0, PR_SET_CHILD_SUBREAPER)),
	CALL_IF(prctl, IS(0, PR_GET_CHILD_SUBREAPER)), CALL_IF(prctl, IS(0, PR_CAPBSET_READ)),
	CALL_IF(prctl, IS(0, PR_GET_SECCOMP)), CALL_IF(prctl, IS(0, PR_SET_SECCOMP)),
	CALL_IF(prctl, IS(0, PR_SET_TIMERSLACK)), CALL_IF(prctl, IS(0, PR_GET_TIMERSLACK)),
	CALL_IF(prctl, IS(0, PR_SET_THP_DISABLE)), CALL_IF(prctl, IS(0, PR_SET_VMA)),
};
/* ---- The filters ---- */

/* The first one, from before a plugin is loaded; with CR_NETWORK or CR_EXEC the only one. A command
 * has no handler for a trap and would be killed: with CR_EXEC a denied call fails instead. */
static const struct part enter[] = {
	{ RULES(job), SCMP_ACT_ALLOW, 0, 0 },
	{ RULES(load), SCMP_ACT_ALLOW, 0, CR_EXEC },
	{ RULES(files), SCMP_ACT_ALLOW, CR_FILES, CR_EXEC },
	{ RULES(bodies), SCMP_ACT_ALLOW, CR_HTTP, CR_EXEC },
	{ RULES(bodies), SCMP_ACT_ALLOW, CR_MAIL, CR_HTTP },
	{ RULES(network), SCMP_ACT_ALLOW, CR_NETWORK, CR_EXEC },
	{ RULES(commands), SCMP_ACT_ALLOW, CR_EXEC, 0 },
	{ RULES(commands_by_argument), SCMP_ACT_ALLOW, CR_EXEC, 0 },
	{ RULES(spawns), FAIL, 0, WIDE },
	{ RULES(spawns_no_thread), FAIL, CR_NETWORK, CR_EXEC },
};
/* The second one, when it is loaded. */
static const struct part seal[] = {
	{ RULES(job), SCMP_ACT_ALLOW, 0, 0 },
	{ RULES(files), SCMP_ACT_ALLOW, CR_FILES, 0 },
	{ RULES(bodies), SCMP_ACT_ALLOW, CR_HTTP, 0 },
	{ RULES(bodies), SCMP_ACT_ALLOW, CR_MAIL, CR_HTTP },
	{ RULES(spawns), FAIL, 0, 0 },
};

void
seccomp_fill(struct w_start *ws)
{
	static struct { struct bytes enter, seal; } made[GRANTS + 1];
	static struct bytes calls;
	const uint32_t grants = ws->grants & GRANTS;

	if (calls.data == NULL)
		calls = seccomp_names();
	if (made[grants].enter.data == NULL) {
		made[grants].enter = seccomp_make(RULES(enter),
		    grants & CR_EXEC ? FAIL : SCMP_ACT_TRAP, grants);
		if ((grants & WIDE) == 0)
			made[grants].seal = seccomp_make(RULES(seal), SCMP_ACT_TRAP,
			    grants);
	}
	ws->filter_enter = made[grants].enter;
	ws->filter_seal = made[grants].seal;
	ws->calls = calls;
}
#endif

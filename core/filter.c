/* What system calls a worker may make, as tables, and libseccomp's programs made of them. They are
 * made here, by who starts a worker: linking the library costs one more than all its starting. */
#include "filter.h"

#ifndef COURANT_SANDBOX
void
filter_fill(struct w_start *ws)
{
	(void)ws;
}
#else
#include "buf.h"
#include "log.h"
#include "mem.h"

#include <courant/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALLS_MAX	512		/* numbers whose names a worker is told */
#define WIDE		(CR_NETWORK | CR_EXEC)
#define GRANTS		(WIDE | CR_FILES | CR_HTTP)	/* the ones that make a difference */

/* ---- The tables ---- */

struct rule {
	int			 call;
	unsigned		 nargs;
	struct scmp_arg_cmp	 arg;
};
#define CALL(name)		{ SCMP_SYS(name), 0, { 0, _SCMP_CMP_MIN, 0, 0 } }
#define CALL_IF(name, ...)	{ SCMP_SYS(name), 1, __VA_ARGS__ }
/* Of an argument the kernel reads as int only its low 32 bits count. */
#define IS(arg, value)		{ arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value }
#define IS_NOT(arg, value)	{ arg, SCMP_CMP_NE, value, 0 }
#define HAS(arg, bit)		{ arg, SCMP_CMP_MASKED_EQ, bit, bit }
#define LACKS(arg, bits)	{ arg, SCMP_CMP_MASKED_EQ, bits, 0 }
#define HAS_OF(arg, bit, bits)	{ arg, SCMP_CMP_MASKED_EQ, bits, bit }

/* Denied from the start, whatever is granted: other processes, the kernel, ways round a filter. */
static const struct rule never[] = {
	CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(pidfd_open),
	CALL(pidfd_getfd), CALL(pidfd_send_signal), CALL(kcmp), CALL(process_madvise),
	CALL(io_uring_setup), CALL(io_uring_enter), CALL(io_uring_register), CALL(bpf),
	CALL(perf_event_open), CALL(userfaultfd), CALL(mount), CALL(umount2), CALL(pivot_root),
	CALL(chroot), CALL(unshare), CALL(setns), CALL(open_tree), CALL(move_mount), CALL(fsopen),
	CALL(fsconfig), CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(init_module),
	CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load),
	CALL(reboot), CALL(swapon), CALL(swapoff), CALL(acct), CALL(quotactl), CALL(quotactl_fd),
	CALL(settimeofday), CALL(clock_settime), CALL(clock_adjtime), CALL(adjtimex),
	CALL(sethostname), CALL(setdomainname), CALL(syslog), CALL(vhangup), CALL(nfsservctl),
	CALL(add_key), CALL(request_key), CALL(keyctl), CALL(name_to_handle_at),
	CALL(open_by_handle_at), CALL(fanotify_init), CALL(fanotify_mark), CALL(mbind),
	CALL(set_mempolicy), CALL(migrate_pages), CALL(move_pages), CALL(lookup_dcookie),
	CALL(personality), CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid),
	CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(setfsuid), CALL(setfsgid),
	CALL(capset), CALL(shmget), CALL(shmat), CALL(shmctl), CALL(msgget), CALL(msgsnd),
	CALL(msgrcv), CALL(semget), CALL(semop), CALL(mq_open), CALL(mq_unlink),
	CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo), CALL(tkill), CALL(iopl), CALL(ioperm),
	CALL(modify_ldt), CALL(uselib), CALL(sysfs), CALL(_sysctl), CALL(create_module),
	CALL_IF(ioctl, IS(1, TIOCSTI)), CALL_IF(fcntl, IS(1, F_SETOWN)),
	CALL_IF(fcntl, IS(1, F_SETOWN_EX)), CALL_IF(fcntl, IS(1, F_SETSIG)),
};
/* Denied unless commands may be run: how a process ranks, and with whom it dies. */
static const struct rule own_standing[] = {
	CALL(ioprio_set), CALL(setpriority), CALL(sched_setscheduler), CALL(sched_setparam),
	CALL(sched_setattr), CALL_IF(prctl, IS(0, PR_SET_PDEATHSIG)),
};
static const struct rule sockets[] = {
	CALL(socket), CALL(socketpair), CALL(connect), CALL(bind), CALL(listen), CALL(accept),
	CALL(accept4), CALL(sendto), CALL(recvfrom),
};
/* Of the daemon's own user: its admin socket would take orders. Names are looked up by DNS. */
static const struct rule sockets_here[] = {
	CALL_IF(socket, IS(0, AF_UNIX)),
};
static const struct rule other_processes[] = {
	CALL_IF(kill, IS_NOT(0, FILTER_SELF)), CALL_IF(tgkill, IS_NOT(0, FILTER_SELF)),
	CALL_IF(prlimit64, IS_NOT(0, 0)), CALL(execve), CALL(execveat), CALL(fork), CALL(vfork),
};
/* libc makes these with all signals blocked, when a trap would end the process: unlogged. */
static const struct rule spawns[] = {
	CALL(clone3), CALL_IF(clone, HAS(0, CLONE_VM)),
};
static const struct rule forks[] = {
	CALL_IF(clone, LACKS(0, CLONE_VM)),
};
/* The same where threads are allowed. */
static const struct rule spawns_no_thread[] = {
	CALL(clone3), CALL_IF(clone, HAS_OF(0, CLONE_VM, CLONE_VM | CLONE_THREAD)),
};
static const struct rule forks_no_thread[] = {
	CALL_IF(clone, LACKS(0, CLONE_VM | CLONE_THREAD)),
};

/* All that a job needs once the plugin is loaded. */
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
/* With CR_FILES: Landlock has shut all but its own folder. */
static const struct rule files[] = {
	CALL(openat), CALL(newfstatat), CALL(statx), CALL(getdents64), CALL(unlinkat),
	CALL(mkdirat), CALL(renameat), CALL(renameat2), CALL(linkat), CALL(ftruncate),
	CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(fallocate), CALL(faccessat),
	CALL(faccessat2), CALL(readlinkat), CALL(fchmod), CALL(fchmodat), CALL(utimensat),
	CALL(flock), CALL(getcwd), CALL(chdir), CALL(fchdir), CALL(umask), CALL(dup), CALL(dup3),
	CALL(fstatfs), CALL(statfs), CALL(preadv), CALL(pwritev), CALL(copy_file_range),
	CALL(fadvise64), CALL_IF(fcntl, IS(1, F_SETFL)), CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),
	CALL_IF(fcntl, IS(1, F_DUPFD)), CALL_IF(fcntl, IS(1, F_GETLK)),
	CALL_IF(fcntl, IS(1, F_SETLK)), CALL_IF(fcntl, IS(1, F_SETLKW)),
	CALL_IF(fcntl, IS(1, F_OFD_SETLK)), CALL_IF(fcntl, IS(1, F_OFD_GETLK)), CALL(open),
	CALL(stat), CALL(lstat), CALL(access), CALL(unlink), CALL(mkdir), CALL(rmdir),
	CALL(rename), CALL(link), CALL(readlink), CALL(chmod), CALL(dup2), CALL(creat),
	CALL(getdents), CALL(truncate),
};
/* With CR_HTTP: a long body goes to core as a sealed memory file. */
static const struct rule http[] = {
	CALL(memfd_create), CALL_IF(fcntl, IS(1, F_ADD_SEALS)),
	CALL_IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),
};

/* Which rules a filter has: with all of these grants, without any of those. */
struct part {
	const struct rule	*rules;
	size_t			 n;
	uint32_t		 action;
	uint32_t		 with, without;
};
#define RULES(table)	table, sizeof(table) / sizeof((table)[0])
#define FAIL		SCMP_ACT_ERRNO(ENOSYS)

/* What is forbidden, of all. The last filter with wide grants: a client of any protocol needs many
 * calls. A command has no handler for a trap, and would end: for it a denied call fails. */
static const struct part enter[] = {
	{ RULES(never), SCMP_ACT_TRAP, 0, CR_EXEC },
	{ RULES(never), FAIL, CR_EXEC, 0 },
	{ RULES(own_standing), SCMP_ACT_TRAP, 0, CR_EXEC },
	{ RULES(sockets), SCMP_ACT_TRAP, 0, WIDE },
	{ RULES(sockets_here), FAIL, CR_NETWORK, CR_EXEC },
	{ RULES(other_processes), SCMP_ACT_TRAP, 0, CR_EXEC },
	{ RULES(spawns), FAIL, 0, WIDE },
	{ RULES(forks), SCMP_ACT_TRAP, 0, WIDE },
	{ RULES(spawns_no_thread), FAIL, CR_NETWORK, CR_EXEC },
	{ RULES(forks_no_thread), SCMP_ACT_TRAP, CR_NETWORK, CR_EXEC },
};
/* What is allowed, of nothing. */
static const struct part seal[] = {
	{ RULES(job), SCMP_ACT_ALLOW, 0, 0 },
	{ RULES(spawns), FAIL, 0, 0 },
	{ RULES(files), SCMP_ACT_ALLOW, CR_FILES, 0 },
	{ RULES(http), SCMP_ACT_ALLOW, CR_HTTP, 0 },
};

/* ---- From tables to programs ---- */

/* libseccomp's answers are negative errno. That it cannot do what it is for is no foreign input. */
static void
must(int rc, const char *what)
{
	if (rc < 0)
		fatal("libseccomp: %s: %s", what, strerror(-rc));
}

static void
add(scmp_filter_ctx ctx, const struct part *p, uint32_t grants)
{
	const struct rule *r;

	if ((grants & p->with) != p->with || (grants & p->without) != 0)
		return;
	for (r = p->rules; r < p->rules + p->n; r++)
		must(seccomp_rule_add_array(ctx, p->action, r->call, r->nargs, &r->arg),
		    "a rule");
}

static struct bytes
export(scmp_filter_ctx ctx)
{
	struct sock_filter code[FILTER_MAX + 1];
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t len;
	void *copy;

	if (fd == -1)
		fatal("memfd_create: %s", strerror(errno));
	must(seccomp_export_bpf(ctx, fd), "the program");
	len = pread(fd, code, sizeof(code), 0);
	if (len <= 0 || (size_t)len == sizeof(code))
		fatal("a filter of system calls has %zd bytes", len);
	close(fd);
	copy = xmalloc((size_t)len);
	memcpy(copy, code, (size_t)len);
	return (struct bytes){ copy, (size_t)len };
}

static struct bytes
compile(const struct part *parts, size_t n, uint32_t otherwise, uint32_t grants)
{
	scmp_filter_ctx ctx = seccomp_init(otherwise);
	struct bytes b;

	if (ctx == NULL)
		fatal("libseccomp cannot begin a filter");
	must(seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
	    "other machines' calls");
	/* The kernel tries all calls when it installs a filter: workers start a seventh faster. */
	must(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2), "a binary tree");
	for (size_t i = 0; i < n; i++)
		add(ctx, &parts[i], grants);
	b = export(ctx);
	seccomp_release(ctx);
	return b;
}
#define COMPILE(parts, otherwise, grants) \
	compile(parts, sizeof(parts) / sizeof((parts)[0]), otherwise, grants)

/* The names of this machine's calls in the order of their numbers, each with its NUL; "": none. */
static struct bytes
name_calls(void)
{
	struct buf b;
	char *name;
	int i;

	buf_init(&b, 1u << 16);
	for (i = 0; i < CALLS_MAX; i++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
		buf_str(&b, name);
		buf_char(&b, '\0');
		free(name);
	}
	if (b.over)
		fatal("the names of system calls are over 64 KiB");
	return (struct bytes){ b.data, b.len };
}

void
filter_fill(struct w_start *ws)
{
	static struct { struct bytes enter, seal; } made[GRANTS + 1];
	static struct bytes calls;
	const uint32_t grants = ws->grants & GRANTS;

	if (calls.data == NULL)
		calls = name_calls();
	if (made[grants].enter.data == NULL) {
		made[grants].enter = COMPILE(enter, SCMP_ACT_ALLOW, grants);
		if ((grants & WIDE) == 0)
			made[grants].seal = COMPILE(seal, SCMP_ACT_TRAP, grants);
	}
	ws->filter_enter = made[grants].enter;
	ws->filter_seal = made[grants].seal;
	ws->calls = calls;
}
#endif

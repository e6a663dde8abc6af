/* What a worker may do: limits, Landlock and two seccomp filters, in the order of the design. The
 * filters are made from tables by a few lines here, since linking a library for it costs a worker
 * more time than starting does. */
#include "sandbox.h"
#include "log.h"

#include <courant/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_MAX	32		/* descriptors of a worker */
#define FILES_WIDE	256		/* of one with a grant of files, network, exec */

/* ---- Limits ---- */

static int
limit(int what, const char *name, rlim_t value)
{
	struct rlimit old, now = { value, value };

	if (getrlimit((__rlimit_resource_t)what, &old) == 0 && old.rlim_max < value)
		now.rlim_cur = now.rlim_max = old.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &now) == 0)
		return 0;
	log_warn("the limit of %s cannot be set: %s", name, strerror(errno));
	return -1;
}

static int
limits(const struct w_start *ws)
{
	rlim_t cpu = ws->cpu > 0 ? (rlim_t)(ws->cpu / 1000 + 2) : RLIM_INFINITY;
	int wide = (ws->grants & (CR_FILES | CR_NETWORK | CR_EXEC)) != 0;

	signal(SIGXFSZ, SIG_IGN);	/* a write then fails with EFBIG */
	signal(SIGPIPE, SIG_IGN);
#ifdef COURANT_SANDBOX			/* sanitizers reserve more than any limit */
	if (ws->memory > 0 && limit(RLIMIT_AS, "memory", ws->memory) == -1)
		return -1;
#endif
	if (limit(RLIMIT_CORE, "core files", 0) == -1 ||
	    limit(RLIMIT_CPU, "CPU time", cpu) == -1 ||
	    limit(RLIMIT_NOFILE, "descriptors", wide ? FILES_WIDE : FILES_MAX) == -1)
		return -1;
	return ws->out > 0 ? limit(RLIMIT_FSIZE, "file size", ws->out) : 0;
}

#ifndef COURANT_SANDBOX
int
sandbox_enter(const struct w_start *ws, const char *const *plugins, size_t n)
{
	(void)plugins, (void)n;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ws->folder != NULL && chdir(ws->folder) == -1) {
		log_warn("%s: %s", ws->folder, strerror(errno));
		return -1;
	}
	return limits(ws);
}

int
sandbox_seal(const struct w_start *ws)
{
	(void)ws;
	return 0;
}
#else

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define DENIED_MAX	20		/* denied calls that a worker logs */
#define CODE_MAX	1024		/* instructions of a filter */

/* ---- Landlock: which files there are at all ---- */

/* The kernel's structure, with the members of later versions than Debian 12's header has. */
struct landlock_rules {
	uint64_t	 fs, net, scoped;
};
#define LAND_READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LAND_REFER	(UINT64_C(1) << 13)	/* version 2 */
#define LAND_TRUNCATE	(UINT64_C(1) << 14)	/* version 3 */
#define LAND_IOCTL	(UINT64_C(1) << 15)	/* version 5 */
#define LAND_NET	UINT64_C(3)		/* bind, connect by TCP: version 4 */
#define LAND_SCOPED	UINT64_C(3)		/* abstract sockets, signals: version 6 */
#define LAND_FIRST	((UINT64_C(1) << 13) - 1)	/* version 1 */
#define LAND_FILE	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_EXECUTE | LAND_TRUNCATE | LAND_IOCTL)	/* of what is no folder */
#define LAND_OWN	(LAND_READ | LAND_REFER | LAND_TRUNCATE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)

/* Where libraries lie, and what they read when they are loaded. */
static const char *const library_paths[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
	"/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom", NULL
};
/* What a client of the network reads as well: names, certificates. */
static const char *const network_paths[] = {
	"/etc", "/usr/share", "/run/systemd/resolve", "/run/resolvconf", "/var/lib/ca-certificates",
	NULL
};

struct lock {
	int		 fd;
	uint64_t	 handled;	/* rights of files that this kernel knows */
};

/* Allows what lies beneath a path. A path that is not there is none to allow. */
static int
lock_allow(const struct lock *l, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & l->handled };
	int fd = open(path, O_PATH | O_CLOEXEC), rc;

	if (fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	rule.parent_fd = fd;
	rc = (int)syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc == -1 && errno == EINVAL) {	/* no folder: without the rights of one */
		rule.allowed_access &= LAND_FILE;
		rc = (int)syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule,
		    0);
	}
	close(fd);
	return rc;
}

static int
lock_allow_all(const struct lock *l, const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (lock_allow(l, *paths, LAND_READ) == -1)
			return -1;
	return 0;
}

/* A set of rules that allows nothing yet. 0: this kernel has no Landlock. */
static int
lock_new(struct lock *l, uint32_t grants)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_rules rules = { .fs = LAND_FIRST };
	size_t size = sizeof(rules.fs);

	if (version < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	rules.fs |= (version >= 2 ? LAND_REFER : 0) | (version >= 3 ? LAND_TRUNCATE : 0) |
	    (version >= 5 ? LAND_IOCTL : 0);
	if (version >= 4) {
		rules.net = (grants & CR_NETWORK) != 0 ? 0 : LAND_NET;
		size = offsetof(struct landlock_rules, scoped);
	}
	if (version >= 6) {
		rules.scoped = LAND_SCOPED;
		size = sizeof(rules);
	}
	l->handled = rules.fs;
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	return l->fd == -1 ? -1 : 1;
}

static int
lock_fill(const struct lock *l, const struct w_start *ws, const char *const *plugins, size_t n)
{
	size_t i;

	if (lock_allow_all(l, library_paths) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (lock_allow(l, plugins[i], LANDLOCK_ACCESS_FS_READ_FILE) == -1)
			return -1;
	if ((ws->grants & CR_NETWORK) != 0 && lock_allow_all(l, network_paths) == -1)
		return -1;
	return ws->folder != NULL ? lock_allow(l, ws->folder, LAND_OWN) : 0;
}

/* A command has to do what its operator made it for, so CR_EXEC is not locked in. */
static int
lock_files(const struct w_start *ws, const char *const *plugins, size_t n)
{
	struct lock l;
	int rc;

	if ((ws->grants & CR_EXEC) != 0)
		return 0;
	rc = lock_new(&l, ws->grants);
	if (rc == 0) {
		log_warn("this kernel has no Landlock: plugins may read files while they are "
		    "loaded");
		return 0;
	}
	if (rc == 1) {
		rc = lock_fill(&l, ws, plugins, n);
		if (rc == 0)
			rc = (int)syscall(SYS_landlock_restrict_self, l.fd, 0);
		close(l.fd);
	}
	if (rc == -1)
		log_warn("Landlock: %s", strerror(errno));
	return rc;
}

/* ---- Filters of system calls, as tables ---- */

enum test { ALWAYS, IS /* the argument is value */, IS_SELF /* is this process's id */,
	HAS /* it has a bit of value */, LACKS /* it has none */ };
struct rule {
	uint16_t	 call;
	uint8_t		 arg;		/* which argument; its low 32 bits are looked at */
	uint8_t		 test;		/* enum test */
	uint32_t	 value;
};
#define CALL(name)			{ SYS_##name, 0, ALWAYS, 0 }
#define CALL_IF(name, arg, test, value)	{ SYS_##name, arg, test, value }

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
	CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo), CALL(tkill), CALL(ioprio_set),
	CALL(setpriority), CALL(sched_setscheduler), CALL(sched_setparam), CALL(sched_setattr),
	CALL_IF(ioctl, 1, IS, TIOCSTI), CALL_IF(fcntl, 1, IS, F_SETOWN),
	CALL_IF(fcntl, 1, IS, F_SETOWN_EX), CALL_IF(fcntl, 1, IS, F_SETSIG),
	CALL_IF(prctl, 0, IS, PR_SET_PDEATHSIG),
#ifdef SYS_iopl
	CALL(iopl), CALL(ioperm), CALL(modify_ldt), CALL(uselib), CALL(sysfs), CALL(_sysctl),
	CALL(create_module),
#endif
};
/* What asks for its own process is let through before that. */
static const struct rule own_signals[] = {
	CALL_IF(tgkill, 0, IS_SELF, 0), CALL_IF(kill, 0, IS_SELF, 0),
	CALL_IF(prlimit64, 0, IS, 0), CALL_IF(prlimit64, 0, IS_SELF, 0),
};
static const struct rule other_processes[] = {
	CALL(tgkill), CALL(kill), CALL(prlimit64),
};
static const struct rule sockets[] = {
	CALL(socket), CALL(socketpair), CALL(connect), CALL(bind), CALL(listen), CALL(accept),
	CALL(accept4), CALL(sendto), CALL(recvfrom),
};
static const struct rule threads[] = {
	CALL_IF(clone, 0, HAS, CLONE_THREAD),
};
/* libc makes these with all signals blocked, when a trap would end the process: they fail unlogged. */
static const struct rule spawns[] = {
	CALL(clone3), CALL_IF(clone, 0, HAS, CLONE_VM),
};
static const struct rule processes[] = {
	CALL(clone), CALL(execve), CALL(execveat),
#ifdef SYS_fork
	CALL(fork), CALL(vfork),
#endif
};

/* All that a job needs once the plugin is loaded. */
static const struct rule job[] = {
	CALL(read), CALL(write), CALL(pwrite64), CALL(writev), CALL(recvmsg), CALL(sendmsg),
	CALL(ppoll), CALL(mremap), CALL(munmap), CALL(brk), CALL(madvise), CALL(close),
	CALL_IF(mmap, 2, LACKS, PROT_EXEC), CALL_IF(mprotect, 2, LACKS, PROT_EXEC), CALL(futex),
	CALL(clock_gettime), CALL(clock_nanosleep), CALL(nanosleep), CALL(clock_getres),
	CALL(gettimeofday), CALL(getrandom), CALL(pread64), CALL(readv), CALL(lseek), CALL(fstat),
	CALL_IF(fcntl, 1, IS, F_GETFD), CALL_IF(fcntl, 1, IS, F_SETFD),
	CALL_IF(fcntl, 1, IS, F_GETFL), CALL_IF(fcntl, 1, IS, F_GET_SEALS),
	CALL_IF(ioctl, 1, IS, TCGETS),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack),
	CALL(getpid), CALL(gettid), CALL(getppid), CALL(getuid), CALL(geteuid), CALL(getgid),
	CALL(getegid), CALL(getrusage), CALL(sched_yield), CALL(restart_syscall), CALL(uname),
	CALL(sysinfo), CALL(times), CALL(set_robust_list), CALL(rseq), CALL(exit), CALL(exit_group),
	CALL_IF(prctl, 0, IS, PR_SET_NAME), CALL_IF(prctl, 0, IS, PR_GET_NAME),
	CALL(sched_getaffinity),
#ifdef SYS_poll
	CALL(poll), CALL(time), CALL(pause),
#endif
};
/* With CR_FILES: Landlock has shut all but its own folder. */
static const struct rule files[] = {
	CALL(openat), CALL(newfstatat), CALL(statx), CALL(getdents64), CALL(unlinkat),
	CALL(mkdirat), CALL(renameat), CALL(renameat2), CALL(linkat), CALL(ftruncate),
	CALL(fsync), CALL(fdatasync), CALL(sync_file_range), CALL(fallocate), CALL(faccessat),
	CALL(faccessat2), CALL(readlinkat), CALL(fchmod), CALL(fchmodat), CALL(utimensat),
	CALL(flock), CALL(getcwd), CALL(chdir), CALL(fchdir), CALL(umask), CALL(dup), CALL(dup3),
	CALL(fstatfs), CALL(statfs), CALL(preadv), CALL(pwritev), CALL(copy_file_range),
	CALL(fadvise64), CALL_IF(fcntl, 1, IS, F_SETFL), CALL_IF(fcntl, 1, IS, F_DUPFD_CLOEXEC),
	CALL_IF(fcntl, 1, IS, F_DUPFD), CALL_IF(fcntl, 1, IS, F_GETLK),
	CALL_IF(fcntl, 1, IS, F_SETLK), CALL_IF(fcntl, 1, IS, F_SETLKW),
	CALL_IF(fcntl, 1, IS, F_OFD_SETLK), CALL_IF(fcntl, 1, IS, F_OFD_GETLK),
#ifdef SYS_open
	CALL(open), CALL(stat), CALL(lstat), CALL(access), CALL(unlink), CALL(mkdir), CALL(rmdir),
	CALL(rename), CALL(link), CALL(readlink), CALL(chmod), CALL(dup2), CALL(creat),
	CALL(getdents), CALL(truncate),
#endif
};

/* ---- From tables to code ---- */

struct code {
	struct sock_filter	 v[CODE_MAX];
	unsigned		 n;
	int			 over;
};

static void
put(struct code *c, uint16_t op, uint32_t k, uint8_t yes, uint8_t no)
{
	if (c->n == CODE_MAX) {
		c->over = 1;
		return;
	}
	c->v[c->n++] = (struct sock_filter){ op, yes, no, k };
}

#define LOAD	(BPF_LD | BPF_W | BPF_ABS)
#define EQUAL	(BPF_JMP | BPF_JEQ | BPF_K)
#define BITS	(BPF_JMP | BPF_JSET | BPF_K)
#define RETURN	(BPF_RET | BPF_K)

/* Ends the call with `action` if the rule fits; goes on with the call's number loaded if not. */
static void
put_rule(struct code *c, const struct rule *r, uint32_t action)
{
	static const uint32_t args = offsetof(struct seccomp_data, args);
	uint32_t value = r->test == IS_SELF ? (uint32_t)getpid() : r->value;

	if (r->test == ALWAYS) {
		put(c, EQUAL, r->call, 0, 1);
		put(c, RETURN, action, 0, 0);
		return;
	}
	put(c, EQUAL, r->call, 0, 4);
	put(c, LOAD, args + r->arg * 8u, 0, 0);	/* both machines are little-endian */
	if (r->test == LACKS)
		put(c, BITS, value, 1, 0);
	else
		put(c, r->test == HAS ? BITS : EQUAL, value, 0, 1);
	put(c, RETURN, action, 0, 0);
	put(c, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
}

static void
put_rules(struct code *c, const struct rule *r, size_t n, uint32_t action)
{
	for (; n > 0; n--, r++)
		put_rule(c, r, action);
}
#define PUT(c, table, action)	put_rules(c, table, sizeof(table) / sizeof((table)[0]), action)

#if defined(__x86_64__)
#define MACHINE	AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE	AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows x86_64 and aarch64: configure with --disable-sandbox elsewhere"
#endif

static void
put_begin(struct code *c)
{
	put(c, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	put(c, EQUAL, MACHINE, 1, 0);
	put(c, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
	put(c, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
#if defined(__x86_64__)
	put(c, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);	/* the x32 numbers */
	put(c, RETURN, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
}

static int
install(struct code *c, uint32_t otherwise)
{
	struct sock_fprog prog = { .filter = c->v };

	put(c, RETURN, otherwise, 0, 0);
	prog.len = (unsigned short)c->n;
	if (c->over)
		fatal("a filter of system calls is over %d instructions", CODE_MAX);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0)
		return 0;
	log_warn("seccomp: %s", strerror(errno));
	return -1;
}

/* ---- A denied call: logged, and ENOSYS ---- */

static const struct { int call; const char *name; } names[] = {
	{ SYS_socket, "socket" }, { SYS_socketpair, "socketpair" }, { SYS_connect, "connect" },
	{ SYS_bind, "bind" }, { SYS_execve, "execve" }, { SYS_execveat, "execveat" },
	{ SYS_clone, "clone (fork)" }, { SYS_clone3, "clone3" }, { SYS_openat, "openat" },
	{ SYS_kill, "kill" }, { SYS_tgkill, "tgkill" }, { SYS_tkill, "tkill" },
	{ SYS_ptrace, "ptrace" }, { SYS_mmap, "mmap (executable)" },
	{ SYS_mprotect, "mprotect (executable)" }, { SYS_newfstatat, "newfstatat" },
	{ SYS_unlinkat, "unlinkat" }, { SYS_mkdirat, "mkdirat" }, { SYS_statx, "statx" },
	{ SYS_fcntl, "fcntl" }, { SYS_ioctl, "ioctl" }, { SYS_prctl, "prctl" },
	{ SYS_dup, "dup" }, { SYS_memfd_create, "memfd_create" }, { SYS_setuid, "setuid" },
	{ SYS_io_uring_setup, "io_uring_setup" }, { SYS_prlimit64, "prlimit64" },
	{ SYS_readlinkat, "readlinkat" }, { SYS_faccessat, "faccessat" },
	{ SYS_pipe2, "pipe2" }, { SYS_ftruncate, "ftruncate" },
#ifdef SYS_open
	{ SYS_open, "open" }, { SYS_fork, "fork" }, { SYS_vfork, "vfork" }, { SYS_stat, "stat" },
	{ SYS_unlink, "unlink" }, { SYS_mkdir, "mkdir" }, { SYS_rename, "rename" },
	{ SYS_access, "access" }, { SYS_readlink, "readlink" },
#endif
};

static void
say_denied(int call)
{
	static volatile sig_atomic_t said;
	const char *name = NULL;
	char line[128];
	size_t i;
	int n;

	if (said >= DENIED_MAX)
		return;
	said++;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].call == call)
			name = names[i].name;
	if (name != NULL)
		n = snprintf(line, sizeof(line), "denied: %s\n", name);
	else
		n = snprintf(line, sizeof(line), "denied: system call %d\n", call);
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

static void
set_result(ucontext_t *u, long value)
{
#if defined(__x86_64__)
	u->uc_mcontext.gregs[REG_RAX] = value;
#else
	u->uc_mcontext.regs[0] = (unsigned long long)value;
#endif
}

/* fstat() as libc asks for it: by newfstatat with an empty path. Tells what is open already. */
static int
is_fstat(const siginfo_t *si, const ucontext_t *u, long *result)
{
#if defined(__x86_64__)
	const greg_t *reg = u->uc_mcontext.gregs;
	const long fd = reg[REG_RDI], flags = reg[REG_R10];
	const char *path = (const char *)reg[REG_RSI];
	void *to = (void *)reg[REG_RDX];
#else
	const unsigned long long *reg = u->uc_mcontext.regs;
	const long fd = (long)reg[0], flags = (long)reg[3];
	const char *path = (const char *)reg[1];
	void *to = (void *)reg[2];
#endif

	if (si->si_syscall != SYS_newfstatat || (flags & AT_EMPTY_PATH) == 0 || path == NULL ||
	    path[0] != '\0')
		return 0;
	*result = syscall(SYS_fstat, fd, to);
	if (*result == -1)
		*result = -errno;
	return 1;
}

static void
denied(int sig, siginfo_t *si, void *context)
{
	int before = errno;
	long result = -ENOSYS;

	(void)sig;
	if (!is_fstat(si, context, &result))
		say_denied(si->si_syscall);
	set_result(context, result);
	errno = before;
}

static int
watch_denied(void)
{
	struct sigaction sa = { .sa_sigaction = denied, .sa_flags = SA_SIGINFO | SA_NODEFER };

	if (sigaction(SIGSYS, &sa, NULL) == 0)
		return 0;
	log_warn("SIGSYS: %s", strerror(errno));
	return -1;
}

/* ---- In order ---- */

/* All that is not forbidden. The last filter of a worker with wide grants, and the first of all. */
static int
filter_wide(uint32_t grants)
{
	struct code c = { .n = 0 };

	put_begin(&c);
	PUT(&c, own_signals, SECCOMP_RET_ALLOW);
	if ((grants & CR_EXEC) == 0) {
		PUT(&c, other_processes, SECCOMP_RET_TRAP);
		if ((grants & CR_NETWORK) != 0)
			PUT(&c, threads, SECCOMP_RET_ALLOW);
		PUT(&c, spawns, SECCOMP_RET_ERRNO | ENOSYS);
		PUT(&c, processes, SECCOMP_RET_TRAP);
	}
	if ((grants & (CR_NETWORK | CR_EXEC)) == 0)
		PUT(&c, sockets, SECCOMP_RET_TRAP);
	PUT(&c, never, SECCOMP_RET_TRAP);
	return install(&c, SECCOMP_RET_ALLOW);
}

int
sandbox_enter(const struct w_start *ws, const char *const *plugins, size_t n)
{
	if (limits(ws) == -1)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
		log_warn("prctl: %s", strerror(errno));
		return -1;
	}
	if (ws->folder != NULL && chdir(ws->folder) == -1) {
		log_warn("%s: %s", ws->folder, strerror(errno));
		return -1;
	}
	if (lock_files(ws, plugins, n) == -1 || watch_denied() == -1)
		return -1;
	return filter_wide(ws->grants);
}

int
sandbox_seal(const struct w_start *ws)
{
	struct code c = { .n = 0 };

	if ((ws->grants & (CR_NETWORK | CR_EXEC)) != 0)
		return 0;		/* as it is: a client of any protocol needs many calls */
	put_begin(&c);
	PUT(&c, job, SECCOMP_RET_ALLOW);
	PUT(&c, spawns, SECCOMP_RET_ERRNO | ENOSYS);
	PUT(&c, own_signals, SECCOMP_RET_ALLOW);
	if ((ws->grants & CR_FILES) != 0)
		PUT(&c, files, SECCOMP_RET_ALLOW);
	return install(&c, SECCOMP_RET_TRAP);
}
#endif

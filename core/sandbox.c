/* Confines a worker: limits, Landlock and the two seccomp filters that it was sent (filter.c), in
 * the order of the design; says which calls are denied. */
#include "sandbox.h"
#include "filter.h"
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

/* soft: what the worker starts may raise it again, as far as it was. */
static int
limit(int what, const char *name, rlim_t value, int soft)
{
	struct rlimit old, now = { value, value };

	if (getrlimit((__rlimit_resource_t)what, &old) == 0) {
		if (old.rlim_max < value)
			now.rlim_cur = now.rlim_max = old.rlim_max;
		if (soft)
			now.rlim_max = old.rlim_max;
	}
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
	int soft = (ws->grants & CR_EXEC) != 0;		/* a command needs what it needs */

	signal(SIGXFSZ, SIG_IGN);	/* a write then fails with EFBIG */
	signal(SIGPIPE, SIG_IGN);
#ifdef COURANT_SANDBOX			/* sanitizers reserve more than any limit */
	if (ws->memory > 0 && limit(RLIMIT_AS, "memory", ws->memory, soft) == -1)
		return -1;
#endif
	if (limit(RLIMIT_CORE, "core files", 0, 0) == -1 ||
	    limit(RLIMIT_CPU, "CPU time", cpu, 0) == -1 ||
	    limit(RLIMIT_NOFILE, "descriptors", wide ? FILES_WIDE : FILES_MAX, soft) == -1)
		return -1;
	return ws->out > 0 ? limit(RLIMIT_FSIZE, "file size", ws->out, 0) : 0;
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

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

#define DENIED_MAX	20		/* denied calls that a worker logs */

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

/* ---- Filters of system calls ---- */

/* Installs a filter, with this process's id in its place. -1 also when it is none. */
static int
install(struct bytes filter)
{
	struct sock_filter code[FILTER_MAX];
	struct sock_fprog prog = { .filter = code };
	size_t i, n = filter.len / sizeof(code[0]);

	if (n == 0 || n > FILTER_MAX || filter.len % sizeof(code[0]) != 0) {
		log_warn("seccomp: a filter of %zu bytes", filter.len);
		return -1;
	}
	memcpy(code, filter.data, filter.len);
	for (i = 0; i < n; i++)
		if (code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && code[i].k == FILTER_SELF)
			code[i].k = (uint32_t)getpid();
	prog.len = (unsigned short)n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0)
		return 0;
	log_warn("seccomp: %s", strerror(errno));
	return -1;
}

/* ---- A denied call: logged, and ENOSYS ---- */

static struct bytes calls;	/* set before SIGSYS can come */

/* The name of a call, "" when it is not known. */
static const char *
call_name(int call)
{
	const char *name = calls.data, *end = calls.data + calls.len;

	for (; call > 0 && name < end; call--)
		name += strlen(name) + 1;
	return call == 0 && name < end ? name : "";
}

static void
say_denied(int call)
{
	static volatile sig_atomic_t said;
	const char *name = call_name(call);
	char line[128];
	int n;

	if (said >= DENIED_MAX)
		return;
	said++;
	if (name[0] != '\0')
		n = snprintf(line, sizeof(line), "denied: %.64s\n", name);
	else
		n = snprintf(line, sizeof(line), "denied: system call %d\n", call);
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "set_result() does not know this machine: configure with --disable-sandbox"
#endif

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
watch_denied(struct bytes names)
{
	struct sigaction sa = { .sa_sigaction = denied, .sa_flags = SA_SIGINFO | SA_NODEFER };

	calls = names;
	if (sigaction(SIGSYS, &sa, NULL) == 0)
		return 0;
	log_warn("SIGSYS: %s", strerror(errno));
	return -1;
}

/* ---- In order ---- */

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
	if (lock_files(ws, plugins, n) == -1 || watch_denied(ws->calls) == -1)
		return -1;
	return install(ws->filter_enter);
}

int
sandbox_seal(const struct w_start *ws)
{
	if ((ws->grants & (CR_NETWORK | CR_EXEC)) != 0)
		return 0;		/* as it is: a client of any protocol needs many calls */
	return install(ws->filter_seal);
}
#endif

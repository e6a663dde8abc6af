/* Installs filters of system calls (seccomp(2)), and logs the calls that they deny. */
#ifdef COURANT_SANDBOX
#include "filter.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CALLS_MAX	512		/* a call with a higher number is logged each time */

int
filter_install(struct bytes filter)
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

static struct bytes calls;	/* names of system calls; set before SIGSYS is possible */

/* The name of a system call; "": unknown. */
static const char *
call_name(int call)
{
	const char *name = calls.data, *end = calls.data + calls.len;

	for (; call > 0 && name < end; call--)
		name += strlen(name) + 1;
	return call == 0 && name < end ? name : "";
}

/* For a process whose log is read by core: the line alone. */
static void
say_line(const char *name)
{
	char line[128];
	int n = snprintf(line, sizeof(line), FILTER_DENIED "%.64s\n", name);

	(void)!write(log_fd(), line, (size_t)n);
}

static void (*say)(const char *name) = say_line;

static void
say_denied(int call)
{
	static volatile sig_atomic_t said, known[CALLS_MAX];
	const char *name = call_name(call);
	char number[32];

	if (say == say_line && (said >= FILTER_DENIED_MAX ||
	    (call >= 0 && call < CALLS_MAX && known[call]++ > 0)))
		return;
	said++;
	if (name[0] == '\0') {
		snprintf(number, sizeof(number), "system call %d", call);
		name = number;
	}
	say(name);
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

/* Whether memory is readable: the kernel copies the signals before it looks at what to do. */
static int
readable(const void *p)
{
	return p != NULL && syscall(SYS_rt_sigprocmask, -1, p, NULL, 8) == -1 && errno == EINVAL;
}

/* Emulates fstat(), which libc makes by newfstatat() with an empty path. It needs no right: the
 * file is open already. */
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

	if (si->si_syscall != SYS_newfstatat || (flags & AT_EMPTY_PATH) == 0 ||
	    !readable(path) || path[0] != '\0')
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

void
filter_say(void (*to)(const char *name))
{
	say = to;
}

int
filter_watch(struct bytes names)
{
	struct sigaction sa = { .sa_sigaction = denied, .sa_flags = SA_SIGINFO | SA_NODEFER };

	calls = names;
	if (sigaction(SIGSYS, &sa, NULL) == 0)
		return 0;
	log_warn("SIGSYS: %s", strerror(errno));
	return -1;
}
#endif

/* The filters say of each call what the tables mean, for each grant; a small machine runs them. */
#include "base/buf.h"
#include "ipc/filter.h"
#include "ipc/seccomp.h"

#include <courant/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <asm/sockios.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#ifdef COURANT_SANDBOX
#define SANDBOX		1
#else
#define SANDBOX		0
#endif
#define NEEDS_SANDBOX()	do { if (!SANDBOX) skip(); } while (0)
#define HIGH		(UINT64_C(1) << 32)	/* above what the kernel reads of an int */
#define SELF		FILTER_SELF

#if defined(__x86_64__)
#define MACHINE		AUDIT_ARCH_X86_64
#define OTHER		AUDIT_ARCH_I386
#else
#define MACHINE		AUDIT_ARCH_AARCH64
#define OTHER		AUDIT_ARCH_ARM
#endif

/* What a filter answers to a call. */
static uint32_t
answer(struct bytes filter, const struct seccomp_data *call)
{
	struct sock_filter i;
	size_t at = 0;
	uint32_t a = 0;

	for (;;) {
		assert_true((at + 1) * sizeof(i) <= filter.len);
		memcpy(&i, filter.data + at++ * sizeof(i), sizeof(i));
		switch (i.code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i.k <= sizeof(*call) - sizeof(a));
			memcpy(&a, (const char *)call + i.k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i.k;
			break;
		case BPF_JMP | BPF_JA:
			at += i.k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			at += a == i.k ? i.jt : i.jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			at += a >= i.k ? i.jt : i.jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			at += a > i.k ? i.jt : i.jf;
			break;
		case BPF_RET | BPF_K:
			return i.k;
		default:
			fail_msg("instruction %x", i.code);
		}
	}
}

static char
letter(uint32_t action)
{
	switch (action) {
	case SECCOMP_RET_ALLOW:
		return 'a';
	case SECCOMP_RET_TRAP:
		return 't';
	case SECCOMP_RET_ERRNO | ENOSYS:
		return 'e';
	case SECCOMP_RET_KILL_PROCESS:
		return 'k';
	default:
		return '?';
	}
}

/* The filters in the order of the letters below: which, and for which grants. */
static const struct { int seal; uint32_t grants; } column[] = {
	{ 0, 0 }, { 0, CR_FILES }, { 0, CR_NETWORK }, { 0, CR_EXEC }, { 0, CR_NETWORK | CR_EXEC },
	{ 1, 0 }, { 1, CR_FILES }, { 1, CR_HTTP | CR_SECRETS },
};
#define COLUMNS	(sizeof(column) / sizeof(column[0]))

#define C(name)	SYS_##name, #name
static const struct {
	int		 call;
	const char	*name;
	uint64_t	 arg[3];
	const char	*want;		/* a: allowed, t: trap, e: ENOSYS */
} cases[] = {
	/* any */
	{ C(read), { 0, 0, 0 }, "aaaaaaaa" },
	{ C(exit_group), { 0, 0, 0 }, "aaaaaaaa" },
	{ C(newfstatat), { 0, 0, 0 }, "aaaaatat" },
	{ 4000, "a call of the future", { 0, 0, 0 }, "ttteettt" },
	/* opening */
	{ C(openat), { 0, 0, O_RDONLY | O_CLOEXEC }, "aaaaatat" },
	{ C(openat), { 0, 0, O_RDONLY | O_TRUNC }, "tttaattt" },
	{ C(openat), { 0, 0, O_PATH }, "tttaattt" },
	{ C(openat), { 0, 0, O_WRONLY }, "tataatat" },
	{ C(openat), { 0, 0, O_RDWR | O_CREAT | O_TRUNC }, "tataatat" },
	{ C(openat), { 0, 0, O_CREAT }, "tataatat" },
	{ C(openat), { 0, 0, O_ACCMODE }, "tttaattt" },
	{ C(openat), { 0, 0, O_ACCMODE | O_TRUNC }, "tttaattt" },
	{ C(openat), { 0, 0, O_WRONLY | O_ASYNC }, "tttaattt" },
	{ C(openat), { 0, 0, O_RDWR | O_TMPFILE }, "tataatat" },
	{ C(openat2), { 0, 0, 0 }, "tttaattt" },
	/* files */
	{ C(unlinkat), { 0, 0, 0 }, "tataatat" },
	{ C(renameat2), { 0, 0, 0 }, "tataatat" },
	{ C(linkat), { 0, 0, 0 }, "tataatat" },
	{ C(symlinkat), { 0, 0, 0 }, "tttaattt" },
	{ C(mknodat), { 0, 0, 0 }, "tttaattt" },
	{ C(ftruncate), { 0, 0, 0 }, "tataatat" },
	{ C(fallocate), { 0, 0, 0 }, "tataatat" },
	{ C(truncate), { 0, 0, 0 }, "tttaattt" },
	{ C(fchmod), { 0, 0, 0 }, "tttaattt" },
	{ C(fchmodat), { 0, 0, 0 }, "tttaattt" },
	{ C(fchown), { 0, 0, 0 }, "tttaattt" },
	{ C(fchownat), { 0, 0, 0 }, "tttaattt" },
	{ C(utimensat), { 0, 0, 0 }, "tttaattt" },
	{ C(setxattr), { 0, 0, 0 }, "tttaattt" },
	{ C(fsetxattr), { 0, 0, 0 }, "tttaattt" },
	{ C(removexattr), { 0, 0, 0 }, "tttaattt" },
	{ C(memfd_create), { 0, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0 }, "tttaatta" },
	{ C(memfd_create), { 0, MFD_HUGETLB, 0 }, "tttaattt" },
	/* sockets */
	{ C(socket), { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 }, "ttaaattt" },
	{ C(socket), { AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP }, "ttaaattt" },
	{ C(socket), { AF_INET, SOCK_STREAM, IPPROTO_SCTP }, "tttaattt" },
	{ C(socket), { AF_INET, SOCK_RAW, 0 }, "tttaattt" },
	{ C(socket), { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, "ttaaattt" },
	{ C(socket), { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER }, "tttaattt" },
	{ C(socket), { AF_UNIX, SOCK_STREAM, 0 }, "tttaattt" },
	{ C(socket), { AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0 }, "tteaattt" },
	{ C(socket), { AF_UNIX, SOCK_DGRAM, 0 }, "tttaattt" },
	{ C(socket), { AF_PACKET, SOCK_RAW, 0 }, "ttteettt" },
	{ C(socket), { AF_ALG, SOCK_SEQPACKET, 0 }, "ttteettt" },
	{ C(socket), { AF_VSOCK, SOCK_STREAM, 0 }, "ttteettt" },
	{ C(socketpair), { AF_UNIX, SOCK_STREAM, 0 }, "ttaaattt" },
	{ C(socketpair), { AF_UNIX, SOCK_DGRAM, 0 }, "tttaattt" },
	{ C(connect), { 0, 0, 0 }, "ttaaattt" },
	{ C(sendto), { 0, 0, 0 }, "ttaaattt" },
	{ C(sendmmsg), { 0, 0, 0 }, "ttaaattt" },
	/* processes */
	{ C(execve), { 0, 0, 0 }, "tttaattt" },
	{ C(execveat), { 0, 0, 0 }, "tttaattt" },
	{ C(clone3), { 0, 0, 0 }, "eeeeeeee" },
	{ C(clone), { SIGCHLD, 0, 0 }, "tttaattt" },
	{ C(clone), { SIGCHLD | HIGH, 0, 0 }, "tttaattt" },
	{ C(clone), { CLONE_VM | CLONE_VFORK, 0, 0 }, "eeeaaeee" },
	{ C(clone), { CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0 }, "eeaaaeee" },
	{ C(clone), { CLONE_NEWUSER | SIGCHLD, 0, 0 }, "ttteettt" },
	{ C(clone), { CLONE_NEWNET | CLONE_VM | CLONE_THREAD, 0, 0 }, "eeteeeee" },
	{ C(kill), { SELF, 0, 0 }, "aaaaaaaa" },
	{ C(kill), { SELF - 1, 0, 0 }, "tttaattt" },
	{ C(kill), { SELF | HIGH, 0, 0 }, "aaaaaaaa" },
	{ C(kill), { 0, 0, 0 }, "tttaattt" },
	{ C(kill), { (uint32_t)-1, 0, 0 }, "tttaattt" },
	{ C(tgkill), { SELF, 0, 0 }, "aaaaaaaa" },
	{ C(tgkill), { 1, 0, 0 }, "tttaattt" },
	{ C(tkill), { 0, 0, 0 }, "ttteettt" },
	{ C(prlimit64), { 0, 0, 0 }, "aaaaaaaa" },
	{ C(prlimit64), { 1, 0, 0 }, "ttteettt" },
	/* others, and where they run */
	{ C(sched_setaffinity), { 0, 0, 0 }, "tttaattt" },
	{ C(sched_setaffinity), { 1, 0, 0 }, "ttteettt" },
	{ C(sched_setattr), { 0, 0, 0 }, "tttaattt" },
	{ C(sched_setattr), { 1, 0, 0 }, "ttteettt" },
	{ C(sched_setscheduler), { 1, 0, 0 }, "ttteettt" },
	{ C(setpriority), { PRIO_PROCESS, 0, 0 }, "tttaattt" },
	{ C(setpriority), { PRIO_PROCESS, 1, 0 }, "ttteettt" },
	{ C(setpriority), { PRIO_USER, 0, 0 }, "ttteettt" },
	{ C(ioprio_set), { 1, 1, 0 }, "ttteettt" },
	{ C(ptrace), { 0, 0, 0 }, "ttteettt" },
	{ C(pidfd_open), { 0, 0, 0 }, "ttteettt" },
	/* descriptors */
	{ C(ioctl), { 0, TCGETS, 0 }, "aaaaaaaa" },
	{ C(ioctl), { 0, FIONREAD, 0 }, "ttaaattt" },
	{ C(ioctl), { 0, FIOASYNC, 0 }, "ttteettt" },
	{ C(ioctl), { 0, FIOSETOWN, 0 }, "ttteettt" },
	{ C(ioctl), { 0, FIOSETOWN | HIGH, 0 }, "ttteettt" },
	{ C(ioctl), { 0, SIOCSPGRP, 0 }, "ttteettt" },
	{ C(ioctl), { 0, TIOCSTI, 0 }, "ttteettt" },
	{ C(ioctl), { 0, TIOCSTI | HIGH, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_GETFL, 0 }, "aaaaaaaa" },
	{ C(fcntl), { 0, F_SETFL, O_NONBLOCK }, "taaaatat" },
	{ C(fcntl), { 0, F_SETFL, O_NONBLOCK | O_ASYNC }, "ttteettt" },
	{ C(fcntl), { 0, F_SETOWN, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_SETOWN | HIGH, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_SETOWN_EX, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_SETSIG, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_SETLEASE, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_NOTIFY, 0 }, "ttteettt" },
	{ C(fcntl), { 0, F_ADD_SEALS, 0 }, "tttaatta" },
	{ C(dup3), { 0, 0, 0 }, "aaaaatat" },
	/* the process itself */
	{ C(prctl), { PR_SET_NAME, 0, 0 }, "aaaaaaaa" },
	{ C(prctl), { PR_SET_PDEATHSIG, 0, 0 }, "tttaattt" },
	{ C(prctl), { PR_SET_PDEATHSIG | HIGH, 0, 0 }, "tttaattt" },
	{ C(prctl), { PR_SET_DUMPABLE, 0, 0 }, "tttaattt" },
	{ C(prctl), { PR_SET_MM, 0, 0 }, "ttteettt" },
	{ C(prctl), { PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0 }, "aaaaattt" },
	{ C(seccomp), { 0, 0, 0 }, "tttaattt" },
	{ C(timer_create), { 0, 0, 0 }, "tttaattt" },
	{ C(setitimer), { 0, 0, 0 }, "tttaattt" },
	{ C(timerfd_create), { 0, 0, 0 }, "ttaaattt" },
	{ C(setsid), { 0, 0, 0 }, "tttaattt" },
	{ C(mmap), { 0, 0, PROT_READ | PROT_WRITE }, "aaaaaaaa" },
	{ C(mmap), { 0, 0, PROT_READ | PROT_EXEC }, "aaaaattt" },
	{ C(mprotect), { 0, 0, PROT_EXEC }, "aaaaattt" },
	{ C(mprotect), { 0, 0, PROT_EXEC | HIGH }, "aaaaattt" },
	/* the machine */
	{ C(io_uring_setup), { 0, 0, 0 }, "ttteettt" },
	{ C(mount), { 0, 0, 0 }, "ttteettt" },
	{ C(unshare), { 0, 0, 0 }, "ttteettt" },
	{ C(bpf), { 0, 0, 0 }, "ttteettt" },
	{ C(setuid), { 0, 0, 0 }, "ttteettt" },
	{ C(keyctl), { 0, 0, 0 }, "ttteettt" },
	{ C(shmget), { 0, 0, 0 }, "ttteettt" },
	{ C(userfaultfd), { 0, 0, 0 }, "ttteettt" },
	{ C(open_by_handle_at), { 0, 0, 0 }, "ttteettt" },
};

static void
test_each_call_is_answered_as_granted(void **state)
{
	struct seccomp_data call = { .arch = MACHINE };
	char got[COLUMNS + 1] = "";
	size_t i, k;

	(void)state;
	NEEDS_SANDBOX();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call.nr = cases[i].call;
		memset(call.args, 0, sizeof(call.args));
		memcpy(call.args, cases[i].arg, sizeof(cases[i].arg));
		for (k = 0; k < COLUMNS; k++) {
			struct w_start ws = { .grants = column[k].grants };

			seccomp_fill(&ws);
			got[k] = letter(answer(column[k].seal ? ws.filter_seal : ws.filter_enter,
			    &call));
		}
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s(%llx, %llx, %llx): %s rather than %s", cases[i].name,
			    (unsigned long long)cases[i].arg[0],
			    (unsigned long long)cases[i].arg[1],
			    (unsigned long long)cases[i].arg[2], got, cases[i].want);
	}
}

static void
test_calls_of_another_machine_kill(void **state)
{
	struct seccomp_data call = { .nr = SYS_read, .arch = OTHER };
	struct w_start ws = { .grants = 0 };

	(void)state;
	NEEDS_SANDBOX();
	seccomp_fill(&ws);
	assert_int_equal(letter(answer(ws.filter_enter, &call)), 'k');
	assert_int_equal(letter(answer(ws.filter_seal, &call)), 'k');
#if defined(__x86_64__)
	call.arch = MACHINE;		/* the x32 numbers are another's too */
	call.nr |= 0x40000000;
	assert_int_equal(letter(answer(ws.filter_enter, &call)), 'k');
	assert_int_equal(letter(answer(ws.filter_seal, &call)), 'k');
#endif
}

/* Wide grants leave the first filter alone; every other worker has two, within the maximum. */
static void
test_filters_are_made_once_for_each_grant(void **state)
{
	uint32_t grants;

	(void)state;
	NEEDS_SANDBOX();
	for (grants = 0; grants < 32; grants++) {
		struct w_start one = { .grants = grants }, two = { .grants = grants };

		seccomp_fill(&one);
		seccomp_fill(&two);
		assert_non_null(one.filter_enter.data);
		assert_ptr_equal(one.filter_enter.data, two.filter_enter.data);
		assert_ptr_equal(one.filter_seal.data, two.filter_seal.data);
		assert_int_equal(one.filter_seal.data == NULL,
		    (grants & (CR_NETWORK | CR_EXEC)) != 0);
		assert_int_equal(one.filter_enter.len % sizeof(struct sock_filter), 0);
		assert_true(one.filter_enter.len <= FILTER_MAX * sizeof(struct sock_filter));
		assert_true(one.filter_seal.len <= FILTER_MAX * sizeof(struct sock_filter));
	}
}

static void
test_names_stand_at_their_numbers(void **state)
{
	struct w_start ws = { .grants = 0 };
	const char *name;
	int call;

	(void)state;
	NEEDS_SANDBOX();
	seccomp_fill(&ws);
	assert_int_equal(ws.calls.data[ws.calls.len - 1], '\0');
	name = ws.calls.data;
	for (call = 0; name < ws.calls.data + ws.calls.len; call++) {
		if (call == SYS_socket)
			assert_string_equal(name, "socket");
		if (call == SYS_io_uring_setup)
			assert_string_equal(name, "io_uring_setup");
		name += strlen(name) + 1;
	}
	assert_true(call > SYS_faccessat2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call_is_answered_as_granted),
		cmocka_unit_test(test_calls_of_another_machine_kill),
		cmocka_unit_test(test_filters_are_made_once_for_each_grant),
		cmocka_unit_test(test_names_stand_at_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

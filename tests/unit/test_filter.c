/* The filters say of each call what the tables mean, for each grant; a small machine runs them. */
#include "filter.h"

#include <courant/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
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
	unsigned	 arg;
	uint64_t	 value;
	const char	*want;		/* a: allowed, t: trap, e: ENOSYS */
} cases[] = {
	{ C(read), 0, 0, "aaaaaaaa" }, { C(exit_group), 0, 0, "aaaaaaaa" },
	{ C(socket), 0, 0, "ttaaattt" }, { C(socketpair), 0, 0, "ttaaattt" },
	{ C(socket), 0, AF_UNIX, "tteaattt" }, { C(socket), 0, AF_INET6, "ttaaattt" },
	{ C(connect), 0, 0, "ttaaattt" }, { C(sendto), 0, 0, "ttaaattt" },
	{ C(execve), 0, 0, "tttaattt" }, { C(execveat), 0, 0, "tttaattt" },
	{ C(clone3), 0, 0, "eeeaaeee" },
	{ C(clone), 0, SIGCHLD, "tttaattt" },
	{ C(clone), 0, SIGCHLD | HIGH, "tttaattt" },
	{ C(clone), 0, CLONE_VM | CLONE_VFORK, "eeeaaeee" },
	{ C(clone), 0, CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, "eeaaaeee" },
	{ C(ptrace), 0, 0, "ttteettt" }, { C(io_uring_setup), 0, 0, "ttteettt" },
	{ C(mount), 0, 0, "ttteettt" }, { C(unshare), 0, 0, "ttteettt" },
	{ C(bpf), 0, 0, "ttteettt" }, { C(setuid), 0, 0, "ttteettt" },
	{ C(tkill), 0, 0, "ttteettt" }, { C(keyctl), 0, 0, "ttteettt" },
	{ C(kill), 0, SELF, "aaaaaaaa" }, { C(kill), 0, SELF - 1, "tttaattt" },
	{ C(kill), 0, 0, "tttaattt" }, { C(kill), 0, (uint32_t)-1, "tttaattt" },
	{ C(tgkill), 0, SELF, "aaaaaaaa" }, { C(tgkill), 0, 1, "tttaattt" },
	{ C(prlimit64), 0, 0, "aaaaaaaa" }, { C(prlimit64), 0, 1, "tttaattt" },
	{ C(ioctl), 1, TIOCSTI, "ttteettt" }, { C(ioctl), 1, TIOCSTI | HIGH, "ttteettt" },
	{ C(ioctl), 1, TCGETS, "aaaaaaaa" }, { C(ioctl), 1, FIONREAD, "aaaaattt" },
	{ C(fcntl), 1, F_SETOWN, "ttteettt" }, { C(fcntl), 1, F_SETOWN | HIGH, "ttteettt" },
	{ C(fcntl), 1, F_SETSIG, "ttteettt" }, { C(fcntl), 1, F_GETFL, "aaaaaaaa" },
	{ C(fcntl), 1, F_SETFL, "aaaaatat" }, { C(fcntl), 1, F_ADD_SEALS, "aaaaatta" },
	{ C(prctl), 0, PR_SET_PDEATHSIG, "tttaattt" },
	{ C(prctl), 0, PR_SET_PDEATHSIG | HIGH, "tttaattt" },
	{ C(setpriority), 0, 0, "tttaattt" }, { C(sched_setscheduler), 0, 0, "tttaattt" },
	{ C(prctl), 0, PR_SET_NAME, "aaaaaaaa" }, { C(prctl), 0, PR_SET_DUMPABLE, "aaaaattt" },
	{ C(mmap), 2, PROT_READ | PROT_WRITE, "aaaaaaaa" },
	{ C(mmap), 2, PROT_READ | PROT_EXEC, "aaaaattt" },
	{ C(mprotect), 2, PROT_EXEC, "aaaaattt" },
	{ C(mprotect), 2, PROT_EXEC | HIGH, "aaaaattt" },
	{ C(mprotect), 2, PROT_READ, "aaaaaaaa" },
	{ C(openat), 0, 0, "aaaaatat" }, { C(newfstatat), 0, 0, "aaaaatat" },
	{ C(unlinkat), 0, 0, "aaaaatat" }, { C(memfd_create), 0, 0, "aaaaatta" },
	{ C(pipe2), 0, 0, "aaaaattt" }, { C(seccomp), 0, 0, "aaaaattt" },
	{ C(symlinkat), 0, 0, "aaaaattt" }, { 4000, "a call of the future", 0, 0, "aaaaattt" },
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
		call.args[cases[i].arg] = cases[i].value;
		for (k = 0; k < COLUMNS; k++) {
			struct w_start ws = { .grants = column[k].grants };

			filter_fill(&ws);
			got[k] = letter(answer(column[k].seal ? ws.filter_seal : ws.filter_enter,
			    &call));
		}
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s, argument %u is %llx: %s rather than %s", cases[i].name,
			    cases[i].arg, (unsigned long long)cases[i].value, got,
			    cases[i].want);
	}
}

static void
test_calls_of_another_machine_kill(void **state)
{
	struct seccomp_data call = { .nr = SYS_read, .arch = OTHER };
	struct w_start ws = { .grants = 0 };

	(void)state;
	NEEDS_SANDBOX();
	filter_fill(&ws);
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

		filter_fill(&one);
		filter_fill(&two);
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
	filter_fill(&ws);
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

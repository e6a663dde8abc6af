/* Filters of system calls (seccomp(2)) as tables, and the programs that libseccomp makes of them. */
#ifndef CORE_SECCOMP_MAKE_H
#define CORE_SECCOMP_MAKE_H
#include "wire.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define RULE_ARGS	3		/* arguments that a rule compares, at most */

/* A system call, with any arguments or with those that meet all comparisons. */
struct rule {
	int			 call;
	unsigned		 nargs;
	struct scmp_arg_cmp	 arg[RULE_ARGS];
};
#define CALL(name)		{ SCMP_SYS(name), 0, { { 0, _SCMP_CMP_MIN, 0, 0 } } }
#define CALL_IF(name, ...)	{ SCMP_SYS(name), sizeof((struct scmp_arg_cmp[]){ __VA_ARGS__ }) / \
	sizeof(struct scmp_arg_cmp), { __VA_ARGS__ } }
/* The kernel reads these arguments as int: only the low 32 bits are compared. */
#define IS(arg, value)		{ arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value }
#define IS_NOT(arg, value)	{ arg, SCMP_CMP_NE, value, 0 }
#define HAS(arg, bit)		{ arg, SCMP_CMP_MASKED_EQ, bit, bit }
#define LACKS(arg, bits)	{ arg, SCMP_CMP_MASKED_EQ, bits, 0 }
#define HAS_OF(arg, bit, bits)	{ arg, SCMP_CMP_MASKED_EQ, bits, bit }

/* Rules of a filter, used with all grants of `with` and none of `without`. */
struct part {
	const struct rule	*rules;
	size_t			 n;
	uint32_t		 action;
	uint32_t		 with, without;
};
#define RULES(table)	table, sizeof(table) / sizeof((table)[0])
#define FAIL		SCMP_ACT_ERRNO(ENOSYS)

/* Makes the filter program of n parts, an array of struct sock_filter: `otherwise` is the action
 * for calls without a rule. The memory is the caller's. What fails is fatal(): the tables are our
 * own. */
struct bytes	seccomp_make(const struct part *, size_t n, uint32_t otherwise, uint32_t grants);
/* The names of this machine's system calls in the order of their numbers, each with its NUL; "": no
 * call has that number. The memory is the caller's. */
struct bytes	seccomp_names(void);
#endif

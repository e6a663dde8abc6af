/* Installs filters of system calls (seccomp(2)), and logs the calls that they deny. The programs are
 * made by seccomp_make(). */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H
#include "wire.h"

#define FILTER_MAX	1024		/* instructions of one filter */
#define FILTER_SELF	0x7fffffffu	/* stands for the id of the process that installs it */

/* Installs a filter, an array of struct sock_filter, with this process's id in place of
 * FILTER_SELF. Needs no_new_privs. -1: error, or not a filter; logged. */
int	filter_install(struct bytes filter);
#define FILTER_DENIED	"denied: "	/* begins the line with which a process tells of a denied call */
#define FILTER_DENIED_MAX	64	/* such lines of a process, at most */

/* Catches SIGSYS: a call that a filter traps fails with ENOSYS, and is written to the log as
 * FILTER_DENIED and its name, each call once. names: those of seccomp_names(), which must stay. -1:
 * error, logged. */
int	filter_watch(struct bytes names);
/* Sets who logs a denied call instead of filter_watch()'s line: called in a signal handler, with the
 * call's name. */
void	filter_say(void (*)(const char *name));
#endif

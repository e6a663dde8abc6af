/* Makes signals go to the daemon by the descriptors that both have, changes where and when other
 * processes run, and sets timers. */
#include "walls.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

#include <asm/sockios.h>

#define CHANNEL		3		/* the socket that leads to the daemon */

static pid_t core;			/* the parent of the worker */
static unsigned long first_cpu[16] = { 1 };

/* The kernel's struct sched_attr. */
static struct { unsigned size, policy; unsigned long flags; int nice; unsigned priority;
	unsigned long times[3]; } attr = { .size = 48, .policy = SCHED_IDLE };
static const struct sched_param zero;
static const struct itimerval later = { .it_value = { .tv_sec = 100000 } };
static const struct f_owner_ex core_group = { F_OWNER_PGRP, 0 };
static const struct rlimit64 files = { 8, 8 };
static int on = 1;
static char letter = '\n';

static pid_t
daemon_pid(void)
{
	return core = getppid();
}

/* 0 when the variable is there. */
static long
variable(const char *name)
{
	for (char **e = environ; e != NULL && *e != NULL; e++)
		if (strncmp(*e, name, strlen(name)) == 0)
			return 0;
	errno = ENOENT;
	return -1;
}

static long
timer(void)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	int id;

	return syscall(SYS_timer_create, CLOCK_MONOTONIC, &none, &id);
}

#define OWNERS(X) \
	X(affinity_other, syscall(SYS_sched_setaffinity, daemon_pid(), sizeof(first_cpu), first_cpu)) \
	X(affinity, syscall(SYS_sched_setaffinity, 0, sizeof(first_cpu), first_cpu)) \
	X(attr_other, syscall(SYS_sched_setattr, core, &attr, 0)) \
	X(scheduler_other, syscall(SYS_sched_setscheduler, core, SCHED_BATCH, &zero)) \
	X(param_other, syscall(SYS_sched_setparam, core, &zero)) \
	X(priority_other, syscall(SYS_setpriority, PRIO_PROCESS, core, 1)) \
	X(priority_user, syscall(SYS_setpriority, PRIO_USER, 0, 1)) \
	X(priority_group, syscall(SYS_setpriority, PRIO_PGRP, 0, 1)) \
	X(ioprio_other, syscall(SYS_ioprio_set, 1, core, 3 << 13)) \
	X(limits_other, syscall(SYS_prlimit64, core, RLIMIT_NPROC, NULL, &files)) \
	X(variable_secret, variable("COURANT_TEST_SECRET=")) \
	X(variable_path, variable("PATH=")) \
	X(variable_home, variable("HOME=")) \
	X(death, syscall(SYS_prctl, 1, 0L)) \
	X(dumpable, syscall(SYS_prctl, 4, 0L)) \
	X(timer_create, timer()) \
	X(setitimer, syscall(SYS_setitimer, ITIMER_REAL, &later, NULL)) \
	X(timerfd, syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0)) \
	X(setsid, syscall(SYS_setsid)) \
	X(ioctl_sti, syscall(SYS_ioctl, 0, TIOCSTI, &letter)) \
	X(fcntl_notify, syscall(SYS_fcntl, CHANNEL, F_NOTIFY, 1)) \
	X(fcntl_signal, syscall(SYS_fcntl, CHANNEL, F_SETSIG, SIGRTMIN + 5)) \
	X(fcntl_owner_ex, syscall(SYS_fcntl, CHANNEL, F_SETOWN_EX, &core_group)) \
	X(fcntl_owner, syscall(SYS_fcntl, CHANNEL, F_SETOWN, core)) \
	X(fcntl_owner_high, syscall(SYS_fcntl, CHANNEL, (1L << 32) | F_SETOWN, core)) \
	X(ioctl_owner, syscall(SYS_ioctl, CHANNEL, FIOSETOWN, &core)) \
	X(ioctl_group, syscall(SYS_ioctl, CHANNEL, SIOCSPGRP, &core)) \
	X(ioctl_group_high, syscall(SYS_ioctl, CHANNEL, (1L << 32) | SIOCSPGRP, &core)) \
	X(fcntl_async, syscall(SYS_fcntl, CHANNEL, F_SETFL, O_RDWR | O_ASYNC)) \
	X(ioctl_async, syscall(SYS_ioctl, CHANNEL, FIOASYNC, &on)) \
	OWNERS_OLD(X)
#if defined(__x86_64__)
#define OWNERS_OLD(X)	X(alarm, syscall(SYS_alarm, 100000))
#else
#define OWNERS_OLD(X)
#endif

ATTEMPTS(OWNERS);
WALLS_PLUGIN();

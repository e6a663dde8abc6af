/* wait() of a sink. */
#ifndef CORE_HOST_WAIT_H
#define CORE_HOST_WAIT_H
#include <stdint.h>

/* Waits until fd (-1: none) is readable or ms have passed (-1: without limit), and tells core that the
 * job's deadline begins only then. 1: readable; 0: the time is up; -1: the worker is to stop. */
int	host_wait(int fd, int64_t ms);
#endif

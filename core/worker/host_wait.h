/* Waiting while deliver() runs: wait() of a sink, and for core's answers to requests and messages. */
#ifndef CORE_HOST_WAIT_H
#define CORE_HOST_WAIT_H
#include <stddef.h>
#include <stdint.h>

struct frame;

/* Waits until fd (-1: none) is readable or ms have passed (-1: without limit), and tells core that the
 * job's deadline begins only then. 1: readable; 0: the time is up; -1: the worker is to stop. */
int	host_wait(int fd, int64_t ms);

/* Waits for the next answer of that type, to one of the n requests with ids from `first` on; tells core meanwhile
 * what is done. 1; 0: the worker is to stop. Without core the process ends. */
int	host_answer_next(struct frame *, uint16_t type, uint32_t first, size_t n);
#endif

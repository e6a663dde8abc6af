/* The workers' system call filters (seccomp(2)), made by the process that starts a worker; the
 * worker only installs them. */
#ifndef CORE_SECCOMP_H
#define CORE_SECCOMP_H
#include "msg.h"

/* Sets filter_enter, filter_seal and calls by the grants. They point to memory that is never freed,
 * made once for each combination of grants. Built without a sandbox: sets nothing. */
void	seccomp_fill(struct w_start *);
#endif

/* The workers' filters of system calls, made by who starts them: a worker only installs them. */
#ifndef CORE_FILTER_H
#define CORE_FILTER_H
#include "msg.h"

#define FILTER_MAX	1024		/* instructions of one */
#define FILTER_SELF	0x7fffffffu	/* there the worker puts its own process id */

/* Sets filter_enter, filter_seal and calls as the grants want it. What they point to stays as long
 * as the process, made once for each combination of grants. Without a sandbox: nothing. */
void	filter_fill(struct w_start *);
#endif

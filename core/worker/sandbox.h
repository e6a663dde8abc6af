/* The worker's sandbox: resource limits, Landlock and two seccomp filters. */
#ifndef CORE_SANDBOX_H
#define CORE_SANDBOX_H
#include "ipc/msg.h"

#include <stddef.h>

/* Before any plugin is loaded: rlimits, no_new_privs, death with the parent, Landlock (plugins and
 * libraries, read only), and a seccomp filter that allows what loading needs and what the operator
 * granted. -1: a step failed, and was logged. Without Landlock only it is left out. */
int	sandbox_enter(const struct w_start *, const char *const *plugins, size_t n);
/* After the plugins are loaded: a seccomp filter that allows what the job needs and the operator
 * granted. */
int	sandbox_seal(const struct w_start *);
#endif

/* What a worker may do: limits, Landlock and two seccomp filters, in the order of the design. */
#ifndef CORE_SANDBOX_H
#define CORE_SANDBOX_H
#include "msg.h"

#include <stddef.h>

/* Before any plugin is loaded: rlimits, no_new_privs, the parent's death, Landlock (the plugins and
 * the libraries, read only), and a filter without sockets, exec, fork. -1 when that is impossible: a
 * log line says why. An old kernel without Landlock costs a warning only. */
int	sandbox_enter(const struct w_start *, const char *const *plugins, size_t n);
/* After they are loaded: only what their job needs and the operator granted. */
int	sandbox_seal(const struct w_start *);
#endif

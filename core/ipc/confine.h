/* A role confines itself, once it has opened what it opens but once: from then on it has the system
 * calls of its table (seccomp_roles.c) and the files that it names, and no more. */
#ifndef CORE_CONFINE_H
#define CORE_CONFINE_H
#include "roles.h"

#include <stddef.h>
#include <stdint.h>

/* A file, or a folder with all below, and what may be done with it: LAND_READ and others of
 * landlock.h. One that does not exist is skipped. */
struct confine_path {
	const char	*path;
	uint64_t	 rights;
};

/* Confines this process for good: no new privileges, no files but those of paths, no system calls
 * but the role's. A denied call fails with ENOSYS and is logged. To be called while the process has
 * one thread. A kernel without Landlock restricts the files by the calls alone; what fails otherwise
 * is fatal(). Built without a sandbox: no new privileges. */
void	confine(enum role_id, const struct confine_path *paths, size_t n);
#endif

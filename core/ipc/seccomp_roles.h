/* The roles' filters of system calls (seccomp(2)): what each role needs once it is up. */
#ifndef CORE_SECCOMP_ROLES_H
#define CORE_SECCOMP_ROLES_H
#include "roles.h"
#include "wire.h"

/* The filter program of a role, an array of struct sock_filter; the memory is the caller's. Built
 * without a sandbox: nothing. */
struct bytes	seccomp_role(enum role_id);
#endif

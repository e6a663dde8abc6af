/* Giving up root: the user as whom a program goes on that root started. */
#ifndef CORE_USER_H
#define CORE_USER_H
#include <pwd.h>

struct buf;

/* Whether the process is root, or can become root again: one of its real, effective and saved user
 * ids is 0. */
int	user_is_root(void);
/* The user of that name, for whom root is given up; valid until the next call. NULL, and why: there
 * is none, or it is root. */
const struct passwd *user_find(const char *name, struct buf *why);
/* Becomes the user for good: real, effective and saved ids, the user's own group alone. Checks it
 * all, and that there is no way back. -1, and why: the process has to end. */
int	user_become(const struct passwd *, struct buf *why);
#endif

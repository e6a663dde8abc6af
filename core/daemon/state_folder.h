/* The state folder of a daemon that root starts: made, and given to the user that the daemon becomes. */
#ifndef CORE_STATE_FOLDER_H
#define CORE_STATE_FOLDER_H
#include <sys/types.h>

struct buf;
struct passwd;

/* Makes the folder as root, and gives it to the user; one that was there only if it is root's and
 * empty, since what lies in another one is not known. No link is followed but root's. -1: logged. */
int	state_give(const char *path, mode_t mode, const struct passwd *);
/* Whether state_give() would leave the folder to the user, or that the user can write to it;
 * asked as root. -1, and why not. */
int	state_check(const char *path, const struct passwd *, struct buf *why);
#endif

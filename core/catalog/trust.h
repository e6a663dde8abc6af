/* Opening what a worker is to load: only where nobody but root and the daemon's user can put another
 * file in its place. */
#ifndef CORE_TRUST_H
#define CORE_TRUST_H
#include <sys/types.h>

#define TRUST_WHY	16384		/* bytes of a reason: it names a path */

struct buf;

/* Opens a file for reading, following its path from / on by hand. Each folder on the way, and each
 * link, has to belong to root or to `own`, and no other may write to a folder; but to those above the
 * file's own with the sticky bit, where others cannot rename what is not theirs. -1 with errno; then
 * why names the folder or link to blame (EPERM), or is empty. */
int	trust_open(const char *path, uid_t own, struct buf *why);
/* The same for a folder in which plugins lie: 0; -1. */
int	trust_folder(const char *path, uid_t own, struct buf *why);
/* Opens a folder for root, who is to give it away: no link is followed but root's. If it is not there
 * it is made, unless mode is 0; *made says so. -1 with errno, and why as above. */
int	trust_make(const char *path, mode_t mode, int *made, struct buf *why);
#endif

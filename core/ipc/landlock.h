/* Landlock (landlock(7)): which files a process can open. */
#ifndef CORE_LANDLOCK_H
#define CORE_LANDLOCK_H
#include <linux/landlock.h>
#include <stdint.h>

/* Rights that are newer than Debian 12's header. */
#define LAND_REFER	(UINT64_C(1) << 13)	/* version 2 */
#define LAND_TRUNCATE	(UINT64_C(1) << 14)	/* version 3 */
#define LAND_IOCTL	(UINT64_C(1) << 15)	/* version 5 */

#define LAND_READ	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LAND_WRITE	(LANDLOCK_ACCESS_FS_WRITE_FILE | LAND_TRUNCATE)	/* a file that is there */
/* A folder's regular files and folders: read, written, made, renamed and removed. */
#define LAND_OWN	(LAND_READ | LAND_WRITE | LAND_REFER | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)

/* The version of Landlock's ABI; 0: this kernel has no Landlock. Configured with
 * --enable-landlock-cap: at most what the environment variable COURANT_LANDLOCK_ABI says. */
int	landlock_abi(void);

/* A set of rules in the making. */
struct landlock {
	int		 fd;
	uint64_t	 handled;	/* file rights that it restricts */
};
/* Begins a set that allows no file, and with neither bind() nor connect() by TCP unless tcp is set,
 * by what version abi knows (at least 1). -1: errno. */
int	landlock_new(struct landlock *, int abi, int tcp);
/* Allows rights on a file, or on all below a folder. A path that does not exist is skipped, rights
 * that the ABI does not know, and for a file those of folders, are ignored. -1: errno. */
int	landlock_allow(const struct landlock *, const char *path, uint64_t rights);
/* Applies the set to this process for good, and frees it. Needs no_new_privs. -1: errno. */
int	landlock_enter(struct landlock *);

/* After this call the process, and what it starts, can signal nobody else. Needs no_new_privs. 0; -1:
 * errno. The kernel has it from version 6 on; with an older one nothing is done. */
int	landlock_signals(int abi);
#endif

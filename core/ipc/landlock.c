/* Landlock (landlock(7)): which files a process can open. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's struct landlock_ruleset_attr, with members that are newer than Debian 12's
 * header. */
struct landlock_rules {
	uint64_t	 fs, net, scoped;
};
#define LAND_NET	UINT64_C(3)		/* bind, connect by TCP: version 4 */
#define LAND_SIGNALS	UINT64_C(2)		/* version 6 */
#define LAND_SCOPED	(LAND_SIGNALS | 1)	/* and abstract sockets */
#define LAND_FIRST	((UINT64_C(1) << 13) - 1)	/* version 1 */
#define LAND_FILE	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_EXECUTE | LAND_TRUNCATE | LAND_IOCTL)	/* that apply to files */

int
landlock_abi(void)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
#ifdef COURANT_LANDLOCK_CAP
	const char *cap = getenv("COURANT_LANDLOCK_ABI");
	long most = cap != NULL && cap[0] != '\0' ? strtol(cap, NULL, 10) : version;

	if (most < version)
		version = (int)most;
#endif
	return version > 0 ? version : 0;
}

int
landlock_new(struct landlock *l, int abi, int tcp)
{
	struct landlock_rules rules = { .fs = LAND_FIRST };
	size_t size = sizeof(rules.fs);

	rules.fs |= (abi >= 2 ? LAND_REFER : 0) | (abi >= 3 ? LAND_TRUNCATE : 0) |
	    (abi >= 5 ? LAND_IOCTL : 0);
	if (abi >= 4) {
		rules.net = tcp ? 0 : LAND_NET;
		size = offsetof(struct landlock_rules, scoped);
	}
	if (abi >= 6) {
		rules.scoped = LAND_SCOPED;
		size = sizeof(rules);
	}
	l->handled = rules.fs;
	l->fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	return l->fd == -1 ? -1 : 0;
}

int
landlock_allow(const struct landlock *l, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights & l->handled };
	int fd = open(path, O_PATH | O_CLOEXEC), rc;

	if (fd == -1)
		return errno == ENOENT || errno == EACCES ? 0 : -1;
	rule.parent_fd = fd;
	rc = (int)syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc == -1 && errno == EINVAL) {	/* a file: without the rights of folders */
		rule.allowed_access &= LAND_FILE;
		rc = (int)syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule,
		    0);
	}
	close(fd);
	return rc;
}

int
landlock_enter(struct landlock *l)
{
	int rc = (int)syscall(SYS_landlock_restrict_self, l->fd, 0), before = errno;

	close(l->fd);
	l->fd = -1;
	errno = before;
	return rc;
}

int
landlock_signals(int abi)
{
	const struct landlock_rules rules = { .scoped = LAND_SIGNALS };
	struct landlock l = { .fd = -1 };

	if (abi < 6)
		return 0;
	l.fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	return l.fd == -1 ? -1 : landlock_enter(&l);
}

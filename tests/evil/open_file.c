/* Opens files, in several ways.
 * tags: sandbox
 */
#include "evil.h"

#include <fcntl.h>
#include <sys/syscall.h>

static void
evil(struct cr *cr)
{
	static const char *const paths[] = { "/etc/passwd", "/proc/self/mem", ".", "/dev/null" };
	size_t i;
	int fd;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fd = open(paths[i], O_RDONLY);
		tell(cr, paths[i], fd != -1);
	}
	fd = open("/tmp/courant-evil", O_WRONLY | O_CREAT, 0600);
	tell(cr, "a file of its own", fd != -1);
	fd = (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	tell(cr, "openat", fd != -1);
	fd = access("/etc/passwd", R_OK);
	tell(cr, "access", fd == 0);
}

EVIL_SOURCE("open_file");

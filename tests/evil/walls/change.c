/* Changes files that are none of its own: their length, mode, owner, times, attributes and names. */
#include "walls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2	452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat	463
#endif

static const struct timespec past[2] = { { 1, 0 }, { 1, 0 } };
static const long past_us[4] = { 1, 0, 1, 0 };
static const struct utimbuf past_s = { 1, 1 };

/* A descriptor of the plugin's own file, which it may read. */
static int
mine(void)
{
	static int fd = -1;

	if (fd == -1)
		fd = open(copy, O_RDONLY | O_CLOEXEC);
	return fd;
}

static const char *
beside(void)
{
	static char path[4300];

	snprintf(path, sizeof(path), "%s/made-%d", state, (int)getpid());
	return path;
}

static long
holds(int fd)
{
	return fd != -1 ? close(fd) : -1;
}

/* A handle of three words: the kernel refuses it, a filter refuses the call. */
static struct { unsigned bytes; int type; unsigned char handle[8]; } handle = { 8, 1, { 0 } };

#define FILES(X) \
	X(truncate, syscall(SYS_truncate, victim, 0L)) \
	X(open_truncate, holds(open(victim, O_RDONLY | O_TRUNC | O_CLOEXEC))) \
	X(open_write, holds(open(victim, O_WRONLY | O_CLOEXEC))) \
	X(open_both, holds(open(victim, O_RDWR | O_CLOEXEC))) \
	X(open_neither, holds(open(victim, 3 | O_CLOEXEC))) \
	X(open_path, holds(open(victim, O_PATH | O_CLOEXEC))) \
	X(open_read, holds(open(victim, O_RDONLY | O_CLOEXEC))) \
	X(open_new, holds(open(beside(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600))) \
	X(open_nameless, holds(open(state, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600))) \
	X(copy_truncate, holds(open(copy, O_RDONLY | O_TRUNC | O_CLOEXEC))) \
	X(copy_neither, holds(open(copy, 3 | O_TRUNC | O_CLOEXEC))) \
	X(copy_fchmod, syscall(SYS_fchmod, mine(), 0600)) \
	X(copy_fchown, syscall(SYS_fchown, mine(), getuid(), getgid())) \
	X(copy_futimens, syscall(SYS_utimensat, mine(), NULL, past, 0)) \
	X(copy_fsetxattr, syscall(SYS_fsetxattr, mine(), "user.walls", "x", 1L, 0)) \
	X(copy_ftruncate, syscall(SYS_ftruncate, mine(), 0L)) \
	X(copy_lease, syscall(SYS_fcntl, mine(), F_SETLEASE, F_RDLCK)) \
	X(copy_fchmodat2, syscall(SYS_fchmodat2, mine(), "", 0600, AT_EMPTY_PATH)) \
	X(fchmodat, syscall(SYS_fchmodat, AT_FDCWD, victim, 0666)) \
	X(fchmodat2, syscall(SYS_fchmodat2, AT_FDCWD, victim, 0666, 0)) \
	X(fchownat, syscall(SYS_fchownat, AT_FDCWD, victim, getuid(), getgid(), 0)) \
	X(utimensat, syscall(SYS_utimensat, AT_FDCWD, victim, past, 0)) \
	X(setxattr, syscall(SYS_setxattr, victim, "user.walls", "x", 1L, 0)) \
	X(lsetxattr, syscall(SYS_lsetxattr, victim, "user.walls", "y", 1L, 0)) \
	X(removexattr, syscall(SYS_removexattr, victim, "user.walls")) \
	X(setxattrat, syscall(SYS_setxattrat, AT_FDCWD, victim, 0, "user.walls", past_us, 16L)) \
	X(mkdirat, syscall(SYS_mkdirat, AT_FDCWD, beside(), 0700)) \
	X(unlinkat_made, syscall(SYS_unlinkat, AT_FDCWD, beside(), AT_REMOVEDIR)) \
	X(mknodat, syscall(SYS_mknodat, AT_FDCWD, beside(), S_IFIFO | 0600, 0)) \
	X(symlinkat, syscall(SYS_symlinkat, victim, AT_FDCWD, beside())) \
	X(linkat, syscall(SYS_linkat, AT_FDCWD, victim, AT_FDCWD, beside(), 0)) \
	X(etc_folder, holds(open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC))) \
	X(etc_passwd, holds(open("/etc/passwd", O_RDONLY | O_CLOEXEC))) \
	X(etc_fstab, holds(open("/etc/fstab", O_RDONLY | O_CLOEXEC))) \
	X(etc_private, holds(open("/etc/ssl/private", O_RDONLY | O_CLOEXEC))) \
	X(share_doc, holds(open("/usr/share/doc", O_RDONLY | O_DIRECTORY | O_CLOEXEC))) \
	X(environment, holds(open("/proc/self/environ", O_RDONLY | O_CLOEXEC))) \
	X(names_resolver, holds(open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC))) \
	X(names_hosts, holds(open("/etc/hosts", O_RDONLY | O_CLOEXEC))) \
	X(names_certificates, holds(open("/etc/ssl/certs", O_RDONLY | O_CLOEXEC))) \
	X(handle, syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY)) \
	X(mount, syscall(SYS_mount, "none", state, "tmpfs", 0L, NULL)) \
	FILES_OLD(X) \
	X(renameat2, syscall(SYS_renameat2, AT_FDCWD, victim, AT_FDCWD, beside(), 0)) \
	X(unlinkat, syscall(SYS_unlinkat, AT_FDCWD, victim, 0))
#if defined(__x86_64__)
#define FILES_OLD(X) \
	X(creat, holds((int)syscall(SYS_creat, beside(), 0600))) \
	X(open_old, holds((int)syscall(SYS_open, victim, O_WRONLY, 0))) \
	X(chmod, syscall(SYS_chmod, victim, 0666)) \
	X(chown, syscall(SYS_chown, victim, getuid(), getgid())) \
	X(lchown, syscall(SYS_lchown, victim, getuid(), getgid())) \
	X(utime, syscall(SYS_utime, victim, &past_s)) \
	X(utimes, syscall(SYS_utimes, victim, past_us)) \
	X(futimesat, syscall(SYS_futimesat, AT_FDCWD, victim, past_us)) \
	X(mkdir, syscall(SYS_mkdir, beside(), 0700)) \
	X(rmdir, syscall(SYS_rmdir, beside())) \
	X(mknod, syscall(SYS_mknod, beside(), S_IFIFO | 0600, 0)) \
	X(symlink, syscall(SYS_symlink, victim, beside())) \
	X(link, syscall(SYS_link, victim, beside())) \
	X(rename, syscall(SYS_rename, victim, beside())) \
	X(unlink, syscall(SYS_unlink, victim))
#else
#define FILES_OLD(X)
#endif

ATTEMPTS(FILES);
WALLS_PLUGIN();

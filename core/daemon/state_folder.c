/* The state folder of a daemon that root starts. */
#include "state_folder.h"
#include "base/buf.h"
#include "base/log.h"
#include "catalog/trust.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a folder that is open holds nothing. */
static int
is_empty(int fd)
{
	int copy = dup(fd), n = 0;
	DIR *dir = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *de;

	if (dir == NULL) {
		if (copy != -1)
			close(copy);
		return 0;
	}
	while ((de = readdir(dir)) != NULL)
		n += strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0;
	closedir(dir);
	return n == 0;
}

int
state_give(const char *path, mode_t mode, const struct passwd *pw)
{
	struct buf why;
	struct stat st;
	int made, fd, rc = -1;

	buf_init(&why, TRUST_WHY);
	fd = trust_make(path, mode, &made, &why);
	if (fd == -1 || fstat(fd, &st) == -1)
		log_error("%s: %s", path, why.len > 0 ? why.data : strerror(errno));
	else if (st.st_uid == pw->pw_uid)
		rc = 0;
	else if (st.st_uid == 0 && (made || is_empty(fd))) {
		rc = fchown(fd, pw->pw_uid, pw->pw_gid);
		if (rc == -1)
			log_error("%s: cannot be given to %s: %s", path, pw->pw_name, strerror(errno));
	} else {
		log_warn("%s: belongs to user %u and is not empty, so it is not given to %s: if it is "
		    "the daemon's, chown it", path, (unsigned)st.st_uid, pw->pw_name);
		rc = 0;			/* its mode may let the user in */
	}
	if (fd != -1)
		close(fd);
	buf_free(&why);
	return rc;
}

/* Whether the folder's mode lets the user write, who is not its owner. */
static int
mode_lets(const struct stat *st, const struct passwd *pw)
{
	mode_t all = S_IWOTH | S_IXOTH;

	return (st->st_mode & all) == all || (st->st_gid == pw->pw_gid &&
	    (st->st_mode & all << 3) == all << 3);
}

int
state_check(const char *path, const struct passwd *pw, struct buf *why)
{
	struct stat st;
	int made, fd = trust_make(path, 0, &made, why), given = 1;

	if (fd != -1 && fstat(fd, &st) == 0 && st.st_uid != pw->pw_uid && !mode_lets(&st, pw))
		given = st.st_uid == 0 && is_empty(fd);
	if (fd != -1)
		close(fd);
	if (!given)
		buf_fmt(why, "belongs to user %u and is not empty, so it is not given to %s: if it is the "
		    "daemon's, chown it", (unsigned)st.st_uid, pw->pw_name);
	return why->len > 0 ? -1 : 0;
}

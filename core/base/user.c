/* Giving up root. */
#include "user.h"
#include "buf.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>

int
user_is_root(void)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) == -1 || real == 0 || effective == 0 || saved == 0;
}

const struct passwd *
user_find(const char *name, struct buf *why)
{
	const struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		buf_fmt(why, "there is no user %s", name);
	else if (pw->pw_uid == 0)
		buf_fmt(why, "user %s is root, as whom no plugin runs", name);
	else
		return pw;
	return NULL;
}

/* Whether all ids are the user's. */
static int
is_user(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3], group;

	if (getresuid(&u[0], &u[1], &u[2]) == -1 || getresgid(&g[0], &g[1], &g[2]) == -1 ||
	    getgroups(1, &group) != 1 || group != gid)
		return 0;
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return 0;
	return 1;
}

int
user_become(const struct passwd *pw, struct buf *why)
{
	uid_t uid = pw->pw_uid;
	gid_t gid = pw->pw_gid;

	if (setgroups(1, &gid) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		buf_fmt(why, "cannot become user %s: %s", pw->pw_name, strerror(errno));
	else if (!is_user(uid, gid) || setuid(0) != -1)
		buf_fmt(why, "user %s could become root again", pw->pw_name);
	else
		return 0;
	return -1;
}

/* A role's own confinement: no_new_privs, Landlock, a filter of system calls. */
#include "confine.h"
#include "filter.h"
#include "landlock.h"
#include "seccomp_roles.h"
#include "base/date.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#ifdef COURANT_SANDBOX
#include "seccomp_make.h"

#include <stdlib.h>
#include <time.h>

#define DENIED_MAX	20		/* denied calls that a role logs in DENIED_MS, at most */
#define DENIED_MS	60000

/* Logs a denied call, in the signal handler of the thread that made it. None of the functions that
 * the log calls makes a system call that a filter denies while it has a lock: it can be called
 * anywhere. */
static void
log_denied(const char *call)
{
	static int64_t since;
	static unsigned said, left;
	const int64_t now = date_ticks();

	if (said == 0 || now - since >= DENIED_MS) {
		since = now;
		said = 0;
	}
	if (said >= DENIED_MAX) {
		left++;
		return;
	}
	said++;
	log_warn("denied: %s: this role needs no such system call; it failed: an attack, or a fault "
	    "of this version", call);
	if (left > 0)
		log_warn("denied: %u more calls before", left);
	left = 0;
}

static void
files(enum role_id id, const struct confine_path *paths, size_t n)
{
	const int abi = landlock_abi();
	struct landlock l;
	int rc;

	if (abi == 0)
		return;
	rc = landlock_new(&l, abi, id == ROLE_FETCH || id == ROLE_SEND || id == ROLE_MAIL);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (paths[i].path != NULL)
			rc = landlock_allow(&l, paths[i].path, paths[i].rights);
	if (rc == -1 || landlock_enter(&l) == -1)
		fatal("Landlock: %s", strerror(errno));
}

static void
calls(enum role_id id)
{
	const struct bytes filter = seccomp_role(id);

	filter_say(log_denied);
	if (filter_watch(seccomp_names()) == -1 || filter_install(filter) == -1)
		fatal("this kernel takes no filter of system calls: no role runs without one");
	free((void *)(uintptr_t)filter.data);
}
#endif

void
confine(enum role_id id, const struct confine_path *paths, size_t n)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs: %s", strerror(errno));
#ifdef COURANT_SANDBOX
	tzset();		/* reads the time zone's file, once, for the log */
	files(id, paths, n);
	calls(id);
#else
	(void)id, (void)paths, (void)n;
#endif
}

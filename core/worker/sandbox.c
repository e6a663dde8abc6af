/* The worker's sandbox: limits, Landlock, and the two seccomp filters of MSG_W_START, which core
 * made (ipc/seccomp.c). */
#include "sandbox.h"
#include "base/log.h"
#include "ipc/child.h"
#include "ipc/filter.h"
#include "ipc/landlock.h"

#include <courant/plugin.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILES_MAX	32		/* file descriptors of a worker */
#define FILES_WIDE	256		/* with CR_FILES, CR_NETWORK or CR_EXEC granted */

/* ---- Limits ---- */

/* Sets a limit. soft: the hard limit stays, so that a command of the plugin may raise it again. */
static int
limit(int what, const char *name, rlim_t value, int soft)
{
	struct rlimit old, now = { value, value };

	if (getrlimit((__rlimit_resource_t)what, &old) == 0) {
		if (old.rlim_max < value)
			now.rlim_cur = now.rlim_max = old.rlim_max;
		if (soft)
			now.rlim_max = old.rlim_max;
	}
	if (setrlimit((__rlimit_resource_t)what, &now) == 0)
		return 0;
	log_warn("the limit of %s cannot be set: %s", name, strerror(errno));
	return -1;
}

static int
limits(const struct w_start *ws)
{
	rlim_t cpu = ws->cpu > 0 ? (rlim_t)(ws->cpu / 1000 + 2) : RLIM_INFINITY;
	int wide = (ws->grants & (CR_FILES | CR_NETWORK | CR_EXEC)) != 0;
	int soft = (ws->grants & CR_EXEC) != 0;		/* a command's needs are not known */

	if (ws->memory == 0 || ws->out == 0) {
		log_warn("a worker without limits of memory and of file size");
		return -1;
	}
	child_signals(soft);
	signal(SIGXFSZ, SIG_IGN);	/* a write then fails with EFBIG */
	signal(SIGPIPE, SIG_IGN);
#ifdef COURANT_SANDBOX			/* sanitizers reserve more address space than any limit */
	if (limit(RLIMIT_AS, "memory", ws->memory, soft) == -1)
		return -1;
#endif
	if (limit(RLIMIT_CORE, "core files", 0, 0) == -1 ||
	    limit(RLIMIT_CPU, "CPU time", cpu, 0) == -1 ||
	    limit(RLIMIT_NOFILE, "descriptors", wide ? FILES_WIDE : FILES_MAX, soft) == -1)
		return -1;
	return limit(RLIMIT_FSIZE, "file size", ws->out, 0);
}

#ifndef COURANT_SANDBOX
int
sandbox_enter(const struct w_start *ws, const char *const *plugins, size_t n)
{
	(void)plugins, (void)n;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ws->folder != NULL && chdir(ws->folder) == -1) {
		log_warn("%s: %s", ws->folder, strerror(errno));
		return -1;
	}
	return limits(ws);
}

int
sandbox_seal(const struct w_start *ws)
{
	(void)ws;
	return 0;
}
#else

/* ---- Landlock: which files can be opened ---- */

/* Folders of libraries, and files that libraries read while they are loaded. */
static const char *const library_paths[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
	"/etc/localtime", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom", NULL
};
/* Files that a network client reads, for names and certificates. A link's target is what counts. */
static const char *const network_paths[] = {
	"/etc/resolv.conf", "/run/systemd/resolve", "/run/resolvconf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols",
	"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/ca-certificates",
	"/etc/ca-certificates.conf", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/var/lib/ca-certificates", "/etc/pki/tls/certs",
	"/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust/extracted",
	"/usr/share/publicsuffix", NULL
};

static int
lock_allow_all(const struct landlock *l, const char *const *paths)
{
	for (; *paths != NULL; paths++)
		if (landlock_allow(l, *paths, LAND_READ) == -1)
			return -1;
	return 0;
}

static int
lock_fill(const struct landlock *l, const struct w_start *ws, const char *const *plugins, size_t n)
{
	size_t i;

	if (lock_allow_all(l, library_paths) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (landlock_allow(l, plugins[i], LANDLOCK_ACCESS_FS_READ_FILE) == -1)
			return -1;
	if ((ws->grants & CR_NETWORK) != 0 && lock_allow_all(l, network_paths) == -1)
		return -1;
	return ws->folder != NULL ? landlock_allow(l, ws->folder, LAND_OWN) : 0;
}

/* With CR_EXEC all files are open, since those that a command needs are not known. Without Landlock
 * nothing is done: core has said so. */
static int
lock(const struct w_start *ws, const char *const *plugins, size_t n)
{
	const int abi = (int)ws->landlock;
	struct landlock l = { .fd = -1 };
	int rc = 0;

	if ((ws->grants & CR_EXEC) != 0)
		rc = landlock_signals(abi);
	else if (abi > 0 && (landlock_new(&l, abi, (ws->grants & CR_NETWORK) != 0) == -1 ||
	    lock_fill(&l, ws, plugins, n) == -1 || landlock_enter(&l) == -1))
		rc = -1;
	if (rc == -1)
		log_warn("Landlock: %s", strerror(errno));
	return rc;
}

/* ---- The steps in order ---- */

int
sandbox_enter(const struct w_start *ws, const char *const *plugins, size_t n)
{
	if (limits(ws) == -1)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) == -1) {
		log_warn("prctl: %s", strerror(errno));
		return -1;
	}
	if (ws->folder != NULL && chdir(ws->folder) == -1) {
		log_warn("%s: %s", ws->folder, strerror(errno));
		return -1;
	}
	if (lock(ws, plugins, n) == -1 || filter_watch(ws->calls) == -1)
		return -1;
	return filter_install(ws->filter_enter);
}

int
sandbox_seal(const struct w_start *ws)
{
	if ((ws->grants & (CR_NETWORK | CR_EXEC)) != 0)
		return 0;		/* no second filter: the calls that a network client or
					 * command needs are not known */
	return filter_install(ws->filter_seal);
}
#endif

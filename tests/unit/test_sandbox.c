/* What each grant lets a worker read: the folders of libraries for all, those of a client of the network
 * for CR_NETWORK alone, its own folder, and anything for CR_EXEC. And which files are taken for plugins. */
#include "base/buf.h"
#include "catalog/catalog.h"
#include "catalog/inspect.h"
#include "catalog/plugin.h"
#include "daemon/supervise/workers.h"
#include "ipc/landlock.h"
#include "ipc/msg.h"
#include "ipc/seccomp.h"
#include "worker/sandbox.h"

#include <courant/plugin.h>
#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- What can be read ---- */

enum place {
	LIB, CACHE, ZONES,		/* for all */
	PLUGIN,				/* the plugin's own file */
	RESOLVER, HOSTS, CERTIFICATES,	/* for the network */
	OWN,				/* its folder */
	ETC, PASSWD, SHARE, SIBLING, PROC, TMP, VAR, TOP,	/* for nobody but commands */
	PLACES
};
#define BIT(p)	(1u << (p))
#define ALL	(BIT(LIB) | BIT(CACHE) | BIT(ZONES) | BIT(PLUGIN))
#define NET	(BIT(RESOLVER) | BIT(HOSTS) | BIT(CERTIFICATES))

struct box {
	char		 folder[64], own[96], plugin[96], sibling[96];
	const char	*path[PLACES];
};

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd != -1);
	close(fd);
}

static void
box_make(struct box *b)
{
	snprintf(b->folder, sizeof(b->folder), "/tmp/courant-test-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->own, sizeof(b->own), "%s/own", b->folder);
	snprintf(b->plugin, sizeof(b->plugin), "%s/plugin.so", b->folder);
	snprintf(b->sibling, sizeof(b->sibling), "%s/sibling", b->folder);
	assert_int_equal(mkdir(b->own, 0700), 0);
	touch(b->plugin);
	touch(b->sibling);
	memcpy(b->path, (const char *[PLACES]){ [LIB] = "/usr/lib", [CACHE] = "/etc/ld.so.cache",
		[ZONES] = "/usr/share/zoneinfo", [PLUGIN] = b->plugin, [RESOLVER] = "/etc/resolv.conf",
		[HOSTS] = "/etc/hosts", [CERTIFICATES] = "/etc/ssl/certs", [ETC] = "/etc",
		[PASSWD] = "/etc/passwd", [SHARE] = "/usr/share", [OWN] = b->own, [SIBLING] = b->sibling,
		[PROC] = "/proc/self/status", [TMP] = "/tmp", [VAR] = "/var", [TOP] = "/" },
	    sizeof(b->path));
}

static void
box_remove(struct box *b)
{
	unlink(b->plugin);
	unlink(b->sibling);
	rmdir(b->own);
	rmdir(b->folder);
}

/* Which of the places can be opened by a process with these grants, as a worker begins. */
static unsigned
readable(const struct box *b, uint32_t grants, int folder, int abi)
{
	struct w_start ws = { .memory = UINT64_C(1) << 30, .out = 1u << 20, .grants = grants,
		.folder = folder ? b->own : NULL, .landlock = (uint32_t)abi };
	const char *const plugins[] = { b->plugin };
	unsigned could = 0;
	int out[2], status;
	pid_t pid;

	assert_int_equal(pipe(out), 0);
	seccomp_fill(&ws);
	if ((pid = fork()) == 0) {
		if (sandbox_enter(&ws, plugins, 1) == -1)
			_exit(1);
		for (int i = 0; i < PLACES; i++)
			if (open(b->path[i], O_RDONLY | O_CLOEXEC) != -1)
				could |= BIT(i);
		_exit(write(out[1], &could, sizeof(could)) == (ssize_t)sizeof(could) ? 0 : 1);
	}
	close(out[1]);
	assert_int_equal(read(out[0], &could, sizeof(could)), sizeof(could));
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return could;
}

/* A place that this machine does not have is readable for nobody. */
static unsigned
present(const struct box *b)
{
	unsigned there = 0;

	for (int i = 0; i < PLACES; i++)
		there |= access(b->path[i], R_OK) == 0 ? BIT(i) : 0;
	return there;
}

static void
each_grant_reads_its_own_folders(void **state)
{
	static const struct { uint32_t grants; int folder; unsigned may; } rows[] = {
		{ 0, 0, ALL },
		{ CR_HTTP, 0, ALL },
		{ CR_SECRETS, 0, ALL },
		{ CR_FILES, 1, ALL | BIT(OWN) },
		{ CR_NETWORK, 0, ALL | NET },
		{ CR_NETWORK | CR_FILES, 1, ALL | NET | BIT(OWN) },
		{ CR_HTTP | CR_SECRETS | CR_FILES, 1, ALL | BIT(OWN) },
		{ CR_EXEC, 0, BIT(PLACES) - 1 },
	};
	static const int abis[] = { 2, INT_MAX };	/* of Debian 12's kernel, and this one's */
	struct box b;

	(void)state;
#ifdef COURANT_SANDBOX
	if (landlock_abi() == 0)
#endif
		skip();
	box_make(&b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < sizeof(abis) / sizeof(abis[0]); k++)
			assert_int_equal(readable(&b, rows[i].grants, rows[i].folder,
			    abis[k] < landlock_abi() ? abis[k] : landlock_abi()),
			    rows[i].may & present(&b));
	box_remove(&b);
}

/* ---- What is taken for a plugin ---- */

struct seen {
	char	 why[512];
	int	 unsafe;
};

static void
on_seen(enum inspect_end how, struct plugin *p, const struct stamp *stamp, void *arg)
{
	struct seen *seen = arg;

	(void)how;
	(void)stamp;
	if (p == NULL)
		return;
	snprintf(seen->why, sizeof(seen->why), "%s", p->error != NULL ? p->error : "");
	seen->unsafe = p->unsafe;
	plugin_free(p);
}

static struct seen
look_at(const char *path)
{
	static const struct inspect_use use = { .done = on_seen };
	struct event_base *base = event_base_new();
	struct seen seen = { .unsafe = -1 };

	assert_non_null(base);
	(void)inspect_start(base, path, -1, NULL, &use, &seen);
	event_base_dispatch(base);
	event_base_free(base);
	return seen;
}

static void
a_plugin_that_others_can_write_is_refused(void **state)
{
	static const struct { mode_t mode; int refused; } rows[] = {
		{ 0644, 0 }, { 0755, 0 }, { 0600, 0 }, { 0664, 1 }, { 0620, 1 }, { 0646, 1 },
		{ 0602, 1 }, { 0666, 1 }, { 0775, 1 },
	};
	struct seen seen;
	char text[32];
	struct box b;

	(void)state;
	box_make(&b);
	assert_int_equal(truncate(b.plugin, 100), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chmod(b.plugin, rows[i].mode), 0);
		seen = look_at(b.plugin);
		snprintf(text, sizeof(text), "(mode %04o)", (unsigned)rows[i].mode);
		assert_int_equal(seen.unsafe, rows[i].refused);
		assert_int_equal(strstr(seen.why, "can be written by others") != NULL,
		    rows[i].refused);
		assert_int_equal(strstr(seen.why, text) != NULL, rows[i].refused);
	}
	box_remove(&b);
}

static void
a_plugin_of_another_user_is_refused(void **state)
{
	struct seen seen;
	struct box b;

	(void)state;
	if (geteuid() != 0)
		skip();
	box_make(&b);
	assert_int_equal(truncate(b.plugin, 100), 0);
	assert_int_equal(chown(b.plugin, 65534, 65534), 0);
	seen = look_at(b.plugin);
	assert_int_equal(seen.unsafe, 1);
	assert_non_null(strstr(seen.why, "belongs to user 65534"));
	box_remove(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_grant_reads_its_own_folders),
		cmocka_unit_test(a_plugin_that_others_can_write_is_refused),
		cmocka_unit_test(a_plugin_of_another_user_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

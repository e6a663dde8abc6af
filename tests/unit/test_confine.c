/* What a role can do once it has confined itself, and above all what it cannot: each role tries each
 * call, with Landlock as the kernel has it and capped at the version of Debian 12's kernel. */
#include "base/log.h"
#include "ipc/lookup.h"
#include "ipc/confine.h"
#include "ipc/landlock.h"
#include "ipc/memfd.h"
#include "ipc/roles.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef COURANT_SANDBOX
#define SANDBOX		1
#else
#define SANDBOX		0
#endif

#define R(id)		(1u << ROLE_##id)
#define NET		(R(FETCH) | R(SEND) | R(MAIL))
#define ALL		(R(STORE) | R(SERVE) | R(INDEX) | NET)
#define LOG_MAX		(1 << 20)

static struct {
	char	 folder[64], database[128], out[128], foreign[128], index[128], own[160];
	pid_t	 parent;
	int	 null;			/* /dev/null, open */
} t;
static char stack[4096];

/* ---- The calls ---- */

static long
opened(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static long
shared_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static long
made_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long
sealed(void)
{
	int fd = memfd_new("abc", 3);

	return fd == -1 || memfd_seal(fd) == -1 ? -1 : 0;
}

/* Each call in a row: its name in the log ("": it is not logged, since Landlock denies it, or since
 * libraries try it), the roles that may make it, the call. One that a role may make may fail for
 * another reason. */
#define CALLS(ROW) \
	ROW("execve", 0, syscall(SYS_execve, "/bin/true", NULL, NULL)) \
	ROW("execveat", 0, syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0)) \
	ROW("clone", 0, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)) \
	ROW("", 0, syscall(SYS_clone3, stack, 64)) \
	ROW("unshare", 0, syscall(SYS_unshare, CLONE_NEWUSER)) \
	ROW("setns", 0, syscall(SYS_setns, t.null, 0)) \
	ROW(NULL, 0, syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)) \
	ROW(NULL, 0, syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) \
	ROW("socket", 0, syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET, 0)) \
	ROW("socket", 0, syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0)) \
	ROW("socket", 0, syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0)) \
	ROW("socket", 0, syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0)) \
	ROW("socket", NET, syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)) \
	ROW("socket", NET, syscall(SYS_socket, AF_INET6, SOCK_DGRAM, 0)) \
	ROW("socket", NET, syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)) \
	ROW("socketpair", NET, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 })) \
	ROW("connect", NET, syscall(SYS_connect, t.null, stack, 16)) \
	ROW("bind", NET, syscall(SYS_bind, t.null, stack, 16)) \
	ROW("listen", 0, syscall(SYS_listen, t.null, 1)) \
	ROW("accept4", R(SERVE), syscall(SYS_accept4, t.null, NULL, NULL, 0)) \
	ROW("sendto", NET | R(SERVE), syscall(SYS_sendto, t.null, "", 1, 0, NULL, 0)) \
	ROW("", 0, opened("/etc/passwd", O_RDONLY)) \
	ROW("", 0, opened("/proc/self/mem", O_RDONLY)) \
	ROW("", NET, opened("/etc/hosts", O_RDONLY)) \
	ROW("", R(SERVE) | R(INDEX), opened(t.database, O_RDONLY)) \
	ROW("", R(SERVE) | R(INDEX), opened(t.out, O_RDONLY)) \
	ROW("openat", R(INDEX), opened(t.own, O_RDWR | O_CREAT)) \
	ROW("openat", 0, opened(t.own, O_RDWR | O_TRUNC)) \
	ROW("", R(SERVE) | R(STORE) | R(INDEX), opened(t.folder, O_RDONLY | O_DIRECTORY)) \
	ROW("", 0, opened(t.foreign, O_RDONLY)) \
	ROW("openat", 0, opened(t.database, O_WRONLY)) \
	ROW("openat", 0, opened(t.database, O_RDWR)) \
	ROW("openat", 0, opened(t.database, O_RDONLY | O_TRUNC)) \
	ROW("openat", 0, opened(t.out, O_RDWR | O_CREAT)) \
	ROW("openat", 0, opened("/tmp", O_TMPFILE | O_RDWR)) \
	ROW("", 0, syscall(SYS_openat2, AT_FDCWD, t.database, &(struct open_how){ .flags = O_RDWR }, \
	    sizeof(struct open_how))) \
	ROW("truncate", 0, syscall(SYS_truncate, t.database, 0)) \
	ROW("fchmod", 0, syscall(SYS_fchmod, t.null, 0666)) \
	ROW("fchmodat", 0, syscall(SYS_fchmodat, AT_FDCWD, t.database, 0666)) \
	ROW("fchown", 0, syscall(SYS_fchown, t.null, 0, 0)) \
	ROW("fchownat", 0, syscall(SYS_fchownat, AT_FDCWD, t.database, 0, 0, 0)) \
	ROW("utimensat", 0, syscall(SYS_utimensat, AT_FDCWD, t.database, NULL, 0)) \
	ROW("setxattr", 0, syscall(SYS_setxattr, t.database, "user.a", "b", 1, 0)) \
	ROW("fsetxattr", 0, syscall(SYS_fsetxattr, t.null, "user.a", "b", 1, 0)) \
	ROW("renameat2", 0, syscall(SYS_renameat2, AT_FDCWD, t.database, AT_FDCWD, t.out, 0)) \
	ROW("linkat", 0, syscall(SYS_linkat, AT_FDCWD, t.database, AT_FDCWD, t.out, 0)) \
	ROW("symlinkat", 0, syscall(SYS_symlinkat, "/", AT_FDCWD, t.out)) \
	ROW("mkdirat", 0, syscall(SYS_mkdirat, AT_FDCWD, t.out, 0700)) \
	ROW("mknodat", 0, syscall(SYS_mknodat, AT_FDCWD, t.out, S_IFIFO | 0600, 0)) \
	ROW(NULL, 0, syscall(SYS_unlinkat, AT_FDCWD, t.foreign, 0)) \
	ROW("fallocate", R(STORE) | R(INDEX), syscall(SYS_fallocate, t.null, 0, 0, 1)) \
	ROW("fsync", R(STORE) | R(INDEX), syscall(SYS_fsync, t.null)) \
	ROW("pwrite64", R(STORE) | R(INDEX), syscall(SYS_pwrite64, t.null, "", 1, 0)) \
	ROW("chdir", 0, syscall(SYS_chdir, "/")) \
	ROW("umask", 0, syscall(SYS_umask, 0)) \
	ROW("copy_file_range", 0, syscall(SYS_copy_file_range, t.null, NULL, t.null, NULL, 1, 0)) \
	ROW("splice", 0, syscall(SYS_splice, t.null, NULL, t.null, NULL, 1, 0)) \
	ROW("ptrace", 0, syscall(SYS_ptrace, 16, t.parent, NULL, NULL)) \
	ROW("process_vm_readv", 0, syscall(SYS_process_vm_readv, t.parent, NULL, 0, NULL, 0, 0)) \
	ROW("kill", 0, syscall(SYS_kill, t.parent, 0)) \
	ROW("kill", 0, syscall(SYS_kill, -1, 0)) \
	ROW("kill", 0, syscall(SYS_kill, 0, 0)) \
	ROW("kill", ALL, syscall(SYS_kill, getpid(), 0)) \
	ROW("tgkill", 0, syscall(SYS_tgkill, t.parent, t.parent, 0)) \
	ROW("tkill", 0, syscall(SYS_tkill, t.parent, 0)) \
	ROW("rt_sigqueueinfo", 0, syscall(SYS_rt_sigqueueinfo, t.parent, 0, stack)) \
	ROW("pidfd_open", 0, syscall(SYS_pidfd_open, t.parent, 0)) \
	ROW("pidfd_send_signal", 0, syscall(SYS_pidfd_send_signal, t.null, 0, NULL, 0)) \
	ROW("mount", 0, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL)) \
	ROW("umount2", 0, syscall(SYS_umount2, "/nowhere", 0)) \
	ROW("chroot", 0, syscall(SYS_chroot, "/")) \
	ROW("pivot_root", 0, syscall(SYS_pivot_root, ".", ".")) \
	ROW("setuid", 0, syscall(SYS_setuid, 0)) \
	ROW("setresgid", 0, syscall(SYS_setresgid, 0, 0, 0)) \
	ROW("setgroups", 0, syscall(SYS_setgroups, 0, NULL)) \
	ROW("capset", 0, syscall(SYS_capset, NULL, NULL)) \
	ROW("personality", 0, syscall(SYS_personality, 0)) \
	ROW("prctl", 0, prctl(PR_SET_DUMPABLE, 1)) \
	ROW("prctl", 0, prctl(PR_SET_PDEATHSIG, 0)) \
	ROW("prctl", ALL, prctl(PR_SET_NAME, "x")) \
	ROW("prlimit64", 0, prlimit(0, RLIMIT_NOFILE, &(struct rlimit){ 9, 9 }, NULL)) \
	ROW("prlimit64", 0, prlimit(t.parent, RLIMIT_NOFILE, NULL, (void *)stack)) \
	ROW("prlimit64", ALL, prlimit(0, RLIMIT_NOFILE, NULL, (void *)stack)) \
	ROW("setpriority", 0, syscall(SYS_setpriority, 0, 0, 1)) \
	ROW("sched_setaffinity", 0, syscall(SYS_sched_setaffinity, 0, 8, stack)) \
	ROW("sched_setscheduler", 0, syscall(SYS_sched_setscheduler, t.parent, 0, stack)) \
	ROW("ioprio_set", 0, syscall(SYS_ioprio_set, 1, 0, 0)) \
	ROW("seccomp", 0, syscall(SYS_seccomp, 0, 0, NULL)) \
	ROW("io_uring_setup", 0, syscall(SYS_io_uring_setup, 1, stack)) \
	ROW("bpf", 0, syscall(SYS_bpf, 0, stack, 64)) \
	ROW("perf_event_open", 0, syscall(SYS_perf_event_open, stack, 0, -1, -1, 0)) \
	ROW("keyctl", 0, syscall(SYS_keyctl, 0, 0, 0, 0, 0)) \
	ROW("add_key", 0, syscall(SYS_add_key, "user", "a", "b", 1, -2)) \
	ROW("userfaultfd", 0, syscall(SYS_userfaultfd, 0)) \
	ROW("inotify_init1", 0, syscall(SYS_inotify_init1, 0)) \
	ROW("fanotify_init", 0, syscall(SYS_fanotify_init, 0, 0)) \
	ROW("timer_create", 0, syscall(SYS_timer_create, 0, NULL, stack)) \
	ROW("setitimer", 0, syscall(SYS_setitimer, 0, stack, NULL)) \
	ROW("shmget", 0, syscall(SYS_shmget, 0, 4096, 0600)) \
	ROW("mq_open", 0, syscall(SYS_mq_open, "a", O_CREAT, 0600, NULL)) \
	ROW("init_module", 0, syscall(SYS_init_module, stack, 1, "")) \
	ROW("reboot", 0, syscall(SYS_reboot, 0, 0, 0, NULL)) \
	ROW("sethostname", 0, syscall(SYS_sethostname, "x", 1)) \
	ROW("clock_settime", 0, syscall(SYS_clock_settime, 0, NULL)) \
	ROW("open_by_handle_at", 0, syscall(SYS_open_by_handle_at, AT_FDCWD, stack, 0)) \
	ROW("ioctl", 0, syscall(SYS_ioctl, t.null, FIOASYNC, stack)) \
	ROW("ioctl", 0, syscall(SYS_ioctl, t.null, 0x8901 /* FIOSETOWN */, stack)) \
	ROW("ioctl", 0, syscall(SYS_ioctl, t.null, TIOCSTI, stack)) \
	ROW("fcntl", 0, syscall(SYS_fcntl, t.null, F_SETOWN, t.parent)) \
	ROW("fcntl", 0, syscall(SYS_fcntl, t.null, F_SETFL, O_ASYNC)) \
	ROW("fcntl", 0, syscall(SYS_fcntl, t.null, F_SETLEASE, F_WRLCK)) \
	ROW("fcntl", ALL, syscall(SYS_fcntl, t.null, F_SETFL, O_NONBLOCK)) \
	ROW("mmap", 0, shared_exec()) \
	ROW("mprotect", 0, made_exec()) \
	ROW("", ALL, sealed())

struct call {
	const char	*name;
	unsigned	 roles;
	const char	*text;
};
#define ROW_TABLE(name, roles, call)	{ name, roles, #call },
static const struct call table[] = { CALLS(ROW_TABLE) };
#define N	(sizeof(table) / sizeof(table[0]))

/* Error of each call; 0: it was made. In memory that the child shares. */
static int *errors;

static void
try_all(void)
{
	size_t n = 0;
	long rc;

#define ROW_TRY(name, roles, call) \
	errno = 0; \
	rc = (call); \
	errors[n++] = rc == -1 ? errno : 0;
	CALLS(ROW_TRY)
}

/* ---- The roles ---- */

static void
enter(enum role_id id)
{
	const struct confine_path store = { t.folder,
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
	const struct confine_path serve = { t.folder, LAND_READ };
	const struct confine_path index[] = { { t.folder, LAND_READ }, { t.index, LAND_OWN } };

	if (id == ROLE_STORE)
		confine(id, &store, 1);
	else if (id == ROLE_SERVE)
		confine(id, &serve, 1);
	else if (id == ROLE_INDEX)
		confine(id, index, 2);
	else
		lookup_confine(id, NULL, NULL, NULL);
}

static int
denied(int error)
{
	return error == ENOSYS || error == EACCES || error == EAFNOSUPPORT;
}

/* What the child said, and what each call came to. */
static void
run(enum role_id id, const char *abi, char *said)
{
	int log = memfd_create("log", 0), status;
	ssize_t n;
	pid_t pid;

	memset(errors, 0xff, N * sizeof(*errors));
	pid = fork();
	if (pid == 0) {
		for (int sig = 1; sig < 32; sig++)
			signal(sig, SIG_DFL);
		dup2(log, STDERR_FILENO);
		if (abi != NULL)
			setenv("COURANT_LANDLOCK_ABI", abi, 1);
		log_open("role", 0);
		enter(id);
		try_all();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	n = pread(log, said, LOG_MAX - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(log);
}

static void
check(enum role_id id, const char *said)
{
	char line[128];

	for (size_t i = 0; i < N; i++) {
		int may = (table[i].roles & (1u << id)) != 0;

		if (denied(errors[i]) == may)
			fail_msg("role %d: %s: %s", (int)id, table[i].text,
			    errors[i] != 0 ? strerror(errors[i]) : "was made");
		if (may || errors[i] != ENOSYS || table[i].name == NULL || table[i].name[0] == '\0')
			continue;
		snprintf(line, sizeof(line), "denied: %s: this role", table[i].name);
		if (strstr(said, line) == NULL && strstr(said, "denied: 20") == NULL &&
		    i < 12)			/* later ones are counted: said once a minute */
			fail_msg("role %d does not say /%s/ but %s", (int)id, line, said);
	}
}

static void
test_each_role_can_do_what_it_has_and_nothing_else(void **state)
{
	static const char *const abis[] = { NULL, "2", "1" };
	static char said[LOG_MAX];

	(void)state;
	if (!SANDBOX || landlock_abi() == 0)
		skip();
	for (int id = 0; id < ROLES_ALL; id++)
		for (size_t i = 0; i < sizeof(abis) / sizeof(abis[0]); i++) {
			run((enum role_id)id, abis[i], said);
			check((enum role_id)id, said);
		}
}

static int
setup(void **state)
{
	(void)state;
	t.parent = getpid();
	t.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	strcpy(t.folder, "/tmp/test_confine.XXXXXX");
	assert_non_null(mkdtemp(t.folder));
	snprintf(t.database, sizeof(t.database), "%s/courant.db", t.folder);
	snprintf(t.out, sizeof(t.out), "%s/out", t.folder);
	snprintf(t.foreign, sizeof(t.foreign), "/tmp/test_confine.%d", (int)t.parent);
	snprintf(t.index, sizeof(t.index), "%s/index", t.folder);
	snprintf(t.own, sizeof(t.own), "%s/index.db", t.index);
	assert_int_equal(mkdir(t.index, 0700), 0);
	close(open(t.database, O_WRONLY | O_CREAT, 0644));
	close(open(t.out, O_WRONLY | O_CREAT, 0644));
	close(open(t.foreign, O_WRONLY | O_CREAT, 0644));
	errors = mmap(NULL, N * sizeof(*errors), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return t.null == -1 || errors == MAP_FAILED;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(t.database);
	unlink(t.out);
	unlink(t.foreign);
	unlink(t.own);
	rmdir(t.index);
	return rmdir(t.folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_role_can_do_what_it_has_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* What the tests of courant-worker share: a real worker on its channel, jobs for it, and what it
 * answered and said. */
#ifndef TESTS_WORKER_CASE_H
#define TESTS_WORKER_CASE_H
#include "base/buf.h"
#include "ipc/chan.h"
#include "ipc/child.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/worker_start.h"
#include "record/record.h"
#include "record/record_json.h"
#include "record/result.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE	30000		/* ms that a job may take here */
#define HANG		1000		/* ms after which one is said to hang */
#define TRIES		200		/* of 5 ms each, before a worker is killed */
#define MEMORY		(UINT64_C(256) << 20)
#define OUT		(UINT64_C(16) << 20)
#define WHEN		INT64_C(1700000000000)
#ifdef COURANT_SANDBOX
#define SANDBOX		1
#else
#define SANDBOX		0
#endif
#define NEEDS_SANDBOX()	do { if (!SANDBOX) skip(); } while (0)

/* A worker under test, and what it said. */
struct test {
	pid_t		 pid;
	struct chan	*chan;
	struct frame	 frame;
	int		 said;		/* a temporary file with its output */
	int		 status;
	struct buf	 log;
};

__attribute__((unused)) static const char *
setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? value : otherwise;
}

__attribute__((unused)) static const char *
evil(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", setting("EVILDIR", "tests/evil"), name);
	return path;
}

__attribute__((unused)) static const char *
good(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", setting("PLUGINSDIR", "tests/plugins"), name);
	return path;
}

__attribute__((unused)) static int
temporary(void)
{
	char name[] = "/tmp/courant-test-XXXXXX";
	int fd = mkstemp(name), high;

	assert_true(fd != -1);
	unlink(name);
	high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	close(fd);
	return high;
}

/* ---- Starting and ending ---- */

__attribute__((unused)) static void
begin(struct test *t)
{
	const char *path = setting("WORKER", "./courant-worker");
	char *argv[] = { (char []){ "courant-worker" }, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int pair[2], ours, theirs;
	sigset_t none;

	*t = (struct test){ .status = -1 };
	buf_init(&t->log, 1u << 20);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ours = fcntl(pair[0], F_DUPFD_CLOEXEC, 10);
	theirs = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
	close(pair[0]);
	close(pair[1]);
	t->said = temporary();
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, theirs, 3);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, 0, 1);
	posix_spawn_file_actions_adddup2(&fa, 0, 2);
	posix_spawn_file_actions_adddup2(&fa, t->said, CHILD_LOG);
	posix_spawn_file_actions_addclosefrom_np(&fa, CHILD_LOG + 1);
	posix_spawnattr_init(&attr);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	assert_int_equal(posix_spawn(&t->pid, path, &fa, &attr, argv, environ), 0);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	close(theirs);
	t->chan = chan_new(ours);
}

__attribute__((unused)) static void
send_start(struct test *t, const struct w_start *ws, const char *const *paths,
    const struct bytes *options, uint32_t n, const char *const *rules)
{
	struct buf b;
	uint32_t i;

	worker_start_begin(&b, ws, n);
	for (i = 0; i < n; i++)
		worker_start_plugin(&b, paths[i], options != NULL ? options[i] : (struct bytes){ NULL, 0 });
	for (i = 0; i < n && ws->mode == W_FILTER; i++)
		wire_put_str(&b, rules != NULL ? rules[i] : "filter#1");
	assert_int_equal(chan_send(t->chan, MSG_W_START, 0, &b, -1, -1), 0);
	buf_free(&b);
}

__attribute__((unused)) static void
start(struct test *t, uint32_t mode, const char *path)
{
	const struct w_start ws = { .mode = mode, .memory = MEMORY, .out = OUT, .cpu = 1500,
		.name = "test" };

	begin(t);
	send_start(t, &ws, &path, NULL, 1, NULL);
}

/* The next frame but MSG_READY: 1, 0 when the time is up, -1 when the worker is gone or talks
 * nonsense. */
__attribute__((unused)) static int
next_within(struct test *t, int ms)
{
	int rc;

	while ((rc = chan_recv(t->chan, &t->frame, ms)) == 1 && t->frame.type == MSG_READY)
		;
	return rc;
}

__attribute__((unused)) static int
next(struct test *t)
{
	return next_within(t, DEADLINE);
}

__attribute__((unused)) static void
read_log(struct test *t)
{
	char part[4096];
	ssize_t n;

	lseek(t->said, 0, SEEK_SET);
	buf_clear(&t->log);
	while (t->log.len < (1u << 19) && (n = read(t->said, part, sizeof(part))) > 0)
		buf_add(&t->log, part, (size_t)n);
	buf_str(&t->log, "");
}

/* Ends the worker as core does: the channel closes; it is killed if that does not help. */
__attribute__((unused)) static void
end(struct test *t)
{
	int i;

	chan_free(t->chan);
	for (i = 0; i < TRIES && waitpid(t->pid, &t->status, WNOHANG) == 0; i++)
		usleep(5000);
	if (i == TRIES) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, &t->status, 0);
	}
	read_log(t);
	close(t->said);
}

__attribute__((unused)) static int
said(const struct test *t, const char *text)
{
	return t->log.data != NULL && strstr(t->log.data, text) != NULL;
}

/* ---- Jobs ---- */

__attribute__((unused)) static int
sealed(const void *p, size_t len)
{
	int fd = memfd_new(p, len), high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	assert_int_equal(memfd_seal(high), 0);
	return high;
}

__attribute__((unused)) static int
out_new(void)
{
	int fd = memfd_new(NULL, 0), high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	return high;
}

/* Sends a page; the answer is to be read by next(). */
__attribute__((unused)) static int
send_page(struct test *t, const char *text, struct bytes options, uint64_t hash,
    const char *state_value)
{
	struct parse_job job = { .source = "test", .url = "http://feeds.example/list/", .type = "text/plain",
		.charset = "utf-8", .headers = "link: <more>; rel=\"next\"\n", .tag = "",
		.when = WHEN, .now = WHEN, .len = strlen(text), .hash = hash, .options = options };
	int body = sealed(text, strlen(text) + 1), out = out_new();
	char kept[100];
	struct buf b;

	if (state_value != NULL) {
		job.state.len = (size_t)snprintf(kept, sizeof(kept), "last%c%s", 0, state_value) + 1;
		job.state.data = kept;
	}
	buf_init(&b, msg_limit(MSG_W_PARSE));
	wire_put(&b, parse_job, &job);
	assert_int_equal(chan_send(t->chan, MSG_W_PARSE, 7, &b, body, out), 0);
	buf_free(&b);
	close(body);
	return out;
}

__attribute__((unused)) static void
parsed(struct test *t, struct parse_done *done)
{
	struct wire w;

	assert_int_equal(next(t), 1);
	assert_int_equal(t->frame.type, MSG_W_PARSED);
	assert_int_equal(t->frame.id, 7);
	wire_init(&w, t->frame.data, t->frame.len);
	wire_get(&w, parse_done, done);
	assert_int_equal(wire_end(&w), 0);
}

/* All results of a job, as text: a line each. */
__attribute__((unused)) static char *
results(int out, uint64_t len)
{
	const struct record_json about = { NULL, 0, CR_NO_TIME };
	struct result_verdict v;
	struct cr_record *r;
	enum result_kind kind;
	struct wire all, body;
	struct buf b;
	size_t size;
	const void *p;
	const char *s;
	int rc;

	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	buf_init(&b, 64u << 20);
	buf_str(&b, "");
	wire_init(&all, p, size);
	while ((rc = result_next(&all, &kind, &body)) == 1) {
		if (kind == RESULT_RECORD || kind == RESULT_FEED) {
			r = record_read(body.at, (size_t)(body.end - body.at));
			assert_non_null(r);
			buf_str(&b, kind == RESULT_FEED ? "feed " : "record ");
			record_json(r, &about, &b);
			record_free(r);
		} else if (kind == RESULT_STATE) {
			buf_fmt(&b, "state %s=", wire_str(&body));
			s = wire_str(&body);
			buf_str(&b, s != NULL ? s : "(unset)");
		} else if (kind == RESULT_VERDICT) {
			wire_get(&body, result_verdict, &v);
			buf_fmt(&b, "verdict %d %s %s", (int)v.verdict, v.rule,
			    v.why != NULL ? v.why : "-");
			if (v.changes.data != NULL) {
				r = record_read(v.changes.data, v.changes.len);
				assert_non_null(r);
				record_json(r, &about, &b);
				record_free(r);
			}
		}
		buf_char(&b, '\n');
	}
	assert_int_equal(rc, 0);
	memfd_unmap(p, size);
	close(out);
	return b.data;
}

static const struct bytes none = { "", 0 };

/* Before all tests: a worker with sanitizers dies of a signal as one without, and says no more than
 * that. */
__attribute__((unused)) static void
quiet_sanitizers(void)
{
	setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1);
}
#endif

/* A real courant-worker does its jobs, and a hostile plugin costs nothing but itself. */
#include "about.h"
#include "buf.h"
#include "chan.h"
#include "filter.h"
#include "mem.h"
#include "msg.h"
#include "record.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
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

static const char *
setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? value : otherwise;
}

static const char *
evil(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", setting("EVILDIR", "tests/evil"), name);
	return path;
}

static const char *
good(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s.so", setting("PLUGINSDIR", "tests/plugins"), name);
	return path;
}

static int
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

static void
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
	posix_spawn_file_actions_adddup2(&fa, t->said, 1);
	posix_spawn_file_actions_adddup2(&fa, t->said, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 4);
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

static void
send_start(struct test *t, const struct w_start *ws, const char *const *paths,
    const struct bytes *options, uint32_t n, const char *const *rules)
{
	struct w_start full = *ws;
	struct buf b;
	uint32_t i;

	filter_fill(&full);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &full);
	wire_put_u32(&b, n);
	for (i = 0; i < n; i++) {
		wire_put_str(&b, paths[i]);
		if (options != NULL)
			wire_put_bytes(&b, options[i].data, options[i].len);
		else
			wire_put_bytes(&b, "", 0);
	}
	for (i = 0; i < n && ws->mode == W_FILTER; i++)
		wire_put_str(&b, rules != NULL ? rules[i] : "filter#1");
	assert_int_equal(chan_send(t->chan, MSG_W_START, 0, &b, -1, -1), 0);
	buf_free(&b);
}

static void
start(struct test *t, uint32_t mode, const char *path)
{
	const struct w_start ws = { .mode = mode, .memory = MEMORY, .out = OUT, .cpu = 1500,
		.name = "test" };

	begin(t);
	send_start(t, &ws, &path, NULL, 1, NULL);
}

/* The next frame but MSG_READY: 1, 0 when the time is up, -1 when the worker is gone or talks
 * nonsense. */
static int
next_within(struct test *t, int ms)
{
	int rc;

	while ((rc = chan_recv(t->chan, &t->frame, ms)) == 1 && t->frame.type == MSG_READY)
		;
	return rc;
}

static int
next(struct test *t)
{
	return next_within(t, DEADLINE);
}

static void
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
static void
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

static int
said(const struct test *t, const char *text)
{
	return t->log.data != NULL && strstr(t->log.data, text) != NULL;
}

/* ---- Jobs ---- */

static int
sealed(const void *p, size_t len)
{
	int fd = result_fd(p, len), high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	assert_int_equal(result_seal(high), 0);
	return high;
}

static int
out_new(void)
{
	int fd = result_fd(NULL, 0), high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	return high;
}

/* Sends a page; the answer is to be read by next(). */
static int
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

static void
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
static char *
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

	assert_int_equal(result_seal(out), 0);
	p = result_map(out, (size_t)len, &size);
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
	result_unmap(p, size);
	close(out);
	return b.data;
}

static const struct bytes none = { "", 0 };

/* ---- Good plugins ---- */

static void
test_parses_pages_one_after_the_other(void **state)
{
	struct parse_done done;
	struct test t;
	char *text;
	int out;

	(void)state;
	start(&t, W_PARSE, good("source_lines"));
	out = send_page(&t, "1|One|/a?x=1|2023-11-01T00:00:00Z|<b>bold<script>x</script>\n"
	    "2|  Two \t words |b|2030-01-01|plain\n3|Three|javascript:x|gestern\nttl 90\n"
	    "state here\n", none, 1, "before");
	parsed(&t, &done);
	assert_int_equal(done.failed, 0);
	assert_int_equal(done.records, 3);
	assert_int_equal(done.refused, 0);
	assert_int_equal(done.ttl, 90 * 60000);
	text = results(out, done.out);
	assert_non_null(strstr(text, "\"title\":\"One\",\"link\":\"http://feeds.example/a?x=1\","
	    "\"published\":\"2023-11-01T00:00:00Z\",\"summary\":\"<b>bold</b>\""));
	assert_non_null(strstr(text, "\"title\":\"Two words\","
	    "\"link\":\"http://feeds.example/list/b\",\"published\":\"2023-11-14T22:13:20Z\""));
	assert_non_null(strstr(text, "\"title\":\"Three\",\"extras\":"
	    "{\"published-text\":\"gestern\"}"));
	assert_non_null(strstr(text, "feed {\"schema\":1,\"title\":\"http://feeds.example/list/\","
	    "\"extras\":{\"last\":\"before\",\"ttl\":\"90\"}}"));
	assert_non_null(strstr(text, "state last=here"));
	free(text);
	out = send_page(&t, "base http://other.example/dir/\n1|One|c\n", none, 1, NULL);
	parsed(&t, &done);
	text = results(out, done.out);
	assert_non_null(strstr(text, "\"link\":\"http://other.example/dir/c\""));
	assert_null(strstr(text, "state"));
	free(text);
	end(&t);
	assert_int_equal(t.status, 0);
	assert_true(said(&t, "closed 1 with number 0"));
	buf_free(&t.log);
}

static void
test_failures_keep_what_was_emitted(void **state)
{
	struct parse_done done;
	struct test t;
	char *text;
	int out;

	(void)state;
	start(&t, W_PARSE, good("source_lines"));
	out = send_page(&t, "1|One\nstate lost\nfail it\ndoes not\n2|Two\n", none, 1, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, CR_BAD_DATA);
	assert_string_equal(done.error, "it");
	assert_int_equal(done.records, 1);
	text = results(out, done.out);
	assert_non_null(strstr(text, "One"));
	assert_null(strstr(text, "state"));
	free(text);
	out = send_page(&t, "retry 5000\n", none, 1, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, FAILED_RETRY);
	assert_int_equal(done.retry, 5000);
	close(out);
	out = send_page(&t, "partial cut off\n1|One\n", none, 1, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, 0);
	assert_null(done.error);
	assert_string_equal(done.partial, "cut off");
	assert_int_equal(done.retry, -1);
	close(out);
	end(&t);
	buf_free(&t.log);
}

static void
test_other_options_close_and_open(void **state)
{
	static const char one[] = "prefix\0a \0number\0" "1", nine[] = "number\0" "9",
	    wrong[] = "nmber\0" "1";
	const struct bytes o1 = { one, sizeof(one) }, o9 = { nine, sizeof(nine) },
	    ow = { wrong, sizeof(wrong) };
	struct parse_done done;
	struct test t;
	char *text;
	int out;

	(void)state;
	start(&t, W_PARSE, good("source_lines"));
	out = send_page(&t, "1|One\n", o1, 1, NULL);
	parsed(&t, &done);
	text = results(out, done.out);
	assert_non_null(strstr(text, "\"title\":\"a One\",\"numbers\":{\"number\":1}"));
	free(text);
	out = send_page(&t, "1|One\n", o9, 2, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, CR_BAD_OPTION);
	assert_string_equal(done.error, "number: 9 cannot be opened");
	close(out);
	out = send_page(&t, "1|One\n", ow, 3, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, CR_BAD_OPTION);
	assert_non_null(strstr(done.error, "nmber"));
	close(out);
	out = send_page(&t, "1|One\n", none, 4, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, 0);
	close(out);
	end(&t);
	assert_true(said(&t, "closed 1 with number 1"));
	assert_true(said(&t, "closed 1 with number 0"));
	assert_false(said(&t, "number 9"));
	buf_free(&t.log);
}

/* A batch of records titled as told, sealed. */
static int
batch(const char *const *titles, uint32_t n, size_t *len)
{
	struct cr_record *r = record_new();
	struct result_item item;
	char id[32], delivery[40];
	struct buf b, bytes;
	size_t begun;
	uint32_t i;
	int fd;

	buf_init(&b, 1u << 20);
	buf_init(&bytes, RECORD_MAX);
	for (i = 0; i < n; i++) {
		record_clear(r);
		buf_clear(&bytes);
		record_set(r, CR_TITLE, titles[i], strlen(titles[i]));
		record_set_counter(r, "votes", 10 * (i + 1));
		record_write(r, &bytes);
		snprintf(id, sizeof(id), "%026u", i);
		snprintf(delivery, sizeof(delivery), "%026u-r1", i);
		item = (struct result_item){ .n = i + 1, .revision = 1, .id = id,
			.delivery = delivery, .source = "src", .seen = WHEN,
			.record = { bytes.data, bytes.len } };
		begun = result_begin(&b, RESULT_ITEM);
		wire_put(&b, result_item, &item);
		result_end(&b, begun);
	}
	fd = sealed(b.data, b.len);
	*len = b.len;
	buf_free(&b);
	buf_free(&bytes);
	record_free(r);
	return fd;
}

static int
send_batch(struct test *t, uint16_t type, const char *const *titles, uint32_t n, uint32_t careful,
    int out)
{
	struct batch_job job = { .route = "everything", .id = "delivery-1", .title = "T", .self = "",
		.kind = type == MSG_W_DELIVER ? CR_BATCH_RECORDS : 0, .careful = careful,
		.count = n, .now = WHEN };
	struct buf b;
	size_t len;
	int fd = batch(titles, n, &len);

	job.len = len;
	buf_init(&b, msg_limit(type));
	wire_put(&b, batch_job, &job);
	assert_int_equal(chan_send(t->chan, type, 9, &b, fd, out), 0);
	buf_free(&b);
	close(fd);
	return out;
}

static void
batch_read(struct test *t, uint16_t type, struct batch_done *done)
{
	struct wire w;

	assert_int_equal(t->frame.type, type);
	wire_init(&w, t->frame.data, t->frame.len);
	wire_get(&w, batch_done, done);
	assert_int_equal(wire_end(&w), 0);
}

static void
test_filters_judge_in_order(void **state)
{
	static const char *const titles[] = { "a", "poison", "c" };
	static const char *const rules[] = { "filter_crash#1", "floor#2" };
	static const char votes[] = "of\0votes\0least\0" "25", title[] = "title\0nobody";
	const struct bytes options[] = { { title, sizeof(title) }, { votes, sizeof(votes) } };
	const struct w_start ws = { .mode = W_FILTER, .memory = MEMORY, .out = OUT, .cpu = 1500 };
	char *paths[2], *text;
	struct batch_done done;
	struct test t;
	int out = out_new();

	(void)state;
	paths[0] = xstrdup(evil("filter_crash"));
	paths[1] = xstrdup(good("filter_floor"));
	begin(&t);
	send_start(&t, &ws, (const char *const *)paths, options, 2, rules);
	send_batch(&t, MSG_W_FILTER, titles, 3, 0, out);
	assert_int_equal(next(&t), 1);
	batch_read(&t, MSG_W_FILTERED, &done);
	assert_int_equal(done.failed, 0);
	assert_int_equal(done.done, 3);
	text = results(out, done.out);
	assert_string_equal(text, "verdict 2 floor#2 votes is 10, below 25\n"
	    "verdict 2 floor#2 votes is 20, below 25\nverdict 1 floor#2 votes is 30\n");
	free(text);
	free(paths[0]);
	free(paths[1]);
	end(&t);
	buf_free(&t.log);
}

/* Three floors of 15, 25 and 35 votes (below: wait) see records of 10, 20 and 30. */
static void
test_groups_of_filters(void **state)
{
	static const char *const titles[] = { "a", "b", "c" };
	static const char at15[] = "of\0votes\0least\0" "15\0below\0drop",
	    at25[] = "of\0votes\0least\0" "25\0below\0drop",
	    at35[] = "of\0votes\0least\0" "35";
	const struct bytes options[] = { { at15, sizeof(at15) }, { at25, sizeof(at25) },
		{ at35, sizeof(at35) } };
	static const struct { const char *rules[3], *told; } cases[] = {
		{ { "any#1/floor#1", "any#1/floor#2", "floor#2" },
		    "verdict 0 any#1 none of 2 keeps it, the last since: votes is 10, below 25\n"
		    "verdict 2 floor#2 votes is 20, below 35\n"
		    "verdict 2 floor#2 votes is 30, below 35\n" },
		{ { "any#1/floor#1", "any#1/floor#2", "any#1/floor#3" },
		    "verdict 2 any#1/floor#3 votes is 10, below 35\n"
		    "verdict 1 any#1/floor#1 votes is 20\n"
		    "verdict 1 any#1/floor#1 votes is 30\n" },
		{ { "floor#1", "none#2/floor#1", "any#3/floor#1" },
		    "verdict 0 floor#1 votes is 10, below 15\n"
		    "verdict 2 any#3/floor#1 votes is 20, below 35\n"
		    "verdict 0 none#2/floor#1 votes is 30\n" },
		{ { "none#1/all#1/floor#1", "none#1/all#1/floor#2", "none#1/any#2/floor#1" },
		    "verdict 2 none#1/any#2/floor#1 votes is 10, below 35\n"
		    "verdict 2 none#1/any#2/floor#1 votes is 20, below 35\n"
		    "verdict 0 none#1/all#1/floor#2 votes is 30\n" },
		{ { "none#1/floor#1", "none#1/floor#2", "any#2/floor#1" },
		    "verdict 2 any#2/floor#1 votes is 10, below 35\n"
		    "verdict 0 none#1/floor#1 votes is 20\n"
		    "verdict 0 none#1/floor#1 votes is 30\n" },
	};
	const struct w_start ws = { .mode = W_FILTER, .memory = MEMORY, .out = OUT, .cpu = 1500 };
	const char *path = good("filter_floor"), *const paths[] = { path, path, path };
	struct batch_done done;
	struct test t;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int out = out_new();

		begin(&t);
		send_start(&t, &ws, paths, options, 3, cases[i].rules);
		send_batch(&t, MSG_W_FILTER, titles, 3, 0, out);
		assert_int_equal(next(&t), 1);
		batch_read(&t, MSG_W_FILTERED, &done);
		assert_int_equal(done.done, 3);
		text = results(out, done.out);
		assert_string_equal(text, cases[i].told);
		free(text);
		end(&t);
		buf_free(&t.log);
	}
}

static void
test_filter_that_crashes_shows_of_what(void **state)
{
	static const char *const titles[] = { "a", "b", "poison", "d" };
	struct test t;
	struct wire w;
	uint32_t done = 0;
	int rc, out = out_new();

	(void)state;
	start(&t, W_FILTER, evil("filter_crash"));
	send_batch(&t, MSG_W_FILTER, titles, 4, 1, out);
	while ((rc = next(&t)) == 1) {
		assert_int_equal(t.frame.type, MSG_W_PROGRESS);
		wire_init(&w, t.frame.data, t.frame.len);
		done = wire_u32(&w);
	}
	assert_int_equal(rc, -1);
	assert_int_equal(done, 2);
	end(&t);
	assert_true(WIFSIGNALED(t.status) && WTERMSIG(t.status) == SIGSEGV);
	close(out);
	buf_free(&t.log);
}

static void
test_sink_writes_in_its_folder_and_nowhere_else(void **state)
{
	static const char *const titles[] = { "a", "b" };
	static const char inside[] = "file\0note", outside[] = "file\0/tmp/courant-evil-note",
	    above[] = "file\0../courant-evil-note";
	const struct bytes options[] = { { inside, sizeof(inside) }, { outside, sizeof(outside) },
		{ above, sizeof(above) } };
	char folder[] = "/tmp/courant-test-XXXXXX", path[100];
	struct w_start ws = { .mode = W_DELIVER, .grants = CR_FILES, .memory = MEMORY,
		.out = OUT, .cpu = 1500 };
	const char *plugin = good("sink_note");
	struct batch_done done;
	struct stat st;
	struct test t;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(folder));
	ws.folder = folder;
	for (i = 0; i < 3; i++) {
		if (i > 0 && !SANDBOX)
			break;
		begin(&t);
		send_start(&t, &ws, &plugin, &options[i], 1, NULL);
		close(send_batch(&t, MSG_W_DELIVER, titles, 2, 0, out_new()));
		assert_int_equal(next(&t), 1);
		batch_read(&t, MSG_W_DELIVERED, &done);
		assert_int_equal(done.failed, i == 0 ? 0 : FAILED_RETRY);
		assert_int_equal(done.done, i == 0 ? 2 : 0);
		end(&t);
		if (i == 0)
			assert_true(said(&t, "batch delivery-1 of everything: 2, kind 1"));
		buf_free(&t.log);
	}
	snprintf(path, sizeof(path), "%s/note", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 100);
	unlink(path);
	rmdir(folder);
	assert_int_equal(stat("/tmp/courant-evil-note", &st), -1);
}

static void
test_sinks_that_fail(void **state)
{
	static const char *const titles[] = { "a", "b", "c" };
	struct batch_done done;
	struct test t;

	(void)state;
	start(&t, W_DELIVER, evil("sink_retry"));
	close(send_batch(&t, MSG_W_DELIVER, titles, 3, 0, out_new()));
	assert_int_equal(next(&t), 1);
	batch_read(&t, MSG_W_DELIVERED, &done);
	assert_int_equal(done.done, 1);
	assert_int_equal(done.failed, FAILED_RETRY);
	assert_int_equal(done.retry, 100);
	assert_string_equal(done.error, "the other side is asleep");
	end(&t);
	buf_free(&t.log);
	start(&t, W_DELIVER, evil("sink_silent"));
	close(send_batch(&t, MSG_W_DELIVER, titles, 3, 0, out_new()));
	assert_int_equal(next(&t), 1);
	batch_read(&t, MSG_W_DELIVERED, &done);
	assert_int_equal(done.done, 0);
	assert_int_equal(done.failed, FAILED_RETRY);
	assert_non_null(strstr(done.error, "without saying why"));
	close(send_batch(&t, MSG_W_DELIVER, titles, 1, 0, out_new()));
	assert_int_equal(next(&t), 1);
	batch_read(&t, MSG_W_DELIVERED, &done);
	assert_int_equal(done.done, 1);
	assert_int_equal(done.failed, 0);
	end(&t);
	buf_free(&t.log);
	start(&t, W_DELIVER, evil("sink_hang"));
	close(send_batch(&t, MSG_W_DELIVER, titles, 3, 0, out_new()));
	assert_int_equal(next_within(&t, HANG), 0);
	end(&t);
	assert_true(WIFSIGNALED(t.status) && WTERMSIG(t.status) == SIGKILL);
	buf_free(&t.log);
}

/* ---- Descriptions ---- */

static void
about_clear(struct plugin *p)
{
	size_t i;

	free(p->name);
	free(p->kind);
	free(p->version);
	free(p->help);
	free(p->url);
	free(p->headers);
	free(p->error);
	for (i = 0; i < p->noptions; i++) {
		free((char *)(uintptr_t)p->options[i].name);
		free((char *)(uintptr_t)p->options[i].value);
		free((char *)(uintptr_t)p->options[i].range);
		free((char *)(uintptr_t)p->options[i].help);
	}
	free(p->options);
}

/* What a plugin is refused for; "" when it is fine. Owned by the caller. */
static char *
refusal(const char *path)
{
	struct plugin p = { .file = (char []){ "x.so" } };
	struct test t;
	struct wire w;
	char *why;
	int rc;

	start(&t, W_DESCRIBE, path);
	rc = next(&t);
	if (rc == 1 && t.frame.type == MSG_W_ABOUT) {
		wire_init(&w, t.frame.data, t.frame.len);
		if (wire_u32(&w) == 0)
			why = xstrdup(wire_str(&w));
		else
			why = xstrdup(plugin_about_read(&w, &p) == -1 ? p.error : "");
	} else
		why = xstrdup(rc == 0 ? "deadline" : "died");
	end(&t);
	buf_free(&t.log);
	about_clear(&p);
	return why;
}

static void
test_unfit_plugins_are_refused_with_a_reason(void **state)
{
	static const struct { const char *name, *reason; } unfit[] = {
		{ "no_symbol", "exports no cr_plugin_v1" }, { "other_major", "major version 2" },
		{ "bad_size", "size" }, { "newer_minor", "a newer Courant" },
		{ "bad_name", "its name has to be" }, { "two_callbacks", "exactly one" },
		{ "bad_offset", "options_size" }, { "endless_options", "options" },
		{ "bad_default", "every" }, { "not_there", "cannot be loaded" },
		{ "c_crash", "died" }, { "c_exit", "died" }, { "c_abort", "died" },
		{ "c_loop", "deadline|died" }, { "crash", "" },
	};
	char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		why = refusal(evil(unfit[i].name));
		if (unfit[i].reason[0] == '\0' ? why[0] != '\0' : strstr(unfit[i].reason, why) ==
		    NULL && strstr(why, unfit[i].reason) == NULL)
			fail_msg("%s: %s", unfit[i].name, why);
		free(why);
	}
}

static void
test_description_tells_all(void **state)
{
	struct plugin p = { .name = NULL };
	struct test t;
	struct wire w;

	(void)state;
	start(&t, W_DESCRIBE, good("sink_note"));
	assert_int_equal(next(&t), 1);
	wire_init(&w, t.frame.data, t.frame.len);
	assert_int_equal(wire_u32(&w), 1);
	assert_int_equal(plugin_about_read(&w, &p), 0);
	assert_string_equal(p.name, "note");
	assert_string_equal(p.kind, "sink");
	assert_string_equal(p.help, "JSON into a file");
	assert_int_equal(p.wants, CR_FILES);
	assert_int_equal(p.takes, 3);
	assert_int_equal(p.does, DOES_DELIVER);
	assert_int_equal(p.noptions, 1);
	assert_string_equal(p.options[0].name, "file");
	assert_string_equal(p.options[0].value, "note");
	assert_int_equal(p.options[0].type, CR_STRING);
	about_clear(&p);
	end(&t);
	buf_free(&t.log);
}

/* ---- Hostile sources ---- */

enum ending { LIVES, DIES, HANGS, NONSENSE };

/* What becomes of a job given to a hostile source, and that it does not get what it tries. */
static void
attack(const char *name, enum ending how, int signal_or_zero, uint32_t stopped, const char *denied)
{
	struct parse_done done = { .failed = 0 };
	struct test t;
	char *text;
	int out, rc;

	start(&t, W_PARSE, evil(name));
	out = send_page(&t, "a page", none, 1, NULL);
	rc = next_within(&t, how == HANGS ? HANG : DEADLINE);
	if (rc == 1 && t.frame.type == MSG_W_PARSED && how == LIVES) {
		struct wire w;

		wire_init(&w, t.frame.data, t.frame.len);
		wire_get(&w, parse_done, &done);
		text = results(out, done.out);
		if (strstr(text, "broken out") != NULL)
			fail_msg("%s: %s", name, text);
		free(text);
		if (stopped > 0)
			assert_int_equal(done.records, stopped);
	} else
		close(out);
	end(&t);
	if ((how == LIVES && (rc != 1 || t.status != 0)) || (how == HANGS && rc != 0) ||
	    ((how == DIES || how == NONSENSE) && rc != -1))
		fail_msg("%s: %d, status %x, said %s", name, rc, (unsigned)t.status, t.log.data);
	if (signal_or_zero != 0 &&
	    !(WIFSIGNALED(t.status) && WTERMSIG(t.status) == signal_or_zero))
		fail_msg("%s: status %x", name, (unsigned)t.status);
	if (denied != NULL && !said(&t, denied))
		fail_msg("%s: no %s in %s", name, denied, t.log.data);
	buf_free(&t.log);
}

static void
test_what_kills_itself(void **state)
{
	(void)state;
	attack("crash", DIES, SIGSEGV, 0, NULL);
	attack("abort", DIES, SIGABRT, 0, NULL);
	attack("recursion", DIES, SIGSEGV, 0, NULL);
	attack("exit", DIES, 0, 0, NULL);
	attack("close_channel", DIES, 0, 0, NULL);
	attack("garbage_frames", NONSENSE, 0, 0, NULL);
}

static void
test_what_never_ends(void **state)
{
	(void)state;
	attack("half_frame", HANGS, SIGKILL, 0, NULL);
	attack("sleep", HANGS, SIGKILL, 0, NULL);
	attack("ignore_signals", HANGS, SIGKILL, 0, NULL);
}

/* The CPU limit of the worker ends what core's deadline would not have yet. */
static void
test_what_computes_for_ever(void **state)
{
	struct test t;
	size_t i;
	static const char *const names[] = { "loop", "records", "logging" };

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct w_start ws = { .mode = W_PARSE, .memory = MEMORY, .out = OUT,
			.cpu = 1 };
		const char *path = evil(names[i]);
		int out, rc;

		begin(&t);
		send_start(&t, &ws, &path, NULL, 1, NULL);
		out = send_page(&t, "a page", none, 1, NULL);
		rc = next(&t);
		assert_int_equal(rc, -1);
		end(&t);
		assert_true(WIFSIGNALED(t.status));
		assert_true(WTERMSIG(t.status) == SIGXCPU || WTERMSIG(t.status) == SIGKILL);
		close(out);
		buf_free(&t.log);
	}
}

static void
test_results_are_bounded(void **state)
{
	struct parse_done done;
	struct test t;
	struct stat st;
	int out;

	(void)state;
	start(&t, W_PARSE, evil("big_records"));
	out = send_page(&t, "a page", none, 1, NULL);
	parsed(&t, &done);
	assert_int_equal(done.failed, CR_BAD_DATA);
	assert_non_null(strstr(done.error, "more than 16777216 bytes"));
	assert_true(done.records > 10 && done.records < 40);
	assert_int_equal(fstat(out, &st), 0);
	assert_true((uint64_t)st.st_size <= OUT);
	free(results(out, done.out));
	end(&t);
	buf_free(&t.log);
}

static void
test_misuse_of_the_host(void **state)
{
	(void)state;
	attack("misuse", LIVES, 0, 0, NULL);
}

/* A plugin can answer in its worker's place; that its results are not there shows when they are
 * mapped, as store does. */
static void
test_forged_answer_shows(void **state)
{
	struct parse_done done;
	struct test t;
	struct wire w;
	size_t size;
	int out;

	(void)state;
	start(&t, W_PARSE, evil("forged"));
	out = send_page(&t, "a page", none, 1, NULL);
	assert_int_equal(next(&t), 1);
	assert_int_equal(t.frame.type, MSG_W_PARSED);
	wire_init(&w, t.frame.data, t.frame.len);
	wire_get(&w, parse_done, &done);
	assert_int_equal(wire_end(&w), 0);
	assert_int_equal(done.records, 255);
	assert_int_equal(result_seal(out), 0);
	assert_null(result_map(out, (size_t)done.out, &size));
	close(out);
	end(&t);
	buf_free(&t.log);
}

static void
test_memory_is_bounded(void **state)
{
	struct test t;
	int out;

	(void)state;
	NEEDS_SANDBOX();
	start(&t, W_PARSE, evil("memory"));
	out = send_page(&t, "a page", none, 1, NULL);
	assert_int_equal(next(&t), -1);
	end(&t);
	assert_true(WIFEXITED(t.status) && WEXITSTATUS(t.status) == MEM_EXIT);
	close(out);
	buf_free(&t.log);
}

static void
test_sandbox_holds(void **state)
{
	char *why;

	(void)state;
	NEEDS_SANDBOX();
	attack("open_file", LIVES, 0, 7, "denied: openat\n");
	attack("socket", LIVES, 0, 4, "denied: socketpair\n");
	attack("fork", LIVES, 0, 3, "denied: clone\n");
	attack("become", LIVES, 0, 3, "denied: execve\n");
	attack("kill_parent", LIVES, 0, 8, "denied: tgkill\n");
	attack("code", LIVES, 0, 2, "denied: mprotect\n");
	why = refusal(evil("c_break_out"));
	assert_string_equal(why, "");
	free(why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses_pages_one_after_the_other),
		cmocka_unit_test(test_failures_keep_what_was_emitted),
		cmocka_unit_test(test_other_options_close_and_open),
		cmocka_unit_test(test_filters_judge_in_order),
		cmocka_unit_test(test_groups_of_filters),
		cmocka_unit_test(test_filter_that_crashes_shows_of_what),
		cmocka_unit_test(test_sink_writes_in_its_folder_and_nowhere_else),
		cmocka_unit_test(test_sinks_that_fail),
		cmocka_unit_test(test_unfit_plugins_are_refused_with_a_reason),
		cmocka_unit_test(test_description_tells_all),
		cmocka_unit_test(test_what_kills_itself),
		cmocka_unit_test(test_what_never_ends),
		cmocka_unit_test(test_what_computes_for_ever),
		cmocka_unit_test(test_results_are_bounded),
		cmocka_unit_test(test_misuse_of_the_host),
		cmocka_unit_test(test_forged_answer_shows),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_sandbox_holds),
	};

	/* A worker with sanitizers dies of a signal as one without, and says no more than that. */
	setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

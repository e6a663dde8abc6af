/* The fake host of plugin authors does as the real one: the same plugins, jobs and results. */
#include "base/buf.h"
#include "base/mem.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/worker_start.h"
#include "record/record.h"
#include "record/record_json.h"
#include "record/result.h"
#include "store/ledger_verdict.h"

#include <courant/fakehost.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE	30000
#define WHEN		INT64_C(1767268800000)	/* 2026-01-01T12:00:00Z */
#define TEXT_MAX	(16u << 20)

/* One page, for both hosts. */
struct job {
	const char	*plugin;	/* path below the build folder */
	const char	*options;	/* "name=value\n" lines */
	const char	*state;		/* value of "seen" before, or NULL */
	const char	*tag;
	const char	*body;
	int		 nth;
};
static const char url[] = "http://feeds.example/list/index.html?a=1#top";
static const char headers[] = "content-type: text/plain; charset=utf-8\n"
    "x-probe: yes, it is\nlink: <first>; rel=\"prev_not next_not\", </2>; rel=\"more next\"\n";

static const char *
built(const char *path)
{
	static char full[4096];
	const char *build = getenv("BUILD");

	snprintf(full, sizeof(full), "%s/%s", build != NULL ? build : ".", path);
	return full;
}

/* ---- The real one ---- */

struct real {
	pid_t		 pid;
	struct chan	*chan;
	struct frame	 frame;
};

static int
high(int fd)
{
	int to = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	close(fd);
	assert_true(to != -1);
	return to;
}

static void
real_start(struct real *r, uint32_t mode, const char *plugin, struct bytes options)
{
	struct w_start ws = { .mode = mode, .memory = UINT64_C(512) << 20, .out = TEXT_MAX,
		.cpu = 10000, .name = "test", .grants = CR_FILES };
	char *argv[] = { (char[]){ "courant-worker" }, NULL };
	posix_spawn_file_actions_t files;
	int pair[2], theirs;
	struct buf b;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->chan = chan_new(high(pair[0]));
	theirs = high(pair[1]);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, theirs, 3);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&r->pid, getenv("WORKER"), &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	close(theirs);
	worker_start_begin(&b, &ws, 1);
	worker_start_plugin(&b, built(plugin), (struct bytes){ options.data, options.len });
	if (ws.mode == W_FILTER)
		wire_put_str(&b, "filter#1");
	assert_int_equal(chan_send(r->chan, MSG_W_START, 0, &b, -1, -1), 0);
	buf_free(&b);
}

static void
real_end(struct real *r)
{
	chan_free(r->chan);
	assert_int_equal(waitpid(r->pid, NULL, 0), r->pid);
}

/* Waits for the answer of that type. */
static void
real_answer(struct real *r, uint16_t type, struct wire *w)
{
	do
		assert_int_equal(chan_recv(r->chan, &r->frame, DEADLINE), 1);
	while (r->frame.type == MSG_READY);
	assert_int_equal(r->frame.type, type);
	wire_init(w, r->frame.data, r->frame.len);
}

static int
sealed(const void *p, size_t len)
{
	int fd = high(memfd_new(p, len));

	assert_int_equal(memfd_seal(fd), 0);
	return fd;
}

/* NAME\0VALUE\0... of "name=value\n" lines. */
static struct bytes
option_bytes(const char *lines, char *to)
{
	size_t len = strlen(lines), i;
	int value = 0;

	for (i = 0; i < len; i++) {
		to[i] = lines[i];
		if (lines[i] == '\n' || (lines[i] == '=' && !value))
			to[i] = '\0';
		value = lines[i] == '\n' ? 0 : value || lines[i] == '=';
	}
	return (struct bytes){ to, len };
}

static void
put_record(struct buf *b, const char *what, struct bytes bytes)
{
	const struct record_json about = { NULL, 0, CR_NO_TIME };
	struct cr_record *r = record_read(bytes.data, bytes.len);

	assert_non_null(r);
	buf_str(b, what);
	record_json(r, &about, b);
	buf_char(b, '\n');
	record_free(r);
}

/* What a job gave, as text: a line each. */
static void
put_results(struct buf *b, int out, uint64_t len)
{
	enum result_kind kind;
	struct wire all, body;
	struct bytes bytes;
	size_t size;
	const void *p;
	const char *s;

	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	wire_init(&all, p, size);
	while (result_next(&all, &kind, &body) == 1) {
		bytes = (struct bytes){ (const char *)body.at, (size_t)(body.end - body.at) };
		if (kind == RESULT_RECORD || kind == RESULT_FEED) {
			put_record(b, kind == RESULT_FEED ? "feed " : "record ", bytes);
		} else if (kind == RESULT_STATE) {
			buf_fmt(b, "state %s=", wire_str(&body));
			s = wire_str(&body);
			buf_fmt(b, "%s\n", s != NULL ? s : "(none)");
		}
	}
	memfd_unmap(p, size);
	close(out);
}

static char *
real_page(const struct job *j)
{
	char options[1000], kept[100];
	struct parse_job pj = { .source = "test", .url = url, .type = "text/plain",
		.charset = "utf-8", .headers = headers, .tag = j->tag, .when = WHEN,
		.now = WHEN, .len = strlen(j->body), .hash = 1, .nth = (uint32_t)j->nth,
		.options = option_bytes(j->options, options), .state = { "", 0 } };
	int body = sealed(j->body, strlen(j->body) + 1), out = high(memfd_new(NULL, 0));
	struct parse_done done;
	struct real r;
	struct wire w;
	struct buf b;

	real_start(&r, W_PARSE, j->plugin, (struct bytes){ "", 0 });
	if (j->state != NULL)
		pj.state = (struct bytes){ kept, 1 + (size_t)snprintf(kept, sizeof(kept), "seen%c%s",
		    0, j->state) };
	buf_init(&b, TEXT_MAX);
	wire_put(&b, parse_job, &pj);
	assert_int_equal(chan_send(r.chan, MSG_W_PARSE, 7, &b, body, out), 0);
	real_answer(&r, MSG_W_PARSED, &w);
	wire_get(&w, parse_done, &done);
	assert_int_equal(wire_end(&w), 0);
	buf_clear(&b);
	buf_fmt(&b, "failed %u %s, partial %s, retry %lld, refused %u\n", done.failed,
	    done.error != NULL ? done.error : "-", done.partial != NULL ? done.partial : "-",
	    (long long)done.retry, done.refused);
	put_results(&b, out, done.out);
	close(body);
	real_end(&r);
	return b.data;
}

/* ---- The fake one ---- */

static struct cr_fake *
fake_new(const char *plugin, const char *options, void **library)
{
	const struct cr_plugin *p;
	struct cr_fake *f;

	*library = dlopen(built(plugin), RTLD_NOW | RTLD_LOCAL);
	if (*library == NULL)
		fail_msg("%s", dlerror());
	p = dlsym(*library, "cr_plugin_v1");
	assert_non_null(p);
	f = cr_fake_new(p, options);
	f->now = WHEN;
	return f;
}

static char *
fake_page(const struct job *j)
{
	const struct cr_page page = { .url = url, .body = j->body, .len = strlen(j->body),
		.tag = j->tag, .nth = j->nth };
	void *library;
	struct cr_fake *f = fake_new(j->plugin, j->options, &library);
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, TEXT_MAX);
	if (j->state != NULL)
		cr_fake_set_state(f, "seen", j->state);
	rc = cr_fake_page(f, &page, headers);
	assert_int_equal(rc, f->failed == 0 ? 0 : -1);
	buf_fmt(&b, "failed %d %s, partial %s, retry %lld, refused %zu\n", f->failed,
	    f->error != NULL ? f->error : "-", f->partial != NULL ? f->partial : "-",
	    (long long)f->retry, f->refused);
	for (i = 0; i < f->nrecords; i++)
		buf_fmt(&b, "record %s\n", cr_fake_json(f->records[i]));
	if (f->feed != NULL)
		buf_fmt(&b, "feed %s\n", cr_fake_json(f->feed));
	/* What was set in this job lies behind what was there before; each key once, the last time. */
	for (i = 0; i < f->nstate; i++)
		if (cr_fake_state(f, f->state[i].key) == f->state[i].value &&
		    (j->state == NULL || i > 0))
			buf_fmt(&b, "state %s=%s\n", f->state[i].key,
			    f->state[i].value != NULL ? f->state[i].value : "(none)");
	cr_fake_free(f);
	dlclose(library);
	return b.data;
}

static void
same(const struct job *j)
{
	char *real = real_page(j), *fake = fake_page(j);
	size_t i, from;

	for (i = 0; real[i] != '\0' && real[i] == fake[i]; i++)
		;
	from = i > 40 ? i - 40 : 0;
	if (real[i] != fake[i])
		fail_msg("real: ...%.150s\nfake: ...%.150s", real + from, fake + from);
	free(real);
	free(fake);
}

/* ---- Sources ---- */

static const char probe[] = "tests/plugins/source_probe.so";
static const char lines_so[] = "tests/plugins/source_lines.so";

static void
all_calls_of_parse_give_the_same(void **state)
{
	static const struct job j = { probe, "", NULL, "tag", "a body", 3 };
	char *text = real_page(&j);

	(void)state;
	/* The probe itself: what it tells is what the contract says. */
	assert_non_null(strstr(text, "\"link\":\"http://feeds.example/a/c?x=1#y\""));
	assert_non_null(strstr(text, "\"trespass\":\"get 0 time 0 extra 0 number 0 json 0 verdict -1 "
	    "wait -1 stored -1 answer -1\""));
	assert_non_null(strstr(text, "\"refused\":\"-1 -1 -1 -1 -1 0 -1 -1\""));
	assert_non_null(strstr(text, "\"open\":\"64\""));
	assert_non_null(strstr(text, "state seen=tag"));
	free(text);
	same(&j);
}

static void
options_and_state_are_the_same(void **state)
{
	static const char *const options[] = {
		"text=\nnumber=9\nevery=2 h\nsize=64 KiB\nratio=1\nloud=Yes\nmode=none\n",
		"words=a\nwords=b=c\nwords=d\nurl=https://x.example/?q\nkey={secret:key}\n",
		"words=\nevery=0.5 min\nsize=0\nmode=all\nratio=1e-3\n",
	};
	static const char *const wrong[] = { "number=10\n", "number=1.5\n", "every=5\n",
		"size=1 mb\n", "ratio=2\n", "loud=maybe\n", "mode=some\n", "url=no url\n",
		"number=1\nnumber=2\n", "nmber=1\n", "every=1 ms\n" };
	struct job j = { probe, NULL, "before", "", "x", 0 };
	struct cr_fake *f;
	void *library;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		j.options = options[i];
		same(&j);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		j.options = wrong[i];
		text = real_page(&j);
		assert_non_null(strstr(text, "failed 4 "));
		free(text);
		f = fake_new(probe, wrong[i], &library);
		assert_int_equal(cr_fake_parse(f, url, NULL, "x"), -1);
		assert_int_equal(f->failed, CR_BAD_OPTION);
		assert_int_equal(strncmp(f->error, wrong[i], strcspn(wrong[i], "=")), 0);
		cr_fake_free(f);
		dlclose(library);
	}
}

static void
failures_are_the_same(void **state)
{
	static const char *const bodies[] = { "", "1|One\nfail it does not\n2|Two\n",
		"1|One\nstate lost\nretry 5000\n", "partial cut off\n1|One\npartial again\n",
		"base http://other.example/dir/\n1|One|c\n|Only a title\n" };
	struct job j = { lines_so, "prefix=a \nnumber=4\n", NULL, "", NULL, 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		j.body = bodies[i];
		same(&j);
	}
	j.options = "number=9\n";	/* its open() refuses that */
	same(&j);
}

static char *
golden(const char *name)
{
	char path[4096], *text = xcalloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), "%s/tests/golden/%s", getenv("SRCDIR"), name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static void
the_feed_plugin_gives_the_same(void **state)
{
	static const char *const names[] = { "atom10.atom", "rss20.xml", "doctype_entities.xml" };
	struct job j = { "plugins/source_feed.so", "", NULL, "", NULL, 0 };
	char *body;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		body = golden(names[i]);
		j.body = body;
		same(&j);
		free(body);
	}
}

/* ---- Filters ---- */

/* The same record for both: title, two persons, a date, a note and votes. */
static void
fill_real(struct cr_record *r, const char *title, int64_t votes)
{
	record_set(r, CR_TITLE, title, strlen(title));
	record_set(r, CR_LINK, "https://a.example/b/c", 21);
	record_set(r, CR_SUMMARY, "s", 1);
	record_add_author(r, CR_AUTHOR, "Ann", NULL, NULL);
	record_add_author(r, CR_AUTHOR, NULL, "bob@example.org", NULL);
	record_set_time(r, CR_PUBLISHED, WHEN);
	record_set_extra(r, "note", "n");
	record_set_counter(r, "votes", votes);
}

static void
fill_fake(struct cr_record *r, const char *title, int64_t votes)
{
	cr_fake_set(r, CR_TITLE, title);
	cr_fake_set(r, CR_LINK, "https://a.example/b/c");
	cr_fake_set(r, CR_SUMMARY, "s");
	cr_fake_set(r, CR_AUTHOR, "Ann");
	cr_fake_set(r, CR_AUTHOR, "bob@example.org");
	cr_fake_set_time(r, CR_PUBLISHED, WHEN);
	cr_fake_set_extra(r, "note", "n");
	cr_fake_set_counter(r, "votes", votes);
}

/* A batch of one record, sealed. */
static int
one_record(const char *title, int64_t votes, uint64_t *len)
{
	struct cr_record *r = record_new();
	struct result_item item = { .n = 1, .id = "aaaaaaaaaaaaaaaaaaaaaaaaaa",
		.delivery = "aaaaaaaaaaaaaaaaaaaaaaaaaa", .source = "src", .seen = CR_NO_TIME };
	struct buf b, bytes;
	size_t begun;
	int fd;

	buf_init(&b, TEXT_MAX);
	buf_init(&bytes, RECORD_MAX);
	fill_real(r, title, votes);
	record_write(r, &bytes);
	item.record = (struct bytes){ bytes.data, bytes.len };
	begun = result_begin(&b, RESULT_ITEM);
	wire_put(&b, result_item, &item);
	result_end(&b, begun);
	fd = sealed(b.data, b.len);
	*len = b.len;
	record_free(r);
	buf_free(&b);
	buf_free(&bytes);
	return fd;
}

/* The verdict, and the record with its changes: "1 why {json}". */
static void
put_verdict(struct buf *b, int out, uint64_t len, const char *title, int64_t votes)
{
	struct cr_record *r = record_new(), *changes;
	const struct record_json about = { NULL, 0, CR_NO_TIME };
	struct result_verdict v;
	enum result_kind kind;
	struct wire all, body;
	const void *p;
	size_t size;

	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	wire_init(&all, p, size);
	do
		assert_int_equal(result_next(&all, &kind, &body), 1);
	while (kind != RESULT_VERDICT);
	wire_get(&body, result_verdict, &v);
	fill_real(r, title, votes);
	if (v.changes.data != NULL) {
		changes = record_read(v.changes.data, v.changes.len);
		record_overlay(r, changes);
		record_free(changes);
	}
	buf_fmt(b, "%d %s ", (int)v.verdict, v.why != NULL ? v.why : "-");
	record_json(r, &about, b);
	record_free(r);
	memfd_unmap(p, size);
}

static char *
real_filter(const char *plugin, const char *options, const char *title, int64_t votes)
{
	struct batch_job job = { .route = "r", .id = "i", .title = "", .self = "", .count = 1,
		.now = WHEN };
	int fd = one_record(title, votes, &job.len), out = high(memfd_new(NULL, 0));
	struct batch_done done;
	struct real r;
	struct wire w;
	struct buf b;
	char given[500];

	real_start(&r, W_FILTER, plugin, option_bytes(options, given));
	buf_init(&b, TEXT_MAX);
	wire_put(&b, batch_job, &job);
	assert_int_equal(chan_send(r.chan, MSG_W_FILTER, 9, &b, fd, out), 0);
	real_answer(&r, MSG_W_FILTERED, &w);
	wire_get(&w, batch_done, &done);
	assert_int_equal(wire_end(&w), 0);
	buf_clear(&b);
	put_verdict(&b, out, done.out, title, votes);
	close(fd);
	close(out);
	real_end(&r);
	return b.data;
}

static char *
fake_filter(const char *plugin, const char *options, const char *title, int64_t votes)
{
	void *library;
	struct cr_fake *f = fake_new(plugin, options, &library);
	struct cr_record *r = cr_fake_record(f, NULL);
	struct buf b;
	int verdict;

	buf_init(&b, TEXT_MAX);
	fill_fake(r, title, votes);
	verdict = cr_fake_filter(f, r);
	buf_fmt(&b, "%d %s %s", verdict, verdict == -1 ? f->error : f->why, cr_fake_json(r));
	cr_fake_free(f);
	dlclose(library);
	return b.data;
}

static void
verdicts_and_changes_are_the_same(void **state)
{
	static const struct {
		const char	*plugin, *options, *title;
		int64_t		 votes;
	} cases[] = {
		{ "tests/plugins/filter_probe.so", "", "A", 3 },
		{ "tests/plugins/filter_probe.so", "", "B", 7 },
		{ "tests/plugins/filter_probe.so", "", "C", 11 },
		{ "tests/plugins/filter_probe.so", "", "fail", 11 },
		{ "tests/plugins/filter_floor.so", "of=votes\nleast=10\n", "A", 9 },
		{ "tests/plugins/filter_floor.so", "of=votes\nleast=10\nbelow=drop\n", "A", 9 },
		{ "tests/plugins/filter_floor.so", "of=stars\nleast=10\n", "A", 9 },
		{ "tests/plugins/filter_floor.so", "of=votes\nleast=10\n", "A", 10 },
	};
	char *real, *fake;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		real = real_filter(cases[i].plugin, cases[i].options, cases[i].title, cases[i].votes);
		fake = fake_filter(cases[i].plugin, cases[i].options, cases[i].title, cases[i].votes);
		assert_string_equal(fake, real);
		free(real);
		free(fake);
	}
}

static void
a_filter_that_is_wrong_gives_no_verdict(void **state)
{
	static const char *const titles[] = { "nonsense", "silent" };
	char *real, *fake;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		real = real_filter("tests/plugins/filter_probe.so", "", titles[i], 1);
		fake = fake_filter("tests/plugins/filter_probe.so", "", titles[i], 1);
		assert_int_equal(strncmp(real, "-1 ", 3), 0);
		assert_int_equal(strncmp(fake, "-1 ", 3), 0);
		free(real);
		free(fake);
	}
}

/* ---- Visits ---- */

static void
a_visitor_is_answered_as_by_the_real_one(void **state)
{
	static const struct { const char *form; int status; const char *type; } answers[] = {
		{ "status=200\ntype=text/html\n", 200, "text/html" },
		{ "status=599\n", 599, "text/plain; charset=utf-8" },
		{ "status=199\ntype=a/b\n", 418, "text/plain; charset=utf-8" },
		{ "status=600\ntype=a/b\n", 418, "text/plain; charset=utf-8" },
		{ "status=200\ntype=\xc3\xa9\n", 418, "text/plain; charset=utf-8" },
	};
	struct cr_fake *f;
	void *library;
	size_t i;

	(void)state;
	f = fake_new("tests/plugins/source_visited.so", "", &library);
	assert_int_equal(cr_fake_visit(f, "POST", "/add", NULL, "name=one\n", NULL), 0);
	assert_int_equal(f->status, 201);
	assert_string_equal(f->body, "added 1\n");
	assert_int_equal(f->nrecords, 1);
	assert_int_equal(cr_fake_visit(f, "GET", "/fail", NULL, "why=100\n", NULL), -1);
	assert_int_equal(f->failed, CR_FAKE_RETRY);
	assert_int_equal(f->status, 0);
	assert_int_equal(f->nrecords, 1);
	assert_int_equal(cr_fake_visit(f, "GET", "/nothing", NULL, NULL, NULL), 0);
	assert_int_equal(f->status, 0);
	assert_int_equal(cr_fake_visit(f, "POST", "/add", NULL, "name=two\n", NULL), 0);
	assert_string_equal(f->body, "added 2\n");
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(cr_fake_visit(f, "GET", "/answer", NULL, answers[i].form, NULL), 0);
		assert_int_equal(f->status, answers[i].status);
		assert_string_equal(f->type, answers[i].type);
	}
	cr_fake_free(f);
	dlclose(library);
}

/* ---- What the plugin is handed: descriptors, headers, bodies ---- */

static int waited[4], waited_fd;
static char visited[200];

static int
wait_stream(struct cr *cr, void *opts)
{
	char byte;

	(void)opts;
	for (size_t i = 0; i < sizeof(waited) / sizeof(waited[0]); i++) {
		waited[i] = cr->wait(cr, i < 3 ? waited_fd : -1, 40);
		if (waited[i] == 1)
			assert_int_equal(read(waited_fd, &byte, 1), 1);
	}
	return 0;
}

static int
tell_request(struct cr *cr, void *opts, const struct cr_visit *v)
{
	(void)cr;
	(void)opts;
	snprintf(visited, sizeof(visited), "%s %s|%s|%s|%s|%zu", v->method, v->path, v->headers, v->form,
	    v->body, v->len);
	return 0;
}

static const struct cr_plugin watcher = { CR_PLUGIN, .name = "watcher", .version = "1", .help = "h",
	.stream = wait_stream, .request = tell_request };

static void
wait_finds_what_is_readable(void **state)
{
	struct cr_fake *f = cr_fake_new(&watcher, NULL);
	int64_t now = f->now;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	waited_fd = fds[0];
	assert_int_equal(write(fds[1], "ab", 2), 2);
	assert_int_equal(cr_fake_stream(f, 4), 0);
	assert_int_equal(waited[0], 1);
	assert_int_equal(waited[1], 1);
	assert_int_equal(waited[2], 0);		/* nothing is left: the time is up */
	assert_int_equal(waited[3], 0);
	assert_int_equal(f->now, now + 80);
	close(fds[1]);
	waited_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(cr_fake_stream(f, 0), 0);
	assert_int_equal(waited[0], -1);
	close(waited_fd);
	close(fds[0]);
	cr_fake_free(f);
}

static void
a_visit_has_headers_and_a_body(void **state)
{
	struct cr_fake *f = cr_fake_new(&watcher, NULL);

	(void)state;
	assert_int_equal(cr_fake_visit(f, "POST", "/in", "Content-Type: Text/A: B\nX-Key: V\n", "a=b\n",
	    "{\"x\": 1}"), 0);
	assert_string_equal(visited, "POST /in|content-type: Text/A: B\nx-key: V\n|a=b\n|{\"x\": 1}|8");
	assert_int_equal(cr_fake_visit(f, "GET", "/", NULL, NULL, NULL), 0);
	assert_string_equal(visited, "GET /||||0");
	cr_fake_free(f);
}

/* ---- Sinks: into a folder of their own ---- */

static void
a_sink_is_handed_the_same(void **state)
{
	static const char id[] = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
	char folder[] = "/tmp/courant-fake-XXXXXX", was[4096], line[4096] = "";
	struct cr_record *r, *records[1];
	struct cr_fake *f;
	void *library;
	FILE *file;

	(void)state;
	assert_non_null(getcwd(was, sizeof(was)));
	f = fake_new("tests/plugins/sink_note.so", "file=out\n", &library);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	r = records[0] = cr_fake_record(f, "g");
	fill_fake(r, "A \"b\"", 3);
	cr_fake_set(r, CR_ID, id);
	cr_fake_set(r, CR_SOURCE, "src");
	r->delivery = "aaaaaaaaaaaaaaaaaaaaaaaaaa-r1";
	r->revision = 1;
	assert_int_equal(cr_fake_deliver(f, records, 1), 1);
	assert_non_null(strstr(f->log.data, "batch delivery of test: 1, kind 1\n"));
	file = fopen("out", "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	assert_non_null(strstr(line, "{\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa-r1\",\"schema\":1,"
	    "\"source\":\"src\",\"title\":\"A \\\"b\\\"\","));
	assert_non_null(strstr(line, "\"guid\":\"g\",\"record\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\","
	    "\"revision\":1}\n"));
	unlink("out");
	assert_int_equal(mkdir("out", 0755), 0);	/* now it cannot be written */
	assert_int_equal(cr_fake_deliver(f, records, 1), 0);
	assert_int_equal(f->failed, CR_FAKE_RETRY);
	assert_int_equal(f->retry, 1000);
	rmdir("out");
	assert_int_equal(chdir(was), 0);
	rmdir(folder);
	cr_fake_free(f);
	dlclose(library);
}

/* ---- Mail: to the recipients of a batch ---- */

static struct cr_mail to_send[2];
static size_t nto_send;
static int sent;
static char handed[512];

/* Notes the batch, then sends to_send. */
static size_t
send_mails(struct cr *cr, void *opts, const struct cr_batch *b)
{
	const char *last = b->nrecipients > 0 ? b->recipients[b->nrecipients - 1]->address : "";

	(void)opts;
	snprintf(handed, sizeof(handed), "%d %s %zu|%s|%s|%s|%s|%s", b->kind, b->title, b->n, b->name,
	    b->text, b->nsections > 0 ? b->sections[b->nsections - 1]->title : "", last, b->list_id);
	sent = cr->mails(cr, to_send, nto_send);
	if (sent == -1)
		(cr->fail)(cr, CR_REJECTED, "no mail");	/* fail() is a macro of cmocka's */
	return sent == -1 ? 0 : b->n;
}

static const struct cr_plugin mailer = { CR_PLUGIN, .name = "mailer", .version = "1", .help = "h",
	.wants = CR_MAIL, .takes = CR_BATCH_RECORDS | CR_BATCH_EDITION | CR_BATCH_LETTER,
	.deliver = send_mails };

static void
set_mail(size_t n, size_t to, const char *message)
{
	to_send[n] = (struct cr_mail){ sizeof(to_send[n]), to, message, strlen(message) };
	nto_send = n + 1;
}

static void
editions_and_letters_reach_recipients(void **state)
{
	struct cr_fake *f = cr_fake_new(&mailer, NULL);
	struct cr_record *records[2];

	(void)state;
	records[0] = cr_fake_record(f, "a");
	records[1] = cr_fake_record(f, "b");
	cr_fake_recipient(f, "ada@example.org", "1", NULL, NULL);
	cr_fake_recipient(f, "bob@example.org", "2", "https://example.org/leave/k", NULL);
	cr_fake_section(f, "One", 1, 0);
	cr_fake_section(f, "Two", 1, 3);
	set_mail(0, 0, "To: ada\r\n\r\n");
	set_mail(1, 1, "To: bob\r\n\r\nHi\r\n");
	assert_int_equal(cr_fake_edition(f, records, 2), 2);
	assert_string_equal(handed, "4 test 2|2025-03-14||Two|bob@example.org|test.example.org");
	assert_int_equal(sent, 2);
	assert_int_equal(f->nmails, 2);
	assert_string_equal(f->mails[1].to, "bob@example.org");
	assert_string_equal(f->mails[1].message, to_send[1].message);
	f->unaccepted = 1;
	assert_int_equal(cr_fake_letter(f, "Confirm", "Press the button.", "https://example.org/c"), 0);
	assert_string_equal(handed, "8 Confirm 0||Press the button.||bob@example.org|test.example.org");
	assert_int_equal(sent, 1);
	assert_int_equal(cr_fake_deliver(f, records, 2), 2);
	assert_string_equal(handed, "1  2||||bob@example.org|test.example.org");
	cr_fake_free(f);
}

static void
a_message_that_no_server_takes_is_refused(void **state)
{
	static const char *const wrong[] = { "A: b\r\n\r\nbare\nline\r\n", "A: b\r\n\r\nbare\rline\r\n",
		"A: \xc3\xa9\r\n\r\n", "A: b\r\n\r\nno end", "" };
	struct cr_fake *f = cr_fake_new(&mailer, NULL);
	struct cr_record *r = cr_fake_record(f, "a");
	char line[1003];

	(void)state;
	cr_fake_recipient(f, "ada@example.org", "1", NULL, NULL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set_mail(0, 0, wrong[i]);
		assert_int_equal(cr_fake_deliver(f, &r, 1), 0);
		assert_int_equal(f->nmails, 0);
		assert_int_equal(f->failed, CR_REJECTED);
	}
	memset(line, 'a', sizeof(line));
	memcpy(line + 998, "\r\n", 3);
	set_mail(0, 0, line);
	assert_int_equal(cr_fake_deliver(f, &r, 1), 1);
	memcpy(line + 998, "a\r\n", 4);
	set_mail(0, 0, line);
	assert_int_equal(cr_fake_deliver(f, &r, 1), 0);
	set_mail(0, 1, "A: b\r\n\r\n");
	assert_int_equal(cr_fake_deliver(f, &r, 1), 0);
	assert_non_null(strstr(f->log.data, "no recipient of the batch has that place"));
	cr_fake_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_calls_of_parse_give_the_same),
		cmocka_unit_test(options_and_state_are_the_same),
		cmocka_unit_test(failures_are_the_same),
		cmocka_unit_test(the_feed_plugin_gives_the_same),
		cmocka_unit_test(verdicts_and_changes_are_the_same),
		cmocka_unit_test(a_filter_that_is_wrong_gives_no_verdict),
		cmocka_unit_test(a_visitor_is_answered_as_by_the_real_one),
		cmocka_unit_test(wait_finds_what_is_readable),
		cmocka_unit_test(a_visit_has_headers_and_a_body),
		cmocka_unit_test(a_sink_is_handed_the_same),
		cmocka_unit_test(editions_and_letters_reach_recipients),
		cmocka_unit_test(a_message_that_no_server_takes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

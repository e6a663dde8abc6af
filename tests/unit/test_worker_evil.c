/* What a worker tells of a plugin, fit or not, and that a hostile plugin costs nothing but itself. */
#include "worker_case.h"
#include "base/mem.h"
#include "catalog/descriptor.h"
#include "catalog/plugin.h"

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
			why = xstrdup(descriptor_read(&w, &p) == -1 ? p.error : "");
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
	assert_int_equal(descriptor_read(&w, &p), 0);
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
	assert_int_equal(memfd_seal(out), 0);
	assert_null(memfd_map(out, (size_t)done.out, &size));
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

	quiet_sanitizers();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A real courant-worker does its jobs, for sources, filters and sinks. */
#include "worker_case.h"
#include "base/mem.h"

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
	};

	quiet_sanitizers();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

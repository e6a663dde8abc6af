/* What filters and sinks keep: with the records that it tells of, and with no others. */
#include "desk.h"
#include "base/buf.h"
#include "store/ledger_judge.h"
#include "store/ledger_work.h"

static struct store_route
with_rules(void)
{
	static const char rules[] = "match#1\0any#2/match#1";
	struct store_route r = filtered();

	r.filters = 2;
	r.rules = (struct bytes){ rules, sizeof(rules) };
	return r;
}

static void
put(struct buf *b, const char *rule, const char *value, uint32_t done)
{
	const struct result_state st = { .key = "k", .value = value, .rule = rule, .done = done };
	size_t begun = result_begin(b, RESULT_STATE);

	wire_put(b, result_state, &st);
	result_end(b, begun);
}

static void
keep_record(struct buf *b)
{
	const struct result_verdict v = { .verdict = CR_KEEP };
	size_t begun = result_begin(b, RESULT_VERDICT);

	wire_put(b, result_verdict, &v);
	result_end(b, begun);
}

/* The state that the last pull gave: "RULE=VALUE ". */
static const char *
given(const struct desk *d, char text[256])
{
	struct result_state st;
	struct wire all, body;
	enum result_kind kind;
	size_t at = 0;

	text[0] = '\0';
	wire_init(&all, d->items.data, d->items.len);
	while (result_next(&all, &kind, &body) == 1 && kind == RESULT_STATE) {
		assert_int_equal(result_state_read(&body, &st), 0);
		at += (size_t)snprintf(text + at, 256 - at, "%s=%s ",
		    st.rule != NULL ? st.rule : "", st.value);
	}
	return text;
}

static uint32_t
answered(struct desk *d, const struct buf *b, uint32_t guilty)
{
	const struct judged j = { .route = 1, .guilty = guilty, .first = d->work.first,
		.last = d->work.last };
	uint32_t rc = ledger_judged(d->ledger, &j, b->data, b->len);

	commit_now(d);
	return rc;
}

static void
what_filters_set_counts_with_the_records_before_the_guilty_one(void **state)
{
	struct desk *d = *state;
	char text[256];
	struct buf b;

	configure_one(d, with_rules(), push);
	poll_range(d, 0, "a", 1, 3);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_string_equal(given(d, text), "");
	buf_init(&b, 1u << 16);
	keep_record(&b);
	put(&b, "match#1", "one", 1);
	put(&b, "any#2/match#1", "uno", 1);
	keep_record(&b);
	put(&b, "match#1", "two", 2);		/* it was written, and never said to be done */
	assert_int_equal(answered(d, &b, 1), 0);
	crash(d);
	configure_one(d, with_rules(), push);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-3");
	assert_string_equal(given(d, text), "any#2/match#1=uno match#1=one ");
	buf_clear(&b);
	keep_record(&b);
	put(&b, "match#1", NULL, 1);
	assert_int_equal(answered(d, &b, UINT32_MAX), 0);
	poll_range(d, 0, "b", 1, 1);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_string_equal(given(d, text), "any#2/match#1=uno ");
	buf_free(&b);
}

static void
state_of_no_filter_of_the_route_makes_verdicts_malformed(void **state)
{
	static const char *const rules[] = { NULL, "match#2", "" };
	struct desk *d = *state;
	struct buf b;

	configure_one(d, with_rules(), push);
	poll_range(d, 0, "a", 1, 1);
	buf_init(&b, 1u << 16);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		pull_work(d, 1, PULL_FILTER, 10);
		buf_clear(&b);
		keep_record(&b);
		put(&b, rules[i], "x", 1);
		assert_int_equal(answered(d, &b, UINT32_MAX), SETTLED_MALFORMED);
	}
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM state"), 0);
	buf_free(&b);
}

static void
told(struct desk *d, uint32_t done, enum ack_then then, const struct buf *b)
{
	const struct ack a = { .route = 1, .sink = 0, .done = done, .then = then,
		.first = d->work.first, .last = d->work.last };

	ledger_ack(d->ledger, &a, b->data, b->len);
	commit_now(d);
}

static void
what_a_sink_set_counts_with_the_records_that_are_done(void **state)
{
	struct desk *d = *state;
	char text[256];
	struct buf b;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 4);
	pull_work(d, 1, 0, 10);
	buf_init(&b, 1u << 16);
	put(&b, NULL, "one", 1);
	put(&b, NULL, "three", 3);
	told(d, 0, ACK_RETRY, &b);
	pull_work(d, 1, 0, 10);
	assert_string_equal(given(d, text), "");
	told(d, 2, ACK_RETRY, &b);
	pull_work(d, 1, 0, 10);
	expect(d, "a-3 a-4");
	assert_string_equal(given(d, text), "=one ");
	told(d, 2, ACK_ALL, &b);
	told(d, 2, ACK_ALL, &b);		/* not under way: nothing comes of it */
	configure(d, NULL, 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM state"), 0);
	buf_free(&b);
}

static void
put_key(struct buf *b, const char *key, const char *value)
{
	const struct result_state st = { .key = key, .value = value, .done = 1 };
	size_t begun = result_begin(b, RESULT_STATE);

	wire_put(b, result_state, &st);
	result_end(b, begun);
}

/* What is kept is counted once for all that is set, and rightly. */
static void
many_values_are_counted_once(void **state)
{
	enum { KEYS = 1000, BYTES = KEYS * 65 };	/* in the end STATE_MAX but for 536 */
	struct desk *d = *state;
	char key[16], value[57], more[541];
	sqlite3_stmt *st;
	struct buf b;
	int i;

	memset(value, 'v', sizeof(value) - 1);
	memset(more, 'm', sizeof(more) - 1);
	value[sizeof(value) - 1] = more[sizeof(more) - 1] = '\0';
	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 1);
	pull_work(d, 1, 0, 10);
	buf_init(&b, 1u << 20);
	for (i = 0; i < 2 * KEYS; i++) {
		snprintf(key, sizeof(key), "key-%05d", i % KEYS);
		put_key(&b, key, value);
	}
	put_key(&b, "refused", more);
	put_key(&b, key, NULL);
	put_key(&b, "more", more);
	st = d->shelf.book.db.statement[SQL_STATE_SIZE];
	(void)sqlite3_stmt_status(st, SQLITE_STMTSTATUS_RUN, 1);
	told(d, 1, ACK_ALL, &b);
	assert_int_equal(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_RUN, 0), 1);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT sum(length(key) + length(value)) FROM state"),
	    BYTES - 65 + 544);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM state WHERE key = 'refused'"), 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_filters_set_counts_with_the_records_before_the_guilty_one),
		TEST(state_of_no_filter_of_the_route_makes_verdicts_malformed),
		TEST(what_a_sink_set_counts_with_the_records_that_are_done),
		TEST(many_values_are_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

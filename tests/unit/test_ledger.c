/* The ledger: every record once, in order, through verdicts, failures and other configurations. */
#include "desk.h"
#include "base/buf.h"
#include "db/db.h"
#include "store/ledger_judge.h"
#include "store/ledger_verdict.h"

/* ---- Another configuration in between ---- */

static void
what_is_under_way_outlives_a_configuration_that_leaves_it_as_it_was(void **state)
{
	struct desk *d = *state;
	struct route_text t = { .rule = plain, .sink = { push, quiet }, .nsinks = 2,
		.from = { 0 }, .nfrom = 1 };
	struct work asked;

	t.rule.all = 0;
	t.rule.filters = 1;
	configure(d, &t, 1);
	poll_range(d, 0, "a", 1, 2);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	asked = d->work;
	t.sink[0] = quiet;		/* they change places */
	t.sink[1] = push;
	t.rule.filters = 2;
	configure(d, &t, 1);
	assert_int_equal(judge(d, "kk", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, 1, 10), WORK_RECORDS);
	t.sink[0] = push;
	t.nsinks = 1;
	t.from[0] = 1;
	configure(d, &t, 1);
	d->work.sink = 0;		/* what was asked as the second is answered as the first */
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	d->work = asked;
	assert_int_equal(judge(d, "kk", UINT32_MAX), SETTLED_OTHER);
}

static void
verdicts_on_rows_of_another_rule_are_dropped_and_asked_for_again(void **state)
{
	struct desk *d = *state;
	struct route_text t = { .rule = plain, .sink = { push }, .nsinks = 1,
		.from = { 0 }, .nfrom = 1 };

	t.rule.all = 0;
	t.rule.filters = 1;
	configure(d, &t, 1);
	poll_range(d, 0, "a", 1, 2);
	poll_range(d, 1, "b", 1, 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-1 a-2");
	t.from[1] = 1;
	t.nfrom = 2;
	configure(d, &t, 1);
	assert_int_equal(judge(d, "kk", UINT32_MAX), SETTLED_OTHER);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-1 a-2 b-1");
}

/* ---- Delivering ---- */

static void
a_route_without_filters_delivers_all_in_order_once(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, push);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(d->work.head, 0);
	poll_range(d, 0, "a", 1, 3);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "a-1 a-2 a-3");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	poll_range(d, 1, "b", 1, 2);
	poll_range(d, 0, "a", 2, 4);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "b-1 b-2 a-4");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
}

static void
batches_have_a_maximum(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 5);
	pull_work(d, 1, 0, 2);
	expect(d, "a-1 a-2");
	acknowledge_all(d);
	pull_work(d, 1, 0, 2);
	expect(d, "a-3 a-4");
	acknowledge_all(d);
	pull_work(d, 1, 0, 2);
	expect(d, "a-5");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 2), WORK_NONE);
}

static void
a_batch_not_acknowledged_comes_again_under_its_id(void **state)
{
	struct desk *d = *state;
	char id[64], other[64];

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 5);
	pull_work(d, 1, 0, 2);
	snprintf(id, sizeof(id), "%s", d->work.id);
	assert_int_equal(strlen(id), 26);
	crash(d);
	configure_one(d, plain, push);
	poll_range(d, 0, "a", 6, 9);
	pull_work(d, 1, 0, 2);
	expect(d, "a-1 a-2");
	assert_string_equal(d->work.id, id);
	acknowledge_all(d);
	pull_work(d, 1, 0, 2);
	snprintf(other, sizeof(other), "%s", d->work.id);
	assert_string_not_equal(id, other);
	expect(d, "a-3 a-4");
}

/* Stretches of the log in which a route has nothing do not change the id of what follows. */
static void
an_id_does_not_depend_on_what_was_skipped_before(void **state)
{
	const struct route_text t = { .rule = { .name = "r", .title = "R" }, .sink = { push },
		.nsinks = 1, .from = { 1 }, .nfrom = 1 };
	struct desk *d = *state;
	char id[64];

	configure(d, &t, 1);
	poll_range(d, 0, "a", 1, 3);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	poll_range(d, 1, "b", 1, 3);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "b-1 b-2 b-3");
	snprintf(id, sizeof(id), "%s", d->work.id);
	crash(d);
	configure(d, &t, 1);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	assert_string_equal(d->work.id, id);
}

static void
part_of_a_batch_done_and_the_rest_retried(void **state)
{
	struct desk *d = *state;
	int64_t due = date_now() + 3600000;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 4);
	pull_work(d, 1, 0, 10);
	acknowledge(d, 1, ACK_RETRY, due, "503");
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(d->work.due, due);
	crash(d);
	configure_one(d, plain, push);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(d->work.due, due);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT failures FROM leg"), 1);
	ledger_cursor(ledger_route(d->ledger, 1), 0)->due = 0;
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "a-2 a-3 a-4");
	acknowledge_all(d);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT failures FROM leg"), 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT done FROM leg"), 4);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT reason IS NULL FROM leg"), 1);
}

/* It is the record that is now the first whose failures are counted. */
static void
a_batch_of_which_part_is_taken_counts_failures_anew(void **state)
{
	static const struct { uint32_t done, failures; } tries[] = { { 0, 1 }, { 0, 2 }, { 0, 3 },
		{ 1, 1 }, { 0, 2 }, { 2, 1 } };
	struct desk *d = *state;
	size_t i;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 5);
	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
		assert_int_equal(d->work.attempt, i > 0 ? tries[i - 1].failures : 0);
		acknowledge(d, tries[i].done, ACK_RETRY, 0, "503");
		assert_int_equal(shelf_ask(&d->shelf, "SELECT failures FROM leg"), tries[i].failures);
		assert_int_equal(shelf_ask(&d->shelf, "SELECT attempts FROM outbox"),
		    tries[i].failures);
	}
	pull_work(d, 1, 0, 10);
	expect(d, "a-4 a-5");
	assert_int_equal(d->work.attempt, 1);
}

static void
a_dead_letter_is_kept_apart_and_the_rest_goes_on(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 4);
	pull_work(d, 1, 0, 10);
	acknowledge(d, 1, ACK_DEAD, 0, "too long");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM outbox WHERE state = 2"), 2);
	pull_work(d, 1, 0, 10);
	expect(d, "a-3 a-4");
	acknowledge(d, 1, ACK_PARK, 0, "two workers died");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM outbox WHERE state = 3"), 4);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(ledger_cursor(ledger_route(d->ledger, 1), 0)->dead, 2);
	crash(d);
	assert_int_equal(d->ledger->route[0].sink[0].dead, 2);
}

static void
a_part_that_is_done_is_no_failure_of_the_rest(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 5);
	pull_work(d, 1, 0, 10);
	acknowledge(d, 1, ACK_RETRY, 0, "busy");
	pull_work(d, 1, 0, 10);
	acknowledge(d, 0, ACK_PART, 0, NULL);	/* none, and all, are no part */
	acknowledge(d, 4, ACK_PART, 0, NULL);
	acknowledge(d, 2, ACK_PART, 0, NULL);
	assert_null(ledger_cursor(ledger_route(d->ledger, 1), 0)->reason);
	pull_work(d, 1, 0, 10);
	expect(d, "a-4 a-5");
	assert_int_equal(d->work.attempt, 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM outbox"), 0);
	acknowledge_all(d);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT done FROM leg"), 5);
}

static void
a_stale_acknowledgement_moves_nothing(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 2);
	pull_work(d, 1, 0, 10);
	d->work.last++;
	acknowledge(d, 2, ACK_ALL, 0, NULL);
	d->work.last--;
	acknowledge(d, 3, ACK_ALL, 0, NULL);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	acknowledge_all(d);
	acknowledge_all(d);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT done FROM leg"), 2);
}

static void
revisions_are_delivered_when_wanted_under_an_id_of_their_own(void **state)
{
	struct store_route updates = plain;
	struct entry_text e = { "a", NULL, "A", NULL, 0, 0 };
	struct result_item item;
	struct wire all, body;
	enum result_kind kind;
	struct desk *d = *state;
	int with;

	for (with = 0; with < 2; with++) {
		updates.updates = (uint32_t)with;
		configure_one(d, updates, push);
		e.title = with ? "A, corrected again" : "A";
		e.guid = "a";
		poll_source(d, 0, &e, 1);
		if (!with) {
			pull_work(d, 1, 0, 10);
			acknowledge_all(d);
			e.title = "A, corrected";
			poll_source(d, 0, &e, 1);
			assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
		}
	}
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	wire_init(&all, d->items.data, d->items.len);
	assert_int_equal(result_next(&all, &kind, &body), 1);
	wire_get(&body, result_item, &item);
	assert_int_equal(item.revision, 2);
	assert_memory_equal(item.delivery, item.id, 26);
	assert_string_equal(item.delivery + 26, "-r2");
	assert_string_equal(item.source, "s0");
}

/* ---- Filters ---- */

static void
filters_decide_and_their_words_are_kept(void **state)
{
	struct desk *d = *state;
	const struct verdict *v;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 4);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(d->work.head, 4);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-1 a-2 a-3 a-4");
	assert_int_equal(judge(d, "kdfk", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "a-1 a-4");
	crash(d);
	v = verdict_of(d->ledger, ledger_route(d->ledger, 1), 2);
	assert_non_null(v);
	assert_int_equal(v->verdict, CR_DROP);
	assert_string_equal(v->rule, "match#1");
	assert_string_equal(v->why, "because");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM pending WHERE state = 2"), 3);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT kept FROM route"), 2);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT dropped FROM route"), 1);
}

static void
what_waits_is_noted_and_holds_up_nothing(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 3);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "kwk", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "a-1 a-3");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM pending WHERE state = 1"), 2);
}

static void
malformed_verdicts_store_nothing_and_are_asked_for_again(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 3);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "", UINT32_MAX), SETTLED_MALFORMED);
	assert_int_equal(judge(d, "kkk", UINT32_MAX), SETTLED_OTHER);	/* no longer under way */
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "kkkk", UINT32_MAX), SETTLED_MALFORMED);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "ktk", UINT32_MAX), SETTLED_MALFORMED);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM verdict"), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-1 a-2 a-3");
	assert_int_equal(judge(d, "kkk", UINT32_MAX), 0);
}

static void
verdicts_on_the_first_of_a_batch_count_and_the_rest_is_asked_for_again(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 3);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "kd", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-3");
	assert_int_equal(judge(d, "k", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "a-1");
	acknowledge_all(d);
	pull_work(d, 1, 0, 10);
	expect(d, "a-3");
}

static void
the_guilty_record_is_parked_and_the_rest_judged(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 4);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "d", 1), 0);		/* one verdict, then it died */
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM pending WHERE state = 3"), 2);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-3 a-4");
	assert_int_equal(judge(d, "", 0), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-4");
	assert_int_equal(judge(d, "k", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "a-4");
}

static void
only_what_is_committed_is_judged(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_range(d, 0, "a", 1, 3);
	d->ledger->durable = 2;
	pull_work(d, 1, PULL_FILTER, 10);
	expect(d, "a-1 a-2");
}

/* ---- Sources ---- */

static void
a_source_is_found_again_by_name_by_was_and_by_url(void **state)
{
	static const struct store_source before[] = {
		{ "a", NULL, "https://a.example/", "feed", 1, 0 }, { "b", NULL, "https://b.example/", "feed", 1, 0 },
		{ "c", NULL, "https://c.example/", "feed", 1, 0 }, { "d", NULL, "https://d.example/", "feed", 1, 0 },
	};
	static const struct store_source after[] = {
		{ "new", NULL, "https://new.example/", "feed", 1, 0 },
		{ "d2", NULL, "https://d.example/", "feed", 1, 0 },		/* by URL */
		{ "b2", "b", "https://elsewhere.example/", "feed", 1, 0 },	/* by was */
		{ "a", NULL, "https://moved.example/", "feed", 1, 0 },	/* by name */
		{ "b", NULL, "https://newer.example/", "feed", 1, 0 },	/* a new one */
	};
	struct desk *d = *state;
	uint32_t was[4], is[5], again[5];
	unsigned char key[16];

	db_begin(&d->shelf.book.db);
	roster_take(d->roster, before, 4, was);
	memcpy(key, roster_get(d->roster, was[1])->key, 16);
	roster_take(d->roster, after, 5, is);
	assert_int_equal(is[1], was[3]);
	assert_int_equal(is[2], was[1]);
	assert_int_equal(is[3], was[0]);
	assert_true(is[0] > was[3]);
	assert_true(is[4] > was[3]);
	assert_memory_equal(roster_get(d->roster, is[2])->key, key, 16);
	roster_take(d->roster, after, 5, again);
	assert_memory_equal(is, again, sizeof(is));
	db_commit(&d->shelf.book.db);
	crash(d);
	db_begin(&d->shelf.book.db);
	roster_take(d->roster, after, 5, again);
	assert_memory_equal(is, again, sizeof(is));
	assert_memory_equal(roster_get(d->roster, is[2])->key, key, 16);
	roster_take(d->roster, before + 2, 1, again);	/* back after it was gone */
	assert_int_equal(again[0], was[2]);
}

static void
two_sources_can_change_their_names(void **state)
{
	static const struct store_source before[] = {
		{ "a", NULL, "https://a.example/", "feed", 1, 0 }, { "b", NULL, "https://b.example/", "feed", 1, 0 },
	};
	static const struct store_source after[] = {
		{ "b", NULL, "https://x.example/", "feed", 1, 0 }, { "c", "a", "https://y.example/", "feed", 1, 0 },
	};
	struct desk *d = *state;
	uint32_t was[2], is[2];

	db_begin(&d->shelf.book.db);
	roster_take(d->roster, before, 2, was);
	roster_take(d->roster, after, 2, is);
	assert_int_equal(is[0], was[1]);
	assert_int_equal(is[1], was[0]);
}

static void
marks_survive_and_the_last_one_counts(void **state)
{
	const struct mark one = { .checked = 1, .ok = 1, .etag = "\"x\"", .error = NULL },
	    two = { .checked = 2, .ok = 1, .due = 9, .etag = NULL, .error = "404", .failures = 1 };
	struct desk *d = *state;

	configure(d, NULL, 0);
	roster_touch(d->roster, 1, &one);
	roster_touch(d->roster, 1, &two);
	roster_touch(d->roster, 2, &one);
	db_begin(&d->shelf.book.db);
	assert_int_equal(roster_flush(d->roster), 2);
	assert_int_equal(roster_flush(d->roster), 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT checked + due + failures FROM source"
	    " WHERE id = 1 AND etag IS NULL AND error = '404'"), 12);
	roster_touch(d->roster, 2, &two);
	roster_mark(d->roster, 2, &one);	/* newer than what was touched */
	assert_int_equal(roster_flush(d->roster), 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT checked FROM source WHERE id = 2"), 1);
}

/* ---- Verdict blobs ---- */

static void
verdict_blobs_come_back_as_they_were(void **state)
{
	const struct verdict in[] = {
		{ .n = 10, .verdict = CR_KEEP },
		{ .n = 11, .verdict = CR_DROP, .rule = "story" },
		{ .n = 500, .verdict = CR_DROP, .rule = "match#1", .why = "none of: x" },
		{ .n = 100000, .verdict = CR_KEEP, .rule = "match#1", .changes = { "ab", 2 },
		    .trail = { "cde", 3 } },
		{ .n = INT64_C(1) << 60, .verdict = VERDICT_FAILED, .why = "it crashed" },
	};
	struct verdicts v = { 0 };
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 1u << 20);
	assert_int_equal(verdicts_write(&b, 10, in, COUNT(in)), 0);
	assert_int_equal(verdicts_read(&v, 10, INT64_C(1) << 60, (struct bytes){ b.data, b.len }), 0);
	assert_int_equal(v.n, COUNT(in));
	for (i = 0; i < COUNT(in); i++) {
		assert_int_equal(v.row[i].n, in[i].n);
		assert_int_equal(v.row[i].verdict, in[i].verdict);
		assert_ptr_equal(verdicts_find(&v, in[i].n), &v.row[i]);
		assert_true((in[i].rule == NULL) == (v.row[i].rule == NULL));
	}
	assert_string_equal(v.row[2].why, "none of: x");
	assert_string_equal(v.row[3].rule, "match#1");
	assert_int_equal(v.row[3].changes.len, 2);
	assert_int_equal(v.row[3].trail.len, 3);
	assert_memory_equal(v.row[3].trail.data, "cde", 3);
	assert_int_equal(v.row[4].trail.len, 0);
	assert_null(verdicts_find(&v, 12));
	for (i = 0; i < b.len; i++)
		if (verdicts_read(&v, 10, INT64_C(1) << 60, (struct bytes){ b.data, i }) == 0)
			assert_true(v.n < COUNT(in));
	assert_int_equal(verdicts_read(&v, 10, 400, (struct bytes){ b.data, b.len }), -1);
	verdicts_free(&v);
	buf_free(&b);
}

static void
a_kept_row_costs_two_bytes(void **state)
{
	struct verdict v[1000];
	struct buf b;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		v[i] = (struct verdict){ .n = i + 1, .verdict = CR_KEEP };
	buf_init(&b, 1u << 20);
	assert_int_equal(verdicts_write(&b, 1, v, 1000), 0);
	assert_true(b.len <= 2002);
	buf_free(&b);
}

/* ---- Long ways ---- */

/* Everything at random, with crashes: nothing is lost, repeated or out of order. */
static void
at_random_nothing_is_lost_repeated_or_reordered(void **state)
{
	struct desk *d = *state;
	unsigned seed = 12345, step;
	int made = 0, next = 1, got, i;
	char text[4096], want[32];
	const char *at;
	uint32_t done;

	configure_one(d, filtered(), push);
	for (step = 0; step < 400 || next <= made; step++) {
		seed = seed * 1103515245 + 12345;
		switch (seed >> 16 & 7) {
		case 0:
			if (step < 400) {
				i = 1 + (int)(seed >> 20 & 15);
				poll_range(d, seed >> 24 & 1, "x", made + 1, made + i);
				made += i;
			}
			break;
		case 1:
			crash(d);
			configure_one(d, filtered(), push);
			break;
		case 2: case 3: case 4:
			if (pull_work(d, 1, PULL_FILTER, 7) != WORK_FILTER)
				break;
			if ((seed >> 24 & 3) == 0)
				crash(d), configure_one(d, filtered(), push);
			else
				judge(d, &"kkkkkkk"[7 - d->work.count], UINT32_MAX);
			break;
		default:
			if (pull_work(d, 1, 0, 5) != WORK_RECORDS)
				break;
			at = guids(d, text);
			for (got = 0; got < (int)d->work.count; got++) {
				snprintf(want, sizeof(want), "x-%d", next + got);
				assert_memory_equal(at, want, strlen(want));
				at += strlen(want) + 1;
			}
			if ((seed >> 24 & 3) == 0) {
				crash(d);
				configure_one(d, filtered(), push);
				break;
			}
			done = (seed >> 24 & 3) == 1 ? d->work.count / 2 : d->work.count;
			acknowledge(d, done, done == d->work.count ? ACK_ALL : ACK_RETRY, 0, "no");
			next += (int)done;
		}
	}
	assert_true(made > 100);
	assert_int_equal(next, made + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_under_way_outlives_a_configuration_that_leaves_it_as_it_was),
		TEST(verdicts_on_rows_of_another_rule_are_dropped_and_asked_for_again),
		TEST(a_route_without_filters_delivers_all_in_order_once),
		TEST(batches_have_a_maximum),
		TEST(a_batch_not_acknowledged_comes_again_under_its_id),
		TEST(an_id_does_not_depend_on_what_was_skipped_before),
		TEST(part_of_a_batch_done_and_the_rest_retried),
		TEST(a_batch_of_which_part_is_taken_counts_failures_anew),
		TEST(a_dead_letter_is_kept_apart_and_the_rest_goes_on),
		TEST(a_part_that_is_done_is_no_failure_of_the_rest),
		TEST(a_stale_acknowledgement_moves_nothing),
		TEST(revisions_are_delivered_when_wanted_under_an_id_of_their_own),
		TEST(filters_decide_and_their_words_are_kept),
		TEST(what_waits_is_noted_and_holds_up_nothing),
		TEST(malformed_verdicts_store_nothing_and_are_asked_for_again),
		TEST(verdicts_on_the_first_of_a_batch_count_and_the_rest_is_asked_for_again),
		TEST(the_guilty_record_is_parked_and_the_rest_judged),
		TEST(only_what_is_committed_is_judged),
		TEST(a_source_is_found_again_by_name_by_was_and_by_url),
		TEST(two_sources_can_change_their_names),
		TEST(marks_survive_and_the_last_one_counts),
		TEST(verdict_blobs_come_back_as_they_were),
		TEST(a_kept_row_costs_two_bytes),
		TEST(at_random_nothing_is_lost_repeated_or_reordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

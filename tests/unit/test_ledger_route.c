/* What a route of the ledger takes: a story once, what another route kept, the newest for a list, and
 * of the past what its backlog says. */
#include "desk.h"
#include "base/buf.h"
#include "db/db.h"
#include "store/ledger_judge.h"
#include "store/ledger_verdict.h"

/* ---- Stories ---- */

static const struct entry_text tale = { "t", "https://news.example/tale", "A long and winding tale",
	NULL, 0, 0 };

static void
a_story_is_taken_once(void **state)
{
	struct desk *d = *state;
	struct entry_text e[2] = { tale, { "x", NULL, "x", NULL, 0, 0 } };
	const struct verdict *v;

	configure_one(d, plain, push);
	poll_source(d, 0, e, 2);
	e[1].guid = e[1].title = "y";
	poll_source(d, 1, e, 2);
	pull_work(d, 1, 0, 10);
	expect(d, "x t y");
	acknowledge_all(d);
	crash(d);
	configure_one(d, plain, push);
	e[1].guid = e[1].title = "z";
	poll_source(d, 2, e, 2);
	pull_work(d, 1, 0, 10);
	expect(d, "z");
	v = verdict_of(d->ledger, ledger_route(d->ledger, 1), 6);
	assert_non_null(v);
	assert_string_equal(v->rule, "story");
}

static void
with_once_record_each_is_taken(void **state)
{
	struct desk *d = *state;
	struct store_route rule = plain;

	rule.once_record = 1;
	configure_one(d, rule, push);
	poll_source(d, 0, &tale, 1);
	poll_source(d, 1, &tale, 1);
	pull_work(d, 1, 0, 10);
	expect(d, "t t");
}

/* What a filter dropped did not take the story. */
static void
a_story_that_was_dropped_can_still_be_taken(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), push);
	poll_source(d, 0, &tale, 1);
	poll_source(d, 1, &tale, 1);
	poll_source(d, 2, &tale, 1);
	pull_work(d, 1, PULL_FILTER, 1);
	judge(d, "d", UINT32_MAX);
	pull_work(d, 1, PULL_FILTER, 2);
	judge(d, "kk", UINT32_MAX);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT kept FROM route"), 1);
	pull_work(d, 1, 0, 10);
	assert_int_equal(d->work.count, 1);
	assert_int_equal(d->work.last, 3);
}

static void
a_revision_of_what_was_taken_is_no_other_item_of_its_story(void **state)
{
	struct desk *d = *state;
	struct store_route rule = plain;
	struct entry_text e = tale;

	rule.updates = 1;
	configure_one(d, rule, push);
	poll_source(d, 0, &tale, 1);
	poll_source(d, 1, &tale, 1);
	pull_work(d, 1, 0, 10);
	assert_int_equal(d->work.count, 1);
	acknowledge_all(d);
	e.summary = "more";
	poll_source(d, 1, &e, 1);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	poll_source(d, 0, &e, 1);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
}

/* Also when both versions are judged at once. */
static void
two_versions_in_one_batch_are_one_item_of_its_story(void **state)
{
	struct desk *d = *state;
	struct store_route rule = filtered();
	struct entry_text e = tale;
	char text[4096];

	rule.updates = 1;
	configure_one(d, rule, push);
	poll_source(d, 0, &tale, 1);
	poll_source(d, 1, &tale, 1);
	e.summary = "more";
	poll_source(d, 0, &e, 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	assert_int_equal(d->work.count, 3);
	assert_int_equal(judge(d, "kkk", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	assert_string_equal(guids(d, text), "t t");
	assert_int_equal(verdict_of(d->ledger, ledger_route(d->ledger, 1), 2)->verdict, CR_DROP);
	assert_int_equal(verdict_of(d->ledger, ledger_route(d->ledger, 1), 3)->verdict, CR_KEEP);
}

/* ---- Routes from routes ---- */

static void
a_route_draws_what_another_kept(void **state)
{
	const struct route_text t[2] = {
		{ .rule = filtered() },
		{ .rule = { .name = "s", .title = "S" }, .sink = { push }, .nsinks = 1,
		    .nroutes = 1, .from = { 1 }, .nfrom = 1 },
	};
	struct desk *d = *state;

	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 3);
	poll_range(d, 1, "b", 1, 1);
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_NONE);	/* not before the other has judged */
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "kdkd", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_RECORDS);
	expect(d, "a-1 a-3 b-1");
}

static struct bytes
titled(struct buf *b, const char *title)
{
	struct cr_record *r = record_new();

	buf_init(b, 1u << 16);
	put_text(r, CR_TITLE, title);
	record_write(r, b);
	record_free(r);
	return (struct bytes){ b->data, b->len };
}

/* Changes of one route are laid under those of the route that draws from it. */
static void
changes_travel_along(void **state)
{
	struct route_text t[2] = {
		{ .rule = filtered() },
		{ .rule = { .name = "s", .title = "S" }, .sink = { push }, .nsinks = 1, .nroutes = 1 },
	};
	struct result_verdict v = { .verdict = CR_KEEP, .rule = "rewrite" };
	struct desk *d = *state;
	struct judged j = { .route = 1, .guilty = UINT32_MAX };
	struct result_item item;
	struct wire all, body;
	enum result_kind kind;
	struct cr_record *r;
	struct buf b, changes;
	size_t begun;

	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 1);
	pull_work(d, 1, PULL_FILTER, 10);
	j.first = d->work.first;
	j.last = d->work.last;
	v.changes = titled(&changes, "Changed");
	buf_init(&b, 1u << 16);
	begun = result_begin(&b, RESULT_VERDICT);
	wire_put(&b, result_verdict, &v);
	result_end(&b, begun);
	assert_int_equal(ledger_judged(d->ledger, &j, b.data, b.len), 0);
	commit_now(d);
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_RECORDS);
	wire_init(&all, d->items.data, d->items.len);
	assert_int_equal(result_next(&all, &kind, &body), 1);
	wire_get(&body, result_item, &item);
	r = record_read(item.changes.data, item.changes.len);
	assert_non_null(r);
	assert_string_equal(record_get(r, CR_TITLE, 0), "Changed");
	record_free(r);
	buf_free(&b);
	buf_free(&changes);
}

/* Verdicts of one route that change records much are read in parts by a route that draws from it. */
static void
changes_over_the_maximum_of_a_blob_are_drawn_in_parts(void **state)
{
	enum { EACH = 1000000, ROWS = 36, PART = 18 };
	struct route_text t[2] = {
		{ .rule = filtered() },
		{ .rule = { .name = "s", .title = "S" }, .sink = { push }, .nsinks = 1, .nroutes = 1 },
	};
	struct result_verdict v = { .verdict = CR_KEEP, .rule = "rewrite" };
	struct desk *d = *state;
	struct judged j = { .route = 1, .guilty = UINT32_MAX };
	char *text = xcalloc(1, EACH);
	struct cr_record *r = record_new();
	struct buf b, changes;
	size_t begun, i, n;

	memset(text, 'x', EACH - 1);
	buf_init(&changes, RECORD_MAX);
	put_text(r, CR_CONTENT, text);
	put_text(r, CR_SUMMARY, text);
	record_write(r, &changes);
	v.changes = (struct bytes){ changes.data, changes.len };
	configure(d, t, 2);
	poll_range(d, 0, "a", 1, ROWS);
	for (n = 0; n < ROWS; n += PART) {
		assert_int_equal(pull_work(d, 1, PULL_FILTER, PART), WORK_FILTER);
		j.first = d->work.first;
		j.last = d->work.last;
		buf_init(&b, 1u << 26);
		for (i = 0; i < PART; i++) {
			begun = result_begin(&b, RESULT_VERDICT);
			wire_put(&b, result_verdict, &v);
			result_end(&b, begun);
		}
		assert_int_equal(ledger_judged(d->ledger, &j, b.data, b.len), 0);
		commit_now(d);
		buf_free(&b);
	}
	for (i = n = 0; i < 20 && n < ROWS; i++)
		if (pull_work(d, 2, 0, 100) == WORK_RECORDS) {
			n += d->work.count;
			acknowledge_all(d);
		}
	assert_int_equal(n, ROWS);
	record_free(r);
	buf_free(&changes);
	free(text);
}

/* The first version that a route hands on is no revision to one that draws from it without updates. */
static void
what_another_kept_only_in_a_later_version_is_drawn_once(void **state)
{
	struct route_text t[2] = {
		{ .rule = filtered() },
		{ .rule = { .name = "s", .title = "S" }, .sink = { push }, .nsinks = 1, .nroutes = 1 },
	};
	struct entry_text e = { "a-1", NULL, "second", NULL, 0, 0 };
	struct desk *d = *state;

	t[0].rule.updates = 1;
	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 2);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "dk", UINT32_MAX), 0);
	pull_work(d, 2, 0, 10);
	expect(d, "a-2");
	acknowledge_all(d);
	poll_source(d, 0, &e, 1);
	e.guid = "a-2";
	poll_source(d, 0, &e, 1);
	e.guid = "a-1";
	e.title = "third";
	poll_source(d, 0, &e, 1);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "kkk", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_RECORDS);
	expect(d, "a-1");
	acknowledge_all(d);
	e.title = "fourth";
	poll_source(d, 0, &e, 1);
	pull_work(d, 1, PULL_FILTER, 10);
	assert_int_equal(judge(d, "k", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_NONE);
}

/* ---- Lists ---- */

static const struct store_sink list = { .name = "feed", .takes = CR_BATCH_LIST, .keep = 3 };

static void
a_list_holds_the_newest_and_comes_when_it_changes(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, list);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	poll_range(d, 0, "a", 1, 2);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_LIST);
	expect(d, "a-2 a-1");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	poll_range(d, 0, "a", 1, 6);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_LIST);
	expect(d, "a-6 a-5 a-4");
	crash(d);
	configure_one(d, plain, list);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_LIST);
	acknowledge(d, 0, ACK_RETRY, 0, "disk full");
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_LIST);
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
}

static void
a_list_shows_an_item_in_its_last_version_only(void **state)
{
	struct desk *d = *state;
	struct store_route rule = plain;
	struct entry_text e = { "a-1", NULL, "corrected", NULL, 0, 0 };

	rule.updates = 1;
	configure_one(d, rule, list);
	poll_range(d, 0, "a", 1, 2);
	poll_source(d, 0, &e, 1);
	pull_work(d, 1, 0, 10);
	expect(d, "a-1 a-2");
}

static void
a_long_list_looks_at_each_record_once(void **state)
{
	const struct store_sink long_list = { .name = "feed", .takes = CR_BATCH_LIST, .keep = 2000 };
	struct store_route rule = plain;
	struct desk *d = *state;
	sqlite3_stmt *st, *dated;
	int i;

	rule.updates = 1;
	configure_one(d, rule, long_list);
	for (i = 0; i < 10; i++)
		poll_range(d, 0, "a", 200 * i + 1, 200 * i + 200);
	for (i = 0; i < 5 && pull_work(d, 1, 0, 10) == WORK_NONE; i++)
		;
	for (i = 0; i < 5 && d->work.count < 2000; i++)
		pull_work(d, 1, 0, 10);
	assert_int_equal(d->work.count, 2000);
	st = d->shelf.book.db.statement[SQL_LOG_GET];
	(void)sqlite3_stmt_status(st, SQLITE_STMTSTATUS_RUN, 1);
	dated = d->shelf.book.db.statement[SQL_LOG_FLAGS];
	assert_int_equal(sqlite3_stmt_status(dated, SQLITE_STMTSTATUS_RUN, 1), 2000);
	pull_work(d, 1, 0, 10);
	assert_int_equal(d->work.count, 2000);
	assert_int_equal(sqlite3_stmt_status(st, SQLITE_STMTSTATUS_RUN, 0), 2000);
	assert_int_equal(sqlite3_stmt_status(dated, SQLITE_STMTSTATUS_RUN, 0), 0);
}

static void
a_list_is_not_made_again_for_what_is_dropped(void **state)
{
	struct desk *d = *state;

	configure_one(d, filtered(), list);
	poll_range(d, 0, "a", 1, 2);
	pull_work(d, 1, PULL_FILTER, 10);
	judge(d, "kk", UINT32_MAX);
	pull_work(d, 1, 0, 10);
	acknowledge_all(d);
	poll_range(d, 0, "b", 1, 2);
	pull_work(d, 1, PULL_FILTER, 10);
	judge(d, "dd", UINT32_MAX);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
}

/* ---- Backlogs ---- */

static void
backlog_says_what_of_the_past_a_new_leg_takes(void **state)
{
	static const struct { enum backlog backlog; int64_t n; const char *want; } cases[] = {
		{ BACKLOG_ALL, 0, "a-1 a-2 a-3 a-4 b-1" },
		{ BACKLOG_NONE, 0, "b-1" },
		{ BACKLOG_COUNT, 2, "a-3 a-4 b-1" },
		{ BACKLOG_COUNT, 100, "a-1 a-2 a-3 a-4 b-1" },
		{ BACKLOG_COUNT, 0, "b-1" },
		{ BACKLOG_AGE, 1000, "b-1" },
		{ BACKLOG_AGE, INT64_MAX / 4, "a-1 a-2 a-3 a-4 b-1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct store_sink sink = push;
		struct desk *d;
		void *made;

		setup(&made);
		d = made;
		configure(d, NULL, 0);
		poll_range(d, 0, "a", 1, 4);
		sink.backlog = cases[i].backlog;
		sink.backlog_n = cases[i].n;
		configure_one(d, plain, sink);
		poll_range(d, 1, "b", 1, 1);
		pull_work(d, 1, 0, 10);
		expect(d, cases[i].want);
		teardown(&made);
	}
}

/* A number is counted once all the past is judged: until then another backlog still takes its place. */
static void
a_backlog_that_changes_before_it_is_counted_counts(void **state)
{
	struct store_sink sink = push;
	struct desk *d = *state;

	configure(d, NULL, 0);
	poll_range(d, 0, "a", 1, 3);
	sink.backlog = BACKLOG_COUNT;
	sink.backlog_n = 1;
	configure_one(d, filtered(), sink);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	configure_one(d, filtered(), push);
	assert_int_equal(judge(d, "kkk", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "a-1 a-2 a-3");
}

/* A second leg: what the first one was not to have is judged for it, and the first sees none of it. */
static void
a_leg_that_comes_later_takes_the_past_before_its_route_began(void **state)
{
	static const struct store_sink late = { .name = "late", .takes = CR_BATCH_RECORDS,
		.backlog = BACKLOG_ALL };
	struct route_text t = { .rule = plain, .sink = { quiet, late }, .nsinks = 1 };
	struct desk *d = *state;

	configure(d, NULL, 0);
	poll_range(d, 0, "a", 1, 4);
	configure(d, &t, 1);		/* which takes nothing of the past */
	poll_range(d, 0, "b", 1, 2);
	pull_work(d, 1, 0, 10);
	expect(d, "b-1 b-2");
	acknowledge_all(d);
	poll_range(d, 0, "c", 1, 1);
	t.nsinks = 2;
	configure(d, &t, 1);
	crash(d);
	configure(d, &t, 1);
	pull_work(d, 1, 1, 3);
	expect(d, "a-1 a-2 a-3");
	acknowledge_all(d);
	pull_work(d, 1, 0, 10);
	expect(d, "c-1");
	acknowledge_all(d);
	pull_work(d, 1, 1, 10);
	expect(d, "a-4");
	acknowledge_all(d);
	pull_work(d, 1, 1, 10);
	expect(d, "b-1 b-2");
	acknowledge_all(d);
	pull_work(d, 1, 1, 10);
	expect(d, "c-1");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(pull_work(d, 1, 1, 10), WORK_NONE);
}

/* What the filters are asked when the route goes back is asked for again: the verdicts are on rows that
 * lie behind the past that it judges first. */
static void
verdicts_under_way_when_a_route_goes_back_are_dropped(void **state)
{
	static const struct store_sink late = { .name = "late", .takes = CR_BATCH_RECORDS,
		.backlog = BACKLOG_ALL };
	struct route_text t = { .rule = filtered(), .sink = { quiet, late }, .nsinks = 1 };
	struct desk *d = *state;

	configure(d, NULL, 0);
	poll_range(d, 0, "a", 1, 3);
	configure(d, &t, 1);
	poll_range(d, 0, "b", 1, 2);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "b-1 b-2");
	t.nsinks = 2;
	configure(d, &t, 1);
	assert_int_equal(judge(d, "kk", UINT32_MAX), SETTLED_OTHER);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "a-1 a-2 a-3");
	assert_int_equal(judge(d, "kkk", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "b-1 b-2");
	assert_int_equal(judge(d, "kk", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "b-1 b-2");
	pull_work(d, 1, 1, 10);
	expect(d, "a-1 a-2 a-3");
}

/* The same where filters judge, one record at a time, and for a list, which waits for all of it. */
static void
a_list_that_comes_later_waits_for_the_past(void **state)
{
	static const struct store_sink late = { .name = "late", .takes = CR_BATCH_LIST, .keep = 4,
		.backlog = BACKLOG_ALL };
	struct route_text t = { .rule = plain, .sink = { quiet, late }, .nsinks = 1 };
	struct desk *d = *state;
	int i;

	t.rule.filters = 1;
	configure(d, NULL, 0);
	poll_range(d, 0, "a", 1, 3);
	configure(d, &t, 1);
	poll_range(d, 0, "b", 1, 2);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "b-1 b-2");
	assert_int_equal(judge(d, "kd", UINT32_MAX), 0);
	t.nsinks = 2;
	configure(d, &t, 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(pull_work(d, 1, 1, 10), WORK_NONE);
		assert_int_equal(pull_work(d, 1, PULL_FILTER, 1), WORK_FILTER);
		assert_int_equal(judge(d, i == 1 ? "d" : "k", UINT32_MAX), 0);
	}
	assert_int_equal(pull_work(d, 1, 1, 10), WORK_LIST);
	expect(d, "b-1 a-3 a-1");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	poll_range(d, 0, "c", 1, 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect(d, "c-1");
	assert_int_equal(judge(d, "k", UINT32_MAX), 0);
	pull_work(d, 1, 0, 10);
	expect(d, "b-1");
}

/* A new route that wants the past, and draws from one that began late. */
static void
a_route_drawn_from_goes_back_as_well(void **state)
{
	static const struct store_sink all = { .name = "all", .takes = CR_BATCH_RECORDS,
		.backlog = BACKLOG_ALL };
	const struct route_text t[] = {
		{ .rule = plain, .sink = { quiet }, .nsinks = 1 },
		{ .rule = { .name = "q", .title = "Q" }, .sink = { all }, .nsinks = 1,
		    .routes = { 0 }, .nroutes = 1 },
	};
	struct desk *d = *state;
	int i;

	configure(d, NULL, 0);
	poll_range(d, 0, "a", 1, 2);
	configure(d, t, 1);
	poll_range(d, 0, "b", 1, 1);
	pull_work(d, 1, 0, 10);
	expect(d, "b-1");
	acknowledge_all(d);
	configure(d, t, 2);
	for (i = 0; i < 5 && pull_work(d, 2, 0, 10) == WORK_NONE; i++)
		;
	expect(d, "a-1 a-2 b-1");
	acknowledge_all(d);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
}

static void
backlog_none_skips_what_a_source_held_when_it_was_new(void **state)
{
	const struct entry_text e[] = {
		{ "new", NULL, "new", NULL, 0, 0 }, { "old", NULL, "old", NULL, 0, 0 },
	};
	struct store_sink none = push, one = push;
	struct desk *d = *state;
	struct route_text t = { .rule = plain, .nsinks = 2 };

	none.backlog = BACKLOG_NONE;
	one.name = "jsonl#2";
	one.backlog = BACKLOG_COUNT;
	one.backlog_n = 1;
	t.sink[0] = none;
	t.sink[1] = one;
	configure(d, &t, 1);
	poll_source(d, 0, e, 2);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_int_equal(pull_work(d, 1, 1, 10), WORK_RECORDS);
	expect(d, "new");
	poll_range(d, 0, "later", 1, 1);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	expect(d, "later-1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_story_is_taken_once),
		TEST(with_once_record_each_is_taken),
		TEST(a_story_that_was_dropped_can_still_be_taken),
		TEST(a_revision_of_what_was_taken_is_no_other_item_of_its_story),
		TEST(two_versions_in_one_batch_are_one_item_of_its_story),
		TEST(a_route_draws_what_another_kept),
		TEST(changes_travel_along),
		TEST(what_another_kept_only_in_a_later_version_is_drawn_once),
		TEST(changes_over_the_maximum_of_a_blob_are_drawn_in_parts),
		TEST(a_list_holds_the_newest_and_comes_when_it_changes),
		TEST(a_list_shows_an_item_in_its_last_version_only),
		TEST(a_long_list_looks_at_each_record_once),
		TEST(a_list_is_not_made_again_for_what_is_dropped),
		TEST(backlog_says_what_of_the_past_a_new_leg_takes),
		TEST(a_backlog_that_changes_before_it_is_counted_counts),
		TEST(a_leg_that_comes_later_takes_the_past_before_its_route_began),
		TEST(verdicts_under_way_when_a_route_goes_back_are_dropped),
		TEST(a_list_that_comes_later_waits_for_the_past),
		TEST(a_route_drawn_from_goes_back_as_well),
		TEST(backlog_none_skips_what_a_source_held_when_it_was_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

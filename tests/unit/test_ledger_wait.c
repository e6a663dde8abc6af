/* Waiting: a record on which a filter waits is asked about again when it or its story changes and as time
 * passes, comes through at most once, and not after the route's patience. */
#include "desk.h"
#include "serve/status_wait.h"
#include "store/ledger_verdict.h"
#include "store/ledger_wait.h"
#include "store/ledger_work.h"

#define HOUR	INT64_C(3600000)

static struct store_route
patient(void)
{
	struct store_route r = filtered();

	r.patience = 168 * HOUR;
	return r;
}

/* What store does before each commit. */
static size_t
wake(struct desk *d)
{
	size_t n = ledger_wake(d->ledger);

	commit_now(d);
	return n;
}

/* One entry of a source, with so many votes, an hour after the filters were asked. */
static void
vote(struct desk *d, size_t place, const char *guid, int64_t votes)
{
	const struct entry_text e = { guid, NULL, guid, NULL, 0, votes };

	(void)shelf_ask(&d->shelf, "UPDATE pending SET asked = 0");
	poll_source(d, place, &e, 1);
}

static void
ask(struct desk *d, uint32_t route, const char *want, const char *letters)
{
	assert_int_equal(pull_work(d, route, PULL_FILTER, 10), WORK_FILTER);
	expect(d, want);
	assert_int_equal(judge(d, letters, UINT32_MAX), 0);
}

/* Delivers all there is on the first sink; the guids with spaces. */
static void
deliver(struct desk *d, uint32_t route, const char *want)
{
	if (want == NULL) {
		assert_int_equal(pull_work(d, route, 0, 100), WORK_NONE);
		return;
	}
	assert_int_equal(pull_work(d, route, 0, 100), WORK_RECORDS);
	expect(d, want);
	acknowledge_all(d);
	assert_int_equal(pull_work(d, route, 0, 100), WORK_NONE);
}

static int64_t
waiting(struct desk *d)
{
	int64_t rows = shelf_ask(&d->shelf, "SELECT count(*) FROM pending WHERE state = 1");

	assert_int_equal(rows, d->ledger->route[0].pending);
	return rows;
}

/* The first record of the batch under way. */
static struct result_item
first_item(struct desk *d)
{
	struct result_item item;
	struct wire all, body;
	enum result_kind kind;

	wire_init(&all, d->items.data, d->items.len);
	assert_int_equal(result_next(&all, &kind, &body), 1);
	wire_get(&body, result_item, &item);
	return item;
}

/* a-2 of three waits; the others are delivered. */
static void
begin(struct desk *d, struct store_route rule)
{
	configure_one(d, rule, push);
	poll_range(d, 0, "a", 1, 3);
	ask(d, 1, "a-1 a-2 a-3", "kwk");
	deliver(d, 1, "a-1 a-3");
	assert_int_equal(waiting(d), 1);
	assert_int_equal(wake(d), 0);
}

static void
a_record_that_changes_is_asked_about_again(void **state)
{
	struct desk *d = *state;
	struct cr_record *r;
	double votes = 0;

	begin(d, patient());
	vote(d, 0, "a-1", 1);
	assert_int_equal(wake(d), 0);
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 1);
	assert_int_equal(waiting(d), 0);
	ask(d, 1, "a-2", "w");
	assert_int_equal(waiting(d), 1);
	assert_int_equal(wake(d), 0);
	vote(d, 0, "a-2", 2);
	assert_int_equal(wake(d), 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	r = record_read(first_item(d).record.data, first_item(d).record.len);
	assert_int_equal(record_get_number(r, "votes", &votes), 1);
	assert_true(votes > 1.5);
	record_free(r);
	assert_int_equal(judge(d, "k", UINT32_MAX), 0);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	assert_int_equal(first_item(d).revision, 0);
	assert_string_equal(first_item(d).delivery, first_item(d).id);
	deliver(d, 1, "a-2");
	vote(d, 0, "a-2", 3);
	assert_int_equal(wake(d), 0);
	assert_int_equal(waiting(d), 0);
}

static void
a_revision_is_asked_about_under_the_first_id_unless_updates_are_wanted(void **state)
{
	struct entry_text e = { "a-2", NULL, "corrected", NULL, 0, 0 };
	struct store_route rule = patient();
	void *made = *state;
	struct desk *d;
	int updates;

	for (updates = 0; updates < 2; updates++) {
		if (updates)
			setup(&made);
		d = made;
		rule.updates = (uint32_t)updates;
		begin(d, rule);
		poll_source(d, 0, &e, 1);
		assert_int_equal(wake(d), 1);
		ask(d, 1, "a-2", "k");
		assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
		assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
		assert_int_equal(first_item(d).revision, updates);
		deliver(d, 1, "a-2");
		assert_int_equal(waiting(d), 0);
		if (updates)
			teardown(&made);
	}
}

/* With updates it is asked about each version; the older one does not wait beside the newer. */
static void
a_version_that_was_overtaken_does_not_wait(void **state)
{
	struct entry_text e = { "a-2", NULL, "corrected", NULL, 0, 0 };
	struct store_route rule = patient();
	struct desk *d = *state;

	rule.updates = 1;
	configure_one(d, rule, push);
	poll_range(d, 0, "a", 1, 2);
	poll_source(d, 0, &e, 1);
	ask(d, 1, "a-1 a-2 a-2", "kww");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM pending"), 3);
	assert_int_equal(waiting(d), 1);
}

static void
a_story_that_grows_wakes_its_records(void **state)
{
	const struct entry_text tale = { "t", "https://news.example/tale",
		"A long and winding tale", NULL, 0, 0 };
	struct desk *d = *state;
	struct store_route rule = patient();

	rule.once_record = 1;
	configure_one(d, rule, push);
	poll_source(d, 0, &tale, 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	assert_int_equal(first_item(d).sources, 1);
	judge(d, "w", UINT32_MAX);
	poll_source(d, 1, &tale, 1);
	assert_int_equal(wake(d), 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	assert_int_equal(first_item(d).sources, 2);
	expect(d, "t t");
	judge(d, "kk", UINT32_MAX);
	deliver(d, 1, "t t");
}

/* The one that waited and the one that woke it are one story. */
static void
a_story_that_waited_is_taken_once(void **state)
{
	const struct entry_text tale = { "t", "https://news.example/tale",
		"A long and winding tale", NULL, 0, 0 };
	struct desk *d = *state;

	configure_one(d, patient(), push);
	poll_source(d, 0, &tale, 1);
	ask(d, 1, "t", "w");
	poll_source(d, 1, &tale, 1);
	ask(d, 1, "t", "w");			/* not yet woken: the second waits, too */
	assert_int_equal(wake(d), 1);
	ask(d, 1, "t", "k");
	deliver(d, 1, "t");
	crash(d);
	configure_one(d, patient(), push);
	poll_source(d, 2, &tale, 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "t t", "kk");			/* what was taken by a late row is known */
	deliver(d, 1, NULL);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT dropped FROM route"), 2);
}

static void
what_changes_while_the_filter_is_asked_is_not_missed(void **state)
{
	struct desk *d = *state;

	configure_one(d, patient(), push);
	poll_range(d, 0, "a", 1, 2);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	vote(d, 0, "a-2", 5);
	assert_int_equal(judge(d, "ww", UINT32_MAX), 0);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");
	deliver(d, 1, "a-2");
}

static void
expect_title(struct desk *d, const char *want)
{
	struct cr_record *r = record_read(first_item(d).record.data, first_item(d).record.len);

	assert_non_null(r);
	assert_string_equal(record_get(r, CR_TITLE, 0), want);
	record_free(r);
}

/* A filter is asked about the version that a row of the log stands for, and then about a later one. */
static void
a_version_that_came_before_the_filter_was_asked_is_not_missed(void **state)
{
	struct entry_text e = { "a-1", NULL, "second", NULL, 0, 0 };
	struct desk *d = *state;

	configure_one(d, patient(), push);
	poll_range(d, 0, "a", 1, 1);
	poll_source(d, 0, &e, 1);
	ask(d, 1, "a-1", "w");
	assert_int_equal(wake(d), 1);
	e.title = "third";
	poll_source(d, 0, &e, 1);
	assert_int_equal(wake(d), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect_title(d, "second");
	judge(d, "w", UINT32_MAX);
	assert_int_equal(wake(d), 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	expect_title(d, "third");
	judge(d, "w", UINT32_MAX);
	assert_int_equal(wake(d), 0);
	assert_int_equal(waiting(d), 1);
}

static void
what_does_not_change_is_asked_about_as_time_passes(void **state)
{
	struct desk *d = *state;
	int64_t left;

	begin(d, patient());
	left = ledger_wakes(d->ledger) - date_now();
	assert_true(left > HOUR - 60000 && left <= HOUR);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since - 10800000, due = due - 10800000");
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	left = ledger_wakes(d->ledger) - date_now();
	assert_true(left > 3 * HOUR - 60000 && left <= 3 * HOUR + 60000);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since - 592000000, due = due - 592000000");
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	left = ledger_wakes(d->ledger) - date_now();
	assert_true(left > 0 && left < HOUR);		/* then its patience is over */
}

static void
after_the_patience_it_is_dropped_by_that_rule(void **state)
{
	struct desk *d = *state;
	const struct verdict *v;

	begin(d, patient());
	crash(d);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since - 604800000, due = 1");
	assert_int_equal(ledger_wake(d->ledger), 0);	/* before it knows how patient to be */
	configure_one(d, patient(), push);
	assert_int_equal(wake(d), 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	v = verdict_of(d->ledger, ledger_route(d->ledger, 1), 4);
	assert_non_null(v);
	assert_int_equal(v->verdict, CR_DROP);
	assert_string_equal(v->rule, "patience");
	assert_string_equal(v->why, "because");
	deliver(d, 1, NULL);
	assert_int_equal(waiting(d), 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT expired FROM route"), 1);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT dropped FROM route"), 1);
	crash(d);
	assert_int_equal(d->ledger->route[0].expired, 1);
	configure_one(d, patient(), push);
	vote(d, 0, "a-2", 9);
	assert_int_equal(wake(d), 0);
}

static void
another_patience_counts_at_once(void **state)
{
	struct store_route rule = patient();
	struct desk *d = *state;
	int64_t left;

	begin(d, rule);
	rule.patience = 60000;
	configure_one(d, rule, push);
	left = ledger_wakes(d->ledger) - date_now();
	assert_true(left > 0 && left <= 60000);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since - 60000, due = due - 60000");
	rule.patience = 168 * HOUR;
	configure_one(d, rule, push);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");			/* asked about, since it may still wait */
}

static void
without_filters_nothing_waits_any_longer(void **state)
{
	struct desk *d = *state;

	begin(d, patient());
	crash(d);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since - 604800000");
	configure_one(d, plain, push);
	assert_int_equal(wake(d), 1);
	deliver(d, 1, "a-2");
	assert_int_equal(waiting(d), 0);
}

static void
a_resumed_route_asks_again(void **state)
{
	const struct pull p = { .route = 1, .sink = PULL_FILTER, .max = 10, .resume = 1 };
	struct desk *d = *state;

	begin(d, patient());
	ledger_pull(d->ledger, &p, &d->work, &d->items);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");
	deliver(d, 1, "a-2");
}

static void
a_route_that_is_gone_keeps_what_waits(void **state)
{
	struct desk *d = *state;

	begin(d, patient());
	configure(d, NULL, 0);
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 0);
	assert_int_equal(ledger_wakes(d->ledger), INT64_MAX);
	crash(d);
	configure_one(d, patient(), push);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");
	deliver(d, 1, "a-2");
}

/* A filter that names no number is asked about a counter that changes once an hour. */
static void
counters_are_asked_about_once_an_hour(void **state)
{
	const struct entry_text e = { "a-2", NULL, "a-2", NULL, 0, 7 };
	struct desk *d = *state;
	int64_t left;

	begin(d, patient());
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	poll_source(d, 0, &e, 1);
	assert_int_equal(wake(d), 0);
	left = ledger_wakes(d->ledger) - date_now();
	assert_in_range(left, 3500000, 3600000);
}

/* The late row is there or the pending one is, whenever it ends. */
static void
a_crash_loses_and_repeats_nothing(void **state)
{
	struct desk *d = *state;

	begin(d, patient());
	vote(d, 0, "a-2", 1);
	assert_int_equal(ledger_wake(d->ledger), 1);
	crash(d);					/* before its commit */
	configure_one(d, patient(), push);
	assert_int_equal(waiting(d), 1);
	assert_int_equal(wake(d), 1);
	crash(d);					/* behind it */
	configure_one(d, patient(), push);
	assert_int_equal(wake(d), 0);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_FILTER);
	crash(d);
	configure_one(d, patient(), push);
	ask(d, 1, "a-2", "k");
	crash(d);
	configure_one(d, patient(), push);
	deliver(d, 1, "a-2");
	crash(d);
	configure_one(d, patient(), push);
	assert_int_equal(wake(d), 0);
	deliver(d, 1, NULL);
}

static void
what_no_filter_can_judge_in_the_end_is_set_aside(void **state)
{
	struct desk *d = *state;

	begin(d, patient());
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "f");
	assert_int_equal(waiting(d), 0);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT n FROM pending WHERE state = 2"), 4);
}

/* What a source held when it was new is of the past also when it comes through later. */
static void
backlog_none_skips_what_waited_from_a_first_fetch(void **state)
{
	const struct entry_text e[2] = { { "old", NULL, "old", NULL, 0, 0 },
		{ "older", NULL, "older", NULL, 0, 0 } };
	struct desk *d = *state;

	configure_one(d, patient(), quiet);
	poll_source(d, 0, e, 2);
	ask(d, 1, "older old", "ww");
	vote(d, 0, "old", 1);
	vote(d, 0, "new", 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "new old", "kk");
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	roster_get(d->roster, d->source[0])->firsts = -1;
	vote(d, 0, "fresh", 1);
	ask(d, 1, "fresh", "w");
	vote(d, 0, "fresh", 2);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "fresh", "k");
	deliver(d, 1, "fresh");
}

/* With an age it is what was too old when it was first seen. */
static void
backlog_by_age_skips_what_waited_and_was_old(void **state)
{
	const struct entry_text e[2] = {
		{ "old", NULL, "old", NULL, BOOK_WHEN - 10 * HOUR, 0 },
		{ "new", NULL, "new", NULL, BOOK_WHEN - HOUR, 0 } };
	struct store_sink aged = push;
	struct desk *d = *state;

	aged.backlog = BACKLOG_AGE;
	aged.backlog_n = 5 * HOUR;
	configure_one(d, patient(), aged);
	poll_source(d, 0, e, 2);
	ask(d, 1, "old new", "ww");
	shelf_ask(&d->shelf, "UPDATE pending SET due = 0");
	assert_int_equal(wake(d), 2);
	ask(d, 1, "old new", "kk");
	deliver(d, 1, "new");
}

/* ---- Routes from routes ---- */

static void
a_route_draws_what_another_let_wait(void **state)
{
	const struct route_text t[2] = {
		{ .rule = patient() },
		{ .rule = { .name = "s", .title = "S" }, .sink = { push }, .nsinks = 1,
		    .nroutes = 1 },
	};
	struct desk *d = *state;

	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 2);
	ask(d, 1, "a-1 a-2", "kw");
	deliver(d, 2, "a-1");
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	deliver(d, 2, NULL);
	vote(d, 0, "a-2", 2);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");
	deliver(d, 2, "a-2");
}

/* The second waits on what the first let wait; what the first changed is still there. */
static void
two_routes_wait_one_after_the_other(void **state)
{
	struct route_text t[2] = {
		{ .rule = patient() },
		{ .rule = patient(), .sink = { push }, .nsinks = 1, .nroutes = 1 },
	};
	struct desk *d = *state;

	t[1].rule.name = "s";
	t[1].rule.all = 0;
	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 1);
	ask(d, 1, "a-1", "w");
	assert_int_equal(pull_work(d, 2, PULL_FILTER, 10), WORK_NONE);
	vote(d, 0, "a-1", 1);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-1", "k");
	ask(d, 2, "a-1", "w");
	crash(d);
	configure(d, t, 2);
	vote(d, 0, "a-1", 2);
	assert_int_equal(wake(d), 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	ask(d, 2, "a-1", "k");
	assert_int_equal(pull_work(d, 2, 0, 10), WORK_RECORDS);
	assert_int_equal(first_item(d).revision, 0);
	deliver(d, 2, "a-1");
}

/* With updates the later version is asked about by itself only where the route draws it. */
static void
a_later_version_that_is_not_drawn_does_not_end_the_wait(void **state)
{
	struct route_text t[2] = {
		{ .rule = plain },
		{ .rule = patient(), .sink = { push }, .nsinks = 1, .nroutes = 1 },
	};
	struct entry_text e = { "a-1", NULL, "second", NULL, 0, 0 };
	struct desk *d = *state;
	int i;

	t[1].rule.name = "s";
	t[1].rule.all = 0;
	t[1].rule.updates = 1;
	configure(d, t, 2);
	poll_range(d, 0, "a", 1, 2);
	for (i = 0; i < 3 && pull_work(d, 2, PULL_FILTER, 10) == WORK_NONE; i++)
		;
	expect(d, "a-1 a-2");
	poll_source(d, 0, &e, 1);			/* while it is asked about the first one */
	assert_int_equal(judge(d, "ww", UINT32_MAX), 0);
	e.guid = "a-2";
	poll_source(d, 0, &e, 1);			/* while it waits */
	(void)wake(d);
	(void)pull_work(d, 2, PULL_FILTER, 10);
	shelf_ask(&d->shelf, "UPDATE pending SET due = 0");
	(void)wake(d);
	for (i = 0; i < 3 && pull_work(d, 2, PULL_FILTER, 10) == WORK_NONE; i++)
		;
	expect(d, "a-1 a-2");
	expect_title(d, "second");
	assert_int_equal(judge(d, "kk", UINT32_MAX), 0);
	deliver(d, 2, "a-1 a-2");
}

/* Nor where it went by before updates were wanted. */
static void
updates_that_are_wanted_later_do_not_end_the_wait(void **state)
{
	struct store_route rule = patient();
	struct entry_text e = { "a-2", NULL, "second", NULL, 0, 0 };
	struct desk *d = *state;

	begin(d, rule);
	poll_source(d, 0, &e, 1);
	assert_int_equal(pull_work(d, 1, PULL_FILTER, 10), WORK_NONE);
	rule.updates = 1;
	configure_one(d, rule, push);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "k");
	deliver(d, 1, "a-2");
}

static void
what_two_routes_let_wait_is_drawn_once(void **state)
{
	struct route_text t[4] = {
		{ .rule = patient() }, { .rule = patient() },
		{ .rule = { .name = "both", .title = "B" }, .sink = { push }, .nsinks = 1,
		    .routes = { 0, 1 }, .nroutes = 2 },
		{ .rule = { .name = "also", .title = "A" }, .sink = { push }, .nsinks = 1,
		    .nroutes = 1, .from = { 0 }, .nfrom = 1 },
	};
	struct desk *d = *state;

	t[1].rule.name = "other";
	configure(d, t, 4);
	poll_range(d, 0, "a", 1, 2);
	ask(d, 1, "a-1 a-2", "ww");
	ask(d, 2, "a-1 a-2", "kw");
	deliver(d, 3, "a-1");
	deliver(d, 4, "a-1 a-2");
	vote(d, 0, "a-1", 1);
	vote(d, 0, "a-2", 1);
	assert_int_equal(wake(d), 3);
	ask(d, 1, "a-1 a-2", "kk");
	ask(d, 2, "a-2", "k");
	deliver(d, 3, "a-2");
	deliver(d, 4, NULL);
}

/* ---- At random ---- */

#define MANY	40

struct chance {
	uint32_t	 seed;
	int		 votes[MANY], told[MANY];	/* votes: of which three are enough */
};

static uint32_t
draw(struct chance *c, uint32_t below)
{
	c->seed = c->seed * 1103515245 + 12345;
	return (c->seed >> 16) % below;
}

/* A filter that keeps what has three votes, as far as it now sees them. */
static void
judge_votes(struct desk *d)
{
	struct wire all, body;
	struct result_item item;
	enum result_kind kind;
	char letters[256];
	double votes;
	size_t n = 0;

	wire_init(&all, d->items.data, d->items.len);
	while (result_next(&all, &kind, &body) == 1) {
		struct cr_record *r;

		wire_get(&body, result_item, &item);
		r = record_read(item.record.data, item.record.len);
		letters[n++] = record_get_number(r, "votes", &votes) && votes > 2.5 ? 'k' : 'w';
		record_free(r);
	}
	letters[n] = '\0';
	assert_int_equal(judge(d, letters, UINT32_MAX), 0);
}

static void
note(struct desk *d, struct chance *c)
{
	char text[4096], *at = text, *end;

	guids(d, text);
	while ((at = strchr(at, '-')) != NULL) {
		c->told[strtol(at + 1, &end, 10)]++;
		at = end;
	}
	acknowledge_all(d);
}

static void
step(struct desk *d, struct chance *c)
{
	char guid[16];
	uint32_t i = draw(c, MANY);

	switch (draw(c, 6)) {
	case 0:
		snprintf(guid, sizeof(guid), "v-%u", i);
		vote(d, 0, guid, ++c->votes[i]);
		break;
	case 1:
		wake(d);
		break;
	case 2:
		if (pull_work(d, 1, PULL_FILTER, 5) == WORK_FILTER && draw(c, 4) > 0)
			judge_votes(d);
		break;
	case 3:
		if (pull_work(d, 1, 0, 5) == WORK_RECORDS)
			note(d, c);
		break;
	case 4:
		(void)ledger_wake(d->ledger);
		if (draw(c, 2))
			commit_now(d);
		__attribute__((fallthrough));
	default:
		if (draw(c, 4) > 0)
			break;
		crash(d);
		configure_one(d, patient(), push);
	}
}

static void
at_random_each_comes_through_once(void **state)
{
	struct chance c = { .seed = 7 };
	struct desk *d = *state;
	char guid[16];
	int i;

	configure_one(d, patient(), push);
	for (i = 0; i < 3000; i++)
		step(d, &c);
	crash(d);
	configure_one(d, patient(), push);
	for (i = 0; i < MANY; i++) {
		snprintf(guid, sizeof(guid), "v-%d", i);
		vote(d, 0, guid, c.votes[i] += 3);
	}
	for (i = 0; i < 100; i++) {
		wake(d);
		if (pull_work(d, 1, PULL_FILTER, 5) == WORK_FILTER)
			judge_votes(d);
		if (pull_work(d, 1, 0, 5) == WORK_RECORDS)
			note(d, &c);
	}
	assert_int_equal(waiting(d), 0);
	for (i = 0; i < MANY; i++)
		assert_int_equal(c.told[i], 1);
}

/* The clock was ahead, by more or less than anything waits: the times in the database lie in the
 * future. */
static void
what_waits_for_a_time_that_was_wrong_is_due(void **state)
{
	struct desk *d = *state;
	int64_t left;

	begin(d, patient());
	crash(d);
	shelf_ask(&d->shelf, "UPDATE pending SET since = since + 946080000000, due = due + 946080000000");
	configure_one(d, patient(), push);
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	left = ledger_wakes(d->ledger) - date_now();
	assert_true(left > HOUR - 60000 && left <= HOUR);
	shelf_ask(&d->shelf, "UPDATE pending SET due = due + 18000000");	/* 5 h: it waits 1 h so far */
	d->ledger->ahead += 18000000;			/* as if the clock was put back just now */
	assert_int_equal(wake(d), 1);
	ask(d, 1, "a-2", "w");
	assert_int_equal(wake(d), 0);
}

/* The record that a sink tries again, due in `ms`; how long the sink says that it waits. */
static int64_t
retry_in(struct desk *d, int64_t ms)
{
	configure_one(d, plain, push);
	poll_range(d, 0, "a", 1, 1);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
	acknowledge(d, 0, ACK_RETRY, date_now() + ms, "503");
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	return d->work.due - date_now();
}

static void
a_retry_further_ahead_than_a_sink_may_ask_for_is_due(void **state)
{
	struct desk *d = *state;
	int64_t left = retry_in(d, 20 * HOUR);

	assert_true(left > 20 * HOUR - 60000 && left <= 20 * HOUR);
	crash(d);
	configure_one(d, plain, push);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	left = d->work.due - date_now();
	assert_true(left > 20 * HOUR - 60000 && left <= 20 * HOUR);
	shelf_ask(&d->shelf, "UPDATE leg SET due = due + 5 * 3600000");	/* in 25 h */
	crash(d);
	configure_one(d, plain, push);
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
}

static void
a_retry_goes_by_the_clock_that_nobody_sets(void **state)
{
	struct desk *d = *state;
	struct cursor *g;

	retry_in(d, 1000);
	g = &d->ledger->route[0].sink[0];
	g->due += 5 * HOUR;			/* as if the clock was put back by so much */
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_NONE);
	assert_true(d->work.due - date_now() <= 1000);
	g->until -= 1000;
	assert_int_equal(pull_work(d, 1, 0, 10), WORK_RECORDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_that_changes_is_asked_about_again),
		TEST(counters_are_asked_about_once_an_hour),
		TEST(a_revision_is_asked_about_under_the_first_id_unless_updates_are_wanted),
		TEST(a_version_that_was_overtaken_does_not_wait),
		TEST(a_story_that_grows_wakes_its_records),
		TEST(a_story_that_waited_is_taken_once),
		TEST(what_changes_while_the_filter_is_asked_is_not_missed),
		TEST(a_version_that_came_before_the_filter_was_asked_is_not_missed),
		TEST(what_does_not_change_is_asked_about_as_time_passes),
		TEST(after_the_patience_it_is_dropped_by_that_rule),
		TEST(another_patience_counts_at_once),
		TEST(without_filters_nothing_waits_any_longer),
		TEST(a_resumed_route_asks_again),
		TEST(a_route_that_is_gone_keeps_what_waits),
		TEST(what_waits_for_a_time_that_was_wrong_is_due),
		TEST(a_retry_further_ahead_than_a_sink_may_ask_for_is_due),
		TEST(a_retry_goes_by_the_clock_that_nobody_sets),
		TEST(a_crash_loses_and_repeats_nothing),
		TEST(what_no_filter_can_judge_in_the_end_is_set_aside),
		TEST(backlog_none_skips_what_waited_from_a_first_fetch),
		TEST(backlog_by_age_skips_what_waited_and_was_old),
		TEST(a_route_draws_what_another_let_wait),
		TEST(two_routes_wait_one_after_the_other),
		TEST(a_later_version_that_is_not_drawn_does_not_end_the_wait),
		TEST(updates_that_are_wanted_later_do_not_end_the_wait),
		TEST(what_two_routes_let_wait_is_drawn_once),
		TEST(at_random_each_comes_through_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

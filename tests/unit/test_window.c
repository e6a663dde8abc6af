/* The window of a list: the records with the latest dates, whenever they came. */
#include "desk.h"

#define DAYS(n)	(BOOK_WHEN - (n) * INT64_C(86400000))

static const struct store_sink list = { .name = "feed", .takes = CR_BATCH_LIST, .keep = 3,
	.backlog = BACKLOG_ALL };

static void
entry(struct desk *d, size_t place, const char *guid, const char *title, int64_t published)
{
	const struct entry_text e = { guid, NULL, title, NULL, published, 0 };

	poll_source(d, place, &e, 1);
}

/* The list as it comes, a guid each; "": it does not. */
static void
shows(struct desk *d, const char *guids)
{
	int i;

	for (i = 0; i < 1000 && pull_work(d, 1, 0, 10) == WORK_NONE && d->work.head <
	    d->ledger->durable && guids[0] != '\0'; i++)
		;
	expect(d, guids);
	if (d->work.kind != WORK_NONE)
		acknowledge_all(d);
}

static void
the_past_of_a_new_source_pushes_no_fresh_ones_out(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, list);
	entry(d, 0, "a", "A", DAYS(3));
	entry(d, 0, "b", "B", DAYS(2));
	entry(d, 0, "c", "C", DAYS(1));
	shows(d, "c b a");
	entry(d, 1, "x", "X", DAYS(900));
	entry(d, 1, "y", "Y", DAYS(800));
	shows(d, "c b a");
	entry(d, 1, "z", "Z", -DAYS(2) + 1);		/* updated, a little later than b */
	shows(d, "c b z");
	entry(d, 2, "n", "N", 0);			/* first seen today */
	shows(d, "n c b");
	desk_close(d);
	desk_open(d);
	configure_one(d, plain, list);
	entry(d, 0, "o", "O", DAYS(700));
	shows(d, "n c b");
}

static void
a_date_in_the_future_is_that_of_the_day_when_it_came(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, list);
	entry(d, 0, "f", "F", DAYS(-1));
	entry(d, 0, "a", "A", 0);
	shows(d, "a f");
}

static void
a_revision_takes_its_items_place(void **state)
{
	struct store_route rule = plain;
	struct desk *d = *state;

	rule.updates = 1;
	configure_one(d, rule, list);
	entry(d, 0, "a", "A", DAYS(3));
	entry(d, 0, "b", "B", DAYS(2));
	entry(d, 0, "c", "C", DAYS(1));
	shows(d, "c b a");
	entry(d, 0, "a", "A, corrected", DAYS(3));
	shows(d, "c b a");
	assert_int_equal(d->ledger->route[0].sink[0].done, 4);	/* the revision is one more */
	entry(d, 0, "a", "A, later", DAYS(0));
	shows(d, "a c b");
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM shown"), 3);
}

static void
with_more_room_what_came_before_is_shown_again(void **state)
{
	struct store_sink more = list;
	struct desk *d = *state;

	configure_one(d, plain, list);
	entry(d, 0, "a", "A", DAYS(4));
	entry(d, 0, "b", "B", DAYS(3));
	entry(d, 0, "c", "C", DAYS(2));
	entry(d, 0, "d", "D", DAYS(1));
	shows(d, "d c b");
	more.keep = 5;
	configure_one(d, plain, more);
	entry(d, 0, "e", "E", DAYS(0));
	shows(d, "e d c b a");
	more.keep = 2;
	configure_one(d, plain, more);
	entry(d, 0, "f", "F", DAYS(9));
	shows(d, "e d");
}

/* Also where the database is of a version that had none. */
static void
a_window_is_made_of_what_was_kept_before(void **state)
{
	struct desk *d = *state;

	configure_one(d, plain, list);
	entry(d, 0, "a", "A", DAYS(1));
	entry(d, 0, "b", "B", DAYS(2));
	shows(d, "a b");
	desk_close(d);
	desk_open(d);
	assert_int_equal(sqlite3_exec(d->shelf.book.db.handle, "DELETE FROM shown;"
	    " UPDATE leg SET listed = -1, room = 0", NULL, NULL, NULL), 0);
	desk_close(d);
	desk_open(d);
	configure_one(d, plain, list);
	entry(d, 0, "c", "C", DAYS(3));
	shows(d, "a b c");
}

/* In turns, so that nothing waits for it; and what is once in it is not looked at again. */
static void
a_long_past_comes_into_it_in_turns(void **state)
{
	struct desk *d = *state;
	sqlite3_stmt *looked;
	int turns = 0, i, ran;

	configure_one(d, plain, list);
	for (i = 0; i < 50; i++)
		poll_range(d, 0, "a", 200 * i + 1, 200 * i + 200);
	for (i = 0; i < 100 && d->ledger->route[0].sink[0].delivered < d->ledger->durable; i++)
		if (pull_work(d, 1, 0, 10) == WORK_LIST)
			acknowledge_all(d);
	assert_int_equal(sqlite3_exec(d->shelf.book.db.handle, "UPDATE leg SET listed = -1", NULL, NULL,
	    NULL), 0);
	crash(d);
	configure_one(d, plain, list);
	entry(d, 1, "new", "New", DAYS(1));
	looked = d->shelf.book.db.statement[SQL_LOG_FLAGS];
	for (; pull_work(d, 1, 0, 10) == WORK_NONE && turns < 100; turns++) {
		assert_true(d->work.head < d->ledger->durable);
		ran = sqlite3_stmt_status(looked, SQLITE_STMTSTATUS_RUN, 1);
		assert_true(ran <= 2000);
	}
	assert_true(turns >= 4 && turns <= 6);
	expect(d, "a-10000 a-9999 a-9998");
	acknowledge_all(d);
	(void)sqlite3_stmt_status(looked, SQLITE_STMTSTATUS_RUN, 1);
	entry(d, 1, "newer", "Newer", 0);
	shows(d, "newer a-10000 a-9999");
	assert_int_equal(sqlite3_stmt_status(looked, SQLITE_STMTSTATUS_RUN, 1), 1);
	assert_int_equal(shelf_ask(&d->shelf, "SELECT count(*) FROM shown"), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_past_of_a_new_source_pushes_no_fresh_ones_out),
		TEST(a_date_in_the_future_is_that_of_the_day_when_it_came),
		TEST(a_revision_takes_its_items_place),
		TEST(with_more_room_what_came_before_is_shown_again),
		TEST(a_window_is_made_of_what_was_kept_before),
		TEST(a_long_past_comes_into_it_in_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

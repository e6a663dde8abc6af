/* Identity: what tells entries apart without a guid of their own, and in what order they came. */
#include "book.h"
#include "base/buf.h"
#include "db/db.h"
#include "store/item_name.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define POLL(s, ...)	shelf_poll((s), (const struct entry_text[]){ __VA_ARGS__ }, \
	COUNT(((const struct entry_text[]){ __VA_ARGS__ })))
#define PAGE		"https://x.example/status"

static int
setup(void **state)
{
	struct shelf *s = xmalloc(sizeof(*s));

	shelf_new(s);
	shelf_open(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct shelf *s = *state;

	shelf_close(s);
	shelf_remove(s);
	free(s);
	return 0;
}

/* So many of the document are new, so many revised; and nothing is when it comes again. */
static void
brings(struct shelf *s, uint32_t added, uint32_t revised, const struct entry_text *e, size_t n)
{
	struct document_counts c = shelf_poll(s, e, n);

	assert_int_equal(c.added, added);
	assert_int_equal(c.revised, revised);
	c = shelf_poll(s, e, n);
	assert_int_equal(c.added, 0);
	assert_int_equal(c.revised, 0);
	assert_int_equal(shelf_ask(s, "SELECT count(*) - count(DISTINCT rid) FROM item"), 0);
}
#define BRINGS(s, added, revised, ...)	brings((s), (added), (revised), \
	(const struct entry_text[]){ __VA_ARGS__ }, COUNT(((const struct entry_text[]){ __VA_ARGS__ })))

static const struct entry_text a = { NULL, PAGE, "Maintenance", "planned", 1000, 0 },
    b = { NULL, PAGE, "Outage", "disks", 2000, 0 },
    c = { NULL, PAGE, "Outage", "network", 3000, 0 };

static void
entries_that_share_a_link_are_told_apart_by_title_and_date(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 2, 0, b, a);
	BRINGS(s, 1, 0, c, b, a);
	/* Their text is edited: a revision of that one. */
	BRINGS(s, 0, 1, c, { NULL, PAGE, "Outage", "disks, mended", 2000, 0 }, a);
	/* What once shared its link is told apart also when it stands there alone. */
	BRINGS(s, 1, 0, { NULL, PAGE, "Outage", "cables", 4000, 0 });
	BRINGS(s, 0, 0, c);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM item"), 4);
	assert_int_equal(s->source.unreliable, NAME_PLAIN);	/* no guid was */
}

static void
one_of_them_alone_is_found_again_among_the_others(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 1, 0, b);
	BRINGS(s, 2, 0, c, b, a);
	BRINGS(s, 0, 0, a, b, c);
}

static void
of_one_title_and_date_they_are_one_and_without_both_the_text_tells(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 1, 0, { NULL, PAGE, "Outage", "more", 2000, 0 }, b);
	BRINGS(s, 2, 0, { NULL, "https://x.example/n", NULL, "one", 0, 0 },
	    { NULL, "https://x.example/n", NULL, "two", 0, 0 });
	BRINGS(s, 2, 0, { NULL, "https://x.example/m", NULL, "one", 1, 0 },
	    { NULL, "https://x.example/m", NULL, "two", 2, 0 });
	BRINGS(s, 0, 1, { NULL, "https://x.example/m", NULL, "one, edited", 1, 0 },
	    { NULL, "https://x.example/m", NULL, "two", 2, 0 });
}

static void
an_entry_with_a_link_of_its_own_is_one_whatever_its_date(void **state)
{
	struct shelf *s = *state;
	struct entry_text own = { NULL, "https://x.example/own", "Own", "text", 1000, 0 };

	BRINGS(s, 3, 0, own, b, a);
	own.published = 5000;
	BRINGS(s, 0, 0, own, b, a);
	own.summary = "edited";
	BRINGS(s, 0, 1, own, b, a);
	own.title = "Own, corrected";
	own.published = 6000;
	BRINGS(s, 0, 1, own, b, a);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM item"), 3);
}

/* An entry with a guid has the link, too. */
static void
a_link_is_shared_with_entries_that_have_a_guid(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 3, 0, { "g", PAGE, "G", NULL, 500, 0 }, b, { "h", PAGE, "H", NULL, 400, 0 });
	BRINGS(s, 1, 0, { "g", PAGE, "G", NULL, 500, 0 }, c);
	BRINGS(s, 0, 0, { "g", PAGE, "G", NULL, 500, 0 }, c, b);
}

/* As an older version named it: by link and title, and each by the plain link. */
static void
what_an_older_version_stored_is_found_again(void **state)
{
	struct shelf *s = *state;
	const struct entry_text old[] = { b, a }, one[] = { { NULL, NULL, "T", NULL, -7000, 0 } };
	struct cr_record *r = record_new();
	char sql[128];

	shelf_poll(s, old, COUNT(old));
	assert_int_equal(sqlite3_exec(s->book.db.handle, "DELETE FROM item_key WHERE key IN"
	    " (SELECT key FROM item_key GROUP BY key HAVING count(*) = 1)", NULL, NULL, NULL), 0);
	BRINGS(s, 1, 0, c, b, a);
	/* What has no guid and no link was named by its title alone where `updated` was its only
	 * date. */
	shelf_poll(s, one, 1);
	put_text(r, CR_TITLE, "T");
	record_set_time(r, CR_UPDATED, 7000);
	snprintf(sql, sizeof(sql), "UPDATE item_key SET key = %lld WHERE item = %lld",
	    (long long)item_key_undated(s->book.digest, r), (long long)s->book.head);
	assert_int_equal(sqlite3_exec(s->book.db.handle, sql, NULL, NULL, NULL), 0);
	BRINGS(s, 0, 0, one[0]);
	BRINGS(s, 1, 0, one[0], { NULL, NULL, "T", NULL, -8000, 0 });
	record_free(r);
}

static void
updated_is_a_date_where_nothing_else_is(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 2, 0, { NULL, NULL, "Same", NULL, -1000, 0 }, { NULL, NULL, "Same", NULL, -2000, 0 });
	BRINGS(s, 2, 0, { NULL, PAGE, "Same", NULL, -1000, 0 }, { NULL, PAGE, "Same", NULL, -2000, 0 });
}

static void
a_feed_that_ends_to_give_guids_keeps_those_apart_that_share_a_link(void **state)
{
	struct shelf *s = *state;
	const struct entry_text with[] = { { "3", PAGE, "Outage", "network", 3000, 0 },
		{ "2", PAGE, "Outage", "disks", 2000, 0 },
		{ "1", PAGE, "Maintenance", "planned", 1000, 0 } };

	BRINGS(s, 3, 0, with[0], with[1], with[2]);
	BRINGS(s, 0, 0, c, b, a);
	BRINGS(s, 0, 0, with[0], with[1], with[2]);
}

/* Each poll brought a revision: both names lead to the same item. */
static void
two_entries_whose_names_lead_to_one_item_are_two(void **state)
{
	struct shelf *s = *state;
	const struct entry_text known = { "tag:A", "https://x.example/a", "A", NULL, 0, 0 },
	    folded = { "TAG:a", "https://x.example/a", "A, corrected", NULL, 0, 0 },
	    other = { "tag:A", "https://x.example/b", "B", NULL, 0, 0 };

	BRINGS(s, 1, 0, known);
	BRINGS(s, 0, 1, folded);
	BRINGS(s, 1, 0, other, folded);
	BRINGS(s, 0, 0, folded, other);
	BRINGS(s, 0, 1, folded, { "tag:A", "https://x.example/b", "B, corrected", NULL, 0, 0 });
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM item"), 2);
}

static void
the_same_with_and_without_a_guid(void **state)
{
	struct shelf *s = *state;
	const struct entry_text with = { "p", "https://x.example/p", "P", "one", 0, 0 },
	    without = { NULL, "https://x.example/p", "P", "one", 0, 0 },
	    later = { NULL, "https://x.example/p", "Q", "two", 0, 0 };

	BRINGS(s, 1, 0, with);
	BRINGS(s, 0, 0, without);		/* both are its names */
	BRINGS(s, 1, 0, with, later);
	BRINGS(s, 0, 0, later, with);
	BRINGS(s, 0, 1, { "p", "https://x.example/p", "P", "edited", 0, 0 }, later);
}

/* In an unreliable source: a guid that several have says nothing, whatever title comes with it. */
static void
a_shared_guid_with_a_new_link_and_a_known_title_is_new(void **state)
{
	struct shelf *s = *state;

	BRINGS(s, 3, 0, { "g", "https://x.example/1", "One", NULL, 0, 0 },
	    { "g", "https://x.example/2", "Two", NULL, 0, 0 },
	    { "h", "https://x.example/3", "Three", NULL, 0, 0 });
	BRINGS(s, 1, 0, { "g", "https://x.example/4", "One", NULL, 0, 0 });
	/* Known once, and there twice just now. */
	BRINGS(s, 2, 0, { "h", "https://x.example/6", "Six", NULL, 0, 0 },
	    { "h", "https://x.example/5", "Three", NULL, 0, 0 });
}

/* The titles of the log, oldest first, in letters. */
static void
logged(struct shelf *s, const char *titles)
{
	char said[64];
	size_t n = 0;

	db_bind(&s->book.db, SQL_LOG_SCAN, DB_INT(0), DB_INT(s->book.head));
	while (db_step(&s->book.db, SQL_LOG_SCAN)) {
		struct bytes blob;
		struct cr_record *r;

		db_bind(&s->book.db, SQL_RECORD_GET, DB_INT(db_int(&s->book.db, SQL_LOG_SCAN, 0)));
		assert_true(db_step(&s->book.db, SQL_RECORD_GET));
		blob = db_blob(&s->book.db, SQL_RECORD_GET, 0);
		assert_non_null(r = record_read(blob.data, blob.len));
		said[n++] = record_get(r, CR_TITLE, 0)[0];
		record_free(r);
		db_done(&s->book.db, SQL_RECORD_GET);
	}
	said[n] = '\0';
	assert_string_equal(said, titles);
}

#define AT(title, when)	{ (title), NULL, (title), NULL, (when), 0 }
#define UPDATED(title, when)	{ (title), NULL, (title), NULL, -(when), 0 }

static void
the_log_is_in_the_order_of_all_dates(void **state)
{
	struct shelf *s = *state;

	/* An old one is pinned on top. */
	POLL(s, AT("a", 1000), AT("e", 5000), AT("d", 4000), AT("c", 3000), AT("b", 2000));
	logged(s, "abcde");
	assert_int_equal(shelf_ask(s, "SELECT flags >> 8 FROM log WHERE n = 1"), 4);
	assert_int_equal(shelf_ask(s, "SELECT flags >> 8 FROM log WHERE n = 5"), 0);
	POLL(s, AT("a", 1000), AT("g", 7000), AT("f", 6000), AT("e", 5000));
	logged(s, "abcdefg");
	/* Those without a date stay with their neighbours. */
	POLL(s, AT("m", 9200), AT("l", 0), AT("k", 9000), AT("j", 0), AT("i", 8500), AT("h", 0));
	logged(s, "abcdefghijklm");
	/* Written oldest first, and one in the wrong place. */
	POLL(s, AT("o", 9500), AT("p", 0), AT("q", 9700), AT("n", 9400), AT("r", 9800), AT("s", 9900));
	logged(s, "abcdefghijklmnopqrs");
}

/* Days in descending order, and within each the entries in ascending order: by the pairs of all dates
 * the newest is first, which tells how to take those of one date. */
static void
which_end_of_a_document_is_old_is_decided_by_all_its_dates(void **state)
{
	struct shelf *s = *state;

	POLL(s, AT("f", 3001), AT("g", 3002), AT("h", 3003), AT("c", 2001), AT("d", 2002), AT("e", 2003),
	    AT("b", 1000), AT("a", 1000));
	logged(s, "abcdefgh");
	/* Oldest first, and a date far ahead at each end. */
	POLL(s, AT("y", 99000), AT("i", 4000), AT("j", 4000), AT("k", 5000), AT("l", 0), AT("m", 6000),
	    AT("n", 7000), AT("z", 99000));
	logged(s, "abcdefghijklmnyz");
}

static void
an_entry_without_a_date_takes_none_that_is_out_of_order(void **state)
{
	struct shelf *s = *state;

	POLL(s, AT("f", 9000), AT("e", 8000), AT("d", 0), AT("a", 1000), AT("c", 7000), AT("b", 6000));
	logged(s, "abcdef");
	POLL(s, AT("k", 9500), AT("i", 9200), AT("h", 0), AT("l", 99000), AT("g", 9100), AT("f", 9000));
	logged(s, "abcdefghikl");
}

static void
the_log_is_in_the_order_of_updated_where_nothing_else_is_known(void **state)
{
	struct shelf *s = *state;

	POLL(s, UPDATED("b", 2000), AT("a", 1000), UPDATED("d", 4000), AT("c", 3000));
	logged(s, "abcd");
	POLL(s, AT("f", 0), AT("e", 0));
	logged(s, "abcdef");
	POLL(s, AT("h", 9000), AT("g", 9000));
	logged(s, "abcdefgh");
}

/* Nothing of it takes time that grows with the square of the entries. */
static void
very_many_entries_share_a_link(void **state)
{
	enum { MANY = 60000 };
	struct shelf *s = *state;
	struct entry_text *e = xcalloc(MANY, sizeof(*e));
	struct document_counts counts;
	int i;

	for (i = 0; i < MANY; i++)
		e[i] = (struct entry_text){ NULL, PAGE, "Outage", NULL, 1000 + MANY - i, 0 };
	counts = shelf_poll(s, e, MANY);
	assert_int_equal(counts.added, MANY);
	counts = shelf_poll(s, e, MANY);
	assert_int_equal(counts.added + counts.revised, 0);
	e[0].published++;
	counts = shelf_poll(s, e, MANY);
	assert_int_equal(counts.added, 1);
	assert_int_equal(counts.revised, 0);
	free(e);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entries_that_share_a_link_are_told_apart_by_title_and_date),
		TEST(one_of_them_alone_is_found_again_among_the_others),
		TEST(of_one_title_and_date_they_are_one_and_without_both_the_text_tells),
		TEST(an_entry_with_a_link_of_its_own_is_one_whatever_its_date),
		TEST(a_link_is_shared_with_entries_that_have_a_guid),
		TEST(what_an_older_version_stored_is_found_again),
		TEST(updated_is_a_date_where_nothing_else_is),
		TEST(a_feed_that_ends_to_give_guids_keeps_those_apart_that_share_a_link),
		TEST(two_entries_whose_names_lead_to_one_item_are_two),
		TEST(the_same_with_and_without_a_guid),
		TEST(a_shared_guid_with_a_new_link_and_a_known_title_is_new),
		TEST(the_log_is_in_the_order_of_all_dates),
		TEST(which_end_of_a_document_is_old_is_decided_by_all_its_dates),
		TEST(an_entry_without_a_date_takes_none_that_is_out_of_order),
		TEST(the_log_is_in_the_order_of_updated_where_nothing_else_is_known),
		TEST(very_many_entries_share_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

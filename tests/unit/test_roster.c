/* The roster: what a source's key is made of, and who keeps it. */
#include "desk.h"
#include "db/db.h"

#define URL(s)		"https://x.example/" s

static void
take(struct desk *d, const struct store_source *s, size_t n, uint32_t *id)
{
	db_begin(&d->shelf.book.db);
	roster_take(d->roster, s, n, id);
	db_commit(&d->shelf.book.db);
}

static const unsigned char *
key(struct desk *d, uint32_t id)
{
	return roster_get(d->roster, id)->key;
}

/* An empty database in place of the one that there was. */
static void
lose(struct desk *d)
{
	desk_close(d);
	shelf_remove(&d->shelf);
	shelf_new(&d->shelf);
	desk_open(d);
}

static void
a_database_begun_anew_gives_the_same_keys(void **state)
{
	static const struct store_source s[] = {
		{ "a", NULL, URL("1"), "feed", 1, 0 }, { "b", NULL, URL("1"), "feed", 1, 0 },
		{ "a/x", NULL, URL("2"), "feed", 1, 0 }, { "a/y", NULL, URL("3"), "feed", 1, 0 },
		{ "c", NULL, "", "exec", 1, 0 },
	}, other[] = { { "c", NULL, URL("4"), "feed", 1, 0 }, { "a", NULL, URL("5"), "feed", 1, 0 } };
	struct desk *d = *state;
	unsigned char before[COUNT(s)][16];
	uint32_t id[COUNT(s)], again[COUNT(other)];
	size_t i, k;

	take(d, s, COUNT(s), id);
	for (i = 0; i < COUNT(s); i++)
		memcpy(before[i], key(d, id[i]), 16);
	for (i = 0; i < COUNT(s); i++)
		for (k = 0; k < i; k++)
			assert_memory_not_equal(before[i], before[k], 16);
	lose(d);
	take(d, s + 3, 2, id + 3);		/* whatever comes first */
	take(d, s, COUNT(s), id);
	for (i = 0; i < COUNT(s); i++)
		assert_memory_equal(key(d, id[i]), before[i], 16);
	lose(d);
	take(d, other, COUNT(other), again);
	assert_memory_not_equal(key(d, again[0]), before[4], 16);
	assert_memory_not_equal(key(d, again[1]), before[0], 16);
}

static void
a_source_keeps_its_key_through_a_rename_and_a_new_url(void **state)
{
	static const struct store_source first[] = { { "a", NULL, URL("1"), "feed", 1, 0 } },
	    renamed[] = { { "b", "a", URL("1"), "feed", 1, 0 } },
	    moved[] = { { "b", "a", URL("new"), "feed", 1, 0 } },
	    both[] = { { "b", "a", URL("new"), "feed", 1, 0 }, { "a", NULL, URL("1"), "feed", 1, 0 } };
	struct desk *d = *state;
	unsigned char before[16];
	uint32_t id[2];

	take(d, first, 1, id);
	memcpy(before, key(d, id[0]), 16);
	take(d, renamed, 1, id);
	assert_memory_equal(key(d, id[0]), before, 16);
	take(d, moved, 1, id);
	assert_memory_equal(key(d, id[0]), before, 16);
	desk_close(d);
	desk_open(d);
	/* What is new under the name and URL of one that is called otherwise now has a key of its
	 * own. */
	take(d, both, 2, id);
	assert_memory_equal(key(d, id[0]), before, 16);
	assert_memory_not_equal(key(d, id[1]), before, 16);
	/* Begun anew: what the configuration says of its earlier name counts. */
	lose(d);
	take(d, renamed, 1, id);
	assert_memory_equal(key(d, id[0]), before, 16);
}

static void
two_that_would_begin_with_one_key_differ(void **state)
{
	static const struct store_source s[] = { { "b", "a", URL("1"), "feed", 1, 0 },
	    { "a", NULL, URL("1"), "feed", 1, 0 }, { "c", "a", URL("1"), "feed", 1, 0 } };
	struct desk *d = *state;
	unsigned char before[3][16];
	uint32_t id[3];
	size_t i;

	take(d, s, 3, id);
	for (i = 0; i < 3; i++)
		memcpy(before[i], key(d, id[i]), 16);
	assert_memory_not_equal(before[0], before[1], 16);
	assert_memory_not_equal(before[0], before[2], 16);
	assert_memory_not_equal(before[1], before[2], 16);
	lose(d);
	take(d, s + 1, 1, id + 1);	/* the one that bears the name has it first, in any order */
	assert_memory_equal(key(d, id[1]), before[1], 16);
}

/* One of the new name that is gone does not keep the history of the one that is renamed. */
static void
was_wins_over_one_of_the_new_name_that_is_gone(void **state)
{
	static const struct store_source first[] = { { "new", NULL, URL("1"), "feed", 1, 0 },
	    { "old", NULL, URL("2"), "feed", 1, 0 } }, left[] = { { "old", NULL, URL("2"), "feed", 1, 0 } },
	    renamed[] = { { "new", "old", URL("2"), "feed", 1, 0 } },
	    same_url[] = { { "new", "old", URL("1"), "feed", 1, 0 } };
	struct desk *d = *state;
	uint32_t id[2], now[1];

	take(d, first, 2, id);
	take(d, left, 1, now);
	take(d, renamed, 1, now);
	assert_int_equal(now[0], id[1]);
	assert_string_equal(roster_name(d->roster, id[1]), "new");
	assert_string_not_equal(roster_name(d->roster, id[0]), "new");
	desk_close(d);
	desk_open(d);
	take(d, renamed, 1, now);
	assert_int_equal(now[0], id[1]);
	assert_string_equal(roster_name(d->roster, id[1]), "new");

	lose(d);
	take(d, first, 2, id);
	take(d, left, 1, now);
	take(d, same_url, 1, now);	/* also where the one that is gone had the URL */
	assert_int_equal(now[0], id[1]);
}

/* With both gone the name decides; and one that has its name still is not renamed over. */
static void
was_does_not_take_what_another_has(void **state)
{
	static const struct store_source first[] = { { "new", NULL, URL("1"), "feed", 1, 0 },
	    { "old", NULL, URL("2"), "feed", 1, 0 } }, gone[] = { { "x", NULL, URL("3"), "feed", 1, 0 } },
	    renamed[] = { { "new", "old", URL("4"), "feed", 1, 0 } },
	    both[] = { { "new", "old", URL("4"), "feed", 1, 0 }, { "old", NULL, URL("2"), "feed", 1, 0 } };
	struct desk *d = *state;
	uint32_t id[2], now[2];

	take(d, first, 2, id);
	take(d, gone, 1, now);
	take(d, renamed, 1, now);
	assert_int_equal(now[0], id[0]);
	take(d, both, 2, now);
	assert_int_equal(now[0], id[0]);
	assert_int_equal(now[1], id[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_database_begun_anew_gives_the_same_keys),
		TEST(a_source_keeps_its_key_through_a_rename_and_a_new_url),
		TEST(two_that_would_begin_with_one_key_differ),
		TEST(was_wins_over_one_of_the_new_name_that_is_gone),
		TEST(was_does_not_take_what_another_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Stories: what two sources say of one thing is joined, and nothing else is. */
#include "book.h"
#include "story.h"

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

/* One entry of a source; its story. */
static int64_t
story(struct shelf *s, int64_t source, const char *guid, const char *link, const char *title,
    const char *summary)
{
	const struct entry_text e = { guid, link, title, summary, 0, 0 };
	char sql[80];

	s->source.id = source;
	s->source.key[0] = (unsigned char)source;
	assert_int_equal(shelf_poll(s, &e, 1).added, 1);
	snprintf(sql, sizeof(sql), "SELECT story FROM item WHERE id = %lld",
	    (long long)s->book.head);
	return shelf_ask(s, sql);
}

static void
two_sources_with_one_link_are_one_story(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://www.x.example/p?utm_source=a", "A", NULL), 1);
	assert_int_equal(story(s, 2, "b", "http://x.example/p", "B", NULL), 1);
	assert_int_equal(story(s, 3, "c", "https://x.example/q", "C", NULL), 3);
	assert_int_equal(shelf_ask(s, "SELECT items FROM story WHERE id = 1"), 2);
	assert_int_equal(shelf_ask(s, "SELECT item FROM mention"), 2);
	assert_int_equal(s->book.stories, 2);
}

static void
works_are_known_by_their_own_ids(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://arxiv.org/abs/2401.09153v2", "A", NULL), 1);
	assert_int_equal(story(s, 2, "b", "https://arxiv.org/pdf/2401.09153", "B", NULL), 1);
}

static void
two_sources_with_one_title_are_one_story(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", NULL, "The quick brown fox jumps", NULL), 1);
	assert_int_equal(story(s, 2, "b", NULL, "The Quick Brown Fox \xe2\x80\x94 jumps!", NULL), 1);
	assert_int_equal(story(s, 3, "c", "https://x.example/fox", "the quick brown fox jumps",
	    NULL), 1);
	/* And by what a later member brought along. */
	assert_int_equal(story(s, 4, "d", "https://x.example/fox", "Foxes", NULL), 1);
}

static void
short_titles_and_bare_sites_join_nothing(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://x.example/", "News", NULL), 1);
	assert_int_equal(story(s, 2, "b", "https://x.example/", "News", NULL), 2);
	assert_int_equal(story(s, 3, "c", "https://x.example:8080", "Links of today", NULL), 3);
	assert_int_equal(story(s, 4, "d", "https://x.example:8080", "Links of today", NULL), 4);
	assert_int_equal(story(s, 5, "e", NULL, NULL, NULL), 5);
	assert_int_equal(story(s, 6, "f", NULL, NULL, NULL), 6);
}

static void
a_serial_title_needs_the_same_text(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", NULL, "Weekly meeting of the group 14", "on bees"), 1);
	assert_int_equal(story(s, 2, "b", NULL, "Weekly meeting of the group 14", "on ants"), 2);
	assert_int_equal(story(s, 3, "c", NULL, "Weekly meeting of the group 14",
	    "<p>on  <b>bees</b></p>"), 1);
}

static void
items_of_one_source_are_never_one_story(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://x.example/p", "The quick brown fox", NULL), 1);
	assert_int_equal(story(s, 1, "b", "https://x.example/p", "The quick brown fox", NULL), 2);
	assert_int_equal(story(s, 2, "c", "https://x.example/p", "The quick brown fox", NULL), 1);
	assert_int_equal(story(s, 2, "d", "https://x.example/p", "The quick brown fox", NULL), 4);
}

/* Of one source two works share the link to their code, and another lists them the other way round. */
static void
works_that_share_a_link_are_told_apart_by_their_titles(void **state)
{
	struct shelf *s = *state;
	static const char link[] = "https://github.com/example/sand", sand[] = "Sand that a river moves",
	    silt[] = "Silt that a river leaves";

	assert_int_equal(story(s, 1, "a", link, sand, NULL), 1);
	assert_int_equal(story(s, 1, "b", link, silt, NULL), 2);
	assert_int_equal(story(s, 2, "c", link, silt, NULL), 2);
	assert_int_equal(story(s, 2, "d", link, sand, NULL), 1);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_sources_with_one_link_are_one_story),
		TEST(works_are_known_by_their_own_ids),
		TEST(two_sources_with_one_title_are_one_story),
		TEST(short_titles_and_bare_sites_join_nothing),
		TEST(a_serial_title_needs_the_same_text),
		TEST(items_of_one_source_are_never_one_story),
		TEST(works_that_share_a_link_are_told_apart_by_their_titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

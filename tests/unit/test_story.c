/* Stories: what two sources say of one thing is joined, and nothing else is. */
#include "book.h"
#include "record/story_key.h"
#include "store/story.h"

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
	assert_int_equal(story(s, 3, "c", "https://huggingface.co/papers/2401.09153", "C", NULL), 1);
	/* A guid is one, too, whatever the link. */
	assert_int_equal(story(s, 4, "oai:arXiv.org:2401.09153v3", "https://x.example/p", "D", NULL), 1);
	assert_int_equal(story(s, 5, "e", "https://x.example/p", "E", NULL), 1);
	assert_int_equal(story(s, 6, "f", "https://arxiv.org/abs/2401.09154", "F", NULL), 6);
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

/* A title of five words is enough for a story; a shorter one needs the text beside it. */
static void
a_short_title_needs_the_text(void **state)
{
	static const char text[] = "The fox that lives behind the harbour was seen by the keeper of the "
	    "light at dawn and again when the boats came home.";
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", NULL, "quick brown foxy", NULL), 1);
	assert_int_equal(story(s, 2, "b", NULL, "quick brown foxy", NULL), 2);
	assert_int_equal(story(s, 3, "c", NULL, "quick brown badger", text), 3);
	assert_int_equal(story(s, 4, "d", NULL, "Quick brown badger", text), 3);
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
	assert_int_equal(story(s, 2, "d", "https://x.example/p", "The quick brown fox", NULL), 2);
	assert_int_equal(story(s, 2, "e", "https://x.example/p", "The quick brown fox", NULL), 5);
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

/* The ids of two works, and a record that has both, in all orders. */
static void
a_record_with_both_ids_joins_the_stories_of_each_in_any_order(void **state)
{
	static const char *const link[] = { "https://arxiv.org/abs/2401.00001",
		"https://doi.org/10.1234/abc", "https://arxiv.org/pdf/2401.00001v2" };
	static const int order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
		{ 2, 1, 0 } };
	struct shelf *s = *state;
	char guid[16];

	for (int i = 0; i < 6; i++) {
		shelf_close(s);
		shelf_remove(s);
		shelf_new(s);
		shelf_open(s);
		for (int k = 0; k < 3; k++) {
			snprintf(guid, sizeof(guid), "%d", order[i][k]);
			(void)story(s, 1 + order[i][k], order[i][k] == 2 ? "doi:10.1234/ABC" : guid,
			    link[order[i][k]], NULL, NULL);
		}
		assert_int_equal(shelf_ask(s, "SELECT count(*) FROM story"), 1);
		assert_int_equal(shelf_ask(s, "SELECT count(*) FROM item WHERE story = 1"), 3);
		assert_int_equal(shelf_ask(s, "SELECT items FROM story WHERE id = 1"), 3);
		assert_int_equal(shelf_ask(s, "SELECT count(*) FROM mention WHERE story = 1"), 2);
		assert_int_equal(shelf_ask(s, "SELECT count(*) FROM alias WHERE story <> 1"), 0);
		assert_int_equal(s->book.stories, 1);
	}
}

/* One title, two works: nothing but an id brings them together, nor does a record without one. */
static void
two_works_of_one_scheme_stay_two_stories(void **state)
{
	static const char title[] = "Deep sand that a slow river moves";
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://arxiv.org/abs/2401.00001", title, NULL), 1);
	assert_int_equal(story(s, 2, "b", "https://arxiv.org/abs/2401.00002", title, NULL), 2);
	(void)story(s, 3, "c", "https://x.example/sand", title, NULL);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM story"), 2);
	assert_int_equal(shelf_ask(s, "SELECT max(items) FROM story"), 2);
}

static void
a_link_with_titles_that_count_joins_nothing(void **state)
{
	static const char link[] = "https://x.example/podcast";
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", link, "The harbour hour, episode 4", NULL), 1);
	assert_int_equal(story(s, 2, "b", link, "The harbour hour, episode 5", NULL), 2);
	assert_int_equal(story(s, 3, "c", link, "What keepers say", NULL), 1);
}

/* A revision brings the link of another story; the older id stays, and nothing parts again. */
static void
a_revision_may_join_and_never_parts(void **state)
{
	struct entry_text e = { "b", "https://x.example/b", "Of other things", NULL, 0, 0 };
	struct shelf *s = *state;

	assert_int_equal(story(s, 1, "a", "https://x.example/a", "Sand", NULL), 1);
	assert_int_equal(story(s, 2, "b", e.link, e.title, NULL), 2);
	assert_int_equal(story(s, 3, "c", e.link, "Silt", NULL), 2);
	s->source.id = 2;
	s->source.key[0] = 2;
	e.link = "https://x.example/a";
	assert_int_equal(shelf_poll(s, &e, 1).revised, 1);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM item WHERE story = 1"), 3);
	assert_int_equal(shelf_ask(s, "SELECT story FROM alias WHERE id = 2"), 1);
	assert_int_equal(s->book.stories, 1);
	e.link = "https://x.example/elsewhere";
	e.title = "Nothing of the kind";
	assert_int_equal(shelf_poll(s, &e, 1).revised, 1);
	assert_int_equal(shelf_ask(s, "SELECT items FROM story"), 3);
	assert_int_equal(story(s, 4, "d", "https://x.example/b", "Found by the old link", NULL), 1);
}

/* A database from before version 9 has no near keys, and the keys of its stories by themselves. */
static void
stories_of_older_databases_are_found_by_link_and_title(void **state)
{
	static const char title[] = "The slow river that carries sand", link[] = "https://x.example/old";
	struct cr_record *r = record_new();
	struct shelf *s = *state;
	struct story_keys keys;
	char sql[160];

	assert_int_equal(story(s, 1, "a", link, title, NULL), 1);
	record_set(r, CR_LINK, link, strlen(link));
	record_set(r, CR_TITLE, title, strlen(title));
	story_keys(s->book.digest, r, &keys);
	record_free(r);
	snprintf(sql, sizeof(sql), "INSERT INTO story_key VALUES (%lld, 1), (%lld, 1)",
	    (long long)keys.was, (long long)keys.title);
	assert_int_equal(sqlite3_exec(s->book.db.handle, "DELETE FROM near", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(s->book.db.handle, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(story(s, 2, "b", "https://www.x.example/old?utm_source=b", "Another title", NULL), 1);
	assert_int_equal(story(s, 3, "c", "https://y.example/new", title, NULL), 1);
}

/* Three stories become one and lose their first item: each id names the story in which its item is. */
static void
ids_of_merged_stories_go_on_after_a_split(void **state)
{
	struct shelf *s = *state;

	for (int i = 1; i <= 3; i++)
		assert_int_equal(story(s, i, "x", NULL, i == 1 ? "One" : i == 2 ? "Two" : "Three", NULL), i);
	assert_int_equal(story_merge(&s->book, 3, 2), 2);
	assert_int_equal(story_merge(&s->book, 2, 1), 1);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM alias WHERE story = 1"), 2);
	assert_int_equal(s->book.stories, 1);
	assert_int_equal(story_part(&s->book, 1, 1), 2);
	assert_int_equal(shelf_ask(s, "SELECT story FROM alias"), 2);
	assert_int_equal(shelf_ask(s, "SELECT id FROM alias"), 3);
	assert_int_equal(shelf_ask(s, "SELECT items FROM story WHERE id = 2"), 2);
	assert_int_equal(story_part(&s->book, 2, 3), 2);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM alias"), 0);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM mention"), 0);
	assert_int_equal(s->book.stories, 3);
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
		TEST(a_short_title_needs_the_text),
		TEST(a_serial_title_needs_the_same_text),
		TEST(items_of_one_source_are_never_one_story),
		TEST(works_that_share_a_link_are_told_apart_by_their_titles),
		TEST(a_record_with_both_ids_joins_the_stories_of_each_in_any_order),
		TEST(two_works_of_one_scheme_stay_two_stories),
		TEST(a_link_with_titles_that_count_joins_nothing),
		TEST(a_revision_may_join_and_never_parts),
		TEST(stories_of_older_databases_are_found_by_link_and_title),
		TEST(ids_of_merged_stories_go_on_after_a_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

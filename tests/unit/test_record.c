/* A record keeps what it is given, travels unchanged, and refuses what is malformed. */
#include "base/mem.h"
#include "ipc/wire.h"
#include "record/record.h"
#include "record/record_json.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
set(struct cr_record *r, int field, const char *text)
{
	assert_int_equal(record_set(r, field, text, strlen(text)), 0);
}

static struct cr_record *
full(void)
{
	struct cr_record *r = record_new();

	set(r, CR_ID, "abcdefghijklmnopqrstuvwxyz");
	set(r, CR_SOURCE, "depot");
	set(r, CR_GUID, "g1");
	set(r, CR_LINK, "https://a.example/1");
	set(r, CR_TITLE, "Zwölf");
	set(r, CR_SUMMARY, "<p>x</p>");
	set(r, CR_CATEGORY, "one");
	set(r, CR_CATEGORY, "two");
	record_set_time(r, CR_PUBLISHED, 1700000000000);
	record_add_author(r, CR_AUTHOR, "Ann", "ann@a.example", NULL);
	record_add_author(r, CR_CONTRIBUTOR, NULL, NULL, "https://c.example/");
	record_add_enclosure(r, "https://a.example/1.mp3", "audio/mpeg", 1234);
	record_set_extra(r, "doi", "10.1/x");
	record_set_number(r, "score", 0.1);
	record_set_counter(r, "votes", 12);
	assert_null(record_bad(r));
	return r;
}

static struct cr_record *
again(const struct cr_record *r)
{
	struct cr_record *copy;
	struct buf b;

	buf_init(&b, RECORD_MAX);
	record_write(r, &b);
	assert_false(b.over);
	copy = record_read(b.data, b.len);
	buf_free(&b);
	return copy;
}

static char *
json(const struct cr_record *r, const struct record_json *about)
{
	struct buf b;

	buf_init(&b, 2 * RECORD_MAX);
	record_json(r, about, &b);
	return b.data;
}

static void
test_travels_unchanged(void **state)
{
	struct cr_record *r = full(), *copy = again(r);
	struct record_json about = { NULL, 0, CR_NO_TIME };
	struct record_author who;
	struct record_enclosure file;
	char *one, *two;
	double d;

	(void)state;
	assert_non_null(copy);
	one = json(r, &about);
	two = json(copy, &about);
	assert_string_equal(one, two);
	assert_string_equal(record_get(copy, CR_CATEGORY, 1), "two");
	assert_null(record_get(copy, CR_CATEGORY, 2));
	assert_true(record_author(copy, CR_AUTHOR, 0, &who));
	assert_string_equal(who.mail, "ann@a.example");
	assert_null(who.uri);
	assert_true(record_enclosure(copy, 0, &file));
	assert_int_equal(file.size, 1234);
	assert_string_equal(record_get(copy, CR_PUBLISHED, 0), "2023-11-14T22:13:20Z");
	assert_true(record_get_time(copy, CR_UPDATED) == CR_NO_TIME);
	assert_string_equal(record_get_extra(copy, "doi"), "10.1/x");
	assert_true(record_get_number(copy, "votes", &d) && d == 12.0);
	free(one);
	free(two);
	record_free(r);
	record_free(copy);
}

static void
test_json_members_in_order(void **state)
{
	struct cr_record *r = full();
	struct record_json about = { "abcdefghijklmnopqrstuvwxyz-r2", 2, 1700000001000 };
	char *text = json(r, &about);

	(void)state;
	assert_string_equal(text, "{\"id\":\"abcdefghijklmnopqrstuvwxyz-r2\",\"schema\":1,"
	    "\"source\":\"depot\",\"title\":\"Zwölf\",\"link\":\"https://a.example/1\","
	    "\"published\":\"2023-11-14T22:13:20Z\",\"seen\":\"2023-11-14T22:13:21Z\","
	    "\"authors\":[{\"name\":\"Ann\",\"mail\":\"ann@a.example\"}],"
	    "\"contributors\":[{\"uri\":\"https://c.example/\"}],"
	    "\"categories\":[\"one\",\"two\"],\"summary\":\"<p>x</p>\","
	    "\"enclosures\":[{\"url\":\"https://a.example/1.mp3\",\"type\":\"audio/mpeg\","
	    "\"size\":1234}],\"extras\":{\"doi\":\"10.1/x\"},\"numbers\":{\"score\":0.1},"
	    "\"counters\":{\"votes\":12},\"guid\":\"g1\","
	    "\"record\":\"abcdefghijklmnopqrstuvwxyz\",\"revision\":2}");
	free(text);
	record_free(r);
}

static void
test_empty_record_is_small(void **state)
{
	struct cr_record *r = record_new(), *copy = again(r);
	struct record_json about = { NULL, 0, CR_NO_TIME };
	char *text = json(copy, &about);

	(void)state;
	assert_string_equal(text, "{\"schema\":1}");
	free(text);
	record_free(r);
	record_free(copy);
}

static void
test_what_was_got_stays_readable(void **state)
{
	struct cr_record *r = record_new();
	const char *first;
	char *big = xcalloc(1, 100001);
	int i;

	(void)state;
	memset(big, 'x', 100000);
	set(r, CR_TITLE, "first");
	first = record_get(r, CR_TITLE, 0);
	for (i = 0; i < 20; i++)
		set(r, CR_CONTENT, big);
	set(r, CR_TITLE, "second");
	assert_string_equal(first, "first");
	assert_string_equal(record_get(r, CR_TITLE, 0), "second");
	record_clear(r);
	assert_null(record_get(r, CR_TITLE, 0));
	set(r, CR_CONTENT, big);
	assert_int_equal(strlen(record_get(r, CR_CONTENT, 0)), 100000);
	free(big);
	record_free(r);
}

static void
test_over_a_maximum_is_marked(void **state)
{
	struct cr_record *r = record_new();
	char *big = xcalloc(1, RECORD_TEXT_MAX + 2);
	int i;

	(void)state;
	memset(big, 'x', RECORD_TEXT_MAX + 1);
	assert_int_equal(record_set(r, CR_CONTENT, big, RECORD_TEXT_MAX), 0);
	assert_null(record_bad(r));
	assert_int_equal(record_set(r, CR_CONTENT, big, RECORD_TEXT_MAX + 1), -1);
	assert_string_equal(record_bad(r), "content: more than 1048576 bytes");
	record_clear(r);
	assert_null(record_bad(r));
	for (i = 0; i < RECORD_LIST_MAX; i++)
		assert_int_equal(record_set(r, CR_CATEGORY, "c", 1), 0);
	assert_int_equal(record_set(r, CR_CATEGORY, "c", 1), -1);
	assert_string_equal(record_bad(r), "category: more than 256 values");
	record_clear(r);
	for (i = 0; i < 10; i++)
		record_set(r, CR_SUMMARY, big, RECORD_TEXT_MAX);
	assert_string_equal(record_bad(r), "more than 4 MiB in all");
	free(big);
	record_free(r);
}

/* Set, written and read again: whatever takes a text takes the longest. */
static void
test_a_text_of_exactly_the_maximum_travels(void **state)
{
	static const int lines[] = { CR_SOURCE, CR_GUID, CR_LINK, CR_TITLE, CR_LANGUAGE, CR_IMAGE,
		CR_COMMENTS, CR_CATEGORY, CR_RIGHTS };
	char *big = xcalloc(1, RECORD_TEXT_MAX + 2), *line = big + RECORD_TEXT_MAX - RECORD_LINE_MAX;
	char *name = big + RECORD_TEXT_MAX - RECORD_NAME_MAX;
	struct cr_record *r = record_new(), *copy;
	struct record_author who;
	struct record_enclosure file;
	double d;

	(void)state;
	memset(big, 'x', RECORD_TEXT_MAX);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		set(r, lines[i], line);
	set(r, CR_ID, name);
	set(r, CR_CONTENT, big);
	set(r, CR_SUMMARY, big);
	assert_int_equal(record_set_extra(r, name, big), 0);
	assert_int_equal(record_set_number(r, name, 1), 0);
	assert_int_equal(record_set_counter(r, name, 2), 0);
	assert_int_equal(record_add_author(r, CR_AUTHOR, line, line, line), 0);
	assert_int_equal(record_add_enclosure(r, line, line, 1), 0);
	assert_null(record_bad(r));
	copy = again(r);
	assert_non_null(copy);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(record_get(copy, lines[i], 0), line);
	assert_string_equal(record_get(copy, CR_ID, 0), name);
	assert_string_equal(record_get(copy, CR_CONTENT, 0), big);
	assert_string_equal(record_get(copy, CR_SUMMARY, 0), big);
	assert_string_equal(record_get_extra(copy, name), big);
	assert_int_equal(record_get_number(copy, name, &d), 1);
	assert_int_not_equal(record_author(copy, CR_AUTHOR, 0, &who), -1);
	assert_string_equal(who.name, line);
	assert_string_equal(who.mail, line);
	assert_string_equal(who.uri, line);
	assert_int_not_equal(record_enclosure(copy, 0, &file), -1);
	assert_string_equal(file.url, line);
	assert_string_equal(file.type, line);
	record_free(copy);
	/* One more byte is too many, of each kind. */
	record_clear(r);
	memset(big, 'x', RECORD_TEXT_MAX + 1);
	assert_int_equal(record_set(r, CR_TITLE, line, strlen(line)), -1);
	assert_int_equal(record_set_number(r, name, 1), -1);
	assert_int_equal(record_set_extra(r, "e", big), -1);
	free(big);
	record_free(r);
}

/* The texts of a record together, each with the NUL behind it. */
static void
test_texts_of_exactly_the_maximum_together_travel(void **state)
{
	char *big = xcalloc(1, RECORD_TEXT_MAX + 1);
	struct cr_record *r = record_new(), *copy;
	size_t left = RECORD_MAX - (128u << 10) - 3 * (RECORD_TEXT_MAX + 1);

	(void)state;
	memset(big, 'x', RECORD_TEXT_MAX);
	set(r, CR_CONTENT, big);
	set(r, CR_SUMMARY, big);
	assert_int_equal(record_set_extra(r, "e", big), 0);
	left -= 2 + 2;			/* the names of the extras */
	big[left - 1] = '\0';
	assert_int_equal(record_set_extra(r, "f", big), 0);
	assert_null(record_bad(r));
	copy = again(r);
	assert_non_null(copy);
	assert_string_equal(record_get_extra(copy, "f"), big);
	assert_int_equal(record_set(r, CR_TITLE, "", 0), -1);
	assert_string_equal(record_bad(r), "more than 4 MiB in all");
	free(big);
	record_free(copy);
	record_free(r);
}

static void
test_wrong_kind_of_field_is_marked(void **state)
{
	static const int none[] = { 0, -1, CR_PUBLISHED, CR_TITLE_HTML, 21, 32, 33, 34, 35, 9999 };
	struct cr_record *r = record_new();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(record_set(r, none[i], "x", 1), -1);
		assert_non_null(record_bad(r));
		record_clear(r);
	}
	assert_int_equal(record_set_time(r, CR_TITLE, 1), -1);
	record_clear(r);
	assert_int_equal(record_set_number(r, "n", strtod("nan", NULL)), -1);
	record_free(r);
}

static void
test_changes_are_told_and_done_again(void **state)
{
	struct cr_record *r = full(), *base = full(), *changes = record_new(), *read;
	struct record_json about = { NULL, 0, CR_NO_TIME };
	char *one, *two;

	(void)state;
	record_watch(r);
	assert_false(record_changes(r, changes));
	set(r, CR_TITLE, "Other");
	set(r, CR_SUMMARY, "");
	set(r, CR_CATEGORY, "three");
	record_set_extra(r, "note", "n");
	record_set_counter(r, "votes", 13);
	record_set_time(r, CR_PUBLISHED, CR_NO_TIME);
	assert_true(record_changes(r, changes));
	assert_null(record_get(changes, CR_LINK, 0));
	assert_null(record_get(changes, CR_AUTHOR, 0));
	assert_null(record_get_extra(changes, "doi"));
	read = again(changes);
	record_overlay(base, read);
	one = json(r, &about);
	two = json(base, &about);
	assert_string_equal(record_get(base, CR_CATEGORY, 2), "three");
	assert_null(record_get(base, CR_CATEGORY, 3));
	assert_null(record_get(base, CR_SUMMARY, 0));
	assert_true(record_get_time(base, CR_PUBLISHED) == CR_NO_TIME);
	assert_non_null(strstr(two, "\"votes\":13"));
	assert_int_equal(strlen(one), strlen(two));
	free(one);
	free(two);
	record_free(r);
	record_free(base);
	record_free(changes);
	record_free(read);
}

/* Every byte of a written record is changed in turn, and every length cut: never a crash, and what
 * is still read is written and read again. */
static void
test_malformed_is_refused(void **state)
{
	struct cr_record *r = full(), *copy;
	struct buf b;
	size_t i, refused = 0;
	int v;

	(void)state;
	buf_init(&b, RECORD_MAX);
	record_write(r, &b);
	for (i = 0; i < b.len; i++)
		if ((copy = record_read(b.data, i)) != NULL)
			record_free(copy);
		else
			refused++;
	assert_true(refused > b.len * 3 / 4);
	for (i = 0; i < b.len; i++)
		for (v = 0; v < 256; v += 5) {
			char was = b.data[i];

			b.data[i] = (char)v;
			if ((copy = record_read(b.data, b.len)) != NULL)
				record_free(again(copy));
			record_free(copy);
			b.data[i] = was;
		}
	buf_free(&b);
	record_free(r);
	assert_null(record_read("", 0));
}

static int
reads(const char *title)
{
	struct cr_record *r = record_new(), *copy;
	int ok;

	record_set(r, CR_TITLE, title, strlen(title));
	copy = again(r);
	ok = copy != NULL;
	record_free(r);
	record_free(copy);
	return ok;
}

static void
test_unclean_text_is_refused(void **state)
{
	(void)state;
	assert_true(reads("tab\t, line\n, Zwölf \xf0\x9f\x98\x80"));
	assert_false(reads("\x01"));
	assert_false(reads("\xff"));
	assert_false(reads("cut \xc3"));
	assert_false(reads("\xed\xa0\x80"));	/* a surrogate */
	assert_false(reads("\xef\xbf\xbf"));	/* U+FFFF */
	assert_true(reads("\xef\xbf\xbd"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_travels_unchanged),
		cmocka_unit_test(test_json_members_in_order),
		cmocka_unit_test(test_empty_record_is_small),
		cmocka_unit_test(test_what_was_got_stays_readable),
		cmocka_unit_test(test_over_a_maximum_is_marked),
		cmocka_unit_test(test_a_text_of_exactly_the_maximum_travels),
		cmocka_unit_test(test_texts_of_exactly_the_maximum_together_travel),
		cmocka_unit_test(test_wrong_kind_of_field_is_marked),
		cmocka_unit_test(test_changes_are_told_and_done_again),
		cmocka_unit_test(test_malformed_is_refused),
		cmocka_unit_test(test_unclean_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

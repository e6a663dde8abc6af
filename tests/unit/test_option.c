/* Options: what each type takes, what is said of the rest, and the struct that comes of it. */
#include "base/buf.h"
#include "catalog/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct all {
	const char		*text, *need, *url, *key;
	int64_t			 count, wait, size;
	int			 on, word;
	double			 part;
	const char *const	*list, *const *some;
};
static const struct cr_option table[] = {
	CR_OPTION(struct all, text, STRING, "blue", NULL, "a colour"),
	CR_OPTION(struct all, need, STRING, NULL, NULL, "a thing"),
	CR_OPTION(struct all, url, URL, "", NULL, NULL),
	CR_OPTION(struct all, key, SECRET, "", NULL, NULL),
	CR_OPTION(struct all, count, INT, "7", "1..500", NULL),
	CR_OPTION(struct all, wait, DURATION, "5 min", "1 s..2 h", NULL),
	CR_OPTION(struct all, size, SIZE, "", "0..", NULL),
	CR_OPTION(struct all, on, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct all, word, ENUM, "any", "none|any|all", NULL),
	CR_OPTION(struct all, part, NUMBER, "0.5", "..1", NULL),
	CR_OPTION(struct all, list, LIST, "a|b c", NULL, NULL),
	CR_OPTION(struct all, some, LIST, "", "x|y|z", NULL),
	CR_END
};

static void
durations_and_sizes_need_units(void **state)
{
	static const struct { const char *text; int64_t is;
	} durations[] = {
		{ "5 min", 300000 }, { "30 s", 30000 }, { "2h", 7200000 }, { "7 d", 604800000 },
		{ "1 w", 604800000 }, { "0", 0 }, { "0 s", 0 }, { "250 ms", 250 },
		{ "1.5 s", 1500 },
		{ "5", -1 }, { "", -1 }, { "min", -1 }, { "5 mni", -1 }, { "-1 s", -1 },
		{ "1. s", -1 },
		{ "1 s ", -1 }, { " 1 s", -1 }, { "99999999999999 w", -1 }, { "0x5 s", -1 },
		{ "9999999999999999999 ms", -1 }, { "1 S", -1 },
	}, sizes[] = {
		{ "10 MB", 10000000 }, { "64 KiB", 65536 }, { "1GiB", 1 << 30 }, { "3 B", 3 },
		{ "2 kB", 2000 }, { "0", 0 }, { "2 KB", -1 }, { "7", -1 }, { "9999999999 GB", -1 },
		{ "0.25 KiB", 256 }, { "1.5 KiB", 1536 }, { "0.75MiB", 786432 },
		{ "0.001 MiB", 1048 }, { "2.125 GiB", 2281701376 }, { "0.000001 GiB", 1073 },
		{ "0.25 kB", 250 }, { "1.999999 MB", 1999999 }, { "0.5 B", 0 }, { "0.0 KiB", 0 },
		{ "0.1234567 KiB", -1 }, { ".5 KiB", -1 }, { "1. KiB", -1 },
	};
	int64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		v = -1;
		if (option_duration(durations[i].text, &v) == -1)
			assert_int_equal(v, -1);
		if (v != durations[i].is)
			fail_msg("%s: %jd", durations[i].text, (intmax_t)v);
	}
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		v = -1;
		if (option_size(sizes[i].text, &v) == -1)
			assert_int_equal(v, -1);
		if (v != sizes[i].is)
			fail_msg("%s: %jd", sizes[i].text, (intmax_t)v);
	}
}

static void
switches_have_two_sides(void **state)
{
	(void)state;
	assert_int_equal(option_bool("yes"), 1);
	assert_int_equal(option_bool("TRUE"), 1);
	assert_int_equal(option_bool("on"), 1);
	assert_int_equal(option_bool("1"), 1);
	assert_int_equal(option_bool("no"), 0);
	assert_int_equal(option_bool("off"), 0);
	assert_int_equal(option_bool("false"), 0);
	assert_int_equal(option_bool("0"), 0);
	assert_int_equal(option_bool("maybe"), -1);
	assert_int_equal(option_bool(""), -1);
}

static void
complaints_say_what_would_do(void **state)
{
	static const struct { const char *name, *text, *said;
	} v[] = {
		{ "wait", "5 mni", "wait: \"5 mni\" is no duration; say 30 s, 5 min, 2 h, 7 d" },
		{ "wait", "5", "wait: \"5\" lacks a unit; say 30 s, 5 min, 2 h, 7 d" },
		{ "wait", "0", "wait: \"0\" is out of range; say 1 s..2 h" },
		{ "wait", "3 h", "wait: \"3 h\" is out of range; say 1 s..2 h" },
		{ "wait", "2 h", NULL },
		{ "count", "0", "count: \"0\" is out of range; say 1..500" },
		{ "count", "501", "count: \"501\" is out of range; say 1..500" },
		{ "count", "x", "count: \"x\" is no whole number" },
		{ "count", "1.5", "count: \"1.5\" is no whole number" },
		{ "count", "99999999999999999999",
		    "count: \"99999999999999999999\" is no whole number" },
		{ "count", "500", NULL },
		{ "size", "-1 kB", "size: \"-1 kB\" is no size; say 500 kB, 10 MB, 64 KiB" },
		{ "on", "jes", "on: \"jes\" is no switch; say yes or no" },
		{ "word", "some", "word: \"some\" is not one of none, any, all" },
		{ "word", "an", "word: \"an\" is not one of none, any, all" },
		{ "word", "", "word: \"\" is empty; say one of none, any, all" },
		{ "some", "w", "some: \"w\" is not some of x, y, z" },
		{ "part", "1.01", "part: \"1.01\" is out of range; say ..1" },
		{ "part", "nan", "part: \"nan\" is no number; say 3, 0.5" },
		{ "part", "-1e3", NULL },
		{ "url", "example.org",
		    "url: \"example.org\" is no URL; say https://example.org/" },
		{ "url", "https://a b",
		    "url: \"https://a b\" is no URL; say https://example.org/" },
		{ "url", "smtp://mail:587", NULL },
		{ "url", "", NULL },
		{ "need", "", "need: \"\" is empty; say a text" },
		{ "text", "", NULL },
		{ "list", "any\nthing", NULL },
	};
	const struct cr_option *o;
	struct buf err;

	(void)state;
	buf_init(&err, 4096);
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		buf_clear(&err);
		o = option_find(table, v[i].name);
		if (v[i].said == NULL) {
			if (option_check(o, v[i].text, &err) == -1)
				fail_msg("%s", err.data);
			continue;
		}
		assert_int_equal(option_check(o, v[i].text, &err), -1);
		assert_string_equal(err.data, v[i].said);
	}
	buf_free(&err);
}

static void
a_secret_is_not_shown_and_a_long_value_is_cut(void **state)
{
	static const struct cr_option key = { "key", CR_SECRET, 0, NULL, NULL, NULL };
	static const struct cr_option url = { "url", CR_URL, 0, NULL, NULL, NULL };
	char *text = malloc(OPTION_VALUE_MAX + 2);
	struct buf err;

	(void)state;
	buf_init(&err, 4096);
	memset(text, 's', OPTION_VALUE_MAX + 1);
	text[OPTION_VALUE_MAX + 1] = '\0';
	assert_int_equal(option_check(&key, text, &err), -1);
	assert_string_equal(err.data, "key: longer than 65536 bytes");
	buf_clear(&err);
	text[OPTION_VALUE_MAX] = '\0';
	assert_int_equal(option_check(&key, text, &err), 0);
	memcpy(text, "http:", 5);
	text[8193] = '\0';
	assert_int_equal(option_check(&url, text, &err), -1);
	text[8192] = '\0';
	buf_clear(&err);
	assert_int_equal(option_check(&url, text, &err), 0);
	memcpy(text, "sssss", 5);
	assert_int_equal(option_check(&key, "", &err), -1);
	assert_string_equal(err.data, "key: is empty; say a secret");
	buf_clear(&err);
	text[200] = '\0';
	assert_int_equal(option_check(option_find(table, "count"), text, &err), -1);
	assert_non_null(strstr(err.data, "sss...\" is no whole number"));
	assert_in_range(err.len, 90, 130);
	free(text);
	buf_free(&err);
}

static void
a_struct_is_filled_by_defaults_then_values(void **state)
{
	struct options given = { 0 };
	struct all o = { 0 };
	struct buf err;

	(void)state;
	buf_init(&err, 4096);
	options_add(&given, "need", "it");
	assert_int_equal(option_fill(table, &o, sizeof(o), &given, &err), 0);
	assert_string_equal(o.text, "blue");
	assert_string_equal(o.need, "it");
	assert_null(o.url);
	assert_null(o.key);
	assert_int_equal(o.count, 7);
	assert_int_equal(o.wait, 300000);
	assert_int_equal(o.size, 0);
	assert_int_equal(o.on, 1);
	assert_int_equal(o.word, 1);
	assert_true(o.part > 0.49 && o.part < 0.51);
	assert_string_equal(o.list[0], "a");
	assert_string_equal(o.list[1], "b c");
	assert_null(o.list[2]);
	assert_non_null(o.some);
	assert_null(o.some[0]);
	option_unfill(table, &o);
	assert_null(o.text);

	memset(&o, 0, sizeof(o));
	options_add(&given, "list", "one");
	options_add(&given, "list", "two");
	options_add(&given, "list", "three");
	options_add(&given, "key", "k1");
	options_add(&given, "key", "k2");
	options_add(&given, "word", "all");
	options_add(&given, "on", "no");
	options_add(&given, "text", "");
	options_add(&given, "size", "1 KiB");
	options_add(&given, "some", "");
	assert_int_equal(option_fill(table, &o, sizeof(o), &given, &err), 0);
	assert_string_equal(o.list[2], "three");
	assert_null(o.list[3]);
	assert_string_equal(o.key, "k1\nk2");
	assert_int_equal(o.word, 2);
	assert_int_equal(o.on, 0);
	assert_string_equal(o.text, "");
	assert_int_equal(o.size, 1024);
	assert_null(o.some[0]);
	option_unfill(table, &o);
	options_free(&given);
	buf_free(&err);
}

static void
not_filled(const char *name, const char *value, const char *more, const char *said)
{
	static const struct all none;
	struct options given = { 0 };
	struct all o = { 0 };
	struct buf err;

	buf_init(&err, 4096);
	if (strcmp(name, "text") != 0)
		options_add(&given, "need", "it");
	options_add(&given, name, value);
	if (more != NULL)
		options_add(&given, name, more);
	assert_int_equal(option_fill(table, &o, sizeof(o), &given, &err), -1);
	assert_string_equal(err.data, said);
	assert_memory_equal(&o, &none, sizeof(o));
	options_free(&given);
	buf_free(&err);
}

static void
what_cannot_be_filled_leaves_nothing(void **state)
{
	struct options empty = { 0 };
	struct all o = { 0 };
	struct buf err;

	(void)state;
	not_filled("text", "x", NULL, "need: has to be given (a thing)");
	not_filled("cuont", "5", NULL, "cuont: no such option; did you mean count");
	not_filled("qqqqqq", "5", NULL, "qqqqqq: no such option");
	not_filled("count", "5", "6", "count: takes one value");
	not_filled("some", "x", "q", "some: \"q\" is not some of x, y, z");
	not_filled("part", "2", NULL, "part: \"2\" is out of range; say ..1");
	buf_init(&err, 4096);
	assert_int_equal(option_fill(table, &o, sizeof(o) - 8, &empty, &err), -1);
	buf_free(&err);
	assert_int_equal(option_fill(NULL, NULL, 0, &empty, &err), 0);
	option_unfill(NULL, NULL);
}

static void
values_travel_as_bytes(void **state)
{
	struct options all = { 0 }, back;
	struct bytes bytes;
	struct buf b;
	size_t i;

	(void)state;
	buf_init(&b, 4096);
	options_write(&all, &b);
	assert_int_equal(b.len, 0);
	options_add(&all, "a", "1");
	options_add(&all, "b", "");
	options_add(&all, "a", "2\n3");
	options_write(&all, &b);
	bytes = (struct bytes){ b.data, b.len };
	assert_int_equal(options_read(&back, bytes), 0);
	assert_int_equal(back.n, 3);
	assert_string_equal(options_get(&back, "a"), "1");
	assert_string_equal(back.v[2].value, "2\n3");
	assert_string_equal(options_get(&back, "b"), "");
	assert_null(options_get(&back, "c"));
	options_free(&back);
	for (i = 1; i < b.len; i++) {
		bytes.len = i;
		if (options_read(&back, bytes) == 0)
			assert_true(i == 4 || i == 7);
		else
			assert_int_equal(back.n, 0);
		options_free(&back);
	}
	options_free(&all);
	buf_free(&b);
}

static void
bad_table(struct cr_option one, const char *said)
{
	const struct cr_option v[] = { { "first", CR_INT, 0, "", NULL, NULL }, one, CR_END };
	struct buf err;

	buf_init(&err, 4096);
	assert_int_equal(option_table(v, 64, &err), -1);
	assert_string_equal(err.data, said);
	buf_free(&err);
}

static void
tables_are_checked(void **state)
{
	struct buf err;

	(void)state;
	buf_init(&err, 4096);
	assert_int_equal(option_table(table, sizeof(struct all), &err), 0);
	assert_int_equal(option_table(NULL, 0, &err), 0);
	buf_free(&err);
	bad_table((struct cr_option){ "first", CR_INT, 8, "", NULL, NULL },
	    "option first: twice in the table");
	bad_table((struct cr_option){ "x", 77, 8, "", NULL, NULL },
	    "option x: no type 77 in this version");
	bad_table((struct cr_option){ "x-y", CR_INT, 8, "", NULL, NULL },
	    "option 2: its name is no C name");
	bad_table((struct cr_option){ "2x", CR_INT, 8, "", NULL, NULL },
	    "option 2: its name is no C name");
	bad_table((struct cr_option){ "x", CR_INT, 60, "", NULL, NULL },
	    "option x: outside of options_size");
	bad_table((struct cr_option){ "x", CR_INT, SIZE_MAX - 4, "", NULL, NULL },
	    "option x: outside of options_size");
	bad_table((struct cr_option){ "x", CR_BOOL, 4, "", NULL, NULL },
	    "option x: its member overlaps another");
	bad_table((struct cr_option){ "x", CR_INT, 12, "", NULL, NULL },
	    "option x: its member overlaps another");
	bad_table((struct cr_option){ "x", CR_INT, 8, "", "5..1", NULL },
	    "option x: its range \"5..1\" is none of a whole number");
	bad_table((struct cr_option){ "x", CR_DURATION, 8, "", "5 s..1 s", NULL },
	    "option x: its range \"5 s..1 s\" is none of a duration");
	bad_table((struct cr_option){ "x", CR_DURATION, 8, "", "1..5", NULL },
	    "option x: its range \"1..5\" is none of a duration");
	bad_table((struct cr_option){ "x", CR_STRING, 8, "", "1..5", NULL },
	    "option x: its range \"1..5\" is none of a text");
	bad_table((struct cr_option){ "x", CR_ENUM, 8, "", NULL, NULL },
	    "option x: its range \"\" is none of a choice");
	bad_table((struct cr_option){ "x", CR_ENUM, 8, "c", "a|b", NULL },
	    "x: \"c\" is not one of a, b");
	bad_table((struct cr_option){ "x", CR_INT, 8, "9", "1..5", NULL },
	    "x: \"9\" is out of range; say 1..5");
	bad_table((struct cr_option){ "x", CR_LIST, 8, "a|d", "a|b", NULL },
	    "x: \"d\" is not some of a, b");
}

static void
the_nearest_name_is_found(void **state)
{
	static const char *const names[] = { "contact", "serve", "sources", "routes", "at_once" };
	static const struct { const char *written, *meant; } v[] = {
		{ "contct", "contact" }, { "source", "sources" }, { "at-once", "at_once" },
		{ "Routes", "routes" }, { "sreve", "serve" }, { "x", NULL }, { "telephone", NULL },
		{ "", NULL },
	};
	const char *got;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		got = option_nearest(v[i].written, names, 5);
		if (got != v[i].meant && (got == NULL || v[i].meant == NULL ||
		    strcmp(got, v[i].meant) != 0))
			fail_msg("%s: %s", v[i].written, got != NULL ? got : "nothing");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_and_sizes_need_units),
		cmocka_unit_test(switches_have_two_sides),
		cmocka_unit_test(complaints_say_what_would_do),
		cmocka_unit_test(a_secret_is_not_shown_and_a_long_value_is_cut),
		cmocka_unit_test(a_struct_is_filled_by_defaults_then_values),
		cmocka_unit_test(what_cannot_be_filled_leaves_nothing),
		cmocka_unit_test(values_travel_as_bytes),
		cmocka_unit_test(tables_are_checked),
		cmocka_unit_test(the_nearest_name_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plugin json's own: paths into documents, values as text and numbers, documents that are mended. */
#include "../../plugins/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *
json(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, &e);

	if (v == NULL)
		fail_msg("%s: %s", text, e.text);
	return v;
}

static void
leads(const char *doc, const char *path, const char *want)
{
	json_t *v = json(doc);
	const json_t *at = path_one(v, path);
	char *text = value_text(at);

	if (want == NULL && text != NULL)
		fail_msg("%s in %s: %s", path, doc, text);
	if (want != NULL && (text == NULL || strcmp(text, want) != 0))
		fail_msg("%s in %s: %s, not %s", path, doc, text != NULL ? text : "nothing", want);
	free(text);
	json_decref(v);
}

static void
paths_lead_to_values(void **state)
{
	(void)state;
	leads("{\"a\":{\"b\":[1,2]}}", "a.b", "[1,2]");
	leads("{\"a\":{\"b\":[1,2]}}", "a.b.1", "2");
	leads("{\"a\":[{\"b\":1},{\"b\":2}]}", "a.b", "1");
	leads("{\"a.b\":3,\"a\":{\"b\":4}}", "a.b", "3");
	leads("[5]", ".", "[5]");
	leads("[5]", "0", "5");
	leads("{\"a\":null}", "a", NULL);
	leads("{\"a\":1}", "a.b", NULL);
	leads("[[[[6]]]]", "0.0.0.0", "6");
}

static void
places_that_are_none_lead_nowhere(void **state)
{
	(void)state;
	leads("[1,2]", "-1", NULL);
	leads("[1,2]", "2", NULL);
	leads("[1,2]", "18446744073709551616", NULL);
	leads("[1,2]", "0x1", NULL);
	leads("[1,2]", "1 ", NULL);
	leads("{\"-1\":7}", "-1", "7");
	leads("{\"\":7}", ".", "{\"\":7}");
}

static void
a_path_ends_at_its_maximum(void **state)
{
	char deep[4 * API_DEPTH] = "", path[4 * API_DEPTH] = "", *at = path;
	size_t i;

	(void)state;
	for (i = 0; i < API_DEPTH + 2; i++) {
		deep[i] = '[';
		deep[2 * (API_DEPTH + 2) - i] = ']';
		at = stpcpy(at, i > 0 ? ".0" : "0");
	}
	deep[API_DEPTH + 2] = '1';
	leads(deep, path, NULL);
	path[2 * (API_DEPTH - 2) - 1] = '\0';
	leads(deep, path, "[[[[1]]]]");
}

static void
lists_are_gone_through_up_to_their_maximum(void **state)
{
	json_t *list = json_array();
	struct found f;

	(void)state;
	for (int i = 0; i < 2 * API_LIST; i++)
		json_array_append_new(list, json_pack("{s:i}", "n", i));
	path_find(&f, list, "n");
	assert_int_equal(f.n, API_LIST);
	assert_int_equal(json_integer_value(f.v[API_LIST - 1]), API_LIST - 1);
	json_decref(list);
}

static void
zeros_in_a_text_do_not_cut_it(void **state)
{
	(void)state;
	leads("\"a\\u0000b\"", ".", "a\xef\xbf\xbd" "b");
	leads("\"\\u0000\"", ".", "\xef\xbf\xbd");
	leads("\"\"", ".", NULL);
}

static void
numbers_are_finite(void **state)
{
	static const struct { const char *doc; int is; double d; } cases[] = {
		{ "1.5", 1, 1.5 }, { "\"-2e3\"", 1, -2000 }, { "true", 1, 1 }, { "[1,2,3]", 1, 3 },
		{ "\"1e999\"", 0, 0 }, { "\"NaN\"", 0, 0 }, { "\"inf\"", 0, 0 }, { "\"\"", 0, 0 },
		{ "\"0x10\"", 0, 0 }, { "\"1 2\"", 0, 0 }, { "{}", 0, 0 }, { "null", 0, 0 },
		{ "\"1\\u00002\"", 0, 0 },
	};
	json_t *v;
	double d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = json(cases[i].doc);
		if (value_number(v, &d) != cases[i].is || (cases[i].is &&
		    (d < cases[i].d || d > cases[i].d)))
			fail_msg("%s", cases[i].doc);
		json_decref(v);
	}
}

static void
mends(const char *text, const char *want)
{
	size_t len;
	char *out = json_mend(text, strlen(text), &len);

	assert_non_null(out);
	if (len != strlen(want) || memcmp(out, want, len) != 0)
		fail_msg("%s: %.*s, not %s", text, (int)len, out, want);
	free(out);
}

static void
what_is_nearly_json_is_mended(void **state)
{
	(void)state;
	mends("{\"a\": NaN, \"b\": -Infinity, \"c\":[nan,inf]}",
	    "{\"a\": null, \"b\": null, \"c\":[null,null]}");
	mends("\"NaN \\\" NaN\"", "\"NaN \\\" NaN\"");
	mends("\"\\ud83d\"", "\"\\ufffd\"");
	mends("\"\\uDE00x\\uD83D\\uDE00\"", "\"\\ufffdx\\uD83D\\uDE00\"");
	mends("\"\\ud83d\\ud83d\\ude00\"", "\"\\ufffd\\ud83d\\ude00\"");
	mends("\"\\\\ud83d\"", "\"\\\\ud83d\"");
	mends("\"a\nb\tc\"", "\"a b c\"");
	mends("{\"a\\u0000\":1}", "{\"a\\ufffd\":1}");
}

static void
long_numbers_keep_their_digits(void **state)
{
	(void)state;
	mends("[18446744073709551615,-9223372036854775809,123456789012345678]",
	    "[\"18446744073709551615\",\"-9223372036854775809\",123456789012345678]");
	mends("[1e999,-1e999,1e30,0.12345678901234567890]",
	    "[\"1e999\",\"-1e999\",1e30,0.12345678901234567890]");
}

static void
what_breaks_off_is_left_so(void **state)
{
	static const char *const texts[] = { "", "\"", "\"\\", "\"\\u", "\"\\ud8", "\"\\ud83d\\u", "-",
		"[\"a\\ud83d\\ude0", "Na", "-Infinit" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *copy = strdup(texts[i]), *out;	/* as long as it is, for sanitizers */
		size_t len;

		out = json_mend(copy, strlen(copy), &len);
		assert_non_null(out);
		assert_true(len <= strlen(texts[i]) + 1);
		free(out);
		free(copy);
	}
}

static void
nothing_grows_past_its_room(void **state)
{
	static const char *const texts[] = { "nan", "1e309", "1e309nan", "1e309[", "inf-",
		"\"\\ud83d\"", "1e309\"\"" };
	char text[3000] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]), at, len;

		for (at = 0; at + n < sizeof(text); at += n)
			memcpy(text + at, texts[i], n);
		text[at] = '\0';
		free(json_mend(text, at, &len));
		assert_true(len <= at + at / 2 + 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_lead_to_values),
		cmocka_unit_test(places_that_are_none_lead_nowhere),
		cmocka_unit_test(a_path_ends_at_its_maximum),
		cmocka_unit_test(lists_are_gone_through_up_to_their_maximum),
		cmocka_unit_test(zeros_in_a_text_do_not_cut_it),
		cmocka_unit_test(numbers_are_finite),
		cmocka_unit_test(what_is_nearly_json_is_mended),
		cmocka_unit_test(long_numbers_keep_their_digits),
		cmocka_unit_test(what_breaks_off_is_left_so),
		cmocka_unit_test(nothing_grows_past_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

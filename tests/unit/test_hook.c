/* Bodies of webhooks: where texts are cut, what services count, how much a message holds. */
#include "../../plugins/shared/grapheme.h"
#include "../../plugins/webhook/webhook.h"
#include "record/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "record/record_json.h"

#define SMILE	"\xf0\x9f\x98\x80"
#define ZWJ	"\xe2\x80\x8d"
#define DOTS	"\xe2\x80\xa6"
#define ZERO	"\xe2\x80\x8b"

static struct buf json;

static const char *
host_json(const struct cr_record *rec)
{
	const struct record_json how = { .seen = 0 };

	buf_clear(&json);
	record_json(rec, &how, &json);
	return json.data;
}

static struct cr host = { .size = sizeof(struct cr), .get = record_get, .json = host_json };

static struct cr_record *
record(const char *title, const char *link)
{
	struct cr_record *r = record_new();

	record_set(r, CR_ID, "aaaaaaaaaaaaaaaaaaaaaaaaaa", 26);
	record_set(r, CR_SOURCE, "s", 1);
	if (title != NULL)
		record_set(r, CR_TITLE, title, strlen(title));
	if (link != NULL)
		record_set(r, CR_LINK, link, strlen(link));
	return r;
}

static void
seen_characters_are_whole(void **state)
{
	static const struct { const char *s; size_t len; } cases[] = {
		{ "a", 1 }, { "ab", 1 }, { "e\xcc\x81x", 3 }, { "\xc3\xa9x", 2 }, { "\r\nx", 2 },
		{ "\n\xcc\x81", 1 }, { SMILE "x", 4 }, { SMILE "\xf0\x9f\x8f\xbdx", 8 },	/* with a skin */
		{ SMILE ZWJ SMILE ZWJ SMILE "x", 18 }, { "\xe2\x9d\xa4\xef\xb8\x8fx", 6 },
		{ "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa", 8 },	/* two flags */
		{ "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8\xe1\x84\x80", 9 },	/* Hangul, in letters */
		{ "\xea\xb0\x80\xe1\x86\xa8x", 6 }, { "\xe1\x84\x80\xea\xb0\x80x", 6 },
		{ "\xe0\xa4\x95\xe0\xa4\xbex", 6 },				/* a vowel sign */
		{ "\xf0\x9f\x8f\xb4\xf3\xa0\x81\xa7\xf3\xa0\x81\xbf.", 12 },	/* a flag by tags */
		{ "\xef\xbe\x8a\xef\xbe\x9fx", 6 },
	};
	char zalgo[1001] = "a";
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(grapheme(cases[i].s, strlen(cases[i].s)), cases[i].len);
	for (i = 1; i + 1 < sizeof(zalgo) - 1; i += 2)
		memcpy(zalgo + i, "\xcc\x81", 2);
	n = grapheme(zalgo, strlen(zalgo));
	assert_true(n <= GRAPHEME_MAX && n > GRAPHEME_MAX - 3 && (zalgo[n] & 0xc0) != 0x80);
}

static void
texts_are_counted_and_cut_in_units(void **state)
{
	static const struct { const char *s; enum units units; size_t n, max; const char *cut; } cases[] = {
		{ "abc", UNITS_BYTES, 3, 3, "abc" }, { "abcd", UNITS_BYTES, 4, 3, DOTS },
		{ "abcde", UNITS_BYTES, 5, 4, "a" DOTS }, { "abc", UNITS_CODE_POINTS, 3, 2, "a" DOTS },
		{ SMILE SMILE, UNITS_UTF16, 4, 4, SMILE SMILE }, { SMILE SMILE, UNITS_UTF16, 4, 3, SMILE DOTS },
		{ SMILE SMILE, UNITS_UTF16, 4, 2, DOTS }, { SMILE SMILE, UNITS_CODE_POINTS, 2, 2, SMILE SMILE },
		{ "e\xcc\x81" "e\xcc\x81z", UNITS_SEEN, 3, 2, "e\xcc\x81" DOTS },
		{ "e\xcc\x81" "e\xcc\x81z", UNITS_CODE_POINTS, 5, 4, "e\xcc\x81" DOTS },
		{ "one two", UNITS_SEEN, 7, 5, "one" DOTS }, { "", UNITS_SEEN, 0, 1, "" },
	};
	struct text t = { NULL, 0, 0, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text_clear(&t);
		text_str(&t, cases[i].s);
		assert_int_equal(text_units(t.data, t.len, cases[i].units), cases[i].n);
		text_cut(&t, cases[i].max, cases[i].units);
		assert_int_equal(t.len, strlen(cases[i].cut));
		if (t.len > 0)
			assert_string_equal(t.data, cases[i].cut);
	}
	text_free(&t);
}

static void
lines_are_of_their_service(void **state)
{
	static const struct { enum chat chat; const char *title, *link, *line; } cases[] = {
		{ CHAT_MARKDOWN, "a*b [c] <d> @e", "https://x/(1)", "[a\\*b \\[c\\] \\<d\\> @" ZERO
		    "e](https://x/%281%29) \xc2\xb7 s" },
		{ CHAT_MRKDWN, "a & <!here> @b", "https://x/?a&b|c", "<https://x/?a&amp;b%7Cc|a &amp; "
		    "&lt;!here&gt; @" ZERO "b> \xc2\xb7 s" },
		{ CHAT_HTML, "<b>\"a\"</b>", "https://x/?\"&", "<a href=\"https://x/?%22&amp;\">&lt;b&gt;"
		    "&quot;a&quot;&lt;/b&gt;</a> \xc2\xb7 s" },
		{ CHAT_PLAIN, "a\tb\nc @room", "https://x/", "a b c @" ZERO "room \xc2\xb7 s\nhttps://x/" },
		{ CHAT_HTML, "a", "tg://user?id=1&b", "a tg://user?id=1&amp;b \xc2\xb7 s" },
		{ CHAT_MRKDWN, "a", "<!here>", "a &lt;!here&gt; \xc2\xb7 s" },
		{ CHAT_MARKDOWN, "a", NULL, "a \xc2\xb7 s" },
		{ CHAT_PLAIN, NULL, NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaa \xc2\xb7 s" },
		{ CHAT_PLAIN, NULL, "https://x/", "https://x/ \xc2\xb7 s\nhttps://x/" },
	};
	const struct limit none = { NO_LIMIT, NO_LIMIT, UNITS_BYTES };
	struct text t = { NULL, 0, 0, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cr_record *r = record(cases[i].title, cases[i].link);

		text_clear(&t);
		assert_int_equal(chat_line(&t, &host, r, cases[i].chat, &none), 0);
		assert_string_equal(t.data, cases[i].line);
		record_free(r);
	}
	text_free(&t);
}

/* A line that may have 40 characters, with links and titles of any length. */
static void
a_line_keeps_its_limit_by_a_character(void **state)
{
	const struct limit limit = { 40, 20, UNITS_CODE_POINTS };
	char title[61], link[61] = "https://";
	struct text t = { NULL, 0, 0, 0 };

	(void)state;
	for (size_t n = 1; n < 60; n++)
		for (size_t l = 8; l < 60; l++) {
			struct cr_record *r;
			size_t shown = n < 20 ? n : 20, least = shown < 16 ? shown : 16,
			       fixed = l + 4;
			int fits = fixed + least <= 40, source = fixed + 4 + least <= 40;

			memset(title, 't', n);
			title[n] = '\0';
			memset(link + 8, 'l', l - 8);
			link[l] = '\0';
			r = record(title, link);
			text_clear(&t);
			assert_int_equal(
			    chat_line(&t, &host, r, CHAT_MARKDOWN, &limit), fits ? 0 : -1);
			record_free(r);
			if (!fits) {
				assert_int_equal(t.len, 0);
				continue;
			}
			assert_true(text_units(t.data, t.len, UNITS_CODE_POINTS) <= 40);
			assert_non_null(strstr(t.data, link));
			assert_int_equal(strstr(t.data, " \xc2\xb7 s") != NULL, source);
			assert_int_equal(strstr(t.data, DOTS) != NULL,
			    n > 20 || fixed + 4 * (size_t)source + shown > 40);
		}
	text_free(&t);
}

/* 2,000 characters of Discord hold so many lines, their ends counted, and one more does not fit. */
static void
a_message_holds_as_many_lines_as_its_service_takes(void **state)
{
	const struct body b = { .cr = &host, .preset = preset_find("discord") };
	struct cr_record *r[32];
	char link[200];

	(void)state;
	memset(link, 'l', sizeof(link));
	memcpy(link, "https://", 8);
	link[199 - strlen("[t]() . s")] = '\0';		/* 199 a line, 200 with its end */
	for (size_t i = 0; i < 32; i++)
		r[i] = record("t", link);
	assert_int_equal(body_fits(&b, (const struct cr_record *const *)r, 32), 10);
	assert_int_equal(body_fits(&b, (const struct cr_record *const *)r, 9), 9);
	record_set(r[0], CR_TITLE, "tt", 2);		/* 9 * 200 + 200 */
	assert_int_equal(body_fits(&b, (const struct cr_record *const *)r, 32), 10);
	record_set(r[9], CR_TITLE, "tt", 2);
	assert_int_equal(body_fits(&b, (const struct cr_record *const *)r, 32), 9);
	for (size_t i = 0; i < 32; i++)
		record_free(r[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seen_characters_are_whole),
		cmocka_unit_test(texts_are_counted_and_cut_in_units),
		cmocka_unit_test(lines_are_of_their_service),
		cmocka_unit_test(a_line_keeps_its_limit_by_a_character),
		cmocka_unit_test(a_message_holds_as_many_lines_as_its_service_takes),
	};
	int rc;

	buf_init(&json, RECORD_MAX * 8);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	buf_free(&json);
	return rc;
}

/* Text: what comes out of UTF-8 good and bad, foldings, escapes, references, title keys. */
#include "base/buf.h"
#include "base/entity.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

typedef void to_text(struct buf *, const char *, size_t);

struct pair {
	const char	*in, *out;
};

/* Each input lies in memory of its own size, so that a reader over its end is seen. */
static void
check(to_text *f, const struct pair *pairs, size_t n)
{
	struct buf b;
	char *copy;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(pairs[i].in);

		buf_init(&b, 1 << 16);
		copy = malloc(len + (len == 0));
		assert_non_null(copy);
		memcpy(copy, pairs[i].in, len);
		buf_str(&b, "");
		f(&b, copy, len);
		assert_string_equal(b.data, pairs[i].out);
		free(copy);
		buf_free(&b);
	}
}

static void
invalid_bytes_become_one_sign_each(void **state)
{
	static const struct {
		const char	*in, *out;
		size_t		 count;
	} cases[] = {
		{ "plain", "plain", 0 },
		{ "a\xffz", "a\xef\xbf\xbdz", 1 },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 2 },		/* overlong */
		{ "\xe2\x82z", "\xef\xbf\xbdz", 1 },			/* cut */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3 },	/* surrogate */
		{ "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 4 },
		{ "\xef\xbf\xbf" "a", "\xef\xbf\xbd" "a", 1 },		/* non-character */
		{ "\xef\xb7\x90", "\xef\xbf\xbd", 1 },
		{ "a\x01\x1b\x7f" "b\tc\r\n", "ab\tc\r\n", 3 },		/* controls vanish */
		{ "a\xc2\x81" "b", "ab", 1 },
		{ "don\xc2\x92t", "don\xe2\x80\x99t", 1 },
		{ "\xf0\x9f\x98\x80 \xd0\x96", "\xf0\x9f\x98\x80 \xd0\x96", 0 },
		{ "0123456789abcde\x80", "0123456789abcde\xef\xbf\xbd", 1 },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_init(&b, 1000);
		assert_int_equal(text_utf8(&b, cases[i].in, strlen(cases[i].in)), cases[i].count);
		assert_string_equal(b.data, cases[i].out);
		assert_int_equal(text_valid(b.data, b.len), b.len);
		buf_free(&b);
	}
	buf_init(&b, 1000);
	assert_int_equal(text_utf8(&b, "a\0b", 3), 1);
	assert_string_equal(b.data, "ab");
	buf_free(&b);
}

/* All there are: what is written is read back, and nothing else is valid. */
static void
every_code_point_goes_out_and_in(void **state)
{
	struct text_char c;
	size_t bad, used;
	uint32_t back;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x110000; cp++) {
		int fit = cp < 0x110000 && (cp < 0xd800 || cp > 0xdfff) && (cp < 0xfdd0 ||
		    cp > 0xfdef) &&
		    (cp & 0xfffe) != 0xfffe && (cp >= 0xa0 || (cp >= 0x20 && cp < 0x7f) ||
		    cp == 9 || cp == 10 || cp == 13);

		text_char(&c, cp);
		used = text_get_char(&back, &bad, c.bytes, c.len);
		assert_int_equal(used, c.len);
		assert_int_equal(back, fit ? cp : 0xfffd);
		assert_int_equal(text_valid(c.bytes, c.len), c.len);
		if (c.len > 1)
			assert_int_equal(text_valid(c.bytes, c.len - 1), 0);
	}
}

static void
the_valid_prefix_ends_at_the_first_bad_byte(void **state)
{
	char text[64];

	(void)state;
	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'x', sizeof(text));
		text[at] = (char)0x80;
		assert_int_equal(text_valid(text, sizeof(text)), at);
	}
}

static void
white_space_folds(void **state)
{
	static const struct pair pairs[] = {
		{ "", "" }, { " \t\r\n ", "" }, { "a", "a" }, { " a  b\n\tc ", "a b c" },
		{ "a\xc2\xa0 \xe3\x80\x80z", "a z" }, { "\xe2\x80\x83x\xe2\x80\xa8", "x" },
		{ "a b c", "a b c" }, { "a \xc2\xa0 b", "a b" },
		{ "\xd0\x96 \xe2\x80\x99", "\xd0\x96 \xe2\x80\x99" },
		{ "a ", "a" }, { "\xe2\x80", "\xe2\x80" },
	};

	(void)state;
	check(text_fold, pairs, COUNT(pairs));
}

static void
titles_that_read_the_same_have_one_key(void **state)
{
	static const struct pair pairs[] = {
		{ "Hello, World!", "hello world" },
		{ "  HELLO\xc2\xa0world\xe2\x80\xa6 ", "hello world" },
		{ "It\xe2\x80\x99s it's its", "its its its" },
		{ "State-of-the-Art", "state of the art" },
		{ "\xce\xa3\xce\x91\xce\xa3 \xcf\x82", "\xcf\x83\xce\xb1\xcf\x83 \xcf\x83" },	/* Greek */
		{ "\xd0\x9f\xd0\xa0\xd0\x98\xd0\x92\xd0\x95\xd0\xa2",
		  "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
		{ "\xc3\x89t\xc3\xa9 \xc5\xb8 \xc4\x80", "\xc3\xa9t\xc3\xa9 \xc3\xbf \xc4\x81" },
		{ "\xe4\xb8\xad\xe6\x96\x87\xef\xbc\x8c\xe6\xa0\x87", "\xe4\xb8\xad\xe6\x96\x87 \xe6\xa0\x87" },	/* Chinese */
		{ "soft\xc2\xadhyphen zero\xe2\x80\x8bwidth", "softhyphen zerowidth" },
		{ "\xe2\x80\xae" "a", "a" },
		{ "\xf0\x9f\x98\x80", "" }, { "!!!", "" }, { "C++ 17", "c 17" },
		{ "\xff" "a\xe2", "a" },
		{ "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80",
		  "\xe0\xa4\xb9\xe0\xa4\xbf\xe0\xa4\xa8\xe0\xa5\x8d\xe0\xa4\xa6\xe0\xa5\x80" },	/* Hindi */
	};

	(void)state;
	check(text_title_key, pairs, COUNT(pairs));
}

static void
a_key_of_a_key_is_itself(void **state)
{
	struct buf all, once, twice;

	(void)state;
	buf_init(&all, 1 << 20);
	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	for (uint32_t cp = 1; cp < 0x3000; cp++)
		text_put_char(&all, cp);
	text_title_key(&once, all.data, all.len);
	text_title_key(&twice, once.data, once.len);
	assert_string_equal(once.data, twice.data);
	buf_free(&all);
	buf_free(&once);
	buf_free(&twice);
}

static void
xml_is_escaped(void **state)
{
	static const struct pair pairs[] = {
		{ "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;" }, { "", "" }, { "&amp;", "&amp;amp;" },
	};

	(void)state;
	check(text_xml, pairs, COUNT(pairs));
}

static void
json_is_one_line(void **state)
{
	static const struct pair pairs[] = {
		{ "", "\"\"" }, { "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\b\t\n\v\f\r\x01\x7f", "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u007f\"" },
		{ "\xe2\x80\xa8\xe2\x80\xa9\xe2\x82\xac", "\"\\u2028\\u2029\xe2\x82\xac\"" },
		{ "\xe2\x80", "\"\xe2\x80\"" },
	};

	(void)state;
	check(text_json, pairs, COUNT(pairs));
}

/* All references in s. */
static void
decode(struct buf *b, const char *s, size_t n)
{
	struct text_char c;
	size_t used;

	for (const char *end = s + n; s < end; s += used) {
		used = *s == '&' ? text_reference(&c, s, (size_t)(end - s), 0) : 0;
		buf_add(b, used > 0 ? c.bytes : s, used > 0 ? c.len : 1);
		used += used == 0;
	}
}

static void
references_are_decoded_as_browsers_do(void **state)
{
	static const struct pair pairs[] = {
		{ "&amp;&lt;&gt;&quot;&apos;", "&<>\"'" },
		{ "&#65;&#x41;&#X41", "AAA" },
		{ "&copy 2020 &copy;", "\xc2\xa9 2020 \xc2\xa9" },
		{ "&copy=1", "&copy=1" },			/* an address in the text */
		{ "&notit; &notin;", "\xc2\xacit; \xe2\x88\x89" },
		{ "&NotEqualTilde;", "\xe2\x89\x82\xcc\xb8" },	/* two code points */
		{ "&#128;&#x92;", "\xe2\x82\xac\xe2\x80\x99" },	/* windows-1252 */
		{ "&#0;&#xd800;&#x110000;&#99999999999999;",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "&#27;", "\xef\xbf\xbd" },
		{ "AT&T, R&D; & &; &# &#; &#x; &nosuch; &",
		  "AT&T, R&D; & &; &# &#; &#x; &nosuch; &" },
		{ "&CounterClockwiseContourIntegral;", "\xe2\x88\xb3" },
		{ "&CounterClockwiseContourIntegralx;", "&CounterClockwiseContourIntegralx;" },
		{ "&zwnj;&nbs; &nbspp;", "\xe2\x80\x8c&nbs; \xc2\xa0p;" }, { "&aelIg;", "&aelIg;" },
		{ "&Aacute;&aacute;", "\xc3\x81\xc3\xa1" },
		{ "&am", "&am" }, { "&amp", "&" }, { "&amp;lt;", "&lt;" },
	};

	(void)state;
	check(decode, pairs, COUNT(pairs));
}

static void
references_in_values_end_before_letters(void **state)
{
	struct text_char c;

	(void)state;
	/* In a value, a name without its semicolon before a letter is none. */
	assert_int_equal(text_reference(&c, "&copya", 6, 1), 0);
	assert_int_equal(text_reference(&c, "&copy ", 6, 1), 5);
	assert_int_equal(text_reference(&c, "&copya", 6, 0), 5);
	assert_int_equal(text_reference(&c, "&", 1, 0), 0);
}

static void
html_comes_out_as_its_text(void **state)
{
	static const struct pair pairs[] = {
		{ "<p>a</p><p>b</p>", "a b" }, { "f<b>o</b>o", "foo" }, { "a<br/>b", "a b" },
		{ "x<script>alert('</p>')</script>y", "xy" },
		{ "x<style>p{}</styles></style >y", "xy" },
		{ "x<script>never closed", "x" },
		{ "a < b > c <3 <", "a < b > c <3 <" },
		{ "<a title=\"1 > 0\" href='x>y'>t</a>", "t" },
		{ "<a title=\"open>t</a>", "t" },
		{ "a<!-- x > y -->b<!DOCTYPE html>c<?php ?>d", "abcd" },
		{ "a<!-- open > b", "a b" },
		{ "&lt;b&gt;&nbsp;&amp;&nbsp;x", "<b> & x" },
		{ "5 <b 6", "5 <b 6" },
		{ "</p", "</p" }, { "", "" }, { "<>", "<>" },
	};

	(void)state;
	check(text_of_html, pairs, COUNT(pairs));
}

static void
directions_are_closed_where_they_were_opened(void **state)
{
#define RLO "\xe2\x80\xae"
#define PDF "\xe2\x80\xac"
#define RLI "\xe2\x81\xa7"
#define PDI "\xe2\x81\xa9"
	static const struct pair pairs[] = {
		{ "plain", "plain" }, { "a" RLO "b", "a" RLO "b" PDF }, { "a" PDF "b", "ab" },
		{ RLI "x" PDI, RLI "x" PDI }, { RLI RLO "x" PDI "y", RLI RLO "x" PDF PDI "y" },
		{ RLI "x" PDF "y", RLI "xy" PDI }, { RLO "a\nb", RLO "a" PDF "\nb" },
		{ PDI PDF, "" }, { "\xe2\x80", "\xe2\x80" },
	};

	(void)state;
	check(text_bidi, pairs, COUNT(pairs));
}

static void
base32_is_that_of_rfc_4648(void **state)
{
	static const struct pair pairs[] = {
		{ "", "" }, { "f", "my" }, { "fo", "mzxq" }, { "foo", "mzxw6" },
		{ "foob", "mzxw6yq" },
		{ "fooba", "mzxw6ytb" }, { "foobar", "mzxw6ytboi" },
	};
	unsigned char id[16];
	char out[TEXT_BASE32_16];

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		text_base32(out, pairs[i].in, strlen(pairs[i].in));
		assert_string_equal(out, pairs[i].out);
	}
	memset(id, 0xff, sizeof(id));
	text_base32(out, id, sizeof(id));
	assert_string_equal(out, "77777777777777777777777774");
}

/* A thousand broken tags must not each be searched to the end: 8 MB in far less than a second. */
static void
broken_tags_cost_no_more_than_their_length(void **state)
{
	static const char *const parts[] = { "<a ", "<a =\"", "<a x=\"> \"", "<!--", "<script",
	  "&#", "<b='" };
	size_t size = 8u << 20;
	char *text = malloc(size);
	struct buf b;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(parts); i++) {
		for (size_t at = 0, n = strlen(parts[i]); at < size; at++)
			text[at] = parts[i][at % n];
		buf_init(&b, 4 * size);
		text_of_html(&b, text, size);
		assert_false(b.over);
		buf_free(&b);
	}
	free(text);
}

/* What a scan finds byte by byte, at each place of a block and behind it. */
static void
blocks_end_at_the_same_byte_as_bytes_do(void **state)
{
	char s[72];

	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 67; at++) {
			int control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
			int sign = c == '"' || c == '&' || c == '<' || c == '>';

			memset(s, 'a', sizeof(s));
			s[at] = (char)c;
			assert_int_equal(text_ascii(s, 67), control || c > 0x7f ? at : 67);
			assert_int_equal(text_plain(s, 67), control || sign ? at : 67);
			assert_int_equal(text_clean(s, 67), control || c > 0x7f ? at : 67);
			assert_int_equal(text_folded(s, 67), c > ' ' && c < 0x7f ? 1 :
			    c == ' ' && at > 0 && at < 66);
			s[at] = s[at + 1] = ' ';
			assert_int_equal(text_folded(s, 67), 0);
		}
	assert_int_equal(text_folded("", 0), 1);
	assert_int_equal(text_folded(" ", 1), 0);
	assert_int_equal(text_plain("", 0), 0);
}

static void
shown_line(struct buf *b, const char *s, size_t n)
{
	shown_add(b, s, n, 0);
}

static void
shown_text(struct buf *b, const char *s, size_t n)
{
	shown_add(b, s, n, 1);
}

static void
what_steers_a_terminal_is_escaped(void **state)
{
	static const struct pair lines[] = {
		{ "plain, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "plain, \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\033[31m\007\x7f", "\\x1b[31m\\x07\\x7f" },
		{ "a\tb\nc\rd", "a\\x09b\\x0ac\\x0dd" },
		{ "\x9b" "31m\xff", "\\x9b31m\\xff" },
		{ "\xc2\x9b\xc2\xa0", "\\u009b\xc2\xa0" },
		{ "\xe0\x80\x9b\xed\xa0\x80", "\\xe0\\x80\\x9b\\xed\\xa0\\x80" },	/* no UTF-8 */
		{ "\u202ea\u2066\u061c\u2028\ufeff", "\\u202ea\\u2066\\u061c\\u2028\\ufeff" },
		{ "a\u200db\u200c", "a\u200db\u200c" },			/* joiners of scripts */
		{ "cut\xe2\x80", "cut\\xe2\\x80" },
	};
	static const struct pair texts[] = { { "a\tb\nc\rd", "a\tb\nc\\x0dd" } };
	static const struct pair jsons[] = {
		{ "{\"a\":\n\t\"\u202e\xc2\x9b\x7f\u2028\"}", "{\"a\":\n\t\"\\u202e\\u009b\\u007f\\u2028\"}" },
		{ "\"\xff\xe2\x80\"", "\"\\ufffd\\ufffd\"" },
		{ "\"\xc3\xa4\"", "\"\xc3\xa4\"" },
	};

	(void)state;
	check(shown_line, lines, COUNT(lines));
	check(shown_text, texts, COUNT(texts));
	check(shown_json, jsons, COUNT(jsons));
}

static void
a_format_alone_makes_lines(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	shown_fmt(&b, "%s|%-6s|%6s|%.*s|%.2s|%c|%%\n", "a\nb", "x\n", "yz", 3, "abcdef", "\u202e", '\033');
	assert_string_equal(b.data, "a\\x0ab|x\\x0a |    yz|abc|\\xe2\\x80|\\x1b|%\n");
	buf_clear(&b);
	shown_fmt(&b, "%d %5d|%-5d|%u %lld %zu %ld %x", -1, 42, 42, 4294967295u, INT64_C(-9) + 0LL, (size_t)7,
	    -2L, 255u);
	assert_string_equal(b.data, "-1    42|42   |4294967295 -9 7 -2 ff");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_end_at_the_same_byte_as_bytes_do),
		cmocka_unit_test(invalid_bytes_become_one_sign_each),
		cmocka_unit_test(what_steers_a_terminal_is_escaped),
		cmocka_unit_test(a_format_alone_makes_lines),
		cmocka_unit_test(every_code_point_goes_out_and_in),
		cmocka_unit_test(the_valid_prefix_ends_at_the_first_bad_byte),
		cmocka_unit_test(white_space_folds),
		cmocka_unit_test(titles_that_read_the_same_have_one_key),
		cmocka_unit_test(a_key_of_a_key_is_itself),
		cmocka_unit_test(xml_is_escaped),
		cmocka_unit_test(json_is_one_line),
		cmocka_unit_test(references_are_decoded_as_browsers_do),
		cmocka_unit_test(references_in_values_end_before_letters),
		cmocka_unit_test(html_comes_out_as_its_text),
		cmocka_unit_test(directions_are_closed_where_they_were_opened),
		cmocka_unit_test(base32_is_that_of_rfc_4648),
		cmocka_unit_test(broken_tags_cost_no_more_than_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

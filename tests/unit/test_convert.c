/* Encodings: all that we know, by their many names, and what becomes of bytes that mean nothing. */
#include "base/buf.h"
#include "base/text.h"
#include "worker/convert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <iconv.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* What charset makes of the bytes; the result's bad count has to be `bad`. */
static void
check(const char *charset, const char *bytes, size_t n, const char *want, size_t bad)
{
	char *copy = malloc(n + (n == 0));
	size_t count = 5;
	struct buf b;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	buf_init(&b, 1 << 20);
	buf_str(&b, "");
	assert_int_equal(convert(&b, charset, copy, n, &count), 0);
	if (strcmp(b.data, want) != 0 || count != 5 + bad)
		fail_msg("%s: %s, bad %zu", charset, b.data, count - 5);
	free(copy);
	buf_free(&b);
}

static void
every_encoding_is_read(void **state)
{
	static const struct {
		const char	*charset, *bytes, *text;
	} cases[] = {
		{ "utf-8", "a\xc3\xa9\xf0\x9f\x98\x80", "a\u00e9\U0001f600" },
		{ "UTF-8", "\xef\xbb\xbfx", "x" },
		{ "windows-1252", "\x93q\x94 \x80 \xe9", "\u201cq\u201d \u20ac \u00e9" },
		{ "latin1", "\x92", "\u2019" }, { "us-ascii", "a\xe9", "a\u00e9" },
		{ "iso-8859-2", "\xb1\xe6", "\u0105\u0107" }, { "iso-8859-5", "\xd0", "\u0430" },
		{ "iso-8859-7", "\xe1\xa4", "\u03b1\u20ac" }, { "iso-8859-9", "\xfd", "\u0131" },
		{ "iso-8859-15", "\xa4", "\u20ac" }, { "tis-620", "\xa1", "\u0e01" },
		{ "windows-1250", "\x9a", "\u0161" },
		{ "windows-1251", "\xcf\xf0", "\u041f\u0440" },
		{ "windows-1255", "\xf9", "\u05e9" }, { "windows-1256", "\xe3", "\u0645" },
		{ "koi8-r", "\xf0\xd2", "\u041f\u0440" }, { "koi8-u", "\xa4\xae", "\u0454\u045e" },
		{ "ibm866", "\x8f", "\u041f" }, { "macintosh", "\x8e\xdb", "\u00e9\u20ac" },
		{ "cp437", "\x81", "\u00fc" }, { "cp850", "\xd5", "\u0131" },
		{ "shift_jis", "\x93\xfa\x96{\\~", "\u65e5\u672c\\~" },
		{ "euc-jp", "\xc6\xfc\xcb\xdc", "\u65e5\u672c" },
		{ "iso-2022-jp", "\x1b$BF|K\\\x1b(Bx", "\u65e5\u672cx" },
		{ "gb2312", "\xd6\xd0\xce\xc4", "\u4e2d\u6587" }, { "gbk", "\x81\x40", "\u4e02" },
		{ "gb18030", "\x94\x39\xda\x33", "\U0001f4a9" },
		{ "big5", "\xa4\xa4\xa4\xe5", "\u4e2d\u6587" },
		{ "euc-kr", "\xc7\xd1\xb1\xdb", "\ud55c\uae00" },
		{ "ks_c_5601-1987", "\x81\x41", "\uac02" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(cases[i].charset, cases[i].bytes, strlen(cases[i].bytes), cases[i].text, 0);
}

static void
marks_tell_the_order_of_bytes(void **state)
{
	(void)state;
	check("utf-16", "h\0\xe9\0", 4, "h\u00e9", 0);
	check("utf-16", "\xff\xfeh\0", 4, "h", 0);
	check("utf-16", "\xfe\xff\0h", 4, "h", 0);
	check("utf-16le", "\xfe\xff\0h", 4, "h", 0);
	check("utf-16be", "\0h\xd8\x3d\xde\0", 6, "h\U0001f600", 0);
	check("utf-32", "\0\0\0h", 4, "h", 0);
	check("utf-32", "\xff\xfe\0\0h\0\0\0", 8, "h", 0);
	check("utf-32be", "\0\1\xf6\0", 4, "\U0001f600", 0);
}

static void
what_means_nothing_is_replaced_and_counted(void **state)
{
#define BAD	"\xef\xbf\xbd"
	(void)state;
	check("utf-8", "a\xff\xe2\x82z\xed\xa0\x80", 8, "a" BAD BAD "z" BAD BAD BAD, 5);
	check("utf-16le", "a\0\0\xd8z\0x", 7, "a" BAD "z" BAD, 2);	/* lone, half */
	check("utf-16le", "\0\xdc\0\xd8", 4, BAD BAD, 2);
	check("utf-16le", "\0", 1, BAD, 1);
	check("utf-32le", "\0\0\x11\0\0\xd8\0\0", 8, BAD BAD, 2);
	check("windows-1253", "\xd2", 1, BAD, 1);
	check("shift_jis", "a\x81", 2, "a" BAD, 1);
	check("euc-kr", "\xff<b>", 4, BAD "<b>", 1);
	check("gb18030", "\x81\x30<", 3, BAD "0<", 1);
	check("windows-1252", "\x81", 1, "\xc2\x81", 0);	/* a control */
#undef BAD
}

/* What charset makes of every byte, in order: no two encodings make the same of them. */
static void
read_all_bytes(const char *charset, struct buf *b)
{
	char bytes[256];

	for (int c = 0; c < 256; c++)
		bytes[c] = (char)c;
	buf_init(b, 1 << 12);
	assert_int_equal(convert(b, charset, bytes, sizeof(bytes), NULL), 0);
	assert_int_equal(b->over, 0);
}

/* Whether both names mean one encoding. */
static int
same(const char *one, const char *other)
{
	struct buf a, b;
	int rc;

	read_all_bytes(one, &a);
	read_all_bytes(other, &b);
	rc = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	buf_free(&a);
	buf_free(&b);
	return rc;
}

static void
labels_are_those_of_the_web_and_of_iconv(void **state)
{
	static const char *const names[][2] = {
		{ "UTF8", "utf-8" }, { "utf_8", "utf-8" }, { " Utf-8 ", "utf-8" },
		{ "latin-1", "windows-1252" },
		{ "ISO_8859-1:1987", "windows-1252" }, { "ascii", "windows-1252" },
		{ "x-sjis", "shift_jis" },
		{ "cp932", "shift_jis" }, { "GB2312", "gb18030" }, { "utf-16", "utf-16le" },
		{ "unicode", "utf-16le" }, { "x-mac-roman", "macintosh" },
		{ "CP1251", "windows-1251" },
		{ "iso-8859-8-i", "iso-8859-8" }, { "korean", "euc-kr" },
		{ "latin5", "windows-1254" },
		{ "UCS-4", "utf-32be" }, { "hebrew", "iso-8859-8" }, { "l9", "iso-8859-15" },
	};
	static const char *const unknown[] = {
		"", "-", "bogus", "utf-7", "unicode-1-1-utf-7", "cp037", "ibm037", "ebcdic-us",
		  "hz-gb-2312",
		"iso-2022-kr", "utf-8/../../x", "utf-8//IGNORE", "utf-88",
	};
	char longest[20000];
	struct buf b;
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		for (size_t j = 0; j < COUNT(names); j++)
			if (same(names[i][0], names[j][1]) !=
			    (strcmp(names[i][1], names[j][1]) == 0))
				fail_msg("%s beside %s", names[i][0], names[j][1]);
	buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(unknown); i++)
		if (convert(&b, unknown[i], "x", 1, &bad) != -1)
			fail_msg("known: %s", unknown[i]);
	assert_int_equal(convert(&b, "bogus", "x", 1, &bad), -1);
	assert_int_equal(convert(&b, NULL, "x", 1, NULL), -1);
	memset(longest, 'u', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(convert(&b, longest, "x", 1, &bad), -1);
	memset(longest, '-', sizeof(longest) - 1);
	assert_int_equal(convert(&b, longest, "x", 1, &bad), -1);
	assert_int_equal(b.len + bad, 0);
	buf_free(&b);
}

/* Our tables of one-byte encodings beside iconv's, wherever both give a character. */
static void
tables_are_those_of_iconv(void **state)
{
	static const char *const charsets[] = {
		"IBM437", "IBM850", "IBM852", "IBM855", "IBM857", "IBM866", "ISO-8859-2",
		  "ISO-8859-3",
		"ISO-8859-4", "ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-10",
		"ISO-8859-13", "ISO-8859-14", "ISO-8859-15", "ISO-8859-16", "KOI8-R", "CP1250",
		  "CP1251",
		"CP1252", "CP1253", "CP1254", "CP1256", "CP1257", "CP1258", "CP874",
	};
	char byte, out[8], *in, *to;
	size_t left, room;
	struct buf b;
	iconv_t cd;

	(void)state;
	for (size_t i = 0; i < COUNT(charsets); i++) {
		assert_true((cd = iconv_open("UTF-8", charsets[i])) != (iconv_t)-1);
		for (int c = 0; c < 256; c++) {
			byte = (char)c;
			in = &byte;
			to = out;
			left = 1;
			room = sizeof(out);
			iconv(cd, NULL, NULL, NULL, NULL);
			if (iconv(cd, &in, &left, &to, &room) == (size_t)-1 ||
			    iconv(cd, NULL, NULL, &to, &room) ==
			    (size_t)-1)
				continue;
			buf_init(&b, 100);
			assert_int_equal(convert(&b, charsets[i], &byte, 1, NULL), 0);
			if (b.len != (size_t)(to - out) || memcmp(b.data, out, b.len) != 0)
				fail_msg("%s: byte %02x", charsets[i], c);
			buf_free(&b);
		}
		iconv_close(cd);
	}
}

/* Across the ends of the blocks in which output is gathered, nothing is lost or doubled. */
static void
long_texts_come_out_whole(void **state)
{
	static const struct {
		const char	*charset, *bytes, *text;
		size_t		 n;
	} cases[] = {
		{ "windows-1251", "a\xcf", "a\u041f", 2 },
		{ "shift_jis", "b\x93\xfa", "b\u65e5", 3 },
		{ "utf-16be", "\0c\x65\xe5", "c\u65e5", 4 },
		{ "utf-8", "d\xe6\x97\xa5", "d\u65e5", 4 },
	};
	const size_t times = 10001;
	struct buf in, out;
	size_t bad, len;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_init(&in, 1 << 20);
		buf_init(&out, 1 << 20);
		for (size_t n = 0; n < times; n++)
			buf_add(&in, cases[i].bytes, cases[i].n);
		bad = 0;
		assert_int_equal(convert(&out, cases[i].charset, in.data, in.len, &bad), 0);
		assert_int_equal(bad, 0);
		len = strlen(cases[i].text);
		assert_int_equal(out.len, times * len);
		for (size_t n = 0; n < times; n++)
			assert_memory_equal(out.data + n * len, cases[i].text, len);
		buf_free(&in);
		buf_free(&out);
	}
}

/* A decoder that was left in the middle of something begins anew. */
static void
each_text_begins_in_a_fresh_state(void **state)
{
	(void)state;
	check("iso-2022-jp", "\x1b$BF|", 5, "\u65e5", 0);
	check("iso-2022-jp", "F|", 2, "F|", 0);
}

static int
open_all(void **state)
{
	(void)state;
	convert_open();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_encoding_is_read),
		cmocka_unit_test(marks_tell_the_order_of_bytes),
		cmocka_unit_test(what_means_nothing_is_replaced_and_counted),
		cmocka_unit_test(labels_are_those_of_the_web_and_of_iconv),
		cmocka_unit_test(tables_are_those_of_iconv),
		cmocka_unit_test(long_texts_come_out_whole),
		cmocka_unit_test(each_text_begins_in_a_fresh_state),
	};

	return cmocka_run_group_tests(tests, open_all, NULL);
}

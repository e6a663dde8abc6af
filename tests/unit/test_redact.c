/* Secrets in text: in which writing they are found, and what comes of the rest. */
#include "base/buf.h"
#include "base/redact.h"
#include "fetch/redact_file.h"
#include "ipc/memfd.h"
#include "record/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char two[] = "a+b/c&\"d\0{one}\0line one\nline two\nxyz\0{two}";

static struct redact *
redact(void)
{
	struct redact *v = redact_new((struct bytes){ two, sizeof(two) });

	assert_non_null(v);
	return v;
}

static void
becomes(const char *text, const char *want, size_t count)
{
	struct redact *v = redact();
	struct buf b;

	buf_init(&b, 1000);
	assert_int_equal(redact_put(v, text, strlen(text), &b), count);
	assert_string_equal(b.data, want);
	buf_free(&b);
	redact_free(v);
}

static void
each_writing_is_found(void **state)
{
	static const char *const ways[] = { "a+b/c&\"d", "a%2Bb%2Fc%26%22d", "a%2bb/c%26\"d",
		"a+b\\/c&\\\"d", "a+b\\u002fc\\u0026\\u0022d", "a+b/c&amp;&quot;d",
		"a&#43;b&#x2f;c&#38;&#34;d", "%61%2B%62%2F%63%26%22%64",
		"&#97;&#43;&#098;&#47;&#99;&#38;&#34;&#100;", "&#x61;&#X2B;b&sol;c&AMP&quot;&#x0064;",
		"a%252Bb%25252fc%2526%2522d", "a&amp;#43;b&amp;sol;c&amp;amp;&amp;quot;d",
		"a\\x2bb\\x2Fc\\x26\\\"d", "612b622f63262264", "612B622F63262264" };
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		becomes(ways[i], "{one}", 1);
		snprintf(text, sizeof(text), "<%s%s>", ways[i], ways[i]);
		becomes(text, "<{one}{one}>", 2);
	}
}

/* Within more of it, in both alphabets; the digits that its neighbours share stay. */
static void
base64_of_it_is_found(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ "YStiL2MmImR5eg==", "{one}R5eg==" },
		{ "eGErYi9jJiJkeXo=", "eG{one}eXo=" },
		{ "eHhhK2IvYyYiZHl6", "eHh{one}Hl6" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		becomes(cases[i].text, cases[i].want, 1);
	becomes("YStiL2MmI", "YStiL2MmI", 0);
}

/* In either order of the bytes; so it stays UTF-16. */
static void
utf_16_is_found(void **state)
{
	static const char text[] = "<\0l\0i\0n\0e\0 \0o\0n\0e\0>", want[] = "<\0{\0t\0w\0o\0}\0>";
	struct redact *v = redact();
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(redact_put(v, text, sizeof(text), &b), 1);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buf_free(&b);
	redact_free(v);
}

static void
nearly_is_not(void **state)
{
	static const char *const texts[] = { "a", "a+b/c&\"", "a+b/c&\"e", "a%2Bb%2Fc%26%22",
		"a+b\\", "a%2", "a%", "a+b/c&am", "%61%", "a+b\\u002", "\\", "&", "%", "xyz",
		"line", "LINE ONE" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		becomes(texts[i], texts[i], 0);
}

static void
each_line_is_a_secret_of_its_own(void **state)
{
	(void)state;
	becomes("line two, line one", "{two}, {two}", 2);
}

static void
a_secret_across_zero_bytes_is_found(void **state)
{
	static const char text[] = "a\0line one\0b";
	struct redact *v = redact();
	const char *instead;
	size_t at;

	(void)state;
	assert_int_equal(redact_find(v, text, sizeof(text), &at, &instead), 8);
	assert_int_equal(at, 2);
	assert_string_equal(instead, "{two}");
	assert_int_equal(redact_find(v, text, 9, &at, &instead), 0);
	assert_int_equal(redact_find(NULL, text, 9, &at, &instead), 0);
	redact_free(v);
}

static void
too_short_for_a_secret_is_no_veil(void **state)
{
	static const char words[] = "abc\0{x}";

	(void)state;
	assert_null(redact_new((struct bytes){ words, sizeof(words) }));
	assert_null(redact_new((struct bytes){ "", 0 }));
	redact_free(NULL);
}

static void
a_document_is_replaced_when_it_has_one(void **state)
{
	struct redact *v = redact();
	uint64_t len = 8;
	const char *text;
	size_t size;
	int fd, was;

	(void)state;
	was = fd = memfd_new("all well\0", 9);
	assert_int_equal(memfd_seal(fd), 0);
	assert_int_equal(redact_file(v, &fd, &len, 100), 0);
	assert_true(fd == was && len == 8);
	close(fd);
	fd = memfd_new("<line one>\0", 11);
	assert_int_equal(memfd_seal(fd), 0);
	len = 10;
	assert_int_equal(redact_file(v, &fd, &len, 100), 0);
	assert_int_equal(len, 7);
	text = memfd_map(fd, 8, &size);
	assert_non_null(text);
	assert_memory_equal(text, "<{two}>", 8);
	memfd_unmap(text, size);
	close(fd);
	fd = memfd_new("<line one>\0", 11);
	assert_int_equal(memfd_seal(fd), 0);
	len = 10;
	assert_int_equal(redact_file(v, &fd, &len, 6), -1);
	close(fd);
	redact_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_writing_is_found),
		cmocka_unit_test(base64_of_it_is_found),
		cmocka_unit_test(utf_16_is_found),
		cmocka_unit_test(nearly_is_not),
		cmocka_unit_test(each_line_is_a_secret_of_its_own),
		cmocka_unit_test(a_secret_across_zero_bytes_is_found),
		cmocka_unit_test(too_short_for_a_secret_is_no_veil),
		cmocka_unit_test(a_document_is_replaced_when_it_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

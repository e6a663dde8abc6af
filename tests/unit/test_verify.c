/* What the recogniser and the verifier take of what a worker wrote: all that its host writes, and
 * nothing else. */
#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"
#include "record/field.h"
#include "record/markup.h"
#include "record/record.h"
#include "record/verify.h"
#include "worker/html.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define BASE		"http://example.org/dir/page"
#define NOW		INT64_C(1700000000000)

static const char *
wrong(const char *html)
{
	size_t at;

	return markup_wrong(html, strlen(html), &at);
}

static void
sanitised_html_is_taken(void **state)
{
	static const char *const good[] = {
		"", "text", "a &amp; b &lt; c &gt; d &quot;e&quot; &#39;f&#39; \"g\" 'h'", "line\n\ttab\r",
		"<p>a</p>", "<br/>", "<p class=\"x\" title=\"a &lt; b\">c <b>d</b></p>",
		"<a href=\"https://x.example/?a=1&amp;b=2\">x</a>", "<a href=\"mailto:a@x.example\">x</a>",
		"<a href=\"\">x</a>", "<a href=\"page#x\">x</a>", "<a href=\"it&#39;s\">x</a>",
		"<img src=\"http://x.example/a.png\" alt=\"\"/>",
		"<img srcset=\"https://x.example/a 1x, https://x.example/b 2x\"/>",
		"<img srcset=\"https://x.example/a, https://x.example/b,, https://x.example/c 2x\"/>",
		"<p style=\"color: red; font-family: &#39;x&#39;;\">", "<ul><li>a</li><li>b</li></ul>",
		"<table><tbody><tr><td>a</td></tr></tbody></table>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (strstr(good[i], "font-family") == NULL)
			assert_null(wrong(good[i]));
	assert_null(wrong("<p style=\"color: red; font-family: 'x y';\">a</p>"));
}

static void
other_html_is_refused_with_its_reason(void **state)
{
	static const struct { const char *html, *why; } bad[] = {
		{ "a < b", "an element that is not allowed" }, { "a > b", "a bare >" },
		{ "a & b", "a bare &" }, { "&nbsp;", "a bare &" }, { "&#60;", "a bare &" },
		{ "<script>x</script>", "an element that is not allowed" },
		{ "<P>x</P>", "an element that is not allowed" },
		{ "<!-- x -->", "an element that is not allowed" },
		{ "<p>x", "an element that is left open" }, { "x</p>", "an end tag of no open element" },
		{ "<b><i>x</b></i>", "an end tag of no open element" },
		{ "<br>", "a tag without its end" }, { "<p/>", "a tag without its end" },
		{ "<p", "a tag without its end" }, { "<p >x</p>", "an attribute that is not allowed" },
		{ "<p></p >", "a tag without an end" },
		{ "<p onclick=\"x\">x</p>", "an attribute that is not allowed" },
		{ "<p class=x>x</p>", "an attribute without a quoted value" },
		{ "<p class='x'>x</p>", "an attribute without a quoted value" },
		{ "<p class>x</p>", "an attribute without a quoted value" },
		{ "<p class=\"x\" class=\"y\">x</p>", "an attribute twice" },
		{ "<p class=\"x", "a value without an end" },
		{ "<p class=\"<\">x</p>", "a bare < in a value" },
		{ "<p class=\"&\">x</p>", "a bare &" },
		{ "<a href=\"javascript:alert(1)\">x</a>", "a URL that is not allowed" },
		{ "<a href=\"JAVASCRIPT:alert(1)\">x</a>", "a URL that is not allowed" },
		{ "<a href=\" javascript:alert(1)\">x</a>", "a URL that is not allowed" },
		{ "<a href=\"java\tscript:alert(1)\">x</a>", "a URL that is not allowed" },
		{ "<a href=\"x&#39;:y\">x</a>", "a URL that is not allowed" },
		{ "<a href=\"https://x.example/a b\">x</a>", "a URL that is not allowed" },
		{ "<a href=\"HTTP://x.example/\">x</a>", "a URL that is not allowed" },
		{ "<img src=\"mailto:a@b\"/>", "a URL that is not allowed" },
		{ "<img src=\"data:image/png,x\"/>", "a URL that is not allowed" },
		{ "<img srcset=\"data:x 1x\"/>", "a list of images with a URL that is not allowed" },
		{ "<img srcset=\"https://x.example/ 1x,javascript:x\"/>",
		    "a list of images with a URL that is not allowed" },
		{ "<p style=\"position: fixed;\">x</p>", "a style that is not allowed" },
		{ "<p style=\"color:red;\">x</p>", "a style that is not allowed" },
		{ "<p style=\"color: red\">x</p>", "a style that is not allowed" },
		{ "<p style=\"color: expression(1);\">x</p>", "a style that is not allowed" },
		{ "<p style=\"\">x</p>", "a style that is not allowed" },
		{ "<a><b><a>x</a></b></a>", "an element that may not stand here" },
		{ "<a href=\"#x\">x</a>", "a URL that is not allowed" },
		{ "<p><b><hr/></b></p>", "an element that may not stand here" },
		{ "<ul><li><b><li></li></b></li></ul>", "an element that may not stand here" },
		{ "<h1><h2></h2></h1>", "an element that may not stand here" },
		{ "<td>x</td>", "an element that may not stand here" },
		{ "<table><p>x</p></table>", "an element that may not stand here" },
		{ "<table>x</table>", "text in a table, outside of its cells" },
		{ "<pre>\nx</pre>", "a pre that begins with a line end" },
		{ "<p id=\"x\">x</p>", "an attribute that is not allowed" },
		{ "<p name=\"x\">x</p>", "an attribute that is never written" },
		{ "<input/>", "an element that is not allowed" },
		{ "<p><p>x</p></p>", "an element that may not stand here" },
		{ "<img data-src=\"https://x.example/\"/>", "an attribute that is never written" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *why = wrong(bad[i].html);

		if (why == NULL || strcmp(why, bad[i].why) != 0)
			fail_msg("%s: %s", bad[i].html, why != NULL ? why : "taken");
	}
}

/* ---- What the sanitiser writes ---- */

/* Another angle bracket anywhere makes it something that the sanitiser does not write. */
static void
is_refused_with_a_bracket_more(const struct buf *html)
{
	char *text = malloc(html->len + 1);
	size_t at, step = html->len / 500 + 1;

	for (size_t i = 0; i <= html->len; i += step)
		for (int k = 0; k < 2; k++) {
			memcpy(text, html->data, i);
			text[i] = "<>"[k];
			memcpy(text + i + 1, html->data + i, html->len - i);
			if (markup_wrong(text, html->len + 1, &at) == NULL)
				fail_msg("taken: %.*s", (int)html->len + 1, text);
		}
	free(text);
}

static size_t
what_is_made_of_it_is_taken(const char *raw, size_t n)
{
	struct buf clean, html;
	const char *why;
	size_t at = 0, total = 0;

	buf_init(&clean, 4 * n + 16);
	buf_str(&clean, "");
	text_utf8(&clean, raw, n);
	for (int i = 0; i < 3; i++) {
		buf_init(&html, 1024 * n + 65536);
		buf_str(&html, "");
		html_sanitise(&html, clean.data, clean.len, i < 2 ? BASE : NULL, i & 1);
		if ((why = markup_wrong(html.data, html.len, &at)) != NULL)
			fail_msg("at %zu %s: %s", at, why, html.data);
		if (i == 0 && html.len < 20000)
			is_refused_with_a_bracket_more(&html);
		total += html.len;
		buf_free(&html);
	}
	buf_free(&clean);
	return total;
}

/* All files of a folder below the sources; their number. */
static size_t
folder_is_taken(const char *name)
{
	char path[4096], *text;
	size_t files = 0, n;
	struct dirent *e;
	DIR *d;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", getenv("SRCDIR"), name);
	if ((d = opendir(path)) == NULL)
		return 0;
	text = malloc(1u << 20);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s/%s", getenv("SRCDIR"), name, e->d_name);
		if (e->d_type == DT_DIR || (f = fopen(path, "r")) == NULL)
			continue;
		n = fread(text, 1, 1u << 20, f);
		fclose(f);
		(void)what_is_made_of_it_is_taken(text, n);
		files++;
	}
	closedir(d);
	free(text);
	return files;
}

static void
all_that_the_sanitiser_writes_is_taken(void **state)
{
	static const char *const raw[] = {
		"<a href=' java\nscript:x '>a<p>b<li>c<td>d", "<iframe src=https://www.youtube.com/embed/x>",
		"<img data-src=https://x.example/a>", "<a href=\"mailto:\">x</a>", "<a href=http:///x>y</a>",
		"<p style='color:red;font-family:\"a b\";background:url(x)'>", "<img srcset='a,b 2x , ,c,, d'>",
		"&lt;&amp;&quot;&apos;&#x202e;&#0;&#150;", "<math><mi>x</mi></math>", "<p title='\"&<>'>",
		"<img usemap='#m' vrml=' # x '>", "<textarea><b>x</b>", "<object data=x><a href=y>z",
		"<b><p>x</b>y<i><div>z</i>w", "<table>x<b><td>y</b><table>z<caption>c", "<pre>\n\nx</pre>",
		"<ruby>a<rb>b<rt>c<rtc>d<rp>e", "<a>a<div><a>b</div>c", "<h1>a<h2>b<span><h3>c", "<nobr><nobr>x",
		"<li>a<ul><li>b<div><li>c", "<dl><dt>a<dd>b<p><dd>c", "<col><colgroup>x<col>", "<td>x", "<p><hr>",
		"<table><colgroup><col>x<tr><th>a<td>b</tfoot>c", "<p><table><p>a", "<a href='#x'>b",
		"<!--x--><?y?><!z><br/><hr><p/><wbr>", "<table><tr><td><table><td>x</table>",
	};
	char deep[8192];

	(void)state;
	for (size_t i = 0; i < COUNT(raw); i++)
		(void)what_is_made_of_it_is_taken(raw[i], strlen(raw[i]));
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = "<b>"[i % 3];
	deep[sizeof(deep) - 1] = '\0';
	memcpy(deep + sizeof(deep) - 60, "<iframe src=https://www.youtube.com/embed/x></iframe>", 53);
	(void)what_is_made_of_it_is_taken(deep, strlen(deep));
	assert_true(folder_is_taken("tests/fuzz/seeds/html") > 0);
	assert_true(folder_is_taken("tests/fuzz/seeds/markup") > 0);
	assert_true(folder_is_taken("tests/golden") > 100);
	(void)folder_is_taken("../shared/hostile/content");
}

/* ---- Records ---- */

static char why[VERIFY_WHY];

/* Why the record is refused; NULL: it is taken. Frees it. */
static const char *
refused(struct cr_record *r, enum verify_as as)
{
	struct buf b;
	int rc;

	buf_init(&b, 2 * RECORD_MAX);
	record_write(r, &b);
	rc = verify_record((struct bytes){ b.data, b.len }, as, NOW, why);
	buf_free(&b);
	record_free(r);
	return rc == -1 ? why : NULL;
}

static struct cr_record *
with(int field, const char *text)
{
	struct cr_record *r = record_new();

	record_set(r, field, text, strlen(text));
	return r;
}

static struct cr_record *
at(int64_t ms)
{
	struct cr_record *r = record_new();

	record_set_time(r, CR_PUBLISHED, ms);
	return r;
}

static struct cr_record *
with_extra(const char *name, const char *text)
{
	struct cr_record *r = record_new();

	record_set_extra(r, name, text);
	return r;
}

static struct cr_record *
counted(int64_t n)
{
	struct cr_record *r = record_new();

	record_set_counter(r, "votes", n);
	return r;
}

static void
a_record_is_taken_as_the_host_writes_it(void **state)
{
	(void)state;
	assert_null(refused(with(CR_GUID, "a\nb"), VERIFY_RECORD));
	assert_null(refused(with(CR_TITLE, "\u202ba \u2066b\u2069\u202c \u00e9"), VERIFY_RECORD));
	assert_null(refused(with(CR_LINK, "magnet:?xt=urn:x"), VERIFY_RECORD));
	assert_null(refused(with(CR_IMAGE, "https://x.example/a"), VERIFY_RECORD));
	assert_null(refused(with(CR_CATEGORY, "a"), VERIFY_RECORD));
	assert_null(refused(with(CR_AUTHOR, "a"), VERIFY_CHANGES));
	assert_null(refused(at(NOW + FIELD_AHEAD), VERIFY_RECORD));
	assert_null(refused(at(CR_NO_TIME), VERIFY_RECORD));
	assert_null(refused(at(FIELD_TIME_MIN), VERIFY_FEED));
	assert_null(refused(at(FIELD_TIME_MAX), VERIFY_CHANGES));
	assert_null(refused(with_extra("title-html", "<i>a</i>"), VERIFY_RECORD));
	assert_null(refused(with_extra("note", "<i> & \n"), VERIFY_RECORD));
	assert_null(refused(with_extra("note", ""), VERIFY_RECORD));
	assert_null(refused(counted(-FIELD_WHOLE_MAX), VERIFY_RECORD));
	assert_null(refused(record_new(), VERIFY_RECORD));
}

static void
another_is_refused_with_field_and_reason(void **state)
{
	(void)state;
	assert_string_equal(refused(with(CR_ID, "a"), VERIFY_RECORD), "id: only the store gives it");
	assert_string_equal(refused(with(CR_SOURCE, "a"), VERIFY_CHANGES), "source: only the store gives it");
	assert_string_equal(refused(with(CR_GUID, "a"), VERIFY_CHANGES), "guid: no filter changes it");
	assert_string_equal(refused(with(CR_TITLE, "a\nb"), VERIFY_RECORD), "title: more than one line");
	assert_string_equal(refused(with(CR_TITLE, "a\x7f"), VERIFY_RECORD),
	    "title: a control character or non-character");
	assert_string_equal(refused(with(CR_TITLE, "a\xff"), VERIFY_RECORD), "title: it is no UTF-8");
	assert_string_equal(refused(with(CR_TITLE, "\u202ea"), VERIFY_RECORD),
	    "title: bidirectional signs that are not balanced");
	assert_string_equal(refused(with(CR_TITLE, "a\u2069"), VERIFY_RECORD),
	    "title: bidirectional signs that are not balanced");
	assert_string_equal(refused(with(CR_LINK, "javascript:x"), VERIFY_RECORD),
	    "link: a URL of a scheme that is not allowed");
	assert_string_equal(refused(with(CR_LINK, "https:x"), VERIFY_RECORD), "link: a URL without a host");
	assert_string_equal(refused(with(CR_LINK, "https:///x"), VERIFY_RECORD), "link: a URL without a host");
	assert_string_equal(refused(with(CR_IMAGE, "tag:x"), VERIFY_RECORD),
	    "image: a URL of a scheme that is not allowed");
	assert_string_equal(refused(with(CR_CONTENT, "<p>a <b c=\"d\">"), VERIFY_RECORD),
	    "content: at byte 8 of its HTML: an attribute that is not allowed");
	assert_string_equal(refused(with_extra("rights-html", "<i>"), VERIFY_RECORD),
	    "extra rights-html: at byte 3 of its HTML: an element that is left open");
	assert_string_equal(refused(at(NOW + 3 * FIELD_AHEAD), VERIFY_RECORD),
	    "published: a time that the host does not write");
	assert_string_equal(refused(counted(FIELD_WHOLE_MAX + 1), VERIFY_RECORD),
	    "counter votes: a counter beyond 2^53");
}

static void
no_byte_of_a_record_may_be_missing(void **state)
{
	struct cr_record *r = with(CR_TITLE, "a");
	struct buf b;

	(void)state;
	record_add_author(r, CR_AUTHOR, "n", "m", "https://x.example/");
	record_add_enclosure(r, "https://x.example/", "audio/mpeg", 3);
	record_set_extra(r, "e", "x");
	record_set_number(r, "n", 1.5);
	record_set_counter(r, "c", 2);
	record_set_time(r, CR_UPDATED, 1);
	buf_init(&b, RECORD_MAX);
	record_write(r, &b);
	assert_int_equal(verify_record((struct bytes){ b.data, b.len }, VERIFY_RECORD, NOW, why), 0);
	for (size_t n = 0; n < b.len; n++)
		if (verify_record((struct bytes){ b.data, n }, VERIFY_RECORD, NOW, why) == 0)
			record_free(record_read(b.data, n));	/* it ends behind a field */
	for (size_t i = 0; i < b.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct cr_record *other;

			b.data[i] = (char)(b.data[i] ^ 1 << bit);
			if (verify_record((struct bytes){ b.data, b.len }, VERIFY_RECORD, NOW, why) == 0) {
				assert_non_null(other = record_read(b.data, b.len));
				record_free(other);
			} else {
				assert_true(why[0] != '\0' && text_clean(why, strlen(why)) == strlen(why));
			}
			b.data[i] = (char)(b.data[i] ^ 1 << bit);
		}
	buf_free(&b);
	record_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sanitised_html_is_taken),
		cmocka_unit_test(other_html_is_refused_with_its_reason),
		cmocka_unit_test(all_that_the_sanitiser_writes_is_taken),
		cmocka_unit_test(a_record_is_taken_as_the_host_writes_it),
		cmocka_unit_test(another_is_refused_with_field_and_reason),
		cmocka_unit_test(no_byte_of_a_record_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

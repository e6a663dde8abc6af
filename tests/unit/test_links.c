/* The links of a record's texts: which are found, of which kind, and which are left alone. */
#include "base/buf.h"
#include "record/record.h"
#include "worker/html.h"
#include "worker/link_kind.h"
#include "worker/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		"https://site.example/feed"

/* A record with this content, as a worker makes it. */
static struct cr_record *
record_with(const char *html, const char *link)
{
	struct cr_record *r = record_new();
	struct buf b;

	buf_init(&b, RECORD_TEXT_MAX);
	html_sanitise(&b, html, strlen(html), PAGE, 0);
	record_set(r, CR_CONTENT, b.data != NULL ? b.data : "", b.len);
	if (link != NULL)
		record_set(r, CR_LINK, link, strlen(link));
	buf_free(&b);
	return r;
}

/* "code=URL data=URL ..." of the record's extras. */
static const char *
found(const char *html, const char *link)
{
	static char all[LINKS_MAX * LINKS_URL];
	struct cr_record *r = record_with(html, link);
	const char *name, *text;
	size_t len = 0;

	links_set(r, PAGE);
	assert_null(record_bad(r));
	all[0] = '\0';
	for (size_t i = 0; record_extra_at(r, i, &name, &text); i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s=%s", i > 0 ? " | " : "", name,
		    text);
	record_free(r);
	return all;
}

static void
links_are_of_the_kind_that_host_and_path_tell(void **state)
{
	static const struct { const char *url, *is; } of[] = {
		{ "https://github.com/a/b", "code=https://github.com/a/b" },
		{ "https://github.com/a/b/tree/main/x", "code=https://github.com/a/b/tree/main/x" },
		{ "https://gist.github.com/a/12", "code=https://gist.github.com/a/12" },
		{ "https://github.com/a", "" }, { "https://github.com/topics/rss", "" },
		{ "https://github.com/a/b/pull/12", "" }, { "https://github.com/a/b/issues", "" },
		{ "https://gitlab.com/a/b/-/issues/3", "" },
		{ "https://gitlab.example.org/a/b", "code=https://gitlab.example.org/a/b" },
		{ "https://anonymous.4open.science/r/X-1/", "code=https://anonymous.4open.science/r/X-1/" },
		{ "https://huggingface.co/a/b", "code=https://huggingface.co/a/b" },
		{ "https://huggingface.co/datasets/a/b", "data=https://huggingface.co/datasets/a/b" },
		{ "https://huggingface.co/spaces/a/b", "demo=https://huggingface.co/spaces/a/b" },
		{ "https://huggingface.co/papers/2401.00001", "" },
		{ "https://doi.org/10.5281/zenodo.7", "data=https://doi.org/10.5281/zenodo.7" },
		{ "https://doi.org/10.1000/182", "" }, { "https://arxiv.org/abs/2401.00001", "" },
		{ "https://a.github.io", "project=https://a.github.io" },
		{ "https://sites.google.com/view/x", "project=https://sites.google.com/view/x" },
		{ "https://www.youtube.com/watch?v=1", "video=https://www.youtube.com/watch?v=1" },
		{ "https://www.youtube.com/@somebody", "" }, { "https://youtu.be/x", "video=https://youtu.be/x" },
		{ "https://x.streamlit.app/", "demo=https://x.streamlit.app/" },
		{ "https://notgithub.com/a/b", "" }, { "https://github.com.example.org/a/b", "" },
		{ "ftp://github.com/a/b", "" }, { "https://user:key@github.com/a/b", "" },
		{ "https://user@github.com/a/b", "" },
	};
	char html[600];

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		snprintf(html, sizeof(html), "<p>See %s, which is ours.</p>", of[i].url);
		assert_string_equal(found(html, NULL), of[i].is);
	}
}

static void
urls_end_where_the_sentence_does(void **state)
{
	static const struct { const char *html, *is; } of[] = {
		{ "(https://github.com/a/b).", "code=https://github.com/a/b" },
		{ "https://github.com/a/b_(c), and", "code=https://github.com/a/b_(c)" },
		{ "<i>https://github.com/a/b</i>", "code=https://github.com/a/b" },
		{ "&quot;https://github.com/a/b&quot;", "code=https://github.com/a/b" },
		{ "https://github.com/a/b?x=1&amp;y=2!", "code=https://github.com/a/b?x=1&y=2" },
		{ "https://github.com/a/b{https://github.com/a/c}.",
		    "code=https://github.com/a/b https://github.com/a/c" },
		{ "at github.com/a/b and b.github.io.",
		    "code=https://github.com/a/b | project=https://b.github.io" },
		{ "me@a.github.io, x/github.com/a/b", "" },
		{ "https://github.com/a/long-na\xe2\x80\xa6", "" }, { "https://github.com/a/long...", "" },
		{ "\xe3\x80\x82https://github.com/a/b\xe3\x80\x82", "code=https://github.com/a/b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++)
		assert_string_equal(found(of[i].html, NULL), of[i].is);
}

static void
a_page_is_named_once(void **state)
{
	(void)state;
	assert_string_equal(found("<a href=\"https://github.com/a/b\">https://github.com/a/b</a>, "
	    "http://www.github.com/a/b/ and https://github.com/a/b?utm_source=x; https://github.com/a/c",
	    NULL), "code=https://github.com/a/b https://github.com/a/c");
}

static void
words_tell_the_kind_of_other_hosts(void **state)
{
	static const struct { const char *html, *is; } of[] = {
		{ "Our code is available at https://x.org/c.", "code=https://x.org/c" },
		{ "Project page: https://x.org/p", "project=https://x.org/p" },
		{ "a website http://x.org/p with more", "project=http://x.org/p" },
		{ "Code, checkpoints and data are available on https://x.org/", "project=https://x.org/" },
		{ "All models are released (https://x.org/m).", "code=https://x.org/m" },
		{ "Code is nice. It is harder than it seems (https://x.org/927/).", "" },
		{ "The postcode is at https://x.org/927/", "" },
		{ "<a href=\"https://x.org/v\">[Video]</a> <a href=\"https://x.org/d\">Demo</a>",
		    "video=https://x.org/v | demo=https://x.org/d" },
		{ "new <a href=\"https://x.org/d\">data from the bureau</a>", "" },
		{ "<p>Data are here:</p><p>https://x.org/d</p>", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++)
		assert_string_equal(found(of[i].html, NULL), of[i].is);
}

static void
pages_of_the_site_itself_are_no_projects(void **state)
{
	const char *html = "our website is at https://site.example/about, at https://me.github.io/2, "
	    "code at https://github.com/a/b";

	(void)state;
	assert_string_equal(found(html, "https://me.github.io/1"), "code=https://github.com/a/b");
	assert_string_equal(found("see https://me.github.io/1", "https://me.github.io/1"),
	    "project=https://me.github.io/1");
}

static void
what_the_plugin_gave_stays(void **state)
{
	struct cr_record *r = record_with("https://github.com/a/b and https://youtu.be/x", NULL);

	(void)state;
	record_set_extra(r, "code", "https://example.org/mine");
	links_set(r, PAGE);
	assert_string_equal(record_get_extra(r, "code"), "https://example.org/mine");
	assert_string_equal(record_get_extra(r, "video"), "https://youtu.be/x");
	record_free(r);
}

static void
number_and_length_have_an_end(void **state)
{
	struct cr_record *r;
	char *html = malloc(400000), *to = html, name[32];
	const char *all;
	size_t n = 1, i;

	(void)state;
	for (i = 0; i < 5000; i++)
		to += sprintf(to, "https://github.com/a/b%zu ", i);
	r = record_with(html, NULL);
	links_set(r, NULL);
	for (all = record_get_extra(r, "code"); (all = strchr(all, ' ')) != NULL; all++)
		n++;
	assert_int_equal(n, LINKS_MAX);
	record_free(r);

	to = html + sprintf(html, "https://github.com/a/");
	memset(to, 'x', LINKS_URL);
	strcpy(to + LINKS_URL, " https://youtu.be/x");
	assert_string_equal(found(html, NULL), "video=https://youtu.be/x");

	r = record_with("https://youtu.be/x", NULL);	/* a full list of extras is no reason to refuse it */
	for (i = 0; i < RECORD_LIST_MAX; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		record_set_extra(r, name, "x");
	}
	links_set(r, NULL);
	assert_null(record_bad(r));
	assert_null(record_get_extra(r, "video"));
	record_free(r);
	free(html);
}

/* Repeats a part in text[from] to text[end]; returns where it ends. */
static size_t
repeat(char *text, size_t from, size_t end, const char *part)
{
	size_t len = strlen(part);

	for (; from + len < end; from += len)
		memcpy(text + from, part, len);
	return from;
}

/* CPU time, us, for so many bytes of content: two parts, each repeated; and as many of summary. */
static double
cost(size_t size, const char *first, const char *second, const char *summary)
{
	char *text = malloc(size);
	struct cr_record *r = record_new();
	clock_t begun;
	size_t n;

	n = repeat(text, repeat(text, 0, size / 2, first), size, second);
	record_set(r, CR_CONTENT, text, n);
	n = repeat(text, 0, size, summary);
	record_set(r, CR_SUMMARY, text, n);
	begun = clock();
	links_set(r, NULL);
	begun = clock() - begun;
	record_free(r);
	free(text);
	return (double)begun / CLOCKS_PER_SEC * 1e6;
}

/* Tags without end before each URL, URLs without end, one run of bytes in which an address may begin again
 * and again: eight times the text is eight times the work, where the square would be 64 times. */
static void
texts_cost_no_more_than_their_length(void **state)
{
	static const char *const text[][3] = {
		{ "<b>x", "<b>http://a.b/c ", "a.github" }, { "a.b;", "a.b;", "x" },
		{ "http://a.b{", "http://a.b{", "x" },
	};
	const size_t max = RECORD_TEXT_MAX - 100;
	double few, many;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();			/* it looks at all bytes that memchr() may read, at each call */
#endif
	for (size_t i = 0; i < COUNT(text); i++) {
		few = cost(max / 8, text[i][0], text[i][1], text[i][2]);
		many = cost(max, text[i][0], text[i][1], text[i][2]);
		print_message("text %zu: %.0f us, %.0f us\n", i, few, many);
		assert_true(many < 30 * (few > 1000 ? few : 1000));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_of_the_kind_that_host_and_path_tell),
		cmocka_unit_test(urls_end_where_the_sentence_does),
		cmocka_unit_test(a_page_is_named_once),
		cmocka_unit_test(words_tell_the_kind_of_other_hosts),
		cmocka_unit_test(pages_of_the_site_itself_are_no_projects),
		cmocka_unit_test(what_the_plugin_gave_stays),
		cmocka_unit_test(number_and_length_have_an_end),
		cmocka_unit_test(texts_cost_no_more_than_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

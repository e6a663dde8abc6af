/* The query language: what queries mean, and which records they find. */
#include "record/near.h"
#include "record/query.h"
#include "record/record.h"
#include "record/searched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define DAY		INT64_C(86400000)

/* ---- What queries mean ---- */

/* Writes a node: (& a b) all, (| a b) one of them, !a not; a.b a phrase, a* the beginning of a word, ^a in
 * titles; S<..> A C<..> H<..> tags. */
static void
write_node(const struct query *q, uint32_t at, struct buf *b)
{
	const struct query_node *n = &q->node[at];
	const char *word;

	if (n->kind == NODE_NOT) {
		buf_char(b, '!');
		write_node(q, n->child, b);
	} else if (n->kind == NODE_AND || n->kind == NODE_OR) {
		buf_str(b, n->kind == NODE_AND ? "(&" : "(|");
		for (uint32_t i = n->child; i != 0; i = q->node[i].next) {
			buf_char(b, ' ');
			write_node(q, i, b);
		}
		buf_char(b, ')');
	} else {
		if (n->kind == NODE_WORDS && n->title)
			buf_char(b, '^');
		for (uint32_t i = 0; i < n->n; i++) {
			const struct word *w = &q->words.word[n->first + i];

			word = q->words.text + w->at;
			if (i > 0)
				buf_char(b, '.');
			if (n->kind == NODE_TAGS) {
				buf_char(b, "*SACH"[(unsigned char)word[2] - 0x80]);
				buf_add(b, word + 3, w->len - 3);
			} else
				buf_add(b, word, w->len);
		}
		if (n->prefix)
			buf_char(b, '*');
	}
}

static const char *
meaning(const char *text)
{
	static struct buf b;
	struct query *q = query_read(text, strlen(text));

	buf_free(&b);
	buf_init(&b, 1u << 16);
	buf_str(&b, "");
	if (q->root != 0)
		write_node(q, q->root, &b);
	if (q->after != INT64_MIN)
		buf_fmt(&b, " >=%d", (int)(q->after / DAY));
	if (q->before != INT64_MAX)
		buf_fmt(&b, " <%d", (int)(q->before / DAY));
	if (q->like != NULL)
		buf_fmt(&b, " like %s", q->like);
	if (q->sorted)
		buf_fmt(&b, " sort %d", (int)q->sort);
	if (q->notes.len > 0)
		buf_str(&b, " ?");
	query_free(q);
	return b.data;
}

/* Replaces <..> in what is expected by the hash. */
static const char *
hashed(const char *text)
{
	static struct buf b;
	const char *open, *close;

	buf_free(&b);
	buf_init(&b, 1u << 16);
	while ((open = strchr(text, '<')) != NULL && (close = strchr(open, '>')) != NULL) {
		buf_add(&b, text, (size_t)(open - text));
		buf_fmt(&b, "%016llx", (unsigned long long)near_hash(open + 1, (size_t)(close - open) - 1));
		text = close + 1;
	}
	buf_str(&b, text);
	return b.data;
}

static void
queries_mean_what_they_say(void **state)
{
	static const struct { const char *query, *means; } of[] = {
		/* words */
		{ "", "" },
		{ "   ", "" },
		{ "sparse", "sparse" },
		{ "Sparse Attention", "(& sparse attention)" },
		{ "sparse AND attention", "(& sparse attention)" },
		{ "caf\u00e9", "cafe" },
		{ "don't", "dont" },
		{ "C++ c#", "(& c\uff0b\uff0b c\uff03)" },
		{ "gpt-4", "gpt4" },
		{ "ab-cd", "ab.cd" },
		{ "a - b", "(& a b)" },
		{ "state-of-the-art", "state.of.the.art" },
		{ "$\\alpha$-VAE", "alpha.vae" },
		{ "f(x)", "f.x" },
		{ "???", "" },
		{ "a ??? b", "(& a b)" },
		/* phrases */
		{ "\"sparse attention\"", "sparse.attention" },
		{ "\"sparse", "sparse" },
		{ "\"\"", "" },
		{ "a\"b c\"d", "(& a b.c d)" },
		{ "\u201csparse attention\u201d", "sparse.attention" },
		{ "\"OR -x\"", "or.x" },
		/* not */
		{ "a -b", "(& a !b)" },
		{ "a NOT b", "(& a !b)" },
		{ "-b", "!b" },
		{ "a -\"b c\"", "(& a !b.c)" },
		{ "a -(b OR c)", "(& a !(| b c))" },
		{ "a --b", "(& a !b)" },
		{ "a -", "a" },
		{ "a -???", "a" },
		/* or, parentheses */
		{ "a OR b", "(| a b)" },
		{ "a b OR c d", "(| (& a b) (& c d))" },
		{ "a (b OR c) d", "(& a (| b c) d)" },
		{ "((a))", "a" },
		{ "(a OR (b c))", "(| a (& b c))" },
		{ "a or b", "(& a or b)" },
		{ "OR a", "a" },
		{ "a OR", "a" },
		{ "a OR OR b", "(| a b)" },
		{ "(a", "a ?" },
		{ "a) b", "(& a b)" },
		{ "()", "" },
		{ "(f(x) OR b)", "(| f.x b)" },
		/* operators */
		{ "source:gh", "S<gh>" },
		{ "source:GH/Linux", "S<gh/linux>" },
		{ "source:gh/*", "S<gh>" },
		{ "-source:\"my feed\"", "!S<my feed>" },
		{ "author:Le\u0301vy", "Alevy" },
		{ "author:\"Yann LeCun\"", "Ayann.Alecun" },
		{ "author:(hinton OR lecun)", "(| Ahinton Alecun)" },
		{ "category:cs.LG", "C<cs lg >" },
		{ "has:code x", "(& H<code> x)" },
		{ "x after:2026-11-05", "x >=20762" },
		{ "after:2026 before:2026-12", " >=20454 <20788" },
		{ "-after:2026-11-05", " <20762" },
		{ "after:2026-02-30", "after.2026.02.30 ?" },
		{ "after:soon", "after.soon ?" },
		{ "in:title sparse", "^sparse" },
		{ "sparse in:title \"a b\" OR c", "(| (& ^sparse ^a.b) c)" },
		{ "in:text x", "(& in.text x) ?" },
		{ "foo:bar", "foo.bar ?" },
		{ "note: this", "(& note this)" },
		{ "https://example.org/a?b=1", "https.example.org.a.b.1" },
		{ "12:30", "12.30" },
		{ "like:abc", " like abc" },
		{ "x sort:new", "x sort 1" },
		{ "sort:size", "sort.size ?" },
		{ "source:", "source" },
		/* scripts without spaces */
		{ "\u5316", "\u5316*" },
		{ "\u6df1\u5ea6", "\u6df1\u5ea6" },
		{ "\u6df1\u5ea6\u5b66\u4e60", "\u6df1\u5ea6.\u5ea6\u5b66.\u5b66\u4e60" },
		{ "\u4e2d\u6587\u3000\u68c0\u7d22", "(& \u4e2d\u6587 \u68c0\u7d22)" },
		{ "issue\u5316", "issue.\u5316*" },
		{ "\"\u4e2d\u6587 abc\"", "\u4e2d\u6587.\u6587.abc" },
		{ "author:\u5f20", "A\u5f20*" },
	};

	(void)state;
	assert_true(COUNT(of) >= 60);
	for (size_t i = 0; i < COUNT(of); i++) {
		const char *means = meaning(of[i].query);

		if (strcmp(means, hashed(of[i].means)) != 0)
			fail_msg("%s: %s, not %s", of[i].query, means, hashed(of[i].means));
	}
}

static void
bounds_are_told(void **state)
{
	struct query *q;
	struct buf b;

	(void)state;
	buf_init(&b, 1u << 20);
	for (int i = 0; i < 100; i++)
		buf_fmt(&b, "w%d ", i);
	q = query_read(b.data, b.len);
	assert_int_equal(q->terms, QUERY_TERMS);
	assert_non_null(strstr(q->notes.data, "more than 64 words"));
	query_free(q);
	buf_clear(&b);
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "(a OR -");
	q = query_read(b.data, b.len);
	assert_non_null(strstr(q->notes.data, "more than 16 parentheses"));
	assert_non_null(strstr(q->notes.data, "longer than 4096 bytes"));
	query_free(q);
	buf_clear(&b);
	buf_char(&b, '"');
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "a b ");
	q = query_read(b.data, b.len);
	assert_int_equal(q->node[q->root].n, QUERY_WORDS);
	assert_non_null(strstr(q->notes.data, "more than 512 words"));
	query_free(q);
	buf_free(&b);
}

/* ---- Which records they find ---- */

static struct cr_record *
record_of(void)
{
	struct cr_record *r = record_new();
	const char *title = "Sparse attention for long documents";
	const char *summary = "<p>We study <b>graph</b>-structured memory in C++ and GPT-4.</p>";

	record_set(r, CR_TITLE, title, strlen(title));
	record_set(r, CR_SUMMARY, summary, strlen(summary));
	record_set(r, CR_SOURCE, "papers/ml", 9);
	record_set(r, CR_CATEGORY, "cs.LG", 5);
	record_add_author(r, CR_AUTHOR, "Yann LeCun", NULL, NULL);
	record_add_author(r, CR_AUTHOR, "Geoffrey Hinton", NULL, NULL);
	record_set_extra(r, "code", "https://example.org/");
	return r;
}

static int
finds(const struct searched *s, const char *query, int64_t seen)
{
	struct query *q = query_read(query, strlen(query));
	int found = query_matches(q, s, seen);

	query_free(q);
	return found;
}

static void
records_are_found(void **state)
{
	static const char *const yes[] = {
		"sparse", "SPARSE documents", "\"sparse attention\"", "graph-structured", "memory c++", "gpt4",
		"sparse OR nothing", "nothing OR sparse", "-nothing", "sparse -nothing", "in:title sparse",
		"source:papers", "source:papers/ml", "source:PAPERS/*", "author:lecun", "author:\"yann lecun\"",
		"author:(nobody OR hinton)", "category:CS.lg", "has:code", "has:author", "after:2026-11-05",
		"before:2026-11-06", "sparse (graph OR x) -y", "in:title sparse OR memory",
	}, *const no[] = {
		"", "nothing", "sparse nothing", "\"attention sparse\"", "-sparse", "in:title graph", "source:paper",
		"source:ml", "author:\"lecun geoffrey\"", "author:\"hinton yann\"", "category:cs", "has:data",
		"after:2026-11-06", "before:2026-11-05", "document", "\"documents we\"", "lecun", "p",
	};
	const int64_t seen = 20762 * DAY + 5;
	struct cr_record *r = record_of();
	struct searched s;

	(void)state;
	searched_init(&s);
	searched_read(&s, r);
	for (size_t i = 0; i < COUNT(yes); i++)
		if (!finds(&s, yes[i], seen))
			fail_msg("%s does not find it", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		if (finds(&s, no[i], seen))
			fail_msg("%s finds it", no[i]);
	searched_free(&s);
	record_free(r);
}

/* Queries of one to seven signs, some with Latin letters between them. */
static void
signs_are_found(void **state)
{
	static const struct { const char *title, *query; int found; } of[] = {
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u6df1", 1 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u6765", 1 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u5ea6\u5b66", 1 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u5b66\u4e60\u7684", 1 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", 1 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u5b66\u5ea6", 0 },
		{ "\u6df1\u5ea6\u5b66\u4e60\u7684\u672a\u6765", "\u6df1\u5b66", 0 },
		{ "issue\u5316\u3059\u308b", "issue\u5316", 1 },
		{ "\u5185\u90e8itgc\u63a7\u5236", "itgc", 1 },
		{ "\u5185\u90e8itgc\u63a7\u5236", "\u90e8itgc\u63a7", 1 },
		{ "\u30c7\u30fc\u30bf\u30d9\u30fc\u30b9\u5165\u9580", "\u30c7\u30fc\u30bf\u30d9\u30fc\u30b9", 1 },
		{ "\u30c7\u30fc\u30bf\u30d9\u30fc\u30b9\u5165\u9580", "\u5165\u9580", 1 },
		{ "\ud55c\uad6d\uc5b4 \ubb38\uc11c", "\ud55c\uad6d \ubb38", 1 },
		{ "\ud55c\uad6d\uc5b4 \ubb38\uc11c", "\uad6d\ubb38", 0 },
	};

	(void)state;
	assert_int_equal(COUNT(of), 14);
	for (size_t i = 0; i < COUNT(of); i++) {
		struct cr_record *r = record_new();
		struct searched s;

		searched_init(&s);
		record_set(r, CR_TITLE, of[i].title, strlen(of[i].title));
		searched_read(&s, r);
		if (finds(&s, of[i].query, 0) != of[i].found)
			fail_msg("%s in %s: not %d", of[i].query, of[i].title, of[i].found);
		searched_free(&s);
		record_free(r);
	}
}

/* Any bytes are a query. */
static void
nothing_is_an_error(void **state)
{
	static const char bits[] = "ab(\")-: OR\t\\{*^+#\xe2\x80\x9c\xff\0'source:after:2026in:title";
	struct cr_record *r = record_of();
	struct searched s;
	char text[64];
	uint32_t seed = 7;

	(void)state;
	searched_init(&s);
	searched_read(&s, r);
	for (int i = 0; i < 100000; i++) {
		struct query *q;
		size_t n = 0;

		while (n < sizeof(text)) {
			seed = seed * 1664525 + 1013904223;
			if ((seed >> 24) % 40 == 0)
				break;
			text[n++] = bits[(seed >> 8) % (sizeof(bits) - 1)];
		}
		q = query_read(text, n);
		(void)query_matches(q, &s, 0);
		query_free(q);
	}
	searched_free(&s);
	record_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_mean_what_they_say),
		cmocka_unit_test(bounds_are_told),
		cmocka_unit_test(records_are_found),
		cmocka_unit_test(signs_are_found),
		cmocka_unit_test(nothing_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The words of texts, as they are searched. */
#include "base/text.h"
#include "base/utf8.h"
#include "record/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* The words of a text; behind each sign of a run that is its last a full stop, behind a lone one a *. */
static void
put(void *arg, const char *word, size_t len, enum word_kind kind)
{
	struct buf *b = arg;

	if (b->len > 0)
		buf_char(b, ' ');
	buf_add(b, word, len);
	if (kind == WORD_LAST)
		buf_char(b, '.');
	else if (kind == WORD_SIGN)
		buf_char(b, '*');
	assert_true(len > 0 && len <= WORD_MAX);
	assert_int_equal(text_valid(word, len), len);
}

static const char *
made(const char *text)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, 1u << 20);
	buf_str(&b, "");
	words_read(text, strlen(text), put, &b);
	return b.data;
}

struct made { const char *text, *words; };

static void
check(const struct made *of, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(made(of[i].text), of[i].words);
}

static void
case_and_marks_are_folded(void **state)
{
	static const struct made of[] = {
		{ "", "" },
		{ " -- \t.\n", "" },
		{ "The GPU, the CPU; and (so) on.", "the gpu the cpu and so on" },
		{ "Don't stop l\u2019\u00e9t\u00e9", "dont stop lete" },
		{ "M\u00fcnchen MU\u0308NCHEN", "munchen munchen" },
		{ "Stra\u00dfe STRASSE \u1e9e", "strasse strasse ss" },
		{ "\u00c6r\u00f8 \u0141\u00f3d\u017a \u0110\u0111 \u0131\u0130", "aero lodz dd ii" },
		{ "\u039f\u03b4\u03cc\u03c2 \u03bf\u03b4\u03cc\u03c3", "\u03bf\u03b4\u03bf\u03c3 \u03bf\u03b4\u03bf\u03c3" },
		{ "\u0401\u0436 \u0415\u0416", "\u0435\u0436 \u0435\u0436" },
		{ "\uff21\uff22\uff23 \uff11", "abc 1" },
		{ "\ufb01nd o\ufb03ce", "find office" },
		{ "CO\u2082 x\u00b2 \u2115", "co2 x2 n" },
		{ "\U0001d400\U0001d401", "ab" },
		{ "soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth" },
		{ "\u0643\u0650\u062a\u0627\u0628", "\u0643\u062a\u0627\u0628" },
		{ "snake_case a/b c.d", "snake case a b c d" },
		{ "bad \xff bytes\xc3", "bad bytes" },
	};

	(void)state;
	check(of, COUNT(of));
}

static void
signs_of_names_stay(void **state)
{
	static const struct made of[] = {
		{ "C++ c++11 g++ and C+ x+++", "c\uff0b\uff0b c\uff0b\uff0b 11 g\uff0b\uff0b and c x" },
		{ "C# f# a#b #tag", "c\uff03 f\uff03 a\uff03 b tag" },
		{ "GPT-4 gpt4 Covid-19 k-means 3-D 10-year", "gpt4 gpt4 covid19 k means 3 d 10 year" },
		{ "GPT-3.5 llama-3-8b", "gpt3 5 llama3 8b" },
	};

	(void)state;
	check(of, COUNT(of));
}

static void
tex_loses_its_signs(void **state)
{
	static const struct made of[] = {
		{ "$\\alpha$-divergence \u03b1-divergence", "alpha divergence alpha divergence" },
		{ "$L_{\\max}^2$ of $\\mathcal{O}(n)$", "l max 2 of o n" },
		{ "Schr\\\"odinger Schr{\\\"o}dinger Schr\\\"{o}dinger", "schrodinger schrodinger schrodinger" },
		{ "{\\\"O}sterreich Erd\\H{o}s Erd{\\H o}s", "osterreich erdos erd h o s" },
		{ "\\emph{very} \\textbf{bold} \\frac{a}{b}", "very bold a b" },
		{ "\\varepsilon \\ell_1 a\\,b \\& \\", "epsilon ell 1 a b" },
		{ "na\\\"\\i ve Stra\\ss{}e", "nai ve strasse" },
		{ "$5 and US$6", "5 and us 6" },
	};

	(void)state;
	check(of, COUNT(of));
}

static void
signs_make_pairs(void **state)
{
	static const struct made of[] = {
		{ "\u6df1\u5ea6\u5b66\u4e60", "\u6df1\u5ea6 \u5ea6\u5b66 \u5b66\u4e60 \u4e60." },
		{ "\u5316", "\u5316*" },
		{ "issue\u5316 \u7684itgc\u63a7\u5236", "issue \u5316* \u7684* itgc \u63a7\u5236 \u5236." },
		{ "\u30c7\u30fc\u30bf", "\u30c7\u30fc \u30fc\u30bf \u30bf." },
		{ "\uc548\ub155 \ud558", "\uc548\ub155 \ub155. \ud558*" },
		{ "\u304c\u304b", "\u304c\u304b \u304b." },
		{ "\uff76\uff77", "\u30ab\u30ad \u30ad." },
		{ "\u4e2d\u6587\u3002\u6587", "\u4e2d\u6587 \u6587. \u6587*" },
	};

	(void)state;
	check(of, COUNT(of));
}

static void
long_words_are_cut(void **state)
{
	char text[3 * WORD_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(strlen(made(text)), WORD_MAX);
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\u0436", 2);
	assert_int_equal(strlen(made(text)), WORD_MAX);
}

static uint32_t seed = 1;

static uint32_t
draw(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* A query is parted at spaces, and each part is read by itself: the words must be those of the whole. */
static void
parts_have_the_words_of_the_whole(void **state)
{
	static const char *const bits[] = {
		" ", " ", "\t", "a", "Bc", "4", "-", "+", "++", "#", "\\", "\\\"", "{", "}", "$", "_", "^", "\\alpha",
		"\\H{", "\\emph{", "\\ss", "'", "\u00e9", "e\u0301", "\u6df1", "\u5ea6", "\u30c7", "\uc548", "\u03b1",
		"\ufb01", "\u200b", "\u3000", ".", ",", "/", "C", "\u0e01", "\\'{", "\\c{", "`", "\\-", "\\i",
	};
	struct buf text, all, parts;

	(void)state;
	buf_init(&text, 1u << 16);
	buf_init(&all, 1u << 20);
	buf_init(&parts, 1u << 20);
	for (int i = 0; i < 100000; i++) {
		char *rest, *one;

		buf_clear(&text);
		buf_clear(&all);
		buf_clear(&parts);
		buf_str(&all, "");
		buf_str(&parts, "");
		buf_str(&text, " ");
		for (uint32_t n = 1 + draw(24); n > 0; n--)
			buf_str(&text, bits[draw(COUNT(bits))]);
		words_read(text.data, text.len, put, &all);
		for (rest = text.data; (one = strsep(&rest, " \t")) != NULL;)
			words_read(one, strlen(one), put, &parts);
		assert_string_equal(parts.len > 0 ? parts.data : "", all.len > 0 ? all.data : "");
	}
	buf_free(&text);
	buf_free(&all);
	buf_free(&parts);
}

static void
lists_have_all_words(void **state)
{
	struct word_list l = { 0 };

	(void)state;
	words_add(&l, "One two", 7, 3);
	words_add(&l, "\u5316 four", 8, 3);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.text, "one two \u5316 ");
	assert_int_equal(l.word[2].at, 8);
	assert_int_equal(l.word[2].kind, WORD_SIGN);
	words_clear(&l);
	assert_int_equal(l.n, 0);
	words_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_marks_are_folded),
		cmocka_unit_test(signs_of_names_stay),
		cmocka_unit_test(tex_loses_its_signs),
		cmocka_unit_test(signs_make_pairs),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(parts_have_the_words_of_the_whole),
		cmocka_unit_test(lists_have_all_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* TeX in titles and names: what is a formula, what becomes of it, and what stays as it was written. */
#include "base/buf.h"
#include "base/tex.h"
#include "base/tex_sign.h"
#include "base/utf8.h"

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

static const char *
made(const char *in, int html)
{
	static struct buf b;

	buf_free(&b);
	buf_init(&b, 1u << 20);
	buf_str(&b, "");
	if (html)
		tex_html(&b, in, strlen(in));
	else
		tex_text(&b, in, strlen(in));
	assert_int_equal(text_valid(b.data, b.len), b.len);
	return b.data;
}

struct shown { const char *in, *text, *html; };	/* html NULL: the same as text */

static void
check(const struct shown *of, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(made(of[i].in, 0), of[i].text);
		assert_string_equal(made(of[i].in, 1), of[i].html != NULL ? of[i].html : of[i].text);
	}
}

static void
formulas_become_unicode(void **state)
{
	static const struct shown of[] = {
		{ "A study of $f$", "A study of f", NULL },
		{ "$\\alpha$-helices", "\u03b1-helices", NULL },
		{ "$\\varepsilon_1/\\varepsilon_2^2$", "\u03b5\u2081/\u03b5\u2082\u00b2",
		    "\u03b5<sub>1</sub>/\u03b5<sub>2</sub><sup>2</sup>" },
		{ "$^{13}$CO and H$_2$O", "\u00b9\u00b3CO and H\u2082O", "<sup>13</sup>CO and H<sub>2</sub>O" },
		{ "$10^{-3}$", "10\u207b\u00b3", "10<sup>\u22123</sup>" },
		{ "$\\mathcal{L}_{CLIP}$", "\u2112_{CLIP}", "\u2112<sub>CLIP</sub>" },
		{ "$L_q$", "L_q", "L<sub>q</sub>" },
		{ "$x^{a_b}$", "x^{a_b}", "x<sup>a<sub>b</sub></sup>" },
		{ "$e^{-x^2}$", "e^{\u2212x\u00b2}", "e<sup>\u2212x<sup>2</sup></sup>" },
		{ "$f\\colon\\mathbb R^n\\to\\mathbb R$", "f: \u211d\u207f \u2192 \u211d",
		    "f: \u211d<sup>n</sup> \u2192 \u211d" },
		{ "$\\{1, \\dots, n\\}$", "{1, \u2026, n}", NULL },
		{ "$0 \\le \u03b1, \u03b2\\le 1/8$", "0 \u2264 \u03b1, \u03b2 \u2264 1/8", NULL },
		{ "$O(n\\log(1/\\varepsilon))$", "O(n log(1/\u03b5))", NULL },
		{ "$\\tilde{O}(\\varepsilon^{-2})$", "\u00d5(\u03b5\u207b\u00b2)", "\u00d5(\u03b5<sup>\u22122</sup>)" },
		{ "$\\hat{x}$, $\\tilde\u0398$, $\\vec v$", "x\u0302, \u0398\u0303, v\u20d7", NULL },
		{ "$\\overline{AB}$", "A\u0305B\u0305", NULL },
		{ "$\\|\\nabla f(\\mathbf{x})\\|$", "\u2016\u2207f(x)\u2016", NULL },
		{ "$\\frac{1}{2}$, $\\frac{a+b}{c}$", "1/2, (a+b)/c", NULL },
		{ "$\\sqrt{n}$, $\\sqrt{xy}$, $\\sqrt[3]{x}$", "\u221an, \u221a(xy), \u221bx", NULL },
		{ "$25\\%$", "25%", NULL }, { "$90^\\circ$", "90\u00b0", NULL }, { "$f'$", "f\u2032", NULL },
		{ "$A \\not\\in B$", "A \u2208\u0338 B", NULL },
		{ "$2\\times 2$ and $\\pm 1$", "2 \u00d7 2 and \u00b11", NULL },
		{ "$X \\sim N(\\mathbf\u03b8, I_\\infty)$", "X \u223c N(\u03b8, I_\u221e)",
		    "X \u223c N(\u03b8, I<sub>\u221e</sub>)" },
		{ "$p_{\\text{max speed}}$", "p_{max speed}", "p<sub>max speed</sub>" },
		{ "$\\left(\\frac12\\right)$", "(1/2)", NULL }, { "$$a_1$$", "a\u2081", "a<sub>1</sub>" },
		{ "\\(x^2\\)", "x\u00b2", "x<sup>2</sup>" }, { "$a < b$", "a < b", "a &lt; b" },
		{ "$\\mathfrak{g}$ $\\mathbb{1}$ $\\mathcal A$", "\U0001d524 \U0001d7d9 \U0001d49c", NULL },
		{ "$O(1)$, $r>0$, $(n-k)$, $(\u03c0, 1-\u03c0)$",
		    "O(1), r>0, (n\u2212k), (\u03c0, 1\u2212\u03c0)",
		    "O(1), r&gt;0, (n\u2212k), (\u03c0, 1\u2212\u03c0)" },
	};

	(void)state;
	check(of, COUNT(of));
}

static void
what_cannot_be_shown_stays_as_it_was_written(void **state)
{
	static const char *const of[] = {
		"$\\unknown{x}$", "$x^{a_{b_c}}$", "$\\frac{a}$", "$a_$", "$\\hat{xyz}$", "$a & b_1$", "$\\sqrt[5]{x}$",
		"$\\begin{matrix}a\\end{matrix}$", "$\\alpha} + {$", "${{{{{{{{{{x}}}}}}}}}}$",
	};
	char html[200];

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		assert_string_equal(made(of[i], 0), of[i]);
		snprintf(html, sizeof(html), "<code>%s</code>", of[i]);
		if (strchr(of[i], '&') == NULL)
			assert_string_equal(made(of[i], 1), html);
	}
	assert_string_equal(made("$a & b_1$", 1), "<code>$a &amp; b_1$</code>");
}

static void
money_paths_and_programs_are_no_formulas(void **state)
{
	static const char *const of[] = {
		"$5 and $6", "costs $5", "$5-$10", "US$50$ and $50$", "$5k$", "pay $5_000 to US$6", "$", "$$", "$$$",
		"from $HOME/$USER to $PATH", "$HOME_DIR$", "$FOO$BAR", "\\$x^2\\$", "$ x_1 $", "$total cost$",
		"\\(foo\\)", "$x_1", "f(x_1, {y})", "\\alpha and \\omega", "{BERT}", "C:\\o files", "dir\\other",
		"\\o/", "the \\o of it", "\\emph without", "a\\", "\\", "{\\", "{\\\"", "\\'",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++)
		assert_string_equal(made(of[i], 0), of[i]);
}

static void
accents_of_bibliographies_become_letters(void **state)
{
	static const struct shown of[] = {
		{ "M\\\"uller, M{\\\"u}ller, M\\\"{u}ller, M{\\\"{u}}ller", "M\u00fcller, M\u00fcller, M\u00fcller, M\u00fcller", NULL },
		{ "Erd\\H{o}s, Poincar\\'e, Ho\\v{r}ava, \\v Sim", "Erd\u0151s, Poincar\u00e9, Ho\u0159ava, \u0160im", NULL },
		{ "\\c{C}elik, gar\\c con, Mu\\~noz, na{\\\"\\i}ve, na\\\"{\\i}ve",
		    "\u00c7elik, gar\u00e7on, Mu\u00f1oz, na\u00efve, na\u00efve", NULL },
		{ "Stra\\ss e, Stra{\\ss}e, Gau\\ss{}, S\\o ren, \\AA ngstr\\\"om, \\L{}ukasz",
		    "Stra\u00dfe, Stra\u00dfe, Gau\u00df, S\u00f8ren, \u00c5ngstr\u00f6m, \u0141ukasz", NULL },
		{ "L\\'evy and S\\'ebastien", "L\u00e9vy and S\u00e9bastien", NULL },
		{ "\\emph{Drosophila} \\textit{in vivo}", "Drosophila in vivo", NULL },
		{ "l\\'eau, qu\\'elle", "l\\'eau, qu\\'elle", "l\\&#39;eau, qu\\&#39;elle" },
		{ "Say \\\"other\\\" and \\\"use strict\\\"", "Say \\\"other\\\" and \\\"use strict\\\"",
		    "Say \\&quot;other\\&quot; and \\&quot;use strict\\&quot;" },
		{ "C:\\users\\\"a", "C:\\users\\\"a", "C:\\users\\&quot;a" },
	};

	(void)state;
	check(of, COUNT(of));
}

/* Every row of the table can be shown with letters as its arguments. */
static void
every_command_is_shown(void **state)
{
	static const char *const some[] = { "alpha", "Omega", "le", "in", "sum", "infty", "to", "cdot", "times", "log",
		"mathrm{x}", "text{x}", "mathbb{x}", "hat{x}", "bar{x}", "frac{x}{y}", "sqrt{x}", "not=", "left(" };
	char in[64];

	(void)state;
	for (size_t i = 0; i < COUNT(some); i++) {
		snprintf(in, sizeof(in), "$\\%s$", some[i]);
		assert_null(strchr(made(in, 0), '\\'));
	}
	assert_null(tex_command("alph", 4));
	assert_null(tex_command("alphabet", 8));
	assert_int_equal(tex_script('2', 1), 0xb2);
	assert_int_equal(tex_script('q', 1), 0);
}

/* CPU time, us, of a title that is so many bytes of one part. */
static double
cost(const char *part, size_t size)
{
	char *in = malloc(size + 16);
	clock_t begun;
	size_t n;

	for (n = 0; n < size; n += strlen(part))
		memcpy(in + n, part, strlen(part));
	in[n] = '\0';
	begun = clock();
	(void)made(in, 1);
	begun = clock() - begun;
	free(in);
	return (double)begun / CLOCKS_PER_SEC * 1e6;
}

/* Dollars and braces without end, formulas one after another: eight times the title is eight times the
 * work, where the square would be 64 times. */
static void
titles_cost_no_more_than_their_length(void **state)
{
	static const char *const of[] = { "$", "${", "$\\frac{", "\\", "{\\\"", "$\\zz$", "$a_1$", "\\emph{", "$x^{x^{" };
	double few, many;

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++) {
		few = cost(of[i], 4096);
		many = cost(of[i], 32768);
		print_message("%s: %.0f us, %.0f us\n", of[i], few, many);
		assert_true(many < 30 * (few > 1000 ? few : 1000));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formulas_become_unicode),
		cmocka_unit_test(what_cannot_be_shown_stays_as_it_was_written),
		cmocka_unit_test(money_paths_and_programs_are_no_formulas),
		cmocka_unit_test(accents_of_bibliographies_become_letters),
		cmocka_unit_test(every_command_is_shown),
		cmocka_unit_test(titles_cost_no_more_than_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

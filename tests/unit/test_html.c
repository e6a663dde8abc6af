/* The sanitiser: what passes, what goes, what is mended, and what it costs. */
#include "../fuzz/strict_html.h"
#include "buf.h"
#include "css.h"
#include "html.h"

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

struct pair {
	const char	*in, *out;
};

static void
clean(struct buf *b, const char *in, size_t len, const char *base, int flags)
{
	char *copy = malloc(len + (len == 0));
	const char *why;

	assert_non_null(copy);
	memcpy(copy, in, len);
	buf_init(b, 8 * len + 65536);
	buf_str(b, "");
	html_sanitise(b, copy, len, base, flags);
	free(copy);
	assert_false(b->over);
	if ((why = strict_html(b->data, b->len, base != NULL)) != NULL)
		fail_msg("%s in %s", why, b->data);
}

static void
check(const struct pair *pairs, size_t n, const char *base, int flags)
{
	struct buf b;

	for (size_t i = 0; i < n; i++) {
		clean(&b, pairs[i].in, strlen(pairs[i].in), base, flags);
		if (strcmp(b.data, pairs[i].out) != 0)
			fail_msg("%s\nbecame %s\nnot    %s", pairs[i].in, b.data, pairs[i].out);
		buf_free(&b);
	}
}

static void
harmless_html_passes(void **state)
{
	static const struct pair pairs[] = {
		{ "", "" }, { "plain", "plain" },
		{ "<p>one <b>two</b></p>", "<p>one <b>two</b></p>" },
		{ "<P CLASS=big>x</P>", "<p class=\"big\">x</p>" },
		{ "a<br>b<hr/><img src=\"http://x/y.png\" alt='\"'>",
		  "a<br/>b<hr/><img src=\"http://x/y.png\" alt=\"&quot;\"/>" },
		{ "<table><tr><td colspan=2>x</td></tr></table>",
		  "<table><tr><td colspan=\"2\">x</td></tr></table>" },
		{ "<input checked><option selected value=1>",
		  "<input checked=\"\"/><option selected=\"\" "
		  "value=\"1\"></option>" },
		{ "<video controls><source src=/a.mp4></video>",
		  "<video controls=\"\"><source src=\"http://example.org/a.mp4\"/></video>" },
		{ "<pre>a\n  b</pre>", "<pre>a\n  b</pre>" },
		{ "<p title=\"a\nb\">", "<p title=\"a\nb\"></p>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
text_is_decoded_and_escaped_once(void **state)
{
	static const struct pair pairs[] = {
		{ "a < b > c & d &amp; &lt;p&gt; &#60; &eacute;&nbsp;\"'",
		  "a &lt; b &gt; c &amp; d &amp; &lt;p&gt; &lt; \u00e9\u00a0\"'" },
		{ "&amp;lt;", "&amp;lt;" }, { "<3 <", "&lt;3 &lt;" },
		{ "&copy 2020", "\u00a9 2020" },
		{ "x\x01\x7fy\tz", "xy\tz" }, { "</ p>a</>b<!x>c<?y?>d", "abcd" },
		{ "<p title='a&quot;b&copyc&lt;'>", "<p title=\"a&quot;b&amp;copyc&lt;\"></p>" },
		{ "<textarea><b>&lt;</textarea>", "<textarea>&lt;b&gt;&lt;</textarea>" },
		{ "&#1;", "\xef\xbf\xbd" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
what_runs_goes_with_what_is_in_it(void **state)
{
	static const struct pair pairs[] = {
		{ "a<script>alert('<p>')</script>b", "ab" }, { "a<SCRIPT/x>1</sCrIpT >b", "ab" },
		{ "a<script src=x/>b", "a" }, { "a<script src=\"x\" />b", "ab" },
		{ "a<style>p{}</style>b<title>t</title>c", "abc" }, { "a<script>open", "a" },
		{ "a<object><object>x</object><p>y</object>b", "ab" }, { "a<object>b", "ab" },
		{ "a<applet>x</applet>b<svg><p>x</svg>c<template>y</template>d", "abcd" },
		{ "a<iframe src=x><b>c</b></iframe>", "a<b>c</b>" }, { "a<iframe src=x />b", "ab" },
		{ "<form action=x><input name=y></form>", "<input name=\"y\"/>" },
		{ "<embed src=x><link href=x><meta content=x><base href=x>y", "y" },
		{ "<blink>x</blink><marquee>y<unknown-thing z>", "xy" },
		{ "<html><head><body onload=x><p>y</html>", "<p>y</p>" },
		{ "<math><mi>x</mi></math>", "x" },
		{ "<p onclick=x ONLOAD = 'y' onx data-x=1 srcdoc=z>", "<p></p>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
addresses_are_resolved_and_only_the_web_and_mail_pass(void **state)
{
	static const struct pair pairs[] = {
		{ "<a href=x>", "<a href=\"http://example.org/dir/x\"></a>" },
		{ "<a href='?a=1&amp;b=2&c=3'>",
		  "<a href=\"http://example.org/dir/page?a=1&amp;b=2&amp;c=3\"></a>" },
		{ "<a href=mailto:a@b>", "<a href=\"mailto:a@b\"></a>" },
		{ "<img src=mailto:a@b>", "<img/>" }, { "<a href=''>", "<a href=\"\"></a>" },
		{ "<a href=//h/x>", "<a href=\"http://h/x\"></a>" },
		{ "<a href=\" https://h/a b\">", "<a href=\"https://h/a%20b\"></a>" },
		{ "<a href=javascript:x>", "<a></a>" },
		{ "<a href='JaVa\nscript&colon;x'>", "<a></a>" },
		{ "<a href='&#106;avascript:x'>", "<a></a>" },
		{ "<a href=' \x01 javascript:x'>", "<a></a>" },
		{ "<a href='jav&#x09;ascript:x'>", "<a></a>" },
		{ "<a href=vbscript:x>", "<a></a>" },
		{ "<a href=data:text/html,x>", "<a></a>" },
		{ "<img src=data:image/png;base64,x>", "<img/>" },
		{ "<a href='feed:http://x'>", "<a></a>" }, { "<a href=http:///?x>", "<a></a>" },
		{ "<blockquote cite=x>",
		  "<blockquote cite=\"http://example.org/dir/x\"></blockquote>" },
		{ "<video poster=x>", "<video poster=\"http://example.org/dir/x\"></video>" },
		{ "<img srcset='a 1x, javascript:b 2x ,http://h/c 100w,d'>",
		  "<img srcset=\"http://example.org/dir/a 1x, http://h/c 100w, http://example.org/dir/d\"/>" },
		{ "<img srcset='a 2x , javascript:b'>", "<img srcset=\"http://example.org/dir/a 2x\"/>" },
		{ "<img srcset='javascript:b'>", "<img/>" },
		{ "<img usemap=#m><img usemap=x:y>", "<img usemap=\"#m\"/><img/>" },
		{ "<td background=x>", "<td background=\"http://example.org/dir/x\"></td>" },
		{ "<a href='http://h/\"onclick=x'>", "<a href=\"http://h/%22onclick=x\"></a>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
without_a_base_relative_addresses_stay(void **state)
{
	static const struct pair pairs[] = {
		{ "<a href=x/y?z&amp;q>", "<a href=\"x/y?z&amp;q\"></a>" },
		{ "<a href=javascript:x>", "<a></a>" }, { "<a href='java\tscript:x'>", "<a></a>" },
		{ "<a href=http://h/>", "<a href=\"http://h/\"></a>" },
		{ "<a href=\"/a:b\">", "<a href=\"/a:b\"></a>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), NULL, 0);
}

static void
tags_are_balanced(void **state)
{
	static const struct pair pairs[] = {
		{ "<b><i>x</b>y</i>z", "<b><i>x</i></b>yz" }, { "x</p></b>y", "xy" },
		{ "<div><p>x", "<div><p>x</p></div>" },
		{ "<p>a<p>b", "<p>a</p><p>b</p>" },
		{ "<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>" },
		{ "<ul><li>a<ul><li>b</ul><li>c</ul>",
		  "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>" },
		{ "<table><tr><td>a<td>b<tr><th>c</table>",
		  "<table><tr><td>a</td><td>b</td></tr><tr><th>c</th></tr></table>" },
		{ "<div><table><tr><td>a</div>b</table>c",
		  "<div><table><tr><td>ab</td></tr></table>c</div>" },
		{ "<a href=x>1<a href=y>2", "<a href=\"http://example.org/dir/x\">1</a>"
		  "<a href=\"http://example.org/dir/y\">2</a>" },
		{ "<a name=\"x\"/>y<div/>z", "<a name=\"x\"></a>y<div></div>z" },
		{ "<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>" },
		{ "<br></br></img>", "<br/>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
broken_markup_is_read_as_browsers_do(void **state)
{
	static const struct pair pairs[] = {
		{ "<p/class=a /id=b>", "<p class=\"a\" id=\"b\"></p>" },
		{ "<p class=a class=b>", "<p class=\"a\"></p>" },
		{ "<p class = 'a' id>", "<p class=\"a\" id=\"\"></p>" },
		{ "<p class=\"a\"id=b>", "<p class=\"a\" id=\"b\"></p>" },
		{ "<p title=a>b>", "<p title=\"a\">b&gt;</p>" },
		{ "<p title=\"a>b\">", "<p title=\"a&gt;b\"></p>" },
		{ "<p title=\"open>x</p>", "<p title=\"&quot;open\">x</p>" },
		{ "<p =x>", "<p></p>" }, { "<p '\"<b>x", "<p>x</p>" },
		{ "a<p class", "a&lt;p class" },
		{ "a<!-- b --><!--><i>c</i>--><!-- d --!>e<!-- f > g", "a<i>c</i>--&gt;e g" },
		{ "a<!-- b", "a" }, { "a<!b", "a&lt;!b" },
		{ "<![CDATA[a<b>c</b>]]>", "&lt;![CDATA[a<b>c</b>]]&gt;" },
		{ "<<b>x</b>", "&lt;<b>x</b>" }, { "<img/src=`x`onerror=alert(1)>",
		  "<img src=\"http://example.org/dir/`x`onerror=alert(1)\"/>" },
		{ "<noscript><p title=\"</noscript><img src=x onerror=y>\">",
		  "<noscript><p title=\"&lt;/noscript&gt;"
		  "&lt;img src=x onerror=y&gt;\"></p></noscript>" },
		{ "<xmp><img src=x onerror=y></xmp>z", "&lt;img src=x onerror=y&gt;z" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
nul_does_not_end_the_text(void **state)
{
	static const char text[] =
	    "a\0<scr\0ipt>b</p>\0<p ti\0tle=x onclick\0=y href=\"java\0script:z\">";
	struct buf b;

	(void)state;
	clean(&b, text, sizeof(text) - 1, BASE, 0);
	assert_string_equal(b.data, "ab<p></p>");
	buf_free(&b);
}

static void
styles_pass_piece_by_piece(void **state)
{
	static const struct pair pairs[] = {
		{ "color: RED", "color: RED;" },
		{ "COLOR:red;;width : 10px ", "color: red; width: 10px;" },
		{ "color: rgb(0, 128, 0); border: solid 2px #000000",
		  "color: rgb(0, 128, 0); border: solid 2px #000000;" },
		{ "margin: 0 auto !important", "margin: 0 auto !important;" },
		{ "margin: -5px", "margin: -5px;" },
		{ "font-family: \"Lucida Console\", serif",
		  "font-family: 'Lucida Console', serif;" },
		{ "margin: 99999em", "" }, { "position: fixed; top: 0; color: red", "color: red;" },
		{ "background: url(javascript:x)", "" }, { "background: URL (x)", "" },
		{ "width: expression(x)", "" },
		{ "color: r\\65 d", "" }, { "color: red/**/", "" }, { "behavior: x", "" },
		{ "-moz-binding: x", "" },
		{ "color", "" }, { ":red", "" }, { "color:", "" }, { "color: 'a", "" },
		{ "color: a}b{c", "" },
		{ "@import 'x'", "" }, { "font-family: 'a;b'", "" }, { "width: calc(1px)", "" },
		{ "color: <b>", "" }, { "line-height: .5", "line-height: .5;" },
		{ "width: 1.5e10px", "width: 1.5e10px;" },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		buf_init(&b, 1000);
		buf_str(&b, "");
		css_sanitise(&b, pairs[i].in, strlen(pairs[i].in));
		if (strcmp(b.data, pairs[i].out) != 0)
			fail_msg("%s: %s", pairs[i].in, b.data);
		buf_free(&b);
	}
}

static void
trackers_go_when_asked(void **state)
{
	static const struct pair kept[] = {
		{ "<img src=http://h/x.gif width=1 height=1>",
		  "<img src=\"http://h/x.gif\" width=\"1\" height=\"1\"/>" },
	}, gone[] = {
		{ "a<img src=http://h/x.gif width=1 height='0px'>b", "ab" },
		{ "a<img src=http://feeds.feedburner.com/~r/x/~4/y>b", "ab" },
		{ "a<img src=https://pixel.wp.com/b.gif?x=y>b", "ab" },
		{ "<img src=http://h/x.gif width=1 height=100>",
		  "<img src=\"http://h/x.gif\" width=\"1\" height=\"100\"/>" },
	};

	(void)state;
	check(kept, COUNT(kept), BASE, 0);
	check(gone, COUNT(gone), BASE, HTML_STRIP_TRACKERS);
}

static void
depth_has_an_end(void **state)
{
	char text[3 * 1000 + 1];
	struct buf b;
	size_t open = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 3 * i, "<b>", 4);
	clean(&b, text, strlen(text), BASE, 0);
	for (const char *s = b.data; (s = strstr(s, "<b>")) != NULL; s++)
		open++;
	assert_int_equal(open, HTML_DEPTH);
	buf_free(&b);
}

/* 4 MB of each in a moment: nothing is searched twice. */
static void
broken_markup_costs_no_more_than_its_length(void **state)
{
	static const char *const parts[] = {
		"<", "<a", "<a ", "<a b=\"", "<a x=\"> \"", "<a x='\"> ", "<!--", "<!", "</a",
		  "</ ", "<b>",
		"<p>", "</p>", "<object>", "<svg><b>", "<textarea>", "<xmp>", "<div><table><td>",
		  "</td></div>",
		"<a a=1 b=2 c=3 d=4 ", "&", "&#", "<b x=&amp", "<img srcset=',,a ,'>",
		  "<p style='color:a;'>",
		"<![CDATA[", "--", "<table></b>",
	};
	size_t size = 4u << 20;
	char *text = malloc(size);
	struct buf b;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(parts); i++) {
		for (size_t at = 0, n = strlen(parts[i]); at < size; at++)
			text[at] = parts[i][at % n];
		buf_init(&b, 64 * size);
		html_sanitise(&b, text, size, BASE, 0);
		assert_false(b.over);
		buf_free(&b);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(harmless_html_passes),
		cmocka_unit_test(text_is_decoded_and_escaped_once),
		cmocka_unit_test(what_runs_goes_with_what_is_in_it),
		cmocka_unit_test(addresses_are_resolved_and_only_the_web_and_mail_pass),
		cmocka_unit_test(without_a_base_relative_addresses_stay),
		cmocka_unit_test(tags_are_balanced),
		cmocka_unit_test(broken_markup_is_read_as_browsers_do),
		cmocka_unit_test(nul_does_not_end_the_text),
		cmocka_unit_test(styles_pass_piece_by_piece),
		cmocka_unit_test(trackers_go_when_asked),
		cmocka_unit_test(depth_has_an_end),
		cmocka_unit_test(broken_markup_costs_no_more_than_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

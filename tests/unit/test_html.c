/* The sanitiser: what passes, what goes, what is mended, and what it costs. */
#include "../fuzz/strict_html.h"
#include "base/buf.h"
#include "record/css.h"
#include "store/ledger_verdict.h"
#include "worker/html.h"
#include "worker/nest.h"

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
		{ "<progress max=2 value=1>x</progress>", "<progress max=\"2\" value=\"1\">x</progress>" },
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
		{ "<xmp><b>&lt;</xmp>", "&lt;b&gt;&lt;" },
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
		{ "a<iframe srcdoc=x><b>c</b></iframe>", "a<b>c</b>" }, { "a<iframe />b", "ab" },
		{ "<form action=x>a<input name=y>b</form>", "ab" },
		{ "a<noscript><p>b</p></noscript><noembed>c</noembed><noframes>d</noframes><plaintext>e",
		  "a<p>b</p>cde" },
		{ "a<select><option>b<optgroup></select>c<textarea><p>d</textarea>e<datalist><option>f"
		  "</datalist><keygen><button name=x>g</button><output>h</output>", "acegh" },
		{ "<fieldset name=x><legend>a</legend><label for=y>b</label></fieldset>",
		  "<fieldset><legend>a</legend><label for=\"y\">b</label></fieldset>" },
		{ "<img name=getElementById id=x src=/i><a id=body name=y href=#z>a</a>",
		  "<img src=\"http://example.org/i\"/><a href=\"http://example.org/dir/page#z\">a</a>" },
		{ "<embed><link href=x><meta content=x><base href=x>y", "y" },
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
		{ "<img src=mailto:a@b>", "" }, { "<a href=''>", "<a href=\"\"></a>" },
		{ "<a href=//h/x>", "<a href=\"http://h/x\"></a>" },
		{ "<a href=\" https://h/a b\">", "<a href=\"https://h/a%20b\"></a>" },
		{ "<a href=javascript:x>", "<a></a>" },
		{ "<a href='JaVa\nscript&colon;x'>", "<a></a>" },
		{ "<a href='&#106;avascript:x'>", "<a></a>" },
		{ "<a href=' \x01 javascript:x'>", "<a></a>" },
		{ "<a href='jav&#x09;ascript:x'>", "<a></a>" },
		{ "<a href=vbscript:x>", "<a></a>" },
		{ "<a href=data:text/html,x>", "<a></a>" },
		{ "<img src=data:image/png;base64,x>", "" },
		{ "<a href='feed:http://x'>", "<a></a>" }, { "<a href=http:///?x>", "<a></a>" },
		{ "<blockquote cite=x>",
		  "<blockquote cite=\"http://example.org/dir/x\"></blockquote>" },
		{ "<video poster=x>", "<video poster=\"http://example.org/dir/x\"></video>" },
		{ "<img srcset='a 1x, javascript:b 2x ,http://h/c 100w,d'>",
		  "<img srcset=\"http://example.org/dir/a 1x, http://h/c 100w, http://example.org/dir/d\"/>" },
		{ "<img srcset='a 2x , javascript:b'>", "<img srcset=\"http://example.org/dir/a 2x\"/>" },
		{ "<img srcset='javascript:b'>", "" },
		{ "<img srcset='a,,, b ,,,c,,'>", "<img srcset=\"http://example.org/dir/a, http://example.org/dir/b, "
		  "http://example.org/dir/c\"/>" },
		{ "<img srcset='a,\nb\t2x'>", "<img srcset=\"http://example.org/dir/a, http://example.org/dir/b 2x\"/>" },
		{ "<p style='margin:1px\n2px'>a</p>", "<p style=\"margin: 1px 2px;\">a</p>" },
		{ "<img usemap=#m><img usemap=x:y>", "<img usemap=\"#m\"/><img/>" },
		{ "<table><td background=x>",
		  "<table><td background=\"http://example.org/dir/x\"></td></table>" },
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
		{ "<a href=\"/a:b\">", "<a href=\"/a:b\"></a>" }, { "<a href=#x>y</a>", "<a>y</a>" },
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
		{ "<a name=\"x\"/>y<div/>z", "<a></a>y<div></div>z" },
		{ "<dl><dt>a<dd>b<dt>c</dl>", "<dl><dt>a</dt><dd>b</dd><dt>c</dt></dl>" },
		{ "<br></br></img>", "<br/>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

/* No start tag stands where a browser closes, moves or wraps something for it. */
static void
what_is_written_is_nested_as_browsers_nest_it(void **state)
{
	static const struct pair pairs[] = {
		{ "<p>a<div>b</div>c</p>", "<p>a</p><div>b</div>c" },
		{ "<p><span>a<ul><li>b", "<p><span>a</span></p><ul><li>b</li></ul>" },
		{ "<p>a<table><td><p>b", "<p>a</p><table><td><p>b</p></td></table>" },
		{ "<h1>a<h2>b", "<h1>a</h1><h2>b</h2>" },
		{ "<li><div><li>a", "<li><div></div></li><li>a</li>" },
		{ "<li><section><li>a", "<li><section><li>a</li></section></li>" },
		{ "<dt><b>a<dd>b", "<dt><b>a</b></dt><dd><b>b</b></dd>" },
		{ "<nobr>a<i>b<nobr>c", "<nobr>a<i>b</i></nobr><i><nobr>c</nobr></i>" },
		{ "<ruby>a<rp>(<rt>b<rtc>c<rt>d<rb>e", "<ruby>a<rp>(</rp><rt>b</rt><rtc>c<rt>d</rt></rtc><rb>e</rb></ruby>" },
		{ "<pre>\n\r\n\na</pre><pre><!-- -->\n&#10;\n</pre>", "<pre>a</pre><pre></pre>" },
		/* Of tables. */
		{ "a<td>b</td><tr><caption>c<col><tbody>d", "abcd" },
		{ "<table>a<tr>b<td>c", "<table><tr><td>a</td></tr><tr><td>b</td><td>c</td></tr></table>" },
		{ "<table> <b>a</b> <tbody>\n<i>b</table>", "<table> <tr><td><b>a</b> </td></tr><tbody>\n"
		  "<tr><td><i>b</i></td></tr></tbody></table>" },
		{ "<table><colgroup>a", "<table><colgroup></colgroup><tr><td>a</td></tr></table>" },
		{ "<table><tr><table><td>a", "<table><tr><td><table><td>a</td></table></td></tr></table>" },
		{ "<table><td><b>a<tr><td>b", "<table><td><b>a</b></td><tr><td>b</td></tr></table>" },
		{ "<table><caption>a<tr><td>b", "<table><caption>a</caption><tr><td>b</td></tr></table>" },
		{ "<table><td>a<table><td>b</tr></table>c", "<table><td>a<table><td>b</td></table>c</td></table>" },
		/* What is closed before its end tag is opened again. */
		{ "<p><a href=/x><div>a</div>b</a>c</p>", "<p><a href=\"http://example.org/x\"></a></p><div>"
		  "<a href=\"http://example.org/x\">a</a></div><a href=\"http://example.org/x\">b</a>c" },
		{ "<p><b><i>a<p>b</i>c</b>d", "<p><b><i>a</i></b></p><p><b><i>b</i>c</b>d</p>" },
		{ "<p><b>a<p></b>c", "<p><b>a</b></p><p>c</p>" },
		{ "<p><a href=/x>a<p><a href=/y>b", "<p><a href=\"http://example.org/x\">a</a></p><p>"
		  "<a href=\"http://example.org/y\">b</a></p>" },
		{ "<p><b><b><b>a<p>b", "<p><b><b><b>a</b></b></b></p><p><b>b</b></p>" },
		{ "<p><b>a<table><td>b</table>c", "<p><b>a</b></p><table><td>b</td></table><b>c</b>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

/* What is opened again costs no more than the text has bytes. */
static void
opening_again_has_an_end(void **state)
{
	size_t size = 1u << 20, at = 0;
	char *text = malloc(size + 65536), value[8001];
	struct buf b;

	(void)state;
	assert_non_null(text);
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	at = (size_t)snprintf(text, 65536, "<p><b title=%s><a href=/%s><i lang=%s>x", value, value, value);
	for (; at < size; at += 4)
		memcpy(text + at, "<p>x", 4);
	clean(&b, text, size, BASE, 0);
	assert_true(b.len < 4 * size);
	buf_free(&b);
	for (at = 0; at < size;)
		at += (size_t)snprintf(text + at, 65536, "<p><b title=%s>", value + at % 7000);
	clean(&b, text, size, BASE, 0);
	assert_true(b.len < 4 * size);
	buf_free(&b);
	free(text);
}

static void
broken_markup_is_read_as_browsers_do(void **state)
{
	static const struct pair pairs[] = {
		{ "<p/class=a /lang=b>", "<p class=\"a\" lang=\"b\"></p>" },
		{ "<p class=a class=b>", "<p class=\"a\"></p>" },
		{ "<p class = 'a' dir>", "<p class=\"a\" dir=\"\"></p>" },
		{ "<p class=\"a\"lang=b>", "<p class=\"a\" lang=\"b\"></p>" },
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
		  "<p title=\"&lt;/noscript&gt;&lt;img src=x onerror=y&gt;\"></p>" },
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
	assert_int_equal(open, NEST_DEPTH);
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
		"<p><b><i>", "<table>", "<table>x", "<p><a href=x><div>", "<li><div>", "<ruby><rt>", "<pre>\n", "<nobr><p>",
		"<a a=1 b=2 c=3 d=4 ", "&", "&#", "<b x=&amp", "<img srcset=',,a ,'>",
		  "<p style='color:a;'>",
		"<![CDATA[", "--", "<table></b>", "<iframe src=x>", "<iframe src=a:>", "<object data=x>",
		"<math>", "<embed src=x>", "<object><param name=movie value=x>",
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

/* The same of players and formulas, which have an end: that is looked for once. */
static void
what_is_embedded_costs_no_more_than_its_length(void **state)
{
	static const struct { const char *begin, *part, *end; } cases[] = {
		{ "", "<iframe src=x>", "</iframe>" }, { "", "<iframe src=x><a>", "</iframe>" },
		{ "", "<iframe src=a:>", "</iframe>" }, { "", "<object>", "</object>" },
		{ "", "<object data=x>", "</object>" }, { "", "<object><embed src=a:>", "</object>" },
		{ "<math>", "<msup>", "</msup>" }, { "<math>", "<mphantom>", "</mphantom>" },
		{ "<math>", "<!--", ">" }, { "<math>", "<", "<" }, { "<math>", "<mfenced>a", "</mfenced>" },
		{ "<math>", "<msup><mi>x</mi><mi>y</mi></msup>", "</mi>" }, { "<math><msup>", "<mi>xy</mi>", "&" },
		{ "", "<math>", "</math>" }, { "", "<math></math>", "<math/>" },
	};
	size_t size = 1u << 20, half = size / 2, at, k;
	char *text = malloc(size + 64);
	struct buf b;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(cases); i++) {
		at = (size_t)sprintf(text, "%s", cases[i].begin);
		for (k = 0; at < half; k++)
			text[at++] = cases[i].part[k % strlen(cases[i].part)];
		for (k = 0; at < size; k++)
			text[at++] = cases[i].end[k % strlen(cases[i].end)];
		strcpy(text + at, "</math>");
		buf_init(&b, 64 * size);
		html_sanitise(&b, text, at + 7, BASE, 0);
		assert_false(b.over);
		assert_null(strict_html(b.data != NULL ? b.data : "", b.len, 1));
		buf_free(&b);
	}
	free(text);
}

#define LINK(url, text)	"<a href=\"" url "\">" text "</a>"

static void
players_become_links(void **state)
{
	static const struct pair pairs[] = {
		{ "a<iframe src='https://www.youtube.com/embed/dQw4w9WgXcQ?rel=0&amp;start=3' width=560 "
		  "height=315></iframe>b",
		  "a" LINK("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "www.youtube.com/watch?v=dQw4w9WgXcQ") "b" },
		{ "<iframe src=//www.youtube-nocookie.com/embed/x_-1 title='A &lt;film&gt; \"x\"'></iframe>",
		  LINK("https://www.youtube.com/watch?v=x_-1", "A &lt;film&gt; \"x\"") },
		{ "<iframe src='https://www.youtube.com/embed/videoseries?si=a&list=PL1'></iframe>",
		  LINK("https://www.youtube.com/playlist?list=PL1", "www.youtube.com/playlist?list=PL1") },
		{ "<iframe src=https://player.vimeo.com/video/76979871?h=8272103f6e#t=1></iframe>",
		  LINK("https://vimeo.com/76979871", "vimeo.com/76979871") },
		{ "<iframe src=https://tube.example/videos/embed/9c9de5e8-0a1e?subtitle=en></iframe>",
		  LINK("https://tube.example/videos/watch/9c9de5e8-0a1e", "tube.example/videos/watch/9c9de5e8-0a1e") },
		{ "<iframe src=https://bandcamp.com/EmbeddedPlayer/album=1/size=large/ seamless><a "
		  "href=https://x.bandcamp.com/album/y>Y by X</a></iframe>",
		  LINK("https://x.bandcamp.com/album/y", "Y by X") },
		{ "<iframe src=https://bandcamp.com/EmbeddedPlayer/album=1/></iframe>",
		  LINK("https://bandcamp.com/EmbeddedPlayer/album=1/", "bandcamp.com/EmbeddedPlayer/album=1/") },
		{ "<iframe src='https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b&color=f'></iframe>",
		  LINK("https://soundcloud.com/a/b", "soundcloud.com/a/b") },
		{ "<iframe src='https://w.soundcloud.com/player/?url=javascript%3Ax'></iframe>",
		  LINK("https://w.soundcloud.com/player/?url=javascript%3Ax",
		      "w.soundcloud.com/player/?url=javascript%3Ax") },
		{ "<iframe src=https://open.spotify.com/embed/episode/1?si=2></iframe>",
		  LINK("https://open.spotify.com/episode/1", "open.spotify.com/episode/1") },
		{ "<iframe src=/player/1>No frames.</iframe>",
		  LINK("http://example.org/player/1", "example.org/player/1") },
		{ "<iframe data-src=https://v.example/1 src=''></iframe>", LINK("https://v.example/1", "v.example/1") },
		{ "<iframe data-src=https://v.example/1 src=about:blank></iframe>",
		  LINK("https://v.example/1", "v.example/1") },
		{ "<iframe src=https://v.example/1><iframe src=https://v.example/2></iframe><a href=x>y</a></iframe>",
		  "<a href=\"http://example.org/dir/x\">y</a>" },
		{ "<iframe src=about:blank><p>x</p></iframe>", "<p>x</p>" },
		{ "<iframe src=\"https://v.example/it's\"></iframe>",
		  LINK("https://v.example/it&#39;s", "v.example/it's") },
		{ "<iframe src=https://v.example/></iframe><embed src=https://v.example>", "" },
		{ "<iframe src=https://v.example?v=1></iframe>", LINK("https://v.example?v=1", "v.example?v=1") },
		{ "<iframe src=data:text/html,x></iframe><iframe src=javascript:x></iframe><iframe></iframe>", "" },
		{ "<iframe src=https://t.example/ns.html width=0 height=0></iframe>", "" },
		{ "<embed src=https://v.example/1.swf><embed src=data:x>b", LINK("https://v.example/1.swf", "v.example/1.swf") "b" },
		{ "<object width=1 data=https://v.example/1><p>x</p></object>b", LINK("https://v.example/1", "v.example/1") "b" },
		{ "<object><param name=allow value=x><param name=movie value=http://www.youtube.com/v/abc&hl=en>"
		  "<embed src=http://www.youtube.com/v/abc></object>",
		  LINK("https://www.youtube.com/watch?v=abc", "www.youtube.com/watch?v=abc") },
		{ "<object classid=x><embed src=https://v.example/2></embed></object>", LINK("https://v.example/2", "v.example/2") },
		{ "<object data=data:x><object data=https://v.example/3></object></object>", LINK("https://v.example/3", "v.example/3") },
		{ "<object data='blob:x'><p title=\"></object>b", "b" },
		{ "<p>a<iframe src=https://v.example/1></iframe></p>", "<p>a" LINK("https://v.example/1", "v.example/1") "</p>" },
		{ "<a href=x><iframe src=https://v.example/1></iframe></a>",
		  "<a href=\"http://example.org/dir/x\"></a>" LINK("https://v.example/1", "v.example/1") },
		{ "<iframe src='https://v.example/?a=1&b=\"><script>x'></iframe>",
		  LINK("https://v.example/?a=1&amp;b=%22%3E%3Cscript%3Ex", "v.example/?a=1&amp;b=%22%3E%3Cscript%3Ex") },
		{ "<video src=https://v.example/1.mp4 controls>x</video>",
		  "<video src=\"https://v.example/1.mp4\" controls=\"\">x</video>" },
		{ "<video><source src=https://v.example/1.mp4></video>",
		  "<video><source src=\"https://v.example/1.mp4\"/></video>" },
		{ "<video src=blob:https://v.example/1>no <b>video</b></video>c", "no <b>video</b>c" },
		{ "<audio src=data:audio/ogg,x></audio>c", "c" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
a_player_without_a_base_is_a_link_when_it_is_absolute(void **state)
{
	static const struct pair pairs[] = {
		{ "<iframe src=https://v.example/1></iframe>", LINK("https://v.example/1", "v.example/1") },
		{ "<iframe src=x>y</iframe>", "y" }, { "<iframe src=//v.example/1>y</iframe>", "y" },
	};

	(void)state;
	check(pairs, COUNT(pairs), NULL, 0);
}

static void
a_picture_that_may_not_be_loaded_leaves_nothing(void **state)
{
	static const struct pair pairs[] = {
		{ "a<img src='data:image/gif;base64,R0lGODlh' alt=x width=10>b", "ab" },
		{ "<img src=' DATA:image/png,x'><img src='dat&#x61;:x'>", "" },
		{ "<img src=data:x srcset='data:image/png;base64,x 1x, http://h/b 2x'>",
		  "<img srcset=\"http://h/b 2x\"/>" },
		{ "<img src=x srcset='data:image/png;base64,x 1x'>", "<img src=\"http://example.org/dir/x\"/>" },
		{ "<img src=data:x data-src=http://h/c alt=d>", "<img alt=\"d\" src=\"http://h/c\"/>" },
		{ "<img src=http://h/a data-src=http://h/c>", "<img src=\"http://h/a\"/>" },
		{ "<img src=data:x data-src=data:y>", "" }, { "<img alt=x>", "<img alt=\"x\"/>" },
		{ "<picture><source srcset=data:x><source srcset='http://h/a 2x'><img src=data:x></picture>",
		  "<picture><source srcset=\"http://h/a 2x\"/></picture>" },
		{ "<figure><img src=data:x><figcaption>c</figcaption></figure>",
		  "<figure><figcaption>c</figcaption></figure>" },
		{ "<video poster=data:x src=/a></video>", "<video src=\"http://example.org/a\"></video>" },
		{ "<p style=\"background: url(data:image/png,x)\">x</p><table><td background=data:x>y</td>",
		  "<p>x</p><table><td>y</td></table>" },
		{ "<input type=image src=data:x><track src=data:x><embed src=data:x>", "" },
		{ "<svg><image href=data:x></svg><object data=data:image/png,x></object>", "" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

static void
sizes_of_a_srcset_are_escaped(void **state)
{
	static const struct pair pairs[] = {
		{ "<img srcset='a 1x\"onload=x, b 2x&lt;script&gt;&amp;'>",
		  "<img srcset=\"http://example.org/dir/a 1x&quot;onload=x, "
		  "http://example.org/dir/b 2x&lt;script&gt;&amp;\"/>" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
}

#define MI(x)	"<mi>" x "</mi>"
#define MO(x)	"<mo>" x "</mo>"
#define MN(x)	"<mn>" x "</mn>"
#define ROW(x)	"<mrow>" x "</mrow>"
#define MATH(x)	"<math>" x "</math>"

static void
formulas_become_text_that_means_the_same(void **state)
{
	static const struct pair pairs[] = {
		{ "a <math><mi>x</mi></math> b", "a x b" },
		{ MATH("<msup>" MI("y") MN("2") "</msup>"), "y^2" },
		{ MATH("\n <msup>\n  <mrow> " MI(" y ") " </mrow>\n  <mn> 2 </mn>\n</msup>\n"), "y^2" },
		{ MATH("<msup>" ROW(MO("(") MI("a") MO("+") MI("b") MO(")")) MN("2") "</msup>"), "(a+b)^2" },
		{ MATH("<msup>" ROW(MI("a") MO("+") MI("b")) ROW(MO("-") MN("1")) "</msup>"), "(a+b)^(-1)" },
		{ MATH("<msup><msup>" MI("a") MN("2") "</msup>" MN("3") "</msup>"), "(a^2)^3" },
		{ MATH("<msub>" MI("x") MI("i") "</msub>" MO("=") "<msubsup>" MI("x") MN("0") MN("2") "</msubsup>"),
		  "x_i=x_0^2" },
		{ MATH("<msub>" MI("a") ROW(MI("i") MO("+") MN("1")) "</msub>"), "a_(i+1)" },
		{ MATH("<msup><msub>" MI("x") MI("i") "</msub>" MN("2") "</msup>"), "x_i^2" },
		{ MATH("<mfrac>" MN("1") MN("2") "</mfrac>"), "1/2" },
		{ MATH("<mfrac>" ROW(MI("a") MO("+") MI("b")) ROW(MI("c") MI("d")) "</mfrac>"), "(a+b)/(cd)" },
		{ MATH("<msqrt>" MI("x") "</msqrt>" MO("+") "<msqrt>" MI("x") MO("+") MN("1") "</msqrt>"),
		  "\u221ax+\u221a(x+1)" },
		{ MATH("<mroot>" MI("x") MN("3") "</mroot>"), "x^(1/3)" },
		{ MATH("<mover>" MI("x") MO("^") "</mover><mover>" MI("&#x3bd;") MO("&#xAF;") "</mover>"),
		  "x\u0302\u03bd\u0304" },
		{ MATH("<mover>" ROW(MI("A") MI("B")) MO("&rarr;") "</mover>"), "(AB)^\u2192" },
		{ MATH("<munder>" MO("lim") ROW(MI("x") MO("&#x2192;") MN("0")) "</munder>" MI("f")), "lim_(x\u21920)f" },
		{ MATH("<munderover>" MO("&sum;") ROW(MI("i") MO("=") MN("1")) MI("n") "</munderover>" MI("i")),
		  "\u2211_(i=1)^ni" },
		{ MATH("<mmultiscripts>" MI("A") MI("i") MI("j") "</mmultiscripts>"), "A_i^j" },
		{ MATH("<msubsup>" MI("A") "<none/>" MI("j") "</msubsup>"), "A^j" },
		{ MATH("<msup>" MI("f") MO("&prime;") "</msup>"), "f\u2032" },
		{ MATH(MN("2") MI("sin") MI("x") MO("&lt;") MI("y") MI("cos") "<msup>" MI("x") MN("2") "</msup>"),
		  "2 sin x&lt;y cos x^2" },
		{ MATH("<mfenced>" MI("a") MI("b") "</mfenced><mfenced open='[' close=\"]\">" MI("c") "</mfenced>"
		  "<mfenced open='&lt;\x01' close='&gt;'>" MI("d") "</mfenced>"), "(a,b)[c]&lt; d&gt;" },
		{ MATH("<mtable><mtr><mtd>" MN("1") "</mtd><mtd>" MN("2") "</mtd></mtr><mtr><mtd>" MN("3")
		  "</mtd></mtr></mtable>"), "1, 2; 3" },
		{ MATH("<semantics>" ROW("<msup>" MI("y") MN("2") "</msup>") "<annotation encoding='application/x-tex'>"
		  "y^{2}</annotation><annotation-xml><apply><ci>y</ci></apply></annotation-xml></semantics>"), "y^2" },
		{ MATH("<mtext>if &amp;lt; </mtext>" MI("x") "<mphantom>" MI("z") "</mphantom>"), "if &amp;lt;x" },
		{ "<m:math><m:msup><m:mi>y</m:mi><m:mn>2</m:mn></m:msup></m:math>", "y^2" },
		{ "<math display=block xmlns=x><msup>" MI("y") MN("2") "</msup></math>", "y^2" },
		{ MATH("<msup>" MI("y") MN("2")), "y^2" }, { MATH("</msup><msup>" MI("y") "</math>"), "y" },
		{ MATH("a<b") "c", "a&lt;bc" }, { "<math><msup>" MI("y") MN("2") "</msup>", "y2" },
		{ MATH("<script>alert(1)</script><img src=x onerror=y>" MI("<b>x</b>")), "x" },
		{ MATH("<!-- <mi>no</mi> -->" MI("x") "<mspace/>" MI("y")), "x y" }, { MATH(""), "" },
	};

	(void)state;
	check(pairs, COUNT(pairs), BASE, 0);
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
		cmocka_unit_test(what_is_written_is_nested_as_browsers_nest_it),
		cmocka_unit_test(opening_again_has_an_end),
		cmocka_unit_test(broken_markup_is_read_as_browsers_do),
		cmocka_unit_test(nul_does_not_end_the_text),
		cmocka_unit_test(styles_pass_piece_by_piece),
		cmocka_unit_test(trackers_go_when_asked),
		cmocka_unit_test(depth_has_an_end),
		cmocka_unit_test(broken_markup_costs_no_more_than_its_length),
		cmocka_unit_test(what_is_embedded_costs_no_more_than_its_length),
		cmocka_unit_test(players_become_links),
		cmocka_unit_test(a_player_without_a_base_is_a_link_when_it_is_absolute),
		cmocka_unit_test(a_picture_that_may_not_be_loaded_leaves_nothing),
		cmocka_unit_test(sizes_of_a_srcset_are_escaped),
		cmocka_unit_test(formulas_become_text_that_means_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

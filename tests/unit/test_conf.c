/* Configurations as trees: what is read, and what is refused with its line. */
#include "base/buf.h"
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The tree on one line: {key:line=value, ...}, [..], 'text', ~ for nothing. */
static void
show(const struct node *n, struct buf *b)
{
	const struct node *c;

	if (n->key != NULL)
		buf_fmt(b, "%s:%d=", n->key, n->line);
	if (n->kind == CONF_SCALAR && n->text == NULL)
		buf_str(b, "~");
	else if (n->kind == CONF_SCALAR)
		buf_fmt(b, "'%s'", n->text);
	if (n->kind == CONF_SCALAR)
		return;
	buf_char(b, n->kind == CONF_MAP ? '{' : '[');
	for (c = n->child; c != NULL; c = c->next) {
		show(c, b);
		if (c->next != NULL)
			buf_char(b, ' ');
	}
	buf_char(b, n->kind == CONF_MAP ? '}' : ']');
}

static void
reads(const char *text, const char *shown)
{
	struct mistakes m;
	struct node *root;
	struct buf b;

	mistakes_init(&m);
	buf_init(&b, 1 << 20);
	root = conf_parse("c", text, strlen(text), &m);
	if (root == NULL)
		fail_msg("%s", m.text.data);
	show(root, &b);
	assert_string_equal(b.data, shown);
	assert_int_equal(m.n, 0);
	conf_free(root);
	buf_free(&b);
	mistakes_free(&m);
}

static void
refuses_bytes(const char *text, size_t len, const char *said)
{
	struct mistakes m;

	mistakes_init(&m);
	assert_null(conf_parse("c", text, len, &m));
	assert_string_equal(m.text.data, said);
	mistakes_free(&m);
}

static void
refuses(const char *text, const char *said)
{
	refuses_bytes(text, strlen(text), said);
}

static void
maps_lists_and_texts_keep_their_lines(void **state)
{
	(void)state;
	reads("", "{}");
	reads("# nothing\n", "{}");
	reads("---\n...\n", "{}");
	reads("a: 1\nb:\n  c: x y\n  d: [p, 'q r', \"s\\tt\"]\n",
	    "{a:1='1' b:2={c:3='x y' d:4=['p' 'q r' 's\tt']}}");
	reads("a:\nb: \"\"\nc: ~\nd: {e: , f: {}, g: []}\n",
	    "{a:1=~ b:2='' c:3='~' d:4={e:4=~ f:4={} g:4=[]}}");
	reads("x:\n- a: 1\n  b: 2\n-\n- [c]\n", "{x:1=[{a:2='1' b:3='2'} ~ ['c']]}");
	reads("t: |\n  one\n  two\nu: >-\n  one\n  two\nv: no\n",
	    "{t:1='one\ntwo\n' u:4='one two' v:7='no'}");
	reads("\xef\xbb\xbfk\xc3\xa9y: \xe2\x82\xac\r\nb: 2\r\n",
	    "{k\xc3\xa9y:1='\xe2\x82\xac' b:2='2'}");
}

static void
what_strict_means(void **state)
{
	(void)state;
	refuses("a: &x 1\nb: 2\n", "c:1: an anchor (&x): there are none here; a text that begins "
	    "with & goes in quotes\n");
	refuses("a: 1\nb: *x\n",
	    "c:2: an alias (*x): there are none here; a text that begins with * "
	    "goes in quotes\n");
	refuses("from: [*]\n", "c:1: no YAML: while scanning an alias, did not find expected "
	    "alphabetic or numeric character; a text that begins with * goes in quotes: \"*\"\n");
	refuses("a: !!str 1\n",
	    "c:1: a tag (tag:yaml.org,2002:str): there are none here; a text that "
	    "begins with ! goes in quotes\n");
	refuses("a: !x {b: 1}\nc: !y [1]\n",
	    "c:1: a tag (!x): there are none here; a text that begins with ! goes in quotes\n"
	    "c:2: a tag (!y): there are none here; a text that begins with ! goes in quotes\n");
	refuses("%TAG ! tag:x,1:\n---\na: 1\n", "c:1: a %TAG directive: there are no tags here\n");
	refuses("a: 1\n---\nb: 2\n", "c:2: a second document (---): one file holds one\n");
	refuses("[a: 1]: 2\n", "c:1: a key is a plain text, no map or list\n");
	refuses("\"\": 2\n", "c:1: an empty key\n");
	refuses("- a\n", "c:1: a list; a map is wanted: `key: value`\n");
	refuses("a\n", "c:1: a text; a map is wanted: `key: value`\n");
}

static void
every_repeated_key_is_named(void **state)
{
	(void)state;
	refuses("a: 1\nb: {x: 1, y: 2, x: 3}\nc: 1\na: 2\na: 3\n",
	    "c:2: `x` was already given in line 2\n"
	    "c:4: `a` was already given in line 1\n"
	    "c:5: `a` was already given in line 4\n");
}

static void
broken_yaml_has_its_line_and_a_hint(void **state)
{
	(void)state;
	refuses("a: 1\nb:\n\tc: 2\n", "c:3: no YAML: while scanning for the next token, found "
				      "character that cannot start any token; tabs do not indent, "
				      "and a text that begins with "
				      "@ or ` or % goes in quotes\n");
	refuses("a: b: c\n", "c:1: no YAML: mapping values are not allowed in this context; a text "
	    "with `: ` in it goes in quotes, or the line is indented too far\n");
	refuses("a: 1\nb: {c: d\ne: f\n",
	    "c:3: no YAML: while parsing a flow mapping begun in line 2, did not find "
	    "expected ',' or '}'; a text with { } [ ] or , in it goes in quotes\n");
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
	(void)state;
	refuses("a: 1\nb: \xff\n", "c:2: no UTF-8: invalid leading UTF-8 octet\n");
	refuses("a: 1\n\nb: x\x01\n", "c:3: a control character (U+0001)\n");
	refuses("a: \"x\\0y\"\n", "c:1: a text with \\0 in it\n");
	refuses_bytes("\xff\xfe"
		      "a\0:\0 \0001\0",
	    10, "c:1: no UTF-8: invalid leading UTF-8 octet\n");
}

static void
depth_is_limited(void **state)
{
	struct mistakes m;
	struct node *root;
	struct buf b;
	int i;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_str(&b, "a: ");
	for (i = 1; i < CONF_DEPTH; i++)
		buf_char(&b, '[');
	for (i = 1; i < CONF_DEPTH; i++)
		buf_char(&b, ']');
	mistakes_init(&m);
	root = conf_parse("c", b.data, b.len, &m);
	assert_non_null(root);
	conf_free(root);
	buf_clear(&b);
	buf_str(&b, "a: ");
	for (i = 0; i < 32; i++)
		buf_char(&b, '[');
	refuses(b.data, "c:1: nested more than 32 deep\n");
	buf_free(&b);
}

static void
a_long_configuration_is_quick_and_whole(void **state)
{
	struct mistakes m;
	struct node *root, *n;
	struct buf b;
	int i, count = 0;

	(void)state;
	buf_init(&b, 64 << 20);
	buf_str(&b, "sources:\n");
	for (i = 0; i < 100000; i++)
		buf_fmt(&b, "  s%d: { plugin: feed, url: https://h%d.example/feed.xml }\n", i, i);
	mistakes_init(&m);
	root = conf_parse("c", b.data, b.len, &m);
	assert_non_null(root);
	for (n = conf_get(root, "sources")->child; n != NULL; n = n->next)
		count++;
	assert_int_equal(count, 100000);
	conf_free(root);
	mistakes_free(&m);
	buf_free(&b);
}

static void
mistakes_come_by_line_and_are_counted(void **state)
{
	struct mistakes m;
	int i;

	(void)state;
	mistakes_init(&m);
	mistake(&m, "c", 5, "five");
	mistake(&m, "c", 2, "two\n%s", "b\x1b[1m");
	mistake(&m, "d", 1, "one");
	mistake(&m, "d", 1, "one more");
	mistake(&m, "c", 0, "whole");
	mistake(&m, "c", 3, "three");
	assert_string_equal(m.text.data, "c:2: two?b?[1m\nc:5: five\nd:1: one\nd:1: one more\n"
	    "c: whole\nc:3: three\n");
	for (i = 0; i < 200; i++)
		mistake(&m, "e", 1000 - i, "%0700d", 1);
	assert_int_equal(m.n, 206);
	assert_null(strstr(m.text.data, "e:800:"));
	assert_non_null(strstr(m.text.data, "e:907:"));
	mistakes_free(&m);
}

static void
files_that_are_none_say_so(void **state)
{
	struct mistakes m;
	size_t len;

	(void)state;
	mistakes_init(&m);
	assert_null(conf_text("/nowhere/c.yaml", &len, &m));
	assert_null(conf_text("/tmp", &len, &m));
	assert_string_equal(m.text.data,
	    "/nowhere/c.yaml: cannot be opened: No such file or directory\n"
	    "/tmp: is no file\n");
	mistakes_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_lists_and_texts_keep_their_lines),
		cmocka_unit_test(what_strict_means),
		cmocka_unit_test(every_repeated_key_is_named),
		cmocka_unit_test(broken_yaml_has_its_line_and_a_hint),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(a_long_configuration_is_quick_and_whole),
		cmocka_unit_test(mistakes_come_by_line_and_are_counted),
		cmocka_unit_test(files_that_are_none_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The parts of source_feed by themselves: tables in order, texts judged, addresses resolved, broken
 * documents mended. */
#include "../../plugins/feed/handlers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
elements_are_sorted_by_name(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < elements_count; i++) {
		for (k = 0; elements[i].name[k] != '\0'; k++)
			assert_false(elements[i].name[k] >= 'A' && elements[i].name[k] <= 'Z');
		if (i > 0 && strcmp(elements[i - 1].name, elements[i].name) > 0)
			fail_msg("%s comes after %s", elements[i - 1].name, elements[i].name);
	}
}

static void
each_element_is_found_where_it_stands(void **state)
{
	struct names *names = names_new();
	size_t i;

	(void)state;
	for (i = 0; i < elements_count; i++) {
		const struct element *e = &elements[i], *found;
		unsigned in = e->in & -e->in;	/* the first place that it may stand in */

		found = names_find(names, (const xmlChar *)e->name, e->ns, in);
		assert_non_null(found);
		assert_string_equal(found->name, e->name);
		assert_int_equal(found->ns, e->ns);
		if (found != e)
			fail_msg("<%s> has two rows for one place", e->name);
	}
	assert_null(names_find(names, (const xmlChar *)"title", NS_NONE, IN_IMAGE));
	assert_non_null(names_find(names, (const xmlChar *)"PubDate", NS_NONE, IN_ENTRY));
	names_free(names);
}

static void
namespaces_are_known_in_any_spelling(void **state)
{
	static const struct { const char *uri; enum ns ns; } cases[] = {
		{ "http://www.w3.org/2005/Atom", NS_ATOM },
		{ "https://www.w3.org/2005/atom/", NS_ATOM },
		{ "HTTP://PURL.ORG/DC/ELEMENTS/1.1", NS_DC },
		{ "http://purl.org/dc/terms/", NS_DCTERMS },
		{ " http://search.yahoo.com/mrss/ ", NS_MEDIA },
		{ "http://search.yahoo.com/mrss", NS_MEDIA },
		{ "http://www.itunes.com/DTDs/Podcast-1.0.dtd", NS_ITUNES },
		{ "http://purl.org/rss/1.0/", NS_RSS },
		{ "http://purl.org/rss/1.0/modules/slash/", NS_SLASH },
		{ "http://my.netscape.com/rdf/simple/0.9/", NS_RSS090 },
		{ "http://a9.com/-/spec/opensearchrss/1.0/", NS_OTHER }, { "urn:x", NS_OTHER },
		{ "http://xmlns.com/foaf/0.1/", NS_FOAF }, { "", NS_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (ns_of_uri(cases[i].uri) != cases[i].ns)
			fail_msg("%s is taken for %d", cases[i].uri, (int)ns_of_uri(cases[i].uri));
}

static void
entities_are_those_of_html(void **state)
{
	static const struct { const char *name, *text; } cases[] = {
		{ "AElig", "\xc3\x86" }, { "zwnj", "\xe2\x80\x8c" }, { "nbsp", "\xc2\xa0" },
		{ "amp", "&" }, { "lt", "<" }, { "quot", "\"" }, { "hellip", "\xe2\x80\xa6" },
		{ "NotEqualTilde", "\xe2\x89\x82\xcc\xb8" }, { "rang", "\xe2\x9f\xa9" },
	};
	size_t i, n;
	const char *text;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text = entity_find(cases[i].name, strlen(cases[i].name), &n);
		assert_non_null(text);
		assert_int_equal(n, strlen(cases[i].text));
		assert_memory_equal(text, cases[i].text, n);
	}
	assert_null(entity_find("nbs", 3, &n));
	assert_null(entity_find("nbspp", 5, &n));
	assert_null(entity_find("", 0, &n));
	assert_null(entity_find("amp &", 5, &n));
}

/* The host decodes the references of a text, and this plugin those of a document: by two tables. */
static void
entities_are_those_of_the_host(void **state)
{
	static const char hosts[] =
#define ENTITY(name, text)	#name " " text "\001"
#define LEGACY(name, text)	ENTITY(name, text)
#include "../../core/base/entity.inc"
	    ;
	static const char ours[] =
#include "../../plugins/feed/entity.inc"
#undef ENTITY
#undef LEGACY
	    ;

	(void)state;
	assert_int_equal(sizeof(ours), sizeof(hosts));
	assert_memory_equal(ours, hosts, sizeof(hosts));
}

static void
addresses_resolve_as_rfc_3986_says(void **state)
{
	static const struct { const char *ref, *url; } cases[] = {	/* 5.4 */
		{ "g:h", "g:h" }, { "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" }, { "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" }, { "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q#s" }, { "g#s", "http://a/b/c/g#s" },
		{ "g?y#s", "http://a/b/c/g?y#s" }, { ";x", "http://a/b/c/;x" },
		{ "", "http://a/b/c/d;p?q" }, { ".", "http://a/b/c/" }, { "./", "http://a/b/c/" },
		{ "..", "http://a/b/" }, { "../", "http://a/b/" }, { "../g", "http://a/b/g" },
		{ "../..", "http://a/" }, { "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" },
		{ "/./g", "http://a/g" }, { "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" }, { "g;x=1/../y", "http://a/b/c/y" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" }, { "g#s/../x", "http://a/b/c/g#s/../x" },
	};
	char out[FEED_LINE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(text_resolve(out, sizeof(out), "http://a/b/c/d;p?q", cases[i].ref,
		    strlen(cases[i].ref)), 0);
		if (strcmp(out, cases[i].url) != 0)
			fail_msg("\"%s\" became %s, not %s", cases[i].ref, out, cases[i].url);
	}
	assert_int_equal(text_resolve(out, sizeof(out), "http://a", "b", 1), 0);
	assert_string_equal(out, "http://a/b");
	assert_int_equal(text_resolve(out, sizeof(out), "", "b/c", 3), 0);
	assert_string_equal(out, "b/c");
	assert_int_equal(text_resolve(out, 8, "http://a/", "b", 1), -1);
}

static void
html_is_told_from_text(void **state)
{
	static const char *const html[] = { "a <b>c</b>", "AT&amp;T", "x<br>y", "&#8217;",
		"a<!-- b -->" };
	static const char *const text[] = { "a < b", "vector<int>", "R&D", "a <b> c",
		"&nosuch; <b>x</b>", "", "1 << 2", "&", "<", "&#", "</", "<!DOCTYPE x>" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(html) / sizeof(*html); i++)
		assert_true(text_looks_html(html[i], strlen(html[i])));
	for (i = 0; i < sizeof(text) / sizeof(*text); i++)
		assert_false(text_looks_html(text[i], strlen(text[i])));
}

static void
people_are_taken_apart(void **state)
{
	static const struct { const char *text, *name, *mail; } cases[] = {
		{ "a@b.example (Ana Bo)", "Ana Bo", "a@b.example" },
		{ "Ana Bo <a@b.example>", "Ana Bo", "a@b.example" },
		{ "Ana Bo (a@b.example)", "Ana Bo", "a@b.example" },
		{ "\"Bo, Ana\" <a@b.example>", "Bo, Ana", "a@b.example" },
		{ "mailto:a@b.example", "", "a@b.example" }, { "a@b.example", "", "a@b.example" },
		{ "Ana Bo", "Ana Bo", "" }, { "@ana", "@ana", "" }, { "ana @ b", "ana @ b", "" },
	};
	struct str name, mail;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text_person((struct str){ cases[i].text, strlen(cases[i].text) }, &name, &mail);
		if (name.len != strlen(cases[i].name) ||
		    memcmp(name.p, cases[i].name, name.len) != 0)
			fail_msg("%s: the name is \"%.*s\"", cases[i].text, (int)name.len, name.p);
		assert_int_equal(mail.len, strlen(cases[i].mail));
		if (mail.len > 0)
			assert_memory_equal(mail.p, cases[i].mail, mail.len);
	}
}

static void
base64_is_read_with_its_breaks(void **state)
{
	char good[] = "PGI+\n eDwv Yj4=", bad[] = "not base64!";

	(void)state;
	assert_int_equal(text_base64(good, strlen(good)), 8);
	assert_memory_equal(good, "<b>x</b>", 8);
	assert_true(text_base64(bad, strlen(bad)) == SIZE_MAX);
}

static void
what_is_broken_is_mended(void **state)
{
	static const struct { const char *broken, *whole; } cases[] = {
		{ "<a>b & c &amp; &eacute; &nosuch;</a>",
		    "<a>b &amp; c &amp; \xc3\xa9 &amp;nosuch;</a>" },
		{ "<a>1 < 2</a>", "<a>1 &lt; 2</a>" },
		{ "<a b=c d='e\"f' b=2>x</a>", "<a b=\"c\" d=\"e&quot;f\">x</a>" },
		{ "<a><b>x</a>", "<a><b>x</b></a>" },
		{ "<a>x</b></a>", "<a>x</a>" },
		{ "<a><item>x<item>y</item></a>", "<a><item>x</item><item>y</item></a>" },
		{ "junk <a>x</a> junk <b/>", "<a>x</a>" },
		{ "<?xml version='1.0'?><!-- c --><a>\x01x&#0;</a>", "<a>x\xef\xbf\xbd</a>" },
		{ "<a>&#150;&#x41;&#60;</a>", "<a>\xe2\x80\x93" "A&#60;</a>" },
		{ "<a><![CDATA[<\x02>]]>]]></a>", "<a><![CDATA[<>]]>]]&gt;</a>" },
		{ "<a>x<![CDATA[cut", "<a>x" }, { "<a>x<b c=", "<a>x<b c=\"\"" }, { "", "" },
	};
	size_t i, len;
	char *out;
	int lost;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		out = mend(cases[i].broken, strlen(cases[i].broken), &len, &lost);
		assert_non_null(out);
		if (len != strlen(cases[i].whole) || memcmp(out, cases[i].whole, len) != 0)
			fail_msg("%s became %.*s", cases[i].broken, (int)len, out);
		free(out);
	}
}

static void
mending_tells_whether_all_of_it_is_there(void **state)
{
	static const struct { const char *broken; int lost; } cases[] = {
		{ "<a>b & c &nosuch; &eacute;</a>", 0 }, { "<a b=c>1 < 2</a>", 0 },
		{ "<a><b>x</a>", 0 }, { "junk <a>x</a> junk <b/> <!-- x -->", 0 },
		{ "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;&f;</a>", 0 },
		{ "<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", 1 },
		{ "<a>x", 1 }, { "<a>x<![CDATA[cut", 1 }, { "<a>x<b c=", 1 }, { "<a>x<!-- cut", 1 },
		{ "<a>x</a><item>y</item>", 1 }, { "<a>x</a><b/><Entry y='z'>", 1 },
	};
	size_t i, len;
	int lost;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		free(mend(cases[i].broken, strlen(cases[i].broken), &len, &lost));
		if (lost != cases[i].lost)
			fail_msg("%s: lost %d", cases[i].broken, lost);
	}
}

static void
mending_does_not_grow_without_end(void **state)
{
	size_t len = 1u << 20, out;
	char *text = malloc(len);
	int lost;

	(void)state;
	assert_non_null(text);
	memset(text, '&', len);
	memcpy(text, "<a>", 3);
	assert_null(mend(text, len, &out, &lost));
	free(text);
}

/* A tag of n attributes, between texts that look like more. */
static char *
tag_of(size_t n)
{
	static const char before[] = "<r><![CDATA[<a ", after[] = "]]></r>";
	char *text = malloc(n * 8 + 20000), *at = text;
	size_t i;

	assert_non_null(text);
	at += sprintf(at, "%s", before);
	for (i = 0; i < 2000; i++)
		at += sprintf(at, "a='' ");
	at += sprintf(at, "]]><t");
	for (i = 0; i < n; i++)
		at += sprintf(at, " a='>'");
	sprintf(at, "/>%s", after);
	return text;
}

static void
attributes_are_counted_in_tags_alone(void **state)
{
	const struct feed_opts opts = { .attributes = 1000 };
	char *few = tag_of(1000), *many = tag_of(1001), why[100];

	(void)state;
	assert_null(scan_refuse(few, strlen(few), &opts, why, sizeof(why)));
	assert_non_null(scan_refuse(many, strlen(many), &opts, why, sizeof(why)));
	assert_string_equal(why, "a tag has more than 1000 attributes (option attributes)");
	free(few);
	free(many);
}

static void
encodings_are_guessed_by_their_letters(void **state)
{
	static const struct { const char *text, *name; } cases[] = {
		{ "na\xefve caf\xe9 d\xe9j\xe0 vu", "windows-1252" },
		{ "\xcf\xee\xe3\xee\xe4\xe0 \xed\xe0 \xe7\xe0\xe2\xf2\xf0\xe0", "windows-1251" },
		{ "\xf0\xcf\xc7\xcf\xc4\xc1 \xce\xc1 \xda\xc1\xd7\xd4\xd2\xc1", "koi8-r" },
		{ "\xf9\xec\xe5\xed \xf2\xe5\xec\xed \xee\xe6\xe2", "windows-1255" },
		{ "\x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd\x90\xa2\x8a\x45", "shift_jis" },
		{ "\xa4\xb3\xa4\xf3\xa4\xcb\xa4\xc1\xa4\xcf\xc0\xa4\xb3\xa6", "euc-jp" },
		{ "\xbe\xc8\xb3\xe7\xc7\xcf\xbc\xbc\xbf\xe4 \xbc\xbc\xb0\xe8", "euc-kr" },
		{ "\xc3\xa9\xc3\xa8\xc3\xa0\xc3\xbc\xff", "utf-8" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(guess_encoding(cases[i].text, strlen(cases[i].text)),
		    cases[i].name);
}

static void
declarations_are_found_and_harmless_entities_kept(void **state)
{
	static const char text[] = "<?xml version='1.0'?><!-- <!DOCTYPE a [ --><!DOCTYPE r [\n"
	    "<!-- ]> --><!ENTITY one \"1>\"><!ENTITY two '&one;'><!ENTITY f SYSTEM 'x'>]><r/>";
	static const char bare[] = "<!DOCTYPE r SYSTEM 'a[b]'><r/>";
	struct doctype d;
	const char *value;
	size_t len;

	(void)state;
	assert_true(doctype_find(&d, text, strlen(text)));
	assert_string_equal(text + d.end, "<r/>");
	assert_false(d.open);
	value = doctype_entity(&d, "one", 3, &len);
	assert_non_null(value);
	assert_int_equal(len, 2);
	assert_memory_equal(value, "1>", 2);
	assert_true(doctype_entity(&d, "two", 3, &len) != NULL && len == 0);
	assert_true(doctype_entity(&d, "f", 1, &len) != NULL && len == 0);
	assert_null(doctype_entity(&d, "three", 5, &len));
	assert_true(doctype_find(&d, bare, strlen(bare)));
	assert_true(d.open && d.begin == 0 && d.end == 0);
	assert_false(doctype_find(&d, "<r/>", 4));
}

static void
references_in_declared_entities_are_resolved(void **state)
{
	static const struct { const char *literal, *text; } cases[] = {
		{ "'&#233;'", "\xc3\xa9" }, { "\"&#xE9;\"", "\xc3\xa9" }, { "'&#38;#233;'", "\xc3\xa9" },
		{ "'&#38;#60;'", "<" }, { "'&#38;#38;'", "&" }, { "'&#38;'", "&" },
		{ "'&amp;'", "&" }, { "'&amp;lt;'", "&lt;" }, { "'AT&#38;T'", "AT&T" },
		{ "'Jos&x; &copy; &eacute;'", "Jos\xc3\xb8 \xc2\xa9 \xc3\xa9" }, { "'a & b'", "a & b" },
		{ "'&#150;'", "\xe2\x80\x93" }, { "'&#0;&#xd800;&#x110000;'", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "'&more;'", "" }, { "'&nosuch;'", "" }, { "'<b>x</b>'", "" }, { "'%x;'", "" }, { "''", "" },
	};
	struct doctype d;
	const char *value;
	char text[300];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "<!DOCTYPE r [<!ENTITY x '&#xf8;'><!ENTITY more 'ab'>"
		    "<!ENTITY it %s><!ENTITY it 'second'>]><r/>", cases[i].literal);
		assert_true(doctype_find(&d, text, strlen(text)));
		value = doctype_entity(&d, "it", 2, &len);
		assert_non_null(value);
		if (len != strlen(cases[i].text) || memcmp(value, cases[i].text, len) != 0)
			fail_msg("%s became %.*s", cases[i].literal, (int)len, value);
	}
}

/* As many as are remembered, of whatever length: nothing is written behind the end. */
static void
declared_entities_have_their_maximum(void **state)
{
	size_t size = 1u << 20, len, n = 0;
	char *text = malloc(size), *at = text;
	struct doctype d;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "<!DOCTYPE r [");
	for (; n < 2 * DOCTYPE_ENTITIES; n++)
		at += sprintf(at, "<!ENTITY e%zu '%0*d'>", n, DOCTYPE_VALUE - 1, 0);
	sprintf(at, "<!ENTITY long '%0*d'>]><r/>", DOCTYPE_VALUE, 0);
	assert_true(doctype_find(&d, text, strlen(text)));
	assert_int_equal(d.n, DOCTYPE_ENTITIES);
	assert_true(d.open && d.len <= DOCTYPE_TEXT);
	assert_non_null(doctype_entity(&d, "e0", 2, &len));
	assert_int_equal(len, DOCTYPE_VALUE - 1);
	assert_true(doctype_entity(&d, "e500", 4, &len) != NULL && len == 0);
	assert_null(doctype_entity(&d, "e1000", 5, &len));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_sorted_by_name),
		cmocka_unit_test(each_element_is_found_where_it_stands),
		cmocka_unit_test(namespaces_are_known_in_any_spelling),
		cmocka_unit_test(entities_are_those_of_html),
		cmocka_unit_test(entities_are_those_of_the_host),
		cmocka_unit_test(addresses_resolve_as_rfc_3986_says),
		cmocka_unit_test(html_is_told_from_text),
		cmocka_unit_test(people_are_taken_apart),
		cmocka_unit_test(base64_is_read_with_its_breaks),
		cmocka_unit_test(what_is_broken_is_mended),
		cmocka_unit_test(mending_tells_whether_all_of_it_is_there),
		cmocka_unit_test(mending_does_not_grow_without_end),
		cmocka_unit_test(attributes_are_counted_in_tags_alone),
		cmocka_unit_test(encodings_are_guessed_by_their_letters),
		cmocka_unit_test(declarations_are_found_and_harmless_entities_kept),
		cmocka_unit_test(references_in_declared_entities_are_resolved),
		cmocka_unit_test(declared_entities_have_their_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

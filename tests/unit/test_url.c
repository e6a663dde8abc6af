/* URLs: parts, what may be fetched, resolution, canonical keys. */
#include "base/buf.h"
#include "base/login.h"
#include "base/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* RFC 3986 5.4, with what browsers do otherwise. NULL: refused. */
static const struct {
	const char	*base, *ref, *out;
} resolved[] = {
#define B	"http://a/b/c/d;p?q"
	{ B, "g:h", "g:h" }, { B, "g", "http://a/b/c/g" }, { B, "./g", "http://a/b/c/g" },
	{ B, "g/", "http://a/b/c/g/" }, { B, "/g", "http://a/g" }, { B, "//g", "http://g" },
	{ B, "?y", "http://a/b/c/d;p?y" }, { B, "g?y", "http://a/b/c/g?y" },
	{ B, "#s", "http://a/b/c/d;p?q#s" }, { B, "g#s", "http://a/b/c/g#s" },
	{ B, "g?y#s", "http://a/b/c/g?y#s" }, { B, ";x", "http://a/b/c/;x" },
	{ B, "g;x?y#s", "http://a/b/c/g;x?y#s" }, { B, "", "http://a/b/c/d;p?q" },
	{ B, ".", "http://a/b/c/" }, { B, "./", "http://a/b/c/" }, { B, "..", "http://a/b/" },
	{ B, "../", "http://a/b/" }, { B, "../g", "http://a/b/g" }, { B, "../..", "http://a/" },
	{ B, "../../g", "http://a/g" }, { B, "../../../../g", "http://a/g" },
	{ B, "/./g", "http://a/g" }, { B, "/../g", "http://a/g" }, { B, "g.", "http://a/b/c/g." },
	{ B, "..g", "http://a/b/c/..g" }, { B, "./g/.", "http://a/b/c/g/" },
	{ B, "g/../h", "http://a/b/c/h" }, { B, "g;x=1/../y", "http://a/b/c/y" },
	{ B, "g?y/./x", "http://a/b/c/g?y/./x" }, { B, "g#s/../x", "http://a/b/c/g#s/../x" },
	{ B, "http:g", "http://a/b/c/g" }, { B, "https:g", "https://g" },
	{ "http://a", "b", "http://a/b" }, { "http://a", "?x", "http://a?x" },
	{ "http://a/b?q#f", "", "http://a/b?q" }, { "http://u:p@a:81/x", "y", "http://a:81/y" },
	{ "HTTP://A/x", "y", "http://A/y" },
	/* Browsers' ways */
	{ B, "  g \n", "http://a/b/c/g" }, { B, "g h\"<>", "http://a/b/c/g%20h%22%3C%3E" },
	{ B, "g\n\th", "http://a/b/c/gh" }, { B, "\\g\\h", "http://a/g/h" },
	{ B, "\\\\g\\h", "http://g/h" }, { B, "http:\\\\g\\h?a\\b", "http://g/h?a\\b" },
	{ B, "http:////g/h", "http://g/h" }, { B, "http://g\x01", "http://g" },
	{ B, "http://g/\x7f\x01x", "http://g/%7F%01x" },
	{ B, "HTTPS://Example.ORG/A b", "https://Example.ORG/A%20b" },
	{ B, "http://example.org", "http://example.org" },
	{ B, " \xef\xbb\xbf http://g/\r\n", "http://g/" }, { B, "\xef\xbb", "http://a/b/c/%EF%BB" },
	/* IRIs (RFC 3987 3.1), and hosts (UTS 46, RFC 5891) */
	{ B, "\xd1\x84?\xd1\x8f#\xe2\x82\xac", "http://a/b/c/%D1%84?%D1%8F#%E2%82%AC" },
	{ B, "caf\xe9", "http://a/b/c/caf%E9" }, { B, "%C3%A9\xc3\xa9", "http://a/b/c/%C3%A9%C3%A9" },
	{ "http://a/\xc3\xa9/x", "y", "http://a/%C3%A9/y" },
	{ B, "http://b\xc3\xbc" "cher.example:81/\xc3\xbc", "http://xn--bcher-kva.example:81/%C3%BC" },
	{ B, "//B\xc3\x9c" "CHER.example", "http://xn--bcher-kva.example" },
	{ B, "http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/" },
	{ B, "http://bu\xcc\x88" "cher.example/", "http://xn--bcher-kva.example/" },
	{ B, "http://fa\xc3\x9f.example/", "http://xn--fa-hia.example/" },
	{ B, "http://a\xe3\x80\x82" "example\xe3\x80\x82/", "http://a.example./" },
	{ B, "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "http://127.0.0.1/" },
	{ B, "http://%65xample.org/", "http://example.org/" },
	{ "http://\xd1\x84.example/a", "b", "http://xn--t1a.example/b" },
	{ "ftp://\xd1\x84/a", "b", "ftp://%D1%84/b" },
	/* What nobody can look up stays a link, and ASCII: no slash is made of what looks like one. */
	{ B, "http://\xe2\x98\x83.net/", "http://%E2%98%83.net/" },
	{ B, "http://a\xef\xbc\x8f" "b.example/", "http://a%EF%BC%8Fb.example/" },
	{ B, "http://a\xff.example/", "http://a%FF.example/" }, { B, "http://a%00b/", "http://a%00b/" },
	/* Users and passwords (RFC 3986 7.5) */
	{ B, "//u:p@g/h", "http://g/h" }, { B, "http://u@g?x@y", "http://g?x@y" },
	{ B, "http://a@b:c@g:81/@", "http://g:81/@" }, { B, "http:\\\\u:p@g\\h", "http://g/h" },
	{ "http://u:p@a/b", "", "http://a/b" }, { "http://u:p@a/b", "?q", "http://a/b?q" },
	{ "http://u:p@a/b", "#f", "http://a/b#f" }, { "http://u:p@a/b", "//c", "http://c" },
	{ B, "http://u:p\xc3\xbc@b\xc3\xbc.example/", "http://xn--b-eha.example/" },
	{ B, "http://u:p@/", NULL }, { B, "http://u:p@[::1]:80/", "http://[::1]:80/" },
	{ B, "http://", NULL }, { B, "http:///", NULL }, { B, "//", NULL },
	{ B, "http://a:99999/", NULL }, { B, "http://[::1", NULL }, { B, "http://a:b/", NULL },
	/* Opaque ones, and bases that lead nowhere */
	{ B, "mailto:a b@c", "mailto:a%20b@c" }, { B, "urn:isbn:1", "urn:isbn:1" },
	{ B, "tag:example.org,2004:x", "tag:example.org,2004:x" }, { "urn:x:y", "z", NULL },
	{ "mailto:x", "#y", "mailto:x#y" }, { "", "g", NULL }, { NULL, "g", NULL },
	{ NULL, "http://x/y", "http://x/y" }, { "nonsense", "g", NULL },
	{ "ftp://h/a/b", "c", "ftp://h/a/c" },
#undef B
};

static void
references_resolve_as_browsers_do(void **state)
{
	struct buf b;
	int done;

	(void)state;
	for (size_t i = 0; i < COUNT(resolved); i++) {
		buf_init(&b, 1000);
		buf_str(&b, "");
		done = url_resolve(&b, resolved[i].base, resolved[i].ref);
		if (done != (resolved[i].out != NULL ? 0 : -1) ||
		    strcmp(b.data, resolved[i].out != NULL ? resolved[i].out : "") != 0)
			fail_msg("%s: %s", resolved[i].ref, b.data);
		buf_free(&b);
	}
}

static void
what_is_too_long_is_refused(void **state)
{
	char *text = malloc(URL_MAX + 10);
	struct buf b;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', URL_MAX + 10);
	memcpy(text, "http://a/", 9);
	buf_init(&b, 1 << 20);
	text[URL_MAX + 1] = '\0';
	assert_int_equal(url_resolve(&b, NULL, text), -1);
	assert_int_equal(url_canonical(&b, text), -1);
	assert_false(url_fetchable(text));
	text[URL_MAX] = '\0';
	assert_int_equal(url_resolve(&b, NULL, text), 0);
	assert_int_equal(b.len, URL_MAX);
	assert_true(url_fetchable(text));
	buf_clear(&b);
	/* It fits until its spaces are encoded. */
	memset(text + 9, ' ', URL_MAX - 20);
	assert_int_equal(url_resolve(&b, NULL, text), -1);
	assert_int_equal(b.len, 0);
	buf_free(&b);
	free(text);
}

static int
is(const char *s, size_t n, const char *want)
{
	return s == NULL ? want == NULL : want != NULL && strlen(want) == n &&
	    memcmp(s, want, n) == 0;
}

static void
parts_point_into_the_url(void **state)
{
	struct url u;

	(void)state;
	assert_int_equal(url_split(&u, "https://me:pw@Host.org:8443/p/a?q=1&r#top"), 0);
	assert_true(is(u.scheme, u.scheme_len, "https"));
	assert_true(is(u.user, u.user_len, "me:pw"));
	assert_true(is(u.host, u.host_len, "Host.org"));
	assert_true(is(u.path, u.path_len, "/p/a"));
	assert_true(is(u.query, u.query_len, "q=1&r"));
	assert_true(is(u.fragment, u.fragment_len, "top"));
	assert_int_equal(u.port, 8443);

	assert_int_equal(url_split(&u, "http://[::1]:80"), 0);
	assert_true(is(u.host, u.host_len, "[::1]"));
	assert_true(is(u.path, u.path_len, ""));
	assert_true(is(u.query, u.query_len, NULL));
	assert_int_equal(u.port, 80);

	assert_int_equal(url_split(&u, "mailto:a@b?subject=x"), 0);
	assert_true(is(u.host, u.host_len, NULL));
	assert_true(is(u.path, u.path_len, "a@b"));

	/* The host is what stands behind the last @ before the path, \ counting as /. */
	assert_int_equal(url_split(&u, "http://a@b@c/d@e"), 0);
	assert_true(is(u.host, u.host_len, "c"));
	assert_int_equal(url_split(&u, "http://example.org\\@127.0.0.1/"), 0);
	assert_true(is(u.host, u.host_len, "example.org"));
	assert_int_equal(url_split(&u, "http://127.0.0.1:1#@example.org/"), 0);
	assert_true(is(u.host, u.host_len, "127.0.0.1"));

	assert_int_equal(url_split(&u, "/path"), -1);
	assert_int_equal(url_split(&u, "http://a:65536/"), -1);
	assert_int_equal(url_split(&u, "http://[::1]x/"), -1);
	assert_int_equal(url_split(&u, "1http://a"), -1);
	assert_int_equal(url_split(&u, ""), -1);
}

static void
credentials_are_taken_out_of_a_url(void **state)
{
	static const struct { const char *url, *login, *shown; } rows[] = {
		{ "http://u:p@a/", "u:p", "http://a/" }, { "https://u@a:1/@", "u", "https://a:1/@" },
		{ "http://a%40b:%2F%c3%a9@a", "a@b:/\xc3\xa9", "http://a" },
		{ "http://a@b:c@d/", "a@b:c", "http://d/" }, { "http://a/@x?@", NULL, "http://a/@x?@" },
		{ "http://:p@a/", ":p", "http://a/" }, { "http://%zz@a/", "%zz", "http://a/" },
		/* None that can be taken apart: a slash has to be escaped */
		{ "http://u:p/q@a/", NULL, "http://a/" }, { "//u:p@a/b", NULL, "a/b" },
		{ "u:p@a/b", NULL, "a/b" },
	};
	struct buf login, shown;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init(&login, 1000);
		buf_init(&shown, 1000);
		buf_str(&login, "");
		assert_int_equal(login_of(rows[i].url, &login), rows[i].login != NULL);
		assert_string_equal(login.data, rows[i].login != NULL ? rows[i].login : "");
		login_shown(&shown, rows[i].url);
		assert_string_equal(shown.data, rows[i].shown);
		buf_free(&login);
		buf_free(&shown);
	}
}

/* RFC 7617 2, and RFC 4648 10 for the ends. */
static void
credentials_go_as_basic_authentication(void **state)
{
	static const char *const rows[][2] = {
		{ "Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
		{ "test:123\xc2\xa3", "dGVzdDoxMjPCow==" }, { "foobar", "Zm9vYmFy" },
		{ "fooba", "Zm9vYmE=" }, { "foob", "Zm9vYg==" }, { "\xff\xfe:", "//46" },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init(&b, 1000);
		login_header(&b, rows[i][0], strlen(rows[i][0]));
		assert_memory_equal(b.data, "Authorization: Basic ", 21);
		assert_memory_equal(b.data + 21, rows[i][1], strlen(rows[i][1]));
		assert_string_equal(b.data + 21 + strlen(rows[i][1]), "\n");
		assert_true(login_said(b.data));
		buf_free(&b);
	}
	assert_true(login_said("a: b\nAUTHORIZATION: x\n"));
	assert_false(login_said("a: authorization: x\nauthorizations: y"));
	assert_false(login_said(""));
	assert_false(login_said(NULL));
}

static void
only_the_web_is_fetched(void **state)
{
	static const char *const good[] = {
		"http://a", "https://a.b:8080/x?y#z", "HTTP://A/", "http://[::1]:80/",
		  "http://1.2.3.4",
		"https://xn--a/", "http://a_b/", "http://a:/",
	};
	static const char *const bad[] = {
		"", "ftp://a", "file:///etc/passwd", "gopher://a:1/_x", "javascript:alert(1)",
		  "http:",
		"http://", "http:///x", "http://a b/", "http://a/ b", "http://a/\n",
		  "http://a/\x7f",
		"http://a:0/", "http://a:99999/", "http://a:x/", "http://[::1", "http://[x]/",
		"http://a\\@b/", "//a", "/a", "http://a%00b/", "http://.a/", "http://a'b/",
		  "view-source:http://a", "http://u:p@h/", "http://\xd1\x84.org/", "http://a/\xc3\xa9",
		"http://a/?\xff", "http://@h/",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!url_fetchable(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (url_fetchable(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static void
origins_leave_out_what_goes_without_saying(void **state)
{
	static const char *const pairs[][2] = {
		{ "HTTPS://Example.ORG/x", "https://example.org" },
		{ "https://example.org:443/", "https://example.org" },
		{ "http://example.org:443/", "http://example.org:443" },
		{ "http://u@[::1]:8080/?q", "http://[::1]:8080" },
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		buf_init(&b, 1000);
		assert_int_equal(url_origin(&b, pairs[i][0]), 0);
		assert_string_equal(b.data, pairs[i][1]);
		buf_free(&b);
	}
	buf_init(&b, 1000);
	assert_int_equal(url_origin(&b, "mailto:x"), -1);
	assert_int_equal(url_origin(&b, "x"), -1);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static const char *const keys[][2] = {
	{ "http://Example.org", "example.org" }, { "https://www.example.org/", "example.org" },
	{ "https://m.example.org:443/a/", "example.org/a" },
	{ "http://example.org:8080/a", "example.org:8080/a" }, { "https://www.com/", "www.com" },
	{ "https://u:p@example.org./a/index.html?", "example.org/a" },
	{ "http://www.B\xc3\x9c" "CHER.example/\xc3\xbc/?\xc3\xa4",
	    "xn--bcher-kva.example/%C3%BC?%C3%A4" },
	{ "http://xn--bcher-kva.example/%c3%bc?%C3%A4", "xn--bcher-kva.example/%C3%BC?%C3%A4" },
	{ "https://example.org/a/../b/./c//", "example.org/b/c" },
	{ "https://example.org/%7Eme/%c3%a9/\u00e9%2F", "example.org/~me/%C3%A9/%C3%A9%2F" },
	{ "https://example.org/x?b=2&a=1&&c", "example.org/x?a=1&b=2&c" },
	{ "https://example.org/x?utm_source=a&id=7&UTM_medium=b", "example.org/x?id=7" },
	{ "https://example.org/x?fbclid=1&amp;gclid=2&amp;page=3", "example.org/x?page=3" },
	{ "https://example.org/x?ref=rss", "example.org/x" },
	{ "https://example.org/x?ref=news.ycombinator.com", "example.org/x" },
	{ "https://example.org/x?ref=main", "example.org/x?ref=main" },
	{ "https://example.org/x?ref=v1.2", "example.org/x?ref=v1.2" },
	{ "https://example.org/x?source=7", "example.org/x?source=7" },
	{ "https://example.org/x#part", "example.org/x" },
	{ "https://example.org/#!/a/b", "example.org/#!/a/b" },
	{ "https://example.org/app/#/a", "example.org/app/#/a" },
	{ "https://example.org/app#/a", "example.org/app/#/a" },
	{ "https://arxiv.org/abs/2401.09153", "arxiv:2401.09153" },
	{ "http://export.arxiv.org/pdf/2401.09153v2.pdf", "arxiv:2401.09153" },
	{ "https://www.arxiv.org/html/2401.09153v1/", "arxiv:2401.09153" },
	{ "https://arxiv.org/abs/hep-th/9901001v3", "arxiv:hep-th/9901001" },
	{ "https://doi.org/10.48550/arXiv.2401.09153", "arxiv:2401.09153" },
	{ "https://dx.doi.org/10.1000/ABC", "doi:10.1000/abc" },
	{ "https://arxiv.org/list/cs.AI/new", "arxiv.org/list/cs.AI/new" },
	{ "https://www.youtube.com/watch?list=x&v=abc_-1&t=3s", "youtube:abc_-1" },
	{ "https://youtu.be/abc_-1?t=3", "youtube:abc_-1" },
	{ "https://m.youtube.com/shorts/abc_-1", "youtube:abc_-1" },
	{ "https://www.youtube.com/@someone", "youtube.com/@someone" },
	{ "https://openreview.net/pdf?id=Abc", "openreview:Abc" },
	{ "https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.org%2Fa%3Fb%3D1",
	  "example.org/a?b=1" },
	{ "https://www.google.com/url?q=https://www.google.com/url?q=https://example.org/",
	  "example.org" },
	{ "https://www.google.com/search?q=http", "google.com/search?q=http" },
	{ "  https://example.org/a \n", "example.org/a" },
};

static void
one_page_has_one_key(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		buf_init(&b, 10000);
		assert_int_equal(url_canonical(&b, keys[i][0]), 0);
		if (strcmp(b.data, keys[i][1]) != 0)
			fail_msg("%s: %s", keys[i][0], b.data);
		buf_free(&b);
	}
	buf_init(&b, 1000);
	assert_int_equal(url_canonical(&b, ""), -1);
	assert_int_equal(url_canonical(&b, "urn:x"), -1);
	assert_int_equal(url_canonical(&b, "/a"), -1);
	assert_int_equal(url_canonical(&b, "http:///"), -1);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static void
keys_are_those_of_the_shared_list(void **state)
{
	const char *tree = getenv("SRCDIR");
	char path[4096], line[16384];
	struct buf b;
	json_t *json;
	FILE *f;
	int n = 0;

	(void)state;
	snprintf(path, sizeof(path),
	  "%s/../shared/vectors/canonical-url.jsonl", tree != NULL ? tree : ".");
	if ((f = fopen(path, "r")) == NULL) {
		print_message("no shared list of addresses at %s\n", path);
		skip();
	}
	buf_init(&b, 10000);
	for (; fgets(line, sizeof(line), f) != NULL; n++) {
		assert_non_null(json = json_loads(line, 0, NULL));
		buf_clear(&b);
		assert_int_equal(url_canonical(&b, json_string_value(json_object_get(json,
		  "url"))), 0);
		assert_string_equal(b.data, json_string_value(json_object_get(json, "canonical")));
		json_decref(json);
	}
	assert_true(n > 0);
	fclose(f);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_resolve_as_browsers_do),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(parts_point_into_the_url),
		cmocka_unit_test(credentials_are_taken_out_of_a_url),
		cmocka_unit_test(credentials_go_as_basic_authentication),
		cmocka_unit_test(only_the_web_is_fetched),
		cmocka_unit_test(origins_leave_out_what_goes_without_saying),
		cmocka_unit_test(one_page_has_one_key),
		cmocka_unit_test(keys_are_those_of_the_shared_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

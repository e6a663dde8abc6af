/* Where secrets may go: of what plugins send, and of the pages of a source. */
#include "setup_case.h"
#include "conf/request.h"
#include "daemon/supervise/egress.h"
#include "daemon/supervise/workers.h"

#include <courant/plugin.h>

static struct setup *conf;

static int
read_conf(void **state)
{
	int rc = make_folder(state);

	conf = good("sources:\n"
	    "  a: {plugin: api, url: https://a.example/v1, auth_bearer: s3cret/key, "
	    "site: https://b.example/x}\n"
	    "  d: {plugin: depot, topic: t, key: s3cret/key}\n"
	    "  none: {plugin: api, url: https://a.example/v1}\n");
	return rc;
}

static int
forget_conf(void **state)
{
	setup_free(conf);
	return drop_folder(state);
}

static char *
stand_in(const char *name)
{
	return xasprintf("{secret:%s:%s}", name, conf->nonce);
}

/* What becomes of a request with the stand-in in a header; NULL: it may not go. */
static int
goes(const struct egress *p, const char *to)
{
	char *stand = stand_in("auth_bearer"), *header = xasprintf("X: %s\n", stand);
	struct buf url, headers, err;
	int rc;

	buf_init(&url, 1000);
	buf_init(&headers, 1000);
	buf_init(&err, 1000);
	rc = egress_fill(p, to, header, &url, &headers, &err);
	if (rc == 0)
		assert_string_equal(headers.data, "X: s3cret/key\n");
	assert_true((rc == -1) == (err.len > 0));
	buf_free(&url);
	buf_free(&headers);
	buf_free(&err);
	free(stand);
	free(header);
	return rc;
}

static void
a_secret_goes_to_origins_that_are_configured(void **state)
{
	struct egress *p = egress_new(source(conf, "a")->instance, CR_HTTP, "a", "https://a.example/v1");

	(void)state;
	assert_int_equal(goes(p, "https://a.example/other?x"), 0);
	assert_int_equal(goes(p, "https://b.example:443/"), 0);
	assert_int_equal(goes(p, "http://a.example/v1"), -1);
	assert_int_equal(goes(p, "https://a.example:8443/v1"), -1);
	assert_int_equal(goes(p, "https://a.example.evil.example/v1"), -1);
	assert_int_equal(goes(p, "https://a.example@evil.example/"), -1);
	assert_int_equal(goes(p, "https://c.example/"), -1);
	assert_int_equal(goes(p, "no url"), -1);
	egress_free(p);
}

static void
without_a_secret_a_request_goes_anywhere(void **state)
{
	struct egress *p = egress_new(source(conf, "a")->instance, CR_HTTP, "a", NULL);
	struct buf url, headers, err;

	(void)state;
	buf_init(&url, 1000);
	buf_init(&headers, 1000);
	buf_init(&err, 1000);
	assert_int_equal(egress_fill(p, "https://c.example/{secret:auth_bearer}", NULL, &url, &headers,
	    &err), 0);
	assert_string_equal(url.data, "https://c.example/{secret:auth_bearer}");
	assert_true(egress_http(p) && !egress_http(NULL));
	buf_free(&url);
	buf_free(&headers);
	buf_free(&err);
	egress_free(p);
}

static void
an_answer_is_told_without_the_secret(void **state)
{
	struct egress *p = egress_new(source(conf, "a")->instance, CR_HTTP, "a", "https://a.example/");
	char *stand = stand_in("auth_bearer"), *want = xasprintf("a%sb%c%s", stand, 0, "");
	static const char text[] = "as3cret%2fkeyb\0c";
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(egress_hide(p, text, sizeof(text) - 1, &b), 1);
	assert_int_equal(b.len, strlen(stand) + 4);
	assert_memory_equal(b.data, want, strlen(stand) + 2);
	assert_memory_equal(b.data + strlen(stand) + 2, "\0c", 2);
	buf_clear(&b);
	assert_int_equal(egress_hide(p, "s3cret", 6, &b), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(egress_hide(p, "", 0, &b), 0);
	buf_free(&b);
	free(stand);
	free(want);
	egress_free(p);
}

static void
who_holds_the_secrets_has_none_filled_in(void **state)
{
	struct egress *p = egress_new(source(conf, "a")->instance, CR_HTTP | CR_SECRETS, "a", NULL);
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(egress_hide(p, "s3cret/key", 10, &b), 0);
	buf_free(&b);
	egress_free(p);
}

/* Why a page of source d is not asked for; NULL: it is, with these headers. */
static const char *
page(const char *url, const char *lines, const char *headers)
{
	struct buf to_url, to_headers;
	const char *why;

	buf_init(&to_url, 1000);
	buf_init(&to_headers, 1000);
	why = request_page(source(conf, "d"), url, lines, &to_url, &to_headers);
	if (why == NULL)
		assert_string_equal(to_headers.data != NULL ? to_headers.data : "", headers);
	buf_free(&to_url);
	buf_free(&to_headers);
	return why;
}

static void
a_page_elsewhere_gets_neither_secrets_nor_headers(void **state)
{
	const char *home = "Authorization: Bearer s3cret/key\nX-Topic: t\n";

	(void)state;
	assert_null(page("https://api.depot.example/2?k=\001key\001", NULL, home));
	assert_null(page("https://api.depot.example/2", "X: \001key\001\n",
	    "Authorization: Bearer s3cret/key\nX-Topic: t\nX: s3cret/key\n"));
	assert_null(page("https://other.example/2", "X: 1\n", "X: 1\n"));
	assert_non_null(page("https://other.example/2?k=\001key\001", NULL, ""));
	assert_non_null(page("https://other.example/2", "X: \001key\001\n", ""));
	assert_non_null(page("http://api.depot.example/2?k=\001key\001", NULL, ""));
	assert_non_null(page("https://api.depot.example/2?k=\001nix\001", NULL, ""));
	assert_non_null(page("ftp://api.depot.example/", NULL, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_goes_to_origins_that_are_configured),
		cmocka_unit_test(without_a_secret_a_request_goes_anywhere),
		cmocka_unit_test(an_answer_is_told_without_the_secret),
		cmocka_unit_test(who_holds_the_secrets_has_none_filled_in),
		cmocka_unit_test(a_page_elsewhere_gets_neither_secrets_nor_headers),
	};

	return cmocka_run_group_tests(tests, read_conf, forget_conf);
}

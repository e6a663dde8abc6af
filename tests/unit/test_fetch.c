/* The fetch role against the recording origin, a job at a time: what it asks, what it takes for a
 * document, and in what words it tells of a failure. */
#include "fetch_case.h"
#include "base/date.h"

static void
a_document_comes_whole_with_what_is_said_of_it(void **state)
{
	struct got g;

	(void)state;
	set("{\"/f\":{\"body\":\"<rss/>\",\"type\":\"Application/RSS+XML; Charset=\\\"UTF-8\\\"\","
	    "\"etag\":\"W/\\\"a b\\\"\",\"modified\":\"Sat, 21 Nov 2026 09:00:00 GMT\","
	    "\"headers\":{\"Cache-Control\":\"public, max-age=60\",\"Age\":\"10\"}}}");
	g = get("/f");
	assert_int_equal(g.why, FETCH_OK);
	assert_int_equal(g.status, 200);
	assert_string_equal(g.body, "<rss/>");
	assert_int_equal(g.len, 6);
	assert_string_equal(g.type, "application/rss+xml");
	assert_string_equal(g.charset, "utf-8");
	assert_string_equal(g.etag, "W/\"a b\"");
	assert_string_equal(g.modified, "Sat, 21 Nov 2026 09:00:00 GMT");
	assert_int_equal(g.max_age, 50000);
	assert_int_equal(g.retry_after, -1);
	assert_int_equal(g.requests, 1);
	assert_null(g.moved);
	assert_non_null(strstr(g.headers, "cache-control: public, max-age=60\n"));
	got_free(&g);
}

static void
requests_are_plain_gets(void **state)
{
	struct got g;
	json_t *r;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"headers\":{\"Set-Cookie\":\"a=b\"}}}");
	g = get("/f?b=2&a=1");
	got_free(&g);
	g = get("/f?b=2&a=1");
	got_free(&g);
	r = seen();
	assert_int_equal(json_array_size(r), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(json_string_value(json_object_get(json_array_get(r, i),
		    "method")), "GET");
		assert_string_equal(json_string_value(json_object_get(json_array_get(r, i),
		    "query")), "b=2&a=1");
		assert_string_equal(sent(r, i, "user-agent"), "Courant/test (+mailto:me)");
		assert_non_null(strstr(sent(r, i, "accept-encoding"), "gzip"));
		assert_null(sent(r, i, "cookie"));
		assert_null(sent(r, i, "referer"));
		assert_null(sent(r, i, "if-none-match"));
	}
	assert_int_equal(json_integer_value(json_object_get(json_array_get(r, 1), "conn")),
	    json_integer_value(json_object_get(json_array_get(r, 0), "conn")));
	json_decref(r);
}

static void
validators_are_sent_as_they_came_and_304_is_good(void **state)
{
	const char *url = at("127.0.0.1", "/f");
	struct fetch_job job = { .source = "s", .url = url, .etag = "W/\"x, y\"",
		.modified = "Sat, 21 Nov 2026 9:00:00 GMT", .validated = url };
	struct got g;
	json_t *r;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"etag\":\"W/\\\"x, y\\\"\","
	    "\"headers\":{\"Cache-Control\":\"max-age=7\"}}}");
	g = fetch(&job);
	assert_int_equal(g.why, FETCH_OK);
	assert_int_equal(g.status, 304);
	assert_false(g.with_fd);
	assert_int_equal(g.max_age, 7000);
	assert_string_equal(g.etag, "W/\"x, y\"");
	got_free(&g);
	r = seen();
	assert_string_equal(sent(r, 0, "if-none-match"), "W/\"x, y\"");
	assert_string_equal(sent(r, 0, "if-modified-since"), "Sat, 21 Nov 2026 9:00:00 GMT");
	json_decref(r);
	job.validated = at("127.0.0.1", "/F");
	g = fetch(&job);
	assert_int_equal(g.status, 200);
	got_free(&g);
	r = seen();
	assert_null(sent(r, 0, "if-none-match"));
	assert_null(sent(r, 0, "if-modified-since"));
	json_decref(r);
}

static void
a_304_that_nobody_asked_for_is_an_error(void **state)
{
	struct got g;

	(void)state;
	set("{\"/f\":{\"status\":304}}");
	g = get("/f");
	failed(&g, FETCH_STATUS, "304");
}

static void
permanent_redirects_are_told_temporary_ones_are_not(void **state)
{
	static const struct { const char *path, *moved; } cases[] = {
		{ "/1", "/end" }, { "/2", NULL }, { "/12", "/2" }, { "/21", NULL }, { "/8", "/end" },
		{ "/7", NULL }, { "/3", NULL },
	};
	struct got g;

	(void)state;
	set("{\"/end\":{\"body\":\"end\"},\"/1\":{\"redirect\":\"/end#x\",\"status\":301},"
	    "\"/2\":{\"redirect\":\"end\"},\"/12\":{\"redirect\":\"./2\",\"status\":308},"
	    "\"/21\":{\"redirect\":\"/1\"},\"/8\":{\"redirect\":\"/1\",\"status\":308},"
	    "\"/7\":{\"redirect\":\"/end\",\"status\":307},"
	    "\"/3\":{\"redirect\":\"/end\",\"status\":303}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		g = get(cases[i].path);
		assert_int_equal(g.why, FETCH_OK);
		assert_string_equal(g.body, "end");
		assert_string_equal(g.url, at("127.0.0.1", "/end"));
		if (cases[i].moved == NULL)
			assert_null(g.moved);
		else
			assert_string_equal(g.moved, at("127.0.0.1", cases[i].moved));
		got_free(&g);
	}
}

static void
bad_redirects_are_refused_in_words(void **state)
{
	struct got g;

	(void)state;
	set("{\"/a\":{\"redirect\":\"/b\"},\"/b\":{\"redirect\":\"/a\"},"
	    "\"/no\":{\"status\":301},\"/file\":{\"redirect\":\"file:///etc/passwd\"},"
	    "\"/ftp\":{\"redirect\":\"ftp://example.org/\"},"
	    "\"/long/\":{\"redirect\":\"more/\",\"status\":302}}");
	g = get("/a");
	failed(&g, FETCH_REDIRECTS, "in a circle");
	g = get("/no");
	failed(&g, FETCH_REDIRECTS, "does not say where");
	g = get("/file");
	failed(&g, FETCH_REDIRECTS, "only http and https");
	g = get("/ftp");
	failed(&g, FETCH_REDIRECTS, "only http and https");
	g = get("/long/");
	assert_int_equal(g.requests, 11);
	failed(&g, FETCH_REDIRECTS, "more than 10 redirects");
}

static void
nothing_secret_follows_a_redirect_to_another_origin(void **state)
{
	const char *url = at("a.localhost", "/away");
	const struct fetch_job job = { .source = "s", .url = url, .etag = "\"e\"",
		.modified = "m", .validated = url,
		.headers = "X-Api-Key: secret\nAccept: text/xml\nAuthorization: Bearer t\n" };
	char rules[512];
	struct got g;
	json_t *r;

	(void)state;
	snprintf(rules, sizeof(rules), "{\"/away\":{\"redirect\":\"/here\"},\"/here\":{"
	    "\"redirect\":\"%s\"},\"/end\":{\"body\":\"x\"}}", at("b.localhost", "/end"));
	set(rules);
	g = fetch(&job);
	assert_int_equal(g.why, FETCH_OK);
	got_free(&g);
	r = seen();
	assert_int_equal(json_array_size(r), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(sent(r, i, "accept"), "text/xml");
		assert_int_equal(sent(r, i, "x-api-key") != NULL, i < 2);
		assert_int_equal(sent(r, i, "authorization") != NULL, i < 2);
		assert_int_equal(sent(r, i, "if-none-match") != NULL, i == 0);
		assert_int_equal(sent(r, i, "if-modified-since") != NULL, i == 0);
	}
	json_decref(r);
}

static void
headers_that_are_ours_are_not_the_jobs(void **state)
{
	const struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/f"),
		.headers = "User-Agent: Mozilla\nHost: other\nRange: bytes=0-1\nX-Fine: yes\r\n"
		    "If-None-Match: \"z\"\nno colon\nX-Empty:\n" };
	struct got g;
	json_t *r;

	(void)state;
	set("{\"/f\":{\"body\":\"x\"}}");
	g = fetch(&job);
	assert_int_equal(g.why, FETCH_OK);
	got_free(&g);
	r = seen();
	assert_string_equal(sent(r, 0, "user-agent"), "Courant/test (+mailto:me)");
	assert_string_equal(sent(r, 0, "x-fine"), "yes");
	assert_non_null(strstr(sent(r, 0, "host"), "127.0.0.1"));
	assert_null(sent(r, 0, "range"));
	assert_null(sent(r, 0, "if-none-match"));
	json_decref(r);
}

static void
sizes_are_counted_unpacked(void **state)
{
	struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/f"), .max = 1000 };
	struct got g;

	(void)state;
	set("{\"/f\":{\"size\":1000,\"gzip\":true},\"/g\":{\"size\":1001,\"gzip\":true},"
	    "\"/c\":{\"size\":5000,\"chunked\":true},\"/bomb\":{\"size\":8000000,\"gzip\":true},"
	    "\"/cbomb\":{\"size\":8000000,\"gzip\":true,\"chunked\":true},"
	    "\"/big\":{\"size\":17000000},\"/plain\":{\"size\":8000000}}");
	g = fetch(&job);
	assert_int_equal(g.why, FETCH_OK);
	assert_int_equal(g.len, 1000);
	got_free(&g);
	job.url = at("127.0.0.1", "/g");
	g = fetch(&job);
	failed(&g, FETCH_TOO_LARGE, "over 1000 bytes");
	job.url = at("127.0.0.1", "/c");
	g = fetch(&job);
	failed(&g, FETCH_TOO_LARGE, "over 1000 bytes");
	g = get("/bomb");
	failed(&g, FETCH_TOO_LARGE, "100 times");
	g = get("/cbomb");
	failed(&g, FETCH_TOO_LARGE, "100 times");
	g = get("/big");
	failed(&g, FETCH_TOO_LARGE, "over 16777216 bytes");
	g = get("/plain");
	assert_int_equal(g.len, 8000000);
	got_free(&g);
}

static void
headers_have_a_maximum(void **state)
{
	struct got g;

	(void)state;
	set("{\"/a\":{\"body\":\"x\",\"pad\":50000},\"/b\":{\"body\":\"x\",\"pad\":66000}}");
	g = get("/a");
	assert_int_equal(g.why, FETCH_OK);
	got_free(&g);
	g = get("/b");
	failed(&g, FETCH_TOO_LARGE, "headers");
}

static void
an_answer_that_breaks_off_is_no_document(void **state)
{
	struct got g;

	(void)state;
	set("{\"/close\":{\"size\":1000,\"close\":10},\"/reset\":{\"size\":100000,\"reset\":10},"
	    "\"/chunk\":{\"size\":9000,\"chunked\":\"broken\"},"
	    "\"/cut\":{\"size\":9000,\"chunked\":true,\"close\":5000},"
	    "\"/lie\":{\"body\":\"no text\\u0001\",\"gzip\":\"lie\"},"
	    "\"/zip\":{\"generate\":2000,\"gzip\":true,\"close\":9000,\"length\":9000},"
	    "\"/long\":{\"size\":10,\"length\":20,\"close\":10},"
	    "\"/raw\":{\"raw\":\"what?\\r\\n\"},\"/none\":{\"close\":-1},"
	    "\"/rst\":{\"reset\":-1}}");
	g = get("/close");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/reset");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/chunk");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/cut");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/lie");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/zip");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/long");
	failed(&g, FETCH_BROKEN, "broke off");
	g = get("/raw");
	failed(&g, FETCH_BROKEN, "no answer");
	g = get("/none");
	failed(&g, FETCH_BROKEN, "no answer");
	g = get("/rst");
	failed(&g, FETCH_BROKEN, "no answer");
}

static void
time_is_limited_over_all_hops(void **state)
{
	struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/slow"), .timeout = 300 };
	int64_t began = date_ticks();
	struct got g;

	(void)state;
	set("{\"/slow\":{\"body\":\"x\",\"delay\":5000},\"/drip\":{\"size\":100,\"drip\":[1,50]},"
	    "\"/stall\":{\"size\":100,\"stall\":50},\"/silent\":{\"stall\":-1},"
	    "\"/hop\":{\"redirect\":\"/hop2\",\"delay\":200},"
	    "\"/hop2\":{\"redirect\":\"/hop3\",\"delay\":200},\"/hop3\":{\"body\":\"x\"}}");
	g = fetch(&job);
	failed(&g, FETCH_TIMEOUT, "127.0.0.1: no answer within 0.3");
	job.url = at("127.0.0.1", "/silent");
	g = fetch(&job);
	failed(&g, FETCH_TIMEOUT, "no answer within");
	job.url = at("127.0.0.1", "/drip");
	g = fetch(&job);
	failed(&g, FETCH_TIMEOUT, "not whole after");
	job.url = at("127.0.0.1", "/stall");
	g = fetch(&job);
	failed(&g, FETCH_TIMEOUT, "with 50 bytes of it");
	job.url = at("127.0.0.1", "/hop");
	g = fetch(&job);
	failed(&g, FETCH_TIMEOUT, "no answer within");
	assert_true(date_ticks() - began < 4000);
	job.timeout = 2000;
	g = fetch(&job);
	assert_int_equal(g.why, FETCH_OK);
	got_free(&g);
}

static void
statuses_are_told_with_when_to_come_again(void **state)
{
	char date[DATE_MAX], rules[1024];
	struct got g;

	(void)state;
	date_http(date, date_now() + 600000);
	snprintf(rules, sizeof(rules), "{\"/429\":{\"status\":429,\"headers\":{\"Retry-After\":\"120\"}},"
	    "\"/503\":{\"status\":503,\"headers\":{\"Retry-After\":\"%s\"}},"
	    "\"/404\":{\"status\":404,\"size\":200000},\"/410\":{\"status\":410},"
	    "\"/204\":{\"status\":204},\"/206\":{\"status\":206,\"body\":\"part\"},"
	    "\"/599\":{\"status\":599},\"/empty\":{\"body\":\"\"}}", date);
	set(rules);
	g = get("/429");
	assert_int_equal(g.status, 429);
	assert_int_equal(g.retry_after, 120000);
	failed(&g, FETCH_STATUS, "127.0.0.1: status 429, too many requests");
	g = get("/503");
	assert_in_range(g.retry_after, 590000, 600000);
	failed(&g, FETCH_STATUS, "503");
	g = get("/404");
	assert_int_equal(g.status, 404);
	failed(&g, FETCH_STATUS, "not found");
	g = get("/410");
	assert_int_equal(g.status, 410);
	failed(&g, FETCH_STATUS, "gone");
	g = get("/204");
	failed(&g, FETCH_STATUS, "no content");
	g = get("/206");
	failed(&g, FETCH_STATUS, "a part");
	g = get("/599");
	failed(&g, FETCH_STATUS, "599");
	g = get("/empty");
	assert_int_equal(g.why, FETCH_OK);
	assert_true(g.with_fd);
	assert_int_equal(g.len, 0);
	got_free(&g);
}

static void
failures_to_connect_are_told_in_words(void **state)
{
	struct fetch_job job = { .source = "s", .url = "http://127.0.0.1:1/f", .timeout = 5000 };
	char url[64];
	struct got g;

	(void)state;
	g = fetch(&job);
	failed(&g, FETCH_CONNECT, "connection refused by 127.0.0.1:1");
	job.url = "http://no-such-host.invalid/f";
	g = fetch(&job);
	failed(&g, FETCH_DNS, "no-such-host.invalid: no such host (DNS)");
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", origin_port);
	job.url = url;
	g = fetch(&job);
	failed(&g, FETCH_TLS, "127.0.0.1: TLS: ");
	job.url = "file:///etc/passwd";
	g = fetch(&job);
	failed(&g, FETCH_URL, "only http and https");
	job.url = "http:///x";
	g = fetch(&job);
	failed(&g, FETCH_URL, "no URL");
	job.url = at("127.0.0.1", "/");
	job.method = "HEAD";
	g = fetch(&job);
	failed(&g, FETCH_URL, "only GET and POST");
	assert_int_equal(told("/_/hits", "/"), 0);
}

static void
private_addresses_need_leave(void **state)
{
	const struct fetch_start start = { .agent = "a" };
	struct fetch_job job = { .source = "s", .timeout = 5000 };
	const char *hosts[] = { "127.0.0.1", "localhost", "x.localhost", "[::ffff:127.0.0.1]",
		"0x7f.1", "[::1]", "0" };
	struct got g;
	json_t *r;

	(void)state;
	assert_int_equal(restart(&start, NULL), 0);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		job.url = at(hosts[i], "/f");
		g = fetch(&job);
		if (g.why == FETCH_URL) {
			failed(&g, FETCH_URL, "");
			continue;
		}
		failed(&g, FETCH_DENIED, "`private: yes`");
	}
	r = seen();
	assert_int_equal(json_array_size(r), 0);
	json_decref(r);
}

static void
leave_for_private_addresses_can_be_taken_back(void **state)
{
	const struct fetch_start strict = { .agent = "b" };
	struct got g;

	(void)state;
	set("{\"/f\":{\"body\":\"x\"}}");
	g = get("/f");
	assert_int_equal(g.why, FETCH_OK);
	got_free(&g);
	configure(&strict, NULL);
	g = get("/f");
	failed(&g, FETCH_DENIED, "127.0.0.1 is a loopback address");
}

static void
a_post_carries_its_body_and_is_not_redirected_away(void **state)
{
	struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/p"), .method = "POST",
		.body = { "a=1", 3 }, .headers = "Content-Type: text/x\n", .timeout = 5000 };
	struct got g;
	json_t *r;

	(void)state;
	set("{\"/p\":{\"body\":\"ok\"},\"/301\":{\"redirect\":\"/p\",\"status\":301},"
	    "\"/307\":{\"redirect\":\"/p\",\"status\":307},"
	    "\"/303\":{\"redirect\":\"/p\",\"status\":303}}");
	g = fetch(&job);
	assert_string_equal(g.body, "ok");
	got_free(&g);
	job.url = at("127.0.0.1", "/301");
	g = fetch(&job);
	failed(&g, FETCH_REDIRECTS, "POST");
	job.url = at("127.0.0.1", "/307");
	g = fetch(&job);
	assert_string_equal(g.body, "ok");
	got_free(&g);
	job.url = at("127.0.0.1", "/303");
	g = fetch(&job);
	assert_string_equal(g.body, "ok");
	got_free(&g);
	r = seen();
	assert_int_equal(json_array_size(r), 6);
	assert_string_equal(json_string_value(json_object_get(json_array_get(r, 0), "body")), "a=1");
	assert_string_equal(sent(r, 0, "content-type"), "text/x");
	assert_string_equal(json_string_value(json_object_get(json_array_get(r, 3), "body")), "a=1");
	assert_string_equal(json_string_value(json_object_get(json_array_get(r, 5), "method")),
	    "GET");
	json_decref(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_document_comes_whole_with_what_is_said_of_it),
		T(requests_are_plain_gets),
		T(validators_are_sent_as_they_came_and_304_is_good),
		T(a_304_that_nobody_asked_for_is_an_error),
		T(permanent_redirects_are_told_temporary_ones_are_not),
		T(bad_redirects_are_refused_in_words),
		T(nothing_secret_follows_a_redirect_to_another_origin),
		T(headers_that_are_ours_are_not_the_jobs),
		T(sizes_are_counted_unpacked),
		T(headers_have_a_maximum),
		T(an_answer_that_breaks_off_is_no_document),
		T(time_is_limited_over_all_hops),
		T(statuses_are_told_with_when_to_come_again),
		T(failures_to_connect_are_told_in_words),
		T(private_addresses_need_leave),
		T(leave_for_private_addresses_can_be_taken_back),
		T(a_post_carries_its_body_and_is_not_redirected_away),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, origin_start, origin_stop);
}

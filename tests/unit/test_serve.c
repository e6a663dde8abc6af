/* serve: what a visitor gets of its output files and its page over real sockets, and what it does not
 * let happen. */
#include "serve_case.h"

#include <zlib.h>

/* ---- output files ---- */

static void
a_file_has_type_validators_and_safe_headers(void **state)
{
	static const struct { const char *name, *type; } files[] = {
		{ "all.rss", "application/rss+xml; charset=utf-8" },
		{ "all.atom", "application/atom+xml; charset=utf-8" },
		{ "all.json", "application/feed+json; charset=utf-8" },
		{ "all.jsonl", "application/jsonl; charset=utf-8" },
		{ "all.jsonl.2026-11-20", "application/jsonl; charset=utf-8" },
		{ "all.jsonl.7", "application/jsonl; charset=utf-8" },
		{ "what", "application/octet-stream" },
		{ "a b%.rss", "application/rss+xml; charset=utf-8" },
	};
	struct answer a;
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(files[i].name, "hello", 5);
		snprintf(path, sizeof(path), "/%s", files[i].name);
		get(&a, strcmp(path, "/a b%.rss") == 0 ? "/a%20b%25.rss" : path);
		assert_int_equal(a.status, 200);
		assert_string_equal(header(&a, "Content-Type"), files[i].type);
		assert_string_equal(header(&a, "X-Content-Type-Options"), "nosniff");
		assert_non_null(strstr(header(&a, "Content-Security-Policy"),
		    "default-src 'none'"));
		assert_string_equal(header(&a, "Content-Length"), "5");
		assert_non_null(header(&a, "Last-Modified"));
		assert_true(header(&a, "ETag")[0] == '"');
		assert_string_equal(a.body, "hello");
		forget(&a);
	}
	write_file("empty.txt", "", 0);
	get(&a, "/empty.txt");
	assert_int_equal(a.status, 200);
	assert_int_equal(a.len, 0);
	forget(&a);
}

static void
validators_answer_304(void **state)
{
	struct answer a;
	char etag[128], modified[128], text[512];

	(void)state;
	write_file("v.rss", "hello", 5);
	get(&a, "/v.rss");
	snprintf(etag, sizeof(etag), "%s", header(&a, "ETag"));
	snprintf(modified, sizeof(modified), "%s", header(&a, "Last-Modified"));
	forget(&a);
#define WITH(status, ...) (snprintf(text, sizeof(text), __VA_ARGS__), \
	    expect("GET", "/v.rss", text, status), expect("HEAD", "/v.rss", text, status))
	WITH(304, "If-None-Match: %s\r\n", etag);
	WITH(304, "If-None-Match: \"x\" , W/%s\r\n", etag);
	WITH(304, "If-None-Match: *\r\n");
	WITH(200, "If-None-Match: \"x\"\r\n");
	WITH(200, "If-None-Match: nonsense\r\n");
	WITH(304, "If-Modified-Since: %s\r\n", modified);
	WITH(200, "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 GMT\r\n");
	WITH(200, "If-Modified-Since: whenever\r\n");
	/* the date does not count beside a tag (RFC 9110 13.1.3) */
	WITH(200, "If-None-Match: \"x\"\r\nIf-Modified-Since: %s\r\n", modified);
	snprintf(text, sizeof(text), "If-None-Match: %s\r\n", etag);
	ask(&a, "GET", "/v.rss", text);
	assert_int_equal(a.len, 0);
	assert_string_equal(header(&a, "ETag"), etag);
	assert_string_equal(header(&a, "Vary"), "Accept-Encoding");
	forget(&a);
	write_file("v.rss", "hello, again", 12);
	expect("GET", "/v.rss", text, 200);
}

static void
head_says_what_get_says(void **state)
{
	static const char *const paths[] = { "/h.rss", "/", "/api/v1/records", "/healthz" };
	struct answer a, b;
	size_t i;

	(void)state;
	write_file("h.rss", "hello", 5);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		get(&a, paths[i]);
		ask(&b, "HEAD", paths[i], "");
		assert_int_equal(b.status, 200);
		assert_int_equal(b.len, 0);
		assert_int_equal(strtoul(header(&b, "Content-Length"), NULL, 10), a.len);
		forget(&a);
		forget(&b);
	}
}

static size_t
gunzip(const struct answer *a, char *out, size_t max)
{
	z_stream z = { .next_in = (Bytef *)a->body, .avail_in = (uInt)a->len,
		.next_out = (Bytef *)out, .avail_out = (uInt)max };

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	return z.total_out;
}

static void
gzip_is_sent_when_it_is_accepted(void **state)
{
	static const struct { const char *accept; int yes; } cases[] = {
		{ "gzip", 1 }, { "deflate, gzip;q=1.0, *;q=0.5", 1 }, { "*", 1 }, { "br, GZIP", 1 },
		{ "gzip;q=0", 0 }, { "gzip; q=0.000, *", 0 }, { "br", 0 }, { "identity", 0 },
	};
	char text[5000], out[6000], headers[200], etag[128];
	struct answer a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 7);
	write_file("z.rss", text, sizeof(text));
	for (i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {	/* twice: from the cache */
		snprintf(headers, sizeof(headers), "Accept-Encoding: %s\r\n", cases[i / 2].accept);
		ask(&a, "GET", "/z.rss", headers);
		assert_int_equal(a.status, 200);
		assert_string_equal(header(&a, "Vary"), "Accept-Encoding");
		if ((header(&a, "Content-Encoding") != NULL) != cases[i / 2].yes)
			fail_msg("%s", cases[i / 2].accept);
		if (cases[i / 2].yes) {
			assert_int_equal(gunzip(&a, out, sizeof(out)), sizeof(text));
			assert_memory_equal(out, text, sizeof(text));
			snprintf(etag, sizeof(etag), "%s", header(&a, "ETag"));
		} else {
			assert_memory_equal(a.body, text, sizeof(text));
			assert_string_not_equal(header(&a, "ETag"), etag);
		}
		forget(&a);
	}
	snprintf(headers, sizeof(headers), "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n", etag);
	expect("GET", "/z.rss", headers, 304);
	text[0] = 'X';
	write_file("z.rss", text, sizeof(text));
	ask(&a, "GET", "/z.rss", headers);
	assert_int_equal(a.status, 200);
	assert_int_equal(gunzip(&a, out, sizeof(out)), sizeof(text));
	assert_memory_equal(out, text, sizeof(text));
	forget(&a);
}

static void
a_part_of_a_file_is_sent(void **state)
{
	static const struct { const char *range; int status; const char *body, *says; } cases[] = {
		{ "bytes=0-4", 206, "01234", "bytes 0-4/10" }, { "bytes=7-", 206, "789", NULL },
		{ "bytes=-2", 206, "89", "bytes 8-9/10" }, { "bytes=5-100", 206, "56789", NULL },
		{ "bytes=-100", 206, "0123456789", NULL }, { "bytes=10-", 416, NULL, "bytes */10" },
		{ "bytes=-0", 416, NULL, NULL }, { "bytes=4-2", 200, "0123456789", NULL },
		{ "bytes=0-1,3-4", 200, "0123456789", NULL },
		{ "lines=1-2", 200, "0123456789", NULL },
		{ "bytes=99999999999999999999-", 200, NULL, NULL }, { "bytes=-", 200, NULL, NULL },
	};
	char headers[200];
	struct answer a;
	size_t i;

	(void)state;
	write_file("r.jsonl", "0123456789", 10);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(headers, sizeof(headers), "Range: %s\r\n", cases[i].range);
		ask(&a, "GET", "/r.jsonl", headers);
		if (a.status != cases[i].status)
			fail_msg("%s: %d", cases[i].range, a.status);
		if (cases[i].body != NULL)
			assert_string_equal(a.body, cases[i].body);
		if (cases[i].says != NULL)
			assert_string_equal(header(&a, "Content-Range"), cases[i].says);
		forget(&a);
	}
	ask(&a, "GET", "/r.jsonl", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n");
	assert_int_equal(a.status, 200);
	forget(&a);
}

static void
nothing_else_is_served(void **state)
{
	static const char *const paths[] = { "/none.rss", "/.hidden", "/sub/.hidden", "/sub",
		"/sub/", "/link.rss", "/sublink/in.rss", "/../courant.db", "/..%2fcourant.db",
		"/%2e%2e/courant.db",
		"/sub/../../courant.db", "/sub//in.rss", "/in.rss/", "/in.rss/x", "/fifo",
		"/x", "/api/", "/api/v2/records", "/favicon.ico" };
	static const char *const bad[] = { "/in.rss%00", "/in%0a.rss", "/%00", "/%7f", "//in.rss" };
	struct answer a;
	char path[256], *text;
	size_t i;

	(void)state;
	write_file("in.rss", "x", 1);
	write_file(".hidden", "x", 1);
	snprintf(path, sizeof(path), "%s/sub", t.out);
	mkdir(path, 0755);
	write_file("sub/in.rss", "in sub", 6);
	write_file("sub/.hidden", "x", 1);
	snprintf(path, sizeof(path), "%s/link.rss", t.out);
	assert_int_equal(symlink("in.rss", path), 0);
	snprintf(path, sizeof(path), "%s/sublink", t.out);
	assert_int_equal(symlink("sub", path), 0);
	snprintf(path, sizeof(path), "%s/fifo", t.out);
	assert_int_equal(mkfifo(path, 0644), 0);
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect("GET", paths[i], "", 404);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect("GET", bad[i], "", 400);
	get(&a, "/sub/in.rss");
	assert_string_equal(a.body, "in sub");
	forget(&a);
	text = xmalloc(6000);
	memset(text, 'a', 6000);
	text[0] = '/';
	text[5999] = '\0';
	expect("GET", text, "", 400);
	free(text);
}

static void
only_get_and_head_are_answered(void **state)
{
	static const char *const methods[] = { "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH" };
	struct answer a;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		expect(methods[i], "/healthz", "", 405);
	ask(&a, "POST", "/healthz", "Content-Length: 0\r\n");
	assert_int_equal(a.status, 405);
	assert_string_equal(header(&a, "Allow"), "GET, HEAD");
	forget(&a);
	/* what might be the body of a GET is not taken for the next request */
	fd = visit();
	say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 34\r\n\r\n"
	    "GET /healthz HTTP/1.1\r\nHost: y\r\n\r\n");
	hear(fd, &a);
	assert_int_equal(a.status, 400);
	assert_null(strstr(a.body, "HTTP/1.1"));
	forget(&a);
}

/* ---- large files ---- */

static void
a_slow_reader_gets_a_large_file_whole(void **state)
{
	const size_t size = 24u << 20;
	char *data = xmalloc(size), piece[100000];
	size_t i, got = 0;
	ssize_t n;
	char *start;
	int fd = visit();

	(void)state;
	for (i = 0; i < size; i++)
		data[i] = (char)(i * 7 + i / 1000);
	write_file("large.jsonl", data, size);
	say(fd, "GET /large.jsonl HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
	    "Connection: close\r\n\r\n");
	n = recv(fd, piece, sizeof(piece) - 1, 0);
	assert_true(n > 0);
	piece[n] = '\0';
	assert_non_null(start = memmem(piece, (size_t)n, "\r\n\r\n", 4));
	got = (size_t)(piece + n - (start + 4));
	assert_memory_equal(start + 4, data, got);
	for (i = 0; (n = recv(fd, piece, sizeof(piece), 0)) > 0; i++) {
		assert_true(got + (size_t)n <= size);
		assert_memory_equal(piece, data + got, (size_t)n);
		got += (size_t)n;
		if (i % 20 == 0)
			usleep(2000);
	}
	assert_int_equal(got, size);
	close(fd);
	free(data);
}

static void
a_file_that_is_cut_while_it_is_sent_ends_only_its_connection(void **state)
{
	const size_t size = 24u << 20;
	char *data = xcalloc(size, 1), path[256];
	struct answer a;
	int fd = visit();

	(void)state;
	write_file("cut.jsonl", data, size);
	free(data);
	say(fd, "GET /cut.jsonl HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_int_equal(recv(fd, path, 10, MSG_PEEK | MSG_WAITALL), 10);
	snprintf(path, sizeof(path), "%s/cut.jsonl", t.out);
	assert_int_equal(truncate(path, 100), 0);
	hear(fd, &a);
	assert_int_equal(a.status, 200);
	assert_true(a.len < size);
	forget(&a);
	expect("GET", "/healthz", "", 200);
}

/* ---- the page ---- */

static void
the_page_shows_records_and_links_only_to_pages(void **state)
{
	struct answer a;

	(void)state;
	write_file("all.rss", "x", 1);
	write_file("b&c.json", "x", 1);
	get(&a, "/new");
	assert_int_equal(a.status, 200);
	assert_string_equal(header(&a, "Content-Type"), "text/html; charset=utf-8");
	assert_non_null(strstr(header(&a, "Content-Security-Policy"), "default-src 'none'"));
	assert_non_null(strstr(a.body, "Number 119 &lt;of&gt; &amp; &quot;many&quot;"));
	assert_non_null(strstr(a.body, "href=\"https://example.org/119\""));
	assert_non_null(strstr(a.body, "Some words."));
	assert_null(strstr(a.body, "javascript:"));
	assert_null(strstr(a.body, "<of>"));
	assert_non_null(strstr(a.body, "href=\"/all.rss\""));
	assert_non_null(strstr(a.body, "href=\"/b%26c.json\""));
	assert_non_null(strstr(a.body, "2026-11-21 01:59"));
	forget(&a);
	expect("GET", "/style.css", "", 200);
}

/* ---- limits ---- */

static void
connections_beyond_the_limit_are_told_so_and_places_come_free(void **state)
{
	int fd[PER_ADDRESS], i, tries, status;
	struct answer a;

	(void)state;
	for (i = 0; i < PER_ADDRESS; i++) {
		fd[i] = visit();
		say(fd[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n");	/* not the end */
	}
	expect("GET", "/healthz", "", 503);
	ask(&a, "GET", "/api/v1/records", "");
	assert_int_equal(a.status, 503);
	assert_non_null(header(&a, "Retry-After"));
	forget(&a);
	say(fd[0], "Connection: close\r\n\r\n");	/* who was in is served */
	hear(fd[0], &a);
	assert_int_equal(a.status, 200);
	forget(&a);
	for (i = 1; i < PER_ADDRESS; i++)
		close(fd[i]);
	for (status = tries = 0; tries < 100 && status != 200; tries++) {
		get(&a, "/healthz");
		status = a.status;
		forget(&a);
	}
	assert_int_equal(status, 200);
}

static void
many_connections_at_once_leave_it_serving(void **state)
{
	int fd[300], i, tries, status;
	struct answer a;

	(void)state;
	for (i = 0; i < 300; i++)
		fd[i] = visit();
	for (i = 0; i < 300; i++)
		close(fd[i]);
	for (status = tries = 0; tries < 100 && status != 200; tries++) {
		get(&a, "/healthz");
		status = a.status;
		forget(&a);
		usleep(10000);
	}
	assert_int_equal(status, 200);
}

static void
a_connection_serves_one_request_after_another(void **state)
{
	struct answer a;
	char line[2000];
	int fd = visit(), i;
	ssize_t n;

	(void)state;
	for (i = 0; i < 3 * PER_ADDRESS; i++) {
		say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		for (n = 0; n < 3 || memcmp(line + n - 3, "ok\n", 3) != 0;)
			n += recv(fd, line + n, sizeof(line) - (size_t)n, 0);
		assert_memory_equal(line, "HTTP/1.1 200", 12);
	}
	say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n");	/* pipelined */
	hear(fd, &a);
	assert_int_equal(a.status, 200);
	assert_non_null(strstr(a.body, "</html>"));
	forget(&a);
}

static void
large_headers_and_bodies_are_refused(void **state)
{
	char *text = xmalloc(200001);
	struct answer a;
	int fd = visit();

	(void)state;
	memset(text, 'a', 200000);
	text[200000] = '\0';
	say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ");
	(void)!send(fd, text, 200000, MSG_NOSIGNAL);
	hear(fd, &a);
	assert_int_not_equal(a.status, 200);
	forget(&a);
	fd = visit();
	say(fd, "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n");
	hear(fd, &a);
	assert_int_not_equal(a.status, 200);
	forget(&a);
	free(text);
	expect("GET", "/healthz", "", 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_type_validators_and_safe_headers),
		cmocka_unit_test(validators_answer_304),
		cmocka_unit_test(head_says_what_get_says),
		cmocka_unit_test(gzip_is_sent_when_it_is_accepted),
		cmocka_unit_test(a_part_of_a_file_is_sent),
		cmocka_unit_test(nothing_else_is_served),
		cmocka_unit_test(only_get_and_head_are_answered),
		cmocka_unit_test(a_slow_reader_gets_a_large_file_whole),
		cmocka_unit_test(a_file_that_is_cut_while_it_is_sent_ends_only_its_connection),
		cmocka_unit_test(the_page_shows_records_and_links_only_to_pages),
		cmocka_unit_test(connections_beyond_the_limit_are_told_so_and_places_come_free),
		cmocka_unit_test(many_connections_at_once_leave_it_serving),
		cmocka_unit_test(a_connection_serves_one_request_after_another),
		cmocka_unit_test(large_headers_and_bodies_are_refused),
	};

	log_open("test", 0);
	return cmocka_run_group_tests(tests, setup, teardown);
}

/* serve, in a process of its own, with a database and output files that the test makes: what it
 * answers over real sockets, what it asks of core, and what it does not let happen. */
#include "chan.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "record.h"
#include "result.h"
#include "roles.h"
#include "schema.h"
#include "text.h"
#include "verdict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define CONNECTIONS	12
#define PER_ADDRESS	6
#define ANSWER_MAX	(64u << 20)
#define WAIT_MS		20000
#define DAY		INT64_C(1795219200000)	/* 2026-11-21T00:00:00Z */

static struct {
	char		 folder[64], out[128], database[128];
	struct chan	*channel;
	pid_t		 pid;
	struct sockaddr_in address;
	int		 listener;
	struct db	 db;
} t;

/* ---- the daemon around it ---- */

static void
write_file(const char *name, const void *p, size_t len)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", t.out, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	close(fd);
}

static void
put_source(const char *name)
{
	db_run(&t.db, SQL_SOURCE_ADD, DB_BLOB("0123456789abcdef", 16), DB_TEXT(name), DB_TEXT(NULL),
	    DB_TEXT("http://secret.example/?key=hidden"), DB_TEXT("feed"), DB_INT(DAY));
}

/* The nth record of the log, of a source, first seen n minutes after DAY. */
static void
put_record(int64_t n, int64_t source, const char *title, const char *link)
{
	struct cr_record *rec = record_new();
	unsigned char rid[16] = { 0 };
	struct buf b;

	buf_init(&b, RECORD_MAX);
	record_set(rec, CR_TITLE, title, strlen(title));
	record_set(rec, CR_LINK, link, strlen(link));
	record_set(rec, CR_SUMMARY, "<p>Some <b>words</b>.</p>", 25);
	record_write(rec, &b);
	rid[0] = (unsigned char)(n >> 8);
	rid[15] = (unsigned char)n;
	db_run(&t.db, SQL_LOG_ADD, DB_INT(n), DB_INT(n), DB_INT(0), DB_INT(source), DB_INT(0),
	    DB_INT(DAY + n * 60000));
	db_run(&t.db, SQL_ITEM_ADD, DB_INT(n), DB_BLOB(rid, 16), DB_INT(source), DB_INT(0),
	    DB_INT(0), DB_INT(DAY + n * 60000), DB_INT(n));
	db_run(&t.db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(b.data, b.len));
	buf_free(&b);
	record_free(rec);
}

static void
make_database(int records)
{
	char title[64], link[64];
	int i;

	assert_int_equal(db_open(&t.db, t.database), 0);
	db_begin(&t.db);
	put_source("one");
	put_source("group/two");
	for (i = 1; i <= records; i++) {
		snprintf(title, sizeof(title), "Number %d <of> & \"many\"", i);
		snprintf(link, sizeof(link), i % 2 ? "https://example.org/%d" : "javascript:%d", i);
		put_record(i, i % 3 == 0 ? 2 : 1, title, link);
	}
	db_commit(&t.db);
}

static void
start_serve(void)
{
	const struct serve_start start = { .database = t.database, .out = t.out, .base = "",
		.connections = CONNECTIONS, .per_address = PER_ADDRESS };
	struct frame f;
	struct buf b;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fflush(NULL);
	if ((t.pid = fork()) == 0) {
		int fd = dup(pair[1]);

		dup2(fd, 3);
		closefrom(4);
		exit(serve_main(0));
	}
	close(pair[1]);
	t.channel = chan_new(pair[0]);
	buf_init(&b, msg_limit(MSG_SERVE_START));
	wire_put(&b, serve_start, &start);
	assert_int_equal(chan_send(t.channel, MSG_SERVE_START, 0, &b, t.listener, -1), 0);
	buf_free(&b);
	assert_int_equal(chan_recv(t.channel, &f, WAIT_MS), 1);
	assert_int_equal(f.type, MSG_READY);
}

static int
setup(void **state)
{
	socklen_t len = sizeof(t.address);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	strcpy(t.folder, "/tmp/test_serve.XXXXXX");
	assert_non_null(mkdtemp(t.folder));
	snprintf(t.out, sizeof(t.out), "%s/out", t.folder);
	snprintf(t.database, sizeof(t.database), "%s/courant.db", t.folder);
	assert_int_equal(mkdir(t.out, 0755), 0);
	t.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	t.address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(t.listener, (struct sockaddr *)&t.address, len), 0);
	assert_int_equal(listen(t.listener, 128), 0);
	assert_int_equal(getsockname(t.listener, (struct sockaddr *)&t.address, &len), 0);
	start_serve();		/* first: no handle of the database may cross a fork */
	make_database(120);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];
	int status = 0;

	(void)state;
	if (t.pid > 0) {
		chan_free(t.channel);
		waitpid(t.pid, &status, 0);
		assert_int_equal(status, 0);
	}
	db_close(&t.db);
	close(t.listener);
	snprintf(command, sizeof(command), "rm -rf %s", t.folder);
	return system(command);
}

/* ---- a visitor ---- */

struct answer {
	int	 status;
	char	 headers[4096];
	char	*body;
	size_t	 len;
};

static int
visit(void)
{
	const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&t.address, sizeof(t.address)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads to the end of the connection. */
static void
hear(int fd, struct answer *a)
{
	struct buf b;
	char *end;
	ssize_t n;

	buf_init(&b, ANSWER_MAX);
	while ((n = recv(fd, buf_room(&b, 65536), 65536, 0)) > 0)
		b.len += (size_t)n;
	close(fd);
	memset(a, 0, sizeof(*a));
	if (b.len == 0) {
		buf_free(&b);
		return;
	}
	b.data[b.len] = '\0';
	end = memmem(b.data, b.len, "\r\n\r\n", 4);
	assert_non_null(end);
	assert_true(end - b.data < (ptrdiff_t)sizeof(a->headers) - 3);
	memcpy(a->headers, b.data, (size_t)(end - b.data) + 2);
	a->status = (int)strtol(b.data + 9, NULL, 10);
	a->len = b.len - (size_t)(end + 4 - b.data);
	a->body = xmalloc(a->len + 1);
	memcpy(a->body, end + 4, a->len);
	a->body[a->len] = '\0';
	buf_free(&b);
}

static void
ask(struct answer *a, const char *method, const char *path, const char *headers)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
	    path, headers);
	int fd = visit();

	say(fd, text);
	free(text);
	hear(fd, a);
}

static void
get(struct answer *a, const char *path)
{
	ask(a, "GET", path, "");
}

/* A header's value, or NULL. Valid until the next call. */
static const char *
header(const struct answer *a, const char *name)
{
	static char value[1024];
	const char *line = strstr(a->headers, "\r\n");
	size_t len = strlen(name);

	for (; line != NULL && line[2] != '\0'; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':') {
			snprintf(value, sizeof(value), "%.*s",
			    (int)strcspn(line + 4 + len, "\r\n"), line + 4 + len);
			return value;
		}
	return NULL;
}

static void
forget(struct answer *a)
{
	free(a->body);
	a->body = NULL;
}

static json_t *
get_json(const char *path, int status)
{
	struct answer a;
	json_error_t why;
	json_t *doc;

	get(&a, path);
	if (a.status != status)
		fail_msg("%s: %d %s", path, a.status, a.body);
	assert_string_equal(header(&a, "Content-Type"), "application/json");
	doc = json_loadb(a.body, a.len, 0, &why);
	if (doc == NULL)
		fail_msg("%s: %s in %s", path, why.text, a.body);
	forget(&a);
	return doc;
}

static void
expect(const char *method, const char *path, const char *headers, int status)
{
	struct answer a;

	ask(&a, method, path, headers);
	if (a.status != status)
		fail_msg("%s %s %s: %d, not %d: %s", method, path, headers, a.status, status,
		    a.body);
	forget(&a);
}

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

/* ---- the API ---- */

static long long
number(const json_t *doc, const char *name)
{
	return json_integer_value(json_object_get(doc, name));
}

static const char *
title_at(const json_t *doc, size_t i)
{
	const json_t *rec = json_array_get(json_object_get(doc, "records"), i);

	return json_string_value(json_object_get(rec, "title"));
}

static size_t
count(const json_t *doc)
{
	return json_array_size(json_object_get(doc, "records"));
}

static void
records_are_the_newest_first(void **state)
{
	json_t *doc = get_json("/api/v1/records", 200), *rec;

	(void)state;
	assert_int_equal(count(doc), 50);
	assert_string_equal(title_at(doc, 0), "Number 120 <of> & \"many\"");
	assert_string_equal(title_at(doc, 49), "Number 71 <of> & \"many\"");
	assert_int_equal(number(doc, "next"), 120);
	assert_int_equal(number(doc, "older"), 71);
	rec = json_array_get(json_object_get(doc, "records"), 0);
	assert_string_equal(json_string_value(json_object_get(rec, "source")), "group/two");
	assert_int_equal(number(rec, "schema"), 1);
	assert_int_equal(strlen(json_string_value(json_object_get(rec, "id"))), 26);
	assert_string_equal(json_string_value(json_object_get(rec, "seen")),
	    "2026-11-21T02:00:00Z");
	json_decref(doc);
}

static void
cursors_pass_every_record_once_in_both_directions(void **state)
{
	char path[128] = "/api/v1/records?limit=7";
	long long older = 1, next = 0;
	size_t seen = 0, n;
	json_t *doc;

	(void)state;
	while (older > 0) {
		doc = get_json(path, 200);
		seen += count(doc);
		older = number(doc, "older");
		snprintf(path, sizeof(path), "/api/v1/records?limit=7&before=%lld", older);
		json_decref(doc);
	}
	assert_int_equal(seen, 120);
	for (seen = 0;; seen += n) {
		char want[64];

		snprintf(path, sizeof(path), "/api/v1/records?limit=7&after=%lld", next);
		doc = get_json(path, 200);
		n = count(doc);
		if (n > 0) {
			snprintf(want, sizeof(want), "Number %zu <of> & \"many\"", seen + 1);
			assert_string_equal(title_at(doc, 0), want);
		}
		next = number(doc, "next");
		json_decref(doc);
		if (n == 0)
			break;
	}
	assert_int_equal(seen, 120);
	assert_int_equal(next, 120);
	put_record(121, 1, "Fresh", "https://example.org/fresh");
	doc = get_json(path, 200);
	assert_int_equal(count(doc), 1);
	assert_string_equal(title_at(doc, 0), "Fresh");
	json_decref(doc);
}

static void
records_of_a_source_and_since_a_time(void **state)
{
	json_t *doc = get_json("/api/v1/records?source=group%2Ftwo&limit=1000", 200);

	(void)state;
	assert_int_equal(count(doc), 40);
	assert_string_equal(title_at(doc, 39), "Number 3 <of> & \"many\"");
	json_decref(doc);
	doc = get_json("/api/v1/records?since=2026-11-21T01:30:00Z&limit=1000"
	    "&source=group/two", 200);
	assert_int_equal(count(doc), 11);
	json_decref(doc);
	doc = get_json("/api/v1/records?after=0&since=1795226280000", 200);	/* 01:58 */
	assert_true(count(doc) >= 3);
	assert_string_equal(title_at(doc, 0), "Number 118 <of> & \"many\"");
	json_decref(doc);
}

/* Verdicts of the route on first to last of the log: each fifth is kept, each tenth
 * under another title. */
static void
put_verdicts(int64_t route, int64_t first, int64_t last)
{
	struct cr_record *rec = record_new();
	struct verdict *v = xcalloc((size_t)(last - first + 1), sizeof(*v));
	struct buf changes, blob;
	int64_t n;

	buf_init(&changes, RECORD_MAX);
	buf_init(&blob, VERDICT_MAX);
	record_set(rec, CR_TITLE, "Retitled", 8);
	record_write(rec, &changes);
	for (n = first; n <= last; n++) {
		v[n - first] = (struct verdict){ .n = n,
			.verdict = n % 5 == 0 ? CR_KEEP : CR_DROP, .rule = "match#1" };
		if (n % 10 == 0)
			v[n - first].changes = (struct bytes){ changes.data, changes.len };
	}
	assert_int_equal(verdicts_write(&blob, first, v, (size_t)(last - first + 1)), 0);
	db_run(&t.db, SQL_VERDICT_ADD, DB_INT(route), DB_INT(last), DB_INT(first),
	    DB_INT((last - first) / 5), DB_BLOB(blob.data, blob.len));
	buf_free(&changes);
	buf_free(&blob);
	record_free(rec);
	free(v);
}

static void
records_of_a_route_are_what_it_kept_and_changed(void **state)
{
	char path[128] = "/api/v1/records?route=picked&limit=4";
	long long older = 1, next = 0;
	size_t seen = 0, n;
	json_t *doc;

	(void)state;
	db_run(&t.db, SQL_ROUTE_ADD, DB_TEXT("picked"), DB_TEXT("Picked"), DB_INT(100),
	    DB_INT(DAY));
	put_verdicts(1, 1, 33);
	put_verdicts(1, 34, 100);
	doc = get_json(path, 200);
	assert_int_equal(count(doc), 4);
	assert_string_equal(title_at(doc, 0), "Retitled");
	assert_string_equal(title_at(doc, 1), "Number 95 <of> & \"many\"");
	assert_int_equal(number(doc, "next"), 100);
	json_decref(doc);
	for (; older > 0; json_decref(doc)) {
		doc = get_json(path, 200);
		seen += count(doc);
		older = number(doc, "older");
		snprintf(path, sizeof(path), "/api/v1/records?route=picked&limit=4&before=%lld",
		    older);
	}
	assert_int_equal(seen, 20);
	for (seen = 0, n = 1; n > 0; seen += n) {
		snprintf(path, sizeof(path), "/api/v1/records?route=picked&limit=3&after=%lld",
		    next);
		doc = get_json(path, 200);
		n = count(doc);
		next = number(doc, "next");
		json_decref(doc);
	}
	assert_int_equal(seen, 20);
	assert_int_equal(next, 100);
	doc = get_json("/api/v1/records?route=picked&source=group/two", 200);
	assert_int_equal(count(doc), 6);	/* 15, 30, 45, 60, 75, 90 */
	json_decref(doc);
}

static void
bad_parameters_are_told_what_is_wrong(void **state)
{
	static const struct { const char *query, *says; int status; } cases[] = {
		{ "limit=0", "limit", 400 }, { "limit=1001", "1 to 1000", 400 },
		{ "limit=-1", "limit", 400 }, { "limit=5x", "5x", 400 },
		{ "after=x", "after", 400 },
		{ "after=1&before=2", "not both", 400 }, { "since=soon", "RFC 3339", 400 },
		{ "source=", "source", 400 }, { "source=none", "none", 404 },
		{ "source=%ff", "source", 400 }, { "route=none", "none", 404 },
		{ "lmit=5", "there are limit", 400 }, { "limit=1&limit=2", "twice", 400 },
		{ "limit=99999999999999999999", "limit", 400 },
	};
	char path[128];
	json_t *doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(path, sizeof(path), "/api/v1/records?%s", cases[i].query);
		doc = get_json(path, cases[i].status);
		if (strstr(json_string_value(json_object_get(doc, "error")), cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].query,
			    json_string_value(json_object_get(doc, "error")));
		json_decref(doc);
	}
}

static void
one_record_by_its_id(void **state)
{
	json_t *doc = get_json("/api/v1/records?limit=1&before=50", 200), *one;
	const char *id;
	char path[128];

	(void)state;
	id = json_string_value(json_object_get(json_array_get(json_object_get(doc, "records"), 0),
	    "id"));
	snprintf(path, sizeof(path), "/api/v1/records/%s", id);
	one = get_json(path, 200);
	assert_string_equal(json_string_value(json_object_get(one, "title")), title_at(doc, 0));
	json_decref(one);
	json_decref(doc);
	json_decref(get_json("/api/v1/records/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404));
	json_decref(get_json("/api/v1/records/x", 404));
}

static void
sources_without_their_addresses(void **state)
{
	json_t *doc = get_json("/api/v1/sources?limit=1", 200);
	struct answer a;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(doc, "next")), "group/two");
	json_decref(doc);
	get(&a, "/api/v1/sources?after=group/two");
	assert_non_null(strstr(a.body,
	    "{\"name\": \"one\", \"plugin\": \"feed\", \"state\": \"ok\""));
	assert_null(strstr(a.body, "hidden"));
	forget(&a);
}

/* ---- the status ---- */

/* The next frame from serve, which has to be a question. */
static uint32_t
be_asked(void)
{
	struct frame f;
	struct wire w;

	assert_int_equal(chan_recv(t.channel, &f, WAIT_MS), 1);
	assert_int_equal(f.type, MSG_ASK);
	wire_init(&w, f.data, f.len);
	assert_string_equal(wire_str(&w), "status");
	assert_null(wire_str(&w));
	assert_int_equal(wire_end(&w), 0);
	return f.id;
}

static void
tell(uint32_t id, uint32_t status, const char *text, int fd)
{
	struct buf b;

	buf_init(&b, 1000);
	wire_put_u32(&b, status);
	wire_put_str(&b, text);
	assert_int_equal(chan_send(t.channel, MSG_TOLD, id, &b, fd, -1), 0);
	buf_free(&b);
}

static const char status_request[] =
	"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

static void
the_status_is_what_core_tells(void **state)
{
	struct answer a;
	char *big = xmalloc(200001);
	int fd[3], memory, i;
	uint32_t id;

	(void)state;
	for (i = 0; i < 3; i++)
		say(fd[i] = visit(), status_request);
	id = be_asked();
	usleep(50000);		/* the others are heard too: core is asked once for all */
	tell(id, 0, "{\"version\": 1}", -1);
	for (i = 0; i < 3; i++) {
		hear(fd[i], &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(header(&a, "Content-Type"), "application/json");
		assert_string_equal(a.body, "{\"version\": 1}");
		forget(&a);
	}
	memset(big, ' ', 200000);
	big[200000] = '\0';
	memory = result_fd(big, 200000);
	say(fd[0] = visit(), status_request);
	tell(be_asked(), 0, NULL, memory);
	hear(fd[0], &a);
	assert_int_equal(a.len, 200000);
	assert_string_equal(a.body, big);
	forget(&a);
	close(memory);
	free(big);
	say(fd[0] = visit(), status_request);
	tell(be_asked(), 1, "no", -1);
	hear(fd[0], &a);
	assert_int_equal(a.status, 503);
	forget(&a);
}

static void
a_core_that_does_not_tell_is_waited_for_so_long(void **state)
{
	struct answer a;
	int fd = visit();
	int64_t before = date_ticks();
	uint32_t id;

	(void)state;
	say(fd, status_request);
	id = be_asked();
	expect("GET", "/healthz", "", 200);	/* nobody else waits */
	hear(fd, &a);
	assert_int_equal(a.status, 504);
	assert_in_range(date_ticks() - before, 4500, 9000);
	forget(&a);
	tell(id, 0, "too late", -1);
	say(fd = visit(), status_request);
	tell(be_asked(), 0, "{}", -1);
	hear(fd, &a);
	assert_string_equal(a.body, "{}");
	forget(&a);
}

static void
a_visitor_who_left_while_core_was_asked_harms_nobody(void **state)
{
	struct answer a;
	int fd = visit(), other;
	uint32_t id;

	(void)state;
	say(fd, status_request);
	id = be_asked();
	close(fd);
	say(other = visit(), status_request);
	usleep(20000);
	tell(id, 0, "{}", -1);
	hear(other, &a);
	assert_string_equal(a.body, "{}");
	forget(&a);
	expect("GET", "/healthz", "", 200);
}

/* ---- below /x/ ---- */

/* The next frame from serve, which has to be a visit. Its strings stay until the next one. */
static uint32_t
be_visited(struct visit_ask *va, int *body)
{
	static char kept[128 << 10];
	struct frame f;
	struct wire w;

	assert_int_equal(chan_recv(t.channel, &f, WAIT_MS), 1);
	assert_int_equal(f.type, MSG_VISIT);
	memcpy(kept, f.data, f.len);
	wire_init(&w, kept, f.len);
	wire_get(&w, visit_ask, va);
	assert_int_equal(wire_end(&w), 0);
	*body = f.fd[0];
	f.fd[0] = -1;
	return f.id;
}

static void
tell_visit(uint32_t id, const struct visit_answer *va, const char *body)
{
	int fd = va->len > 0 ? result_fd(body, (size_t)va->len) : -1;
	struct buf b;

	if (fd != -1)
		assert_int_equal(result_seal(fd), 0);
	buf_init(&b, msg_limit(MSG_VISITED));
	wire_put(&b, visit_answer, va);
	assert_int_equal(chan_send(t.channel, MSG_VISITED, id, &b, fd, -1), 0);
	buf_free(&b);
	if (fd != -1)
		close(fd);
}

static void
a_request_below_x_is_cores_to_answer(void **state)
{
	struct visit_answer va = { .status = 299, .type = "text/x-own", .retry_after = 7, .len = 4 };
	int fd = visit(), body;
	struct visit_ask asked;
	struct answer a;

	(void)state;
	say(fd, "PUT /x/a%20b/c?d=e%26f HTTP/1.1\r\nHost: x\r\nX-ONE:  two \r\nConnection: close\r\n"
	    "Content-Length: 3\r\n\r\nxyz");
	tell_visit(be_visited(&asked, &body), &va, "four");
	assert_string_equal(asked.method, "PUT");
	assert_string_equal(asked.path, "a b/c");
	assert_string_equal(asked.query, "d=e%26f");
	assert_string_equal(asked.peer, "127.0.0.1");
	assert_non_null(strstr(asked.headers, "\nx-one: two\n"));
	assert_memory_equal(asked.body.data, "xyz", 3);
	assert_int_equal(asked.len, 0);
	assert_int_equal(body, -1);
	hear(fd, &a);
	assert_int_equal(a.status, 299);
	assert_string_equal(a.body, "four");
	assert_string_equal(header(&a, "Content-Type"), "text/x-own");
	assert_string_equal(header(&a, "Retry-After"), "7");
	assert_string_equal(header(&a, "X-Content-Type-Options"), "nosniff");
	forget(&a);
}

static void
a_long_body_travels_beside_its_frame(void **state)
{
	char *text = xasprintf("POST /x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: 100000\r\n\r\n%0100000d", 7);
	struct visit_answer va = { .status = 204, .retry_after = -1 };
	int fd = visit(), body;
	struct visit_ask asked;
	struct answer a;
	const char *map;
	size_t size;

	(void)state;
	say(fd, text);
	free(text);
	tell_visit(be_visited(&asked, &body), &va, NULL);
	assert_int_equal(asked.body.len, 0);
	assert_int_equal(asked.len, 100000);
	map = result_map(body, 100001, &size);
	assert_non_null(map);
	assert_string_equal(map + 99998, "07");
	result_unmap(map, size);
	close(body);
	hear(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(a.len, 0);
	forget(&a);
}

static void
no_answer_makes_headers_of_its_own(void **state)
{
	static const char *const types[] = { "", "a\r\nX-Evil: 1", "\xff", "text/plain\n" };
	struct visit_answer va = { .status = 200, .retry_after = -1, .len = 4 };
	struct visit_ask asked;
	struct answer a;
	size_t i;
	int body;

	(void)state;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fd = visit();

		say(fd, "GET /x/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
		va.type = types[i];
		tell_visit(be_visited(&asked, &body), &va, "four");
		hear(fd, &a);
		assert_null(header(&a, "X-Evil"));
		assert_null(strstr(a.body, "four"));
		forget(&a);
	}
}

static void
a_visitor_who_left_before_the_answer_harms_nobody(void **state)
{
	struct visit_answer va = { .status = 200, .type = "a/b", .retry_after = -1, .len = 4 };
	struct visit_ask asked;
	struct answer a;
	int fd = visit(), body;
	uint32_t id;

	(void)state;
	say(fd, "GET /x/y HTTP/1.1\r\nHost: x\r\n\r\n");
	id = be_visited(&asked, &body);
	close(fd);
	tell_visit(id, &va, "four");
	tell_visit(id, &va, "four");		/* to nobody */
	say(fd = visit(), "GET /x/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	id = be_visited(&asked, &body);
	va = (struct visit_answer){ .status = 503, .retry_after = 5, .error = "not now" };
	tell_visit(id, &va, NULL);
	hear(fd, &a);
	assert_int_equal(a.status, 503);
	assert_string_equal(a.body, "not now\n");
	forget(&a);
}

/* ---- the page ---- */

static void
the_page_shows_records_and_links_only_to_pages(void **state)
{
	struct answer a;

	(void)state;
	write_file("all.rss", "x", 1);
	write_file("b&c.json", "x", 1);
	get(&a, "/");
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

/* ---- the database ---- */

static void
health_follows_the_database(void **state)
{
	char moved[160];
	struct answer a;
	int tries, status;

	(void)state;
	expect("GET", "/healthz", "", 200);
	snprintf(moved, sizeof(moved), "%s.old", t.database);
	assert_int_equal(rename(t.database, moved), 0);
	for (status = tries = 0; tries < 300 && status != 503; tries++) {
		get(&a, "/healthz");
		status = a.status;
		forget(&a);
		usleep(10000);
	}
	assert_int_equal(status, 503);
	expect("GET", "/api/v1/records", "", 503);
	expect("GET", "/", "", 503);
	assert_int_equal(rename(moved, t.database), 0);
	for (tries = 0; tries < 300 && status != 200; tries++) {
		get(&a, "/healthz");
		status = a.status;
		forget(&a);
		usleep(10000);
	}
	assert_int_equal(status, 200);
}

static void
a_store_that_closes_and_comes_back_is_read_again(void **state)
{
	json_t *doc;

	(void)state;
	db_close(&t.db);
	expect("GET", "/healthz", "", 200);
	assert_int_equal(db_open(&t.db, t.database), 0);
	put_record(1000, 1, "After", "https://example.org/after");
	doc = get_json("/api/v1/records?limit=1", 200);
	assert_string_equal(title_at(doc, 0), "After");
	json_decref(doc);
}

/* No statement stays open: all of the log can be moved into the database. */
static void
reading_does_not_pin_the_write_ahead_log(void **state)
{
	int in_log = -1, moved = -1;

	(void)state;
	json_decref(get_json("/api/v1/records?limit=1000", 200));
	json_decref(get_json("/api/v1/records?limit=1&source=one", 200));
	json_decref(get_json("/api/v1/sources?limit=1", 200));
	expect("GET", "/", "", 200);
	put_record(1001, 1, "Later", "https://example.org/later");
	assert_int_equal(sqlite3_wal_checkpoint_v2(t.db.handle, NULL, SQLITE_CHECKPOINT_TRUNCATE,
	    &in_log, &moved), SQLITE_OK);
	assert_int_equal(in_log, 0);
}

/* ---- its end ---- */

static void
it_stops_when_it_is_told_and_so_are_those_who_wait(void **state)
{
	int status = -1, fd = visit(), body;
	struct visit_ask asked;
	struct answer a;

	(void)state;
	say(fd, "GET /x/y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	(void)be_visited(&asked, &body);
	assert_int_equal(chan_send(t.channel, MSG_STOP, 0, NULL, -1, -1), 0);
	hear(fd, &a);
	assert_int_equal(a.status, 503);
	forget(&a);
	assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
	assert_int_equal(status, 0);
	chan_free(t.channel);
	db_close(&t.db);
	start_serve();		/* on the same socket */
	assert_int_equal(db_open(&t.db, t.database), 0);
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
		cmocka_unit_test(records_are_the_newest_first),
		cmocka_unit_test(cursors_pass_every_record_once_in_both_directions),
		cmocka_unit_test(records_of_a_source_and_since_a_time),
		cmocka_unit_test(records_of_a_route_are_what_it_kept_and_changed),
		cmocka_unit_test(bad_parameters_are_told_what_is_wrong),
		cmocka_unit_test(one_record_by_its_id),
		cmocka_unit_test(sources_without_their_addresses),
		cmocka_unit_test(the_status_is_what_core_tells),
		cmocka_unit_test(a_core_that_does_not_tell_is_waited_for_so_long),
		cmocka_unit_test(a_visitor_who_left_while_core_was_asked_harms_nobody),
		cmocka_unit_test(a_request_below_x_is_cores_to_answer),
		cmocka_unit_test(a_long_body_travels_beside_its_frame),
		cmocka_unit_test(no_answer_makes_headers_of_its_own),
		cmocka_unit_test(a_visitor_who_left_before_the_answer_harms_nobody),
		cmocka_unit_test(the_page_shows_records_and_links_only_to_pages),
		cmocka_unit_test(connections_beyond_the_limit_are_told_so_and_places_come_free),
		cmocka_unit_test(many_connections_at_once_leave_it_serving),
		cmocka_unit_test(a_connection_serves_one_request_after_another),
		cmocka_unit_test(large_headers_and_bodies_are_refused),
		cmocka_unit_test(health_follows_the_database),
		cmocka_unit_test(a_store_that_closes_and_comes_back_is_read_again),
		cmocka_unit_test(reading_does_not_pin_the_write_ahead_log),
		cmocka_unit_test(it_stops_when_it_is_told_and_so_are_those_who_wait),
	};

	log_open("test", 0);
	return cmocka_run_group_tests(tests, setup, teardown);
}

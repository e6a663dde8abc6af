/* What the tests of serve share: serve in a process of its own, with a database and output files that
 * the test makes, and a visitor with a real socket. */
#ifndef TESTS_SERVE_CASE_H
#define TESTS_SERVE_CASE_H
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "db/schema.h"
#include "ipc/chan.h"
#include "ipc/msg.h"
#include "ipc/roles.h"
#include "record/record.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <jansson.h>
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

__attribute__((unused)) static void
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

__attribute__((unused)) static void
put_source(const char *name)
{
	db_run(&t.db, SQL_SOURCE_ADD, DB_BLOB("0123456789abcdef", 16), DB_TEXT(name), DB_TEXT(NULL),
	    DB_TEXT("http://secret.example/?key=hidden"), DB_TEXT("feed"), DB_INT(DAY));
}

/* The nth record of the log, of a source, first seen n minutes after DAY. */
__attribute__((unused)) static void
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
	db_run(&t.db, SQL_STORY_ADD, DB_INT(n), DB_INT(1), DB_TEXT(NULL));
	db_run(&t.db, SQL_HEAT_BORN, DB_INT(n), DB_INT(DAY + n * 60000));
	db_run(&t.db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(b.data, b.len));
	buf_free(&b);
	record_free(rec);
}

__attribute__((unused)) static void
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

__attribute__((unused)) static void
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

__attribute__((unused)) static int
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

__attribute__((unused)) static int
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

__attribute__((unused)) static int
visit(void)
{
	const struct timeval patience = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&t.address, sizeof(t.address)), 0);
	return fd;
}

__attribute__((unused)) static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads to the end of the connection. */
__attribute__((unused)) static void
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

__attribute__((unused)) static void
ask(struct answer *a, const char *method, const char *path, const char *headers)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method,
	    path, headers);
	int fd = visit();

	say(fd, text);
	free(text);
	hear(fd, a);
}

__attribute__((unused)) static void
get(struct answer *a, const char *path)
{
	ask(a, "GET", path, "");
}

/* A header's value, or NULL. Valid until the next call. */
__attribute__((unused)) static const char *
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

__attribute__((unused)) static void
forget(struct answer *a)
{
	free(a->body);
	a->body = NULL;
}

__attribute__((unused)) static json_t *
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

__attribute__((unused)) static void
expect(const char *method, const char *path, const char *headers, int status)
{
	struct answer a;

	ask(&a, method, path, headers);
	if (a.status != status)
		fail_msg("%s %s %s: %d, not %d: %s", method, path, headers, a.status, status,
		    a.body);
	forget(&a);
}
#endif

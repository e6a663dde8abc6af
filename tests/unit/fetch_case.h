/* What the tests of the fetch role share: the recording origin, the role in a child on its channel,
 * jobs and what came of them. */
#ifndef TESTS_FETCH_CASE_H
#define TESTS_FETCH_CASE_H
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/roles.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PATIENCE	20000		/* ms for any answer */

static char record_name[] = "/tmp/test_fetch.XXXXXX";
static int origin_port, record_fd;
static pid_t origin_pid, role_pid;
static struct chan *role;
static uint32_t next_id;

/* What came of a job. Strings are owned. */
struct got {
	uint32_t	 id, why, status, requests;
	char		*error, *url, *moved, *type, *charset, *headers, *etag, *modified, *body;
	int64_t		 retry_after, max_age;
	uint64_t	 len;
	int		 with_fd;
};

/* ---- The origin ---- */

__attribute__((unused)) static int
origin_start(void **state)
{
	const char *program = getenv("ORIGIN");
	int out[2];
	FILE *said;

	(void)state;
	record_fd = mkstemp(record_name);
	if (program == NULL)
		program = "tests/origin";
	if (record_fd == -1 || pipe(out) == -1 || (origin_pid = fork()) == -1)
		return -1;
	if (origin_pid == 0) {
		dup2(out[1], 1);
		closefrom(3);
		execl(program, program, "--record", record_name, (char *)NULL);
		fprintf(stderr, "%s cannot be started: set ORIGIN\n", program);
		_exit(127);
	}
	close(out[1]);
	said = fdopen(out[0], "r");
	if (fscanf(said, "port %d", &origin_port) != 1)
		return -1;
	fclose(said);
	return 0;
}

__attribute__((unused)) static int
origin_stop(void **state)
{
	(void)state;
	kill(origin_pid, SIGKILL);
	waitpid(origin_pid, NULL, 0);
	unlink(record_name);
	return 0;
}

/* Gives the origin an order; its answer's body lands in text. */
__attribute__((unused)) static void
order(const char *path, const char *body, char *text, size_t size)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)origin_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char all[65536], *at;
	size_t len = 0;
	ssize_t n;

	assert_int_equal(connect(fd, (void *)&sin, sizeof(sin)), 0);
	dprintf(fd, "POST %s HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", path,
	    strlen(body), body);
	while ((n = read(fd, all + len, sizeof(all) - 1 - len)) > 0)
		len += (size_t)n;
	all[len] = '\0';
	close(fd);
	assert_non_null(strstr(all, " 200 "));
	at = strstr(all, "\r\n\r\n");
	snprintf(text, size, "%s", at + 4);
}

__attribute__((unused)) static void
set(const char *rules)
{
	char text[64];

	order("/_/set", rules, text, sizeof(text));
}

/* The origin's number of that name: of its state, or of the requests that a path got. */
__attribute__((unused)) static int
told(const char *order_path, const char *name)
{
	char text[65536];
	json_t *all;
	int n;

	order(order_path, "", text, sizeof(text));
	all = json_loads(text, 0, NULL);
	n = (int)json_integer_value(json_object_get(all, name));
	json_decref(all);
	return n;
}

/* The lines that the origin wrote since the last look. */
__attribute__((unused)) static json_t *
seen(void)
{
	json_t *all = json_array();
	FILE *f = fdopen(dup(record_fd), "r");
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, f) > 0)
		json_array_append_new(all, json_loads(line, 0, NULL));
	free(line);
	fclose(f);
	lseek(record_fd, 0, SEEK_END);
	return all;
}

__attribute__((unused)) static const char *
sent(const json_t *requests, size_t nth, const char *header)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(json_object_get(json_array_get(requests, nth), "headers"), i, pair)
		if (strcasecmp(json_string_value(json_array_get(pair, 0)), header) == 0)
			return json_string_value(json_array_get(pair, 1));
	return NULL;
}

/* ---- The role ---- */

__attribute__((unused)) static void
configure(const struct fetch_start *start, const struct fetch_host *host)
{
	struct buf b;

	buf_init(&b, 65536);
	wire_put(&b, fetch_start, start);
	wire_put_u32(&b, host != NULL);
	if (host != NULL)
		wire_put(&b, fetch_host, host);
	assert_int_equal(chan_send(role, MSG_FETCH_START, 0, &b, -1, -1), 0);
	buf_free(&b);
}

__attribute__((unused)) static void
role_start(const struct fetch_start *start, const struct fetch_host *host)
{
	struct frame f;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	role_pid = fork();
	if (role_pid == 0) {
		for (int sig = 1; sig < 32; sig++)	/* cmocka's handlers are not the role's */
			signal(sig, SIG_DFL);
		dup2(sv[1], 3);
		closefrom(4);
		exit(fetch_main(getenv("DEBUG") != NULL));
	}
	close(sv[1]);
	role = chan_new(sv[0]);
	configure(start, host);
	assert_int_equal(chan_recv(role, &f, PATIENCE), 1);
	assert_int_equal(f.type, MSG_READY);
}

__attribute__((unused)) static int
setup(void **state)
{
	const struct fetch_start start = { .agent = "Courant/test (+mailto:me)", .at_once = 2,
		.total = 16, .private_ok = 1 };
	char text[64];

	(void)state;
	json_decref(seen());
	order("/_/reset", "", text, sizeof(text));
	role_start(&start, NULL);
	return 0;
}

/* Ends as told, with nothing leaked (ASan would give another status). */
__attribute__((unused)) static int
teardown(void **state)
{
	int status;

	(void)state;
	chan_send(role, MSG_STOP, 0, NULL, -1, -1);
	waitpid(role_pid, &status, 0);
	chan_free(role);
	role = NULL;
	return status;
}

__attribute__((unused)) static int
restart(const struct fetch_start *start, const struct fetch_host *host)
{
	int status = teardown(NULL);

	role_start(start, host);
	return status;
}

__attribute__((unused)) static uint32_t
ask(const struct fetch_job *job)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCH));
	wire_put(&b, fetch_job, job);
	assert_int_equal(chan_send(role, MSG_FETCH, ++next_id, &b, -1, -1), 0);
	buf_free(&b);
	return next_id;
}

__attribute__((unused)) static char *
copy(const char *s)
{
	return s != NULL ? strdup(s) : NULL;
}

__attribute__((unused)) static struct got
await(void)
{
	struct fetch_done d;
	struct got g;
	struct frame f;
	struct wire w;
	const char *body;
	size_t size;

	assert_int_equal(chan_recv(role, &f, PATIENCE), 1);
	assert_int_equal(f.type, MSG_FETCHED);
	wire_init(&w, f.data, f.len);
	wire_get(&w, fetch_done, &d);
	assert_int_equal(wire_end(&w), 0);
	g = (struct got){ .id = f.id, .why = d.why, .status = d.status, .requests = d.requests,
		.error = copy(d.error), .url = copy(d.url), .moved = copy(d.moved),
		.type = copy(d.type), .charset = copy(d.charset), .headers = copy(d.headers),
		.etag = copy(d.etag), .modified = copy(d.modified), .retry_after = d.retry_after,
		.max_age = d.max_age, .len = d.len, .with_fd = f.fd[0] != -1 };
	if (g.with_fd) {
		body = memfd_map(f.fd[0], d.len + 1, &size);
		assert_non_null(body);
		assert_int_equal(body[d.len], 0);
		g.body = strdup(body);
		memfd_unmap(body, size);
	}
	return g;
}

__attribute__((unused)) static void
got_free(struct got *g)
{
	char **all[] = { &g->error, &g->url, &g->moved, &g->type, &g->charset, &g->headers,
		&g->etag, &g->modified, &g->body };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(*all[i]);
	*g = (struct got){ 0 };
}

__attribute__((unused)) static const char *
at(const char *host, const char *path)
{
	static char url[8][10000];
	static unsigned n;
	char *u = url[n++ % 8];

	snprintf(u, sizeof(url[0]), "http://%s:%d%s", host, origin_port, path);
	return u;
}

__attribute__((unused)) static struct got
fetch(const struct fetch_job *job)
{
	uint32_t id = ask(job);
	struct got g = await();

	assert_int_equal(g.id, id);
	return g;
}

__attribute__((unused)) static struct got
get(const char *path)
{
	const struct fetch_job job = { .source = "s", .url = at("127.0.0.1", path),
		.timeout = 10000 };

	return fetch(&job);
}

/* That it failed for that reason, with words that hold `part`, and brought no body. */
__attribute__((unused)) static void
failed(struct got *g, enum fetch_why why, const char *part)
{
	if (g->why != (uint32_t)why || g->error == NULL || strstr(g->error, part) == NULL)
		fail_msg("why %u, error \"%s\": expected %d, \"%s\"", g->why,
		    g->error != NULL ? g->error : "", (int)why, part);
	assert_false(g->with_fd);
	got_free(g);
}
#endif

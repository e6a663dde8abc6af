/* The fetch role against the recording origin: the role runs in a child, on its channel. */
#include "chan.h"
#include "date.h"
#include "msg.h"
#include "result.h"
#include "roles.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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

static int
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

static int
origin_stop(void **state)
{
	(void)state;
	kill(origin_pid, SIGKILL);
	waitpid(origin_pid, NULL, 0);
	unlink(record_name);
	return 0;
}

/* Gives the origin an order; its answer's body lands in text. */
static void
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

static void
set(const char *rules)
{
	char text[64];

	order("/_/set", rules, text, sizeof(text));
}

/* The origin's number of that name: of its state, or of the requests that a path got. */
static int
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
static json_t *
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

static const char *
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

static void
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

static void
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

static int
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
static int
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

static int
restart(const struct fetch_start *start, const struct fetch_host *host)
{
	int status = teardown(NULL);

	role_start(start, host);
	return status;
}

static uint32_t
ask(const struct fetch_job *job)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCH));
	wire_put(&b, fetch_job, job);
	assert_int_equal(chan_send(role, MSG_FETCH, ++next_id, &b, -1, -1), 0);
	buf_free(&b);
	return next_id;
}

static char *
copy(const char *s)
{
	return s != NULL ? strdup(s) : NULL;
}

static struct got
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
		body = result_map(f.fd[0], d.len + 1, &size);
		assert_non_null(body);
		assert_int_equal(body[d.len], 0);
		g.body = strdup(body);
		result_unmap(body, size);
	}
	return g;
}

static void
got_free(struct got *g)
{
	char **all[] = { &g->error, &g->url, &g->moved, &g->type, &g->charset, &g->headers,
		&g->etag, &g->modified, &g->body };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(*all[i]);
	*g = (struct got){ 0 };
}

static const char *
at(const char *host, const char *path)
{
	static char url[8][10000];
	static unsigned n;
	char *u = url[n++ % 8];

	snprintf(u, sizeof(url[0]), "http://%s:%d%s", host, origin_port, path);
	return u;
}

static struct got
fetch(const struct fetch_job *job)
{
	uint32_t id = ask(job);
	struct got g = await();

	assert_int_equal(g.id, id);
	return g;
}

static struct got
get(const char *path)
{
	const struct fetch_job job = { .source = "s", .url = at("127.0.0.1", path),
		.timeout = 10000 };

	return fetch(&job);
}

/* That it failed for that reason, with words that hold `part`, and brought no body. */
static void
failed(struct got *g, enum fetch_why why, const char *part)
{
	if (g->why != (uint32_t)why || g->error == NULL || strstr(g->error, part) == NULL)
		fail_msg("why %u, error \"%s\": expected %d, \"%s\"", g->why,
		    g->error != NULL ? g->error : "", (int)why, part);
	assert_false(g->with_fd);
	got_free(g);
}

/* ---- What it proves ---- */

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
	    "\"/lie\":{\"body\":\"plain text\",\"gzip\":\"lie\"},"
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

/* Those under way end under the old one, those that wait begin under the new one. */
static void
a_new_configuration_comes_while_requests_are_under_way(void **state)
{
	const struct fetch_start other = { .agent = "another", .at_once = 2, .total = 16,
		.private_ok = 1 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	json_t *requests;
	struct got g;
	int named = 0;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"delay\":200}}");
	job.url = at("127.0.0.1", "/f");
	for (int i = 0; i < 4; i++)
		ask(&job);
	while (told("/_/state", "most_busy") < 2)
		;
	configure(&other, NULL);
	for (int i = 0; i < 4; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	requests = seen();
	for (size_t i = 0; i < json_array_size(requests); i++)
		named += strcmp(sent(requests, i, "User-Agent") != NULL ?
		    sent(requests, i, "User-Agent") : "", "another") == 0;
	assert_int_equal(named, 2);
	json_decref(requests);
}

static void
a_host_has_two_connections_and_the_others_do_not_wait(void **state)
{
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	uint32_t other = 0;
	struct got g;
	int place = -1;

	(void)state;
	set("{\"/f\":{\"body\":\"x\",\"delay\":100}}");
	for (int i = 0; i < 10; i++) {
		job.url = at("one.localhost", "/f");
		ask(&job);
	}
	job.url = at("two.localhost", "/f");
	other = ask(&job);
	for (int i = 0; i < 11; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		if (g.id == other)
			place = i;
		got_free(&g);
	}
	assert_in_range(place, 0, 2);
	assert_int_equal(told("/_/state", "most_busy"), 3);
}

static void
the_total_is_kept(void **state)
{
	const struct fetch_start start = { .agent = "a", .at_once = 4, .total = 3, .private_ok = 1 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	char host[32];
	struct got g;

	(void)state;
	assert_int_equal(restart(&start, NULL), 0);
	set("{\"/f\":{\"body\":\"x\",\"delay\":50}}");
	for (int i = 0; i < 12; i++) {
		snprintf(host, sizeof(host), "h%d.localhost", i);
		job.url = at(host, "/f");
		ask(&job);
	}
	for (int i = 0; i < 12; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	assert_int_equal(told("/_/state", "most_busy"), 3);
}

static void
requests_to_a_host_keep_their_spacing(void **state)
{
	const struct fetch_start start = { .agent = "a", .spacing = 10, .private_ok = 1 };
	const struct fetch_host slow = { .host = "slow.localhost", .at_once = 1, .spacing = 200 };
	struct fetch_job job = { .source = "s", .timeout = 10000 };
	int64_t last = 0, time;
	struct got g;
	json_t *r;

	(void)state;
	assert_int_equal(restart(&start, &slow), 0);
	set("{\"/f\":{\"body\":\"x\"},\"/r\":{\"redirect\":\"/f\"}}");
	job.url = at("SLOW.localhost", "/f");
	ask(&job);
	ask(&job);
	job.url = at("slow.localhost", "/r");
	ask(&job);
	for (int i = 0; i < 3; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
	r = seen();
	assert_int_equal(json_array_size(r), 4);
	for (size_t i = 0; i < 4; i++) {	/* a loaded machine may take one late: half is enough */
		time = json_integer_value(json_object_get(json_array_get(r, i), "time"));
		assert_true(time - last >= 100);
		last = time;
	}
	json_decref(r);
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

static void
many_jobs_wait_in_little_memory(void **state)
{
	struct fetch_job job = { .source = "group/entry", .timeout = 60000 };
	const int n = 10000;
	char host[32], name[64], line[256];
	long rss = 0;
	struct got g;
	FILE *f;

	(void)state;
	set("{\"/f\":{\"body\":\"x\"},\"/wait\":{\"body\":\"x\",\"delay\":1500}}");
	for (int i = 0; i < n; i++) {
		snprintf(host, sizeof(host), "h%d.localhost", i % 100);
		job.url = at(host, i < 300 ? "/wait" : "/f");
		ask(&job);
	}
	snprintf(name, sizeof(name), "/proc/%d/status", (int)role_pid);
	f = fopen(name, "r");
	while (fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "RssAnon: %ld", &rss);
	fclose(f);
	print_message("%d jobs: %ld kB\n", n, rss);
	for (int i = 0; i < n; i++) {
		g = await();
		assert_int_equal(g.why, FETCH_OK);
		got_free(&g);
	}
}

static void
core_may_vanish(void **state)
{
	const struct fetch_start start = { .agent = "a", .private_ok = 1 };
	const struct fetch_job job = { .source = "s", .url = at("127.0.0.1", "/f") };
	int status;

	(void)state;
	set("{\"/f\":{\"stall\":-1}}");
	ask(&job);
	ask(&job);
	ask(&job);
	while (told("/_/hits", "/f") < 2)
		usleep(1000);
	chan_free(role);
	waitpid(role_pid, &status, 0);
	role_start(&start, NULL);
	assert_int_equal(status, 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		T(a_new_configuration_comes_while_requests_are_under_way),
		T(a_host_has_two_connections_and_the_others_do_not_wait),
		T(the_total_is_kept),
		T(requests_to_a_host_keep_their_spacing),
		T(a_post_carries_its_body_and_is_not_redirected_away),
		T(many_jobs_wait_in_little_memory),
		T(core_may_vanish),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, origin_start, origin_stop);
}

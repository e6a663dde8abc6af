/* What serve answers below /api/ and /x/: what it reads of the database, and what it asks of core. */
#include "serve_case.h"
#include "base/date.h"
#include "ipc/memfd.h"
#include "record/verdict.h"
#include "store/ledger_verdict.h"

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

#define SHARED_US	1200000		/* a status that was told is good for a second */

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
	say(fd[0] = visit(), status_request);	/* and it is told all for a second */
	hear(fd[0], &a);
	assert_string_equal(a.body, "{\"version\": 1}");
	forget(&a);
	usleep(SHARED_US);
	memset(big, ' ', 200000);
	big[200000] = '\0';
	memory = memfd_new(big, 200000);
	say(fd[0] = visit(), status_request);
	tell(be_asked(), 0, NULL, memory);
	hear(fd[0], &a);
	assert_int_equal(a.len, 200000);
	assert_string_equal(a.body, big);
	forget(&a);
	close(memory);
	free(big);
	usleep(SHARED_US);
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
	usleep(SHARED_US);
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
	int fd = va->len > 0 ? memfd_new(body, (size_t)va->len) : -1;
	struct buf b;

	if (fd != -1)
		assert_int_equal(memfd_seal(fd), 0);
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
	map = memfd_map(body, 100001, &size);
	assert_non_null(map);
	assert_string_equal(map + 99998, "07");
	memfd_unmap(map, size);
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
		cmocka_unit_test(health_follows_the_database),
		cmocka_unit_test(a_store_that_closes_and_comes_back_is_read_again),
		cmocka_unit_test(reading_does_not_pin_the_write_ahead_log),
		cmocka_unit_test(it_stops_when_it_is_told_and_so_are_those_who_wait),
	};

	log_open("test", 0);
	return cmocka_run_group_tests(tests, setup, teardown);
}

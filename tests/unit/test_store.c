/* The store role over its channel: what it acknowledges is on disk, whenever it is killed. */
#include "store_role.h"
#include "base/buf.h"
#include "base/date.h"
#include "ipc/memfd.h"
#include "serve/status_wait.h"
#include "store/ledger_verdict.h"

static int
setup(void **state)
{
	struct role_child *r = xcalloc(1, sizeof(*r));

	shelf_new(&r->shelf);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct role_child *r = *state;

	if (r->chan != NULL) {
		kill(r->pid, SIGKILL);
		role_wait(r);
	}
	close(r->log);
	shelf_remove(&r->shelf);
	free(r);
	return 0;
}

/* A document of n entries called NAME-from and on, the last first. */
static void
document(struct buf *b, const char *name, int from, int n)
{
	char guid[32];
	int i;

	for (i = from + n - 1; i >= from; i--) {
		const struct entry_text e = { guid, NULL, guid, NULL, 0, 0 };

		snprintf(guid, sizeof(guid), "%s-%d", name, i);
		put_entry(b, &e);
	}
}

static void
commit_document(struct role_child *r, uint32_t id, uint32_t source, const char *name, int from,
    int n)
{
	struct buf b;

	buf_init(&b, 1u << 24);
	document(&b, name, from, n);
	role_commit(r, id, r->source[source], &b);
	buf_free(&b);
}

static void
what_is_committed_is_there_after_a_kill(void **state)
{
	struct role_child *r = *state;
	struct committed c;

	role_up(r, 2, 0);
	assert_int_equal(r->head, 0);
	commit_document(r, 1, 0, "a", 1, 3);
	role_committed(r, &c);
	assert_int_equal(c.bad, 0);
	assert_int_equal(c.added, 3);
	assert_int_equal(c.head, 3);
	kill(r->pid, SIGKILL);
	assert_int_equal(role_wait(r), -1);
	role_up(r, 2, 0);
	assert_int_equal(r->head, 3);
	commit_document(r, 1, 0, "a", 1, 3);
	role_committed(r, &c);
	assert_int_equal(c.added, 0);
	assert_int_equal(role_down(r), 0);
}

static void
many_commits_share_few_syncs(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	int i;

	role_up(r, 1, 0);
	for (i = 0; i < 300; i++)
		commit_document(r, (uint32_t)i, 0, "a", i * 10, 10);
	for (i = 0; i < 300; i++) {
		role_committed(r, &c);
		assert_int_equal(c.added, 10);
	}
	assert_int_equal(role_down(r), 0);
	assert_int_equal(role_said(r, "commit begin"), role_said(r, "commit done"));
	/* 3,000 records, of which 1,000 make a group at once; some are cut by the clock. */
	assert_in_range(role_said(r, "commit done"), 1, 60);
}

static void
malformed_results_are_answered_and_store_nothing(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	struct buf b;

	role_up(r, 1, 0);
	buf_init(&b, 1u << 20);
	document(&b, "a", 1, 2);
	b.len -= 3;
	role_commit(r, 1, r->source[0], &b);
	role_committed(r, &c);
	assert_int_equal(c.bad, 1);
	assert_int_equal(c.head, 0);
	buf_clear(&b);
	role_commit(r, 2, r->source[0], &b);		/* an empty document is fine */
	role_committed(r, &c);
	assert_int_equal(c.bad, 0);
	assert_int_equal(role_down(r), 0);
	shelf_open(&r->shelf);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT count(*) FROM item"), 0);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT ok > 0 FROM source"), 1);
	shelf_close(&r->shelf);
	buf_free(&b);
}

static void
results_that_are_not_sealed_are_refused(void **state)
{
	struct role_child *r = *state;
	const struct commit c = { .source = 1, .flags = COMMIT_LAST, .url = "" };
	const struct mark m = { .ok = 1 };
	struct committed out;
	struct buf b;
	int fd = memfd_new("x", 1);

	role_up(r, 1, 0);
	buf_init(&b, 1u << 16);
	wire_put(&b, commit, &c);
	wire_put(&b, mark, &m);
	role_send(r, MSG_COMMIT, 1, &b, fd);
	role_committed(r, &out);
	assert_int_equal(out.bad, 1);
	close(fd);
	buf_free(&b);
}

static void
a_mark_alone_is_on_disk_after_a_stop(void **state)
{
	struct role_child *r = *state;
	const struct mark m = { .checked = 5, .due = 6, .error = "HTTP 404" };
	struct buf b;

	role_up(r, 1, 0);
	buf_init(&b, 1u << 16);
	wire_put_u32(&b, r->source[0]);
	wire_put(&b, mark, &m);
	role_send(r, MSG_TOUCH, 0, &b, -1);
	buf_free(&b);
	assert_int_equal(role_down(r), 0);
	shelf_open(&r->shelf);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT checked + due FROM source WHERE error ="
	    " 'HTTP 404'"), 11);
	shelf_close(&r->shelf);
}

/* ---- What comes outside of polls ---- */

static void
put_state(struct buf *b, const char *key, const char *value)
{
	size_t begun = result_begin(b, RESULT_STATE);

	wire_put(b, result_state, &(struct result_state){ .key = key, .value = value });
	result_end(b, begun);
}

/* Commits a state of n bytes outside of a poll. */
static void
commit_state(struct role_child *r, const char *key, size_t n, struct committed *c)
{
	char *value = xcalloc(1, n + 1);
	struct buf b;

	memset(value, 'v', n);
	buf_init(&b, 1u << 20);
	put_state(&b, key, n > 0 ? value : NULL);
	role_commit_as(r, 1, r->source[0], COMMIT_ASIDE, &b);
	role_committed(r, c);
	buf_free(&b);
	free(value);
}

/* The state as store tells it: KEY=BYTES, with blanks between. */
static void
told_state(struct role_child *r, char out[256])
{
	const char *s, *end;
	char instance[32];
	struct bytes all;
	struct frame f;
	struct wire w;
	struct buf b;

	snprintf(instance, sizeof(instance), "source:%u", r->source[0]);
	buf_init(&b, msg_limit(MSG_STATE));
	wire_put_u32(&b, STATE_VISIT);
	wire_put_str(&b, instance);
	role_send(r, MSG_STATE, 5, &b, -1);
	buf_free(&b);
	role_expect(r, MSG_STATED, &f);
	assert_int_equal(f.id, 5);
	wire_init(&w, f.data, f.len);
	assert_int_equal(wire_u32(&w), STATE_VISIT);
	all = wire_bytes(&w);
	assert_int_equal(wire_end(&w), 0);
	out[0] = '\0';
	for (s = all.data, end = s + all.len; s < end; s += strlen(s) + 1) {
		const char *key = s;

		s += strlen(s) + 1;
		snprintf(out + strlen(out), 64, "%s=%zu ", key, strlen(s));
	}
}

static void
state_set_aside_counts_at_once_and_stays_within_its_maximum(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	char told[256];

	role_up(r, 1, 0);
	commit_state(r, "a", 40000, &c);
	assert_true((c.kept & KEPT_STATE) != 0);
	commit_state(r, "b", 40000, &c);
	assert_int_equal(c.bad, 0);
	told_state(r, told);
	assert_string_equal(told, "a=40000 ");
	assert_int_equal(role_said(r, "bytes of state: b stays as it was"), 1);
	commit_state(r, "a", 0, &c);
	commit_state(r, "b", 40000, &c);
	told_state(r, told);
	assert_string_equal(told, "b=40000 ");
	assert_int_equal(role_down(r), 0);
}

static void
what_comes_aside_is_news_also_before_the_first_fetch(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	struct buf b;

	role_up(r, 1, 0);
	buf_init(&b, 1u << 20);
	document(&b, "a", 1, 1);
	role_commit_as(r, 1, r->source[0], COMMIT_ASIDE, &b);
	role_committed(r, &c);
	assert_int_equal(c.added, 1);
	commit_document(r, 2, 0, "b", 1, 1);
	role_committed(r, &c);
	assert_int_equal(role_down(r), 0);
	shelf_open(&r->shelf);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT flags FROM log WHERE n = 1"), 0);
	assert_int_not_equal(shelf_ask(&r->shelf, "SELECT flags FROM log WHERE n = 2"), 0);
	shelf_close(&r->shelf);
	buf_free(&b);
}

static void
a_batch_goes_out_and_is_settled(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	struct work k;
	struct buf items;
	char id[64];

	buf_init(&items, 1u << 20);
	role_up(r, 1, 0);
	commit_document(r, 1, 0, "a", 1, 3);
	role_committed(r, &c);
	role_pull(r, 0, 10, &k, id, &items);
	assert_int_equal(k.kind, WORK_RECORDS);
	assert_int_equal(k.count, 3);
	role_ack(r, &k, 3);
	role_settled(r);
	role_pull(r, 0, 10, &k, id, &items);
	assert_int_equal(k.kind, WORK_NONE);
	assert_int_equal(k.head, 3);
	assert_int_equal(role_down(r), 0);
	buf_free(&items);
}

static void
counts_tell_how_things_stand(void **state)
{
	struct role_child *r = *state;
	struct route_count rc;
	struct committed c;
	struct counts n;
	struct frame f;
	struct wire w;

	role_up(r, 1, 1);
	commit_document(r, 1, 0, "a", 1, 3);
	role_send(r, MSG_COUNT, 9, NULL, -1);		/* it counts what is not on disk yet... */
	role_committed(r, &c);
	role_expect(r, MSG_COUNTS, &f);			/* ...and so waits for it */
	assert_int_equal(f.id, 9);
	wire_init(&w, f.data, f.len);
	wire_get(&w, counts, &n);
	assert_int_equal(n.records, 3);
	assert_int_equal(n.stories, 3);
	assert_int_equal(n.head, 3);
	assert_int_equal(n.oldest, 1);
	assert_true(n.bytes > 4096);
	assert_int_equal(wire_u32(&w), 2);
	wire_get(&w, route_count, &rc);
	assert_int_equal(rc.sink, PULL_FILTER);
	assert_int_equal(rc.place, 0);
	wire_get(&w, route_count, &rc);
	assert_int_equal(rc.sink, 0);
	assert_int_equal(wire_end(&w), 0);
}

static void
refusals_end_it_with_their_status(void **state)
{
	struct role_child *r = *state;
	sqlite3 *other = NULL;

	role_up(r, 1, 0);
	assert_int_equal(role_down(r), 0);
	assert_int_equal(sqlite3_open(r->shelf.path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA journal_mode = DELETE;"
	    " PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	role_start(r);
	role_path(r);
	assert_int_equal(role_wait(r), STORE_EXIT_NEWER);
	assert_int_equal(role_said(r, "newer version"), 1);
}

static void
when_core_is_gone_it_ends(void **state)
{
	struct role_child *r = *state;

	role_up(r, 1, 0);
	shutdown(chan_fd(r->chan), SHUT_RDWR);
	assert_int_equal(role_wait(r), 0);
}

/* What core sent before it ended counts, in the totals as well. */
static void
when_core_is_gone_what_it_sent_is_counted(void **state)
{
	struct role_child *r = *state;

	role_up(r, 1, 0);
	commit_document(r, 1, 0, "a", 1, 3);
	shutdown(chan_fd(r->chan), SHUT_RDWR);
	assert_int_equal(role_wait(r), 0);
	shelf_open(&r->shelf);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT count(*) FROM item"), 3);
	assert_int_equal(shelf_ask(&r->shelf, "SELECT value FROM meta WHERE name = 'records'"), 3);
	shelf_close(&r->shelf);
}

/* The numbers in the guids of a batch: the next ones, in order. */
static int
batch_follows(const struct buf *items, int next)
{
	struct wire all, body;
	struct result_item item;
	enum result_kind kind;
	struct cr_record *record;
	char want[32];

	wire_init(&all, items->data, items->len);
	for (; result_next(&all, &kind, &body) == 1; next++) {
		wire_get(&body, result_item, &item);
		record = record_read(item.record.data, item.record.len);
		snprintf(want, sizeof(want), "a-%d", next);
		assert_string_equal(record_get(record, CR_GUID, 0), want);
		record_free(record);
	}
	return next;
}

/* Killed at any moment of commits and deliveries: what was acknowledged to us is there, what we
 * acknowledged comes back at most under the same id, nothing is lost. */
static void
kills_lose_nothing(void **state)
{
	struct role_child *r = *state;
	int made = 0, acked = 0, round, i;
	char id[64], last[64] = "";
	int64_t last_first = 0;
	struct committed c;
	struct buf items;
	struct work k;

	buf_init(&items, 1u << 24);
	for (round = 0; round < 40; round++) {
		role_up(r, 1, 0);
		assert_true(r->head >= made);
		made = (int)r->head;
		for (i = 0; i < 6; i++) {
			commit_document(r, 1, 0, "a", made + 1, 5);
			if (round % 4 == 1 && i == 5)
				break;		/* in a commit */
			role_committed(r, &c);
			made = (int)c.head;
		}
		for (i = 0; i < 4 && round % 4 != 1; i++) {
			role_pull(r, 0, 3, &k, id, &items);
			if (k.kind == WORK_NONE)
				break;
			/* What comes again is the batch whose answer was not waited for. */
			if (k.first == last_first)
				assert_string_equal(id, last);
			else
				assert_int_equal(k.first, acked + 1);
			assert_int_equal(batch_follows(&items, (int)k.first), k.last + 1);
			snprintf(last, sizeof(last), "%s", id);
			last_first = k.first;
			role_ack(r, &k, k.count);
			acked = (int)k.last;
			if (round % 4 != 2 || i < 3)
				role_settled(r);
		}
		if (round % 4 == 3)
			usleep((useconds_t)round * 100);
		kill(r->pid, SIGKILL);
		role_wait(r);
	}
	role_up(r, 1, 0);
	for (;;) {
		role_pull(r, 0, 100, &k, id, &items);
		if (k.kind == WORK_NONE)
			break;
		i = batch_follows(&items, (int)k.first);
		acked = i - 1;
		role_ack(r, &k, k.count);
		role_settled(r);
	}
	assert_int_equal(acked, r->head);
	assert_true(acked > 500);
	assert_int_equal(role_down(r), 0);
	buf_free(&items);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

/* All of a batch is kept. */
static void
judge_all_kept(struct role_child *r, const struct work *k)
{
	const struct judged j = { .route = r->route, .guilty = UINT32_MAX, .first = k->first,
		.last = k->last };
	const struct result_verdict v = { .verdict = CR_KEEP };
	struct buf b;
	size_t begun;
	uint32_t i;
	int fd;

	assert_int_equal(k->kind, WORK_FILTER);
	buf_init(&b, 1u << 16);
	for (i = 0; i < k->count; i++) {
		begun = result_begin(&b, RESULT_VERDICT);
		wire_put(&b, result_verdict, &v);
		result_end(&b, begun);
	}
	fd = memfd_new(b.data, b.len);
	assert_int_equal(memfd_seal(fd), 0);
	buf_clear(&b);
	wire_put(&b, judged, &j);
	role_send(r, MSG_JUDGED, 3, &b, fd);
	close(fd);
	buf_free(&b);
}

/* A sink is handed nothing that a verdict kept which is not yet on disk. */
static void
work_made_of_verdicts_waits_for_their_commit(void **state)
{
	struct role_child *r = *state;
	struct committed c;
	struct buf items, b;
	struct frame f;
	struct work k;
	struct wire w;
	char id[64];

	buf_init(&items, 1u << 20);
	buf_init(&b, 64);
	role_up(r, 1, 1);
	commit_document(r, 1, 0, "a", 1, 3);
	role_committed(r, &c);
	role_pull(r, PULL_FILTER, 10, &k, id, &items);
	judge_all_kept(r, &k);
	wire_put(&b, pull, &((struct pull){ .route = r->route, .sink = 0, .max = 10 }));
	role_send(r, MSG_PULL, 1, &b, -1);
	role_expect(r, MSG_SETTLED, &f);
	role_expect(r, MSG_WORK, &f);
	wire_init(&w, f.data, f.len);
	wire_get(&w, work, &k);
	assert_int_equal(k.kind, WORK_RECORDS);
	assert_int_equal(k.count, 3);
	buf_free(&items);
	buf_free(&b);
}

/* Ms from verdicts in a group under load, with frames coming without a pause, to their commit. */
static int64_t
judged_under_load(struct role_child *r, int from)
{
	struct mark m = { .checked = BOOK_WHEN, .ok = BOOK_WHEN };
	struct committed c;
	struct buf items, b;
	struct frame f = { .type = 0 };
	struct work k;
	int64_t begun;
	char id[64];

	buf_init(&items, 1u << 20);
	buf_init(&b, 1u << 12);
	commit_document(r, 1, 0, "a", from, 3);
	role_committed(r, &c);
	role_pull(r, PULL_FILTER, 10, &k, id, &items);
	begun = date_ticks();
	commit_document(r, 2, 0, "b", from, 150);	/* a group under load */
	judge_all_kept(r, &k);
	wire_put_u32(&b, r->source[0]);
	wire_put(&b, mark, &m);
	while (f.type != MSG_SETTLED) {
		role_send(r, MSG_TOUCH, 0, &b, -1);
		if (chan_recv(r->chan, &f, 1) != 1)
			f.type = 0;
		assert_true(date_ticks() - begun < 20000);
	}
	buf_free(&items);
	buf_free(&b);
	return date_ticks() - begun;
}

/* The filters' station waits for it. Under load a commit comes after 100 ms, else after 20: the
 * best of some, as the machine may be busy. */
static void
a_commit_that_carries_verdicts_is_hurried(void **state)
{
	struct role_child *r = *state;
	int64_t best = INT64_MAX, took;
	int i;

	role_up(r, 1, 1);
	for (i = 0; i < 20 && best >= 80; i++) {
		took = judged_under_load(r, 1000 * i);
		best = took < best ? took : best;
	}
	assert_in_range(best, 0, 79);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_committed_is_there_after_a_kill),
		TEST(many_commits_share_few_syncs),
		TEST(malformed_results_are_answered_and_store_nothing),
		TEST(results_that_are_not_sealed_are_refused),
		TEST(a_mark_alone_is_on_disk_after_a_stop),
		TEST(state_set_aside_counts_at_once_and_stays_within_its_maximum),
		TEST(what_comes_aside_is_news_also_before_the_first_fetch),
		TEST(a_batch_goes_out_and_is_settled),
		TEST(counts_tell_how_things_stand),
		TEST(refusals_end_it_with_their_status),
		TEST(when_core_is_gone_it_ends),
		TEST(when_core_is_gone_what_it_sent_is_counted),
		TEST(kills_lose_nothing),
		TEST(work_made_of_verdicts_waits_for_their_commit),
		TEST(a_commit_that_carries_verdicts_is_hurried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the tests of the ledger share: a database with a configuration, documents of its sources, and a
 * core that pulls, judges and acknowledges. */
#ifndef TESTS_DESK_H
#define TESTS_DESK_H
#include "book.h"
#include "base/date.h"
#include "db/db.h"
#include "store/ledger.h"
#include "store/ledger_conf.h"
#include "store/ledger_judge.h"
#include "store/ledger_work.h"

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define SOURCES		3

__attribute__((unused)) static const struct store_route plain = { .name = "r", .title = "R", .all = 1 };
__attribute__((unused)) static const struct store_sink push = { .name = "jsonl", .takes = CR_BATCH_RECORDS };
__attribute__((unused)) static const struct store_sink quiet = { .name = "webhook", .takes = CR_BATCH_RECORDS,
	.backlog = BACKLOG_NONE };

struct desk {
	struct shelf	 shelf;
	struct roster	*roster;
	struct ledger	*ledger;
	uint32_t	 source[SOURCES];
	struct buf	 known, items;
	struct work	 work;
};

/* What a test says of one route of its configuration. */
struct route_text {
	struct store_route	 rule;
	struct store_sink	 sink[2];
	uint32_t		 nsinks;
	uint32_t		 from[SOURCES];		/* places */
	uint32_t		 nfrom;
	uint32_t		 routes[2];		/* places */
	uint32_t		 nroutes;
};

__attribute__((unused)) static void
desk_open(struct desk *d)
{
	shelf_open(&d->shelf);
	d->roster = roster_new(&d->shelf.book.db);
	d->ledger = ledger_new(&d->shelf.book, d->roster);
}

__attribute__((unused)) static void
desk_close(struct desk *d)
{
	ledger_free(d->ledger);
	roster_free(d->roster);
	shelf_close(&d->shelf);
}

__attribute__((unused)) static int
setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	shelf_new(&d->shelf);
	buf_init(&d->known, 1u << 20);
	buf_init(&d->items, 1u << 26);
	desk_open(d);
	*state = d;
	return 0;
}

__attribute__((unused)) static int
teardown(void **state)
{
	struct desk *d = *state;

	desk_close(d);
	shelf_remove(&d->shelf);
	buf_free(&d->known);
	buf_free(&d->items);
	free(d);
	return 0;
}

__attribute__((unused)) static void
commit_now(struct desk *d)
{
	db_commit(&d->shelf.book.db);
	d->ledger->durable = d->shelf.book.head;
}

/* What a crash leaves: all that was not committed is gone. */
__attribute__((unused)) static void
crash(struct desk *d)
{
	desk_close(d);
	desk_open(d);
}

/* Takes a configuration of three sources and n routes; ids of the routes are 1, 2... */
__attribute__((unused)) static void
configure(struct desk *d, const struct route_text *t, uint32_t n)
{
	static const struct store_source s[SOURCES] = {
		{ "s0", NULL, "https://x.example/0", "feed", 1, 0 },
		{ "s1", NULL, "https://x.example/1", "feed", 1, 0 },
		{ "s2", NULL, "https://x.example/2", "feed", 1, 0 },
	};
	static const char rules[] = "match#1\0rewrite";
	struct store_route rule;
	struct wire w;
	struct buf b;
	uint32_t i, k;

	buf_init(&b, 1u << 20);
	wire_put_u32(&b, n);
	for (i = 0; i < n; i++, t++) {
		rule = t->rule;
		if (rule.filters > 0 && rule.rules.data == NULL)
			rule.rules = (struct bytes){ rules, sizeof(rules) };
		wire_put(&b, store_route, &rule);
		wire_put_u32(&b, t->nfrom);
		for (k = 0; k < t->nfrom; k++)
			wire_put_u32(&b, t->from[k]);
		wire_put_u32(&b, t->nroutes);
		for (k = 0; k < t->nroutes; k++)
			wire_put_u32(&b, t->routes[k]);
		wire_put_u32(&b, t->nsinks);
		for (k = 0; k < t->nsinks; k++)
			wire_put(&b, store_sink, &t->sink[k]);
	}
	db_begin(&d->shelf.book.db);
	roster_take(d->roster, s, SOURCES, d->source);
	wire_init(&w, b.data, b.len);
	buf_clear(&d->known);
	assert_int_equal(ledger_take(d->ledger, &w, d->source, SOURCES, &d->known), 0);
	commit_now(d);
	buf_free(&b);
}

__attribute__((unused)) static void
configure_one(struct desk *d, struct store_route rule, struct store_sink sink)
{
	const struct route_text t = { .rule = rule, .sink = { sink }, .nsinks = 1 };

	configure(d, &t, 1);
}

/* A document of one source. */
__attribute__((unused)) static void
poll_source(struct desk *d, size_t place, const struct entry_text *e, size_t n)
{
	struct item_source *source = roster_get(d->roster, d->source[place]);

	d->shelf.source = *source;
	shelf_poll(&d->shelf, e, n);
	*source = d->shelf.source;
	d->ledger->durable = d->shelf.book.head;
}

/* Entries NAME-from to NAME-to, the newest first as feeds have them; their first fetch is over. */
__attribute__((unused)) static void
poll_range(struct desk *d, size_t place, const char *name, int from, int to)
{
	struct entry_text e[200];
	char guid[200][32];
	int i;

	roster_get(d->roster, d->source[place])->firsts = -1;
	for (i = from; i <= to; i++) {
		snprintf(guid[i - from], sizeof(guid[0]), "%s-%d", name, i);
		e[to - i] = (struct entry_text){ guid[i - from], NULL, guid[i - from], NULL, 0, 0 };
	}
	poll_source(d, place, e, (size_t)(to - from + 1));
}

__attribute__((unused)) static enum work_kind
pull_work(struct desk *d, uint32_t route, uint32_t sink, uint32_t max)
{
	const struct pull p = { .route = route, .sink = sink, .max = max };

	buf_clear(&d->items);
	ledger_pull(d->ledger, &p, &d->work, &d->items);
	commit_now(d);
	return d->work.kind;
}

/* The guids of the batch, one after the other with spaces. */
static const char *
guids(const struct desk *d, char text[4096])
{
	struct wire all, body;
	struct result_item item;
	enum result_kind kind;
	struct cr_record *r;
	size_t at = 0, n = 0;

	text[0] = '\0';
	wire_init(&all, d->items.data != NULL ? d->items.data : "", d->items.len);
	while (result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_STATE)
			continue;
		assert_int_equal(kind, RESULT_ITEM);
		wire_get(&body, result_item, &item);
		assert_int_equal(wire_end(&body), 0);
		r = record_read(item.record.data, item.record.len);
		assert_non_null(r);
		at += (size_t)snprintf(text + at, 4096 - at, "%s%s", at > 0 ? " " : "",
		    record_get(r, CR_GUID, 0));
		record_free(r);
		n++;
	}
	assert_int_equal(n, d->work.count);
	return text;
}

__attribute__((unused)) static void
expect(struct desk *d, const char *want)
{
	char text[4096];

	assert_string_equal(guids(d, text), want);
}

__attribute__((unused)) static void
acknowledge(struct desk *d, uint32_t done, enum ack_then then, int64_t due, const char *reason)
{
	const struct ack a = { .route = d->work.route, .sink = d->work.sink, .done = done,
		.then = then, .first = d->work.first, .last = d->work.last, .due = due,
		.reason = reason };

	ledger_ack(d->ledger, &a, NULL, 0);
	commit_now(d);
}

__attribute__((unused)) static void
acknowledge_all(struct desk *d)
{
	acknowledge(d, d->work.count, ACK_ALL, 0, NULL);
}

/* Answers for the batch under way: one letter a record: k, d, w, f (failed), t (kept, with a trail that
 * is none). As ledger_judged(). */
__attribute__((unused)) static uint32_t
judge(struct desk *d, const char *letters, uint32_t guilty)
{
	struct judged j = { .route = d->work.route, .guilty = guilty, .first = d->work.first,
		.last = d->work.last, .reason = "two workers died" };
	struct buf b;
	size_t begun;
	uint32_t rc;

	buf_init(&b, 1u << 20);
	for (; *letters != '\0'; letters++) {
		const struct result_verdict v = { .rule = "match#1", .why = "because",
			.trail = { "\1\0\0\0\3", *letters == 't' ? 5 : 0 },
			.verdict = *letters == 'k' || *letters == 't' ? CR_KEEP : *letters == 'd' ? CR_DROP :
			    *letters == 'w' ? CR_WAIT : UINT32_MAX };

		begun = result_begin(&b, RESULT_VERDICT);
		wire_put(&b, result_verdict, &v);
		result_end(&b, begun);
	}
	rc = ledger_judged(d->ledger, &j, b.data, b.len);
	commit_now(d);
	buf_free(&b);
	return rc;
}

__attribute__((unused)) static struct store_route
filtered(void)
{
	struct store_route r = plain;

	r.filters = 1;
	return r;
}
#endif

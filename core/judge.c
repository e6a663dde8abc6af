/* Judging: which rows of the log are a route's, what its filters are asked, and what of their answers
 * is kept: the story check comes last, since only what a route really took makes a story taken. */
#include "date.h"
#include "ledger.h"
#include "log.h"
#include "mem.h"
#include "result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAIL_MORE	256		/* bytes by which a verdict grows, at most, when it is settled */

static const char rule_story[] = "story", rule_revision[] = "revision", rule_parked[] = "parked",
    rule_patience[] = "patience";

/* ---- Rows ---- */

static void
row_free(struct row *row)
{
	free((char *)(uintptr_t)row->changes.data);
	free(row->late.reason);
}

void
rows_free(struct rows *rows)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		row_free(&rows->row[i]);
	free(rows->row);
	*rows = (struct rows){ 0 };
}

static struct bytes
bytes_copy(struct bytes b)
{
	char *copy;

	if (b.data == NULL)
		return b;
	copy = xmalloc(b.len + 1);
	memcpy(copy, b.data, b.len);
	copy[b.len] = '\0';
	return (struct bytes){ copy, b.len };
}

/* Takes the row's late reason, and copies its changes. */
static void
rows_add(struct rows *rows, const struct row *row)
{
	if (rows->n == rows->cap) {
		rows->cap = rows->cap > 0 ? rows->cap * 2 : 64;
		rows->row = xreallocarray(rows->row, rows->cap, sizeof(*rows->row));
	}
	rows->row[rows->n] = *row;
	rows->row[rows->n++].changes = bytes_copy(row->changes);
}

const struct verdict *
judge_verdict(struct ledger *l, struct ledger_route *r, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t first, last;

	if (n > route_judged(r))
		return NULL;
	if (n >= r->seen.first && n <= r->seen.last)
		return verdicts_find(&r->seen, n);
	db_bind(db, SQL_VERDICT_AT, DB_INT(r->id), DB_INT(n));
	if (db_step(db, SQL_VERDICT_AT)) {
		first = db_int(db, SQL_VERDICT_AT, 0);
		last = db_int(db, SQL_VERDICT_AT, 1);
		if (first <= n && verdicts_read(&r->seen, first, last,
		    db_blob(db, SQL_VERDICT_AT, 2)) == -1)
			log_warn("route %s: verdicts %lld to %lld cannot be read", r->name,
			    (long long)first, (long long)last);
	}
	db_done(db, SQL_VERDICT_AT);
	return n >= r->seen.first && n <= r->seen.last ? verdicts_find(&r->seen, n) : NULL;
}

/* Whether a route that this one draws from kept a row. */
static int
handed_on(struct ledger *l, const struct ledger_route *r, int64_t n, struct bytes *changes)
{
	const struct verdict *v;
	size_t i;

	for (i = 0; i < r->nroutes; i++) {
		v = judge_verdict(l, &l->route[r->routes[i]], n);
		if (v == NULL || v->verdict != CR_KEEP)
			continue;
		*changes = v->changes;
		return 1;
	}
	return 0;
}

/* Whether the route draws from a source itself. */
static int
drawn_itself(const struct ledger_route *r, int64_t source)
{
	return r->rule.all ||
	    (source < r->nfrom && (r->from[source / 8] >> (source % 8) & 1) != 0);
}

/* Whether a row is the route's: by its source, or since a route that it draws from kept it. */
static int
belongs(struct ledger *l, const struct ledger_route *r, int64_t n, int64_t source,
    struct bytes *changes)
{
	*changes = (struct bytes){ NULL, 0 };
	return drawn_itself(r, source) || handed_on(l, r, n, changes);
}

int
judge_passed_over(const struct verdict *v)
{
	return v->rule != NULL && strcmp(v->rule, rule_revision) == 0;
}

/* Whether the route was asked about a version. */
static int
met(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct verdict *v = judge_verdict(l, r, n);

	return v != NULL && !judge_passed_over(v);
}

/* Whether the route was asked about any version of the row's item, be it in rows that are judged just
 * now: a route that it draws from may have kept none but a later one. */
static int
met_item(struct ledger *l, struct ledger_route *r, const struct rows *rows, int64_t item)
{
	struct db *db = &l->book->db;
	int is = met(l, r, item) || late_met(l, r, item);
	size_t i;

	for (i = 0; i < rows->n && !is; i++)
		is = rows->row[i].item == item;
	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (!is && db_step(db, SQL_LOG_REVISIONS))
		is = met(l, r, db_int(db, SQL_LOG_REVISIONS, 0));
	db_done(db, SQL_LOG_REVISIONS);
	return is;
}

/* Whether the route has still to come to a row of the log. */
static int
lies_ahead(const struct ledger_route *r, int64_t n)
{
	return n > route_judged(r) || (r->resume > 0 && n > r->filtered && n <= r->begun);
}

int
judge_asks(struct ledger *l, struct ledger_route *r, int64_t n, int64_t source)
{
	size_t i;
	int draws;

	if (!r->rule.updates)
		return 0;
	draws = judge_draws(l, r, n, source);
	for (i = 0; i < r->nroutes && !draws; i++)
		if (lies_ahead(&l->route[r->routes[i]], n))
			return -1;
	return draws && (lies_ahead(r, n) || met(l, r, n));
}

/* The same of a late row: it is for the route that let it wait, and for those that draw from it. */
static int
late_belongs(struct ledger *l, struct ledger_route *r, const struct rows *rows, struct row *row,
    int64_t source)
{
	late_read(l, row->n, &row->late);
	if (row->late.route == r->id ? belongs(l, r, row->late.origin, source, &row->changes) :
	    late_new(l, r, rows, row) && handed_on(l, r, row->n, &row->changes)) {
		if (row->late.route != r->id)
			row->late.origin = 0;	/* to this route it is a row like any other */
		return 1;
	}
	free(row->late.reason);
	return 0;
}

/* The row of the log that is read just now, if it is the route's. */
static int
row_read(struct ledger *l, struct ledger_route *r, const struct rows *rows, struct row *row)
{
	struct db *db = &l->book->db;
	int64_t source = db_int(db, SQL_LOG_SCAN, 3);

	*row = (struct row){ .n = db_int(db, SQL_LOG_SCAN, 0), .item = db_int(db, SQL_LOG_SCAN, 1),
		.revision = db_int(db, SQL_LOG_SCAN, 2) };
	if (row->revision >= 0) {
		if (!belongs(l, r, row->n, source, &row->changes))
			return 0;
	} else {
		row->revision = ~row->revision;
		if (!late_belongs(l, r, rows, row, source))
			return 0;
	}
	if (row->revision > 0 && !r->rule.updates)
		row->first = row->late.origin != 0 ? !judge_took(l, r, row->item) :
		    !drawn_itself(r, source) && !met_item(l, r, rows, row->item);
	return 1;
}

int
judge_draws(struct ledger *l, struct ledger_route *r, int64_t n, int64_t source)
{
	struct bytes changes;

	return belongs(l, r, n, source, &changes);
}

/* Up to where the route can look: what is committed, and judged by the routes it draws from; while
 * it goes back, to where it once began. *more: one of those can be judged further right away. */
static int64_t
horizon(struct ledger *l, struct ledger_route *r, int *more)
{
	int64_t n = l->durable;
	struct ledger_route *up;
	size_t i;

	*more = 0;
	for (i = 0; i < r->nroutes; i++) {
		up = &l->route[r->routes[i]];
		if (up->rule.filters == 0)
			*more |= judge_all(l, up);
		if (up->filtered < n)
			n = up->filtered;
	}
	return r->resume > 0 && n > r->begun ? r->begun : n;
}

/* The next rows of the route, at most max, of at most LEDGER_SCAN rows of the log. */
static void
scan(struct ledger *l, struct ledger_route *r, int64_t to, size_t max, struct rows *rows)
{
	struct db *db = &l->book->db;
	size_t looked = 0, changes = 0;
	struct row row;

	rows_free(rows);
	rows->first = r->filtered + 1;
	rows->last = to;
	if (to <= r->filtered)
		return;
	db_bind(db, SQL_LOG_SCAN, DB_INT(r->filtered), DB_INT(to));
	while (db_step(db, SQL_LOG_SCAN)) {
		if (row_read(l, r, rows, &row)) {
			rows_add(rows, &row);
			changes += row.changes.len;
		}
		if (rows->n == max || changes > LEDGER_CHANGES || ++looked == LEDGER_SCAN) {
			rows->last = row.n;
			break;
		}
	}
	db_done(db, SQL_LOG_SCAN);
}

/* ---- Settling verdicts ---- */

/* Stories that a batch takes before its verdicts are written; and trails made longer meanwhile. */
struct taken {
	struct { int64_t story, item; } *of;
	size_t n;
	struct buf *trail;
	size_t ntrails;
};

static int
kept(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct verdict *v = judge_verdict(l, r, n);

	return v != NULL && v->verdict == CR_KEEP;
}

int
judge_took(struct ledger *l, struct ledger_route *r, int64_t item)
{
	struct db *db = &l->book->db;
	int took = kept(l, r, item) || late_took(l, r, item);

	if (took || !r->rule.updates)
		return took;
	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (!took && db_step(db, SQL_LOG_REVISIONS))
		took = kept(l, r, db_int(db, SQL_LOG_REVISIONS, 0));
	db_done(db, SQL_LOG_REVISIONS);
	return took;
}

/* Whether it took the story by another item than this one. A story of one item costs one look. */
static int
took_story(struct ledger *l, struct ledger_route *r, struct taken *taken, int64_t item)
{
	struct db *db = &l->book->db;
	int64_t story, items, other;
	int took = 0;
	size_t i;

	db_bind(db, SQL_STORY_ITEM, DB_INT(item));
	if (!db_step(db, SQL_STORY_ITEM))
		return 0;
	story = db_int(db, SQL_STORY_ITEM, 0);
	items = db_int(db, SQL_STORY_ITEM, 1);
	db_done(db, SQL_STORY_ITEM);
	if (items < 2)
		return 0;
	for (i = 0; i < taken->n; i++)
		if (taken->of[i].story == story && taken->of[i].item != item)
			return 1;
	took = story != item && judge_took(l, r, story);
	db_bind(db, SQL_MENTIONS, DB_INT(story));
	while (!took && db_step(db, SQL_MENTIONS)) {
		other = db_int(db, SQL_MENTIONS, 0);
		took = other != item && judge_took(l, r, other);
	}
	db_done(db, SQL_MENTIONS);
	if (!took) {
		taken->of = xreallocarray(taken->of, taken->n + 1, sizeof(*taken->of));
		taken->of[taken->n].story = story;
		taken->of[taken->n++].item = item;
	}
	return took;
}

/* No filter could judge it. */
static void
give_up(struct ledger *l, struct ledger_route *r, int64_t n, enum pending_state state,
    const char *reason)
{
	db_run(&l->book->db, SQL_PENDING_ADD, DB_INT(r->id), DB_INT(PENDING_FILTER), DB_INT(n),
	    DB_TEXT(""), DB_INT(state), DB_INT(1), DB_INT(0), DB_TEXT(reason));
	r->dead++;
	xreplace(&r->reason, reason);
}

/* Another rule decides in place of the filter's, whose words go to the trail's end. */
static void
overrule(struct taken *taken, struct verdict *v, const char *rule)
{
	const struct result_said said = { (uint32_t)v->verdict, v->rule, v->why };
	struct buf *b;

	if (v->rule != NULL) {
		taken->trail = xreallocarray(taken->trail, taken->ntrails + 1, sizeof(*b));
		b = &taken->trail[taken->ntrails++];
		buf_init(b, VERDICT_MAX);
		buf_add(b, v->trail.data, v->trail.len);
		wire_put(b, result_said, &said);
		v->trail = (struct bytes){ b->data, b->len };
	}
	v->verdict = CR_DROP;
	v->rule = rule;
	v->why = NULL;
}

static void
taken_free(struct taken *taken)
{
	while (taken->ntrails > 0)
		buf_free(&taken->trail[--taken->ntrails]);
	free(taken->trail);
	free(taken->of);
}

/* What a verdict entails beside its place in the blob. */
static void
settle_one(struct ledger *l, struct ledger_route *r, struct taken *taken, const struct row *row,
    struct verdict *v)
{
	int parked = v->rule == rule_parked;

	if (v->verdict == CR_KEEP && !r->rule.once_record && took_story(l, r, taken, row->item)) {
		overrule(taken, v, rule_story);
		v->changes.len = 0;	/* its memory stays its owner's */
	}
	if (v->verdict == CR_WAIT)
		wait_add(l, r, row, v->why);
	else if (v->verdict == VERDICT_FAILED)
		give_up(l, r, row->n, parked ? PENDING_PARKED : PENDING_DEAD, v->why);
	r->expired += v->rule == rule_patience;
}

/* The cursor comes to `last`; when a route that went back comes to where it once began, it is again
 * where it was. */
static void
route_move(struct ledger_route *r, int64_t last)
{
	r->filtered = last;
	if (r->resume == 0 || last < r->begun)
		return;
	r->filtered = r->resume;
	r->begun = r->resume = 0;
}

/* Writes the verdicts on rows[n] and moves the cursor to `last`. Without rows only the cursor moves,
 * on disk when that saves another scan. -1: over a maximum, nothing happened. */
static int
settle(struct ledger *l, struct ledger_route *r, const struct row *row, struct verdict *v,
    size_t n, int64_t last)
{
	struct taken taken = { NULL, 0, NULL, 0 };
	int64_t first = r->filtered + 1, keeps = 0;
	struct buf blob;
	size_t i;
	int rc;

	if (n == 0) {
		int back = r->resume > 0;

		route_move(r, last);
		if (back)
			db_begin(&l->book->db);
		if (l->book->db.open)
			route_save(l, r);
		return 0;
	}
	buf_init(&blob, VERDICT_MAX - n * TRAIL_MORE);
	rc = verdicts_write(&blob, first, v, n);
	if (rc == 0) {
		db_begin(&l->book->db);
		l->wrote++;
		for (i = 0; i < n; i++) {
			settle_one(l, r, &taken, &row[i], &v[i]);
			keeps += v[i].verdict == CR_KEEP;
			r->dropped += v[i].verdict == CR_DROP;
		}
		buf_clear(&blob);
		blob.max = VERDICT_MAX;
		rc = verdicts_write(&blob, first, v, n);
		db_run(&l->book->db, SQL_VERDICT_ADD, DB_INT(r->id), DB_INT(last), DB_INT(first),
		    DB_INT(keeps), DB_BLOB(blob.data, blob.len));
		r->kept += keeps;
		route_move(r, last);
		route_save(l, r);
	}
	taken_free(&taken);
	buf_free(&blob);
	return rc;
}

/* A row that no filter is asked about: it waited too long, or is a revision where the route takes
 * none. */
static int
preset(const struct ledger_route *r, const struct row *row, struct verdict *v)
{
	if (row->late.reason != NULL) {
		*v = (struct verdict){ .n = row->n, .verdict = CR_DROP, .rule = rule_patience,
			.why = row->late.reason };
		return 1;
	}
	*v = (struct verdict){ .n = row->n, .verdict = CR_KEEP, .changes = row->changes };
	if (row->revision == 0 || r->rule.updates || row->first)
		return 0;
	*v = (struct verdict){ .n = row->n, .verdict = CR_DROP, .rule = rule_revision };
	return 1;
}

int
judge_all(struct ledger *l, struct ledger_route *r)
{
	int more, back = r->resume > 0;
	int64_t to = horizon(l, r, &more);
	struct rows rows = { 0 };
	struct verdict *v;
	size_t i;

	if (r->filtered >= to)
		return more;
	scan(l, r, to, LEDGER_JUDGE, &rows);
	v = xcalloc(rows.n, sizeof(*v));
	for (i = 0; i < rows.n; i++)
		(void)preset(r, &rows.row[i], &v[i]);
	if (settle(l, r, rows.row, v, rows.n, rows.last) == -1)
		fatal("route %s: the changes of %zu records are over %u bytes", r->name, rows.n,
		    VERDICT_MAX);
	free(v);
	rows_free(&rows);
	return more || back || r->filtered < to;
}

/* ---- Batches for the filters ---- */

void
judge_id(struct ledger *l, const struct ledger_route *r, const struct ledger_leg *leg,
    int64_t first, int64_t last)
{
	unsigned char out[DIGEST_SIZE];
	struct digest *d = l->book->digest;

	digest_begin(d);
	digest_int(d, l->book->seed);
	digest_str(d, r->name);
	digest_str(d, leg != NULL ? leg->name : NULL);
	digest_int(d, first);
	digest_int(d, last);
	digest_end(d, out);
	text_base32(l->id, out, 16);
}

/* The bytes of a version; of one that was given up the item's last version. */
static struct bytes
record_bytes(struct db *db, int64_t n, int64_t last)
{
	db_bind(db, SQL_RECORD_GET, DB_INT(n));
	if (db_step(db, SQL_RECORD_GET))
		return db_blob(db, SQL_RECORD_GET, 0);
	db_bind(db, SQL_RECORD_GET, DB_INT(last));
	if (db_step(db, SQL_RECORD_GET))
		return db_blob(db, SQL_RECORD_GET, 0);
	return (struct bytes){ NULL, 0 };
}

/* By the row that SQL_LOG_GET has read. */
static int64_t
seen_now(struct ledger *l)
{
	const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t seen = 0;
	int i;

	for (i = 4; i <= 6; i++)	/* the last version, its hash, the story's items */
		seen = (seen ^ (uint64_t)db_int(&l->book->db, SQL_LOG_GET, i)) * spread;
	return (int64_t)seen;
}

int64_t
judge_seen(struct ledger *l, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t seen = 0;

	db_bind(db, SQL_LOG_GET, DB_INT(n));
	if (db_step(db, SQL_LOG_GET))
		seen = seen_now(l);
	db_done(db, SQL_LOG_GET);
	return seen;
}

int
judge_item(struct ledger *l, int64_t n, struct bytes changes, struct buf *items, int64_t *seen)
{
	struct db *db = &l->book->db;
	char id[TEXT_BASE32_16], delivery[TEXT_BASE32_16 + 16];
	struct result_item item = { .n = n, .changes = changes, .id = id, .delivery = delivery };
	struct bytes rid;
	int64_t last, revision;
	struct late late;
	size_t begun;

	db_bind(db, SQL_LOG_GET, DB_INT(n));
	if (!db_step(db, SQL_LOG_GET))
		return -1;
	rid = db_blob(db, SQL_LOG_GET, 2);
	if (rid.len != 16)
		fatal("a record's id has %zu bytes", rid.len);
	text_base32(id, rid.data, rid.len);
	revision = db_int(db, SQL_LOG_GET, 0);
	item.revision = (uint32_t)(revision < 0 ? ~revision : revision);
	item.source = roster_name(l->roster, db_int(db, SQL_LOG_GET, 1));
	item.seen = db_int(db, SQL_LOG_GET, 3);
	last = db_int(db, SQL_LOG_GET, 4);
	item.sources = (uint32_t)db_int(db, SQL_LOG_GET, 6);
	if (seen != NULL)
		*seen = seen_now(l);
	db_done(db, SQL_LOG_GET);
	if (revision < 0) {
		late_read(l, n, &late);
		free(late.reason);
		n = late.version;
	}
	if (item.revision > 0)
		snprintf(delivery, sizeof(delivery), "%s-r%u", id, item.revision);
	else
		memcpy(delivery, id, sizeof(id));
	item.record = record_bytes(db, n, last);
	if (item.record.data != NULL) {
		begun = result_begin(items, RESULT_ITEM);
		wire_put(items, result_item, &item);
		result_end(items, begun);
	}
	db_done(db, SQL_RECORD_GET);
	return item.record.data != NULL ? 0 : -1;
}

/* Puts what the filters are asked into items; rows behind what no longer fits are left for later. */
static uint32_t
ask(struct ledger *l, struct ledger_route *r, struct buf *items)
{
	struct rows *rows = &r->batch;
	struct verdict v;
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		if (preset(r, &rows->row[i], &v))
			continue;
		if (items->len > LEDGER_BYTES)
			break;
		if (judge_item(l, rows->row[i].n, rows->row[i].changes, items,
		    &rows->row[i].seen) == -1)
			fatal("the record of log row %lld is missing", (long long)rows->row[i].n);
		count++;
	}
	if (i < rows->n) {
		rows->last = rows->row[i - 1].n;
		for (; rows->n > i; rows->n--)
			row_free(&rows->row[rows->n - 1]);
	}
	return count;
}

static void
settle_presets(struct ledger *l, struct ledger_route *r)
{
	struct rows *rows = &r->batch;
	struct verdict *v = xcalloc(rows->n, sizeof(*v));
	size_t i;

	for (i = 0; i < rows->n; i++)
		(void)preset(r, &rows->row[i], &v[i]);
	if (settle(l, r, rows->row, v, rows->n, rows->last) == -1)
		fatal("route %s: verdicts on revisions are over a maximum", r->name);
	free(v);
	rows_free(rows);
}

int
judge_pull(struct ledger *l, struct ledger_route *r, uint32_t max, struct work *w,
    struct buf *items)
{
	int more, back = r->resume > 0;
	int64_t to = horizon(l, r, &more), begun = r->filtered;

	rows_free(&r->batch);
	keep_give_filters(l, r, items);
	while (r->filtered < to && r->filtered - begun < LEDGER_SCAN) {
		scan(l, r, to, max, &r->batch);
		w->count = ask(l, r, items);
		if (w->count == 0) {
			w->last = r->batch.n > 0 ? r->batch.last : w->last;
			settle_presets(l, r);
			continue;
		}
		w->kind = WORK_FILTER;
		w->first = r->batch.first;
		w->last = r->batch.last;
		judge_id(l, r, NULL, w->first, w->last);
		w->id = l->id;
		return 1;
	}
	return more || (back && r->resume == 0) || r->filtered < to;
}

/* ---- The filters' answers ---- */

static int
utf8(const char *s)
{
	return s == NULL || text_valid(s, strlen(s)) == strlen(s);
}

/* The route's changes laid over those of the route that the row came by. */
static struct bytes
changes_merge(struct bytes before, struct bytes after)
{
	struct cr_record *r, *over;
	struct bytes merged;
	struct buf b;

	if (before.data == NULL || after.data == NULL)
		return bytes_copy(after.data != NULL ? after : before);
	r = record_read(before.data, before.len);
	over = record_read(after.data, after.len);
	buf_init(&b, RECORD_MAX);
	if (r != NULL && over != NULL)
		record_overlay(r, over);
	if (r != NULL)
		record_write(r, &b);
	merged = bytes_copy(b.over || r == NULL ? after : (struct bytes){ b.data, b.len });
	buf_free(&b);
	record_free(r);
	record_free(over);
	return merged;
}

static int
changes_fit(struct bytes changes)
{
	struct cr_record *r;

	if (changes.data == NULL)
		return 1;
	r = record_read(changes.data, changes.len);
	record_free(r);
	return r != NULL;
}

static int
trail_fits(struct bytes trail)
{
	struct result_said said;
	struct wire w;

	wire_init(&w, trail.data != NULL ? trail.data : "", trail.len);
	while (!w.bad && w.at < w.end) {
		wire_get(&w, result_said, &said);
		if (said.rule == NULL || !utf8(said.rule) || !utf8(said.why) ||
		    said.verdict > CR_WAIT)
			return 0;
	}
	return !w.bad;
}

/* The next verdict, behind what the filters keep. 1; 0: there are no more; -1: malformed. */
static int
verdict_next(const struct ledger_route *r, struct wire *all, struct wire *body)
{
	struct result_state st;
	enum result_kind kind;
	int rc;

	while ((rc = result_next(all, &kind, body)) == 1 && kind == RESULT_STATE)
		if (result_state_read(body, &st) == -1 || st.rule == NULL ||
		    !keep_rule(r, st.rule))
			return -1;
	return rc == 1 && kind != RESULT_VERDICT ? -1 : rc;
}

static int
verdict_read(struct wire body, const struct row *row, struct verdict *v)
{
	struct result_verdict rv;

	wire_get(&body, result_verdict, &rv);
	if (wire_end(&body) == -1 || (rv.verdict > CR_WAIT && rv.verdict != UINT32_MAX) ||
	    !utf8(rv.rule) || !utf8(rv.why) || !changes_fit(rv.changes) || !trail_fits(rv.trail))
		return -1;
	*v = (struct verdict){ .n = row->n, .rule = rv.rule, .why = rv.why, .trail = rv.trail,
		.verdict = rv.verdict == UINT32_MAX ? VERDICT_FAILED : (int)rv.verdict };
	if (v->verdict == CR_KEEP || v->verdict == CR_WAIT)
		v->changes = changes_merge(row->changes, rv.changes);
	return 0;
}

/* Fills v with what is known of the batch's first rows: all of them, or as many as there was room for
 * the verdicts of, or those up to the guilty one, behind which the results may be torn. Gives how many;
 * -1: malformed. *asked: how many of them have a verdict. */
static ssize_t
verdicts_take(struct ledger_route *r, const struct judged *j, struct wire *all,
    struct verdict *v, uint32_t *asked)
{
	const struct rows *rows = &r->batch;
	struct wire body;
	size_t i;
	int rc;

	*asked = 0;

	for (i = 0; i < rows->n; i++) {
		if (preset(r, &rows->row[i], &v[i]))
			continue;
		if (*asked == j->guilty) {
			v[i] = (struct verdict){ .n = rows->row[i].n, .verdict = VERDICT_FAILED,
				.rule = rule_parked, .why = utf8(j->reason) ? j->reason : NULL };
			return (ssize_t)i + 1;
		}
		v[i] = (struct verdict){ 0 };
		rc = verdict_next(r, all, &body);
		if (rc == 0 && *asked > 0 && j->guilty == UINT32_MAX)
			return (ssize_t)i;
		if (rc != 1 || verdict_read(body, &rows->row[i], &v[i]) == -1)
			return -1;
		++*asked;
	}
	return j->guilty == UINT32_MAX && verdict_next(r, all, &body) == 0 ? (ssize_t)i : -1;
}

/* Frees the changes that verdict_read() made; a preset's are the row's. */
static void
verdicts_drop(const struct rows *rows, struct verdict *v)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (v[i].changes.data != rows->row[i].changes.data)
			free((char *)(uintptr_t)v[i].changes.data);
	free(v);
}

uint32_t
ledger_judged(struct ledger *l, const struct judged *j, const void *verdicts, size_t len)
{
	struct ledger_route *r = ledger_route(l, j->route);
	struct verdict *v;
	struct wire all;
	uint32_t asked;
	ssize_t n;
	int rc = -1;

	if (r == NULL || r->batch.n == 0 || r->batch.first != j->first ||
	    r->batch.last != j->last) {
		log_info("verdicts of route %u on rows that it is not asked about: dropped",
		    j->route);
		return SETTLED_OTHER;
	}
	v = xcalloc(r->batch.n, sizeof(*v));
	wire_init(&all, verdicts != NULL ? verdicts : "", len);
	n = verdicts_take(r, j, &all, v, &asked);
	if (n > 0)
		rc = settle(l, r, r->batch.row, v, (size_t)n, (size_t)n == r->batch.n ?
		    r->batch.last : r->batch.row[n - 1].n);
	if (rc == 0)
		keep_take(l, r, NULL, (struct bytes){ verdicts, len }, asked);
	else
		log_warn("route %s: its verdicts are malformed", r->name);
	verdicts_drop(&r->batch, v);
	rows_free(&r->batch);
	return rc == -1 ? SETTLED_MALFORMED : 0;
}

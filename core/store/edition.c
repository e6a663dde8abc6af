/* Editions: what a route's candidates were, at a moment, sealed. */
#include "edition.h"
#include "book.h"
#include "ledger.h"
#include "ledger_backlog.h"
#include "ledger_batch.h"
#include "ledger_late.h"
#include "ledger_verdict.h"
#include "ledger_wait.h"
#include "ledger_window.h"
#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"

#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

/* ---- The calendar ---- */

void
edition_rule(struct ledger *l, struct ledger_route *r, const char *rule)
{
	struct db *db = &l->book->db;
	char *was = NULL;

	r->past = l->book->head;
	db_bind(db, SQL_EDITION_RULE, DB_INT(r->id));
	if (db_step(db, SQL_EDITION_RULE)) {
		xreplace(&was, db_text(db, SQL_EDITION_RULE, 0));
		r->ruled = db_int(db, SQL_EDITION_RULE, 1);
		r->past = db_int(db, SQL_EDITION_RULE, 2);
	}
	db_done(db, SQL_EDITION_RULE);
	if (rule != NULL && (was == NULL || strcmp(was, rule) != 0)) {
		r->ruled = date_now();
		db_begin(db);
		db_run(db, SQL_EDITION_RULE_SET, DB_INT(r->id), DB_TEXT(rule), DB_INT(r->ruled),
		    DB_INT(r->past));
	} else if (rule == NULL && was != NULL) {
		db_begin(db);
		db_run(db, SQL_EDITION_RULE_DROP, DB_INT(r->id));
	}
	free(was);
}

/* ---- Candidates ---- */

static struct ledger_route *
candidates_of(struct ledger *l, const struct ledger_route *r)
{
	return r->nroutes == 1 ? &l->route[r->routes[0]] : NULL;
}

/* What the records of one section have in common: the id of their source; below 0, ~place of the route
 * that handed them on; 0: nothing, the edition has no sections. */
static int64_t
section_key(struct ledger *l, const struct ledger_route *r, const struct ledger_route *up, int64_t n)
{
	if (r->rule.group == SECTION_NONE)
		return 0;
	for (size_t i = 0; r->rule.group == SECTION_ROUTE && i < up->nroutes; i++)
		if (verdict_kept(l, &l->route[up->routes[i]], n))
			return ~(int64_t)up->routes[i];
	return db_get(&l->book->db, SQL_LOG_SOURCE, 0, DB_INT(n));
}

static const char *
section_title(const struct ledger *l, int64_t key)
{
	const char *title = key < 0 ? l->route[~key].name : key > 0 ? roster_name(l->roster, key) : "";

	return title != NULL ? title : "";
}

/* Adds the record that the route of candidates kept, unless its story is hidden, or is in an edition of
 * the route already. */
static void
candidate_add(struct ledger *l, const struct ledger_route *r, struct lineup *a, const struct verdict *v)
{
	struct db *db = &l->book->db;
	struct candidate c = { .n = v->n };
	int64_t seen = 0;
	int hidden = 1;

	db_bind(db, SQL_LOG_FLAGS, DB_INT(v->n));
	if (db_step(db, SQL_LOG_FLAGS)) {
		c.revision = db_int(db, SQL_LOG_FLAGS, 1);
		c.item = db_int(db, SQL_LOG_FLAGS, 2);
		seen = db_int(db, SQL_LOG_FLAGS, 3);
		c.story = db_int(db, SQL_LOG_FLAGS, 4);
		hidden = db_int(db, SQL_LOG_FLAGS, 6) != 0;
	}
	db_done(db, SQL_LOG_FLAGS);
	if (hidden || db_get(db, SQL_EDITION_HAS, -1, DB_INT(r->id), DB_INT(c.story)) != -1)
		return;
	c.place = window_place(l, r->rule.order, r->number, v,
	    &(struct window_row){ c.revision, seen, c.story });
	if (a->n == a->room) {
		a->room = a->room > 0 ? 2 * a->room : 256;
		a->of = xreallocarray(a->of, a->room, sizeof(*a->of));
	}
	a->of[a->n++] = c;
}

/* Of each story the record that came first, in the version that was kept last. */
static int
by_story(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->story != y->story)
		return x->story < y->story ? -1 : 1;
	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x->n > y->n ? -1 : x->n < y->n;
}

static int
by_place(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	if (x->place != y->place)
		return x->place > y->place ? -1 : 1;
	return x->n > y->n ? -1 : x->n < y->n;
}

/* The records that were kept behind the last edition; or earlier, by no more than `among`. */
static void
candidates_read(struct ledger *l, struct ledger_route *r, struct ledger_route *up, struct lineup *a)
{
	struct db *db = &l->book->db;
	int64_t from = db_get(db, SQL_EDITION_LAST, 0, DB_INT(r->id)), young;
	size_t i;

	if (r->rule.among > 0 && (young = ledger_before(l, date_now() - r->rule.among)) < from)
		from = young;
	from = from > r->past ? from : r->past;
	db_bind(db, SQL_VERDICT_PREV, DB_INT(up->id), DB_INT(a->upto));
	while (db_step(db, SQL_VERDICT_PREV) && db_int(db, SQL_VERDICT_PREV, 1) > from &&
	    a->n < EDITION_LOOKS) {
		if (verdicts_read(&up->seen, db_int(db, SQL_VERDICT_PREV, 0),
		    db_int(db, SQL_VERDICT_PREV, 1), db_blob(db, SQL_VERDICT_PREV, 2)) == -1)
			continue;
		for (i = 0; i < up->seen.n; i++)
			if (up->seen.row[i].n > from && up->seen.row[i].verdict == CR_KEEP)
				candidate_add(l, r, a, &up->seen.row[i]);
	}
	db_done(db, SQL_VERDICT_PREV);
}

/* The section of that key, or their number if there is none. */
static uint32_t
section_find(const struct lineup *a, int64_t key)
{
	uint32_t i = 0;

	while (i < a->nsections && a->section[i].key != key)
		i++;
	return i;
}

/* Puts the first a->top candidates into sections, which follow each other as their first records rank. */
static void
sections_make(struct ledger *l, struct ledger_route *r, struct ledger_route *up, struct lineup *a)
{
	uint32_t first = 0, at;

	for (size_t i = 0; i < a->n; i++) {
		int64_t key = section_key(l, r, up, a->of[i].n);

		at = section_find(a, key);
		if (i >= a->top) {
			if (at < a->nsections)
				a->section[at].left_out++;
			continue;
		}
		if (at == a->nsections) {
			a->section = xreallocarray(a->section, at + 1, sizeof(*a->section));
			a->section[a->nsections++] = (struct section){ .key = key };
		}
		a->of[i].section = at;
		a->section[at].n++;
	}
	for (at = 0; at < a->nsections; first += a->section[at++].n)
		a->section[at].first = first;
	qsort(a->of, a->top, sizeof(*a->of), by_place);
}

void
lineup_free(struct lineup *a)
{
	free(a->section);
	free(a->of);
	*a = (struct lineup){ 0 };
}

void
lineup_read(struct ledger *l, struct ledger_route *r, struct lineup *a)
{
	struct ledger_route *up = candidates_of(l, r);
	size_t n = 0;

	*a = (struct lineup){ 0 };
	if (up == NULL)
		return;
	a->upto = route_judged(up);
	candidates_read(l, r, up, a);
	if (a->n == 0)
		return;
	qsort(a->of, a->n, sizeof(*a->of), by_story);
	for (size_t i = 0; i < a->n; i++)
		if (n == 0 || a->of[n - 1].story != a->of[i].story)
			a->of[n++] = a->of[i];
	a->n = n;
	qsort(a->of, n, sizeof(*a->of), by_place);
	a->top = r->rule.top > 0 ? r->rule.top : EDITION_MAX;
	a->top = a->top < n ? a->top : n;
	sections_make(l, r, up, a);
}

/* ---- Sealing ---- */

/* [{title, first, n, left_out}]; freed by the caller. */
static char *
sections_text(const struct ledger *l, const struct lineup *a)
{
	json_t *all = json_array();
	char *text;

	for (size_t i = 0; i < a->nsections; i++)
		json_array_append_new(all, json_pack("{s:s, s:I, s:I, s:I}",
		    "title", section_title(l, a->section[i].key), "first", (json_int_t)a->section[i].first,
		    "n", (json_int_t)a->section[i].n, "left_out", (json_int_t)a->section[i].left_out));
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

/* Appends the late row of a record of the edition, with the record as it is: counters change without a revision,
 * and what is sealed does not. Returns its place. */
static int64_t
row_add(struct ledger *l, struct ledger_route *r, const struct candidate *c)
{
	struct waiting w = { .route = r->id, .n = c->n, .item = c->item, .version = l->book->head + 1,
		.revision = c->revision < 0 ? ~c->revision : c->revision };
	struct cr_record *record = row_record(l, c->n, c->revision);
	struct db *db = &l->book->db;
	struct buf b;

	if (record == NULL)
		record = book_last(db, c->item, NULL);
	buf_init(&b, RECORD_MAX);
	if (record != NULL)
		record_write(record, &b);
	record_free(record);
	w.source = db_get(db, SQL_LOG_SOURCE, 0, DB_INT(c->n));
	late_add(l, &w, date_now(), NULL);
	db_run(db, SQL_RECORD_ADD, DB_INT(l->book->head), DB_BLOB(b.data, b.len));
	buf_free(&b);
	return l->book->head;
}

/* Writes the route's verdicts on n rows of the log, the first of which is v[0].n, and frees their changes. */
static void
verdicts_add(struct ledger *l, struct ledger_route *r, struct verdict *v, size_t n)
{
	struct buf blob;

	buf_init(&blob, VERDICT_MAX);
	if (verdicts_write(&blob, v[0].n, v, n) == -1)
		fatal("route %s: the changes of %zu records are over %u bytes", r->name, n, VERDICT_MAX);
	db_run(&l->book->db, SQL_VERDICT_ADD, DB_INT(r->id), DB_INT(v[n - 1].n), DB_INT(v[0].n),
	    DB_INT((int64_t)n), DB_BLOB(blob.data, blob.len));
	buf_free(&blob);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)v[i].changes.data);
	r->kept += (int64_t)n;
}

/* Appends the rows of the edition, what their stories tell now, and the route's verdicts on them: the changes are
 * those of the candidates' filters. Returns the first row; 0: none. */
static int64_t
rows_write(struct ledger *l, struct ledger_route *r, const struct lineup *a)
{
	struct ledger_route *up = candidates_of(l, r);
	struct verdict *v = xcalloc(LEDGER_JUDGE, sizeof(*v));
	const int64_t first = l->book->head + 1;
	const struct verdict *kept;
	size_t n = 0, changes = 0;
	struct buf view;

	buf_init(&view, SIZE_MAX / 4);
	for (size_t i = 0; i < a->top; i++) {
		kept = verdict_of(l, up, a->of[i].n);
		v[n] = (struct verdict){ .n = row_add(l, r, &a->of[i]), .verdict = CR_KEEP };
		if (kept != NULL)
			v[n].changes = bytes_copy(kept->changes);
		batch_view(l, up, a->of[i].n, &view);
		db_run(&l->book->db, SQL_EDITION_VIEW_ADD, DB_INT(v[n].n), DB_BLOB(view.data, view.len));
		buf_clear(&view);
		changes += v[n++].changes.len;
		if (n == LEDGER_JUDGE || changes > LEDGER_CHANGES || i + 1 == a->top) {
			verdicts_add(l, r, v, n);
			n = changes = 0;
		}
	}
	buf_free(&view);
	free(v);
	return a->top > 0 ? first : 0;
}

/* Appends the row that stands for an edition without a record, of no item: so sinks get it at its place. Returns it. */
static int64_t
row_empty(struct ledger *l, struct ledger_route *r)
{
	struct waiting w = { .route = r->id, .version = l->book->head + 1 };
	struct verdict v = { .n = w.version, .verdict = CR_KEEP };
	const int64_t kept = r->kept;

	w.n = w.version;
	late_add(l, &w, date_now(), NULL);
	verdicts_add(l, r, &v, 1);
	r->kept = kept;			/* it is no record */
	return v.n;
}

static void
edition_write(struct ledger *l, struct ledger_route *r, const struct seal_ask *s, const struct lineup *a)
{
	struct db *db = &l->book->db;
	int64_t *others = xcalloc(a->n - a->top + 1, sizeof(*others)), first = rows_write(l, r, a), id;
	const int sealed = a->n > 0 || r->rule.send_empty;
	char *sections = sections_text(l, a);

	if (sealed && first == 0)
		first = row_empty(l, r);
	for (size_t i = a->top; i < a->n; i++)
		others[i - a->top] = a->of[i].item;
	db_run(db, SQL_EDITION_ADD, DB_INT(r->id), DB_TEXT(s->name), DB_TEXT(s->zone), DB_INT(s->from),
	    DB_INT(s->due), DB_INT(date_now() / 1000 * 1000), DB_INT(a->upto), DB_INT(first),
	    DB_INT((int64_t)a->top), DB_BLOB((const char *)others, (a->n - a->top) * sizeof(*others)),
	    DB_TEXT(sections), DB_INT(sealed ? EDITION_SEALED : EDITION_SKIPPED),
	    DB_TEXT(a->n > 0 ? NULL : "there was nothing new"));
	id = db_last(db);
	for (size_t i = 0; i < a->top; i++)
		db_run(db, SQL_EDITION_ITEM, DB_INT(r->id), DB_INT(a->of[i].item), DB_INT(id));
	free(sections);
	free(others);
}

void
edition_seal(struct ledger *l, const struct seal_ask *s)
{
	struct ledger_route *r = ledger_route_named(l, s->route);
	struct edition_row there;
	struct lineup a;

	if (r == NULL || !r->rule.edition)
		return;
	if (edition_named(l, r, s->name, &there)) {
		edition_free(&there);
		return;
	}
	if (!s->early && s->due <= r->ruled && r->ruled <= date_now())
		return;			/* a later time than now is of a wrong clock */
	if (s->missed) {
		log_info("route %s: edition %s was missed: what it would have had comes with the next", r->name,
		    s->name);
		return;
	}
	lineup_read(l, r, &a);
	db_begin(&l->book->db);
	l->wrote++;
	edition_write(l, r, s, &a);
	route_save(l, r);
	if (a.n > 0 || r->rule.send_empty)
		log_info("route %s: edition %s is sealed: %zu records, %zu left out", r->name, s->name, a.top,
		    a.n - a.top);
	else
		log_info("route %s: edition %s is skipped: there was nothing new", r->name, s->name);
	lineup_free(&a);
}

/* ---- Sealed ones ---- */

int
edition_step(struct db *db, enum sql sql, struct edition_row *e)
{
	if (!db_step(db, sql))
		return 0;
	*e = (struct edition_row){ .id = db_int(db, sql, 0), .state = (enum edition_state)db_int(db, sql, 1),
		.sealed = db_int(db, sql, 2), .due = db_int(db, sql, 3), .since = db_int(db, sql, 4),
		.first = db_int(db, sql, 5), .n = db_int(db, sql, 6), .left_out = db_int(db, sql, 7) };
	xreplace(&e->sections, db_text(db, sql, 8));
	xreplace(&e->zone, db_text(db, sql, 9));
	xreplace(&e->why, db_text(db, sql, 10));
	xreplace(&e->name, db_text(db, sql, 11));
	return 1;
}

void
edition_free(struct edition_row *e)
{
	free(e->sections);
	free(e->zone);
	free(e->why);
	free(e->name);
	*e = (struct edition_row){ 0 };
}

int
edition_named(struct ledger *l, const struct ledger_route *r, const char *name, struct edition_row *e)
{
	int found;

	db_bind(&l->book->db, SQL_EDITION_GET, DB_INT(r->id), DB_TEXT(name));
	found = edition_step(&l->book->db, SQL_EDITION_GET, e);
	db_done(&l->book->db, SQL_EDITION_GET);
	return found;
}

int
edition_of(struct ledger *l, const struct ledger_route *r, int64_t n, struct edition_row *e)
{
	int found;

	*e = (struct edition_row){ 0 };
	db_bind(&l->book->db, SQL_EDITION_AT, DB_INT(r->id), DB_INT(n));
	found = edition_step(&l->book->db, SQL_EDITION_AT, e);
	db_done(&l->book->db, SQL_EDITION_AT);
	if (!found)
		return 0;
	if (n <= edition_last(e))
		return 1;
	edition_free(e);
	return 0;
}

int
edition_begins(struct ledger *l, const struct ledger_route *r, int64_t n)
{
	struct edition_row e;
	int begins;

	if (!edition_of(l, r, n, &e))
		return 0;
	begins = e.first == n;
	edition_free(&e);
	return begins;
}

int64_t *
edition_others(struct ledger *l, const struct edition_row *e)
{
	int64_t *items = xcalloc((size_t)e->left_out + 1, sizeof(*items));
	struct db *db = &l->book->db;
	struct bytes b;

	db_bind(db, SQL_EDITION_OTHERS, DB_INT(e->id));
	if (db_step(db, SQL_EDITION_OTHERS)) {
		b = db_blob(db, SQL_EDITION_OTHERS, 0);
		if (b.len > 0)
			memcpy(items, b.data, b.len);
	}
	db_done(db, SQL_EDITION_OTHERS);
	return items;
}

/* ---- Handing out ---- */

/* Appends the records of a section, at most LEDGER_BYTES of all, and tells of the section. Returns how many. */
static uint32_t
section_give(struct ledger *l, struct ledger_route *r, const struct edition_row *e, const json_t *section,
    uint32_t at, struct buf *records, struct buf *sections)
{
	int64_t first = e->first + json_get_number(section, "first");
	int64_t n = json_get_number(section, "n");
	struct result_section one = { .title = json_get_text(section, "title"),
		.first = at };

	for (int64_t k = first; k < first + n && records->len <= LEDGER_BYTES; k++)
		one.n += batch_given(l, r, k, records) == 0;
	one.left_out = json_get_number(section, "left_out") + n - one.n;
	wire_put(sections, result_section, &one);
	return one.n;
}

/* The row of the log with the item's last version; 0: there is no such item. */
static int64_t
item_last(struct db *db, int64_t item)
{
	int64_t last = 0;

	db_bind(db, SQL_ITEM_GET, DB_INT(item));
	if (db_step(db, SQL_ITEM_GET))
		last = db_int(db, SQL_ITEM_GET, 1);
	db_done(db, SQL_ITEM_GET);
	return last;
}

/* Appends candidates that were left out, each in its last version. Returns how many. */
static uint32_t
others_give(struct ledger *l, struct ledger_route *r, const struct edition_row *e, uint32_t room, struct buf *records)
{
	struct ledger_route *up = candidates_of(l, r);
	int64_t *others = edition_others(l, e);
	uint32_t n = 0;

	for (int64_t k = 0; up != NULL && k < e->left_out && n < room && records->len <= LEDGER_BYTES; k++)
		n += batch_given(l, up, item_last(&l->book->db, others[k]), records) == 0;
	free(others);
	return n;
}

/* Its route's oldest one that is not pruned; freed by the caller. */
static char *
oldest_name(struct ledger *l, const struct ledger_route *r)
{
	struct db *db = &l->book->db;
	char *name = NULL;

	db_bind(db, SQL_EDITION_OLDEST, DB_INT(r->id));
	if (db_step(db, SQL_EDITION_OLDEST))
		xreplace(&name, db_text(db, SQL_EDITION_OLDEST, 0));
	db_done(db, SQL_EDITION_OLDEST);
	return name;
}

/* Appends the edition and its records; frees these. */
static void
edition_put(struct buf *items, const struct result_edition *re, struct buf *records)
{
	size_t begun = result_begin(items, RESULT_EDITION);

	wire_put(items, result_edition, re);
	result_end(items, begun);
	buf_add(items, records->data != NULL ? records->data : "", records->len);
	buf_free(records);
}

uint32_t
edition_give(struct ledger *l, struct ledger_route *r, const struct edition_row *e, int archive, struct buf *items)
{
	struct result_edition re = { .name = e->name, .zone = e->zone, .from = e->since, .due = e->due,
		.sealed = e->sealed };
	json_t *all = json_loads(e->sections, 0, NULL), *one;
	struct buf records, sections;
	char *oldest = oldest_name(l, r);
	uint32_t given = 0;
	size_t i;

	buf_init(&records, SIZE_MAX / 4);
	buf_init(&sections, SIZE_MAX / 4);
	json_array_foreach(all, i, one)
		given += section_give(l, r, e, one, given, &records, &sections);
	json_decref(all);
	re.left_out = e->left_out + e->n - given;
	re.sections = (struct bytes){ sections.data, sections.len };
	re.oldest = oldest;
	re.others = archive ? others_give(l, r, e, EDITION_MAX - given, &records) : 0;
	edition_put(items, &re, &records);
	buf_free(&sections);
	free(oldest);
	return given + re.others;
}

uint32_t
lineup_give(struct ledger *l, struct ledger_route *r, const struct lineup *a, const struct seal_ask *s,
    struct buf *items)
{
	struct result_edition re = { .name = s->name, .zone = s->zone, .from = s->from, .due = s->due,
		.sealed = date_now(), .left_out = (int64_t)(a->n - a->top) };
	struct ledger_route *up = candidates_of(l, r);
	struct buf records, sections;
	uint32_t given = 0;

	buf_init(&records, SIZE_MAX / 4);
	buf_init(&sections, SIZE_MAX / 4);
	for (size_t i = 0; i < a->nsections; i++) {
		struct result_section one = { .title = section_title(l, a->section[i].key), .first = given,
			.left_out = a->section[i].left_out };

		for (uint32_t k = 0; k < a->section[i].n && records.len <= LEDGER_BYTES; k++)
			one.n += batch_given(l, up, a->of[a->section[i].first + k].n, &records) == 0;
		given += one.n;
		wire_put(&sections, result_section, &one);
	}
	re.sections = (struct bytes){ sections.data, sections.len };
	edition_put(items, &re, &records);
	buf_free(&sections);
	return given;
}

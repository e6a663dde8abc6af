/* The ledger's routes and cursors: read from the database, found by id or place, and saved. */
#include "ledger.h"
#include "book.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "db/db.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>

/* ---- From the database ---- */

struct ledger_route *
route_add(struct ledger *l, int64_t id, const char *name)
{
	struct ledger_route *r;

	l->route = xreallocarray(l->route, l->nroute + 1, sizeof(*l->route));
	r = &l->route[l->nroute++];
	*r = (struct ledger_route){ .id = (uint32_t)id, .name = xstrdup(name) };
	return r;
}

struct cursor *
cursor_add(struct ledger_route *r, int64_t id, const char *name)
{
	struct cursor *g;

	r->sink = xreallocarray(r->sink, r->nsink + 1, sizeof(*r->sink));
	g = &r->sink[r->nsink++];
	*g = (struct cursor){ .id = id, .name = xstrdup(name), .listed = -1 };
	return g;
}

static void
cursors_read(struct ledger *l, struct ledger_route *r)
{
	struct db *db = &l->book->db;
	struct cursor *g;

	db_bind(db, SQL_LEGS, DB_INT(r->id));
	while (db_step(db, SQL_LEGS)) {
		g = cursor_add(r, db_int(db, SQL_LEGS, 0), db_text(db, SQL_LEGS, 1));
		g->begun = db_int(db, SQL_LEGS, 2);
		g->past = db_int(db, SQL_LEGS, 3);
		g->backlog = db_int(db, SQL_LEGS, 4);
		g->backlog_n = db_int(db, SQL_LEGS, 5);
		g->delivered = db_int(db, SQL_LEGS, 6);
		g->done = db_int(db, SQL_LEGS, 7);
		g->failures = db_int(db, SQL_LEGS, 8);
		cursor_due_set(g, db_int(db, SQL_LEGS, 9));
		xreplace(&g->reason, db_text(db, SQL_LEGS, 10));
		g->paused = (enum paused)db_int(db, SQL_LEGS, 11);
		g->gone = db_text(db, SQL_LEGS, 12) != NULL;
		g->created = db_int(db, SQL_LEGS, 13);
		g->listed = db_int(db, SQL_LEGS, 14);
		g->anew = g->listed == -1;
		g->room = db_int(db, SQL_LEGS, 15);
		g->failing = db_int(db, SQL_LEGS, 16);
	}
}

static void
pending_read(struct ledger *l)
{
	struct db *db = &l->book->db;
	struct ledger_route *r;
	int waits;

	while (db_step(db, SQL_PENDING_COUNTS)) {
		r = ledger_route(l, (uint32_t)db_int(db, SQL_PENDING_COUNTS, 0));
		waits = db_int(db, SQL_PENDING_COUNTS, 1) == PENDING_WAIT;
		if (r == NULL)
			continue;
		if (!waits)		/* the reason in the row with max(n) */
			xreplace(&r->reason, db_text(db, SQL_PENDING_COUNTS, 4));
		*(waits ? &r->pending : &r->dead) += (uint64_t)db_int(db, SQL_PENDING_COUNTS, 2);
	}
}

static struct cursor *
cursor_by_id(struct ledger *l, int64_t id)
{
	for (size_t i = 0; i < l->nroute; i++)
		for (size_t k = 0; k < l->route[i].nsink; k++)
			if (l->route[i].sink[k].id == id)
				return &l->route[i].sink[k];
	return NULL;
}

static void
outbox_read(struct ledger *l)
{
	struct db *db = &l->book->db;
	struct cursor *g;
	uint64_t count;

	while (db_step(db, SQL_OUTBOX_COUNTS)) {
		if ((g = cursor_by_id(l, db_int(db, SQL_OUTBOX_COUNTS, 0))) == NULL)
			continue;
		count = (uint64_t)db_int(db, SQL_OUTBOX_COUNTS, 3);
		switch (db_int(db, SQL_OUTBOX_COUNTS, 1)) {
		case PENDING_RETRY:
			g->retry += count;
			g->retried = db_int(db, SQL_OUTBOX_COUNTS, 4);
			break;
		case PENDING_REPLAY:
			g->replay += count;
			g->again += db_int(db, SQL_OUTBOX_COUNTS, 2) == OUTBOX_AGAIN ? count : 0;
			break;
		default:
			g->dead += count;
		}
	}
}

struct ledger *
ledger_new(struct book *book, struct roster *roster)
{
	struct ledger *l = xcalloc(1, sizeof(*l));
	struct db *db = &book->db;
	struct ledger_route *r;
	size_t i;

	l->book = book;
	l->roster = roster;
	l->durable = book->head;
	buf_init(&l->readers, msg_limit(MSG_WORK));
	while (db_step(db, SQL_ROUTES)) {
		r = route_add(l, db_int(db, SQL_ROUTES, 0), db_text(db, SQL_ROUTES, 1));
		r->filtered = r->saved = db_int(db, SQL_ROUTES, 2);
		r->begun = db_int(db, SQL_ROUTES, 3);
		r->resume = db_int(db, SQL_ROUTES, 4);
		r->kept = db_int(db, SQL_ROUTES, 5);
		r->dropped = db_int(db, SQL_ROUTES, 6);
		r->gone = db_text(db, SQL_ROUTES, 7) != NULL;
		r->expired = db_int(db, SQL_ROUTES, 8);
		r->again = (enum again)db_int(db, SQL_ROUTES, 9);
		r->gap = db_int(db, SQL_ROUTES, 10);
	}
	for (i = 0; i < l->nroute; i++)
		cursors_read(l, &l->route[i]);
	pending_read(l);
	outbox_read(l);
	return l;
}

static void
route_free(struct ledger_route *r)
{
	size_t i;

	for (i = 0; i < r->nsink; i++) {
		free(r->sink[i].name);
		free(r->sink[i].reason);
		free(r->sink[i].number);
		free(r->sink[i].readers);
		free(r->sink[i].batch);
	}
	verdicts_free(&r->seen);
	free(r->chain);
	free(r->sink);
	free(r->sinks);
	free(r->routes);
	free(r->from);
	free(r->prefer);
	free(r->number);
	rows_free(&r->batch);
	free(r->reason);
	free(r->name);
	free(r->rules);
}

void
ledger_free(struct ledger *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->nroute; i++)
		route_free(&l->route[i]);
	free(l->route);
	buf_free(&l->readers);
	free(l);
}

struct ledger_route *
ledger_route_named(struct ledger *l, const char *name)
{
	for (size_t i = 0; i < l->nroute; i++)
		if (!l->route[i].gone && strcmp(l->route[i].name, name) == 0)
			return &l->route[i];
	return NULL;
}

struct ledger_route *
ledger_route(struct ledger *l, uint32_t id)
{
	size_t i;

	for (i = 0; i < l->nroute; i++)
		if (l->route[i].id == id)
			return &l->route[i];
	return NULL;
}

int64_t
ledger_before(struct ledger *l, int64_t when)
{
	struct db *db = &l->book->db;
	int64_t low = 0, high = l->book->head, mid, n = 0, at = 0;

	while (low < high) {
		mid = low + (high - low) / 2 + 1;
		db_bind(db, SQL_LOG_AFTER, DB_INT(mid));
		if (db_step(db, SQL_LOG_AFTER)) {
			n = db_int(db, SQL_LOG_AFTER, 0);
			at = db_int(db, SQL_LOG_AFTER, 1);
		} else
			at = INT64_MAX;
		db_done(db, SQL_LOG_AFTER);
		if (at < when)
			low = n;
		else
			high = mid - 1;
	}
	return low;
}

struct cursor *
ledger_cursor(struct ledger_route *r, uint32_t where)
{
	return where < r->nsinks ? &r->sink[r->sinks[where]] : NULL;
}

/* ---- Saving positions ---- */

void
route_save(struct ledger *l, struct ledger_route *r)
{
	r->saved = r->filtered;
	db_run(&l->book->db, SQL_ROUTE_MOVE, DB_INT(r->id), DB_INT(r->filtered), DB_INT(r->begun),
	    DB_INT(r->resume), DB_INT(r->kept), DB_INT(r->dropped), DB_INT(r->expired),
	    DB_INT(r->again), DB_INT(r->gap));
}

void
ledger_save(struct ledger *l, int64_t behind)
{
	size_t i;

	for (i = 0; i < l->nroute; i++)
		if (l->route[i].filtered - l->route[i].saved >= behind) {
			db_begin(&l->book->db);
			route_save(l, &l->route[i]);
		}
}

/* ---- Rows ---- */

void
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

struct bytes
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

void
rows_add(struct rows *rows, const struct row *row)
{
	if (rows->n == rows->cap) {
		rows->cap = rows->cap > 0 ? rows->cap * 2 : 64;
		rows->row = xreallocarray(rows->row, rows->cap, sizeof(*rows->row));
	}
	rows->row[rows->n] = *row;
	rows->row[rows->n++].changes = bytes_copy(row->changes);
}

void
batch_add(struct cursor *g, int64_t n)
{
	g->batch = xreallocarray(g->batch, g->nbatch + 1, sizeof(*g->batch));
	g->batch[g->nbatch++] = n;
}

void
cursor_pause(struct cursor *g, enum paused why, char *reason)
{
	g->paused = why;
	g->failing = g->failed = 0;
	cursor_due_set(g, 0);
	free(g->reason);
	g->reason = reason;
}

void
cursor_save(struct ledger *l, const struct cursor *g)
{
	l->wrote++;
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_LEG_SET, DB_INT(g->id), DB_INT(g->begun), DB_INT(g->backlog),
	    DB_INT(g->backlog_n), DB_INT(g->delivered), DB_INT(g->done), DB_INT(g->failures),
	    DB_INT(g->due), DB_TEXT(g->reason), DB_INT(g->paused),
	    DB_INT(g->anew ? -1 : g->listed), DB_INT(g->room), DB_INT(g->failing));
}

void
cursor_due_set(struct cursor *g, int64_t due)
{
	int64_t now = date_now();

	g->due = date_due(due, now, ACK_DUE_MAX);
	g->until = date_ticks() + (g->due - now);
}

int64_t
cursor_due(const struct cursor *g)
{
	int64_t due = date_now() + (g->until - date_ticks());

	return g->due - due < CLOCK_BACK ? g->due : due;
}

/* A source's walk from page to page, in the tables walk, owed and held. */
#include "walk.h"
#include "document.h"
#include "state.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

/* A row of the table walk. Its strings are owned. */
struct row {
	int64_t		 hash;
	int64_t		 broken;	/* this walk goes on past pages without new items */
	int64_t		 pages, added;
	char		*gap;
	char		*etag, *modified, *validated;
};

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

static void
row_free(struct row *w)
{
	free(w->gap);
	free(w->etag);
	free(w->modified);
	free(w->validated);
	*w = (struct row){ 0 };
}

static void
row_read(struct db *db, uint32_t source, struct row *w)
{
	*w = (struct row){ 0 };
	db_bind(db, SQL_WALK_GET, DB_INT(source));
	if (db_step(db, SQL_WALK_GET))
		*w = (struct row){
			.hash = db_int(db, SQL_WALK_GET, 0), .broken = db_int(db, SQL_WALK_GET, 1),
			.pages = db_int(db, SQL_WALK_GET, 2), .added = db_int(db, SQL_WALK_GET, 3),
			.gap = copy(db_text(db, SQL_WALK_GET, 4)),
			.etag = copy(db_text(db, SQL_WALK_GET, 5)),
			.modified = copy(db_text(db, SQL_WALK_GET, 6)),
			.validated = copy(db_text(db, SQL_WALK_GET, 7)),
		};
	db_done(db, SQL_WALK_GET);
}

static void
row_write(struct db *db, uint32_t source, const struct row *w)
{
	db_run(db, SQL_WALK_SET, DB_INT(source), DB_INT(w->hash), DB_INT(w->broken),
	    DB_INT(w->pages), DB_INT(w->added), DB_TEXT(w->gap), DB_TEXT(w->etag),
	    DB_TEXT(w->modified), DB_TEXT(w->validated));
}

static void
row_prove(struct row *w, const struct mark *m)
{
	xreplace(&w->etag, m->etag);
	xreplace(&w->modified, m->modified);
	xreplace(&w->validated, m->validated);
}

/* ---- State ---- */

/* Writes a value to the source's state; over STATE_MAX it is logged and not set. */
static void
set_state(struct roster *r, uint32_t source, struct state_sum *sum, const char *key,
    const char *value)
{
	char name[STATE_NAME];

	state_name(name, "source", source, NULL);
	if (state_set(roster_db(r), sum, name, key, value) == -1)
		log_warn("source %s: more than %u bytes of state: %s stays as it was",
		    roster_name(r, source), STATE_MAX, key);
	else if (value != NULL)
		*roster_stored(r, source) |= KEPT_STATE;
}

void
walk_states(struct roster *r, uint32_t source, const struct document *doc)
{
	size_t n, i;
	const struct result_state *state = document_states(doc, &n);
	struct state_sum sum = { .bytes = 0 };

	for (i = 0; i < n; i++)
		set_state(r, source, &sum, state[i].key, state[i].value);
}

/* Ends a walk's held state: writes it to the source's state, or discards it (keep 0). */
static void
held_settle(struct roster *r, uint32_t source, int keep)
{
	struct state_sum sum = { .bytes = 0 };
	struct db *db = roster_db(r);

	db_bind(db, SQL_HELD, DB_INT(source));
	while (keep && db_step(db, SQL_HELD))
		set_state(r, source, &sum, db_text(db, SQL_HELD, 0), db_text(db, SQL_HELD, 1));
	db_done(db, SQL_HELD);
	db_run(db, SQL_HELD_DROP, DB_INT(source));
}

/* ---- One page ---- */

/* The first page of a walk, or a plan. Pages that an earlier walk still owed are dropped; the new
 * walk makes up for them as a broken one. */
static void
walk_begin(struct roster *r, const struct commit *c, struct row *w)
{
	struct db *db = roster_db(r);
	int64_t broken = w->broken || (*roster_stored(r, c->source) & KEPT_OWED) != 0;

	if ((*roster_stored(r, c->source) & KEPT_OWED) != 0) {
		db_run(db, SQL_OWED_DROP, DB_INT(c->source));
		held_settle(r, c->source, 0);
	}
	row_free(w);
	*w = (struct row){ .hash = (int64_t)c->hash, .broken = broken };
}

/* Whether a requested page is going to be fetched. added: new items of the requesting page. */
static int
follows(const struct commit *c, const struct result_request *q, const struct row *w, uint32_t added)
{
	if (q->next == 0)
		return 1;
	return (added > 0 || w->broken) && c->nth + 1 < c->pages;
}

static void
owe(struct roster *r, const struct commit *c, const struct row *w, const struct document *doc,
    uint32_t added)
{
	const struct result_request *q;
	struct db *db = roster_db(r);
	int64_t owes = -1;
	size_t n, i;

	for (q = document_requests(doc, &n), i = 0; i < n; i++) {
		if (!follows(c, &q[i], w, added))
			continue;
		if (owes == -1)
			owes = db_get(db, SQL_OWED_COUNT, 0, DB_INT(c->source));
		if (w->pages + owes >= WALK_PAGES) {
			log_warn("source %s: more than %d pages in one poll: the rest is left out",
			    roster_name(r, c->source), WALK_PAGES);
			break;
		}
		db_run(db, SQL_OWED_ADD, DB_INT(c->source), DB_TEXT(q[i].url), DB_TEXT(q[i].method),
		    DB_TEXT(q[i].headers), DB_BLOB(q[i].body.len > 0 ? q[i].body.data : NULL,
		    q[i].body.len), DB_TEXT(q[i].tag), DB_INT(c->nth + q[i].next));
		owes++;
	}
	if (owes > 0)
		*roster_stored(r, c->source) |= KEPT_OWED;
}

/* A page that failed. When the page is read again, the items that it had brought before are not
 * new, so that the next page would not be requested: the walk is marked broken, to go on past such
 * pages. */
static enum walk
page_failed(struct roster *r, const struct commit *c, struct row *w, uint32_t added)
{
	struct db *db = roster_db(r);

	if (c->page != 0 && (c->flags & COMMIT_COUNTS) != 0)
		db_run(db, SQL_OWED_FAIL, DB_INT(c->source), DB_INT(c->page));
	if (added > 0) {
		w->broken = 1;
		w->added += added;
		w->hash = (int64_t)c->hash;
		row_write(db, c->source, w);
		*roster_stored(r, c->source) |= KEPT_BROKEN;
	}
	return WALK_FAILED;
}

int
walk_doubt(struct roster *r, const struct commit *c)
{
	struct row w;
	int broken;

	row_read(roster_db(r), c->source, &w);
	broken = w.broken != 0;
	w.broken = 1;
	if (w.hash == 0)
		w.hash = (int64_t)c->hash;
	if (!broken)
		row_write(roster_db(r), c->source, &w);
	row_free(&w);
	*roster_stored(r, c->source) |= KEPT_BROKEN;
	return !broken;
}

void
walk_trust(struct roster *r, const struct commit *c)
{
	struct row w;

	*roster_stored(r, c->source) &= ~(uint32_t)KEPT_BROKEN;
	if ((*roster_stored(r, c->source) & KEPT_OWED) == 0) {
		db_run(roster_db(r), SQL_WALK_DEL, DB_INT(c->source));
		return;
	}
	row_read(roster_db(r), c->source, &w);
	w.broken = 0;
	row_write(roster_db(r), c->source, &w);
	row_free(&w);
}

/* Ends a walk: no page is owed any more. After a walk with a gap (a page given up), the next walk
 * is broken and goes on past pages without new items; but not again if a broken walk found nothing
 * new and had a gap as well. */
static enum walk
walk_end(struct roster *r, const struct commit *c, const struct row *w)
{
	uint32_t *kept = roster_stored(r, c->source);
	struct row next = { .hash = w->hash };
	struct db *db = roster_db(r);
	int whole = w->gap == NULL;

	held_settle(r, c->source, whole);
	next.broken = !whole && (w->added > 0 || !w->broken);
	*kept &= ~(uint32_t)(KEPT_OWED | KEPT_BROKEN);
	if (next.broken) {
		row_write(db, c->source, &next);
		*kept |= KEPT_BROKEN;
	} else {
		db_run(db, SQL_WALK_DEL, DB_INT(c->source));
	}
	return whole ? WALK_WHOLE : WALK_FAILED;
}

static enum walk
page_done(struct roster *r, const struct commit *c, const struct mark *m, struct row *w,
    const struct document *doc, uint32_t added)
{
	const struct result_state *state = NULL;
	struct db *db = roster_db(r);
	size_t n = 0, i;

	if (c->page != 0)
		db_run(db, SQL_OWED_DEL, DB_INT(c->source), DB_INT(c->page));
	if ((c->flags & COMMIT_NEVER) != 0 && w->gap == NULL)
		xreplace(&w->gap, c->gap != NULL ? c->gap : "a page could not be had");
	if (doc != NULL)
		state = document_states(doc, &n);
	for (i = 0; i < n; i++)
		db_run(db, SQL_HELD_SET, DB_INT(c->source), DB_TEXT(state[i].key),
		    DB_TEXT(state[i].value));
	row_prove(w, m);
	w->added += added;
	w->pages += (c->flags & (COMMIT_PLAN | COMMIT_NEVER)) == 0;
	if (doc != NULL)
		owe(r, c, w, doc, added);
	if (db_get(db, SQL_OWED_COUNT, 0, DB_INT(c->source)) == 0)
		return walk_end(r, c, w);
	row_write(db, c->source, w);
	*roster_stored(r, c->source) |= KEPT_OWED;
	return WALK_GOES_ON;
}

/* Whether the commit is a whole poll by itself: one page that requests no other, or a plan without
 * pages. Then only the state is written. */
static int
is_alone(struct roster *r, const struct commit *c, const struct document *doc)
{
	size_t n = 0;

	if (doc != NULL)
		(void)document_requests(doc, &n);
	if (n > 0 || c->page != 0 || (*roster_stored(r, c->source) & KEPT_OWED) != 0)
		return 0;
	return (c->flags & COMMIT_PLAN) != 0 || (*roster_stored(r, c->source) & KEPT_BROKEN) == 0;
}

enum walk
walk_page(struct roster *r, const struct commit *c, const struct mark *m,
    const struct document *doc, uint32_t added)
{
	enum walk is = WALK_WHOLE;
	struct row w;

	if ((c->flags & (COMMIT_FAILED | COMMIT_NEVER)) == 0 && is_alone(r, c, doc)) {
		if (doc != NULL)
			walk_states(r, c->source, doc);
		return WALK_WHOLE;
	}
	if ((c->flags & COMMIT_FAILED) != 0 && c->page == 0 && added == 0)
		return WALK_FAILED;
	row_read(roster_db(r), c->source, &w);
	if (c->page == 0 && (c->flags & COMMIT_FAILED) == 0)
		walk_begin(r, c, &w);
	is = (c->flags & COMMIT_FAILED) != 0 ? page_failed(r, c, &w, added) :
	    page_done(r, c, m, &w, doc, added);
	row_free(&w);
	return is;
}

/* ---- Answers to core ---- */

int
walk_next(struct roster *r, uint32_t source, struct buf *b)
{
	struct db *db = roster_db(r);
	struct owed_page o;
	int rc = -1;

	db_bind(db, SQL_OWED_FIRST, DB_INT(source));
	if (db_step(db, SQL_OWED_FIRST)) {
		o = (struct owed_page){
			.page = db_int(db, SQL_OWED_FIRST, 0), .url = db_text(db, SQL_OWED_FIRST, 1),
			.method = db_text(db, SQL_OWED_FIRST, 2),
			.headers = db_text(db, SQL_OWED_FIRST, 3),
			.body = db_blob(db, SQL_OWED_FIRST, 4), .tag = db_text(db, SQL_OWED_FIRST, 5),
			.nth = (uint32_t)db_int(db, SQL_OWED_FIRST, 6),
			.failures = (uint32_t)db_int(db, SQL_OWED_FIRST, 7),
		};
		if (o.body.data == NULL)
			o.body = (struct bytes){ "", 0 };
		wire_put(b, owed_page, &o);
		rc = 0;
	}
	db_done(db, SQL_OWED_FIRST);
	return rc;
}

/* The source's configuration has changed: drops the owed pages, which belong to the old one. */
static void
walk_drop(struct roster *r, uint32_t source, struct row *w)
{
	struct db *db = roster_db(r);
	uint32_t *kept = roster_stored(r, source);

	log_info("source %s: was changed: the pages that it owed are dropped", roster_name(r, source));
	db_begin(db);
	db_run(db, SQL_OWED_DROP, DB_INT(source));
	held_settle(r, source, 0);
	row_free(w);
	w->broken = 1;
	row_write(db, source, w);
	*kept = (*kept & ~(uint32_t)KEPT_OWED) | KEPT_BROKEN;
}

void
walk_recall(struct roster *r, const struct recall *q, struct buf *b)
{
	struct db *db = roster_db(r);
	struct buf state, next;
	struct recalled out;
	char instance[STATE_NAME];
	struct row w;

	row_read(db, q->source, &w);
	if ((*roster_stored(r, q->source) & KEPT_OWED) != 0 && w.hash != (int64_t)q->hash)
		walk_drop(r, q->source, &w);
	buf_init(&state, 4 * STATE_MAX);
	buf_init(&next, msg_limit(MSG_RECALLED));
	state_name(instance, "source", q->source, NULL);
	state_read(db, instance, &state);
	if (walk_next(r, q->source, &next) == -1)
		*roster_stored(r, q->source) &= ~(uint32_t)KEPT_OWED;
	out = (struct recalled){ .source = q->source, .kept = *roster_stored(r, q->source),
		.state = { state.len > 0 ? state.data : "", state.len }, .etag = w.etag,
		.modified = w.modified, .validated = w.validated, .gap = w.gap };
	wire_put(b, recalled, &out);
	if (next.len > 0)
		buf_add(b, next.data, next.len);
	row_free(&w);
	buf_free(&state);
	buf_free(&next);
}

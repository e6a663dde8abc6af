/* What a batch consists of: the records of rows of the log, and the batch's id. */
#include "ledger_batch.h"
#include "book.h"
#include "ledger.h"
#include "ledger_late.h"
#include "ledger_verdict.h"
#include "story_face.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
batch_id(struct ledger *l, const struct ledger_route *r, const struct cursor *sink,
    int64_t first, int64_t last)
{
	unsigned char out[DIGEST_SIZE];
	struct digest *d = l->book->digest;

	digest_begin(d);
	digest_int(d, l->book->seed);
	digest_str(d, r->name);
	digest_str(d, sink != NULL ? sink->name : NULL);
	digest_int(d, first);
	digest_int(d, last);
	digest_end(d, out);
	text_base32(l->id, out, 16);
}

/* The record in the log's row n, or that of the item's last version if it is no longer stored. */
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

/* A row of the log, as it is handed out. */
struct given {
	struct result_item item;	/* strings point into id and delivery */
	char		 id[TEXT_BASE32_16], delivery[TEXT_BASE32_16 + 16];
	int64_t		 version, last;	/* rows that have its record; last: of the item's last version */
	int64_t		 source;
	/* Its item's story. */
	int64_t		 story, of_item, items;
	double		 heat, score;
	int		 hidden;
	struct buf	 numbers, face;
};

/* Reads the row. 0, or -1: there is none. */
static int
given_read(struct ledger *l, int64_t n, struct given *g, int64_t *seen)
{
	struct db *db = &l->book->db;
	int64_t revision;
	struct bytes rid;
	struct late late;

	*g = (struct given){ .item = { .n = n }, .version = n };
	buf_init(&g->numbers, RECORD_MAX);
	buf_init(&g->face, RECORD_MAX);
	db_bind(db, SQL_LOG_GET, DB_INT(n));
	if (!db_step(db, SQL_LOG_GET))
		return -1;
	rid = db_blob(db, SQL_LOG_GET, 2);
	if (rid.len != 16)
		fatal("a record's id has %zu bytes", rid.len);
	text_base32(g->id, rid.data, rid.len);
	revision = db_int(db, SQL_LOG_GET, 0);
	g->source = db_int(db, SQL_LOG_GET, 1);
	g->last = db_int(db, SQL_LOG_GET, 4);
	g->items = db_int(db, SQL_LOG_GET, 6);
	g->heat = db_real(db, SQL_LOG_GET, 8);
	g->score = db_real(db, SQL_LOG_GET, 9);
	g->hidden = db_int(db, SQL_LOG_GET, 10) != 0;
	g->story = db_int(db, SQL_LOG_GET, 11);
	g->of_item = db_int(db, SQL_LOG_GET, 12);
	g->item.seen = db_int(db, SQL_LOG_GET, 3);
	if (seen != NULL)
		*seen = verdict_seen_now(l);
	db_done(db, SQL_LOG_GET);
	if (revision < 0) {
		late_read(l, n, &late);
		free(late.reason);
		g->version = late.version;
	}
	g->item.revision = (uint32_t)(revision < 0 ? ~revision : revision);
	g->item.revised = g->item.revision > 0 ?
	    db_get(db, SQL_LOG_AT, g->item.seen, DB_INT(g->version)) : g->item.seen;
	if (g->item.revision > 0)
		snprintf(g->delivery, sizeof(g->delivery), "%s-r%u", g->id, g->item.revision);
	else
		memcpy(g->delivery, g->id, sizeof(g->id));
	g->item.id = g->id;
	g->item.delivery = g->delivery;
	g->item.source = roster_name(l->roster, g->source);
	return 0;
}

static void
given_free(struct given *g)
{
	buf_free(&g->numbers);
	buf_free(&g->face);
}

/* Adds what the item's story tells at this moment. */
static void
given_view(struct ledger *l, const struct ledger_route *r, struct given *g)
{
	const struct item_source *from = roster_get(l->roster, (uint32_t)g->source);
	struct book *book = l->book;
	struct story_view now;

	face_view(book, g->heat, g->score, g->hidden, &now);
	g->item.sources = (uint32_t)g->items;
	g->item.heat = now.heat;
	g->item.score = now.score;
	g->item.rank = now.rank;
	if (g->items > 1 || (from != NULL && from->counters))
		face_numbers(book, g->story, &g->numbers);
	if (g->items > 1 && g->item.record.data != NULL)
		face_fields(book, g->story, g->of_item, g->item.record, r->prefer, r->nprefer, &g->face);
	g->item.numbers = (struct bytes){ g->numbers.len > 0 ? g->numbers.data : NULL, g->numbers.len };
	g->item.face = (struct bytes){ g->face.len > 0 ? g->face.data : NULL, g->face.len };
}

/* Adds what the item's story told when the edition was sealed that has the row, borrowed until
 * SQL_EDITION_VIEW is done. 0, or -1: no edition has it. */
static int
given_sealed(struct ledger *l, struct given *g)
{
	struct db *db = &l->book->db;
	struct result_item was;
	struct bytes view;
	struct wire w;

	db_bind(db, SQL_EDITION_VIEW, DB_INT(g->item.n));
	if (!db_step(db, SQL_EDITION_VIEW))
		return -1;
	view = db_blob(db, SQL_EDITION_VIEW, 0);
	wire_init(&w, view.data, view.len);
	wire_get(&w, result_item, &was);
	if (wire_end(&w) == -1)
		fatal("what the log's row %lld was sealed with is malformed", (long long)g->item.n);
	g->item.revised = was.revised;
	g->item.sources = was.sources;
	g->item.heat = was.heat;
	g->item.score = was.score;
	g->item.rank = was.rank;
	g->item.numbers = was.numbers;
	g->item.face = was.face;
	return 0;
}

int
batch_item(struct ledger *l, const struct ledger_route *r, int64_t n, struct bytes changes,
    struct buf *items, int64_t *seen)
{
	struct db *db = &l->book->db;
	struct given g;
	int rc = given_read(l, n, &g, seen);
	size_t begun;

	if (rc == 0) {
		g.item.changes = changes;
		g.item.record = record_bytes(db, g.version, g.last);
		rc = g.item.record.data != NULL ? 0 : -1;
	}
	if (rc == 0) {
		if (!r->rule.edition || given_sealed(l, &g) == -1)
			given_view(l, r, &g);
		begun = result_begin(items, RESULT_ITEM);
		wire_put(items, result_item, &g.item);
		result_end(items, begun);
		db_done(db, SQL_EDITION_VIEW);
	}
	db_done(db, SQL_RECORD_GET);
	given_free(&g);
	return rc;
}

void
batch_view(struct ledger *l, const struct ledger_route *r, int64_t n, struct buf *view)
{
	struct db *db = &l->book->db;
	struct given g;

	if (given_read(l, n, &g, NULL) == 0) {
		g.item.record = record_bytes(db, g.version, g.last);
		given_view(l, r, &g);
		g.item.record = (struct bytes){ NULL, 0 };
		wire_put(view, result_item, &g.item);
		db_done(db, SQL_RECORD_GET);
	}
	given_free(&g);
}

int
batch_given(struct ledger *l, struct ledger_route *r, int64_t n, struct buf *items)
{
	const struct verdict *v = verdict_of(l, r, n);

	return batch_item(l, r, n, v != NULL ? v->changes : (struct bytes){ NULL, 0 }, items, NULL);
}

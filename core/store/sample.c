/* One marked record by which an operator tests a sink. */
#include "sample.h"
#include "book.h"
#include "ledger.h"
#include "ledger_backlog.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"

#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

#define MARK	"[test] "

/* The newest record that the route kept, with its filters' changes; NULL: none. *source: that of the
 * record. */
static struct cr_record *
newest(struct ledger *l, struct ledger_route *r, int64_t *source)
{
	struct cr_record *rec = NULL, *over;
	struct db *db = &l->book->db;
	const struct verdict *v;

	db_bind(db, SQL_VERDICT_PREV, DB_INT(r->id), DB_INT(route_judged(r)));
	if (db_step(db, SQL_VERDICT_PREV))
		(void)verdicts_read(&r->seen, db_int(db, SQL_VERDICT_PREV, 0),
		    db_int(db, SQL_VERDICT_PREV, 1), db_blob(db, SQL_VERDICT_PREV, 2));
	else
		r->seen.n = 0;
	db_done(db, SQL_VERDICT_PREV);
	for (size_t i = r->seen.n; i-- > 0 && rec == NULL;) {
		v = &r->seen.row[i];
		if (v->verdict != CR_KEEP || (rec = row_record(l, v->n, db_get(db, SQL_LOG_REVISION, 0,
		    DB_INT(v->n)))) == NULL)
			continue;
		*source = db_get(db, SQL_LOG_SOURCE, 0, DB_INT(v->n));
		if (v->changes.len > 0 &&
		    (over = record_read(v->changes.data, v->changes.len)) != NULL) {
			record_overlay(rec, over);
			record_free(over);
		}
	}
	return rec;
}

/* An id that no other record has. */
static void
sample_id(struct ledger *l, char id[TEXT_BASE32_16])
{
	unsigned char out[DIGEST_SIZE];
	struct digest *d = l->book->digest;

	digest_begin(d);
	digest_int(d, l->book->seed);
	digest_str(d, MARK);
	digest_int(d, date_now());
	digest_int(d, date_ticks());
	digest_end(d, out);
	text_base32(id, out, 16);
}

/* The edition that has the sample alone. */
static void
edition_put(struct buf *items)
{
	const struct result_section section = { .title = "", .n = 1 };
	struct result_edition e = { .name = "test", .zone = "UTC", .from = date_now(), .due = date_now(),
		.sealed = date_now() / 1000 * 1000 };
	struct buf b;
	size_t begun;

	buf_init(&b, RECORD_MAX);
	wire_put(&b, result_section, &section);
	e.sections = (struct bytes){ b.data, b.len };
	begun = result_begin(items, RESULT_EDITION);
	wire_put(items, result_edition, &e);
	result_end(items, begun);
	buf_free(&b);
}

/* The one reader of a sample that is mail. */
static void
reader_put(struct ledger *l, const char *address, struct work *w)
{
	const struct mail_reader to = { .reader = "", .address = address, .id = l->id, .leave = "" };

	buf_clear(&l->readers);
	wire_put(&l->readers, mail_reader, &to);
	w->readers = (struct bytes){ l->readers.data, l->readers.len };
}

void
sample_pull(struct ledger *l, struct ledger_route *r, const struct cursor *g, const char *to, struct work *w,
    struct buf *items)
{
	struct result_item item = { .sources = 1, .source = "courant", .seen = date_now() };
	int64_t source = 0;
	struct cr_record *rec = newest(l, r, &source);
	const char *title;
	struct buf blob;
	char *marked;
	size_t begun;

	if (rec == NULL)
		rec = record_new();
	title = record_get(rec, CR_TITLE, 0);
	marked = xasprintf(MARK "%s", title != NULL ? title : "no record of this route yet");
	(void)record_set(rec, CR_TITLE, marked, strlen(marked));
	free(marked);
	sample_id(l, l->id);
	item.id = item.delivery = l->id;
	item.revised = item.seen;
	if (source != 0)
		item.source = roster_name(l->roster, source);
	buf_init(&blob, RECORD_MAX);
	record_write(rec, &blob);
	record_free(rec);
	item.record = (struct bytes){ blob.data, blob.len };
	if (g->takes == CR_BATCH_EDITION)
		edition_put(items);
	if (to != NULL)
		reader_put(l, to, w);
	begun = result_begin(items, RESULT_ITEM);
	wire_put(items, result_item, &item);
	result_end(items, begun);
	buf_free(&blob);
	w->kind = WORK_SAMPLE;
	w->count = 1;
	w->paused = g->paused != PAUSED_NOT;
	w->id = l->id;
}

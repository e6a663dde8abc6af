/* Which old records a sink takes (the option `backlog`), and the record of a row of the log. */
#include "ledger_backlog.h"
#include "book.h"
#include "ledger.h"
#include "ledger_late.h"
#include "record/record.h"

#include <stdlib.h>

struct cr_record *
row_record(struct ledger *l, int64_t n, int64_t revision)
{
	struct late late;

	if (revision < 0) {
		late_read(l, n, &late);
		free(late.reason);
		n = late.version;
	}
	return book_record(l->book, n);
}

static int64_t
dated(struct ledger *l, int64_t n, int64_t revision)
{
	struct cr_record *r = row_record(l, n, revision);
	int64_t when = r != NULL ? record_date(r, CR_NO_TIME) : CR_NO_TIME;

	record_free(r);
	return when;
}

int
cursor_skips(struct ledger *l, const struct cursor *g, int64_t n)
{
	int64_t flags = 0, revision = 0, item = 0, seen = 0, when;
	struct db *db = &l->book->db;

	if (g->backlog == BACKLOG_ALL)
		return 0;
	db_bind(db, SQL_LOG_FLAGS, DB_INT(n));
	if (db_step(db, SQL_LOG_FLAGS)) {
		flags = db_int(db, SQL_LOG_FLAGS, 0);
		revision = db_int(db, SQL_LOG_FLAGS, 1);
		item = db_int(db, SQL_LOG_FLAGS, 2);
		seen = db_int(db, SQL_LOG_FLAGS, 3);
	}
	db_done(db, SQL_LOG_FLAGS);
	if ((flags & LOG_FIRST) == 0)
		return 0;
	if (g->backlog == BACKLOG_COUNT)	/* up to past, cursor_begin() has counted already */
		return n > g->past && flags >> LOG_RANK_SHIFT >= g->backlog_n;
	if (g->backlog == BACKLOG_NONE)
		return 1;
	/* The age at the time when the record could first be delivered: the same for every try. */
	when = dated(l, n, revision);
	return when != CR_NO_TIME && when < (item > g->past ? seen : g->created) - g->backlog_n;
}

const char *
cursor_passed_over(struct ledger *l, const struct cursor *g, int64_t n, int apart)
{
	if (g->begun == -1)
		return NULL;
	if (n <= g->begun)
		return "it came before the sink, whose `backlog` does not reach so far back";
	if (n <= g->delivered &&
	    db_get(&l->book->db, SQL_SKIPPED, INT64_MAX, DB_INT(g->id), DB_INT(n)) <= n)
		return "an operator had the sink skip it (`courant resume --skip-to`)";
	if (apart && g->takes != CR_BATCH_LIST && n <= g->delivered)
		return "it was kept only when the past was refiltered, and the sink had passed it";
	if (cursor_skips(l, g, n))
		return "its source held it when it was first read, and `backlog` leaves that out";
	return NULL;
}

/* Letters of the daemon's own to subscribers, which the sink sends that has these subscribers. */
#include "letters.h"
#include "book.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "readers.h"
#include "subscribers.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "ipc/msg.h"

#include <stdlib.h>

#define UNSENT_MS	INT64_C(60000)	/* until one is handed out again of which nothing was sent; times the attempts */

/* A row of the table letter. */
struct letter_row {
	int64_t		 attempts, made, due;
	int64_t		 patience;	/* ms for which it is tried */
	enum letter_state state;
};

static struct letter_row
letter_get(struct ledger *l, int64_t id)
{
	struct letter_row row = { .state = LETTER_DROPPED };
	struct db *db = &l->book->db;

	db_bind(db, SQL_LETTER_GET, DB_INT(id));
	if (db_step(db, SQL_LETTER_GET))
		row = (struct letter_row){ .attempts = db_int(db, SQL_LETTER_GET, 0),
			.made = db_int(db, SQL_LETTER_GET, 1),
			.state = (enum letter_state)db_int(db, SQL_LETTER_GET, 2),
			.due = db_int(db, SQL_LETTER_GET, 3),
			/* A visitor waits for it; those of an import take their time by the rate. */
			.patience = db_int(db, SQL_LETTER_GET, 4) ? SUBSCRIBER_PATIENCE : SUBSCRIBER_CONFIRM };
	db_done(db, SQL_LETTER_GET);
	return row;
}

static void
letter_set(struct ledger *l, int64_t id, const struct letter_row *row, const char *reply)
{
	l->wrote++;
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_LETTER_SET, DB_INT(id), DB_INT(row->state), DB_INT(row->attempts),
	    DB_INT(row->due), DB_TEXT(reply));
}

static void
token_text(char out[TEXT_BASE32_16], struct bytes token)
{
	out[0] = '\0';
	if (token.len == SUBSCRIBER_TOKEN)
		text_base32(out, token.data, SUBSCRIBER_TOKEN);
}

/* Puts the letter of the row that SQL_LETTER_NEXT is at into the batch. */
static void
letter_fill(struct ledger *l, struct ledger_route *r, struct cursor *g, struct work *w)
{
	const enum sql sql = SQL_LETTER_NEXT;
	struct db *db = &l->book->db;
	char id[TEXT_BASE32_16], key[TEXT_BASE32_16];
	const struct mail_reader to = { .reader = db_text(db, sql, 5), .address = db_text(db, sql, 4), .id = id,
		.leave = key };
	const int64_t n = -db_int(db, sql, 0);

	token_text(key, db_blob(db, sql, 6));
	token_text(l->token, db_blob(db, sql, 7));
	reader_message_id(l, r, g, n, to.reader, id);
	buf_clear(&l->readers);
	wire_put(&l->readers, mail_reader, &to);
	w->readers = (struct bytes){ l->readers.data, l->readers.len };
	w->letter = (uint32_t)db_int(db, sql, 1);
	w->made = db_int(db, sql, 2);
	w->attempt = (uint32_t)db_int(db, sql, 3);
	w->token = w->letter == LETTER_CONFIRM ? l->token : NULL;
	w->kind = WORK_LETTER;
	w->first = w->last = n;
	batch_id(l, r, g, n, n);
	w->id = l->id;
	g->flight[w->lane] = n;
	g->outcomes[w->lane] = 0;
}

/* Whether the letter has waited for so long that nobody waits for it any more. */
static int
is_stale(struct ledger *l, int64_t id, int64_t made)
{
	struct letter_row row;

	if (date_now() - made < SUBSCRIBER_CONFIRM)
		return 0;
	row = letter_get(l, id);
	if (date_now() - made < row.patience)
		return 0;
	row.state = LETTER_DROPPED;
	letter_set(l, id, &row, "expired: it could not be sent in time");
	return 1;
}

int
letters_give(struct ledger *l, struct ledger_route *r, struct cursor *g, struct work *w)
{
	const int64_t now = date_now();
	struct db *db = &l->book->db;
	int64_t id;
	int got = 0;

	db_bind(db, SQL_LETTER_NEXT, DB_INT(r->id), DB_INT(now), DB_INT(now + ACK_DUE_MAX));
	while (!got && db_step(db, SQL_LETTER_NEXT)) {
		id = db_int(db, SQL_LETTER_NEXT, 0);
		if (flight_has(g, -id) || is_stale(l, id, db_int(db, SQL_LETTER_NEXT, 2)))
			continue;
		letter_fill(l, r, g, w);
		got = 1;
	}
	db_done(db, SQL_LETTER_NEXT);
	return got;
}

int64_t
letters_later(struct ledger *l, const struct ledger_route *r)
{
	return db_get(&l->book->db, SQL_LETTER_LATER, 0, DB_INT(r->id), DB_INT(date_now()));
}

int
letters_outcome(struct ledger *l, const struct mail_outcome *o)
{
	struct ledger_route *r = ledger_route(l, o->route);
	struct cursor *g = r != NULL ? ledger_cursor(r, o->sink) : NULL;
	const int64_t now = date_now(), id = -o->n;
	struct letter_row row = letter_get(l, id);
	struct reader_row means;
	int expired = 0;

	if (g == NULL)
		return 0;
	means = reader_judge(o, now, row.attempts, now - row.made, row.patience, &expired);
	row.attempts = means.attempts;
	row.due = means.due;
	db_begin(&l->book->db);
	if (means.state == READER_HAS) {
		if (row.state == LETTER_DUE)
			db_run(&l->book->db, SQL_SUBSCRIBER_LINK, DB_INT(id), DB_INT(now + SUBSCRIBER_CONFIRM));
		row.state = LETTER_SENT;
	} else if (means.state == READER_DEAD)
		row.state = LETTER_DROPPED;
	letter_set(l, id, &row, o->reply);
	if (means.state == READER_DEAD && o->class == MAIL_NO_MAILBOX)
		(void)subscriber_refused(l->book, r->id, o->reader, 1, now);
	for (int i = 0; i < SINK_LANES; i++)
		g->outcomes[i] += g->flight[i] == o->n;
	if (o->class == MAIL_CONFIG || o->class == MAIL_SENDER)
		reader_pause(l, g, xstrdup(o->reply));
	return g->paused != PAUSED_NOT;
}

void
letters_ack(struct ledger *l, const struct ack *a, unsigned outcomes)
{
	struct letter_row row = letter_get(l, -a->first);

	if (row.state != LETTER_DUE || (a->then == ACK_ALL && outcomes > 0))
		return;
	row.attempts++;
	row.due = a->then == ACK_RETRY ? a->due : date_now() + UNSENT_MS * row.attempts;
	if (a->then == ACK_DEAD || a->then == ACK_PARK)
		row.state = LETTER_DROPPED;
	letter_set(l, -a->first, &row, a->then == ACK_ALL ? "its sink wrote no message" : a->reason);
}

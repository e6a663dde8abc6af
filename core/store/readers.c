/* The readers of a sink that writes mail: their rows, retries and dead letters. */
#include "readers.h"
#include "book.h"
#include "ledger.h"
#include "ledger_outbox.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"
#include "ipc/msg.h"

#include <stdlib.h>
#include <string.h>

#define MINUTE		INT64_C(60000)
#define PERHAPS_MS	(15 * MINUTE)		/* until what may have arrived is sent again */
#define REFUSED_MS	(30 * MINUTE)		/* until a replay tries a login again that was refused */
#define AHEAD_MAX	(2 * 66 * MINUTE)	/* a due time further ahead is of a wrong clock */
#define KNOWN_MS	INT64_C(2592000000)	/* for which it is known who has got what: 30 days */
#define REFUSED_LEAST	10			/* dead letters of one edition, of more than a tenth of its */
#define REFUSED_SHARE	10			/* messages: the server refuses us, and not the readers */

/* After so many failed attempts. RFC 5321 4.5.4.1 asks for half an hour between two; what greylists takes the
 * message after some minutes. */
static int64_t
again_in(int64_t attempts)
{
	static const int64_t minutes[] = { 5, 5, 10, 20, 40, 66 };
	const int64_t last = sizeof(minutes) / sizeof(minutes[0]) - 1;

	return minutes[attempts < last ? attempts : last] * MINUTE;
}

/* The id of the message of n to the reader. */
static void
message_id(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n, const char *reader,
    char id[TEXT_BASE32_16])
{
	unsigned char out[DIGEST_SIZE];
	struct digest *d = l->book->digest;

	digest_begin(d);
	digest_int(d, l->book->seed);
	digest_str(d, r->name);
	digest_str(d, g->name);
	digest_int(d, n);
	digest_str(d, reader);
	digest_end(d, out);
	text_base32(id, out, 16);
}

/* The address of a fixed reader of the sink; NULL: it has no such one. */
static const char *
fixed_address(const struct cursor *g, const char *reader)
{
	for (const char *at = g->readers; at < g->readers + g->readers_len;) {
		const char *address = at + strlen(at) + 1;

		if (strcmp(at, reader) == 0)
			return address;
		at = address + strlen(address) + 1;
	}
	return NULL;
}

static void
enrol(struct ledger *l, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;

	l->wrote++;
	db_begin(db);
	db_run(db, SQL_MAILING_ADD, DB_INT(g->id), DB_INT(n), DB_INT(date_now()));
	for (const char *at = g->readers; at < g->readers + g->readers_len;) {
		const char *address = at + strlen(at) + 1;

		db_run(db, SQL_DELIVERY_ADD, DB_INT(g->id), DB_INT(n), DB_TEXT(at), DB_TEXT(address),
		    DB_INT(READER_OPEN));
		at = address + strlen(address) + 1;
	}
}

size_t
readers_give(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t n, int again, int64_t *due)
{
	struct db *db = &l->book->db;
	char id[TEXT_BASE32_16];
	size_t got = 0;
	struct mail_reader to;

	*due = 0;
	buf_clear(&l->readers);
	if (db_get(db, SQL_MAILING_GET, 0, DB_INT(g->id), DB_INT(n)) == 0)
		enrol(l, g, n);
	else if (again && db_get(db, SQL_DELIVERY_OPEN, 0, DB_INT(g->id), DB_INT(n)) == 0) {
		db_begin(db);
		db_run(db, SQL_DELIVERY_AGAIN, DB_INT(g->id), DB_INT(n));
		db_run(db, SQL_MAILING_AGAIN, DB_INT(g->id), DB_INT(n), DB_INT(date_now()));
	}
	db_bind(db, SQL_DELIVERY_DUE, DB_INT(g->id), DB_INT(n), DB_INT(date_now()),
	    DB_INT(date_now() + AHEAD_MAX), DB_INT(MAIL_READERS));
	while (db_step(db, SQL_DELIVERY_DUE)) {
		to = (struct mail_reader){ .reader = db_text(db, SQL_DELIVERY_DUE, 0),
			.address = db_text(db, SQL_DELIVERY_DUE, 1), .id = id, .leave = "", .leave_mail = "" };
		if (fixed_address(g, to.reader) == NULL) {
			db_begin(db);
			db_run(db, SQL_DELIVERY_DROP, DB_INT(g->id), DB_INT(n), DB_TEXT(to.reader));
			continue;
		}
		message_id(l, r, g, n, to.reader, id);
		wire_put(&l->readers, mail_reader, &to);
		got++;
	}
	db_done(db, SQL_DELIVERY_DUE);
	if (got == 0)
		*due = db_get(db, SQL_DELIVERY_NEXT, 0, DB_INT(g->id), DB_INT(n));
	return got;
}

/* ---- Outcomes ---- */

/* A reader's row, as it will be. */
struct reader_row {
	enum reader_state	 state;
	int64_t			 attempts, due;
};

/* What the reply means for the reader; attempts: the failed ones so far; since: the age of the mailing, ms.
 * *expired: it was tried for long enough. */
static struct reader_row
judge(const struct mail_outcome *o, int64_t now, int64_t attempts, int64_t since, int64_t expiry, int *expired)
{
	struct reader_row row = { READER_OPEN, attempts, now };

	switch ((enum mail_class)o->class) {
	case MAIL_ACCEPTED:
		row.state = READER_HAS;
		return row;
	case MAIL_AGAIN:
		row.attempts++;
		row.due = now + again_in(row.attempts);
		break;
	case MAIL_PERHAPS:
		row.state = READER_PERHAPS;
		row.attempts++;
		row.due = now + PERHAPS_MS;
		break;
	case MAIL_SERVER:		/* this was no attempt */
		row.due = o->due > now ? o->due : now + MINUTE;
		return row;
	case MAIL_CONFIG:
	case MAIL_SENDER:		/* nor this, and the sink is paused */
		row.due = now + REFUSED_MS;
		return row;
	case MAIL_NO_MAILBOX:
	case MAIL_REFUSED:
	case MAIL_POLICY:
	case MAIL_BAD:
	case MAIL_TOO_LARGE:
	case MAIL_CLASSES:
	default:
		row.state = READER_DEAD;
		return row;
	}
	if (since >= expiry) {
		row.state = READER_DEAD;
		*expired = 1;
	}
	return row;
}

/* Whether of what n is to its readers so much was refused that it is we who are. */
static int
is_refused(struct ledger *l, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t dead = 0, accepted = 0;

	db_bind(db, SQL_MAILING_STAND, DB_INT(g->id), DB_INT(n));
	if (db_step(db, SQL_MAILING_STAND)) {
		accepted = db_int(db, SQL_MAILING_STAND, 0);
		dead = db_int(db, SQL_MAILING_STAND, 1);
	}
	db_done(db, SQL_MAILING_STAND);
	return dead >= REFUSED_LEAST && dead * REFUSED_SHARE > dead + accepted;
}

/* Whether the reply concerns all of the sink's mail: it pauses. */
static void
pause_for(struct ledger *l, struct cursor *g, const struct mail_outcome *o, enum reader_state state)
{
	char *why = NULL;

	if (g->paused != PAUSED_NOT)
		return;
	if (o->class == MAIL_CONFIG || o->class == MAIL_SENDER)
		why = xstrdup(o->reply);
	else if (state == READER_DEAD && is_refused(l, g, o->n))
		why = xasprintf("more than a tenth of the readers were refused, the last with: %s", o->reply);
	if (why == NULL)
		return;
	log_warn("%s: paused until `courant resume`: %s", g->name, why);
	cursor_pause(g, PAUSED_GONE, why);
	cursor_save(l, g);
}

int
readers_outcome(struct ledger *l, const struct mail_outcome *o)
{
	struct ledger_route *r = ledger_route(l, o->route);
	struct cursor *g = r != NULL ? ledger_cursor(r, o->sink) : NULL;
	struct db *db = &l->book->db;
	const int64_t now = date_now();
	int64_t begun, attempts = 0;
	const char *reply = o->reply;
	struct reader_row row;
	char *said = NULL;
	int expired = 0;

	if (g == NULL)
		return 0;		/* a reload took the sink away meanwhile */
	begun = db_get(db, SQL_MAILING_GET, now, DB_INT(g->id), DB_INT(o->n));
	attempts = db_get(db, SQL_DELIVERY_GET, 0, DB_INT(g->id), DB_INT(o->n), DB_TEXT(o->reader));
	row = judge(o, now, attempts, now - begun, g->expiry, &expired);
	if (expired)
		reply = said = xasprintf("expired: %s", o->reply);
	db_begin(db);
	l->wrote++;
	if (o->class == MAIL_TOO_LARGE)
		readers_bury(l, g, o->n, o->reply);
	db_run(db, SQL_DELIVERY_SET, DB_INT(g->id), DB_INT(o->n), DB_TEXT(o->reader), DB_INT(row.state),
	    DB_INT(row.attempts), DB_INT(row.due), DB_INT(o->code), DB_TEXT(reply), DB_INT(now));
	free(said);
	if (row.state == READER_HAS || row.state == READER_DEAD)
		db_run(db, SQL_MAILING_COUNT, DB_INT(g->id), DB_INT(o->n), DB_INT(row.state == READER_HAS),
		    DB_INT(row.state == READER_DEAD));
	for (int i = 0; i < SINK_LANES; i++)
		g->outcomes[i] += g->flight[i] == o->n || (i == 0 && g->replaying && g->batch[0] == o->n);
	if (o->class == MAIL_ACCEPTED)
		g->failing = g->failed = 0;
	pause_for(l, g, o, row.state);
	return g->paused != PAUSED_NOT;
}

int
readers_expired(struct ledger *l, const struct cursor *g, int64_t n)
{
	const int64_t now = date_now();

	return now - db_get(&l->book->db, SQL_MAILING_GET, now, DB_INT(g->id), DB_INT(n)) >= g->expiry;
}

void
readers_resume(struct ledger *l, const struct cursor *g)
{
	struct db *db = &l->book->db;

	db_begin(db);
	db_run(db, SQL_DELIVERY_NOW, DB_INT(g->id));
	db_run(db, SQL_MAILING_ANEW, DB_INT(g->id));
	db_run(db, SQL_OUTBOX_REPLAY_NOW, DB_INT(g->id));
}

void
readers_bury(struct ledger *l, const struct cursor *g, int64_t n, const char *reason)
{
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_DELIVERY_BURY, DB_INT(g->id), DB_INT(n), DB_TEXT(reason), DB_INT(date_now()));
}

/* ---- How it stands ---- */

char *
readers_row(struct ledger *l, const struct cursor *g, int64_t n, struct outbox_row *row)
{
	struct db *db = &l->book->db;
	const char *reply;
	char *reason = NULL;
	int64_t dead = 0;

	row->due = db_get(db, SQL_DELIVERY_NEXT, 0, DB_INT(g->id), DB_INT(n));
	db_bind(db, SQL_DELIVERY_LAST, DB_INT(g->id), DB_INT(n), DB_INT(row->due > 0));
	if (db_step(db, SQL_DELIVERY_LAST) && (dead = db_int(db, SQL_DELIVERY_LAST, 0)) > 0) {
		reply = db_text(db, SQL_DELIVERY_LAST, 1);
		reason = dead == 1 ? xasprintf("one reader: %s", reply != NULL ? reply : "") :
		    xasprintf("%lld readers, the last: %s", (long long)dead, reply != NULL ? reply : "");
	}
	db_done(db, SQL_DELIVERY_LAST);
	row->reason = reason;
	if (row->due > 0)
		row->state = row->state == PENDING_REPLAY ? PENDING_REPLAY : PENDING_RETRY;
	else
		row->state = dead > 0 ? PENDING_DEAD : 0;
	if (row->state == 0)
		readers_end(l, g, n);
	return reason;
}

void
readers_end(struct ledger *l, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;

	db_begin(db);
	db_run(db, SQL_MAILING_DEL, DB_INT(g->id), DB_INT(n));
	db_run(db, SQL_DELIVERY_DEL, DB_INT(g->id), DB_INT(n));
	db_run(db, SQL_DELIVERY_FORGET, DB_INT(g->id), DB_INT(date_now() - KNOWN_MS));
}

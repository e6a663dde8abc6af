/* The readers of a sink that writes mail: their rows, retries and dead letters. */
#include "readers.h"
#include "book.h"
#include "ledger.h"
#include "ledger_outbox.h"
#include "subscribers.h"
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
#define FAN_WINDOW	1000			/* subscribers who get rows at once */

/* After so many failed attempts. RFC 5321 4.5.4.1 asks for half an hour between two; what greylists takes the
 * message after some minutes. */
static int64_t
again_in(int64_t attempts)
{
	static const int64_t minutes[] = { 5, 5, 10, 20, 40, 66 };
	const int64_t last = sizeof(minutes) / sizeof(minutes[0]) - 1;

	return minutes[attempts < last ? attempts : last] * MINUTE;
}

void
reader_message_id(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n, const char *reader,
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

/* The first time: rows of the fixed readers; subscribers get theirs as it is their turn. */
static void
enrol(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t fan = g->subscribe ? db_get(db, SQL_SUBSCRIBER_LAST, 0, DB_INT(r->id)) : 0;

	l->wrote++;
	db_begin(db);
	db_run(db, SQL_DELIVERY_CLEAR, DB_INT(g->id), DB_INT(n));
	db_run(db, SQL_MAILING_ADD, DB_INT(g->id), DB_INT(n), DB_INT(date_now()), DB_INT(fan));
	for (const char *at = g->readers; at < g->readers + g->readers_len;) {
		const char *address = at + strlen(at) + 1;

		db_run(db, SQL_DELIVERY_ADD, DB_INT(g->id), DB_INT(n), DB_TEXT(at), DB_TEXT(address),
		    DB_INT(READER_OPEN));
		at = address + strlen(address) + 1;
	}
}

/* The next subscribers get rows. 0: all have been through. */
static int
fan_out(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t fan = 0, fanned = 0, last;

	db_bind(db, SQL_MAILING_FAN, DB_INT(g->id), DB_INT(n));
	if (db_step(db, SQL_MAILING_FAN)) {
		fan = db_int(db, SQL_MAILING_FAN, 0);
		fanned = db_int(db, SQL_MAILING_FAN, 1);
	}
	db_done(db, SQL_MAILING_FAN);
	if (fanned >= fan)
		return 0;
	last = !g->subscribe ? fan : db_get(db, SQL_SUBSCRIBER_NTH, fan, DB_INT(r->id), DB_INT(fanned),
	    DB_INT(fan), DB_INT(FAN_WINDOW - 1));
	l->wrote++;
	db_begin(db);
	if (g->subscribe)
		db_run(db, SQL_DELIVERY_FAN, DB_INT(g->id), DB_INT(n), DB_INT(r->id), DB_INT(fanned), DB_INT(last));
	db_run(db, SQL_MAILING_FANNED, DB_INT(g->id), DB_INT(n), DB_INT(last));
	return 1;
}

/* Completes who is to get it: the address, and the key by which a subscriber leaves. -1: it is no reader any
 * more. */
static int
reader_find(struct ledger *l, const struct ledger_route *r, const struct cursor *g, struct mail_reader *to,
    struct subscriber *s, char key[TEXT_BASE32_16])
{
	to->leave = "";
	if (fixed_address(g, to->reader) != NULL)
		return 0;
	if (!g->subscribe || !subscriber_find(l->book, r->id, to->reader, s) || s->state != SUBSCRIBER_ACTIVE)
		return -1;
	text_base32(key, s->leave, sizeof(s->leave));
	to->address = s->address;
	to->leave = key;
	return 0;
}

/* Those whose rows are due, at most MAIL_READERS. */
static size_t
due_give(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n)
{
	const int64_t now = date_now();
	struct db *db = &l->book->db;
	char id[TEXT_BASE32_16], key[TEXT_BASE32_16];
	struct mail_reader to;
	struct subscriber s;
	size_t got = 0;

	buf_clear(&l->readers);
	db_bind(db, SQL_DELIVERY_DUE, DB_INT(g->id), DB_INT(n), DB_INT(now), DB_INT(now + AHEAD_MAX),
	    DB_INT(MAIL_READERS));
	while (db_step(db, SQL_DELIVERY_DUE)) {
		to = (struct mail_reader){ .reader = db_text(db, SQL_DELIVERY_DUE, 0),
			.address = db_text(db, SQL_DELIVERY_DUE, 1), .id = id };
		if (reader_find(l, r, g, &to, &s, key) == -1) {
			db_begin(db);
			db_run(db, SQL_DELIVERY_DROP, DB_INT(g->id), DB_INT(n), DB_TEXT(to.reader));
			continue;
		}
		reader_message_id(l, r, g, n, to.reader, id);
		wire_put(&l->readers, mail_reader, &to);
		got++;
	}
	db_done(db, SQL_DELIVERY_DUE);
	return got;
}

size_t
readers_give(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t n, int again, int64_t *due)
{
	struct db *db = &l->book->db;
	size_t got;

	*due = 0;
	if (db_get(db, SQL_MAILING_GET, 0, DB_INT(g->id), DB_INT(n)) == 0)
		enrol(l, r, g, n);
	else if (again && db_get(db, SQL_DELIVERY_OPEN, 0, DB_INT(g->id), DB_INT(n)) == 0) {
		db_begin(db);
		db_run(db, SQL_DELIVERY_AGAIN, DB_INT(g->id), DB_INT(n));
		db_run(db, SQL_MAILING_AGAIN, DB_INT(g->id), DB_INT(n), DB_INT(date_now()));
	}
	do
		got = due_give(l, r, g, n);
	while (got < MAIL_READERS && fan_out(l, r, g, n));
	if (got == 0)
		*due = db_get(db, SQL_DELIVERY_NEXT, 0, DB_INT(g->id), DB_INT(n));
	return got;
}

/* ---- Outcomes ---- */

struct reader_row
reader_judge(const struct mail_outcome *o, int64_t now, int64_t attempts, int64_t since, int64_t expiry, int *expired)
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

void
reader_pause(struct ledger *l, struct cursor *g, char *why)
{
	if (g->paused != PAUSED_NOT) {
		free(why);
		return;
	}
	log_warn("%s: paused until `courant resume`: %s", g->name, why);
	cursor_pause(g, PAUSED_GONE, why);
	cursor_save(l, g);
}

/* What became of a subscriber's message tells of the mailbox, unless it is we who are refused: then nobody is
 * suppressed, and what this mailing did to others before is undone. */
static void
subscriber_learns(struct ledger *l, const struct ledger_route *r, const struct cursor *g, const struct mail_outcome *o,
    enum reader_state state, int refused)
{
	struct db *db = &l->book->db;
	int effect;

	if (state == READER_DEAD && refused) {
		db_run(db, SQL_SUBSCRIBER_RISE, DB_INT(r->id), DB_INT(g->id), DB_INT(o->n));
		db_run(db, SQL_SUBSCRIBER_SOFTER, DB_INT(r->id), DB_INT(g->id), DB_INT(o->n));
		db_run(db, SQL_DELIVERY_EFFECTS_END, DB_INT(g->id), DB_INT(o->n));
		return;
	}
	if (!g->subscribe || fixed_address(g, o->reader) != NULL)
		return;
	if (state == READER_HAS)
		db_run(db, SQL_SUBSCRIBER_TAKES, DB_INT(r->id), DB_TEXT(o->reader));
	if (state != READER_DEAD || (o->class != MAIL_NO_MAILBOX && o->class != MAIL_REFUSED))
		return;
	effect = subscriber_refused(l->book, r->id, o->reader, o->class == MAIL_NO_MAILBOX, date_now());
	db_run(db, SQL_DELIVERY_EFFECT, DB_INT(g->id), DB_INT(o->n), DB_TEXT(o->reader), DB_INT(effect));
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
	int expired = 0, refused;

	if (g == NULL)
		return 0;		/* a reload took the sink away meanwhile */
	begun = db_get(db, SQL_MAILING_GET, now, DB_INT(g->id), DB_INT(o->n));
	attempts = db_get(db, SQL_DELIVERY_GET, 0, DB_INT(g->id), DB_INT(o->n), DB_TEXT(o->reader));
	row = reader_judge(o, now, attempts, now - begun, g->expiry, &expired);
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
	refused = row.state == READER_DEAD && is_refused(l, g, o->n);
	subscriber_learns(l, r, g, o, row.state, refused);
	if (o->class == MAIL_CONFIG || o->class == MAIL_SENDER)
		reader_pause(l, g, xstrdup(o->reply));
	else if (refused)
		reader_pause(l, g, xasprintf("more than a tenth of the readers were refused, the last with: %s",
		    o->reply));
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
	db_run(db, SQL_LETTERS_NOW);
	db_run(db, SQL_MAILING_ANEW, DB_INT(g->id));
	db_run(db, SQL_OUTBOX_REPLAY_NOW, DB_INT(g->id));
}

void
readers_forget(struct ledger *l, struct ledger_route *r, const char *reader)
{
	for (uint32_t i = 0; i < r->nsinks; i++)
		if (fixed_address(ledger_cursor(r, i), reader) != NULL)
			return;		/* the configuration has it, too */
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_DELIVERY_UNKNOWN, DB_INT(r->id), DB_TEXT(reader));
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
	enum sql sql;

	row->due = db_get(db, SQL_DELIVERY_NEXT, 0, DB_INT(g->id), DB_INT(n));
	if (db_get(db, SQL_MAILING_LEFT, 0, DB_INT(g->id), DB_INT(n)) != 0)
		row->due = 1;		/* there are subscribers without a row so far */
	sql = row->due > 0 ? SQL_DELIVERY_FAILED : SQL_DELIVERY_DEAD;
	db_bind(db, sql, DB_INT(g->id), DB_INT(n));
	if (db_step(db, sql) && (dead = db_int(db, sql, 0)) > 0) {
		reply = db_text(db, sql, 1);
		reason = dead == 1 ? xasprintf("one reader: %s", reply != NULL ? reply : "") :
		    xasprintf("%lld readers, the last: %s", (long long)dead, reply != NULL ? reply : "");
	}
	db_done(db, sql);
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

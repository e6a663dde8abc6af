/* The subscribers of routes: their states and what changes them, the letters that are due to them, and
 * the limits on these.
 *
 * A row is made by the first request, and becomes active by the confirmation alone. One that left,
 * bounced or is blocked keeps that state until the reader confirms anew: a request only adds a token to
 * it. A forgotten address leaves a hash, so that an import cannot bring it back. No address is ever
 * written to the log. */
#include "subscribers.h"
#include "book.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define HOUR		INT64_C(3600000)
#define DAY		(24 * HOUR)
#define MONTH		(30 * DAY)
#define TIDY_MAX	1000		/* pending rows that are removed at once */
#define SAME_KEY_MAX	1000		/* rows of one leave key, or of one address */

/* ---- Rows ---- */

static void
token_new(unsigned char token[SUBSCRIBER_TOKEN])
{
	if (getrandom(token, SUBSCRIBER_TOKEN, 0) != SUBSCRIBER_TOKEN)
		fatal("getrandom: %s", strerror(errno));
}

static void
text_column(struct db *db, enum sql sql, int column, char *to, size_t size)
{
	const char *s = db_text(db, sql, column);

	snprintf(to, size, "%s", s != NULL ? s : "");
}

static int
token_column(struct db *db, enum sql sql, int column, unsigned char token[SUBSCRIBER_TOKEN])
{
	struct bytes b = db_blob(db, sql, column);

	if (b.len != SUBSCRIBER_TOKEN)
		return 0;
	memcpy(token, b.data, SUBSCRIBER_TOKEN);
	return 1;
}

/* Reads the row of a statement that gives columns of a subscriber. 0: there are no more. */
int
subscriber_step(struct book *b, int statement, struct subscriber *s)
{
	const enum sql sql = (enum sql)statement;
	struct db *db = &b->db;

	if (!db_step(db, sql))
		return 0;
	*s = (struct subscriber){ .id = db_int(db, sql, 0), .route = db_int(db, sql, 1),
		.state = (int)db_int(db, sql, 4), .confirm_until = db_int(db, sql, 7),
		.asked = db_int(db, sql, 8), .confirmed = db_int(db, sql, 10),
		.gone = db_int(db, sql, 12), .soft = (int)db_int(db, sql, 13),
		.softened = db_int(db, sql, 14) };
	text_column(db, sql, 2, s->key, sizeof(s->key));
	text_column(db, sql, 3, s->address, sizeof(s->address));
	(void)token_column(db, sql, 5, s->leave);
	s->unconfirmed = token_column(db, sql, 6, s->confirm);
	text_column(db, sql, 9, s->asked_from, sizeof(s->asked_from));
	text_column(db, sql, 11, s->confirmed_from, sizeof(s->confirmed_from));
	return 1;
}

/* The only row of a statement that was bound. */
static int
subscriber_only(struct book *b, enum sql sql, struct subscriber *s)
{
	int rc = subscriber_step(b, (int)sql, s);

	db_done(&b->db, sql);
	return rc;
}

int
subscriber_find(struct book *b, int64_t route, const char *address, struct subscriber *s)
{
	char key[MAILBOX_MAX + 1];

	(void)mailbox_key(key, address);
	db_bind(&b->db, SQL_SUBSCRIBER_KEY, DB_INT(route), DB_TEXT(key));
	if (subscriber_only(b, SQL_SUBSCRIBER_KEY, s))
		return 1;
	*s = (struct subscriber){ .route = route, .state = SUBSCRIBER_PENDING };
	snprintf(s->key, sizeof(s->key), "%s", key);
	snprintf(s->address, sizeof(s->address), "%s", address);
	token_new(s->leave);
	return 0;
}

void
subscriber_list(struct book *b, int64_t route, int64_t after, int64_t max)
{
	db_bind(&b->db, SQL_SUBSCRIBER_AFTER, DB_INT(route), DB_INT(after), DB_INT(max));
}

void
subscriber_save(struct book *b, struct subscriber *s)
{
	const void *confirm = s->unconfirmed ? s->confirm : NULL;

	db_begin(&b->db);
	if (s->id != 0) {
		db_run(&b->db, SQL_SUBSCRIBER_SET, DB_INT(s->id), DB_TEXT(s->address),
		    DB_INT(s->state), DB_BLOB(s->leave, sizeof(s->leave)),
		    DB_BLOB(confirm, sizeof(s->confirm)), DB_INT(s->confirm_until),
		    DB_INT(s->asked), DB_TEXT(s->asked_from), DB_INT(s->confirmed),
		    DB_TEXT(s->confirmed_from), DB_INT(s->gone), DB_INT(s->soft),
		    DB_INT(s->softened));
		return;
	}
	db_run(&b->db, SQL_SUBSCRIBER_ADD, DB_INT(s->route), DB_TEXT(s->key), DB_TEXT(s->address),
	    DB_INT(s->state), DB_BLOB(s->leave, sizeof(s->leave)),
	    DB_BLOB(confirm, sizeof(s->confirm)), DB_INT(s->confirm_until), DB_INT(s->asked),
	    DB_TEXT(s->asked_from), DB_INT(s->confirmed), DB_TEXT(s->confirmed_from),
	    DB_INT(s->gone), DB_INT(s->soft), DB_INT(s->softened));
	s->id = db_last(&b->db);
}

/* The address as the tables suppressed and letter know it: a hash with a key of this database. */
static void
address_hash(struct book *b, const char *key, unsigned char hash[DIGEST_SIZE])
{
	digest_begin(b->digest);
	digest_int(b->digest, db_get(&b->db, SQL_META_GET, 0, DB_TEXT("suppress")));
	digest_str(b->digest, key);
	digest_end(b->digest, hash);
}

int
subscriber_suppressed(struct book *b, const struct subscriber *s)
{
	unsigned char hash[DIGEST_SIZE];

	address_hash(b, s->key, hash);
	return (int)db_get(&b->db, SQL_SUPPRESSED_GET, 0, DB_INT(s->route),
	    DB_BLOB(hash, sizeof(hash)));
}

static void
suppressed_end(struct book *b, const struct subscriber *s)
{
	unsigned char hash[DIGEST_SIZE];

	address_hash(b, s->key, hash);
	db_run(&b->db, SQL_SUPPRESSED_DEL, DB_INT(s->route), DB_BLOB(hash, sizeof(hash)));
}

/* ---- Letters ---- */

/* Whether one more letter to the address, asked for from that network, is over a limit. Letters of a time
 * to come, by a clock that was wrong, count as far as the limit reaches. */
static int
letter_over(struct book *b, const unsigned char hash[DIGEST_SIZE], const char *network, int64_t now)
{
	struct db *db = &b->db;
	const struct db_arg address = DB_BLOB(hash, DIGEST_SIZE), from = DB_TEXT(network);

	return db_get(db, SQL_LETTER_ADDRESS, 0, address, DB_INT(now - DAY), DB_INT(now + DAY)) >=
		LETTERS_DAY ||
	    db_get(db, SQL_LETTER_ADDRESS, 0, address, DB_INT(now - MONTH), DB_INT(now + MONTH)) >=
		LETTERS_MONTH ||
	    db_get(db, SQL_LETTER_NETWORK, 0, from, DB_INT(now - HOUR), DB_INT(now + HOUR)) >=
		LETTERS_NETWORK ||
	    db_get(db, SQL_LETTER_ALL, 0, DB_INT(now - HOUR), DB_INT(now + HOUR)) >= LETTERS_HOUR;
}

/* Makes a letter due. A row that is asked to confirm gets a new token, which ends the one before. */
static void
letter_due(struct book *b, struct subscriber *s, enum letter_kind kind, const char *network,
    int64_t now)
{
	unsigned char hash[DIGEST_SIZE];

	if (kind == LETTER_CONFIRM) {
		token_new(s->confirm);
		s->unconfirmed = 1;
		s->confirm_until = now + SUBSCRIBER_CONFIRM;
		s->asked = now;
		snprintf(s->asked_from, sizeof(s->asked_from), "%s",
		    network[0] != '\0' ? network : "operator");
		subscriber_save(b, s);
	}
	db_begin(&b->db);
	address_hash(b, s->key, hash);
	db_run(&b->db, SQL_LETTER_DROP, DB_INT(s->id));
	db_run(&b->db, SQL_LETTER_ADD, DB_INT(s->id), DB_BLOB(hash, sizeof(hash)), DB_INT(s->route),
	    DB_INT(kind), DB_INT(now), DB_TEXT(network));
}

/* ---- What changes them ---- */

enum subscriber_did
subscriber_ask(struct book *b, int64_t route, const char *address, const char *network, int64_t now)
{
	unsigned char hash[DIGEST_SIZE];
	struct subscriber s;
	int had = subscriber_find(b, route, address, &s);

	if (s.state == SUBSCRIBER_BLOCKED ||
	    (!had && subscriber_suppressed(b, &s) == SUBSCRIBER_BLOCKED))
		return DID_BLOCKED;
	address_hash(b, s.key, hash);
	if (network[0] != '\0' && letter_over(b, hash, network, now))
		return DID_LIMIT;
	if (s.state == SUBSCRIBER_ACTIVE) {
		if (network[0] == '\0')
			return DID_NOTHING;
		letter_due(b, &s, LETTER_ALREADY, network, now);
		return DID_TELL;
	}
	letter_due(b, &s, LETTER_CONFIRM, network, now);
	return DID_ASK;
}

/* Ends what is under way with the row: its token, and letters that were not sent. */
static void
subscriber_settle(struct book *b, struct subscriber *s, int state)
{
	s->state = state;
	s->unconfirmed = 0;
	s->confirm_until = 0;
	subscriber_save(b, s);
	db_run(&b->db, SQL_LETTER_DROP, DB_INT(s->id));
}

enum subscriber_did
subscriber_raise(struct book *b, struct subscriber *s, const char *by, int64_t now)
{
	if (s->id != 0 && s->state == SUBSCRIBER_ACTIVE)
		return DID_NOTHING;
	s->confirmed = now;
	snprintf(s->confirmed_from, sizeof(s->confirmed_from), "%s", by);
	s->gone = s->softened = 0;
	s->soft = 0;
	subscriber_settle(b, s, SUBSCRIBER_ACTIVE);
	suppressed_end(b, s);
	return DID_IT;
}

enum subscriber_did
subscriber_confirm(struct book *b, const void *token, const char *network, int64_t now)
{
	struct subscriber s;

	db_bind(&b->db, SQL_SUBSCRIBER_CONFIRM, DB_BLOB(token, SUBSCRIBER_TOKEN));
	if (!subscriber_only(b, SQL_SUBSCRIBER_CONFIRM, &s) || now > s.confirm_until ||
	    s.state == SUBSCRIBER_BLOCKED)
		return DID_NOTHING;
	return subscriber_raise(b, &s, network, now);
}

/* Its reader wants no more, or an operator says so. */
static enum subscriber_did
subscriber_end(struct book *b, struct subscriber *s, int state, int64_t now)
{
	if (s->state == state || s->state == SUBSCRIBER_BLOCKED)
		return DID_NOTHING;
	s->gone = now;
	subscriber_settle(b, s, state);
	return DID_IT;
}

enum subscriber_did
subscriber_leave(struct book *b, const void *key, int64_t now)
{
	enum subscriber_did did = DID_NOTHING;
	struct subscriber s = { .id = 0 };

	for (int n = 0; n < SAME_KEY_MAX; n++) {
		db_bind(&b->db, SQL_SUBSCRIBER_LEAVE, DB_BLOB(key, SUBSCRIBER_TOKEN), DB_INT(s.id));
		if (!subscriber_only(b, SQL_SUBSCRIBER_LEAVE, &s))
			break;
		/* One that bounced has nothing to leave, and stays known as such. */
		if (s.state == SUBSCRIBER_BOUNCED && !s.unconfirmed)
			continue;
		if (subscriber_end(b, &s, s.unconfirmed || s.state == SUBSCRIBER_PENDING ?
			SUBSCRIBER_BLOCKED : SUBSCRIBER_LEFT, now) == DID_IT)
			did = DID_IT;
	}
	return did;
}

enum subscriber_did
subscriber_remove(struct book *b, struct subscriber *s, int64_t now)
{
	return subscriber_end(b, s, SUBSCRIBER_LEFT, now);
}

/* Deletes the row. Its letters stay, since limits count them, but are not sent. */
static void
subscriber_delete(struct book *b, int64_t id)
{
	db_begin(&b->db);
	db_run(&b->db, SQL_LETTER_DROP, DB_INT(id));
	db_run(&b->db, SQL_LETTER_ORPHAN, DB_INT(id));
	db_run(&b->db, SQL_SUBSCRIBER_DEL, DB_INT(id));
}

void
subscriber_forget(struct book *b, struct subscriber *s, int64_t now)
{
	unsigned char hash[DIGEST_SIZE];

	subscriber_delete(b, s->id);
	address_hash(b, s->key, hash);
	db_run(&b->db, SQL_SUPPRESSED_SET, DB_INT(s->route), DB_BLOB(hash, sizeof(hash)),
	    DB_INT(s->state), DB_INT(now));
}

/* ---- Import ---- */

static int
is_over(int state)
{
	return state == SUBSCRIBER_LEFT || state == SUBSCRIBER_BOUNCED || state == SUBSCRIBER_BLOCKED;
}

/* Whether a row of another address has the leave key. */
static int
leave_taken(struct book *b, const unsigned char *leave, const char *key)
{
	struct subscriber s;

	db_bind(&b->db, SQL_SUBSCRIBER_LEAVE, DB_BLOB(leave, SUBSCRIBER_TOKEN), DB_INT(0));
	return subscriber_only(b, SQL_SUBSCRIBER_LEAVE, &s) && strcmp(s.key, key) != 0;
}

/* Of an address that has a row here. */
static enum subscriber_imported
import_again(struct book *b, struct subscriber *s, const struct subscriber_import *in, int64_t now)
{
	if (is_over(s->state))
		return s->state == in->state ? IMPORTED_SAME : IMPORTED_KEPT;
	if (is_over(in->state)) {
		s->gone = in->gone > 0 ? in->gone : now;
		subscriber_settle(b, s, in->state);
		return IMPORTED_LOWERED;
	}
	if (s->state == SUBSCRIBER_ACTIVE || !in->consent || in->state == SUBSCRIBER_PENDING)
		return IMPORTED_SAME;
	(void)subscriber_raise(b, s, "import", in->confirmed > 0 ? in->confirmed : now);
	return IMPORTED_ADDED;
}

enum subscriber_imported
subscriber_import(struct book *b, int64_t route, const struct subscriber_import *in, int64_t now)
{
	struct subscriber s;

	if (subscriber_find(b, route, in->address, &s))
		return import_again(b, &s, in, now);
	if (subscriber_suppressed(b, &s) != 0)
		return IMPORTED_FORGOTTEN;
	if (in->leave != NULL) {
		if (leave_taken(b, in->leave, s.key))
			return IMPORTED_KEY;
		memcpy(s.leave, in->leave, sizeof(s.leave));
	}
	s.asked = in->asked > 0 ? in->asked : now;
	snprintf(s.asked_from, sizeof(s.asked_from), "import");
	if (is_over(in->state)) {
		s.confirmed = in->confirmed;
		s.gone = in->gone > 0 ? in->gone : now;
		subscriber_settle(b, &s, in->state);
		return IMPORTED_ADDED;
	}
	if (in->consent && in->state != SUBSCRIBER_PENDING) {
		(void)subscriber_raise(b, &s, "import", in->confirmed > 0 ? in->confirmed : now);
		return IMPORTED_ADDED;
	}
	letter_due(b, &s, LETTER_CONFIRM, "", now);
	return IMPORTED_ASKED;
}

/* ---- Bounces ---- */

/* What a status means for the reader (RFC 3463): 5.1.x is about the address; 5.7.x is about us. Returns enum
 * subscriber_effect, or'ed. */
static int
bounce_one(struct book *b, struct subscriber *s, const char *status, int64_t now)
{
	int effect = EFFECT_BOUNCED;

	if (is_over(s->state) || strncmp(status, "5.", 2) != 0 || strncmp(status, "5.7.", 4) == 0)
		return 0;
	if (strncmp(status, "5.1.", 4) != 0) {
		if (s->soft == 0 || s->softened > now)
			s->softened = now;
		s->soft++;
		if (s->soft < SUBSCRIBER_SOFT || now - s->softened < SUBSCRIBER_SOFT_MS) {
			subscriber_save(b, s);
			return EFFECT_SOFT;
		}
		effect |= EFFECT_SOFT;
	}
	s->gone = now;
	subscriber_settle(b, s, SUBSCRIBER_BOUNCED);
	return effect;
}

int
subscriber_refused(struct book *b, int64_t route, const char *key, int no_mailbox, int64_t now)
{
	struct subscriber s;

	if (!subscriber_find(b, route, key, &s))
		return 0;
	return bounce_one(b, &s, no_mailbox ? "5.1.1" : "5.0.0", now);
}

size_t
subscriber_bounce(struct book *b, const void *key, const char *address, const char *status,
    int64_t now, void (*tell)(void *, const struct subscriber *), void *arg)
{
	const enum sql sql = key != NULL ? SQL_SUBSCRIBER_LEAVE : SQL_SUBSCRIBER_ALL;
	char wanted[MAILBOX_MAX + 1] = "";
	struct subscriber s = { .id = 0 };
	size_t n;

	if (key == NULL)
		(void)mailbox_key(wanted, address);
	for (n = 0; n < SAME_KEY_MAX; n++) {
		if (key != NULL)
			db_bind(&b->db, sql, DB_BLOB(key, SUBSCRIBER_TOKEN), DB_INT(s.id));
		else
			db_bind(&b->db, sql, DB_TEXT(wanted), DB_INT(s.id));
		if (!subscriber_only(b, sql, &s))
			break;
		(void)bounce_one(b, &s, status, now);
		tell(arg, &s);
	}
	return n;
}

/* ---- All of them ---- */

void
subscribers_tidy(struct book *b, int64_t now)
{
	int64_t id;

	for (int n = 0; n < TIDY_MAX; n++) {
		id = db_get(&b->db, SQL_SUBSCRIBER_OLD, 0, DB_INT(now - SUBSCRIBER_PATIENCE), DB_INT(now),
		    DB_INT(now + SUBSCRIBER_CONFIRM));
		if (id == 0)
			break;
		subscriber_delete(b, id);
	}
	if (db_get(&b->db, SQL_LETTERS_LAST, now, DB_INT(0)) < now - MONTH - DAY) {
		db_begin(&b->db);
		db_run(&b->db, SQL_LETTERS_OLD, DB_INT(now - MONTH - DAY));
	}
}

void
subscribers_count(struct book *b, int64_t route, struct route_count *c)
{
	struct db *db = &b->db;
	uint64_t n;

	db_bind(db, SQL_SUBSCRIBER_COUNTS, DB_INT(route));
	while (db_step(db, SQL_SUBSCRIBER_COUNTS)) {
		n = (uint64_t)db_int(db, SQL_SUBSCRIBER_COUNTS, 1);
		switch (db_int(db, SQL_SUBSCRIBER_COUNTS, 0)) {
		case SUBSCRIBER_PENDING:
			c->pending = n;
			break;
		case SUBSCRIBER_ACTIVE:
			c->active = n;
			break;
		case SUBSCRIBER_LEFT:
			c->left = n;
			break;
		case SUBSCRIBER_BOUNCED:
			c->bounced = n;
			break;
		default:
			c->blocked = n;
		}
	}
}

enum consented
subscribers_consent(struct book *b, int64_t route, const struct consent *c, int64_t now)
{
	char why[128];

	/* Each request writes, so that all wait for the disk alike: the answer's delay does not tell
	 * whose address is known. */
	db_begin(&b->db);
	db_run(&b->db, SQL_META_SET, DB_TEXT("consents"),
	    DB_INT(db_get(&b->db, SQL_META_GET, 0, DB_TEXT("consents")) + 1));
	subscribers_tidy(b, now);
	switch (c->act) {
	case CONSENT_ASK:
		if (route == 0 || mailbox_check(c->address, why, sizeof(why)) == -1)
			return CONSENTED_UNKNOWN;
		(void)subscriber_ask(b, route, c->address, c->network, now);
		return CONSENTED_DONE;
	case CONSENT_CONFIRM:
		return subscriber_confirm(b, c->token.data, c->network, now) == DID_IT ?
		    CONSENTED_DONE : CONSENTED_UNKNOWN;
	case CONSENT_LEAVE:
		(void)subscriber_leave(b, c->token.data, now);
		return CONSENTED_DONE;
	default:
		return CONSENTED_DONE;
	}
}

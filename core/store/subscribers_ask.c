/* What `courant subscribers` and `courant bounce` ask store. */
#include "subscribers_ask.h"
#include "book.h"
#include "ledger.h"
#include "readers.h"
#include "subscribers.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "base/shown.h"
#include "base/text.h"
#include "db/db.h"

#include <jansson.h>

#include <string.h>

static const char *const states[] = {
	[SUBSCRIBER_PENDING] = "pending", [SUBSCRIBER_ACTIVE] = "active",
	[SUBSCRIBER_LEFT] = "left", [SUBSCRIBER_BOUNCED] = "bounced",
	[SUBSCRIBER_BLOCKED] = "blocked",
};
#define STATES	((int)(sizeof(states) / sizeof(states[0])))

/* A question, and the row that it is about. */
struct asked {
	struct ledger		*l;
	struct ledger_route	*r;
	const json_t		*question;
	const char		*address;	/* checked; NULL: none is given */
	struct subscriber	 s;		/* with an address */
	int			 known;		/* it is a row */
	int64_t			 now;
	json_t			*answer;
	struct buf		*out;
};

static const char *
state_name(int state)
{
	return state > 0 && state < STATES ? states[state] : "?";
}

/* 0: it is no state. */
static int
state_number(const char *name)
{
	for (int i = 1; i < STATES; i++)
		if (strcmp(states[i], name) == 0)
			return i;
	return 0;
}

/* ---- Answers ---- */

static void
set_token(json_t *o, const char *name, const unsigned char token[SUBSCRIBER_TOKEN])
{
	char text[TEXT_BASE32_16];

	text_base32(text, token, SUBSCRIBER_TOKEN);
	json_object_set_new(o, name, json_string(text));
}

static json_t *
subscriber_json(const struct subscriber *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "address", json_text(s->address));
	json_set_text(o, "state", state_name(s->state));
	json_set_time(o, "asked", s->asked);
	json_set_text(o, "asked_from", s->asked_from);
	json_set_time(o, "confirmed", s->confirmed);
	json_set_text(o, "confirmed_from", s->confirmed_from);
	json_set_time(o, "ended", s->gone);
	if (s->soft > 0)
		json_set_number(o, "soft", s->soft);
	set_token(o, "leave", s->leave);
	return o;
}

static int
list(struct asked *a)
{
	json_t *rows = json_array();
	struct subscriber s = { .id = 0 };
	size_t n = 0;

	subscriber_list(a->l->book, a->r->id, json_get_number(a->question, "after"), SUBSCRIBERS_PAGE);
	while (subscriber_step(a->l->book, SQL_SUBSCRIBER_AFTER, &s)) {
		json_array_append_new(rows, subscriber_json(&s));
		n++;
	}
	json_object_set_new(a->answer, "subscribers", rows);
	if (n == SUBSCRIBERS_PAGE)
		json_set_number(a->answer, "after", s.id);
	return 0;
}

static int
unknown(struct asked *a)
{
	shown_fmt(a->out, "route %s has no subscriber %s\n", a->r->name, a->address);
	return 1;
}

static void
put_letters(struct asked *a)
{
	static const char *const kinds[] = { [LETTER_CONFIRM] = "confirm", [LETTER_ALREADY] = "already" };
	static const char *const stands[] = { [LETTER_DUE] = "due", [LETTER_SENT] = "sent",
		[LETTER_DROPPED] = "dropped" };
	struct db *db = &a->l->book->db;
	json_t *all = json_array(), *o;

	db_bind(db, SQL_LETTERS_OF, DB_INT(a->s.id));
	while (db_step(db, SQL_LETTERS_OF)) {
		o = json_object();
		json_set_text(o, "kind", kinds[db_int(db, SQL_LETTERS_OF, 0) & 3]);
		json_set_text(o, "state", stands[db_int(db, SQL_LETTERS_OF, 1) & 3]);
		json_set_time(o, "made", db_int(db, SQL_LETTERS_OF, 2));
		json_set_text(o, "network", db_text(db, SQL_LETTERS_OF, 3));
		json_set_text(o, "reply", db_text(db, SQL_LETTERS_OF, 4));
		json_array_append_new(all, o);
	}
	json_object_set_new(a->answer, "letters", all);
}

static int
show(struct asked *a)
{
	if (!a->known)
		return unknown(a);
	json_decref(a->answer);
	a->answer = subscriber_json(&a->s);
	if (a->s.unconfirmed) {
		set_token(a->answer, "confirm", a->s.confirm);
		json_set_time(a->answer, "confirm_until", a->s.confirm_until);
	}
	put_letters(a);
	return 0;
}

/* ---- Orders ---- */

static int
done(struct asked *a, const char *did)
{
	struct subscriber s;

	json_set_text(a->answer, "did", did);
	if (subscriber_find(a->l->book, a->r->id, a->address, &s))
		json_set_text(a->answer, "state", state_name(s.state));
	return 0;
}

static int
no_subscribers(struct asked *a)
{
	shown_fmt(a->out, "route %s has no sink with `subscribe: yes`\n", a->r->name);
	return 1;
}

static int
add(struct asked *a)
{
	if (a->r->gone || !a->r->rule.subscribe)
		return no_subscribers(a);
	if (json_is_true(json_object_get(a->question, "confirmed"))) {
		if (!a->known) {
			a->s.asked = a->now;
			snprintf(a->s.asked_from, sizeof(a->s.asked_from), "operator");
		}
		return done(a, subscriber_raise(a->l->book, &a->s, "operator", a->now) == DID_IT ?
		    "added" : "nothing");
	}
	switch (subscriber_ask(a->l->book, a->r->id, a->address, "", a->now)) {
	case DID_BLOCKED:
		shown_fmt(a->out, "%s wants no mail of route %s, not even to be asked; with --confirmed "
		    "you say that this has changed\n", a->address, a->r->name);
		return 1;
	case DID_ASK:
		a->l->wrote++;		/* the sink is told of the letter */
		return done(a, "asked");
	default:
		return done(a, "nothing");
	}
}

static int
take_out(struct asked *a)
{
	if (!a->known)
		return unknown(a);
	return done(a, subscriber_remove(a->l->book, &a->s, a->now) == DID_IT ? "removed" : "nothing");
}

static int
forget(struct asked *a)
{
	if (!a->known)
		return unknown(a);
	subscriber_forget(a->l->book, &a->s, a->now);
	readers_forget(a->l, a->r, a->s.key);
	return done(a, "forgotten");
}

/* Reads a row. NULL, or what is wrong with it. */
static const char *
import_read(const json_t *row, struct subscriber_import *in, unsigned char leave[SUBSCRIBER_TOKEN],
    char *why, size_t size)
{
	const char *state = json_string_value(json_array_get(row, 1));
	const char *key = json_string_value(json_array_get(row, 5));

	in->address = json_string_value(json_array_get(row, 0));
	in->asked = json_integer_value(json_array_get(row, 2));
	in->confirmed = json_integer_value(json_array_get(row, 3));
	in->gone = json_integer_value(json_array_get(row, 4));
	if (in->address == NULL || state == NULL || key == NULL)
		return "a row is malformed";
	if (mailbox_check(in->address, why, size) == -1)
		return why;
	if (*state != '\0' && (in->state = state_number(state)) == 0)
		return "its state is none of pending, active, left, bounced, blocked";
	if (*key != '\0' && text_base32_read(leave, key, strlen(key)) == -1)
		return "its leave key is none";
	in->leave = *key != '\0' ? leave : NULL;
	return NULL;
}

static int
import(struct asked *a)
{
	static const char *const names[IMPORTED_KINDS] = {
		[IMPORTED_ADDED] = "added", [IMPORTED_ASKED] = "asked", [IMPORTED_LOWERED] = "lowered",
		[IMPORTED_SAME] = "same", [IMPORTED_KEPT] = "kept", [IMPORTED_FORGOTTEN] = "forgotten",
		[IMPORTED_KEY] = "key",
	};
	json_int_t count[IMPORTED_KINDS] = { 0 };
	const json_t *rows = json_object_get(a->question, "rows"), *row;
	json_t *bad = json_array();
	unsigned char leave[SUBSCRIBER_TOKEN];
	struct subscriber_import in;
	const char *wrong;
	char why[128];
	size_t i;

	if (a->r->gone || !a->r->rule.subscribe) {
		json_decref(bad);
		return no_subscribers(a);
	}
	json_array_foreach(rows, i, row) {
		in = (struct subscriber_import){
			.consent = json_is_true(json_object_get(a->question, "confirmed")) };
		wrong = import_read(row, &in, leave, why, sizeof(why));
		if (wrong != NULL)
			json_array_append_new(bad, json_pack("[I,s]", (json_int_t)i, wrong));
		else
			count[subscriber_import(a->l->book, a->r->id, &in, a->now)]++;
	}
	a->l->wrote += count[IMPORTED_ASKED] > 0;
	for (i = 0; i < IMPORTED_KINDS; i++)
		json_object_set_new(a->answer, names[i], json_integer(count[i]));
	json_object_set_new(a->answer, "bad", bad);
	return 0;
}

static const struct {
	const char	*name;
	int		 address;	/* it is about one */
	int		(*run)(struct asked *);
} acts[] = {
	{ "list", 0, list }, { "show", 1, show }, { "add", 1, add }, { "remove", 1, take_out },
	{ "forget", 1, forget }, { "import", 0, import },
};

/* Finds the route, which may be gone from the configuration, and the row. -1: out says what is wrong. */
static int
asked_read(struct asked *a, int address)
{
	const char *route = json_get_text(a->question, "route");
	char why[128];

	for (size_t i = 0; i < a->l->nroute; i++)
		if (strcmp(a->l->route[i].name, route) == 0)
			a->r = &a->l->route[i];
	if (a->r == NULL) {
		shown_fmt(a->out, "there is no route %s\n", route);
		return -1;
	}
	if (!address)
		return 0;
	a->address = json_get_text(a->question, "address");
	if (mailbox_check(a->address, why, sizeof(why)) == -1) {
		shown_fmt(a->out, "%s\n", why);
		return -1;
	}
	a->known = subscriber_find(a->l->book, a->r->id, a->address, &a->s);
	return 0;
}

int
subscribers_ask(struct ledger *l, const char *arg, struct buf *out)
{
	json_t *question = json_loads(arg, 0, NULL);
	struct asked a = { .l = l, .question = question, .now = date_now(), .out = out };
	size_t i = 0;
	int rc = 1;

	while (i < sizeof(acts) / sizeof(acts[0]) &&
	    strcmp(acts[i].name, json_get_text(question, "do")) != 0)
		i++;
	if (question == NULL || i == sizeof(acts) / sizeof(acts[0])) {
		buf_str(out, "the question is malformed\n");
		json_decref(question);
		return 1;
	}
	subscribers_tidy(l->book, a.now);
	if (asked_read(&a, acts[i].address) == 0) {
		a.answer = json_object();
		if ((rc = acts[i].run(&a)) == 0)
			json_put(out, a.answer);
		else
			json_decref(a.answer);
	}
	json_decref(question);
	return rc;
}

/* ---- Bounces ---- */

struct bounced { struct ledger *l; json_t *rows; };

static void
bounced(void *arg, const struct subscriber *s)
{
	struct bounced *b = arg;
	json_t *o = json_object();
	const struct ledger_route *r = ledger_route(b->l, (uint32_t)s->route);

	json_set_text(o, "route", r != NULL ? r->name : "?");
	json_object_set_new(o, "address", json_text(s->address));
	json_set_text(o, "state", state_name(s->state));
	json_set_number(o, "soft", s->soft);
	json_array_append_new(b->rows, o);
}

int
subscribers_bounce(struct ledger *l, const char *arg, struct buf *out)
{
	json_t *question = json_loads(arg, 0, NULL), *answer = json_object();
	const char *key = json_get_text(question, "key"), *address = json_get_text(question, "address");
	const char *status = json_get_text(question, "status");
	struct bounced b = { l, json_array() };
	const char *leaves = json_get_text(question, "leave");
	unsigned char leave[SUBSCRIBER_TOKEN];
	char why[128];

	if (text_base32_read(leave, leaves, strlen(leaves)) == 0)
		(void)subscriber_leave(l->book, leave, date_now());
	else if (text_base32_read(leave, key, strlen(key)) == 0)
		(void)subscriber_bounce(l->book, leave, NULL, status, date_now(), bounced, &b);
	if (json_array_size(b.rows) == 0 && mailbox_check(address, why, sizeof(why)) == 0)
		(void)subscriber_bounce(l->book, NULL, address, status, date_now(), bounced, &b);
	json_object_set_new(answer, "subscribers", b.rows);
	json_put(out, answer);
	json_decref(question);
	return 0;
}

/* What `courant editions` asks store: the editions of a route, one with its records, what the next one would
 * have; and the orders to seal one now, and to leave a record out. */
#include "edition_show.h"
#include "book.h"
#include "edition.h"
#include "edition_prune.h"
#include "ledger.h"
#include "story.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/shown.h"
#include "db/db.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX	1000		/* editions, or records of one */

/* What is asked; strings are borrowed. */
struct question {
	struct ledger		*l;
	struct ledger_route	*r;
	const char		*route, *text;
	const char		*name, *zone;	/* of the edition that is meant, by the clock */
	int64_t			 from, due;
	json_t			*mail;		/* what a mail is made with, for `html`; or NULL */
	json_t			*o;		/* the answer */
	struct buf		*out;		/* why there is none */
};

static json_t *
item_json(struct ledger *l, int64_t item)
{
	struct cr_record *r = book_last(&l->book->db, item, NULL);
	json_t *o = json_object();
	char id[TEXT_BASE32_16];

	book_rid(l->book, item, id);
	json_set_text(o, "id", id);
	if (r != NULL) {
		json_set_text(o, "title", record_get(r, CR_TITLE, 0));
		json_set_text(o, "link", record_get(r, CR_LINK, 0));
	}
	record_free(r);
	return o;
}

static json_t *
edition_json(const struct edition_row *e)
{
	static const char *const states[] = { [EDITION_SEALED] = "sealed", [EDITION_SKIPPED] = "skipped",
		[EDITION_PRUNED] = "pruned" };
	json_t *o = json_object();

	json_set_text(o, "name", e->name);
	json_set_text(o, "state", states[e->state]);
	json_set_text(o, "zone", e->zone);
	json_set_time(o, "from", e->since);
	json_set_time(o, "due", e->due);
	json_set_time(o, "sealed", e->sealed);
	json_object_set_new(o, "records", json_integer(e->n));
	json_object_set_new(o, "left_out", json_integer(e->left_out));
	json_set_text(o, "why", e->why);
	return o;
}

static void
put_whole(struct question *q, const struct edition_row *e)
{
	int64_t *others = edition_others(q->l, e);
	json_t *o = edition_json(e), *list = json_array();

	json_object_set_new(o, "sections", json_loads(e->sections, 0, NULL));
	for (int64_t k = 0; e->state == EDITION_SEALED && k < e->n && k < SHOWN_MAX; k++)
		json_array_append_new(list, item_json(q->l, db_get(&q->l->book->db, SQL_LOG_OF, 0,
		    DB_INT(e->first + k))));
	json_object_set_new(o, "items", list);
	list = json_array();
	for (int64_t k = 0; k < e->left_out && k < SHOWN_MAX; k++)
		json_array_append_new(list, item_json(q->l, others[k]));
	json_object_set_new(o, "others", list);
	json_object_set_new(q->o, "edition", o);
	free(others);
}

static int
one(struct question *q)
{
	struct edition_row e;

	if (!edition_named(q->l, q->r, q->text, &e)) {
		shown_fmt(q->out, "route %s has no edition %s\n", q->route, q->text);
		return 1;
	}
	put_whole(q, &e);
	edition_free(&e);
	return 0;
}

static int
list(struct question *q)
{
	struct db *db = &q->l->book->db;
	json_t *all = json_array();
	struct edition_row e;

	db_bind(db, SQL_EDITIONS, DB_INT(q->r->id), DB_INT(SHOWN_MAX));
	while (edition_step(db, SQL_EDITIONS, &e)) {
		json_array_append_new(all, edition_json(&e));
		edition_free(&e);
	}
	json_object_set_new(q->o, "editions", all);
	return 0;
}

/* The batch that its sinks would get, in hexadecimal, for a worker of the command's own. */
static void
put_batch(struct question *q, const struct lineup *a)
{
	static const char digits[] = "0123456789abcdef";
	const struct seal_ask ask = { .route = q->route, .name = q->name, .zone = q->zone, .from = q->from,
		.due = q->due };
	struct buf items, hex;
	uint32_t n;

	buf_init(&items, SIZE_MAX / 4);
	buf_init(&hex, SIZE_MAX / 4);
	n = lineup_give(q->l, q->r, a, &ask, &items);
	for (size_t i = 0; i < items.len; i++) {
		buf_char(&hex, digits[(unsigned char)items.data[i] >> 4]);
		buf_char(&hex, digits[(unsigned char)items.data[i] & 15]);
	}
	json_object_set_new(q->o, "batch", json_stringn(hex.data, hex.len));
	json_object_set_new(q->o, "count", json_integer((json_int_t)n));
	json_object_set(q->o, "mail", q->mail);
	buf_free(&hex);
	buf_free(&items);
}

static int
next(struct question *q)
{
	struct edition_row there;
	struct lineup a;
	json_t *items = json_array(), *others = json_array();

	lineup_read(q->l, q->r, &a);
	for (size_t i = 0; i < a.n && i < SHOWN_MAX; i++)
		json_array_append_new(i < a.top ? items : others, item_json(q->l, a.of[i].item));
	json_object_set_new(q->o, "candidates", json_integer((json_int_t)a.n));
	json_object_set_new(q->o, "items", items);
	json_object_set_new(q->o, "others", others);
	if (q->mail != NULL)
		put_batch(q, &a);
	lineup_free(&a);
	if (edition_named(q->l, q->r, q->name, &there)) {
		json_object_set_new(q->o, "there", json_true());	/* sealed early */
		edition_free(&there);
	}
	return 0;
}

static int
seal(struct question *q)
{
	const struct seal_ask ask = { .route = q->route, .name = q->name, .zone = q->zone, .from = q->from,
		.due = q->due, .early = 1 };

	edition_seal(q->l, &ask);
	edition_prune(q->l, q->route);
	q->text = q->name;
	return one(q);
}

/* Leaves the story of a record out of all editions that are still to come. */
static int
without(struct question *q)
{
	struct db *db = &q->l->book->db;
	int64_t item = 0, story;

	if (book_find(q->l->book, q->text, &item, 1) == 0) {
		shown_fmt(q->out, "no record has the id, guid or link %s\n", q->text);
		return 1;
	}
	story = story_of(q->l->book, item);
	if (db_get(db, SQL_EDITION_HAS, 0, DB_INT(q->r->id), DB_INT(story)) > 0) {
		shown_fmt(q->out, "an edition of %s has it already, and what is sealed stays\n", q->route);
		return 1;
	}
	db_begin(db);
	db_run(db, SQL_EDITION_ITEM, DB_INT(q->r->id), DB_INT(item), DB_INT(0));
	json_object_set_new(q->o, "without", item_json(q->l, item));
	return 0;
}

int
editions(struct ledger *l, const char *arg, struct buf *out)
{
	static const struct { const char *what; int (*answer)(struct question *); } answers[] = {
		{ "list", list }, { "one", one }, { "next", next }, { "seal", seal }, { "without", without },
	};
	json_t *asked = json_loads(arg, 0, NULL);
	const char *what = json_get_text(asked, "what");
	struct question q = { .l = l, .route = json_get_text(asked, "route"), .text = json_get_text(asked, "text"),
		.name = json_get_text(asked, "name"), .zone = json_get_text(asked, "zone"),
		.from = json_get_number(asked, "from"),
		.due = json_get_number(asked, "due"), .mail = json_object_get(asked, "mail"), .o = json_object(), .out = out };
	int rc = 1;

	q.r = ledger_route_named(l, q.route);
	json_set_text(q.o, "route", q.route);
	json_set_text(q.o, "name", q.name);
	json_set_text(q.o, "zone", q.zone);
	json_set_time(q.o, "due", q.due);
	if (q.r == NULL || !q.r->rule.edition)
		shown_fmt(out, "there is no route %s that makes editions\n", q.route);
	else
		for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
			if (strcmp(answers[i].what, what) == 0)
				rc = answers[i].answer(&q);
	if (rc == 0)
		json_put(out, q.o);
	else
		json_decref(q.o);
	json_decref(asked);
	return rc;
}

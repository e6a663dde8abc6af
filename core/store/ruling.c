/* What an operator orders about stories.
 *
 * A ruling is about two items and outranks every rule: items that were split are never in one story
 * again, by whatever record, until an operator joins them; what was joined is parted by a split
 * alone. What sinks delivered is not taken back. A record that a route dropped since its story was
 * taken is judged again, by a late row, once its story is not. */
#include "ruling.h"
#include "book.h"
#include "ledger.h"
#include "ledger_judge.h"
#include "ledger_late.h"
#include "ledger_window.h"
#include "story.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/db.h"

#include <courant/plugin.h>

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define RULING_WHY	1000		/* bytes of an operator's reason */
#define RULING_ITEMS	2		/* that are looked for under one name, to tell one from more */

struct order {
	json_t		*json;
	const char	*who, *why;		/* why: NULL: none; borrowed from json */
	int64_t		 item[2], at;		/* at: now, ms */
	char		 id[2][TEXT_BASE32_16];
};

/* ---- The order ---- */

static int
item_read(struct ledger *l, struct order *o, size_t place, const char *member, struct buf *out)
{
	const char *name = json_string_value(json_object_get(o->json, member));
	int64_t found[RULING_ITEMS];
	size_t n = name != NULL ? book_find(l->book, name, found, RULING_ITEMS) : 0;

	if (n != 1) {
		shown_fmt(out, n == 0 ? "no record has the id, guid or link %s\n" :
		    "several records have the guid or link %s: name one by its id\n",
		    name != NULL ? name : "");
		return -1;
	}
	o->item[place] = found[0];
	book_rid(l->book, found[0], o->id[place]);
	return 0;
}

/* Reads an order about one or two records, and begins its transaction. -1: out says what is
 * wrong; then, too, the caller calls order_end(). */
static int
order_begin(struct ledger *l, struct order *o, const char *arg, const char *who, size_t items,
    struct buf *out)
{
	*o = (struct order){ .json = json_loads(arg, 0, NULL), .who = who, .at = date_now() };
	o->why = json_string_value(json_object_get(o->json, "why"));
	if (o->why != NULL && o->why[0] == '\0')
		o->why = NULL;
	if (o->why != NULL && strlen(o->why) > RULING_WHY) {
		shown_fmt(out, "the reason is over %d bytes\n", RULING_WHY);
		return -1;
	}
	if (item_read(l, o, 0, "a", out) == -1 || (items > 1 && item_read(l, o, 1, "b", out) == -1))
		return -1;
	return 0;
}

static void
order_end(struct order *o)
{
	json_decref(o->json);
}

/* Opens the transaction in which the order changes the database. */
static void
order_write(struct ledger *l)
{
	db_begin(&l->book->db);
	l->wrote++;
}

/* Writes the row of the table act; returns its id. */
static int64_t
act_add(struct ledger *l, const struct order *o, const char *what)
{
	struct db *db = &l->book->db;
	char object[2 * TEXT_BASE32_16];

	snprintf(object, sizeof(object), "%s%s%s", o->id[0], o->item[1] != 0 ? " " : "",
	    o->item[1] != 0 ? o->id[1] : "");
	db_run(db, SQL_ACT_ADD, DB_INT(o->at), DB_TEXT(o->who), DB_TEXT(what), DB_TEXT(object),
	    DB_TEXT(o->why));
	log_info("%s: %s %s%s%s", o->who, what, object, o->why != NULL ? ": " : "",
	    o->why != NULL ? o->why : "");
	return db_last(db);
}

static void
rule(struct ledger *l, const struct order *o, int64_t a, int64_t b, int same)
{
	db_run(&l->book->db, SQL_RULING_SET, DB_INT(a), DB_INT(b), DB_INT(same), DB_INT(o->at),
	    DB_TEXT(o->who), DB_TEXT(o->why));
}

/* ---- What follows ---- */

/* Has the lists written again that have, or had, one of the items. */
static void
lists_again(struct ledger *l, const int64_t *item, size_t n)
{
	struct ledger_route *r;
	int took;

	for (r = l->route; r < l->route + l->nroute; r++) {
		took = 0;
		for (size_t i = 0; i < n && !took && !r->gone; i++)
			took = judge_took(l, r, item[i]);
		if (took)
			windows_again(l, r);
	}
}

/* The routes in which the item's story was taken, and is not any more, judge the item again. Returns
 * their number. */
static size_t
judge_again(struct ledger *l, int64_t item, int64_t now)
{
	int64_t story = story_of(l->book, item);
	struct ledger_route *r;
	size_t n = 0;

	for (r = l->route; r < l->route + l->nroute; r++)
		if (!r->gone && !r->rule.once_record && !judge_took_story(l, r, story, item))
			n += (size_t)late_story(l, r, item, now);
	return n;
}

/* ---- Orders ---- */

int
ruling_split(struct ledger *l, const char *arg, const char *who, struct buf *out)
{
	int64_t story, *item = NULL;
	size_t n = 0, again = 0, i;
	struct order o;
	int rc = 1;

	if (order_begin(l, &o, arg, who, 1, out) == 0) {
		story = story_of(l->book, o.item[0]);
		item = story_items(l->book, story, &n);
		if (n < 2)
			shown_fmt(out, "%s is the only record of its story\n", o.id[0]);
		else
			rc = 0;
	}
	if (rc == 0) {
		order_write(l);
		for (i = 0; i < n; i++)
			if (item[i] != o.item[0])
				rule(l, &o, o.item[0], item[i], 0);
		(void)story_part(l->book, story, o.item[0]);
		(void)act_add(l, &o, "split");
		for (i = 0; i < n; i++)
			again += judge_again(l, item[i], o.at);
		lists_again(l, item, n);
		shown_fmt(out, "%s is a story of its own now; the other story has %zu record%s\n",
		    o.id[0], n - 1, n > 2 ? "s" : "");
		if (again > 0)
			shown_fmt(out, "%zu verdict%s that the story was taken %s made again\n", again,
			    again > 1 ? "s" : "", again > 1 ? "are" : "is");
	}
	free(item);
	order_end(&o);
	return rc;
}

int
ruling_join(struct ledger *l, const char *arg, const char *who, struct buf *out)
{
	int64_t a, b, *item;
	struct order o;
	int rc = 1;
	size_t n, i;

	if (order_begin(l, &o, arg, who, 2, out) == 0 && o.item[0] == o.item[1])
		buf_str(out, "both are the same record\n");
	else if (o.item[1] != 0)
		rc = 0;
	if (rc == 0) {
		order_write(l);
		a = story_of(l->book, o.item[0]);
		b = story_of(l->book, o.item[1]);
		item = story_items(l->book, a, &n);
		for (i = 0; a != b && i < n; i++)
			db_run(&l->book->db, SQL_RULING_DEL, DB_INT(item[i]), DB_INT(b));
		free(item);
		rule(l, &o, o.item[0], o.item[1], 1);
		item = story_items(l->book, story_merge(l->book, a, b), &n);
		(void)act_add(l, &o, "join");
		if (a != b)
			lists_again(l, item, n);
		shown_fmt(out, a != b ? "%s and %s are one story now, of %zu records%s\n" :
		    "%s and %s are one story already, of %zu records%s; that is noted\n", o.id[0], o.id[1],
		    n, story_hidden(l->book, story_of(l->book, o.item[0])) != 0 ? ", which is hidden" : "");
		free(item);
	}
	order_end(&o);
	return rc;
}

/* hide 0: shows the story again. */
static int
hide_or_show(struct ledger *l, const char *arg, const char *who, int hide, struct buf *out)
{
	int64_t story, act, *item;
	struct order o;
	int rc = 1;
	size_t n;

	if (order_begin(l, &o, arg, who, 1, out) == -1) {
		order_end(&o);
		return 1;
	}
	story = story_of(l->book, o.item[0]);
	if (hide && o.why == NULL)
		buf_str(out, "a reason is needed: --why TEXT\n");
	else if (hide == (story_hidden(l->book, story) != 0))
		shown_fmt(out, hide ? "%s is hidden already; `courant explain` says why\n" :
		    "%s is not hidden\n", o.id[0]);
	else
		rc = 0;
	if (rc == 0) {
		order_write(l);
		act = act_add(l, &o, hide ? "hide" : "unhide");
		story_hide(l->book, story, hide ? act : 0);
		item = story_items(l->book, story, &n);
		lists_again(l, item, n);
		free(item);
		shown_fmt(out, "the story of %s, of %zu record%s, is %s\n", o.id[0], n, n > 1 ? "s" : "",
		    hide ? "hidden" : "shown again");
	}
	order_end(&o);
	return rc;
}

int
ruling_hide(struct ledger *l, const char *arg, const char *who, struct buf *out)
{
	return hide_or_show(l, arg, who, 1, out);
}

int
ruling_unhide(struct ledger *l, const char *arg, const char *who, struct buf *out)
{
	return hide_or_show(l, arg, who, 0, out);
}

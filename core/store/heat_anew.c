/* Heat begins anew: story after story, in the order of their ids. How far it has come is stored in the
 * table meta, with what it writes. Numbers of stories stay; what counters added before is lost, since
 * their rises are not stored one by one. */
#include "heat_anew.h"
#include "book.h"
#include "roster.h"
#include "story_heat.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "ipc/msg.h"
#include "record/record.h"

#include <math.h>
#include <string.h>

#define TURN	64			/* stories that are listed at once */

/* Rows of the table meta: a hash of the settings; the story that is done, and the last one to do. */
#define META_RULES	"heat"
#define META_DONE	"heat anew"
#define META_LAST	"heat anew up to"

static int64_t
rules_hash(struct digest *d, const struct heat_rules *r)
{
	digest_begin(d);
	digest_str(d, "heat");
	digest_int(d, r->half_life);
	digest_add(d, &r->votes, sizeof(r->votes));
	digest_add(d, &r->comments, sizeof(r->comments));
	digest_int(d, r->cap);
	return digest_end64(d);
}

void
heat_take(struct book *book, const struct store_heat *said)
{
	struct db *db = &book->db;
	int64_t hash, was, none;

	book->heat = (struct heat_rules){ said->half_life, said->votes, said->comments, said->cap };
	book->top = said->top;
	hash = rules_hash(book->digest, &book->heat);
	none = ~hash;
	was = db_get(db, SQL_META_GET, none, DB_TEXT(META_RULES));
	book->anew = db_get(db, SQL_META_GET, 0, DB_TEXT(META_DONE));
	book->anew_last = db_get(db, SQL_META_GET, 0, DB_TEXT(META_LAST));
	if (db_get(db, SQL_META_GET, 0, DB_TEXT(SCHEMA_HALF_LIFE)) != said->half_life)
		db_run(db, SQL_META_SET, DB_TEXT(SCHEMA_HALF_LIFE), DB_INT(said->half_life));
	if (was == hash)
		return;
	db_run(db, SQL_META_SET, DB_TEXT(META_RULES), DB_INT(hash));
	if (book->head == 0)
		return;
	log_info("heat: %s: it begins anew from the mentions of the last %d days",
	    was == none ? "the database had none" : "its settings changed",
	    (int)(HEAT_ANEW_MS / 86400000));
	book->anew = 0;
	book->anew_last = book->head;
	db_run(db, SQL_META_SET, DB_TEXT(META_DONE), DB_INT(0));
	db_run(db, SQL_META_SET, DB_TEXT(META_LAST), DB_INT(book->head));
}

int
heat_anew_left(const struct book *book)
{
	return book->anew < book->anew_last;
}

struct anew_item { int64_t id, source, seen, flags, last; };

/* When the item, which has no mention, came, ms; 0: unknown, it was in its source's first fetch without
 * a date. */
static int64_t
came_at(struct book *book, const struct anew_item *i)
{
	struct cr_record *r;
	int64_t date = i->seen;

	if ((i->flags & LOG_FIRST) != 0) {
		r = book_record(book, i->last);
		date = r != NULL ? record_date(r, 0) : 0;
		record_free(r);
	}
	return (date < i->seen ? date : i->seen) / 1000 * 1000;
}

/* Begins with an item's terms anew; *born: the story's first event so far, 0: none. */
static void
item_anew(struct book *book, struct roster *roster, const struct anew_item *i, int64_t *born)
{
	const struct item_source *source = roster_get(roster, (uint32_t)i->source);
	const int64_t since = date_now() - HEAT_ANEW_MS;
	struct heat_term t;

	db_run(&book->db, SQL_TERM_RESET, DB_INT(i->id));
	heat_term_get(&book->db, i->id, "", &t);
	if (t.hi == 0 && i->seen >= since && source != NULL && source->weight > 0) {
		t.hi = t.n = 1;
		t.first = t.last = came_at(book, i);
		t.w = heat_mention(source->weight, heat_rate(&book->db, i->source, t.first));
		if (*born != 0)
			t.w = heat_fade(t.w, t.first - *born);
	}
	if (t.hi == 0)
		return;
	if (t.first < since)
		t.w = 0;
	t.n = t.w > 0;
	t.heat = heat_log(&book->heat, t.w, t.first);
	if (t.n > 0 && (*born == 0 || t.first < *born))
		*born = t.first;
	heat_term_set(&book->db, &t);
}

static void
story_anew(struct book *book, struct roster *roster, int64_t story)
{
	struct db *db = &book->db;
	struct anew_item item;
	struct story_heat s;
	int64_t born = 0;

	heat_get(db, story, &s);
	db_bind(db, SQL_HEAT_ITEMS, DB_INT(story));
	while (db_step(db, SQL_HEAT_ITEMS)) {
		item = (struct anew_item){ db_int(db, SQL_HEAT_ITEMS, 0), db_int(db, SQL_HEAT_ITEMS, 1),
			db_int(db, SQL_HEAT_ITEMS, 2), db_int(db, SQL_HEAT_ITEMS, 3),
			db_int(db, SQL_HEAT_ITEMS, 4) };
		if (s.born == 0) {
			s.born = item.seen / 1000 * 1000;
			heat_born(db, story, s.born);
		}
		item_anew(book, roster, &item, &born);
	}
	if (born != 0 || !isinf(s.heat) || s.score > 0)
		heat_story(book, story);
}

void
heat_anew_some(struct book *book, struct roster *roster, int64_t until)
{
	int64_t story[TURN];
	size_t n;

	do {
		n = 0;
		db_bind(&book->db, SQL_HEAT_STORIES, DB_INT(book->anew), DB_INT(book->anew_last),
		    DB_INT(TURN));
		while (db_step(&book->db, SQL_HEAT_STORIES))
			if (n < TURN)
				story[n++] = db_int(&book->db, SQL_HEAT_STORIES, 0);
		for (size_t i = 0; i < n; i++)
			story_anew(book, roster, story[i]);
		book->anew = n == TURN ? story[n - 1] : book->anew_last;
	} while (heat_anew_left(book) && date_ticks() < until);
	db_run(&book->db, SQL_META_SET, DB_TEXT(META_DONE), DB_INT(book->anew));
	if (!heat_anew_left(book))
		log_info("heat: all stories up to %lld have begun anew", (long long)book->anew_last);
}

/* Stories: the tables story, mention, alias and joined. */
#include "story.h"
#include "book.h"
#include "story_heat.h"
#include "story_match.h"
#include "base/mem.h"
#include "db/db.h"
#include "record/story_key.h"

#include <stdlib.h>

void
story_changed(struct book *book, int64_t story)
{
	db_run(&book->db, SQL_WAIT_STORY, DB_INT(story));
}

int64_t
story_of(struct book *book, int64_t item)
{
	int64_t story = 0;

	db_bind(&book->db, SQL_STORY_ITEM, DB_INT(item));
	if (db_step(&book->db, SQL_STORY_ITEM))
		story = db_int(&book->db, SQL_STORY_ITEM, 0);
	db_done(&book->db, SQL_STORY_ITEM);
	return story;
}

int64_t
story_hidden(struct book *book, int64_t story)
{
	return db_get(&book->db, SQL_STORY_HIDDEN, 0, DB_INT(story));
}

struct items { int64_t *item, *source; size_t n; };

/* The items of a story and their sources, the first one first. */
static struct items
items_read(struct db *db, int64_t story)
{
	struct items all = { NULL, NULL, 0 };
	size_t room = 0;

	db_bind(db, SQL_STORY_MEMBERS, DB_INT(story));
	while (db_step(db, SQL_STORY_MEMBERS)) {
		if (all.n == room) {
			room = 2 * room + 8;
			all.item = xreallocarray(all.item, room, sizeof(*all.item));
			all.source = xreallocarray(all.source, room, sizeof(*all.source));
		}
		all.item[all.n] = db_int(db, SQL_STORY_MEMBERS, 0);
		all.source[all.n++] = db_int(db, SQL_STORY_MEMBERS, 1);
	}
	return all;
}

static void
items_free(struct items *all)
{
	free(all->item);
	free(all->source);
}

int64_t *
story_items(struct book *book, int64_t story, size_t *n)
{
	struct items all = items_read(&book->db, story);

	free(all.source);
	*n = all.n;
	return all.item;
}

/* ---- Joining ---- */

/* Makes the younger story part of the older one. */
static void
absorb(struct book *book, int64_t into, int64_t story)
{
	struct items all = items_read(&book->db, story);
	struct db *db = &book->db;

	db_run(db, SQL_MENTIONS_DROP, DB_INT(story));
	for (size_t i = 0; i < all.n; i++) {
		db_run(db, SQL_MENTION_ADD, DB_INT(into), DB_INT(all.item[i]), DB_INT(all.source[i]));
		db_run(db, SQL_STORY_OF, DB_INT(all.item[i]), DB_INT(into));
	}
	db_run(db, SQL_STORY_MORE, DB_INT(into), DB_INT((int64_t)all.n), DB_INT(story));
	db_run(db, SQL_STORY_DEL, DB_INT(story));
	db_run(db, SQL_ALIAS_MOVE, DB_INT(story), DB_INT(into));
	db_run(db, SQL_ALIAS_SET, DB_INT(story), DB_INT(into));
	items_free(&all);
	book->stories--;
	heat_story(book, into);
}

int64_t
story_merge(struct book *book, int64_t a, int64_t b)
{
	int64_t into = a < b ? a : b;

	if (a == b)
		return a;
	absorb(book, into, a < b ? b : a);
	story_changed(book, into);
	return into;
}

/* The stories that the record belongs to, but for its own (0: none yet). */
static size_t
find(struct book *book, const struct cr_record *r, int64_t item, int64_t source, int64_t own,
    struct match found[MATCH_STORIES])
{
	if (book->matcher == NULL)
		book->matcher = matcher_new();
	matcher_read(book->matcher, book->digest, r);
	return matcher_find(book->matcher, &book->db, item, source, own, found);
}

/* Makes one story of those found and of the record's own (0: none yet); returns its id. */
static int64_t
found_join(struct book *book, int64_t item, int64_t own, const struct match *found, size_t n)
{
	int64_t into = own != 0 ? own : found[0].story;
	size_t i;

	for (i = 0; i < n; i++)
		if (found[i].story < into)
			into = found[i].story;
	for (i = 0; i < n; i++) {
		db_run(&book->db, SQL_JOINED_ADD, DB_INT(item), DB_INT(found[i].item),
		    DB_TEXT(found[i].why));
		if (found[i].story != into)
			absorb(book, into, found[i].story);
	}
	if (own != 0 && own != into)
		absorb(book, into, own);
	return into;
}

int64_t
story_new(struct book *book, const struct cr_record *r, int64_t item, int64_t source)
{
	MEM_UNSET struct match found[MATCH_STORIES];
	size_t n = find(book, r, item, source, 0, found);
	struct db *db = &book->db;
	int64_t story = item;

	if (n > 0) {
		story = found_join(book, item, 0, found, n);
		db_run(db, SQL_MENTION_ADD, DB_INT(story), DB_INT(item), DB_INT(source));
		db_run(db, SQL_STORY_MORE, DB_INT(story), DB_INT(1), DB_INT(0));
		if (n > 1)
			story_changed(book, story);
		else
			db_run(db, SQL_WAIT_STORY, DB_INT(story));
	} else {
		db_run(db, SQL_STORY_ADD, DB_INT(story), DB_INT(1), DB_TEXT(NULL));
		book->stories++;
	}
	matcher_save(book->matcher, db, item);
	return story;
}

int64_t
story_alone(struct book *book, int64_t item)
{
	db_run(&book->db, SQL_STORY_ADD, DB_INT(item), DB_INT(1), DB_TEXT(NULL));
	book->stories++;
	return item;
}

void
story_revise(struct book *book, const struct cr_record *r, int64_t item, int64_t source)
{
	MEM_UNSET struct match found[MATCH_STORIES];
	int64_t story = story_of(book, item);
	size_t n = find(book, r, item, source, story, found);

	if (n > 0)
		story_changed(book, found_join(book, item, story, found, n));
	matcher_save(book->matcher, &book->db, item);
}

void
story_named(struct book *book, const struct cr_record *r, int64_t item, int64_t source)
{
	struct work_ids ids;

	work_ids_extra(&ids, r);
	for (size_t i = 0; i < ids.n; i++)
		if (!db_get(&book->db, SQL_NEAR_HAS, 0, DB_INT(story_id_key(book->digest, ids.id[i])),
		    DB_INT(item))) {
			story_revise(book, r, item, source);
			return;
		}
}

/* ---- Parting ---- */

/* The story's first item leaves: the others become a story under the id of their first one. */
static int64_t
first_part(struct book *book, int64_t story, int64_t hidden)
{
	struct items all = items_read(&book->db, story);
	struct db *db = &book->db;
	int64_t rest = story;

	if (all.n < 2) {
		items_free(&all);
		return story;			/* it is alone already */
	}
	rest = all.item[1];
	db_run(db, SQL_MENTIONS_DROP, DB_INT(story));
	db_run(db, SQL_STORY_ADD, DB_INT(rest), DB_INT((int64_t)all.n - 1),
	    hidden != 0 ? DB_INT(hidden) : DB_TEXT(NULL));
	for (size_t i = 1; i < all.n; i++) {
		if (i > 1)
			db_run(db, SQL_MENTION_ADD, DB_INT(rest), DB_INT(all.item[i]),
			    DB_INT(all.source[i]));
		db_run(db, SQL_STORY_OF, DB_INT(all.item[i]), DB_INT(rest));
	}
	db_run(db, SQL_STORY_LESS, DB_INT(story), DB_INT((int64_t)all.n - 1));
	items_free(&all);
	return rest;
}

int64_t
story_part(struct book *book, int64_t story, int64_t item)
{
	int64_t rest = story, hidden = story_hidden(book, story);
	struct db *db = &book->db;

	if (item == story)
		rest = first_part(book, story, hidden);
	else {
		db_run(db, SQL_MENTION_DEL, DB_INT(story), DB_INT(item));
		db_run(db, SQL_STORY_LESS, DB_INT(story), DB_INT(1));
		db_run(db, SQL_STORY_OF, DB_INT(item), DB_INT(item));
		db_run(db, SQL_STORY_ADD, DB_INT(item), DB_INT(1),
		    hidden != 0 ? DB_INT(hidden) : DB_TEXT(NULL));
	}
	db_run(db, SQL_ALIAS_AGAIN, DB_INT(story));
	db_run(db, SQL_ALIAS_DEL, DB_INT(item), DB_INT(rest));
	book->stories++;
	heat_story(book, item);
	heat_story(book, rest);
	story_changed(book, item);
	story_changed(book, rest);
	return rest;
}

void
story_hide(struct book *book, int64_t story, int64_t act)
{
	book->ranked = 0;
	db_run(&book->db, SQL_STORY_HIDE, DB_INT(story), act != 0 ? DB_INT(act) : DB_TEXT(NULL));
	story_changed(book, story);
}

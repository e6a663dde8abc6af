/* Items: finds out which entries of a document are unchanged, new or revised, and stores them.
 *
 * An entry's item is found by the entry's name: the guid, or the link, or title and date; if
 * several entries without a guid share a link, link, title and date. Once a document has one guid
 * twice with different links or titles, the source's items are no longer named by the guid alone:
 * every item of the source gets a second name, made of its last version, so that the stored items
 * are found under the new rule. The same happens to the items of a link that other entries turn out
 * to share. All names ever used stay in item_key, as hashes; the record's id is made of the first
 * name and does not change. For an item with a guid, item_key also has its link, under a separate
 * key (KEY_LINKED): so no item is stored twice when a feed starts or stops having guids.
 *
 * Two entries of a document are never the same item. Before anything is stored, each entry claims
 * the item that its name leads to; of two entries that claim one item, the more similar one gets
 * it. */
#include "item.h"
#include "book.h"
#include "document.h"
#include "item_name.h"
#include "story.h"
#include "story_heat.h"
#include "story_wake.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define LIKE_MAX	64		/* items under one key that are compared */
#define SHARING_MAX	256		/* items of a shared link that are renamed */
#define DOCUMENT_LOOKS	20000		/* stored records that are read for one document... */
#define ENTRY_LOOKS	2		/* ...and so many more for each of its entries */
#define DOCUMENT_LOOKED	(64u << 20)	/* their bytes, and four times those of the document more */
#define RENAME_ROWS	100		/* names that are read at once */

/* ---- Finding stored items ---- */

/* Gives some items of the source an additional name by the new rule, made of its last version. 1: all
 * have it. An item comes once with each of its names. */
static int
source_rename(struct document *doc, struct book *book, struct item_source *source)
{
	struct { int64_t item, key; } added[RENAME_ROWS];
	enum naming naming = doc->naming;
	struct cr_record *r;
	struct bytes blob;
	size_t n = 0, rows = 0;

	if ((int64_t)naming <= source->unreliable)
		return 1;
	db_bind(&book->db, SQL_KEYS_OF, DB_INT(source->id), DB_INT(doc->key), DB_INT(doc->item),
	    DB_INT(RENAME_ROWS));
	while (db_step(&book->db, SQL_KEYS_OF)) {
		rows++;
		doc->key = db_int(&book->db, SQL_KEYS_OF, 0);
		doc->item = db_int(&book->db, SQL_KEYS_OF, 1);
		blob = db_blob(&book->db, SQL_KEYS_OF, 2);
		if (n == RENAME_ROWS || (r = record_read(blob.data, blob.len)) == NULL)
			continue;
		added[n].item = doc->item;
		added[n++].key = item_key(book->digest, r, naming, 0);
		record_free(r);
	}
	for (size_t i = 0; i < n; i++)
		db_run(&book->db, SQL_KEY_ADD, DB_INT(source->id), DB_INT(added[i].key),
		    DB_INT(added[i].item));
	if (rows == RENAME_ROWS)
		return 0;
	source->unreliable = naming;
	log_info("source %lld: guids are not unique: from now on joined with %s",
	    (long long)source->id, naming == NAME_FULL ? "link and title" : "link or title");
	return 1;
}

static void
key_add(struct book *book, const struct item_source *source, int64_t key, int64_t item)
{
	db_run(&book->db, SQL_KEY_ADD, DB_INT(source->id), DB_INT(key), DB_INT(item));
}

/* Items under a key, the newest first, at most max. */
static size_t
key_find(struct book *book, const struct item_source *source, int64_t key, int64_t *found,
    size_t max)
{
	size_t n = 0;

	db_bind(&book->db, SQL_KEY_FIND, DB_INT(source->id), DB_INT(key), DB_INT((int64_t)max));
	while (db_step(&book->db, SQL_KEY_FIND))
		if (n < max)
			found[n++] = db_int(&book->db, SQL_KEY_FIND, 0);
	return n;
}

/* Whether no more stored records are read for the document. */
static int
looks_over(const struct document *doc)
{
	return doc->looks >= DOCUMENT_LOOKS + ENTRY_LOOKS * doc->n ||
	    doc->looked >= DOCUMENT_LOOKED + 4 * (uint64_t)doc->parsed;
}

/* The record of an item's last version. NULL: unreadable, or looks_over(). */
static struct cr_record *
item_last(struct document *doc, struct book *book, int64_t item)
{
	struct cr_record *r;
	size_t len;

	if (looks_over(doc))
		return NULL;
	doc->looks++;
	r = book_last(&book->db, item, &len);
	doc->looked += len;
	return r;
}

/* A place among DOCUMENT_SEEN. */
static size_t
seen_place(int64_t key)
{
	return (size_t)((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) >> 32) % DOCUMENT_SEEN;
}

/* The features of an item's last version; NULL as for item_last(). */
static const struct features *
item_seen(struct document *doc, struct book *book, int64_t item)
{
	struct features_seen *s;
	struct cr_record *r;

	if (doc->seen == NULL)
		doc->seen = xcalloc(DOCUMENT_SEEN, sizeof(*doc->seen));
	s = &doc->seen[seen_place(item)];
	if (s->item == item)
		return &s->features;
	if ((r = item_last(doc, book, item)) == NULL)
		return NULL;
	s->item = item;
	item_features(doc->digest, r, &s->features);
	record_free(r);
	return &s->features;
}

/* The fields in which an entry and an item are equal; a field that both lack counts as equal.
 * alike() returns -1 if the item's record cannot be read. */
enum { ALIKE_DATE = 1, ALIKE_TITLE = 2, ALIKE_LINK = 4, ALIKE_GUID = 8 /* both or none */ };

static int
alike(struct document *doc, struct book *book, struct entry *e, int64_t item)
{
	const struct features *x, *y = item_seen(doc, book, item);

	if (y == NULL)
		return -1;
	x = entry_features(doc, e);
	return (x->date == y->date ? ALIKE_DATE : 0) + (x->title == y->title ? ALIKE_TITLE : 0) +
	    (x->link == y->link ? ALIKE_LINK : 0) + (x->guid == y->guid ? ALIKE_GUID : 0);
}

/* The slot in `claims` of the entry that has claimed an item, or the free slot for it. */
static struct entry **
claim_place(struct document *doc, int64_t item)
{
	size_t i = (size_t)((uint64_t)item * UINT64_C(0x9e3779b97f4a7c15) >> 20) & doc->mask;

	while (doc->claims[i] != NULL && doc->claims[i]->item != item)
		i = (i + 1) & doc->mask;
	return &doc->claims[i];
}

/* Whether an entry of this document has claimed the item. */
static int
taken(struct document *doc, int64_t item)
{
	return doc->claims != NULL && *claim_place(doc, item) != NULL;
}

/* The entry claims the item, unless another entry that is at least as similar has claimed it. */
static void
claim(struct document *doc, struct book *book, struct entry *e, int64_t item)
{
	struct entry **place;

	e->item = item;
	if (doc->claims == NULL || item == 0)
		return;
	e->item = 0;
	place = claim_place(doc, item);
	if (*place != NULL) {
		e->rival = (*place)->rival = 1;
		if (alike(doc, book, e, item) <= alike(doc, book, *place, item))
			return;
		(*place)->item = 0;
	}
	e->item = item;
	*place = e;
}

/* The item under a key; of several, the most similar one that no other entry has claimed. 0:
 * none. */
static int64_t
key_best(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e, int64_t key)
{
	int64_t found[LIKE_MAX], item = 0;
	size_t n = key_find(book, source, key, found, LIKE_MAX), i;
	int best = -2, is;

	if (n == 1)
		return found[0];
	for (i = 0; i < n; i++) {
		if (taken(doc, found[i]) || (is = alike(doc, book, e, found[i])) <= best)
			continue;
		best = is;
		item = found[i];
	}
	return item;
}

/* The link turned out to be shared: gives its items without a guid names of link, title and date,
 * unless that was done for this document. */
static void
link_names(struct document *doc, struct book *book, const struct item_source *source, int64_t link)
{
	int64_t found[SHARING_MAX];
	struct cr_record *r;
	size_t n, i;

	if (doc->sharing == NULL)
		doc->sharing = xcalloc(DOCUMENT_SEEN, sizeof(*doc->sharing));
	if (doc->sharing[seen_place(link)] == link || looks_over(doc))
		return;
	doc->sharing[seen_place(link)] = link;
	n = key_find(book, source, link, found, SHARING_MAX);
	for (i = 0; i < n; i++) {
		if ((r = item_last(doc, book, found[i])) == NULL)
			continue;
		if (record_get(r, CR_GUID, 0) == NULL)
			key_add(book, source, item_key(doc->digest, r, NAME_PLAIN, 1), found[i]);
		record_free(r);
	}
}

/* Finds the item of an entry without a guid by its link, or, if the link is shared, by link, title
 * and date. */
static int64_t
find_by_link(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t found[2], item;
	size_t n;

	if (e->full == 0) {
		n = key_find(book, source, e->key, found, 2);
		if (n < 2)
			return n == 1 ? found[0] : 0;
		e->full = item_key(doc->digest, entry_record(e), NAME_PLAIN, 1);
	}
	if ((item = key_best(doc, book, source, e, e->full)) != 0)
		return item;
	link_names(doc, book, source, e->key);
	return key_best(doc, book, source, e, e->full);
}

/* Finds an item by the name without a date that item_key_undated() describes. */
static int64_t
find_undated(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t key = item_key_undated(doc->digest, entry_record(e)), item = 0;
	int is;

	if (key != 0 && (item = key_best(doc, book, source, e, key)) != 0) {
		is = alike(doc, book, e, item);
		if (is == -1 || (is & ALIKE_DATE) == 0)
			return 0;
		key_add(book, source, e->key, item);
	}
	return item;
}

/* The item that the entry's name leads to, or 0. */
static int64_t
find_named(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t key = e->key, item;

	if (e->by_link)
		return find_by_link(doc, book, source, e);
	if (e->guid && source->unreliable != NAME_PLAIN)
		key = item_key(doc->digest, entry_record(e), (enum naming)source->unreliable, 0);
	item = key_best(doc, book, source, e, key);
	return item != 0 || e->guid ? item : find_undated(doc, book, source, e);
}

/* An item whose guid differs only in case, with the same link or title. */
static int64_t
find_folded(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t found[2 * LIKE_MAX];
	size_t n = key_find(book, source, e->folded ^ KEY_FOLDED, found, LIKE_MAX), i;
	const struct features *f;
	int is;

	if (e->folded != e->key)
		n += key_find(book, source, e->folded, found + n, LIKE_MAX);
	for (i = 0; i < n; i++) {
		if (taken(doc, found[i]) || (is = alike(doc, book, e, found[i])) == -1)
			continue;
		f = entry_features(doc, e);
		if (((is & ALIKE_LINK) != 0 && f->link != 0) ||
		    ((is & ALIKE_TITLE) != 0 && f->title != 0))
			return found[i];
	}
	return 0;
}

/* In a source with unreliable guids, the item of an entry whose link changed: the only item with
 * this guid, if it has the same title. */
static int64_t
find_moved(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t found[2];
	int is;

	if (e->repeated || key_find(book, source, e->key, found, 2) != 1 || taken(doc, found[0]) ||
	    entry_features(doc, e)->title == 0)
		return 0;
	is = alike(doc, book, e, found[0]);
	return is != -1 && (is & ALIKE_TITLE) != 0 ? found[0] : 0;
}

/* The item of an entry whose feed has started or stopped having guids: it has the entry's link and
 * title, and a guid only if the entry has none. Of several such items, the one of the same date. */
static int64_t
find_linked(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t found[LIKE_MAX], undated = 0;
	size_t n, i, like = 0;
	int is;

	if (e->linked == 0)
		e->linked = item_key_link(doc->digest, entry_record(e));
	if (e->linked == 0 || e->linked_too || looks_over(doc))
		return 0;
	n = key_find(book, source, e->guid ? e->linked : e->linked ^ KEY_LINKED, found, LIKE_MAX);
	for (i = 0; i < n; i++) {
		if (taken(doc, found[i]) || (is = alike(doc, book, e, found[i])) == -1)
			continue;
		if (is == ALIKE_LINK + ALIKE_TITLE + ALIKE_DATE)
			return found[i];
		if (is == ALIKE_LINK + ALIKE_TITLE && like++ == 0)
			undated = found[i];
	}
	return like == 1 ? undated : 0;
}

/* Stores the keys of the entry's names for its item. */
static void
names_add(struct book *book, const struct item_source *source, struct entry *e, int64_t item)
{
	key_add(book, source, e->key, item);
	if (e->linked != 0 && e->guid)
		key_add(book, source, e->linked ^ KEY_LINKED, item);
	if (e->folded != e->key)
		key_add(book, source, e->folded ^ KEY_FOLDED, item);
	if (e->full != 0)
		key_add(book, source, e->full, item);
	if (e->guid && source->unreliable != NAME_PLAIN)
		key_add(book, source, item_key(book->digest, entry_record(e),
		    (enum naming)source->unreliable, 0), item);
}

/* The entry's item, or 0. If the entry's name leads to no item, or to one that another entry has
 * claimed, other fields are tried; a name found out this way is stored. */
static int64_t
entry_find(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e)
{
	int64_t item = e->item;

	if (item == 0 && (e->rival || doc->sequence))
		item = find_named(doc, book, source, e);
	if (item != 0 && (e->item != 0 || !taken(doc, item)))
		return item;
	item = !e->guid ? 0 : source->unreliable != NAME_PLAIN ? find_moved(doc, book, source, e) :
	    find_folded(doc, book, source, e);
	if (item == 0)
		item = find_linked(doc, book, source, e);
	if (item != 0)
		names_add(book, source, e, item);
	return item;
}

/* The next entry claims the item that its name leads to. 1: all have. */
static int
document_claim(struct document *doc, struct book *book, const struct item_source *source)
{
	struct entry *e;
	size_t size = 16;

	if (doc->sequence || doc->at >= doc->n)
		return 1;
	if (doc->claims == NULL) {
		while (size < 2 * doc->n)
			size *= 2;
		doc->mask = size - 1;
		doc->claims = xcalloc(size, sizeof(struct entry *));
	}
	e = doc->order[doc->at++];
	if (!e->same) {
		claim(doc, book, e, find_named(doc, book, source, e));
		entry_rest(doc, e);
	}
	return 0;
}

/* ---- Storing ---- */

/* Makes the record's id. For an entry in rivalry with another, longer names are tried until the id
 * is not another item's. */
static void
rid_make(struct book *book, const struct item_source *source, struct entry *e, int64_t n,
    unsigned char rid[16])
{
	int64_t naming = source->unreliable;
	struct buf name;

	buf_init(&name, ITEM_NAME_MAX);
	do {
		buf_clear(&name);
		item_name(&name, entry_record(e), naming < NAME_FULL ? (enum naming)naming :
		    NAME_FULL, e->full != 0 || naming > source->unreliable);
		if (naming > NAME_FULL)
			buf_fmt(&name, "%c%lld", '\0', (long long)n);
		item_rid(book->digest, source->key, &name, rid);
	} while (e->rival && naming++ <= NAME_FULL &&
	    db_get(&book->db, SQL_ITEM_BY_RID, 0, DB_BLOB(rid, 16)) != 0);
	buf_free(&name);
}

/* The flags of an entry's log row: in a first fetch, LOG_FIRST and the entry's rank. */
static int64_t
log_flags(const struct item_source *source, size_t newer)
{
	int64_t rank;

	if (source->firsts < 0)
		return 0;
	rank = source->firsts + (int64_t)newer;
	return LOG_FIRST | (rank < LOG_RANK_MAX ? rank : LOG_RANK_MAX) << LOG_RANK_SHIFT;
}

static int64_t
item_create(struct document *doc, struct book *book, const struct item_source *source, struct entry *e,
    int64_t raw, size_t newer, int64_t when)
{
	const struct cr_record *r = entry_record(e);
	unsigned char rid[16];
	struct heat_time h = heat_time(book, doc, source, e, when);
	int64_t n = ++book->head, story;

	rid_make(book, source, e, n, rid);
	story = source->own ? story_alone(book, n) : story_new(book, r, n, source->id);
	db_run(&book->db, SQL_ITEM_ADD, DB_INT(n), DB_BLOB(rid, sizeof(rid)), DB_INT(source->id),
	    DB_INT(raw), DB_INT(item_text(book->digest, r)), DB_INT(when), DB_INT(story));
	db_run(&book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(n), DB_INT(0), DB_INT(source->id),
	    DB_INT(log_flags(source, newer)), DB_INT(when));
	db_run(&book->db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(e->bytes, e->len));
	names_add(book, source, e, n);
	heat_item(book, source, r, n, story, &h);
	book->records++;
	return n;
}

static void
item_revise(struct book *book, const struct item_source *source, struct entry *e,
    int64_t raw, int64_t text, int64_t revision, int64_t when)
{
	int64_t n = ++book->head, old = 0;

	db_run(&book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(e->item), DB_INT(revision),
	    DB_INT(source->id), DB_INT(0), DB_INT(when));
	db_run(&book->db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(e->bytes, e->len));
	db_run(&book->db, SQL_ITEM_REVISE, DB_INT(e->item), DB_INT(revision), DB_INT(n),
	    DB_INT(raw), DB_INT(text));
	if (revision == ITEM_REVISIONS)
		old = e->item;
	else if (revision > ITEM_REVISIONS)
		old = db_get(&book->db, SQL_LOG_ITEM, 0, DB_INT(e->item),
		    DB_INT(revision - ITEM_REVISIONS));
	if (old != 0)
		db_run(&book->db, SQL_RECORD_DEL, DB_INT(old));
	story_revise(book, entry_record(e), e->item, source->id);
	book->revisions++;
}

/* Stores an entry of an existing item. 1: as a revision; 0: the entry is unchanged, or changed only
 * in fields that make no revision, and the stored record was replaced. */
static int
item_meet(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e, int64_t raw, int64_t when)
{
	int64_t revision, last, old_raw, old_text, text, story;
	int hotter;

	db_bind(&book->db, SQL_ITEM_GET, DB_INT(e->item));
	if (!db_step(&book->db, SQL_ITEM_GET))
		fatal("item %lld is named and missing", (long long)e->item);
	revision = db_int(&book->db, SQL_ITEM_GET, 0);
	last = db_int(&book->db, SQL_ITEM_GET, 1);
	old_raw = db_int(&book->db, SQL_ITEM_GET, 2);
	old_text = db_int(&book->db, SQL_ITEM_GET, 3);
	story = db_int(&book->db, SQL_ITEM_GET, 4);
	db_done(&book->db, SQL_ITEM_GET);
	if (old_raw == raw)
		return 0;
	if (doc->seen != NULL && doc->seen[seen_place(e->item)].item == e->item)
		doc->seen[seen_place(e->item)].item = 0;
	hotter = heat_rises(book, source, entry_record(e), e->item, story, when);
	if (!hotter)
		db_run(&book->db, SQL_STORY_REV, DB_INT(story));
	wake_met(book, source, entry_record(e), e->item, story, hotter);
	text = item_text(book->digest, entry_record(e));
	if (text != old_text) {
		db_run(&book->db, SQL_WAIT_ITEM, DB_INT(e->item));
		item_revise(book, source, e, raw, text, revision + 1, when);
		return 1;
	}
	db_run(&book->db, SQL_RECORD_SET, DB_INT(last), DB_BLOB(e->bytes, e->len));
	db_run(&book->db, SQL_ITEM_TOUCH, DB_INT(e->item), DB_INT(raw));
	if (!source->own)
		story_named(book, entry_record(e), e->item, source->id);
	return 0;
}

static void
entry_store(struct document *doc, struct book *book, const struct item_source *source,
    struct entry *e, size_t newer, int64_t when, struct document_counts *counts)
{
	int64_t raw, item = entry_find(doc, book, source, e);

	digest_begin(book->digest);
	digest_add(book->digest, e->bytes, e->len);
	raw = digest_end64(book->digest);
	counts->seen++;
	if (item == 0) {
		item = item_create(doc, book, source, e, raw, newer, when);
		if (e->item == 0)
			claim(doc, book, e, item);
		counts->added++;
	} else {
		if (e->item == 0)
			claim(doc, book, e, item);
		counts->revised += (uint32_t)item_meet(doc, book, source, e, raw, when);
	}
	entry_rest(doc, e);
}

/* Does the next part of the phase. 1: the phase is over. */
static int
store_part(struct document *doc, struct book *book, struct item_source *source, int64_t when,
    struct document_counts *counts)
{
	struct entry *e;

	switch (doc->phase) {
	case PHASE_RENAME:
		return source_rename(doc, book, source);
	case PHASE_ORDER:
		doc->order = document_order(doc);
		return 1;
	case PHASE_CLAIM:
		return document_claim(doc, book, source);
	default:
		break;
	}
	if (doc->at >= doc->n)
		return 1;
	e = doc->order[doc->at];
	if (!e->same)
		entry_store(doc, book, source, e, doc->n - 1 - doc->at, when, counts);
	doc->at++;
	return 0;
}

int
document_store_some(struct document *doc, struct book *book, struct item_source *source,
    int64_t when, struct document_counts *counts, int64_t until)
{
	if (doc->phase == PHASE_WHOLE) {
		doc->phase = PHASE_RENAME;
		doc->key = doc->item = INT64_MIN;
	}
	while (doc->phase < PHASE_STORED) {
		if (store_part(doc, book, source, when, counts)) {
			doc->phase++;
			doc->at = 0;
		}
		if (date_ticks() >= until && doc->phase < PHASE_STORED)
			return 1;
	}
	if (source->firsts >= 0)
		source->firsts += (int64_t)doc->n;
	return 0;
}

void
document_store(struct document *doc, struct book *book, struct item_source *source,
    int64_t when, struct document_counts *counts)
{
	*counts = (struct document_counts){ 0, 0, 0 };
	(void)document_store_some(doc, book, source, when, counts, INT64_MAX);
}

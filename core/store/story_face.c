/* What a record is handed out with of its story: the numbers, and in one of several items the fields
 * that the record lacks. */
#include "story_face.h"
#include "book.h"
#include "base/date.h"
#include "record/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Numbers ---- */

static int
hotter_first(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/* The places are looked up in the heats of the first stories, which are read again only when a story's
 * heat has changed: a batch has many records. */
static uint32_t
place(struct book *book, double heat)
{
	struct db *db = &book->db;
	size_t low = 0, high, mid;

	if (!book->ranked) {
		book->nrank = 0;
		db_bind(db, SQL_HEAT_FIRST, DB_INT(HEAT_RANKS));
		while (db_step(db, SQL_HEAT_FIRST))
			if (book->nrank < HEAT_RANKS)
				book->rank[book->nrank++] = db_real(db, SQL_HEAT_FIRST, 0);
		book->ranked = 1;
	}
	high = book->nrank;
	while (low < high) {
		mid = (low + high) / 2;
		if (hotter_first(&book->rank[mid], &heat) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < HEAT_RANKS ? (uint32_t)low + 1 : 0;
}

void
face_view(struct book *book, double heat, double score, int hidden, struct story_view *view)
{
	view->heat = isinf(heat) ? 0 : heat_at(&book->heat, heat, date_now());
	view->score = score;
	view->rank = hidden || isinf(heat) ? 0 : place(book, heat);
}

void
face_numbers(struct book *book, int64_t story, struct buf *out)
{
	struct db *db = &book->db;
	struct cr_record *r = NULL;

	db_bind(db, SQL_HEAT_NUMBERS, DB_INT(story), DB_INT(RECORD_LIST_MAX));
	while (db_step(db, SQL_HEAT_NUMBERS)) {
		if (r == NULL)
			r = record_new();
		(void)record_set_counter(r, db_text(db, SQL_HEAT_NUMBERS, 0),
		    db_int(db, SQL_HEAT_NUMBERS, 1));
	}
	if (r != NULL)
		record_write(r, out);
	record_free(r);
}

/* ---- Fields ---- */

static const int fields[] = { CR_LINK, CR_AUTHOR, CR_IMAGE, CR_SUMMARY };
#define FIELDS	(sizeof(fields) / sizeof(fields[0]))

/* An item of the story, and its place in `prefer`. */
struct member { int64_t item, last; size_t place; };

static int
by_place(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->place != y->place)
		return x->place < y->place ? -1 : 1;
	return x->item < y->item ? -1 : x->item > y->item;
}

/* The story's items but for one, in the order in which they are looked into. */
static size_t
members_read(struct book *book, int64_t story, int64_t but, const uint32_t *prefer, size_t nprefer,
    struct member m[FACE_ITEMS])
{
	struct db *db = &book->db;
	size_t n = 0, i;

	db_bind(db, SQL_FACE_ITEMS, DB_INT(story), DB_INT(but), DB_INT(FACE_ITEMS));
	while (db_step(db, SQL_FACE_ITEMS)) {
		if (n == FACE_ITEMS)
			continue;
		for (i = 0; i < nprefer && prefer[i] != db_int(db, SQL_FACE_ITEMS, 1); i++)
			;
		m[n++] = (struct member){ .item = db_int(db, SQL_FACE_ITEMS, 0),
			.last = db_int(db, SQL_FACE_ITEMS, 2), .place = i };
	}
	qsort(m, n, sizeof(*m), by_place);
	return n;
}

static void
field_take(struct cr_record *face, const struct cr_record *from, int field)
{
	struct record_author who;
	const char *text;

	if (field != CR_AUTHOR) {
		if ((text = record_get(from, field, 0)) != NULL)
			(void)record_set(face, field, text, strlen(text));
		return;
	}
	for (size_t i = 0; record_author(from, CR_AUTHOR, i, &who); i++)
		(void)record_add_author(face, CR_AUTHOR, who.name, who.mail, who.uri);
}

/* Takes what the record still lacks from another. Returns how many fields are lacking then. */
static size_t
lacks_take(struct cr_record *face, const struct cr_record *from, int lacks[FIELDS])
{
	size_t left = 0;

	for (size_t i = 0; i < FIELDS; i++) {
		if (lacks[i] && record_get(from, fields[i], 0) != NULL) {
			field_take(face, from, fields[i]);
			lacks[i] = 0;
		}
		left += (size_t)lacks[i];
	}
	return left;
}

/* Which fields the record lacks; returns how many. */
static size_t
lacks_read(struct bytes record, int lacks[FIELDS])
{
	struct cr_record *r = record_read(record.data, record.len);
	size_t n = 0;

	for (size_t i = 0; i < FIELDS; i++) {
		lacks[i] = r != NULL && record_get(r, fields[i], 0) == NULL;
		n += (size_t)lacks[i];
	}
	record_free(r);
	return n;
}

void
face_fields(struct book *book, int64_t story, int64_t item, struct bytes record, const uint32_t *prefer,
    size_t nprefer, struct buf *out)
{
	struct member m[FACE_ITEMS];
	int lacks[FIELDS];
	size_t had = lacks_read(record, lacks), left = had, n, i;
	struct cr_record *face, *r;
	struct bytes blob;

	if (had == 0)
		return;
	face = record_new();
	n = members_read(book, story, item, prefer, nprefer, m);
	for (i = 0; i < n && left > 0; i++) {
		db_bind(&book->db, SQL_FACE_RECORD, DB_INT(m[i].last));
		if (db_step(&book->db, SQL_FACE_RECORD)) {
			blob = db_blob(&book->db, SQL_FACE_RECORD, 0);
			if ((r = record_read(blob.data, blob.len)) != NULL)
				left = lacks_take(face, r, lacks);
			record_free(r);
		}
		db_done(&book->db, SQL_FACE_RECORD);
	}
	if (left < had)
		record_write(face, out);
	record_free(face);
}

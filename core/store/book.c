/* The database, and the totals that are held in memory beside it. */
#include "book.h"
#include "item_name.h"
#include "base/text.h"
#include "record/record.h"

#include <string.h>

/* The record in the row of a statement that was bound. */
static struct cr_record *
row_record(struct db *db, enum sql sql, size_t *len)
{
	struct cr_record *r = NULL;
	struct bytes blob = { NULL, 0 };

	if (db_step(db, sql)) {
		blob = db_blob(db, sql, 0);
		r = record_read(blob.data, blob.len);
	}
	if (len != NULL)
		*len = blob.len;
	db_done(db, sql);
	return r;
}

struct cr_record *
book_record(struct book *book, int64_t n)
{
	db_bind(&book->db, SQL_RECORD_GET, DB_INT(n));
	return row_record(&book->db, SQL_RECORD_GET, NULL);
}

struct cr_record *
book_last(struct db *db, int64_t item, size_t *len)
{
	db_bind(db, SQL_ITEM_LAST, DB_INT(item));
	return row_record(db, SQL_ITEM_LAST, len);
}

int64_t
book_item(struct book *book, const char *id)
{
	unsigned char rid[16];

	if (text_base32_read(rid, id, strcspn(id, "-")) == -1)
		return 0;
	return db_get(&book->db, SQL_ITEM_BY_RID, 0, DB_BLOB(rid, sizeof(rid)));
}

void
book_rid(struct book *book, int64_t item, char *id)
{
	struct db *db = &book->db;
	struct bytes rid;

	id[0] = '\0';
	db_bind(db, SQL_ITEM_WHOLE, DB_INT(item));
	if (db_step(db, SQL_ITEM_WHOLE)) {
		rid = db_blob(db, SQL_ITEM_WHOLE, 0);
		if (rid.len == 16)
			text_base32(id, rid.data, rid.len);
	}
	db_done(db, SQL_ITEM_WHOLE);
}

size_t
book_find(struct book *book, const char *what, int64_t *item, size_t max)
{
	struct db *db = &book->db;
	int64_t key[ITEM_KEYS];
	size_t n = 0;

	if ((item[0] = book_item(book, what)) != 0)
		return 1;
	item_keys(book->digest, what, key);
	db_bind(db, SQL_ITEMS_BY_KEY, DB_INT(key[0]), DB_INT(key[1]), DB_INT(key[2]),
	    DB_INT((int64_t)max));
	while (n < max && db_step(db, SQL_ITEMS_BY_KEY))
		item[n++] = db_int(db, SQL_ITEMS_BY_KEY, 0);
	db_done(db, SQL_ITEMS_BY_KEY);
	return n;
}

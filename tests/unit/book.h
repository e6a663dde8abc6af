/* What the tests of the store's rooms share: a database in a folder of its own, documents made of a
 * few fields. */
#ifndef TESTS_BOOK_H
#define TESTS_BOOK_H
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "record/result.h"
#include "store/book.h"
#include "store/document.h"
#include "store/item.h"
#include "store/story_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BOOK_WHEN	INT64_C(1700000000000)

struct shelf {
	char			 folder[64], path[128];
	struct book		 book;
	struct item_source	 source;
};

struct entry_text {
	const char	*guid, *link, *title, *summary;
	int64_t		 published;		/* 0: none; below 0: no, updated, then */
	int64_t		 votes;
};

__attribute__((unused)) static void
shelf_open(struct shelf *s)
{
	struct db *db = &s->book.db;

	assert_int_equal(db_open(db, s->path), 0);
	s->book.digest = digest_new();
	s->book.seed = db_get(db, SQL_META_GET, 0, DB_TEXT("seed"));
	s->book.head = db_first(db, SQL_HEAD, 0);
	s->book.heat = (struct heat_rules){ INT64_C(86400000), .25, .125, 1000000 };
}

__attribute__((unused)) static void
shelf_close(struct shelf *s)
{
	db_close(&s->book.db);
	digest_free(s->book.digest);
	s->book.digest = NULL;
	matcher_free(s->book.matcher);
	s->book.matcher = NULL;
}

/* A new database in a new folder. */
__attribute__((unused)) static void
shelf_new(struct shelf *s)
{
	memset(s, 0, sizeof(*s));
	log_open("test", 0);
	memcpy(s->folder, "/tmp/courant-book-XXXXXX", sizeof("/tmp/courant-book-XXXXXX"));
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/courant.db", s->folder);
	s->source.id = 1;
	memset(s->source.key, 7, sizeof(s->source.key));
}

__attribute__((unused)) static void
shelf_remove(struct shelf *s)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char path[160];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", s->path, ends[i]);
		unlink(path);
	}
	rmdir(s->folder);
}

__attribute__((unused)) static void
put_text(struct cr_record *r, int field, const char *text)
{
	if (text != NULL)
		assert_int_equal(record_set(r, field, text, strlen(text)), 0);
}

/* Adds a RESULT_RECORD. */
__attribute__((unused)) static void
put_entry(struct buf *b, const struct entry_text *e)
{
	struct cr_record *r = record_new();
	size_t begun;

	put_text(r, CR_GUID, e->guid);
	put_text(r, CR_LINK, e->link);
	put_text(r, CR_TITLE, e->title);
	put_text(r, CR_SUMMARY, e->summary);
	if (e->published > 0)
		record_set_time(r, CR_PUBLISHED, e->published);
	if (e->published < 0)
		record_set_time(r, CR_UPDATED, -e->published);
	if (e->votes != 0)
		record_set_counter(r, "votes", e->votes);
	begun = result_begin(b, RESULT_RECORD);
	record_write(r, b);
	result_end(b, begun);
	record_free(r);
}

/* A document of n entries, read, stored and committed. */
__attribute__((unused)) static struct document_counts
shelf_poll(struct shelf *s, const struct entry_text *e, size_t n)
{
	struct document_counts counted;
	struct document *doc;
	struct buf b;
	size_t i;

	buf_init(&b, 1u << 30);
	for (i = 0; i < n; i++)
		put_entry(&b, &e[i]);
	doc = document_new(s->book.digest, b.data != NULL ? b.data : "", b.len);
	assert_non_null(doc);
	db_begin(&s->book.db);
	document_store(doc, &s->book, &s->source, BOOK_WHEN, &counted);
	db_commit(&s->book.db);
	document_free(doc);
	buf_free(&b);
	return counted;
}

/* The number that a query gives. */
__attribute__((unused)) static int64_t
shelf_ask(struct shelf *s, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t value = -1;

	assert_int_equal(sqlite3_prepare_v2(s->book.db.handle, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}
#endif

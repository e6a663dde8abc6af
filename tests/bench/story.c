/* What the story of a new record takes, in a database of so many items.
 *
 *	bench-story DATABASE ITEMS < RECORDS	makes the database; prints "RECORDS STORIES SECONDS
 *		SECONDS": of CPU time, in story_new() alone, and with the commits of 100 records each
 *
 * RECORDS: lines with a source's number, a link, a title and a text, with tabs between. */
#include "base/digest.h"
#include "base/log.h"
#include "db/db.h"
#include "record/record.h"
#include "store/book.h"
#include "store/story.h"
#include "store/story_match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GROUP	100

static double
seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void
run(struct db *db, const char *fmt, long items)
{
	char sql[512], *why = NULL;

	snprintf(sql, sizeof(sql), fmt, items);
	if (sqlite3_exec(db->handle, sql, NULL, NULL, &why) != SQLITE_OK)
		fatal("%s: %s", sql, why);
}

/* Items with ten keys each that no other has, as most have. */
static void
fill(struct db *db, long items)
{
	run(db, "BEGIN; INSERT INTO story (id, items) WITH RECURSIVE c(i) AS"
	    " (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %ld) SELECT i, 1 FROM c", items);
	run(db, "INSERT INTO item SELECT id, randomblob(16), id %% 1000, 0, id, 0, 0, 0, id FROM story"
	    " LIMIT %ld", items);
	run(db, "INSERT INTO near SELECT abs(random()) AS k, id FROM story, (VALUES (1), (2), (3), (4),"
	    " (5), (6), (7), (8), (9), (10)) ORDER BY k LIMIT %ld", 10 * items);
	run(db, "COMMIT", 0);
}

static struct cr_record *
record_of(char *line, int64_t *source)
{
	static const int fields[] = { CR_LINK, CR_TITLE, CR_SUMMARY };
	struct cr_record *r = record_new();
	char *s = strtok(line, "\t\n");

	*source = 2000 + strtoll(s, NULL, 10);
	for (int i = 0; i < 3 && (s = strtok(NULL, "\t\n")) != NULL; i++)
		record_set(r, fields[i], s, strlen(s));
	return r;
}

/* Stores a record; returns the CPU seconds that its story took. */
static double
store(struct book *book, const struct cr_record *r, int64_t source)
{
	unsigned char rid[16] = { 0 };
	int64_t n = ++book->head, story;
	struct buf b;
	double used;

	db_begin(&book->db);
	used = seconds();
	story = story_new(book, r, n, source);
	used = seconds() - used;
	memcpy(rid, &n, sizeof(n));
	buf_init(&b, RECORD_MAX);
	record_write(r, &b);
	db_run(&book->db, SQL_ITEM_ADD, DB_INT(n), DB_BLOB(rid, sizeof(rid)), DB_INT(source), DB_INT(0),
	    DB_INT(0), DB_INT(0), DB_INT(story));
	db_run(&book->db, SQL_RECORD_ADD, DB_INT(n), DB_BLOB(b.data, b.len));
	buf_free(&b);
	return used;
}

int
main(int argc, char **argv)
{
	long items = argc == 3 ? strtol(argv[2], NULL, 10) : 0, n = 0;
	struct book book = { .head = items };
	double used = 0, begun;
	struct cr_record *r;
	char *line = NULL;
	int64_t source;
	size_t room = 0;

	log_open("bench-story", 0);
	if (items <= 0 || db_open(&book.db, argv[1]) != 0)
		return 1;
	book.digest = digest_new();
	fill(&book.db, items);
	begun = seconds();
	while (getline(&line, &room, stdin) > 0) {
		r = record_of(line, &source);
		used += store(&book, r, source);
		record_free(r);
		if (++n % GROUP == 0)
			db_commit(&book.db);
	}
	if (book.db.open)
		db_commit(&book.db);
	printf("%ld %lld %f %f\n", n, (long long)book.stories, used, seconds() - begun);
	free(line);
	matcher_free(book.matcher);
	digest_free(book.digest);
	db_close(&book.db);
	return 0;
}

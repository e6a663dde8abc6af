/* What an event of a story's heat takes, in a database of so many stories.
 *
 *	bench-heat DATABASE STORIES EVENTS	makes the database; prints four times "SECONDS", of CPU
 *		time: that all events took by themselves; the same with their commits, 100 events each,
 *		and ranks; that the ranks of their stories took; and that reading the first 30 took, once
 *
 * Each event is a rise of the votes of a story that is drawn by lot. */
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "db/db.h"
#include "record/record.h"
#include "store/book.h"
#include "store/item.h"
#include "store/story_heat.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define GROUP	100

static double
seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void
run(struct db *db, const char *fmt, long n)
{
	char sql[1024], *why = NULL;

	snprintf(sql, sizeof(sql), fmt, n, (long long)date_now());
	if (sqlite3_exec(db->handle, sql, NULL, NULL, &why) != SQLITE_OK)
		fatal("%s: %s", sql, why);
}

/* Stories of one item each, of the last days. */
static void
fill(struct db *db, long n)
{
	run(db, "BEGIN; INSERT INTO story (id, items, born, heat, score) WITH RECURSIVE c(i) AS"
	    " (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %1$ld) SELECT i, 1,"
	    " (%2$lld - abs(random() %% 100000000)) / 1000 * 1000,"
	    " (%2$lld - 1577836800000) / 86400000.0 - abs(random() %% 1000000) / 1e5, 1 FROM c", n);
	run(db, "INSERT INTO item SELECT id, randomblob(16), id %% 1000, 0, id, 0, 0, born, id FROM story"
	    " LIMIT %1$ld", n);
	run(db, "INSERT INTO term SELECT id, '', 1, 1, heat, 1, born, born FROM story LIMIT %1$ld", n);
	run(db, "INSERT INTO term SELECT id, 'votes', 1, 0.25, heat, 1, born, born FROM story LIMIT %1$ld;"
	    " COMMIT", n);
}

static double
top(struct db *db)
{
	sqlite3_stmt *st = NULL;
	double begun;

	if (sqlite3_prepare_v2(db->handle, "SELECT id FROM story WHERE heat IS NOT NULL AND hidden IS NULL"
	    " ORDER BY heat DESC, born DESC, id LIMIT 30", -1, &st, NULL) != SQLITE_OK)
		fatal("%s", sqlite3_errmsg(db->handle));
	begun = seconds();
	while (sqlite3_step(st) == SQLITE_ROW)
		;
	sqlite3_finalize(st);
	return seconds() - begun;
}

int
main(int argc, char **argv)
{
	const struct item_source source = { .id = 1, .weight = 1, .counters = 1, .firsts = -1 };
	long n = argc == 4 ? strtol(argv[2], NULL, 10) : 0, events = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	struct book book = { .head = n, .heat = { 86400000, .25, .125, 1000000 } };
	struct cr_record *r = record_new();
	double begun, used, alone = 0, ranked = 0;
	struct story_heat s;
	int64_t story;

	log_open("bench-heat", 0);
	if (n <= 0 || db_open(&book.db, argv[1]) != 0)
		return 1;
	book.digest = digest_new();
	fill(&book.db, n);
	srandom(1);
	used = seconds();
	for (long i = 0; i < events; i++) {
		story = random() % n + 1;
		record_clear(r);
		record_set_counter(r, "votes", 2 + i);
		db_begin(&book.db);
		begun = seconds();
		(void)heat_rises(&book, &source, r, story, story, date_now());
		alone += seconds() - begun;
		begun = seconds();
		heat_get(&book.db, story, &s);
		(void)heat_rank(&book.db, s.heat, 10);
		ranked += seconds() - begun;
		if (i % GROUP == GROUP - 1) {
			db_commit(&book.db);
			db_checkpoint(&book.db);
		}
	}
	if (book.db.open)
		db_commit(&book.db);
	printf("%f %f %f ", alone, seconds() - used, ranked);
	printf("%f\n", top(&book.db));
	record_free(r);
	digest_free(book.digest);
	db_close(&book.db);
	return 0;
}

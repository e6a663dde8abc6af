/* How SQLite finds the rows of subscribers, letters and deliveries: there may be 100,000 of each, and the store
 * has no time to read them all. */
#include "db/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static sqlite3 *db;

static int
open_tables(void **state)
{
	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, schema_tables, NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < SCHEMA_VERSION - 1; i++)
		assert_int_equal(sqlite3_exec(db, schema_steps[i], NULL, NULL, NULL), SQLITE_OK);
	return 0;
}

static int
close_tables(void **state)
{
	(void)state;
	return sqlite3_close(db);
}

/* Whether a line of the plan of the statement has the text. */
static int
plan_has(enum sql sql, const char *text)
{
	char query[4096];
	sqlite3_stmt *st;
	int has = 0;

	snprintf(query, sizeof(query), "EXPLAIN QUERY PLAN %s", schema_statements[sql]);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		has |= strstr((const char *)sqlite3_column_text(st, 3), text) != NULL;
	sqlite3_finalize(st);
	return has;
}

static void
no_statement_reads_a_table_of_readers(void **state)
{
	static const char *const scans[] = { "SCAN subscriber", "SCAN letter", "SCAN delivery" };

	(void)state;
	for (int i = 0; i < SQL_MAX; i++)
		for (size_t k = 0; k < sizeof(scans) / sizeof(scans[0]); k++)
			/* An operator's `resume` alone goes through the letters that are due. */
			if (i != SQL_LETTERS_NOW && plan_has((enum sql)i, scans[k]))
				fail_msg("%s: %s", scans[k], schema_statements[i]);
}

static void
what_is_open_or_dead_is_found_among_those_that_have_it(void **state)
{
	static const enum sql open[] = { SQL_DELIVERY_OPEN, SQL_DELIVERY_DUE, SQL_DELIVERY_NEXT,
		SQL_DELIVERY_BURY, SQL_DELIVERY_FAILED, SQL_DELIVERY_NOW };
	static const enum sql dead[] = { SQL_DELIVERY_AGAIN, SQL_DELIVERY_DEAD, SQL_DELIVERY_EFFECTS_END,
		SQL_SUBSCRIBER_RISE, SQL_SUBSCRIBER_SOFTER };

	(void)state;
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (!plan_has(open[i], "delivery_open"))
			fail_msg("%s", schema_statements[open[i]]);
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
		if (!plan_has(dead[i], "delivery_dead"))
			fail_msg("%s", schema_statements[dead[i]]);
}

static void
pages_of_subscribers_and_the_next_letter_are_not_sorted(void **state)
{
	(void)state;
	assert_false(plan_has(SQL_SUBSCRIBER_AFTER, "TEMP B-TREE"));
	assert_false(plan_has(SQL_LETTER_NEXT, "TEMP B-TREE"));
	assert_false(plan_has(SQL_DELIVERY_DUE, "TEMP B-TREE"));
	assert_true(plan_has(SQL_LETTER_ALL, "letter_asked"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_statement_reads_a_table_of_readers),
		cmocka_unit_test(what_is_open_or_dead_is_found_among_those_that_have_it),
		cmocka_unit_test(pages_of_subscribers_and_the_next_letter_are_not_sorted),
	};

	return cmocka_run_group_tests(tests, open_tables, close_tables);
}

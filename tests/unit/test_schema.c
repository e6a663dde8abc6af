/* The database file: made once, and refused with its own exit status whenever it cannot be used. */
#include "book.h"
#include "db/db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int
setup(void **state)
{
	struct shelf *s = xmalloc(sizeof(*s));

	shelf_new(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	shelf_remove(*state);
	free(*state);
	return 0;
}

static int
try_open(const char *path)
{
	struct db db;
	int status = db_open(&db, path);

	if (status == 0)
		db_close(&db);
	else
		assert_null(db.handle);
	return status;
}

static void
put_file(const char *path, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	close(fd);
}

/* The whole file, up to 1 MiB. */
static size_t
get_file(const char *path, char *to)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, to, 1 << 20);

	assert_true(n >= 0);
	close(fd);
	return (size_t)n;
}

/* Runs SQL on the file as another program would. */
static void
run(const char *path, const char *sql)
{
	sqlite3 *h = NULL;

	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_exec(h, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(h);
}

static void
a_new_database_is_made_and_opened_again(void **state)
{
	struct shelf *s = *state;

	shelf_open(s);
	assert_int_equal(shelf_ask(s, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(shelf_ask(s, "PRAGMA application_id"), SCHEMA_APPLICATION);
	assert_int_equal(shelf_ask(s, "PRAGMA synchronous"), 2);
	db_begin(&s->book.db);
	db_run(&s->book.db, SQL_META_SET, DB_TEXT("records"), DB_INT(42));
	db_commit(&s->book.db);
	shelf_close(s);
	shelf_open(s);
	assert_int_equal(db_get(&s->book.db, SQL_META_GET, 0, DB_TEXT("records")), 42);
	shelf_close(s);
}

static void
what_is_not_committed_did_not_happen(void **state)
{
	struct shelf *s = *state;

	shelf_open(s);
	db_begin(&s->book.db);
	db_run(&s->book.db, SQL_META_SET, DB_TEXT("records"), DB_INT(42));
	shelf_close(s);
	shelf_open(s);
	assert_int_equal(db_get(&s->book.db, SQL_META_GET, 0, DB_TEXT("records")), 0);
	shelf_close(s);
}

static void
a_newer_version_is_refused_untouched(void **state)
{
	struct shelf *s = *state;
	char *before = xmalloc(1 << 20), *after = xmalloc(1 << 20);
	size_t n;

	assert_int_equal(try_open(s->path), 0);
	run(s->path, "PRAGMA journal_mode = DELETE; PRAGMA user_version = 999");
	n = get_file(s->path, before);
	assert_int_equal(try_open(s->path), STORE_EXIT_NEWER);
	assert_int_equal(get_file(s->path, after), n);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

/* Tables and indexes as SQL, in order of their names. */
static char *
schema_of(const char *path)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *h = NULL;
	struct buf b;

	buf_init(&b, 1u << 20);
	assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(h, "SELECT name, sql FROM sqlite_schema ORDER BY name",
	    -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_fmt(&b, "%s: %s\n", (const char *)sqlite3_column_text(st, 0),
		    sqlite3_column_type(st, 1) != SQLITE_NULL ?
		    (const char *)sqlite3_column_text(st, 1) : "");
	sqlite3_finalize(st);
	sqlite3_close(h);
	return b.data;
}

static void
a_database_of_the_first_version_is_brought_up_to_date(void **state)
{
	struct shelf *s = *state, fresh;
	char path[1024], *sql = xmalloc(1 << 20), *old, *new;
	size_t n;

	snprintf(path, sizeof(path), "%s/tests/run/schema1.sql", getenv("SRCDIR"));
	n = get_file(path, sql);
	sql[n] = '\0';
	run(s->path, sql);
	run(s->path, "INSERT INTO pending VALUES (1, 0, 2, '', 1, 1, 3600005, 'no votes')");
	run(s->path, "INSERT INTO pending VALUES (1, 7, 2, '', 2, 3, 0, 'too long')");
	run(s->path, "INSERT INTO pending VALUES (1, 7, 3, '', 4, 2, 99, '503')");
	shelf_open(s);
	assert_int_equal(shelf_ask(s, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM record"), 4);
	assert_int_equal(shelf_ask(s, "SELECT since FROM pending WHERE item = 2"), 5);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM pending WHERE leg = 7"), 0);
	assert_int_equal(shelf_ask(s, "SELECT attempts FROM outbox WHERE leg = 7 AND n = 2 AND"
	    " kind = 1 AND state = 2 AND reason = 'too long'"), 3);
	assert_int_equal(shelf_ask(s, "SELECT due FROM outbox WHERE leg = 7 AND n = 3 AND state = 4"), 99);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM owed"), 0);
	shelf_close(s);
	assert_int_equal(try_open(s->path), 0);
	shelf_new(&fresh);
	assert_int_equal(try_open(fresh.path), 0);
	old = schema_of(s->path);
	new = schema_of(fresh.path);
	assert_string_equal(old, new);
	shelf_remove(&fresh);
	free(sql);
	free(old);
	free(new);
}

static void
a_database_without_a_version_is_refused(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(try_open(s->path), 0);
	run(s->path, "PRAGMA user_version = 0");
	assert_int_equal(try_open(s->path), STORE_EXIT_CORRUPT);
}

static void
what_is_no_database_is_refused_untouched(void **state)
{
	static const char text[] = "not a database, but somebody's notes; longer than a header of "
	    "a hundred bytes, so that it is read as one would be";
	char after[1 << 10];
	struct shelf *s = *state;

	put_file(s->path, text, sizeof(text));
	assert_int_equal(try_open(s->path), STORE_EXIT_CORRUPT);
	put_file(s->path, "short", 5);
	assert_int_equal(try_open(s->path), STORE_EXIT_CORRUPT);
	assert_int_equal(get_file(s->path, after), 5);
	assert_memory_equal(after, "short", 5);
}

static void
the_database_of_another_program_is_refused(void **state)
{
	struct shelf *s = *state;

	run(s->path, "CREATE TABLE notes (text)");
	assert_int_equal(try_open(s->path), STORE_EXIT_CORRUPT);
	run(s->path, "SELECT * FROM notes");
}

static void
an_empty_file_begins_anew(void **state)
{
	struct shelf *s = *state;

	put_file(s->path, "", 0);
	assert_int_equal(try_open(s->path), 0);
}

/* A damaged page is found when it is met, not at the start: the process ends with the status. */
static void
damage_ends_the_process_with_its_status(void **state)
{
	struct shelf *s = *state;
	char junk[4096];
	int fd, status;
	pid_t pid;
	int64_t i;

	shelf_open(s);
	db_begin(&s->book.db);
	for (i = 1; i < 2000; i++)
		db_run(&s->book.db, SQL_LOG_ADD, DB_INT(i), DB_INT(i), DB_INT(0), DB_INT(1),
		    DB_INT(0), DB_INT(i));
	db_commit(&s->book.db);
	shelf_close(s);
	memset(junk, 0x55, sizeof(junk));
	fd = open(s->path, O_RDWR);
	for (i = 10; i < 40; i++)
		if (pwrite(fd, junk, sizeof(junk), i * 4096) != (ssize_t)sizeof(junk))
			break;
	close(fd);
	if ((pid = fork()) == 0) {
		status = db_open(&s->book.db, s->path);
		if (status != 0)
			_exit(status);
		db_bind(&s->book.db, SQL_LOG_SCAN, DB_INT(0), DB_INT(5000));
		while (db_step(&s->book.db, SQL_LOG_SCAN))
			;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), STORE_EXIT_CORRUPT);
}

static void
a_locked_database_is_waited_for_and_then_given_up(void **state)
{
	struct shelf *s = *state;
	sqlite3 *other = NULL;
	int status;
	pid_t pid;

	assert_int_equal(try_open(s->path), 0);
	assert_int_equal(sqlite3_open(s->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	if ((pid = fork()) == 0) {
		status = db_open(&s->book.db, s->path);
		if (status == 0)
			db_begin(&s->book.db);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), STORE_EXIT_LOCKED);
	sqlite3_close(other);
	assert_int_equal(try_open(s->path), 0);
}

/* Opening it in a child that is nobody, where the tests run as root. */
static int
open_unprivileged(const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) == -1 || setuid(65534) == -1))
			_exit(1);
		_exit(try_open(path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
what_cannot_be_written_is_refused(void **state)
{
	struct shelf *s = *state;

	assert_int_equal(try_open(s->path), 0);
	assert_int_equal(chmod(s->folder, 0755), 0);
	assert_int_equal(chmod(s->path, 0444), 0);
	assert_int_equal(open_unprivileged(s->path), STORE_EXIT_READONLY);
	assert_int_equal(chmod(s->path, 0000), 0);
	assert_int_equal(open_unprivileged(s->path), STORE_EXIT_READONLY);
	assert_int_equal(chmod(s->path, 0600), 0);
	assert_int_equal(try_open(s->path), 0);
	assert_int_equal(try_open("/nonexistent/courant.db"), STORE_EXIT_READONLY);
}

/* The limit on a file's size stands in for a full disk. */
static void
a_full_disk_ends_the_process_and_rolls_back(void **state)
{
	struct shelf *s = *state;
	char *big = xcalloc(1, 1 << 20);
	int status;
	int64_t i;
	pid_t pid;

	shelf_open(s);
	db_begin(&s->book.db);
	db_run(&s->book.db, SQL_META_SET, DB_TEXT("records"), DB_INT(1));
	db_commit(&s->book.db);
	shelf_close(s);
	if ((pid = fork()) == 0) {
		status = db_open(&s->book.db, s->path);
		sqlite3_exec(s->book.db.handle, "PRAGMA max_page_count = 100", NULL, NULL, NULL);
		db_begin(&s->book.db);
		db_run(&s->book.db, SQL_META_SET, DB_TEXT("records"), DB_INT(2));
		for (i = 1; i < 100; i++)
			db_run(&s->book.db, SQL_RECORD_ADD, DB_INT(i), DB_BLOB(big, 1 << 20));
		db_commit(&s->book.db);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), STORE_EXIT_FULL);
	shelf_open(s);
	assert_int_equal(db_get(&s->book.db, SQL_META_GET, 0, DB_TEXT("records")), 1);
	shelf_close(s);
	free(big);
}

static void
the_wal_is_checkpointed_when_it_is_long(void **state)
{
	struct shelf *s = *state;
	char *big = xcalloc(1, 1 << 20);
	struct stat st;
	int64_t i;

	shelf_open(s);
	for (i = 1; i <= 8; i++) {
		db_begin(&s->book.db);
		db_run(&s->book.db, SQL_RECORD_ADD, DB_INT(i), DB_BLOB(big, 1 << 20));
		db_commit(&s->book.db);
		db_checkpoint(&s->book.db);
	}
	assert_int_equal(stat(s->path, &st), 0);
	assert_true(st.st_size > 4 << 20);
	assert_int_equal(s->book.db.commits, 8);
	shelf_close(s);
	free(big);
}

/* serve opens it read-only, also after a clean end of store. */
static void
a_file_that_was_moved_away_is_noticed(void **state)
{
	struct shelf *s = *state;
	char away[160];

	shelf_open(s);
	assert_false(db_lost(&s->book.db));
	snprintf(away, sizeof(away), "%s-away", s->path);
	assert_int_equal(rename(s->path, away), 0);
	assert_true(db_lost(&s->book.db));
	put_file(s->path, "x", 1);
	assert_true(db_lost(&s->book.db));
	assert_int_equal(rename(away, s->path), 0);
	assert_false(db_lost(&s->book.db));
	shelf_close(s);
}

static void
a_reader_can_open_it_after_a_clean_close(void **state)
{
	struct shelf *s = *state;
	sqlite3 *reader = NULL;

	assert_int_equal(try_open(s->path), 0);
	assert_int_equal(sqlite3_open_v2(s->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(reader, "SELECT count(*) FROM log", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(reader);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_database_is_made_and_opened_again),
		TEST(what_is_not_committed_did_not_happen),
		TEST(a_newer_version_is_refused_untouched),
		TEST(a_database_of_the_first_version_is_brought_up_to_date),
		TEST(a_database_without_a_version_is_refused),
		TEST(what_is_no_database_is_refused_untouched),
		TEST(the_database_of_another_program_is_refused),
		TEST(an_empty_file_begins_anew),
		TEST(damage_ends_the_process_with_its_status),
		TEST(a_locked_database_is_waited_for_and_then_given_up),
		TEST(what_cannot_be_written_is_refused),
		TEST(a_full_disk_ends_the_process_and_rolls_back),
		TEST(the_wal_is_checkpointed_when_it_is_long),
		TEST(a_file_that_was_moved_away_is_noticed),
		TEST(a_reader_can_open_it_after_a_clean_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

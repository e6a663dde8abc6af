/* A poll of several pages as store keeps it: what is owed, what counts when, what a gap leads to. */
#include "book.h"
#include "base/buf.h"
#include "db/db.h"
#include "store/document.h"
#include "store/ledger_verdict.h"
#include "store/walk.h"

#define HASH	77
#define HOME	"http://a.example"

static struct shelf shelf;
static struct roster *roster;
static uint32_t id;

static int
up(void **state)
{
	const struct store_source one = { .name = "s", .url = "http://a.example/", .plugin = "json" };

	(void)state;
	shelf_new(&shelf);
	shelf_open(&shelf);
	roster = roster_new(&shelf.book.db);
	db_begin(&shelf.book.db);
	roster_take(roster, &one, 1, &id);
	db_commit(&shelf.book.db);
	return 0;
}

static int
down(void **state)
{
	(void)state;
	roster_free(roster);
	shelf_close(&shelf);
	shelf_remove(&shelf);
	return 0;
}

/* What a page asks for: "next /PATH", "/PATH", "URL" lines; a state "=VALUE". It borrows from b. */
static struct document *
page_of(struct buf *b, const char *lines)
{
	struct result_request q = { .body = { "", 0 } };
	struct result_state st = { .key = "high" };
	struct document *doc;
	char *copy = strdup(lines), *rest = copy, *line, url[200];
	size_t begun;

	buf_init(b, 1u << 20);
	while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
		if (*line == '=') {
			st.value = line + 1;
			begun = result_begin(b, RESULT_STATE);
			wire_put(b, result_state, &st);
		} else {
			q.next = strncmp(line, "next ", 5) == 0;
			line += 5 * q.next;
			snprintf(url, sizeof(url), "%s%s", *line == '/' ? HOME : "", line);
			q.url = url;
			begun = result_begin(b, RESULT_REQUEST);
			wire_put(b, result_request, &q);
		}
		result_end(b, begun);
	}
	doc = document_new(shelf.book.digest, b->data != NULL ? b->data : "", b->len);
	assert_non_null(doc);
	free(copy);
	return doc;
}

/* The page owed; 0: none. Its URL is compared. */
static struct commit
owed(const char *url)
{
	struct commit c = { .source = id, .flags = COMMIT_LAST, .url = "", .pages = 10, .hash = HASH };
	struct owed_page o;
	struct buf b;
	struct wire w;

	buf_init(&b, 1u << 20);
	if (url == NULL) {
		assert_int_equal(walk_next(roster, id, &b), -1);
		return c;
	}
	assert_int_equal(walk_next(roster, id, &b), 0);
	wire_init(&w, b.data, b.len);
	wire_get(&w, owed_page, &o);
	assert_int_equal(wire_end(&w), 0);
	assert_string_equal(o.url + (*url == '/' ? strlen(HOME) : 0), url);
	c.page = o.page;
	c.nth = o.nth;
	buf_free(&b);
	return c;
}

/* Stores a page with so many new records. */
static enum walk
stores(struct commit c, const char *lines, uint32_t added)
{
	const struct mark m = { .ok = 1, .etag = "\"e\"" };
	struct buf b;
	struct document *doc = page_of(&b, lines);
	enum walk is;

	db_begin(&shelf.book.db);
	is = walk_page(roster, &c, &m, doc, added);
	db_commit(&shelf.book.db);
	document_free(doc);
	buf_free(&b);
	return is;
}

static enum walk
fails(struct commit c, uint32_t how, uint32_t added)
{
	c.flags |= how;
	c.gap = "gone";
	return stores(c, "", added);
}

static int64_t
state_is(const char *value)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM state WHERE value = '%s'", value);
	return shelf_ask(&shelf, sql);
}

static void
one_page_after_the_other(void **state)
{
	(void)state;
	assert_int_equal(stores(owed(NULL), "next /2", 3), WALK_GOES_ON);
	assert_int_equal(owed("/2").nth, 1);
	assert_int_equal(stores(owed("/2"), "next /3\nhttp://b/x", 1), WALK_GOES_ON);
	assert_int_equal(owed("/3").nth, 2);
	assert_int_equal(stores(owed("/3"), "", 1), WALK_GOES_ON);
	assert_int_equal(owed("http://b/x").nth, 1);
	assert_int_equal(stores(owed("http://b/x"), "", 0), WALK_WHOLE);
	assert_int_equal(*roster_stored(roster, id), 0);
	owed(NULL);
	assert_int_equal(shelf_ask(&shelf, "SELECT count(*) FROM walk"), 0);
}

static void
next_is_for_pages_with_news_and_up_to_a_number(void **state)
{
	struct commit c;

	(void)state;
	assert_int_equal(stores(owed(NULL), "next /2", 0), WALK_WHOLE);
	c = owed(NULL);
	c.pages = 1;
	assert_int_equal(stores(c, "next /2", 5), WALK_WHOLE);
	owed(NULL);
	assert_int_equal(stores(owed(NULL), "/2", 0), WALK_GOES_ON);	/* fetch() asks whatever came */
	owed("/2");
}

static void
state_counts_at_the_end_of_a_whole_walk(void **state)
{
	(void)state;
	assert_int_equal(stores(owed(NULL), "=one\nnext /2", 1), WALK_GOES_ON);
	assert_int_equal(state_is("one"), 0);
	assert_int_equal(stores(owed("/2"), "=two", 1), WALK_WHOLE);
	assert_int_equal(state_is("two"), 1);
	assert_int_equal(stores(owed(NULL), "=three\nnext /2", 1), WALK_GOES_ON);
	assert_int_equal(fails(owed("/2"), COMMIT_NEVER, 0), WALK_FAILED);
	assert_int_equal(state_is("two"), 1);
	assert_int_equal(shelf_ask(&shelf, "SELECT count(*) FROM held"), 0);
}

static void
a_page_that_fails_stays_owed(void **state)
{
	(void)state;
	assert_int_equal(stores(owed(NULL), "next /2", 1), WALK_GOES_ON);
	assert_int_equal(fails(owed("/2"), COMMIT_FAILED | COMMIT_COUNTS, 0), WALK_FAILED);
	assert_int_equal(shelf_ask(&shelf, "SELECT failures FROM owed"), 1);
	assert_int_equal(fails(owed("/2"), COMMIT_FAILED, 2), WALK_FAILED);
	assert_int_equal(shelf_ask(&shelf, "SELECT failures FROM owed"), 1);
	/* What it brought is known when it is read again: the walk goes on all the same. */
	assert_int_equal(stores(owed("/2"), "next /3", 0), WALK_GOES_ON);
	assert_int_equal(stores(owed("/3"), "", 0), WALK_WHOLE);
}

static void
a_gap_is_made_up_for_once(void **state)
{
	(void)state;
	assert_int_equal(stores(owed(NULL), "next /2", 1), WALK_GOES_ON);
	assert_int_equal(fails(owed("/2"), COMMIT_NEVER, 0), WALK_FAILED);
	assert_int_equal(*roster_stored(roster, id), KEPT_BROKEN);
	assert_int_equal(stores(owed(NULL), "next /2", 0), WALK_GOES_ON);
	assert_int_equal(fails(owed("/2"), COMMIT_NEVER, 0), WALK_FAILED);
	assert_int_equal(*roster_stored(roster, id), 0);	/* it brought nothing: not again */
	assert_int_equal(stores(owed(NULL), "next /2", 0), WALK_WHOLE);
}

static struct recalled
recalls(uint64_t hash)
{
	const struct recall q = { .source = id, .hash = hash };
	struct recalled out;
	struct buf b;
	struct wire w;

	buf_init(&b, msg_limit(MSG_RECALLED));
	walk_recall(roster, &q, &b);
	if (shelf.book.db.open)
		db_commit(&shelf.book.db);
	wire_init(&w, b.data, b.len);
	wire_get(&w, recalled, &out);
	out.state = (struct bytes){ NULL, 0 };
	out.etag = out.etag != NULL ? "some" : NULL;
	buf_free(&b);
	return out;
}

static void
another_configuration_drops_what_is_owed(void **state)
{
	(void)state;
	assert_int_equal(stores(owed(NULL), "=one\nnext /2", 1), WALK_GOES_ON);
	assert_int_equal(recalls(HASH).kept, KEPT_OWED);
	assert_string_equal(recalls(HASH).etag, "some");
	owed("/2");
	assert_int_equal(recalls(HASH + 1).kept, KEPT_BROKEN);
	owed(NULL);
	assert_int_equal(shelf_ask(&shelf, "SELECT count(*) FROM held"), 0);
	assert_int_equal(state_is("one"), 0);
}

static void
a_page_stored_in_part_leaves_its_walk_broken(void **state)
{
	const struct commit c = { .source = id, .flags = COMMIT_LAST, .url = "", .pages = 10,
		.hash = HASH };

	(void)state;
	assert_int_equal(walk_doubt(roster, &c), 1);
	assert_int_equal(shelf_ask(&shelf, "SELECT broken FROM walk"), 1);
	assert_int_equal(walk_doubt(roster, &c), 0);	/* it was already */
	walk_trust(roster, &c);
	assert_int_equal(shelf_ask(&shelf, "SELECT count(*) FROM walk"), 0);
	assert_int_equal(stores(c, "next /2\n", 0), WALK_WHOLE);

	/* Read again after the end of the process, it goes on past entries that are stored. */
	assert_int_equal(walk_doubt(roster, &c), 1);
	assert_int_equal(stores(c, "next /2\n", 0), WALK_GOES_ON);
	assert_int_equal(walk_doubt(roster, &c), 0);
	assert_int_equal(stores(owed("/2"), "", 0), WALK_WHOLE);
	assert_int_equal(shelf_ask(&shelf, "SELECT count(*) FROM walk"), 0);
}

static void
a_walk_has_its_maximum(void **state)
{
	struct commit c = owed(NULL);
	struct buf b;
	int n;

	(void)state;
	buf_init(&b, 1u << 20);
	for (int i = 0; i < RESULT_REQUESTS; i++)
		buf_fmt(&b, "http://b/%d\n", i);
	assert_int_equal(stores(c, b.data, 1), WALK_GOES_ON);
	for (n = 0; n < WALK_PAGES / RESULT_REQUESTS; n++)
		assert_int_equal(stores((struct commit){ .source = id, .flags = COMMIT_LAST,
		    .url = "", .page = 1 + n, .nth = 1, .pages = 10, .hash = HASH }, b.data, 1),
		    WALK_GOES_ON);
	assert_in_range(shelf_ask(&shelf, "SELECT count(*) FROM owed"), WALK_PAGES - 20, WALK_PAGES);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_page_after_the_other, up, down),
		cmocka_unit_test_setup_teardown(next_is_for_pages_with_news_and_up_to_a_number, up,
		    down),
		cmocka_unit_test_setup_teardown(state_counts_at_the_end_of_a_whole_walk, up, down),
		cmocka_unit_test_setup_teardown(a_page_that_fails_stays_owed, up, down),
		cmocka_unit_test_setup_teardown(a_gap_is_made_up_for_once, up, down),
		cmocka_unit_test_setup_teardown(another_configuration_drops_what_is_owed, up, down),
		cmocka_unit_test_setup_teardown(a_page_stored_in_part_leaves_its_walk_broken, up, down),
		cmocka_unit_test_setup_teardown(a_walk_has_its_maximum, up, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

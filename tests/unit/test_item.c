/* Items: nothing is repeated and nothing lost, however a source names its entries. */
#include "book.h"
#include "base/buf.h"
#include "base/text.h"
#include "db/db.h"
#include "store/document.h"

#include <time.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define POLL(s, ...)	shelf_poll((s), (const struct entry_text[]){ __VA_ARGS__ }, \
	COUNT(((const struct entry_text[]){ __VA_ARGS__ })))
#define ADDED(s, n, ...)	assert_int_equal(POLL((s), __VA_ARGS__).added, (n))

static int
setup(void **state)
{
	struct shelf *s = xmalloc(sizeof(*s));

	shelf_new(s);
	shelf_open(s);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct shelf *s = *state;

	shelf_close(s);
	shelf_remove(s);
	free(s);
	return 0;
}

static int64_t
items(struct shelf *s)
{
	return shelf_ask(s, "SELECT count(*) FROM item");
}

/* Nothing of the document is new or revised. */
static void
same(struct shelf *s, const struct entry_text *e, size_t n)
{
	struct document_counts c = shelf_poll(s, e, n);

	assert_int_equal(c.added, 0);
	assert_int_equal(c.revised, 0);
}

static void
the_same_document_twice_gives_nothing_new(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "a", "https://x.example/a", "A", "<p>text</p>", BOOK_WHEN, 3 },
		{ "b", "https://x.example/b", "B", NULL, 0, 0 },
		{ NULL, "https://x.example/c", "C", NULL, 0, 0 },
		{ NULL, NULL, "D", "d", BOOK_WHEN, 0 },
		{ NULL, NULL, NULL, "only text", 0, 0 },
	};
	struct document_counts c = shelf_poll(s, e, COUNT(e));

	assert_int_equal(c.seen, 5);
	assert_int_equal(c.added, 5);
	same(s, e, COUNT(e));
	assert_int_equal(items(s), 5);
	assert_int_equal(s->source.unreliable, NAME_PLAIN);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM log"), 5);
}

static void
without_a_guid_the_link_counts_and_then_title_and_date(void **state)
{
	struct shelf *s = *state;

	ADDED(s, 1, { NULL, "https://x.example/a?utm_source=rss", "A", NULL, 0, 0 });
	ADDED(s, 0, { NULL, "http://www.x.example/a", "A", NULL, 0, 0 });
	ADDED(s, 1, { NULL, NULL, "Day one", NULL, 1000, 0 });
	ADDED(s, 0, { NULL, NULL, "day  ONE!", NULL, 1000, 0 });
	ADDED(s, 1, { NULL, NULL, "Day one", NULL, 2000, 0 });
}

static void
a_feed_that_begins_or_ends_to_give_guids_repeats_nothing(void **state)
{
	struct shelf *s = *state;
	const struct entry_text with[] = {
		{ "a", "https://x.example/a", "A", NULL, 0, 0 },
		{ "b", "https://x.example/b", "B", NULL, 0, 0 },
	}, without[] = {
		{ NULL, "https://x.example/a", "A", NULL, 0, 0 },
		{ NULL, "https://x.example/b", "B", NULL, 0, 0 },
		{ NULL, "https://x.example/c", "C", NULL, 0, 0 },
	}, again[] = {
		{ "c", "https://x.example/c", "C", NULL, 0, 0 },
		{ "b", "https://x.example/b", "B", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, with, COUNT(with)).added, 2);
	assert_int_equal(shelf_poll(s, without, COUNT(without)).added, 1);
	same(s, without, COUNT(without));
	same(s, again, COUNT(again));
	same(s, with, COUNT(with));
	assert_int_equal(items(s), 3);
}

static void
links_do_not_join_what_guids_tell_apart(void **state)
{
	struct shelf *s = *state;

	/* One link for all, and one title. */
	ADDED(s, 2, { "1", "https://x.example/", "Daily", NULL, 0, 0 },
	    { "2", "https://x.example/", "Daily", NULL, 0, 0 });
	ADDED(s, 1, { "3", "https://x.example/", "Daily", NULL, 0, 0 });
	/* An entry with a guid beside one without, under one link. */
	ADDED(s, 1, { NULL, "https://x.example/p", "P", NULL, 0, 0 });
	ADDED(s, 1, { NULL, "https://x.example/p", "P", NULL, 0, 0 },
	    { "p", "https://x.example/p", "P", NULL, 0, 0 });
	/* Another title: another entry. */
	ADDED(s, 1, { "q", "https://x.example/q", "Q", NULL, 0, 0 });
	ADDED(s, 1, { NULL, "https://x.example/q", "Other", NULL, 0, 0 });
}

static void
one_entry_twice_in_a_document_is_one(void **state)
{
	struct shelf *s = *state;
	struct document_counts c = POLL(s, { "a", "https://x.example/a", "A", NULL, 0, 0 },
	    { "a", "https://x.example/a", "A", "other text", 0, 0 });

	assert_int_equal(c.seen, 1);
	assert_int_equal(items(s), 1);
	assert_int_equal(s->source.unreliable, NAME_PLAIN);
}

static void
a_repeated_guid_is_joined_with_the_link(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "g", "https://x.example/1", "One", NULL, 0, 0 },
		{ "g", "https://x.example/2", "Two", NULL, 0, 0 },
		{ "h", "https://x.example/3", "Three", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 3);
	assert_int_equal(s->source.unreliable, NAME_JOINED);
	same(s, e, COUNT(e));
	same(s, e + 1, 1);
	/* The guid alone says nothing from now on. */
	ADDED(s, 1, { "g", "https://x.example/4", "Four", NULL, 0, 0 });
	assert_int_equal(items(s), 4);
}

static void
a_repeated_guid_without_links_is_joined_with_the_title(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "g", NULL, "One", NULL, 0, 0 }, { "g", NULL, "Two", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 2);
	same(s, e, COUNT(e));
	ADDED(s, 1, { "g", NULL, "Three", NULL, 0, 0 });
}

/* All entries have the site's address as guid and link. */
static void
a_guid_and_link_that_all_share_are_joined_with_the_title(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "https://x.example/", "https://x.example/", "One", NULL, 0, 0 },
		{ "https://x.example/", "https://x.example/", "Two", NULL, 0, 0 },
		{ "https://x.example/", "https://x.example/", "Three", NULL, 0, 0 },
		{ NULL, "https://x.example/", "Four", NULL, 0, 0 },
		{ NULL, "https://x.example/", "Five", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 5);
	assert_int_equal(s->source.unreliable, NAME_FULL);
	same(s, e, COUNT(e));
}

static void
links_that_all_share_without_guids_are_joined_with_the_title(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ NULL, "https://x.example/", "One", NULL, 0, 0 },
		{ NULL, "https://x.example/", "Two", NULL, 0, 0 },
	};

	ADDED(s, 1, { NULL, "https://x.example/", "One", NULL, 0, 0 });
	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 1);
	same(s, e, COUNT(e));
}

static void
becoming_unreliable_repeats_nothing_that_is_known(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "f", "https://x.example/f", "F", NULL, 0, 0 },
		{ "g", "https://x.example/1", "One", NULL, 0, 0 },
		{ "Old", NULL, "Old", NULL, 0, 0 },
		{ NULL, "https://x.example/n", "N", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 4);
	ADDED(s, 1, e[0], e[1], { "g", "https://x.example/2", "Two", NULL, 0, 0 }, e[3]);
	same(s, e, COUNT(e));
	assert_int_equal(items(s), 5);
	/* And once more, to the strictest rule. */
	ADDED(s, 1, e[0], e[1], { "g", "https://x.example/1", "One again", NULL, 0, 0 });
	same(s, e, COUNT(e));
	assert_int_equal(s->source.unreliable, NAME_FULL);
	assert_int_equal(items(s), 6);
}

static void
an_unreliable_source_that_moves_repeats_nothing(void **state)
{
	struct shelf *s = *state;

	POLL(s, { "g", "https://x.example/1", "One", NULL, 0, 0 },
	    { "g", "https://x.example/2", "Two", NULL, 0, 0 },
	    { "h", "https://x.example/3", "Three", NULL, 0, 0 });
	ADDED(s, 0, { "h", "https://new.example/3", "Three", NULL, 0, 0 });
	ADDED(s, 0, { "h", "https://new.example/3", "Three, corrected", NULL, 0, 0 });
}

static void
guids_that_differ_in_case_are_one_with_equal_link_or_title(void **state)
{
	struct shelf *s = *state;

	ADDED(s, 1, { "Tag:A", "https://x.example/a", "A", NULL, 0, 0 });
	ADDED(s, 0, { "tag:a", "https://x.example/a", "A, corrected", NULL, 0, 0 });
	ADDED(s, 0, { "TAG:A", "https://x.example/other", "A, corrected", NULL, 0, 0 });
	/* Known under its new spelling, whatever else changes. */
	ADDED(s, 0, { "tag:a", "https://x.example/third", "Quite another", NULL, 0, 0 });
	ADDED(s, 1, { "tAG:A", "https://x.example/b", "B", NULL, 0, 0 });
	assert_int_equal(items(s), 2);
}

static void
guids_that_differ_in_case_in_one_document(void **state)
{
	struct shelf *s = *state;
	const struct entry_text e[] = {
		{ "x1", "https://x.example/a", "A", NULL, 0, 0 },
		{ "X1", "https://x.example/a", "A", NULL, 0, 0 },
		{ "y1", "https://x.example/b", "B", NULL, 0, 0 },
		{ "Y1", "https://x.example/c", "C", NULL, 0, 0 },
	};

	assert_int_equal(shelf_poll(s, e, COUNT(e)).added, 3);
	assert_int_equal(s->source.unreliable, NAME_PLAIN);
	same(s, e, COUNT(e));
}

static void
a_revision_needs_a_changed_title_link_or_text(void **state)
{
	struct shelf *s = *state;
	struct entry_text e = { "a", "https://x.example/a", "A", "<p>some text</p>", 0, 1 };

	shelf_poll(s, &e, 1);
	e.votes = 2;
	same(s, &e, 1);
	e.summary = "<div>some\n <b>text</b></div>";
	same(s, &e, 1);
	e.link = "https://x.example/a?utm_medium=feed";
	same(s, &e, 1);
	e.title = "A, corrected";
	assert_int_equal(shelf_poll(s, &e, 1).revised, 1);
	same(s, &e, 1);
	e.summary = "other text";
	assert_int_equal(shelf_poll(s, &e, 1).revised, 1);
	e.link = "https://x.example/b";
	assert_int_equal(shelf_poll(s, &e, 1).revised, 1);
	assert_int_equal(shelf_ask(s, "SELECT revision FROM item"), 3);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM log"), 4);
}

static void
a_counter_that_rises_changes_the_record_in_its_place(void **state)
{
	struct shelf *s = *state;
	struct entry_text e = { "a", "https://x.example/a", "A", NULL, 0, 1 };
	struct cr_record *r;
	struct bytes blob;
	double votes = 0;

	shelf_poll(s, &e, 1);
	e.votes = 41;
	same(s, &e, 1);
	db_bind(&s->book.db, SQL_RECORD_GET, DB_INT(1));
	assert_true(db_step(&s->book.db, SQL_RECORD_GET));
	blob = db_blob(&s->book.db, SQL_RECORD_GET, 0);
	r = record_read(blob.data, blob.len);
	assert_non_null(r);
	assert_int_equal(record_get_number(r, "votes", &votes), 1);
	assert_true(votes > 40.5 && votes < 41.5);
	record_free(r);
	db_done(&s->book.db, SQL_RECORD_GET);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM log"), 1);
}

static void
ten_revisions_are_kept(void **state)
{
	struct shelf *s = *state;
	char title[32];
	struct entry_text e = { "a", NULL, title, NULL, 0, 0 };
	int i;

	for (i = 0; i < 25; i++) {
		snprintf(title, sizeof(title), "title %d", i);
		shelf_poll(s, &e, 1);
	}
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM log"), 25);
	assert_int_equal(shelf_ask(s, "SELECT count(*) FROM record"), ITEM_REVISIONS);
	assert_int_equal(shelf_ask(s, "SELECT min(n) FROM record"), 16);
	same(s, &e, 1);
}

static void
the_record_id_is_a_hash_of_the_keys_and_never_changes(void **state)
{
	struct shelf *s = *state;
	struct digest *d = digest_new();
	unsigned char out[DIGEST_SIZE];
	struct bytes rid;

	POLL(s, { "g", "https://x.example/1", "One", NULL, 0, 0 });
	digest_begin(d);
	digest_add(d, s->source.key, 16);
	digest_add(d, "guid\0g", 6);
	digest_end(d, out);
	POLL(s, { "g", "https://x.example/1", "One, corrected", NULL, 0, 0 });
	POLL(s, { "g", "https://x.example/1", "One", NULL, 0, 0 },
	    { "g", "https://x.example/2", "Two", NULL, 0, 0 });
	db_bind(&s->book.db, SQL_LOG_GET, DB_INT(1));
	assert_true(db_step(&s->book.db, SQL_LOG_GET));
	rid = db_blob(&s->book.db, SQL_LOG_GET, 2);
	assert_int_equal(rid.len, 16);
	assert_memory_equal(rid.data, out, 16);
	db_done(&s->book.db, SQL_LOG_GET);
	assert_int_equal(shelf_ask(s, "SELECT count(DISTINCT rid) FROM item"), 2);
	digest_free(d);
}

/* "abc", hashed by sha256sum with the lengths put before by hand: the format is for ever. */
static void
digests_are_of_length_prefixed_fields(void **state)
{
	static const unsigned char known[8] = { 0xc0, 0xad, 0xa8, 0x50, 0x24, 0xec, 0x45, 0xde };
	struct digest *d = digest_new();
	unsigned char out[DIGEST_SIZE];

	(void)state;
	digest_begin(d);
	digest_add(d, "abc", 3);
	digest_str(d, NULL);
	digest_end(d, out);
	assert_memory_equal(out, known, sizeof(known));
	digest_free(d);
}

static int64_t
n_of(struct shelf *s, const char *guid)
{
	struct cr_record *r;
	struct bytes blob;
	int64_t n, found = 0;

	for (n = 1; n <= s->book.head; n++) {
		db_bind(&s->book.db, SQL_RECORD_GET, DB_INT(n));
		if (!db_step(&s->book.db, SQL_RECORD_GET))
			continue;
		blob = db_blob(&s->book.db, SQL_RECORD_GET, 0);
		r = record_read(blob.data, blob.len);
		if (r != NULL && strcmp(record_get(r, CR_GUID, 0), guid) == 0)
			found = n;
		record_free(r);
		db_done(&s->book.db, SQL_RECORD_GET);
	}
	return found;
}

static void
the_log_has_the_older_entries_first(void **state)
{
	struct shelf *s = *state;

	POLL(s, { "c", NULL, "c", NULL, 0, 0 }, { "b", NULL, "b", NULL, 0, 0 },
	    { "a", NULL, "a", NULL, 0, 0 });
	assert_int_equal(n_of(s, "a"), 1);
	assert_int_equal(n_of(s, "c"), 3);
	/* Dates say that this one is written oldest first. */
	POLL(s, { "d", NULL, "d", NULL, 4000, 0 }, { "e", NULL, "e", NULL, 0, 0 },
	    { "f", NULL, "f", NULL, 6000, 0 });
	assert_int_equal(n_of(s, "d"), 4);
	assert_int_equal(n_of(s, "f"), 6);
}

static void
a_first_fetch_is_marked_with_the_rank_from_the_newest(void **state)
{
	struct shelf *s = *state;

	POLL(s, { "c", NULL, "c", NULL, 0, 0 }, { "b", NULL, "b", NULL, 0, 0 });
	POLL(s, { "a", NULL, "a", NULL, 0, 0 });	/* the next page of the same fetch */
	assert_int_equal(shelf_ask(s, "SELECT flags FROM log WHERE n = 1"), LOG_FIRST | 1 << 8);
	assert_int_equal(shelf_ask(s, "SELECT flags FROM log WHERE n = 2"), LOG_FIRST);
	assert_int_equal(shelf_ask(s, "SELECT flags FROM log WHERE n = 3"), LOG_FIRST | 2 << 8);
	s->source.firsts = -1;
	POLL(s, { "d", NULL, "d", NULL, 0, 0 });
	assert_int_equal(shelf_ask(s, "SELECT flags FROM log WHERE n = 4"), 0);
}

static void
malformed_results_are_refused_whole(void **state)
{
	static const struct entry_text e = { "a", "https://x.example/a", "A", NULL, 0, 0 };
	struct shelf *s = *state;
	struct document *doc;
	struct buf b;
	size_t i, begun, whole;

	buf_init(&b, 1u << 20);
	put_entry(&b, &e);
	whole = b.len;
	for (i = 1; i < whole; i += 9)
		assert_null(document_new(s->book.digest, b.data, i));
	doc = document_new(s->book.digest, b.data, whole);
	assert_non_null(doc);
	document_free(doc);
	begun = result_begin(&b, RESULT_VERDICT);	/* not of parse */
	wire_put_u32(&b, 1);
	result_end(&b, begun);
	assert_null(document_new(s->book.digest, b.data, b.len));
	doc = document_begin(s->book.digest, b.data, b.len);
	assert_int_equal(document_read(doc, INT64_MAX), -1);
	assert_string_equal(doc->fault, "item 2, of kind 4, is malformed");
	document_free(doc);
	buf_free(&b);
}

static void
a_malformed_record_is_refused_alone(void **state)
{
	static const struct entry_text e = { "a", "https://x.example/a", "A", NULL, 0, 0 };
	struct shelf *s = *state;
	struct document *doc;
	struct buf b;
	size_t begun;

	buf_init(&b, 1u << 20);
	begun = result_begin(&b, RESULT_RECORD);
	buf_add(&b, "\001\377\377\377\377garbage", 12);
	result_end(&b, begun);
	put_entry(&b, &e);
	doc = document_new(s->book.digest, b.data, b.len);
	assert_non_null(doc);
	assert_int_equal(doc->n, 1);
	assert_int_equal(doc->records, 2);
	assert_int_equal(doc->refused, 1);
	assert_string_equal(doc->fault, "record 1: an unknown field, 255");
	document_free(doc);
	buf_free(&b);
}

/* A worker cannot give its records an id or a source. */
static void
results_with_an_id_are_refused(void **state)
{
	struct shelf *s = *state;
	struct cr_record *r = record_new();
	struct document *doc;
	struct buf b;
	size_t begun;

	buf_init(&b, 1u << 20);
	put_text(r, CR_ID, "aaaaaaaaaaaaaaaaaaaaaaaaaa");
	begun = result_begin(&b, RESULT_RECORD);
	record_write(r, &b);
	result_end(&b, begun);
	doc = document_new(s->book.digest, b.data, b.len);
	assert_int_equal(doc->n, 0);
	assert_string_equal(doc->fault, "record 1: id: only the store gives it");
	document_free(doc);
	record_free(r);
	buf_free(&b);
}

static void
state_and_feed_are_read_and_checked(void **state)
{
	struct shelf *s = *state;
	const struct result_state *st;
	struct document *doc;
	struct buf b;
	size_t begun, n;

	buf_init(&b, 1u << 20);
	begun = result_begin(&b, RESULT_STATE);
	wire_put(&b, result_state, &(struct result_state){ .key = "cursor", .value = "42" });
	result_end(&b, begun);
	doc = document_new(s->book.digest, b.data, b.len);
	assert_non_null(doc);
	st = document_states(doc, &n);
	assert_int_equal(n, 1);
	assert_string_equal(st[0].key, "cursor");
	assert_string_equal(st[0].value, "42");
	assert_null(document_feed(doc).data);
	document_free(doc);
	begun = result_begin(&b, RESULT_STATE);
	wire_put(&b, result_state, &(struct result_state){ .key = "\xff" });
	result_end(&b, begun);
	assert_null(document_new(s->book.digest, b.data, b.len));
	buf_free(&b);
}

/* How the sources of the next test name entry i. */
enum how { BY_GUID, BY_LINK, BY_TITLE, ONE_GUID, ONE_GUID_LINK, SOME_TWICE, HOWS };

static struct entry_text
named(enum how how, unsigned i, char text[4][64])
{
	struct entry_text e = { text[0], text[1], text[2], NULL, 0, 0 };

	snprintf(text[0], 64, "guid-%u", how == SOME_TWICE ? i / 2 : i);
	snprintf(text[1], 64, "https://x.example/%u", i);
	snprintf(text[2], 64, "Title %u", i);
	if (how == BY_LINK || how == BY_TITLE)
		e.guid = NULL;
	if (how == BY_TITLE)
		e.link = NULL;
	if (how == ONE_GUID || how == ONE_GUID_LINK)
		e.guid = "same";
	if (how == ONE_GUID_LINK)
		e.link = "https://x.example/";
	return e;
}

/* A window slides over 200 entries, by uneven steps, with some polls repeated. */
static void
a_sliding_window_neither_loses_nor_repeats(void **state)
{
	enum { ENTRIES = 200, WINDOW = 12 };
	struct entry_text e[WINDOW];
	char text[WINDOW][4][64];
	unsigned from, i;
	enum how how;

	(void)state;
	for (how = BY_GUID; how < HOWS; how++) {
		struct shelf s;

		shelf_new(&s);
		shelf_open(&s);
		for (from = 0; from <= ENTRIES - WINDOW;) {
			for (i = 0; i < WINDOW; i++)
				e[WINDOW - 1 - i] = named(how, from + i, text[i]);
			shelf_poll(&s, e, WINDOW);
			same(&s, e, WINDOW);
			if (from == ENTRIES - WINDOW)
				break;
			from += 1 + from * 7 % WINDOW;
			if (from > ENTRIES - WINDOW)
				from = ENTRIES - WINDOW;
		}
		assert_int_equal(items(&s), ENTRIES);
		shelf_close(&s);
		shelf_remove(&s);
	}
}

/* So many that its records are not held in memory all at once. */
static void
a_very_large_document_is_stored_once(void **state)
{
	enum { ENTRIES = 3000 };
	struct shelf *s = *state;
	struct entry_text *e = xcalloc(ENTRIES, sizeof(*e));
	char (*guid)[16] = xcalloc(ENTRIES, 16), *body = xmalloc(4096);
	struct document_counts c;
	unsigned i;

	memset(body, 'b', 4095);
	body[4095] = '\0';
	for (i = 0; i < ENTRIES; i++) {
		snprintf(guid[i], 16, "%u", i);
		e[i] = (struct entry_text){ guid[i], NULL, guid[i], body, 0, 0 };
	}
	c = shelf_poll(s, e, ENTRIES);
	assert_int_equal(c.added, ENTRIES);
	same(s, e, ENTRIES);
	free(body);
	free(guid);
	free(e);
}

/* How entry i of a large document looks. */
struct shape {
	const char	*guid;		/* before its number; NULL: no entry has one */
	size_t		 links, titles;	/* different ones; 0: none is shared */
};

static struct entry_text *
shaped(const struct shape *is, size_t n)
{
	struct entry_text *e = xcalloc(n, sizeof(*e));

	for (size_t i = 0; i < n; i++) {
		if (is->guid != NULL)
			e[i].guid = xasprintf("%s%zu", is->guid, i);
		e[i].link = xasprintf("https://x.example/%zu", is->links > 0 ? i % is->links : i);
		e[i].title = xasprintf("Title %zu", is->titles > 0 ? i % is->titles : i);
		e[i].published = (int64_t)(1000 + i);
	}
	return e;
}

static void
shaped_free(struct entry_text *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)(uintptr_t)e[i].guid);
		free((char *)(uintptr_t)e[i].link);
		free((char *)(uintptr_t)e[i].title);
	}
	free(e);
}

/* The CPU time, us, of storing such a document after another. */
static double
cost(const struct shape *first, const struct shape *then, size_t n)
{
	struct shelf s;
	struct entry_text *e = shaped(first, n), *f = shaped(then, n);
	clock_t begun;

	shelf_new(&s);
	shelf_open(&s);
	(void)shelf_poll(&s, e, n);
	begun = clock();
	(void)shelf_poll(&s, f, n);
	begun = clock() - begun;
	shelf_close(&s);
	shelf_remove(&s);
	shaped_free(e, n);
	shaped_free(f, n);
	return (double)begun / CLOCKS_PER_SEC * 1e6;
}

/* Eight times as many entries: eight times the work, where each with each would be 64 times. */
static void
the_work_for_a_document_grows_with_its_entries_alone(void **state)
{
	enum { FEW = 2000, MANY = 16000 };
	static const struct shape none = { NULL, 0, 0 }, guids = { "g-", 0, 0 }, caps = { "G-", 0, 0 },
	    one_link = { NULL, 1, 0 }, one_link_guids = { "g-", 1, 0 }, two_links = { NULL, 2, 0 },
	    hundred = { "g-", 100, 1 }, twins = { NULL, 100, 1 };
	static const struct shape *const pairs[][2] = {
		{ &none, &guids }, { &guids, &none }, { &guids, &caps }, { &one_link, &one_link_guids },
		{ &one_link_guids, &one_link }, { &two_links, &two_links }, { &hundred, &twins },
		{ &twins, &hundred },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		double few = cost(pairs[i][0], pairs[i][1], FEW);
		double many = cost(pairs[i][0], pairs[i][1], MANY);

		if (many > 30 * few)	/* the machine may have been busy */
			many = cost(pairs[i][0], pairs[i][1], MANY);
		print_message("pair %zu: %.0f us, %.0f us\n", i, few, many);
		assert_true(many < 30 * few);
	}
}

/* A document that is stored in as many slices as it has entries, each in a transaction of its own. */
static void
a_document_in_slices_is_stored_as_one_in_one_go(void **state)
{
	enum { ENTRIES = 3000 };
	static const struct shape none = { NULL, 0, 0 }, guids = { "g-", 40, 2 };
	struct document_counts n = { 0, 0, 0 };
	struct entry_text *e = shaped(&none, ENTRIES), *f = shaped(&guids, ENTRIES);
	struct shelf *s = *state;
	struct document *doc;
	size_t slices = 0, i;
	struct buf b;
	int rc;

	free((char *)(uintptr_t)f[7].guid);
	f[7].guid = f[8].guid;		/* not unique: the source's items get other names */
	(void)shelf_poll(s, e, ENTRIES);
	buf_init(&b, 1u << 30);
	for (i = 0; i < ENTRIES; i++)
		put_entry(&b, &f[i]);
	doc = document_begin(s->book.digest, b.data, b.len);
	while ((rc = document_read(doc, 0)) == 1)
		slices++;
	assert_int_equal(rc, 0);
	assert_true(slices > ENTRIES);
	do {
		db_begin(&s->book.db);
		rc = document_store_some(doc, &s->book, &s->source, BOOK_WHEN, &n, 0);
		if (slices++ % 100 == 0)
			db_commit(&s->book.db);
	} while (rc == 1);
	db_begin(&s->book.db);
	db_commit(&s->book.db);
	document_free(doc);
	buf_free(&b);
	assert_true(slices > 3 * ENTRIES);
	assert_int_equal(n.seen, ENTRIES);
	assert_int_equal(s->source.unreliable, NAME_JOINED);
	assert_int_equal(shelf_ask(s, "SELECT count(*) - count(DISTINCT rid) FROM item"), 0);
	n = shelf_poll(s, f, ENTRIES);
	assert_int_equal(n.added, 0);
	assert_int_equal(n.revised, 0);
	f[7].guid = NULL;
	shaped_free(e, ENTRIES);
	shaped_free(f, ENTRIES);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_document_twice_gives_nothing_new),
		TEST(without_a_guid_the_link_counts_and_then_title_and_date),
		TEST(a_feed_that_begins_or_ends_to_give_guids_repeats_nothing),
		TEST(links_do_not_join_what_guids_tell_apart),
		TEST(one_entry_twice_in_a_document_is_one),
		TEST(a_repeated_guid_is_joined_with_the_link),
		TEST(a_repeated_guid_without_links_is_joined_with_the_title),
		TEST(a_guid_and_link_that_all_share_are_joined_with_the_title),
		TEST(links_that_all_share_without_guids_are_joined_with_the_title),
		TEST(becoming_unreliable_repeats_nothing_that_is_known),
		TEST(an_unreliable_source_that_moves_repeats_nothing),
		TEST(guids_that_differ_in_case_are_one_with_equal_link_or_title),
		TEST(guids_that_differ_in_case_in_one_document),
		TEST(a_revision_needs_a_changed_title_link_or_text),
		TEST(a_counter_that_rises_changes_the_record_in_its_place),
		TEST(ten_revisions_are_kept),
		TEST(the_record_id_is_a_hash_of_the_keys_and_never_changes),
		TEST(digests_are_of_length_prefixed_fields),
		TEST(the_log_has_the_older_entries_first),
		TEST(a_first_fetch_is_marked_with_the_rank_from_the_newest),
		TEST(malformed_results_are_refused_whole),
		TEST(a_malformed_record_is_refused_alone),
		TEST(results_with_an_id_are_refused),
		TEST(state_and_feed_are_read_and_checked),
		TEST(a_sliding_window_neither_loses_nor_repeats),
		TEST(a_very_large_document_is_stored_once),
		TEST(the_work_for_a_document_grows_with_its_entries_alone),
		TEST(a_document_in_slices_is_stored_as_one_in_one_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

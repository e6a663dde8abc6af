/* A query as a MATCH finds exactly the records of which the query language says so; whatever the query,
 * the MATCH is one that SQLite understands. */
#include "db/fulltext.h"
#include "index/match.h"
#include "index/rarity.h"
#include "index/signature.h"
#include "index/spelling.h"
#include "record/query.h"
#include "record/record.h"
#include "record/searched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define RECORDS		10000
#define QUERIES		200
#define FUZZED		10000

static char folder[64], path[128];
static struct fulltext *file;
static struct searched *all;		/* RECORDS of them, from place 1 on */
static struct rarity *rarity;
static uint32_t seed = 11;

static uint32_t
draw(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(seed >> 4) * n >> 28);
}

static const char *const words[] = {
	"sparse", "attention", "graph", "memory", "Caf\u00e9", "C++", "GPT-4", "k-means", "learning", "model",
	"\u6df1\u5ea6\u5b66\u4e60", "\u5b66\u4e60", "\u4e60", "\u30c7\u30fc\u30bf", "$\\alpha$", "retrieval", "dense",
	"state-of-the-art", "M\u00fcnchen", "agents", "vision", "noise", "tensor", "rope",
};

/* A word; the later ones are rarer. */
static const char *
word(void)
{
	return words[draw(1 + draw(COUNT(words)))];
}

static void
text(struct buf *b, uint32_t n)
{
	buf_clear(b);
	buf_str(b, "");
	while (n-- > 0) {
		buf_str(b, word());
		buf_char(b, draw(8) == 0 ? '.' : ' ');
	}
}

static struct cr_record *
record(struct buf *b)
{
	static const char *const sources[] = { "gh/one", "gh/two", "papers", "blog" };
	static const char *const authors[] = { "Ada Lovelace", "Grace Hopper", "\u5f20\u4f1f", "Jean-Luc Godard" };
	static const char *const categories[] = { "cs.LG", "cs.CL", "rope access" };
	struct cr_record *r = record_new();
	const char *s = sources[draw(COUNT(sources))];

	record_set(r, CR_SOURCE, s, strlen(s));
	text(b, 1 + draw(6));
	record_set(r, CR_TITLE, b->data, b->len);
	text(b, draw(20));
	if (b->len > 0)
		record_set(r, CR_SUMMARY, b->data, b->len);
	for (uint32_t n = draw(3); n > 0; n--)
		record_add_author(r, CR_AUTHOR, authors[draw(COUNT(authors))], NULL, NULL);
	if (draw(2) == 0) {
		s = categories[draw(COUNT(categories))];
		record_set(r, CR_CATEGORY, s, strlen(s));
	}
	if (draw(3) == 0)
		record_set_extra(r, "code", "https://example.org/");
	return r;
}

static void
index_add(int64_t n)
{
	static struct signature sig;
	const struct searched *s = &all[n];

	assert_int_equal(fulltext_run(file, FULLTEXT_ADD, DB_INT(n), DB_TEXT(s->title.n > 0 ? s->title.text : ""),
	    DB_TEXT(s->text.n > 0 ? s->text.text : ""), DB_TEXT(s->tags.text)), 0);
	signature_read(&sig, s, rarity, n);
	for (size_t i = 0; i < sig.n; i++)
		rarity_add(rarity, sig.word[i].hash, 1);
}

static int
setup(void **state)
{
	char why[FULLTEXT_WHY];
	enum fulltext_state how;
	struct buf b;

	(void)state;
	strcpy(folder, "/tmp/test_match.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/index.db", folder);
	file = fulltext_open(path, 1, 1, &how, why);
	assert_non_null(file);
	rarity = rarity_new();
	all = calloc(RECORDS + 1, sizeof(*all));
	buf_init(&b, 1u << 16);
	assert_int_equal(fulltext_run0(file, FULLTEXT_BEGIN), 0);
	for (int64_t n = 1; n <= RECORDS; n++) {
		struct cr_record *r = record(&b);

		searched_init(&all[n]);
		searched_read(&all[n], r);
		record_free(r);
		index_add(n);
	}
	assert_int_equal(fulltext_run0(file, FULLTEXT_COMMIT), 0);
	buf_free(&b);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int n = 1; n <= RECORDS; n++)
		searched_free(&all[n]);
	free(all);
	rarity_free(rarity);
	fulltext_close(file);
	fulltext_remove(path);
	return rmdir(folder);
}

/* ---- Queries ---- */

static void
term(struct buf *b, int depth)
{
	static const char *const tags[] = {
		"source:gh", "source:gh/one", "source:PAPERS", "author:lovelace", "author:\"grace hopper\"",
		"author:\u5f20", "author:(ada OR jean-luc)", "category:cs.lg", "category:\"rope access\"", "has:code",
		"has:author", "in:title", "nothing:known",
	};
	uint32_t kind = draw(12);

	if (draw(5) == 0)
		buf_str(b, "-");
	if (kind < 6 || depth > 3)
		buf_str(b, word());
	else if (kind < 8) {
		buf_fmt(b, "\"%s ", word());
		buf_fmt(b, "%s\"", word());
	} else if (kind < 10) {
		buf_str(b, tags[draw(COUNT(tags))]);
	} else {
		buf_char(b, '(');
		for (uint32_t n = 1 + draw(3); n > 0; n--) {
			term(b, depth + 1);
			buf_str(b, draw(3) == 0 ? " OR " : " ");
		}
		buf_char(b, ')');
	}
}

static void
queries_find_what_the_language_says(void **state)
{
	struct match m;
	struct buf b;
	int some = 0;

	(void)state;
	match_init(&m);
	buf_init(&b, QUERY_MAX);
	for (int i = 0; i < QUERIES; i++) {
		struct query *q;
		char *found = calloc(RECORDS + 1, 1);
		int rc, n = 0;

		buf_clear(&b);
		for (uint32_t k = 1 + draw(3); k > 0; k--) {
			term(&b, 0);
			buf_str(&b, draw(5) == 0 ? " OR " : " ");
		}
		q = query_read(b.data, b.len);
		match_all(&m, q, rarity, RECORDS);
		assert_int_equal(fulltext_ask(file, FULLTEXT_NEWEST, DB_TEXT(m.text.data), DB_INT(0), DB_INT(INT64_MAX),
		    DB_INT(INT64_MAX)), 0);
		while ((rc = fulltext_step(file, FULLTEXT_NEWEST)) == 1)
			found[fulltext_int(file, FULLTEXT_NEWEST, 0)] = 1;
		if (rc == -1)
			fail_msg("%s: %s: %s", b.data, m.text.data, fulltext_why(file));
		for (int k = 1; k <= RECORDS; k++) {
			if (found[k] != (q->root != 0 ? query_matches(q, &all[k], 0) : 1))
				fail_msg("%s: %s: record %d: %s / %s", b.data, m.text.data, k, all[k].title.text,
				    all[k].tags.text);
			n += found[k];
		}
		some += n > 0 && n < RECORDS;
		query_free(q);
		free(found);
	}
	assert_true(some > QUERIES / 2);
	match_free(&m);
	buf_free(&b);
}

/* Runs a MATCH as it is ranked. */
static void
rank(const struct match *m, const char *query)
{
	const clock_t begun = clock();		/* as the limit of a statement is: CPU time */
	int rc, ms;

	assert_false(m->text.over);
	assert_int_equal(fulltext_ask(file, FULLTEXT_SCORED, DB_TEXT(m->text.data),
	    DB_BLOB(m->weight, m->n * sizeof(m->weight[0])), DB_INT(0), DB_INT(INT64_MAX), DB_INT(2000)), 0);
	while ((rc = fulltext_step(file, FULLTEXT_SCORED)) == 1)
		assert_true(fulltext_real(file, FULLTEXT_SCORED, 1) >= 0);
	ms = (int)((clock() - begun) * 1000 / CLOCKS_PER_SEC);
#ifdef __SANITIZE_ADDRESS__			/* which takes several times as long */
	ms = 0;
	rc = rc == -1 && fulltext_state(file) == FULLTEXT_LATE ? 0 : rc;
#endif
	if (rc == -1)
		fail_msg("%s: %s: %s", query, m->text.data, fulltext_why(file));
	if (ms > FULLTEXT_MS)
		fail_msg("%s: %d ms", query, ms);
}

static void
fuzzed_queries_make_no_error(void **state)
{
	static const char *const bits[] = {
		"\"", "'", "(", ")", "-", "*", "^", ":", "+", "{", "}", "\\", "OR", "AND", "NOT", "NEAR", " ", " ", " ",
		"title", "title:", "in:title", "source:", "author:(", "has:", "\xff", "\xe2\x80\x9c", "\xee\x80\x80", ";", "--",
		"/*", "%", "_", "\n", "a", "0", "after:2026", "before:1999-01", "like:", "sort:new",
	};
	struct match m;
	struct buf b, meant;

	(void)state;
	match_init(&m);
	buf_init(&b, 1u << 16);
	buf_init(&meant, 1u << 16);
	for (int i = 0; i < FUZZED; i++) {
		struct query *q;

		buf_clear(&b);
		buf_clear(&meant);
		buf_str(&b, "");
		for (uint32_t n = draw(i % 50 == 0 ? 400 : 16); n > 0; n--)
			buf_str(&b, draw(3) == 0 ? word() : bits[draw(COUNT(bits))]);
		q = query_read(b.data, b.len);
		match_all(&m, q, rarity, RECORDS);
		rank(&m, b.data);
		if (match_any(&m, q, rarity, RECORDS, 2000) == 0)
			rank(&m, b.data);
		assert_int_not_equal(spelling_correct(file, b.data, b.len, &meant), -1);
		query_free(q);
	}
	match_free(&m);
	buf_free(&b);
	buf_free(&meant);
}

/* ---- Words of a document ---- */

static void
each_word_of_a_record_finds_it(void **state)
{
	struct match m;

	(void)state;
	match_init(&m);
	for (int k = 1; k <= RECORDS; k += 97) {
		const struct word_list *l = &all[k].title;

		for (size_t i = 0; i < l->n; i++) {
			int found = 0;

			buf_clear(&m.text);
			match_word(&m.text, l->text + l->word[i].at, l->word[i].len);
			assert_int_equal(fulltext_ask(file, FULLTEXT_NEWEST, DB_TEXT(m.text.data), DB_INT(k), DB_INT(k),
			    DB_INT(1)), 0);
			while (fulltext_step(file, FULLTEXT_NEWEST) == 1)
				found = 1;
			assert_true(found);
		}
	}
	match_free(&m);
}

/* ---- Spelling, signatures ---- */

static void
distances_count_edits(void **state)
{
	static const struct { const char *a, *b; int distance; } of[] = {
		{ "", "", 0 }, { "abc", "abc", 0 }, { "abc", "abd", 1 }, { "abc", "ab", 1 }, { "abc", "abcd", 1 },
		{ "abc", "acb", 1 }, { "attention", "atention", 1 }, { "attention", "attnetion", 1 },
		{ "attention", "atentoin", 2 }, { "abc", "xyz", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(of); i++)
		assert_int_equal(spelling_distance(of[i].a, strlen(of[i].a), of[i].b, strlen(of[i].b), 2), of[i].distance);
}

static void
rarities_outlive_growth(void **state)
{
	struct rarity *r = rarity_new();

	(void)state;
	for (uint32_t i = 1; i <= 100000; i++)
		rarity_add(r, i * 2654435761u, i % 3 + 1);
	for (uint32_t i = 1; i <= 100000; i++)
		assert_int_equal(rarity_get(r, i * 2654435761u), i % 3 + 1);
	assert_int_equal(rarity_get(r, 7), 0);
	for (uint32_t i = 1; i < 3 * RARITY_SLOTS; i++)
		rarity_add(r, i * 2654435761u | 1, i % 100 == 0 ? 1000 : 1);
	assert_true(rarity_get(r, 100 * 2654435761u | 1) >= 1000);
	rarity_free(r);
}

static void
the_weightiest_words_come_first(void **state)
{
	static struct signature s;
	unsigned char out[SIGNATURE_BYTES];

	(void)state;
	for (size_t n = 0; n < 600; n++) {
		s.n = n;
		for (size_t i = 0; i < n; i++)
			s.word[i] = (struct signed_word){ .hash = (uint32_t)i + 1, .weight = (float)(1 + draw(n % 7 == 0 ? 5 : 1000)) };
		signature_write(&s, out);
		for (size_t i = 1; i < n; i++)
			assert_true(i < SIGNATURE_SORTED ? s.word[i - 1].weight >= s.word[i].weight :
			    s.word[SIGNATURE_SORTED - 1].weight >= s.word[i].weight);
	}
}

static void
a_record_is_most_like_itself(void **state)
{
	static struct signature s;
	unsigned char a[SIGNATURE_BYTES], b[SIGNATURE_BYTES];

	(void)state;
	for (int k = 1; k < 200; k++) {
		signature_read(&s, &all[k], rarity, RECORDS);
		signature_write(&s, a);
		signature_read(&s, &all[k + 200], rarity, RECORDS);
		signature_write(&s, b);
		assert_true(signature_likeness(a, a) > 0.999);
		assert_true(signature_likeness(a, b) <= 1.000001);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_find_what_the_language_says),
		cmocka_unit_test(fuzzed_queries_make_no_error),
		cmocka_unit_test(each_word_of_a_record_finds_it),
		cmocka_unit_test(distances_count_edits),
		cmocka_unit_test(rarities_outlive_growth),
		cmocka_unit_test(the_weightiest_words_come_first),
		cmocka_unit_test(a_record_is_most_like_itself),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

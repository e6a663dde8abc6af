/* The answers to searches. */
#include "search.h"
#include "found.h"
#include "indexer.h"
#include "match.h"
#include "named.h"
#include "similar.h"
#include "spelling.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "db/reader.h"
#include "record/query.h"
#include "record/record.h"
#include "record/searched.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define LIMIT		20		/* stories of an answer, unless said */
#define LIKE_MAX	(64u << 10)	/* bytes of a text that records are to be like */
#define COMPLETE_MAX	8		/* words that complete one */
#define COMPLETE_LEAST	2		/* letters of it */
#define CLOCK_SLACK	INT64_C(3600000)	/* ms by which rows may be stored after they were seen */

/* A question, and its answer in the making. */
struct search {
	struct indexer		*x;
	struct fulltext		*f;
	struct indexer_at	 at;
	struct query		*q;
	enum query_sort		 sort;
	size_t			 limit;
	size_t			 most;		/* matches that are ranked */
	const char		*step;
	char			*meant;		/* the corrected query; or NULL */
	struct found		 found, first;	/* first: that the query names */
	json_t			*stories;
	int			 more;
};

/* ---- Matches ---- */

/* The first row of the log that may be as new as the query's `after:`. -1: the database failed. */
static int
row_after(struct search *s, int64_t *n)
{
	int64_t low = 0, high = s->x->head, mid, at;
	const int64_t least = s->q->after > INT64_MIN + CLOCK_SLACK ? s->q->after - CLOCK_SLACK : INT64_MIN;
	int rc = 0;

	while (s->q->after != INT64_MIN && low < high) {
		mid = low + (high - low) / 2;
		if (reader_ask(s->x->reader, LOOK_AGE, DB_INT(mid)) == -1 ||
		    (rc = reader_step(s->x->reader)) == -1) {
			s->found.why = reader_why(s->x->reader);
			return -1;
		}
		at = rc == 1 ? reader_int(s->x->reader, 0) : INT64_MAX;
		reader_done(s->x->reader);
		if (at < least)
			low = mid + 1;
		else
			high = mid;
	}
	*n = low;
	return 0;
}

/* Adds a match. 1: enough are found; 0; -1: the database failed. */
static int
match_add(struct search *s, int64_t n, double score)
{
	struct found_row *row;
	int rc;

	found_add(&s->found, n, score);
	row = &s->found.row[s->found.n - 1];
	if (s->sort != SORT_NEW && !s->q->dated)
		return s->found.n == s->most;
	if ((rc = found_resolve(&s->found, s->x->reader, row)) == -1)
		return -1;
	s->found.n -= rc == 0;
	if (s->sort != SORT_NEW)
		return s->found.n == s->most;
	return rc == 1 && found_story(&s->found, row->story) && s->found.stories > s->limit;
}

/* Finds what matches: to be ranked, the newest s->most; else the newest, as many as are wanted. */
static int
matches(struct search *s, const struct match *m)
{
	const int ranked = s->sort != SORT_NEW;
	const enum fulltext_sql sql = ranked ? FULLTEXT_SCORED : FULLTEXT_NEWEST;
	int64_t from;
	int rc;

	if (m->text.over || row_after(s, &from) == -1)
		return -1;
	rc = ranked ? fulltext_ask(s->f, sql, DB_TEXT(m->text.data), DB_BLOB(m->weight,
	    m->n * sizeof(m->weight[0])), DB_INT(from), DB_INT(INT64_MAX), DB_INT(INT64_MAX)) :
	    fulltext_ask(s->f, sql, DB_TEXT(m->text.data), DB_INT(from), DB_INT(INT64_MAX),
	    DB_INT(INT64_MAX));
	if (rc == -1)
		return -1;
	do {
		if ((rc = fulltext_step(s->f, sql)) != 1)
			break;
		rc = match_add(s, fulltext_int(s->f, sql, 0), ranked ? fulltext_real(s->f, sql, 1) : 0);
	} while (rc == 0);
	fulltext_done(s->f, sql);
	if (rc == -1)
		return -1;
	if (s->sort == SORT_MATCH)
		found_by_score(&s->found);
	return s->sort == SORT_HEAT ? found_by_heat(&s->found, s->x->reader) : 0;
}

/* Adds the stories of what was found to the answer. The number; -1. */
static int
stories_add(struct search *s)
{
	const size_t before = json_array_size(s->stories);

	found_first(&s->found, &s->first);
	if (found_json(&s->found, s->x->reader, s->limit, s->stories, &s->more) == -1)
		return -1;
	return (int)(json_array_size(s->stories) - before);
}

/* ---- Steps ---- */

static int
step_all(struct search *s, const struct query *q)
{
	struct match m;
	int rc = -1;

	if (q->root == 0 && !q->dated)
		return s->first.n > 0 ? stories_add(s) : 0;
	match_init(&m);
	match_all(&m, q, s->x->rarity, s->at.docs);
	found_clear(&s->found);
	if (matches(s, &m) == 0)
		rc = stories_add(s);
	match_free(&m);
	return rc;
}

static int
step_any(struct search *s, const struct query *q)
{
	struct match m;
	int rc = 0;

	match_init(&m);
	found_clear(&s->found);
	s->most = FOUND_ANY;
	if (match_any(&m, q, s->x->rarity, s->at.docs, FOUND_ANY) == 0)
		rc = matches(s, &m) == 0 ? stories_add(s) : -1;
	match_free(&m);
	return rc;
}

/* Corrects the query. 1: it differs, and is s->q now; 0; -1. */
static int
correct(struct search *s, const char *text, size_t len)
{
	struct query *q;
	struct buf b;
	int rc;

	buf_init(&b, 2 * QUERY_MAX);
	rc = spelling_correct(s->f, text, len < QUERY_MAX ? len : text_valid(text, QUERY_MAX), &b);
	if (rc == 1) {
		q = query_read(b.data, b.len);
		query_free(s->q);
		s->q = q;
		s->meant = xstrndup(b.data, b.len);
	}
	buf_free(&b);
	return rc;
}

/* All words, then all of the corrected query, then any. 0; -1. */
static int
steps(struct search *s, const char *text, size_t len)
{
	int rc = step_all(s, s->q);

	s->step = "all";
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if ((rc = correct(s, text, len)) == 1) {
		s->step = "spelling";
		if ((rc = step_all(s, s->q)) != 0)
			return rc < 0 ? -1 : 0;
	}
	s->step = "any";
	if (rc == 0)
		rc = step_any(s, s->q);
	if (rc == 0)
		s->step = "none";
	return rc < 0 ? -1 : 0;
}

/* ---- Likeness ---- */

/* Reads the record that a text names. 1: its words are read, *story is set; 0: it names none; -1. */
static int
like_record(struct search *s, const char *text, size_t len, struct searched *words, int64_t *story)
{
	struct found of;
	struct reader_row row;
	struct cr_record *r = NULL;
	int rc;

	found_init(&of, 0, 0, 0);
	rc = named(s->x->reader, text, len, &of);
	if (rc > 0) {
		*story = of.row[0].story;
		rc = reader_ask(s->x->reader, LOOK_ITEM, DB_INT(of.row[0].item)) == 0 ?
		    reader_step(s->x->reader) : -1;
		if (rc == 1) {
			reader_row(s->x->reader, &row);
			r = reader_row_record(&row);
		}
		reader_done(s->x->reader);
		if (r != NULL)
			searched_read(words, r);
		record_free(r);
		if (rc == 1)
			rc = r != NULL;
		else if (rc == -1)
			s->found.why = reader_why(s->x->reader);
	} else if (rc == -1)
		s->found.why = of.why;
	found_free(&of);
	return rc;
}

/* Records like the one named, or like a text. 0; -1. */
static int
like(struct search *s, const char *text, size_t len, int only_id)
{
	struct searched *words = xcalloc(1, sizeof(*words));
	int64_t story = 0;
	int rc;

	searched_init(words);
	rc = like_record(s, text, len, words, &story);
	if (rc == 0 && !only_id)
		words_add(&words->text, text, len < LIKE_MAX ? len : text_valid(text, LIKE_MAX), SEARCHED_WORDS);
	s->step = rc == 0 && only_id ? "none" : "like";
	found_clear(&s->found);
	if (rc != -1 && (rc == 1 || !only_id))
		rc = similar(s->x, s->f, words, s->at.docs, story, &s->found);
	if (rc == 0 && s->sort == SORT_HEAT)
		rc = found_by_heat(&s->found, s->x->reader);
	if (rc == 0 && s->sort == SORT_NEW)
		found_by_age(&s->found);
	if (rc == 0)
		rc = stories_add(s);
	searched_free(words);
	free(words);
	return rc < 0 ? -1 : 0;
}

/* ---- Answers ---- */

/* How much is indexed, while that is not all. */
static void
indexed_json(const struct search *s, json_t *o)
{
	json_t *part;

	if (s->x->now != NULL && s->at.n >= s->x->head)
		return;
	part = json_object();
	json_object_set_new(part, "n", json_integer(s->at.n));
	json_object_set_new(part, "of", json_integer(s->x->head));
	json_set_text(part, "why", s->x->why);
	json_object_set_new(o, "indexed", part);
}

static json_t *
notes_json(const struct query *q)
{
	json_t *list = json_array();
	const char *s = q->notes.data, *end;

	for (; s != NULL && (end = strchr(s, '\n')) != NULL; s = end + 1)
		json_array_append_new(list, json_stringn(s, (size_t)(end - s)));
	return list;
}

static void
answer_json(struct search *s, const char *text, struct buf *out)
{
	json_t *o = json_object();

	json_set_text(o, "q", text);
	json_set_text(o, "step", s->step);
	json_set_text(o, "did_you_mean", s->meant);
	if (s->q != NULL && s->q->notes.len > 0)
		json_object_set_new(o, "notes", notes_json(s->q));
	indexed_json(s, o);
	json_object_set_new(o, "more", json_boolean(s->more));
	json_object_set(o, "stories", s->stories);
	json_put(out, o);
}

/* 1: the answer is a reason. */
static int
not_answered(struct search *s, struct buf *out)
{
	if (s->found.why != NULL)
		shown_fmt(out, "%s\n", s->found.why);
	else if (fulltext_state(s->f) == FULLTEXT_LATE)
		shown_fmt(out, "the search took longer than %d ms and was ended: ask for less\n", FULLTEXT_MS);
	else {
		shown_fmt(out, "the index cannot be read: %s; if it is damaged, it is built anew\n",
		    fulltext_why(s->f));
		indexer_failed(s->x, s->f);
	}
	return 1;
}

static int
search_query(struct search *s, const json_t *arg, struct buf *out)
{
	const char *text = json_get_text(arg, "q");
	const size_t len = strlen(text);
	int rc;

	s->q = query_read(text, len);
	if (s->q->sorted)
		s->sort = s->q->sort;
	found_init(&s->found, s->q->after, s->q->before, s->q->dated);
	if (s->q->like != NULL)
		rc = like(s, s->q->like, strlen(s->q->like), 0);
	else if ((rc = named(s->x->reader, text, len, &s->first)) > 0) {
		rc = step_all(s, s->q);
		s->step = rc > 0 ? "id" : "none";
	} else if (rc == 0)
		rc = steps(s, text, len);
	else
		s->found.why = s->first.why;
	if (rc < 0)
		return not_answered(s, out);
	answer_json(s, text, out);
	return 0;
}

static int
search_similar(struct search *s, const json_t *arg, struct buf *out)
{
	const char *id = json_get_text(arg, "id"), *text = json_get_text(arg, "text");

	found_init(&s->found, 0, 0, 0);
	if (like(s, id[0] != '\0' ? id : text, strlen(id[0] != '\0' ? id : text), id[0] != '\0') == -1)
		return not_answered(s, out);
	if (strcmp(s->step, "none") == 0) {
		shown_fmt(out, "no record has the id or link %s\n", id);
		return 1;
	}
	answer_json(s, id, out);
	return 0;
}

static int
search_complete(struct search *s, const json_t *arg, struct buf *out)
{
	const char *text = json_get_text(arg, "q"), *last = strrchr(text, ' ');
	json_t *o = json_object(), *list = json_array(), *one;
	struct word_list l = { 0 };
	struct bytes word;
	char *above = NULL;
	int rc = 0;

	last = last != NULL ? last + 1 : text;
	words_add(&l, last, strlen(last), 2);
	if (l.n == 1 && l.word[0].kind == WORD_LETTERS && l.word[0].len >= COMPLETE_LEAST) {
		l.text[l.word[0].len] = '\0';
		above = xasprintf("%s\xf4\x8f\xbf\xbf", l.text);
		rc = fulltext_ask(s->f, FULLTEXT_COMPLETE, DB_TEXT(l.text), DB_TEXT(above),
		    DB_INT(COMPLETE_MAX)) == 0 ? 1 : -1;
	}
	while (rc == 1 && (rc = fulltext_step(s->f, FULLTEXT_COMPLETE)) == 1) {
		word = fulltext_blob(s->f, FULLTEXT_COMPLETE, 0);
		one = json_object();
		json_object_set_new(one, "word", json_stringn(word.data, word.len));
		json_object_set_new(one, "records", json_integer(fulltext_int(s->f, FULLTEXT_COMPLETE, 1)));
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "words", list);
	indexed_json(s, o);
	if (rc == 0)
		json_put(out, o);
	else
		json_decref(o);
	words_free(&l);
	free(above);
	return rc == 0 ? 0 : not_answered(s, out);
}

static const struct {
	const char	*command;
	int		(*answer)(struct search *, const json_t *arg, struct buf *);
} commands[] = {
	{ "search", search_query }, { "similar", search_similar }, { "complete", search_complete },
};

/* Reads what all questions have. -1: it is wrong; out says why. */
static int
common_read(struct search *s, const json_t *arg, struct buf *out)
{
	const char *sort = json_get_text(arg, "sort");
	const long long limit = json_get_number(arg, "limit");

	if (!json_is_object(arg)) {
		buf_str(out, "the question is no JSON object\n");
		return -1;
	}
	s->most = FOUND_MAX;
	s->limit = limit > 0 && limit <= FOUND_STORIES ? (size_t)limit : LIMIT;
	if (sort[0] == '\0' || query_sort_read(sort, strlen(sort), &s->sort) == 0)
		return 0;
	shown_fmt(out, "sort: %s is none of match, new, heat\n", sort);
	return -1;
}

int
search_answer(struct indexer *x, const char *command, const char *text, struct buf *out)
{
	struct search s = { .x = x, .step = "none", .stories = json_array() };
	json_t *arg = json_loads(text, 0, NULL);
	size_t i = 0;
	int rc = 1;

	s.f = indexer_file(x, &s.at);
	while (i < sizeof(commands) / sizeof(commands[0]) && strcmp(commands[i].command, command) != 0)
		i++;
	if (i == sizeof(commands) / sizeof(commands[0]))
		shown_fmt(out, "the index does not know the command %s\n", command);
	else if (s.f == NULL)
		shown_fmt(out, "there is no index: %s; ask again\n", x->why[0] != '\0' ? x->why :
		    "it is about to be made");
	else if (common_read(&s, arg, out) == 0) {
		fulltext_hurry(s.f);
		rc = commands[i].answer(&s, arg, out);
	}
	if (s.f != NULL && s.f == (x->now != NULL ? x->now : x->next))
		fulltext_slow(s.f);
	query_free(s.q);
	free(s.meant);
	found_free(&s.found);
	found_free(&s.first);
	json_decref(s.stories);
	json_decref(arg);
	return rc;
}

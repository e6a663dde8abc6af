/* What writes index.db: batches behind the log, and the file built anew. */
#include "indexer.h"
#include "rarity.h"
#include "signature.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/reader.h"
#include "record/record.h"
#include "record/searched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MS	100		/* of one batch: after them it is committed as it is */
#define COUNT_WORDS	500		/* words that one step counts */
#define DEAD_LEAST	1000		/* outdated rows that are always borne */
#define SPELLED_LEAST	3		/* characters of a word whose spelling is corrected */
#define SPELLED_MOST	32

struct indexer *
indexer_new(const char *folder, const char *database)
{
	struct indexer *x = xcalloc(1, sizeof(*x));

	x->path = xasprintf("%s/index.db", folder);
	x->path_next = xasprintf("%s/index.db.next", folder);
	x->reader = reader_new(database);
	x->rarity = rarity_new();
	x->words = xcalloc(1, sizeof(*x->words));
	x->signature = xcalloc(1, sizeof(*x->signature));
	searched_init(x->words);
	return x;
}

void
indexer_free(struct indexer *x)
{
	if (x == NULL)
		return;
	fulltext_close(x->now);
	fulltext_close(x->next);
	reader_free(x->reader);
	rarity_free(x->rarity);
	searched_free(x->words);
	free(x->words);
	free(x->signature);
	free(x->hashes);
	free(x->counting);
	free(x->path);
	free(x->path_next);
	free(x);
}

/* ---- Files ---- */

/* Reads how far a file is. -1: it cannot be read. */
static int
at_read(struct fulltext *f, struct indexer_at *at)
{
	if (fulltext_ask0(f, FULLTEXT_AT) == -1 || fulltext_step(f, FULLTEXT_AT) != 1)
		return -1;
	*at = (struct indexer_at){ .n = fulltext_int(f, FULLTEXT_AT, 0),
		.docs = fulltext_int(f, FULLTEXT_AT, 3), .dead = fulltext_int(f, FULLTEXT_AT, 4),
		.counted = fulltext_int(f, FULLTEXT_AT, 5) };
	fulltext_done(f, FULLTEXT_AT);
	return 0;
}

/* Reads how many records have each word, as they were counted last. */
static int
rarity_read(struct indexer *x, struct fulltext *f, const struct indexer_at *at)
{
	struct bytes word;
	int rc;

	rarity_free(x->rarity);
	x->rarity = rarity_new();
	x->uncounted = at->counted < at->docs / 2 + 1;
	if (fulltext_ask0(f, FULLTEXT_TERMS) == -1)
		return -1;
	while ((rc = fulltext_step(f, FULLTEXT_TERMS)) == 1) {
		word = fulltext_blob(f, FULLTEXT_TERMS, 0);
		if (word.len > 0)
			rarity_add(x->rarity, rarity_hash(word.data, word.len),
			    (uint32_t)fulltext_int(f, FULLTEXT_TERMS, 1));
	}
	return rc;
}

/* Opens a file that is there. NULL: it is not to be used; *state and why say why. */
static struct fulltext *
file_open(struct indexer *x, const char *path, struct indexer_at *at, enum fulltext_state *state,
    char why[FULLTEXT_WHY])
{
	struct fulltext *f = fulltext_open(path, 0, x->seed, state, why);

	if (f == NULL)
		return NULL;
	if (at_read(f, at) == 0) {
		if (at->n <= x->head)
			return f;
		*state = FULLTEXT_OTHER;
		snprintf(why, FULLTEXT_WHY, "it goes further than the database");
	} else {
		*state = fulltext_state(f);
		snprintf(why, FULLTEXT_WHY, "%s", fulltext_why(f));
	}
	fulltext_close(f);
	return NULL;
}

/* The disk is full, or what else may pass. Says so once. */
static enum indexer_step
wait_for(struct indexer *x, const char *why)
{
	if (!x->waits)
		log_warn("%s: %s: indexing waits", x->path, why);
	x->waits = 1;
	snprintf(x->why, sizeof(x->why), "%s", why);
	return INDEXER_WAIT;
}

static void
wait_over(struct indexer *x)
{
	if (!x->waits)
		return;
	log_info("%s: indexing goes on", x->path);
	x->waits = 0;
	x->why[0] = '\0';
}

static void
counting_end(struct indexer *x)
{
	free(x->counting);
	x->counting = NULL;
}

/* Begins a file beside index.db, or goes on with one that an earlier process left. */
static enum indexer_step
next_open(struct indexer *x, const char *reason)
{
	enum fulltext_state state;
	char why[FULLTEXT_WHY];

	counting_end(x);
	if (x->now == NULL && (x->next = file_open(x, x->path_next, &x->at_next, &state, why)) != NULL &&
	    rarity_read(x, x->next, &x->at_next) == 0) {
		log_info("%s: goes on from %lld of %lld", x->path_next, (long long)x->at_next.n,
		    (long long)x->head);
		return INDEXER_MORE;
	}
	fulltext_close(x->next);
	x->next = fulltext_open(x->path_next, 1, x->seed, &state, why);
	if (x->next == NULL)
		return wait_for(x, why);
	x->at_next = (struct indexer_at){ 0 };
	if (x->now == NULL) {
		rarity_free(x->rarity);
		x->rarity = rarity_new();
	}
	wait_over(x);
	if (x->head > 0)
		log_info("%s: built anew: %s", x->path, reason);
	return INDEXER_MORE;
}

/* Finds index.db, once the database has been read. fresh: it was just made. */
static enum indexer_step
now_open(struct indexer *x, int fresh)
{
	enum fulltext_state state;
	char why[FULLTEXT_WHY];

	x->now = file_open(x, x->path, &x->at_now, &state, why);
	if (x->now != NULL && !fresh && rarity_read(x, x->now, &x->at_now) == -1) {
		state = fulltext_state(x->now);
		snprintf(why, sizeof(why), "%s", fulltext_why(x->now));
		fulltext_close(x->now);
		x->now = NULL;
	}
	if (x->now != NULL) {
		fulltext_remove(x->path_next);
		wait_over(x);
		x->why[0] = '\0';
		return INDEXER_MORE;
	}
	if (state == FULLTEXT_FULL || state == FULLTEXT_FAILED)
		return wait_for(x, why);
	if (state != FULLTEXT_MISSING || x->why[0] == '\0' || x->waits)	/* else it was just dropped */
		snprintf(x->why, sizeof(x->why), "%s", why);
	snprintf(why, sizeof(why), "%s", x->why);
	return next_open(x, why);
}

/* Puts the new file, which has all, in the place of index.db. */
static enum indexer_step
next_place(struct indexer *x)
{
	fulltext_close(x->next);
	fulltext_close(x->now);
	x->next = x->now = NULL;
	fulltext_remove(x->path);
	if (rename(x->path_next, x->path) == -1)
		return wait_for(x, strerror(errno));
	log_info("%s: has all %lld rows of the log", x->path, (long long)x->at_next.n);
	x->why[0] = '\0';
	return now_open(x, 1);
}

static void
drop(struct indexer *x, struct fulltext **f, const char *why)
{
	log_warn("%s: %s", f == &x->now ? x->path : x->path_next, why);
	snprintf(x->why, sizeof(x->why), "%s", why);
	fulltext_close(*f);
	*f = NULL;
	counting_end(x);
}

/* After a function on a file failed. */
static enum indexer_step
file_failed(struct indexer *x, struct fulltext **f)
{
	const enum fulltext_state state = fulltext_state(*f);
	char why[FULLTEXT_WHY];

	snprintf(why, sizeof(why), "%s", fulltext_why(*f));
	(void)fulltext_run0(*f, FULLTEXT_ROLLBACK);
	if (state == FULLTEXT_FULL || state == FULLTEXT_FAILED || state == FULLTEXT_LATE)
		return wait_for(x, why);
	drop(x, f, why);
	fulltext_remove(f == &x->now ? x->path : x->path_next);
	return INDEXER_MORE;
}

/* Closes files that are no longer where they were. */
static void
lost_check(struct indexer *x)
{
	if (x->now != NULL && fulltext_lost(x->now))
		drop(x, &x->now, "it was deleted or replaced");
	if (x->next != NULL && fulltext_lost(x->next))
		drop(x, &x->next, "it was deleted or replaced");
}

/* ---- A batch ---- */

static void
hashes_add(struct indexer *x)
{
	if (x->room - x->nhashes < x->signature->n) {
		x->room = 2 * x->room + x->signature->n;
		x->hashes = xreallocarray(x->hashes, x->room, sizeof(*x->hashes));
	}
	for (size_t i = 0; i < x->signature->n; i++)
		x->hashes[x->nhashes++] = x->signature->word[i].hash;
}

/* Whether the file has a version of the item. -1: it cannot be read. */
static int
has_item(struct fulltext *f, int64_t item)
{
	int rc;

	if (fulltext_ask(f, FULLTEXT_SIG, DB_INT(item)) == -1)
		return -1;
	rc = fulltext_step(f, FULLTEXT_SIG);
	fulltext_done(f, FULLTEXT_SIG);
	return rc;
}

/* Adds a record. -1: the file failed. */
static int
record_add(struct indexer *x, struct fulltext *f, struct indexer_at *at, const struct reader_row *row,
    int64_t item)
{
	struct cr_record *r = record_read(row->blob.data, row->blob.len);
	unsigned char sig[SIGNATURE_BYTES];
	struct searched *s = x->words;
	int had;

	if (r == NULL) {
		log_warn("row %lld of the log has no record that can be read", (long long)row->n);
		return 0;
	}
	if (row->source != NULL)
		record_set(r, CR_SOURCE, row->source, strlen(row->source));
	searched_read(s, r);
	record_free(r);
	signature_read(x->signature, s, x->rarity, at->docs);
	hashes_add(x);
	signature_write(x->signature, sig);
	had = row->revision > 0 ? has_item(f, item) : 0;
	if (had == -1 || fulltext_run(f, FULLTEXT_ADD, DB_INT(row->n),
	    DB_TEXT(s->title.n > 0 ? s->title.text : ""), DB_TEXT(s->text.n > 0 ? s->text.text : ""),
	    DB_TEXT(s->tags.n > 0 ? s->tags.text : "")) == -1 ||
	    fulltext_run(f, FULLTEXT_SIG_SET, DB_INT(item), DB_BLOB(sig, sizeof(sig))) == -1)
		return -1;
	at->docs++;
	at->dead += had;
	return 0;
}

/* Adds records behind at->n to the open transaction. *left: there may be more. -1: the file failed; -2:
 * the database did. */
static int
records_add(struct indexer *x, struct fulltext *f, struct indexer_at *at, int *left)
{
	const int64_t begun = date_ticks(), upto = x->head;
	const int most = f == x->next ? INDEXER_BUILD : INDEXER_BATCH;
	struct reader_row row;
	int rc, n = 0, failed = 0;

	if (reader_ask(x->reader, LOOK_INDEXED, DB_INT(at->n), DB_INT(most)) == -1)
		return -2;
	while ((rc = reader_step(x->reader)) == 1) {
		reader_row(x->reader, &row);
		if (record_add(x, f, at, &row, reader_int(x->reader, 6)) == -1) {
			failed = 1;
			break;
		}
		at->n = row.n;
		n++;
		if (date_ticks() - begun > BATCH_MS)
			break;
	}
	reader_done(x->reader);
	if (failed)
		return -1;
	if (rc == -1 && n == 0)
		return -2;
	*left = rc != 0 || n == most;
	if (!*left && upto > at->n)
		at->n = upto;
	return 0;
}

static enum indexer_step
batch(struct indexer *x, struct fulltext **f, struct indexer_at *at)
{
	const struct indexer_at before = *at;
	int left = 0, rc;

	x->nhashes = 0;
	rc = fulltext_run0(*f, FULLTEXT_BEGIN);
	if (rc == 0)
		rc = records_add(x, *f, at, &left);
	if (rc == 0)
		rc = fulltext_run(*f, FULLTEXT_AT_SET, DB_INT(at->n), DB_INT(at->docs), DB_INT(at->dead),
		    DB_INT(at->counted));
	if (rc == 0)
		rc = fulltext_run0(*f, FULLTEXT_COMMIT);
	if (rc != 0)
		*at = before;
	if (rc == -1)
		return file_failed(x, f);
	if (rc == -2) {
		(void)fulltext_run0(*f, FULLTEXT_ROLLBACK);
		return wait_for(x, reader_why(x->reader));
	}
	wait_over(x);
	for (size_t i = 0; i < x->nhashes && (f == &x->now || x->now == NULL); i++)
		rarity_add(x->rarity, x->hashes[i], 1);
	return left || at->n < x->head ? INDEXER_MORE : INDEXER_DONE;
}

/* ---- Words ---- */

/* The number of characters. */
static size_t
characters(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Whether the spelling of a word is one that people mistake. */
static int
is_spelled(const char *s, size_t len)
{
	const size_t n = characters(s, len);

	for (size_t i = 0; i < len; i++)
		if ((s[i] >= '0' && s[i] <= '9') || (unsigned char)s[i] >= 0xe3)
			return 0;
	return n >= SPELLED_LEAST && n <= SPELLED_MOST;
}

static int
word_count(struct fulltext *f, const char *word, size_t len, int64_t df)
{
	int64_t id = 0, had = 0;
	int rc;

	if (fulltext_ask(f, FULLTEXT_TERM, DB_TEXT(word)) == -1 ||
	    (rc = fulltext_step(f, FULLTEXT_TERM)) == -1)
		return -1;
	if (rc == 1) {
		id = fulltext_int(f, FULLTEXT_TERM, 0);
		had = fulltext_int(f, FULLTEXT_TERM, 1);
		fulltext_done(f, FULLTEXT_TERM);
		return had == df ? 0 : fulltext_run(f, FULLTEXT_TERM_SET, DB_INT(id), DB_INT(df));
	}
	if (fulltext_run(f, FULLTEXT_TERM_ADD, DB_TEXT(word), DB_INT(df)) == -1)
		return -1;
	id = fulltext_last(f);
	return is_spelled(word, len) ? fulltext_run(f, FULLTEXT_SPELL_ADD, DB_INT(id), DB_TEXT(word)) : 0;
}

struct counted { char *word; size_t len; int64_t df; };

/* Counts the next words of the vocabulary. Returns how many there were; -1. */
static int
words_count(struct fulltext *f, const char *after, char **last)
{
	struct counted all[COUNT_WORDS];
	struct bytes word;
	int n = 0, rc, failed = 0;

	if (fulltext_ask(f, FULLTEXT_VOCABULARY, DB_TEXT(after), DB_INT(COUNT_WORDS)) == -1)
		return -1;
	while ((rc = fulltext_step(f, FULLTEXT_VOCABULARY)) == 1 && n < COUNT_WORDS) {
		word = fulltext_blob(f, FULLTEXT_VOCABULARY, 0);
		all[n++] = (struct counted){ xstrndup(word.len > 0 ? word.data : "", word.len), word.len,
			fulltext_int(f, FULLTEXT_VOCABULARY, 1) };
	}
	fulltext_done(f, FULLTEXT_VOCABULARY);
	for (int i = 0; i < n; i++) {
		/* Tags are no words; what is behind them, and is one, comes next. */
		if (!failed && strncmp(all[i].word, TAG_ALL, 2) != 0)
			failed = word_count(f, all[i].word, all[i].len, all[i].df) == -1;
		if (i + 1 == n)
			*last = xstrdup(strncmp(all[i].word, TAG_ALL, 2) == 0 ? "\xee\x81" : all[i].word);
		free(all[i].word);
	}
	return rc == -1 || failed ? -1 : n;
}

/* Counts some of the words, in a transaction. */
static enum indexer_step
count(struct indexer *x)
{
	struct indexer_at *at = &x->at_now;
	char *last = NULL;
	int n = -1, rc;

	if (x->counting == NULL) {
		x->counting = xstrdup("");
		x->counted = at->docs;		/* what comes meanwhile may be missed */
	}
	rc = fulltext_run0(x->now, FULLTEXT_BEGIN);
	if (rc == 0)
		rc = (n = words_count(x->now, x->counting, &last)) == -1 ? -1 : 0;
	if (rc == 0 && n == 0)
		rc = fulltext_run(x->now, FULLTEXT_AT_SET, DB_INT(at->n), DB_INT(at->docs),
		    DB_INT(at->dead), DB_INT(x->counted));
	if (rc == 0)
		rc = fulltext_run0(x->now, FULLTEXT_COMMIT);
	if (rc == -1) {
		free(last);
		return file_failed(x, &x->now);
	}
	counting_end(x);
	x->counting = last;
	if (n == 0)
		at->counted = x->counted;
	if (n == 0 && x->uncounted && rarity_read(x, x->now, at) == -1)
		return file_failed(x, &x->now);
	return INDEXER_MORE;
}

/* ---- Steps ---- */

/* Reads how far the database is. -1: it is away. */
static int
database_read(struct indexer *x)
{
	int64_t seed = x->seed;
	int rc;

	if (reader_ask0(x->reader, LOOK_TOTAL) == -1)
		return -1;
	if ((rc = reader_step(x->reader)) == 1) {
		x->head = reader_int(x->reader, 0);
		x->records = reader_int(x->reader, 1);
		x->seed = reader_int(x->reader, 2);
	}
	reader_done(x->reader);
	if (rc == 1 && x->now != NULL && (x->seed != seed || x->at_now.n > x->head))
		drop(x, &x->now, "it is of another database");
	if (rc == 1 && x->next != NULL && (x->seed != seed || x->at_next.n > x->head))
		drop(x, &x->next, "it is of another database");
	return rc == 1 ? 0 : -1;
}

enum indexer_step
indexer_step(struct indexer *x)
{
	enum indexer_step step;

	if (database_read(x) == -1)
		return wait_for(x, reader_why(x->reader));
	lost_check(x);
	if (x->now == NULL && x->next == NULL)
		return now_open(x, 0);
	if (x->next != NULL) {
		step = batch(x, &x->next, &x->at_next);
		return step == INDEXER_DONE ? next_place(x) : step;
	}
	if (x->at_now.n < x->head) {
		step = batch(x, &x->now, &x->at_now);
		return step == INDEXER_DONE ? INDEXER_MORE : step;	/* words may be counted */
	}
	wait_over(x);
	if (x->at_now.dead > DEAD_LEAST && x->at_now.dead > x->at_now.docs / 5)
		return next_open(x, "a fifth of it is outdated");
	if (x->counting != NULL || x->at_now.docs > x->at_now.counted + x->at_now.counted / 10)
		return count(x);
	return INDEXER_DONE;
}

struct fulltext *
indexer_file(struct indexer *x, struct indexer_at *at)
{
	lost_check(x);
	*at = x->now != NULL ? x->at_now : x->at_next;
	return x->now != NULL ? x->now : x->next;
}

void
indexer_failed(struct indexer *x, const struct fulltext *f)
{
	struct fulltext **which = f == x->now ? &x->now : &x->next;

	if (f == NULL || fulltext_state(f) != FULLTEXT_DAMAGED)
		return;
	drop(x, which, fulltext_why(f));
	fulltext_remove(which == &x->now ? x->path : x->path_next);
}

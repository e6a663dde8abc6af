/* Records that are like a text. */
#include "similar.h"
#include "found.h"
#include "indexer.h"
#include "match.h"
#include "rarity.h"
#include "signature.h"
#include "base/mem.h"
#include "db/fulltext.h"
#include "record/searched.h"

#include <stdlib.h>

#define WORDS_LEAST	3		/* words that are searched for, however many records have them */
#define SLOTS		(4 * 32768)	/* for more rows than SIMILAR_MATCHES and the last word's */

/* Rows of the log with the sum of the weights of their words. */
struct tally { int64_t n; double weight; };
struct tallies {
	struct tally	*slot;		/* n 0: free */
	size_t		 used;
	double		 all;		/* weights of all words */
};

static void
tally_add(struct tallies *t, int64_t n, double weight)
{
	size_t i = (size_t)((uint64_t)n * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SLOTS;

	while (t->slot[i].n != 0 && t->slot[i].n != n)
		i = (i + 1) % SLOTS;
	if (t->slot[i].n == 0 && t->used++ >= SLOTS / 2)
		return;
	t->slot[i].n = n;
	t->slot[i].weight += weight;
}

/* Adds the records that have a word. -1: the file failed. */
static int
word_add(struct tallies *t, struct fulltext *f, const char *word, size_t len, double weight)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	match_word(&b, word, len);
	rc = fulltext_ask(f, FULLTEXT_NEWEST, DB_TEXT(b.data), DB_INT(0), DB_INT(INT64_MAX),
	    DB_INT(SIMILAR_MATCHES / 2));
	if (rc == 0)
		while ((rc = fulltext_step(f, FULLTEXT_NEWEST)) == 1)
			tally_add(t, fulltext_int(f, FULLTEXT_NEWEST, 0), weight);
	buf_free(&b);
	t->all += weight;
	return rc;
}

/* Adds the records that have the weightiest words: the rarest, and of these first those that the text
 * repeats. */
static int
words_add_all(struct tallies *t, struct fulltext *f, const struct signature *s, const struct rarity *r,
    int64_t docs)
{
	int64_t sum = 0;
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->n && i < SIGNATURE_SORTED && rc == 0 && n < SIMILAR_WORDS; i++) {
		const struct word_list *l = s->word[i].list;
		const struct word *w = &l->word[s->word[i].place];
		const uint32_t has = rarity_get(r, s->word[i].hash);

		if (has == 0 || (n >= WORDS_LEAST && sum + has > SIMILAR_MATCHES))
			continue;
		rc = word_add(t, f, l->text + w->at, w->len, rarity_weight(has, docs));
		sum += has;
		n++;
	}
	return rc;
}

/* Keeps the best candidates, the newest where they are equal. */
static void
best(const struct tallies *t, struct found *found)
{
	size_t at;

	for (size_t i = 0; i < SLOTS; i++) {
		const struct tally *one = &t->slot[i];

		if (one->n == 0 || (found->n == SIMILAR_CANDIDATES &&
		    one->weight <= found->row[found->n - 1].score))
			continue;
		if (found->n < SIMILAR_CANDIDATES)
			found_add(found, 0, 0);
		for (at = found->n - 1; at > 0 && found->row[at - 1].score < one->weight; at--)
			found->row[at] = found->row[at - 1];
		found->row[at] = (struct found_row){ .n = one->n, .score = one->weight };
	}
}

/* Adds the likeness of their signatures to the scores of the candidates, which are taken as parts of
 * `all`. */
static int
compare(struct indexer *x, struct fulltext *f, const unsigned char own[SIGNATURE_BYTES], int64_t but,
    double all, struct found *found)
{
	size_t n = 0;
	struct bytes sig;
	int rc;

	for (size_t i = 0; i < found->n; i++) {
		struct found_row row = found->row[i];

		if ((rc = found_resolve(found, x->reader, &row)) == -1)
			return -1;
		if (rc == 0 || row.story == but)
			continue;
		if (fulltext_ask(f, FULLTEXT_SIG, DB_INT(row.item)) == -1 ||
		    (rc = fulltext_step(f, FULLTEXT_SIG)) == -1)
			return -1;
		sig = rc == 1 ? fulltext_blob(f, FULLTEXT_SIG, 0) : (struct bytes){ NULL, 0 };
		row.score /= 2 * all;
		if (sig.len == SIGNATURE_BYTES)
			row.score += signature_likeness(own, (const unsigned char *)sig.data) / 2;
		fulltext_done(f, FULLTEXT_SIG);
		found->row[n++] = row;
	}
	found->n = n;
	found_by_score(found);
	return 0;
}

int
similar(struct indexer *x, struct fulltext *f, const struct searched *s, int64_t docs, int64_t but,
    struct found *found)
{
	struct tallies t = { .slot = xcalloc(SLOTS, sizeof(*t.slot)) };
	unsigned char own[SIGNATURE_BYTES];
	int rc;

	signature_read(x->signature, s, x->rarity, docs);
	signature_write(x->signature, own);
	rc = words_add_all(&t, f, x->signature, x->rarity, docs);
	if (rc == 0) {
		best(&t, found);
		rc = compare(x, f, own, but, t.all, found);
	}
	free(t.slot);
	return rc;
}

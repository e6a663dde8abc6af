/* Records that are like a text. */
#include "similar.h"
#include "found.h"
#include "indexer.h"
#include "match.h"
#include "rarity.h"
#include "signature.h"
#include "db/fulltext.h"
#include "record/searched.h"

#include <stdlib.h>

#define MATCHES		4000		/* records that the rarest words have together, at most */
#define WORDS_LEAST	3		/* words that are searched for, even if that is more */

/* A word, by the number of records that have it. */
struct rare { const struct signed_word *word; uint32_t has; };

static int
by_rarity(const void *a, const void *b)
{
	const struct rare *x = a, *y = b;

	if (x->has != y->has)
		return x->has < y->has ? -1 : 1;
	return (x->word->hash > y->word->hash) - (x->word->hash < y->word->hash);
}

/* Makes a MATCH of the rarest words that others have, too. 0: there are none. */
static size_t
rarest(const struct signature *s, const struct rarity *r, int64_t docs, struct match *m)
{
	struct rare *all = calloc(s->n + 1, sizeof(*all));
	size_t n = 0, made = 0;
	int64_t sum = 0;

	for (size_t i = 0; all != NULL && i < s->n; i++) {
		all[n] = (struct rare){ &s->word[i], rarity_get(r, s->word[i].hash) };
		n += all[n].has > 0;
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), by_rarity);
	for (size_t i = 0; i < n && made < SIMILAR_WORDS && (made < WORDS_LEAST || sum < MATCHES); i++) {
		const struct word_list *l = all[i].word->list;
		const struct word *w = &l->word[all[i].word->place];

		if (made > 0)
			buf_str(&m->text, " OR ");
		match_word(&m->text, l->text + w->at, w->len);
		m->weight[m->n++] = rarity_weight(all[i].has, docs);
		sum += all[i].has;
		made++;
	}
	free(all);
	return made;
}

/* Replaces the scores of the best candidates by the likeness of their signatures. */
static int
compare(struct indexer *x, struct fulltext *f, const unsigned char own[SIGNATURE_BYTES], int64_t but,
    struct found *found)
{
	size_t n = 0;
	struct bytes sig;
	int rc;

	for (size_t i = 0; i < found->n && n < SIMILAR_CANDIDATES; i++) {
		struct found_row row = found->row[i];

		if ((rc = found_resolve(found, x->reader, &row)) == -1)
			return -1;
		if (rc == 0 || row.story == but)
			continue;
		if (fulltext_ask(f, FULLTEXT_SIG, DB_INT(row.item)) == -1 ||
		    (rc = fulltext_step(f, FULLTEXT_SIG)) == -1)
			return -1;
		sig = rc == 1 ? fulltext_blob(f, FULLTEXT_SIG, 0) : (struct bytes){ NULL, 0 };
		row.score = sig.len == SIGNATURE_BYTES ?
		    signature_likeness(own, (const unsigned char *)sig.data) : 0;
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
	unsigned char own[SIGNATURE_BYTES];
	struct match m;
	int rc = 0;

	match_init(&m);
	signature_read(x->signature, s, x->rarity, docs);
	if (rarest(x->signature, x->rarity, docs, &m) > 0)
		rc = fulltext_ask(f, FULLTEXT_SCORED, DB_TEXT(m.text.data),
		    DB_BLOB(m.weight, m.n * sizeof(m.weight[0])), DB_INT(0), DB_INT(INT64_MAX),
		    DB_INT(2 * MATCHES)) == 0 ? 1 : -1;
	while (rc == 1 && (rc = fulltext_step(f, FULLTEXT_SCORED)) == 1)
		found_add(found, fulltext_int(f, FULLTEXT_SCORED, 0), fulltext_real(f, FULLTEXT_SCORED, 1));
	match_free(&m);
	if (rc == -1)
		return -1;
	found_by_score(found);
	signature_write(x->signature, own);
	return compare(x, f, own, but, found);
}

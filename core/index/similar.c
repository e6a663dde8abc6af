/* Records that are like a text. */
#include "similar.h"
#include "found.h"
#include "indexer.h"
#include "match.h"
#include "rarity.h"
#include "signature.h"
#include "db/fulltext.h"
#include "record/searched.h"

#include <stddef.h>

#define MATCHES		4000		/* records that the rarest words have together, at most */
#define WORDS_LEAST	3		/* words that are searched for, even if that is more */

/* Makes a MATCH of the weightiest words that others have, too: the rarest, and of these first those that
 * the text repeats. Returns the sum of their weights; 0: there are none. */
static double
rarest(const struct signature *s, const struct rarity *r, int64_t docs, struct match *m)
{
	int64_t sum = 0;
	double weights = 0;

	for (size_t i = 0; i < s->n && m->n < SIMILAR_WORDS && (m->n < WORDS_LEAST || sum < MATCHES); i++) {
		const struct word_list *l = s->word[i].list;
		const struct word *w = &l->word[s->word[i].place];
		const uint32_t has = rarity_get(r, s->word[i].hash);

		if (has == 0 || (has > MATCHES / 2 && m->n >= WORDS_LEAST))
			continue;
		if (m->n > 0)
			buf_str(&m->text, " OR ");
		match_word(&m->text, l->text + w->at, w->len);
		m->weight[m->n] = rarity_weight(has, docs);
		weights += m->weight[m->n++];
		sum += has;
	}
	return weights;
}

/* Adds the likeness of their signatures to the scores of the best candidates, which are taken as parts of
 * `weights`. */
static int
compare(struct indexer *x, struct fulltext *f, const unsigned char own[SIGNATURE_BYTES], int64_t but,
    double weights, struct found *found)
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
		row.score /= 2 * weights;
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
	unsigned char own[SIGNATURE_BYTES];
	double weights;
	struct match m;
	int rc = 0;

	match_init(&m);
	signature_read(x->signature, s, x->rarity, docs);
	signature_write(x->signature, own);
	weights = rarest(x->signature, x->rarity, docs, &m);
	if (weights > 0)
		rc = fulltext_ask(f, FULLTEXT_SCORED, DB_TEXT(m.text.data),
		    DB_BLOB(m.weight, m.n * sizeof(m.weight[0])), DB_INT(0), DB_INT(INT64_MAX),
		    DB_INT(2 * MATCHES)) == 0 ? 1 : -1;
	while (rc == 1 && (rc = fulltext_step(f, FULLTEXT_SCORED)) == 1)
		found_add(found, fulltext_int(f, FULLTEXT_SCORED, 0), fulltext_real(f, FULLTEXT_SCORED, 1));
	match_free(&m);
	if (rc == -1)
		return -1;
	found_by_score(found);
	return compare(x, f, own, but, weights, found);
}

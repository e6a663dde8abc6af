/* The words by which a record is told from others. */
#include "signature.h"
#include "rarity.h"
#include "record/searched.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TITLE		2.0f		/* a word of the title counts as so many of the text */
#define SATURATION	1.2f

static struct signed_word *
word_of(struct signature *s, uint32_t hash)
{
	const size_t mask = sizeof(s->slot) / sizeof(s->slot[0]) - 1;
	size_t i = hash & mask;

	while (s->slot[i] != 0 && s->word[s->slot[i] - 1].hash != hash)
		i = (i + 1) & mask;
	if (s->slot[i] == 0) {
		if (s->n == SIGNATURE_ALL)
			return NULL;
		s->word[s->n] = (struct signed_word){ .hash = hash };
		s->slot[i] = (uint32_t)++s->n;
	}
	return &s->word[s->slot[i] - 1];
}

static void
list_read(struct signature *s, const struct word_list *l, float times)
{
	struct signed_word *w;

	for (size_t i = 0; i < l->n; i++) {
		w = word_of(s, rarity_hash(l->text + l->word[i].at, l->word[i].len));
		if (w == NULL)
			break;
		if (w->list == NULL) {
			w->list = l;
			w->place = (uint32_t)i;
		}
		w->times += times;
	}
}

void
signature_read(struct signature *s, const struct searched *of, const struct rarity *r, int64_t all)
{
	s->n = 0;
	memset(s->slot, 0, sizeof(s->slot));
	list_read(s, &of->title, TITLE);
	list_read(s, &of->text, 1);
	for (size_t i = 0; i < s->n; i++)
		s->word[i].weight = s->word[i].times / (s->word[i].times + SATURATION) *
		    (float)rarity_weight(rarity_get(r, s->word[i].hash), all);
}

static int
by_weight(const void *a, const void *b)
{
	const struct signed_word *x = a, *y = b;

	if (x->weight < y->weight || x->weight > y->weight)
		return x->weight < y->weight ? 1 : -1;
	return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Moves the k weightiest words to the front, in no order. */
static void
weightiest(struct signed_word *w, size_t n, size_t k)
{
	size_t low = 0, high = n - 1, i, j;
	struct signed_word pivot, other;

	while (low < high) {
		pivot = w[low + (high - low) / 2];
		for (i = low, j = high;; i++, j--) {
			while (by_weight(&w[i], &pivot) < 0)
				i++;
			while (by_weight(&w[j], &pivot) > 0)
				j--;
			if (i >= j)
				break;
			other = w[i];
			w[i] = w[j];
			w[j] = other;
		}
		if (k - 1 <= j)
			high = j;
		else
			low = j + 1;
	}
}

static int
by_hash(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

void
signature_write(struct signature *s, unsigned char out[SIGNATURE_BYTES])
{
	const size_t n = s->n < SIGNATURE_WORDS ? s->n : SIGNATURE_WORDS;

	memset(out, 0, SIGNATURE_BYTES);
	if (s->n > SIGNATURE_SORTED)
		weightiest(s->word, s->n, SIGNATURE_SORTED);
	qsort(s->word, s->n < SIGNATURE_SORTED ? s->n : SIGNATURE_SORTED, sizeof(s->word[0]), by_weight);
	for (size_t i = 0; i < n; i++) {
		memcpy(out + 5 * i, &s->word[i].hash, 4);
		out[5 * i + 4] = (unsigned char)(255 * s->word[i].weight / s->word[0].weight);
	}
	qsort(out, n, 5, by_hash);
}

double
signature_likeness(const unsigned char a[SIGNATURE_BYTES], const unsigned char b[SIGNATURE_BYTES])
{
	double both = 0, one = 0, other = 0;
	size_t i, j;
	int order;

	for (i = 0; i < SIGNATURE_WORDS; i++) {
		one += a[5 * i + 4] * a[5 * i + 4];
		other += b[5 * i + 4] * b[5 * i + 4];
	}
	for (i = j = 0; i < SIGNATURE_WORDS && j < SIGNATURE_WORDS; i += order <= 0, j += order >= 0) {
		order = by_hash(a + 5 * i, b + 5 * j);
		if (order == 0)
			both += a[5 * i + 4] * b[5 * j + 4];
		if (a[5 * i + 4] == 0 && b[5 * j + 4] == 0)
			break;
	}
	return one > 0 && other > 0 ? both / sqrt(one * other) : 0;
}

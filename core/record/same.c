/* Whether two records are one story: titles first, then what their bodies share. */
#include "same.h"

#include <stdio.h>
#include <string.h>

/* Shares of shingles or words, from 0 to 1. */
#define TITLE_ALIKE	0.75		/* Dice coefficient of the titles' words */
#define BODY_WITHIN	0.6		/* of the smaller body's shingles, in the larger body */
#define BODY_OVERLAPS	0.2		/* the same, where the titles are equal and say enough */
#define BODY_SURE	0.85		/* the same, where they are what a series has each time */
#define BODY_EQUAL	0.8		/* of both bodies' shingles, where the titles are not alike */
#define WORDS_APART	0.25		/* of the smaller body's long words: below, of other things */

#define TITLE_HALVES	10		/* an equal title of 5 words needs no body */
#define TITLE_OWN	4		/* words of it that columns do not share */
#define TITLE_OWN_SIGNS	8		/* signs of Han and Kana instead */
#define TITLE_INSIDE	25		/* bytes of a title that stands in the other one */
#define EQUAL_LEAST	40		/* shingles of bodies under unlike titles */
#define NAMED_LEAST	2		/* words of a title that a body about it has */
#define APART_LEAST	5		/* long words of bodies that can be about other things */

/* What the two bodies have in common. */
struct overlap {
	size_t	common, least, all;	/* shingles: of both, of the smaller, of either */
	double	within;			/* common / least; 0 when there are none */
};

static void
overlap_read(struct overlap *o, struct near_text *a, struct near_text *b)
{
	near_read_body(a);
	near_read_body(b);
	o->common = near_common(&a->shingles, &b->shingles);
	o->least = a->shingles.n < b->shingles.n ? a->shingles.n : b->shingles.n;
	o->all = a->shingles.n + b->shingles.n - o->common;
	o->within = o->least > 0 ? (double)o->common / (double)o->least : 0;
}

static int
title_equal(const struct near_text *a, const struct near_text *b)
{
	return a->title.len > 0 && a->title.len == b->title.len &&
	    memcmp(a->title.data, b->title.data, a->title.len) == 0;
}

static int
title_has(const struct near_text *t, uint64_t word)
{
	for (size_t i = 0; i < t->words; i++)
		if (t->word[i] == word)
			return 1;
	return 0;
}

static double
title_dice(const struct near_text *a, const struct near_text *b)
{
	size_t common = 0;

	for (size_t i = 0; i < a->words; i++)
		common += (size_t)title_has(b, a->word[i]);
	return a->words + b->words > 0 ? 2.0 * (double)common / (double)(a->words + b->words) : 0;
}

/* Whether one title stands in the other, from the start of a word. */
static int
title_inside(const struct near_text *a, const struct near_text *b)
{
	const char *at;

	if (a->title.len > b->title.len)
		return title_inside(b, a);
	if (a->title.len < TITLE_INSIDE)
		return 0;
	for (at = b->title.data; (at = strstr(at, a->title.data)) != NULL; at++)
		if (at == b->title.data || at[-1] == ' ')
			return 1;
	return 0;
}

/* Words of a's title, not in b's, that a's body has and b's has not: what only a is about. */
static size_t
only_about(const struct near_text *a, const struct near_text *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->own; i++)
		n += !title_has(b, a->own_word[i]) && near_has(&a->vocabulary, a->own_word[i]) &&
		    !near_has(&b->vocabulary, a->own_word[i]);
	return n;
}

/* Whether a's title has a word that b's has not. */
static int
only_titled(const struct near_text *a, const struct near_text *b)
{
	size_t i;

	for (i = 0; i < a->own && title_has(b, a->own_word[i]); i++)
		;
	return i < a->own;
}

/* Whether the body has words of its title, and so is no notice that many pages show. */
static int
body_named(const struct near_text *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->own; i++)
		n += (size_t)near_has(&t->vocabulary, t->own_word[i]);
	return n >= NAMED_LEAST && 3 * n >= t->own;
}

/* Whether each title has words for which nothing in the other record stands: forms filled in for
 * two places, two articles behind one notice. */
static int
titles_apart(const struct near_text *a, const struct near_text *b)
{
	if (!only_titled(a, b) || !only_titled(b, a))
		return 0;
	if (only_about(a, b) > 0 && only_about(b, a) > 0)
		return 1;
	return !body_named(a) || !body_named(b);
}

/* The long words of a body that are not in the title; *common: those that the other body has. */
static size_t
long_words(const struct near_set *x, const struct near_set *y, const struct near_text *title,
    size_t *common)
{
	size_t n = 0;

	*common = 0;
	for (size_t i = 0; i <= x->mask; i++) {
		if ((x->slot[i] & NEAR_IS_LONG) == 0 || title_has(title, x->slot[i]))
			continue;
		n++;
		*common += (size_t)near_has(y, x->slot[i]);
	}
	return n;
}

/* Whether both bodies are long enough to tell, and are about other things. */
static int
bodies_apart(const struct near_text *a, const struct near_text *b, const struct near_text *title,
    const struct overlap *o)
{
	size_t common, n, m;

	if (o->least < NEAR_SHINGLES || o->within >= BODY_OVERLAPS)
		return 0;
	n = long_words(&a->vocabulary, &b->vocabulary, title, &common);
	m = long_words(&b->vocabulary, &a->vocabulary, title, &common);
	if (m < n)
		n = m;
	return n >= APART_LEAST && (double)common < WORDS_APART * (double)n;
}

/* Whether one body has no word of its own: it was shortened, or the other one was added to. A form
 * that is filled in for two places has other words in each. */
static int
body_inside(const struct near_text *a, const struct near_text *b)
{
	size_t common = near_common(&a->vocabulary, &b->vocabulary);

	return common == a->vocabulary.n || common == b->vocabulary.n;
}

/* The title says enough by itself, and nothing that a column or a series says each time. */
static int
title_suffices(const struct near_text *t)
{
	int signs = t->halves < 2 * t->words;	/* some are */

	return t->halves >= TITLE_HALVES && t->own >= (signs ? TITLE_OWN_SIGNS : TITLE_OWN);
}

/* Equal titles. One may have been cut behind a whole word: the other's words count. */
static int
same_titles(struct near_text *a, struct near_text *b, int one_source, char why[SAME_WHY])
{
	const struct near_text *title = a->halves > b->halves ? a : b;
	double least = BODY_SURE;
	struct overlap o;
	int equal;

	overlap_read(&o, a, b);
	equal = a->body_words > 0 && a->body_words == b->body_words && a->body == b->body;
	if (!one_source && title_suffices(title))
		least = BODY_OVERLAPS;
	if (equal || (o.least >= NEAR_SHINGLES && o.within >= least &&
	    (least < BODY_SURE || body_inside(a, b)))) {
		snprintf(why, SAME_WHY, "equal titles, bodies overlap by %.2f", equal ? 1 : o.within);
		return 1;
	}
	if (least >= BODY_SURE) {
		snprintf(why, SAME_WHY, "equal titles%s, bodies overlap by %.2f",
		    one_source ? " of one source" : " that say too little", o.within);
		return 0;
	}
	if (bodies_apart(a, b, title, &o)) {
		snprintf(why, SAME_WHY, "equal titles, bodies about different things");
		return 0;
	}
	snprintf(why, SAME_WHY, "equal titles of %u words", title->halves / 2);
	return 1;
}

/* Bodies that are nearly equal under titles that are not alike. */
static int
same_bodies(const struct near_text *a, const struct near_text *b, const struct overlap *o,
    char why[SAME_WHY])
{
	double share = o->all > 0 ? (double)o->common / (double)o->all : 0;

	if (o->least < EQUAL_LEAST || share < BODY_EQUAL || only_about(a, b) > 0 ||
	    only_about(b, a) > 0 || !body_named(a) || !body_named(b))
		return 0;
	snprintf(why, SAME_WHY, "other titles, bodies equal by %.2f", share);
	return 1;
}

int
same_story(struct near_text *a, struct near_text *b, int one_source, char why[SAME_WHY])
{
	double dice;
	struct overlap o;
	int inside;

	if (!serial_equal(&a->serial, &b->serial)) {
		snprintf(why, SAME_WHY, "titles differ in a number, a date or a part");
		return 0;
	}
	if (a->words == 0 || b->words == 0) {
		snprintf(why, SAME_WHY, "no title");
		return 0;
	}
	if (title_equal(a, b))
		return same_titles(a, b, one_source, why);
	if (one_source) {
		snprintf(why, SAME_WHY, "different titles of one source");
		return 0;
	}
	dice = title_dice(a, b);
	inside = title_inside(a, b);
	overlap_read(&o, a, b);
	if (dice < TITLE_ALIKE && !inside) {
		snprintf(why, SAME_WHY, "titles alike by %.2f only", dice);
		return same_bodies(a, b, &o, why);
	}
	if (o.least < NEAR_SHINGLES || o.within < BODY_WITHIN) {
		snprintf(why, SAME_WHY, "titles alike by %.2f, bodies overlap by %.2f", dice, o.within);
		return 0;
	}
	if (titles_apart(a, b)) {
		snprintf(why, SAME_WHY, "titles alike by %.2f, of different things", dice);
		return 0;
	}
	if (inside)
		snprintf(why, SAME_WHY, "one title in the other, bodies overlap by %.2f", o.within);
	else
		snprintf(why, SAME_WHY, "titles alike by %.2f, bodies overlap by %.2f", dice, o.within);
	return 1;
}

/* Corrects the spelling of words that no record has. */
#include "spelling.h"
#include "match.h"
#include "db/fulltext.h"
#include "record/words.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEAR_MAX	4000		/* words with a trigram in common that are compared */
#define LONG		6		/* letters from which on two edits are made good */

int
spelling_distance(const char *a, size_t na, const char *b, size_t nb, int most)
{
	int row[3][SPELLING_MAX + 1], *before = row[0], *last = row[1], *now = row[2], *swap, least, cost;

	if (na > SPELLING_MAX || nb > SPELLING_MAX || abs((int)na - (int)nb) > most)
		return most + 1;
	for (size_t j = 0; j <= nb; j++)
		last[j] = before[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		least = now[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			cost = a[i - 1] != b[j - 1];
			now[j] = last[j - 1] + cost;
			if (last[j] + 1 < now[j])
				now[j] = last[j] + 1;
			if (now[j - 1] + 1 < now[j])
				now[j] = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
			least = now[j] < least ? now[j] : least;
		}
		if (least > most)
			return most + 1;
		swap = before;
		before = last;
		last = now;
		now = swap;
	}
	return last[nb] <= most ? last[nb] : most + 1;
}

/* ---- One word ---- */

static int
is_indexed(struct fulltext *f, const char *word, size_t len)
{
	struct buf b;
	int rc;

	buf_init(&b, 256);
	match_word(&b, word, len);
	rc = fulltext_ask(f, FULLTEXT_HAS, DB_TEXT(b.data));
	if (rc == 0) {
		rc = fulltext_step(f, FULLTEXT_HAS);
		fulltext_done(f, FULLTEXT_HAS);
	}
	buf_free(&b);
	return rc;
}

/* Adds the word's trigrams, of characters, as a MATCH; and those of what it is with two neighbours
 * swapped, for a short one. 0: it has none. */
static size_t
trigrams(struct buf *b, const char *word, size_t len)
{
	size_t at[SPELLING_MAX + 1], n = 0, made = 0;

	for (size_t i = 0; i < len && n < SPELLING_MAX; i++)
		if (((unsigned char)word[i] & 0xc0) != 0x80)
			at[n++] = i;
	at[n] = len;
	for (size_t i = 0; i + 3 <= n; i++) {
		if (made++ > 0)
			buf_str(b, " OR ");
		match_word(b, word + at[i], at[i + 3] - at[i]);
	}
	for (size_t i = 0; n <= LONG && i + 1 < n; i++) {
		char other[SPELLING_MAX + 1];
		const size_t one = at[i + 1] - at[i], two = at[i + 2] - at[i + 1];
		const size_t from = i > 0 ? i - 1 : 0;

		memcpy(other, word, len);
		memcpy(other + at[i], word + at[i + 1], two);
		memcpy(other + at[i] + two, word + at[i], one);
		for (size_t k = from; k <= i + 1 && k + 3 <= n; k++)
			if (one == two) {
				buf_str(b, made++ > 0 ? " OR " : "");
				match_word(b, other + at[k], at[k + 3] - at[k]);
			}
	}
	return made;
}

struct best { char word[SPELLING_MAX + 1]; size_t len; int distance; int64_t df; };

/* The known word that is next to this one. 1: there is one; 0; -1: the file failed. */
static int
nearest(struct fulltext *f, const char *word, size_t len, struct best *best)
{
	const int most = len < LONG ? 1 : 2;
	struct bytes other;
	int64_t df;
	struct buf b;
	int rc = 0, d;

	*best = (struct best){ .distance = most + 1 };
	buf_init(&b, 16384);
	if (trigrams(&b, word, len) > 0 && !b.over)
		rc = fulltext_ask(f, FULLTEXT_TERMS_NEAR, DB_TEXT(b.data), DB_INT(NEAR_MAX)) == 0 ? 1 : -1;
	while (rc == 1 && (rc = fulltext_step(f, FULLTEXT_TERMS_NEAR)) == 1) {
		other = fulltext_blob(f, FULLTEXT_TERMS_NEAR, 0);
		df = fulltext_int(f, FULLTEXT_TERMS_NEAR, 1);
		if (other.len == 0 || other.len > SPELLING_MAX)
			continue;
		d = spelling_distance(word, len, other.data, other.len, most);
		if (d > best->distance || d > most || (d == best->distance && df <= best->df))
			continue;
		best->distance = d;
		best->df = df;
		best->len = other.len;
		memcpy(best->word, other.data, other.len);
	}
	buf_free(&b);
	return rc == -1 ? -1 : best->distance <= most;
}

/* ---- The query ---- */

/* The part of a query's word that may be a word: without signs before and behind it. */
static void
core_of(const char *s, size_t n, size_t *from, size_t *len)
{
	size_t a = 0;

	while (a < n && (unsigned char)s[a] < 0x80 && !(text_lower((unsigned char)s[a]) >= 'a' &&
	    text_lower((unsigned char)s[a]) <= 'z') && !(s[a] >= '0' && s[a] <= '9'))
		a++;
	while (n > a && (unsigned char)s[n - 1] < 0x80 && !(text_lower((unsigned char)s[n - 1]) >= 'a' &&
	    text_lower((unsigned char)s[n - 1]) <= 'z') && !(s[n - 1] >= '0' && s[n - 1] <= '9'))
		n--;
	*from = a;
	*len = n - a;
}

/* Adds a word of the query, corrected if no record has it. 1: it was; 0; -1: the file failed. */
static int
word_correct(struct fulltext *f, const char *s, size_t n, struct word_list *room, struct buf *out)
{
	struct best best;
	size_t from, len;
	int rc = 0;

	core_of(s, n, &from, &len);
	words_clear(room);
	if (s[0] != '-' && memchr(s, ':', n) == NULL)
		words_add(room, s + from, len, 2);
	if (room->n == 1 && room->word[0].kind == WORD_LETTERS && room->word[0].len <= SPELLING_MAX &&
	    (rc = is_indexed(f, room->text, room->word[0].len)) == 0)
		rc = nearest(f, room->text, room->word[0].len, &best);
	else if (rc == 1)
		rc = 0;
	if (rc != 1) {
		buf_add(out, s, n);
		return rc;
	}
	buf_add(out, s, from);
	buf_add(out, best.word, best.len);
	buf_add(out, s + from + len, n - from - len);
	return 1;
}

int
spelling_correct(struct fulltext *f, const char *query, size_t n, struct buf *out)
{
	struct word_list room = { 0 };
	size_t at = 0, len;
	int corrected = 0, rc = 0;

	while (at < n && rc != -1) {
		for (len = 0; at + len < n && !text_space((unsigned char)query[at + len]); len++)
			;
		rc = len > 0 ? word_correct(f, query + at, len, &room, out) : 0;
		corrected |= rc == 1;
		for (at += len; at < n && text_space((unsigned char)query[at]); at++)
			buf_char(out, query[at]);
	}
	words_free(&room);
	return rc == -1 ? -1 : corrected && !out->over;
}

/* The words by which a record is told from others, and how alike two records are by them. */
#ifndef CORE_SIGNATURE_H
#define CORE_SIGNATURE_H
#include "record/words.h"

#include <stddef.h>
#include <stdint.h>

struct rarity;
struct searched;

#define SIGNATURE_WORDS	32
#define SIGNATURE_BYTES	(SIGNATURE_WORDS * 5)	/* a hash of 32 bits and a weight of 8 for each */
#define SIGNATURE_SORTED 128			/* that signature_write() puts in order */
#define SIGNATURE_ALL	8192			/* different words of a record that are looked at */

/* A word of a record: its hash, how much the record speaks of it, and where it stands. */
struct signed_word {
	uint32_t		 hash;
	float			 times, weight;
	const struct word_list	*list;
	uint32_t		 place;
};
struct signature {
	struct signed_word	 word[SIGNATURE_ALL];
	size_t			 n;
	uint32_t		 slot[2 * SIGNATURE_ALL];	/* places in word, plus 1 */
};

/* Reads the words of a record, which the signature borrows, and weighs them by their rarity among `all`
 * records. */
void	signature_read(struct signature *, const struct searched *, const struct rarity *, int64_t all);
/* Puts the SIGNATURE_SORTED weightiest words first, the greatest weight at the front, and writes the first
 * of them. */
void	signature_write(struct signature *, unsigned char out[SIGNATURE_BYTES]);
/* From 0, nothing in common, to 1. */
double	signature_likeness(const unsigned char a[SIGNATURE_BYTES], const unsigned char b[SIGNATURE_BYTES]);
#endif

/* Near-duplicate texts: what is read of a record for comparing, and keys that lead to records whose
 * text is alike. */
#ifndef CORE_NEAR_H
#define CORE_NEAR_H
#include "base/buf.h"
#include "record.h"
#include "serial.h"

#include <stddef.h>
#include <stdint.h>

#define NEAR_KEYS	7		/* of one record, at most */
#define NEAR_TITLE	64		/* words of a title */
#define NEAR_BODY	1024		/* words of a text; what follows them is not looked at */
#define NEAR_HTML	(64u << 10)	/* bytes of HTML that are read for them */
#define NEAR_SHINGLES	8		/* with fewer shingles two texts are not compared by them */
#define NEAR_BODIES	4		/* of the keys are of the text, if it has NEAR_SHINGLES */
#define NEAR_PREFIX	8		/* words at the start of a text that make a key */

#define NEAR_LONG	6		/* bytes of a long word */
#define NEAR_IS_LONG	1		/* a bit of its hash */

/* A set of hashes; 0 is a free slot. */
struct near_set {
	size_t		 n, mask;		/* mask: slots less 1 */
	uint64_t	 slot[2 * NEAR_BODY];
};

/* A record, prepared. Opaque but to same.c; about 40 kB, to be used again. */
struct near_text {
	const struct cr_record	*record;	/* borrowed until the text of the body is read */
	struct buf	 title;			/* text_title_key() of it */
	/* Of a title that ends with dots all but the last word, which may have been cut. */
	size_t		 words;			/* of the title, distinct */
	uint64_t	 word[NEAR_TITLE];
	unsigned	 halves;		/* its length: 2 for a word, 1 for a Han or Kana sign */
	uint64_t	 own_word[NEAR_TITLE];	/* those that columns and series do not share */
	size_t		 own;			/* their number */
	struct serial	 serial;
	int		 read;			/* the members below are */
	uint64_t	 body;			/* hash of all its words */
	size_t		 body_words;
	uint64_t	 prefix;		/* hash of the first NEAR_PREFIX words; 0: fewer */
	struct near_set	 shingles;		/* 3 words each */
	struct near_set	 vocabulary;		/* words of 3 bytes and more */
	struct buf	 plain, folded;		/* room for text */
};

struct near_text *near_new(void);
void	near_free(struct near_text *);		/* NULL is fine */
/* Prepares a record. The title is read now; the body when it is first needed, until when the record
 * must stay unchanged. */
void	near_read(struct near_text *, const struct cr_record *);
void	near_read_body(struct near_text *);	/* does nothing the second time */
/* Keys that records of nearly the same text share, most of the time one or more: two hashes of 3
 * min-hashes each over the title's words (of titles with 3 words), one of the first 8 words of the
 * body, which is the last, and four min-hashes over the body's shingles (of bodies with 8
 * shingles). Returns their number; none is 0. They are kept in the database: the hash functions,
 * the order and number of functions must never change, nor what a word is. Where a later version
 * reads another text from HTML, old and new records are found less often, never wrongly joined. */
size_t	near_keys(struct near_text *, int64_t key[NEAR_KEYS]);

/* The hash of a word, never 0; with NEAR_IS_LONG when it has NEAR_LONG bytes or more, which few
 * words have that only join others. */
uint64_t near_hash(const char *word, size_t);
int	near_has(const struct near_set *, uint64_t);
size_t	near_common(const struct near_set *, const struct near_set *);
#endif

/* Records that are like a text: by its weightiest words, and by signatures. */
#ifndef CORE_SIMILAR_H
#define CORE_SIMILAR_H
#include <stdint.h>

struct found;
struct fulltext;
struct indexer;
struct searched;

#define SIMILAR_WORDS		64	/* of the text, by which candidates are found, */
#define SIMILAR_MATCHES		30000	/* as many as so many records have together */
#define SIMILAR_CANDIDATES	200	/* of them, compared by their signatures */

/* Finds records that are like the words of a text, the most alike first; but those of the story `but` (0:
 * none). 0; -1: the file failed, or the database: found->why. */
int	similar(struct indexer *, struct fulltext *, const struct searched *, int64_t docs, int64_t but,
	    struct found *);
#endif

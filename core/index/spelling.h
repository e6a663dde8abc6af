/* Corrects the spelling of words that no record has. */
#ifndef CORE_SPELLING_H
#define CORE_SPELLING_H
#include <stddef.h>

struct buf;
struct fulltext;

#define SPELLING_MAX	64		/* bytes of a word that is corrected */

/* Adds the query with words that no record has replaced by the most frequent of those that are next to
 * them: an edit away, two from six letters on (Damerau and Levenshtein: letters left out, put in, changed,
 * swapped). 1: it differs; 0: there is nothing to correct; -1: the file failed. */
int	spelling_correct(struct fulltext *, const char *query, size_t, struct buf *out);
/* The distance, or `most` + 1 if it is greater. Of bytes. */
int	spelling_distance(const char *a, size_t na, const char *b, size_t nb, int most);
#endif

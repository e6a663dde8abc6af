/* A query as a MATCH of SQLite's full text search. */
#ifndef CORE_MATCH_H
#define CORE_MATCH_H
#include "base/buf.h"
#include "record/query.h"

#include <stddef.h>
#include <stdint.h>

struct rarity;

#define MATCH_WEIGHTS	256

/* An expression, and for each of its phrases, in order, what a match is worth. The text of users is in it
 * as quoted words alone. */
struct match {
	struct buf	 text;
	double		 weight[MATCH_WEIGHTS];
	size_t		 n;
};

void	match_init(struct match *);
void	match_free(struct match *);
/* All that the query asks for: what query_matches() says, but for its dates. */
void	match_all(struct match *, const struct query *, const struct rarity *, int64_t docs);
/* Any of its words: the rarest, as many as `most` records have them together, at least one. All of
 * them count for the score. What it excludes, and its tags, hold. 0; -1: it has no word. */
int	match_any(struct match *, const struct query *, const struct rarity *, int64_t docs, int64_t most);
/* Adds a phrase of one word. */
void	match_word(struct buf *, const char *word, size_t len);
#endif

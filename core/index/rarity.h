/* How many records have a word: a table in memory, by a hash of the word. */
#ifndef CORE_RARITY_H
#define CORE_RARITY_H
#include <stddef.h>
#include <stdint.h>

#define RARITY_SLOTS	(1u << 21)	/* at most, 8 bytes each; then words of one record go */

struct rarity;				/* opaque */

struct rarity	*rarity_new(void);
void		 rarity_free(struct rarity *);	/* NULL is fine */
uint32_t	 rarity_hash(const char *word, size_t);	/* never 0 */
void		 rarity_add(struct rarity *, uint32_t hash, uint32_t records);
uint32_t	 rarity_get(const struct rarity *, uint32_t hash);	/* 0: none */
/* Of a word that `has` records of `all` have: the more, the rarer it is. */
double		 rarity_weight(uint32_t has, int64_t all);
#endif

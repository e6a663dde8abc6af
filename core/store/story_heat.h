/* How hot stories are: events, which items bring, change their terms, and the terms their story's heat
 * and score, in the open transaction. */
#ifndef CORE_STORY_HEAT_H
#define CORE_STORY_HEAT_H
#include "record/heat_term.h"

#include <stddef.h>
#include <stdint.h>

struct book;
struct cr_record;
struct db;
struct document;
struct entry;
struct item_source;

#define HEAT_COUNTERS	32		/* terms of one item: further counters make none */

struct story_heat {
	double		 heat, score;	/* heat: the logarithm; -INFINITY: none */
	int64_t		 born, items, rev;
};

/* The time of an entry's events, ms, and of how many a day it is one. */
struct heat_time { int64_t t; double per_day; };
/* when: as the document's, ms. */
struct heat_time heat_time(struct book *, struct document *, const struct item_source *,
	    const struct entry *, int64_t when);
/* An item is new in its story. */
void	heat_item(struct book *, const struct item_source *, const struct cr_record *, int64_t item,
	    int64_t story, const struct heat_time *);
/* An item of a story was met at t, ms, maybe with counters that rose. 1: the story's heat changed. */
int	heat_rises(struct book *, const struct item_source *, const struct cr_record *, int64_t item,
	    int64_t story, int64_t t);
/* Computes the story's heat and score from its items' terms. For when items came or went. */
void	heat_story(struct book *, int64_t story);

/* An item's term, all 0 if there is none. */
void	heat_term_get(struct db *, int64_t item, const char *name, struct heat_term *);
void	heat_term_set(struct db *, const struct heat_term *);
/* The source's entries a day in the days up to t, ms. */
double	heat_rate(struct db *, int64_t source, int64_t t);
void	heat_born(struct db *, int64_t story, int64_t born);

void	heat_get(struct db *, int64_t story, struct story_heat *);
/* The story's terms, those of one number, and of one source's mentions, together; freed by the caller.
 * NULL: none. */
struct heat_term *heat_terms(struct db *, int64_t story, size_t *n);
/* The highest value of the number that one of the story's records has brought; 0: none has it. */
int64_t	heat_number(struct db *, int64_t story, const char *name);
/* The place among all stories, from 1 on; 0: none of the first `max`. */
int64_t	heat_rank(struct db *, double heat, int64_t max);
#endif

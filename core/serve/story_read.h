/* A story as pages and the API show it: its face, who tells it, its numbers. */
#ifndef CORE_STORY_READ_H
#define CORE_STORY_READ_H
#include "base/text.h"
#include "db/lists.h"
#include "record/heat_term.h"

#include <stddef.h>
#include <stdint.h>

struct cr_record;
struct reader;

#define STORY_TELLERS	100		/* records of a story that are read */
#define STORY_NUMBERS	16

/* One of its records. */
struct story_teller {
	char	*source, *title, *link;	/* owned; NULL: none */
	int64_t	 seen;
	char	 id[TEXT_BASE32_16];
};
struct story_number { char name[64]; int64_t value; };
struct story {
	struct list_row		 row;
	char			 id[TEXT_BASE32_16];
	struct cr_record	*face;		/* of each field the first record's that has it */
	struct story_teller	*teller;	/* the first one first */
	size_t			 ntellers;
	struct story_number	 number[STORY_NUMBERS];	/* by name */
	size_t			 nnumbers;
};

/* What a story's heat is made of. */
struct story_term {
	struct heat_term term;
	char		 id[TEXT_BASE32_16];	/* of the record that brought it */
	char		*source;		/* owned; NULL: none */
};
struct story_heat {
	struct story_term *term;		/* owned */
	size_t		 n;
	int64_t		 half_life;		/* ms; 0: unknown */
	int64_t		 rank;			/* among the first HEAT_RANKS, from 1; 0: behind them */
};

/* Finds the story of a record by the record's id. *hidden: the act that hid it, or 0. 1; 0: there is no such record;
 * -1: the database cannot be read. */
int	story_find(struct reader *, const unsigned char rid[LIST_RID], struct list_row *, int64_t *hidden);
/* Reads what the heat of the row's story is made of; heat_terms_count() has marked those that count. 0; -1: the
 * database cannot be read, and there is nothing to free. */
int	story_heat_read(struct reader *, const struct list_row *, struct story_heat *);
void	story_heat_free(struct story_heat *);
/* What is left of the row's heat now. */
double	story_heat_now(const struct list_row *, int64_t half_life);
int64_t	story_half_life(struct reader *);	/* of heat, ms; 0: unknown */

/* Reads the story of a row of a list. 0; -1: the database cannot be read. */
int	story_load(struct reader *, const struct list_row *, struct story *);
void	story_unload(struct story *);
#endif

/* A story as pages and the API show it: its face, who tells it, its numbers. */
#ifndef CORE_STORY_READ_H
#define CORE_STORY_READ_H
#include "base/text.h"
#include "db/lists.h"

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

/* Reads the story of a row of a list. 0; -1: the database cannot be read. */
int	story_load(struct reader *, const struct list_row *, struct story *);
void	story_unload(struct story *);
#endif

/* The lists of stories: which ones each has, and in which order, so that all who show a list agree. */
#ifndef CORE_LISTS_H
#define CORE_LISTS_H
#include <stddef.h>
#include <stdint.h>

struct reader;

#define LIST_PLACE	56		/* bytes of a written place, with its NUL */
#define LIST_NO_KEY	(-1e300)	/* the key of a story without heat or score */
#define LIST_RID	16		/* bytes of a record's id */

enum list_by {
	LIST_BY_HEAT,			/* of all stories, now */
	LIST_BY_BIRTH,			/* when the first event of the story was: the newest first */
	LIST_SPAN_HEAT, LIST_SPAN_SCORE	/* of those that were born in the span */
};
struct list {
	enum list_by	 by;
	int64_t		 from, to;	/* of a span, ms; `to` is not in it */
};
/* Where a page of the list begins: behind this row. Equal keys: the later born first, then the later id. */
struct list_place { double key; int64_t born, story; };
struct list_row {
	int64_t		 story, born, items;
	unsigned char	 rid[LIST_RID];
	double		 heat, score;	/* heat: its logarithm; -INFINITY: none */
};

/* Reads the next rows, at most `most`; behind NULL: the first ones. Returns how many; -1: see reader_why(). */
int	list_read(struct reader *, const struct list *, const struct list_place *behind, size_t most,
	    struct list_row *);
void	list_place(const struct list *, const struct list_row *, struct list_place *);
/* A place as text that is good in URLs, and back; -1: it is none. */
void	list_place_write(const struct list_place *, char out[LIST_PLACE]);
int	list_place_read(struct list_place *, const char *);
#endif

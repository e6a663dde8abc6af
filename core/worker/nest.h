/* Nesting of sanitised HTML: the stack of open elements. What is written through it a browser reads
 * as the same tree, however often it is read and written again: no element stands where its start
 * tag would close, move or wrap another (HTML 13.2.6.4.7, "in body", and what follows of tables). */
#ifndef CORE_NEST_H
#define CORE_NEST_H
#include "base/buf.h"
#include "record/markup.h"

#include <stdint.h>

#define NEST_KINDS	128		/* elements of the table, at most */
#define NEST_AGAIN	16		/* elements to open again, at most */

/* An element that is open, or that waits to be opened again. */
struct nest_element {
	size_t		 at, len;	/* its start tag in the output */
	uint16_t	 place;		/* in the table of elements */
	uint16_t	 cells;		/* cells and captions around it */
	uint16_t	 again;		/* opened again: its own end tag has not come yet */
};
struct nest {
	struct buf		*out;
	size_t			 depth, waiting;
	size_t			 spare;		/* bytes that may be written twice */
	size_t			 pre;		/* where the content of a pre begins */
	uint16_t		 cells;		/* open cells and captions */
	uint16_t		 opened[NEST_KINDS];	/* how many of each are open */
	struct nest_element	 open[NEST_DEPTH];
	struct nest_element	 wait[NEST_AGAIN];
};

/* spare: bytes that may be spent on opening elements again; so the cost stays linear. */
void	 nest_init(struct nest *, struct buf *out, size_t spare);
/* The place of an element in the table; the table has it. */
uint16_t nest_place(const char *name);
/* Makes room for the start tag of an element, which the caller writes next: closes what it would
 * close, opens what has to be around it. -1: the tag has no place and is dropped. */
int	 nest_before(struct nest *, uint16_t place);
/* The start tag of an element that has an end tag was written, from `at` to the output's end. */
void	 nest_open(struct nest *, uint16_t place, size_t at);
/* An end tag: closes its element and those open inside, unless one of those is a wall. */
void	 nest_end(struct nest *, uint16_t place);
/* Closes the innermost element. */
void	 nest_close(struct nest *);
/* Makes room for text, which is written next; then nest_written() with the place where it began. */
void	 nest_text(struct nest *, const char *text, size_t len);
void	 nest_written(struct nest *, size_t at);
#endif

/* Items: finds out which entries of a document are unchanged, new or revised, and stores them. */
#ifndef CORE_ITEM_H
#define CORE_ITEM_H
#include <stdint.h>

struct book;
struct document;

#define ITEM_REVISIONS		10		/* versions of one item whose records are stored */

/* The part of a source's row that storing its items reads and changes. */
struct item_source {
	int64_t		 id;
	unsigned char	 key[16];
	int64_t		 unreliable;	/* enum naming */
	int64_t		 firsts;	/* entries of the first fetch so far; -1: it is complete */
	double		 weight;	/* of its mentions; 0: they add no heat */
	int		 counters;	/* its counters are believed */
	int		 own;		/* the daemon's: its records are in no story of others */
};

struct document_counts { uint32_t seen, added, revised; };
/* Stores the document's entries, the oldest first, in the open transaction. when: the time at which
 * new items were first seen, ms. */
void	document_store(struct document *, struct book *, struct item_source *, int64_t when,
	    struct document_counts *);
/* Some of them, until date_ticks() says so; counts is added to. 1: there are more, for which another
 * transaction may be open, but no other document of the source may come between; 0: that was all. */
int	document_store_some(struct document *, struct book *, struct item_source *, int64_t when,
	    struct document_counts *, int64_t until);
#endif

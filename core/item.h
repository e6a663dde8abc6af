/* Items: what a document's entries are called, and which of them are known, new or revised. */
#ifndef CORE_ITEM_H
#define CORE_ITEM_H
#include "digest.h"
#include "record.h"
#include "schema.h"

#define DOCUMENT_RECORDS	200000		/* entries of one document */
#define DOCUMENT_STATES		4096		/* pairs of state of one document */
#define DOCUMENT_PARSED		(8u << 20)	/* bytes of entries held in memory as records */
#define ITEM_REVISIONS		10		/* kept of one item */

/* The database and what is counted along with it; head and counts include what is not committed. */
struct book {
	struct db	 db;
	struct digest	*digest;
	int64_t		 seed;		/* of this database's delivery ids */
	int64_t		 head;		/* the log's last n */
	int64_t		 records, revisions, stories;
};

/* How a source's entries are named: what its `unreliable` says. It only ever grows. */
enum naming {
	NAME_PLAIN,	/* guid; without one the link; without that title and date */
	NAME_JOINED,	/* a guid came twice: guid and link, or title; a link came twice: and title */
	NAME_FULL,	/* that came twice, too: guid, link and title */
};

/* What items need to know of their source, and move. */
struct item_source {
	int64_t		 id;
	unsigned char	 key[16];
	int64_t		 unreliable;	/* enum naming */
	int64_t		 firsts;	/* entries of its first fetch so far; -1: that is over */
};

/* An item's key as bytes: what the record's id and the look-up keys are made of. Never empty. */
void	item_name(struct buf *, const struct cr_record *, enum naming);
/* The record's id: the first 128 bits of SHA-256 over the source's key and the item's. */
void	item_rid(struct digest *, const unsigned char source[16], const struct buf *name,
	    unsigned char rid[16]);
/* Hashes under which an item is found whose guid, or whose link, this text is. */
#define ITEM_KEYS	3
void	item_keys(struct digest *, const char *text, int64_t key[ITEM_KEYS]);
/* Hash of what makes a revision when it changes: title, link, folded text. */
int64_t	item_text(struct digest *, const struct cr_record *);

/* What a worker made of a page, checked. */
struct document;			/* opaque */
struct result_request;
struct result_state;

/* Borrows the results. NULL: malformed (a log line says how). */
struct document	*document_new(struct digest *, const void *results, size_t len);
/* It is no document but what happened, one after the other: a name that comes twice is news of the same
 * item. */
void		 document_sequence(struct document *);
void		 document_free(struct document *);	/* NULL is fine */
struct bytes	 document_feed(const struct document *);	/* NULL: none */
const struct result_state *document_states(const struct document *, size_t *n);
const struct result_request *document_requests(const struct document *, size_t *n);

struct document_counts { uint32_t seen, added, revised; };
/* Stores its entries, oldest first, in the open transaction. when: first-seen of what is new. */
void	document_store(struct document *, struct book *, struct item_source *, int64_t when,
	    struct document_counts *);
#endif

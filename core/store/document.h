/* The results of a worker for one page, checked: the page's entries, and how they are named within
 * the page. */
#ifndef CORE_DOCUMENT_H
#define CORE_DOCUMENT_H
#include "item_name.h"
#include "record/result.h"

#include <stdint.h>
#include <stddef.h>

#define DOCUMENT_RECORDS	200000		/* entries of one document */
#define DOCUMENT_STATES		4096		/* state pairs (key, value) of one document */
#define DOCUMENT_FAULT		300		/* bytes of a fault, with its NUL */
#define DOCUMENT_PARSED		(8u << 20)	/* bytes of entries held in memory as records */

struct entry {
	const char	*bytes;		/* in the results */
	size_t		 len;
	struct cr_record *record;	/* NULL: parsed again when needed */
	int64_t		 key;		/* of its plain name */
	int64_t		 folded;	/* key of the guid in lower case; = key: nothing to fold */
	int64_t		 date;		/* record_date(), or CR_NO_TIME */
	int64_t		 linked;	/* item_key_link(), once computed; 0: not yet, or no link */
	int64_t		 full;		/* key of link, title, date if the link is shared; else 0 */
	int64_t		 item;		/* id of the item; 0: not found yet */
	struct features	 features;	/* valid when `compared` */
	int		 compared;
	int		 guid;		/* the entry has a guid */
	int		 by_link;	/* the entry has a link and no guid */
	int		 rival;		/* another entry claims the item that its name leads to */
	int		 repeated;	/* another entry of this document has its name */
	int		 linked_too;	/* has a guid; an entry without one has the same link */
	int		 same;		/* duplicate of an earlier entry: not stored */
};

/* What is done with a document, in this order; each phase entry after entry. */
enum document_phase {
	PHASE_READ, PHASE_SORT, PHASE_SHARED, PHASE_ALIKE, PHASE_PAIRS, PHASE_ACROSS, PHASE_WHOLE,
	PHASE_RENAME, PHASE_ORDER, PHASE_CLAIM, PHASE_STORE, PHASE_STORED
};

#define DOCUMENT_SEEN	1024		/* items and links that a document remembers */
struct features_seen { int64_t item; struct features features; };

struct document {
	struct digest		*digest;
	struct entry		*entries;
	size_t			 n, cap;
	size_t			 guids;		/* entries that have one */
	size_t			 parsed;	/* bytes of all entries */
	size_t			 records;	/* in the results, those refused included */
	size_t			 refused;	/* records, and what the document says of itself */
	char			 fault[DOCUMENT_FAULT];	/* of the first, or of the whole; "": none */
	int64_t			 now;		/* wall clock, ms */
	double			 per_day;	/* document_per_day(); 0: not computed yet */
	int			 feeds;		/* times that it said something of itself */
	struct bytes		 feed;
	struct result_state	*states;
	size_t			 nstates;
	struct result_request	*requests;
	size_t			 nrequests;
	enum naming		 naming;	/* that tells its entries apart */
	int			 sequence;	/* see document_sequence() */
	size_t			 looks;		/* stored records read for comparison so far */
	uint64_t		 looked;	/* their bytes */
	struct features_seen	*seen;		/* of items that were compared: DOCUMENT_SEEN, or NULL */
	int64_t			*sharing;	/* keys of links that link_names() handled: likewise */
	struct entry		**claims;	/* by item: a hash table with open addressing */
	size_t			 mask;
	/* How far it has come. */
	struct wire		 rest;		/* results that are not read yet */
	enum document_phase	 phase;
	size_t			 at;		/* next entry of the phase */
	struct entry		**sorted;	/* by name: NULL, or of the phases that need it */
	struct entry		**order;	/* the oldest first: likewise */
	int64_t			 key, item;	/* the last ones that were given another name */
};

struct cr_record *entry_record(struct entry *);
const struct features *entry_features(struct document *, struct entry *);
/* Its dated entries, over the days that their dates span: 1 at least. */
double	document_per_day(struct document *);
/* Frees the entry's parsed record if the document is over DOCUMENT_PARSED. */
void	entry_rest(struct document *, struct entry *);
/* The document's entries, the oldest first; the caller frees the array. */
struct entry **document_order(struct document *);

/* Borrows the results. document_read() reads some of them, until date_ticks() says so: 1, there are
 * more; 0, the document is whole; -1, malformed: `fault` has the reason. A record that the verifier
 * (record/verify.h) refuses is left out and counted. */
struct document	*document_begin(struct digest *, const void *results, size_t len);
int		 document_read(struct document *, int64_t until);
/* Both, to the end. NULL: malformed. */
struct document	*document_new(struct digest *, const void *results, size_t len);
/* Marks the results as a sequence of events, not as a feed document: entries stay in their order,
 * and a second entry of the same name is a revision of the same item. */
void		 document_sequence(struct document *);
void		 document_free(struct document *);	/* NULL is fine */
struct bytes	 document_feed(const struct document *);	/* NULL: none */
const struct result_state *document_states(const struct document *, size_t *n);
const struct result_request *document_requests(const struct document *, size_t *n);
#endif

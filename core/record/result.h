/* The contents of the memfds between workers and store: a sequence of items, each {u32 length,
 * u8 kind} and `length` bytes. One side writes them, the other checks them. */
#ifndef CORE_RESULT_H
#define CORE_RESULT_H
#include "ipc/wire.h"

#include <stdint.h>
#include <stddef.h>

enum result_kind {
	RESULT_RECORD	= 1,	/* a record (record.h), from parse() */
	RESULT_FEED	= 2,	/* the feed, as a record: at most one from parse(); in the batch of
				 * a list, behind its items, one for each source, with CR_SOURCE */
	RESULT_STATE	= 3,	/* struct result_state: a change of state by parse(), filter() and
				 * deliver(); in a batch, before its items, the stored state */
	RESULT_VERDICT	= 4,	/* struct result_verdict, from filter(), in the batch's order */
	RESULT_ITEM	= 5,	/* struct result_item: a record of a batch */
	RESULT_REQUEST	= 6,	/* struct result_request: a page to fetch, by parse() and plan() */
	RESULT_PAST	= 7,	/* struct result_past: a row of the log, from store for `courant try`,
				 * in front of its RESULT_ITEM */
	RESULT_EDITION	= 8,	/* struct result_edition: in front of the items of an edition's batch */
};
#define RESULT_REQUESTS	1000		/* requests of one page */
#define RESULT_REQUEST_MAX	(64u << 10)	/* bytes of all fields of a request */
#define RESULT_URL_MAX	8192
#define RESULT_LINES_MAX	(16u << 10)	/* bytes of headers */
#define RESULT_TAG_MAX	255
#define RESULT_REQUEST_FIELDS(F, s) \
	/* 1: the following page, fetched only if this page had new records */ \
	F(s, U32, next) \
	/* in place of a secret, url and headers hold its mark (secret_mark()); no other control \
	 * characters, except newlines in headers; url is ASCII without spaces */ \
	F(s, STR, url) \
	F(s, STR, method)		/* GET, POST; NULL: GET, or POST with a body */ \
	F(s, STR, headers)		/* "Name: value\n" lines, or NULL */ \
	F(s, STR, tag)			/* or NULL */ \
	F(s, BYTES, body)
WIRE_STRUCT(result_request, RESULT_REQUEST_FIELDS);
#define RESULT_STATE_FIELDS(F, s) \
	F(s, STR, key) F(s, STR, value)	/* value NULL: unset */ \
	F(s, STR, rule)			/* of a filter, as in result_verdict; else NULL */ \
	/* of filter and deliver: stored once so many of the batch's first records are done */ \
	F(s, U32, done)
WIRE_STRUCT(result_state, RESULT_STATE_FIELDS);
#define RESULT_KEY_MAX	255		/* bytes of a key */
#define RESULT_VERDICT_FIELDS(F, s) \
	/* enum cr_verdict; UINT32_MAX: the filter failed: dead letter */ \
	F(s, U32, verdict) \
	F(s, STR, rule)			/* the filter's name and number: "match#1"; or NULL */ \
	F(s, STR, why)			/* the filter's reason, or NULL */ \
	F(s, BYTES, changes)		/* a record of the changed fields; none: NULL */ \
	/* of CR_WAIT: the number that has to be at least (the rank: at most) so much; "story.NAME": \
	 * of the story; or NULL */ \
	F(s, STR, number) F(s, F64, least) \
	/* struct result_said, one after the other: the verdicts of the filters that did not \
	 * decide; none: NULL */ \
	F(s, BYTES, trail)
WIRE_STRUCT(result_verdict, RESULT_VERDICT_FIELDS);
#define RESULT_REASON_MAX	1000	/* bytes of a reason */
#define RESULT_SAID_FIELDS(F, s) \
	F(s, U32, verdict)		/* enum cr_verdict */ \
	F(s, STR, rule) F(s, STR, why)	/* why: or NULL */
WIRE_STRUCT(result_said, RESULT_SAID_FIELDS);
#define RESULT_ITEM_FIELDS(F, s) \
	F(s, I64, n)			/* in the log */ \
	F(s, U32, revision)		/* 0: the first */ \
	F(s, STR, id)			/* record id, 26 characters */ \
	F(s, STR, delivery)		/* delivery id: ID or ID-rN */ \
	F(s, STR, source)		/* its name */ \
	F(s, BYTES, record)		/* record_write(): without id and source */ \
	F(s, BYTES, changes)		/* of the route's filters, for record_overlay() */ \
	F(s, I64, seen)			/* first seen, ms */ \
	F(s, U32, sources)		/* sources of its story; 0: unknown */ \
	/* when this revision was first seen, ms; CR_NO_TIME: unknown */ \
	F(s, I64, revised) \
	/* of its story, when it was handed out: the heat then; the place by heat, or 0 */ \
	F(s, F64, heat) F(s, F64, score) F(s, U32, rank) \
	F(s, BYTES, numbers)		/* a record with its story's counters; none: NULL */ \
	/* a record of the fields that it lacks and others of its story have; none: NULL */ \
	F(s, BYTES, face)
WIRE_STRUCT(result_item, RESULT_ITEM_FIELDS);

#define RESULT_SECTION_FIELDS(F, s) \
	F(s, STR, title) \
	F(s, U32, first) F(s, U32, n)	/* of the edition's items */ \
	F(s, I64, left_out)
WIRE_STRUCT(result_section, RESULT_SECTION_FIELDS);
#define RESULT_EDITION_FIELDS(F, s) \
	F(s, STR, name) F(s, STR, zone) \
	F(s, BYTES, sections)		/* struct result_section, one after the other */ \
	F(s, I64, from) F(s, I64, due)	/* when the edition before and this one were due, ms */ \
	F(s, I64, sealed)		/* ms */ \
	F(s, I64, left_out)		/* candidates for which it had no room */ \
	F(s, U32, others)		/* of these: the last items of the batch, in no section */ \
	F(s, STR, oldest)		/* name of the first edition that is not pruned */
WIRE_STRUCT(result_edition, RESULT_EDITION_FIELDS);

enum { PAST_NONE = 4 };			/* beside enum cr_verdict and VERDICT_FAILED: no verdict */
#define RESULT_PAST_FIELDS(F, s) \
	F(s, I64, n)			/* in the log */ \
	F(s, I64, item)			/* 0: the page's end; the next begins behind n */ \
	F(s, I64, story)		/* 0: no other item tells it */ \
	F(s, I64, origin)		/* a late row of the route: where the record waited; or 0 */ \
	F(s, U32, revision) \
	F(s, U32, drawn)		/* 1: the route draws the row */ \
	F(s, U32, itself)		/* 1: from the source, and not from another route */ \
	F(s, U32, first)		/* 1: of the item, the route met no version before this past */ \
	F(s, U32, taken)		/* 1: the story was taken by another item before this past */ \
	F(s, U32, later)		/* 1: if it waits, a late row follows in this past */ \
	F(s, U32, missed)		/* refilter_missed() */ \
	F(s, STR, patience)		/* why it waited for too long; NULL: it did not */ \
	F(s, U32, verdict)		/* what became of the record */ \
	F(s, STR, rule) F(s, STR, why)	/* or NULL */
WIRE_STRUCT(result_past, RESULT_PAST_FIELDS);

/* Reads and checks a state. 0; -1: malformed. */
int	result_state_read(struct wire *, struct result_state *);

/* Why a plugin may not make this request; NULL: it may. */
const char *result_request_bad(const struct result_request *);

/* Begins an item in b; result_end() fills in its length. */
size_t	result_begin(struct buf *, enum result_kind);
void	result_end(struct buf *, size_t begun);

/* Reads the next item: 1, 0 at the end, -1 malformed. The caller reads body with wire_*(). */
int	result_next(struct wire *all, enum result_kind *, struct wire *body);

#endif

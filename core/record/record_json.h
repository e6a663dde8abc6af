/* A record as JSON, for JSON Lines, webhooks and the API. */
#ifndef CORE_RECORD_JSON_H
#define CORE_RECORD_JSON_H
#include <stdint.h>

struct buf;
struct cr_record;

/* One JSON object on one line, schema 1, no line end. delivery NULL: the record's id. The members,
 * in this order, without absent ones: id, schema, source, title, link, published, updated, seen,
 * authors [{name,mail,uri}], contributors [the same], categories [..], summary, content, language,
 * image, comments, rights, enclosures [{url,type,size}], extras {}, numbers {}, counters {}, guid,
 * record (when id is not the record's own), revision (when not 0), story {sources, heat, score, rank,
 * numbers {}} (what it was handed out with; only in batches). */
struct record_json {
	const char	*delivery;
	uint32_t	 revision;
	int64_t		 seen;		/* first seen, ms; CR_NO_TIME: unknown */
};
void	 record_json(const struct cr_record *, const struct record_json *, struct buf *);
/* The same with a member date (record_date()) behind seen. */
void	 record_json_dated(const struct cr_record *, const struct record_json *, struct buf *);
#endif

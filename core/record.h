/* A record in memory, and its bytes in the database and between processes. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H
#include "buf.h"

#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define RECORD_TEXT_MAX	(1u << 20)	/* bytes of one text */
#define RECORD_LINE_MAX	(16u << 10)	/* of a title, a URL, a name */
#define RECORD_NAME_MAX	255		/* of the name of an extra, number, counter */
#define RECORD_LIST_MAX	256		/* values of one list, extras, numbers */
#define RECORD_MAX	(4u << 20)	/* bytes of a record written out */

struct cr_record	*record_new(void);
void			 record_free(struct cr_record *);	/* NULL is fine */
void			 record_clear(struct cr_record *);	/* empty, keeps its memory */

/* Plain storage: no sanitising, no resolving: that is host.c's. text is UTF-8 already checked.
 * What was given out before by record_get() and the like stays readable until record_clear().
 * An empty text unsets a field or an extra (and says so when laid over another record); in a list
 * it is left out. A time of CR_NO_TIME unsets.
 * All: 0, or -1 over a maximum: the record is then marked, and record_bad() says why. */
int	record_set(struct cr_record *, int field, const char *text, size_t len);
int	record_set_time(struct cr_record *, int field, int64_t);
int	record_set_extra(struct cr_record *, const char *name, const char *text);
int	record_set_number(struct cr_record *, const char *name, double);
int	record_set_counter(struct cr_record *, const char *name, int64_t);
int	record_add_author(struct cr_record *, int field, const char *name, const char *mail,
	    const char *uri);		/* field: CR_AUTHOR or CR_CONTRIBUTOR */
int	record_add_enclosure(struct cr_record *, const char *url, const char *type, int64_t size);
const char *record_bad(const struct cr_record *);		/* NULL: it is fine */
void	record_mark(struct cr_record *, const char *why);	/* bad, unless it is already */

/* NULL: none. Of a time: RFC 3339. Of an author: the name, else the mail, else the URI. */
const char *record_get(const struct cr_record *, int field, size_t nth);
int64_t	 record_get_time(const struct cr_record *, int field);	/* CR_NO_TIME: none */
const char *record_get_extra(const struct cr_record *, const char *name);
int	 record_get_number(const struct cr_record *, const char *name, double *);	/* 1: has */
struct record_author { const char *name, *mail, *uri; };	/* NULL: none */
struct record_enclosure { const char *url, *type; int64_t size; };
int	 record_author(const struct cr_record *, int field, size_t nth, struct record_author *);
int	 record_enclosure(const struct cr_record *, size_t nth, struct record_enclosure *);
/* The nth extra, number, counter: 1, or 0 when there is none. */
int	 record_extra_at(const struct cr_record *, size_t nth, const char **name, const char **text);
int	 record_number_at(const struct cr_record *, size_t nth, const char **name, double *value);
int	 record_counter_at(const struct cr_record *, size_t nth, const char **name, int64_t *value);

/* Lays the fields that `over` has over r: lists are replaced whole; extras, numbers and counters
 * one by one. */
void	 record_overlay(struct cr_record *r, const struct cr_record *over);
/* From here on changes are noted; record_changes() lays them, and nothing else, over the empty
 * record `out`, so that record_overlay() of it does them again. Returns whether there are any. */
void	 record_watch(struct cr_record *);
int	 record_changes(const struct cr_record *, struct cr_record *out);

void	 record_write(const struct cr_record *, struct buf *);
/* Into a new record; NULL: malformed or over a maximum. Checks UTF-8 and every length. */
struct cr_record *record_read(const void *, size_t);

/* One JSON object on one line, schema 1, no line end: what JSON Lines, webhooks and the API show.
 * delivery NULL: the record's id. In this order, absent ones left out: id, schema, source, title,
 * link, published, updated, seen, authors [{name,mail,uri}], contributors [the same],
 * categories [..], summary, content, language, image, comments, rights,
 * enclosures [{url,type,size}], extras {}, numbers {}, counters {}, guid, record (when id is not
 * the record's own), revision (when not 0). */
struct record_json {
	const char	*delivery;
	uint32_t	 revision;
	int64_t		 seen;		/* CR_NO_TIME: not told */
};
void	 record_json(const struct cr_record *, const struct record_json *, struct buf *);
/* A place beside the record for what record_json() is to be told of it; it begins as { 0,
 * CR_NO_TIME }. The delivery is borrowed. */
struct record_json *record_about(const struct cr_record *);
/* And for what else a plugin may ask of it. */
struct record_story {
	uint32_t	 sources;	/* that tell the same; 0: not told */
};
struct record_story *record_story(const struct cr_record *);
#endif

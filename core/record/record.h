/* A record in memory, and its serialised form in the database and between processes. */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H
#include "base/buf.h"

#include <courant/plugin.h>

#include <stddef.h>
#include <stdint.h>

#define RECORD_TEXT_MAX	(1u << 20)	/* bytes of one text */
#define RECORD_LINE_MAX	(16u << 10)	/* bytes of a title, a URL, a name */
#define RECORD_NAME_MAX	255		/* bytes of the name of an extra, number, counter */
#define RECORD_LIST_MAX	256		/* values of one list, extras, numbers */
#define RECORD_MAX	(4u << 20)	/* bytes of a serialised record */

struct cr_record	*record_new(void);
void			 record_free(struct cr_record *);	/* NULL is fine */
void			 record_clear(struct cr_record *);	/* empties it, keeps its memory */

/* Plain storage: worker/host_record.c sanitises and resolves. text must be valid UTF-8. Texts
 * returned by record_get() and the like stay readable until record_clear(). An empty text unsets a
 * field or an extra (also in the other record of record_overlay()); in a list it is left out. A
 * time of CR_NO_TIME unsets. All return 0, or -1 over a maximum: the record is then marked, and
 * record_bad() says why. */
int	record_set(struct cr_record *, int field, const char *text, size_t len);
int	record_set_time(struct cr_record *, int field, int64_t);
int	record_set_extra(struct cr_record *, const char *name, const char *text);
int	record_set_number(struct cr_record *, const char *name, double);
int	record_set_counter(struct cr_record *, const char *name, int64_t);
int	record_add_author(struct cr_record *, int field, const char *name, const char *mail,
	    const char *uri);		/* field: CR_AUTHOR or CR_CONTRIBUTOR */
int	record_add_enclosure(struct cr_record *, const char *url, const char *type, int64_t size);
const char *record_bad(const struct cr_record *);		/* why it is bad; NULL: it is not */
/* Whether one more extra, of so many bytes of name and text, is within all maximums. */
int	record_spare(const struct cr_record *, size_t bytes);
void	record_mark(struct cr_record *, const char *why);	/* as bad; the first reason stays */

/* The nth value of a field, NULL: none. A time as RFC 3339; of an author the name, else the mail,
 * else the URI. */
const char *record_get(const struct cr_record *, int field, size_t nth);
int64_t	 record_get_time(const struct cr_record *, int field);	/* CR_NO_TIME: none */
/* The date that people are shown and lists are ordered by: published, else updated, else seen. */
int64_t	 record_date(const struct cr_record *, int64_t seen);
const char *record_get_extra(const struct cr_record *, const char *name);
int	 record_get_number(const struct cr_record *, const char *name, double *);	/* 1: set */
struct record_author { const char *name, *mail, *uri; };	/* NULL: none */
struct record_enclosure { const char *url, *type; int64_t size; };
int	 record_author(const struct cr_record *, int field, size_t nth, struct record_author *);
int	 record_enclosure(const struct cr_record *, size_t nth, struct record_enclosure *);
/* The nth extra, number, counter: 1, or 0 when there is none. */
int	 record_extra_at(const struct cr_record *, size_t nth, const char **name, const char **text);
int	 record_number_at(const struct cr_record *, size_t nth, const char **name, double *value);
int	 record_counter_at(const struct cr_record *, size_t nth, const char **name, int64_t *value);

/* Copies the fields that are set in `over` to r, but for id and source: lists are replaced whole;
 * extras, numbers and counters one by one. */
void	 record_overlay(struct cr_record *r, const struct cr_record *over);
/* record_watch() starts to track changes. record_changes() copies the changed fields into
 * the empty record `out`, so that record_overlay() with it repeats the changes. Returns 1
 * if there are any. */
void	 record_watch(struct cr_record *);
int	 record_changes(const struct cr_record *, struct cr_record *out);

void	 record_write(const struct cr_record *, struct buf *);
/* Reads a new record; NULL: malformed or over a maximum. Checks UTF-8 and every length. */
struct cr_record *record_read(const void *, size_t);

/* The record's arguments for record_json(), which are no part of its value; at first NULL, 0,
 * CR_NO_TIME. The delivery is borrowed. */
struct record_json *record_about(const struct cr_record *);
/* Further facts that a plugin may ask for, no part of its value either; at first 0, CR_NO_TIME,
 * NULL. */
struct record_story {
	double		 heat, score;	/* heat: when the record was handed out; 0: none */
	uint32_t	 rank;		/* place by heat, from 1 on; 0: none */
	struct cr_record *numbers;	/* has the story's counters; owned by the record; or NULL */
	uint32_t	 sources;	/* sources with a record of the same story; 0: unknown */
	int64_t		 revised;	/* this revision was first seen, ms; CR_NO_TIME: unknown */
	const struct cr_record *feed;	/* the record's feed; borrowed; or NULL */
};
struct record_story *record_story(const struct cr_record *);

/* Whether only the host gives a number of that name: "sources", "heat", "score", "rank", and all that
 * begin with "story.". */
int	 record_number_reserved(const char *name);
/* The number as plugins read it: the record's own, else its story's; by "story.NAME" its story's
 * alone. 1: set. */
int	 record_number_read(const struct cr_record *, const char *name, double *);
#endif

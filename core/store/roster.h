/* The sources in the database: their ids, keys and marks, and how the sources of a configuration
 * are matched with them. */
#ifndef CORE_ROSTER_H
#define CORE_ROSTER_H
#include "item.h"
#include "db/db.h"
#include "ipc/msg.h"

struct roster;				/* opaque */

struct roster	*roster_new(struct db *);		/* reads them from the database */
void		 roster_free(struct roster *);		/* NULL is fine */

/* Takes a configuration's sources in the open transaction. Each is matched with a stored source by
 * its name, by its earlier name (`was`), or by plugin and first-listed URL if no source of the
 * configuration has the stored name; else it is new. id[n] receives the ids. Stored sources that
 * the configuration no longer has are marked as gone. */
void	roster_take(struct roster *, const struct store_source *, size_t n, uint32_t *id);
/* Writes the first part of MSG_STORE_KNOWN for these ids: u32 n, n * (u32 id, bytes key, u32 enum
 * stored, struct mark). */
void	roster_tell(struct roster *, const uint32_t *id, size_t n, struct buf *);

struct item_source *roster_get(struct roster *, uint32_t id);	/* NULL: no such source */
const char	*roster_name(const struct roster *, int64_t id);	/* "": no such source */
/* Whether the daemon itself makes its records ("courant/...", which no other name begins with):
 * `from: ["*"]` leaves it out, also when the configuration no longer has it. */
int		 roster_own(const struct roster *, int64_t id);
/* The URL in the present configuration, else the first-listed one, with {secret:NAME} in place of
 * secrets; "": no such source. */
const char	*roster_url(const struct roster *, int64_t id);
uint32_t	 roster_max(const struct roster *);	/* greater than all ids */
void		 roster_save(struct roster *, const struct item_source *);

/* roster_touch() holds a mark in memory, in place of an earlier one; roster_mark() writes a mark in
 * the open transaction; roster_flush() writes the marks held in memory and returns their number. */
void	roster_touch(struct roster *, uint32_t id, const struct mark *);
void	roster_mark(struct roster *, uint32_t id, const struct mark *);
size_t	roster_flush(struct roster *);
size_t	roster_touched(const struct roster *);

/* New records of the source were stored at that time, ms: its rhythm is learnt, in the open
 * transaction. */
void	 roster_fresh(struct roster *, uint32_t id, int64_t when);
/* Writes MSG_SILENCES. */
void	 roster_silent(struct roster *, struct buf *);
/* The flags (enum stored) of what is stored for a source; walk.c changes them. */
uint32_t *roster_stored(struct roster *, uint32_t id);
struct db *roster_db(const struct roster *);
#endif

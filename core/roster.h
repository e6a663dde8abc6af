/* The sources that store knows: their ids, keys and marks, and how a configuration finds them. */
#ifndef CORE_ROSTER_H
#define CORE_ROSTER_H
#include "item.h"
#include "msg.h"

struct roster;				/* opaque */

struct roster	*roster_new(struct db *);		/* reads them from the database */
void		 roster_free(struct roster *);		/* NULL is fine */

/* Takes a configuration's sources in the open transaction: each is found again by its name, by its
 * earlier one, or by plugin and first-listed URL when no source in the configuration has the name it
 * had; else it is new. id[n] gets their ids. Those no longer listed are marked as gone. */
void	roster_take(struct roster *, const struct store_source *, size_t n, uint32_t *id);
/* The first part of MSG_STORE_KNOWN for these ids: u32 n, n * (u32 id, bytes key, u32 enum kept,
 * struct mark). */
void	roster_known(struct roster *, const uint32_t *id, size_t n, struct buf *);

struct item_source *roster_get(struct roster *, uint32_t id);	/* NULL: no such source */
const char	*roster_name(const struct roster *, int64_t id);	/* "" when unknown */
uint32_t	 roster_max(const struct roster *);	/* all ids lie below it */
void		 roster_save(struct roster *, const struct item_source *);

/* Marks: touch keeps it in memory, the last one counts; write stores it now, in the open
 * transaction; flush stores what was kept and gives how many. */
void	roster_touch(struct roster *, uint32_t id, const struct mark *);
void	roster_mark(struct roster *, uint32_t id, const struct mark *);
size_t	roster_flush(struct roster *);
size_t	roster_touched(const struct roster *);

/* enum kept, as it now stands; walk.c moves it. */
uint32_t *roster_kept(struct roster *, uint32_t id);
struct db *roster_db(const struct roster *);
#endif

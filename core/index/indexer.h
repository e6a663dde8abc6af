/* What writes index.db: batches behind the log, and the file built anew beside the old one where that is
 * missing, damaged, of another version, or has too many outdated rows. */
#ifndef CORE_INDEXER_H
#define CORE_INDEXER_H
#include "db/fulltext.h"

#include <stddef.h>
#include <stdint.h>

struct rarity;
struct reader;
struct searched;
struct signature;

#define INDEXER_BATCH	100		/* records of one transaction, */
#define INDEXER_BUILD	400		/* while the file is built anew: larger ones take less time */

/* How far a file is. */
struct indexer_at {
	int64_t	 n;		/* of the log: all rows up to here are in it */
	int64_t	 docs, dead;	/* rows; of them, outdated ones */
	int64_t	 counted;	/* rows when words were counted last */
};
struct indexer {
	char			*path, *path_next;
	struct reader		*reader;
	struct fulltext		*now;		/* index.db; NULL: there is none that can be used */
	struct fulltext		*next;		/* what takes its place; or NULL */
	struct indexer_at	 at_now, at_next;
	int64_t			 head, records, seed;	/* of the database, when looked at last */
	struct rarity		*rarity;
	int			 uncounted;	/* it lacks most words, until they are counted */
	struct searched		*words;
	struct signature	*signature;
	uint32_t		*hashes;	/* of the words of the open batch */
	size_t			 nhashes, room;
	char			*counting;	/* the last word that was counted; NULL: none is under way */
	int64_t			 counted;	/* rows when that began */
	int			 waits;		/* for room on the disk */
	char			 why[FULLTEXT_WHY];	/* why the file is built anew, or the work waits; "" */
};

/* What is to be done next. */
enum indexer_step {
	INDEXER_MORE,		/* call indexer_step() again, soon */
	INDEXER_DONE,		/* all is done, up to the head */
	INDEXER_WAIT		/* again in a second or two: the disk is full, or the database is away */
};

/* folder: of index.db; database: path. */
struct indexer	*indexer_new(const char *folder, const char *database);
void		 indexer_free(struct indexer *);
/* One step: a batch, some words counted, or a file put in its place. */
enum indexer_step indexer_step(struct indexer *);
/* The file to search in, and how far it is; NULL: there is none. Checks that it is still there. */
struct fulltext	*indexer_file(struct indexer *, struct indexer_at *);
/* A question failed in that file: a damaged one is dropped, and built anew by the next step. */
void		 indexer_failed(struct indexer *, const struct fulltext *);
#endif

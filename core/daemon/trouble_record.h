/* The records of the source SETUP_TROUBLE, and the state that says what they announced. */
#ifndef CORE_TROUBLE_RECORD_H
#define CORE_TROUBLE_RECORD_H
#include "trouble_watch.h"

struct buf;

#define TROUBLE_KEY	256		/* bytes of a key of the state, with its NUL */

/* "KIND:NAME", cut to TROUBLE_KEY. */
void	trouble_key(char key[TROUBLE_KEY], enum trouble_kind, const char *name);
/* Reads a key: the kind, and *name in it; TROUBLE_KINDS: of no kind. */
enum trouble_kind trouble_key_read(const char *key, const char **name);

/* Each adds a record and the change of the state that belongs to it, as results (record/result.h), and
 * writes the title to the log. Times are ms. trouble_begun: the condition is announced, it began at
 * `since`. trouble_ended: it is over. */
void	trouble_begun(struct buf *results, const struct trouble_seen *, int64_t since, int64_t now);
void	trouble_ended(struct buf *results, enum trouble_kind, const char *name, int64_t since,
	    int64_t now, int removed);
#endif

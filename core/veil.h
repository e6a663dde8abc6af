/* Secrets in text that came from outside, found however they are written there, and replaced. */
#ifndef CORE_VEIL_H
#define CORE_VEIL_H
#include "buf.h"
#include "wire.h"

#define VEIL_MIN	4		/* bytes of a secret that is looked for: less is anywhere */
#define VEIL_WORDS	64		/* secrets of one veil, of those with several lines each line */

struct veil;				/* opaque */

/* words: SECRET\0INSTEAD\0..., borrowed while the veil is used. NULL: there is nothing to look for. */
struct veil	*veil_new(struct bytes words);
void		 veil_free(struct veil *);	/* NULL is fine */

/* Where the first secret of a text stands: as it is, escaped as in URLs (%2f), JSON (\/, \u002f) or
 * XML (&amp;), all of it or parts. Its length, 0: there is none; *at where, *instead what for it. A
 * NULL veil finds nothing. */
size_t		 veil_find(const struct veil *, const char *text, size_t len, size_t *at,
		    const char **instead);
/* Adds the text with each secret replaced. How many there were. */
size_t		 veil_put(const struct veil *, const char *text, size_t len, struct buf *);
/* A sealed document of *len bytes, with a NUL behind them. When there is a secret in it, *fd becomes
 * another with these replaced, and the old one is closed. -1: that would be over max bytes. */
int		 veil_file(const struct veil *, int *fd, uint64_t *len, uint64_t max);
#endif

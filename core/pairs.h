/* Keys and values in one buffer, as state travels: KEY\0VALUE\0... */
#ifndef CORE_PAIRS_H
#define CORE_PAIRS_H
#include "buf.h"
#include "wire.h"

/* The value; NULL: there is none. Borrowed. */
const char	*pairs_get(struct bytes, const char *key);
/* Sets a value in place of the key's old one; NULL: none. -1: it would be over max bytes, and nothing
 * happened. */
int		 pairs_set(struct buf *, const char *key, const char *value, size_t max);
#endif

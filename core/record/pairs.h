/* Keys and values in one buffer, the form in which state is sent: KEY\0VALUE\0... */
#ifndef CORE_PAIRS_H
#define CORE_PAIRS_H
#include "base/buf.h"
#include "ipc/wire.h"

/* The key's value, borrowed; NULL: the key is not set. */
const char	*pairs_get(struct bytes, const char *key);
/* Replaces the key's value; NULL removes the key. -1: the buffer would exceed max bytes; it is
 * unchanged. */
int		 pairs_set(struct buf *, const char *key, const char *value, size_t max);
#endif

/* The headers of an HTTP answer, as "name: value\n" lines with names in lower case; reads the media
 * type, Retry-After and the freshness from them. */
#ifndef CORE_HEADERS_H
#define CORE_HEADERS_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

#define HEADERS_MAX	(64u << 10)	/* bytes of an answer's headers */
#define HEADERS_WAIT_MAX (INT64_C(366) * 86400000)	/* ms; longer times are reduced to this */

/* Adds a received line, with or without CRLF; a folded line continues the last (RFC 9112 5.2). A
 * line without a name that is a token is left out; control characters in values become spaces. */
void	headers_add(struct buf *, const char *line, size_t len);
/* The nth value of that name, *len bytes, not NUL-terminated; NULL: there are fewer. */
const char *headers_get(const char *headers, const char *name, size_t nth, size_t *len);
/* The first value as a string in b, which is emptied before; NULL: no such header. */
const char *headers_str(const char *headers, const char *name, struct buf *b);

/* Media type and charset in lower case; "" if missing or malformed. */
void	headers_type(const char *headers, struct buf *type, struct buf *charset);
/* Retry-After, seconds or date (RFC 9110 10.2.3), as ms from now; -1: no such header. A date is
 * relative to the server's Date header, if any. */
int64_t	headers_retry_after(const char *headers, int64_t now);
/* How long the answer is fresh for us, a private cache (RFC 9111 4.2), ms: max-age, else Expires;
 * less Age. -1: neither header; 0: must not be cached. */
int64_t	headers_max_age(const char *headers, int64_t now);
#endif

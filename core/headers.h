/* The headers of an HTTP answer, as "name: value\n" lines with names in lower case, and what they
 * say of type, redirects and waiting. */
#ifndef CORE_HEADERS_H
#define CORE_HEADERS_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

#define HEADERS_MAX	(64u << 10)	/* bytes of an answer's headers */
#define HEADERS_WAIT_MAX (INT64_C(366) * 86400000)	/* ms; longer waits are taken as this */

/* Adds a line as it came, CRLF or not; a folded one continues the last (RFC 9112 5.2). What has no
 * name, or one that is no token, is left out; controls in values become spaces. */
void	headers_add(struct buf *, const char *line, size_t len);
/* The nth value of that name, *len bytes of it, not NUL-terminated; NULL: there is none. */
const char *headers_get(const char *headers, const char *name, size_t nth, size_t *len);
/* The same as a string in b, which is emptied first: NULL when there is none. */
const char *headers_str(const char *headers, const char *name, struct buf *b);

/* Media type and charset, lower case; what does not look like them is "". */
void	headers_type(const char *headers, struct buf *type, struct buf *charset);
/* Retry-After, seconds or date (RFC 9110 10.2.3), as ms from now; -1: not told. A date counts from
 * the server's own Date when there is one. */
int64_t	headers_retry_after(const char *headers, int64_t now);
/* How long the answer is fresh for us, a private cache (RFC 9111 4.2): max-age, else Expires; less
 * Age. ms; -1: not told; 0 when it is not to be kept. */
int64_t	headers_max_age(const char *headers, int64_t now);
#endif

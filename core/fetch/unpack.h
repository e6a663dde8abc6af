/* Streaming decoder of Content-Encoding gzip and deflate. libcurl's is not used: it accepts a
 * truncated compressed body as complete, and refuses a body whose coding it does not know.
 *
 * The Content-Encoding of real servers is often wrong (a charset, "none", gzip for a body that is
 * not compressed or no longer is, nothing for one that is): the bytes of the body decide. */
#ifndef CORE_UNPACK_H
#define CORE_UNPACK_H
#include <stddef.h>

#define UNPACK_ACCEPT	"gzip, deflate"		/* the value of Accept-Encoding */
#define UNPACK_LAYERS	3			/* codings on top of each other, at most */

struct unpack;				/* opaque */

/* Takes decoded bytes; unpack_more() returns at once what this returns, unless that is 0. */
typedef int	unpack_cb(const char *, size_t, void *arg);

/* encoding: the value of Content-Encoding, or NULL. document: gzip is decoded even when
 * Content-Encoding does not name it; the answer to a plugin's http() may be a file that is to stay
 * compressed. */
struct unpack	*unpack_new(const char *encoding, int document, unpack_cb *, void *arg);
void		 unpack_free(struct unpack *);		/* NULL is fine */
/* 0; -1: unpack_error() has the reason; else what the callback returned. */
int		 unpack_more(struct unpack *, const char *, size_t);
/* The end of the body: decodes the bytes held back for detection. Returns as unpack_more(); -1 also
 * when the body was truncated. */
int		 unpack_end(struct unpack *);
const char	*unpack_error(const struct unpack *);	/* never NULL */
#endif

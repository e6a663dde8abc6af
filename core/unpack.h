/* Content-Encoding undone as the bytes come: gzip and deflate. Ours rather than libcurl's, which
 * takes a packed body that was cut for a whole one. */
#ifndef CORE_UNPACK_H
#define CORE_UNPACK_H
#include <stddef.h>

#define UNPACK_ACCEPT	"gzip, deflate"		/* the Accept-Encoding that we can keep */

struct unpack;				/* opaque */

/* Takes what was unpacked; not 0 ends unpack_more() with that. */
typedef int	unpack_cb(const char *, size_t, void *arg);

/* For a Content-Encoding: 1 and *u, 0 when there is nothing to undo, -1 when we cannot. */
int		 unpack_new(struct unpack **u, const char *encoding);
void		 unpack_free(struct unpack *);		/* NULL is fine */
/* 0; -1: the bytes are not packed that way; else what the callback gave. */
int		 unpack_more(struct unpack *, const char *, size_t, unpack_cb *, void *arg);
/* Whether all is there: 1, or 0 when it was cut. Nothing at all counts as all. */
int		 unpack_whole(const struct unpack *);
#endif

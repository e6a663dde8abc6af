/* A worker's egress: whether requests may be made for it, and to which origins the secrets of its
 * instance may go. A plugin that is not granted its secrets names them by stand-ins in URLs and
 * headers; the secrets are filled in here. */
#ifndef CORE_EGRESS_H
#define CORE_EGRESS_H
#include "base/buf.h"
#include "conf/setup.h"

#include <stdint.h>

struct egress;				/* opaque */

/* Copies what it needs: the egress outlives the instance. grants: enum cr_wants. name: for logs.
 * url: the source's; NULL: of a sink. */
struct egress	*egress_new(const struct instance *, uint32_t grants, const char *name,
		    const char *url);
void		 egress_free(struct egress *);	/* NULL is fine */
const char	*egress_name(const struct egress *);
int		 egress_http(const struct egress *);	/* whether http() is granted; NULL: no */
int		 egress_mail(const struct egress *);	/* whether mails() is */

/* Makes a request's URL (a URI) and headers, with secrets in the place of stand-ins; a user that
 * the URL, or an option of the same origin, names becomes a header. Secrets go only to the origins
 * (scheme, host, port) of the instance's options of type URL, of its secrets that are URLs, and of
 * its source's url. -1: the request names a secret and goes elsewhere; err says so. */
int		 egress_fill(const struct egress *, const char *url, const char *headers,
		    struct buf *to_url, struct buf *to_headers, struct buf *err);
/* Appends an answer's text to b, with each secret replaced by its stand-in. 0: the text has no
 * secret, and b is unchanged. */
int		 egress_hide(const struct egress *, const char *text, size_t len, struct buf *b);
#endif

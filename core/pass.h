/* What a worker may have sent for it, and where the secrets of its instance may go. A plugin that
 * does not hold its secrets names them by stand-ins in URLs and headers; they are filled in here. */
#ifndef CORE_PASS_H
#define CORE_PASS_H
#include "buf.h"
#include "setup.h"

#include <stdint.h>

struct pass;				/* opaque */

/* A copy of all that it needs: it outlives the instance. grants: enum cr_wants. name: for logs. url:
 * a source's, or NULL. */
struct pass	*pass_new(const struct instance *, uint32_t grants, const char *name,
		    const char *url);
void		 pass_free(struct pass *);	/* NULL is fine */
const char	*pass_name(const struct pass *);
int		 pass_http(const struct pass *);	/* whether http() is granted; NULL: no */

/* A request's URL and headers with secrets in the place of stand-ins. Secrets go to the origins
 * (scheme, host, port) of the instance's options of type URL, of its secrets that are URLs, and of
 * its source's url. -1: it names a secret and goes elsewhere; err says so. */
int		 pass_reveal(const struct pass *, const char *url, const char *headers,
		    struct buf *to_url, struct buf *to_headers, struct buf *err);
/* Text of an answer, in which a secret becomes its stand-in again. 0: there is none, and nothing was
 * added to b. */
int		 pass_conceal(const struct pass *, const char *text, size_t len, struct buf *b);
#endif

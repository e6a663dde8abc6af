/* URLs: parts, resolution (RFC 3986 5.2 as browsers do it), canonical keys. */
#ifndef CORE_URL_H
#define CORE_URL_H
#include "buf.h"

#include <stddef.h>

#define URL_MAX		8192		/* bytes of a URL */

/* Parts of an absolute URL, pointing into it; absent: NULL, 0. port: 0 when absent. */
struct url {
	const char	*scheme, *user, *host, *path, *query, *fragment;
	size_t		 scheme_len, user_len, host_len, path_len, query_len, fragment_len;
	int		 port;
};
int	url_split(struct url *, const char *);		/* -1: not an absolute URL */
/* Whether an http or https URL can be fetched unchanged: ASCII without control characters and
 * spaces, a host in the form of the DNS, port in range, no user. */
int	url_fetchable(const char *);			/* 1 or 0 */
/* Resolves ref against base (NULL or "": only an absolute ref can be resolved), and converts an IRI
 * to a URI (RFC 3987 3.1, hosts by idn.h). Trims white space, encodes spaces, removes user and
 * password. All foreign URLs pass through here once and are not changed afterwards. -1, and adds
 * nothing: ref cannot be resolved, or the result is over URL_MAX. */
int	url_resolve(struct buf *, const char *base, const char *ref);
int	url_resolve_to(char *out, const char *base, const char *ref);	/* into out[URL_MAX + 1] */
/* Adds "https://host:port" in lower case, without a default port; -1: the URL has no origin. */
int	url_origin(struct buf *, const char *);
/* Adds a key that is equal for different URLs of the same page: no scheme, www., fragment, tracking
 * parameters, default port, index pages, closing slash; parameters sorted; arXiv, DOI, YouTube and
 * OpenReview by their own ids. -1: no URL. Records are identified by it. */
int	url_canonical(struct buf *, const char *);
#endif

/* URLs: parts, resolution (RFC 3986 5.2 as browsers do it), canonical keys. */
#ifndef CORE_URL_H
#define CORE_URL_H
#include "buf.h"

#include <stddef.h>

#define URL_MAX		8192		/* bytes of a URL that we take */

/* Parts of an absolute URL, pointing into it; absent: NULL, 0. port: 0 when not told. */
struct url {
	const char	*scheme, *user, *host, *path, *query, *fragment;
	size_t		 scheme_len, user_len, host_len, path_len, query_len, fragment_len;
	int		 port;
};
int	url_split(struct url *, const char *);		/* -1: not an absolute URL */
/* An http or https URL that can be fetched: host, no control characters or spaces, port in range. */
int	url_fetchable(const char *);			/* 1 or 0 */
/* Resolves ref against base (NULL or "": only absolute refs stay). Trims white space; encodes
 * spaces. Adds nothing and gives -1 when it cannot be resolved or is over URL_MAX. */
int	url_resolve(struct buf *, const char *base, const char *ref);
int	url_resolve_to(char *out, const char *base, const char *ref);	/* into out[URL_MAX + 1] */
/* "https://host:port" in lower case, default port left out; -1 when it has none. */
int	url_origin(struct buf *, const char *);
/* A key under which two addresses of the same page are the same: no scheme, www., fragment, tracking
 * parameters, default port, index pages, closing slash; parameters sorted; arXiv, DOI, YouTube and
 * OpenReview by their own ids. -1: no URL. Identity hangs on it. */
int	url_canonical(struct buf *, const char *);
#endif

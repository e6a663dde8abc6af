/* Proxies in front of serve that are believed: who the visitor is, when one of them tells. */
#ifndef CORE_PROXY_H
#define CORE_PROXY_H
#include <sys/socket.h>

#define PROXIES_MAX	64
#define PROXY_ADDRESS	46		/* bytes of an address as text, with its NUL */

struct proxies;				/* opaque */

/* Addresses with a space between; NULL or "": none. What is no address is left out. */
struct proxies	*proxies_new(const char *addresses);
void		 proxies_free(struct proxies *);	/* NULL is fine */
int		 proxies_have(const struct proxies *, const struct sockaddr *);
/* The visitor's address: the peer's, unless that is such a proxy. Then the last address in
 * X-Forwarded-For ("name: value\n" lines) that is not; what stands before that, anybody may have
 * written. */
void		 proxies_visitor(const struct proxies *, const char *peer, const char *headers,
		    char visitor[PROXY_ADDRESS]);
#endif

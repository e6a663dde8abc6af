/* Trusted proxies in front of serve, and the visitor's address according to their
 * X-Forwarded-For. */
#ifndef CORE_PROXIES_H
#define CORE_PROXIES_H
#include "ipc/msg.h"

#include <sys/socket.h>

struct proxies;				/* opaque */

/* addresses: separated by spaces; NULL or "": none. Malformed ones are left out. */
struct proxies	*proxies_new(const char *addresses);
void		 proxies_free(struct proxies *);	/* NULL is fine */
int		 proxies_have(const struct proxies *, const struct sockaddr *);
/* The visitor's address: the peer's, unless the peer is a trusted proxy. Then the last address in
 * X-Forwarded-For that is not a trusted proxy's; the visitor may have forged the addresses before
 * it. headers: lines "name: value\n". */
void		 proxies_visitor(const struct proxies *, const char *peer, const char *headers,
		    char visitor[PROXY_ADDRESS]);
#endif

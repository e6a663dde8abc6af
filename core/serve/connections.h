/* HTTP connections to serve, limited in all and for each address. */
#ifndef CORE_CONNECTIONS_H
#define CORE_CONNECTIONS_H
#include <stddef.h>
#include <stdint.h>

struct connections;
struct evhttp_request;
struct serve;

/* Counts each connection that evhttp accepts after the call. At most `total` are served at once,
 * and `each` from one address (of IPv6: one /64) other than a trusted proxy's; others get 503. */
struct connections *connections_new(struct serve *, uint32_t total, uint32_t each);
void		 connections_free(struct connections *);
/* Registers a request. 1: answer it; 0: already answered, over a limit with 503, or malformed
 * (framing.h) with 400. */
int		 connection_begin(struct serve *, struct evhttp_request *);
/* The peer's address; "-": unknown. Borrowed from the connection. */
const char	*connection_peer(struct evhttp_request *);
size_t		 connections_busy(const struct connections *);	/* requests being answered */
#endif

/* Whom the fetch role may talk to, and how much at once: addresses, URLs, limits of a host. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H
#include "buf.h"
#include "msg.h"

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

#define POLICY_HOSTS	10000		/* entries of `hosts:` */
#define POLICY_AT_ONCE	2		/* connections to one host, unless told */
#define POLICY_TOTAL	64		/* connections in all, unless told */

/* Whether an address may be connected to. NULL: yes; else what it is, for people ("a loopback
 * address"). Checked for each connection, on the address really used: a name may lead anywhere. An
 * IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) counts as itself. With private_ok only what
 * is no host's address at all is refused. */
const char	*policy_address(const struct sockaddr *, int private_ok);

/* Whether a URL may be fetched; else -1, and why not is added to err. */
int		 policy_url(const char *url, struct buf *err);

/* The limits of hosts, by name in lower case: the name itself, else the nearest domain above it, else
 * the general ones; a host's at_once 0 and spacing -1 are the general ones too. */
struct limits;
struct limits	*limits_new(const struct fetch_start *, const struct fetch_host *, size_t n);
void		 limits_free(struct limits *);
struct limit {
	uint32_t	 at_once;	/* connections; at least 1 */
	int64_t		 spacing;	/* ms between the beginnings of two requests */
};
struct limit	 limits_find(const struct limits *, const char *host);
#endif

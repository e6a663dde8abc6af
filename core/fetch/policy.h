/* Policy of outbound HTTP: which addresses and URLs are allowed, and the limits of each host. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H
#include "base/buf.h"
#include "ipc/msg.h"

#include <stddef.h>
#include <stdint.h>

struct sockaddr;

#define POLICY_HOSTS	10000		/* entries of `hosts:` */
#define POLICY_AT_ONCE	2		/* connections to one host, by default */
#define POLICY_TOTAL	64		/* connections in all, by default */

/* Whether the policy allows a connection to an address. NULL: yes; else the kind of address, for
 * error messages ("a loopback address"). Checked for each connection, on the address used: a host
 * name may resolve to any address. An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) is
 * judged as IPv4. With private_ok only addresses that no host can have are refused. */
const char	*policy_address(const struct sockaddr *, int private_ok);

/* 0 when the URL may be fetched; else -1, and the reason is added to err. */
int		 policy_url(const char *url, struct buf *err);

/* The limits of hosts, by name in lower case: those of the name itself, else of the nearest parent
 * domain, else the general limits. A host's at_once 0 or spacing -1 stands for the general
 * limit. */
struct limits;
struct limits	*limits_new(const struct fetch_start *, const struct fetch_host *, size_t n);
void		 limits_free(struct limits *);
struct limit {
	uint32_t	 at_once;	/* connections; at least 1 */
	int64_t		 spacing;	/* ms between the beginnings of two requests */
};
struct limit	 limits_find(const struct limits *, const char *host);
#endif

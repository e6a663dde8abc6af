/* Trusted proxies in front of serve, and the visitor's address according to their
 * X-Forwarded-For. */
#include "proxies.h"
#include "base/headers.h"
#include "base/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORWARDED_MAX	64		/* lines of X-Forwarded-For that are read */

struct address { unsigned char bytes[16]; };	/* IPv4 mapped into IPv6 */

struct proxies {
	struct address	 at[PROXIES_MAX];
	size_t		 n;
};

/* Parses an IPv4 or IPv6 address. 0, or -1: malformed. */
static int
address_read(struct address *a, const char *text, size_t len)
{
	char copy[PROXY_ADDRESS];

	if (len == 0 || len >= sizeof(copy))
		return -1;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*a = (struct address){ .bytes = { [10] = 0xff, [11] = 0xff } };
	if (inet_pton(AF_INET, copy, a->bytes + 12) == 1)
		return 0;
	return inet_pton(AF_INET6, copy, a->bytes) == 1 ? 0 : -1;
}

static int
have(const struct proxies *p, const struct address *a)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (memcmp(&p->at[i], a, sizeof(*a)) == 0)
			return 1;
	return 0;
}

struct proxies *
proxies_new(const char *addresses)
{
	struct proxies *p = xcalloc(1, sizeof(*p));
	const char *s = addresses != NULL ? addresses : "";
	size_t len;

	for (; *s != '\0' && p->n < PROXIES_MAX; s += len + (s[len] == ' ')) {
		len = strcspn(s, " ");
		p->n += address_read(&p->at[p->n], s, len) == 0;
	}
	return p;
}

void
proxies_free(struct proxies *p)
{
	free(p);
}

int
proxies_have(const struct proxies *p, const struct sockaddr *sa)
{
	struct address a = { .bytes = { [10] = 0xff, [11] = 0xff } };

	if (sa->sa_family == AF_INET)
		memcpy(a.bytes + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
	else
		return 0;
	return have(p, &a);
}

/* The last element of a list of *len bytes, without blanks, of *size bytes; *len is shortened by
 * the element. */
static const char *
last_of(const char *list, size_t *len, size_t *size)
{
	const char *end = list + *len, *s = end;

	while (s > list && s[-1] != ',')
		s--;
	*len = s > list ? (size_t)(s - list) - 1 : 0;
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*size = (size_t)(end - s);
	return s;
}

/* Reads one line from its end. 1: found the visitor, the first address that is not a trusted
 * proxy's, or a malformed address, after which the rest cannot be trusted. */
static int
go_back(const struct proxies *p, const char *list, size_t len, char visitor[PROXY_ADDRESS])
{
	struct address a;
	const char *s;
	size_t size;

	while (len > 0) {
		s = last_of(list, &len, &size);
		if (address_read(&a, s, size) == -1)
			return 1;
		memcpy(visitor, s, size);
		visitor[size] = '\0';
		if (!have(p, &a))
			return 1;
	}
	return 0;
}

void
proxies_visitor(const struct proxies *p, const char *peer, const char *headers,
    char visitor[PROXY_ADDRESS])
{
	struct address a;
	size_t n = 0, len;

	snprintf(visitor, PROXY_ADDRESS, "%s", peer);
	if (address_read(&a, peer, strlen(peer)) == -1 || !have(p, &a))
		return;
	while (n < FORWARDED_MAX && headers_get(headers, "x-forwarded-for", n, &len) != NULL)
		n++;
	while (n-- > 0) {
		const char *list = headers_get(headers, "x-forwarded-for", n, &len);

		if (go_back(p, list, len, visitor))
			return;
	}
}

/* Policy of outbound HTTP: special-purpose address ranges, URLs, limits of hosts. */
#include "policy.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/url.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* Address ranges of no public host (the IANA special-purpose registries, RFC 6890). inner: offset
 * of an embedded IPv4 address, which is judged instead; 0: none. */
struct range {
	uint8_t		 prefix[16];
	unsigned	 bits, inner;
	int		 never;		/* refused even with `private: yes` */
	const char	*what;
};
static const struct range ranges4[] = {
	{ { 0 }, 8, 0, 1, "no host's address" },
	{ { 10 }, 8, 0, 0, "a private address" },
	{ { 100, 64 }, 10, 0, 0, "a carrier's private address" },
	{ { 127 }, 8, 0, 0, "a loopback address" },
	{ { 169, 254 }, 16, 0, 0, "a link-local address" },
	{ { 172, 16 }, 12, 0, 0, "a private address" },
	{ { 192, 0, 0 }, 24, 0, 0, "a reserved address" },
	{ { 192, 0, 2 }, 24, 0, 0, "an address for documentation" },
	{ { 192, 88, 99 }, 24, 0, 0, "a reserved address" },
	{ { 192, 168 }, 16, 0, 0, "a private address" },
	{ { 198, 18 }, 15, 0, 0, "an address for benchmarks" },
	{ { 198, 51, 100 }, 24, 0, 0, "an address for documentation" },
	{ { 203, 0, 113 }, 24, 0, 0, "an address for documentation" },
	{ { 224 }, 4, 0, 1, "a multicast address" },
	{ { 240 }, 4, 0, 1, "a reserved address" },
};
static const struct range ranges6[] = {
	{ { 0 }, 128, 0, 1, "no host's address" },
	{ { [15] = 1 }, 128, 0, 0, "a loopback address" },
	{ { 0 }, 96, 12, 0, NULL },
	{ { [10] = 0xff, 0xff }, 96, 12, 0, NULL },
	{ { [8] = 0xff, 0xff }, 96, 12, 0, NULL },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12, 0, NULL },
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, 0, 0, "a private address" },
	{ { 0x01 }, 64, 0, 0, "a reserved address" },
	{ { 0x20, 0x01, 0, 0 }, 32, 0, 0, "a tunnel's address" },
	{ { 0x20, 0x01, 0, 2 }, 48, 0, 0, "an address for benchmarks" },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, 0, 0, "an address for documentation" },
	{ { 0x20, 0x02 }, 16, 2, 0, NULL },
	{ { 0x3f, 0xff }, 20, 0, 0, "an address for documentation" },
	{ { 0xfc }, 7, 0, 0, "a private address" },
	{ { 0xfe, 0x80 }, 10, 0, 0, "a link-local address" },
	{ { 0xfe, 0xc0 }, 10, 0, 0, "a private address" },
	{ { 0xff }, 8, 0, 1, "a multicast address" },
};

static int
within(const uint8_t *addr, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(addr, r->prefix, whole) != 0)
		return 0;
	return rest == 0 || ((addr[whole] ^ r->prefix[whole]) >> (8 - rest)) == 0;
}

static const struct range *
range_find(const struct range *r, size_t n, const uint8_t *addr)
{
	for (; n > 0; n--, r++)
		if (within(addr, r))
			return r;
	return NULL;
}

static const struct range *
range4(const uint8_t *addr)
{
	return range_find(ranges4, sizeof(ranges4) / sizeof(ranges4[0]), addr);
}

const char *
policy_address(const struct sockaddr *sa, int private_ok)
{
	const struct range *r;
	const uint8_t *a6;

	if (sa->sa_family == AF_INET) {
		r = range4((const void *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
	} else if (sa->sa_family == AF_INET6) {
		a6 = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
		r = range_find(ranges6, sizeof(ranges6) / sizeof(ranges6[0]), a6);
		if (r != NULL && r->inner > 0)
			r = range4(a6 + r->inner);
	} else {
		return "no internet address";
	}
	if (r == NULL || (private_ok && !r->never))
		return NULL;
	return r->what;
}

int
policy_url(const char *url, struct buf *err)
{
	struct buf shown;
	struct url u;
	int web;

	if (url == NULL || *url == '\0') {
		buf_str(err, "there is no URL to fetch");
		return -1;
	}
	if (strlen(url) > URL_MAX) {
		buf_fmt(err, "the URL is longer than %d bytes", URL_MAX);
		return -1;
	}
	if (url_fetchable(url))
		return 0;
	buf_init(&shown, URL_MAX + 1);
	login_shown(&shown, url);
	web = url_split(&u, url) == -1 ||
	    (u.scheme_len == 4 && strncasecmp(u.scheme, "http", 4) == 0) ||
	    (u.scheme_len == 5 && strncasecmp(u.scheme, "https", 5) == 0);
	if (web)
		buf_fmt(err, "%.200s is no URL that can be fetched", shown.data);
	else
		buf_fmt(err, "%.100s: only http and https can be fetched", shown.data);
	buf_free(&shown);
	return -1;
}

/* ---- Limits ---- */

struct limit_entry {
	char		*host;
	struct limit	 limit;
};
struct limits {
	struct limit		 common;
	size_t			 n;
	struct limit_entry	*v;	/* sorted by host */
};

static int
entry_order(const void *a, const void *b)
{
	const struct limit_entry *x = a, *y = b;

	return strcasecmp(x->host, y->host);
}

static struct limit
limit_of(uint32_t at_once, int64_t spacing)
{
	return (struct limit){ .at_once = at_once > 0 ? at_once : POLICY_AT_ONCE,
		.spacing = spacing > 0 ? spacing : 0 };
}

struct limits *
limits_new(const struct fetch_start *start, const struct fetch_host *hosts, size_t n)
{
	struct limits *l = xcalloc(1, sizeof(*l));
	uint32_t at_once;
	int64_t spacing;

	l->common = limit_of(start->at_once, start->spacing);
	l->v = xcalloc(n, sizeof(*l->v));
	for (; l->n < n; l->n++) {
		at_once = hosts[l->n].at_once > 0 ? hosts[l->n].at_once : l->common.at_once;
		l->v[l->n].host = xstrdup(hosts[l->n].host);
		spacing = hosts[l->n].spacing >= 0 ? hosts[l->n].spacing : l->common.spacing;
		l->v[l->n].limit = limit_of(at_once, spacing);
	}
	qsort(l->v, l->n, sizeof(*l->v), entry_order);
	return l;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].host);
	free(l->v);
	free(l);
}

struct limit
limits_find(const struct limits *l, const char *host)
{
	const struct limit_entry *found;
	struct limit_entry key = { 0 };
	char name[256];
	char *at = name;

	strncpy(name, host, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	while (l->n > 0 && at != NULL) {
		key.host = *at == '.' ? at + 1 : at;
		found = bsearch(&key, l->v, l->n, sizeof(key), entry_order);
		if (found != NULL)
			return found->limit;
		at = strchr(at + 1, '.');
	}
	return l->common;
}

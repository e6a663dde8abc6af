/* Connections to serve: counted in all and for each address, and ended when a visitor dawdles.
 *
 * evhttp takes a connection without asking and says nothing when it closes one. What it does is ask
 * for a bufferevent for each; soon after, that has the socket. A connection is gone when its
 * descriptor is closed or has become another socket, which the inode tells. */
#include "date.h"
#include "log.h"
#include "mem.h"
#include "proxy.h"
#include "serve.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EXTRA		64	/* connections beyond the limit that are told so politely */
#define EXTRA_MS	5000	/* for them to send their request */
#define LOOK_S		2	/* between two looks for dawdlers */

struct connection {
	int		 fd;		/* -1: a free place */
	ino_t		 inode;		/* of the socket */
	unsigned char	 address[16];	/* of IPv6 the first half */
	int64_t		 since;		/* it came, or its last answer was sent, or this began */
	int		 busy;		/* a request is being answered */
	int		 refused;
	int		 proxy;		/* many visitors come by it */
};

struct connections {
	struct connection	*all;
	size_t			 n;		/* places */
	uint32_t		 total, each;
	const struct proxies	*proxies;
	struct bufferevent	*latest;	/* has no place yet */
	struct event		*settle, *look;
};

static void
connection_address(struct connection *c, const struct proxies *proxies)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	memset(c->address, 0, sizeof(c->address));
	if (getpeername(c->fd, (struct sockaddr *)&sa, &len) == -1)
		return;
	c->proxy = proxies_have(proxies, (struct sockaddr *)&sa);
	if (sa.ss_family == AF_INET) {
		memset(c->address + 10, 0xff, 2);
		memcpy(c->address + 12, &((struct sockaddr_in *)&sa)->sin_addr, 4);
	} else if (sa.ss_family == AF_INET6) {
		const struct in6_addr *a = &((struct sockaddr_in6 *)&sa)->sin6_addr;

		memcpy(c->address, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
	}
}

static int
connection_gone(const struct connection *c)
{
	struct stat st;

	return fstat(c->fd, &st) == -1 || !S_ISSOCK(st.st_mode) || st.st_ino != c->inode;
}

/* Frees the places of connections that are gone; a free one, or NULL. */
static struct connection *
sweep(struct connections *cs)
{
	struct connection *c, *place = NULL;

	for (c = cs->all; c < cs->all + cs->n; c++) {
		if (c->fd != -1 && connection_gone(c))
			c->fd = -1;
		if (c->fd == -1 && place == NULL)
			place = c;
	}
	return place;
}

static int
too_many(const struct connections *cs, const struct connection *of)
{
	const struct connection *c;
	uint32_t total = 0, each = 0;

	for (c = cs->all; c < cs->all + cs->n; c++) {
		if (c->fd == -1 || c->refused || c == of)
			continue;
		total++;
		each += memcmp(c->address, of->address, sizeof(c->address)) == 0;
	}
	return total >= cs->total || (!of->proxy && each >= cs->each);
}

/* Without a word to evhttp: it sees the end of the connection next. */
static void
turn_away(int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
	    "Connection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";

	(void)!send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(fd, SHUT_RDWR);
}

/* Gives the newest connection its place. */
static void
settle(struct connections *cs)
{
	struct connection *c;
	struct stat st;
	int fd;

	if (cs->latest == NULL)
		return;
	fd = bufferevent_getfd(cs->latest);
	cs->latest = NULL;
	if (fd == -1 || fstat(fd, &st) == -1)
		return;
	if ((c = sweep(cs)) == NULL) {
		turn_away(fd);
		return;
	}
	*c = (struct connection){ .fd = fd, .inode = st.st_ino, .since = date_ticks() };
	connection_address(c, cs->proxies);
	c->refused = too_many(cs, c);
}

static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle(arg);
}

/* evhttp wants a bufferevent for a connection that it took; it sets the descriptor when we return,
 * and reads from it no sooner than the loop's next turn. */
static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	struct connections *cs = arg;

	settle(cs);
	if ((cs->latest = bufferevent_socket_new(base, -1, 0)) == NULL)
		fatal("no memory for a connection");
	event_active(cs->settle, EV_TIMEOUT, 0);
	return cs->latest;
}

/* How long a visitor may stay as it is, ms. */
static int64_t
patience(const struct connection *c)
{
	if (c->refused)
		return EXTRA_MS;
	return INT64_C(1000) * (c->busy ? SERVE_SEND_TIMEOUT : SERVE_TIMEOUT);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct connections *cs = arg;
	struct connection *c;
	int64_t now = date_ticks();

	(void)fd;
	(void)what;
	sweep(cs);
	for (c = cs->all; c < cs->all + cs->n; c++)
		if (c->fd != -1 && now - c->since > patience(c))
			shutdown(c->fd, SHUT_RDWR);
}

struct connections *
connections_new(struct serve *s, uint32_t total, uint32_t each)
{
	const struct timeval often = { .tv_sec = LOOK_S };
	struct connections *cs = xcalloc(1, sizeof(*cs));
	size_t i;

	cs->total = total;
	cs->each = each;
	cs->proxies = s->proxies;
	cs->n = (size_t)total + EXTRA;
	cs->all = xcalloc(cs->n, sizeof(*cs->all));
	for (i = 0; i < cs->n; i++)
		cs->all[i].fd = -1;
	cs->settle = event_new(s->base, -1, 0, on_settle, cs);
	cs->look = event_new(s->base, -1, EV_PERSIST, on_look, cs);
	if (cs->settle == NULL || cs->look == NULL || event_add(cs->look, &often) == -1)
		fatal("no events for connections");
	evhttp_set_bevcb(s->http, on_connection, cs);
	return cs;
}

void
connections_free(struct connections *cs)
{
	if (cs == NULL)
		return;
	event_free(cs->settle);
	event_free(cs->look);
	free(cs->all);
	free(cs);
}

static struct connection *
connection_of(struct connections *cs, struct evhttp_request *req)
{
	struct evhttp_connection *ec = evhttp_request_get_connection(req);
	int fd = ec != NULL ? bufferevent_getfd(evhttp_connection_get_bufferevent(ec)) : -1;
	struct connection *c;

	for (c = cs->all; fd != -1 && c < cs->all + cs->n; c++)
		if (c->fd == fd)
			return c;
	return NULL;
}

const char *
connection_peer(struct evhttp_request *req)
{
	char *address = NULL;
	uint16_t port;

	evhttp_connection_get_peer(evhttp_request_get_connection(req), &address, &port);
	return address != NULL ? address : "-";
}

static void
on_answered(struct evhttp_request *req, void *arg)
{
	struct serve *s = arg;
	struct connection *c = connection_of(s->connections, req);

	log_debug("%s %s: %d", connection_peer(req), evhttp_request_get_uri(req),
	    evhttp_request_get_response_code(req));
	if (c == NULL)
		return;
	c->busy = 0;
	c->since = date_ticks();
}

int
connection_begin(struct serve *s, struct evhttp_request *req)
{
	struct connection *c = connection_of(s->connections, req);

	if (c != NULL && c->refused) {
		reply_header(req, "Connection", "close");
		reply_error(s, req, 503, "too many connections");
		return 0;
	}
	if (c != NULL) {
		c->busy = 1;
		c->since = date_ticks();
	}
	evhttp_request_set_on_complete_cb(req, on_answered, s);
	return 1;
}

size_t
connections_busy(const struct connections *cs)
{
	size_t n = 0;

	for (const struct connection *c = cs->all; c < cs->all + cs->n; c++)
		n += c->fd != -1 && c->busy && !connection_gone(c);
	return n;
}

/* HTTP connections to serve: limited in all and for each address, and closed when a visitor is too
 * slow.
 *
 * evhttp accepts connections without a callback that could refuse them, and reports no closed ones.
 * But it calls back for a bufferevent for each connection, and sets the bufferevent's socket right
 * after. A connection is closed when its file descriptor is closed or, as the inode shows, belongs
 * to another socket. */
#include "connections.h"
#include "framing.h"
#include "proxies.h"
#include "reply.h"
#include "serve.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/msg.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define EXTRA		64	/* connections beyond the limit that get a 503 for their request */
#define EXTRA_MS	5000	/* to send that request */
#define LOOK_S		2	/* between two checks for slow visitors */
#define INPUT_MAX	(VISIT_BODY_MAX + 2 * SERVE_HEADERS_MAX)	/* bytes read ahead of a request */
#define PARTS		4	/* in which the bytes of one read lie in memory, at most */

struct connection {
	int		 fd;		/* -1: a free place */
	ino_t		 inode;		/* of the socket */
	unsigned char	 address[16];	/* of IPv6 the first 64 bits */
	int64_t		 since;		/* ticks: connected, last answer sent, or request begun */
	int		 busy;		/* a request is being answered */
	int		 refused;
	int		 proxy;		/* a trusted proxy: no limit by address */
	struct connections *all;
	struct bufferevent *bev;	/* evhttp's */
	struct framing	 framing;
	uint64_t	 begun;		/* requests that evhttp called back for */
	int		 ended;		/* turned away */
};

struct connections {
	struct connection	*all;
	size_t			 n;		/* places */
	uint32_t		 total, each;
	const struct proxies	*proxies;
	struct bufferevent	*latest;	/* of the newest connection: has no place yet */
	struct event		*settle, *look;
	int			 wrong;		/* a request on some connection is malformed */
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

/* Frees the places of closed connections. Returns a free place, or NULL. */
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

/* Sends a 503 past evhttp, which sees the end of the connection next. */
static void
turn_away(int fd)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\n"
	    "Connection: close\r\nContent-Length: 0\r\nRetry-After: 5\r\n\r\n";

	(void)!send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(fd, SHUT_RDWR);
}

/* ---- Requests that cannot be told from the next ---- */

/* Sends a 400 past evhttp, which may wait for more of such a request. */
static void
refuse(struct connection *c)
{
	char text[512];
	int n;

	n = snprintf(text, sizeof(text), "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
	    "Cache-Control: no-store\r\nContent-Length: %zu\r\n\r\n%s\n",
	    strlen(c->framing.wrong) + 1, c->framing.wrong);
	(void)!send(c->fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(c->fd, SHUT_RDWR);
	c->ended = 1;
}

/* Refuses malformed requests whose turn has come: those before them are answered, and evhttp does
 * not answer them itself. */
static void
refuse_all(struct connections *cs)
{
	struct connection *c;

	if (!cs->wrong)
		return;
	cs->wrong = 0;
	for (c = cs->all; c < cs->all + cs->n; c++) {
		if (c->fd == -1 || c->framing.wrong == NULL || c->ended || connection_gone(c))
			continue;
		if (!c->busy && c->begun == c->framing.requests &&
		    evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
			refuse(c);
		else
			cs->wrong = 1;
	}
}

/* Bytes came, or evhttp took some: they are read before evhttp reads them. */
static void
on_input(struct evbuffer *in, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *c = arg;
	struct evbuffer_iovec part[PARTS];
	struct evbuffer_ptr at;
	int n, i;

	if (info->n_added == 0 || c->framing.wrong != NULL ||
	    evbuffer_ptr_set(in, &at, evbuffer_get_length(in) - info->n_added,
	    EVBUFFER_PTR_SET) == -1)
		return;
	n = evbuffer_peek(in, (ev_ssize_t)info->n_added, &at, part, PARTS);
	if (n > PARTS)
		fatal("a read of %zu bytes lies in %d parts", info->n_added, n);
	for (i = 0; i < n; i++)
		framing_read(&c->framing, part[i].iov_base, part[i].iov_len);
	if (c->framing.wrong == NULL)
		return;
	c->all->wrong = 1;
	event_active(c->all->settle, EV_TIMEOUT, 0);
}

/* ---- Connections that come ---- */

/* Gives the newest connection its place. */
static void
settle(struct connections *cs)
{
	struct bufferevent *bev = cs->latest;
	struct connection *c;
	struct stat st;
	int fd;

	if (bev == NULL)
		return;
	fd = bufferevent_getfd(bev);
	cs->latest = NULL;
	if (fd == -1 || fstat(fd, &st) == -1)
		return;
	if ((c = sweep(cs)) == NULL) {
		turn_away(fd);
		return;
	}
	*c = (struct connection){ .fd = fd, .inode = st.st_ino, .since = date_ticks(), .all = cs,
		.bev = bev };
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	if (evbuffer_add_cb(bufferevent_get_input(bev), on_input, c) == NULL)
		fatal("no memory for a connection");
	connection_address(c, cs->proxies);
	c->refused = too_many(cs, c);
}

static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	settle(arg);
	refuse_all(arg);
}

/* evhttp's callback for the bufferevent of a new connection. evhttp sets the file descriptor when
 * the callback has returned, and reads from it in the loop's next turn at the earliest. */
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

/* How long a connection may stay in its present state, ms. */
static int64_t
patience(const struct connection *c)
{
	if (c->refused)
		return EXTRA_MS;
	return INT64_C(1000) * (c->busy ? SERVE_SEND_TIMEOUT : SERVE_TIMEOUT);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct connections *cs = arg;
	struct connection *c;
	int64_t now = date_ticks();

	(void)fd;
	(void)what;
	sweep(cs);
	refuse_all(cs);
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
	cs->look = event_new(s->base, -1, EV_PERSIST, on_sweep, cs);
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
	if (c->framing.wrong != NULL)
		event_active(c->all->settle, EV_TIMEOUT, 0);
}

int
connection_begin(struct serve *s, struct evhttp_request *req)
{
	struct connection *c = connection_of(s->connections, req);
	const char *wrong;

	if (c == NULL || c->refused) {
		reply_header(req, "Connection", "close");
		reply_error(s, req, 503, "too many connections");
		return 0;
	}
	c->busy = 1;
	c->since = date_ticks();
	evhttp_request_set_on_complete_cb(req, on_answered, s);
	if (c->begun++ < c->framing.requests)
		return 1;
	/* evhttp saw an end of this request that framing did not see. */
	wrong = c->framing.wrong != NULL ? c->framing.wrong : "where the request ends, is not clear";
	reply_header(req, "Connection", "close");
	reply_error(s, req, 400, "%s", wrong);
	return 0;
}

size_t
connections_busy(const struct connections *cs)
{
	size_t n = 0;

	for (const struct connection *c = cs->all; c < cs->all + cs->n; c++)
		n += c->fd != -1 && c->busy && !connection_gone(c);
	return n;
}

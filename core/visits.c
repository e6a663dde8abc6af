/* Connections to serve: counted in all and for each address, and ended when a visitor dawdles.
 *
 * evhttp takes a connection without asking and says nothing when it closes one. What it does is ask
 * for a bufferevent for each; soon after, that has the socket. A connection is gone when its
 * descriptor is closed or has become another socket, which the inode tells. */
#include "date.h"
#include "log.h"
#include "mem.h"
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

struct visit {
	int		 fd;		/* -1: a free place */
	ino_t		 inode;		/* of the socket */
	unsigned char	 address[16];	/* of IPv6 the first half */
	int64_t		 since;		/* it came, or its last answer was sent, or this began */
	int		 busy;		/* a request is being answered */
	int		 refused;
};

struct visits {
	struct visit		*v;
	size_t			 n;		/* places */
	uint32_t		 total, each;
	struct bufferevent	*latest;	/* has no place yet */
	struct event		*settle, *look;
};

static void
visit_address(struct visit *v)
{
	struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(sa);

	memset(v->address, 0, sizeof(v->address));
	if (getpeername(v->fd, (struct sockaddr *)&sa, &len) == -1)
		return;
	if (sa.ss_family == AF_INET) {
		memset(v->address + 10, 0xff, 2);
		memcpy(v->address + 12, &((struct sockaddr_in *)&sa)->sin_addr, 4);
	} else if (sa.ss_family == AF_INET6) {
		const struct in6_addr *a = &((struct sockaddr_in6 *)&sa)->sin6_addr;

		memcpy(v->address, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
	}
}

static int
visit_gone(const struct visit *v)
{
	struct stat st;

	return fstat(v->fd, &st) == -1 || !S_ISSOCK(st.st_mode) || st.st_ino != v->inode;
}

/* Frees the places of connections that are gone; a free one, or NULL. */
static struct visit *
sweep(struct visits *vs)
{
	struct visit *v, *place = NULL;

	for (v = vs->v; v < vs->v + vs->n; v++) {
		if (v->fd != -1 && visit_gone(v))
			v->fd = -1;
		if (v->fd == -1 && place == NULL)
			place = v;
	}
	return place;
}

static int
too_many(const struct visits *vs, const struct visit *of)
{
	const struct visit *v;
	uint32_t total = 0, each = 0;

	for (v = vs->v; v < vs->v + vs->n; v++) {
		if (v->fd == -1 || v->refused || v == of)
			continue;
		total++;
		each += memcmp(v->address, of->address, sizeof(v->address)) == 0;
	}
	return total >= vs->total || each >= vs->each;
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
settle(struct visits *vs)
{
	struct visit *v;
	struct stat st;
	int fd;

	if (vs->latest == NULL)
		return;
	fd = bufferevent_getfd(vs->latest);
	vs->latest = NULL;
	if (fd == -1 || fstat(fd, &st) == -1)
		return;
	if ((v = sweep(vs)) == NULL) {
		turn_away(fd);
		return;
	}
	*v = (struct visit){ .fd = fd, .inode = st.st_ino, .since = date_ticks() };
	visit_address(v);
	v->refused = too_many(vs, v);
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
	struct visits *vs = arg;

	settle(vs);
	if ((vs->latest = bufferevent_socket_new(base, -1, 0)) == NULL)
		fatal("no memory for a connection");
	event_active(vs->settle, EV_TIMEOUT, 0);
	return vs->latest;
}

/* How long a visitor may stay as it is, ms. */
static int64_t
patience(const struct visit *v)
{
	if (v->refused)
		return EXTRA_MS;
	return INT64_C(1000) * (v->busy ? SERVE_SEND_TIMEOUT : SERVE_TIMEOUT);
}

static void
on_look(evutil_socket_t fd, short what, void *arg)
{
	struct visits *vs = arg;
	struct visit *v;
	int64_t now = date_ticks();

	(void)fd;
	(void)what;
	sweep(vs);
	for (v = vs->v; v < vs->v + vs->n; v++)
		if (v->fd != -1 && now - v->since > patience(v))
			shutdown(v->fd, SHUT_RDWR);
}

struct visits *
visits_new(struct serve *s, uint32_t total, uint32_t each)
{
	const struct timeval often = { .tv_sec = LOOK_S };
	struct visits *vs = xcalloc(1, sizeof(*vs));
	size_t i;

	vs->total = total;
	vs->each = each;
	vs->n = (size_t)total + EXTRA;
	vs->v = xcalloc(vs->n, sizeof(*vs->v));
	for (i = 0; i < vs->n; i++)
		vs->v[i].fd = -1;
	vs->settle = event_new(s->base, -1, 0, on_settle, vs);
	vs->look = event_new(s->base, -1, EV_PERSIST, on_look, vs);
	if (vs->settle == NULL || vs->look == NULL || event_add(vs->look, &often) == -1)
		fatal("no events for connections");
	evhttp_set_bevcb(s->http, on_connection, vs);
	return vs;
}

void
visits_free(struct visits *vs)
{
	if (vs == NULL)
		return;
	event_free(vs->settle);
	event_free(vs->look);
	free(vs->v);
	free(vs);
}

static struct visit *
visit_of(struct visits *vs, struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	int fd = c != NULL ? bufferevent_getfd(evhttp_connection_get_bufferevent(c)) : -1;
	struct visit *v;

	for (v = vs->v; fd != -1 && v < vs->v + vs->n; v++)
		if (v->fd == fd)
			return v;
	return NULL;
}

static const char *
peer_of(struct evhttp_request *req)
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
	struct visit *v = visit_of(s->visits, req);

	log_debug("%s %s %s: %d", peer_of(req),
	    is_head(req) ? "HEAD" : "GET", evhttp_request_get_uri(req),
	    evhttp_request_get_response_code(req));
	if (v == NULL)
		return;
	v->busy = 0;
	v->since = date_ticks();
}

int
visit_begin(struct serve *s, struct evhttp_request *req)
{
	struct visit *v = visit_of(s->visits, req);

	if (v != NULL && v->refused) {
		reply_header(req, "Connection", "close");
		reply_header(req, "Retry-After", "5");
		reply_error(s, req, 503, "too many connections");
		return 0;
	}
	if (v != NULL) {
		v->busy = 1;
		v->since = date_ticks();
	}
	evhttp_request_set_on_complete_cb(req, on_answered, s);
	return 1;
}

size_t
visits_busy(const struct visits *vs)
{
	size_t n = 0;

	for (const struct visit *v = vs->v; v < vs->v + vs->n; v++)
		n += v->fd != -1 && v->busy && !visit_gone(v);
	return n;
}

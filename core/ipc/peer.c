/* A channel on the event loop. */
#include "peer.h"
#include "msg.h"
#include "base/log.h"
#include "base/mem.h"

#include <event2/event.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TURN_MAX	64		/* frames handled before other events get their turn */

struct peer {
	struct chan	*chan;
	struct event	*in, *out;
	peer_cb		*cb;
	void		*arg;
	int		 busy;		/* the callback is running */
	int		 freed;		/* the callback called peer_free() */
	int		 gone;
};

static void
destroy(struct peer *p)
{
	event_free(p->in);
	event_free(p->out);
	(void)chan_flush(p->chan);
	chan_free(p->chan);
	free(p);
}

static void
call(struct peer *p, struct frame *f, int bad)
{
	p->busy++;
	p->cb(p, f, bad, p->arg);
	p->busy--;
}

/* Calls back for the last time, with frame NULL. */
static void
end(struct peer *p, int bad)
{
	if (p->gone)
		return;
	p->gone = 1;
	event_del(p->in);
	event_del(p->out);
	call(p, NULL, bad);
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;

	(void)fd;
	(void)what;
	switch (chan_flush(p->chan)) {
	case 0:
		event_add(p->out, NULL);
		break;
	case -1:		/* reported by the reading side, after the frames it still has */
		shutdown(chan_fd(p->chan), SHUT_RDWR);
		break;
	}
}

/* Handles up to TURN_MAX frames. 1: there may be more, 0: none left, or the peer is gone. */
static int
turn(struct peer *p)
{
	struct frame f;
	int rc = 0;

	for (int i = 0; i < TURN_MAX; i++) {
		if (p->freed || p->gone || (rc = chan_next(p->chan, &f)) == 0)
			return 0;
		if (rc == -1) {
			end(p, 1);
			return 0;
		}
		call(p, &f, 0);
	}
	return 1;
}

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct peer *p = arg;
	int rc = what & EV_READ ? chan_fill(p->chan) : 1;

	(void)fd;
	p->busy++;
	if (turn(p))
		event_active(p->in, EV_TIMEOUT, 0);
	else if (rc == -1 && !p->freed)
		end(p, chan_error(p->chan) != NULL);
	p->busy--;
	if (p->freed)
		destroy(p);
}

struct peer *
peer_new(struct event_base *base, int fd, peer_cb *cb, void *arg)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	p->chan = chan_new(fd);
	p->cb = cb;
	p->arg = arg;
	p->in = event_new(base, fd, EV_READ | EV_PERSIST, on_read, p);
	p->out = event_new(base, fd, EV_WRITE, on_write, p);
	if (p->in == NULL || p->out == NULL || event_add(p->in, NULL) == -1)
		fatal("no event for a channel");
	return p;
}

const char *
peer_error(const struct peer *p)
{
	const char *error = chan_error(p->chan);

	return error != NULL ? error : "malformed";
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	event_del(p->in);
	event_del(p->out);
	if (p->busy)
		p->freed = 1;
	else
		destroy(p);
}

int
peer_queue(struct peer *p, uint16_t type, uint32_t id, const struct buf *b, int fd0, int fd1)
{
	if (p->gone)
		return -1;
	if (b != NULL && b->over) {
		log_warn("a %s is over its maximum", msg_name(type));
		return -1;
	}
	return chan_put(p->chan, type, id, b != NULL ? b->data : NULL, b != NULL ? b->len : 0, fd0,
	    fd1);
}

void
peer_write(struct peer *p)
{
	if (!p->gone)
		event_active(p->out, EV_WRITE, 0);
}

int
peer_send(struct peer *p, uint16_t type, uint32_t id, const struct buf *b, int fd0, int fd1)
{
	if (peer_queue(p, type, id, b, fd0, fd1) == -1)
		return -1;
	peer_write(p);
	return 0;
}

size_t
peer_queued(const struct peer *p)
{
	return chan_queued(p->chan);
}

void
peer_flush(struct peer *p)
{
	struct pollfd pfd = { .fd = chan_fd(p->chan), .events = POLLOUT };

	while (chan_flush(p->chan) == 0)
		if (poll(&pfd, 1, 1000) <= 0)
			break;
}

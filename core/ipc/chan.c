/* Frames over a socketpair, with file descriptors; blocks if the socket does. */
#include "chan.h"
#include "msg.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_MAX	65536		/* bytes of one recvmsg */
#define HELD_MAX	64		/* received file descriptors of frames not read yet */
#define QUEUE_FDS	4096		/* file descriptors waiting to be written */
#define GATHER_MAX	32		/* frames of one sendmsg */
#define IN_MAX		(16u << 20)	/* bytes read and not yet handed out */
#define CROWDED_MS	2		/* until the receivers of other descriptors may have them */
#define CRUMBS_MAX	64		/* reads of one frame, and one more... */
#define CRUMB		1024		/* ...for so many bytes of it */

struct head {
	uint32_t	 len;
	uint16_t	 type, nfds;
	uint32_t	 id;
};

/* A queued frame. */
struct out {
	struct out	*next;
	size_t		 len, done;
	int		 fd[CHAN_FDS];
	unsigned	 nfds;
	char		 data[];
};

struct chan {
	int		 fd;
	struct out	*first, **last;
	size_t		 queued;
	unsigned	 nfds;		/* file descriptors that are queued */
	int		 crowded;	/* the kernel took no more of them a moment ago */
	struct buf	 in;
	size_t		 taken;		/* bytes of `in` that chan_next() has handed out */
	int		 held[HELD_MAX];
	unsigned	 nheld;
	size_t		 reads;		/* since the last whole frame */
	int		 given[CHAN_FDS];	/* of the last frame; -1: none, or taken */
	const char	*error;		/* why what was read is malformed; NULL: it is not */
};

struct chan *
chan_new(int fd)
{
	struct chan *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	for (int i = 0; i < CHAN_FDS; i++)
		c->given[i] = -1;
	c->last = &c->first;
	buf_init(&c->in, IN_MAX);
	return c;
}

static void
out_free(struct out *o)
{
	for (unsigned i = 0; i < o->nfds; i++)
		close(o->fd[i]);
	free(o);
}

/* Closes those file descriptors of the last frame that its reader did not take. */
static void
frame_done(struct chan *c)
{
	for (int i = 0; i < CHAN_FDS; i++) {
		if (c->given[i] != -1)
			close(c->given[i]);
		c->given[i] = -1;
	}
}

void
chan_free(struct chan *c)
{
	struct out *o;

	if (c == NULL)
		return;
	frame_done(c);
	while ((o = c->first) != NULL) {
		c->first = o->next;
		out_free(o);
	}
	while (c->nheld > 0)
		close(c->held[--c->nheld]);
	buf_free(&c->in);
	close(c->fd);
	free(c);
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

const char *
chan_error(const struct chan *c)
{
	return c->error;
}

size_t
chan_queued(const struct chan *c)
{
	return c->queued;
}

int
chan_put(struct chan *c, uint16_t type, uint32_t id, const void *data, size_t len, int fd0, int fd1)
{
	const int fds[CHAN_FDS] = { fd0, fd1 };
	struct head head = { .len = (uint32_t)len, .type = type, .id = id };
	struct out *o;

	if (len > msg_limit(type) || c->queued + len > CHAN_QUEUE || c->nfds > QUEUE_FDS) {
		log_warn("a %s of %zu bytes cannot be sent: %s", msg_name(type), len,
		    len > msg_limit(type) ? "over its maximum" : "the other side does not read");
		return -1;
	}
	o = xcalloc(1, sizeof(*o) + sizeof(head) + len);
	for (int i = 0; i < CHAN_FDS; i++) {
		if (fds[i] == -1)
			continue;
		o->fd[o->nfds] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (o->fd[o->nfds] == -1) {
			log_warn("a descriptor for %s: %s", msg_name(type), strerror(errno));
			out_free(o);
			return -1;
		}
		o->nfds++;
	}
	head.nfds = (uint16_t)o->nfds;
	c->nfds += o->nfds;
	o->len = sizeof(head) + len;
	memcpy(o->data, &head, sizeof(head));
	if (len > 0)
		memcpy(o->data + sizeof(head), data, len);
	*c->last = o;
	c->last = &o->next;
	c->queued += o->len;
	return 0;
}

/* Collects frames for one sendmsg. File descriptors are sent with its first byte, so only the first
 * frame may have any. */
static size_t
out_gather(const struct chan *c, struct iovec iov[GATHER_MAX])
{
	struct out *o;
	size_t n = 0;

	for (o = c->first; o != NULL && n < GATHER_MAX && (n == 0 || o->nfds == 0); o = o->next)
		iov[n++] = (struct iovec){ o->data + o->done, o->len - o->done };
	return n;
}

static ssize_t
out_send(struct chan *c)
{
	union {
		struct cmsghdr	 head;
		char		 space[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
	} control = { 0 };
	const struct out *o = c->first;
	struct iovec iov[GATHER_MAX];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = out_gather(c, iov) };
	struct cmsghdr *cm;

	if (o->nfds > 0 && o->done == 0) {
		m.msg_control = control.space;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * o->nfds);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * o->nfds);
		memcpy(CMSG_DATA(cm), o->fd, sizeof(int) * o->nfds);
	}
	return sendmsg(c->fd, &m, MSG_NOSIGNAL);
}

/* Removes n sent bytes from the queue. */
static void
out_sent(struct chan *c, size_t n)
{
	struct out *o;

	c->queued -= n;
	while ((o = c->first) != NULL && n >= o->len - o->done) {
		n -= o->len - o->done;
		c->first = o->next;
		c->nfds -= o->nfds;
		out_free(o);
	}
	if (o != NULL)
		o->done += n;
	else
		c->last = &c->first;
}

int
chan_flush(struct chan *c)
{
	ssize_t n;

	while (c->first != NULL) {
		n = out_send(c);
		if (n == -1 && errno == EINTR)
			continue;
		/* ETOOMANYREFS: as many descriptors of this user as this process may have open are sent and not
		 * yet received, by whomever. */
		c->crowded = n == -1 && errno == ETOOMANYREFS;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || c->crowded ? 0 : -1;
		out_sent(c, (size_t)n);
	}
	return 1;
}

/* Holds the file descriptors that a recvmsg received. -1: more than HELD_MAX, or truncated. */
static int
hold(struct chan *c, struct msghdr *m)
{
	struct cmsghdr *cm;
	int rc = m->msg_flags & MSG_CTRUNC ? -1 : 0, fd;
	size_t n;

	for (cm = CMSG_FIRSTHDR(m); cm != NULL; cm = CMSG_NXTHDR(m, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
			if (c->nheld < HELD_MAX)
				c->held[c->nheld++] = fd;
			else {
				close(fd);
				rc = -1;
			}
		}
	}
	return rc;
}

/* Moves the unread bytes to the front once the read ones are many, or all. */
static void
compact(struct chan *c)
{
	if (c->taken == 0 || (c->taken < c->in.len && c->taken < READ_MAX))
		return;
	memmove(c->in.data, c->in.data + c->taken, c->in.len - c->taken);
	c->in.len -= c->taken;
	c->taken = 0;
}

int
chan_fill(struct chan *c)
{
	union {
		struct cmsghdr	 head;
		char		 space[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
	} control;
	struct iovec iov = { .iov_len = READ_MAX };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	ssize_t n;

	frame_done(c);
	compact(c);
	iov.iov_base = buf_room(&c->in, READ_MAX);
	if (iov.iov_base == NULL)
		return -1;
	do
		n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	if (hold(c, &m) == -1) {
		c->error = "too many descriptors";
		return -1;
	}
	if (n == 0)
		return -1;
	c->in.len += (size_t)n;
	c->reads++;
	return 1;
}

/* Why no frame begins so; NULL: one may. */
static const char *
head_error(const struct head *h)
{
	return !msg_valid(h->type) ? "an unknown type" :
	    h->len > msg_limit(h->type) ? "over its maximum" :
	    h->nfds > CHAN_FDS ? "too many descriptors" : NULL;
}

/* A frame that is not there yet: 0, or -1 when it comes in too many pieces. */
static int
wait_for(struct chan *c, size_t bytes)
{
	if (c->reads <= CRUMBS_MAX + bytes / CRUMB)
		return 0;
	c->error = "too many pieces";
	return -1;
}

int
chan_next(struct chan *c, struct frame *f)
{
	struct head head;
	size_t have = c->in.len - c->taken;

	frame_done(c);
	if (have < sizeof(head))
		return wait_for(c, 0);
	memcpy(&head, c->in.data + c->taken, sizeof(head));
	if ((c->error = head_error(&head)) != NULL)
		return -1;
	if (have < sizeof(head) + head.len)
		return wait_for(c, head.len);
	if (head.nfds > c->nheld) {
		c->error = "descriptors that did not come";
		return -1;
	}
	c->reads = 0;
	*f = (struct frame){ .type = head.type, .id = head.id, .len = head.len,
		.data = c->in.data + c->taken + sizeof(head), .fd = c->given };
	for (unsigned i = 0; i < CHAN_FDS; i++)
		c->given[i] = i < head.nfds ? c->held[i] : -1;
	c->nheld -= head.nfds;
	memmove(c->held, c->held + head.nfds, c->nheld * sizeof(int));
	c->taken += sizeof(head) + head.len;
	return 1;
}

/* Waits until the socket is ready. 1, 0 when the time is up, -1. */
static int
ready(const struct chan *c, short events, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n == -1 && errno == EINTR);
	return n;
}

int
chan_send(struct chan *c, uint16_t type, uint32_t id, const struct buf *b, int fd0, int fd1)
{
	int rc;

	if (b != NULL && b->over) {
		log_warn("a %s is over its maximum", msg_name(type));
		return -1;
	}
	if (chan_put(c, type, id, b != NULL ? b->data : NULL, b != NULL ? b->len : 0, fd0, fd1))
		return -1;
	while ((rc = chan_flush(c)) == 0)
		if (c->crowded)
			(void)poll(NULL, 0, CROWDED_MS);
		else if (ready(c, POLLOUT, -1) == -1)
			return -1;
	return rc == 1 ? 0 : -1;
}

int
chan_recv(struct chan *c, struct frame *f, int timeout_ms)
{
	int64_t until = date_ticks() + timeout_ms, left;
	int rc;

	while ((rc = chan_next(c, f)) == 0) {
		left = until - date_ticks();
		rc = ready(c, POLLIN, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);
		if (rc <= 0)
			return rc;
		if (chan_fill(c) == -1)
			return -1;
	}
	return rc;
}

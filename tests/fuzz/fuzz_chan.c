/* What a hostile peer writes into its channel, the first byte saying how many descriptors go with
 * it: each frame is bounded and comes again the same, each payload reads as whatever it may be,
 * and no descriptor stays open. */
#include "base/buf.h"
#include "catalog/descriptor.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/msg.h"
#include "ipc/wire.h"
#include "record/result.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BYTES_MAX	65536		/* of one input: the socket holds them all */
#define SENT_FDS	3		/* one more than a frame may have */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What payloads are made of; every payload is read as each of them. */
static const struct wire_field *const tables[] = {
	mark, fetch_start, fetch_host, fetch_job, fetch_done, store_source, store_route, store_sink,
	commit, committed, pull, work, judged, ack, settled, counts, route_count, w_start,
	parse_job, parse_done, batch_job, batch_done, serve_start, result_verdict, result_item,
};

static void
need(int holds)
{
	if (!holds)
		abort();
}

static int
lowest(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void
payload(const struct frame *f)
{
	union {
		char		 room[1024];	/* for the largest struct of the tables */
		max_align_t	 aligned;
	} u;
	struct wire w;
	struct buf b;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		wire_init(&w, f->data, f->len);
		wire_get(&w, tables[i], u.room);
		if (wire_end(&w) == -1)
			continue;
		buf_init(&b, 2 * f->len + sizeof(u));
		wire_put(&b, tables[i], u.room);
		need(b.len == f->len && memcmp(b.data, f->data, b.len) == 0);
		buf_free(&b);
	}
}

/* What came goes through a second channel and is still the same. */
static void
again(const struct frame *f)
{
	int pair[2];
	struct chan *from, *to;
	struct frame g;

	need(f->len <= msg_limit(f->type) && msg_valid(f->type));
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	from = chan_new(pair[0]);
	to = chan_new(pair[1]);
	need(chan_put(from, f->type, f->id, f->data, f->len, f->fd[0], f->fd[1]) == 0);
	need(chan_flush(from) == 1);
	while (chan_next(to, &g) == 0)
		need(chan_fill(to) == 1);
	need(g.type == f->type && g.id == f->id && g.len == f->len);
	need(f->len == 0 || memcmp(g.data, f->data, f->len) == 0);
	need((g.fd[0] == -1) == (f->fd[0] == -1 && f->fd[1] == -1));
	chan_free(from);
	chan_free(to);
}

static void
post(int fd, const uint8_t *data, size_t size, unsigned nfds)
{
	union {
		struct cmsghdr	 head;
		char		 space[CMSG_SPACE(sizeof(int) * SENT_FDS)];
	} control = { 0 };
	const int fds[SENT_FDS] = { STDERR_FILENO, STDERR_FILENO, STDERR_FILENO };
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (nfds > 0) {
		m.msg_control = control.space;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
	}
	need(sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)size);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int pair[2], before = lowest(), rc;
	struct frame f;
	struct chan *c;

	if (size < 2 || size > BYTES_MAX)
		return 0;
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	post(pair[0], data + 1, size - 1, data[0] % (SENT_FDS + 1));
	c = chan_new(pair[1]);
	do {
		while ((rc = chan_next(c, &f)) == 1) {
			payload(&f);
			again(&f);
		}
	} while (rc == 0 && chan_fill(c) == 1);
	chan_free(c);
	need(lowest() == before);
	return 0;
}

/* Frames over a SOCK_STREAM socketpair: {u32 length, u16 type, u16 nfds, u32 id}, then `length` bytes
 * of payload; up to CHAN_FDS descriptors travel with a frame. Knows no event loop; peer.h does. */
#ifndef CORE_CHAN_H
#define CORE_CHAN_H
#include "buf.h"

#include <stddef.h>
#include <stdint.h>

#define CHAN_FDS	2		/* descriptors with one frame */
#define CHAN_QUEUE	(16u << 20)	/* bytes waiting to be written, at most */

struct chan;				/* opaque */

/* A frame that came. data is borrowed until the next chan_next(), and is no string. Descriptors not
 * taken (set to -1 by the reader) are closed by the next chan_next(). */
struct frame {
	uint16_t	 type;		/* enum msg_type */
	uint32_t	 id;		/* of the job it belongs to; a reply repeats it */
	const char	*data;
	size_t		 len;
	int		*fd;		/* CHAN_FDS of them, the channel's; -1: none */
};

struct chan	*chan_new(int fd);	/* takes fd; sets neither O_NONBLOCK nor FD_CLOEXEC */
void		 chan_free(struct chan *);	/* closes; NULL is fine */
int		 chan_fd(const struct chan *);
size_t		 chan_queued(const struct chan *);

/* Queues a frame. The descriptors are dup()ed for the queue unless -1: the caller's stay his.
 * -1: the payload is over the type's maximum or the queue is full (a log line says so). */
int	chan_put(struct chan *, uint16_t type, uint32_t id, const void *data, size_t len, int fd0,
	    int fd1);
/* Writes what is queued. 1: all of it, 0: would block, -1: the peer is gone. */
int	chan_flush(struct chan *);
/* Reads what is there. 1: something came, 0: would block, -1: end or error. */
int	chan_fill(struct chan *);
/* The next whole frame. 1: one, 0: none yet, -1: garbage (unknown type, over its maximum). */
int	chan_next(struct chan *, struct frame *);

/* Blocking, for a process without a loop. send: 0 or -1. recv: 1, or -1; waits timeout_ms (-1: ever)
 * for the whole frame and gives 0 when the time is up. */
int	chan_send(struct chan *, uint16_t type, uint32_t id, const struct buf *, int fd0, int fd1);
int	chan_recv(struct chan *, struct frame *, int timeout_ms);
#endif

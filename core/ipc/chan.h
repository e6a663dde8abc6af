/* Frames over a SOCK_STREAM socketpair: {u32 length, u16 type, u16 nfds, u32 id}, then `length`
 * bytes of payload; a frame carries up to CHAN_FDS file descriptors. For an event loop: peer.h. */
#ifndef CORE_CHAN_H
#define CORE_CHAN_H
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define CHAN_FDS	2		/* file descriptors with one frame */
#define CHAN_QUEUE	(16u << 20)	/* bytes waiting to be written, at most */

struct chan;				/* opaque */

/* A received frame. data is borrowed until the next chan_next(), and is no string. A reader takes a
 * file descriptor by setting its fd[] to -1; the next chan_next() closes the others. */
struct frame {
	uint16_t	 type;		/* enum msg_type */
	uint32_t	 id;		/* of the job; a reply repeats it */
	const char	*data;
	size_t		 len;
	int		*fd;		/* CHAN_FDS file descriptors, the channel's; -1: none */
};

struct chan	*chan_new(int fd);	/* takes fd; sets neither O_NONBLOCK nor FD_CLOEXEC */
void		 chan_free(struct chan *);	/* closes; NULL is fine */
int		 chan_fd(const struct chan *);
size_t		 chan_queued(const struct chan *);
/* Why chan_fill(), chan_next() or chan_recv() returned -1 for a malformed frame, for people; NULL: it
 * was the end, or an error of the socket. */
const char	*chan_error(const struct chan *);

/* Queues a frame with duplicates of the file descriptors (-1: none); the caller keeps his own.
 * -1: the payload is over the type's maximum or the queue is full (logged). */
int	chan_put(struct chan *, uint16_t type, uint32_t id, const void *data, size_t len, int fd0,
	    int fd1);
/* Writes the queue. 1: all was written, 0: would block, -1: the other side has closed. */
int	chan_flush(struct chan *);
/* Reads once. 1: data was read, 0: would block, -1: end or error. */
int	chan_fill(struct chan *);
/* The next whole frame. 1: one, 0: none yet, -1: malformed: chan_error(). */
int	chan_next(struct chan *, struct frame *);

/* Blocking, for a process without an event loop. send: 0 or -1. recv: 1, or -1; waits at most
 * timeout_ms (-1: no limit) for the whole frame, then returns 0. */
int	chan_send(struct chan *, uint16_t type, uint32_t id, const struct buf *, int fd0, int fd1);
int	chan_recv(struct chan *, struct frame *, int timeout_ms);
#endif

/* A channel on the event loop: calls back with each frame, and once when the other side closed. */
#ifndef CORE_PEER_H
#define CORE_PEER_H
#include "chan.h"

struct event_base;
struct peer;				/* opaque */

/* frame NULL: the other side closed, or sent a malformed frame (bad != 0). That is the last call;
 * the callback may free the peer. */
typedef void	peer_cb(struct peer *, struct frame *, int bad, void *arg);

/* In a callback with bad != 0: what is wrong with the frame, for people. */
const char	*peer_error(const struct peer *);

struct peer	*peer_new(struct event_base *, int fd, peer_cb *, void *arg);	/* takes fd */
void		 peer_free(struct peer *);	/* also from within its callback; NULL is fine */
/* Queues a frame; all queued frames are written together, after the current events of the loop.
 * 0, or -1: over a maximum, or the other side has closed. */
int		 peer_send(struct peer *, uint16_t type, uint32_t id, const struct buf *, int fd0,
		    int fd1);
/* The same in two steps: queued frames wait for peer_write() or the next peer_send(). */
int		 peer_queue(struct peer *, uint16_t type, uint32_t id, const struct buf *, int fd0,
		    int fd1);
void		 peer_write(struct peer *);
size_t		 peer_queued(const struct peer *);
void		 peer_flush(struct peer *);	/* blocking, before an exit */
#endif

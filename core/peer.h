/* A channel on the event loop: calls back with each frame, and once when the other side is gone. */
#ifndef CORE_PEER_H
#define CORE_PEER_H
#include "chan.h"

struct event_base;
struct peer;				/* opaque */

/* frame NULL: the other side closed, or sent garbage (bad != 0): the callback frees the peer or
 * leaves it; nothing more comes. */
typedef void	peer_cb(struct peer *, struct frame *, int bad, void *arg);

struct peer	*peer_new(struct event_base *, int fd, peer_cb *, void *arg);	/* takes fd */
void		 peer_free(struct peer *);	/* also from within its callback; NULL is fine */
/* Queues; all that is queued is written together, once the loop has done what it is at. 0, or -1: over
 * a maximum, or the other side is gone. */
int		 peer_send(struct peer *, uint16_t type, uint32_t id, const struct buf *, int fd0,
		    int fd1);
/* The same in two steps: what is queued waits for peer_write(), or for the next peer_send(). */
int		 peer_queue(struct peer *, uint16_t type, uint32_t id, const struct buf *, int fd0,
		    int fd1);
void		 peer_write(struct peer *);
size_t		 peer_queued(const struct peer *);
void		 peer_flush(struct peer *);	/* blocking, before an exit */
#endif

/* A worker that lives for one question or a few of the same kind: what a plugin is, whether it takes
 * its options. On an event loop, so that a plugin that hangs holds nobody up. */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H
#include "chan.h"
#include "msg.h"

#include <stdint.h>

#define PROBE_MS	5000		/* for a worker to answer */
#define PROBE_LINES	20		/* that it may write to the log */

struct event_base;
struct probe;				/* opaque */

struct probe_ask {
	enum w_mode	 mode;		/* W_DESCRIBE, W_CHECK */
	const char	*copy;		/* of the plugin: what is loaded */
	uint32_t	 grants;	/* enum cr_wants */
	uint16_t	 answer;	/* the type of frame that it answers with */
	const char	*late;		/* said when there is no answer in time */
	/* After each answer: 1: another is waited for, and its time begins; 0: it was the last, the
	 * callback follows. NULL: there is one. */
	int		(*more)(struct frame *, void *arg);
};
/* The answer, borrowed; or NULL and why there is none, for people. Nothing more comes: the probe is
 * gone. */
typedef void	probe_cb(struct frame *, const char *why, void *arg);

/* NULL: no worker can be started; the callback does not come. */
struct probe	*probe_start(struct event_base *, const struct probe_ask *, probe_cb *, void *arg);
int		 probe_send(struct probe *, uint16_t type, uint32_t id, const struct buf *);	/* -1 */
void		 probe_stop(struct probe *);	/* kills it; no callback. NULL is fine */
#endif

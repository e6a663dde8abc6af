/* A worker that lives for one question: what a plugin is, or whether its options are good. On an
 * event loop, so that a plugin that hangs holds nobody up. */
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
	uint16_t	 answer;	/* the type of frame that ends it */
	uint16_t	 question;	/* the type of frame that follows the start; 0: none */
	int		 fd;		/* that goes with the question; -1: none */
	const char	*late;		/* said when there is no answer in time */
};
/* The answer, borrowed; or NULL and why there is none, for people. Nothing more comes: the probe is
 * gone. */
typedef void	probe_cb(struct frame *, const char *why, void *arg);

/* NULL: no worker can be started; the callback does not come. */
struct probe	*probe_start(struct event_base *, const struct probe_ask *, probe_cb *, void *arg);
void		 probe_stop(struct probe *);	/* kills it; no callback. NULL is fine */
#endif

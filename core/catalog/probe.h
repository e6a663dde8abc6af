/* A short-lived worker that answers one question or several of the same kind: a plugin's
 * description, or whether its check() accepts options. It runs on an event loop, so that a plugin
 * that hangs does not block the caller. */
#ifndef CORE_PROBE_H
#define CORE_PROBE_H
#include "ipc/chan.h"
#include "ipc/msg.h"

#include <stdint.h>
#include <sys/types.h>

#define PROBE_MS	5000		/* time for one answer, ms */
#define PROBE_LINES	20		/* lines that the worker may log */

struct event_base;
struct probe;				/* opaque */

struct probe_ask {
	enum w_mode	 mode;		/* W_DESCRIBE, W_CHECK */
	const char	*copy;		/* as in struct plugin: the file to load */
	int		 fd;		/* as in struct plugin */
	const char	*libraries;	/* as in struct plugin; or NULL */
	const char	*file;		/* as in struct plugin, for people */
	uint32_t	 grants;	/* enum cr_wants */
	uint16_t	 answer;	/* type of the answer's frame */
	const char	*late;		/* the reason given when no answer arrives in time */
	/* Called with each answer. 1: another answer is due within PROBE_MS; 0: this was the last,
	 * the callback follows. NULL: there is one answer. */
	int		(*more)(struct frame *, void *arg);
};
/* The last answer, borrowed; or NULL and why there is none, for people. The probe is freed after
 * this call. */
typedef void	probe_cb(struct frame *, const char *why, void *arg);

/* NULL: no worker can be started; the callback is not called. */
struct probe	*probe_start(struct event_base *, const struct probe_ask *, probe_cb *, void *arg);
int		 probe_send(struct probe *, uint16_t type, uint32_t id, const struct buf *);	/* -1 */
/* Calls each for every probe that runs. */
void		 probe_each(void (*each)(struct probe *, void *), void *arg);
pid_t		 probe_pid(const struct probe *);
const char	*probe_file(const struct probe *);	/* as in struct probe_ask */
int		 probe_ends(const struct probe *);	/* its worker has ended, or is killed */
void		 probe_end(struct probe *, const char *why);	/* kills the worker; callback follows */
void		 probe_stop(struct probe *);	/* kills the worker; no callback. NULL is fine */
#endif

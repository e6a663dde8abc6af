/* Sources that bring records by their own means: one worker each. */
#ifndef CORE_STREAM_H
#define CORE_STREAM_H
#include "base/buf.h"
#include "ipc/roles.h"

#include <stdint.h>
#include <sys/types.h>

struct core;
struct setup;
struct stream;

#define STREAMS_MAX	256		/* at once */

void	 stream_init(struct core *);
void	 stream_begin(struct core *, uint32_t place);	/* its source is due */
/* Store's answer for the stream of that id: its plugin's state, KEY\0VALUE\0... */
void	 stream_stated(struct core *, uint32_t id, struct bytes state);
void	 stream_setup(struct core *, const struct setup *old);	/* those of changed sources stop */
void	 stream_gone(struct core *, enum role_id);
void	 stream_stop(struct core *);		/* all of them, for good */
int	 stream_busy(const struct core *);
pid_t	 stream_pid(const struct stream *);	/* 0: none yet */
#endif

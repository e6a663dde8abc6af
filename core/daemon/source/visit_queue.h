/* The queue of visits: serve hands them over, a source's worker takes them in turn. */
#ifndef CORE_VISIT_QUEUE_H
#define CORE_VISIT_QUEUE_H
#include "base/buf.h"
#include "ipc/roles.h"

#include <stdint.h>

struct core;
struct frame;
struct setup;

void	 visit_init(struct core *);
int	 visit_came(struct core *, struct frame *);	/* MSG_VISIT from serve. -1: malformed */
/* Store's answer for the visit of that id: its plugin's state, KEY\0VALUE\0... */
void	 visit_stated(struct core *, uint32_t id, struct bytes state);
void	 visit_setup(struct core *, const struct setup *old);	/* other sources may answer */
void	 visit_ready(struct core *);		/* store is back, or has read the new setup */
void	 visit_gone(struct core *, enum role_id);
void	 visit_stop(struct core *);		/* no visit begins any more */
int	 visit_busy(const struct core *);
#endif

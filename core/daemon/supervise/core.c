/* How the core process ends. */
#include "core.h"

#include <event2/event.h>

#define DRAIN_MS	5000		/* for deliveries under way when the daemon stops */

void
core_idle(struct core *c)
{
	if (c->stopping)
		event_active(c->idle, EV_TIMEOUT, 0);
}

void
core_exit(struct core *c, int status)
{
	const struct timeval drain = { .tv_sec = DRAIN_MS / 1000 };

	if (c->stopping) {
		event_base_loopexit(c->base, NULL);
		return;
	}
	c->stopping = 1;
	c->status = status;
	event_base_loopexit(c->base, &drain);
	core_idle(c);
}

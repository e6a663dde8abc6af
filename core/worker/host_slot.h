/* A loaded plugin's state in the host: options filled and checked, opened for its jobs, closed. */
#ifndef CORE_HOST_SLOT_H
#define CORE_HOST_SLOT_H
#include "base/buf.h"

#include <stdint.h>

struct slot;

/* Fills the options and opens the plugin, unless it is open with the same options. hash: of the
 * options; options: NAME\0VALUE\0..., secrets as stand-ins. -1: host.failed and host.error are
 * set. */
int	slot_ready(struct slot *, struct bytes options, uint64_t hash);
void	slot_close(struct slot *);		/* a slot that is not open is fine */
/* Fills the options and calls the plugin's check(); the plugin stays closed. -1: as above. */
int	slot_check(struct slot *, struct bytes options);
#endif

/* A sink that never returns.
 * status: deadline
 */
#include "evil.h"

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	(void)cr, (void)opts;
	for (;;)
		sleep(batch->n > 0 ? 1 : 2);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "hang", .version = "1", .help = "never returns", .deliver = deliver,
};

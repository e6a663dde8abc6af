/* A sink that takes one record, then always asks to be tried again.
 * status: the other side is asleep
 */
#include "evil.h"

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	(void)opts;
	if (batch->n > 1)
		cr->retry(cr, 100, "the other side is asleep");
	return 1;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "retry", .version = "1", .help = "asks to be tried again",
	.deliver = deliver,
};

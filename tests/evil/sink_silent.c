/* A sink that fails and does not say why, and claims to have done more than it was given.
 * status: without saying why
 */
#include "evil.h"

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	(void)cr, (void)opts;
	return batch->n > 1 ? 0 : batch->n + 1000;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "silent", .version = "1", .help = "fails without a word",
	.deliver = deliver,
};

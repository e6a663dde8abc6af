/* Needs a host that is newer than this one.
 * status: newer Courant
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "newer_minor", 1);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 99, .name = "newer_minor", .parse = parse,
};

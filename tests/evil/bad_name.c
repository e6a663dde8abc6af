/* Has a name that no configuration could write.
 * status: its name
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "bad_name", 1);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "Bad Name", .parse = parse,
};

/* Claims a size that no descriptor has.
 * status: size
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "bad_size", 1);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	.size = 24, .minor = CR_MINOR, .name = "bad_size", .parse = parse,
};

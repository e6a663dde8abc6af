/* Has an option that lies outside of its struct.
 * status: options_size
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "bad_offset", 1);
	return 0;
}

static const struct cr_option options[] = {
	{ "far", CR_STRING, 1 << 20, "", NULL, "far away" },
	CR_END
};

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "bad_offset", .parse = parse,
	.options = options, .options_size = 8,
};

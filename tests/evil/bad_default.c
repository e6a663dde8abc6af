/* Has a default that is no value of its option.
 * status: every
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "bad_default", 1);
	return 0;
}

struct opts {
	int64_t	 every;
};

static const struct cr_option options[] = {
	CR_OPTION(struct opts, every, DURATION, "5 mni", NULL, "how often"),
	CR_END
};

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "bad_default", .parse = parse,
	.options = options, .options_size = sizeof(struct opts),
};

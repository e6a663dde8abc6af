/* Has an options table that never ends.
 * status: option
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "endless_options", 1);
	return 0;
}

static const struct cr_option options[] = {
#define FOUR(n)	{ n "a", CR_STRING, 0, "", NULL, "" }, { n "b", CR_STRING, 0, "", NULL, "" }, \
	{ n "c", CR_STRING, 0, "", NULL, "" }, { n "d", CR_STRING, 0, "", NULL, "" },
#define MANY(n)	FOUR(n "e") FOUR(n "f") FOUR(n "g") FOUR(n "h") FOUR(n "i") FOUR(n "j")
	MANY("k") MANY("l") MANY("m") MANY("n") MANY("o") MANY("p") MANY("q") MANY("r")
};

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "endless_options", .parse = parse,
	.options = options, .options_size = 8,
};

/* Wants to be a source and a filter at once.
 * status: exactly one
 */
#include "evil.h"

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	tell(cr, "two_callbacks", 1);
	return 0;
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)cr, (void)opts, (void)rec;
	return CR_KEEP;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "two_callbacks", .parse = parse, .filter = filter,
};

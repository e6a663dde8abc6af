/* A filter that cannot begin.
 * status: the pattern ends too early
 */
#include "evil.h"

static int
open_filter(struct cr *cr, void *opts)
{
	(void)opts;
	return cr->fail(cr, CR_BAD_OPTION, "title: the pattern ends too early");
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)opts, (void)rec;
	return cr->verdict(cr, CR_KEEP, "never asked");
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "open", .version = "1", .help = "cannot begin",
	.open = open_filter, .filter = filter,
};

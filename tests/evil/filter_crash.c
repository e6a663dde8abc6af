/* A filter that always crashes on a record of a certain title.
 * status: signal 11
 */
#include "evil.h"

struct opts {
	const char	*title;
};

static const struct cr_option options[] = {
	CR_OPTION(struct opts, title, STRING, "poison", NULL, "crashes on it"),
	CR_END
};

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	const struct opts *o = opts;
	const char *title = cr->get(rec, CR_TITLE, 0);
	volatile int *volatile nowhere = (volatile int *)64;

	if (title != NULL && o->title != NULL && strcmp(title, o->title) == 0)
		*nowhere = 1;
	return cr->verdict(cr, CR_KEEP, "harmless");
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "crash", .version = "1", .help = "crashes on a title",
	.options = options, .options_size = sizeof(struct opts), .filter = filter,
};

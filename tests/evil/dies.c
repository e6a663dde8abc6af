/* A filter (-DIN_FILTER) or sink that dies of each nth record whose title is not "well".
 * test: test_fair
 */
#include "evil.h"

#include <stdlib.h>

#ifndef NAME
#define NAME	"dies"
#endif
#ifndef NTH
#define NTH	1
#endif

static void
see(struct cr *cr, const struct cr_record *rec)
{
	const char *title = cr->get(rec, CR_TITLE, 0), *at;
	long n = 0;

	if (title == NULL || (at = strrchr(title, ' ')) == NULL)
		return;
	n = strtol(at + 1, NULL, 10);
	if (n % NTH == 0)
		abort();
}

#ifdef IN_FILTER
static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)opts;
	see(cr, rec);
	return cr->verdict(cr, CR_KEEP, "harmless");
}
#else
static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	size_t i;

	(void)opts;
	for (i = 0; i < batch->n; i++)
		see(cr, batch->items[i]);
	return batch->n;
}
#endif

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = NAME, .version = "1", .help = "dies of records",
#ifdef IN_FILTER
	.filter = filter,
#else
	.deliver = deliver,
#endif
};

/* source_drop: one record a page, titled by its version; built several times over, so that one version
 * can replace another in a running daemon. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>

#ifndef DROP_VERSION
#define DROP_VERSION	"1"
#endif

#ifdef DROP_CONSTRUCTOR
__attribute__((constructor)) static void
begin(void)
{
	abort();
}
#endif

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *rec = cr->record(cr, "drop-" DROP_VERSION);

	(void)opts;
	(void)page;
#ifdef DROP_CRASH
	abort();
#endif
	cr->set(rec, CR_TITLE, "dropped " DROP_VERSION);
	cr->set(rec, CR_LINK, "https://example.org/" DROP_VERSION);
	return cr->emit(cr, rec);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "drop", .version = DROP_VERSION, .help = "one record a page",
	.parse = parse,
};

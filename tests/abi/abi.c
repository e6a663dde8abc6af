/* All of the plugin contract in one shared object with debug information, for abidiff to compare. */
#include <courant/plugin.h>

/* Every struct and enum of the header, as the parameters of one function. */
void	abi(struct cr *, const struct cr_request *, const struct cr_page *,
	    const struct cr_response *, const struct cr_batch *, const struct cr_visit *,
	    const struct cr_option *, const struct cr_default *, const struct cr_plugin *,
	    enum cr_field, enum cr_why, enum cr_verdict, enum cr_wants, enum cr_kind, enum cr_type);

const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "abi" };

__attribute__((visibility("default"))) void
abi(struct cr *cr, const struct cr_request *rq, const struct cr_page *page,
    const struct cr_response *rs, const struct cr_batch *batch, const struct cr_visit *visit,
    const struct cr_option *option, const struct cr_default *def, const struct cr_plugin *plugin,
    enum cr_field field, enum cr_why why, enum cr_verdict verdict, enum cr_wants wants,
    enum cr_kind kind, enum cr_type type)
{
	(void)cr, (void)rq, (void)page, (void)rs, (void)batch, (void)visit, (void)option, (void)def;
	(void)plugin, (void)field, (void)why, (void)verdict, (void)wants, (void)kind, (void)type;
}

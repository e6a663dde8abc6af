/* What a worker wrote and its host could not have written: counted, logged, reported to the history
 * of the plugin. */
#include "forged.h"
#include "sources.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"
#include "catalog/versions.h"
#include "conf/setup_template.h"
#include "daemon/supervise/core.h"

#include <stdlib.h>

static void
blame(struct core *c, uint32_t place, const char *fault)
{
	char *why = xasprintf("it wrote what its host does not write: %s", fault);

	(void)catalog_job(c->catalog, c->setup->sources[place].instance->plugin, JOB_FAILED, why);
	free(why);
}

void
forged_take(struct core *c, uint32_t place, const struct committed *cd)
{
	int64_t now = date_ticks();
	struct run *r;

	if (cd->refused == 0 || place == UINT32_MAX)
		return;
	r = &c->runs[place];
	c->forged += cd->refused;
	r->forged += cd->refused;
	r->forged_untold += cd->refused;
	blame(c, place, cd->fault);
	if (r->forged_logged != 0 && now - r->forged_logged < FORGED_LOG)
		return;
	log_warn("%s: plugin %s forged what its host writes: %llu record%s refused, the last for %s",
	    c->setup->sources[place].name, c->setup->sources[place].instance->name,
	    (unsigned long long)r->forged_untold, r->forged_untold == 1 ? "" : "s", cd->fault);
	r->forged_logged = now;
	r->forged_untold = 0;
}

void
forged_whole(struct core *c, uint32_t place, const struct committed *cd)
{
	const char *why = cd->bad ? cd->fault : "not as many records as it told";

	if (place == UINT32_MAX)
		return;
	blame(c, place, why);
	log_warn("%s: plugin %s forged what its host writes: its results are refused: %s",
	    c->setup->sources[place].name, c->setup->sources[place].instance->name, why);
}

int
forged_count(const struct committed *cd, uint32_t told, int whole)
{
	return whole ? cd->records != told : cd->records > told || (cd->records == 0 && told > 0);
}

/* What a worker wrote and its host could not have written: the plugin's fault, not the page's. */
#ifndef CORE_FORGED_H
#define CORE_FORGED_H
#include <stdint.h>

struct core;
struct committed;

/* Takes store's answer to a commit for the source at `place` (UINT32_MAX: no longer configured):
 * counts the records that were refused, reports them to the history of the source's plugin, and
 * logs the first fault, once a FORGED_LOG for each source. */
void	 forged_take(struct core *, uint32_t place, const struct committed *);
/* The results were malformed, or not what the plugin told core: reports and logs it likewise. */
void	 forged_whole(struct core *, uint32_t place, const struct committed *);
/* Whether the number of records in the results is not the number that the worker told. `whole`: the
 * job did not fail, so that all are there. */
int	 forged_count(const struct committed *, uint32_t told, int whole);

#define FORGED_LOG	INT64_C(60000)	/* ms between two such lines of a source */
#endif

/* Rules: what a filter makes of its options, made once in each process and to check them. */
#include "sift.h"

#include <stdlib.h>

void
rules_free(const struct rules_kind *k, void *rules)
{
	if (rules != NULL)
		k->clear(rules);
	free(rules);
}

void *
rules_new(const struct rules_kind *k, struct cr *cr, const void *opts)
{
	void *rules = calloc(1, k->size);
	char why[SIFT_WHY] = "";
	const char *option;

	if (rules == NULL) {
		cr->fail(cr, CR_BAD_DATA, "no memory for the rules");
		return NULL;
	}
	if ((option = k->read(rules, opts, why)) != NULL) {
		cr->fail(cr, CR_BAD_OPTION, "%s: %s", option, why);
		rules_free(k, rules);
		return NULL;
	}
	return rules;
}

int
rules_check(const struct rules_kind *k, struct cr *cr, const void *opts)
{
	void *rules = rules_new(k, cr, opts);

	rules_free(k, rules);
	return rules != NULL ? 0 : -1;
}

/* Rules: what a filter makes of its options, made once in each process and to check them. */
#include "sift.h"

#include <stdlib.h>
#include <string.h>

/* NULL is fine. */
static void
rules_free(const struct rules_kind *k, void *rules)
{
	if (rules != NULL)
		k->clear(rules);
	free(rules);
}

/* NULL: fail() was called. */
static void *
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

int
rules_open(const struct rules_kind *k, struct cr *cr, void *opts)
{
	void *rules = rules_new(k, cr, opts);

	memcpy((char *)opts + k->at, &rules, sizeof(rules));
	return rules != NULL ? 0 : -1;
}

void
rules_close(const struct rules_kind *k, void *opts)
{
	void *rules;

	memcpy(&rules, (char *)opts + k->at, sizeof(rules));
	rules_free(k, rules);
	memset((char *)opts + k->at, 0, sizeof(rules));
}

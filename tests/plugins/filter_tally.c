/* filter_tally: counts in its state the records that it was asked about, and numbers them by that in an
 * extra; does what a word in a title says: fail, crash, drop, big (more state than there may be). */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOO_BIG	(70 << 10)		/* bytes */

struct tally {
	const char	*extra;
};

static const struct cr_option options[] = {
	CR_OPTION(struct tally, extra, STRING, "nth", NULL, "extra that gets the number"),
	CR_END
};

/* The next number; noted as state. */
static long
count(struct cr *cr)
{
	const char *was = cr->state_get(cr, "count");
	long n = was != NULL ? strtol(was, NULL, 10) + 1 : 1;
	char now[32];

	snprintf(now, sizeof(now), "%ld", n);
	cr->state_set(cr, "count", now);
	was = cr->state_get(cr, "count");
	if ((was != NULL ? strtol(was, NULL, 10) : 0) != n - 1)
		cr->log(cr, "what is set counts before the job is done");
	return n;
}

static const char *
keep_much(struct cr *cr)
{
	char *big = malloc(TOO_BIG + 1);
	int rc;

	memset(big, 'x', TOO_BIG);
	big[TOO_BIG] = '\0';
	rc = cr->state_set(cr, "big", big);
	free(big);
	return rc == 0 ? "taken" : "refused";
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	const struct tally *o = opts;
	const char *title = cr->get(rec, CR_TITLE, 0);
	char number[32];

	snprintf(number, sizeof(number), "%ld", count(cr));
	if (title != NULL && strstr(title, "fail") != NULL)
		return cr->fail(cr, CR_REJECTED, "told to fail");
	if (title != NULL && strstr(title, "crash") != NULL)
		abort();
	if (title != NULL && strstr(title, "drop") != NULL)
		return cr->verdict(cr, CR_DROP, "told to, as number %s", number);
	if (title != NULL && strstr(title, "big") != NULL)
		cr->set_extra(rec, "big", keep_much(cr));
	cr->set_extra(rec, o->extra, number);
	return CR_KEEP;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "tally", .version = "1", .help = "numbers records",
	.options = options, .options_size = sizeof(struct tally), .filter = filter,
};

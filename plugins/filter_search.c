/* filter_search: keeps the records that a search finds. The host searches, by the code that makes the
 * index of `courant search`. */
#include <courant/plugin.h>

#include <string.h>

#define SHOWN_MAX	200		/* bytes of the query in a reason */

struct search {
	const char	*query;
};

static const struct cr_option options[] = {
	CR_OPTION(struct search, query, STRING, NULL, NULL, "what to search for, as in courant search"),
	CR_END
};

/* Says what of the query is not understood, a line each. */
static int
check(struct cr *cr, const void *opts)
{
	const struct search *o = opts;
	const char *why, *end;

	if (cr->search(cr, o->query, &why) == -1)
		return cr->fail(cr, CR_BAD_OPTION, "query: %s", why != NULL ? why : "cannot be searched for");
	for (; why != NULL && *why != '\0'; why = *end != '\0' ? end + 1 : end) {
		end = strchr(why, '\n');
		if (end == NULL)
			end = why + strlen(why);
		cr->log(cr, "query: %.*s", (int)(end - why), why);
	}
	return 0;
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	const struct search *o = opts;
	int found = cr->search(cr, o->query, NULL);

	(void)rec;
	if (found == -1)
		return cr->fail(cr, CR_BAD_DATA, "the record cannot be searched");
	return cr->verdict(cr, found ? CR_KEEP : CR_DROP, "%s by `%.*s`%s", found ? "found" : "not found",
	    SHOWN_MAX, o->query, strlen(o->query) > SHOWN_MAX ? "..." : "");
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .needs = 6, .name = "search", .version = "1",
	.help = "keeps the records that a search finds",
	.options = options, .options_size = sizeof(struct search),
	.check = check, .filter = filter,
};

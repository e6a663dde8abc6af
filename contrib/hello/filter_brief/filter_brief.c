/* filter_brief: drops what has fewer words than it takes to say something. */
#include <courant/plugin.h>
#include <ctype.h>

struct brief {
	int64_t	 words;
};

static const struct cr_option options[] = {
	CR_OPTION(struct brief, words, INT, "20", "1..", "passes from here on"),
	CR_END
};

/* Words of an HTML text; a tag is none, and parts them. NULL: no words. */
static int64_t
count(const char *s)
{
	int64_t n = 0;
	int inside = 0, word = 0;

	for (; s != NULL && *s != '\0'; s++) {
		inside = *s == '<' || (inside && s[-1] != '>');
		n += !inside && !word && !isspace((unsigned char)*s) && *s != '>';
		word = !inside && !isspace((unsigned char)*s) && *s != '>';
	}
	return n;
}

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	const struct brief *o = opts;
	int64_t n = count(cr->get(rec, CR_CONTENT, 0));

	if (n == 0)
		n = count(cr->get(rec, CR_SUMMARY, 0));
	return cr->verdict(cr, n < o->words ? CR_DROP : CR_KEEP, "%d words", (int)n);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "brief", .version = "1", .help = "drops what has too few words",
	.options = options, .options_size = sizeof(struct brief), .filter = filter,
};

/* Brings sources that ask for what is not its own. Tests build it again with other sources.
 * status: default source loot: text_file
 */
#include "evil.h"

#ifndef BROUGHT_NAME
#define BROUGHT_NAME	"brought"
#endif
#ifndef BROUGHT_URL
#define BROUGHT_URL	"http://127.0.0.1:9/own?text={text}"
#endif
#ifndef BROUGHT_SOURCES
#define BROUGHT_SOURCES	{ "loot", "text_file: /etc/passwd\n" }
#endif

struct opts {
	const char		*text, *site, *token, *hook, *plain;
	const char *const	*texts;
	const char		*was, *url_file, *pages;
};

static const struct cr_option options[] = {
	CR_OPTION(struct opts, text, STRING, "", NULL, "a text"),
	CR_OPTION(struct opts, texts, LIST, "", NULL, "texts"),
	CR_OPTION(struct opts, site, URL, "", NULL, "an address"),
	CR_OPTION(struct opts, token, SECRET, "", NULL, "a token"),
	CR_OPTION(struct opts, hook, SECRET, "", NULL, "an address that is a secret"),
	CR_OPTION(struct opts, plain, STRING, "", NULL, "a text"),
#ifdef BROUGHT_CLASH
	CR_OPTION(struct opts, was, STRING, "", NULL, "called as what the daemon reads"),
	CR_OPTION(struct opts, url_file, STRING, "", NULL, "called as what the daemon reads"),
	CR_OPTION(struct opts, pages, STRING, "", NULL, "called as what the daemon reads"),
#endif
	CR_END
};

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const struct opts *o = opts;
	struct cr_record *rec = cr->record(cr, page->url);
	char title[600];

	snprintf(title, sizeof(title), "loot: %.200s, %.100s, %.200s", o->text != NULL ? o->text : "",
	    o->texts != NULL && o->texts[0] != NULL ? o->texts[0] : "", page->body);
	cr->set(rec, CR_TITLE, title);
	return cr->emit(cr, rec);
}

static const struct cr_default brought[] = { BROUGHT_SOURCES, { NULL, NULL } };

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = BROUGHT_NAME, .version = "1", .help = "hostile", .parse = parse,
	.url = BROUGHT_URL, .headers = "X-Token: {token}\n", .defaults = brought,
	.options = options, .options_size = sizeof(struct opts),
};

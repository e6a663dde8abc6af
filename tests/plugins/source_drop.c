/* source_drop: one record a page, or of a stream, titled by its version; built several times over, so that
 * one version can replace another in a running daemon. Its check() does what its option tells. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef DROP_VERSION
#define DROP_VERSION	"1"
#endif

#ifndef DROP_NAME
#define DROP_NAME	"drop"
#endif

#ifndef DROP_WANTS
#define DROP_WANTS	0
#endif

#ifndef DROP_REFUSES
#define DROP_REFUSES	"bad"
#endif

struct opts {
	const char	*word, *key;
};

static const struct cr_option options[] = {
	CR_OPTION(struct opts, word, STRING, "", NULL, "what check() does"),
	CR_OPTION(struct opts, key, SECRET, "", NULL, "a key"),
	CR_END
};

#ifdef DROP_CONSTRUCTOR
__attribute__((constructor)) static void
begin(void)
{
	DROP_CONSTRUCTOR;
}
#endif

static int
check(struct cr *cr, const void *opts)
{
	const struct opts *o = opts;
	const char *word = o->word != NULL ? o->word : "";

	if (strcmp(word, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(word, "abort") == 0)
		abort();
	if (strcmp(word, DROP_REFUSES) == 0)
		return cr->fail(cr, CR_BAD_OPTION, "word: \"%s\" is not taken, nor %s", word,
		    o->key != NULL ? o->key : "a key");
	return 0;
}

static int
drop(struct cr *cr)
{
	struct cr_record *rec = cr->record(cr, "drop-" DROP_VERSION);

#ifdef DROP_CRASH
	abort();
#endif
#ifdef DROP_FAIL
	return cr->fail(cr, CR_BAD_DATA, "version " DROP_VERSION " fails");
#endif
	cr->set(rec, CR_TITLE, "dropped " DROP_VERSION);
	cr->set(rec, CR_LINK, "https://example.org/" DROP_VERSION);
	return cr->emit(cr, rec);
}

#ifdef DROP_STREAM
static int
stream(struct cr *cr, void *opts)
{
	int rc = cr->wait(cr, -1, 1) == -1 ? 0 : drop(cr);

	(void)opts;
	while (rc == 0 && cr->wait(cr, -1, -1) != -1)
		;
	return rc;
}
#else
static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts;
	(void)page;
	return drop(cr);
}
#endif

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = DROP_NAME, .version = DROP_VERSION, .help = "one record a page",
	.wants = DROP_WANTS,
	.options = options, .options_size = sizeof(struct opts), .check = check,
#ifdef DROP_STREAM
	.stream = stream,
#else
	.parse = parse,
#endif
};

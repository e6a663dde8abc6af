/* source_vectors: records whose fields a page names: entries end with 0x1d, values with 0x1e. A value is
 * `NUMBER=text` for a field, `x:NAME=text` for an extra, `a=text` for all parts of an author, `e=text` for
 * all of an enclosure, `f:NUMBER=text` for a field of the feed. */
#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

#define ENTRY	"\x1d"
#define VALUE	"\x1e"

static void
put(struct cr *cr, struct cr_record *rec, char *name)
{
	char *text = strchr(name, '=');

	if (text == NULL)
		return;
	*text++ = '\0';
	if (strncmp(name, "x:", 2) == 0)
		cr->set_extra(rec, name + 2, text);
	else if (strncmp(name, "f:", 2) == 0)
		cr->set(cr->feed(cr), (int)strtol(name + 2, NULL, 10), text);
	else if (strcmp(name, "a") == 0)
		cr->add_author(rec, text, text, text);
	else if (strcmp(name, "e") == 0)
		cr->add_enclosure(rec, text, text, 1);
	else
		cr->set(rec, (int)strtol(name, NULL, 10), text);
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	char *text = strdup(page->body), *at, *entry, *value, *save;
	struct cr_record *rec;

	(void)opts;
	for (entry = strtok_r(text, ENTRY, &at); entry != NULL; entry = strtok_r(NULL, ENTRY, &at)) {
		rec = cr->record(cr, strtok_r(entry, VALUE, &save));
		while ((value = strtok_r(NULL, VALUE, &save)) != NULL)
			put(cr, rec, value);
		cr->emit(cr, rec);
	}
	free(text);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "vectors", .version = "1", .help = "records whose fields a page names",
	.parse = parse,
};

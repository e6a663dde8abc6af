/* source_changes: a changelog in Markdown, a record for each `## 1.2.3 - 2024-11-21`. */
#include <courant/plugin.h>
#include <stdlib.h>
#include <string.h>

struct changes { int unreleased; };

static const struct cr_option options[] = {
	CR_OPTION(struct changes, unreleased, BOOL, "no", NULL, "also what is yet to come"),
	CR_END
};

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const struct changes *o = opts;
	char *copy = memcpy(calloc(1, page->len + 1), page->body, page->len), *head, *next, *text;
	struct cr_record *rec;

	for (next = strstr(copy, "## "); (head = next) != NULL;) {
		if ((next = strstr(head, "\n## ")) != NULL)
			*next++ = '\0';
		if ((text = strchr(head += 3, '\n')) != NULL)
			*text++ = '\0';
		if (strstr(head, "nreleased") != NULL && !o->unreleased)
			continue;
		rec = cr->record(cr, head);
		cr->set(rec, CR_TITLE, head);
		cr->set(rec, CR_LINK, page->url);
		cr->set(rec, CR_SUMMARY_TEXT, text);	/* each setter takes NULL for none */
		cr->set(rec, CR_PUBLISHED, strchr(head, ' ') ? strrchr(head, ' ') + 1 : NULL);
		cr->emit(cr, rec);
	}
	free(copy);
	return strstr(page->body, "## ") ? 0 : cr->fail(cr, CR_BAD_DATA, "no line with `## `");
}

const struct cr_plugin cr_plugin_v1 = { CR_PLUGIN, .name = "changes", .version = "1",
	.help = "the releases in a changelog", .options = options,
	.options_size = sizeof(struct changes), .parse = parse };

/* Makes as many records as its page says, with the guids and titles that it says: "COUNT LINKS TITLE
 * GUID"; LINKS 0: each has a link of its own; GUID -: none has a guid.
 * test: test_large
 */
#include "evil.h"

#include <stdlib.h>

#ifndef NAME
#define NAME	"many"
#endif

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	char title[64], guid[64], text[160];
	long n, links, i;
	struct cr_record *rec;

	(void)opts;
	if (sscanf(page->body, "%ld %ld %63s %63s", &n, &links, title, guid) != 4)
		return cr->fail(cr, CR_BAD_DATA, "not such a page");
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s%ld", guid, i);
		rec = cr->record(cr, strcmp(guid, "-") != 0 ? text : NULL);
		snprintf(text, sizeof(text), "%s %ld", title, i);
		cr->set(rec, CR_TITLE, text);
		snprintf(text, sizeof(text), "https://example.org/%ld", links > 0 ? i % links : i);
		cr->set(rec, CR_LINK, text);
		if (cr->emit(cr, rec) == -1)
			return cr->fail(cr, CR_BAD_DATA, "%ld are too many", i);
	}
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = NAME, .version = "1", .help = "makes many records", .parse = parse,
};

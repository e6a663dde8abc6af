/* The fields of a record, and the schemes of their URLs. */
#include "field.h"
#include "record.h"

#include <string.h>

const struct record_field record_fields[TAG_MAX] = {
	[CR_ID]			= { SHAPE_TEXT, HOLDS_ID, RECORD_NAME_MAX, "id" },
	[CR_SOURCE]		= { SHAPE_TEXT, HOLDS_ID, RECORD_LINE_MAX, "source" },
	[CR_GUID]		= { SHAPE_TEXT, HOLDS_NAME, RECORD_LINE_MAX, "guid" },
	[CR_LINK]		= { SHAPE_TEXT, HOLDS_URL, RECORD_LINE_MAX, "link" },
	[CR_TITLE]		= { SHAPE_TEXT, HOLDS_LINE, RECORD_LINE_MAX, "title" },
	[CR_SUMMARY]		= { SHAPE_TEXT, HOLDS_HTML, RECORD_TEXT_MAX, "summary" },
	[CR_CONTENT]		= { SHAPE_TEXT, HOLDS_HTML, RECORD_TEXT_MAX, "content" },
	[CR_PUBLISHED]		= { SHAPE_TIME, HOLDS_NONE, 0, "published" },
	[CR_UPDATED]		= { SHAPE_TIME, HOLDS_NONE, 0, "updated" },
	[CR_LANGUAGE]		= { SHAPE_TEXT, HOLDS_LINE, RECORD_LINE_MAX, "language" },
	[CR_IMAGE]		= { SHAPE_TEXT, HOLDS_WEB, RECORD_LINE_MAX, "image" },
	[CR_COMMENTS]		= { SHAPE_TEXT, HOLDS_URL, RECORD_LINE_MAX, "comments" },
	[CR_CATEGORY]		= { SHAPE_LIST, HOLDS_LINE, RECORD_LINE_MAX, "category" },
	[CR_AUTHOR]		= { SHAPE_PERSON, HOLDS_LINE, RECORD_LINE_MAX, "author" },
	[CR_ENCLOSURE]		= { SHAPE_FILE, HOLDS_URL, RECORD_LINE_MAX, "enclosure" },
	[CR_CONTRIBUTOR]	= { SHAPE_PERSON, HOLDS_LINE, RECORD_LINE_MAX, "contributor" },
	[CR_RIGHTS]		= { SHAPE_TEXT, HOLDS_LINE, RECORD_LINE_MAX, "rights" },
	[TAG_EXTRA]		= { SHAPE_EXTRA, HOLDS_TEXT, RECORD_TEXT_MAX, "extra" },
	[TAG_NUMBER]		= { SHAPE_NUMBER, HOLDS_NONE, 0, "number" },
	[TAG_COUNTER]		= { SHAPE_COUNTER, HOLDS_NONE, 0, "counter" },
};

/* Schemes of documents and media. Others run code, start a program, or contain a page (data:). Those
 * of the web are the first two. */
static const char *const schemes[] = { "https:", "http:", "mailto:", "magnet:", "tag:" };

static int
leads(const char *url, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return 1;
	return 0;
}

int
field_url_leads(const char *url)
{
	return leads(url, sizeof(schemes) / sizeof(schemes[0]));
}

int
field_web_leads(const char *url)
{
	return leads(url, 2);
}

int
field_markup(const char *extra)
{
	return strcmp(extra, "title-html") == 0 || strcmp(extra, "rights-html") == 0;
}

/* JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/). */
#include "out.h"

static void
member(struct out *o, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	out_str(o, ",\n");
	out_json(o, name);
	out_str(o, ": ");
	out_json(o, text);
}

static void
json_head(struct out *o, const struct list *l)
{
	out_str(o, "{\"version\": \"https://jsonfeed.org/version/1.1\",\n\"title\": ");
	out_json(o, l->title);
	member(o, "home_page_url", l->o->link);
	member(o, "feed_url", o->self);
	member(o, "description", l->o->description);
	out_str(o, ",\n\"items\": [");
}

static void
json_date(struct out *o, const char *name, int64_t ms)
{
	if (ms == CR_NO_TIME)
		return;
	out_str(o, ",\n");
	out_json(o, name);
	out_str(o, ": \"");
	out_rfc3339(o, ms);
	out_str(o, "\"");
}

/* Members of an inner object, copied from the record's JSON under other names; the first one is
 * there, or `instead`. */
static void
json_object(struct out *o, const char *from, const char *const names[][2], const char *instead)
{
	const char *comma = "", *value;
	size_t i;

	out_str(o, "{");
	for (i = 0; names[i][0] != NULL; i++) {
		value = json_member(from, names[i][0]);
		if (value == NULL && (value = instead) == NULL)
			continue;
		instead = i == 0 ? NULL : instead;
		out_str(o, comma);
		out_json(o, names[i][1]);
		out_str(o, ": ");
		out_raw(o, value);
		comma = ", ";
	}
	out_str(o, "}");
}

static void
json_lists(struct out *o, const struct item *it)
{
	static const char *const author[][2] = { { "name", "name" }, { "uri", "url" },
		{ NULL, NULL } };
	static const char *const attachment[][2] = { { "type", "mime_type" }, { "url", "url" },
		{ "size", "size_in_bytes" }, { NULL, NULL } };
	const char *p, *text, *comma;
	size_t i;

	comma = ",\n\"authors\": [";
	for (p = json_first(it->authors); p != NULL; p = json_next(p), comma = ", ") {
		out_str(o, comma);
		json_object(o, p, author, json_member(p, "mail"));
	}
	out_str(o, comma[1] == ' ' ? "]" : "");
	comma = ",\n\"tags\": [";
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++, comma = ", ") {
		out_str(o, comma);
		out_json(o, text);
	}
	out_str(o, comma[1] == ' ' ? "]" : "");
	comma = ",\n\"attachments\": [";
	for (p = json_first(it->enclosures); p != NULL; p = json_next(p), comma = ", ") {
		out_str(o, comma);
		json_object(o, p, attachment, "\"application/octet-stream\"");
	}
	out_str(o, comma[1] == ' ' ? "]" : "");
}

static void
json_item(struct out *o, const struct list *l, const struct item *it, size_t nth)
{
	const char *html = it->content != NULL ? it->content : it->summary;
	char summary[SUMMARY_MAX + PLAIN_SPARE];

	(void)l;
	out_str(o, nth > 0 ? ",\n{\"id\": " : "\n{\"id\": ");
	out_json(o, it->id);
	member(o, "url", it->link);
	member(o, "title", it->title);
	if (html != NULL)
		member(o, "content_html", html);
	else
		out_str(o, ",\n\"content_text\": \"\"");
	if (it->content != NULL && it->summary != NULL)
		member(o, "summary", plain(summary, SUMMARY_MAX, it->summary));
	member(o, "image", it->image);
	json_date(o, "date_published", it->published != CR_NO_TIME ? it->published : it->updated);
	json_date(o, "date_modified", it->updated);
	member(o, "language", it->language);
	json_lists(o, it);
	if (it->source != NULL) {
		out_str(o, ",\n\"_courant\": {\"source\": ");
		out_json(o, it->source);
		out_str(o, "}");
	}
	out_str(o, "}");
}

static void
json_foot(struct out *o)
{
	out_str(o, "\n]}\n");
}

const struct format format_json = { "json", ".json", json_head, json_item, json_foot };

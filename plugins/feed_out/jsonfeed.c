/* JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/). */
#include "feed_out.h"

#include <stdio.h>

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
member_uri(struct out *o, const char *name, const char *url)
{
	if (url == NULL || url[0] == '\0')
		return;
	out_str(o, ",\n");
	out_json(o, name);
	out_str(o, ": ");
	out_json_uri(o, url);
}

static void
json_head(struct out *o, const struct list *l)
{
	out_str(o, "{\"version\": \"https://jsonfeed.org/version/1.1\",\n\"title\": ");
	out_json(o, l->title);
	member_uri(o, "home_page_url", l->home);
	member_uri(o, "feed_url", o->self);
	member(o, "description", l->o->description);
	member_uri(o, "icon", l->icon);
	member(o, "language", l->language);
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

/* With a name or an address at least. */
static int
json_person(struct out *o, const struct item *it, const char *comma, const char *who)
{
	const char *name = json_member(who, "name");
	char uri[AUTHOR_MAX], text[AUTHOR_MAX];
	int at = json_text(uri, sizeof(uri), json_member(who, "uri"));

	if (name == NULL)
		name = json_member(who, "mail");
	if (name == NULL && at == -1)
		return 0;
	out_str(o, comma);
	out_str(o, "{");
	if (name != NULL) {
		out_str(o, "\"name\": ");
		if (json_text(text, sizeof(text), name) == 0)
			out_json(o, readable(it->cr, text));
		else
			out_raw(o, name);
	}
	if (at == 0) {
		out_str(o, name != NULL ? ", \"url\": " : "\"url\": ");
		out_json_uri(o, uri);
	}
	out_str(o, "}");
	return 1;
}

static void
json_file(struct out *o, const struct file *f, long seconds)
{
	char s[64];

	out_str(o, "{\"url\": ");
	out_json_uri(o, f->url);
	out_str(o, ", \"mime_type\": ");
	out_json(o, f->type);
	if (f->size != NULL) {
		out_str(o, ", \"size_in_bytes\": ");
		out_raw(o, f->size);
	}
	if (seconds > 0) {
		snprintf(s, sizeof(s), ", \"duration_in_seconds\": %ld", seconds);
		out_str(o, s);
	}
	out_str(o, "}");
}

/* What the entry tells of its duration is that of its own file. */
static void
json_files(struct out *o, const struct item *it)
{
	const char *said = it->cr->get_extra(it->rec, "itunes:duration");
	const char *comma = ",\n\"attachments\": [";
	long seconds = said != NULL ? podcast_seconds(said) : -1;
	size_t chosen = file_chosen(it);
	struct file f;
	int more;

	for (more = file_first(&f, it); more; more = file_next(&f), comma = ", ") {
		out_str(o, comma);
		json_file(o, &f, f.nth == chosen ? seconds : -1);
	}
	out_str(o, comma[1] == ' ' ? "]" : "");
}

static void
json_lists(struct out *o, const struct item *it)
{
	const char *p, *text, *comma;
	size_t i;

	comma = ",\n\"authors\": [";
	for (p = json_first(it->authors); p != NULL; p = json_next(p))
		if (json_person(o, it, comma, p))
			comma = ", ";
	out_str(o, comma[1] == ' ' ? "]" : "");
	comma = ",\n\"tags\": [";
	for (i = 0; (text = it->cr->get(it->rec, CR_CATEGORY, i)) != NULL; i++, comma = ", ") {
		out_str(o, comma);
		out_json(o, text);
	}
	out_str(o, comma[1] == ' ' ? "]" : "");
	json_files(o, it);
}

/* The heat is left out: the file would differ whenever it is written. */
static void
json_extension(struct out *o, const struct item *it)
{
	static const char *const names[] = { "sources", "score", "rank", "numbers" };
	const char *value, *comma = "";

	if (it->source == NULL)
		return;
	out_str(o, ",\n\"_courant\": {\"source\": ");
	out_json(o, it->source);
	out_str(o, it->story != NULL ? ", \"story\": {" : "");
	for (size_t i = 0; it->story != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if ((value = json_member(it->story, names[i])) == NULL)
			continue;
		out_str(o, comma);
		out_json(o, names[i]);
		out_str(o, ": ");
		out_raw(o, value);
		comma = ", ";
	}
	out_str(o, it->story != NULL ? "}}" : "}");
}

static void
json_item(struct out *o, const struct list *l, const struct item *it, size_t nth)
{
	const char *html = it->content != NULL ? it->content : it->summary;
	char summary[SUMMARY_MAX + PLAIN_SPARE];

	(void)l;
	out_str(o, nth > 0 ? ",\n{\"id\": " : "\n{\"id\": ");
	out_json(o, it->id);
	member_uri(o, "url", it->link);
	member(o, "title", it->title);
	if (html != NULL)
		member(o, "content_html", html);
	else		/* one of them is demanded */
		out_str(o, ",\n\"content_text\": \"\"");
	if (it->content != NULL && it->summary != NULL)
		member(o, "summary", plain(summary, SUMMARY_MAX, it->summary));
	member_uri(o, "image", it->image);
	json_date(o, "date_published", it->shown);
	json_date(o, "date_modified", it->updated);
	member(o, "language", it->language);
	json_lists(o, it);
	json_extension(o, it);
	out_str(o, "}");
}

static void
json_foot(struct out *o)
{
	out_str(o, "\n]}\n");
}

const struct format format_json = { "json", ".json", json_head, json_item, json_foot };

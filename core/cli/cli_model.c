/* Makes the JSON of records that `courant parse` prints. */
#include "cli_model.h"
#include "base/date.h"
#include "record/record.h"

#include <string.h>

/* markup: an extra with the text as HTML; if a record has it, it becomes `name`, and the plain text
 * the member `text`. */
static const struct {
	const char	*name;
	int		 field;
	const char	*markup, *text;
} lines[] = {
	{ "id", CR_GUID, NULL, NULL }, { "title", CR_TITLE, "title-html", "title_text" },
	{ "link", CR_LINK, NULL, NULL }, { "summary", CR_SUMMARY, NULL, NULL },
	{ "content", CR_CONTENT, NULL, NULL }, { "language", CR_LANGUAGE, NULL, NULL },
	{ "rights", CR_RIGHTS, "rights-html", "rights_text" },
	{ "comments", CR_COMMENTS, NULL, NULL }, { "image", CR_IMAGE, NULL, NULL },
};
static const struct {
	const char	*name;
	int		 field;
} times[] = { { "published", CR_PUBLISHED }, { "updated", CR_UPDATED } },
  people[] = { { "authors", CR_AUTHOR }, { "contributors", CR_CONTRIBUTOR } };

void
model_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL)
		json_object_set_new(o, name, json_string(text));
}

static json_t *
people_json(const struct cr_record *r, int field)
{
	json_t *list = json_array(), *o;
	struct record_author a;

	for (size_t i = 0; record_author(r, field, i, &a); i++) {
		o = json_object();
		model_text(o, "name", a.name);
		model_text(o, "email", a.mail);
		model_text(o, "uri", a.uri);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *
enclosures_json(const struct cr_record *r)
{
	json_t *list = json_array(), *o;
	struct record_enclosure e;

	for (size_t i = 0; record_enclosure(r, i, &e); i++) {
		o = json_object();
		model_text(o, "url", e.url);
		model_text(o, "type", e.type);
		if (e.size >= 0)
			json_object_set_new(o, "length", json_integer(e.size));
		json_array_append_new(list, o);
	}
	return list;
}

void
model_list(json_t *o, const char *name, json_t *list)
{
	if (json_array_size(list) > 0)
		json_object_set_new(o, name, list);
	else
		json_decref(list);
}

static json_t *
extras_json(const struct cr_record *r)
{
	json_t *list = json_array(), *o = json_object();
	const char *name, *text;
	int64_t count;
	double value;
	size_t i;

	for (i = 0; record_extra_at(r, i, &name, &text); i++)
		model_text(o, name, text);
	for (i = 0; record_number_at(r, i, &name, &value); i++)
		json_object_set_new(o, name, json_real(value));
	for (i = 0; record_counter_at(r, i, &name, &count); i++)
		json_object_set_new(o, name, json_integer(count));
	if (json_object_size(o) > 0)
		json_array_append(list, o);
	json_decref(o);
	return list;
}

json_t *
model_record(const struct cr_record *r)
{
	json_t *o = json_object(), *list = json_array();
	char date[DATE_MAX];
	const char *s;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		s = lines[i].markup != NULL ? record_get_extra(r, lines[i].markup) : NULL;
		model_text(o, lines[i].name, s != NULL ? s : record_get(r, lines[i].field, 0));
		if (s != NULL)
			model_text(o, lines[i].text, record_get(r, lines[i].field, 0));
	}
	for (i = 0; i < 2; i++)
		if (record_get_time(r, times[i].field) != CR_NO_TIME)
			model_text(o, times[i].name,
			    date_rfc3339(date, record_get_time(r, times[i].field)));
	for (i = 0; i < 2; i++)
		model_list(o, people[i].name, people_json(r, people[i].field));
	for (i = 0; (s = record_get(r, CR_CATEGORY, i)) != NULL; i++)
		json_array_append_new(list, json_string(s));
	model_list(o, "categories", list);
	model_list(o, "enclosures", enclosures_json(r));
	model_list(o, "extras", extras_json(r));
	return o;
}

void
model_feed(json_t *top, const struct cr_record *r)
{
	const char *flawed = record_get_extra(r, "wellformed");
	json_t *feed = model_record(r);
	const char *s;

	model_text(top, "format", record_get_extra(r, "format"));
	model_text(top, "encoding", record_get_extra(r, "encoding"));
	if (flawed != NULL)
		json_object_set_new(top, "wellformed", json_boolean(strcmp(flawed, "no") != 0));
	s = record_get(r, CR_SUMMARY, 0);
	model_text(feed, "description", s != NULL ? s : record_get(r, CR_CONTENT, 0));
	json_object_del(feed, "summary");
	model_text(feed, "id", record_get_extra(r, "id"));
	model_text(feed, "generator", record_get_extra(r, "generator"));
	json_object_set_new(top, "feed", feed);
}

void
model_outlines(json_t *entries)
{
	json_t *o;
	size_t i;

	json_array_foreach(entries, i, o) {
		if (json_object_get(o, "link") != NULL)
			json_object_set(o, "url", json_object_get(o, "link"));
		if (json_object_get(o, "categories") == NULL)
			json_object_set_new(o, "categories", json_array());
	}
}

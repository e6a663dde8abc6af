/* Records of the items: each field, number and extra by the path that was configured for it. */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_END	1e11		/* numbers beyond are milliseconds (the year 5138) */
#define MILLIS_END	1e14		/* numbers beyond are microseconds */

enum how { HOW_TEXT, HOW_TIME, HOW_LIST, HOW_PEOPLE };

struct field {
	const char	*name;
	int		 field;		/* enum cr_field */
	enum how	 how;
};
static const struct field fields[] = {
	{ "guid", CR_GUID, HOW_TEXT }, { "link", CR_LINK, HOW_TEXT },
	{ "title", CR_TITLE, HOW_TEXT }, { "title_html", CR_TITLE_HTML, HOW_TEXT },
	{ "summary", CR_SUMMARY, HOW_TEXT }, { "summary_text", CR_SUMMARY_TEXT, HOW_TEXT },
	{ "content", CR_CONTENT, HOW_TEXT }, { "content_text", CR_CONTENT_TEXT, HOW_TEXT },
	{ "published", CR_PUBLISHED, HOW_TIME }, { "updated", CR_UPDATED, HOW_TIME },
	{ "language", CR_LANGUAGE, HOW_TEXT }, { "image", CR_IMAGE, HOW_TEXT },
	{ "comments", CR_COMMENTS, HOW_TEXT }, { "category", CR_CATEGORY, HOW_LIST },
	{ "author", CR_AUTHOR, HOW_PEOPLE }, { "contributor", CR_CONTRIBUTOR, HOW_LIST },
	{ "enclosure", CR_ENCLOSURE, HOW_LIST }, { "rights", CR_RIGHTS, HOW_TEXT },
};
#define NFIELDS		(sizeof(fields) / sizeof(*fields))

/* ---- What is configured ---- */

/* The path of "name=path"; NULL: the entry has another name. */
static const char *
entry_path(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && entry[len] == '=' ? entry + len + 1 : NULL;
}

static const char *
list_path(const char *const *list, const char *name)
{
	const char *path = NULL;

	for (; list != NULL && *list != NULL && path == NULL; list++)
		path = entry_path(*list, name);
	return path;
}

static const struct field *
field_find(const char *entry)
{
	for (size_t i = 0; i < NFIELDS; i++)
		if (entry_path(entry, fields[i].name) != NULL)
			return &fields[i];
	return NULL;
}

/* Whether the entry names a number that set_number() refuses. */
static int
is_of_host(const char *entry)
{
	return entry_path(entry, "sources") != NULL || entry_path(entry, "heat") != NULL ||
	    entry_path(entry, "score") != NULL || entry_path(entry, "rank") != NULL ||
	    strncmp(entry, "story.", 6) == 0;
}

static int
entry_check(const char *option, const char *entry, char *why, size_t size)
{
	const char *eq = strchr(entry, '=');
	size_t i, len;

	if (eq == NULL || eq == entry || eq[1] == '\0' || strlen(eq) > API_PATH) {
		snprintf(why, size, "%s: \"%.60s\" is no NAME: PATH", option, entry);
		return -1;
	}
	if ((strcmp(option, "numbers") == 0 || strcmp(option, "counters") == 0) && is_of_host(entry)) {
		snprintf(why, size, "%s: \"%.*s\" is given by Courant itself: choose another name", option,
		    (int)(eq - entry < 60 ? eq - entry : 60), entry);
		return -1;
	}
	if (strcmp(option, "fields") != 0 || field_find(entry) != NULL)
		return 0;
	len = (size_t)snprintf(why, size, "%s: a record has no field \"%.*s\"; there are", option,
	    (int)(eq - entry < 60 ? eq - entry : 60), entry);
	for (i = 0; i < NFIELDS && len < size; i++)
		len += (size_t)snprintf(why + len, size - len, "%s %s", i > 0 ? "," : "",
		    fields[i].name);
	return -1;
}

int
item_check(const struct api_opts *o, char *why, size_t size)
{
	const struct {
		const char *name;
		const char *const *list;
	} lists[] = { { "fields", o->fields }, { "numbers", o->numbers },
		{ "counters", o->counters }, { "extras", o->extras } };
	const char *const *entry;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (entry = lists[i].list; entry != NULL && *entry != NULL; entry++)
			if (entry_check(lists[i].name, *entry, why, size) == -1)
				return -1;
	return 0;
}

/* ---- Values of an item ---- */

/* What the first alternative with a value gives, as text. Freed by the caller. */
static char *
item_text(const json_t *item, const char *paths)
{
	char path[API_PATH], *text = NULL;
	const json_t *v;

	while (text == NULL && path_choice(&paths, path, sizeof(path))) {
		if (strchr(path, '{') != NULL)
			text = template_text(item, path);
		else if ((v = path_one(item, path)) != NULL)
			text = value_text(json_is_array(v) ? json_array_get(v, 0) : v);
	}
	return text;
}

static int
item_number(const json_t *item, const char *paths, double *d)
{
	char path[API_PATH];

	while (path_choice(&paths, path, sizeof(path)))
		if (value_number(path_one(item, path), d))
			return 1;
	return 0;
}

/* Seconds, milliseconds or microseconds since 1970, or a date as text. */
static void
put_time(struct cr *cr, struct cr_record *rec, int field, const json_t *item, const char *paths)
{
	char *text;
	double d;

	if (item_number(item, paths, &d) && (d > SECONDS_END / 1e3 || d < 0)) {
		d *= d >= MILLIS_END ? 1e-3 : d >= SECONDS_END ? 1 : 1e3;
		if (d > -1e15 && d < 1e15)
			cr->set_time(rec, field, (int64_t)d);
		return;
	}
	text = item_text(item, paths);
	cr->set(rec, field, text);
	free(text);
}

/* The name by which an object in a list goes. */
static char *
object_name(const json_t *v)
{
	return item_text(v, "name|fullname|full_name|display_name|login|username|label|title|url");
}

static void
put_one(struct cr *cr, struct cr_record *rec, const struct field *f, const json_t *v)
{
	char *name = json_is_object(v) ? object_name(v) : value_text(v), *mail, *uri;

	if (f->how == HOW_PEOPLE && json_is_object(v)) {
		mail = item_text(v, "email|mail");
		uri = item_text(v, "html_url|url|uri|homepage");
		cr->add_author(rec, name, mail, uri);
		free(mail);
		free(uri);
	} else {
		cr->set(rec, f->field, name);
	}
	free(name);
}

static void
put_list(struct cr *cr, struct cr_record *rec, const struct field *f, const json_t *item,
    const char *paths)
{
	struct found found = { .n = 0 };
	char path[API_PATH], *text;

	while (found.n == 0 && path_choice(&paths, path, sizeof(path))) {
		if (strchr(path, '{') == NULL) {
			path_find(&found, item, path);
		} else if ((text = template_text(item, path)) != NULL) {
			cr->set(rec, f->field, text);
			free(text);
			return;
		}
	}
	for (size_t i = 0; i < found.n; i++)
		put_one(cr, rec, f, found.v[i]);
}

static void
put_field(struct cr *cr, struct cr_record *rec, const struct field *f, const json_t *item,
    const char *paths)
{
	char *text;

	if (f->how == HOW_TIME) {
		put_time(cr, rec, f->field, item, paths);
	} else if (f->how != HOW_TEXT) {
		put_list(cr, rec, f, item, paths);
	} else {
		text = item_text(item, paths);
		cr->set(rec, f->field, text);
		free(text);
	}
}

/* ---- Numbers and extras ---- */

enum kind { KIND_NUMBER, KIND_COUNTER, KIND_EXTRA };

/* A list's texts with commas between them; freed by the caller. */
static char *
extra_text(const json_t *item, const char *paths)
{
	char *all = NULL, *one;
	const json_t *v = strchr(paths, '{') == NULL ? path_one(item, paths) : NULL;
	size_t size = 0, i;
	FILE *out;

	if (!json_is_array(v) || (out = open_memstream(&all, &size)) == NULL)
		return item_text(item, paths);
	for (i = 0; i < json_array_size(v) && i < API_LIST; i++) {
		one = value_text(json_array_get(v, i));
		fprintf(out, "%s%s", i > 0 ? ", " : "", one != NULL ? one : "");
		free(one);
	}
	fclose(out);
	return all;
}

static void
put_extra(struct cr *cr, struct cr_record *rec, enum kind kind, const char *name,
    const json_t *item, const char *paths)
{
	char *text;
	double d;

	if (kind == KIND_EXTRA) {
		text = extra_text(item, paths);
		cr->set_extra(rec, name, text);
		free(text);
	} else if (item_number(item, paths, &d)) {
		if (kind == KIND_NUMBER)
			cr->set_number(rec, name, d);
		else if (d >= 0 && d < 9e15)
			cr->set_counter(rec, name, (int64_t)d);
	}
}

/* The list's entries; of the preset's, those that the configuration does not name. */
static void
put_extras(struct cr *cr, struct cr_record *rec, enum kind kind, const char *const *list,
    const char *const *over, const json_t *item)
{
	char name[API_PATH];

	for (; list != NULL && *list != NULL; list++) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*list, "="), *list);
		if (list_path(over, name) == NULL)
			put_extra(cr, rec, kind, name, item, *list + strlen(name) + 1);
	}
}

/* ---- Records ---- */

static const char *
field_path(const struct api_opts *o, const char *name)
{
	const char *path = list_path(o->fields, name);

	return path != NULL ? path : list_path(presets[o->preset].fields, name);
}

struct cr_record *
item_record(struct cr *cr, const struct api_opts *o, const json_t *item, int *named)
{
	const struct preset *p = &presets[o->preset];
	const char *paths = field_path(o, "guid");
	char *guid = paths != NULL ? item_text(item, paths) : NULL, *link;
	struct cr_record *rec;

	paths = field_path(o, "link");
	link = paths != NULL ? item_text(item, paths) : NULL;
	*named = guid != NULL || link != NULL;
	free(link);
	if (!*named)
		return NULL;
	rec = cr->record(cr, guid);
	free(guid);
	for (size_t i = 1; i < NFIELDS; i++)
		if ((paths = field_path(o, fields[i].name)) != NULL)
			put_field(cr, rec, &fields[i], item, paths);
	put_extras(cr, rec, KIND_NUMBER, o->numbers, NULL, item);
	put_extras(cr, rec, KIND_NUMBER, p->numbers, o->numbers, item);
	put_extras(cr, rec, KIND_COUNTER, o->counters, NULL, item);
	put_extras(cr, rec, KIND_COUNTER, p->counters, o->counters, item);
	put_extras(cr, rec, KIND_EXTRA, o->extras, NULL, item);
	put_extras(cr, rec, KIND_EXTRA, p->extras, o->extras, item);
	return rec;
}

int
item_emit(struct cr *cr, const struct api_opts *o, const json_t *item)
{
	int named;
	struct cr_record *rec = item_record(cr, o, item, &named);

	if (named)
		cr->emit(cr, rec);
	return named;
}

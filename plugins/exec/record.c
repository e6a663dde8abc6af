/* The record that a line of JSON is: the fields by the names that our own JSON Lines give them, and
 * the usual other ones. */
#include "exec.h"
#include "json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of which members a record's fields are made; `record` and `id` are what our JSON Lines have. */
static const char *const fields[] = {
	"guid=guid|record|id", "link=link|url", "title=title", "title_html=title_html",
	"summary=summary", "summary_text=summary_text", "content=content|content_html",
	"content_text=content_text|text", "published=published|date", "updated=updated",
	"language=language|lang", "image=image", "comments=comments",
	"category=categories|category|tags", "author=authors|author",
	"contributor=contributors", "rights=rights", NULL
};
/* What else a line may have: read below, or ours and of no use here. */
static const char *const others[] = {
	"enclosures", "extras", "numbers", "counters", "schema", "source", "seen", "revision", "story",
	NULL
};

/* Whether one of the members in "field=member|member" goes by that name. */
static int
names(const char *field, const char *name)
{
	size_t len = strlen(name);
	const char *at;

	for (at = strchr(field, '='); at != NULL; at = strchr(at + 1, '|'))
		if (strncmp(at + 1, name, len) == 0 && (at[1 + len] == '|' || at[1 + len] == '\0'))
			return 1;
	return 0;
}

static int
known(const char *name)
{
	const char *const *at;

	for (at = fields; *at != NULL; at++)
		if (names(*at, name))
			return 1;
	for (at = others; *at != NULL; at++)
		if (strcmp(*at, name) == 0)
			return 1;
	return 0;
}

static void
put_extra(struct cr *cr, struct cr_record *rec, const char *name, const json_t *v)
{
	char *text = value_text(v);

	cr->set_extra(rec, name, text);
	free(text);
}

static void
put_number(struct cr *cr, struct cr_record *rec, const char *name, const json_t *v)
{
	double d;

	if (value_number(v, &d))
		cr->set_number(rec, name, d);
}

static void
put_counter(struct cr *cr, struct cr_record *rec, const char *name, const json_t *v)
{
	double d;

	if (value_number(v, &d) && d >= 0 && d < 9e15)
		cr->set_counter(rec, name, (int64_t)d);
}

static const struct {
	const char	*name;
	void		(*put)(struct cr *, struct cr_record *, const char *, const json_t *);
} maps[] = {
	{ "extras", put_extra }, { "numbers", put_number }, { "counters", put_counter },
};

static void
put_maps(struct cr *cr, struct cr_record *rec, json_t *item)
{
	const char *name;
	json_t *v;

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		json_object_foreach(json_object_get(item, maps[i].name), name, v)
			maps[i].put(cr, rec, name, v);
}

/* Each is a URL, or an object with url, type, size. */
static void
put_enclosures(struct cr *cr, struct cr_record *rec, const json_t *list)
{
	const json_t *v;
	double size;

	for (size_t i = 0; i < json_array_size(list) && i < API_LIST; i++) {
		v = json_array_get(list, i);
		if (!json_is_object(v))
			cr->set(rec, CR_ENCLOSURE, json_string_value(v));
		else
			cr->add_enclosure(rec, json_string_value(json_object_get(v, "url")),
			    json_string_value(json_object_get(v, "type")),
			    value_number(json_object_get(v, "size"), &size) && size >= 0 &&
			    size < 9e15 ? (int64_t)size : -1);
	}
}

/* Members that nothing is made of: most likely a name that was mistyped. */
static void
look_odd(json_t *item, char odd[EXEC_WHY])
{
	const char *name;
	size_t len = 0;
	json_t *v;

	odd[0] = '\0';
	json_object_foreach(item, name, v)
		if (!known(name) && len + EXEC_SHOWN < EXEC_WHY)
			len += (size_t)snprintf(odd + len, EXEC_WHY - len, "%s%.40s",
			    len > 0 ? ", " : "", name);
}

static int
emit(struct cr *cr, json_t *item, char why[EXEC_WHY])
{
	static const struct api_opts opts = { .fields = fields };
	struct cr_record *rec;
	int named;

	rec = item_record(cr, &opts, item, &named);
	if (!named) {
		snprintf(why, EXEC_WHY, "it has neither guid nor id nor link");
		return -1;
	}
	put_maps(cr, rec, item);
	put_enclosures(cr, rec, json_object_get(item, "enclosures"));
	if (cr->emit(cr, rec) == 0)
		return 0;
	snprintf(why, EXEC_WHY, "the record was refused");
	return -1;
}

/* Where a complaint of jansson's begins to quote the line, which may hold a secret. */
static size_t
near(const char *text)
{
	const char *at = strstr(text, " near ");

	return at != NULL ? (size_t)(at - text) : strlen(text);
}

int
line_emit(struct cr *cr, const char *line, size_t len, char why[EXEC_WHY], char odd[EXEC_WHY])
{
	struct loaded l = { .text = line, .len = len };
	json_t *item = load_text(cr, "", &l);
	int rc = -1;

	odd[0] = '\0';
	if (item == NULL) {
		snprintf(why, EXEC_WHY, "it is no JSON: %.*s", (int)near(l.error.text), l.error.text);
	} else if (!json_is_object(item)) {
		snprintf(why, EXEC_WHY, "it is no object");
	} else {
		rc = emit(cr, item, why);
		look_odd(item, odd);
	}
	if (rc == 0 && l.bad > 0)
		cr->log(cr, "%zu bytes of a line were no UTF-8 and are replaced", l.bad);
	json_decref(item);
	return rc;
}

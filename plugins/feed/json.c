/* JSON Feed 1.0 and 1.1: https://www.jsonfeed.org/version/1.1/ */
#include "feed.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

static const char *
text(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL && *s != '\0' ? s : NULL;
}

/* Members that become fields as they are. */
struct member {
	const char	*name;
	int		 field;
};
static const struct member item_members[] = {
	{ "title", CR_TITLE }, { "summary", CR_SUMMARY_TEXT },
	{ "content_text", CR_CONTENT_TEXT }, { "content_html", CR_CONTENT },
	{ "banner_image", CR_IMAGE }, { "image", CR_IMAGE }, { "date_published", CR_PUBLISHED },
	{ "date_modified", CR_UPDATED }, { "language", CR_LANGUAGE }, { NULL, 0 },
};
static const struct member feed_members[] = {
	{ "title", CR_TITLE }, { "home_page_url", CR_LINK }, { "description", CR_SUMMARY_TEXT },
	{ "favicon", CR_IMAGE }, { "icon", CR_IMAGE }, { "language", CR_LANGUAGE }, { NULL, 0 },
};

static void
put_members(struct cr *cr, struct cr_record *rec, const json_t *object, const struct member *m)
{
	for (; m->name != NULL; m++)
		cr->set(rec, m->field, text(object, m->name));
}

static void
put_author(struct cr *cr, struct cr_record *rec, const json_t *author)
{
	if (json_is_object(author) && (text(author, "name") != NULL || text(author, "url") != NULL))
		cr->add_author(rec, text(author, "name"), NULL, text(author, "url"));
	else if (json_is_string(author))
		cr->set(rec, CR_AUTHOR, json_string_value(author));
}

/* 1.1 has a list, 1.0 had one. */
static void
put_authors(struct cr *cr, struct cr_record *rec, const json_t *object)
{
	const json_t *authors = json_object_get(object, "authors"), *author;
	size_t i;

	if (json_array_size(authors) == 0) {
		put_author(cr, rec, json_is_object(authors) ? authors :
		    json_object_get(object, "author"));
		return;
	}
	json_array_foreach(authors, i, author)
		if (i < FEED_LIST_MAX)
			put_author(cr, rec, author);
}

static int
has_authors(const json_t *object)
{
	return json_array_size(json_object_get(object, "authors")) > 0 ||
	    json_is_object(json_object_get(object, "authors")) ||
	    json_object_get(object, "author") != NULL;
}

static void
put_tags(struct cr *cr, struct cr_record *rec, const json_t *tags)
{
	const json_t *tag;
	size_t i;

	json_array_foreach(tags, i, tag)
		if (i < FEED_LIST_MAX)
			cr->set(rec, CR_CATEGORY, json_string_value(tag));
}

static void
put_attachments(struct cr *cr, struct cr_record *rec, const json_t *list)
{
	const json_t *one, *size;
	size_t i;

	json_array_foreach(list, i, one) {
		if (i == FEED_LIST_MAX)
			return;
		size = json_object_get(one, "size_in_bytes");
		if (text(one, "url") != NULL)
			cr->add_enclosure(rec, text(one, "url"), text(one, "mime_type"),
			    json_is_number(size) && json_number_value(size) >= 0 &&
			    json_number_value(size) < 9e15 ? (int64_t)json_number_value(size) : -1);
	}
}

/* Numbers of extensions: {"_name": {"comments": 3}}. */
static void
put_extension(struct cr *cr, struct cr_record *rec, const json_t *object)
{
	static const char *const counters[] = { "comments", "votes", "likes", "views", "points" };
	const json_t *n;
	size_t i;

	for (i = 0; i < sizeof(counters) / sizeof(*counters); i++) {
		n = json_object_get(object, counters[i]);
		if (json_is_integer(n) && json_integer_value(n) >= 0)
			cr->set_counter(rec, counters[i], json_integer_value(n));
	}
}

/* The id is a string by the specification; some give a number, or none. */
static const char *
id_of(const json_t *item, char *out, size_t size)
{
	const json_t *id = json_object_get(item, "id");

	if (!json_is_number(id))
		return text(item, "id") != NULL ? text(item, "id") : CR_BY_TITLE;
	if (json_is_integer(id))
		snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
	else
		snprintf(out, size, "%.17g", json_real_value(id));
	return out;
}

/* Its page, else the one that it speaks of, else its id where that is an address. */
static void
put_link(struct cr *cr, struct cr_record *rec, const json_t *item)
{
	const char *url = text(item, "url"), *id = text(item, "id");

	if (url == NULL)
		url = text(item, "external_url");
	if (url == NULL && id != NULL && (strncasecmp(id, "http://", 7) == 0 ||
	    strncasecmp(id, "https://", 8) == 0))
		url = id;
	cr->set(rec, CR_LINK, url);
}

static void
put_address(struct cr *cr, struct cr_record *rec, const char *name, const char *url)
{
	if (text_is_web(url))
		cr->set_extra(rec, name, url);
}

static void
put_item(struct cr *cr, const json_t *feed, const json_t *item)
{
	const char *key, *url = text(item, "url");
	const json_t *value;
	struct cr_record *rec;
	char id[64];

	rec = cr->record(cr, id_of(item, id, sizeof(id)));
	put_link(cr, rec, item);
	if (url != NULL)
		put_address(cr, rec, "external_url", text(item, "external_url"));
	put_members(cr, rec, item, item_members);
	put_authors(cr, rec, has_authors(item) ? item : feed);
	put_tags(cr, rec, json_object_get(item, "tags"));
	put_attachments(cr, rec, json_object_get(item, "attachments"));
	json_object_foreach((json_t *)(uintptr_t)item, key, value)
		if (key[0] == '_' && json_is_object(value))
			put_extension(cr, rec, value);
	cr->emit(cr, rec);
}

static void
put_feed(struct cr *cr, const json_t *doc, const struct decoded *d)
{
	struct cr_record *rec = cr->feed(cr);
	const json_t *hubs = json_object_get(doc, "hubs");

	cr->set_extra(rec, "format", "json");
	cr->set_extra(rec, "encoding", d->name);
	cr->set_extra(rec, "encoding-why", d->why);
	cr->set_extra(rec, "wellformed", "yes");
	put_members(cr, rec, doc, feed_members);
	put_authors(cr, rec, doc);
	cr->set_extra(rec, "id", text(doc, "feed_url"));
	put_address(cr, rec, "self", text(doc, "feed_url"));
	put_address(cr, rec, "next", text(doc, "next_url"));
	put_address(cr, rec, "hub", text(json_array_get(hubs, 0), "url"));
}

/* Names what the document has instead. */
static void
no_items(struct cr *cr, json_t *doc)
{
	char names[200] = "";
	const char *name;
	json_t *value;
	size_t len = 0;

	json_object_foreach(doc, name, value)
		if (len + strlen(name) + 3 < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, ", %s", name);
	cr->fail(cr, CR_BAD_DATA, "JSON, but no JSON Feed: it has no list of items%s%s",
	    len > 0 ? ", but " : "", len > 0 ? names + 2 : "");
}

int
json_feed(struct cr *cr, const struct feed_opts *opts, const char *s, size_t len,
    const struct decoded *d)
{
	json_error_t why;
	json_t *doc = json_loadb(s, len, 0, &why), *items, *item;
	size_t given = 0, i;

	if (doc == NULL)
		return cr->fail(cr, CR_BAD_DATA, "not JSON at line %d: %s", why.line, why.text);
	items = json_object_get(doc, "items");
	if (!json_is_array(items)) {
		no_items(cr, doc);
		json_decref(doc);
		return -1;
	}
	json_array_foreach(items, i, item) {
		if ((int64_t)i == opts->entries) {
			cr->partial(cr,
			    "%zu entries beyond the first %zu left out (option entries)",
			    json_array_size(items) - i, i);
			break;
		}
		if (!json_is_object(item))
			continue;
		put_item(cr, doc, item);
		given++;
	}
	if (given == 0 && json_array_size(items) > 0)
		cr->partial(cr, "no entry: none of %zu items is an object", json_array_size(items));
	put_feed(cr, doc, d);
	json_decref(doc);
	return 0;
}

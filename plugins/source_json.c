/* source_json: records of any API that answers in JSON, by paths that the configuration names. */
#include "json/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX		512		/* bytes of a complaint */
#define KEYS_SHOWN	12		/* names that a complaint lists */
#define BEGIN_SHOWN	60		/* bytes of what a document begins with */

static const struct cr_option options[] = {
	CR_OPTION(struct api_opts, counters, LIST, "", NULL,
	    "numbers that rise, such as votes: their paths by name"),
	CR_OPTION(struct api_opts, entries, INT, "10000", "1..1000000",
	    "items taken of one document"),
	CR_OPTION(struct api_opts, extras, LIST, "", NULL, "further texts: their paths by name"),
	CR_OPTION(struct api_opts, fields, LIST, "", NULL,
	    "paths by field of the record; or templates with {PATH}"),
	CR_OPTION(struct api_opts, first, INT, "-1", "-1..1000000",
	    "number of the first page, when pages are counted; -1: the preset's, or 1"),
	CR_OPTION(struct api_opts, items, STRING, "", NULL,
	    "path of the list; . is the document"),
	CR_OPTION(struct api_opts, next, STRING, "", NULL,
	    "the following page: link, page, offset, or the path of a URL or cursor"),
	CR_OPTION(struct api_opts, next_param, STRING, "", NULL,
	    "parameter of the URL that takes the cursor or number"),
	CR_OPTION(struct api_opts, numbers, LIST, "", NULL, "numbers: their paths by name"),
	CR_OPTION(struct api_opts, preset, ENUM, "any", PRESETS,
	    "whose names to begin with; what is configured goes before"),
	CR_END
};

/* ---- The document ---- */

static int
not_json(struct cr *cr, const char *s, size_t len, const json_error_t *e)
{
	int shown = (int)strcspn(s, "\r\n");

	if (len == 0)
		return cr->fail(cr, CR_BAD_DATA, "the document is empty");
	if (e->line == -1)		/* it is jansson that has no more to say */
		return cr->fail(cr, CR_BAD_DATA, "%zu bytes of JSON take more memory than a worker "
		    "has: raise worker_memory, or ask for smaller pages", len);
	return cr->fail(cr, CR_BAD_DATA, "no JSON: line %d: %s; the document begins \"%.*s\"",
	    e->line, e->text, shown < BEGIN_SHOWN ? shown : BEGIN_SHOWN, s);
}

/* The document; NULL: fail() was called. Freed by the caller. */
static json_t *
load(struct cr *cr, const struct cr_page *page)
{
	struct loaded l = { .text = page->body, .len = page->len };
	json_t *doc = load_text(cr, page->charset, &l);

	if (doc != NULL && l.bad > 0)
		cr->partial(cr, "%zu bytes that are not in the document's encoding were replaced",
		    l.bad);
	if (doc != NULL && l.mended)
		cr->partial(cr, "mended, being no JSON: line %d: %s", l.error.line, l.error.text);
	if (doc == NULL)
		not_json(cr, l.text, l.len, &l.error);
	return doc;
}

/* ---- Errors in place of items ---- */

/* {"status": "error"}, {"ok": false} and the like. */
static int
says_failed(const json_t *doc)
{
	static const char *const words[] = { "error", "err", "fail", "failed", "failure" };
	const char *status = json_string_value(json_object_get(doc, "status"));
	int failed = json_is_false(json_object_get(doc, "ok")) ||
	    json_is_false(json_object_get(doc, "success"));

	for (size_t i = 0; status != NULL && i < sizeof(words) / sizeof(*words); i++)
		failed |= strcasecmp(status, words[i]) == 0;
	return failed;
}

/* What is told of it in words. NULL: nothing. */
static const json_t *
message_of(const json_t *doc)
{
	static const char *const names[] = { "message", "msg", "detail", "reason" };
	const json_t *v = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !json_is_string(v); i++)
		v = json_object_get(doc, names[i]);
	return json_is_string(v) ? v : NULL;
}

/* What an API says went wrong, with status 200 all the same. Freed by the caller; or NULL. */
static char *
said_error(const json_t *doc)
{
	static const char *const errors[] = { "error.message", "error.error_description",
		"errors.message", "error_description", "error", "errors", "fault.faultstring" };
	char *text = NULL;
	const json_t *v;
	struct found f;

	if (!json_is_object(doc))
		return NULL;
	if (says_failed(doc))
		text = value_text(message_of(doc));
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors) && text == NULL; i++) {
		path_find(&f, doc, errors[i]);
		v = f.n > 0 ? f.v[0] : NULL;
		if (v != NULL && !json_is_false(v) && !(json_is_integer(v) &&
		    json_integer_value(v) == 0) && !(json_is_object(v) && json_object_size(v) == 0))
			text = value_text(v);
	}
	return text;
}

/* The names that an object has, for whoever looks for the right path. */
static void
keys(char *out, size_t size, const json_t *doc)
{
	const char *key;
	json_t *v;
	size_t len = 0, n = 0;

	snprintf(out, size, "it is no object");
	json_object_foreach((json_t *)(uintptr_t)doc, key, v)
		if (n < KEYS_SHOWN && len + 40 < size)
			len += (size_t)snprintf(out + len, size - len, "%s%.30s",
			    n++ > 0 ? ", " : "there are ", key);
	if (json_is_object(doc) && n == 0)
		snprintf(out, size, "the object is empty");
}

static int
no_items(struct cr *cr, const json_t *doc, const char *path)
{
	char *error = said_error(doc), there[WHY_MAX];
	const char *message = json_string_value(message_of(doc));

	if (error != NULL || message != NULL) {
		cr->fail(cr, CR_BAD_DATA, "the API answers with an error: %.300s",
		    error != NULL ? error : message);
		free(error);
		return -1;
	}
	keys(there, sizeof(there), doc);
	return cr->fail(cr, CR_BAD_DATA, "items: nothing at \"%s\" of the document: %s", path,
	    there);
}

/* ---- Items ---- */

static int
emit_all(struct cr *cr, const struct api_opts *o, const struct cr_page *page, const json_t *doc,
    const json_t *items)
{
	size_t n = json_is_array(items) ? json_array_size(items) : 1, i, lost = 0, at = 0;
	const json_t *item;

	for (i = 0; i < n && i < (size_t)o->entries; i++) {
		item = json_is_array(items) ? json_array_get(items, i) : items;
		if (!item_emit(cr, o, item) && lost++ == 0)
			at = i;
	}
	if (i > 0 && lost == i)
		return cr->fail(cr, CR_BAD_DATA, "fields: none of %zu items has a guid or link "
		    "where these are looked for; see fields", i);
	if (lost > 0)
		cr->partial(cr, "%zu items have neither guid nor link, first number %zu", lost,
		    at + 1);
	if (n > (size_t)o->entries)
		cr->partial(cr, "%zu items beyond the first %lld left out (option entries)",
		    n - (size_t)o->entries, (long long)o->entries);
	next_ask(cr, o, page, doc, n);
	return 0;
}

static int
document(struct cr *cr, const struct api_opts *o, const struct cr_page *page, const json_t *doc)
{
	const char *preset = presets[o->preset].items;
	const char *path = o->items != NULL ? o->items : preset != NULL ? preset : ".";
	const json_t *items = path_one(doc, path);
	char *error = said_error(doc);
	int rc;

	if ((items == NULL || !(json_is_array(items) || json_is_object(items)) ||
	    (error != NULL && (items == doc || json_array_size(items) == 0)))) {
		rc = no_items(cr, doc, path);
	} else if (items == doc && json_is_object(doc) && json_object_size(doc) <= 3 &&
	    json_object_get(doc, "message") != NULL) {
		rc = no_items(cr, doc, path);
	} else {
		if (error != NULL)
			cr->partial(cr, "the API tells of an error: %.300s", error);
		rc = emit_all(cr, o, page, doc, items);
	}
	free(error);
	return rc;
}

static int
json_parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	char why[WHY_MAX];
	json_t *doc;
	int rc;

	if (item_check(opts, why, sizeof(why)) == -1)
		return cr->fail(cr, CR_BAD_DATA, "%s", why);
	if ((doc = load(cr, page)) == NULL)
		return -1;
	cr->set_extra(cr->feed(cr), "format", "json");
	rc = document(cr, opts, page, doc);
	json_decref(doc);
	return rc;
}

static int
json_check(struct cr *cr, const void *opts)
{
	char why[WHY_MAX];

	return item_check(opts, why, sizeof(why)) == -1 ?
	    cr->fail(cr, CR_BAD_OPTION, "%s", why) : 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "json", .version = "1",
	.help = "items of an API that answers in JSON, by paths; presets for some",
	.options = options, .options_size = sizeof(struct api_opts),
	.url = "preset=github-advisories https://api.github.com/advisories?per_page=100 "
	    "preset=github-releases https://api.github.com/repos/{each}/releases?per_page=100 "
	    "preset=hacker-news https://hn.algolia.com/api/v1/search?tags=front_page&hitsPerPage=50 "
	    "preset=huggingface-daily-papers https://huggingface.co/api/daily_papers",
	.headers = "Accept: application/json, */*;q=0.1\n",
	.check = json_check, .parse = json_parse,
};

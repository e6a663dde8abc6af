/* What is told as JSON by more than one program. */
#include "told.h"
#include "date.h"
#include "mem.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

json_t *
text_of(const char *text)
{
	struct buf b;
	json_t *s;

	if ((s = json_string(text)) != NULL)
		return s;
	buf_init(&b, 4 * strlen(text));
	(void)text_utf8(&b, text, strlen(text));
	s = json_string(b.data != NULL ? b.data : "");
	buf_free(&b);
	return s;
}

void
set_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(o, name, text_of(text));
}

void
set_number(json_t *o, const char *name, int64_t n)
{
	json_object_set_new(o, name, json_integer(n));
}

void
set_time(json_t *o, const char *name, int64_t ms)
{
	char text[DATE_MAX];

	if (ms > 0 && ms < INT64_MAX)
		json_object_set_new(o, name, json_string(date_rfc3339(text, ms)));
}

/* ---- Plugins ---- */

struct word { uint32_t bit; const char *text; };

static const struct word roles[] = {
	{ DOES_PARSE, "parse" }, { DOES_STREAM, "stream" }, { DOES_FILTER, "filter" },
	{ DOES_DELIVER, "deliver" }, { DOES_CHECK, "check" }, { DOES_PLAN, "plan" },
	{ DOES_REQUEST, "request" }, { 0, NULL }
};
static const struct word wants[] = {
	{ CR_HTTP, "http" }, { CR_NETWORK, "network" }, { CR_FILES, "files" }, { CR_EXEC, "exec" },
	{ CR_SECRETS, "secrets" }, { 0, NULL }
};
static const struct word takes[] = {
	{ CR_BATCH_RECORDS, "records" }, { CR_BATCH_LIST, "list" }, { 0, NULL }
};

static json_t *
words(const struct word *w, uint32_t bits)
{
	json_t *list = json_array();

	for (; w->text != NULL; w++)
		if ((bits & w->bit) != 0)
			json_array_append_new(list, json_string(w->text));
	return list;
}

/* What it wants: true when the operator lets it have that; null when that is not known. */
static json_t *
wants_json(const struct plugin *p, const struct setup *s)
{
	uint32_t grants = s != NULL ? setup_grants(s, p) : 0;
	json_t *o = json_object();

	for (const struct word *w = wants; w->text != NULL; w++)
		if (((uint32_t)p->wants & w->bit) != 0)
			json_object_set_new(o, w->text, s == NULL ? json_null() :
			    json_boolean((grants & w->bit) != 0));
	return o;
}

static json_t *
option_json(const struct cr_option *option)
{
	json_t *o = json_object();

	set_text(o, "name", option->name);
	set_text(o, "type", option_type_name(option->type));
	if (option->value != NULL)
		json_object_set_new(o, "default", text_of(option->value));
	else
		json_object_set_new(o, "required", json_true());
	set_text(o, "range", option->range);
	set_text(o, "help", option->help);
	return o;
}

/* Members that a refused one has not. */
static void
told_contract(json_t *o, const struct plugin *p, const struct setup *s)
{
	json_t *options = json_array(), *brings = json_array();
	char version[16];

	set_text(o, "version", p->version);
	set_text(o, "help", p->help);
	snprintf(version, sizeof(version), "1.%d", p->minor);
	set_text(o, "abi", version);
	snprintf(version, sizeof(version), "1.%d", p->needs);
	set_text(o, "needs", version);
	json_object_set_new(o, "roles", words(roles, p->does));
	if ((p->does & DOES_DELIVER) != 0)
		json_object_set_new(o, "takes", words(takes, p->takes != 0 ? (uint32_t)p->takes :
		    CR_BATCH_RECORDS));
	json_object_set_new(o, "wants", wants_json(p, s));
	for (size_t i = 0; i < p->noptions; i++)
		json_array_append_new(options, option_json(&p->options[i]));
	json_object_set_new(o, "options", options);
	for (size_t i = 0; i < p->ndefaults; i++)
		json_array_append_new(brings, text_of(p->defaults[i].name));
	json_object_set_new(o, "brings", brings);
}

json_t *
told_plugin(const struct plugin *p, const struct setup *s)
{
	json_t *o = json_object();

	set_text(o, "name", p->name);
	set_text(o, "kind", p->kind);
	set_text(o, "file", p->file);
	set_text(o, "hash", p->hash);
	set_text(o, "state", p->error == NULL ? "good" : p->removed ? "removed" : "refused");
	set_text(o, "reason", p->error);
	if (p->error == NULL)
		told_contract(o, p, s);
	return o;
}

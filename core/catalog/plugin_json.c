/* A plugin's description as JSON. */
#include "plugin_json.h"
#include "option.h"
#include "plugin.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

struct word { uint32_t bit; const char *text; };

static const struct word roles[] = {
	{ DOES_PARSE, "parse" }, { DOES_STREAM, "stream" }, { DOES_FILTER, "filter" },
	{ DOES_DELIVER, "deliver" }, { DOES_CHECK, "check" }, { DOES_PLAN, "plan" },
	{ DOES_REQUEST, "request" }, { 0, NULL }
};
static const struct word wants[] = {
	{ CR_HTTP, "http" }, { CR_NETWORK, "network" }, { CR_FILES, "files" }, { CR_EXEC, "exec" },
	{ CR_SECRETS, "secrets" }, { CR_MAIL, "mail" }, { 0, NULL }
};
static const struct word takes[] = {
	{ CR_BATCH_RECORDS, "records" }, { CR_BATCH_LIST, "list" },
	{ CR_BATCH_EDITION, "editions" }, { CR_BATCH_LETTER, "letters" },
	{ CR_BATCH_ARCHIVE, "the archive" }, { 0, NULL }
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

/* The grants that the plugin wants: true if the operator gave it, null if that is not known. */
static json_t *
wants_json(const struct plugin *p, const uint32_t *granted)
{
	uint32_t grants = granted != NULL ? *granted : 0;
	json_t *o = json_object();

	for (const struct word *w = wants; w->text != NULL; w++)
		if (((uint32_t)p->wants & w->bit) != 0)
			json_object_set_new(o, w->text, granted == NULL ? json_null() :
			    json_boolean((grants & w->bit) != 0));
	return o;
}

static json_t *
option_json(const struct cr_option *option)
{
	json_t *o = json_object();

	json_set_text(o, "name", option->name);
	json_set_text(o, "type", option_type_name(option->type));
	if (option->value != NULL)
		json_object_set_new(o, "default", json_text(option->value));
	else
		json_object_set_new(o, "required", json_true());
	json_set_text(o, "range", option->range);
	json_set_text(o, "help", option->help);
	return o;
}

/* Members that a refused plugin lacks. */
static void
contract_json(json_t *o, const struct plugin *p, const uint32_t *granted)
{
	json_t *options = json_array(), *brings = json_array();
	char version[16];

	json_set_text(o, "version", p->version);
	json_set_text(o, "help", p->help);
	snprintf(version, sizeof(version), "1.%d", p->minor);
	json_set_text(o, "abi", version);
	snprintf(version, sizeof(version), "1.%d", p->needs);
	json_set_text(o, "needs", version);
	json_object_set_new(o, "roles", words(roles, p->does));
	if ((p->does & DOES_DELIVER) != 0)
		json_object_set_new(o, "takes", words(takes, p->takes != 0 ? (uint32_t)p->takes :
		    CR_BATCH_RECORDS));
	json_object_set_new(o, "wants", wants_json(p, granted));
	for (size_t i = 0; i < p->noptions; i++)
		json_array_append_new(options, option_json(&p->options[i]));
	json_object_set_new(o, "options", options);
	for (size_t i = 0; i < p->ndefaults; i++)
		json_array_append_new(brings, json_text(p->defaults[i].name));
	json_object_set_new(o, "brings", brings);
}

json_t *
plugin_json(const struct plugin *p, const uint32_t *granted)
{
	json_t *o = json_object();

	json_set_text(o, "name", p->name);
	json_set_text(o, "kind", p->kind);
	json_set_text(o, "file", p->file);
	json_set_text(o, "hash", p->hash);
	json_set_text(o, "state", p->error == NULL ? "good" : p->removed ? "removed" : "refused");
	json_set_text(o, "reason", p->error);
	if (p->error == NULL)
		contract_json(o, p, granted);
	return o;
}

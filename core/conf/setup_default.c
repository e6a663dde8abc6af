/* Reads the sources that plugins bring. */
#include "setup_default.h"
#include "brought.h"
#include "setup_check.h"
#include "setup_instance.h"
#include "setup_source.h"
#include "setup_value.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REASONS_BYTES	1024

/* Whether one of the plugin's own URLs, which stand between spaces, is a file. */
static int
url_is_file(const char *urls)
{
	for (; urls != NULL && *urls != '\0'; urls += strcspn(urls, " ")) {
		urls += strspn(urls, " ");
		if (strncasecmp(urls, "file:", 5) == 0)
			return 1;
	}
	return 0;
}

int
defaults_fit(const struct plugin *p, struct buf *why)
{
	struct buf one;
	struct node *tree;
	int rc = 0;

	if (url_is_file(p->url)) {
		buf_str(why, "its url: a plugin's own has to be http:// or https://");
		return -1;
	}

	buf_init(&one, REASONS_BYTES);
	for (size_t i = 0; i < p->ndefaults; i++) {
		buf_clear(&one);
		if (brought_parse(p, i, source_own, &tree, &one) == -1) {
			buf_fmt(why, "%s%s", rc == -1 ? "; " : "", one.data);
			rc = -1;
		}
		conf_free(tree);
	}
	buf_free(&one);
	return rc;
}

static int
autostarts(const struct setup_reader *r, const struct plugin *p)
{
	const struct preset *preset = preset_find(r, "source", p->name);
	const char *said = preset != NULL ? options_get(&preset->start, "autostart") : NULL;

	return (p->error == NULL || p->removed) && strcmp(p->kind, "source") == 0 &&
	    catalog_find(r->catalog, "source", p->name) == p &&
	    (said == NULL || option_bool(said) != 0);
}

/* Adds a mistake if a secret that `defaults` gives to the plugin would go where the default source says,
 * which is where the plugin's author says: secrets are given for the plugin's own url. */
static void
default_secrets(struct setup_reader *r, const struct plugin *p, const struct node *tree)
{
	const struct preset *preset = preset_find(r, "source", p->name);
	const char *leads = brought_leads(p, tree), *value;

	for (const struct cr_option *o = p->options; preset != NULL && leads != NULL && o != NULL &&
	    o->name != NULL; o++) {
		value = o->type == CR_SECRET ? options_get(&preset->instance.options, o->name) : NULL;
		if (value == NULL || *value == '\0' || conf_get(tree, o->name) != NULL)
			continue;
		wrong(r, 1, "%s: `defaults` of source_%s has the secret %s, which would go where the "
		    "plugin says; configure such a source yourself", leads, p->name, o->name);
		return;
	}
}

/* Reads a default source, as brought_parse() took it from the descriptor. Mistakes in it are the
 * plugin's: they are logged, the source is left out, and the configuration stays valid. */
static void
default_read(struct setup_reader *r, const struct plugin *p, const char *name, struct node *tree)
{
	struct mistakes *mistakes = r->mistakes, own;
	size_t had = r->setup->nsources, checks = r->setup->nchecks;
	struct node plugin = { .kind = CONF_SCALAR, .line = 1 },
		    map = { .kind = CONF_MAP, .line = 1 };
	const char *file = r->file;

	mistakes_init(&own);
	r->mistakes = &own;
	r->file = text_copy(r, p->file);
	r->brought = 1;
	map.key = text_copy(r, name);
	plugin.key = text_copy(r, "plugin");
	plugin.text = text_copy(r, p->name);
	plugin.next = tree->child;
	map.child = &plugin;
	source_read(r, &map);
	default_secrets(r, p, tree);
	r->where[0] = '\0';
	r->brought = 0;
	r->mistakes = mistakes;
	r->file = file;
	if (own.n > 0) {
		log_warn("the source %s that plugin source_%s brings cannot start: %.*s", name,
		    p->name, (int)strcspn(own.text.data, "\n"), own.text.data);
		r->setup->nsources = had;
		checks_drop(r->setup, checks);
	}
	mistakes_free(&own);
}

/* Who has the name of a default source already, so that it is left out: other than by the operator's
 * sources and groups, who may take its place. NULL: nobody. */
static const char *
name_taken(const struct setup_reader *r, const char *name)
{
	const struct setup *s = r->setup;
	uint32_t place;

	if (r->routes != NULL && conf_get(r->routes, name) != NULL)
		return "a route has that name";
	if (source_find(r, name, &place))
		return "another plugin has brought a source of that name";
	for (size_t i = 0; i < s->nsources; i++)
		if (s->sources[i].was != NULL && strcmp(s->sources[i].was, name) == 0)
			return "a source of the configuration was called so";
	return NULL;
}

static void
defaults_of(struct setup_reader *r, const struct plugin *p)
{
	size_t had = r->setup->nsources;
	const char *name, *taken;
	struct node *tree;
	struct buf why;

	buf_init(&why, REASONS_BYTES);
	for (size_t i = 0; i < p->ndefaults; i++) {
		name = p->defaults[i].name;
		buf_clear(&why);
		if (brought_parse(p, i, source_own, &tree, &why) == -1)
			log_warn("%s: %s", p->file, why.data);
		else if (r->named != NULL && conf_get(r->named, name) != NULL)
			log_debug("the configuration has a source %s of its own", name);
		else if ((taken = name_taken(r, name)) != NULL)
			log_warn("%s: default source %s: left out: %s", p->file, name, taken);
		else
			default_read(r, p, name, tree);
		conf_free(tree);
		if (r->setup->nsources > had) {
			had = r->setup->nsources;
			sources_sort(r);
		}
	}
	buf_free(&why);
}

/* The plugins whose default sources start, the one that was there first first; returns how many. A later
 * one does not take the names of an earlier one's sources. */
static size_t
by_age(const struct setup_reader *r, const struct plugin **v)
{
	const struct plugin *p;
	size_t n = 0, at;

	for (size_t i = 0; i < catalog_count(r->catalog); i++) {
		p = catalog_at(r->catalog, i);
		if (p->ndefaults == 0 || !autostarts(r, p))
			continue;
		for (at = n++; at > 0 && v[at - 1]->since > p->since; at--)
			v[at] = v[at - 1];
		v[at] = p;
	}
	return n;
}

void
defaults_read(struct setup_reader *r)
{
	const struct plugin *v[CATALOG_MAX];
	struct setup *s = r->setup;
	size_t n = r->catalog != NULL ? by_age(r, v) : 0;

	for (size_t i = 0; i < n; i++)
		defaults_of(r, v[i]);
	if (s->nsources > 0)
		s->sources = xreallocarray(s->sources, s->nsources, sizeof(*s->sources));
	r->room = s->nsources;
}

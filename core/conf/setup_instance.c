/* Reads instances: finds the plugin, adds `defaults` to the options, moves secrets out of them. */
#include "setup_instance.h"
#include "setup_check.h"
#include "setup_value.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/url.h"
#include "catalog/plugin.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum meant { MEANT_BOTH, MEANT_DAEMON, MEANT_PLUGIN };

static void
values_copy(struct option_value **to, const struct option_value *v, size_t n)
{
	*to = n > 0 ? xcalloc(n, sizeof(**to)) : NULL;
	for (size_t i = 0; i < n; i++)
		(*to)[i] = (struct option_value){ xstrdup(v[i].name), xstrdup(v[i].value) };
}

struct instance
instance_copy(const struct instance *in)
{
	struct instance copy = *in;

	copy.asked = 0;
	copy.options = (struct options){ 0 };
	for (size_t i = 0; i < in->options.n; i++)
		options_add(&copy.options, in->options.v[i].name, in->options.v[i].value);
	values_copy(&copy.secrets, in->secrets, in->nsecrets);
	values_copy(&copy.logins, in->logins, in->nlogins);
	return copy;
}

/* ---- Users and passwords in URLs ---- */

/* Stores the user and password in a URL for its origin. 1; 0: the URL has none. */
static int
instance_take_login(struct instance *in, const char *url)
{
	struct buf login, bare;
	int has;

	buf_init(&login, URL_MAX);
	buf_init(&bare, URL_MAX);
	has = login_of(url, &login) && url_resolve(&bare, NULL, url) == 0;
	if (has)
		instance_add_login(in, bare.data, login.len > 0 ? login.data : "");
	if (login.data != NULL)
		explicit_bzero(login.data, login.len);
	buf_free(&login);
	buf_free(&bare);
	return has;
}

/* Replaces HTTP URLs among the options by the URIs to request, without user and password. */
static void
instance_urls(struct instance *in)
{
	const struct cr_option *o;
	struct option_value *v;
	struct buf url;

	for (v = in->options.v; v < in->options.v + in->options.n; v++) {
		o = option_find(plugin_options(in), v->name);
		if (o == NULL || o->type != CR_URL || strncasecmp(v->value, "http", 4) != 0 ||
		    strstr(v->value, "{each}") != NULL)
			continue;
		buf_init(&url, URL_MAX);
		if (url_resolve(&url, NULL, v->value) == 0) {
			in->inline_secret |= instance_take_login(in, v->value);
			explicit_bzero(v->value, strlen(v->value));
			free(v->value);
			v->value = xstrdup(url.data);
		}
		buf_free(&url);
	}
}

/* That the catalog has no such plugin, and the nearest that it has; freed by the caller. */
static char *
why_missing(const struct catalog *catalog, const char *kind, const char *name)
{
	const char *names[CATALOG_MAX], *near;
	const struct plugin *p;
	size_t i, n = 0;

	for (i = 0; i < catalog_count(catalog); i++) {
		p = catalog_at(catalog, i);
		if (p->error == NULL && strcmp(p->kind, kind) == 0 && n < CATALOG_MAX)
			names[n++] = p->name;
	}
	near = option_nearest(name, names, n);
	return xasprintf("waiting for plugin %s_%s: there is none in the plugin folders%s%s%s", kind,
	    name, near != NULL ? ", did you mean `" : "", near != NULL ? near : "",
	    near != NULL ? "`?" : "");
}

void
attempt_begin(struct setup_reader *r, struct attempt *a)
{
	a->mistakes = NULL;
	a->nchecks = r->setup->nchecks;
	if (!r->setup->again || r->held != NULL)
		return;
	a->mistakes = r->mistakes;
	memcpy(a->where, r->where, sizeof(a->where));
	mistakes_init(&a->own);
	r->mistakes = &a->own;
}

int
attempt_failed(struct setup_reader *r, struct attempt *a)
{
	char *why;

	if (a->mistakes == NULL)
		return 0;
	r->mistakes = a->mistakes;
	if (a->own.n > 0) {
		why = xasprintf("it does not take what is configured: %.*s",
		    (int)strcspn(a->own.text.data, "\n"), a->own.text.data);
		r->held = text_copy(r, why);
		checks_drop(r->setup, a->nchecks);
		free(why);
		memcpy(r->where, a->where, sizeof(r->where));
	}
	mistakes_free(&a->own);
	return r->held != NULL;
}

/* Why instances have to wait though the plugin exists; or NULL. */
static const char *
held_back(const struct setup_reader *r, const char *kind, const char *name)
{
	const struct preset *preset = preset_find(r, kind, name);

	return r->held != NULL ? r->held : preset != NULL ? preset->held : NULL;
}

void
instance_begin(struct setup_reader *r, struct instance *in, const char *kind, const char *name, int line)
{
	const struct plugin *p = NULL;
	char *why;

	*in = (struct instance){ .name = text_copy(r, name), .line = line };
	if (!plugin_is_name(name))
		wrong(r, line, "`%s` is no name of a plugin: they are of a-z, 0-9 and _", name);
	if (r->catalog == NULL) {
		in->waiting = text_copy(r, "waiting for plugins to be looked for");
		return;
	}
	p = catalog_find(r->catalog, kind, name);
	if (p != NULL && p->error == NULL && held_back(r, kind, name) == NULL) {
		in->plugin = p;
		return;
	}
	if (p != NULL)
		why = xasprintf("waiting for plugin %s_%s: %s", kind, name,
		    p->error != NULL ? p->error : held_back(r, kind, name));
	else
		why = why_missing(r->catalog, kind, name);
	in->waiting = text_copy(r, why);
	free(why);
}

/* Adds to `to` the options of `from` that it lacks. */
static void
options_default(struct options *to, const struct options *from)
{
	size_t had = to->n, i, j;

	for (i = 0; i < from->n; i++) {
		for (j = 0; j < had && strcmp(to->v[j].name, from->v[i].name) != 0;)
			j++;
		if (j == had)
			options_add(to, from->v[i].name, from->v[i].value);
	}
}

/* The values of a secret, one a line; freed by the caller. NULL: it has none. */
static char *
secret_lines(const struct options *all, const char *name)
{
	char *lines = NULL, *longer;

	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->v[i].name, name) != 0)
			continue;
		longer = xasprintf("%s%s%s", lines != NULL ? lines : "", lines != NULL ? "\n" : "",
		    all->v[i].value);
		free(lines);
		lines = longer;
	}
	return lines;
}

/* Moves secrets from in->options to in->secrets, and puts stand-ins in their place. */
static void
instance_secrets(struct setup_reader *r, struct instance *in)
{
	struct options plain = { 0 }, secrets = { 0 };
	const struct cr_option *o;
	char *text;
	size_t i;

	for (o = plugin_options(in); o != NULL && o->name != NULL; o++) {
		text = o->type == CR_SECRET ? secret_lines(&in->options, o->name) : NULL;
		if (text != NULL && *text != '\0') {
			options_add(&secrets, o->name, text);
			explicit_bzero(text, strlen(text));
			free(text);
			text = xasprintf("{secret:%s:%s}", o->name, r->setup->nonce);
			options_add(&plain, o->name, text);
		}
		free(text);
	}
	if (secrets.n == 0)
		return;
	for (i = 0; i < in->options.n; i++) {
		o = option_find(plugin_options(in), in->options.v[i].name);
		if (o != NULL && o->type != CR_SECRET)
			options_add(&plain, o->name, in->options.v[i].value);
		else
			explicit_bzero(in->options.v[i].value, strlen(in->options.v[i].value));
	}
	options_free(&in->options);
	in->options = plain;
	in->secrets = secrets.v;
	in->nsecrets = secrets.n;
}

/* Adds mistakes for required options that are missing, and for options too large in total. */
static void
instance_complete(struct setup_reader *r, const struct instance *in, const struct node *map)
{
	const struct cr_option *o;
	const struct node *n;
	size_t len, i, total = 0;

	for (o = plugin_options(in); o != NULL && o->name != NULL; o++) {
		if (o->value != NULL || options_get(&in->options, o->name) != NULL)
			continue;
		len = strlen(o->name);
		for (n = map != NULL ? map->child : NULL; n != NULL; n = n->next)
			if (strncmp(n->key, o->name, len) == 0)
				break;
		if (n == NULL)
			wrong(r, in->line, "%s: has to be given%s%s%s", o->name,
			    o->help != NULL ? " (" : "", o->help != NULL ? o->help : "",
			    o->help != NULL ? ")" : "");
	}
	for (i = 0; i < in->options.n; i++)
		total += strlen(in->options.v[i].name) + strlen(in->options.v[i].value) + 2;
	if (total > OPTION_SET_MAX)
		wrong(r, in->line, "%s: more than %u kB of options", in->name,
		    OPTION_SET_MAX >> 10);
}

/* A switch of the daemon may have the name of a plugin's option of another type, as `counters` has: the
 * value tells whose is meant. 0: both take it, as usual. */
static enum meant
meant(const struct instance *in, const struct cr_option *own, const struct node *n)
{
	const struct cr_option *ours = option_find(own, n->key);
	const struct cr_option *its = option_find(plugin_options(in), n->key);
	enum meant whose = MEANT_PLUGIN;
	struct buf err;

	if (ours == NULL || ours->type != CR_BOOL || (its == NULL && in->plugin != NULL) ||
	    (its != NULL && its->type == CR_BOOL))
		return MEANT_BOTH;
	buf_init(&err, 1024);
	if (n->kind == CONF_SCALAR && (n->text == NULL || option_check(ours, n->text, &err) == 0))
		whose = MEANT_DAEMON;
	buf_free(&err);
	return whose;
}

int
instance_value(struct setup_reader *r, struct instance *in, const struct cr_option *own,
    const struct node *n, struct options *mine)
{
	enum meant whose = meant(in, own, n);
	int known = 0;

	if (whose != MEANT_PLUGIN)
		known |= value_read(r, own, n, mine);
	if (whose != MEANT_DAEMON)
		known |= value_read(r, plugin_options(in), n, &in->options);
	return known;
}

void
instance_read(struct setup_reader *r, struct instance *in, const char *kind, const struct node *map,
    const struct cr_option *own, struct options *mine)
{
	const struct preset *preset = preset_find(r, kind, in->name);
	const struct node *n;
	int known;

	r->inline_secret = preset != NULL && preset->instance.inline_secret;
	for (n = map != NULL ? map->child : NULL; n != NULL; n = n->next) {
		known = instance_value(r, in, own, n, mine);
		if (!known && in->plugin != NULL)
			value_unknown(r, n, own, plugin_options(in));
	}
	if (preset != NULL) {
		options_default(mine, &preset->own);
		options_default(&in->options, &preset->instance.options);
	}
	in->inline_secret = r->inline_secret;
	instance_complete(r, in, map);
	instance_urls(in);
	instance_secrets(r, in);
}

/* ---- In the setup ---- */

static void
instance_print(const struct instance *in, struct buf *b)
{
	buf_add(b, in->name, strlen(in->name) + 1);
	options_write(&in->options, b);
	for (size_t i = 0; i < in->nsecrets; i++)
		buf_add(b, in->secrets[i].value, strlen(in->secrets[i].value) + 1);
	for (size_t i = 0; i < in->nlogins; i++) {
		buf_str(b, in->logins[i].name);
		buf_add(b, in->logins[i].value, strlen(in->logins[i].value) + 1);
	}
}

static int
instance_same(const struct instance *in, const struct buf *print)
{
	struct buf b;
	int same;

	buf_init(&b, SIZE_MAX / 2);
	instance_print(in, &b);
	same = b.len == print->len && memcmp(b.data, print->data, b.len) == 0;
	buf_free(&b);
	return same;
}

static uint64_t
hash_bytes(const char *s, size_t len)
{
	uint64_t h = UINT64_C(14695981039346656037);	/* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(1099511628211);
	return h | 1;
}

/* The slot of an equal instance in the hash table, or a free one. print NULL: compares hashes only.
 * */
static size_t
shared_place(const struct setup_reader *r, uint64_t hash, const struct buf *print)
{
	size_t i = (size_t)hash & (r->shared_room - 1);

	while (r->shared[i] != NULL && (r->shared_hash[i] != hash ||
	    (print != NULL && !instance_same(r->shared[i], print))))
		i = (i + 1) & (r->shared_room - 1);
	return i;
}

static void
shared_grow(struct setup_reader *r)
{
	struct instance **was = r->shared;
	uint64_t *hashes = r->shared_hash;
	size_t room = r->shared_room, i, at;

	r->shared_room = room > 0 ? 2 * room : 64;
	r->shared = xcalloc(r->shared_room, sizeof(struct instance *));
	r->shared_hash = xcalloc(r->shared_room, sizeof(*r->shared_hash));
	for (i = 0; i < room; i++) {
		if (was[i] == NULL)
			continue;
		for (at = (size_t)hashes[i] & (r->shared_room - 1); r->shared[at] != NULL;)
			at = (at + 1) & (r->shared_room - 1);
		r->shared[at] = was[i];
		r->shared_hash[at] = hashes[i];
	}
	free(was);
	free(hashes);
}

/* Makes an instance wait whose plugin wants more than it is granted. */
static void
instance_allow(struct setup_reader *r, struct instance *in)
{
	const struct plugin *p = in->plugin;
	uint32_t lacks = p != NULL ? (uint32_t)p->wants & ~setup_grants(r->setup, p) : 0;
	struct buf why;

	if (lacks == 0)
		return;
	buf_init(&why, 1024);
	buf_fmt(&why, "waiting for plugin %s_%s: it wants ", p->kind, p->name);
	plugin_wants_text(&why, lacks);
	buf_fmt(&why, "; say `allow: [%s_%s]` to let it", p->kind, p->name);
	in->waiting = text_copy(r, why.data);
	buf_free(&why);
}

struct instance *
instance_intern(struct setup_reader *r, struct instance *in, int share)
{
	struct buf print;
	uint64_t hash;
	size_t at;

	instance_allow(r, in);
	if (!share)
		return setup_instance(r->setup, in);
	if (2 * r->nshared >= r->shared_room)
		shared_grow(r);
	buf_init(&print, SIZE_MAX / 2);
	instance_print(in, &print);
	hash = hash_bytes(print.data, print.len);
	at = shared_place(r, hash, &print);
	buf_free(&print);
	if (r->shared[at] != NULL) {
		instance_clear(in);
		return r->shared[at];
	}
	r->nshared++;
	r->shared_hash[at] = hash;
	return r->shared[at] = setup_instance(r->setup, in);
}

const struct preset *
preset_find(const struct setup_reader *r, const char *kind, const char *name)
{
	size_t len = strlen(kind);

	for (size_t i = 0; i < r->npresets; i++)
		if (strncmp(r->presets[i].name, kind, len) == 0 && r->presets[i].name[len] == '_' &&
		    strcmp(r->presets[i].name + len + 1, name) == 0)
			return &r->presets[i];
	return NULL;
}

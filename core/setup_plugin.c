/* Instances: plugins with their options, what `defaults` adds to them, their secrets set apart. */
#include "log.h"
#include "mem.h"
#include "setup_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "source", "filter", "sink" };

/* What `defaults` may say of sources and sinks besides the plugin's own options. */
static const struct cr_option source_preset[] = {
	{ "every", CR_STRING, 0, "", NULL, NULL },
	{ "pages", CR_INT, 0, "", "1..1000", NULL },
	{ "strip_trackers", CR_BOOL, 0, "no", NULL, NULL },
	CR_END
};
/* Of the sources that the plugin brings, not of those that are configured. */
static const struct cr_option start_preset[] = {
	{ "autostart", CR_BOOL, 0, "yes", NULL, NULL },
	CR_END
};

const struct cr_option *
plugin_options(const struct instance *in)
{
	return in->plugin != NULL ? in->plugin->options : NULL;
}

void
instance_clear(struct instance *in)
{
	for (size_t i = 0; i < in->nsecrets; i++) {
		explicit_bzero(in->secrets[i].value, strlen(in->secrets[i].value));
		free(in->secrets[i].name);
		free(in->secrets[i].value);
	}
	free(in->secrets);
	in->secrets = NULL;
	in->nsecrets = 0;
	options_free(&in->options);
}

/* [a-z][a-z0-9_]{0,31}: what a descriptor may be called. */
static int
plugin_name(const char *s)
{
	return *s >= 'a' && *s <= 'z' && strlen(s) <= 32 &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Why there is no such plugin: refused under this name, or not there. */
static char *
why_waiting(const struct catalog *catalog, const char *kind, const char *name)
{
	const char *names[CATALOG_MAX], *near;
	char *whole = xasprintf("%s_%s", kind, name), *why = NULL;
	const struct plugin *p;
	size_t i, n = 0;

	for (i = 0; why == NULL && i < catalog_count(catalog); i++) {
		p = catalog_at(catalog, i);
		if (p->error != NULL && (strcmp(p->name, whole) == 0 ||
		    (strcmp(p->name, name) == 0 && strcmp(p->kind, kind) == 0)))
			why = xasprintf("waiting for plugin %s: %s", whole, p->error);
		else if (p->error == NULL && strcmp(p->kind, kind) == 0 && n < CATALOG_MAX)
			names[n++] = p->name;
	}
	if (why == NULL) {
		near = option_nearest(name, names, n);
		why = xasprintf("waiting for plugin %s: there is none in the plugin folders%s%s%s",
		    whole, near != NULL ? ", did you mean `" : "", near != NULL ? near : "",
		    near != NULL ? "`?" : "");
	}
	free(whole);
	return why;
}

void
attempt_begin(struct reader *r, struct attempt *a)
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
attempt_failed(struct reader *r, struct attempt *a)
{
	char *why;

	if (a->mistakes == NULL)
		return 0;
	r->mistakes = a->mistakes;
	if (a->own.n > 0) {
		why = xasprintf("it does not take what is configured: %.*s",
		    (int)strcspn(a->own.text.data, "\n"), a->own.text.data);
		r->held = keep_text(r, why);
		checks_drop(r->setup, a->nchecks);
		free(why);
		memcpy(r->where, a->where, sizeof(r->where));
	}
	mistakes_free(&a->own);
	return r->held != NULL;
}

/* Why no instance may have the plugin, though it is there; or NULL. */
static const char *
held_back(const struct reader *r, const char *kind, const char *name)
{
	const struct preset *preset = preset_find(r, kind, name);

	return r->held != NULL ? r->held : preset != NULL ? preset->held : NULL;
}

void
instance_begin(struct reader *r, struct instance *in, const char *kind, const char *name, int line)
{
	const struct plugin *p = NULL;
	char *why;

	*in = (struct instance){ .name = keep_text(r, name), .line = line };
	if (!plugin_name(name))
		wrong(r, line, "`%s` is no name of a plugin: they are of a-z, 0-9 and _", name);
	if (r->catalog == NULL) {
		in->waiting = keep_text(r, "waiting for plugins to be looked for");
		return;
	}
	p = catalog_find(r->catalog, kind, name);
	if (p != NULL && p->error == NULL && held_back(r, kind, name) == NULL) {
		in->plugin = p;
		return;
	}
	if (p != NULL && p->error == NULL)
		why = xasprintf("waiting for plugin %s_%s: %s", kind, name, held_back(r, kind, name));
	else
		why = why_waiting(r->catalog, kind, name);
	in->waiting = keep_text(r, why);
	free(why);
}

/* What is in `from` and not in `to`. */
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

/* A secret's values, as lines; NULL when it has none. */
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

/* Moves the secrets out of the options, which get stand-ins. */
static void
instance_secrets(struct reader *r, struct instance *in)
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

/* Options that have to be given and are not even mentioned; and too much of it all. */
static void
instance_complete(struct reader *r, const struct instance *in, const struct node *map)
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

void
instance_read(struct reader *r, struct instance *in, const char *kind, const struct node *map,
    const struct cr_option *own, struct options *mine)
{
	const struct preset *preset = preset_find(r, kind, in->name);
	const struct cr_option *o;
	const struct node *n;
	int known;

	for (n = map != NULL ? map->child : NULL; n != NULL; n = n->next) {
		o = option_find(plugin_options(in), n->key);
		in->inline_secret |= o != NULL && o->type == CR_SECRET;
		known = value_read(r, own, n, mine);
		known |= value_read(r, plugin_options(in), n, &in->options);
		if (!known && in->plugin != NULL)
			value_unknown(r, n, own, plugin_options(in));
	}
	if (preset != NULL) {
		options_default(mine, &preset->own);
		options_default(&in->options, &preset->instance.options);
	}
	instance_complete(r, in, map);
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

/* Its place in the table, or that of an equal one. */
static size_t
shared_place(const struct reader *r, uint64_t hash, const struct buf *print)
{
	size_t i = (size_t)hash & (r->shared_room - 1);

	while (r->shared[i] != NULL && (r->shared_hash[i] != hash ||
	    (print != NULL && !instance_same(r->shared[i], print))))
		i = (i + 1) & (r->shared_room - 1);
	return i;
}

static void
shared_grow(struct reader *r)
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

struct instance *
setup_instance(struct setup *s, const struct instance *in)
{
	struct instance *kept = xmalloc(sizeof(*kept));

	*kept = *in;
	if ((s->ninstances & (s->ninstances - 1)) == 0)		/* full at each power of two */
		s->instances = xreallocarray(s->instances,
		    s->ninstances > 0 ? 2 * s->ninstances : 1, sizeof(struct instance *));
	s->instances[s->ninstances++] = kept;
	return kept;
}

/* One whose plugin wants more than it is granted waits for the operator's word. */
static void
instance_allow(struct reader *r, struct instance *in)
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
	in->waiting = keep_text(r, why.data);
	buf_free(&why);
}

struct instance *
instance_keep(struct reader *r, struct instance *in, int share)
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

/* ---- defaults ---- */

const struct preset *
preset_find(const struct reader *r, const char *kind, const char *name)
{
	size_t len = strlen(kind);

	for (size_t i = 0; i < r->npresets; i++)
		if (strncmp(r->presets[i].name, kind, len) == 0 && r->presets[i].name[len] == '_' &&
		    strcmp(r->presets[i].name + len + 1, name) == 0)
			return &r->presets[i];
	return NULL;
}

static void
preset_fill(struct reader *r, const struct node *n, struct preset *p)
{
	const struct cr_option *own[] = { source_preset, NULL, leg_own };
	const struct node *child;
	size_t kind, len = 0;
	int known;

	for (kind = 0; kind < 3; kind++) {
		len = strlen(kinds[kind]);
		if (strncmp(n->key, kinds[kind], len) == 0 && n->key[len] == '_')
			break;
	}
	*p = (struct preset){ .name = n->key };
	if (kind == 3) {
		wrong(r, n->line, "`%s` names no plugin: say source_NAME, filter_NAME or sink_NAME",
		    n->key);
		return;
	}
	instance_begin(r, &p->instance, kinds[kind], n->key + len + 1, n->line);
	if (p->instance.waiting != NULL && r->catalog != NULL)
		log_warn("%s:%d: defaults: %s", r->file, n->line, p->instance.waiting);
	if (!is_map(r, n, n->key))
		return;
	snprintf(r->where, sizeof(r->where), "defaults of %.100s: ", n->key);
	for (child = n->child; child != NULL; child = child->next) {
		known = value_read(r, own[kind], child, &p->own);
		known |= kind == 0 && value_read(r, start_preset, child, &p->start);
		known |= value_read(r, plugin_options(&p->instance), child, &p->instance.options);
		if (!known && p->instance.plugin != NULL)
			value_unknown(r, child, own[kind], plugin_options(&p->instance));
	}
	r->where[0] = '\0';
}

static void
preset_read(struct reader *r, const struct node *n, struct preset *p)
{
	struct attempt a;

	attempt_begin(r, &a);
	preset_fill(r, n, p);
	if (attempt_failed(r, &a))
		p->held = r->held;
	r->held = NULL;
}

void
presets_read(struct reader *r, const struct node *map)
{
	const struct node *n;

	if (map == NULL || !is_map(r, map, "defaults"))
		return;
	for (n = map->child; n != NULL; n = n->next) {
		r->presets = xreallocarray(r->presets, r->npresets + 1, sizeof(*r->presets));
		preset_read(r, n, &r->presets[r->npresets++]);
	}
}

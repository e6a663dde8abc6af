/* Sources: single, by `each` and `each_file`, and those that plugins bring; their URLs and hashes.
 */
#include "log.h"
#include "mem.h"
#include "schedule.h"
#include "setup_reader.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY_RANGE	"100 ms..366 d"
#define URL_TEXT_MAX	(4 * URL_MAX)

/* What a source says besides its plugin's options. */
struct source_said {
	const char		*plugin, *url, *every, *was;
	const char *const	*each, *const *each_file;
	int64_t			 pages;
	int			 autostart, strip_trackers;
};
const struct cr_option source_own[] = {
	CR_OPTION(struct source_said, plugin, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, url, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, every, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, was, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, each, LIST, "", NULL, NULL),
	CR_OPTION(struct source_said, each_file, LIST, "", NULL, NULL),
	CR_OPTION(struct source_said, pages, INT, "10", "1..1000", NULL),
	CR_OPTION(struct source_said, autostart, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct source_said, strip_trackers, BOOL, "no", NULL, NULL),
	CR_END
};

/* What all sources of one entry of `sources` share. */
struct draft {
	const char		*name;
	struct source_said	 said;
	struct instance		*instance;
	const char		*template;	/* of the URL; NULL: none */
	int64_t			 every_min, every_max;
	int			 line;
	int			 fills;		/* an option has {each} in it */
	size_t			 added;
	size_t			 mistakes;	/* that there were before */
};

int
name_check(struct reader *r, const char *name, const char *what, int line)
{
	size_t i, len = strlen(name);

	for (i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f || strchr("*{}\"\\", name[i]))
			break;
	if (len == 0 || i < len || *name == '/' || *name == ' ' || name[len - 1] == '/' ||
	    name[len - 1] == ' ')
		wrong(r, line,
		    "\"%s\" is no name of a %s: they have no * { } \" \\ in them, and no / or "
		    "space at an end",
		    name, what);
	else if (len > SETUP_NAME_MAX)
		wrong(r, line, "the name of a %s has at most %d bytes: \"%.40s...\"", what,
		    SETUP_NAME_MAX, name);
	else if (strcmp(name, "courant") == 0)
		wrong(r, line, "the name courant is kept for the daemon itself");
	else
		return 1;
	return 0;
}

/* "1 h", or "10 min..2 h". */
static void
every_read(struct reader *r, const char *text, struct draft *d)
{
	static const struct cr_option every = { "every", CR_DURATION, 0, "", EVERY_RANGE, NULL };
	const char *dots = strstr(text, "..");
	char *least = xstrndup(text, dots != NULL ? (size_t)(dots - text) : strlen(text));
	const char *most = dots != NULL ? dots + 2 : least;
	struct buf err;

	buf_init(&err, 1024);
	d->every_min = SCHEDULE_EVERY_MIN;
	d->every_max = SCHEDULE_EVERY_MAX;
	if (*text == '\0')
		;
	else if (*least == '\0' || *most == '\0')
		wrong(r, d->line, "every: \"%s\" lacks an end; say 1 h, or 10 min..2 h", text);
	else if (option_check(&every, least, &err) == -1 || option_check(&every, most, &err) == -1)
		wrong(r, d->line, "%s", err.data);
	else if (option_duration(least, &d->every_min) == 0 &&
	    option_duration(most, &d->every_max) == 0 && d->every_min > d->every_max)
		wrong(r, d->line, "every: \"%s\" ends before it begins", text);
	free(least);
	buf_free(&err);
}

/* ---- URLs ---- */

/* A file's URL with its whole path: file:///PATH. NULL and a mistake. */
static char *
file_url(struct reader *r, const char *url, int line)
{
	const char *path = url + 5;

	if (strncmp(path, "//", 2) == 0)
		path += strncmp(path, "//localhost/", 12) == 0 ? 11 : 2;
	if (strncmp(url + 5, "//", 2) == 0 && *path != '/')
		wrong(r, line, "url: \"%s\" names another machine; say file:///PATH", url);
	else if (*path == '\0')
		wrong(r, line, "url: \"%s\" lacks a path", url);
	else if (r->setup->nfiles == 0)
		wrong(
		    r, line, "url: \"%s\" needs its folder in `files: [FOLDER]`, at the top", url);
	else
		return *path == '/' ? xasprintf("file://%s", path) :
		    xasprintf("file://%s/%s", r->setup->folder, path);
	return NULL;
}

/* The URL of src, or "" and mistakes. */
static char *
source_url(struct reader *r, const struct draft *d, const struct source *src, int line)
{
	struct buf shown, real;
	char *url = NULL;

	buf_init(&shown, URL_TEXT_MAX);
	buf_init(&real, URL_TEXT_MAX);
	fill_url(&shown, d->template, src, 0);
	fill_url(&real, d->template, src, 1);
	if (shown.over || shown.len > URL_MAX || real.len > URL_MAX)
		wrong(r, line, "url: longer than %d bytes", URL_MAX);
	else if (real.len > 0 && strchr(real.data, '{') != NULL && src->instance->plugin != NULL)
		wrong(r, line, "url: nothing is known for the braces in \"%s\"", shown.data);
	else if (real.len > 5 && strncmp(real.data, "file:", 5) == 0)
		url = file_url(r, shown.data, line);
	else if (shown.len > 0 && (strchr(real.data, '{') != NULL || url_fetchable(real.data)))
		url = xstrdup(shown.data);
	else
		wrong(r, line, "url: \"%s\" is none that can be fetched; say https://HOST/PATH",
		    shown.len > 0 ? shown.data : "");
	if (real.data != NULL)
		explicit_bzero(real.data, real.len);
	buf_free(&shown);
	buf_free(&real);
	return url != NULL ? url : xstrdup("");
}

/* ---- One source ---- */

/* The plugin, the URL, the options: whatever a result may depend on. */
static uint64_t
source_hash(struct reader *r, const struct source *src)
{
	const struct instance *in = src->instance;
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX + URL_TEXT_MAX);
	for (size_t i = 0; i < in->options.n; i++) {
		buf_add(&options, in->options.v[i].name, strlen(in->options.v[i].name) + 1);
		if (strncmp(in->options.v[i].value, "{secret:", 8) != 0)	/* new each time */
			fill_each(&options, in->options.v[i].value, src->each);
		buf_char(&options, '\0');
	}
	digest_begin(r->digest);
	digest_str(r->digest, in->name);
	digest_str(r->digest, in->plugin != NULL ? in->plugin->hash : NULL);
	digest_str(r->digest, src->url);
	digest_add(r->digest, options.data, options.len);
	digest_add(r->digest, &src->strip, sizeof(src->strip));
	for (size_t i = 0; i < in->nsecrets; i++)
		digest_str(r->digest, in->secrets[i].value);
	buf_free(&options);
	return (uint64_t)digest_end64(r->digest);
}

/* Options with {each} in them could not be checked before. */
static void
each_check(struct reader *r, const struct source *src, int line)
{
	const struct options *all = &src->instance->options;
	const struct cr_option *o;
	struct buf value, err;

	buf_init(&value, OPTION_VALUE_MAX);
	buf_init(&err, 4096);
	for (size_t i = 0; i < all->n; i++) {
		o = option_find(plugin_options(src->instance), all->v[i].name);
		if (o == NULL || strstr(all->v[i].value, "{each}") == NULL)
			continue;
		buf_clear(&value);
		buf_clear(&err);
		fill_each(&value, all->v[i].value, src->each);
		if (option_check(o, value.len > 0 ? value.data : "", &err) == -1)
			wrong(r, line, "%s", err.data);
	}
	buf_free(&value);
	buf_free(&err);
}

static struct source *
source_room(struct reader *r, int line)
{
	struct setup *s = r->setup;

	if (s->nsources == SETUP_SOURCES) {
		wrong(r, line, "more than %d sources", SETUP_SOURCES);
		return NULL;
	}
	if (s->nsources == r->room) {
		r->room = r->room > 0 ? 2 * r->room : 16;
		s->sources = xreallocarray(s->sources, r->room, sizeof(*s->sources));
		r->files = xreallocarray(r->files, r->room, sizeof(*r->files));
	}
	r->files[s->nsources] = r->file;
	s->sources[s->nsources] = (struct source){ .line = line };
	return &s->sources[s->nsources++];
}

/* GROUP/ENTRY, kept; entry NULL: the name alone. */
static char *
source_name(struct reader *r, const char *group, const char *entry)
{
	char *whole = entry != NULL ? xasprintf("%s/%s", group, entry) : xstrdup(group);
	char *kept = keep_text(r, whole);

	free(whole);
	return kept;
}

/* 0, or -1: there are too many. */
static int
source_add(struct reader *r, struct draft *d, const char *entry, int line)
{
	struct source *src;
	char *url;

	if ((src = source_room(r, line)) == NULL)
		return -1;
	src->name = source_name(r, d->name, entry);
	src->each = entry != NULL ? src->name + strlen(d->name) + 1 : NULL;
	src->was = d->said.was != NULL ? source_name(r, d->said.was, entry) : NULL;
	src->instance = d->instance;
	src->every_min = d->every_min;
	src->every_max = d->every_max;
	src->pages = (uint32_t)d->said.pages;
	src->strip = (uint32_t)d->said.strip_trackers;
	src->url = keep_text(r, "");
	if (name_check(r, src->name, "source", line) && d->template != NULL) {
		url = source_url(r, d, src, line);
		src->url = keep_text(r, url);
		free(url);
	}
	if (d->fills) {
		each_check(r, src, line);
		check_later(r, d->instance, src, line, d->mistakes);
	}
	src->hash = source_hash(r, src);
	d->added++;
	return 0;
}

/* ---- Entries ---- */

/* One a line; # begins a comment, at the beginning of a line or after a space. */
static void
each_file_read(struct reader *r, struct draft *d, const char *path)
{
	const char *file = r->file;
	char *text, *line, *rest, *hash;
	size_t len;
	int number = 0, full = 0;

	path = setup_path(r, path);
	if ((text = text_file(r, d->line, path, 0)) == NULL)
		return;
	r->file = path;
	for (rest = text; !full && (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		for (hash = line; (hash = strchr(hash, '#')) != NULL; hash++)
			if (hash == line || hash[-1] == ' ' || hash[-1] == '\t') {
				*hash = '\0';
				break;
			}
		line += strspn(line, " \t\r");
		for (len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]) != NULL;)
			line[--len] = '\0';
		if (len > 0)
			full = source_add(r, d, line, number) == -1;
	}
	r->file = file;
	free(text);
}

/* The lines of inline entries are those of the list's members. */
static void
each_read(struct reader *r, struct draft *d, const struct node *map)
{
	const struct node *list = conf_get(map, "each"), *n;
	size_t i;

	if (list != NULL && list->kind == CONF_LIST) {
		for (n = list->child; n != NULL; n = n->next)
			if (n->text != NULL && *n->text != '\0' &&
			    source_add(r, d, n->text, n->line) == -1)
				return;
	} else if (list != NULL && list->text != NULL && *list->text != '\0') {
		source_add(r, d, list->text, list->line);
	}
	for (i = 0; d->said.each_file != NULL && d->said.each_file[i] != NULL; i++)
		each_file_read(r, d, d->said.each_file[i]);
}

/* ---- One entry of `sources` ---- */

/* The plugin's own URL: the only one, or that for the value of an option. NULL: it has none. */
static const char *
plugin_url(struct reader *r, const struct draft *d)
{
	const struct plugin *p = d->instance->plugin;
	const char *at = p->url, *given;
	const struct cr_option *o;
	char *name, *value, *url = NULL;
	size_t len;

	if (at == NULL || strchr(at, ' ') == NULL)
		return at != NULL && *at != '\0' ? at : NULL;
	while (*at != '\0' && url == NULL) {
		len = strcspn(at, " ");
		name = xstrndup(at, len);
		at += len + (at[len] == ' ');
		len = strcspn(at, " ");
		value = strchr(name, '=');
		if (value != NULL) {
			*value++ = '\0';
			o = option_find(p->options, name);
			given = options_get(&d->instance->options, name);
			given = given == NULL && o != NULL ? o->value : given;
			if (given != NULL && strcmp(given, value) == 0)
				url = arena_text(&r->setup->memory, at, len);
		}
		free(name);
		at += len + (at[len] == ' ');
	}
	return url;
}

static void
draft_url(struct reader *r, struct draft *d)
{
	const struct plugin *p = d->instance->plugin;
	const struct options *all = &d->instance->options;

	d->template = d->said.url;
	if (d->template == NULL && p != NULL)
		d->template = plugin_url(r, d);
	if (d->template == NULL && p != NULL && (p->does & (DOES_PLAN | DOES_STREAM)) == 0)
		wrong(r, d->line, "url: has to be given");
	for (size_t i = 0; i < all->n; i++)
		d->fills |= r->each && strstr(all->v[i].value, "{each}") != NULL;
	if (r->each && p != NULL && !d->fills &&
	    (d->template == NULL || strstr(d->template, "{each}") == NULL))
		wrong(r, d->line,
		    "each: neither url nor an option has {each} in it, so that all of them "
		    "would be the same");
}

/* Reads what the map says into the draft and its instance; one that does not start has none. */
static int
draft_read(struct reader *r, struct draft *d, const struct node *n, const char *plugin)
{
	struct options said = { 0 };
	struct instance in;
	struct buf err;
	int rc = 0;

	instance_begin(r, &in, "source", plugin, n->line);
	instance_read(r, &in, "source", n, source_own, &said);
	if (in.plugin != NULL && (in.plugin->does & (DOES_PARSE | DOES_STREAM)) == 0)
		wrong(r, n->line, "plugin %s is no source", plugin);
	buf_init(&err, 1024);
	if (option_fill(source_own, &d->said, sizeof(d->said), &said, &err) == -1) {
		wrong(r, n->line, "%s", err.data);
		rc = -1;
	}
	if (rc == 0 && d->said.autostart)
		d->instance = instance_keep(r, &in, 1);
	else
		instance_clear(&in);
	buf_free(&err);
	options_free(&said);
	return rc;
}

static void
source_fill(struct reader *r, const struct node *n)
{
	struct draft d = { .name = n->key, .line = n->line, .mistakes = r->mistakes->n };
	const struct node *plugin;

	snprintf(r->where, sizeof(r->where), "source %.*s: ", SETUP_NAME_MAX, n->key);
	if (!is_map(r, n, "a source"))
		return;
	plugin = conf_get(n, "plugin");
	if (plugin == NULL || plugin->text == NULL) {
		wrong(r, n->line, "plugin: has to be given, as in `plugin: feed`");
		return;
	}
	r->each = conf_get(n, "each") != NULL || conf_get(n, "each_file") != NULL;
	if (draft_read(r, &d, n, plugin->text) == 0 && d.instance != NULL) {
		every_read(r, d.said.every != NULL ? d.said.every : "", &d);
		draft_url(r, &d);
		if (!d.fills)
			check_later(r, d.instance, NULL, d.line, d.mistakes);
		if (r->each)
			each_read(r, &d, n);
		else
			source_add(r, &d, NULL, n->line);
	}
	option_unfill(source_own, &d.said);
	r->each = 0;
}

static void
source_read(struct reader *r, const struct node *n)
{
	size_t had = r->setup->nsources;
	struct attempt a;

	attempt_begin(r, &a);
	source_fill(r, n);
	if (!attempt_failed(r, &a))
		return;
	r->setup->nsources = had;
	source_fill(r, n);
	r->held = NULL;
}

/* ---- Finding them ---- */

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct source *all = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(all[x].name, all[y].name);

	return order != 0 ? order : (x > y) - (x < y);
}

static void
sources_sort(struct reader *r)
{
	size_t n = r->setup->nsources;

	r->by_name = xreallocarray(r->by_name, n + 1, sizeof(*r->by_name));
	for (size_t i = 0; i < n; i++)
		r->by_name[i] = (uint32_t)i;
	qsort_r(r->by_name, n, sizeof(*r->by_name), by_name, r->setup->sources);
}

/* The place in by_name of the first that is not before `name`. */
static size_t
source_bound(const struct reader *r, const char *name)
{
	size_t low = 0, high = r->setup->nsources, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(r->setup->sources[r->by_name[mid]].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
source_range(const struct reader *r, const char *prefix, size_t *first, size_t *n)
{
	size_t len = strlen(prefix), i = source_bound(r, prefix);

	*first = i;
	while (i < r->setup->nsources &&
	    strncmp(r->setup->sources[r->by_name[i]].name, prefix, len) == 0)
		i++;
	*n = i - *first;
}

int
source_find(const struct reader *r, const char *name, uint32_t *place)
{
	size_t i = source_bound(r, name);

	if (i == r->setup->nsources || strcmp(r->setup->sources[r->by_name[i]].name, name) != 0)
		return 0;
	*place = r->by_name[i];
	return 1;
}

/* Names given twice, and `was` of what is still there. */
static void
sources_check(struct reader *r)
{
	const struct source *all = r->setup->sources, *one, *two;
	const char *file = r->file;
	uint32_t other;
	size_t i;

	for (i = 1; i < r->setup->nsources; i++) {
		one = &all[r->by_name[i - 1]];
		two = &all[r->by_name[i]];
		if (strcmp(one->name, two->name) != 0)
			continue;
		r->file = r->files[r->by_name[i]];
		wrong(r, two->line, "there is another source %s, in %s:%d", two->name,
		    r->files[r->by_name[i - 1]], one->line);
	}
	for (i = 0; i < r->setup->nsources; i++) {
		r->file = r->files[i];
		if (all[i].was != NULL && source_find(r, all[i].was, &other))
			wrong(r, all[i].line, "was: %s is still the name of a source", all[i].was);
	}
	r->file = file;
}

/* ---- Those that plugins bring ---- */

static int
autostarts(const struct reader *r, const struct plugin *p)
{
	const struct preset *preset = preset_find(r, "source", p->name);
	const char *said = preset != NULL ? options_get(&preset->start, "autostart") : NULL;

	return (p->error == NULL || p->removed) && strcmp(p->kind, "source") == 0 &&
	    catalog_find(r->catalog, "source", p->name) == p &&
	    (said == NULL || option_bool(said) != 0);
}

/* The source that a descriptor describes as "name: value\n" lines. What is wrong with it is the
 * plugin's fault: it is said, and the configuration stays good. */
static void
default_read(struct reader *r, const struct plugin *p, const char *name, const char *options)
{
	struct mistakes *mistakes = r->mistakes, own;
	size_t had = r->setup->nsources, checks = r->setup->nchecks;
	struct node plugin = { .kind = CONF_SCALAR, .line = 1 },
		    map = { .kind = CONF_MAP, .line = 1 };
	struct node *tree;
	const char *file = r->file;

	mistakes_init(&own);
	tree = conf_parse(p->file, options != NULL ? options : "",
	    options != NULL ? strlen(options) : 0, &own);
	if (tree != NULL) {
		r->mistakes = &own;
		r->file = keep_text(r, p->file);
		r->brought = 1;
		map.key = keep_text(r, name);
		plugin.key = keep_text(r, "plugin");
		plugin.text = keep_text(r, p->name);
		plugin.next = tree->child;
		map.child = &plugin;
		source_read(r, &map);
		r->where[0] = '\0';
		r->brought = 0;
		r->mistakes = mistakes;
		r->file = file;
	}
	if (own.n > 0) {
		log_warn("the source %s that plugin source_%s brings cannot start: %.*s", name,
		    p->name, (int)strcspn(own.text.data, "\n"), own.text.data);
		r->setup->nsources = had;
		checks_drop(r->setup, checks);
	}
	conf_free(tree);
	mistakes_free(&own);
}

static void
defaults_read(struct reader *r)
{
	size_t had = r->setup->nsources, i, j;
	const struct plugin *p;
	const char *name;
	uint32_t place;

	for (i = 0; r->catalog != NULL && i < catalog_count(r->catalog); i++) {
		p = catalog_at(r->catalog, i);
		if (!autostarts(r, p))
			continue;
		for (j = 0; j < p->ndefaults; j++) {
			name = p->defaults[j].name;
			if ((r->named != NULL && conf_get(r->named, name) != NULL) ||
			    source_find(r, name, &place))
				log_debug("the configuration has a source %s of its own", name);
			else
				default_read(r, p, name, p->defaults[j].options);
			if (r->setup->nsources > had) {
				had = r->setup->nsources;
				sources_sort(r);
			}
		}
	}
}

void
sources_read(struct reader *r, const struct node *map)
{
	struct setup *s = r->setup;
	const struct node *n;

	r->named = map != NULL && is_map(r, map, "sources") ? map : NULL;
	for (n = r->named != NULL ? r->named->child : NULL; n != NULL; n = n->next)
		source_read(r, n);
	r->where[0] = '\0';
	sources_sort(r);
	sources_check(r);
	defaults_read(r);
	if (s->nsources > 0)
		s->sources = xreallocarray(s->sources, s->nsources, sizeof(*s->sources));
	r->room = s->nsources;
}

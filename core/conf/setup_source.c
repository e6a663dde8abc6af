/* Reads sources: single ones, groups by `each` and `each_file`; and makes their URLs and hashes. */
#include "setup_source.h"
#include "setup_check.h"
#include "setup_instance.h"
#include "setup_template.h"
#include "setup_value.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/url.h"
#include "catalog/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERY_RANGE	"100 ms..366 d"
#define URL_TEXT_MAX	(4 * URL_MAX)

/* Options of any source, besides its plugin's. */
struct source_said {
	const char		*plugin, *url, *every, *was;
	const char *const	*each, *const *each_file;
	int64_t			 pages, hour_records, hour_bytes;
	int			 autostart, strip_trackers, counters;
	double			 weight;
};
const struct cr_option source_own[] = {
	CR_OPTION(struct source_said, plugin, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, url, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, every, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, was, STRING, "", NULL, NULL),
	CR_OPTION(struct source_said, each, LIST, "", NULL, NULL),
	CR_OPTION(struct source_said, each_file, LIST, "", NULL, NULL),
	CR_OPTION(struct source_said, pages, INT, "10", "1..1000", NULL),
	CR_OPTION(struct source_said, hour_records, INT, "", "1..", NULL),
	CR_OPTION(struct source_said, hour_bytes, SIZE, "", "1 kB..", NULL),
	CR_OPTION(struct source_said, autostart, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct source_said, strip_trackers, BOOL, "no", NULL, NULL),
	CR_OPTION(struct source_said, weight, NUMBER, "1", "0..1000", NULL),
	CR_OPTION(struct source_said, counters, BOOL, "no", NULL, NULL),
	CR_END
};

/* Shared by all sources of one entry of `sources`. */
struct draft {
	const char		*name;
	struct source_said	 said;
	struct instance		*instance;
	const char		*template;	/* of the URL; NULL: none */
	int64_t			 every_min, every_max;
	int			 line;
	int			 each_line;	/* of `each`, or `each_file` */
	int			 fills;		/* an option has {each} in it */
	int			 counters;	/* the counters are believed */
	size_t			 added;
	size_t			 mistakes;	/* number of mistakes before this entry */
};

int
source_is_own(const char *name)
{
	size_t len = strlen(SETUP_OWN);

	return strncmp(name, SETUP_OWN, len) == 0 && (name[len] == '\0' || name[len] == '/');
}

int
name_check(struct setup_reader *r, const char *name, const char *what, int line)
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
	else if (source_is_own(name))
		wrong(r, line, "the name courant is kept for the daemon itself");
	else
		return 1;
	return 0;
}

/* Parses `every`: "1 h", or "10 min..2 h"; "": the default range. */
static void
every_read(struct setup_reader *r, const char *text, struct draft *d, int line)
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
		wrong(r, line, "every: \"%s\" lacks an end; say 1 h, or 10 min..2 h", text);
	else if (option_check(&every, least, &err) == -1 || option_check(&every, most, &err) == -1)
		wrong(r, line, "%s", err.data);
	else if (option_duration(least, &d->every_min) == 0 &&
	    option_duration(most, &d->every_max) == 0 && d->every_min > d->every_max)
		wrong(r, line, "every: \"%s\" ends before it begins", text);
	free(least);
	buf_free(&err);
}

/* ---- URLs ---- */

/* The file: URL with an absolute path, file:///PATH; NULL, and a mistake: it is not valid. */
static char *
file_url(struct setup_reader *r, const char *url, int line)
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

/* If its URL has a user, gives the source an instance of its own with this login. bare: the URL
 * without user and password. */
static void
source_login(struct setup_reader *r, const struct draft *d, struct source *src, const char *url,
    const char *bare)
{
	struct buf escaped, login;
	struct instance own;

	buf_init(&escaped, URL_TEXT_MAX);
	buf_init(&login, URL_TEXT_MAX);
	if (login_of(url, &escaped)) {
		fill_secrets(&login, escaped.data != NULL ? escaped.data : "", src->instance, 0);
		own = instance_copy(src->instance);
		own.inline_secret = 1;
		instance_add_login(&own, bare, login.data != NULL ? login.data : "");
		src->instance = instance_intern(r, &own, 1);
		if (!d->fills)
			check_later(r, src->instance, NULL, src->line, d->mistakes);
	}
	if (login.data != NULL)
		explicit_bzero(login.data, login.len);
	buf_free(&escaped);
	buf_free(&login);
}

static char *
url_mistake(struct setup_reader *r, int line, const char *shown)
{
	struct buf bare;

	buf_init(&bare, URL_TEXT_MAX);
	login_shown(&bare, shown);
	wrong(r, line, "url: \"%s\" is none that can be fetched; say https://HOST/PATH",
	    bare.data != NULL ? bare.data : "");
	buf_free(&bare);
	return NULL;
}

/* Whether the plugin, and not the operator, says what the source's URL is. */
static int
plugins_word(const struct setup_reader *r, const struct draft *d)
{
	return r->brought || d->said.url == NULL;
}

/* 0, and a mistake: a plugin says that a file is to be read, or brings a login. */
static int
brought_url(struct setup_reader *r, const char *url, int line)
{
	struct buf login;
	int has;

	buf_init(&login, URL_TEXT_MAX);
	has = r->brought && login_of(url, &login);
	buf_forget(&login);
	if (strncasecmp(url, "file:", 5) != 0 && !has)
		return 1;
	wrong(r, line, "url: a plugin's own is fetched by http or https%s",
	    has ? ", without user and password" : "; configure one that is a file");
	return 0;
}

/* The URL of src, {secret:NAME} not filled in; or "", and a mistake. Its user and password are
 * moved to the instance. */
static char *
source_url(struct setup_reader *r, const struct draft *d, struct source *src, int line)
{
	struct buf shown, bare, real;
	char *url = NULL;

	buf_init(&shown, URL_TEXT_MAX);
	buf_init(&bare, URL_TEXT_MAX);
	buf_init(&real, URL_TEXT_MAX);
	fill_url(&shown, d->template, src, 0);
	if (shown.data != NULL && url_resolve(&bare, NULL, shown.data) == 0)
		fill_secrets(&real, bare.data, src->instance, 1);
	if (shown.data == NULL)
		url = url_mistake(r, line, "");
	else if (shown.over || shown.len > URL_MAX || real.len > URL_MAX)
		wrong(r, line, "url: longer than %d bytes", URL_MAX);
	else if (real.len > 0 && strchr(real.data, '{') != NULL && src->instance->plugin != NULL)
		wrong(r, line, "url: nothing is known for the braces in \"%s\"", bare.data);
	else if (plugins_word(r, d) && !brought_url(r, shown.data, line))
		;
	else if (shown.len > 5 && strncmp(shown.data, "file:", 5) == 0)
		url = file_url(r, shown.data, line);
	else if (real.len > 0 && (strchr(real.data, '{') != NULL || url_fetchable(real.data)))
		url = xstrdup(bare.data);
	else
		url = url_mistake(r, line, shown.data);
	if (url != NULL)
		source_login(r, d, src, shown.data, url);
	if (real.data != NULL)
		explicit_bzero(real.data, real.len);
	buf_free(&shown);
	buf_free(&bare);
	buf_free(&real);
	return url != NULL ? url : xstrdup("");
}

/* ---- One source ---- */

/* Hashes all that results depend on: the plugin, URL, options, secrets. */
static uint64_t
source_hash(struct setup_reader *r, const struct source *src)
{
	const struct instance *in = src->instance;
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX + URL_TEXT_MAX);
	for (size_t i = 0; i < in->options.n; i++) {
		buf_add(&options, in->options.v[i].name, strlen(in->options.v[i].name) + 1);
		if (strncmp(in->options.v[i].value, "{secret:", 8) != 0)	/* nonce differs */
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
	for (size_t i = 0; i < in->nlogins; i++)
		digest_str(r->digest, in->logins[i].value);
	buf_free(&options);
	return (uint64_t)digest_end64(r->digest);
}

/* Checks options with {each} in them, which only become valid values once it is filled in. */
static void
each_check(struct setup_reader *r, const struct source *src, int line)
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
source_room(struct setup_reader *r, int line)
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

/* GROUP/ENTRY, or (entry NULL) the name alone; in the setup's memory. */
static char *
source_name(struct setup_reader *r, const char *group, const char *entry)
{
	char *whole = entry != NULL ? xasprintf("%s/%s", group, entry) : xstrdup(group);
	char *kept = text_copy(r, whole);

	free(whole);
	return kept;
}

/* An entry without the user and password before a host: for the source's name, and for {each}
 * outside of the URL. */
static char *
entry_bare(struct setup_reader *r, const struct draft *d, const char *entry)
{
	const char *begin = strstr(entry, "://"), *at = NULL;
	char *bare, *kept;

	if (begin != NULL)
		begin += 3;
	else if (d->template != NULL && strstr(d->template, "://{each}") != NULL)
		begin = entry;
	if (begin != NULL)
		at = memrchr(begin, '@', strcspn(begin, "/\\?#"));
	if (at == NULL)
		return text_copy(r, entry);
	bare = xasprintf("%.*s%s", (int)(begin - entry), entry, at + 1);
	kept = text_copy(r, bare);
	free(bare);
	return kept;
}

/* Adds a source; said: its entry of `each`, or NULL. 0; or -1, and a mistake: there are too many.
 * */
static int
source_add(struct setup_reader *r, struct draft *d, const char *said, int line, int url_line)
{
	const char *entry = said != NULL ? entry_bare(r, d, said) : NULL;
	struct source *src;
	char *url;

	if ((src = source_room(r, line)) == NULL)
		return -1;
	src->name = source_name(r, d->name, entry);
	src->was = d->said.was != NULL ? source_name(r, d->said.was, entry) : NULL;
	src->each = said;
	src->instance = d->instance;
	src->every_min = d->every_min;
	src->every_max = d->every_max;
	src->pages = (uint32_t)d->said.pages;
	src->hour_records = d->said.hour_records > 0 ? (uint64_t)d->said.hour_records :
	    r->setup->hour_records;
	src->hour_bytes = d->said.hour_bytes > 0 ? (uint64_t)d->said.hour_bytes :
	    r->setup->hour_bytes;
	src->strip = (uint32_t)d->said.strip_trackers;
	src->weight = d->said.weight;
	src->counters = d->counters;
	src->url = text_copy(r, "");
	if (name_check(r, src->name, "source", line) && d->template != NULL) {
		url = source_url(r, d, src, url_line);
		src->url = text_copy(r, url);
		free(url);
	}
	src->each = entry != NULL ? src->name + strlen(d->name) + 1 : NULL;
	if (d->fills) {
		each_check(r, src, line);
		check_later(r, src->instance, src, line, d->mistakes);
	}
	src->hash = source_hash(r, src);
	d->added++;
	return 0;
}

/* ---- Entries ---- */

/* Adds a source for each line; # begins a comment at the beginning of a line, or after a space. */
static void
each_file_read(struct setup_reader *r, struct draft *d, const char *path, int at)
{
	const char *file = r->file;
	char *text, *line, *rest, *hash;
	size_t len;
	int number = 0, full = 0;

	path = setup_path(r, path);
	if ((text = text_file(r, at, path, 0)) == NULL)
		return;
	r->file = path;
	for (rest = text; !full && (line = strsep(&rest, "\n")) != NULL;) {
		number++;
		for (hash = line; (hash = strchr(hash, '#')) != NULL; hash++)
			if (hash == line || hash[-1] == ' ' || hash[-1] == '\t') {
				*hash = '\0';
				break;
			}
		line += strspn(line, " \t");
		for (len = strlen(line); len > 0 && strchr(" \t", line[len - 1]) != NULL;)
			line[--len] = '\0';
		if (len > 0)
			full = source_add(r, d, line, number, number) == -1;
	}
	r->file = file;
	free(text);
}

/* Adds a source for each entry of `each` and of the files in `each_file`. */
static void
each_read(struct setup_reader *r, struct draft *d, const struct node *map)
{
	const struct node *list = conf_get(map, "each"), *n;
	size_t i;

	if (list != NULL && list->kind == CONF_LIST) {
		for (n = list->child; n != NULL; n = n->next)
			if (n->text != NULL && *n->text != '\0' &&
			    source_add(r, d, n->text, n->line, n->line) == -1)
				return;
	} else if (list != NULL && list->text != NULL && *list->text != '\0') {
		source_add(r, d, list->text, list->line, list->line);
	}
	for (i = 0; d->said.each_file != NULL && d->said.each_file[i] != NULL; i++)
		each_file_read(r, d, d->said.each_file[i],
		    conf_line(map, "each_file", i, d->line));
}

/* ---- One entry of `sources` ---- */

/* The plugin's URL: its only one, or, of the pairs OPTION=VALUE URL, the one whose option has that
 * value. NULL: it has none. */
static const char *
plugin_url(struct setup_reader *r, const struct draft *d)
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
draft_url(struct setup_reader *r, struct draft *d)
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
		wrong(r, d->each_line,
		    "each: neither url nor an option has {each} in it, so that all of them "
		    "would be the same");
}

/* Whether counters are believed that nothing is said of: if the operator named the site by the plugin's
 * option `preset`, or the values that are counters. */
static int
counters_named(const struct instance *in)
{
	const struct cr_option *o = option_find(plugin_options(in), "preset");
	const char *given = options_get(&in->options, "preset");

	if (options_get(&in->options, "counters") != NULL)
		return 1;
	return o != NULL && given != NULL && (o->value == NULL || strcmp(given, o->value) != 0);
}

/* Reads the map into the draft and its instance; without autostart, the draft has no instance. -1,
 * and a mistake. */
static int
draft_read(struct setup_reader *r, struct draft *d, const struct node *n, const char *plugin)
{
	struct options said = { 0 };
	struct instance in;
	struct buf err;
	int rc = 0;

	instance_begin(r, &in, "source", plugin, n->line);
	instance_read(r, &in, "source", n, source_own, &said);
	if (in.plugin != NULL && (in.plugin->does & (DOES_PARSE | DOES_STREAM)) == 0)
		wrong(r, conf_line(n, "plugin", 0, n->line), "plugin %s is no source", plugin);
	buf_init(&err, 1024);
	if (option_fill(source_own, &d->said, sizeof(d->said), &said, &err) == -1) {
		wrong(r, n->line, "%s", err.data);
		rc = -1;
	}
	/* Of its default sources, a plugin does not decide this itself. */
	d->counters = options_get(&said, "counters") != NULL ? d->said.counters :
	    !r->brought && counters_named(&in);
	in.line = conf_line(n, "plugin", 0, n->line);	/* for further mistakes about the plugin */
	if (rc == 0 && d->said.autostart)
		d->instance = instance_intern(r, &in, 1);
	else
		instance_clear(&in);
	buf_free(&err);
	options_free(&said);
	return rc;
}

static void
source_fill(struct setup_reader *r, const struct node *n)
{
	struct draft d = { .name = n->key, .line = n->line, .mistakes = r->mistakes->n };
	const struct node *plugin;

	snprintf(r->where, sizeof(r->where), "source %.*s: ", SETUP_NAME_MAX, n->key);
	if (source_is_own(n->key)) {		/* a group without entries has no other name_check() */
		(void)name_check(r, n->key, "source", n->line);
		return;
	}
	if (!is_map(r, n, "a source"))
		return;
	plugin = conf_get(n, "plugin");
	if (plugin == NULL || plugin->text == NULL) {
		wrong(r, n->line, "plugin: has to be given, as in `plugin: feed`");
		return;
	}
	r->each = conf_get(n, "each") != NULL || conf_get(n, "each_file") != NULL;
	d.each_line = conf_line(n, "each", SIZE_MAX, conf_line(n, "each_file", SIZE_MAX, n->line));
	if (draft_read(r, &d, n, plugin->text) == 0 && d.instance != NULL) {
		if (d.said.was != NULL && source_is_own(d.said.was))
			wrong(r, conf_line(n, "was", 0, n->line),
			    "was: the name courant is kept for the daemon itself");
		every_read(r, d.said.every != NULL ? d.said.every : "", &d,
		    conf_line(n, "every", 0, n->line));
		draft_url(r, &d);
		if (!d.fills)
			check_later(r, d.instance, NULL, d.line, d.mistakes);
		if (r->each)
			each_read(r, &d, n);
		else
			source_add(r, &d, NULL, n->line, conf_line(n, "url", 0, n->line));
	}
	option_unfill(source_own, &d.said);
	r->each = 0;
}

void
source_read(struct setup_reader *r, const struct node *n)
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

uint32_t
source_builtin(struct setup_reader *r, const char *name, int line)
{
	struct setup *s = r->setup;
	struct instance in = { .name = text_copy(r, SETUP_OWN), .line = line };
	uint32_t *place = strcmp(name, SETUP_TOP) == 0 ? &s->top : &s->trouble;
	struct source *src;

	if (*place != UINT32_MAX)
		return *place;
	if ((src = source_room(r, line)) == NULL)
		return UINT32_MAX;
	src->name = text_copy(r, name);
	src->url = text_copy(r, "");
	src->instance = setup_instance(s, &in);
	src->every_min = src->every_max = SCHEDULE_EVERY_MAX;
	src->hour_records = s->hour_records;
	src->hour_bytes = s->hour_bytes;
	src->own = 1;
	if (place == &s->top)
		s->heat.top = s->top_n;
	return *place = (uint32_t)(src - s->sources);
}

/* ---- Finding sources ---- */

static int
by_name(const void *a, const void *b, void *arg)
{
	const struct source *all = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(all[x].name, all[y].name);

	return order != 0 ? order : (x > y) - (x < y);
}

void
sources_sort(struct setup_reader *r)
{
	size_t n = r->nby_name = r->setup->nsources;

	r->by_name = xreallocarray(r->by_name, n + 1, sizeof(*r->by_name));
	for (size_t i = 0; i < n; i++)
		r->by_name[i] = (uint32_t)i;
	qsort_r(r->by_name, n, sizeof(*r->by_name), by_name, r->setup->sources);
}

/* The place in by_name of the first source whose name does not sort before `name`. */
static size_t
source_bound(const struct setup_reader *r, const char *name)
{
	size_t low = 0, high = r->nby_name, mid;

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
source_range(const struct setup_reader *r, const char *prefix, size_t *first, size_t *n)
{
	size_t len = strlen(prefix), i = source_bound(r, prefix);

	*first = i;
	while (i < r->nby_name &&
	    strncmp(r->setup->sources[r->by_name[i]].name, prefix, len) == 0)
		i++;
	*n = i - *first;
}

int
source_find(const struct setup_reader *r, const char *name, uint32_t *place)
{
	size_t i = source_bound(r, name);

	if (i == r->nby_name || strcmp(r->setup->sources[r->by_name[i]].name, name) != 0)
		return 0;
	*place = r->by_name[i];
	return 1;
}

/* Adds mistakes for names given twice, and for a `was` that still is the name of a source. */
static void
sources_check(struct setup_reader *r)
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

/* ---- All ---- */

void
sources_read(struct setup_reader *r, const struct node *map)
{
	const struct node *n;

	r->named = map != NULL && is_map(r, map, "sources") ? map : NULL;
	for (n = r->named != NULL ? r->named->child : NULL; n != NULL; n = n->next)
		source_read(r, n);
	r->where[0] = '\0';
	sources_sort(r);
	sources_check(r);
}

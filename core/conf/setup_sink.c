/* Reads sinks of routes: their options and backlog; and checks that no two write the same file. */
#include "setup_sink.h"
#include "setup_check.h"
#include "setup_instance.h"
#include "setup_value.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "catalog/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SINK_READERS	1000		/* fixed readers of a sink */
#define DAY		INT64_C(86400000)
#define ORDER_NAME	64		/* bytes of a number's name in `order` */

/* Options of any sink, besides its plugin's. */
struct sink_said {
	const char	*backlog;
	int64_t		 keep;
	int		 ordered;
	const char	*order;
	int64_t		 every;
	const char *const *to;
	int		 subscribe;
};
const struct cr_option sink_own[] = {
	CR_OPTION(struct sink_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct sink_said, ordered, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct sink_said, keep, INT, "", "1..100000", NULL),
	CR_OPTION(struct sink_said, order, STRING, "published", NULL, NULL),
	CR_OPTION(struct sink_said, every, DURATION, "10 min", "1 s..", NULL),
	CR_END
};
/* Of sinks that take records, `keep` is not ours: the plugin may have an option of that name. */
static const struct cr_option sink_records[] = {
	CR_OPTION(struct sink_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct sink_said, ordered, BOOL, "yes", NULL, NULL),
	CR_END
};

/* Of sinks that write mail, whose records and editions each go on by themselves. */
static const struct cr_option sink_mails[] = {
	CR_OPTION(struct sink_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct sink_said, to, LIST, "", NULL, NULL),
	CR_OPTION(struct sink_said, subscribe, BOOL, "no", NULL, NULL),
	CR_END
};

/* Of sinks whose plugin is missing: their subscribers can leave all the same. */
static const struct cr_option sink_missing[] = {
	CR_OPTION(struct sink_said, backlog, STRING, "", NULL, NULL),
	CR_OPTION(struct sink_said, ordered, BOOL, "yes", NULL, NULL),
	CR_OPTION(struct sink_said, keep, INT, "", "1..100000", NULL),
	CR_OPTION(struct sink_said, order, STRING, "published", NULL, NULL),
	CR_OPTION(struct sink_said, every, DURATION, "10 min", "1 s..", NULL),
	CR_OPTION(struct sink_said, subscribe, BOOL, "no", NULL, NULL),
	CR_END
};

/* The options of any sink of that plugin; NULL: the plugin is missing. */
static const struct cr_option *
sink_options(const struct plugin *p)
{
	if (p == NULL)
		return sink_missing;
	if ((p->wants & CR_MAIL) != 0)
		return sink_mails;
	return plugin_lists(p) ? sink_own : sink_records;
}

/* Parses `backlog`: none, all, a number of records, or an age. -1: none of these. */
static int
backlog_parse(const char *text, struct sink *sink)
{
	static const struct cr_option count = { "", CR_INT, 0, "", "1..", NULL };
	static const struct { const char *word; enum backlog is; } words[] = {
		{ "none", BACKLOG_NONE }, { "no", BACKLOG_NONE }, { "0", BACKLOG_NONE },
		{ "all", BACKLOG_ALL },
	};
	struct buf err;
	int bad;

	sink->backlog_n = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i].word) == 0) {
			sink->backlog = words[i].is;
			return 0;
		}
	if (option_duration(text, &sink->backlog_n) == 0 && sink->backlog_n > 0) {
		sink->backlog = BACKLOG_AGE;
		return 0;
	}
	buf_init(&err, 1024);
	bad = option_check(&count, text, &err);
	buf_free(&err);
	sink->backlog = BACKLOG_COUNT;
	sink->backlog_n = bad == 0 ? strtoll(text, NULL, 10) : 0;
	return bad;
}

int
list_order_parse(struct setup_reader *r, const char *text, int *order, char **number)
{
	static const char *const words[] = {
		[ORDER_PUBLISHED] = "published", [ORDER_SEEN] = "seen", [ORDER_HEAT] = "heat",
		[ORDER_SCORE] = "score",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(text, words[i]) == 0) {
			*order = (int)i;
			return 0;
		}
	if (*text == '\0' || strlen(text) > ORDER_NAME ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-.")] != '\0')
		return -1;
	*order = ORDER_NUMBER;
	*number = text_copy(r, text);
	return 0;
}

/* Default of `backlog`: none for plugins that send to others, all for those that write files. */
static enum backlog
backlog_usual(const struct plugin *p)
{
	return p != NULL && (p->wants & (CR_HTTP | CR_NETWORK | CR_EXEC | CR_MAIL)) != 0 ? BACKLOG_NONE :
	    BACKLOG_ALL;
}

/* Records in the list: `keep` as configured, else the default of the plugin's option `keep`, else
 * SETUP_KEEP. 0: the sink takes no lists. */
static uint32_t
sink_room(const struct instance *in, int64_t said)
{
	const struct cr_option *o = option_find(plugin_options(in), "keep");

	if (in->plugin == NULL || !plugin_lists(in->plugin))
		return 0;
	if (said == 0 && o != NULL && o->type == CR_INT && o->value != NULL)
		said = strtoll(o->value, NULL, 10);
	return said > 0 && said <= UINT32_MAX ? (uint32_t)said : SETUP_KEEP;
}

static char *
sink_name(struct setup_reader *r, const struct route *route, const char *plugin)
{
	size_t same = 1;
	char *name, *kept;

	for (size_t i = 0; i < route->nsinks; i++)
		same += strcmp(route->sinks[i].instance->name, plugin) == 0;
	if (same == 1)
		return text_copy(r, plugin);
	name = xasprintf("%s#%zu", plugin, same);
	kept = text_copy(r, name);
	free(name);
	return kept;
}

/* Whether a path begins with a name that the pages of serve have, or will have. */
static int
is_reserved(const char *path)
{
	static const char *const names[] = { "about", "api", "confirm", "day", "favicon.ico", "leave", "log", "month", "new",
		"routes", "s", "search", "source", "sources", "style.css", "subscribe", "token", "trending", "week", "x" };
	size_t len;

	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	len = strcspn(path, "/");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len == strlen(names[i]) && strncmp(path, names[i], len) == 0)
			return 1;
	return 0;
}

/* A sink's `path` has to stay below the folder of outputs. */
static void
path_check(struct setup_reader *r, const struct instance *in, int line)
{
	const struct cr_option *o = option_find(plugin_options(in), "path");
	const char *path = options_get(&in->options, "path"), *at = path;

	if (o == NULL || o->type != CR_STRING || path == NULL)
		return;
	if (*path == '/' || *path == '\0' || path[strlen(path) - 1] == '/')
		wrong(r, line, "path: \"%s\" is no name of a file in the folder of outputs",
		    path);
	if (is_reserved(path))
		wrong(r, line, "path: \"%s\": it begins as one of the names of the daemon's own pages",
		    path);
	for (; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0')) {
			wrong(r, line, "path: \"%s\" leads out of the folder of outputs", path);
			return;
		}
		if (*at == '\0')
			return;
	}
}

/* Whether the bytes have the key already: KEY\0ADDRESS\0... */
static int
reader_has(const struct buf *b, const char *key)
{
	for (size_t at = 0; at < b->len;) {
		if (strcmp(b->data + at, key) == 0)
			return 1;
		at += strlen(b->data + at) + 1;
		at += strlen(b->data + at) + 1;
	}
	return 0;
}

/* The fixed readers of a sink that writes mail, in the order of the configuration. */
static void
readers_read(struct setup_reader *r, struct sink *sink, const char *const *to, int line)
{
	char key[MAILBOX_MAX + 1], why[256];
	struct buf b;

	if (r->setup->mail.server == NULL)
		wrong(r, sink->instance->line, "there is no server; say mail: { server: ... }");
	if ((to == NULL || to[0] == NULL) && !sink->subscribe)
		wrong(r, sink->instance->line, "nobody gets it; say to: [ADDRESS, ...] or subscribe: yes");
	buf_init(&b, SINK_READERS * 2 * (MAILBOX_MAX + 1));
	for (size_t i = 0; to != NULL && to[i] != NULL; i++) {
		if (mailbox_check(to[i], why, sizeof(why)) == -1 || mailbox_key(key, to[i]) == 0)
			wrong(r, line, "to: \"%s\": %s", to[i], why);
		else if (i >= SINK_READERS) {
			wrong(r, line, "to: more than %d readers", SINK_READERS);
			break;
		} else if (!reader_has(&b, key)) {
			buf_add(&b, key, strlen(key) + 1);
			buf_add(&b, to[i], strlen(to[i]) + 1);
		}
	}
	sink->readers = (struct bytes){ arena_text(&r->setup->memory, b.data != NULL ? b.data : "", b.len), b.len };
	buf_free(&b);
}

static void
sink_fill(struct setup_reader *r, struct sink *sink, const struct options *said, const char *backlog,
    int line, int line_to)
{
	const struct plugin *p = sink->instance->plugin;
	const struct cr_option *ours = sink_options(p);
	struct sink_said own = { .ordered = 1 };
	struct buf err;

	buf_init(&err, 1024);
	if (option_fill(ours, &own, sizeof(own), said, &err) == -1)
		wrong(r, sink->instance->line, "%s", err.data);
	buf_free(&err);
	sink->mail = ours == sink_mails || (p == NULL && own.subscribe);
	sink->unordered = !own.ordered || sink->mail;
	sink->subscribe = own.subscribe;
	if (sink->subscribe && strncmp(r->setup->base != NULL ? r->setup->base : "", "https://", 8) != 0)
		wrong(r, sink->instance->line, "subscribe needs serve.base with https");
	if (sink->subscribe && p != NULL && (p->takes & CR_BATCH_LETTER) == 0)
		wrong(r, sink->instance->line, "subscribe: the plugin writes no letters that ask to confirm");
	sink->every = own.every;
	if (own.order != NULL && list_order_parse(r, own.order, &sink->order, &sink->number) == -1)
		wrong(r, sink->instance->line, LIST_ORDER_WRONG, own.order);
	if (sink->unordered && p != NULL && plugin_lists(p))
		wrong(r, sink->instance->line, "ordered: a sink that writes lists takes no records");
	sink->keep = sink_room(sink->instance, own.keep);
	sink->backlog = backlog_usual(sink->instance->plugin);
	if (own.backlog != NULL)
		backlog = own.backlog;
	else
		line = r->backlog_line;
	if (backlog != NULL && backlog_parse(backlog, sink) == -1)
		wrong(r, line,
		    "backlog: \"%s\" is not none, all, a number of records or "
		    "an age such as 30 d",
		    backlog);
	if (sink->mail)
		readers_read(r, sink, own.to, line_to);
	option_unfill(ours, &own);
}

/* Simplifies a path: "./a//b" to "a/b". */
static char *
path_plain(const char *path)
{
	char *plain = xmalloc(strlen(path) + 1), *to = plain;

	for (; *path != '\0'; path++) {
		if ((to == plain || to[-1] == '/') && path[0] == '.' && path[1] == '/')
			path++;
		else if (*path != '/' || (to > plain && to[-1] != '/'))
			*to++ = *path;
	}
	*to = '\0';
	return plain;
}

/* The folder of the archive is for the pages of editions, which one sink of a route writes. */
static void
archive_check(struct setup_reader *r, const struct route *route, int line)
{
	const struct sink *last = &route->sinks[route->nsinks - 1];
	const char *path = option_find(plugin_options(last->instance), "path") != NULL ?
	    options_get(&last->instance->options, "path") : NULL;
	char *plain = path_plain(path != NULL ? path : "");

	if (strncmp(plain, ARCHIVE_FOLDER "/", sizeof(ARCHIVE_FOLDER)) == 0 || strcmp(plain, ARCHIVE_FOLDER) == 0)
		wrong(r, last->path_line, "path: the folder " ARCHIVE_FOLDER " is for the pages of editions");
	free(plain);
	for (size_t i = 0; route->edition != NULL && sink_archives(last) && i + 1 < route->nsinks; i++)
		if (sink_archives(&route->sinks[i]))
			wrong(r, line, "another sink of the route, %s, writes the pages of its editions already",
			    route->sinks[i].name);
}

/* A route's subscribers get each thing once. */
static void
subscribe_check(struct setup_reader *r, const struct route *route, int line)
{
	for (size_t i = 0; route->sinks[route->nsinks - 1].subscribe && i + 1 < route->nsinks; i++)
		if (route->sinks[i].subscribe)
			wrong(r, line, "subscribe: another sink of the route, %s, has its subscribers already",
			    route->sinks[i].name);
}

/* For how long a message is tried, ms: two periods of the route's editions, but a day at least and five at most;
 * of a record five. */
static int64_t
mail_expiry(const struct route *route)
{
	return route->edition != NULL && route->edition->calendar.every == CALENDAR_DAY ? 2 * DAY : 5 * DAY;
}

static void
sink_make(struct setup_reader *r, struct route *route, const struct node *n, const char *backlog)
{
	size_t where = strlen(r->where), mistakes = r->mistakes->n;
	struct options said = { 0 };
	struct instance in;
	struct sink *sink;
	int line;

	if (!is_map(r, n, n->key))
		return;
	if (route->nsinks == SETUP_SINKS) {
		wrong(r, n->line, "more than %d sinks", SETUP_SINKS);
		return;
	}
	snprintf(r->where + where, sizeof(r->where) - where, "%.40s: ", n->key);
	instance_begin(r, &in, "sink", n->key, n->line);
	instance_read(r, &in, "sink", n, sink_options(in.plugin), &said);
	line = conf_line(n, "path", 0, n->line);
	path_check(r, &in, line);
	route->sinks = xreallocarray(route->sinks, route->nsinks + 1, sizeof(*route->sinks));
	sink = &route->sinks[route->nsinks];
	*sink = (struct sink){ .name = sink_name(r, route, n->key), .path_line = line };
	sink->instance = instance_intern(r, &in, 0);
	route->nsinks++;
	sink_fill(r, sink, &said, backlog, conf_line(n, "backlog", 0, n->line), conf_line(n, "to", 0, n->line));
	sink->expiry = mail_expiry(route);
	check_later(r, sink->instance, NULL, n->line, mistakes);
	if (route->edition == NULL && in.plugin != NULL && in.plugin->takes != 0 &&
	    (in.plugin->takes & (CR_BATCH_RECORDS | CR_BATCH_LIST)) == 0)
		wrong(r, n->line, "it takes editions, and the route makes none: say `edition`");
	archive_check(r, route, n->line);
	subscribe_check(r, route, n->line);
	options_free(&said);
	r->where[where] = '\0';
}

void
sink_read(struct setup_reader *r, struct route *route, const struct node *n, const char *backlog)
{
	size_t had = route->nsinks;
	struct attempt a;

	attempt_begin(r, &a);
	sink_make(r, route, n, backlog);
	if (!attempt_failed(r, &a))
		return;
	route->nsinks = had;
	sink_make(r, route, n, backlog);
	r->held = NULL;
}

/* ---- Two sinks, one file ---- */

struct output { char *path; const struct route *route; int line; };

static int
by_path(const void *a, const void *b)
{
	const struct output *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static int
format_wanted(const struct options *options, const char *format, size_t len)
{
	int any = 0;

	for (size_t i = 0; i < options->n; i++) {
		const char *value = options->v[i].value;

		if (strcmp(options->v[i].name, "formats") != 0 || *value == '\0')
			continue;
		any = 1;
		if (strlen(value) == len && strncmp(value, format, len) == 0)
			return 1;
	}
	return !any;
}

void
setup_outputs(const struct instance *in, struct output_files *files)
{
	const struct cr_option *path = option_find(plugin_options(in), "path");
	const struct cr_option *formats = option_find(plugin_options(in), "formats");
	const char *name = options_get(&in->options, "path"), *at, *end;
	char *plain;

	*files = (struct output_files){ .n = 0 };
	if (path == NULL || path->type != CR_STRING || name == NULL ||
	    (in->plugin->wants & CR_FILES) == 0)
		return;
	plain = path_plain(name);
	if (formats == NULL || formats->type != CR_LIST || formats->range == NULL) {
		files->name[files->n++] = plain;
		return;
	}
	for (at = formats->range; *at != '\0' && files->n < OUTPUT_FILES; at = end + (*end == '|')) {
		end = at + strcspn(at, "|");
		if (format_wanted(&in->options, at, (size_t)(end - at)))
			files->name[files->n++] = xasprintf("%s.%.*s", plain, (int)(end - at), at);
	}
	free(plain);
}

void
output_files_free(struct output_files *files)
{
	while (files->n > 0)
		free(files->name[--files->n]);
}

void
outputs_check(struct setup_reader *r)
{
	const struct setup *s = r->setup;
	const struct instance *in;
	struct output *all = NULL;
	const char *path;
	size_t i, j, n = 0;

	for (i = 0; i < s->nroutes; i++)
		for (j = 0; j < s->routes[i].nsinks; j++) {
			in = s->routes[i].sinks[j].instance;
			path = options_get(&in->options, "path");
			if (path == NULL || option_find(plugin_options(in), "path") == NULL)
				continue;
			all = xreallocarray(all, n + 1, sizeof(*all));
			all[n++] = (struct output){ path_plain(path), &s->routes[i],
			    s->routes[i].sinks[j].path_line };
		}
	if (n > 1)
		qsort(all, n, sizeof(*all), by_path);
	for (i = 1; i < n; i++)
		if (strcmp(all[i - 1].path, all[i].path) == 0)
			wrong(r, all[i].line,
			    "route %s: path: route %s writes %s already, in line %d",
			    all[i].route->name, all[i - 1].route->name, all[i].path,
			    all[i - 1].line);
	for (i = 0; i < n; i++)
		free(all[i].path);
	free(all);
}

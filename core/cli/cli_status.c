/* courant status: shows the state of the daemon's roles, workers, sources and routes. */

#include "cli_status.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/json.h"
#include "base/text.h"
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX	32		/* bytes of a number as text */
#define CELL_MAX	256		/* bytes of a cell that is put together here */

/* A number as text in to[NUMBER_MAX]; "" if the member is missing. */
static const char *
number(char *to, const json_t *o, const char *name)
{
	const json_t *n = json_object_get(o, name);

	to[0] = '\0';
	if (n != NULL)
		snprintf(to, NUMBER_MAX, "%lld", (long long)json_integer_value(n));
	return to;
}

/* Adds a formatted line below the last row. */
static void note(struct show_table *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
note(struct show_table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) != -1)
		show_table_note(t, text);
	va_end(ap);
	free(text);
}

/* ---- Processes ---- */

static void
show_roles(const json_t *all)
{
	static const struct show_column columns[] = {
		{ "ROLE", 0, 4 }, { "PID", 1, 0 }, { "STATE", 0, 0 }, { "RESTARTS", 1, 0 },
	};
	struct show_table *t = show_table_new(columns, 4);
	char pid[NUMBER_MAX], restarts[NUMBER_MAX];
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(all, "roles"), i, o) {
		show_table_row(t, (const char *[]){ json_get_text(o, "name"), number(pid, o, "pid"),
		    json_get_text(o, "state"), number(restarts, o, "restarts") });
		show_table_note(t, json_get_text(o, "obituary"));
	}
	show_table_end(t);
}

static void
show_age(char to[CELL_MAX], const json_t *o)
{
	long long ms = (long long)json_integer_value(json_object_get(o, "since_ms"));

	snprintf(to, CELL_MAX, ms < 60000 ? "%lld.%lld s" : "%lld min",
	    ms < 60000 ? ms / 1000 : ms / 60000, ms % 1000 / 100);
}

static void
show_workers(const json_t *all)
{
	static const struct show_column columns[] = {
		{ "PID", 1, 0 }, { "WORKER OF", 0, 12 }, { "JOB", 0, 12 }, { "FOR", 1, 0 },
	};
	const json_t *list = json_object_get(all, "workers"), *o;
	struct show_table *t;
	char pid[NUMBER_MAX], age[CELL_MAX];
	size_t i;

	if (json_array_size(list) == 0)
		return;
	t = show_table_new(columns, 4);
	json_array_foreach(list, i, o) {
		show_age(age, o);
		show_table_row(t, (const char *[]){ number(pid, o, "pid"), json_get_text(o, "plugin"),
		    json_get_text(o, "job")[0] != '\0' ? json_get_text(o, "job") : "idle", age });
	}
	print("\n");
	show_table_end(t);
}

static void
show_dead(const json_t *all)
{
	const json_t *list = json_object_get(all, "obituaries"), *o;
	struct buf b;
	size_t i;

	json_array_foreach(list, i, o) {
		if (i == 0)
			print("\n");
		buf_init(&b, 65536);
		show_time(&b, json_get_text(o, "when"));
		buf_fmt(&b, ": worker %lld of %s died of %s: %s",
		    (long long)json_integer_value(json_object_get(o, "pid")), json_get_text(o, "plugin"),
		    json_get_text(o, "job"), json_get_text(o, "text"));
		show_text("", b.data);
		buf_free(&b);
	}
}

/* ---- Sources ---- */

/* Appends when the source is polled next; nothing while it waits for its plugin. */
static void
next_add(struct buf *b, const json_t *o)
{
	if (json_object_get(o, "streaming") != NULL)
		buf_str(b, "streams");
	else if (json_object_get(o, "polling") != NULL)
		buf_str(b, "now");
	else if (strcmp(json_get_text(o, "state"), "waiting") != 0)
		show_time(b, json_get_text(o, "due"));
}

/* How many records were refused since a plugin wrote in them what its host does not write. */
static void
note_forged(struct show_table *t, const json_t *o, const char *kind, const char *who)
{
	long long n = (long long)json_integer_value(json_object_get(o, "forged"));

	if (n > 0)
		note(t, "%lld record%s refused, forged by %s%s", n, n == 1 ? "" : "s", kind, who);
}

static void
show_sources(const json_t *all)
{
	static const struct show_column columns[] = {
		{ "SOURCE", 0, 12 }, { "STATE", 0, 0 }, { "FOUND", 1, 0 }, { "CHECKED", 0, 0 },
		{ "NEXT", 0, 0 },
	};
	struct show_table *t = show_table_new(columns, 5);
	char found[NUMBER_MAX];
	struct buf checked, next;
	const json_t *o;
	size_t i;

	json_array_foreach(json_object_get(all, "sources"), i, o) {
		buf_init(&checked, CELL_MAX);
		buf_init(&next, CELL_MAX);
		show_time(&checked, json_get_text(o, "checked"));
		next_add(&next, o);
		show_table_row(t, (const char *[]){ json_get_text(o, "name"), json_get_text(o, "state"),
		    checked.len > 0 ? number(found, o, "found") : "",
		    checked.len > 0 ? checked.data : "", next.len > 0 ? next.data : "" });
		show_table_note(t, json_get_text(o, "error"));
		if (json_get_text(o, "waits")[0] != '\0')
			note(t, "waits %s", json_get_text(o, "waits"));
		note_forged(t, o, "plugin ", json_get_text(o, "plugin"));
		if (json_get_text(o, "moved")[0] != '\0')
			note(t, "moved for good to %s: change its url", json_get_text(o, "moved"));
		buf_free(&checked);
		buf_free(&next);
	}
	print("\n");
	show_table_end(t);
}

/* ---- Routes ---- */

/* Why a station does not work, below its row. */
static void
note_state(struct show_table *t, const char *route, const json_t *o)
{
	const char *state = json_get_text(o, "state"), *reason = json_get_text(o, "reason");

	if (strncmp(state, "waiting ", 8) == 0)		/* "waiting for plugin ..." */
		show_table_note(t, state);
	if (strcmp(state, "paused") == 0)
		note(t, "paused: %s; `courant resume %s`", reason, route);
	else
		show_table_note(t, reason);
}

/* The state in one word. */
static const char *
in_short(const json_t *o)
{
	const char *state = json_get_text(o, "state");

	return strncmp(state, "waiting ", 8) == 0 ? "waiting" : state;
}

static void
show_filters(struct show_table *t, const json_t *route)
{
	const json_t *o = json_object_get(route, "filters");
	char kept[NUMBER_MAX], dead[NUMBER_MAX];

	show_table_row(t, (const char *[]){ json_get_text(route, "name"), "filters", in_short(o),
	    number(kept, route, "kept"), "", "", number(dead, o, "dead") });
	if (json_object_get(route, "kept") != NULL)
		note(t, "%lld dropped", json_get_number(route, "dropped"));
	if (json_get_number(o, "waiting") > 0)
		note(t, "%lld wait for another verdict", json_get_number(o, "waiting"));
	note_forged(t, o, "", "a filter");
	note_state(t, json_get_text(route, "name"), o);
}

/* When the sink tries again, what it replays, and since when its oldest record waits. */
static void
note_waits(struct show_table *t, const json_t *o)
{
	struct buf b;

	buf_init(&b, CELL_MAX);
	if (json_get_text(o, "next")[0] != '\0') {
		buf_fmt(&b, "next try ");
		show_time(&b, json_get_text(o, "next"));
	}
	if (json_get_text(o, "oldest")[0] != '\0' && strcmp(json_get_text(o, "state"), "idle") != 0) {
		buf_str(&b, b.len > 0 ? "; the oldest came " : "the oldest came ");
		show_time(&b, json_get_text(o, "oldest"));
	}
	if (json_get_number(o, "replay") > 0)
		buf_fmt(&b, "%s%lld to be replayed", b.len > 0 ? "; " : "", json_get_number(o, "replay"));
	if (b.len > 0)
		show_table_note(t, b.data);
	buf_free(&b);
}

static void
show_sink(struct show_table *t, const json_t *route, const json_t *o)
{
	char kept[NUMBER_MAX], done[NUMBER_MAX], left[NUMBER_MAX], dead[NUMBER_MAX];
	int filters = json_object_get(route, "filters") != NULL;

	show_table_row(t, (const char *[]){ json_get_text(route, "name"), json_get_text(o, "name"), in_short(o),
	    filters ? "" : number(kept, route, "kept"), number(done, o, "delivered"),
	    number(left, o, "unconfirmed"), number(dead, o, "dead") });
	note_waits(t, o);
	note_state(t, json_get_text(route, "name"), o);
}

/* An edition that should have been sealed. */
static void
note_overdue(struct show_table *t, const json_t *route)
{
	const json_t *o = json_object_get(route, "overdue");
	struct buf when;

	if (o == NULL)
		return;
	buf_init(&when, CELL_MAX);
	show_time(&when, json_get_text(o, "due"));
	note(t, "edition %s is overdue: it was due %s", json_get_text(o, "name"), when.data);
	buf_free(&when);
}

static void
show_routes(const json_t *all)
{
	static const struct show_column columns[] = {
		{ "ROUTE", 0, 10 }, { "SINK", 0, 8 }, { "STATE", 0, 0 }, { "KEPT", 1, 0 },
		{ "DELIVERED", 1, 0 }, { "UNCONFIRMED", 1, 0 }, { "DEAD", 1, 0 },
	};
	struct show_table *t = show_table_new(columns, 7);
	const json_t *o, *sink, *readers;
	size_t i, k;

	json_array_foreach(json_object_get(all, "routes"), i, o) {
		if (json_object_get(o, "filters") != NULL)
			show_filters(t, o);
		json_array_foreach(json_object_get(o, "sinks"), k, sink)
			show_sink(t, o, sink);
		note_overdue(t, o);
		if ((readers = json_object_get(o, "subscribers")) != NULL)
			note(t, "subscribers: %lld active, %lld pending, %lld left, %lld bounced, %lld blocked",
			    json_get_number(readers, "active"), json_get_number(readers, "pending"),
			    json_get_number(readers, "left"), json_get_number(readers, "bounced"),
			    json_get_number(readers, "blocked"));
	}
	print("\n");
	show_table_end(t);
}

static void
show_plugins(const json_t *all)
{
	const json_t *o;
	struct buf b;
	size_t i;

	json_array_foreach(json_object_get(all, "plugins"), i, o) {
		if (json_get_text(o, "error")[0] == '\0')
			continue;
		buf_init(&b, 65536);
		buf_fmt(&b, "plugin %s: %s", json_get_text(o, "file"), json_get_text(o, "error"));
		show_text("", b.data);
		buf_free(&b);
	}
}

static void
show_abandoned(const json_t *all)
{
	const json_t *o;
	struct buf b;
	size_t i;

	json_array_foreach(json_object_get(all, "abandoned"), i, o) {
		buf_init(&b, 65536);
		buf_fmt(&b, "output %s is written by nobody any more, since route %s does not: "
		    "`courant drop --output %s` deletes it", json_get_text(o, "file"), json_get_text(o, "route"),
		    json_get_text(o, "file"));
		show_text("", b.data);
		buf_free(&b);
	}
}

/* ---- The whole ---- */

/* Shows what the workers hold together, once that is more than five eighths of their limit. */
static void
show_memory(const json_t *all)
{
	const json_t *o = json_object_get(all, "memory");
	uint64_t used = (uint64_t)json_integer_value(json_object_get(o, "used"));
	uint64_t limit = (uint64_t)json_integer_value(json_object_get(o, "limit"));
	struct buf b;

	if (used <= limit / 8 * 5)
		return;
	buf_init(&b, CELL_MAX);
	buf_str(&b, "workers hold ");
	text_bytes(&b, used);
	buf_str(&b, " of the ");
	text_bytes(&b, limit);
	buf_str(&b, " of memory that they may: no other starts");
	show_text("", b.data);
	buf_free(&b);
}

static void
show_disk(const json_t *all)
{
	const char *held = json_get_text(json_object_get(all, "disk"), "held");
	struct buf b;

	if (held[0] == '\0')
		return;
	buf_init(&b, CELL_MAX);
	buf_fmt(&b, "%s: fetching and streams wait, delivery goes on", held);
	show_text("", b.data);
	buf_free(&b);
}

/* How much can be searched, while that is not all. */
static void
show_index(const json_t *all)
{
	const json_t *o = json_object_get(all, "index");
	long long n = json_get_number(o, "n"), of = json_get_number(o, "of");
	struct buf b;

	if (o == NULL || (!json_is_true(json_object_get(o, "building")) && n >= of &&
	    !json_is_true(json_object_get(o, "waiting"))))
		return;
	buf_init(&b, 2 * CELL_MAX);
	buf_fmt(&b, "the search index has %lld of %lld rows of the log", n, of);
	if (json_is_true(json_object_get(o, "waiting")))
		buf_fmt(&b, ", and waits: %s", json_get_text(o, "why"));
	else if (json_is_true(json_object_get(o, "building")))
		buf_fmt(&b, ": it is built anew: %s", json_get_text(o, "why"));
	show_text("", b.data);
	buf_free(&b);
}

static void
show_head(const json_t *all)
{
	long long s = (long long)json_integer_value(json_object_get(all, "uptime"));
	const json_t *n = json_object_get(all, "counts");
	const json_t *landlock = json_object_get(all, "landlock");
	char records[NUMBER_MAX], revisions[NUMBER_MAX], stories[NUMBER_MAX], bytes[NUMBER_MAX];

	print("courantd %s, up ", json_get_text(all, "version"));
	if (s < 60)
		print("%lld s", s);
	else if (s < 3600)
		print("%lld min", s / 60);
	else if (s < 172800)
		print("%lld h", s / 3600);
	else
		print("%lld d", s / 86400);
	print("%s%s\n", json_get_text(all, "listen")[0] != '\0' ? ", http://" : "", json_get_text(all, "listen"));
	show_memory(all);
	show_disk(all);
	show_index(all);
	print("%s records, %s revisions, %s stories, %s bytes\n",
	    number(records, n, "records"), number(revisions, n, "revisions"),
	    number(stories, n, "stories"), number(bytes, n, "bytes"));
	if (json_is_integer(landlock) && json_integer_value(landlock) == 0)
		print("warning: this kernel has no Landlock: plugins are held by the filters of system "
		    "calls alone; see Sandbox in courantd(8)\n");
	print("\n");
}

int
cli_status(int argc, char **argv)
{
	json_error_t why;
	json_t *all;
	char *text;
	int status, json = 0;

	if (cli_words(argc, argv, &json) != 0)
		cli_misused("status takes no argument");
	status = cli_ask("status", NULL, &text);
	if (json) {
		if (status == 0)
			print_json_text(text);
		else
			print_lines(text, 1);
		free(text);
		return status;
	}
	all = json_loads(text, 0, &why);
	free(text);
	if (all == NULL) {
		print_error("courant: the status cannot be read: %s\n", why.text);
		return 1;
	}
	show_open();
	show_head(all);
	show_roles(all);
	show_workers(all);
	show_dead(all);
	show_sources(all);
	show_routes(all);
	show_plugins(all);
	show_abandoned(all);
	json_decref(all);
	return status;
}

/* courant explain: where a record came from, and what each route did with it and why. */

#include "cli_explain.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/json.h"
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The state of routes and sinks ---- */

/* The member of a list with that name; NULL: there is none. */
static const json_t *
named(const json_t *list, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (strcmp(json_get_text(o, "name"), name) == 0)
			return o;
	return NULL;
}

/* Whether o, a record's state in a route or sink, is not final: then what the sink or the filters
 * do at the moment matters. */
static int
goes_on(const json_t *o)
{
	static const char *const states[] = { "not judged", "waiting", "retry", "replay", "paused" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(json_get_text(o, "state"), states[i]) == 0)
			return 1;
	return 0;
}

/* sink: a sink, or a route's filters, of the status; NULL: it has none. */
static void
set_now(json_t *o, const json_t *sink)
{
	const char *state = json_get_text(sink, "state");

	if (goes_on(o) && state[0] != '\0' && strcmp(state, "idle") != 0)
		json_object_set_new(o, "now", json_string(state));
}

/* Adds the states that only core knows, and not store: a missing plugin, a worker that runs. */
static void
add_status(json_t *all)
{
	json_t *status, *item, *route, *sink;
	const json_t *now;
	char *told = NULL;
	size_t i, k, n;

	if (cli_ask("status", NULL, &told) != 0 || (status = json_loads(told, 0, NULL)) == NULL) {
		free(told);
		return;
	}
	json_array_foreach(json_object_get(all, "items"), i, item)
		json_array_foreach(json_object_get(item, "routes"), k, route) {
			now = named(json_object_get(status, "routes"), json_get_text(route, "name"));
			set_now(route, json_object_get(now, "filters"));
			json_array_foreach(json_object_get(route, "sinks"), n, sink)
				set_now(sink, named(json_object_get(now, "sinks"), json_get_text(sink, "name")));
		}
	json_decref(status);
	free(told);
}

/* ---- For people ---- */

#define TOLD_MAX	65536		/* bytes of a line that is put together */

/* Prints a line: a padded head and a wrapped text. */
static void
show_line(const char *name, const char *what)
{
	char head[32];

	snprintf(head, sizeof(head), "  %-10s ", name);
	show_text(head, what);
}

static void show_format(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
show_format(const char *name, const char *fmt, ...)
{
	char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) != -1)
		show_line(name, line);
	va_end(ap);
	free(line);
}

/* A time for people; valid until the next call. */
static const char *
when(const json_t *o, const char *name)
{
	static char words[64];
	struct buf b;

	buf_init(&b, sizeof(words) - 1);
	show_time(&b, json_get_text(o, name));
	snprintf(words, sizeof(words), "%s", b.len > 0 ? b.data : "");
	buf_free(&b);
	return words;
}

/* Prints a record in short: its source, id, title and link. */
static void
show_other(const char *head, const json_t *o)
{
	show_format(head, "%s, %s: \"%s\"%s%s", json_get_text(o, "source"), json_get_text(o, "id"), json_get_text(o, "title"),
	    json_get_text(o, "link")[0] != '\0' ? ", " : "", json_get_text(o, "link"));
}

/* Prints why another record is of the same story. */
static void
show_why(const json_t *o)
{
	const json_t *joined = json_object_get(o, "joined");
	const char *with = json_get_text(o, "with");

	if (joined != NULL)
		show_format("", "joined%s%s by %s, %s%s%s", with[0] != '\0' ? " with " : "", with,
		    json_get_text(joined, "who"), when(joined, "at"), json_get_text(joined, "why")[0] != '\0' ? ": " : "",
		    json_get_text(joined, "why"));
	else if (with[0] != '\0')
		show_format("", "since with %s: %s", with, json_get_text(o, "why"));
	else if (json_get_text(o, "why")[0] != '\0')
		show_format("", "since: %s", json_get_text(o, "why"));
}

/* Prints what operators said of the record's story. */
static void
show_ruled(const json_t *item)
{
	const json_t *o = json_object_get(item, "hidden");
	size_t i;

	if (o != NULL)
		show_format("hidden", "by %s, %s: %s", json_get_text(o, "who"), when(o, "at"), json_get_text(o, "why"));
	json_array_foreach(json_object_get(item, "apart"), i, o)
		show_format("apart from", "%s, split by %s, %s%s%s", json_get_text(o, "id"), json_get_text(o, "who"),
		    when(o, "at"), json_get_text(o, "why")[0] != '\0' ? ": " : "", json_get_text(o, "why"));
	json_array_foreach(json_object_get(item, "merged"), i, o)
		show_format("merged", "the story of %s", json_string_value(o));
}

/* A term of the heat of the record's story. */
static void
show_term(const json_t *o)
{
	struct buf b;

	buf_init(&b, TOLD_MAX);
	buf_str(&b, json_get_text(o, "name"));
	if (strcmp(json_get_text(o, "name"), "mention") != 0)
		buf_fmt(&b, " %lld", (long long)json_integer_value(json_object_get(o, "value")));
	buf_fmt(&b, " by %s, %s: ", json_get_text(o, "source"), json_get_text(o, "id"));
	if (json_is_true(json_object_get(o, "counts")))
		buf_fmt(&b, "weight %.6f, logarithm %.9f, last %s",
		    json_number_value(json_object_get(o, "weight")),
		    json_number_value(json_object_get(o, "sum")), when(o, "last"));
	else
		buf_str(&b, "adds nothing");
	show_text("    ", b.data);
	buf_free(&b);
}

static void
show_heat(const json_t *heat)
{
	const json_t *terms = json_object_get(heat, "terms"), *o;
	long long rank = json_integer_value(json_object_get(heat, "rank"));
	char place[32] = "";
	size_t i;

	if (json_array_size(terms) == 0)
		return;
	if (rank > 0)
		snprintf(place, sizeof(place), ", rank %lld", rank);
	show_format("heat", "%.6f now, its logarithm %.9f; score %.6f%s",
	    json_number_value(json_object_get(heat, "now")),
	    json_number_value(json_object_get(heat, "sum")),
	    json_number_value(json_object_get(heat, "score")), place);
	json_array_foreach(terms, i, o)
		show_term(o);
}

static void
show_came(const json_t *item)
{
	const json_t *source = json_object_get(item, "source"), *o;
	const json_t *doc = json_object_get(item, "document");
	size_t i;

	print("%s\n", json_get_text(item, "id"));
	show_line("title", json_get_text(item, "title"));
	show_line("link", json_get_text(item, "link"));
	show_line("guid", json_get_text(item, "guid"));
	show_line("published", when(item, "published"));
	show_format("source", "%s, by plugin %s%s%s%s", json_get_text(source, "name"),
	    json_get_text(source, "plugin"), json_get_text(source, "url")[0] != '\0' ? ", " : "", json_get_text(source, "url"),
	    json_get_text(source, "gone")[0] != '\0' ? "; it is in the configuration no more" : "");
	if (doc != NULL)
		show_format("document", "\"%s\"%s%s%s%s", json_get_text(doc, "title"),
		    json_get_text(doc, "format")[0] != '\0' ? ", " : "", json_get_text(doc, "format"),
		    json_get_text(doc, "encoding")[0] != '\0' ? ", " : "", json_get_text(doc, "encoding"));
	show_format("first seen", "%s, place %lld of the log%s", when(item, "seen"),
	    (long long)json_integer_value(json_object_get(item, "place")),
	    json_is_true(json_object_get(item, "first_fetch")) ?
	    ", held by its source when that was first read" : "");
	json_array_foreach(json_object_get(item, "revisions"), i, o)
		show_format("revision", "%lld, %s, place %lld",
		    (long long)json_integer_value(json_object_get(o, "revision")), when(o, "at"),
		    (long long)json_integer_value(json_object_get(o, "place")));
	json_array_foreach(json_object_get(item, "story"), i, o) {
		show_other("also in", o);
		show_why(o);
	}
	show_ruled(item);
	show_heat(json_object_get(item, "heat"));
}

/* Appends the state of a record in a route or sink, its attempts, due time, and reason. */
static void
add_state(struct buf *b, const json_t *o)
{
	long long attempts = json_integer_value(json_object_get(o, "attempts"));

	buf_str(b, json_get_text(o, "state"));
	if (json_get_text(o, "edition")[0] != '\0')
		buf_fmt(b, ", in edition %s as number %lld", json_get_text(o, "edition"),
		    (long long)json_integer_value(json_object_get(o, "edition_place")));
	if (json_object_get(o, "filters") != NULL && strcmp(json_get_text(o, "state"), "taken") == 0)
		return;		/* the filters below show the reason */
	if (json_get_text(o, "rule")[0] != '\0')
		buf_fmt(b, " by %s", json_get_text(o, "rule"));
	if (attempts > 0)
		buf_fmt(b, ", %lld attempt%s", attempts, attempts > 1 ? "s" : "");
	if (json_get_text(o, "due")[0] != '\0')
		buf_fmt(b, ", next %s", when(o, "due"));
	if (json_get_text(o, "why")[0] != '\0')
		buf_fmt(b, ": %s", json_get_text(o, "why"));
	if (json_get_text(o, "error")[0] != '\0' && strcmp(json_get_text(o, "error"), json_get_text(o, "why")) != 0)
		buf_fmt(b, ": %s", json_get_text(o, "error"));
	if (json_get_text(o, "now")[0] != '\0')
		buf_fmt(b, " (now %s)", json_get_text(o, "now"));
}

/* What became of a reader's message. */
static void
show_reader(const json_t *o)
{
	const char *state = json_get_text(o, "state"), *due = json_get_text(o, "due");
	const int open = strcmp(state, "open") == 0, perhaps = strcmp(state, "perhaps") == 0;
	struct buf b;

	buf_init(&b, TOLD_MAX);
	buf_fmt(&b, "%s: %s%s%s", json_get_text(o, "address"), perhaps ? "perhaps accepted" : state,
	    (open || perhaps) && due[0] != '\0' ? ", next " : "", (open || perhaps) && due[0] != '\0' ? when(o, "due") : "");
	if (json_get_text(o, "reply")[0] != '\0')
		buf_fmt(&b, ": %s", json_get_text(o, "reply"));
	show_text("      reader ", b.data);
	buf_free(&b);
}

static void
show_sink(const json_t *o)
{
	struct buf b;
	json_t *reader;
	size_t i;

	buf_init(&b, TOLD_MAX);
	buf_fmt(&b, "%s: ", json_get_text(o, "name"));
	add_state(&b, o);
	show_text("    sink ", b.data);
	buf_free(&b);
	if (strcmp(json_get_text(o, "state"), "passed over") != 0)
		print("      delivery id %s\n", json_get_text(o, "delivery"));
	json_array_foreach(json_object_get(o, "readers"), i, reader)
		show_reader(reader);
}

static void
show_filter(const json_t *o)
{
	struct buf b;

	buf_init(&b, TOLD_MAX);
	buf_fmt(&b, "%s: %s%s%s", json_get_text(o, "rule"), json_get_text(o, "verdict"),
	    json_get_text(o, "why")[0] != '\0' ? ", " : "", json_get_text(o, "why"));
	show_text("    filter ", b.data);
	buf_free(&b);
}

static void
show_route(const json_t *route)
{
	long long revision = json_integer_value(json_object_get(route, "revision"));
	const json_t *o, *instead = json_object_get(route, "instead");
	struct buf b;
	size_t i;

	buf_init(&b, TOLD_MAX);
	buf_str(&b, json_get_text(route, "name"));
	if (revision > 0)
		buf_fmt(&b, ", revision %lld", revision);
	buf_str(&b, ": ");
	add_state(&b, route);
	show_text("  route ", b.data);
	buf_free(&b);
	if (instead != NULL)
		show_other("  taken", instead);
	json_array_foreach(json_object_get(route, "filters"), i, o)
		show_filter(o);
	json_array_foreach(json_object_get(route, "sinks"), i, o)
		show_sink(o);
}

static void
show(const json_t *all)
{
	const json_t *item, *route;
	size_t i, k;

	json_array_foreach(json_object_get(all, "items"), i, item) {
		if (i > 0)
			print("\n");
		show_came(item);
		json_array_foreach(json_object_get(item, "routes"), k, route)
			show_route(route);
	}
	if (json_is_true(json_object_get(all, "more")))
		print("\nMore records have this guid or link: ask for an id.\n");
}

int
cli_explain(int argc, char **argv)
{
	const char *what;
	char *told = NULL;
	int json = 0, status;
	json_t *all;

	if (cli_words(argc, argv, &json) != 1 || argv[1][0] == '\0')
		cli_misused("one id, guid or link has to be named");
	what = argv[1];
	status = cli_ask("explain", what, &told);
	all = status == 0 ? json_loads(told, 0, NULL) : NULL;
	if (all == NULL) {
		print_error("courant: ");
		print_lines(status != 0 ? told : "the answer cannot be read\n", 1);
		free(told);
		return 1;
	}
	add_status(all);
	if (json) {
		(void)print_json(all, JSON_COMPACT);
	} else {
		show_open();
		show(all);
	}
	json_decref(all);
	free(told);
	return 0;
}

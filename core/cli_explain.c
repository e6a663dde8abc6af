/* courant explain: where a record came from, and what each route made of it and why. */
#include "cli.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

/* ---- What the daemon does about it just now ---- */

/* The member of a list whose name is that; NULL: there is none. */
static const json_t *
named(const json_t *list, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (strcmp(text(o, "name"), name) == 0)
			return o;
	return NULL;
}

/* Whether what comes next depends on more than the database tells. */
static int
goes_on(const json_t *o)
{
	static const char *const states[] = { "not judged", "waiting", "retry", "paused" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(text(o, "state"), states[i]) == 0)
			return 1;
	return 0;
}

/* leg: of the status; NULL: none is known. */
static void
set_now(json_t *o, const json_t *leg)
{
	const char *state = text(leg, "state");

	if (goes_on(o) && state[0] != '\0' && strcmp(state, "idle") != 0)
		json_object_set_new(o, "now", json_string(state));
}

/* A plugin that is missing, a worker at it: what core knows, and store does not. */
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
			now = named(json_object_get(status, "routes"), text(route, "name"));
			set_now(route, json_object_get(now, "filters"));
			json_array_foreach(json_object_get(route, "sinks"), n, sink)
				set_now(sink, named(json_object_get(now, "legs"), text(sink, "name")));
		}
	json_decref(status);
	free(told);
}

/* ---- For people ---- */

static void
show_line(const char *name, const char *what)
{
	if (what[0] != '\0')
		printf("  %-10s %s\n", name, what);
}

/* "TITLE", LINK: of a record told in short. */
static void
show_other(const char *head, const json_t *o)
{
	printf("  %-10s %s, %s: \"%s\"%s%s\n", head, text(o, "source"), text(o, "id"),
	    text(o, "title"), text(o, "link")[0] != '\0' ? ", " : "", text(o, "link"));
}

static void
show_came(const json_t *item)
{
	const json_t *source = json_object_get(item, "source"), *o;
	const json_t *doc = json_object_get(item, "document");
	size_t i;

	printf("%s \"%s\"\n", text(item, "id"), text(item, "title"));
	show_line("link", text(item, "link"));
	show_line("guid", text(item, "guid"));
	show_line("published", text(item, "published"));
	printf("  %-10s %s, by plugin %s%s%s%s\n", "source", text(source, "name"),
	    text(source, "plugin"), text(source, "url")[0] != '\0' ? ", " : "", text(source, "url"),
	    text(source, "gone")[0] != '\0' ? "; it is in the configuration no more" : "");
	if (doc != NULL)
		printf("  %-10s \"%s\"%s%s%s%s\n", "document", text(doc, "title"),
		    text(doc, "format")[0] != '\0' ? ", " : "", text(doc, "format"),
		    text(doc, "encoding")[0] != '\0' ? ", " : "", text(doc, "encoding"));
	printf("  %-10s %s, place %lld of the log%s\n", "first seen", text(item, "seen"),
	    (long long)json_integer_value(json_object_get(item, "place")),
	    json_is_true(json_object_get(item, "first_fetch")) ?
	    ", held by its source when that was first read" : "");
	json_array_foreach(json_object_get(item, "revisions"), i, o)
		printf("  %-10s %lld, %s, place %lld\n", "revision",
		    (long long)json_integer_value(json_object_get(o, "revision")), text(o, "at"),
		    (long long)json_integer_value(json_object_get(o, "place")));
	json_array_foreach(json_object_get(item, "story"), i, o)
		show_other("also in", o);
}

/* A state, and what follows: when it is due, how often it failed, and why. */
static void
show_state(const json_t *o)
{
	long long attempts = json_integer_value(json_object_get(o, "attempts"));

	printf("%s", text(o, "state"));
	if (json_object_get(o, "filters") != NULL && strcmp(text(o, "state"), "taken") == 0) {
		printf("\n");		/* why stands with the filters */
		return;
	}
	if (text(o, "rule")[0] != '\0')
		printf(" by %s", text(o, "rule"));
	if (attempts > 0)
		printf(", %lld attempt%s", attempts, attempts > 1 ? "s" : "");
	if (text(o, "due")[0] != '\0')
		printf(", next %s", text(o, "due"));
	if (text(o, "why")[0] != '\0')
		printf(": %s", text(o, "why"));
	if (text(o, "error")[0] != '\0' && strcmp(text(o, "error"), text(o, "why")) != 0)
		printf(": %s", text(o, "error"));
	if (text(o, "now")[0] != '\0')
		printf(" (now %s)", text(o, "now"));
	printf("\n");
}

static void
show_route(const json_t *route)
{
	long long revision = json_integer_value(json_object_get(route, "revision"));
	const json_t *o, *instead = json_object_get(route, "instead");
	size_t i;

	printf("  route %s", text(route, "name"));
	if (revision > 0)
		printf(", revision %lld", revision);
	printf(": ");
	show_state(route);
	if (instead != NULL)
		show_other("  taken", instead);
	json_array_foreach(json_object_get(route, "filters"), i, o)
		printf("    filter %s: %s%s%s\n", text(o, "rule"), text(o, "verdict"),
		    text(o, "why")[0] != '\0' ? ", " : "", text(o, "why"));
	json_array_foreach(json_object_get(route, "sinks"), i, o) {
		printf("    sink %s: ", text(o, "name"));
		show_state(o);
		if (strcmp(text(o, "state"), "passed over") != 0)
			printf("      delivery id %s\n", text(o, "delivery"));
	}
}

static void
show(const json_t *all)
{
	const json_t *item, *route;
	size_t i, k;

	json_array_foreach(json_object_get(all, "items"), i, item) {
		if (i > 0)
			printf("\n");
		show_came(item);
		json_array_foreach(json_object_get(item, "routes"), k, route)
			show_route(route);
	}
	if (json_is_true(json_object_get(all, "more")))
		printf("\nMore records have this guid or link: ask for an id.\n");
}

int
cli_explain(int argc, char **argv)
{
	const char *what = NULL;
	char *told = NULL, *out;
	int json = 0, status;
	json_t *all;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			json = 1;
		else if (what == NULL)
			what = argv[i];
		else
			cli_usage();
	if (what == NULL || what[0] == '\0')
		cli_usage();
	status = cli_ask("explain", what, &told);
	all = status == 0 ? json_loads(told, 0, NULL) : NULL;
	if (all == NULL) {
		fprintf(stderr, "courant: %s", status != 0 ? told : "the answer cannot be read\n");
		free(told);
		return 1;
	}
	add_status(all);
	if (json) {
		out = json_dumps(all, JSON_COMPACT);
		puts(out != NULL ? out : "");
		free(out);
	} else
		show(all);
	json_decref(all);
	free(told);
	return 0;
}

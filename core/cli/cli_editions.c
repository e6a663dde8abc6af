/* courant editions: the editions of a route, one of them, or what the next one would have; and the orders to
 * seal one now and to leave a record out. */
#include "cli_editions.h"
#include "cli_daemon.h"
#include "cli_edition_html.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/json.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

static void
print_items(const json_t *o, const char *name, int from)
{
	const json_t *list = json_object_get(o, name), *one;
	char head[32];
	size_t i;

	json_array_foreach(list, i, one) {
		snprintf(head, sizeof(head), "%4d  ", from + (int)i + 1);
		show_text(head, json_get_text(one, "title")[0] != '\0' ? json_get_text(one, "title") : json_get_text(one, "id"));
		if (json_get_text(one, "link")[0] != '\0')
			print("      %s\n", json_get_text(one, "link"));
	}
}

static void
print_edition(const json_t *o, const char *route)
{
	const json_t *sections = json_object_get(o, "sections"), *one;
	size_t i;

	print("%s %s: %s, %lld record%s, %lld left out\n", route, json_get_text(o, "name"), json_get_text(o, "state"),
	    json_get_number(o, "records"), json_get_number(o, "records") == 1 ? "" : "s", json_get_number(o, "left_out"));
	if (json_get_text(o, "why")[0] != '\0')
		print("    %s\n", json_get_text(o, "why"));
	print("    due %s, sealed %s, %s\n", json_get_text(o, "due"), json_get_text(o, "sealed"), json_get_text(o, "zone"));
	json_array_foreach(sections, i, one)
		if (json_get_text(one, "title")[0] != '\0')
			print("    %s: from %lld, %lld\n", json_get_text(one, "title"), json_get_number(one, "first") + 1,
			    json_get_number(one, "n"));
	print_items(o, "items", 0);
	if (json_array_size(json_object_get(o, "others")) > 0) {
		print("left out:\n");
		print_items(o, "others", (int)json_get_number(o, "records"));
	}
}

static void
print_next(const json_t *o)
{
	struct buf when;

	buf_init(&when, 256);
	show_time(&when, json_get_text(o, "due"));
	print("%s %s: due %s (%s, %s), %lld candidate%s\n", json_get_text(o, "route"), json_get_text(o, "name"), when.data,
	    json_get_text(o, "due"), json_get_text(o, "zone"), json_get_number(o, "candidates"),
	    json_get_number(o, "candidates") == 1 ? "" : "s");
	buf_free(&when);
	if (json_is_true(json_object_get(o, "there")))
		print("    it was sealed early: these come with the one after it\n");
	print_items(o, "items", 0);
	if (json_array_size(json_object_get(o, "others")) > 0) {
		print("without room:\n");
		print_items(o, "others", (int)json_array_size(json_object_get(o, "items")));
	}
}

static void
print_list(const json_t *o)
{
	static const struct show_column columns[] = {
		{ "EDITION", 0, 0 }, { "STATE", 0, 0 }, { "RECORDS", 1, 0 }, { "LEFT OUT", 1, 0 },
		{ "SEALED", 0, 0 },
	};
	struct show_table *t = show_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *one;
	struct buf when;
	size_t i;

	buf_init(&when, 256);
	json_array_foreach(json_object_get(o, "editions"), i, one) {
		char records[24], left[24];

		snprintf(records, sizeof(records), "%lld", json_get_number(one, "records"));
		snprintf(left, sizeof(left), "%lld", json_get_number(one, "left_out"));
		buf_clear(&when);
		show_time(&when, json_get_text(one, "sealed"));
		show_table_row(t, (const char *const[]){ json_get_text(one, "name"), json_get_text(one, "state"), records,
		    left, when.data });
		show_table_note(t, json_get_text(one, "why"));
	}
	show_table_end(t);
	buf_clear(&when);
	show_time(&when, json_get_text(o, "due"));
	print("next: %s, due %s (%s, %s)\n", json_get_text(o, "name"), when.data, json_get_text(o, "due"),
	    json_get_text(o, "zone"));
	buf_free(&when);
}

int
cli_editions(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
		{ "next", no_argument, NULL, 'n' }, { "seal", no_argument, NULL, 's' },
		{ "without", required_argument, NULL, 'w' }, { "html", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 } };
	const char *what = "list", *text = "";
	int opt, json = 0, html = 0, orders = 0, rc = 0;
	json_t *answer, *o;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1) {
		if (opt == 'j')
			json = 1;
		else if (opt == 't')
			html = 1;
		else {
			what = opt == 'n' ? "next" : opt == 's' ? "seal" : "without";
			text = opt == 'w' ? optarg : "";
			orders++;
		}
	}
	if (orders > 1)
		cli_misused("--next, --seal and --without do not go together");
	if (html && (strcmp(what, "next") != 0 || json))
		cli_misused("--html goes with --next, and not with --json");
	if (argc - optind < 1 || argc - optind > 2 || (orders > 0 && argc - optind > 1))
		cli_misused("one route has to be named, and at most one edition of it");
	if (argc - optind == 2) {
		what = "one";
		text = argv[optind + 1];
	}
	if ((o = json_pack("{s:s, s:s, s:s, s:b}", "what", what, "route", argv[optind], "text", text, "html", html)) == NULL)
		cli_misused("a name is no UTF-8");
	answer = cli_ask_about("editions", o);
	json_decref(o);
	o = answer;
	if (o == NULL)
		return 1;
	if (html)
		rc = cli_edition_html(o);
	else if (json)
		(void)print_json(o, JSON_INDENT(2));
	else if (json_object_get(o, "edition") != NULL)
		print_edition(json_object_get(o, "edition"), json_get_text(o, "route"));
	else if (json_object_get(o, "without") != NULL)
		print("left out of the editions of %s: %s\n", json_get_text(o, "route"),
		    json_get_text(json_object_get(o, "without"), "title"));
	else if (json_object_get(o, "editions") != NULL)
		print_list(o);
	else
		print_next(o);
	json_decref(o);
	return rc;
}

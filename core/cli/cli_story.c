/* courant split, join, hide, unhide: an operator's word on stories. */
#include "cli_story.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_usage.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>

/* Sends an order about `records` records, which are all words; --why is its reason. */
static int
order(int argc, char **argv, int records, int needs_why)
{
	static const struct option longs[] = { CLI_HELP, { "why", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 } };
	json_t *question = json_object();
	const char *why = NULL;
	char *arg, *text;
	int opt, status;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1)
		if (opt == 'w')
			why = optarg;
	if (argc - optind != records)
		cli_misused(records == 1 ? "one record has to be named, by its id, guid or link" :
		    "two records have to be named, by their ids, guids or links");
	if (needs_why && (why == NULL || why[0] == '\0'))
		cli_misused("a reason is needed: --why TEXT");
	json_object_set_new(question, "a", json_string(argv[optind]));
	if (records > 1)
		json_object_set_new(question, "b", json_string(argv[optind + 1]));
	if (why != NULL && json_object_set_new(question, "why", json_string(why)) == -1)
		cli_misused("the reason is no UTF-8");
	arg = json_dumps(question, JSON_COMPACT);
	json_decref(question);
	status = cli_ask(argv[0], arg, &text);
	free(arg);
	if (status != 0)
		print_error("courant: ");
	print_lines(text, status != 0);
	free(text);
	return status;
}

int
cli_split(int argc, char **argv)
{
	return order(argc, argv, 1, 0);
}

int
cli_join(int argc, char **argv)
{
	return order(argc, argv, 2, 0);
}

int
cli_hide(int argc, char **argv)
{
	return order(argc, argv, 1, 1);
}

int
cli_unhide(int argc, char **argv)
{
	return order(argc, argv, 1, 0);
}

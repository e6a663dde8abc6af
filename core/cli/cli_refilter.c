/* courant refilter: has a route judge the past again, and waits until it has. */
#include "cli_refilter.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "catalog/option.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_EVERY	100		/* ms between two questions how far the route is */
#define STALLED		INT64_C(20000)	/* ms without progress after which the command ends */

const char *
cli_past(const char *text)
{
	static char words[64];
	size_t digits = strspn(text, "0123456789");
	int64_t ms;

	if (strcmp(text, "all") == 0)
		return text;
	if (digits > 0 && digits < 10 && text[digits] == '\0')
		snprintf(words, sizeof(words), "last %s", text);
	else if (option_duration(text, &ms) == 0)
		snprintf(words, sizeof(words), "age %" PRId64, ms);
	else
		cli_misused("%s: say all, a number of records, or a time such as 30d", text);
	return words;
}

/* Asks the daemon. On an error prints why and ends the program with 1. */
static json_t *
ask(const char *command, const char *arg)
{
	json_t *o = cli_ask_json(command, arg);

	if (o == NULL)
		exit(1);
	return o;
}

/* Asks until the route has judged the past, or makes no progress. */
static json_t *
wait_for(const char *route, json_t *o)
{
	int64_t place = -1, since = date_ticks();

	while (!json_is_true(json_object_get(o, "done")) && date_ticks() - since < STALLED) {
		if (json_get_number(o, "place") != place)
			since = date_ticks();
		place = json_get_number(o, "place");
		json_decref(o);
		usleep(ASK_EVERY * 1000);
		o = ask("refiltered", route);
	}
	return o;
}

static void
show(const json_t *o)
{
	if (!json_is_true(json_object_get(o, "done"))) {
		print("at place %lld of %lld, where it stands: it goes on once the route's "
		    "filters do, see `courant status`\n", json_get_number(o, "place"), json_get_number(o, "up_to"));
		return;
	}
	print("%lld came, %lld went, %lld stayed", json_get_number(o, "came"),
	    json_get_number(o, "went"), json_get_number(o, "stayed"));
	if (json_get_number(o, "replayed") > 0)
		print("; %lld of them are on their way", json_get_number(o, "replayed"));
	print("\n");
}

int
cli_refilter(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "deliver", no_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	int opt, deliver = 0, json = 0;
	const char *what = "all";
	int64_t gap = 1000;
	char *arg, pace[32] = "";
	json_t *o;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1)
		if (opt == 'r')
			gap = cli_rate(optarg);
		else
			*(opt == 'd' ? &deliver : &json) = 1;
	if (optind == argc || argc - optind > 2)
		cli_misused("one route has to be named, and how much of the past");
	if (argc - optind == 2)
		what = cli_past(argv[optind + 1]);
	if (deliver)
		snprintf(pace, sizeof(pace), "%" PRId64, gap);
	arg = xasprintf("%s\n%s\n%s", argv[optind], what, pace);
	o = wait_for(argv[optind], ask("refilter", arg));
	if (json)
		(void)print_json(o, JSON_COMPACT);
	else
		show(o);
	json_decref(o);
	free(arg);
	return 0;
}

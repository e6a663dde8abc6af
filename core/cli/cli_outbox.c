/* Commands about what sinks have not confirmed: dead letters, replay, drop, resume. The daemon's
 * store answers; an order over many records is given page by page. */
#include "cli_outbox.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "catalog/option.h"
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ASK_ABOVE	100		/* records that are replayed without a question */
#define TEXT_MAX	65536		/* bytes of a line that is put together */

struct order {
	json_t		*question;
	int		 json, yes, all;
	const char	*output, *skip_to;
};

/* ---- Arguments ---- */

/* A duration before now, or a date, as ms since 1970. */
static int64_t
time_of(const char *s)
{
	int64_t ms;

	if (option_duration(s, &ms) == 0)
		return date_now() - ms;
	if (date_parse(s, &ms) == -1)
		cli_misused("%s is no time: say 30 min, 2 h, 7 d, or a date such as 2026-03-01", s);
	return ms;
}

/* The name ROUTE or ROUTE/SINK. A route's name has no slash. */
static void
set_target(json_t *question, const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash == NULL) {
		json_object_set_new(question, "route", json_string(name));
		return;
	}
	json_object_set_new(question, "route", json_stringn(name, (size_t)(slash - name)));
	json_object_set_new(question, "sink", json_string(slash + 1));
}

static void
set_rate(json_t *question, const char *value)
{
	json_object_set_new(question, "gap", json_integer(cli_rate(value)));
}

static void
option(struct order *o, int opt)
{
	switch (opt) {
	case 'D':
		json_object_set_new(o->question, "dead", json_true());
		break;
	case 'i':
		json_object_set_new(o->question, "id", json_string(optarg));
		break;
	case 'S':
		json_object_set_new(o->question, "since", json_integer(time_of(optarg)));
		break;
	case 'r':
		set_rate(o->question, optarg);
		break;
	case 'a':
		json_object_set_new(o->question, "again", json_true());
		break;
	case 'n':
		json_object_set_new(o->question, "dry", json_true());
		break;
	case 'j':
		o->json = 1;
		break;
	case 'y':
		o->yes = 1;
		break;
	case 'A':
		o->all = 1;
		break;
	case 'T':
		o->skip_to = optarg;
		break;
	default:
		o->output = optarg;
	}
}

/* Reads the options in longs and at most one ROUTE[/SINK]. */
static void
arguments(struct order *o, int argc, char **argv, const struct option *longs)
{
	int opt;

	*o = (struct order){ .question = json_object() };
	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", longs)) != -1)
		option(o, opt);
	if (argc - optind > 1)
		cli_misused("one route, or ROUTE/SINK, at a time");
	if (optind < argc)
		set_target(o->question, argv[optind]);
}

static int
has(const struct order *o, const char *name)
{
	return json_object_get(o->question, name) != NULL;
}

static void
one_selector(const struct order *o)
{
	if (has(o, "dead") + has(o, "id") + has(o, "since") != 1)
		cli_misused("one of --dead, --id ID and --since TIME says which records");
	if (!has(o, "route"))
		cli_misused("one route, or ROUTE/SINK, has to be named");
}

/* ---- Questions ---- */

/* Adds an answer's numbers to those of the sink in the sums so far. */
static void
add_sink(json_t *sums, const json_t *sink)
{
	static const char *const names[] = { "taken", "confirmed", "lost", "waiting", "busy" };
	json_t *o, *sum = NULL;
	size_t i;

	json_array_foreach(sums, i, o)
		if (strcmp(json_get_text(o, "route"), json_get_text(sink, "route")) == 0 &&
		    strcmp(json_get_text(o, "sink"), json_get_text(sink, "sink")) == 0)
			sum = o;
	if (sum == NULL) {
		json_array_append_new(sums, json_deep_copy(sink));
		return;
	}
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		json_object_set_new(sum, names[k], json_integer(json_get_number(sum, names[k]) +
		    json_get_number(sink, names[k])));
}

/* Gives an order, page by page. The sums for each sink; NULL: refused. */
static json_t *
give(const char *command, json_t *question)
{
	json_t *sums = json_array(), *answer, *sink;
	const json_t *after;
	size_t i;

	do {
		if ((answer = cli_ask_about(command, question)) == NULL) {
			json_decref(sums);
			sums = NULL;
			break;
		}
		json_array_foreach(json_object_get(answer, "sinks"), i, sink)
			add_sink(sums, sink);
		after = json_object_get(answer, "after");
		if (after != NULL) {
			json_object_set_new(question, "after", json_deep_copy(after));
			json_object_set_new(question, "at",
			    json_integer(json_get_number(answer, "at")));
		}
		json_decref(answer);
	} while (after != NULL);
	json_object_del(question, "after");
	json_object_del(question, "at");
	return sums;
}

/* The records that an order is about, of all sinks. */
static long long
all_taken(const json_t *sinks)
{
	long long n = 0;
	const json_t *o;
	size_t i;

	json_array_foreach(sinks, i, o)
		n += json_get_number(o, "taken");
	return n;
}

/* ---- Answers for people ---- */

static const char *
records(long long n)
{
	return n == 1 ? "record" : "records";
}

/* A line for each sink: what the order did, and what it left out and why. */
static void
show_sums(const json_t *sinks, const char *did)
{
	const json_t *o;
	struct buf b;
	size_t i;

	json_array_foreach(sinks, i, o) {
		buf_init(&b, TEXT_MAX);
		buf_fmt(&b, "%s/%s: ", json_get_text(o, "route"), json_get_text(o, "sink"));
		if (json_object_get(o, "lists") != NULL)
			buf_str(&b, "writes lists, which are written whole: nothing to replay");
		else
			buf_fmt(&b, "%lld %s %s", json_get_number(o, "taken"), records(json_get_number(o, "taken")), did);
		if (json_get_number(o, "confirmed") > 0)
			buf_fmt(&b, "; %lld delivered before, left out", json_get_number(o, "confirmed"));
		if (json_get_number(o, "waiting") > 0)
			buf_fmt(&b, "; %lld left out, which will be delivered anyway",
			    json_get_number(o, "waiting"));
		if (json_get_number(o, "busy") > 0)
			buf_fmt(&b, "; %lld left out, which may be on its way at this moment: ask again",
			    json_get_number(o, "busy"));
		if (json_get_number(o, "lost") > 0)
			buf_fmt(&b, "; %lld no longer stored", json_get_number(o, "lost"));
		show_text("", b.data);
		buf_free(&b);
	}
}

static void
show_group(const json_t *o)
{
	const json_t *ids = json_object_get(o, "ids"), *id;
	struct buf b;
	size_t i;

	buf_init(&b, TEXT_MAX);
	buf_fmt(&b, "%lld %s%s", json_get_number(o, "count"),
	    strcmp(json_get_text(o, "state"), "parked") == 0 ? "killed their workers: " : "",
	    json_get_text(o, "reason")[0] != '\0' ? json_get_text(o, "reason") : "failed without saying why");
	if (json_get_text(o, "first")[0] != '\0') {
		buf_str(&b, "; ");
		show_time(&b, json_get_text(o, "first"));
		if (strcmp(json_get_text(o, "first"), json_get_text(o, "last")) != 0) {
			buf_str(&b, " to ");
			show_time(&b, json_get_text(o, "last"));
		}
	}
	show_text("  ", b.data);
	buf_free(&b);
	buf_init(&b, TEXT_MAX);
	json_array_foreach(ids, i, id)
		buf_fmt(&b, "%s%s", i > 0 ? ", " : "", json_string_value(id));
	if (json_get_number(o, "count") > (long long)json_array_size(ids) && b.len > 0)
		buf_str(&b, ", ...");
	if (b.len > 0)
		show_text("      ", b.data);
	buf_free(&b);
}

int
cli_dead(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	json_t *answer, *sinks, *o, *group;
	struct order order;
	size_t i, k;

	arguments(&order, argc, argv, longs);
	answer = cli_ask_about("dead", order.question);
	json_decref(order.question);
	if (answer == NULL)
		return 1;
	sinks = json_object_get(answer, "sinks");
	show_open();
	if (order.json)
		(void)print_json(answer, JSON_COMPACT);
	else if (json_array_size(sinks) == 0)
		print("no dead letters\n");
	json_array_foreach(sinks, i, o) {
		if (order.json)
			break;
		print("%s/%s: %lld dead letter%s\n", json_get_text(o, "route"), json_get_text(o, "sink"),
		    json_get_number(o, "dead"), json_get_number(o, "dead") == 1 ? "" : "s");
		json_array_foreach(json_object_get(o, "groups"), k, group)
			show_group(group);
	}
	json_decref(answer);
	return 0;
}

/* ---- Orders ---- */

/* Whether the operator confirms an order over many records. */
static int
confirmed(long long n)
{
	char answer[8] = "";

	if (!isatty(STDIN_FILENO))
		cli_misused("%lld records are meant: say --yes, or --dry-run to see", n);
	print_error("%lld records are to be replayed. Go on? [y/N] ", n);
	return fgets(answer, sizeof(answer), stdin) != NULL && strncasecmp(answer, "y", 1) == 0;
}

/* Prints what the order did, and frees the sums. */
static int
answered(const struct order *o, json_t *sinks, const char *did)
{
	json_t *all;

	if (sinks == NULL)
		return 1;
	show_open();
	if (o->json) {
		all = json_object();
		json_object_set(all, "sinks", sinks);
		(void)print_json(all, JSON_COMPACT);
		json_decref(all);
	} else if (json_array_size(sinks) == 0)
		print("no sink has such records\n");
	else
		show_sums(sinks, did);
	json_decref(sinks);
	return 0;
}

int
cli_replay(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "dead", no_argument, NULL, 'D' },
		{ "id", required_argument, NULL, 'i' }, { "since", required_argument, NULL, 'S' },
		{ "rate", required_argument, NULL, 'r' }, { "again", no_argument, NULL, 'a' },
		{ "dry-run", no_argument, NULL, 'n' }, { "yes", no_argument, NULL, 'y' },
		{ "json", no_argument, NULL, 'j' }, { NULL, 0, NULL, 0 } };
	struct order order;
	json_t *sinks;
	long long n;
	int rc = 0, dry;

	arguments(&order, argc, argv, longs);
	one_selector(&order);
	if (!has(&order, "gap"))
		set_rate(order.question, "1");
	dry = has(&order, "dry");
	json_object_set_new(order.question, "dry", json_true());
	sinks = give("replay", order.question);
	n = all_taken(sinks);
	if (!dry && n > 0) {
		json_object_del(order.question, "dry");
		if (n > ASK_ABOVE && !order.yes && !confirmed(n)) {
			rc = 1;
			json_decref(sinks);
			sinks = json_array();
		} else {
			json_decref(sinks);
			sinks = give("replay", order.question);
		}
	}
	json_decref(order.question);
	return answered(&order, sinks, dry ? "would be replayed" : "to be replayed") | rc;
}

int
cli_drop(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "dead", no_argument, NULL, 'D' },
		{ "id", required_argument, NULL, 'i' }, { "since", required_argument, NULL, 'S' },
		{ "dry-run", no_argument, NULL, 'n' }, { "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'O' }, { NULL, 0, NULL, 0 } };
	struct order order;
	json_t *sinks;
	char *said;
	int rc, dry;

	arguments(&order, argc, argv, longs);
	if (order.output != NULL) {
		if (json_object_size(order.question) > 0)
			cli_misused("--output FILE stands alone");
		json_decref(order.question);
		rc = cli_ask("drop output", order.output, &said);
		print_lines(said, rc != 0);
		free(said);
		return rc;
	}
	one_selector(&order);
	dry = has(&order, "dry");
	sinks = give("drop", order.question);
	json_decref(order.question);
	return answered(&order, sinks, dry ? "would be given up" : "given up");
}

int
cli_resume(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "all", no_argument, NULL, 'A' },
		{ "skip-to", required_argument, NULL, 'T' }, { NULL, 0, NULL, 0 } };
	struct order order;
	const char *name;
	json_t *sinks;
	char *said;
	int rc = 0;

	arguments(&order, argc, argv, longs);
	if (order.all == has(&order, "route"))
		cli_misused("one route, or ROUTE/SINK, or --all, has to be named");
	name = order.all ? "" : argv[optind];
	if (order.skip_to != NULL) {
		json_object_set_new(order.question, "since", json_integer(time_of(order.skip_to)));
		sinks = give("skip", order.question);
		rc = answered(&order, sinks, "skipped");
	}
	json_decref(order.question);
	if (rc != 0)
		return rc;
	rc = cli_ask("resume", name, &said);
	print_lines(said, rc != 0);
	free(said);
	return rc;
}

/* ---- Testing a sink ---- */

static int
test_one(const char *route, const char *sink, const char *to)
{
	char *name = NULL, *said;
	int rc;

	if (asprintf(&name, "%s/%s%s%s", route, sink, to != NULL ? " " : "", to != NULL ? to : "") == -1)
		return 1;
	rc = cli_ask("test", name, &said);
	print_lines(said, rc != 0);
	free(said);
	free(name);
	return rc;
}

/* Each sink of a route; with `to`, those that write mail. */
static int
test_route(const char *route, const char *to)
{
	json_t *status, *r = NULL, *o;
	char *answer = NULL;
	size_t i;
	int rc = 0;

	if (cli_ask("status", NULL, &answer) != 0 || (status = json_loads(answer, 0, NULL)) == NULL) {
		print_lines(answer, 1);
		free(answer);
		return 1;
	}
	free(answer);
	json_array_foreach(json_object_get(status, "routes"), i, o)
		if (strcmp(json_get_text(o, "name"), route) == 0)
			r = o;
	if (r == NULL)
		rc = test_one(route, "", to);	/* the daemon says which routes there are */
	json_array_foreach(json_object_get(r, "sinks"), i, o)
		if (to == NULL || json_is_true(json_object_get(o, "mail")))
			rc |= test_one(route, json_get_text(o, "name"), to);
	json_decref(status);
	return rc;
}

int
cli_test(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "to", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 } };
	const char *to = NULL;
	char *slash;

	optind = 0;
	while (cli_option_next(argc, argv, ":h", longs) != -1)
		to = optarg;
	if (argc - optind != 1)
		cli_misused("one route, or ROUTE/SINK, has to be named");
	if ((slash = strrchr(argv[optind], '/')) == NULL)
		return test_route(argv[optind], to);
	*slash = '\0';
	return test_one(argv[optind], slash + 1, to);
}

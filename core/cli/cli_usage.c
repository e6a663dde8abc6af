/* Arguments of `courant` and its commands: options, help, and errors of usage. */
#include "cli_usage.h"
#include "cli_print.h"
#include "catalog/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_MAX	1000		/* records a second */
#define RATE_SLOWEST	86400		/* seconds from one record to the next */
#define NAMES_MAX	32		/* commands, or options of one */

static const struct command *commands;
static size_t ncommands;
static const struct command *current;	/* the one to run; NULL: not known yet */

void
cli_usage_open(const struct command *all, size_t n)
{
	commands = all;
	ncommands = n < NAMES_MAX ? n : NAMES_MAX;
}

static const char *
nearest_command(const char *name)
{
	const char *names[NAMES_MAX];

	for (size_t i = 0; i < ncommands; i++)
		names[i] = commands[i].name;
	return option_nearest(name, names, ncommands);
}

const struct command *
cli_command(const char *name)
{
	const char *near;

	for (size_t i = 0; i < ncommands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return current = &commands[i];
	near = nearest_command(name);
	if (near != NULL)
		cli_misused("there is no command %s; did you mean %s?", name, near);
	cli_misused("there is no command %s; `courant help` lists all", name);
}

/* ---- Help ---- */

static void
help_all(void)
{
	print("usage: courant [-c FILE | -s STATE] COMMAND\n"
	    "  -c FILE     the daemon's configuration, for its state folder and settings\n"
	    "  -s STATE    the daemon's state folder\n"
	    "  -V          the version\n\n");
	for (size_t i = 0; i < ncommands; i++)
		print("  %-11s %s\n", commands[i].name, commands[i].does);
	print("\n`courant help COMMAND` tells all about one; courant(1) is the manual.\n");
}

static void
help_one(const struct command *c)
{
	print("usage: courant %s%s", c->name, c->args[0] != '\0' ? " " : "");
	print_lines(c->args, 0);
	print("\n%s\n", c->does);
	if (c->more[0] != '\0')
		print("\n");
	print_lines(c->more, 0);
}

int
cli_help(int argc, char **argv)
{
	if (cli_words(argc, argv, NULL) > 1)
		cli_misused("one command is told about at a time");
	if (argc < 2)
		help_all();
	else
		help_one(cli_command(argv[1]));
	return 0;
}

void
cli_misused(const char *fmt, ...)
{
	va_list ap;

	print_error("courant: ");
	va_start(ap, fmt);
	print_verror(fmt, ap);
	va_end(ap);
	if (current != NULL) {
		print_error("\nusage: courant %s ", current->name);
		print_lines(current->args, 1);
		print_error("\n");
	} else
		print_error("\nusage: courant [-c FILE | -s STATE] COMMAND; see `courant help`\n");
	exit(2);
}

/* ---- Options ---- */

static _Noreturn void
unknown_long(const char *given, const struct option *longs)
{
	const char *names[NAMES_MAX], *near;
	char name[64];
	size_t n = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given + 2, "="), given + 2);
	for (; n < NAMES_MAX && longs[n].name != NULL; n++)
		names[n] = longs[n].name;
	near = option_nearest(name, names, n);
	if (near != NULL)
		cli_misused("there is no option --%s; did you mean --%s?", name, near);
	cli_misused("there is no option --%s here", name);
}

static _Noreturn void
unknown_short(int c)
{
	if ((c == 'c' || c == 's') && current != NULL)
		cli_misused("-%c stands before the command: courant -%c %s %s", c, c,
		    c == 'c' ? "FILE" : "STATE", current->name);
	cli_misused("there is no option -%c here", c);
}

int
cli_option_next(int argc, char **argv, const char *shorts, const struct option *longs)
{
	const char *given;
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, shorts, longs, NULL);
	if (opt == 'h') {
		if (current != NULL)
			help_one(current);
		else
			help_all();
		exit(0);
	}
	if (opt != '?' && opt != ':')
		return opt;
	given = argv[optind - 1];
	if (opt == ':')
		cli_misused("the option %s wants a value", given);
	/* optopt is 0 for an unknown long option, and set for one that got a value but takes none.
	 * */
	if (strncmp(given, "--", 2) != 0)
		unknown_short(optopt);
	if (optopt != 0)
		cli_misused("the option %.*s takes no value", (int)strcspn(given, "="), given);
	unknown_long(given, longs);
}

int64_t
cli_rate(const char *text)
{
	char *end;
	double rate = strtod(text, &end);

	if (end == text || *end != '\0' || !(rate * RATE_SLOWEST >= 1) || rate > RATE_MAX)
		cli_misused("--rate %s: a number of records a second is wanted, from one a day up to %d",
		    text, RATE_MAX);
	return (int64_t)(1000 / rate + 0.5);
}

int
cli_words(int argc, char **argv, int *json)
{
	static const struct option none[] = { CLI_HELP, { NULL, 0, NULL, 0 } };
	static const struct option longs[] = { CLI_HELP, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	int opt;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":h", json != NULL ? longs : none)) != -1)
		if (opt == 'j' && json != NULL)
			*json = 1;
	/* getopt_long() has moved the words behind the options. */
	for (int i = 1; optind + i - 1 < argc; i++)
		argv[i] = argv[optind + i - 1];
	return argc - optind;
}

/* Arguments of `courant` and its commands: options, help, and errors of usage. */
#ifndef CORE_CLI_USAGE_H
#define CORE_CLI_USAGE_H
#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

struct command {
	const char	*name, *args;	/* args: for the usage line; "" */
	const char	*does;		/* one line of help */
	const char	*more;		/* lines of help about its options; "" */
	/* argv[0] is the command's name. Returns the exit status. */
	int		(*run)(int argc, char **argv);
};

/* Sets the table of all commands, which is borrowed; to be called first. */
void	cli_usage_open(const struct command *, size_t n);
/* The command of that name; usage and help are about it from then on. If there is none, suggests
 * the nearest and ends the program with 2. */
const struct command *cli_command(const char *name);
int	cli_help(int argc, char **argv);	/* the command `help` */
/* Prints what is wrong with the arguments, and the usage, and ends the program with 2. */
_Noreturn void cli_misused(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define CLI_HELP	{ "help", no_argument, NULL, 'h' }	/* for each command's longs */
/* The next option as getopt_long() returns it; -1: there are no more. shorts begins with ":" or
 * "+:" and has "h". On --help prints the help and ends the program with 0; on an unknown option, or
 * a value too few or too many, calls cli_misused(). */
int	cli_option_next(int argc, char **argv, const char *shorts, const struct option *longs);
/* The value of --rate, records a second, as ms from one record to the next; if it is none, calls
 * cli_misused(). */
int64_t	cli_rate(const char *text);
/* For commands whose arguments are words and, unless json is NULL, --json: moves the words to
 * argv[1] and on, sets *json, and returns the number of words. */
int	cli_words(int argc, char **argv, int *json);
#endif

/* Commands that send one request to the daemon and print its answer. */
#include "cli_order.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_usage.h"

#include <stdlib.h>

static int
simple(const char *command, const char *arg)
{
	char *text;
	int status = cli_ask(command, arg, &text);

	print_lines(text, status != 0);
	free(text);
	return status;
}

int
cli_reload(int argc, char **argv)
{
	if (cli_words(argc, argv, NULL) != 0)
		cli_misused("reload takes no argument");
	return simple("reload", NULL);
}

int
cli_refresh(int argc, char **argv)
{
	int n = cli_words(argc, argv, NULL), rc = 0;

	if (n == 0)
		cli_misused("a source or group has to be named, or '*' for all");
	for (int i = 1; i <= n; i++)
		rc |= simple("refresh", argv[i]);
	return rc;
}

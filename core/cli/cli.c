/* courant: controls the running daemon, and runs plugins on files. A new command is a file of its
 * own, and a row of the table here. */
#include "cli_daemon.h"
#include "cli_editions.h"
#include "cli_explain.h"
#include "cli_fetch.h"
#include "cli_filter.h"
#include "cli_mail.h"
#include "cli_order.h"
#include "cli_outbox.h"
#include "cli_parse.h"
#include "cli_plugins.h"
#include "cli_print.h"
#include "cli_refilter.h"
#include "cli_search.h"
#include "cli_status.h"
#include "cli_story.h"
#include "cli_subscribers.h"
#include "cli_try.h"
#include "cli_usage.h"
#include "base/log.h"
#include "ipc/child.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>

static const char json_option[] =
	"  --json                all of it as JSON\n";

static const struct command commands[] = {
	{ "status", "[--json]", "sources, routes, roles and what is wrong", json_option, cli_status },
	{ "reload", "", "read the configuration again",
	    "If it is invalid, all its mistakes are printed and the running one stays.\n",
	    cli_reload },
	{ "refresh", "SOURCE|GROUP|'*'...", "poll sources now",
	    "GROUP means all sources of a group, '*' all there are, NAME* those whose names begin so.\n"
	    "A time that a server asked us to wait is still kept.\n", cli_refresh },
	{ "resume", "ROUTE[/SINK]|--all [--skip-to TIME]",
	    "deliver again what was paused, or waits for a retry, now",
	    "  --all                 all routes\n"
	    "  --skip-to TIME        sinks go on with what came since then, and never deliver what\n"
	    "                        came before: 30min, 2h, 7d ago, or a date\n", cli_resume },
	{ "dead", "[ROUTE[/SINK]] [--json]", "dead letters: how many, why, and their ids",
	    json_option, cli_dead },
	{ "replay", "ROUTE[/SINK] --dead|--id ID|--since TIME\n"
	    "           [--rate R] [--again] [--dry-run] [--yes] [--json]",
	    "deliver records once more, beside the new ones",
	    "  --dead                the dead letters\n"
	    "  --id ID               this record, or this delivery\n"
	    "  --since TIME          what came since then and was not delivered\n"
	    "  --rate R              so many records a second; 1 unless given\n"
	    "  --again               also what was delivered before\n"
	    "  --dry-run             only say how many\n"
	    "  --yes                 do not ask before more than 100\n"
	    "  --json                the answer as JSON\n", cli_replay },
	{ "drop", "ROUTE[/SINK] --dead|--id ID|--since TIME [--dry-run]\n"
	    "       courant drop --output FILE",
	    "give up dead letters, or delete an output that nobody writes",
	    "  --dead, --id ID, --since TIME  as for replay: those not delivered are given up\n"
	    "  --output FILE         as `courant status` names it; what a route writes is never\n"
	    "                        deleted\n"
	    "  --dry-run             only say how many\n"
	    "  --json                the answer as JSON\n", cli_drop },
	{ "test", "ROUTE[/SINK] [--to ADDRESS]", "send a sink one marked record, and print its answer",
	    "The record is the newest of the route, with [test] before its title and an id of its\n"
	    "own. It is counted nowhere. Sinks that write lists are not tested.\n"
	    "  --to ADDRESS          who gets it, if the sink writes mail; the dialogue is shown\n", cli_test },
	{ "search", "QUERY [--sort match|new|heat] [--limit N] [--json]\n"
	    "       courant search --complete WORD", "search all records",
	    "The query language is in courant.conf(5), under search; besides, like:ID finds what is\n"
	    "similar, sort:new and sort:heat order, and an id or link finds its story.\n"
	    "  --sort match|new|heat the best, the newest, the hottest first; match unless given\n"
	    "  --limit N             so many stories, 20 unless given\n"
	    "  --complete WORD       the words that begin so, and how many records have them\n"
	    "  --json                the answer as JSON\n", cli_search },
	{ "similar", "ID|URL|- [--sort match|new|heat] [--limit N] [--json]",
	    "what is similar to a record, or to a text",
	    "  -                     read the text from standard input\n"
	    "  --sort, --limit, --json  as for search\n", cli_similar },
	{ "explain", "ID|GUID|URL [--json]",
	    "where a record came from and what became of it, and why", json_option, cli_explain },
	{ "split", "RECORD [--why TEXT]", "make a record a story of its own, for ever",
	    "RECORD is an id, guid or link. What it was joined with is never joined with it again,\n"
	    "unless by `courant join`.\n"
	    "  --why TEXT            the reason, which `courant explain` shows\n", cli_split },
	{ "join", "RECORD RECORD [--why TEXT]", "make one story of those of two records",
	    "A RECORD is an id, guid or link.\n"
	    "  --why TEXT            the reason, which `courant explain` shows\n", cli_join },
	{ "editions", "ROUTE [NAME] [--next [--html]|--seal|--without RECORD] [--json]",
	    "the editions of a route, or what one has",
	    "  NAME                  one edition: its records, and those for which it had no room\n"
	    "  --next                what the next one would have now, and when it is due\n"
	    "  --html                with --next: the HTML of its mail\n"
	    "  --seal                seal the one of today (this week, this month) now; once sealed,\n"
	    "                        nothing changes it, and none of its name comes again\n"
	    "  --without RECORD      leave the record's story out of all that are still to come\n"
	    "  --json                print it in JSON\n", cli_editions },
	{ "hide", "RECORD --why TEXT", "take a record's story out of lists, feeds, page and API",
	    "RECORD is an id, guid or link.\n"
	    "  --why TEXT            the reason, which `courant explain` shows\n", cli_hide },
	{ "unhide", "RECORD [--why TEXT]", "show a hidden story again",
	    "RECORD is an id, guid or link.\n"
	    "  --why TEXT            the reason\n", cli_unhide },
	{ "plugins", "[--json] [NAME|FILE...]", "what plugins there are, or all about these",
	    json_option, cli_plugins },
	{ "parse", "[--plugin FILE] [-o NAME=VALUE] [--url URL] [--header 'NAME: VALUE'] FILE...\n"
	    "       courant parse --batch [--plugin FILE] [-o NAME=VALUE]",
	    "what a plugin reads in files, the pages of one job",
	    "  --plugin FILE         the plugin; the feed plugin unless given\n"
	    "  -o NAME=VALUE         an option of the plugin; NAME_file=PATH reads it from a file\n"
	    "  --url URL             the first page's address, against which links are resolved\n"
	    "  --header 'NAME: VALUE'  a header that each page came with\n"
	    "  --batch               read FEED<TAB>HEADERS lines, print one JSON line for each\n"
	    "FILE - is standard input. The status is 1 if any of them could not be read.\n",
	    cli_parse },
	{ "fetch", "NAME|--plugin FILE [-o NAME=VALUE] [--url URL] [--pages N]",
	    "poll a source once and print its records",
	    "NAME is a source of the configuration, else a plugin's name. Nothing is stored.\n"
	    "  --plugin FILE         the plugin in this file, or of this name\n"
	    "  -o NAME=VALUE         an option of the plugin; NAME_file=PATH reads it from a file\n"
	    "  --url URL             what to fetch in place of the plugin's own url\n"
	    "  --pages N             follow `next` for N pages at most; 10 unless given\n",
	    cli_fetch },
	{ "filter", "NAME|--plugin FILE [-o NAME=VALUE] [--why] [FILE.jsonl...]",
	    "the records that a filter keeps, or why",
	    "  --plugin FILE         the filter in this file\n"
	    "  -o NAME=VALUE         an option of the filter; twice for two values of a list\n"
	    "  --why                 a line for each record: the verdict and its reason\n"
	    "Without a file, records are read from standard input.\n", cli_filter },
	{ "try", "ROUTE [--since all|N|TIME] [-c FILE] [--json]",
	    "what a route's filters would do with the past",
	    "Shows what would come, go and wait, by which filter and why; nothing is changed.\n"
	    "  --since all|N|TIME    all that the route has judged, the newest N records, or those of\n"
	    "                        the last TIME, such as 30d; all unless given\n"
	    "  -c FILE               the route as it is in this configuration\n"
	    "  --json                a line of JSON for each record, the sums in the last\n", cli_try },
	{ "refilter", "ROUTE [all|N|TIME] [--deliver [--rate R]] [--json]",
	    "apply a route's filters, as they are now, to the past",
	    "To all that it has judged, the newest N records, or those of the last TIME, such as 30d.\n"
	    "Lists, such as feeds, are written anew. Nothing is delivered twice.\n"
	    "  --deliver             sinks that push get what is kept now and they have not got\n"
	    "  --rate R              so many of them a second, 1 unless given\n"
	    "  --json                all of it as JSON\n", cli_refilter },
	{ "mail", "[-v] [--json]", "connect to the mail server and log in; sends nothing",
	    "Prints the server, its TLS and what it offers; if it refuses, its reply and what that\n"
	    "means, and the status is 1.\n"
	    "  -v, --verbose         the dialogue with the server, without secrets\n"
	    "  --json                all of it as JSON\n", cli_mail },
	{ "subscribers", "ROUTE list|export|show A|add A|remove A|forget A|import FILE\n"
	    "           [--confirmed] [--json]", "who subscribes to a route, and orders about them",
	    "  list                  all there are or were, and their states\n"
	    "  export                the same as CSV, with the keys of their leave links\n"
	    "  show ADDRESS          one, with dates, networks and letters\n"
	    "  add ADDRESS           ask it to confirm; with --confirmed: it has said yes to you\n"
	    "  remove ADDRESS        it gets no more mail\n"
	    "  forget ADDRESS        delete its row; no import brings it back\n"
	    "  import FILE           CSV of an export, or addresses, a line each: they are asked to\n"
	    "                        confirm; with --confirmed: they have said yes to you\n"
	    "  --json                the answer as JSON\n", cli_subscribers },
	{ "bounce", "[--json] < MAIL", "read a mail that came back, or by which a reader leaves",
	    "MAIL is, on standard input, a delivery status notification, or has the subject that a link\n"
	    "to leave gave it. The status is 0 also when the mail is something else.\n"
	    "  --json                the answer as JSON\n", cli_bounce },
	{ "help", "[COMMAND]", "this list, or all about a command", "", cli_help },
};

int
main(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP, { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 } };
	const struct command *command;
	int opt;

	log_open("courant", 0);
	signal(SIGPIPE, SIG_IGN);
	child_ignore_io();
	cli_usage_open(commands, sizeof(commands) / sizeof(commands[0]));
	while ((opt = cli_option_next(argc, argv, "+:c:hs:V", longs)) != -1)
		switch (opt) {
		case 'c':
			cli_daemon_conf(optarg);
			break;
		case 's':
			cli_daemon_state(optarg);
			break;
		default:
			print("courant %s\n", PACKAGE_VERSION);
			return 0;
		}
	if (optind == argc)
		cli_misused("no command is given");
	command = cli_command(argv[optind]);
	return command->run(argc - optind, argv + optind);
}

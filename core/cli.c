/* courant: asks the running daemon, and tries plugins on files. */
#include "cli.h"
#include "chan.h"
#include "conf.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "result.h"
#include "setup.h"
#include "child.h"

#include <jansson.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef COURANT_SYSCONFDIR
#define COURANT_SYSCONFDIR	"/etc"
#endif
#define CONF_DEFAULT	COURANT_SYSCONFDIR "/courant/courant.yaml"
#define ANSWER_MS	30000

static const char *conf_file = CONF_DEFAULT;
static int conf_named;			/* by -c */
static const char *state_dir;

void
cli_usage(void)
{
	fprintf(stderr, "usage: courant [-c FILE | -s STATE] COMMAND\n"
	    "  status [--json]       sources, routes, roles and what is wrong\n"
	    "  reload                read the configuration again\n"
	    "  refresh SOURCE        poll a source now\n"
	    "  resume ROUTE[/SINK]   deliver again what was paused, or waits for a retry, now\n"
	    "  explain ID|GUID|URL [--json]\n"
	    "                        where a record came from and what became of it, and why\n"
	    "  plugins [--json] [NAME|FILE...]\n"
	    "                        what plugins there are, or all about these\n"
	    "  parse [-o NAME=VALUE] [--plugin FILE] [--url URL] [--header 'NAME: VALUE'] FILE...\n"
	    "                        prints what a plugin reads in files, the pages of one job\n"
	    "  fetch NAME|--plugin FILE [-o NAME=VALUE] [--url URL] [--pages N]\n"
	    "                        polls a source once and prints its records\n"
	    "  filter NAME|--plugin FILE [-o NAME=VALUE] [--why] [FILE.jsonl...]\n"
	    "                        prints the records that a filter keeps, or why\n"
	    "  parse --batch         read FEED<TAB>HEADERS lines, print one JSON line for each\n");
	exit(2);
}

const char *
cli_conf(void)
{
	return conf_named || access(conf_file, R_OK) == 0 ? conf_file : NULL;
}

/* ---- asking the daemon ---- */

/* NULL and the mistakes: it is not known where that is. */
static char *
socket_path(struct mistakes *m)
{
	struct node *tree = NULL;
	struct setup *s;
	char *path;

	if (state_dir != NULL)
		return xasprintf("%s/admin.sock", state_dir);
	s = setup_open(conf_file, m, &tree);
	if (s == NULL)
		return NULL;
	path = xasprintf("%s/admin.sock", s->state);
	conf_free(tree);
	setup_free(s);
	return path;
}

/* -1 with errno. */
static int
daemon_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	close(fd);
	return -1;
}

static struct chan *
daemon_open(void)
{
	struct mistakes m;
	char *path;
	int fd;

	mistakes_init(&m);
	path = socket_path(&m);
	if (path == NULL) {
		fprintf(stderr, "%scourant: name the daemon's state folder with -s, or its "
		    "configuration with -c\n", m.text.data);
		exit(1);
	}
	fd = daemon_connect(path);
	if (fd == -1) {
		fprintf(stderr, "courant: %s: %s; does courantd run?\n", path, strerror(errno));
		exit(1);
	}
	free(path);
	mistakes_free(&m);
	return chan_new(fd);
}

/* Asks over c, which is freed; *text is allocated. Returns the status that the daemon gave. */
static int
ask_over(struct chan *c, const char *command, const char *arg, char **text)
{
	struct frame f;
	struct wire w;
	struct buf b;
	const char *s;
	size_t size;
	uint32_t status;

	buf_init(&b, msg_limit(MSG_ASK));
	wire_put_str(&b, command);
	wire_put_str(&b, arg);
	if (chan_send(c, MSG_ASK, 1, &b, -1, -1) == -1 || chan_recv(c, &f, ANSWER_MS) != 1 ||
	    f.type != MSG_TOLD) {
		fprintf(stderr, "courant: the daemon does not answer; its log may say why\n");
		exit(1);
	}
	wire_init(&w, f.data, f.len);
	status = wire_u32(&w);
	s = wire_str(&w);
	if (s == NULL && f.fd[0] != -1 && (s = result_map(f.fd[0], SIZE_MAX, &size)) != NULL)
		*text = xstrndup(s, size);
	else if (s != NULL && wire_end(&w) == 0)
		*text = xstrdup(s);
	else {
		fprintf(stderr, "courant: the daemon's answer cannot be read%s\n",
		    f.fd[0] == -1 ? ": it came without its text" : "");
		exit(1);
	}
	buf_free(&b);
	chan_free(c);
	return (int)status;
}

int
cli_ask(const char *command, const char *arg, char **text)
{
	return ask_over(daemon_open(), command, arg, text);
}

int
cli_try(const char *command, char **text)
{
	struct mistakes m;
	char *path = NULL;
	int fd = -1;

	mistakes_init(&m);
	if (state_dir != NULL || cli_conf() != NULL)
		path = socket_path(&m);
	if (path != NULL)
		fd = daemon_connect(path);
	if (path != NULL && fd == -1 && errno != ENOENT && errno != ECONNREFUSED)
		fprintf(stderr, "courant: %s: %s: the daemon is not asked\n", path, strerror(errno));
	free(path);
	mistakes_free(&m);
	return fd == -1 || ask_over(chan_new(fd), command, NULL, text) != 0 ? -1 : 0;
}

static int
simple(const char *command, const char *arg)
{
	char *text;
	int status = cli_ask(command, arg, &text);

	fputs(text, status == 0 ? stdout : stderr);
	free(text);
	return status;
}

static int
cli_reload(int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		cli_usage();
	return simple("reload", NULL);
}

static int
cli_refresh(int argc, char **argv)
{
	if (argc != 2)
		cli_usage();
	return simple("refresh", argv[1]);
}

static int
cli_resume(int argc, char **argv)
{
	if (argc != 2)
		cli_usage();
	return simple("resume", argv[1]);
}

/* ---- status for people ---- */

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static long long
number(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

static void
show_roles(const json_t *all)
{
	const json_t *o;
	size_t i;

	printf("\nROLE      PID      STATE     RESTARTS\n");
	json_array_foreach(json_object_get(all, "roles"), i, o)
		printf("%-9s %-8lld %-9s %lld  %s\n", member(o, "name"), number(o, "pid"),
		    member(o, "state"), number(o, "restarts"), member(o, "obituary"));
	json_array_foreach(json_object_get(all, "obituaries"), i, o)
		printf("%s worker %lld of %s died of %s: %s\n", member(o, "when"),
		    number(o, "pid"), member(o, "plugin"), member(o, "job"), member(o, "text"));
}

static void
show_sources(const json_t *all)
{
	const json_t *o;
	size_t i;

	printf("\nSOURCE                           STATE    FOUND NEXT\n");
	json_array_foreach(json_object_get(all, "sources"), i, o) {
		printf("%-32s %-8s %5lld %s\n", member(o, "name"), member(o, "state"),
		    number(o, "found"), json_object_get(o, "streaming") != NULL ? "streams" :
		    member(o, "due"));
		if (member(o, "error")[0] != '\0')
			printf("    %s\n", member(o, "error"));
		if (member(o, "moved")[0] != '\0')
			printf("    moved for good to %s: change its url\n", member(o, "moved"));
	}
}

static void
show_leg(const char *route, const json_t *o)
{
	int paused = strcmp(member(o, "state"), "paused") == 0;

	printf("%-16s %-10s %-9s %9lld %9lld %5lld  %s%s", route, member(o, "name"),
	    member(o, "state"), number(o, "delivered"), number(o, "pending"),
	    number(o, "dead"), paused ? "paused: " : "", member(o, "reason"));
	if (paused)
		printf("; `courant resume %s`", route);
	putchar('\n');
}

static void
show_routes(const json_t *all)
{
	const json_t *o, *leg;
	size_t i, k;

	printf("\nROUTE            SINK       STATE     DELIVERED   PENDING  DEAD\n");
	json_array_foreach(json_object_get(all, "routes"), i, o) {
		if (json_object_get(o, "filters") != NULL)
			show_leg(member(o, "name"), json_object_get(o, "filters"));
		json_array_foreach(json_object_get(o, "legs"), k, leg)
			show_leg(member(o, "name"), leg);
	}
	json_array_foreach(json_object_get(all, "plugins"), i, o)
		if (member(o, "error")[0] != '\0')
			printf("plugin %s: %s\n", member(o, "file"), member(o, "error"));
}

static int
cli_status(int argc, char **argv)
{
	const json_t *n;
	json_error_t why;
	json_t *all;
	char *text;
	int status;

	if (argc == 2 && strcmp(argv[1], "--json") == 0)
		return simple("status", NULL);
	if (argc != 1)
		cli_usage();
	status = cli_ask("status", NULL, &text);
	all = json_loads(text, 0, &why);
	free(text);
	if (all == NULL) {
		fprintf(stderr, "courant: the status cannot be read: %s\n", why.text);
		return 1;
	}
	n = json_object_get(all, "counts");
	printf("courantd %s, up %lld s%s%s\n", member(all, "version"), number(all, "uptime"),
	    member(all, "listen")[0] != '\0' ? ", http://" : "", member(all, "listen"));
	printf("%lld records, %lld revisions, %lld stories, %lld bytes\n",
	    number(n, "records"), number(n, "revisions"), number(n, "stories"),
	    number(n, "bytes"));
	show_roles(all);
	show_sources(all);
	show_routes(all);
	json_decref(all);
	return status;
}

static const struct {
	const char	*name;
	int		(*run)(int, char **);
} commands[] = {
	{ "status", cli_status },
	{ "reload", cli_reload },
	{ "refresh", cli_refresh },
	{ "resume", cli_resume },
	{ "explain", cli_explain },
	{ "plugins", cli_plugins },
	{ "parse", cli_parse },
	{ "fetch", cli_fetch },
	{ "filter", cli_filter },
};

int
main(int argc, char **argv)
{
	int opt;

	log_open("courant", 0);
	signal(SIGPIPE, SIG_IGN);
	while ((opt = getopt(argc, argv, "+c:s:V")) != -1)
		switch (opt) {
		case 'c':
			conf_file = optarg;
			conf_named = 1;
			break;
		case 's':
			state_dir = optarg;
			break;
		case 'V':
			printf("courant %s\n", PACKAGE_VERSION);
			return 0;
		default:
			cli_usage();
		}
	if (optind == argc)
		cli_usage();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, argv[optind]) == 0)
			return commands[i].run(argc - optind, argv + optind);
	cli_usage();
}

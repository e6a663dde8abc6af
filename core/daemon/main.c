/* courantd: reads the command line, becomes one of the roles or the core, and runs its loop. */
#include "boot.h"
#include "run.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "conf/check.h"
#include "conf/setup_default.h"
#include "conf/setup_read.h"
#include "daemon/source/sources.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/role.h"
#include "ipc/child.h"
#include "ipc/roles.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#ifndef COURANT_SYSCONFDIR
#define COURANT_SYSCONFDIR	"/etc"
#endif
#define CONF_DEFAULT	COURANT_SYSCONFDIR "/courant/courant.yaml"

#define ROLE_ENTRY(id, name, late)	{ #name, name##_main },
static const struct {
	const char	*name;
	int		(*main)(int debug);
} roles[ROLES_ALL] = { ROLES_EACH(ROLE_ENTRY) ROLES_POOLED(ROLE_ENTRY) };

/* A role dies with core, even when core is killed. */
static int
role_main(const char *name, int debug)
{
	if (child_bind() == -1)
		return 1;
	child_expendable(CHILD_OOM_ROLE);
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, name) == 0) {
			log_open(roles[i].name, debug);
			prctl(PR_SET_NAME, roles[i].name);
			return roles[i].main(debug);
		}
	shown_print(stderr, "courantd: there is no role %s\n", name);
	return 2;
}

static int
usage(FILE *to, int rc)
{
	fprintf(to, "usage: courantd [-c FILE] [-u USER] [-dfnV]\n"
	    "  -c FILE  configuration (default %s)\n"
	    "  -n       check the configuration and exit\n"
	    "  -u USER  user to run as when started as root (over `user:`)\n"
	    "  -d       log more\n"
	    "  -f       stay in the foreground, as it always does\n"
	    "  -V       print the version\n", CONF_DEFAULT);
	return rc;
}

/* ---- the running core ---- */

static int
core_main(const char *file, const char *user, int check, int debug)
{
	static struct core core = { .listener = -1, .lock = -1 };
	struct core *c = &core;
	struct mistakes m;
	struct node *tree = NULL;
	struct setup *s;
	int rc = EXIT_CONF;

	log_open("core", debug);
	c->debug = debug;
	c->started = date_ticks();
	c->catalog = catalog_new(defaults_fit);
	c->checks = checks_new();
	mistakes_init(&m);
	s = setup_open(file, &m, &tree);
	if (s == NULL && check)
		shown_lines(stderr, m.text.data);
	else if (check)
		rc = boot_check(c, s, tree, user, &m);
	else if (s != NULL)
		s = boot_begin(c, s, tree, user, &m, &rc);
	if (!check)
		log_lines(log_error, m.text.data);
	mistakes_free(&m);
	return check || s == NULL ? rc : core_run(c, s);
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "role", required_argument, NULL, 'R' },
		{ "debug", no_argument, NULL, 'd' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *file = CONF_DEFAULT, *user = NULL, *role = NULL;
	int opt, check = 0, debug = 0;

	while ((opt = getopt_long(argc, argv, "c:u:dfnVh", longs, NULL)) != -1)
		switch (opt) {
		case 'c':
			file = optarg;
			break;
		case 'u':
			user = optarg;
			break;
		case 'd':
			debug = 1;
			break;
		case 'f':
			break;
		case 'n':
			check = 1;
			break;
		case 'R':
			role = optarg;
			break;
		case 'V':
			printf("courantd %s\n", PACKAGE_VERSION);
			return 0;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 2);
		}
	if (optind < argc)
		return usage(stderr, 2);
	child_ignore_io();
	return role != NULL ? role_main(role, debug) : core_main(file, user, check, debug);
}

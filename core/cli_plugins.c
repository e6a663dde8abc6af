/* `courant plugins`: what the running daemon knows of its plugins, or what files on disk are. */
#include "cli.h"
#include "catalog.h"
#include "child.h"
#include "conf.h"
#include "mem.h"
#include "told.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORT		12		/* digits of a hash beside another one */
#define USERS_SHOWN	8		/* names of sources or routes */

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static int
is(const json_t *o, const char *name, const char *text)
{
	return strcmp(member(o, name), text) == 0;
}

/* ---- For people ---- */

static void
show_list(const char *what, const json_t *list)
{
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word)
		printf("%s%s", i == 0 ? what : ", ", json_string_value(word));
	if (json_array_size(list) > 0)
		putchar('\n');
}

static void
show_wants(const json_t *o)
{
	const char *name, *before = "    wants ";
	const json_t *granted;
	int lacks = 0;

	/* jansson's macro wants an object that may be changed */
	json_object_foreach((json_t *)(uintptr_t)json_object_get(o, "wants"), name, granted) {
		printf("%s%s%s", before, name, json_is_true(granted) ? " (granted)" :
		    json_is_false(granted) ? " (not granted)" : "");
		lacks |= json_is_false(granted);
		before = ", ";
	}
	if (lacks)
		printf(": `allow: [%s_%s]` in the configuration lets it", member(o, "kind"),
		    member(o, "name"));
	if (*before == ',')
		putchar('\n');
}

static void
show_option(const json_t *o)
{
	const char *value = member(o, "default"), *range = member(o, "range");

	printf("    %-14s %s", member(o, "name"), member(o, "type"));
	if (range[0] != '\0')
		printf(" %s", range);
	if (json_is_true(json_object_get(o, "required")))
		fputs(", has to be given", stdout);
	else if (value[0] != '\0')
		printf(", %s unless given", value);
	printf(": %s\n", member(o, "help"));
}

static void
show_contract(const json_t *o)
{
	const json_t *option;
	size_t i;

	const json_t *roles = json_object_get(o, "roles"), *role;

	printf("    needs version %s of the plugin contract\n", member(o, "needs"));
	show_list("    does ", roles);
	json_array_foreach(roles, i, role)
		if (strcmp(json_string_value(role), "request") == 0)
			puts("    answers HTTP below /x/NAME/, by the names of its sources");
	show_list("    takes ", json_object_get(o, "takes"));
	show_wants(o);
	show_list("    brings the sources ", json_object_get(o, "brings"));
	json_array_foreach(json_object_get(o, "options"), i, option)
		show_option(option);
}

/* What uses it, or waits for it. */
static void
show_users(const json_t *o)
{
	const json_t *names = json_object_get(o, "used_by"), *n = json_object_get(o, "uses");
	int source = is(o, "kind", "source") || strncmp(member(o, "name"), "source_", 7) == 0;
	long long uses = (long long)json_integer_value(n);

	if (n == NULL)
		return;
	printf("    used by %lld %s%s", uses, source ? "source" : "route", uses == 1 ? "" : "s");
	for (size_t i = 0; i < json_array_size(names) && i < USERS_SHOWN; i++)
		printf("%s%s", i == 0 ? ": " : ", ", json_string_value(json_array_get(names, i)));
	puts(uses > USERS_SHOWN ? ", ..." : "");
}

static void
show_state(const json_t *o)
{
	if (is(o, "state", "gone back") && !is(o, "not_used", ""))
		printf("    gone back to this version, since %.*s failed: %s\n", SHORT,
		    member(o, "not_used"), member(o, "reason"));
	else if (is(o, "state", "behind"))
		printf("    not used: %s comes first\n", member(o, "reason"));
	else if (!is(o, "reason", ""))
		printf("    %s: %s\n", member(o, "state"), member(o, "reason"));
	else if (!is(o, "state", "good"))
		printf("    %s\n", member(o, "state"));
}

/* 1: it is refused. */
static int
show(const json_t *o, int whole)
{
	if (is(o, "state", "refused")) {
		printf("%s: refused: %s\n", member(o, "file"), member(o, "reason"));
		show_users(o);
		return 1;
	}
	printf("%s_%s %s: %s\n", member(o, "kind"), member(o, "name"), member(o, "version"),
	    member(o, "help"));
	show_state(o);
	show_users(o);
	printf("    %s\n", member(o, "file"));
	if (!is(o, "abi", ""))
		printf("    sha256 %s, for version %s of the plugin contract\n", member(o, "hash"),
		    member(o, "abi"));
	if (whole && !is(o, "abi", ""))
		show_contract(o);
	return 0;
}

/* ---- Finding them ---- */

/* All that the daemon has; NULL: none runs. */
static json_t *
ask_daemon(void)
{
	json_error_t why;
	json_t *all;
	char *text;

	if (cli_try("plugins", &text) == -1)
		return NULL;
	all = json_loads(text, 0, &why);
	free(text);
	if (all != NULL)
		return all;
	fprintf(stderr, "courant: what the daemon says of its plugins cannot be read: %s\n",
	    why.text);
	exit(1);
}

/* All that came with this program. */
static json_t *
scan_folder(struct catalog *c)
{
	json_t *all = json_array();
	struct buf err;

	buf_init(&err, 4096);
	if (catalog_scan(c, spawn_plugin_dir(), NULL, &err) == -1) {
		fprintf(stderr, "courant: %s\n", err.data);
		exit(1);
	}
	for (size_t i = 0; i < catalog_count(c); i++)
		json_array_append_new(all, told_plugin(catalog_at(c, i), NULL));
	buf_free(&err);
	return all;
}

static int
same_file(const char *a, const char *b)
{
	char x[PATH_MAX], y[PATH_MAX];

	return strcmp(a, b) == 0 ||
	    (realpath(a, x) != NULL && realpath(b, y) != NULL && strcmp(x, y) == 0);
}

/* Whether it is called that: NAME, KIND_NAME, or its file. */
static int
called(const json_t *o, const char *which)
{
	const char *kind = member(o, "kind"), *name = member(o, "name");
	size_t len = strlen(kind);

	if (strchr(which, '/') != NULL || strstr(which, ".so") != NULL)
		return same_file(member(o, "file"), which);
	return strcmp(which, name) == 0 || (strncmp(which, kind, len) == 0 && which[len] == '_' &&
	    strcmp(which + len + 1, name) == 0);
}

/* Those called so are added to `to`; running: all is the daemon's; a file that nobody loaded is described by a worker. */
static int
pick(struct catalog *c, const json_t *all, int running, const char *which, json_t *to)
{
	int file = strchr(which, '/') != NULL || strstr(which, ".so") != NULL;
	size_t had = json_array_size(to), i;
	json_t *o;

	json_array_foreach(all, i, o)
		if (called(o, which))
			json_array_append(to, o);
	if (json_array_size(to) > had)
		return 0;
	if (file) {
		o = told_plugin(catalog_file(c, which, NULL), NULL);
		if (running && is(o, "state", "good"))
			set_text(o, "state", "not in a plugin folder of the daemon");
		return json_array_append_new(to, o);
	}
	fprintf(stderr, "courant: there is no plugin %s; `courant plugins` lists what there is\n",
	    which);
	return 1;
}

int
cli_plugins(int argc, char **argv)
{
	struct catalog *c = catalog_new();
	json_t *all, *asked = json_array(), *o;
	int i, json = 0, rc = 0, named = 0, running;
	size_t n;

	for (i = 1; i < argc; i++) {
		json |= strcmp(argv[i], "--json") == 0;
		named |= argv[i][0] != '-';
		if (argv[i][0] == '-' && strcmp(argv[i], "--json") != 0)
			cli_usage();
	}
	all = ask_daemon();
	running = all != NULL;
	if (!running)
		all = scan_folder(c);
	for (i = 1; i < argc; i++)
		if (argv[i][0] != '-')
			rc |= pick(c, all, running, argv[i], asked);
	if (json)
		json_dumpf(named ? asked : all, stdout, JSON_INDENT(1));
	json_array_foreach(named ? asked : all, n, o)
		rc |= json ? is(o, "state", "refused") : show(o, named);
	if (json)
		putchar('\n');
	json_decref(asked);
	json_decref(all);
	catalog_free(c);
	return rc;
}

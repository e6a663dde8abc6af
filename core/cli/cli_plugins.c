/* courant plugins: lists and describes the daemon's plugins, or plugins in files. */
#include "cli_plugins.h"
#include "cli_daemon.h"
#include "cli_job.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "cli_user.h"
#include "base/json.h"
#include "base/user.h"
#include "catalog/catalog.h"
#include "catalog/plugin_json.h"
#include "conf/setup_default.h"
#include "ipc/child.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SHORT		12		/* digits of a shortened hash */
#define USERS_SHOWN	8		/* names of sources or routes in a list */

static int
is(const json_t *o, const char *name, const char *text)
{
	return strcmp(json_get_text(o, name), text) == 0;
}

/* ---- For people ---- */

static void
show_list(const char *what, const json_t *list)
{
	const json_t *word;
	size_t i;

	json_array_foreach(list, i, word)
		print("%s%s", i == 0 ? what : ", ", json_string_value(word));
	if (json_array_size(list) > 0)
		print("\n");
}

static void
show_wants(const json_t *o)
{
	const char *name, *before = "    wants ";
	const json_t *granted;
	int lacks = 0;

	/* jansson's macro takes no const object */
	json_object_foreach((json_t *)(uintptr_t)json_object_get(o, "wants"), name, granted) {
		print("%s%s%s", before, name, json_is_true(granted) ? " (granted)" :
		    json_is_false(granted) ? " (not granted)" : "");
		lacks |= json_is_false(granted);
		before = ", ";
	}
	if (lacks)
		print(": `allow: [%s_%s]` in the configuration lets it", json_get_text(o, "kind"),
		    json_get_text(o, "name"));
	if (*before == ',')
		print("\n");
}

static void
show_option(const json_t *o)
{
	const char *value = json_get_text(o, "default"), *range = json_get_text(o, "range");

	print("    %-14s %s", json_get_text(o, "name"), json_get_text(o, "type"));
	if (range[0] != '\0')
		print(" %s", range);
	if (json_is_true(json_object_get(o, "required")))
		print(", has to be given");
	else if (value[0] != '\0')
		print(", %s unless given", value);
	print(": %s\n", json_get_text(o, "help"));
}

static void
show_contract(const json_t *o)
{
	const json_t *option;
	size_t i;

	const json_t *roles = json_object_get(o, "roles"), *role;

	print("    needs version %s of the plugin contract\n", json_get_text(o, "needs"));
	show_list("    does ", roles);
	json_array_foreach(roles, i, role)
		if (strcmp(json_string_value(role), "request") == 0)
			print("    answers HTTP below /x/NAME/, by the names of its sources\n");
	show_list("    takes ", json_object_get(o, "takes"));
	show_wants(o);
	show_list("    brings the sources ", json_object_get(o, "brings"));
	json_array_foreach(json_object_get(o, "options"), i, option)
		show_option(option);
}

/* Prints the sources or routes that use the plugin, or wait for it. */
static void
show_users(const json_t *o)
{
	const json_t *names = json_object_get(o, "used_by"), *n = json_object_get(o, "uses");
	int source = is(o, "kind", "source") || strncmp(json_get_text(o, "name"), "source_", 7) == 0;
	long long uses = (long long)json_integer_value(n);

	if (n == NULL)
		return;
	print("    used by %lld %s%s", uses, source ? "source" : "route", uses == 1 ? "" : "s");
	for (size_t i = 0; i < json_array_size(names) && i < USERS_SHOWN; i++)
		print("%s%s", i == 0 ? ": " : ", ", json_string_value(json_array_get(names, i)));
	print(uses > USERS_SHOWN ? ", ...\n" : "\n");
}

static void
show_state(const json_t *o)
{
	if (is(o, "state", "gone back") && !is(o, "not_used", ""))
		print("    gone back to this version, since %.*s failed: %s\n", SHORT,
		    json_get_text(o, "not_used"), json_get_text(o, "reason"));
	else if (is(o, "state", "behind"))
		print("    refused: %s has this name and comes first\n", json_get_text(o, "reason"));
	else if (!is(o, "reason", ""))
		print("    %s: %s\n", json_get_text(o, "state"), json_get_text(o, "reason"));
	else if (!is(o, "state", "good"))
		print("    %s\n", json_get_text(o, "state"));
}

/* Prints a plugin; whole: with its options. 1: the plugin is refused. */
static int
show(const json_t *o, int whole)
{
	if (is(o, "state", "refused")) {
		print("%s: refused: %s\n", json_get_text(o, "file"), json_get_text(o, "reason"));
		show_users(o);
		return 1;
	}
	print("%s_%s %s: %s\n", json_get_text(o, "kind"), json_get_text(o, "name"), json_get_text(o, "version"),
	    json_get_text(o, "help"));
	show_state(o);
	show_users(o);
	print("    %s\n", json_get_text(o, "file"));
	if (!is(o, "abi", ""))
		print("    sha256 %s, for version %s of the plugin contract\n", json_get_text(o, "hash"),
		    json_get_text(o, "abi"));
	if (whole && !is(o, "abi", ""))
		show_contract(o);
	return 0;
}

/* ---- Finding plugins ---- */

/* All plugins of the daemon; NULL: no daemon runs. */
static json_t *
ask_daemon(void)
{
	json_error_t why;
	json_t *all;
	char *text;

	if (cli_ask_running("plugins", &text) == -1)
		return NULL;
	all = json_loads(text, 0, &why);
	free(text);
	if (all != NULL)
		return all;
	print_error("courant: what the daemon says of its plugins cannot be read: %s\n",
	    why.text);
	exit(1);
}

/* All plugins that came with this program. */
static json_t *
scan_folder(struct catalog *c)
{
	json_t *all = json_array();
	struct buf err;

	buf_init(&err, 4096);
	if (catalog_scan(c, child_plugin_dir(), NULL, &err) == -1) {
		print_error("courant: %s\n", err.data);
		exit(1);
	}
	for (size_t i = 0; i < catalog_count(c); i++)
		json_array_append_new(all, plugin_json(catalog_at(c, i), NULL));
	buf_free(&err);
	return all;
}

static int
is_file(const char *which)
{
	return strchr(which, '/') != NULL || strstr(which, ".so") != NULL;
}

static int
same_file(const char *a, const char *b)
{
	char x[PATH_MAX], y[PATH_MAX];

	return strcmp(a, b) == 0 ||
	    (realpath(a, x) != NULL && realpath(b, y) != NULL && strcmp(x, y) == 0);
}

/* Whether `which` is the plugin's NAME, KIND_NAME, or file. */
static int
called(const json_t *o, const char *which)
{
	const char *kind = json_get_text(o, "kind"), *name = json_get_text(o, "name");
	size_t len = strlen(kind);

	if (is_file(which))
		return same_file(json_get_text(o, "file"), which);
	return strcmp(which, name) == 0 || (strncmp(which, kind, len) == 0 && which[len] == '_' &&
	    strcmp(which + len + 1, name) == 0);
}

/* Adds to `to` those of `all` that `which` names; a file that is not among them is described by a
 * worker. running: `all` is the daemon's. 1, and an error printed: there is none. */
static int
pick(struct catalog *c, const json_t *all, int running, const char *which, json_t *to)
{
	int file = is_file(which);
	size_t had = json_array_size(to), i;
	json_t *o;

	json_array_foreach(all, i, o)
		if (called(o, which))
			json_array_append(to, o);
	if (json_array_size(to) > had)
		return 0;
	if (file) {
		o = plugin_json(catalog_file(c, which, NULL), NULL);
		if (running && is(o, "state", "good"))
			json_set_text(o, "state", "not in a plugin folder of the daemon");
		return json_array_append_new(to, o);
	}
	print_error("courant: there is no plugin %s; `courant plugins` lists what there is\n",
	    which);
	return 1;
}

/* Gives up root, before the first worker. which: n names and files of plugins. */
static void
drop_root(struct catalog *c, char *const *which, int n)
{
	struct setup *s = user_is_root() ? cli_settings() : NULL;
	struct options none = { .n = 0 };
	uid_t own = cli_user(s);

	for (int i = 0; i < n; i++)
		if (is_file(which[i]))
			catalog_open(c, which[i], own);
	cli_user_drop(&none);
	setup_free(s);
}

int
cli_plugins(int argc, char **argv)
{
	struct catalog *c = catalog_new(defaults_fit);
	json_t *all, *asked = json_array(), *o;
	int i, json = 0, rc = 0, named = cli_words(argc, argv, &json), running;
	size_t n;

	all = ask_daemon();
	running = all != NULL;
	drop_root(c, argv + 1, named);
	if (!running)
		all = scan_folder(c);
	for (i = 1; i <= named; i++)
		rc |= pick(c, all, running, argv[i], asked);
	if (json)
		(void)print_json(named ? asked : all, JSON_INDENT(1));
	json_array_foreach(named ? asked : all, n, o)
		rc |= json ? is(o, "state", "refused") : show(o, named);
	json_decref(asked);
	json_decref(all);
	catalog_free(c);
	return rc;
}

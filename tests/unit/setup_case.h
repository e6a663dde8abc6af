/* What the tests of configurations share: a catalog without workers, a folder to write in, and how
 * to read one. */
#ifndef TESTS_SETUP_CASE_H
#define TESTS_SETUP_CASE_H
#include "base/mem.h"
#include "catalog/plugin.h"
#include "conf/setup_read.h"
#include "ipc/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- A catalog without workers ---- */

struct catalog {
	struct plugin	*v;
	size_t		 n;
};

const struct plugin *
catalog_find(const struct catalog *c, const char *kind, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->v[i].kind, kind) == 0 && strcmp(c->v[i].name, name) == 0)
			return &c->v[i];
	return NULL;
}

size_t
catalog_count(const struct catalog *c)
{
	return c->n;
}

const struct plugin *
catalog_at(const struct catalog *c, size_t i)
{
	return &c->v[i];
}

/* The folder that the daemon's own plugins lie in. */
const char *
child_plugin_dir(void)
{
	return "/plugins";
}

#define NAMED(n, k)	.name = (char *)(uintptr_t)(n), .kind = (char *)(uintptr_t)(k), \
	.file = (char *)(uintptr_t)("/plugins/" k "_" n ".so")
#define TEXT(s)		(char *)(uintptr_t)(s)

static struct cr_option depot_options[] = {
	{ "topic", CR_STRING, 0, "all", NULL, "topic to list" },
	{ "key", CR_SECRET, 0, NULL, NULL, "API key" },
	CR_END
};
static struct cr_option api_options[] = {
	{ "auth_bearer", CR_SECRET, 0, "", NULL, "token" },
	{ "items", CR_STRING, 0, "", NULL, "path of the list" },
	{ "fields", CR_LIST, 0, "", NULL, "field=path" },
	{ "site", CR_URL, 0, "", NULL, "where" },
	{ "count", CR_INT, 0, "5", "1..9", "how many" },
	CR_END
};
static struct cr_option match_options[] = {
	{ "in", CR_LIST, 0, "title|summary", NULL, "fields" },
	{ "any", CR_LIST, 0, "", NULL, "words" },
	{ "none", CR_LIST, 0, "", NULL, "words" },
	CR_END
};
static struct cr_option feed_out[] = {
	{ "path", CR_STRING, 0, NULL, NULL, "name of the files" },
	{ "keep", CR_INT, 0, "100", "1..", "records" },
	CR_END
};
static struct cr_option jsonl_out[] = {
	{ "path", CR_STRING, 0, NULL, NULL, "file" },
	{ "rotate", CR_SIZE, 0, "100 MB", "1 kB..", "size" },
	{ "keep", CR_INT, 0, "7", "0..", "files" },
	CR_END
};
static struct cr_option hook_out[] = {
	{ "url", CR_SECRET, 0, NULL, NULL, "address" },
	{ "secret", CR_SECRET, 0, "", NULL, "signing keys" },
	CR_END
};
static struct plugin plugins[] = {
	{ NAMED("feed", "source"), .does = DOES_PARSE, .hash = "f00d" },
	{ NAMED("depot", "source"), .does = DOES_PARSE, .options = depot_options, .noptions = 2,
	    .url = TEXT("https://api.depot.example/v2/items?topic={topic}&k={key}"),
	    .headers = TEXT("Authorization: Bearer {key}\nX-Topic: {topic}\n") },
	{ NAMED("api", "source"), .does = DOES_PARSE, .options = api_options, .noptions = 5 },
	{ NAMED("planner", "source"), .does = DOES_PARSE | DOES_PLAN },
	{ NAMED("broken", "source"), .error = TEXT("others can write it; chmod 644") },
	{ NAMED("match", "filter"), .does = DOES_FILTER, .options = match_options, .noptions = 3 },
	{ NAMED("feed", "sink"), .does = DOES_DELIVER, .options = feed_out, .noptions = 2,
	    .takes = CR_BATCH_LIST, .wants = CR_FILES },
	{ NAMED("jsonl", "sink"), .does = DOES_DELIVER, .options = jsonl_out, .noptions = 3,
	    .takes = CR_BATCH_RECORDS, .wants = CR_FILES },
	{ NAMED("webhook", "sink"), .does = DOES_DELIVER, .options = hook_out, .noptions = 2,
	    .takes = CR_BATCH_RECORDS, .wants = CR_HTTP | CR_SECRETS },
};
static struct catalog catalog = { plugins, sizeof(plugins) / sizeof(*plugins) };

/* ---- A folder to write in ---- */

static char folder[64];

__attribute__((unused)) static void
put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
}

__attribute__((unused)) static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_setup.XXXXXX");
	return mkdtemp(folder) == NULL;
}

__attribute__((unused)) static int
drop_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) != 0;
}

__attribute__((unused)) static struct setup *
read_text(const char *text, struct mistakes *m)
{
	struct node *tree;
	struct setup *s;
	char path[128];

	put("c.yaml", text);
	snprintf(path, sizeof(path), "%s/c.yaml", folder);
	mistakes_init(m);
	s = setup_open(path, m, &tree);
	if (s != NULL && setup_read(s, tree, &catalog, m) == -1) {
		setup_free(s);
		s = NULL;
	}
	if ((s == NULL) != (m->n > 0))
		fail_msg("setup and mistakes disagree: %s", m->text.data);
	return s;
}

__attribute__((unused)) static struct setup *
good(const char *text)
{
	struct mistakes m;
	struct setup *s = read_text(text, &m);

	if (s == NULL)
		fail_msg("%s", m.text.data);
	mistakes_free(&m);
	return s;
}

/* Each of the lines is said, with its place, and there are no others. */
__attribute__((unused)) static void
bad(const char *text, const char *said)
{
	struct mistakes m;
	struct setup *s = read_text(text, &m);
	char *got, *at, *next;
	struct buf b;

	assert_null(s);
	buf_init(&b, 1 << 20);
	for (at = m.text.data; (next = strstr(at, folder)) != NULL; at = next + strlen(folder) + 1)
		buf_add(&b, at, (size_t)(next - at));
	buf_str(&b, at);
	got = b.data;
	if (strcmp(got, said) != 0)
		for (size_t i = 0; ; i++)
			if (got[i] != said[i])
				fail_msg("after %.*s: \"%.300s\" and not \"%.300s\"",
				    i < 90 ? (int)i : 90, got + (i < 90 ? 0 : i - 90), got + i,
				    said + i);
	buf_free(&b);
	mistakes_free(&m);
}

__attribute__((unused)) static const struct source *
source(const struct setup *s, const char *name)
{
	for (size_t i = 0; i < s->nsources; i++)
		if (strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	fail_msg("no source %s", name);
	return NULL;
}

__attribute__((unused)) static const struct route *
route(const struct setup *s, const char *name)
{
	for (size_t i = 0; i < s->nroutes; i++)
		if (strcmp(s->routes[i].name, name) == 0)
			return &s->routes[i];
	fail_msg("no route %s", name);
	return NULL;
}

__attribute__((unused)) static const char *
option(const struct instance *in, const char *name, size_t nth)
{
	for (size_t i = 0; i < in->options.n; i++)
		if (strcmp(in->options.v[i].name, name) == 0 && nth-- == 0)
			return in->options.v[i].value;
	return NULL;
}

__attribute__((unused)) static const char *
waiting(const struct setup *s, const char *name)
{
	return source(s, name)->instance->waiting;
}
#endif

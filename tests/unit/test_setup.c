/* What configurations mean, and what is said of those that mean nothing. */
#include "mem.h"
#include "setup.h"

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

static void
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

static int
make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_setup.XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
drop_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) != 0;
}

static struct setup *
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

static struct setup *
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
static void
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
				fail_msg("after %.*s: \"%.300s\" and not \"%.300s\"", i < 90 ? (int)i : 90,
				    got + (i < 90 ? 0 : i - 90), got + i, said + i);
	buf_free(&b);
	mistakes_free(&m);
}

static const struct source *
source(const struct setup *s, const char *name)
{
	for (size_t i = 0; i < s->nsources; i++)
		if (strcmp(s->sources[i].name, name) == 0)
			return &s->sources[i];
	fail_msg("no source %s", name);
	return NULL;
}

static const struct route *
route(const struct setup *s, const char *name)
{
	for (size_t i = 0; i < s->nroutes; i++)
		if (strcmp(s->routes[i].name, name) == 0)
			return &s->routes[i];
	fail_msg("no route %s", name);
	return NULL;
}

static const char *
option(const struct instance *in, const char *name, size_t nth)
{
	for (size_t i = 0; i < in->options.n; i++)
		if (strcmp(in->options.v[i].name, name) == 0 && nth-- == 0)
			return in->options.v[i].value;
	return NULL;
}

static const char *
waiting(const struct setup *s, const char *name)
{
	return source(s, name)->instance->waiting;
}

/* What a worker would be given, "name=value;..." */
static void
worker_gets(const struct source *src, const char *expected)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	setup_source_options(src, &b);
	for (size_t i = 0, n = 0; i < b.len; i++)
		if (b.data[i] == '\0')
			b.data[i] = n++ % 2 == 0 ? '=' : ';';
	assert_string_equal(b.len > 0 ? b.data : "", expected);
	buf_free(&b);
}

/* ---- Settings ---- */

static void
an_empty_configuration_has_the_usual_settings(void **state)
{
	struct setup *s = good("# nothing\n");

	(void)state;
	assert_string_equal(s->state, "/var/lib/courant");
	assert_string_equal(s->folder, folder);
	assert_null(s->contact);
	assert_null(s->user);
	assert_null(s->listen);
	assert_string_equal(s->base, "");
	assert_int_equal(s->at_once, 2);
	assert_int_equal(s->total, 64);
	assert_int_equal(s->spacing, 0);
	assert_int_equal(s->fetch_timeout, 60000);
	assert_int_equal(s->max_body, 16 << 20);
	assert_true(s->workers >= 1);
	assert_int_equal(s->private_ok, 0);
	assert_int_equal(s->nsources + s->nroutes + s->nhosts + s->nfiles + s->nplugin_dirs, 0);
	setup_free(s);
	setup_free(NULL);
}

static void
settings_are_read(void **state)
{
	struct setup *s;
	char path[128];

	(void)state;
	s = good("contact: ops@example.org\n"
	    "state: state\n"
	    "user: nobody\n"
	    "private: yes\n"
	    "files: [.]\n"
	    "plugins: [/opt/p, mine]\n"
	    "allow: [source_exec]\n"
	    "serve: { listen: 127.0.0.1:8080, base: 'https://feeds.example.org/', metrics: yes }\n"
	    "hosts:\n"
	    "  GitHub.com: { at_once: 1, spacing: 1 s }\n"
	    "  slow.example: { spacing: 0 }\n"
	    "limits: { at_once: 4, total: 9, spacing: 250 ms, timeout: 5 s, max_body: 1 MB, workers: 3,\n"
	    "  job_deadline: 2 s, job_cpu: 1 s, worker_memory: 64 MiB }\n"
	    "sources:\n"
	    "routes:\n");
	assert_string_equal(s->contact, "ops@example.org");
	snprintf(path, sizeof(path), "%s/state", folder);
	assert_string_equal(s->state, path);
	assert_string_equal(s->user, "nobody");
	assert_int_equal(s->private_ok, 1);
	assert_int_equal(s->nfiles, 1);
	assert_string_equal(s->files[0], folder);
	assert_int_equal(s->nplugin_dirs, 2);
	assert_string_equal(s->plugin_dirs[0], "/opt/p");
	assert_string_equal(s->allow[0], "source_exec");
	assert_string_equal(s->listen, "127.0.0.1:8080");
	assert_string_equal(s->base, "https://feeds.example.org");
	assert_int_equal(s->metrics, 1);
	assert_int_equal(s->nhosts, 2);
	assert_string_equal(s->hosts[0].host, "github.com");
	assert_int_equal(s->hosts[0].at_once, 1);
	assert_int_equal(s->hosts[0].spacing, 1000);
	assert_int_equal(s->hosts[1].at_once, 4);
	assert_int_equal(s->hosts[1].spacing, 0);
	assert_int_equal(s->spacing, 250);
	assert_int_equal(s->job_deadline, 2000);
	assert_int_equal(s->worker_memory, 64 << 20);
	setup_free(s);
}

static void
mistakes_in_settings_are_all_said(void **state)
{
	(void)state;
	bad("contct: x\n"
	    "contact: \"a\\nb\"\n"
	    "files: [/nowhere, c.yaml]\n"
	    "allow: [exec]\n"
	    "ca: none.pem\n"
	    "private: perhaps\n"
	    "serve: { base: feeds.example.org }\n"
	    "hosts: { 'https://x.example/': {}, y: 1, z: { at_once: 0 } }\n"
	    "limits: { at_onc: 1, timeout: 5, total: lots }\n"
	    "routes: []\n",
	    "c.yaml:1: unknown key `contct`, did you mean `contact`?\n"
	    "c.yaml:2: contact: is a mail address or URL of at most 200 plain characters\n"
	    "c.yaml:3: files: /nowhere: No such file or directory\n"
	    "c.yaml:3: files: c.yaml is no folder\n"
	    "c.yaml:4: allow: `exec` names no plugin: say source_NAME, filter_NAME or sink_NAME\n"
	    "c.yaml:5: ca: none.pem: No such file or directory\n"
	    "c.yaml:6: private: \"perhaps\" is no switch; say yes or no\n"
	    "c.yaml:7: serve: base: \"feeds.example.org\" is no URL; say https://example.org/\n"
	    "c.yaml:7: serve: listen: has to be given, as in `listen: 127.0.0.1:8080`\n"
	    "c.yaml:8: hosts: https://x.example/: a host is wanted, such as example.org, no URL\n"
	    "c.yaml:8: hosts: y: a host: a map is wanted: { key: value }\n"
	    "c.yaml:8: hosts: z: at_once: \"0\" is out of range; say 1..64\n"
	    "c.yaml:9: limits: unknown key `at_onc`, did you mean `at_once`?\n"
	    "c.yaml:9: limits: timeout: \"5\" lacks a unit; say 30 s, 5 min, 2 h, 7 d\n"
	    "c.yaml:9: limits: total: \"lots\" is no whole number\n"
	    "c.yaml:10: routes: a map is wanted: { key: value }\n");
	bad("serve: { listen: here }\n", "c.yaml:1: serve: listen: \"here\" is not ADDRESS:PORT, "
	    "[ADDRESS]:PORT or :PORT\n");
	bad("serve: { listen: 127.0.0.1:99999 }\n", "c.yaml:1: serve: listen: \"127.0.0.1:99999\" is "
	    "not ADDRESS:PORT, [ADDRESS]:PORT or :PORT\n");
	setup_free(good("serve: { listen: '[::1]:80' }\n"));
}

static void
without_state_or_user_the_rest_is_checked_too(void **state)
{
	(void)state;
	bad("state:\nsources: { a: { plugin: feed, url: 'ttp://x' } }\nroutes: { r: { from: [b] } }\n",
	    "c.yaml:1: state: has no value; \"\" is the empty one\n"
	    "c.yaml:2: source a: url: \"ttp://x\" is none that can be fetched; say https://HOST/PATH\n"
	    "c.yaml:3: route r: from: there is no source, group or route `b`\n");
	if (geteuid() != 0)
		return;
	bad("user: nosuchuser\nlimits: { x: 1 }\n",
	    "c.yaml:1: user: there is no user nosuchuser on this machine\n"
	    "c.yaml:2: limits: unknown key `x`; there are at_once, total, spacing, timeout, max_body, "
	    "workers, job_deadline, job_cpu, worker_memory\n");
	bad("user: root\n", "c.yaml:1: user: root is root itself; say one with fewer rights\n");
}

/* ---- Sources ---- */

static void
a_source_has_its_url_and_times(void **state)
{
	struct setup *s;
	const struct source *a;

	(void)state;
	s = good("sources:\n"
	    "  a: { plugin: feed, url: 'https://a.example/x' }\n"
	    "  b:\n"
	    "    plugin: feed\n"
	    "    url: https://b.example/x?y=1&z=%20\n"
	    "    every: 10 min..2 h\n"
	    "    pages: 3\n"
	    "    was: bee\n"
	    "  c: { plugin: feed, url: 'https://b.example/', every: 1 h }\n"
	    "  d: { plugin: planner }\n"
	    "  e: { plugin: feed, url: 'https://e.example/', autostart: no }\n");
	assert_int_equal(s->nsources, 4);
	a = source(s, "a");
	assert_string_equal(a->url, "https://a.example/x");
	assert_int_equal(a->every_min, 30 * 60000);
	assert_int_equal(a->every_max, 24 * 3600000);
	assert_int_equal(a->pages, 10);
	assert_null(a->was);
	assert_null(a->each);
	assert_int_equal(a->line, 2);
	assert_null(a->instance->waiting);
	assert_ptr_equal(a->instance->plugin, &plugins[0]);
	a = source(s, "b");
	assert_string_equal(a->url, "https://b.example/x?y=1&z=%20");
	assert_int_equal(a->every_min, 600000);
	assert_int_equal(a->every_max, 7200000);
	assert_int_equal(a->pages, 3);
	assert_string_equal(a->was, "bee");
	assert_int_equal(source(s, "c")->every_max, 3600000);
	assert_string_equal(source(s, "d")->url, "");
	/* Those that say the same share an instance. */
	assert_ptr_equal(a->instance, source(s, "a")->instance);
	assert_int_equal(s->ninstances, 2);
	setup_free(s);
}

static void
each_makes_a_source_of_every_entry(void **state)
{
	struct setup *s;
	const struct source *a;

	(void)state;
	put("projects.txt", "# projects\ncurl/curl   # the tool\r\n\n  nginx/nginx\nx#y\n");
	s = good("sources:\n"
	    "  gh:\n"
	    "    plugin: feed\n"
	    "    each_file: projects.txt\n"
	    "    each: [one more]\n"
	    "    url: https://github.example/{each}/releases.atom\n"
	    "    was: old\n"
	    "  api: { plugin: api, each: [p, q], url: 'https://a.example/', items: 'x.{each}.{each}',\n"
	    "    fields: [a, '{each}'] }\n");
	assert_int_equal(s->nsources, 6);
	assert_int_equal(s->ninstances, 2);
	assert_string_equal(s->sources[0].name, "gh/one more");
	assert_string_equal(s->sources[0].url, "https://github.example/one%20more/releases.atom");
	a = source(s, "gh/curl/curl");
	assert_string_equal(a->each, "curl/curl");
	assert_string_equal(a->url, "https://github.example/curl/curl/releases.atom");
	assert_string_equal(a->was, "old/curl/curl");
	assert_int_equal(a->line, 2);
	assert_string_equal(source(s, "gh/nginx/nginx")->each, "nginx/nginx");
	assert_string_equal(source(s, "gh/x#y")->url, "https://github.example/x#y/releases.atom");
	worker_gets(source(s, "api/q"), "items=x.q.q;fields=a;fields=q;");
	assert_true(source(s, "api/p")->hash != source(s, "api/q")->hash);
	setup_free(s);
	bad("sources:\n"
	    "  a: { plugin: feed, each: [x, y], url: 'https://a.example/' }\n"
	    "  b: { plugin: feed, each_file: none.txt, url: 'https://{each}/' }\n"
	    "  c: { plugin: feed, each: [x, '', z], url: 'https://{each}/' }\n"
	    "  d: { plugin: feed, url: 'https://{each}/' }\n"
	    "  e: { plugin: api, each: [5, 10], url: 'https://e.example/', count: '{each}' }\n"
	    "  f: { plugin: feed, each: [x, 'a b:'], url: 'https://f.example:{each}/' }\n",
	    "c.yaml:2: source a: each: neither url nor an option has {each} in it, so that all of them "
	    "would be the same\n"
	    "c.yaml:3: source b: none.txt: cannot be opened: No such file or directory\n"
	    "c.yaml:4: source c: each: an empty entry\n"
	    "c.yaml:5: source d: url: nothing is known for the braces in \"https://{each}/\"\n"
	    "c.yaml:6: source e: count: \"10\" is out of range; say 1..9\n"
	    "c.yaml:7: source f: url: \"https://f.example:x/\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:7: source f: url: \"https://f.example:a%20b:/\" is none that can be fetched; say "
	    "https://HOST/PATH\n");
}

static void
mistakes_in_sources_are_all_said(void **state)
{
	(void)state;
	put("twice.txt", "x\ny\n");
	bad("sources:\n"
	    "  a: { plugin: feed }\n"
	    "  b: { plugin: feed, url: 'gopher://b.example/' }\n"
	    "  c: { plugin: feed, url: 'https://c.example/', evry: 1 h, pages: 0, every: 5 }\n"
	    "  d: { url: 'https://d.example/' }\n"
	    "  e: 7\n"
	    "  f: { plugin: depot, topc: x }\n"
	    "  'g*': { plugin: feed, url: 'https://g.example/' }\n"
	    "  courant: { plugin: feed, url: 'https://g.example/' }\n"
	    "  h: { plugin: feed, url: 'https://h.example/', every: 2 h..1 h }\n"
	    "  i: { plugin: feed, url: 'https://i.example/', every: 2 h.. , was: a }\n"
	    "  j: { plugin: Feed, url: 'https://i.example/' }\n"
	    "  t: { plugin: feed, each: [x], each_file: twice.txt, url: 'https://{each}.example/' }\n"
	    "  t/y: { plugin: feed, url: 'https://i.example/' }\n"
	    "  u: { plugin: feed, url: 'https://i.example/', each: { a: b } }\n"
	    "  v: { plugin: api, url: 'https://i.example/', count: [1, 2], items: }\n",
	    "c.yaml:2: source a: url: has to be given\n"
	    "c.yaml:3: source b: url: \"gopher://b.example/\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:4: source c: unknown key `evry`, did you mean `every`?\n"
	    "c.yaml:4: source c: pages: \"0\" is out of range; say 1..1000\n"
	    "c.yaml:4: source c: every: \"5\" lacks a unit; say 30 s, 5 min, 2 h, 7 d\n"
	    "c.yaml:5: source d: plugin: has to be given, as in `plugin: feed`\n"
	    "c.yaml:6: source e: a source: a map is wanted: { key: value }\n"
	    "c.yaml:7: source f: unknown key `topc`, did you mean `topic`?\n"
	    "c.yaml:7: source f: key: has to be given (API key)\n"
	    "c.yaml:8: source g*: \"g*\" is no name of a source: they have no * { } \" \\ in them, and "
	    "no / or space at an end\n"
	    "c.yaml:9: source courant: the name courant is kept for the daemon itself\n"
	    "c.yaml:10: source h: every: \"2 h..1 h\" ends before it begins\n"
	    "c.yaml:11: source i: every: \"2 h..\" lacks an end; say 1 h, or 10 min..2 h\n"
	    "c.yaml:12: source j: `Feed` is no name of a plugin: they are of a-z, 0-9 and _\n"
	    "c.yaml:15: source u: each: neither url nor an option has {each} in it, so that all of them "
	    "would be the same\n"
	    "c.yaml:16: source v: count: takes one value, no list\n"
	    "c.yaml:16: source v: items: has no value; \"\" is the empty one\n"
	    "twice.txt:1: there is another source t/x, in c.yaml:13\n"
	    "c.yaml:11: was: a is still the name of a source\n"
	    "c.yaml:14: there is another source t/y, in twice.txt:2\n");
}

static void
a_missing_plugin_makes_its_sources_wait(void **state)
{
	struct setup *s;
	struct buf b;

	(void)state;
	s = good("defaults: { source_fead: { anything: 1 } }\n"
	    "sources:\n"
	    "  a: { plugin: fead, url: 'https://a.example/', whatever: 1 }\n"
	    "  b: { plugin: broken, url: 'https://b.example/{x}' }\n"
	    "  c: { plugin: feed, url: 'https://c.example/' }\n"
	    "  d: { plugin: qqqqqqq, each: [x, y] }\n"
	    "routes:\n"
	    "  r: { from: [a, d], filters: [ { mtach: {} } ], to: { mail: { to: x } } }\n");
	assert_null(source(s, "a")->instance->plugin);
	assert_string_equal(waiting(s, "a"), "waiting for plugin source_fead: there is none in the "
	    "plugin folders, did you mean `feed`?");
	assert_string_equal(waiting(s, "b"), "waiting for plugin source_broken: others can write it; "
	    "chmod 644");
	assert_null(waiting(s, "c"));
	assert_non_null(waiting(s, "d/x"));
	assert_string_equal(route(s, "r")->filters[0].instance->waiting, "waiting for plugin "
	    "filter_mtach: there is none in the plugin folders, did you mean `match`?");
	assert_non_null(route(s, "r")->legs[0].instance->waiting);
	assert_string_equal(route(s, "r")->legs[0].name, "mail");
	buf_init(&b, 1 << 16);
	assert_int_equal(setup_waiting(s, &b), 5);
	buf_free(&b);
	setup_free(s);
}

static void
files_lie_below_folders_that_are_allowed(void **state)
{
	struct setup *s;
	char url[128];

	(void)state;
	s = good("files: [.]\nsources:\n"
	    "  a: { plugin: feed, url: 'file:///tmp/a.xml' }\n"
	    "  b: { plugin: feed, url: file:sub/b%20c.xml }\n"
	    "  c: { plugin: feed, url: file:/c.xml }\n"
	    "  d: { plugin: feed, url: 'file://localhost/d.xml' }\n");
	assert_string_equal(source(s, "a")->url, "file:///tmp/a.xml");
	snprintf(url, sizeof(url), "file://%s/sub/b%%20c.xml", folder);
	assert_string_equal(source(s, "b")->url, url);
	assert_string_equal(source(s, "c")->url, "file:///c.xml");
	assert_string_equal(source(s, "d")->url, "file:///d.xml");
	setup_free(s);
	bad("sources:\n"
	    "  a: { plugin: feed, url: 'file:///tmp/a.xml' }\n",
	    "c.yaml:2: source a: url: \"file:///tmp/a.xml\" needs its folder in `files: [FOLDER]`, at "
	    "the top\n");
	bad("files: [.]\nsources:\n"
	    "  a: { plugin: feed, url: 'file://host/tmp/a.xml' }\n",
	    "c.yaml:3: source a: url: \"file://host/tmp/a.xml\" names another machine; say "
	    "file:///PATH\n");
}

static void
the_hash_changes_with_what_is_asked_for(void **state)
{
	static const char *const same = "sources: { a: { plugin: depot, key: k1, topic: t } }\n";
	static const char *const others[] = {
		"sources: { a: { plugin: depot, key: k2, topic: t } }\n",
		"sources: { a: { plugin: depot, key: k1, topic: u } }\n",
		"sources: { a: { plugin: depot, key: k1, topic: t, url: 'https://x.example/' } }\n",
		"sources: { a: { plugin: feed, url: 'https://x.example/' } }\n",
	};
	struct setup *s = good(same);
	uint64_t hash = s->sources[0].hash;
	char *plugin_hash = plugins[1].hash;

	(void)state;
	setup_free(s);
	s = good("sources: { b: { plugin: depot, topic: t, key: k1, every: 1 h } }\n");
	assert_true(s->sources[0].hash != 0);
	setup_free(s);
	s = good(same);
	assert_int_equal(s->sources[0].hash, hash);
	setup_free(s);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		s = good(others[i]);
		assert_int_not_equal(s->sources[0].hash, hash);
		setup_free(s);
	}
	strcpy(plugin_hash, "beef");
	s = good(same);
	assert_int_not_equal(s->sources[0].hash, hash);
	setup_free(s);
	*plugin_hash = '\0';
}

/* ---- Values ---- */

static void
secrets_stay_with_core(void **state)
{
	struct setup *s;
	const struct source *a;
	const struct instance *in;
	struct buf url, headers;
	char text[128];

	(void)state;
	put("depot.key", "s&cret/key\n");
	s = good("sources:\n  a: { plugin: depot, key_file: depot.key, topic: 'x y&z' }\n");
	a = source(s, "a");
	in = a->instance;
	assert_string_equal(a->url, "https://api.depot.example/v2/items?topic=x%20y%26z&k={secret:key}");
	assert_int_equal(in->nsecrets, 1);
	assert_string_equal(in->secrets[0].value, "s&cret/key");
	snprintf(text, sizeof(text), "key={secret:key:%s};topic=x y&z;", s->nonce);
	worker_gets(a, text);
	buf_init(&url, 1 << 16);
	buf_init(&headers, 1 << 16);
	setup_source_request(a, &url, &headers);
	assert_string_equal(url.data,
	    "https://api.depot.example/v2/items?topic=x%20y%26z&k=s%26cret/key");
	assert_string_equal(headers.data, "Authorization: Bearer s&cret/key\nX-Topic: x y&z\n");

	/* What a plugin made of its stand-in; what a page could write is none. */
	buf_clear(&headers);
	snprintf(text, sizeof(text), "A {secret:key:%s} {secret:key} {secret:key:0} {", s->nonce);
	setup_reveal(in, text, &headers);
	assert_string_equal(headers.data, "A s&cret/key {secret:key} {secret:key:0} {");
	buf_clear(&headers);
	setup_conceal(in, url.data, &headers);
	snprintf(text, sizeof(text), "https://api.depot.example/v2/items?topic=x%%20y%%26z&k="
	    "{secret:key:%s}", s->nonce);
	assert_string_equal(headers.data, text);
	buf_clear(&headers);
	instance_options(in, 1, &headers);
	assert_memory_equal(headers.data, "key\0s&cret/key\0topic\0x y&z\0", 27);
	buf_free(&url);
	buf_free(&headers);
	setup_free(s);
}

static void
any_option_can_come_from_a_file(void **state)
{
	struct setup *s;
	const struct instance *in;

	(void)state;
	put("topic", "blue\r\n");
	put("words", "tern\n\nlight house\r\n");
	put("more", "gull");
	put("one.key", "k1\n");
	put("two.key", "k2");
	put("chat.url", "https://chat.example/hook\n");
	s = good("sources:\n"
	    "  a: { plugin: depot, key: k, topic_file: topic }\n"
	    "  b: { plugin: feed, url_file: chat.url }\n"
	    "  c: { plugin: api, url: 'https://c.example/', auth: { bearer_file: one.key },\n"
	    "    fields: { guid: ghsa_id, link: html.url } }\n"
	    "routes:\n"
	    "  r:\n"
	    "    from: [a]\n"
	    "    filters: [ match: { any_file: [words, more], in: title } ]\n"
	    "    to: { webhook: { url_file: chat.url, secret_file: [one.key, two.key] } }\n");
	assert_string_equal(option(source(s, "a")->instance, "topic", 0), "blue");
	assert_string_equal(source(s, "b")->url, "https://chat.example/hook");
	in = source(s, "c")->instance;
	assert_string_equal(in->secrets[0].name, "auth_bearer");
	assert_string_equal(in->secrets[0].value, "k1");
	assert_string_equal(option(in, "fields", 0), "guid=ghsa_id");
	assert_string_equal(option(in, "fields", 1), "link=html.url");
	in = route(s, "r")->filters[0].instance;
	assert_string_equal(option(in, "any", 0), "tern");
	assert_string_equal(option(in, "any", 1), "light house");
	assert_string_equal(option(in, "any", 2), "gull");
	assert_null(option(in, "any", 3));
	assert_string_equal(option(in, "in", 0), "title");
	in = route(s, "r")->legs[0].instance;
	assert_string_equal(in->secrets[0].value, "https://chat.example/hook");
	assert_string_equal(in->secrets[1].value, "k1\nk2");
	setup_free(s);
}

static void
mistakes_in_files_do_not_show_what_is_in_them(void **state)
{
	char path[128];

	(void)state;
	put("open.key", "hidden");
	snprintf(path, sizeof(path), "%s/open.key", folder);
	chmod(path, 0644);
	put("number", "hidden");
	put("latin", "hidd\xe9n");
	put("empty", "\n");
	bad("sources:\n"
	    "  a: { plugin: depot, key_file: open.key }\n"
	    "  b: { plugin: api, url: 'https://b.example/', count_file: number, items_file: latin }\n"
	    "  c: { plugin: api, url: 'https://b.example/', count_file: [number], items_file: . }\n"
	    "  d: { plugin: api, url: 'https://b.example/', items: x, items_file: number }\n"
	    "  e: { plugin: depot, key_file: empty }\n"
	    "  f: { plugin: api, url: 'https://b.example/', auth: { baerer: x } }\n"
	    "  g: { plugin: api, url: 'https://b.example/', auth: x, fields: { a: [b] } }\n",
	    "c.yaml:2: source a: open.key: holds a secret and others can get at it; chmod 600 it\n"
	    "c.yaml:3: source b: count_file: what is in number is not a whole number in 1..9\n"
	    "c.yaml:3: source b: latin: is no UTF-8 text\n"
	    "c.yaml:4: source c: count_file: takes one file\n"
	    "c.yaml:4: source c: .: is no file\n"
	    "c.yaml:5: source d: items: given a second time\n"
	    "c.yaml:6: source e: key_file: what is in empty is not a secret\n"
	    "c.yaml:7: source f: unknown key `auth_baerer`, did you mean `auth_bearer`?\n"
	    "c.yaml:8: source g: unknown key `auth`; there are plugin, url, every, was, each, "
	    "each_file, pages, autostart, auth_bearer, items, fields, site, count\n"
	    "c.yaml:8: source g: fields: its entries are texts, no maps or lists\n");
}

static void
defaults_count_where_nothing_else_is_said(void **state)
{
	struct setup *s;

	(void)state;
	s = good("defaults:\n"
	    "  source_depot: { key: general, topic: usual, every: 2 h, pages: 4 }\n"
	    "  filter_match: { in: [title] }\n"
	    "  sink_feed: { keep: 30, backlog: 7 }\n"
	    "sources:\n"
	    "  a: { plugin: depot }\n"
	    "  b: { plugin: depot, key: own, every: 1 h }\n"
	    "routes:\n"
	    "  r: { from: [a], filters: [ match: { any: x } ], to: { feed: { path: r } } }\n"
	    "  s: { from: [a], filters: [ match: { in: [] } ], to: { feed: { path: s, keep: 5 } } }\n");
	assert_string_equal(source(s, "a")->instance->secrets[0].value, "general");
	assert_string_equal(source(s, "b")->instance->secrets[0].value, "own");
	assert_string_equal(option(source(s, "b")->instance, "topic", 0), "usual");
	assert_int_equal(source(s, "a")->every_max, 7200000);
	assert_int_equal(source(s, "b")->every_max, 3600000);
	assert_int_equal(source(s, "b")->pages, 4);
	assert_string_equal(option(route(s, "r")->filters[0].instance, "in", 0), "title");
	assert_string_equal(option(route(s, "s")->filters[0].instance, "in", 0), "");
	assert_int_equal(route(s, "r")->legs[0].keep, 30);
	assert_string_equal(option(route(s, "r")->legs[0].instance, "keep", 0), "30");
	assert_int_equal(route(s, "s")->legs[0].keep, 5);
	assert_int_equal(route(s, "r")->legs[0].backlog, BACKLOG_COUNT);
	assert_int_equal(route(s, "r")->legs[0].backlog_n, 7);
	setup_free(s);
	bad("defaults:\n"
	    "  depot: { key: x }\n"
	    "  source_depot: { topc: x, url: 'https://x.example/' }\n"
	    "  sink_feed: { keep: 0 }\n",
	    "c.yaml:2: `depot` names no plugin: say source_NAME, filter_NAME or sink_NAME\n"
	    "c.yaml:3: defaults of source_depot: unknown key `topc`, did you mean `topic`?\n"
	    "c.yaml:3: defaults of source_depot: unknown key `url`; there are every, pages, topic, key\n"
	    "c.yaml:4: defaults of sink_feed: keep: \"0\" is out of range; say 1..100000\n"
	    "c.yaml:4: defaults of sink_feed: keep: \"0\" is out of range; say 1..\n");
}

static void
a_plugin_brings_its_own_sources(void **state)
{
	static const char options[] = "topic: fresh\nkey: k\nevery: 15 min\n";
	struct setup *s;

	(void)state;
	plugins[1].defaults = calloc(2, sizeof(*plugins[1].defaults));
	plugins[1].defaults[0].name = TEXT("depot");
	plugins[1].defaults[0].options = TEXT(options);
	plugins[1].defaults[1].name = TEXT("faulty");
	plugins[1].defaults[1].options = TEXT("topc: x\n");
	plugins[1].ndefaults = 2;
	s = good("routes: { r: { from: [depot, '*'] } }\n");
	assert_int_equal(s->nsources, 1);
	assert_string_equal(option(source(s, "depot")->instance, "topic", 0), "fresh");
	assert_int_equal(source(s, "depot")->every_min, 900000);
	assert_int_equal(route(s, "r")->nfrom, 1);
	setup_free(s);
	s = good("sources: { depot: { plugin: feed, url: 'https://d.example/' } }\n");
	assert_int_equal(s->nsources, 1);
	assert_ptr_equal(source(s, "depot")->instance->plugin, &plugins[0]);
	setup_free(s);
	s = good("defaults: { source_depot: { autostart: no } }\n"
	    "sources: { mine: { plugin: depot, key: x } }\n");
	assert_int_equal(s->nsources, 1);
	assert_string_equal(s->sources[0].name, "mine");
	setup_free(s);
	s = good("sources: { depot: { plugin: depot, key: x, autostart: no } }\n"
	    "routes: { r: { from: [depot] } }\n");
	assert_int_equal(s->nsources, 0);
	setup_free(s);
	free(plugins[1].defaults);
	plugins[1].ndefaults = 0;
}

/* ---- Routes ---- */

static const char three[] = "sources:\n"
    "  a: { plugin: feed, url: 'https://a.example/' }\n"
    "  gh: { plugin: feed, each: [x, y, z], url: 'https://{each}.example/' }\n"
    "  ghost: { plugin: feed, url: 'https://c.example/' }\n";

static struct setup *
routes(const char *text)
{
	char *whole = xasprintf("%sroutes:\n%s", three, text);
	struct setup *s = good(whole);

	free(whole);
	return s;
}

static void
bad_routes(const char *text, const char *said)
{
	char *whole = xasprintf("%sroutes:\n%s", three, text);

	bad(whole, said);
	free(whole);
}

static void
routes_draw_from_names_groups_patterns_and_routes(void **state)
{
	struct setup *s;
	const struct route *r;

	(void)state;
	s = routes("  last: { from: [mid, a] }\n"
	    "  mid: { from: [first, gh/x] }\n"
	    "  first: { from: [gh] }\n"
	    "  stars: { from: ['gh/*', gh/y, 'gh*'] }\n"
	    "  all: { from: '*' }\n"
	    "  both: { from: ['*', first, mid] }\n");
	assert_int_equal(s->nroutes, 6);
	r = route(s, "first");
	assert_int_equal(r->nfrom, 3);
	assert_int_equal(r->from[0], 1);
	assert_int_equal(r->from[2], 3);
	r = route(s, "stars");
	assert_int_equal(r->nfrom, 4);
	assert_int_equal(r->from[3], 4);
	assert_int_equal(route(s, "all")->all, 1);
	assert_int_equal(route(s, "all")->nfrom, 0);
	assert_int_equal(r->all, 0);
	for (size_t i = 0; i < s->nroutes; i++)
		for (size_t j = 0; j < s->routes[i].nroutes; j++)
			assert_true(s->routes[i].routes[j] < i);
	r = route(s, "last");
	assert_int_equal(r->nfrom, 1);
	assert_int_equal(r->nroutes, 1);
	assert_string_equal(s->routes[r->routes[0]].name, "mid");
	r = route(s, "both");
	assert_int_equal(r->nroutes, 2);
	assert_string_equal(s->routes[r->routes[0]].name, "first");
	assert_string_equal(r->title, "both");
	assert_int_equal(r->patience, 7 * 86400000);
	setup_free(s);
}

static void
a_route_has_filters_and_sinks(void **state)
{
	struct setup *s;
	const struct route *r;

	(void)state;
	s = routes("  r:\n"
	    "    title: The one\n"
	    "    from: [a]\n"
	    "    backlog: 30 d\n"
	    "    once: record\n"
	    "    updates: yes\n"
	    "    patience: 14 d\n"
	    "    filters:\n"
	    "      - match: { any: [x, 'y z'] }\n"
	    "      - match\n"
	    "    to:\n"
	    "      - feed: { path: r, backlog: all }\n"
	    "      - feed: { path: deep/r, keep: 7 }\n"
	    "      - webhook: { url: 'https://h.example/', backlog: none }\n"
	    "  s: { from: [a], to: { feed: { path: s }, jsonl: { path: s.jsonl, keep: 3 },\n"
	    "    webhook: { url: x } } }\n"
	    "  t: { from: [a], backlog: 12, to: [ jsonl: { path: t.jsonl } ] }\n"
	    "  u: { from: [a], to: }\n");
	r = route(s, "r");
	assert_string_equal(r->title, "The one");
	assert_int_equal(r->once_record, 1);
	assert_int_equal(r->updates, 1);
	assert_int_equal(r->patience, 14 * 86400000);
	assert_int_equal(r->nfilters, 2);
	assert_string_equal(r->filters[0].rule, "match#1");
	assert_string_equal(r->filters[1].rule, "match#2");
	assert_string_equal(option(r->filters[0].instance, "any", 1), "y z");
	assert_int_equal(r->nlegs, 3);
	assert_string_equal(r->legs[0].name, "feed");
	assert_string_equal(r->legs[1].name, "feed#2");
	assert_int_equal(r->legs[0].backlog, BACKLOG_ALL);
	assert_int_equal(r->legs[0].keep, 100);
	assert_int_equal(r->legs[1].backlog, BACKLOG_AGE);
	assert_int_equal(r->legs[1].backlog_n, INT64_C(30) * 86400000);
	assert_int_equal(r->legs[1].keep, 7);
	assert_int_equal(r->legs[2].backlog, BACKLOG_NONE);
	r = route(s, "s");
	assert_int_equal(r->legs[0].backlog, BACKLOG_ALL);
	assert_int_equal(r->legs[1].backlog, BACKLOG_ALL);
	assert_int_equal(r->legs[1].keep, 0);
	assert_string_equal(option(r->legs[1].instance, "keep", 0), "3");
	assert_int_equal(r->legs[2].backlog, BACKLOG_NONE);
	assert_int_equal(route(s, "t")->legs[0].backlog, BACKLOG_COUNT);
	assert_int_equal(route(s, "u")->nlegs, 0);
	setup_free(s);
}

static void
mistakes_in_routes_are_all_said(void **state)
{
	(void)state;
	bad_routes("  r: { from: [b, gh/w, 'g*h', courant, r] }\n"
	    "  a: { from: [a] }\n"
	    "  s: { form: [a] }\n"
	    "  t: { from: [a], once: twice, updates: x, patience: 5, backlog: some, to: { feed: { path: t } } }\n"
	    "  u: { from: [a], filters: { match: {} } }\n"
	    "  v: { from: [a], filters: [ { any: [ match: {} ] }, { match: {}, x: {} }, [] ] }\n"
	    "  w: { from: [a], to: { feed: { path: /etc/x }, jsonl: { path: ../x, keep: 1, size: 3 } } }\n"
	    "  x: { from: [a], to: { feed: { path: one } } }\n"
	    "  y: { from: [a], to: [ jsonl: { path: .//one }, feed: { path: a/.., keep: 5 editions } ] }\n"
	    "  z: 5\n",
	    "c.yaml:6: route r: from: there is no source, group or route `b`\n"
	    "c.yaml:6: route r: from: there is no source, group or route `gh/w`, did you mean `gh/x`?\n"
	    "c.yaml:6: route r: from: there is no source, group or route `g*h`, did you mean `gh`?\n"
	    "c.yaml:6: route r: from: courant, the daemon's own news, cannot be drawn from yet\n"
	    "c.yaml:6: route r: from: a route cannot draw from itself\n"
	    "c.yaml:7: route a: a source has the same name\n"
	    "c.yaml:7: route a: from: a route cannot draw from itself\n"
	    "c.yaml:8: route s: unknown key `form`, did you mean `from`?\n"
	    "c.yaml:8: route s: from: has to be given: names of sources, groups, routes, or [\"*\"] for "
	    "all\n"
	    "c.yaml:9: route t: once: \"twice\" is not one of story, record\n"
	    "c.yaml:9: route t: updates: \"x\" is no switch; say yes or no\n"
	    "c.yaml:9: route t: patience: \"5\" lacks a unit; say 30 s, 5 min, 2 h, 7 d\n"
	    "c.yaml:9: route t: feed: backlog: \"some\" is not none, all, a number of records or an age "
	    "such as 30 d\n"
	    "c.yaml:10: route u: filters: a list is wanted, since their order counts: - NAME: "
	    "{ option: value }\n"
	    "c.yaml:11: route v: filters: groups of filters (any:) are not known yet; filters in a row "
	    "mean all of them, a route that draws from several routes means any\n"
	    "c.yaml:11: route v: filters: an entry is one filter: - NAME: { option: value }\n"
	    "c.yaml:11: route v: filters: an entry is one filter: - NAME: { option: value }\n"
	    "c.yaml:12: route w: feed: path: \"/etc/x\" is no name of a file in the folder of outputs\n"
	    "c.yaml:12: route w: jsonl: unknown key `size`; there are backlog, path, rotate, keep\n"
	    "c.yaml:12: route w: jsonl: path: \"../x\" leads out of the folder of outputs\n"
	    "c.yaml:14: route y: feed: keep: \"5 editions\" is no whole number\n"
	    "c.yaml:14: route y: feed: keep: \"5 editions\" is no whole number\n"
	    "c.yaml:14: route y: feed: path: \"a/..\" leads out of the folder of outputs\n"
	    "c.yaml:14: route y: path: route x writes one already, in line 13\n"
	    "c.yaml:15: route z: a route: a map is wanted: { key: value }\n");
	bad_routes("  ok: { from: [a] }\n"
	    "  r: { from: [ok, s] }\n"
	    "  s: { from: [t] }\n"
	    "  t: { from: [s, a] }\n",
	    "c.yaml:8: route s draws from t, which draws from s\n");
}

/* ---- Size ---- */

static void
ten_thousand_sources_share_what_they_can(void **state)
{
	struct setup *s;
	struct buf b;

	(void)state;
	buf_init(&b, 8 << 20);
	for (int i = 0; i < 10000; i++)
		buf_fmt(&b, "owner%d/project%d\n", i, i);
	put("many.txt", b.data);
	s = good("sources:\n  releases:\n    plugin: feed\n    each_file: many.txt\n"
	    "    url: https://github.example/{each}/releases.atom\n"
	    "routes: { r: { from: [releases] } }\n");
	assert_int_equal(s->nsources, 10000);
	assert_int_equal(s->ninstances, 1);
	assert_int_equal(route(s, "r")->nfrom, 10000);
	setup_free(s);
	buf_clear(&b);
	buf_str(&b, "sources:\n");
	for (int i = 0; i < 10000; i++)
		buf_fmt(&b, "  s%d: { plugin: api, url: https://h%d.example/, count: %d }\n", i, i,
		    i % 3 + 1);
	s = good(b.data);
	assert_int_equal(s->nsources, 10000);
	assert_int_equal(s->ninstances, 3);
	setup_free(s);
	buf_free(&b);
}

/* The one that is shipped, as it is and with all its examples. */
static void
the_shipped_configuration_is_good(void **state)
{
	const char *srcdir = getenv("srcdir");
	char path[512], line[512], *text;
	struct setup *s;
	struct buf b;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/conf/courant.yaml", srcdir != NULL ? srcdir : ".");
	if ((f = fopen(path, "r")) == NULL) {
		print_message("%s is not there: skipped\n", path);
		skip();
	}
	buf_init(&b, 1 << 20);
	while (fgets(line, sizeof(line), f) != NULL)
		buf_str(&b, line);
	s = good(b.data);
	assert_int_equal(s->nsources, 0);
	assert_int_equal(route(s, "everything")->all, 1);
	assert_int_equal(route(s, "everything")->nlegs, 2);
	setup_free(s);
	for (text = b.data; (text = strstr(text, "\n#")) != NULL; text++)
		if (text[2] != ' ' || text[3] == ' ')
			memmove(text + 1, text + 2, strlen(text + 2) + 1);
	if ((text = strstr(b.data, "/srv/feeds")) != NULL)
		memcpy(text, "/tmp//////", 10);
	if ((text = strstr(b.data, "user: courant")) != NULL)
		memcpy(text, "user: nobody ", 13);
	put("projects.txt", "curl/curl\n");
	s = good(b.data);
	assert_true(s->nsources >= 4);
	assert_int_equal(s->nroutes, 2);
	setup_free(s);
	buf_free(&b);
	fclose(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_configuration_has_the_usual_settings),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(mistakes_in_settings_are_all_said),
		cmocka_unit_test(without_state_or_user_the_rest_is_checked_too),
		cmocka_unit_test(a_source_has_its_url_and_times),
		cmocka_unit_test(each_makes_a_source_of_every_entry),
		cmocka_unit_test(mistakes_in_sources_are_all_said),
		cmocka_unit_test(a_missing_plugin_makes_its_sources_wait),
		cmocka_unit_test(files_lie_below_folders_that_are_allowed),
		cmocka_unit_test(the_hash_changes_with_what_is_asked_for),
		cmocka_unit_test(secrets_stay_with_core),
		cmocka_unit_test(any_option_can_come_from_a_file),
		cmocka_unit_test(mistakes_in_files_do_not_show_what_is_in_them),
		cmocka_unit_test(defaults_count_where_nothing_else_is_said),
		cmocka_unit_test(a_plugin_brings_its_own_sources),
		cmocka_unit_test(routes_draw_from_names_groups_patterns_and_routes),
		cmocka_unit_test(a_route_has_filters_and_sinks),
		cmocka_unit_test(mistakes_in_routes_are_all_said),
		cmocka_unit_test(ten_thousand_sources_share_what_they_can),
		cmocka_unit_test(the_shipped_configuration_is_good),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

/* Settings, sources and the values of options: what they mean, and what is said of those that mean
 * nothing. */
#include "setup_case.h"
#include "catalog/plugin.h"
#include "conf/setup_secret.h"
#include "conf/setup_template.h"

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
	static const struct { const char *kind, *file; int wants; uint32_t granted; } grants[] = {
		{ "source", "/opt/p/source_exec.so", CR_EXEC | CR_FILES, CR_EXEC | CR_FILES },
		{ "sink", "/opt/p/sink_exec.so", CR_EXEC | CR_FILES, CR_FILES },
		{ "sink", "/plugins/x/sink_exec.so", CR_SECRETS, 0 },
		{ "sink", "/plugins/sink_exec.so", CR_HTTP | CR_NETWORK | CR_FILES | CR_SECRETS,
		    CR_HTTP | CR_FILES | CR_SECRETS },
		{ "sink", "/plugins/sink_exec.so", CR_EXEC, 0 },
		{ "sink", "/opt/p/sink_exec.so", 0, 0 },
	};
	struct setup *s;
	char path[128];

	(void)state;
	s = good(
	    "contact: ops@example.org\n"
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
	    "limits: { at_once: 4, total: 9, spacing: 250 ms, timeout: 5 s, max_body: 1 MB, "
	    "workers: 3,\n"
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
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		assert_int_equal(setup_grants(s, &(struct plugin){ .kind = TEXT(grants[i].kind),
		    .name = TEXT("exec"), .file = TEXT(grants[i].file),
		    .wants = grants[i].wants }), grants[i].granted);
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
	bad("serve: { listen: 127.0.0.1:99999 }\n",
	    "c.yaml:1: serve: listen: \"127.0.0.1:99999\" is "
	    "not ADDRESS:PORT, [ADDRESS]:PORT or :PORT\n");
	setup_free(good("serve: { listen: '[::1]:80' }\n"));
}

static void
without_state_or_user_the_rest_is_checked_too(void **state)
{
	(void)state;
	bad("state:\nsources: { a: { plugin: feed, url: 'ttp://x' } }\nroutes: { r: { from: [b] } "
	    "}\n",
	    "c.yaml:1: state: has no value; \"\" is the empty one\n"
	    "c.yaml:2: source a: url: \"ttp://x\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:3: route r: from: there is no source, group or route `b`\n");
	if (geteuid() != 0)
		return;
	bad("user: nosuchuser\nlimits: { x: 1 }\n",
	    "c.yaml:1: user: there is no user nosuchuser on this machine\n"
	    "c.yaml:2: limits: unknown key `x`; there are at_once, total, spacing, timeout, "
	    "max_body, "
	    "workers, job_deadline, job_cpu, worker_memory, memory, "
	    "disk_free, hour_records, hour_bytes\n");
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
		 "  api: { plugin: api, each: [p, q], url: 'https://a.example/', items: "
		 "'x.{each}.{each}',\n"
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
	    "c.yaml:2: source a: each: neither url nor an option has {each} in it, so that all of "
	    "them "
	    "would be the same\n"
	    "c.yaml:3: source b: none.txt: cannot be opened: No such file or directory\n"
	    "c.yaml:4: source c: each: an empty entry\n"
	    "c.yaml:5: source d: url: nothing is known for the braces in \"https://{each}/\"\n"
	    "c.yaml:6: source e: count: \"10\" is out of range; say 1..9\n"
	    "c.yaml:7: source f: url: \"https://f.example:x/\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:7: source f: url: \"https://f.example:a%20b:/\" is none that can be fetched; "
	    "say "
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
	    "  t: { plugin: feed, each: [x], each_file: twice.txt, url: 'https://{each}.example/' "
	    "}\n"
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
	    "c.yaml:8: source g*: \"g*\" is no name of a source: they have no * { } \" \\ in them, "
	    "and "
	    "no / or space at an end\n"
	    "c.yaml:9: source courant: the name courant is kept for the daemon itself\n"
	    "c.yaml:10: source h: every: \"2 h..1 h\" ends before it begins\n"
	    "c.yaml:11: source i: every: \"2 h..\" lacks an end; say 1 h, or 10 min..2 h\n"
	    "c.yaml:12: source j: `Feed` is no name of a plugin: they are of a-z, 0-9 and _\n"
	    "c.yaml:15: source u: each: neither url nor an option has {each} in it, so that all of "
	    "them "
	    "would be the same\n"
	    "c.yaml:16: source v: count: takes one value, no list\n"
	    "c.yaml:16: source v: items: has no value; \"\" is the empty one\n"
	    "twice.txt:1: there is another source t/x, in c.yaml:13\n"
	    "c.yaml:11: was: a is still the name of a source\n"
	    "c.yaml:12: waiting for plugin source_Feed: there is none in the plugin folders, did "
	    "you "
	    "mean `feed`?\n"
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
	assert_string_equal(waiting(s, "b"),
	    "waiting for plugin source_broken: others can write it; "
	    "chmod 644");
	assert_null(waiting(s, "c"));
	assert_non_null(waiting(s, "d/x"));
	assert_string_equal(route(s, "r")->filters[0].instance->waiting, "waiting for plugin "
	    "filter_mtach: there is none in the plugin folders, did you mean `match`?");
	assert_non_null(route(s, "r")->sinks[0].instance->waiting);
	assert_string_equal(route(s, "r")->sinks[0].name, "mail");
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
	    "c.yaml:2: source a: url: \"file:///tmp/a.xml\" needs its folder in `files: [FOLDER]`, "
	    "at "
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
	assert_string_equal(
	    a->url, "https://api.depot.example/v2/items?topic=x%20y%26z&k={secret:key}");
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

	/* What is kept; what a page could write is no secret. */
	buf_clear(&headers);
	assert_int_equal(secret_unmark(in, "A \001key\001 {secret:key} {", 0, &headers), 1);
	assert_string_equal(headers.data, "A s&cret/key {secret:key} {");
	buf_clear(&headers);
	assert_int_equal(secret_unmark(in, "https://x/?k=\001key\001", 1, &headers), 1);
	assert_string_equal(headers.data, "https://x/?k=s%26cret/key");
	assert_int_equal(secret_unmark(in, "\001topic\001", 0, &headers), -1);
	assert_int_equal(secret_unmark(in, "\001key", 0, &headers), -1);
	buf_clear(&headers);
	secret_mark(in, url.data, &headers);
	assert_string_equal(headers.data,
	    "https://api.depot.example/v2/items?topic=x%20y%26z&k=\001key\001");
	buf_clear(&url);
	secret_shown(headers.data, &url);
	assert_string_equal(url.data,
	    "https://api.depot.example/v2/items?topic=x%20y%26z&k={secret:key}");
	buf_clear(&url);
	buf_clear(&headers);
	setup_source_request(a, &url, &headers);
	buf_clear(&headers);
	secret_hide(in, url.data, url.len, &headers);
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
	in = route(s, "r")->sinks[0].instance;
	assert_string_equal(in->secrets[0].value, "https://chat.example/hook");
	assert_string_equal(in->secrets[1].value, "k1\nk2");
	setup_free(s);
}

#define MARK	"\xef\xbb\xbf"		/* a byte order mark, as editors write it */

static void
marks_and_returns_are_no_part_of_what_a_file_holds(void **state)
{
	const struct instance *in;
	struct setup *s;

	(void)state;
	/* Joined of two lists, each with a mark. */
	put("list", MARK "# mine\r\na.example\r\r\n \t\r\n"
	    MARK "b.example # and \r\r\n" MARK "c.example\r");
	put("topic", MARK "blue\r\n");
	put("words", MARK "tern\r\n\r\n" MARK "gull\r\n\r");
	put("one.key", MARK "k1\r\nk\r2\r\n");
	put("two.key", MARK "k3\r");
	s = good("sources:\n"
	    "  l: { plugin: feed, each_file: list, url: 'https://{each}/' }\n"
	    "  d: { plugin: depot, key_file: [one.key, two.key], topic_file: topic }\n"
	    "routes:\n"
	    "  r: { from: [d], filters: [ match: { any_file: words, in: title } ] }\n");
	assert_int_equal(s->nsources, 4);
	assert_string_equal(source(s, "l/a.example")->url, "https://a.example/");
	assert_int_equal(source(s, "l/a.example")->line, 2);
	assert_string_equal(source(s, "l/b.example")->url, "https://b.example/");
	assert_int_equal(source(s, "l/b.example")->line, 4);
	assert_string_equal(source(s, "l/c.example")->url, "https://c.example/");
	in = source(s, "d")->instance;
	assert_string_equal(option(in, "topic", 0), "blue");
	assert_string_equal(in->secrets[0].value, "k1\nk\r2\nk3");
	in = route(s, "r")->filters[0].instance;
	assert_string_equal(option(in, "any", 0), "tern");
	assert_string_equal(option(in, "any", 1), "gull");
	assert_null(option(in, "any", 2));
	setup_free(s);
}

/* What is asked for, and what a worker, the log and the database are told. */
static void
credentials_leave_a_url_when_it_is_read(void **state)
{
	const struct source *a;
	struct buf url, headers, redact;
	struct setup *s;

	(void)state;
	put("list", "https://ann:p1@x.example/ann\n");
	s = good("sources:\n"
	    "  a: { plugin: feed, url: 'https://me:p%40ss@A.example/f' }\n"
	    "  b: { plugin: feed, url: 'https://A.example/f' }\n"
	    "  l: { plugin: feed, each_file: list, url: '{each}' }\n"
	    "  m: { plugin: feed, each: ['bob:p2@y.example:80'], url: 'http://{each}/f' }\n"
	    "  d: { plugin: depot, key: 'k/1@2', url: 'https://me:{key}@d.example/{topic}' }\n");
	a = source(s, "a");
	assert_string_equal(a->url, "https://A.example/f");
	assert_string_equal(instance_login(a->instance, "https://a.example/other"), "me:p@ss");
	assert_null(instance_login(a->instance, "http://a.example/f"));
	assert_ptr_not_equal(a->instance, source(s, "b")->instance);
	assert_null(instance_login(source(s, "b")->instance, a->url));
	assert_true(a->hash != source(s, "b")->hash);
	assert_string_equal(source(s, "l/https://x.example/ann")->url, "https://x.example/ann");
	a = source(s, "m/y.example:80");
	assert_string_equal(a->url, "http://y.example:80/f");
	assert_string_equal(instance_login(a->instance, a->url), "bob:p2");
	a = source(s, "d");
	assert_string_equal(a->url, "https://d.example/all");
	assert_string_equal(instance_login(a->instance, a->url), "me:k/1@2");
	buf_init(&url, 1000);
	buf_init(&headers, 1000);
	buf_init(&redact, 1000);
	setup_source_request(source(s, "a"), &url, &headers);
	assert_string_equal(url.data, "https://A.example/f");
	assert_string_equal(headers.data, "Authorization: Basic bWU6cEBzcw==\n");
	secret_hide(source(s, "a")->instance, "http://me:p%40ss@h/ p@ss bWU6cEBzcw==", 37, &redact);
	assert_string_equal(redact.data, "http://h/ *** ***");
	buf_free(&url);
	buf_free(&headers);
	buf_free(&redact);
	setup_free(s);
	bad("sources:\n  a: { plugin: feed, url: 'https://me:p/ss@a.example/' }\n"
	    "  b: { plugin: feed, url: 'ftp://me:pass@a.example/' }\n"
	    "  c: { plugin: feed, url: 'me:pass@a.example/f' }\n",
	    "c.yaml:2: source a: url: \"https://a.example/\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:3: source b: url: \"ftp://a.example/\" is none that can be fetched; say "
	    "https://HOST/PATH\n"
	    "c.yaml:4: source c: url: \"a.example/f\" is none that can be fetched; say "
	    "https://HOST/PATH\n");
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
	    "  b: { plugin: api, url: 'https://b.example/', count_file: number, items_file: latin "
	    "}\n"
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
	    "each_file, pages, hour_records, hour_bytes, autostart, strip_trackers, weight, counters, auth_bearer, "
	    "items, fields, site, count\n"
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
		 "  s: { from: [a], filters: [ match: { in: [] } ], to: { feed: { path: s1, keep: 5 "
		 "} } }\n");
	assert_string_equal(source(s, "a")->instance->secrets[0].value, "general");
	assert_string_equal(source(s, "b")->instance->secrets[0].value, "own");
	assert_string_equal(option(source(s, "b")->instance, "topic", 0), "usual");
	assert_int_equal(source(s, "a")->every_max, 7200000);
	assert_int_equal(source(s, "b")->every_max, 3600000);
	assert_int_equal(source(s, "b")->pages, 4);
	assert_string_equal(option(route(s, "r")->filters[0].instance, "in", 0), "title");
	assert_string_equal(option(route(s, "s")->filters[0].instance, "in", 0), "");
	assert_int_equal(route(s, "r")->sinks[0].keep, 30);
	assert_string_equal(option(route(s, "r")->sinks[0].instance, "keep", 0), "30");
	assert_int_equal(route(s, "s")->sinks[0].keep, 5);
	assert_int_equal(route(s, "r")->sinks[0].backlog, BACKLOG_COUNT);
	assert_int_equal(route(s, "r")->sinks[0].backlog_n, 7);
	setup_free(s);
	bad("defaults:\n"
	    "  depot: { key: x }\n"
	    "  source_depot: { topc: x, url: 'https://x.example/' }\n"
	    "  sink_feed: { keep: 0 }\n",
	    "c.yaml:2: `depot` names no plugin: say source_NAME, filter_NAME or sink_NAME\n"
	    "c.yaml:3: defaults of source_depot: unknown key `topc`, did you mean `topic`?\n"
	    "c.yaml:3: defaults of source_depot: unknown key `url`; there are every, pages, "
	    "hour_records, hour_bytes, strip_trackers, weight, counters, topic, key\n"
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

/* Each is left out, though the catalog let the plugin pass; the last one says only what it may. */
static void
what_a_plugin_brings_sets_its_own_alone(void **state)
{
	static const struct { const char *name, *options; } rows[] = {
		{ "a", "key: k\ntopic_file: /etc/passwd\n" }, { "b", "key_file: /etc/passwd\n" },
		{ "c", "key: k\nurl_file: /etc/passwd\n" }, { "d", "key: k\nurl: 'file:///etc/passwd'\n" },
		{ "e", "key: k\nurl: 'https://me:too@a.example/'\n" }, { "f", "key: k\nwas: mine\n" },
		{ "g", "key: k\neach_file: /etc/passwd\nurl: 'https://a.example/{each}'\n" },
		{ "h", "key: k\neach: [x]\nurl: 'https://a.example/{each}'\n" },
		{ "i", "key: k\npages: 1000\n" }, { "mine/j", "key: k\n" }, { "*", "key: k\n" },
		{ "r", "key: k\n" }, { "m\xd1\x96ne", "key: k\n" }, { "once", "key: k\n" },
		{ "k", "key: k\nevery: 1 ms\n" }, { "l", "key: k\nauth: { user: x }\n" },
		{ "m", "key: k\nallow: [source_depot]\n" }, { "n", "key: k\nplugin: feed\n" },
		{ "o", "key: k\nurl: 'https://a.example/{topic}'\n" },
	};
	const size_t n = sizeof(rows) / sizeof(rows[0]);
	struct setup *s;

	(void)state;
	plugins[1].defaults = calloc(n, sizeof(*plugins[1].defaults));
	for (size_t i = 0; i < n; i++) {
		plugins[1].defaults[i].name = TEXT(rows[i].name);
		plugins[1].defaults[i].options = TEXT(rows[i].options);
	}
	plugins[1].ndefaults = n;
	s = good("files: [.]\n"
	    "sources: { mine: { plugin: feed, url: 'https://d.example/', was: once } }\n"
	    "routes: { r: { from: ['*'] } }\n");
	assert_int_equal(s->nsources, 2);
	assert_string_equal(source(s, "o")->url, "https://a.example/all");
	setup_free(s);
	s = good("defaults: { source_depot: { key: general } }\n");
	assert_int_equal(s->nsources, 3);		/* also r and once, whose names are free now */
	assert_string_equal(source(s, "once")->instance->secrets[0].value, "k");
	setup_free(s);
	plugins[1].ndefaults = 1;
	plugins[1].defaults[0].options = TEXT("url: 'https://a.example/'\n");
	s = good("defaults: { source_depot: { key: general } }\n");
	assert_int_equal(s->nsources, 0);		/* the secret would go to a.example */
	setup_free(s);
	plugins[1].defaults[0].options = TEXT("topic: x\n");
	s = good("defaults: { source_depot: { key: general } }\n");
	assert_string_equal(source(s, "a")->instance->secrets[0].value, "general");
	setup_free(s);
	free(plugins[1].defaults);
	plugins[1].defaults = NULL;
	plugins[1].ndefaults = 0;
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
		cmocka_unit_test(marks_and_returns_are_no_part_of_what_a_file_holds),
		cmocka_unit_test(credentials_leave_a_url_when_it_is_read),
		cmocka_unit_test(mistakes_in_files_do_not_show_what_is_in_them),
		cmocka_unit_test(defaults_count_where_nothing_else_is_said),
		cmocka_unit_test(a_plugin_brings_its_own_sources),
		cmocka_unit_test(what_a_plugin_brings_sets_its_own_alone),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

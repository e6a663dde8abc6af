/* Routes in a configuration, large configurations, and the one that is shipped. */
#include "setup_case.h"

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
	    "  s: { from: [a], to: { feed: { path: s1 }, jsonl: { path: s.jsonl, keep: 3 },\n"
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
	assert_int_equal(r->nsinks, 3);
	assert_string_equal(r->sinks[0].name, "feed");
	assert_string_equal(r->sinks[1].name, "feed#2");
	assert_int_equal(r->sinks[0].backlog, BACKLOG_ALL);
	assert_int_equal(r->sinks[0].keep, 100);
	assert_int_equal(r->sinks[1].backlog, BACKLOG_AGE);
	assert_int_equal(r->sinks[1].backlog_n, INT64_C(30) * 86400000);
	assert_int_equal(r->sinks[1].keep, 7);
	assert_int_equal(r->sinks[2].backlog, BACKLOG_NONE);
	r = route(s, "s");
	assert_int_equal(r->sinks[0].backlog, BACKLOG_ALL);
	assert_int_equal(r->sinks[1].backlog, BACKLOG_ALL);
	assert_int_equal(r->sinks[1].keep, 0);
	assert_string_equal(option(r->sinks[1].instance, "keep", 0), "3");
	assert_int_equal(r->sinks[2].backlog, BACKLOG_NONE);
	assert_int_equal(route(s, "t")->sinks[0].backlog, BACKLOG_COUNT);
	assert_int_equal(route(s, "u")->nsinks, 0);
	setup_free(s);
}

static void
filters_stand_in_groups(void **state)
{
	static const char *const rules[] = { "match#1", "any#2/match#1", "any#2/none#2/match#1",
		"any#2/none#2/match#2", "any#2/match#3", "all#3/match#1" };
	struct setup *s;
	const struct route *r;

	(void)state;
	s = routes("  r:\n"
	    "    from: [a]\n"
	    "    filters:\n"
	    "      - match\n"
	    "      - any:\n"
	    "          - match: { any: x }\n"
	    "          - none: [ match: { any: y }, match ]\n"
	    "          - match\n"
	    "      - all: [ match ]\n");
	r = route(s, "r");
	assert_int_equal(r->nfilters, 6);
	for (size_t i = 0; i < r->nfilters; i++)
		assert_string_equal(r->filters[i].rule, rules[i]);
	setup_free(s);
}

static void
mistakes_in_routes_are_all_said(void **state)
{
	(void)state;
	bad_routes(
	    "  r: { from: [b, gh/w, 'g*h', courant/x, r] }\n"
	    "  a: { from: [a] }\n"
	    "  s: { form: [a] }\n"
	    "  t: { from: [a], once: twice, updates: x, patience: 5, backlog: some, to: { feed: { "
	    "path: t } } }\n"
	    "  u: { from: [a], filters: { match: {} } }\n"
	    "  v: { from: [a], filters: [ { any: { match: {} } }, { match: {}, x: {} }, [],\n"
	    "    none: [], any: [ any: [ any: [ any: [ any: [ match: {} ] ] ] ] ] ] }\n"
	    "  w: { from: [a], to: { feed: { path: /etc/x }, jsonl: { path: ../x, keep: 1, size: 3 "
	    "} } }\n"
	    "  x: { from: [a], to: { feed: { path: one } } }\n"
	    "  y: { from: [a], to: [ jsonl: { path: .//one }, feed: { path: a/.., keep: 5 editions "
	    "} ] }\n"
	    "  z: 5\n",
	    "c.yaml:6: route r: from: there is no source, group or route `b`\n"
	    "c.yaml:6: route r: from: there is no source, group or route `gh/w`, did you mean "
	    "`gh/x`?\n"
	    "c.yaml:6: route r: from: there is no source, group or route `g*h`, did you mean "
	    "`gh`?\n"
	    "c.yaml:6: route r: from: of the daemon itself there are `courant/trouble` and `courant/top`, "
	    "and no `courant/x`\n"
	    "c.yaml:6: route r: from: a route cannot draw from itself\n"
	    "c.yaml:7: route a: a source has the same name\n"
	    "c.yaml:7: route a: from: a route cannot draw from itself\n"
	    "c.yaml:8: route s: unknown key `form`, did you mean `from`?\n"
	    "c.yaml:8: route s: from: has to be given: names of sources, groups, routes, or "
	    "[\"*\"] for "
	    "all\n"
	    "c.yaml:9: route t: once: \"twice\" is not one of story, record\n"
	    "c.yaml:9: route t: updates: \"x\" is no switch; say yes or no\n"
	    "c.yaml:9: route t: patience: \"5\" lacks a unit; say 30 s, 5 min, 2 h, 7 d\n"
	    "c.yaml:9: route t: feed: backlog: \"some\" is not none, all, a number of records or "
	    "an age "
	    "such as 30 d\n"
	    "c.yaml:10: route u: filters: a list is wanted, since their order counts: - NAME: "
	    "{ option: value }\n"
	    "c.yaml:11: route v: filters: a list is wanted, since their order counts: - NAME: "
	    "{ option: value }\n"
	    "c.yaml:11: route v: filters: an entry is one filter: - NAME: { option: value }\n"
	    "c.yaml:11: route v: filters: an entry is one filter: - NAME: { option: value }\n"
	    "c.yaml:12: route v: filters: none: has no filter in it\n"
	    "c.yaml:12: route v: filters: more than 4 groups within each other\n"
	    "c.yaml:13: route w: feed: path: \"/etc/x\" is no name of a file in the folder of "
	    "outputs\n"
	    "c.yaml:13: route w: jsonl: unknown key `size`; there are backlog, ordered, path, rotate, keep\n"
	    "c.yaml:13: route w: jsonl: path: \"../x\" leads out of the folder of outputs\n"
	    "c.yaml:15: route y: feed: keep: \"5 editions\" is no whole number\n"
	    "c.yaml:15: route y: feed: keep: \"5 editions\" is no whole number\n"
	    "c.yaml:15: route y: feed: path: \"a/..\" leads out of the folder of outputs\n"
	    "c.yaml:15: route y: path: route x writes one already, in line 14\n"
	    "c.yaml:16: route z: a route: a map is wanted: { key: value }\n");
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
	const char *srcdir = getenv("SRCDIR");
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
	assert_int_equal(route(s, "everything")->nsinks, 2);
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
		cmocka_unit_test(routes_draw_from_names_groups_patterns_and_routes),
		cmocka_unit_test(a_route_has_filters_and_sinks),
		cmocka_unit_test(filters_stand_in_groups),
		cmocka_unit_test(mistakes_in_routes_are_all_said),
		cmocka_unit_test(ten_thousand_sources_share_what_they_can),
		cmocka_unit_test(the_shipped_configuration_is_good),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

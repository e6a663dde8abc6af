/* The filters that come with Courant, as they ship (loaded from the build), in the worker's own host:
 * what they say of a record and why, what they change, and which options they refuse. */
#include "base/buf.h"
#include "base/mem.h"
#include "catalog/option.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/record_json.h"
#include "worker/host.h"
#include "worker/host_batch.h"
#include "worker/host_slot.h"
#include "worker/host_table.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW	INT64_C(1795219200000)		/* 2026-11-21T00:00:00Z */
#define DAY	INT64_C(86400000)
#define OUT	(UINT64_C(8) << 20)

/* ---- A plugin with its options ---- */

static struct slot slot;
static const char *plugin;		/* the one that is asked */
static char said[2048];			/* the verdict and its words, or the refusal */
static char *changes;			/* of the last record, as JSON; "" for none */

static const struct cr_plugin *
load(const char *name)
{
	const char *build = getenv("BUILD");
	char *path = xasprintf("%s/plugins/filter_%s.so", build != NULL ? build : ".", name);
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct cr_plugin *p;

	if (so == NULL)
		fail_msg("%s", dlerror());
	free(path);
	p = dlsym(so, "cr_plugin_v1");
	assert_non_null(p);
	return p;
}

/* Options as lines "name=value"; opens the plugin. -1: it refuses, and said holds the reason. */
static int
opens(const char *lines)
{
	struct options set = { NULL, 0 };
	char *copy = xstrdup(lines), *rest = copy, *line, *value;
	struct buf b;
	int rc;

	slot_close(&slot);
	slot = (struct slot){ .plugin = *load(plugin) };
	snprintf(slot.rule, sizeof(slot.rule), "%s#1", plugin);
	while ((line = strsep(&rest, "\n")) != NULL)
		if ((value = strchr(line, '=')) != NULL) {
			*value = '\0';
			options_add(&set, line, value + 1);
		}
	buf_init(&b, OPTION_SET_MAX);
	options_write(&set, &b);
	host_job(NOW);
	rc = slot_ready(&slot, (struct bytes){ b.len > 0 ? b.data : "", b.len }, 1);
	snprintf(said, sizeof(said), "%s", rc == -1 ? host.error : "");
	buf_free(&b);
	options_free(&set);
	free(copy);
	return rc;
}

static void
refuses(const char *lines, const char *why)
{
	assert_int_equal(opens(lines), -1);
	assert_string_equal(said, why);
	assert_int_equal(host.failed, CR_BAD_OPTION);
}

/* ---- A record ---- */

static const struct { const char *name; int field; } fields[] = {
	{ "title", CR_TITLE }, { "summary", CR_SUMMARY }, { "content", CR_CONTENT },
	{ "link", CR_LINK }, { "category", CR_CATEGORY }, { "author", CR_AUTHOR },
	{ "language", CR_LANGUAGE }, { "image", CR_IMAGE },
};

static void
record_line(struct cr_record *r, const char *name, const char *value)
{
	size_t i;

	if (strncmp(name, "extra:", 6) == 0)
		record_set_extra(r, name + 6, value);
	else if (strncmp(name, "number:", 7) == 0)
		record_set_number(r, name + 7, atof(value));
	else if (strncmp(name, "counter:", 8) == 0)
		record_set_counter(r, name + 8, atoll(value));
	else if (strcmp(name, "published") == 0)
		record_set_time(r, CR_PUBLISHED, NOW - atoll(value) * DAY);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(name, fields[i].name) == 0)
			record_set(r, fields[i].field, value, strlen(value));
}

/* A batch of one, from lines "name=value". */
static int
batch(const char *lines, int64_t seen, size_t *len)
{
	char *copy = xstrdup(lines), *rest = copy, *line, *value;
	struct result_item item = { .n = 1, .id = "abcdefghijklmnopqrstuvwxyz",
		.delivery = "abcdefghijklmnopqrstuvwxyz", .source = "blog", .seen = seen };
	struct cr_record *r = record_new();
	struct buf b, bytes;
	size_t begun;
	int fd;

	while ((line = strsep(&rest, "\n")) != NULL)
		if ((value = strchr(line, '=')) != NULL) {
			*value = '\0';
			record_line(r, line, value + 1);
			if (strcmp(line, "source") == 0)
				item.source = value + 1;
		}
	buf_init(&b, 8u << 20);
	buf_init(&bytes, RECORD_MAX);
	record_write(r, &bytes);
	item.record = (struct bytes){ bytes.data, bytes.len };
	begun = result_begin(&b, RESULT_ITEM);
	wire_put(&b, result_item, &item);
	result_end(&b, begun);
	fd = memfd_new(b.data, b.len);
	assert_int_equal(memfd_seal(fd), 0);
	*len = b.len;
	buf_free(&b);
	buf_free(&bytes);
	record_free(r);
	free(copy);
	return fd;
}

static void
read_verdict(int out, uint64_t len)
{
	static const char *const names[] = { "drop", "keep", "wait" };
	const struct record_json about = { NULL, 0, CR_NO_TIME };
	struct result_verdict v = { .verdict = UINT32_MAX };
	enum result_kind kind;
	struct wire all, body;
	struct cr_record *r;
	struct buf json;
	size_t size;
	const void *p;

	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	wire_init(&all, p, size);
	assert_int_equal(result_next(&all, &kind, &body), 1);
	assert_int_equal(kind, RESULT_VERDICT);
	wire_get(&body, result_verdict, &v);
	snprintf(said, sizeof(said), "%s: %s", v.verdict <= CR_WAIT ? names[v.verdict] : "failed",
	    v.why != NULL ? v.why : "");
	buf_init(&json, 16u << 20);
	buf_str(&json, "");
	r = v.changes.data != NULL ? record_read(v.changes.data, v.changes.len) : NULL;
	if (r != NULL)
		record_json(r, &about, &json);
	free(changes);
	changes = json.data;
	record_free(r);
	memfd_unmap(p, size);
}

/* What the open plugin says of a record, into said. */
static void
ask(const char *lines, int64_t seen)
{
	struct batch_job job = { .route = "r", .count = 1, .now = NOW };
	struct batch_done done;
	struct host_batch hb = { .slots = &slot, .n = 1 };

	hb.batch = batch(lines, seen, &job.len);
	hb.out = memfd_new(NULL, 0);
	host.out.max = OUT;
	host_job(NOW);
	host_filter(&hb, &job, &done);
	assert_int_equal(done.done, 1);
	read_verdict(hb.out, done.out);
	close(hb.batch);
	close(hb.out);
}

/* What a filter with these options says of a record. */
static void
says(const char *options, const char *record, const char *expected)
{
	if (opens(options) == -1)
		fail_msg("%s", said);
	ask(record, NOW - 3 * DAY);
	assert_string_equal(said, expected);
}

static void
keeps(const char *options, const char *record)
{
	if (opens(options) == -1)
		fail_msg("%s", said);
	ask(record, NOW - 3 * DAY);
	if (strncmp(said, "keep: ", 6) != 0)
		fail_msg("%s | %s: %s", options, record, said);
}

static void
drops(const char *options, const char *record)
{
	if (opens(options) == -1)
		fail_msg("%s", said);
	ask(record, NOW - 3 * DAY);
	if (strncmp(said, "drop: ", 6) != 0)
		fail_msg("%s | %s: %s", options, record, said);
}

/* ---- match: words ---- */

static void
test_words_are_whole_and_in_any_case(void **state)
{
	(void)state;
	plugin = "match";
	says("any=retrieval\nany=reranking", "title=Dense Retrieval for all of us, and some others",
	    "keep: any: `retrieval` in title: Dense Retrieval for all of us, and some others");
	says("any=retrieval\nany=reranking", "title=Retrievals\nsummary=x",
	    "drop: any: none of the 2 is in title, summary, content");
	keeps("any=offline RL", "title=On offline\u00a0 rl");
	drops("any=offline RL", "title=On offline-RL");
	keeps("any=offline RL", "title=\u201coffline RL\u201d");
	keeps("any=c++", "title=Modern C++ at last");
	drops("any=c++", "title=c+");
	keeps("any=.NET", "title=ASP.NET 9");
	keeps("any=gpt-4", "title=GPT\u20114 (non-breaking)");
	keeps("any=don't", "title=Don\u2019t");
	drops("any=foo", "title=foo_bar foo2 2foo");
	keeps("any=\"re:invent\"", "title=AWS re:Invent");
	says("any=e\nin=title", "title=a b c d aa bb cc dd ee ff gg hh ii jj kk e ll mm nn oo pp qq rr ss "
	    "tt uu vv ww", "keep: any: `e` in title: ...a bb cc dd ee ff gg hh ii jj kk e ll mm nn "
	    "oo pp qq rr ss tt uu v...");
}

static void
test_case_is_folded_as_unicode_has_it(void **state)
{
	(void)state;
	plugin = "match";
	keeps("any=STRASSE", "title=Stra\u00dfe");
	keeps("any=stra\u00dfe", "title=STRASSE");
	keeps("any=\u041c\u043e\u0441\u043a\u0432\u0430", "title=\u043c\u041e\u0421\u041a\u0412\u0410");
	keeps("any=\u03c3\u03bf\u03c6\u03cc\u03c2", "title=\u03a3\u039f\u03a6\u038c\u03a3");
	keeps("any=office", "title=The o\ufb03ce");
	keeps("any=caf\u00e9", "title=CAFE\u0301");
	drops("any=cafe", "title=caf\u00e9");
	drops("any=cafe", "title=cafe\u0301");
	keeps("any=cafe\naccents=no", "title=caf\u00e9");
	keeps("any=caf\u00e9\naccents=no", "title=cafe");
	keeps("any=Lodz\naccents=no", "title=\u0141\u00f3d\u017a");
	keeps("any=vi\u1ec7t", "title=vi\u00ea\u0323t");
	keeps("any=api", "title=\uff21\uff30\uff29");
	keeps("any=database", "title=data\u00adbase");
}

static void
test_scripts_without_spaces_match_anywhere(void **state)
{
	(void)state;
	plugin = "match";
	keeps("any=\u691c\u7d22", "title=\u5168\u6587\u691c\u7d22\u306e\u7814\u7a76");
	keeps("any=AI", "title=\u6700\u65b0AI\u7814\u7a76");
	keeps("any=\uac80\uc0c9", "title=\uac80\uc0c9\uc740");
	drops("any=\u304b", "title=\u304c");
	keeps("any=\u304c", "title=\u304b\u3099");
	drops("any=\u691c\u7d22", "title=\u691c \u7d22");
}

static void
test_html_is_matched_as_text(void **state)
{
	(void)state;
	plugin = "match";
	says("any=one two", "summary=<p>one</p><p>two &amp; three</p>",
	    "keep: any: `one two` in summary: one two & three");
	keeps("any=retrieval", "content=<p>re<b>triev</b>al</p>");
	drops("any=href\nany=strong", "content=<p><a href=\"x\">b</a> <strong>c</strong></p>");
	keeps("any=a < b", "summary=a &lt; b");
	keeps("in=text\nany=there", "content=there");
	says("in=text\nany=RL < online\nany=offline", "summary=<p>Offline</p><p>RL &amp;lt; "
	    "<b>on</b>line RL</p>", "keep: any: `offline` in text: Offline RL &lt; online RL");
	keeps("in=text\nany=there", "summary=x\ncontent=there");
	keeps("in=text\nany=caf\u00e9", "summary=caf&#233;");
}

static void
test_fields_lists_and_extras(void **state)
{
	(void)state;
	plugin = "match";
	says("in=arxiv:announce_type\nnone=replace\nnone=replace-cross",
	    "extra:arxiv:announce_type=replace-cross",
	    "drop: none: `replace` in arxiv:announce_type: replace-cross");
	says("in=arxiv:announce_type\nnone=replace\nnone=replace-cross",
	    "extra:arxiv:announce_type=new",
	    "keep: none: nothing found in arxiv:announce_type");
	keeps("in=category\nany=critical", "category=low\ncategory=Critical");
	keeps("in=source\nany=blog", "title=x");
	keeps("in=id\nany=abcdefghijklmnopqrstuvwxyz", "title=x");
	keeps("in=extra:title\nany=y", "title=x\nextra:title=y");
	keeps("in=seen\nany=re:^2026-11-18T", "title=x");
	keeps("in=link\nany=example.org", "link=https://example.org/a");
	says("in=author\nall=Ada\nall=Grace", "author=Ada L\nauthor=Grace H",
	    "keep: all: `Ada` in author: Ada L");
	says("all=one\nall=two\nall=re:thr..", "title=one\nsummary=three",
	    "drop: all: `two` is not in title, summary, content");
	keeps("all=one\nall=two\nall=re:thr..", "title=one\nsummary=three\ncontent=two");
}

static void
test_all_groups_have_to_agree(void **state)
{
	static const char rules[] = "any=cat\nany=dog\nall=black\nall=small\nnone=re:sale|sold\n"
	    "where=votes >= 10";

	(void)state;
	plugin = "match";
	says(rules, "title=small black cat\ncounter:votes=10",
	    "keep: any: `cat` in title: small black cat; all: `small` in title: small black cat; "
	    "none: nothing found in title, summary, content; where: votes >= 10: votes is 10");
	says(rules, "title=small black cat\ncounter:votes=9",
	    "drop: where: votes >= 10: votes is 9");
	says(rules, "title=small black cat, sold\ncounter:votes=10",
	    "drop: none: `re:sale|sold` in title: small black cat, sold");
	says(rules, "title=small cat\ncounter:votes=10",
	    "drop: all: `black` is not in title, summary, content");
	says(rules, "title=small black cow\ncounter:votes=10",
	    "drop: any: none of the 2 is in title, summary, content");
}

/* ---- match: patterns ---- */

static void
test_patterns_match_text(void **state)
{
	(void)state;
	plugin = "match";
	drops("in=title\nnone=re:[-.](rc|alpha|beta)[.0-9]*$", "title=curl 8.0-RC1");
	keeps("in=title\nnone=re:[-.](rc|alpha|beta)[.0-9]*$", "title=curl 8.0");
	keeps("any=re:dense (passages?|vectors?)", "title=Dense Vectors");
	drops("any=re:(?-i)dense", "title=Dense");
	keeps("any=re:^\\w+$", "title=\u00e9t\u00e9");
	keeps("any=re:x.*y", "content=<p>x</p><p>y</p>");
	refuses("any=re:(?:a", "any: re:(?:a: missing closing parenthesis at 4");
	refuses("none=re:[z-a]", "none: re:[z-a]: range out of order in character class at 3");
	refuses("all=re:", "all: re: has no pattern behind it");
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "NAME=" and n times c, and `last`. */
static char *
many(const char *name, int c, size_t n, const char *last)
{
	char *text = xmalloc(strlen(name) + n + strlen(last) + 2), *at = text;

	at += sprintf(at, "%s=", name);
	memset(at, c, n);
	memcpy(at + n, last, strlen(last) + 1);
	return text;
}

static void
test_a_pattern_that_runs_away_is_given_up(void **state)
{
	static const char *const bad[] = { "re:(a+)+$", "re:(a|aa)+$", "re:(.*a){12}[cd]",
		"re:a.*a.*a.*a.*[cd]" };
	char *text = many("content", 'a', 60000, "b"), *title = many("title", 'a', 15000, "b"),
	    options[100];
	double begun;
	size_t i;

	(void)state;
	plugin = "match";
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(options, sizeof(options), "any=%s", bad[i]);
		assert_int_equal(opens(options), 0);
		begun = seconds();
		ask(text, NOW);
		assert_true(seconds() - begun < 30);
		if (strstr(said, "failed: any: re:") == NULL || strstr(said,
		    "takes too long on the 60001 bytes of content: make it simpler") == NULL)
			fail_msg("%s: %s", bad[i], said);
	}
	says("any=re:(a+)+$\nany=b", "title=b", "keep: any: `b` in title: b");
	assert_int_equal(opens("none=re:(a+)+$"), 0);
	ask(title, NOW);
	assert_non_null(strstr(said, "failed: none: re:(a+)+$ takes too long"));
	drops("all=re:(a+)+$\nall=nowhere", title);
	keeps("any=re:a+b$", title);
	keeps("any=re:a.*b", text);
	free(text);
	free(title);
}

static void
test_long_texts_are_looked_into_to_their_end(void **state)
{
	char *text = many("content", ' ', 1000000, "needle"), *dots;

	(void)state;
	plugin = "match";
	keeps("any=needle", text);
	free(text);
	text = many("content", '.', 1000000, " needle");
	keeps("any=needle", text);
	keeps("any=re:needle$", text);
	keeps("any=re:\\. *needle$", text);
	dots = many("title", 'x', 16000, "");
	drops("any=needle", dots);
	free(text);
	free(dots);
}

/* ---- match: numbers, ages, options ---- */

static void
test_numbers(void **state)
{
	(void)state;
	plugin = "match";
	says("where=cvss >= 7", "number:cvss=7", "keep: where: cvss >= 7: cvss is 7");
	says("where=cvss >= 7", "number:cvss=6.9", "drop: where: cvss >= 7: cvss is 6.9");
	keeps("where=cvss<7", "number:cvss=6.9");
	keeps("where=n = 2", "counter:n=2");
	keeps("where=n != 2\nwhere=n <= 3\nwhere=n > 2.5", "counter:n=3");
	keeps("where=episode > 3", "extra:episode=4");
	drops("where=episode > 3", "extra:episode=4th");
	says("where=votes >= 10", "title=x", "drop: where: votes >= 10: has no number votes");
	says("where=votes >= 10\nmissing=wait", "title=x",
	    "wait: where: votes >= 10: has no number votes");
	says("where=votes >= 10\nmissing=keep", "title=x",
	    "keep: where: votes >= 10: has no number votes");
	says("where=votes >= 10\nunmet=wait", "title=x",
	    "wait: where: votes >= 10: has no number votes");
	says("where=votes >= 10\nunmet=wait\nany=y", "title=x\ncounter:votes=3",
	    "drop: any: `y` is not in title, summary, content");
	says("where=votes >= 10\nunmet=wait\nany=x", "title=x\ncounter:votes=3",
	    "wait: where: votes >= 10: votes is 3");
	says("where=votes >= 10\nwhere=n > 0\nunmet=wait\nmissing=drop", "counter:votes=3",
	    "drop: where: n > 0: has no number n");
	refuses("where=votes", "where: `votes` is no condition; say NAME, one of "
	    ">= > <= < = != and a number, such as votes >= 10");
	assert_int_equal(opens("where=votes >= ten"), -1);
	assert_int_equal(opens("where=votes >= 10, comments > 5"), -1);
	assert_int_equal(opens("where=votes => 10"), -1);
	assert_int_equal(opens("where=>= 10"), -1);
	assert_int_equal(opens("where=votes >= 0x10"), -1);
	assert_int_equal(opens("where=votes >= inf"), -1);
}

static void
test_ages(void **state)
{
	(void)state;
	plugin = "match";
	says("newer=30 d", "published=45", "drop: newer: 30 d: published 45 d ago");
	says("newer=30 d", "published=29", "keep: published 29 d ago");
	says("older=2 d", "published=1", "drop: older: 2 d: published 24 h ago");
	says("newer=2 d", "title=x", "drop: newer: 2 d: seen 3 d ago");
	says("newer=4 d", "title=x", "keep: seen 3 d ago");
	says("newer=4 d", "published=-2", "keep: published 0 s ago");
	refuses("newer=1 d\nolder=2 d", "older: nothing is older than that and newer than `newer`");
}

static void
test_options_that_make_no_sense(void **state)
{
	(void)state;
	plugin = "match";
	refuses("", "any: there is nothing to look for; give any, all, none, where, newer or older");
	refuses("any=", "any: there is nothing to look for; give any, all, none, where, newer or "
	    "older");
	refuses("in=titel\nany=x", "in: there is no field `titel`, did you mean `title`? (An extra "
	    "of that name is `extra:titel`.)");
	assert_int_equal(opens("in=authors\nany=x"), -1);
	assert_int_equal(opens("in=tags\nany=x"), -1);
	assert_int_equal(opens("in=ghsa_id\nany=x"), 0);
	refuses("any=\u200b", "any: `\u200b` has nothing in it that could be found");
}

static void
test_a_thousand_words_in_one_pass(void **state)
{
	char *options = xmalloc(1000 * 20 + 1), *at = options, record[4096];
	double begun;
	int i;

	(void)state;
	plugin = "match";
	for (i = 0; i < 1000; i++)
		at += sprintf(at, "any=term%d x%d\n", i, i);
	assert_int_equal(opens(options), 0);
	at = record + sprintf(record, "summary=");
	for (i = 0; i < 300; i++)
		at += sprintf(at, "term%d y ", i);
	begun = seconds();
	for (i = 0; i < 1000; i++)
		ask(record, NOW);
	begun = seconds() - begun;
	print_message("1,000 phrases, %zu bytes: %.0f records a second\n", strlen(record),
	    1000 / begun);
	assert_true(begun < 30);
	assert_string_equal(said, "drop: any: none of the 1000 is in title, summary, content");
	free(options);
}

/* ---- rewrite ---- */

static void
rewrites(const char *options, const char *record, const char *expected, const char *json)
{
	const char *made;

	says(options, record, expected);
	made = changes != NULL ? changes : "";
	if (strstr(made, json) == NULL)
		fail_msg("%s: %s", options, made);
}

static void
test_templates(void **state)
{
	(void)state;
	plugin = "rewrite";
	rewrites("set=title={source}: {title} ({extra:kind}, {votes})",
	    "title=A & b\nextra:kind=new\ncounter:votes=3", "keep: set: title",
	    "\"title\":\"blog: A & b (new, 3)\"");
	rewrites("prefix=title=[{category}] \nsuffix=title=!", "title=T\ncategory=a\ncategory=b",
	    "keep: prefix: title; suffix: title", "\"title\":\"[a, b] T!\"");
	rewrites("set=summary=<p>{title}</p>{content}<script>x</script>",
	    "title=1 < 2\ncontent=<b>c</b>", "keep: set: summary",
	    "\"summary\":\"<p>1 &lt; 2</p><b>c</b>\"");
	rewrites("set=title={text}", "summary=<p>1 &lt; 2</p>", "keep: set: title",
	    "\"title\":\"1 < 2\"");
	rewrites("set=topic={{a}", "title=T", "keep: set: topic", "\"extras\":{\"topic\":\"{a}\"}");
	rewrites("set=title={summary:5} {title:3}", "title=abc\nsummary=<p>one &lt;two</p>",
	    "keep: set: title", "\"title\":\"one\u2026 abc\"");
	rewrites("set=title={summary:4}", "summary=e\u0301e\u0301e\u0301e\u0301e\u0301", "keep: set: title",
	    "\"title\":\"e\u0301e\u0301e\u0301\u2026\"");
	rewrites("set=summary={content:6}", "content=<b>1</b> &lt; 2 and 3", "keep: set: summary",
	    "\"summary\":\"1 &lt; 2\u2026\"");
	rewrites("set=title={extra:x:3}{y:3}", "title=T\nextra:x:3=a\nextra:y:3=b", "keep: set: title",
	    "\"title\":\"ab\"");
	refuses("set=title={summary:0}", "set: {summary:0}: a text is cut to 1 to 10000 characters");
	refuses("set=titel=x", "set: there is no field `titel`, did you mean `title`? (An extra of "
	    "that name is `extra:titel`.)");
	refuses("set=title={x", "set: `{x` lacks its }; a brace alone is {{");
	refuses("set=id=x", "set: `id` cannot be changed");
	refuses("set=seen=x", "set: `seen` cannot be changed");
	refuses("set=category=x", "set: `category` cannot be changed; `category: [...]` adds to it");
	refuses("prefix=x", "prefix: `x` names no field; say prefix: { title: \"...\" }");
	refuses("", "set: there is nothing to change; give set, prefix, suffix, find, category or "
	    "unset");
}

static void
test_replacing(void **state)
{
	char *text = many("title", 'a', 15000, "b");

	(void)state;
	plugin = "rewrite";
	rewrites("find=re:^(\\w+) (\\w+)\nwith=$2 $1 $$5", "title=one two three", "keep: find: title",
	    "\"title\":\"two one $5 three\"");
	rewrites("find=c++\nwith=C", "title=C++ c+++ xc++", "keep: find: title",
	    "\"title\":\"C C+ xc++\"");
	rewrites("find=big news\nwith=news", "title=Big  NEWS today", "keep: find: title",
	    "\"title\":\"news today\"");
	rewrites("find=x\nwith=y", "title=z", "keep: nothing to change", "");
	rewrites("in=summary\nfind=b\nwith=<i>", "summary=<b>b</b> b", "keep: find: summary",
	    "\"summary\":\"<b>&lt;i&gt;</b> &lt;i&gt;\"");
	rewrites("find=re:x*\nwith=-", "title=a\u00e9", "keep: find: title",
	    "\"title\":\"-a-\u00e9-\"");
	refuses("find=re:", "find: re: has no pattern behind it");
	refuses("find=re:(a\nwith=b", "find: re:(a: missing closing parenthesis at 2");
	refuses("find=re:(a)\nwith=$2", "with: $2: `find` has 1 groups");
	refuses("find=a\nwith=$x", "with: a $ stands before a digit; alone it is $$");
	refuses("with=b", "with: there is no `find` that says what it takes the place of");
	assert_int_equal(opens("find=re:(a+)+$\nwith=c"), 0);
	ask(text, NOW);
	assert_string_equal(said, "failed: find: re:(a+)+$ is too much work on the 15001 bytes of "
	    "title");
	free(text);
}

static void
test_adding_and_leaving_out(void **state)
{
	(void)state;
	plugin = "rewrite";
	rewrites("category=new\ncategory={source}", "category=new", "keep: category: {source}",
	    "\"categories\":[\"new\",\"blog\"]");
	says("unset=summary\nunset=kind", "title=t\nsummary=s\nextra:kind=x",
	    "keep: unset: summary; unset: kind");
	assert_null(strstr(changes, "\"s\""));
	refuses("unset=author", "unset: `author` cannot be changed");
}

static int
teardown(void **state)
{
	(void)state;
	slot_close(&slot);
	return 0;
}

int
main(void)
{
	const struct w_start start = { .memory = UINT64_C(256) << 20, .out = OUT };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_words_are_whole_and_in_any_case, teardown),
		cmocka_unit_test_teardown(test_case_is_folded_as_unicode_has_it, teardown),
		cmocka_unit_test_teardown(test_scripts_without_spaces_match_anywhere, teardown),
		cmocka_unit_test_teardown(test_html_is_matched_as_text, teardown),
		cmocka_unit_test_teardown(test_fields_lists_and_extras, teardown),
		cmocka_unit_test_teardown(test_all_groups_have_to_agree, teardown),
		cmocka_unit_test_teardown(test_patterns_match_text, teardown),
		cmocka_unit_test_teardown(test_a_pattern_that_runs_away_is_given_up, teardown),
		cmocka_unit_test_teardown(test_long_texts_are_looked_into_to_their_end, teardown),
		cmocka_unit_test_teardown(test_numbers, teardown),
		cmocka_unit_test_teardown(test_ages, teardown),
		cmocka_unit_test_teardown(test_options_that_make_no_sense, teardown),
		cmocka_unit_test_teardown(test_a_thousand_words_in_one_pass, teardown),
		cmocka_unit_test_teardown(test_templates, teardown),
		cmocka_unit_test_teardown(test_replacing, teardown),
		cmocka_unit_test_teardown(test_adding_and_leaving_out, teardown),
	};

	host_init(&start);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

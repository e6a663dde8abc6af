/* What the host makes of what a plugin hands it: clean text, absolute URLs, safe HTML, known times. */
#include "base/buf.h"
#include "base/mem.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "record/record_json.h"
#include "serve/status_wait.h"
#include "store/ledger_verdict.h"
#include "worker/convert.h"
#include "worker/host.h"
#include "worker/host_batch.h"
#include "worker/host_parse.h"
#include "worker/host_slot.h"
#include "worker/host_state.h"
#include "worker/host_table.h"

#include <errno.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail				/* struct cr has one */

#define WHEN	INT64_C(1700000000000)		/* 2023-11-14T22:13:20Z */
#define OUT	(UINT64_C(8) << 20)

typedef int parse_fn(struct cr *, void *, const struct cr_page *);
typedef int filter_fn(struct cr *, void *, struct cr_record *);

/* ---- A page through a plugin ---- */

static struct buf told;			/* the results, a line each */

static void
tell(int out, uint64_t len)
{
	const struct record_json about = { NULL, 0, CR_NO_TIME };
	struct result_verdict v;
	enum result_kind kind;
	struct wire all, body;
	struct cr_record *r;
	const char *value;
	size_t size;
	const void *p;
	int rc;

	assert_int_equal(memfd_seal(out), 0);
	p = memfd_map(out, (size_t)len, &size);
	assert_non_null(p);
	wire_init(&all, p, size);
	buf_free(&told);
	buf_init(&told, 64u << 20);
	buf_str(&told, "");
	while ((rc = result_next(&all, &kind, &body)) == 1) {
		if (kind == RESULT_STATE) {
			buf_fmt(&told, "state %s=", wire_str(&body));
			value = wire_str(&body);
			buf_fmt(&told, "%s\n", value != NULL ? value : "(unset)");
			continue;
		}
		if (kind == RESULT_VERDICT) {
			wire_get(&body, result_verdict, &v);
			buf_fmt(&told, "%d %s %s ", (int)v.verdict, v.rule,
			    v.why != NULL ? v.why : "-");
			body.at = (const unsigned char *)v.changes.data;
			body.end = body.at + v.changes.len;
		}
		r = body.at != NULL ? record_read(body.at, (size_t)(body.end - body.at)) : NULL;
		if (r != NULL)
			record_json(r, &about, &told);
		record_free(r);
		buf_char(&told, '\n');
	}
	assert_int_equal(rc, 0);
	memfd_unmap(p, size);
}

static struct parse_done
run(parse_fn *parse, const char *headers, const char *state, size_t state_len)
{
	struct slot slot = { .plugin = { CR_PLUGIN, .name = "test", .parse = parse } };
	struct parse_job job = { .source = "s", .url = "http://a.example/feeds/main.xml",
		.type = "", .charset = "", .headers = headers, .tag = "", .when = WHEN,
		.now = WHEN, .len = 4, .state = { state, state_len }, .options = { "", 0 } };
	struct parse_done done;
	int body = memfd_new("page", 5), out = memfd_new(NULL, 0);

	memfd_seal(body);
	host.out.max = OUT;
	host_job(WHEN);
	host_parse(&slot, &job, body, out, &done);
	slot_close(&slot);
	tell(out, done.out);
	close(body);
	close(out);
	return done;
}

static void
gives(parse_fn *parse, const char *expected)
{
	struct parse_done done = run(parse, "", "", 0);

	assert_int_equal(done.failed, 0);
	assert_string_equal(told.data, expected);
}

/* ---- Texts ---- */

static int
dirty(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "  g\x01 1\n");

	(void)opts, (void)page;
	cr->set(r, CR_TITLE, "  two\n\twords \xff and\x07 more\xc2\xa0 ");
	cr->set(r, CR_CATEGORY, "  ");
	cr->set(r, CR_CATEGORY, " a  b ");
	cr->set(r, CR_SUMMARY_TEXT, "1 < 2 & 3");
	cr->set(r, CR_CONTENT, "<p onclick=x>open<script>alert(1)</script> <a href=\"../b\">b</a>");
	cr->set_extra(r, "na\nme", "line one\nline \x02two");
	cr->set(r, CR_LANGUAGE, NULL);
	return cr->emit(cr, r);
}

static int
html_title(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, CR_BY_TITLE);

	(void)opts, (void)page;
	cr->set(r, CR_TITLE_HTML, "<b>Tom</b> &amp;amp; <script>x</script>Jerry");
	return cr->emit(cr, r);
}

static int
formula_title(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "1");

	(void)opts, (void)page;
	cr->set(r, CR_TITLE_HTML, "On <math><msup><mi>y</mi><mn>2</mn></msup></math> &lt; <i>z</i>");
	cr->set(r, CR_RIGHTS_HTML, "Mathematics &lt;b&gt; <math></math>");
	return cr->emit(cr, r);
}

static void
test_texts_come_out_clean(void **state)
{
	(void)state;
	gives(dirty, "{\"schema\":1,\"title\":\"two words \xef\xbf\xbd and more\","
	    "\"categories\":[\"a b\"],\"summary\":\"1 &lt; 2 &amp; 3\","
	    "\"content\":\"<p>open <a href=\\\"http://a.example/b\\\">b</a></p>\","
	    "\"extras\":{\"na me\":\"line one\\nline two\"},\"guid\":\"g 1\"}\n");
	gives(html_title, "{\"schema\":1,\"title\":\"Tom &amp; Jerry\","
	    "\"extras\":{\"title-html\":\"<b>Tom</b> &amp;amp; Jerry\"}}\n");
	gives(formula_title, "{\"schema\":1,\"title\":\"On y^2 < z\",\"rights\":\"Mathematics <b>\","
	    "\"extras\":{\"title-html\":\"On y^2 &lt; <i>z</i>\","
	    "\"rights-html\":\"Mathematics &lt;b&gt; \"},\"guid\":\"1\"}\n");
}

/* ---- Persons ---- */

static int
persons(struct cr *cr, void *opts, const struct cr_page *page)
{
	static const char *const texts[] = { "Ann", "Ann <ann@a.example>", "bob@b.example (Bob B.)",
		"c@c.example", "Dee (of Dee & Co)", "Eve <http://e.example/>", "<f@f.example>", " ",
		"G <g", "@handle" };
	struct cr_record *r = cr->record(cr, CR_BY_TITLE);
	size_t i;

	(void)opts, (void)page;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr->set(r, CR_AUTHOR, texts[i]);
	cr->add_author(r, " H \n H ", "mailto:h@h.example", "../h");
	cr->add_author(r, NULL, NULL, "javascript:x");
	return cr->emit(cr, r);
}

static void
test_persons_are_told_apart(void **state)
{
	(void)state;
	gives(persons, "{\"schema\":1,\"authors\":[{\"name\":\"Ann\"},"
	    "{\"name\":\"Ann\",\"mail\":\"ann@a.example\"},"
	    "{\"name\":\"Bob B.\",\"mail\":\"bob@b.example\"},{\"mail\":\"c@c.example\"},"
	    "{\"name\":\"Dee (of Dee & Co)\"},{\"name\":\"Eve\",\"uri\":\"http://e.example/\"},"
	    "{\"mail\":\"f@f.example\"},{\"name\":\"G <g\"},{\"name\":\"@handle\"},"
	    "{\"name\":\"H H\",\"mail\":\"h@h.example\",\"uri\":\"http://a.example/h\"}]}\n");
}

/* ---- URLs ---- */

static int
urls(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "1");

	(void)opts, (void)page;
	cr->set(r, CR_LINK, " item?a=1 ");
	cr->set(r, CR_IMAGE, "data:image/png;base64,xx");
	cr->set(r, CR_COMMENTS, "JavaScript:alert(1)");
	cr->add_enclosure(r, "e.mp3", " audio/mpeg ", -5);
	cr->add_enclosure(r, NULL, "audio/mpeg", 1);
	cr->emit(cr, r);
	assert_int_equal(cr->base(cr, "/other/"), 0);
	r = cr->record(cr, "2");
	cr->set(r, CR_LINK, "x");
	cr->emit(cr, r);
	assert_int_equal(cr->base(cr, NULL), 0);
	r = cr->record(cr, "3");
	cr->set(r, CR_LINK, "x");
	return cr->emit(cr, r);
}

static void
test_urls_are_absolute_and_harmless(void **state)
{
	(void)state;
	gives(urls, "{\"schema\":1,\"link\":\"http://a.example/feeds/item?a=1\",\"enclosures\":"
	    "[{\"url\":\"http://a.example/feeds/e.mp3\",\"type\":\"audio/mpeg\"}],\"guid\":\"1\"}\n"
	    "{\"schema\":1,\"link\":\"http://a.example/other/x\",\"guid\":\"2\"}\n"
	    "{\"schema\":1,\"link\":\"http://a.example/feeds/x\",\"guid\":\"3\"}\n");
}

/* ---- Times ---- */

static int
times(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, CR_BY_TITLE);

	(void)opts;
	cr->set(r, CR_PUBLISHED, "Tue, 14 Nov 2023 10:00:00 +0100");
	cr->set(r, CR_UPDATED, "soon");
	cr->emit(cr, r);
	r = cr->record(cr, CR_BY_TITLE);
	cr->set(r, CR_PUBLISHED, "2023-11-15T22:13:20Z");	/* a day ahead is let be */
	cr->set_time(r, CR_UPDATED, page->when + 86400001);	/* more is not */
	cr->emit(cr, r);
	assert_true(cr->parse_time(cr, "2023-11-14T22:13:20Z") == WHEN);
	assert_true(cr->parse_time(cr, "never") == CR_NO_TIME);
	assert_true(cr->parse_time(cr, NULL) == CR_NO_TIME);
	assert_true(cr->now(cr) >= WHEN && cr->now(cr) < WHEN + 60000);
	return 0;
}

static void
test_times_are_read_and_clamped(void **state)
{
	(void)state;
	gives(times, "{\"schema\":1,\"published\":\"2023-11-14T09:00:00Z\","
	    "\"extras\":{\"updated-text\":\"soon\"}}\n"
	    "{\"schema\":1,\"published\":\"2023-11-15T22:13:20Z\","
	    "\"updated\":\"2023-11-14T22:13:20Z\"}\n");
}

/* ---- Headers ---- */

static int
headers(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	assert_string_equal(cr->header(cr, "X-One"), "1 2");
	assert_string_equal(cr->header(cr, "x-empty"), "");
	assert_null(cr->header(cr, "x"));
	assert_null(cr->header(cr, NULL));
	assert_string_equal(cr->link(cr, "next"), "http://a.example/feeds/main.xml?page=2");
	assert_string_equal(cr->link(cr, "HUB"), "https://hub.example/");
	assert_string_equal(cr->link(cr, "self"), "http://a.example/quoted,;x");
	assert_string_equal(cr->link(cr, "alternate"), "http://a.example/last");
	assert_null(cr->link(cr, "prev"));
	assert_null(cr->link(cr, "nex"));
	assert_null(cr->link(cr, "second"));
	return 0;
}

static void
test_headers_and_links(void **state)
{
	struct parse_done done = run(headers, "x-one:  1 2 \nx-empty:\n"
	    "link: <?page=2>; title=\"a, \\\"b\\\"; rel=prev\"; rel=\"last next\", "
	    "<https://hub.example/>;rel=hub;rel=second\n"
	    "link: </quoted,;x> ; REL = self,broken\nlink: </last>; rel=alternate\n", "", 0);

	(void)state;
	assert_int_equal(done.failed, 0);
}

/* ---- State ---- */

static int
keeps(struct cr *cr, void *opts, const struct cr_page *page)
{
	static char big[HOST_STATE];

	(void)opts, (void)page;
	memset(big, 'x', sizeof(big) - 1);
	assert_string_equal(cr->state_get(cr, "old"), "1");
	assert_string_equal(cr->state_get(cr, "more"), "");
	assert_null(cr->state_get(cr, "1"));
	assert_int_equal(cr->state_set(cr, "old", "2"), 0);
	assert_string_equal(cr->state_get(cr, "old"), "1");	/* until the job is stored */
	assert_int_equal(cr->state_set(cr, "gone", "x"), 0);
	assert_int_equal(cr->state_set(cr, "old", "3"), 0);
	assert_int_equal(cr->state_set(cr, "gone", NULL), 0);
	assert_int_equal(cr->state_set(cr, "big", big), -1);
	assert_int_equal(cr->state_set(cr, "", "x"), -1);
	assert_int_equal(cr->state_set(cr, "bad", "\xff"), -1);
	return 0;
}

static int
fails(struct cr *cr, void *opts, const struct cr_page *page)
{
	cr->state_set(cr, "old", "4");
	(void)opts, (void)page;
	return cr->fail(cr, 77, "one\n line with \xff and \x01%s", " more");
}

static void
test_state_counts_when_the_job_is_done(void **state)
{
	static const char kept[] = "old\0" "1\0more\0";	/* and the NUL that C adds */
	struct parse_done done;

	(void)state;
	done = run(keeps, "", kept, sizeof(kept));
	assert_int_equal(done.failed, 0);
	assert_string_equal(told.data, "state old=3\nstate gone=(unset)\n");
	done = run(fails, "", kept, sizeof(kept));
	assert_int_equal(done.failed, CR_BAD_DATA);
	assert_string_equal(done.error, "one line with \xef\xbf\xbd and more");
	assert_string_equal(told.data, "");
}

/* ---- Failures ---- */

static int
mute(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)cr, (void)opts, (void)page;
	return -1;
}

static int
forgets(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	cr->fail(cr, CR_GONE, "%01500d", 7);
	return 0;
}

static void
test_reasons_are_never_missing(void **state)
{
	struct parse_done done;

	(void)state;
	done = run(mute, "", "", 0);
	assert_int_equal(done.failed, CR_BAD_DATA);
	assert_string_equal(done.error, "test: parse() failed without saying why");
	done = run(forgets, "", "", 0);
	assert_int_equal(done.failed, CR_GONE);
	assert_int_equal(strlen(done.error), HOST_ERROR - 1);
}

static int
hinted(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *feed = cr->feed(cr);

	(void)opts, (void)page;
	cr->set_extra(feed, "updatePeriod", "Daily");
	cr->set_extra(feed, "updateFrequency", "4");
	cr->set_extra(feed, "skipHours", "0 5 24 99 -1 x");
	cr->set_extra(feed, "skipDays", "Sunday saturday Caturday");
	assert_ptr_equal(feed, cr->feed(cr));
	assert_int_equal(cr->emit(cr, feed), -1);
	return 0;
}

static void
test_hints_of_the_feed(void **state)
{
	struct parse_done done = run(hinted, "", "", 0);

	(void)state;
	assert_int_equal(done.failed, 0);
	assert_true(done.ttl == 6 * 3600000);
	assert_int_equal(done.skip_hours, 1 << 0 | 1 << 5);
	assert_int_equal(done.skip_days, 1 << 0 | 1 << 6);
	assert_int_equal(done.refused, 1);
	assert_int_equal(done.records, 0);
}

/* ---- What names a record ---- */

static int
emit_titled(struct cr *cr, const char *guid, const char *link)
{
	struct cr_record *r = cr->record(cr, guid);

	cr->set(r, CR_TITLE, "A title");
	cr->set(r, CR_LINK, link);
	return cr->emit(cr, r);
}

static int
unnamed(struct cr *cr, void *opts, const struct cr_page *page)
{
	(void)opts, (void)page;
	assert_int_equal(emit_titled(cr, NULL, NULL), -1);
	assert_int_equal(emit_titled(cr, "", NULL), -1);
	assert_int_equal(emit_titled(cr, " \n", ""), -1);
	assert_int_equal(emit_titled(cr, NULL, "javascript:x"), -1);
	assert_int_equal(emit_titled(cr, NULL, "http://["), -1);
	assert_int_equal(emit_titled(cr, CR_BY_TITLE, NULL), 0);
	assert_int_equal(emit_titled(cr, NULL, "x"), 0);
	assert_int_equal(emit_titled(cr, "1", "javascript:x"), 0);
	return 0;
}

/* The place of one that may go without a guid is used again by one that may not. */
static int
unnamed_after(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *first = cr->record(cr, "1"), *second = cr->record(cr, CR_BY_TITLE);

	(void)opts, (void)page;
	assert_int_equal(cr->emit(cr, first), 0);
	first = cr->record(cr, NULL);
	assert_int_equal(cr->emit(cr, first), -1);
	assert_int_equal(cr->emit(cr, second), 0);
	assert_int_equal(cr->emit(cr, cr->record(cr, NULL)), -1);
	return 0;
}

static void
test_a_record_without_guid_and_link_is_refused(void **state)
{
	struct parse_done done = run(unnamed, "", "", 0);

	(void)state;
	assert_int_equal(done.refused, 5);
	assert_int_equal(done.records, 3);
	assert_string_equal(told.data, "{\"schema\":1,\"title\":\"A title\"}\n"
	    "{\"schema\":1,\"title\":\"A title\",\"link\":\"http://a.example/feeds/x\"}\n"
	    "{\"schema\":1,\"title\":\"A title\",\"guid\":\"1\"}\n");
	done = run(unnamed_after, "", "", 0);
	assert_int_equal(done.refused, 2);
	assert_int_equal(done.records, 2);
}

/* ---- Plain text ---- */

static int
lines(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r = cr->record(cr, "1");

	(void)opts, (void)page;
	cr->set(r, CR_SUMMARY_TEXT, " \r\n one\ntwo <b>\r\n\r\nthree\rfour & five \n\n");
	cr->set(r, CR_CONTENT_TEXT, "a\n\n  b");
	return cr->emit(cr, r);
}

static void
test_lines_of_plain_text_stay_lines_as_html(void **state)
{
	(void)state;
	gives(lines, "{\"schema\":1,"
	    "\"summary\":\"one<br/>\\ntwo &lt;b&gt;<br/>\\n<br/>\\nthree<br/>\\nfour &amp; five\","
	    "\"content\":\"a<br/>\\n<br/>\\n  b\",\"guid\":\"1\"}\n");
}

/* ---- Limits ---- */

static int
too_many(struct cr *cr, void *opts, const struct cr_page *page)
{
	struct cr_record *r[HOST_OPEN + 1];
	int i;

	(void)opts, (void)page;
	for (i = 0; i < HOST_OPEN; i++)
		assert_non_null(r[i] = cr->record(cr, "one"));
	assert_null(cr->record(cr, NULL));
	for (i = 0; i < HOST_OPEN; i++)
		assert_int_equal(cr->emit(cr, r[i]), 0);
	assert_int_equal(cr->emit(cr, r[0]), -1);
	assert_int_equal(cr->set(NULL, CR_TITLE, "x"), -1);
	r[0] = cr->record(cr, NULL);
	assert_int_equal(cr->set(r[0], CR_ID, "x"), -1);
	assert_int_equal(cr->emit(cr, r[0]), -1);
	r[0] = cr->record(cr, NULL);
	assert_int_equal(cr->set_number(r[0], "n", strtod("inf", NULL)), -1);
	assert_int_equal(cr->emit(cr, r[0]), -1);
	assert_null(cr->get(r[0], CR_TITLE, 0));
	assert_int_equal(cr->verdict(cr, CR_KEEP, "x"), -1);
	return 0;
}

static void
test_limits_refuse_and_count(void **state)
{
	struct parse_done done = run(too_many, "", "", 0);

	(void)state;
	assert_int_equal(done.failed, 0);
	assert_int_equal(done.records, HOST_OPEN);
	assert_int_equal(done.refused, 3);
}

static int
converts(struct cr *cr, void *opts, const struct cr_page *page)
{
	const char *text;
	size_t len, bad;

	(void)opts, (void)page;
	text = cr->convert(cr, "latin1", "caf\xe9", 4, &len, &bad);
	assert_string_equal(text, "caf\xc3\xa9");
	assert_int_equal(len, 5);
	assert_int_equal(bad, 0);
	assert_string_equal(cr->convert(cr, "utf-8", "", 0, &len, NULL), "");
	assert_null(cr->convert(cr, "klingon", "x", 1, &len, NULL));
	assert_null(cr->convert(cr, NULL, "x", 1, &len, NULL));
	return 0;
}

static void
test_converts(void **state)
{
	struct parse_done done = run(converts, "", "", 0);

	(void)state;
	assert_int_equal(done.failed, 0);
}

/* ---- Filters ---- */

static int
changes(struct cr *cr, void *opts, struct cr_record *rec)
{
	const char *title = cr->get(rec, CR_TITLE, 0);
	char longer[100];

	(void)opts;
	snprintf(longer, sizeof(longer), "%s!", title);
	cr->set(rec, CR_TITLE, longer);
	assert_string_not_equal(title, cr->get(rec, CR_TITLE, 0));
	cr->set(rec, CR_SUMMARY, "");
	cr->set(rec, CR_CONTENT, "<a href=\"more\">m</a>");
	assert_null(cr->record(cr, "none is made here"));
	return cr->verdict(cr, CR_KEEP, "longer");
}

static int
wrong(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)cr, (void)opts, (void)rec;
	return 17;
}

static int
drops(struct cr *cr, void *opts, struct cr_record *rec)
{
	(void)opts;
	return strcmp(cr->get(rec, CR_TITLE, 0), "b!") == 0 ? CR_DROP : CR_KEEP;
}

static void
progressed(uint32_t done, void *arg)
{
	*(uint32_t *)arg = done;
}

static void
judge(filter_fn *first, filter_fn *second, const char *expected)
{
	struct slot slots[2] = {
		{ .plugin = { CR_PLUGIN, .name = "one", .filter = first }, .rule = "one#1" },
		{ .plugin = { CR_PLUGIN, .name = "two", .filter = second }, .rule = "two#2" },
	};
	struct batch_job job = { .careful = 1, .count = 2, .now = WHEN };
	struct batch_done done;
	struct cr_record *r = record_new();
	struct result_item item = { .id = "i", .delivery = "i", .source = "s" };
	struct buf b, bytes;
	uint32_t told_done = 0;
	struct host_batch hb = { .slots = slots, .n = 2, .progress = progressed,
		.arg = &told_done };
	size_t begun;
	int i;

	buf_init(&b, 1u << 20);
	buf_init(&bytes, 1u << 20);
	for (i = 0; i < 2; i++) {
		record_clear(r);
		buf_clear(&bytes);
		record_set(r, CR_TITLE, i == 0 ? "a" : "b", 1);
		record_set(r, CR_SUMMARY, "s", 1);
		record_set(r, CR_LINK, "http://l.example/x/", 19);
		record_write(r, &bytes);
		item.record = (struct bytes){ bytes.data, bytes.len };
		begun = result_begin(&b, RESULT_ITEM);
		wire_put(&b, result_item, &item);
		result_end(&b, begun);
	}
	hb.batch = memfd_new(b.data, b.len);
	hb.out = memfd_new(NULL, 0);
	memfd_seal(hb.batch);
	job.len = b.len;
	host.out.max = OUT;
	host_job(WHEN);
	host_filter(&hb, &job, &done);
	assert_int_equal(done.failed, 0);
	assert_int_equal(done.done, 2);
	assert_int_equal(told_done, 2);
	tell(hb.out, done.out);
	assert_string_equal(told.data, expected);
	close(hb.batch);
	close(hb.out);
	buf_free(&b);
	buf_free(&bytes);
	record_free(r);
}

static void
test_filters_change_and_judge(void **state)
{
	(void)state;
	judge(changes, drops, "1 two#2 - {\"schema\":1,\"title\":\"a!\","
	    "\"content\":\"<a href=\\\"http://l.example/x/more\\\">m</a>\"}\n"
	    "0 two#2 - {\"schema\":1,\"title\":\"b!\","
	    "\"content\":\"<a href=\\\"http://l.example/x/more\\\">m</a>\"}\n");
	judge(wrong, drops, "-1 one#1 one: filter() failed without saying why \n"
	    "-1 one#1 one: filter() failed without saying why \n");
}

/* ---- What is kept of a batch ---- */

/* A batch of three records with the titles a, b, c, of which the plugin says what it likes; what
 * its results tell. */
static struct batch_done
batch(struct cr_plugin plugin, uint32_t careful, uint32_t *told_done)
{
	struct slot slot = { .plugin = plugin, .rule = "" };
	struct batch_job job = { .careful = careful, .count = 3, .now = WHEN,
		.kind = plugin.deliver != NULL ? CR_BATCH_RECORDS : 0 };
	struct result_item item = { .id = "i", .delivery = "i", .source = "s" };
	struct host_batch hb = { .slots = &slot, .n = 1, .progress = progressed,
		.arg = told_done };
	struct cr_record *r = record_new();
	struct batch_done done;
	struct buf b, bytes;
	size_t begun;
	int i;

	buf_init(&b, 1u << 20);
	buf_init(&bytes, 1u << 20);
	for (i = 0; i < 3; i++) {
		buf_clear(&bytes);
		record_set(r, CR_TITLE, &"abc"[i], 1);
		record_write(r, &bytes);
		item.record = (struct bytes){ bytes.data, bytes.len };
		begun = result_begin(&b, RESULT_ITEM);
		wire_put(&b, result_item, &item);
		result_end(&b, begun);
	}
	hb.batch = memfd_new(b.data, b.len);
	hb.out = memfd_new(NULL, 0);
	memfd_seal(hb.batch);
	job.len = b.len;
	host.out.max = OUT;
	host_job(WHEN);
	if (plugin.deliver != NULL)
		host_deliver(&hb, &job, &done);
	else
		host_filter(&hb, &job, &done);
	tell(hb.out, done.out);
	close(hb.batch);
	close(hb.out);
	buf_free(&b);
	buf_free(&bytes);
	record_free(r);
	host_batch_state_free(&slot);
	return done;
}

/* Keeps the title of each record, also of the one that it refuses. */
static size_t
refuses_b(struct cr *cr, void *opts, const struct cr_batch *items)
{
	size_t i;

	(void)opts;
	for (i = 0; i < items->n; i++) {
		const char *title = cr->get(items->items[i], CR_TITLE, 0);

		cr->state_set(cr, "last", title);
		if (strcmp(title, "b") == 0) {
			cr->fail(cr, CR_REJECTED, "not b");
			break;
		}
	}
	return i;
}

static int
fails_on_b(struct cr *cr, void *opts, struct cr_record *rec)
{
	const char *title = cr->get(rec, CR_TITLE, 0);

	(void)opts;
	cr->state_set(cr, title, "seen");
	return strcmp(title, "b") == 0 ? cr->fail(cr, CR_REJECTED, "not b") : CR_KEEP;
}

static void
test_nothing_is_kept_of_a_record_that_is_refused(void **state)
{
	const struct cr_plugin sink = { CR_PLUGIN, .name = "sink", .deliver = refuses_b },
	    filter = { CR_PLUGIN, .name = "filter", .filter = fails_on_b };
	uint32_t told_done = 0, careful;
	struct batch_done done;

	(void)state;
	done = batch(sink, 1, &told_done);	/* one after the other */
	assert_int_equal(done.done, 1);
	assert_int_equal(told_done, 1);
	assert_int_equal(done.failed, CR_REJECTED);
	assert_string_equal(told.data, "state last=a\n");
	for (careful = 0; careful < 2; careful++) {
		done = batch(filter, careful, &told_done);
		assert_int_equal(done.done, 3);
		assert_non_null(strstr(told.data, "state a=seen\n"));
		assert_null(strstr(told.data, "state b=seen\n"));
		assert_non_null(strstr(told.data, "state c=seen\n"));
	}
}

static int
set_up(void **state)
{
	const struct w_start start = { .out = OUT };

	(void)state;
	host_init(&start);
	convert_open();
	buf_init(&told, 1);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_come_out_clean),
		cmocka_unit_test(test_persons_are_told_apart),
		cmocka_unit_test(test_urls_are_absolute_and_harmless),
		cmocka_unit_test(test_times_are_read_and_clamped),
		cmocka_unit_test(test_headers_and_links),
		cmocka_unit_test(test_state_counts_when_the_job_is_done),
		cmocka_unit_test(test_reasons_are_never_missing),
		cmocka_unit_test(test_hints_of_the_feed),
		cmocka_unit_test(test_a_record_without_guid_and_link_is_refused),
		cmocka_unit_test(test_lines_of_plain_text_stay_lines_as_html),
		cmocka_unit_test(test_limits_refuse_and_count),
		cmocka_unit_test(test_converts),
		cmocka_unit_test(test_filters_change_and_judge),
		cmocka_unit_test(test_nothing_is_kept_of_a_record_that_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

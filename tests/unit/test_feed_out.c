/* What sink_feed writes, format by format: where a record came from, when it changed, its files and
 * what it says of an episode, and addresses that are URIs. */
#include "sink_case.h"

/* ---- feed: what is known of where a record came from ---- */

/* A feed that a record may have come from. */
static struct cr_record *
some_feed(const char *name)
{
	struct cr_record *feed = record_new();
	char text[128];
	int n;

	record_set(feed, CR_SOURCE, name, strlen(name));
	n = snprintf(text, sizeof(text), "The <%s> & Co", name);
	record_set(feed, CR_TITLE, text, (size_t)n);
	n = snprintf(text, sizeof(text), "https://%s.example/page?a&b", name);
	record_set(feed, CR_LINK, text, (size_t)n);
	n = snprintf(text, sizeof(text), "https://%s.example/icon.png", name);
	record_set(feed, CR_IMAGE, text, (size_t)n);
	record_set(feed, CR_LANGUAGE, "en_gb", 5);
	snprintf(text, sizeof(text), "tag:%s.example,2026:feed", name);
	record_set_extra(feed, "id", text);
	snprintf(text, sizeof(text), "https://%s.example/feed?a&b", name);
	record_set_extra(feed, "self", text);
	return feed;
}

/* The first n records, from these feeds in turn, as files "w". */
static void
deliver_from(const char *self, struct cr_record *const *feeds, size_t nfeeds, size_t n)
{
	struct sink s;
	size_t i;

	for (i = 0; i < n; i++)
		record_story(records[i])->feed = feeds[i % nfeeds];
	sink_open(&s, "sink_feed.so", "path", "a b/w", NULL);
	assert_int_equal(deliver(&s, 0, n, self), n);
	sink_close(&s);
	for (i = 0; i < n; i++)
		record_story(records[i])->feed = NULL;
}

static void
each_format_names_the_feed_that_a_record_came_from(void **state)
{
	struct cr_record *feeds[2] = { some_feed("one"), some_feed("two") };
	xmlDocPtr doc;

	(void)state;
	deliver_from("", feeds, 2, 2);
	doc = parse_xml("a b/w.rss");
	SAME(doc, "//item[1]/source", "The <one> & Co");
	SAME(doc, "//item[1]/source/@url", "https://one.example/feed?a&b");
	SAME(doc, "//item[2]/source/@url", "https://two.example/feed?a&b");
	SAME(doc, "//item[2]/dc:language", "en-gb");
	xmlFreeDoc(doc);
	doc = parse_xml("a b/w.atom");
	SAME(doc, "//a:entry[1]/a:source/a:id", "tag:one.example,2026:feed");
	SAME(doc, "//a:entry[1]/a:source/a:title", "The <one> & Co");
	SAME(doc, "//a:entry[1]/a:source/a:link[@rel='self']/@href", "https://one.example/feed?a&b");
	SAME(doc, "//a:entry[2]/a:source/a:link[@rel='alternate']/@href",
	    "https://two.example/page?a&b");
	SAME(doc, "//a:entry[2]/a:source/a:icon", "https://two.example/icon.png");
	SAME(doc, "//a:entry[2]/@xml:lang", "en-gb");
	SAME(doc, "/a:feed/@xml:lang", "en-gb");
	xmlFreeDoc(doc);
	record_free(feeds[0]);
	record_free(feeds[1]);
}

static void
an_entry_that_was_taken_over_before_keeps_its_first_feed(void **state)
{
	struct cr_record *feed = some_feed("planet"), *rec = records[0];
	xmlDocPtr doc;

	(void)state;
	record_set_extra(rec, "source", "Her blog");
	record_set_extra(rec, "source-id", "urn:her:blog");
	record_set_extra(rec, "source-url", "https://her.example/feed");
	deliver_from("", &feed, 1, 2);
	record_set_extra(rec, "source-id", "");
	record_set_extra(rec, "source-url", "");
	record_set_extra(rec, "source", "");
	doc = parse_xml("a b/w.rss");
	SAME(doc, "//item[1]/source", "Her blog");
	SAME(doc, "//item[1]/source/@url", "https://her.example/feed");
	SAME(doc, "//item[2]/source", "The <planet> & Co");
	xmlFreeDoc(doc);
	doc = parse_xml("a b/w.atom");
	SAME(doc, "//a:entry[1]/a:source/a:id", "urn:her:blog");
	SAME(doc, "//a:entry[1]/a:source/a:title", "Her blog");
	SAME(doc, "count(//a:entry[1]/a:source/a:icon)", "0");
	xmlFreeDoc(doc);
	record_free(feed);
}

/* The page, picture and language of the whole, where they are known. */
static void
a_list_of_one_feed_has_its_page_and_picture(void **state)
{
	struct cr_record *feeds[2] = { some_feed("one"), some_feed("two") };
	xmlDocPtr doc;
	json_t *json;

	(void)state;
	deliver_from("https://out.example", feeds, 1, 3);
	doc = parse_xml("a b/w.rss");
	SAME(doc, "/rss/channel/link", "https://one.example/page?a&b");
	SAME(doc, "/rss/channel/image/url", "https://one.example/icon.png");
	SAME(doc, "/rss/channel/image/link", "https://one.example/page?a&b");
	SAME(doc, "/rss/channel/itunes:image/@href", "https://one.example/icon.png");
	SAME(doc, "/rss/channel/language", "en-gb");
	SAME(doc, "/rss/channel/a:link/@href", "https://out.example/a%20b/w.rss");
	xmlFreeDoc(doc);
	doc = parse_xml("a b/w.atom");
	SAME(doc, "/a:feed/a:icon", "https://one.example/icon.png");
	SAME(doc, "/a:feed/a:link[@rel='alternate']/@href", "https://one.example/page?a&b");
	xmlFreeDoc(doc);
	json = json_load_file("a b/w.json", JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(text_of(json, "home_page_url"), "https://one.example/page?a&b");
	assert_string_equal(text_of(json, "icon"), "https://one.example/icon.png");
	assert_string_equal(text_of(json, "language"), "en-gb");
	assert_string_equal(text_of(json, "feed_url"), "https://out.example/a%20b/w.json");
	json_decref(json);
	deliver_from("https://out.example/", feeds, 2, 3);
	doc = parse_xml("a b/w.rss");
	SAME(doc, "/rss/channel/link", "https://out.example/");
	SAME(doc, "count(/rss/channel/image)", "0");
	xmlFreeDoc(doc);
	record_set(feeds[1], CR_LANGUAGE, "fr", 2);
	deliver_from("", feeds, 2, 3);
	doc = parse_xml("a b/w.rss");
	SAME(doc, "/rss/channel/link", "https://one.example/page?a&b");	/* a page is demanded */
	SAME(doc, "count(/rss/channel/language)", "0");
	SAME(doc, "//item[2]/dc:language", "fr");
	xmlFreeDoc(doc);
	json = json_load_file("a b/w.json", JSON_REJECT_DUPLICATES, NULL);
	assert_null(json_object_get(json, "home_page_url"));
	json_decref(json);
	record_free(feeds[0]);
	record_free(feeds[1]);
}

static void
the_id_of_a_feed_does_not_hang_on_its_address(void **state)
{
	static const char *const selves[] = { "", "https://a.example", "https://b.example/x" };
	struct sink s;
	xmlDocPtr doc;
	size_t i;

	(void)state;
	sink_open(&s, "sink_feed.so", "path", "id", NULL);
	for (i = 0; i < sizeof(selves) / sizeof(selves[0]); i++) {
		assert_int_equal(deliver(&s, 0, 1, selves[i]), 1);
		doc = parse_xml("id.atom");
		SAME(doc, "/a:feed/a:id", "urn:courant:feed:id");
		xmlFreeDoc(doc);
	}
	sink_close(&s);
}

static void
told_language_and_icon_come_first_and_a_wrong_language_is_refused(void **state)
{
	struct sink s;
	xmlDocPtr doc;

	(void)state;
	assert_int_equal(checked("sink_feed.so", "language", "pt-BR", "x"), 0);
	assert_int_equal(checked("sink_feed.so", "language", "British English", "x"), -1);
	assert_memory_equal(host.why, "language: ", 10);
	assert_int_equal(checked("sink_feed.so", "language", "en--gb", "x"), -1);
	assert_int_equal(checked("sink_feed.so", "language", "e1", "x"), -1);
	sink_open(&s, "sink_feed.so", "path", "t", "language", "de", "icon",
	    "https://icon.example/i.png", NULL);
	assert_int_equal(deliver(&s, 0, 1, ""), 1);
	sink_close(&s);
	doc = parse_xml("t.atom");
	SAME(doc, "/a:feed/@xml:lang", "de");
	SAME(doc, "/a:feed/a:icon", "https://icon.example/i.png");
	xmlFreeDoc(doc);
}

static void
updated_moves_with_a_revision(void **state)
{
	struct sink s;
	xmlDocPtr doc;
	json_t *json;

	(void)state;
	record_story(records[0])->revised = DAY + 7200000;
	record_story(records[1])->revised = DAY + 3600000;	/* the first version of all */
	sink_open(&s, "sink_feed.so", "path", "u", NULL);
	assert_int_equal(deliver(&s, 0, 2, ""), 2);
	sink_close(&s);
	record_story(records[0])->revised = record_story(records[1])->revised = CR_NO_TIME;
	doc = parse_xml("u.atom");
	SAME(doc, "//a:entry[1]/a:updated", "2026-11-21T02:00:00Z");
	SAME(doc, "//a:entry[1]/a:published", "2026-11-21T00:00:00Z");
	SAME(doc, "//a:entry[2]/a:updated", "2026-11-21T00:01:00Z");
	SAME(doc, "/a:feed/a:updated", "2026-11-21T02:00:00Z");
	xmlFreeDoc(doc);
	doc = parse_xml("u.rss");
	SAME(doc, "//item[1]/pubDate", "Sat, 21 Nov 2026 00:00:00 +0000");
	xmlFreeDoc(doc);
	json = json_load_file("u.json", JSON_REJECT_DUPLICATES, NULL);
	assert_string_equal(text_of(json_array_get(json_object_get(json, "items"), 0),
	    "date_modified"), "2026-11-21T02:00:00Z");
	json_decref(json);
}

/* ---- feed: files and episodes ---- */

static struct cr_record *
bare_record(void)
{
	struct cr_record *rec = record_new();

	record_set(rec, CR_ID, "ffffffffffffffffffffffffff", 26);
	record_set(rec, CR_TITLE, "T", 1);
	record_set(rec, CR_LINK, "https://x.example/1", 19);
	return rec;
}

/* One record as files "one". */
static xmlDocPtr
rss_of(const struct cr_record *rec)
{
	const struct cr_record *const items[] = { rec };
	const struct cr_batch batch = { .size = sizeof(batch), .kind = CR_BATCH_LIST, .route = "r",
		.id = "d", .title = "T", .self = "", .items = items, .n = 1 };
	struct sink s;

	sink_open(&s, "sink_feed.so", "path", "one", NULL);
	assert_int_equal(s.plugin->deliver(&host.cr, s.opts, &batch), 1);
	sink_close(&s);
	return parse_xml("one.rss");
}

static void
the_first_file_that_is_no_picture_is_the_enclosure(void **state)
{
	static const struct {
		const char	*url, *type, *want;	/* want NULL: it is no enclosure */
	} cases[] = {
		{ "https://x.example/a.mp3", NULL, "audio/mpeg" },
		{ "https://x.example/a.M4A?x=1", "application/octet-stream", "audio/mp4" },
		{ "https://x.example/get?file=a.mp4", "", "video/mp4" },
		{ "https://x.example/a.pdf#p.2", "broken", "application/pdf" },
		{ "https://x.example/a", "audio/ogg; codecs=opus", "audio/ogg; codecs=opus" },
		{ "https://x.zip/download", NULL, "application/octet-stream" },
		{ "magnet:?xt=urn:btih:aa", NULL, "application/x-bittorrent" },
		{ "https://x.example/a.jpg", NULL, NULL },
		{ "https://x.example/a", "image/png", NULL },
		{ "https://x.example/player", "text/html", NULL },
	};
	struct cr_record *rec;
	xmlDocPtr doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rec = bare_record();
		record_add_enclosure(rec, "https://x.example/first.png", NULL, -1);
		record_add_enclosure(rec, cases[i].url, cases[i].type, -1);
		record_add_enclosure(rec, "https://x.example/last.mp3", NULL, 7);
		doc = rss_of(rec);
		SAME(doc, "count(//item/enclosure)", "1");
		SAME(doc, "count(//item/media:content)", "2");
		SAME(doc, "//enclosure/@url", cases[i].want != NULL ? cases[i].url :
		    "https://x.example/last.mp3");
		SAME(doc, "//enclosure/@type", cases[i].want != NULL ? cases[i].want : "audio/mpeg");
		SAME(doc, "//enclosure/@length", cases[i].want != NULL ? "0" : "7");
		SAME(doc, "//media:content[1]/@medium", "image");
		SAME(doc, "//media:content[1]/@type", "image/png");
		xmlFreeDoc(doc);
		record_free(rec);
	}
}

static void
what_media_rss_adds_is_no_enclosure(void **state)
{
	struct cr_record *rec = bare_record();
	xmlDocPtr doc;

	(void)state;
	record_add_enclosure(rec, "https://x.example/v/1", "application/x-shockwave-flash", -1);
	record_set_number(rec, "own-enclosures", 0);
	doc = rss_of(rec);
	SAME(doc, "count(//enclosure)", "0");
	SAME(doc, "//media:content/@url", "https://x.example/v/1");
	xmlFreeDoc(doc);
	record_free(rec);
}

static void
what_an_episode_says_is_written_where_it_is_valid(void **state)
{
	static const struct {
		const char	*name, *text, *want;	/* want "": it is left out */
	} cases[] = {
		{ "itunes:duration", "1:02:03", "1:02:03" }, { "itunes:duration", "3723", "3723" },
		{ "itunes:duration", "62:03", "01:02:03" }, { "itunes:duration", "5:3", "00:05:03" },
		{ "itunes:duration", "12:34.5", "00:12:34" }, { "itunes:duration", "00:00", "" },
		{ "itunes:duration", "an hour", "" }, { "itunes:duration", "1:75", "" },
		{ "itunes:duration", "1:02:03:04", "" }, { "itunes:duration", "100:00:01", "360001" },
		{ "itunes:episode", "3", "3" }, { "itunes:episode", "0", "" },
		{ "itunes:episode", "three", "" }, { "itunes:season", "2", "2" },
		{ "itunes:episodeType", "Bonus", "bonus" }, { "itunes:episodeType", "odd", "" },
		{ "itunes:explicit", "No", "no" }, { "itunes:explicit", "TRUE", "true" },
		{ "itunes:explicit", "maybe", "" }, { "itunes:block", "Yes", "yes" },
		{ "podcast:season", "4", "4" }, { "podcast:episode", "1.5", "1.5" },
		{ "podcast:person", "Ann & Bob", "Ann & Bob" },
		{ "podcast:transcript/@url", "https://x.example/1.vtt?a&b",
		    "https://x.example/1.vtt?a&b" },
		{ "podcast:transcript/@type", "https://x.example/1.srt", "application/x-subrip" },
		{ "podcast:transcript/@url", "1.vtt", "" },
		{ "podcast:chapters/@url", "https://x.example/c.json", "https://x.example/c.json" },
		{ "podcast:chapters/@type", "https://x.example/c.json", "application/json+chapters" },
		{ "podcast:funding/@url", "https://x.example/give", "https://x.example/give" },
	};
	char path[64], name[64];
	struct cr_record *rec;
	xmlDocPtr doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rec = bare_record();
		record_set(rec, CR_IMAGE, "https://x.example/i.png", 23);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(cases[i].name, "/"), cases[i].name);
		snprintf(path, sizeof(path), "//item/%s", cases[i].name);
		record_set_extra(rec, name, cases[i].text);
		doc = rss_of(rec);
		SAME(doc, path, cases[i].want);
		SAME(doc, "//item/itunes:image/@href", "https://x.example/i.png");
		xmlFreeDoc(doc);
		record_free(rec);
	}
}

static void
addresses_are_written_as_uris(void **state)
{
	static const char *const cases[][2] = {
		{ "https://x.example/a b", "https://x.example/a%20b" },
		{ "https://x.example/%zz%4", "https://x.example/%25zz%254" },
		{ "https://x.example/%41#a#b", "https://x.example/%41#a%23b" },
		{ "https://[::1]:80/[x]?[y]", "https://[::1]:80/%5Bx%5D?%5By%5D" },
		{ "https://x.example/\xc3\xa9|\\^`{}", "https://x.example/%C3%A9%7C%5C%5E%60%7B%7D" },
		{ "https://x.example/~a;b=(1)*'!$,:@+&c", "https://x.example/~a;b=(1)*'!$,:@+&c" },
	};
	struct cr_record *rec;
	xmlDocPtr doc;
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rec = bare_record();
		record_set(rec, CR_LINK, cases[i][0], strlen(cases[i][0]));
		record_set(rec, CR_IMAGE, cases[i][0], strlen(cases[i][0]));
		record_set(rec, CR_COMMENTS, cases[i][0], strlen(cases[i][0]));
		record_add_author(rec, CR_AUTHOR, "A", NULL, cases[i][0]);
		record_add_enclosure(rec, cases[i][0], "audio/mpeg", -1);
		doc = rss_of(rec);
		SAME(doc, "//item/link", cases[i][1]);
		SAME(doc, "//item/comments", cases[i][1]);
		SAME(doc, "//item/media:thumbnail/@url", cases[i][1]);
		SAME(doc, "//item/enclosure/@url", cases[i][1]);
		xmlFreeDoc(doc);
		doc = parse_xml("one.atom");
		SAME(doc, "//a:entry/a:link[@rel='alternate']/@href", cases[i][1]);
		SAME(doc, "//a:entry/a:link[@rel='enclosure']/@href", cases[i][1]);
		SAME(doc, "//a:entry/a:author/a:uri", cases[i][1]);
		xmlFreeDoc(doc);
		json = json_load_file("one.json", JSON_REJECT_DUPLICATES, NULL);
		assert_string_equal(text_of(json_array_get(json_object_get(json, "items"), 0),
		    "url"), cases[i][1]);
		json_decref(json);
		record_free(rec);
	}
}

static void
a_text_without_anything_to_see_counts_for_none(void **state)
{
	static const char *const empty[] = { "<p></p>", " \n ", "<p>&nbsp;<br></p>" };
	struct cr_record *rec;
	xmlDocPtr doc;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		rec = bare_record();
		record_set(rec, CR_CONTENT, empty[i], strlen(empty[i]));
		doc = rss_of(rec);
		SAME(doc, "//item/description", "");
		SAME(doc, "count(//item/description)", "1");
		xmlFreeDoc(doc);
		doc = parse_xml("one.atom");
		SAME(doc, "count(//a:content)", "0");
		xmlFreeDoc(doc);
		record_free(rec);
	}
	rec = bare_record();
	record_set(rec, CR_CONTENT, "<img src=\"https://x.example/i.png\">", 36);
	doc = rss_of(rec);
	SAME(doc, "//item/description", "<img src=\"https://x.example/i.png\">");
	SAME(doc, "count(//item/content:encoded)", "0");
	xmlFreeDoc(doc);
	record_free(rec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_format_names_the_feed_that_a_record_came_from),
		TEST(an_entry_that_was_taken_over_before_keeps_its_first_feed),
		TEST(a_list_of_one_feed_has_its_page_and_picture),
		TEST(the_id_of_a_feed_does_not_hang_on_its_address),
		TEST(told_language_and_icon_come_first_and_a_wrong_language_is_refused),
		TEST(updated_moves_with_a_revision),
		TEST(the_first_file_that_is_no_picture_is_the_enclosure),
		TEST(what_media_rss_adds_is_no_enclosure),
		TEST(what_an_episode_says_is_written_where_it_is_valid),
		TEST(addresses_are_written_as_uris),
		TEST(a_text_without_anything_to_see_counts_for_none),
	};

	begin();
	return cmocka_run_group_tests(tests, NULL, finish);
}

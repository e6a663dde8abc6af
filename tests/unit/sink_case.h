/* What the tests of the sinks share: a sink as it ships (loaded from the build) in a folder of its
 * own, a host made here, records, and what a written feed says. */
#ifndef TESTS_SINK_CASE_H
#define TESTS_SINK_CASE_H
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/tex.h"
#include "catalog/option.h"
#include "record/record.h"
#include "record/record_json.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST(f)	cmocka_unit_test_setup(f, setup)
#define DAY	INT64_C(1795219200000)		/* 2026-11-21T00:00:00Z */
#define RECORDS	40

/* ---- a host ---- */

/* As struct cr declares them: the compiler is to check what their callers pass. */
static int	host_fail(struct cr *, int, const char *, ...) CR_PRINTF(3, 4);
static int	host_retry(struct cr *, int64_t, const char *, ...) CR_PRINTF(3, 4);

static struct {
	struct cr	 cr;
	int64_t		 now;
	char		 why[512];	/* of the last fail() or retry() */
	int		 failed, retried, logged;
	struct buf	 json;
	char		 folder[64];
} host;

__attribute__((unused)) static void
host_log(struct cr *cr, const char *fmt, ...)
{
	(void)cr;
	(void)fmt;
	host.logged++;
}

__attribute__((unused)) static int
host_fail(struct cr *cr, int why, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	va_start(ap, fmt);
	vsnprintf(host.why, sizeof(host.why), fmt, ap);
	va_end(ap);
	host.failed = why;
	return -1;
}

__attribute__((unused)) static int
host_retry(struct cr *cr, int64_t ms, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	(void)ms;
	va_start(ap, fmt);
	vsnprintf(host.why, sizeof(host.why), fmt, ap);
	va_end(ap);
	host.retried++;
	return -1;
}

__attribute__((unused)) static int64_t
host_now(struct cr *cr)
{
	(void)cr;
	return host.now;
}

__attribute__((unused)) static int64_t
host_parse_time(struct cr *cr, const char *s)
{
	int64_t ms;

	(void)cr;
	return date_parse(s, &ms) == 0 ? ms : CR_NO_TIME;
}

#define SEEN	(DAY + 3600000)

__attribute__((unused)) static const char *
host_json(const struct cr_record *rec)
{
	const struct record_json how = { .seen = SEEN };

	buf_clear(&host.json);
	record_json(rec, &how, &host.json);
	return host.json.data;
}

__attribute__((unused)) static int64_t
host_get_time(const struct cr_record *rec, int field)
{
	if (field == CR_REVISED)
		return record_story(rec)->revised;
	if (field == CR_DATE)
		return record_date(rec, SEEN);
	return field == CR_SEEN ? SEEN : record_get_time(rec, field);
}

__attribute__((unused)) static const struct cr_record *
host_feed_of(const struct cr_record *rec)
{
	return record_story(rec)->feed;
}

__attribute__((unused)) static const char *
host_tex(struct cr *cr, const char *text, int html)
{
	static struct buf turns[16];
	static size_t turn;
	struct buf *b = &turns[turn++ % 16];

	(void)cr;
	buf_free(b);
	buf_init(b, RECORD_MAX);
	buf_str(b, "");
	if (html)
		tex_html(b, text, strlen(text));
	else
		tex_text(b, text, strlen(text));
	return b->data;
}

/* ---- a sink in its folder ---- */

__attribute__((unused)) static const struct cr_plugin *
load(const char *name)
{
	const char *build = getenv("BUILD");
	char *path = xasprintf("%s/plugins/%s", build != NULL ? build : ".", name);
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct cr_plugin *p;

	if (so == NULL)
		fail_msg("%s", dlerror());
	free(path);
	p = dlsym(so, "cr_plugin_v1");
	assert_non_null(p);
	return p;
}

struct sink {
	const struct cr_plugin	*plugin;
	void			*opts;
};

/* Options as "name", "value", ..., NULL. */
__attribute__((unused)) static void
sink_open(struct sink *s, const char *so, ...)
{
	struct options set = { NULL, 0 };
	struct buf err;
	const char *name;
	va_list ap;

	s->plugin = load(so);
	s->opts = xcalloc(1, s->plugin->options_size);
	va_start(ap, so);
	while ((name = va_arg(ap, const char *)) != NULL)
		options_add(&set, name, va_arg(ap, const char *));
	va_end(ap);
	buf_init(&err, 1000);
	if (option_fill(s->plugin->options, s->opts, s->plugin->options_size, &set, &err) == -1)
		fail_msg("%s", err.data);
	buf_free(&err);
	options_free(&set);
	if (s->plugin->open != NULL)
		assert_int_equal(s->plugin->open(&host.cr, s->opts), 0);
}

__attribute__((unused)) static void
sink_close(struct sink *s)
{
	if (s->plugin->close != NULL)
		s->plugin->close(&host.cr, s->opts);
	option_unfill(s->plugin->options, s->opts);
	free(s->opts);
}

__attribute__((unused)) static int
checked(const char *so, const char *name, const char *value, const char *path)
{
	struct sink s;
	int rc;

	sink_open(&s, so, "path", path, name, value, NULL);
	rc = s.plugin->check(&host.cr, s.opts);
	sink_close(&s);
	return rc;
}

static struct cr_record *records[RECORDS];

__attribute__((unused)) static void
make_records(void)
{
	char text[256];
	int i;

	for (i = 0; i < RECORDS; i++) {
		struct cr_record *rec = records[i] = record_new();

		snprintf(text, sizeof(text), "aaaaaaaaaaaaaaaaaaaaaaaa%c%c", 'a' + i / 10,
		    '2' + i % 10 % 6);
		text[23] = (char)('a' + i % 10);
		record_set(rec, CR_ID, text, 26);
		record_set(rec, CR_SOURCE, "group/one", 9);
		snprintf(text, sizeof(text),
		    "Number %d: <b> & \"q\" 'a' ]]> \xc3\xa9\xf0\x9f\x8c\x8a", i);
		record_set(rec, CR_TITLE, text, strlen(text));
		snprintf(text, sizeof(text), "https://example.org/?a=%d&b=<\"'>", i);
		record_set(rec, CR_LINK, text, strlen(text));
		record_set_time(rec, CR_PUBLISHED, DAY + i * 60000);
	}
}

__attribute__((unused)) static size_t
deliver(struct sink *s, size_t first, size_t n, const char *self)
{
	int takes = s->plugin->takes, kind = takes & CR_BATCH_RECORDS ? CR_BATCH_RECORDS : takes;
	const struct cr_batch batch = { .size = sizeof(batch), .kind = kind,
		.route = "everything", .id = "delivery", .title = "A <title> & more",
		.self = self, .from = CR_NO_TIME, .to = CR_NO_TIME,
		.items = (const struct cr_record *const *)records + first, .n = n };

	host.failed = host.retried = host.logged = 0;
	return s->plugin->deliver(&host.cr, s->opts, &batch);
}

__attribute__((unused)) static int
setup(void **state)
{
	char command[128];

	(void)state;
	if (host.folder[0] != '\0') {
		snprintf(command, sizeof(command), "rm -rf %s", host.folder);
		assert_int_equal(chdir("/") + system(command), 0);
	}
	strcpy(host.folder, "/tmp/test_sinks.XXXXXX");
	assert_non_null(mkdtemp(host.folder));
	assert_int_equal(chdir(host.folder), 0);
	host.now = DAY;
	return 0;
}

__attribute__((unused)) static int
finish(void **state)
{
	char command[128];
	size_t i;

	(void)state;
	for (i = 0; i < RECORDS; i++)
		record_free(records[i]);
	buf_free(&host.json);
	snprintf(command, sizeof(command), "rm -rf %s", host.folder);
	return chdir("/") + system(command);
}

/* ---- files ---- */

__attribute__((unused)) static char *
read_file(const char *name, size_t *len)
{
	struct stat st;
	char *p;
	int fd = open(name, O_RDONLY);

	if (fd == -1)
		fail_msg("%s: %s", name, strerror(errno));
	assert_int_equal(fstat(fd, &st), 0);
	p = xcalloc(1, (size_t)st.st_size + 1);
	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	if (len != NULL)
		*len = (size_t)st.st_size;
	return p;
}

/* ---- a written feed ---- */

__attribute__((unused)) static xmlDocPtr
parse_xml(const char *name)
{
	size_t len;
	char *text = read_file(name, &len);
	xmlDocPtr doc = xmlReadMemory(text, (int)len, name, NULL, XML_PARSE_NONET);

	if (doc == NULL)
		fail_msg("%s is not well-formed: %s", name, text);
	free(text);
	return doc;
}

/* The text of what an XPath finds; "" for nothing. Until the next call. */
__attribute__((unused)) static const char *
find(xmlDocPtr doc, const char *path)
{
	static char text[8192];
	xmlXPathContextPtr c = xmlXPathNewContext(doc);
	xmlXPathObjectPtr found;
	xmlChar *s;

	xmlXPathRegisterNs(c, BAD_CAST "a", BAD_CAST "http://www.w3.org/2005/Atom");
	xmlXPathRegisterNs(c, BAD_CAST "content",
	    BAD_CAST "http://purl.org/rss/1.0/modules/content/");
	xmlXPathRegisterNs(c, BAD_CAST "dc", BAD_CAST "http://purl.org/dc/elements/1.1/");
	xmlXPathRegisterNs(c, BAD_CAST "media", BAD_CAST "http://search.yahoo.com/mrss/");
	xmlXPathRegisterNs(c, BAD_CAST "itunes",
	    BAD_CAST "http://www.itunes.com/dtds/podcast-1.0.dtd");
	xmlXPathRegisterNs(c, BAD_CAST "podcast",
	    BAD_CAST "https://podcastindex.org/namespace/1.0");
	found = xmlXPathEvalExpression(BAD_CAST path, c);
	assert_non_null(found);
	s = xmlXPathCastToString(found);
	snprintf(text, sizeof(text), "%s", (const char *)s);
	xmlFree(s);
	xmlXPathFreeObject(found);
	xmlXPathFreeContext(c);
	return text;
}

__attribute__((unused)) static const char *
text_of(const json_t *doc, const char *name)
{
	const char *s = json_string_value(json_object_get(doc, name));

	return s != NULL ? s : "";
}

#define SAME(doc, path, text)	assert_string_equal(find(doc, path), text)

/* Before all tests. */
__attribute__((unused)) static void
begin(void)
{
	host.cr = (struct cr){ .size = sizeof(struct cr), .minor = CR_MINOR, .log = host_log,
		.fail = host_fail, .retry = host_retry, .now = host_now,
		.parse_time = host_parse_time, .get = record_get, .get_time = host_get_time,
		.get_extra = record_get_extra, .get_number = record_get_number,
		.json = host_json, .feed_of = host_feed_of, .tex = host_tex };
	buf_init(&host.json, RECORD_MAX * 8);
	make_records();
}
#endif

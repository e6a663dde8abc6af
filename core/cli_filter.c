/* courant filter: a filter in its sandboxed worker over JSON Lines; prints what it keeps. */
#include "cli.h"
#include "cli_job.h"
#include "chan.h"
#include "date.h"
#include "mem.h"
#include "msg.h"
#include "pairs.h"
#include "record.h"
#include "result.h"

#include <jansson.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE		500		/* records of one batch */
#define CLI_KEPT	(1u << 20)	/* bytes that the filter may keep from one to the next */

/* The records of a batch as they were read. */
struct lines {
	struct cr_record	*record[AT_ONCE];
	size_t			 n;
	struct buf		 kept;		/* the filter's state: KEY\0VALUE\0... */
};

/* ---- JSON Lines into records ---- */

static const struct {
	const char	*name;
	int		 field;
} texts[] = {
	{ "source", CR_SOURCE }, { "title", CR_TITLE }, { "link", CR_LINK },
	{ "summary", CR_SUMMARY }, { "content", CR_CONTENT }, { "language", CR_LANGUAGE },
	{ "image", CR_IMAGE }, { "comments", CR_COMMENTS }, { "rights", CR_RIGHTS },
	{ "guid", CR_GUID },
};

static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static int64_t
when(const json_t *o, const char *name)
{
	int64_t ms;

	return text(o, name) != NULL && date_parse(text(o, name), &ms) == 0 ? ms : CR_NO_TIME;
}

static void
take_people(struct cr_record *r, int field, const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
		record_add_author(r, field, text(o, "name"), text(o, "mail"), text(o, "uri"));
}

static void
take_lists(struct cr_record *r, const json_t *o)
{
	const json_t *each, *size;
	const char *s;
	size_t i;

	take_people(r, CR_AUTHOR, json_object_get(o, "authors"));
	take_people(r, CR_CONTRIBUTOR, json_object_get(o, "contributors"));
	json_array_foreach(json_object_get(o, "categories"), i, each)
		if ((s = json_string_value(each)) != NULL)
			record_set(r, CR_CATEGORY, s, strlen(s));
	json_array_foreach(json_object_get(o, "enclosures"), i, each) {
		size = json_object_get(each, "size");
		if (text(each, "url") != NULL)
			record_add_enclosure(r, text(each, "url"), text(each, "type"),
			    size != NULL ? json_integer_value(size) : -1);
	}
}

static void
take_named(struct cr_record *r, json_t *o)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(o, "extras"), name, value)
		if (json_is_string(value))
			record_set_extra(r, name, json_string_value(value));
	json_object_foreach(json_object_get(o, "numbers"), name, value)
		record_set_number(r, name, json_number_value(value));
	json_object_foreach(json_object_get(o, "counters"), name, value)
		record_set_counter(r, name, json_integer_value(value));
}

/* A record of one line; NULL and why when it is none. */
static struct cr_record *
take_line(const char *line, char *why, size_t size)
{
	json_error_t error;
	json_t *o = json_loads(line, 0, &error);
	struct cr_record *r;
	const char *id, *s;
	size_t i;

	if (!json_is_object(o)) {
		snprintf(why, size, "%s", o != NULL ? "no JSON object" : error.text);
		json_decref(o);
		return NULL;
	}
	r = record_new();
	id = text(o, "record") != NULL ? text(o, "record") : text(o, "id");
	if (id != NULL)
		record_set(r, CR_ID, id, strlen(id));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((s = text(o, texts[i].name)) != NULL)
			record_set(r, texts[i].field, s, strlen(s));
	if (when(o, "published") != CR_NO_TIME)
		record_set_time(r, CR_PUBLISHED, when(o, "published"));
	if (when(o, "updated") != CR_NO_TIME)
		record_set_time(r, CR_UPDATED, when(o, "updated"));
	record_about(r)->seen = when(o, "seen");
	take_lists(r, o);
	take_named(r, o);
	json_decref(o);
	if (record_bad(r) == NULL)
		return r;
	snprintf(why, size, "%s", record_bad(r));
	record_free(r);
	return NULL;
}

/* ---- The batch ---- */

static void
put_item(struct buf *b, struct cr_record *r, int64_t n)
{
	const char *id = record_get(r, CR_ID, 0), *source = record_get(r, CR_SOURCE, 0);
	struct result_item item = { .n = n, .id = id != NULL ? id : "", .source = source,
		.delivery = id != NULL ? id : "", .seen = record_about(r)->seen };
	struct buf bytes;
	size_t begun;

	buf_init(&bytes, RECORD_MAX);
	record_write(r, &bytes);
	item.record = (struct bytes){ bytes.data, bytes.len };
	begun = result_begin(b, RESULT_ITEM);
	wire_put(b, result_item, &item);
	result_end(b, begun);
	buf_free(&bytes);
}

/* What the filter kept of the batches before. */
static void
put_state(struct buf *b, const struct buf *kept, const char *rule)
{
	const char *s = kept->data, *end = s + kept->len, *value;
	size_t begun;

	for (; s != NULL && s < end; s = value + strlen(value) + 1) {
		value = s + strlen(s) + 1;
		begun = result_begin(b, RESULT_STATE);
		wire_put(b, result_state,
		    (&(struct result_state){ .key = s, .value = value, .rule = rule }));
		result_end(b, begun);
	}
}

static void
take_state(struct wire *body, struct buf *kept)
{
	struct result_state st;

	if (result_state_read(body, &st) == 0)
		(void)pairs_set(kept, st.key, st.value, kept->max);
}

/* Sends them as a batch; descriptor of the verdicts to come, or -1. */
static int
send_batch(struct cli_job *j, const struct lines *l)
{
	struct batch_job job = { .route = j->plugin->name, .id = "", .title = "", .self = "",
		.count = (uint32_t)l->n, .now = date_now() };
	int out = result_fd(NULL, 0), fd;
	struct buf b;

	buf_init(&b, CLI_OUT);
	put_state(&b, &l->kept, j->setup->routes[0].filters[0].rule);
	for (size_t i = 0; i < l->n; i++)
		put_item(&b, l->record[i], (int64_t)i + 1);
	job.len = b.len;
	fd = b.over ? -1 : result_fd(b.data, b.len);
	buf_free(&b);
	if (fd == -1 || out == -1 || result_seal(fd) == -1) {
		fprintf(stderr, "courant: no memory for a batch: %s\n", strerror(errno));
		exit(1);
	}
	buf_init(&b, msg_limit(MSG_W_FILTER));
	wire_put(&b, batch_job, &job);
	(void)chan_send(j->chan, MSG_W_FILTER, 1, &b, fd, out);
	buf_free(&b);
	close(fd);
	return out;
}

/* ---- What came of it ---- */

static const char *
verdict_name(uint32_t verdict)
{
	static const char *const names[] = { "drop", "keep", "wait" };

	return verdict < 3 ? names[verdict] : "failed";
}

static void
show_why(const struct result_verdict *v, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0), *id = record_get(r, CR_ID, 0);
	json_t *o = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "verdict", verdict_name(v->verdict),
	    "rule", v->rule, "why", v->why, "id", id, "title", title);
	char *line = json_dumps(o, JSON_COMPACT);

	if (line != NULL)
		puts(line);
	free(line);
	json_decref(o);
}

/* Prints a record with what the filter changed. -1: the changes are malformed. */
static int
show_record(const struct result_verdict *v, struct cr_record *r)
{
	struct cr_record *changes;
	struct buf b;

	if (v->changes.data != NULL) {
		if ((changes = record_read(v->changes.data, v->changes.len)) == NULL)
			return -1;
		record_overlay(r, changes);
		record_free(changes);
	}
	buf_init(&b, 8 * RECORD_MAX);
	record_json(r, record_about(r), &b);
	if (!b.over)
		puts(b.data);
	buf_free(&b);
	return 0;
}

/* The verdicts of the first records, and what the filter keeps. How many there were. */
static size_t
show_verdicts(struct lines *l, int out, size_t len, int why)
{
	struct result_verdict v;
	enum result_kind kind;
	struct wire all, body;
	size_t size = 0, n = 0;
	const void *p = result_seal(out) == 0 ? result_map(out, len, &size) : NULL;

	wire_init(&all, p, p != NULL ? size : 0);
	while (p != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_STATE)
			take_state(&body, &l->kept);
		if (kind != RESULT_VERDICT || n == l->n)
			continue;
		wire_get(&body, result_verdict, &v);
		if (wire_end(&body) == -1)
			break;
		if (why)
			show_why(&v, l->record[n]);
		else if (v.verdict == CR_KEEP && show_record(&v, l->record[n]) == -1)
			break;
		n++;
	}
	result_unmap(p, p != NULL ? size : 0);
	return n;
}

/* Has the filter judge them. 0, or 1 and why is told. */
static int
judge(struct cli_job *j, struct lines *l, int why)
{
	struct batch_done done = { 0 };
	struct buf error;
	struct frame f;
	struct wire w;
	size_t n = 0;
	int out, rc = 1;

	if (l->n == 0)
		return 0;
	buf_init(&error, 4096);
	out = send_batch(j, l);
	if (cli_wait(j, MSG_W_FILTERED, &f, &error) == 0) {
		wire_init(&w, f.data, f.len);
		wire_get(&w, batch_done, &done);
		if (wire_end(&w) == 0)
			n = show_verdicts(l, out, (size_t)done.out, why);
		if (done.failed != 0)
			buf_str(&error, done.error != NULL ? done.error : "the filter failed");
		rc = n < l->n;
	}
	if (rc != 0)
		fprintf(stderr, "courant: %s: %s\n", j->plugin->name,
		    error.len > 0 ? error.data : "not all verdicts came");
	buf_free(&error);
	close(out);
	return rc;
}

/* ---- The command ---- */

static void
lines_clear(struct lines *l)
{
	while (l->n > 0)
		record_free(l->record[--l->n]);
}

static int
filter_file(struct cli_job *j, const char *path, int why)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct lines l = { .n = 0 };
	char *line = NULL, wrong[200];
	size_t cap = 0, nth = 0;
	int rc = 0;

	if (f == NULL) {
		fprintf(stderr, "courant: %s: %s\n", path, strerror(errno));
		return 1;
	}
	buf_init(&l.kept, CLI_KEPT);
	while (j->chan != NULL && getline(&line, &cap, f) != -1) {
		nth++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		l.record[l.n] = take_line(line, wrong, sizeof(wrong));
		if (l.record[l.n] == NULL) {
			fprintf(stderr, "courant: %s:%zu: skipped: %s\n", path, nth, wrong);
			rc = 1;
		} else if (++l.n == AT_ONCE) {
			rc |= judge(j, &l, why);
			lines_clear(&l);
		}
	}
	if (j->chan != NULL)
		rc |= judge(j, &l, why);
	lines_clear(&l);
	buf_free(&l.kept);
	free(line);
	if (f != stdin)
		fclose(f);
	return rc;
}

int
cli_filter(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "plugin", required_argument, NULL, 'p' },
		{ "why", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 }
	};
	struct cli_job j = { .plugin = NULL };
	const char *which = NULL;
	struct buf options;
	int opt, why = 0, rc = 0;

	optind = 0;
	/* Options may stand behind the name: `courant filter match -o any=x`. */
	while ((opt = getopt_long(argc, argv, "p:o:w", longs, NULL)) != -1)
		switch (opt) {
		case 'p':
			which = optarg;
			break;
		case 'o':
			cli_option(&j, optarg);
			break;
		case 'w':
			why = 1;
			break;
		default:
			cli_usage();
		}
	if (which == NULL && optind < argc)
		which = argv[optind++];
	if (which == NULL)
		cli_usage();
	cli_plugin(&j, "filter", which);
	cli_setup(&j, NULL);
	buf_init(&options, OPTION_SET_MAX);
	instance_options(j.setup->routes[0].filters[0].instance, 1, &options);
	cli_start(&j, W_FILTER, (struct bytes){ options.data, options.len });
	if (optind == argc)
		rc = filter_file(&j, "-", why);
	for (; optind < argc && j.chan != NULL; optind++)
		rc |= filter_file(&j, argv[optind], why);
	buf_free(&options);
	cli_free(&j);
	return rc;
}

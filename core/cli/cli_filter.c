/* courant filter: runs a filter in its sandboxed worker over JSON Lines; prints the records it
 * keeps. */
#include "cli_filter.h"
#include "cli_batch.h"
#include "cli_job.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "cli_user.h"
#include "base/buf.h"
#include "base/date.h"
#include "catalog/plugin.h"
#include "conf/setup_template.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/pairs.h"
#include "record/record.h"
#include "record/record_json.h"
#include "record/result.h"

#include <jansson.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE		500		/* records of one batch */

/* The records of a batch. */
struct lines {
	struct cr_record	*record[AT_ONCE];
	size_t			 n;
	struct cli_batch	 batch;
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

/* What the line says of the record's story. */
static void
take_story(struct cr_record *r, const json_t *o)
{
	json_t *numbers = json_object_get(o, "numbers");
	struct record_story *s = record_story(r);
	const char *name;
	json_t *value;

	s->sources = (uint32_t)json_integer_value(json_object_get(o, "sources"));
	s->heat = json_number_value(json_object_get(o, "heat"));
	s->score = json_number_value(json_object_get(o, "score"));
	s->rank = (uint32_t)json_integer_value(json_object_get(o, "rank"));
	if (json_object_size(numbers) > 0 && s->numbers == NULL)
		s->numbers = record_new();
	json_object_foreach(numbers, name, value)
		record_set_counter(s->numbers, name, json_integer_value(value));
}

/* Makes a record of a line; NULL, and the reason in why: the line is not valid. */
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
	take_story(r, json_object_get(o, "story"));
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
		.delivery = id != NULL ? id : "", .seen = record_about(r)->seen,
		.revised = CR_NO_TIME };
	const struct record_story *story = record_story(r);
	struct buf bytes, numbers;
	size_t begun;

	item.sources = story->sources;
	item.heat = story->heat;
	item.score = story->score;
	item.rank = story->rank;
	buf_init(&numbers, RECORD_MAX);
	if (story->numbers != NULL) {
		record_write(story->numbers, &numbers);
		item.numbers = (struct bytes){ numbers.data, numbers.len };
	}
	buf_init(&bytes, RECORD_MAX);
	record_write(r, &bytes);
	item.record = (struct bytes){ bytes.data, bytes.len };
	begun = result_begin(b, RESULT_ITEM);
	wire_put(b, result_item, &item);
	result_end(b, begun);
	buf_free(&bytes);
	buf_free(&numbers);
}

/* ---- Verdicts ---- */

static void
show_why(const struct result_verdict *v, const struct cr_record *r)
{
	const char *title = record_get(r, CR_TITLE, 0), *id = record_get(r, CR_ID, 0);
	json_t *o = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "verdict", cli_batch_verdict(v->verdict),
	    "rule", v->rule, "why", v->why, "id", id, "title", title);

	(void)print_json(o, JSON_COMPACT);
	json_decref(o);
}

/* Prints a record with the filter's changes. -1: the changes are malformed. */
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
		print_json_text(b.data);
	buf_free(&b);
	return 0;
}

struct shown {
	struct lines	*lines;
	int		 why;
};

/* Prints a verdict, or the record. -1: its changes are malformed. */
static int
show_verdict(void *arg, size_t nth, const struct result_verdict *v)
{
	const struct shown *s = arg;

	if (s->why)
		show_why(v, s->lines->record[nth]);
	else if (v->verdict == CR_KEEP)
		return show_record(v, s->lines->record[nth]);
	return 0;
}

/* Runs the filter on the batch and prints the result. 0; or 1, and why it failed is printed. */
static int
judge(struct cli_job *j, struct lines *l, int why)
{
	struct shown shown = { l, why };
	struct buf error;
	int rc;

	if (l->n == 0)
		return 0;
	buf_init(&error, 4096);
	buf_clear(&l->batch.items);
	for (size_t i = 0; i < l->n; i++)
		put_item(&l->batch.items, l->record[i], (int64_t)i + 1);
	rc = cli_batch_run(j, &l->batch, l->n, show_verdict, &shown, &error) < l->n;
	if (rc != 0)
		print_error("courant: %s: %s\n", j->name,
		    error.len > 0 ? error.data : "not all verdicts came");
	buf_free(&error);
	return rc != 0 || j->forged > 0;
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
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : cli_file(path);
	FILE *f = fd == STDIN_FILENO ? stdin : fd != -1 ? fdopen(fd, "r") : NULL;
	struct lines l = { .n = 0 };
	char *line = NULL, wrong[200];
	size_t cap = 0, nth = 0;
	int rc = 0;

	if (f == NULL) {
		print_error("courant: %s: %s%s\n", path, strerror(errno), cli_user_as());
		return 1;
	}
	cli_batch_open(&l.batch, j->setup->routes[0].filters[0].rule);
	while (j->chan != NULL && getline(&line, &cap, f) != -1) {
		nth++;
		if (line[strspn(line, " \t\r\n")] == '\0')
			continue;
		l.record[l.n] = take_line(line, wrong, sizeof(wrong));
		if (l.record[l.n] == NULL) {
			print_error("courant: %s:%zu: skipped: %s\n", path, nth, wrong);
			rc = 1;
		} else if (++l.n == AT_ONCE) {
			rc |= judge(j, &l, why);
			lines_clear(&l);
		}
	}
	if (j->chan != NULL)
		rc |= judge(j, &l, why);
	lines_clear(&l);
	cli_batch_close(&l.batch);
	free(line);
	if (f != stdin)
		fclose(f);
	return rc;
}

int
cli_filter(int argc, char **argv)
{
	static const struct option longs[] = {
		CLI_HELP,
		{ "plugin", required_argument, NULL, 'p' },
		{ "why", no_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 }
	};
	struct cli_job j = { .plugin = NULL };
	const char *which = NULL;
	struct buf options;
	int opt, why = 0, rc = 0;

	optind = 0;
	/* Options may follow the name: `courant filter match -o any=x`. */
	while ((opt = cli_option_next(argc, argv, ":hp:o:w", longs)) != -1)
		switch (opt) {
		case 'p':
			which = optarg;
			break;
		case 'o':
			cli_option(&j, optarg);
			break;
		default:
			why = 1;
			break;
		}
	if (which == NULL && optind < argc)
		which = argv[optind++];
	if (which == NULL)
		cli_misused("no filter is named");
	cli_user_files(argv + optind);
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

/* courant try: a route of a configuration over the stored past, page by page; what would come, go and
 * stay if the daemon had judged the past by it. Nothing is changed.
 *
 * The daemon tells of each row what a refilter would know of it before the past begins
 * (store/past.c). What depends on new verdicts is decided here, in the order of the log and by the
 * rules of store/ledger_judge.c: revisions, stories taken once, records that wait. */
#include "cli_try.h"
#include "cli_batch.h"
#include "cli_daemon.h"
#include "cli_job.h"
#include "cli_numbers.h"
#include "cli_print.h"
#include "cli_refilter.h"
#include "cli_show.h"
#include "cli_usage.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "record/record.h"
#include "record/result.h"
#include "record/verdict.h"

#include <courant/plugin.h>
#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX	1000		/* rows of a page, at most */

enum waits { WAITS = 1, WAITS_NOT };	/* 0: no row of the record was judged */
enum change { COME, GO, STAY, OUT, WAIT, FAIL, CHANGES };

/* A row of the page. Strings point into the page, or are the row's own. */
struct try_row {
	struct result_past	 past;
	struct bytes		 item;		/* the whole RESULT_ITEM; empty: not stored any more */
	int			 asks;		/* the filters are asked */
	int			 verdict;	/* enum cr_verdict, VERDICT_FAILED */
	const char		*rule, *why;
	char			*own_rule, *own_why;
};
struct try {
	struct cli_job		 job;
	const struct route	*route;
	struct chan		*daemon;
	struct cli_batch	 batch;
	char			*tail;		/* of the request for a page */
	int64_t			 after, until;
	struct try_row		*rows;		/* whose verdicts are still to come */
	size_t			 n, asked;	/* of them; of the asked ones, those answered */
	/* What the rows so far mean for the next: the item that took a story; items judged, and
	 * kept; versions judged; rows that wait. */
	struct numbers		 story, met, kept, version, waits;
	int64_t			 sums[CHANGES];
	int64_t			 missed;	/* records of COME and STAY that sinks have not got */
	int			 json;
};

static const char *const change_names[CHANGES] = { "come", "go", "stay", "out", "wait", "fail" };

/* ---- What is printed ---- */

/* The record of an item; NULL: it is not stored any more. */
static struct cr_record *
item_record(struct bytes bytes, struct result_item *item)
{
	enum result_kind kind;
	struct wire all, body;

	wire_init(&all, bytes.data != NULL ? bytes.data : "", bytes.len);
	if (result_next(&all, &kind, &body) != 1)
		return NULL;
	wire_get(&body, result_item, item);
	return body.bad ? NULL : record_read(item->record.data, item->record.len);
}

static json_t *
verdict_json(uint32_t verdict, const char *rule, const char *why)
{
	return json_pack("{s:s, s:s*, s:s*}", "verdict", cli_batch_verdict(verdict), "rule", rule,
	    "why", why);
}

static void
print_row_json(const struct try_row *row, enum change change)
{
	struct result_item item = { .id = NULL };
	struct cr_record *r = item_record(row->item, &item);
	const struct result_past *p = &row->past;
	json_t *o = json_pack("{s:s, s:I, s:s*, s:i, s:s*, s:s*, s:s*, s:o}", "change",
	    change_names[change], "place", (json_int_t)p->n, "id", item.id, "revision",
	    (int)p->revision, "source",
	    item.source, "title", r != NULL ? record_get(r, CR_TITLE, 0) : NULL, "link",
	    r != NULL ? record_get(r, CR_LINK, 0) : NULL, "now",
	    verdict_json((uint32_t)row->verdict, row->rule, row->why));

	if (p->verdict != PAST_NONE)
		json_object_set_new(o, "was", verdict_json(p->verdict, p->rule, p->why));
	if (change == COME || change == STAY)
		json_object_set_new(o, "deliver", json_boolean(p->missed));
	(void)print_json(o, JSON_COMPACT);
	json_decref(o);
	record_free(r);
}

static void
add_verdict(struct buf *b, uint32_t verdict, const char *rule, const char *why)
{
	buf_str(b, verdict == CR_KEEP ? "kept" : verdict == CR_DROP ? "dropped" : verdict == CR_WAIT ?
	    "waits" : "failed");
	if (rule != NULL && rule[0] != '\0')
		buf_fmt(b, " by %s", rule);
	if (why != NULL && why[0] != '\0')
		buf_fmt(b, ": %s", why);
}

static void
print_row(const struct try_row *row, enum change change)
{
	struct result_item item = { .id = NULL };
	struct cr_record *r = item_record(row->item, &item);
	const struct result_past *p = &row->past;
	const char *title = r != NULL ? record_get(r, CR_TITLE, 0) : NULL;
	struct buf b;

	buf_init(&b, 4 * VERDICT_WHY_MAX);
	print("%-5s %s (%s, %s)\n", change_names[change], title != NULL ? title : "no title",
	    item.source != NULL ? item.source : "?", item.id != NULL ? item.id : "?");
	add_verdict(&b, (uint32_t)row->verdict, row->rule, row->why);
	show_text("      ", b.data);
	buf_clear(&b);
	if (p->verdict != PAST_NONE) {
		buf_str(&b, "was ");
		add_verdict(&b, p->verdict, p->rule, p->why);
		show_text("      ", b.data);
	}
	buf_free(&b);
	record_free(r);
}

static enum change
change_of(const struct try_row *row)
{
	int was = row->past.verdict == CR_KEEP;

	if (row->verdict == CR_KEEP)
		return was ? STAY : COME;
	if (was)
		return GO;
	return row->verdict == CR_WAIT ? WAIT : row->verdict == VERDICT_FAILED ? FAIL : OUT;
}

static void
row_tell(struct try *t, const struct try_row *row)
{
	enum change change = change_of(row);

	t->sums[change]++;
	t->missed += (change == COME || change == STAY) && row->past.missed;
	if (t->json)
		print_row_json(row, change);
	else if (change != STAY && change != OUT)
		print_row(row, change);
}

/* ---- Verdicts ---- */

static int64_t
version_key(const struct result_past *p)
{
	return p->item << 20 | (p->revision & 0xfffff);
}

/* A record whose story was taken by another item is dropped, if the route takes a story once. */
static void
story_check(struct try *t, struct try_row *row)
{
	const struct result_past *p = &row->past;
	int64_t other = p->story != 0 ? numbers_get(&t->story, p->story) : 0;

	if (row->verdict != CR_KEEP || t->route->once_record || p->story == 0)
		return;
	if (p->taken || (other != 0 && other != p->item)) {
		row->verdict = CR_DROP;
		row->rule = "story";
		row->why = NULL;
	} else
		numbers_set(&t->story, p->story, p->item);
}

/* The row's verdict is final for the rows behind it. */
static void
row_settle(struct try *t, struct try_row *row)
{
	const struct result_past *p = &row->past;
	int64_t origin = p->origin != 0 ? p->origin : p->n;

	story_check(t, row);
	if (row->verdict == CR_KEEP)
		numbers_set(&t->kept, p->item, 1);
	if (row->verdict == CR_WAIT || p->origin != 0)
		numbers_set(&t->waits, origin, row->verdict == CR_WAIT ? WAITS : WAITS_NOT);
	if (row->verdict != CR_WAIT || !p->later)
		row_tell(t, row);
}

static int
on_verdict(void *arg, size_t nth, const struct result_verdict *v)
{
	struct try *t = arg;
	struct try_row *row = NULL;
	size_t k = 0;

	nth += t->asked;
	for (size_t i = 0; i < t->n && row == NULL; i++)
		if (t->rows[i].asks && k++ == nth)
			row = &t->rows[i];
	if (row == NULL)
		return -1;
	row->verdict = v->verdict <= CR_WAIT ? (int)v->verdict : VERDICT_FAILED;
	xreplace(&row->own_rule, v->rule);
	xreplace(&row->own_why, v->why);
	row->rule = row->own_rule;
	row->why = row->own_why;
	return 0;
}

/* Puts the rows from the asked one `from` on into the batch, at most `most`. Returns how many. */
static size_t
batch_fill(struct try *t, size_t from, size_t most)
{
	size_t k = 0, n = 0;

	buf_clear(&t->batch.items);
	for (size_t i = 0; i < t->n && n < most; i++)
		if (t->rows[i].asks && k++ >= from) {
			buf_add(&t->batch.items, t->rows[i].item.data, t->rows[i].item.len);
			n++;
		}
	return n;
}

static void
row_fail(struct try *t, const char *why)
{
	const struct result_verdict v = { .verdict = UINT32_MAX, .rule = "parked", .why = why };

	(void)on_verdict(t, 0, &v);
	t->asked++;
}

/* Asks the filters about all rows that wait for them. If a worker dies, each record has a worker that
 * did not die of one before, as in the daemon: that of which it dies is left out. */
static void
ask_filters(struct try *t)
{
	size_t most = ROWS_MAX, n, done;
	struct buf why;

	buf_init(&why, 4096);
	for (t->asked = 0; (n = batch_fill(t, t->asked, most)) > 0;) {
		if (t->job.chan == NULL)
			cli_start_route(&t->job, t->route);
		buf_clear(&why);
		done = cli_batch_run(&t->job, &t->batch, n, on_verdict, t, &why);
		t->asked += done;
		if (done == n || (done > 0 && why.len == 0))
			continue;
		if (t->job.chan != NULL) {
			print_error("courant: %s: %s\n", t->route->name, why.data);
			exit(1);
		}
		if (n == 1)
			row_fail(t, why.data);
		most = 1;
	}
	buf_free(&why);
}

/* The verdicts of all rows read so far. */
static void
flush(struct try *t)
{
	ask_filters(t);
	for (size_t i = 0; i < t->n; i++) {
		row_settle(t, &t->rows[i]);
		free(t->rows[i].own_rule);
		free(t->rows[i].own_why);
	}
	t->n = 0;
}

/* ---- Rows ---- */

/* Whether the row is the first of its item's versions that reaches the route. */
static int
is_first(const struct try *t, const struct result_past *p)
{
	return p->first && numbers_get(p->origin != 0 ? &t->kept : &t->met, p->item) == 0;
}

/* Sets the verdict that no filter gives. 0: the filters are asked. */
static int
preset(const struct try *t, struct try_row *row)
{
	const struct result_past *p = &row->past;

	row->verdict = CR_DROP;
	if (!p->drawn)
		row->rule = "from";
	else if (p->patience != NULL) {
		row->rule = "patience";
		row->why = p->patience;
	} else if (p->revision > 0 && !t->route->updates && !is_first(t, p))
		row->rule = "revision";
	else if (t->route->nfilters == 0 || row->item.len == 0)
		row->verdict = CR_KEEP;
	else
		return 0;
	return 1;
}

/* Whether the route judges the row as it is tried; late rows depend on the verdicts before them. */
static int
row_judged(struct try *t, const struct result_past *p)
{
	enum waits waits;

	if (p->origin != 0) {
		flush(t);
		waits = (enum waits)numbers_get(&t->waits, p->origin);
		return p->origin <= t->after ? waits != WAITS_NOT : waits == WAITS;
	}
	if (t->route->nroutes == 0)
		return 1;
	if (numbers_get(&t->version, version_key(p)) != 0)
		return 0;
	numbers_set(&t->version, version_key(p), 1);
	return 1;
}

static void
row_take(struct try *t, const struct result_past *p, struct bytes item)
{
	int its = !p->drawn || row_judged(t, p);
	struct try_row *row;

	/* A late row that the route judges no more, its own or another's: of its own the row where
	 * the record waited tells what becomes of it. */
	if ((!its || !p->drawn) && (p->origin != 0 || p->verdict == PAST_NONE))
		return;
	if (t->n == ROWS_MAX)
		flush(t);
	row = &t->rows[t->n];
	*row = (struct try_row){ .past = *p, .item = item };
	row->past.drawn = p->drawn && its;
	row->asks = !preset(t, row);
	if (row->past.drawn && (row->rule == NULL || strcmp(row->rule, "revision") != 0))
		numbers_set(&t->met, p->item, 1);
	t->n++;
}

/* Takes the rows of a page. Returns the row behind which the next page begins; -1: malformed. */
static int64_t
page_take(struct try *t, const char *text, size_t len)
{
	struct wire all, body, before;
	struct result_past p;
	enum result_kind kind;

	wire_init(&all, text, len);
	while (result_next(&all, &kind, &body) == 1 && kind == RESULT_PAST) {
		struct bytes item = { NULL, 0 };

		wire_get(&body, result_past, &p);
		if (wire_end(&body) == -1)
			return -1;
		if (p.item == 0) {
			flush(t);	/* rows point into the page */
			return p.n;
		}
		before = all;
		if (result_next(&all, &kind, &body) == 1 && kind == RESULT_ITEM)
			item = (struct bytes){ (const char *)before.at,
				(size_t)(all.at - before.at) };
		else
			all = before;
		row_take(t, &p, item);
	}
	return -1;
}

/* ---- The past ---- */

/* Asks the daemon; on an error prints why and ends the program with 1. */
static char *
ask(struct try *t, const char *command, const char *arg, size_t *len)
{
	char *text = NULL;

	if (cli_ask_over(t->daemon, command, arg, &text, len) == 0)
		return text;
	print_error("courant: ");
	print_lines(text, 1);
	exit(1);
}

/* The ids of the route's sources as bits, in hex. Sources that the daemon does not know have brought
 * nothing. */
static char *
source_bits(const struct try *t, const json_t *ids)
{
	const struct setup *s = t->job.settings;
	unsigned char *bits = xcalloc(1, 1);
	size_t nbits = 1, i, len;
	struct buf b;

	for (i = 0; i < t->route->nfrom; i++) {
		int64_t id = json_integer_value(json_object_get(ids,
		    s->sources[t->route->from[i]].name));

		if (id <= 0)
			continue;
		len = (size_t)id / 4 + 1;
		if (len > nbits) {
			bits = xreallocarray(bits, len, 1);
			memset(bits + nbits, 0, len - nbits);
			nbits = len;
		}
		bits[id / 4] |= (unsigned char)(1 << id % 4);
	}
	buf_init(&b, SIZE_MAX / 4);
	for (i = 0; i < nbits; i++)
		buf_char(&b, "0123456789abcdef"[bits[i]]);
	free(bits);
	buf_char(&b, '\n');
	return b.data;
}

/* Appends the ids of the sources that the route prefers, in their order. */
static void
prefer_put(const struct try *t, const json_t *ids, struct buf *b)
{
	for (size_t i = 0; i < t->route->nprefer; i++) {
		json_t *id = json_object_get(ids, t->job.settings->sources[t->route->prefer[i]].name);

		if (id != NULL)
			buf_fmt(b, "%" JSON_INTEGER_FORMAT ",", json_integer_value(id));
	}
	buf_char(b, '\n');
}

/* Asks which rows the past is, and prepares the request for its pages. */
static void
past_open(struct try *t, const char *what)
{
	const struct route *r = t->route;
	char *arg = xasprintf("%s\n%s\n%s", r->name, what,
	    r->all && r->nprefer == 0 ? "" : "sources"), *sources;
	char *text = ask(t, "past", arg, NULL);
	json_t *o = json_loads(text, 0, NULL), *ids = json_object_get(o, "sources");
	struct buf b;

	t->after = json_integer_value(json_object_get(o, "after"));
	t->until = json_integer_value(json_object_get(o, "until"));
	sources = r->all ? xstrdup("*\n") : source_bits(t, ids);
	buf_init(&b, SIZE_MAX / 4);
	buf_fmt(&b, "%" PRId64 "\n%" PRId64 "\n%s\n%s\n", t->after, t->until,
	    r->once_record ? "record" : "story", r->updates ? "updates" : "");
	buf_str(&b, sources);
	prefer_put(t, ids, &b);
	for (size_t i = 0; i < r->nroutes; i++)
		buf_fmt(&b, "%s\n", t->job.settings->routes[r->routes[i]].name);
	t->tail = b.data;
	if (!json_is_true(json_object_get(o, "known")))
		print_error("courant: the daemon has no route %s yet: all that it keeps would come\n",
		    r->name);
	for (size_t i = 0; i < r->nroutes; i++)
		print_error("courant: it draws from the route %s, whose verdicts are taken as they are "
		    "stored\n", t->job.settings->routes[r->routes[i]].name);
	free(sources);
	json_decref(o);
	free(text);
	free(arg);
}

static void
past_read(struct try *t)
{
	int64_t at = t->after, next;
	char *arg, *text;
	size_t len;

	while (at < t->until) {
		arg = xasprintf("%s\n%" PRId64 "\n%s", t->route->name, at, t->tail);
		text = ask(t, "past page", arg, &len);
		next = page_take(t, text, len);
		if (next <= at) {
			print_error("courant: the daemon's page behind %" PRId64 " cannot be read\n", at);
			exit(1);
		}
		at = next;
		free(text);
		free(arg);
	}
}

static void
show_sums(const struct try *t)
{
	const int64_t *n = t->sums;

	if (t->json) {
		json_t *o = json_object(), *sums = json_object();

		for (int i = 0; i < CHANGES; i++)
			json_object_set_new(sums, change_names[i], json_integer(n[i]));
		json_object_set_new(sums, "deliver", json_integer(t->missed));
		json_object_set_new(o, "sums", sums);
		(void)print_json(o, JSON_COMPACT);
		json_decref(o);
		return;
	}
	print("%" PRId64 " would come, %" PRId64 " would go, %" PRId64 " stay, %" PRId64 " stay out",
	    n[COME], n[GO], n[STAY], n[OUT]);
	if (n[WAIT] > 0)
		print(", %" PRId64 " would wait", n[WAIT]);
	if (n[FAIL] > 0)
		print(", %" PRId64 " would fail", n[FAIL]);
	print("\n");
}

static void
try_free(struct try *t)
{
	numbers_free(&t->story);
	numbers_free(&t->met);
	numbers_free(&t->kept);
	numbers_free(&t->version);
	numbers_free(&t->waits);
	cli_batch_close(&t->batch);
	chan_free(t->daemon);
	free(t->rows);
	free(t->tail);
	cli_free(&t->job);
}

int
cli_try(int argc, char **argv)
{
	static const struct option longs[] = { CLI_HELP,
		{ "since", required_argument, NULL, 'S' }, { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct try t = { .n = 0 };
	const char *what = "all";
	int opt;

	optind = 0;
	while ((opt = cli_option_next(argc, argv, ":c:h", longs)) != -1)
		switch (opt) {
		case 'c':
			cli_daemon_tried(optarg);
			break;
		case 'S':
			what = cli_past(optarg);
			break;
		default:
			t.json = 1;
			break;
		}
	if (argc - optind != 1)
		cli_misused("one route has to be named");
	t.daemon = cli_daemon_open();	/* before root is given up */
	t.route = cli_route(&t.job, argv[optind]);
	t.rows = xcalloc(ROWS_MAX, sizeof(*t.rows));
	cli_batch_open(&t.batch, t.route->name);
	show_open();
	past_open(&t, what);
	past_read(&t);
	show_sums(&t);
	try_free(&t);
	return 0;
}

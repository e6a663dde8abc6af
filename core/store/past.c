/* What `courant try` reads: the rows of a route's past, with what became of them. Nothing is changed.
 *
 * A copy of the route takes on what is tried, `from`, `once` and `updates`, and stands where a refilter
 * would begin: ledger_judge.c then tells of each row what it tells a refilter. What depends on the new
 * verdicts of the rows between, only the command knows. */
#include "past.h"
#include "book.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "ledger_judge.h"
#include "ledger_late.h"
#include "ledger_refilter.h"
#include "ledger_verdict.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/shown.h"
#include "db/db.h"
#include "record/result.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS	500		/* rows of a page */

struct page {
	struct ledger		*l;
	struct ledger_route	*now;	/* the route as it is; NULL: the daemon has none of that name */
	struct ledger_route	 tried;	/* borrows the strings and sinks of now */
	int64_t			 after, until;
	struct buf		*out;
	size_t			 rows;
};

/* ---- The whole ---- */

/* The next line, whose end is replaced by NUL; "": there are no more. */
static char *
line_next(char **at)
{
	char *line = *at;

	*at += strcspn(line, "\n");
	if (**at == '\n')
		*(*at)++ = '\0';
	return line;
}

static json_t *
sources_json(struct ledger *l)
{
	json_t *o = json_object();
	const char *name;

	for (uint32_t id = 1; id < roster_max(l->roster); id++)
		if (roster_get(l->roster, id) != NULL && (name = roster_name(l->roster, id)) != NULL)
			json_object_set_new(o, name, json_integer(id));
	return o;
}

int
past(struct ledger *l, const char *arg, struct buf *out)
{
	char *text = xstrdup(arg), *at = text;
	const char *name = line_next(&at), *what = line_next(&at);
	struct ledger_route *r = ledger_route_named(l, name);
	int64_t from = refilter_from(l, r, what);
	int rc = 1;
	json_t *o;

	if (r != NULL && r->resume > 0)
		shown_fmt(out, "route %s is judging the past, up to place %lld; ask again later\n",
		    name, (long long)route_past(r));
	else if (from == -1)
		shown_fmt(out, "%s: neither all, nor a number, nor an age\n", what);
	else {
		o = json_pack("{s:b, s:I, s:I}", "known", r != NULL, "after", (json_int_t)from,
		    "until", (json_int_t)(r != NULL ? r->filtered : l->durable));
		if (strcmp(line_next(&at), "sources") == 0)
			json_object_set_new(o, "sources", sources_json(l));
		json_put(out, o);
		rc = 0;
	}
	free(text);
	return rc;
}

/* ---- The route that is tried ---- */

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* -1: malformed. */
static int
sources_take(struct ledger_route *r, const char *hex)
{
	size_t len = strlen(hex), i;

	r->rule.all = strcmp(hex, "*") == 0;
	r->from = xcalloc(len / 2 + 1, 1);
	r->nfrom = 0;
	if (r->rule.all)
		return 0;
	for (i = 0; i < len; i++) {
		int bits = digit(hex[i]);

		if (bits < 0)
			return -1;
		r->from[i / 2] |= (unsigned char)((unsigned)bits << i % 2 * 4);
	}
	r->nfrom = (uint32_t)(4 * len);
	return 0;
}

/* ids: each with a comma behind it. */
static void
prefer_take(struct ledger_route *r, char *ids)
{
	char *end;

	for (; *ids != '\0'; ids = end + (*end == ',')) {
		unsigned long id = strtoul(ids, &end, 10);

		if (end == ids)
			break;
		r->prefer = xreallocarray(r->prefer, r->nprefer + 1, sizeof(*r->prefer));
		r->prefer[r->nprefer++] = (uint32_t)id;
	}
}

/* -1: malformed, or there is no such route to draw from; then it is named in *page->out. */
static int
tried_open(struct page *p, char *at)
{
	struct ledger_route *r = &p->tried, *up;
	const char *name = line_next(&at);
	int64_t from;

	p->now = ledger_route_named(p->l, name);
	if (p->now != NULL)
		*r = *p->now;
	p->after = strtoll(line_next(&at), NULL, 10);
	from = strtoll(line_next(&at), NULL, 10);
	p->until = strtoll(line_next(&at), NULL, 10);
	r->again = AGAIN_TRY;
	r->filtered = from;
	r->resume = p->until;
	r->seen = (struct verdicts){ 0 };
	r->batch = (struct rows){ 0 };
	r->routes = NULL;
	r->nroutes = 0;
	r->prefer = NULL;
	r->nprefer = 0;
	r->rule.once_record = strcmp(line_next(&at), "record") == 0;
	r->rule.updates = strcmp(line_next(&at), "updates") == 0;
	if (sources_take(r, line_next(&at)) == -1)
		return -1;
	prefer_take(r, line_next(&at));
	while (*(name = line_next(&at)) != '\0') {
		if ((up = ledger_route_named(p->l, name)) == NULL) {
			shown_fmt(p->out, "the daemon has no route %s yet, from which this one draws\n",
			    name);
			return -1;
		}
		r->routes = xreallocarray(r->routes, r->nroutes + 1, sizeof(*r->routes));
		r->routes[r->nroutes++] = (uint32_t)(up - p->l->route);
	}
	return 0;
}

static void
tried_close(struct page *p)
{
	verdicts_free(&p->tried.seen);
	free(p->tried.from);
	free(p->tried.prefer);
	free(p->tried.routes);
}

/* ---- A page ---- */

static void
past_put(struct buf *out, const struct result_past *past)
{
	size_t begun = result_begin(out, RESULT_PAST);

	wire_put(out, result_past, past);
	result_end(out, begun);
}

/* Appends the row. drawn: as judge_row() returned. */
static void
row_put(struct page *p, const struct row *row, int drawn, int64_t source)
{
	struct ledger *l = p->l;
	struct result_past past = { .n = row->n, .item = row->item, .origin = row->late.origin,
		.revision = (uint32_t)row->revision, .drawn = drawn && !row->undrawn,
		.itself = (uint32_t)verdict_draws_itself(l, &p->tried, source),
		.first = (uint32_t)row->first, .patience = row->late.reason, .verdict = PAST_NONE };
	const struct verdict *v = NULL;
	int64_t final = row->n, later;

	if (p->now != NULL) {
		final = refilter_final(l, p->now, row);
		later = late_last(l, p->now, row->item, row->late.origin != 0 ? row->late.origin :
		    row->n);
		past.later = later > row->n && later <= p->until;
		past.missed = (uint32_t)refilter_missed(l, p->now, row,
		    (int)p->tried.rule.once_record);
		v = verdict_of(l, p->now, final);
	}
	if (!past.drawn && v == NULL)
		return;
	if (!p->tried.rule.once_record && (past.story = judge_story(l, row->item)) != 0)
		past.taken = (uint32_t)judge_took_story(l, &p->tried, past.story, row->item);
	if (p->now != NULL && (v = verdict_of(l, p->now, final)) != NULL) {
		past.verdict = (uint32_t)v->verdict;
		past.rule = v->rule;
		past.why = v->why;
	}
	past_put(p->out, &past);
	(void)batch_item(l, &p->tried, row->n, row->changes, p->out, NULL);
	p->rows++;
}

/* Appends rows until the page is full. Returns the last row that was read. */
static int64_t
rows_put(struct page *p)
{
	struct db *db = &p->l->book->db;
	const struct rows none = { 0 };
	int64_t n = p->until, source;
	size_t looked = 0;
	struct row row;
	int drawn;

	db_bind(db, SQL_LOG_SCAN, DB_INT(p->after), DB_INT(p->until));
	while (db_step(db, SQL_LOG_SCAN)) {
		source = db_int(db, SQL_LOG_SCAN, 3);
		drawn = judge_row(p->l, &p->tried, &none, &row) == 1;
		if (p->now == NULL || row.late.route != p->now->id)
			row.late.origin = 0;	/* to this route it is a row like any other */
		row_put(p, &row, drawn, source);
		free(row.late.reason);
		if (p->rows == PAGE_ROWS || p->out->len > LEDGER_BYTES || ++looked == LEDGER_SCAN) {
			n = row.n;
			break;
		}
	}
	db_done(db, SQL_LOG_SCAN);
	return n;
}

int
past_page(struct ledger *l, const char *arg, struct buf *out)
{
	struct page p = { .l = l, .out = out };
	char *text = xstrdup(arg);
	int rc = tried_open(&p, text) == -1;

	if (rc == 1 && out->len == 0)
		buf_str(out, "the page that is asked for is malformed\n");
	if (rc == 0)
		past_put(out, &(struct result_past){ .n = rows_put(&p) });
	tried_close(&p);
	free(text);
	return rc;
}

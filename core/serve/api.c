/* The JSON API below /api/v1/, and /healthz. */
#include "api.h"
#include "reply.h"
#include "route_reader.h"
#include "serve.h"
#include "base/date.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"
#include "record/verdict.h"

#include <courant/plugin.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* ---- parameters ---- */

enum param_kind { PARAM_COUNT, PARAM_PLACE, PARAM_TIME, PARAM_NAME };

struct params {
	int64_t		 limit, after, before, since;
	const char	*source, *route, *after_name, *list;
};

struct param {
	const char	*name;
	enum param_kind	 kind;
	size_t		 offset;
};

static const struct param record_params[] = {
	{ "limit", PARAM_COUNT, offsetof(struct params, limit) },
	{ "after", PARAM_PLACE, offsetof(struct params, after) },
	{ "before", PARAM_PLACE, offsetof(struct params, before) },
	{ "source", PARAM_NAME, offsetof(struct params, source) },
	{ "route", PARAM_NAME, offsetof(struct params, route) },
	{ "since", PARAM_TIME, offsetof(struct params, since) },
	{ NULL, 0, 0 }
};
static const struct param story_params[] = {
	{ "list", PARAM_NAME, offsetof(struct params, list) },
	{ "limit", PARAM_COUNT, offsetof(struct params, limit) },
	{ "after", PARAM_NAME, offsetof(struct params, after_name) },
	{ NULL, 0, 0 }
};
static const struct param source_params[] = {
	{ "limit", PARAM_COUNT, offsetof(struct params, limit) },
	{ "after", PARAM_NAME, offsetof(struct params, after_name) },
	{ NULL, 0, 0 }
};

/* Parses a decimal number >= 0. 0, or -1: malformed or too large. */
static int
whole_number(const char *s, int64_t *n)
{
	char *end;
	long long v;

	if (*s < '0' || *s > '9')
		return -1;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (*end != '\0' || errno != 0)
		return -1;
	*n = v;
	return 0;
}

/* Sets a parameter. NULL, or the error in the value. */
static const char *
param_set(const struct param *p, const char *value, struct params *to)
{
	int64_t *n = (int64_t *)(void *)((char *)to + p->offset);

	switch (p->kind) {
	case PARAM_COUNT:
		if (whole_number(value, n) == 0 && *n >= 1 && *n <= API_LIMIT_MAX)
			return NULL;
		return "is no number from 1 to 1000";
	case PARAM_PLACE:
		return whole_number(value, n) == 0 ? NULL : "is no number, as a cursor is";
	case PARAM_TIME:
		if (whole_number(value, n) == 0 || date_parse(value, n) == 0)
			return NULL;
		return "is no time; give RFC 3339 or milliseconds since 1970";
	case PARAM_NAME:
		if (value[0] == '\0' || text_valid(value, strlen(value)) != strlen(value))
			return "is no name";
		*(const char **)(void *)((char *)to + p->offset) = value;
		return NULL;
	}
	return "cannot be read";
}

static void
unknown_param(struct serve *s, struct evhttp_request *req, const struct param *table,
    const char *name)
{
	struct buf names;

	buf_init(&names, 1024);
	for (; table->name != NULL; table++)
		buf_fmt(&names, "%s%s", names.len > 0 ? ", " : "", table->name);
	reply_error(s, req, 400, "unknown parameter \"%.100s\": there are %s", name, names.data);
	buf_free(&names);
}

/* Reads the query into values, which then own the strings in *to. -1: answered with 400. */
static int
params_read(struct serve *s, struct evhttp_request *req, const struct param *table,
    struct evkeyvalq *values, struct params *to)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req)), *why;
	const struct evkeyval *kv;
	const struct param *p;
	uint32_t given = 0;

	TAILQ_INIT(values);
	if (query == NULL || query[0] == '\0')
		return 0;
	if (evhttp_parse_query_str(query, values) == -1) {
		reply_error(s, req, 400, "the query cannot be read");
		return -1;
	}
	TAILQ_FOREACH(kv, values, next) {
		for (p = table; p->name != NULL && strcmp(p->name, kv->key) != 0; p++)
			;
		if (p->name == NULL) {
			unknown_param(s, req, table, kv->key);
			return -1;
		}
		why = given & 1u << (p - table) ? "is given twice" : param_set(p, kv->value, to);
		given |= 1u << (p - table);
		if (why != NULL) {
			reply_error(s, req, 400, "%s: \"%.100s\" %s", p->name, kv->value, why);
			return -1;
		}
	}
	return 0;
}

/* ---- health ---- */

/* The first column of the first row. 0; 1: there is no row; -1: the database cannot be read. */
static int
first_number(struct reader *r, int64_t *n)
{
	int rc = reader_step(r);

	if (rc == 1)
		*n = reader_int(r, 0);
	reader_done(r);
	return rc == -1 ? -1 : !rc;
}

static int
log_head(struct serve *s, int64_t *head)
{
	return reader_ask0(s->reader, LOOK_HEAD) == -1 || first_number(s->reader, head) == -1 ? -1 :
	    0;
}

int
api_list_ask(struct serve *s, struct evhttp_request *req, struct evkeyvalq *values, struct api_list_ask *to)
{
	struct params p = { .limit = to->limit, .list = to->list };

	if (params_read(s, req, story_params, values, &p) == -1) {
		evhttp_clear_headers(values);
		return -1;
	}
	*to = (struct api_list_ask){ p.limit, p.list, p.after_name };
	return 0;
}

int64_t
api_head(struct serve *s)
{
	int64_t head = 0;

	return log_head(s, &head) == -1 ? 0 : head;
}

void
api_health(struct serve *s, struct evhttp_request *req, const char *path)
{
	int64_t head = 0;
	struct buf b;

	(void)path;
	if (log_head(s, &head) == -1) {
		reply_unreadable(s, req);
		return;
	}
	buf_init(&b, 16);
	buf_str(&b, "ok\n");
	reply_header(req, "Cache-Control", "no-store");
	reply_buf(s, req, 200, "text/plain; charset=utf-8", &b);
}

/* ---- records ---- */

/* A page of records under construction. */
struct page {
	const struct params	*p;
	struct buf		 b;
	int64_t			 source, route;	/* ids; 0: all */
	int64_t			 head;		/* of the log */
	int64_t			 from, to;	/* range of the log that is searched */
	int64_t			 first, last;	/* places of the first and last record; 0: none */
	int64_t			 count;
	struct verdicts		 seen;		/* the route's verdicts read last */
};

/* Sets the range to search: down from `before`, or up from `after`. */
static void
page_range(struct page *g)
{
	const struct params *p = g->p;

	if (p->after >= 0) {
		g->from = p->after;
		g->to = p->after < g->head - READER_SCAN ? p->after + READER_SCAN : g->head;
	} else {
		g->from = p->before >= 0 && p->before <= g->head ? p->before : g->head + 1;
		g->to = g->from > READER_SCAN ? g->from - READER_SCAN : 0;
	}
}

static void
page_row(struct page *g, const struct reader_row *row)
{
	size_t before = g->b.len;

	if (g->first == 0)
		g->first = row->n;
	g->last = row->n;
	g->count++;
	if (before > 0 && g->b.data[before - 1] == '}')
		buf_str(&g->b, ",\n");
	if (reader_row_json(row, &g->b) == -1 && g->b.data != NULL)
		g->b.data[g->b.len = before] = '\0';
	if (g->b.len > API_PAGE_BYTES)
		g->count = g->p->limit;		/* the page is full */
}

/* Adds the log's records to the page. -1: the database cannot be read. */
static int
page_log(struct serve *s, struct page *g)
{
	const struct params *p = g->p;
	struct reader_row row;
	int rc;

	page_range(g);
	if (reader_ask(s->reader, p->after >= 0 ? LOOK_AFTER : LOOK_NEWEST, DB_INT(g->from),
		DB_INT(g->to), g->source != 0 ? DB_INT(g->source) : LOOK_NULL,
		DB_INT(p->since), DB_INT(p->limit)) == -1)
		return -1;
	while ((rc = reader_step(s->reader)) == 1 && g->count < p->limit) {
		reader_row(s->reader, &row);
		page_row(g, &row);
	}
	reader_done(s->reader);
	return rc == -1 ? -1 : 0;
}

/* Adds a record that the route kept, in the kept version, if source and time match. Downwards a
 * record with several kept versions is added once, in the last one, as in the route's feed. -1: the
 * database cannot be read. */
static int
page_route_row(struct serve *s, struct page *g, const struct route_row *kept)
{
	struct reader_row row;
	int rc = 0;

	if (g->p->after < 0 && (rc = route_reader_later(s->reader, g->route, kept->n, &g->seen)) != 0)
		return rc == -1 ? -1 : 0;
	if (reader_ask(s->reader, LOOK_AT, DB_INT(kept->n), LOOK_NULL,
		g->source != 0 ? DB_INT(g->source) : LOOK_NULL, DB_INT(g->p->since)) == -1)
		return -1;
	if ((rc = reader_step(s->reader)) == 1) {
		reader_row(s->reader, &row);
		row.changes = kept->changes;
		page_row(g, &row);
	}
	reader_done(s->reader);
	return rc;
}

/* Adds the records that a route kept to the page. -1: the database cannot be read. */
static int
page_route(struct serve *s, struct page *g)
{
	int down = g->p->after < 0, rc = 0;
	struct route_reader kept;
	size_t i;

	g->from = !down ? g->p->after : g->p->before >= 0 ? g->p->before : INT64_MAX;
	if (route_reader_read(&kept, s->reader, g->route, g->from, down) == -1)
		return -1;
	for (i = 0; rc != -1 && i < kept.n && g->count < g->p->limit; i++)
		rc = page_route_row(s, g, &kept.row[i]);
	/* The route may still judge rows above the last kept one: `next` must not pass that one. */
	if (!down)
		g->to = kept.n > 0 ? kept.row[kept.n - 1].n : g->from;
	else
		g->to = kept.more ? kept.row[kept.n - 1].n : 0;
	g->head = down && kept.n > 0 && g->p->before < 0 ? kept.row[0].n : 0;
	route_reader_free(&kept);
	verdicts_free(&g->seen);
	return rc == -1 ? -1 : 0;
}

/* Adds `next` and `older`, and ends the page. */
static void
page_end(struct page *g)
{
	int full = g->count >= g->p->limit;
	int64_t next, older = 0;

	if (g->p->after >= 0)
		next = full ? g->last : g->to > g->p->after ? g->to : g->p->after;
	else {
		next = g->p->before < 0 ? g->head : g->first > 0 ? g->first : g->p->before;
		older = full ? g->last : g->to;
	}
	buf_fmt(&g->b, "],\n\"next\": %lld", (long long)next);
	if (older > 1)
		buf_fmt(&g->b, ", \"older\": %lld", (long long)older);
	buf_str(&g->b, "}\n");
}

/* The id of the source or route of this name; 0 for no name. -1: answered with an error. */
static int
find(struct serve *s, struct evhttp_request *req, enum reader_sql look, const char *what,
    const char *name, int64_t *id)
{
	int rc = -1;

	*id = 0;
	if (name == NULL)
		return 0;
	if (reader_ask(s->reader, look, DB_TEXT(name)) == 0)
		rc = first_number(s->reader, id);
	if (rc == -1)
		reply_unreadable(s, req);
	else if (rc == 1)
		reply_error(s, req, 404, "there is no %s \"%.100s\"", what, name);
	return rc == 0 ? 0 : -1;
}

static void
records_answer(struct serve *s, struct evhttp_request *req, const struct params *p)
{
	struct page g = { .p = p };

	if (p->after >= 0 && p->before >= 0) {
		reply_error(s, req, 400, "give after or before, not both");
		return;
	}
	if (find(s, req, LOOK_SOURCE, "source", p->source, &g.source) == -1 ||
	    find(s, req, LOOK_ROUTE, "route", p->route, &g.route) == -1)
		return;
	buf_init(&g.b, SERVE_ANSWER_MAX);
	buf_str(&g.b, "{\"records\": [");
	if (log_head(s, &g.head) == 0 &&
	    (g.route != 0 ? page_route(s, &g) : page_log(s, &g)) == 0) {
		page_end(&g);
		reply_buf(s, req, 200, API_JSON, &g.b);
	} else {
		buf_free(&g.b);
		reply_unreadable(s, req);
	}
}

void
api_records(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct params p = { .limit = API_LIMIT, .after = -1, .before = -1, .since = INT64_MIN };
	struct evkeyvalq values;

	(void)path;
	if (params_read(s, req, record_params, &values, &p) == 0)
		records_answer(s, req, &p);
	evhttp_clear_headers(&values);
}

void
api_record(struct serve *s, struct evhttp_request *req, const char *path)
{
	const char *id = strrchr(path, '/') + 1;
	unsigned char rid[API_RID];
	struct reader_row row;
	struct buf b;
	int hidden = 0, rc = -1;

	if (text_base32_read(rid, id, strlen(id)) == -1) {
		reply_error(s, req, 404, "\"%.100s\" is no id of a record", id);
		return;
	}
	buf_init(&b, SERVE_ANSWER_MAX);
	if (reader_ask(s->reader, LOOK_RECORD, DB_BLOB(rid, sizeof(rid))) == 0) {
		if ((rc = reader_step(s->reader)) == 1) {
			reader_row(s->reader, &row);
			hidden = reader_int(s->reader, 6) != 0;
			rc = reader_row_json(&row, &b) == 0;
		}
		reader_done(s->reader);
	}
	if (rc == 1 && !hidden) {
		buf_char(&b, '\n');
		reply_buf(s, req, 200, API_JSON, &b);
		return;
	}
	buf_free(&b);
	if (rc == 1)
		reply_error(s, req, 410, "the record %s was hidden", id);
	else if (rc == 0)
		reply_error(s, req, 404, "there is no record %s", id);
	else
		reply_unreadable(s, req);
}

/* ---- sources ---- */

static void
put_text(struct buf *b, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_fmt(b, ", \"%s\": ", name);
	text_json(b, text, text_valid(text, strlen(text)));
}

static void
put_time(struct buf *b, const char *name, int64_t ms)
{
	char date[DATE_MAX];

	if (ms > 0)
		put_text(b, name, date_rfc3339(date, ms));
}

/* A row of LOOK_SOURCES, which leaves the URL out, since a URL may hold a key. */
static void
put_source(struct buf *b, struct reader *r)
{
	static const char *const states[] = { "ok", "failing", "gone", "parked" };
	const char *name = reader_text(r, 0);
	int64_t state = reader_int(r, 2);

	buf_str(b, "{\"name\": ");
	text_json(b, name, text_valid(name, strlen(name)));
	put_text(b, "plugin", reader_text(r, 1));
	put_text(b, "state", state >= 0 && state < 4 ? states[state] : "unknown");
	put_time(b, "checked", reader_int(r, 3));
	put_time(b, "ok", reader_int(r, 4));
	put_time(b, "due", reader_int(r, 5));
	buf_fmt(b, ", \"failures\": %lld, \"status\": %lld, \"found\": %lld",
	    (long long)reader_int(r, 6), (long long)reader_int(r, 7), (long long)reader_int(r, 8));
	put_text(b, "error", reader_text(r, 9));
	buf_fmt(b, ", \"unreliable\": %s}", reader_int(r, 10) != 0 ? "true" : "false");
}

static void
sources_answer(struct serve *s, struct evhttp_request *req, const struct params *p)
{
	struct buf b, last;
	int64_t n = 0;
	int rc = -1;

	buf_init(&b, SERVE_ANSWER_MAX);
	buf_init(&last, SERVE_HEADERS_MAX);
	buf_str(&b, "{\"sources\": [");
	if (reader_ask(s->reader, LOOK_SOURCES, DB_TEXT(p->after_name),
		DB_INT(p->limit)) == 0) {
		while ((rc = reader_step(s->reader)) == 1) {
			buf_str(&b, n++ > 0 ? ",\n" : "");
			put_source(&b, s->reader);
			buf_clear(&last);
			buf_str(&last, reader_text(s->reader, 0));
		}
		reader_done(s->reader);
	}
	buf_str(&b, "]");
	if (n == p->limit)
		put_text(&b, "next", last.data);
	buf_str(&b, "}\n");
	if (rc == 0)
		reply_buf(s, req, 200, API_JSON, &b);
	else
		reply_unreadable(s, req);
	buf_free(&b);
	buf_free(&last);
}

void
api_sources(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct params p = { .limit = API_SOURCES, .after_name = "" };
	struct evkeyvalq values;

	(void)path;
	if (params_read(s, req, source_params, &values, &p) == 0)
		sources_answer(s, req, &p);
	evhttp_clear_headers(&values);
}

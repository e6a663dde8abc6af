/* Explains what happened to a record, as JSON for `courant explain`:
 *
 *  {"asked", "more", "items": [{"id", "guid", "title", "link", "published", "place", "seen",
 *     "first_fetch", "source": {...}, "document": {...},
 *     "revisions": [{"revision", "place", "at"}],
 *     "story": [{"id", "source", "title", "link", "seen", "why", "with", "joined": {...}}],
 *     "hidden": {"at", "who", "why"}, "apart": [{"id", "at", "who", "why"}], "merged": ["id"],
 *     "heat": {"sum", "now", "score", "rank", "born", "numbers": {NAME: n},
 *	  "terms": [{"id", "source", "name", "value", "weight", "sum", "events", "first", "last",
 *	     "counts"}]},
 *     "routes": [{"name", "revision", "state", "rule", "why", "due", "instead": {...},
 *	  "filters": [{"rule", "verdict", "why"}],
 *	  "sinks": [{"name", "delivery", "state", "why", "attempts", "due", "error"}]}]}]}
 *
 * place: in the log. Members without a value are left out. The answer has no secret that the
 * database does not have: in a source's url, {secret:NAME} stands in place of a secret. */
#include "explain.h"
#include "book.h"
#include "edition.h"
#include "readers.h"
#include "explain_story.h"
#include "ledger.h"
#include "ledger_window.h"
#include "ledger_backlog.h"
#include "ledger_judge.h"
#include "ledger_outbox.h"
#include "ledger_verdict.h"
#include "story_heat.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/shown.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"

#include <jansson.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAIN_READERS	100		/* readers of a mail that are told of */
#define LATE_MAX	200		/* late rows of one item that are read, the last ones */

/* A version of an item: its row of the log. */
struct version {
	int64_t		 n, revision, at, flags;
	int		 apart;		/* of the route's verdict on it */
};
struct subject {
	int64_t		 id, source, story;
	char		 rid[TEXT_BASE32_16];
	int64_t		 revision, last, seen;
	struct version	 version[ITEM_REVISIONS + 1];	/* the first, then the newest revisions */
	size_t		 nversions;
	struct { int64_t n, revision; } late[LATE_MAX];		/* late rows, a ring */
	size_t		 nlate;
};

/* ---- JSON ---- */

/* Adds no member if the text is not UTF-8. */
static void
set_format(json_t *o, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void
set_format(json_t *o, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_object_set_new(o, name, json_vsprintf(fmt, ap));
	va_end(ap);
}

/* ---- The record ---- */

/* -1: there is no such item. */
static int
subject_read(struct db *db, int64_t item, struct subject *s)
{
	struct bytes rid;

	*s = (struct subject){ .id = item };
	db_bind(db, SQL_ITEM_WHOLE, DB_INT(item));
	if (!db_step(db, SQL_ITEM_WHOLE))
		return -1;
	rid = db_blob(db, SQL_ITEM_WHOLE, 0);
	if (rid.len == 16)
		text_base32(s->rid, rid.data, rid.len);
	s->source = db_int(db, SQL_ITEM_WHOLE, 1);
	s->revision = db_int(db, SQL_ITEM_WHOLE, 2);
	s->last = db_int(db, SQL_ITEM_WHOLE, 3);
	s->seen = db_int(db, SQL_ITEM_WHOLE, 4);
	s->story = db_int(db, SQL_ITEM_WHOLE, 5);
	db_done(db, SQL_ITEM_WHOLE);
	return 0;
}

static void
versions_read(struct db *db, struct subject *s)
{
	struct version *v = s->version;

	db_bind(db, SQL_LOG_VERSIONS, DB_INT(s->id), DB_INT(ITEM_REVISIONS));
	while (s->nversions <= ITEM_REVISIONS && db_step(db, SQL_LOG_VERSIONS))
		v[s->nversions++] = (struct version){ db_int(db, SQL_LOG_VERSIONS, 0),
			db_int(db, SQL_LOG_VERSIONS, 1), db_int(db, SQL_LOG_VERSIONS, 2),
			db_int(db, SQL_LOG_VERSIONS, 3), 0 };
	db_done(db, SQL_LOG_VERSIONS);
	db_bind(db, SQL_LATE_ROWS, DB_INT(s->id));
	for (; db_step(db, SQL_LATE_ROWS); s->nlate++) {
		s->late[s->nlate % LATE_MAX].n = db_int(db, SQL_LATE_ROWS, 0);
		s->late[s->nlate % LATE_MAX].revision = db_int(db, SQL_LATE_ROWS, 1);
	}
}

static void
put_texts(json_t *o, const struct cr_record *r)
{
	if (r == NULL)
		return;
	json_set_text(o, "title", record_get(r, CR_TITLE, 0));
	json_set_text(o, "link", record_get(r, CR_LINK, 0));
	json_set_text(o, "guid", record_get(r, CR_GUID, 0));
	json_set_time(o, "published", record_get_time(r, CR_PUBLISHED));
}

/* A short form of another record. */
static json_t *
other_json(struct ledger *l, int64_t item)
{
	struct subject s;
	struct cr_record *r;
	json_t *o;

	if (subject_read(&l->book->db, item, &s) == -1)
		return NULL;
	o = json_object();
	r = book_record(l->book, s.last);
	json_set_text(o, "id", s.rid);
	json_set_text(o, "source", roster_name(l->roster, s.source));
	put_texts(o, r);
	json_set_time(o, "seen", s.seen);
	record_free(r);
	return o;
}

static json_t *
source_json(struct db *db, int64_t id)
{
	json_t *o = json_object();

	db_bind(db, SQL_SOURCE_GET, DB_INT(id));
	if (db_step(db, SQL_SOURCE_GET)) {
		json_set_text(o, "name", db_text(db, SQL_SOURCE_GET, 0));
		json_set_text(o, "url", db_text(db, SQL_SOURCE_GET, 1));
		json_set_text(o, "plugin", db_text(db, SQL_SOURCE_GET, 2));
		json_set_time(o, "gone", db_int(db, SQL_SOURCE_GET, 3));
	}
	db_done(db, SQL_SOURCE_GET);
	return o;
}

/* The metadata of the source's document when it was last read; NULL: none. */
static json_t *
document_json(struct db *db, int64_t source)
{
	static const char *const extras[] = { "format", "encoding", "generator" };
	struct cr_record *r = NULL;
	json_t *o;
	struct bytes blob;

	db_bind(db, SQL_FEED_GET, DB_INT(source));
	if (db_step(db, SQL_FEED_GET)) {
		blob = db_blob(db, SQL_FEED_GET, 0);
		r = record_read(blob.data, blob.len);
	}
	db_done(db, SQL_FEED_GET);
	if (r == NULL)
		return NULL;
	o = json_object();
	json_set_text(o, "title", record_get(r, CR_TITLE, 0));
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		json_set_text(o, extras[i], record_get_extra(r, extras[i]));
	record_free(r);
	return o;
}

/* The other records of the story; returns their number. */
static size_t
story_others(struct db *db, const struct subject *s, int64_t other[EXPLAIN_OTHERS])
{
	size_t n = 0;

	if (s->story != s->id)
		other[n++] = s->story;
	db_bind(db, SQL_MENTIONS, DB_INT(s->story));
	while (n < EXPLAIN_OTHERS && db_step(db, SQL_MENTIONS))
		if (db_int(db, SQL_MENTIONS, 0) != s->id)
			other[n++] = db_int(db, SQL_MENTIONS, 0);
	db_done(db, SQL_MENTIONS);
	return n;
}

/* The other records of the story, and why they are one. */
static json_t *
story_json(struct ledger *l, const struct subject *s)
{
	int64_t item[1 + EXPLAIN_OTHERS] = { s->id };
	json_t *o[1 + EXPLAIN_OTHERS], *list = json_array();
	size_t n = story_others(&l->book->db, s, item + 1), i;

	for (i = 1; i <= n; i++)
		if ((o[i] = other_json(l, item[i])) == NULL)
			o[i] = json_object();
	if (n > 0)
		explain_why(l, item, n + 1, o);
	for (i = 1; i <= n; i++)
		json_array_append_new(list, o[i]);
	return list;
}

/* ---- Heat ---- */

static json_t *
term_json(struct ledger *l, const struct heat_term *t)
{
	struct subject s;

	return heat_term_json(t, subject_read(&l->book->db, t->item, &s) == 0 ? s.rid : NULL,
	    roster_name(l->roster, t->source));
}

/* sum: the logarithm (base 2) of the story's heat, as it is stored: that of the terms that count. */
static json_t *
heat_json(struct ledger *l, int64_t story)
{
	json_t *o = json_object(), *terms = json_array(), *numbers = json_object();
	struct db *db = &l->book->db;
	struct heat_term *t;
	struct story_heat h;
	int64_t rank;
	size_t n, i;

	heat_get(db, story, &h);
	t = heat_terms(db, story, &n);
	for (i = 0; i < n; i++) {
		json_array_append_new(terms, term_json(l, &t[i]));
		if (t[i].counts && t[i].name[0] != '\0')
			json_object_set_new(numbers, t[i].name, json_integer(t[i].hi));
	}
	free(t);
	heat_json_set(o, "sum", h.heat);
	heat_json_set(o, "now", heat_at(&l->book->heat, h.heat, date_now()));
	heat_json_set(o, "score", h.score);
	if ((rank = heat_rank(db, h.heat, HEAT_RANKS)) > 0)
		json_set_number(o, "rank", rank);
	json_set_time(o, "born", h.born);
	json_object_set_new(o, "numbers", numbers);
	json_object_set_new(o, "terms", terms);
	return o;
}

/* ---- Sinks ---- */

static void
set_state(json_t *o, const char *state, const char *why)
{
	json_set_text(o, "state", state);
	json_set_text(o, "why", why);
}

static void
put_pending(json_t *o, int64_t state, int64_t attempts, int64_t due, const char *reason)
{
	static const char *const names[] = { NULL, "waits", "dead", "parked", "retry", "replay",
		"dropped" };

	json_set_text(o, "state", state > 0 && state <= PENDING_DROPPED ? names[state] : "unknown");
	json_set_number(o, "attempts", attempts);
	json_set_time(o, "due", due);
	json_set_text(o, "error", reason);
}

/* Adds the version's row in the table pending, of the filters. 0: none. */
static int
pending_json(struct ledger *l, int64_t route, int64_t n, json_t *o)
{
	struct db *db = &l->book->db;
	int found;

	db_bind(db, SQL_PENDING_GET, DB_INT(route), DB_INT(n));
	found = db_step(db, SQL_PENDING_GET);
	if (found)
		put_pending(o, db_int(db, SQL_PENDING_GET, 0), db_int(db, SQL_PENDING_GET, 1),
		    db_int(db, SQL_PENDING_GET, 2), db_text(db, SQL_PENDING_GET, 3));
	db_done(db, SQL_PENDING_GET);
	return found;
}

/* Adds the version's row in the outbox of the sink. 0: none. */
static int
outbox_json(struct ledger *l, const struct cursor *g, int64_t n, json_t *o)
{
	struct outbox_row row = outbox_get(l, g, n);

	if (row.state == 0)
		return 0;
	put_pending(o, row.state, row.attempts,
	    row.state == PENDING_RETRY && !g->unordered ? cursor_due(g) : row.due, row.reason);
	if (row.state == PENDING_RETRY && row.attempts == 0)
		set_state(o, "waiting", "its turn has not come");
	if (row.kind == OUTBOX_AGAIN)
		json_set_text(o, "why", "the sink confirmed it before");
	if (row.state == PENDING_REPLAY && json_object_get(o, "due") == NULL)
		json_set_text(o, "why", "an operator replays it");
	if (row.state == PENDING_DROPPED)
		json_set_text(o, "why", "an operator gave it up (`courant drop`)");
	if (g->mail && row.state == PENDING_RETRY && row.reason == NULL)
		set_state(o, "waiting", "it is being sent to its readers");
	free((char *)(uintptr_t)row.reason);
	return 1;
}

/* A version that the sink has still to deliver. */
static void
put_ahead(const struct cursor *g, json_t *o)
{
	if (g->paused) {
		set_state(o, "paused", "until `courant resume`");
	} else if (g->failures > 0) {
		set_state(o, "waiting", "one before it is tried again first");
		json_set_time(o, "due", cursor_due(g));
	} else {
		set_state(o, "waiting", "its turn has not come");
	}
	json_set_text(o, "error", g->reason);
}

/* What the records of the list are, of all those that the route kept. */
static const char *
listed_as(const struct cursor *g)
{
	return !window_is_ranked(g) ? "newest" : g->order == ORDER_HEAT ? "hottest" : "highest";
}

/* A version that a list's sink has taken: whether the list has it at this moment. */
static void
put_listed(struct ledger *l, const struct cursor *g, const struct version *v, json_t *o)
{
	struct db *db = &l->book->db;

	json_set_text(o, "state", "delivered");
	if (db_get(db, SQL_SHOWN_AT, 0, DB_INT(g->id), DB_INT(v->n)) > 0)
		set_format(o, "why", "it is in the list of the %s %u", listed_as(g), g->keep);
	else if (window_is_ranked(g))
		set_format(o, "why", "it is not among the %s %u now", listed_as(g), g->keep);
	else
		set_format(o, "why", "it was in the list of the newest %u, pushed out since", g->keep);
}

/* The row under which the sink's outbox and readers have the row n: that with which its edition begins. */
static int64_t
unit_of(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t n)
{
	struct edition_row e;

	if (g->takes != CR_BATCH_EDITION || !edition_of(l, r, n, &e))
		return n;
	n = e.first;
	edition_free(&e);
	return n;
}

/* Adds what is known of each reader's message, at most EXPLAIN_READERS. */
static void
put_readers(struct ledger *l, const struct cursor *g, int64_t n, json_t *o)
{
	static const char *const states[] = { [READER_OPEN] = "open", [READER_PERHAPS] = "perhaps",
		[READER_DEAD] = "dead", [READER_HAS] = "accepted" };
	struct db *db = &l->book->db;
	json_t *list = json_array(), *one;
	size_t state;

	db_bind(db, SQL_DELIVERY_OF, DB_INT(g->id), DB_INT(n), DB_INT(EXPLAIN_READERS));
	while (db_step(db, SQL_DELIVERY_OF)) {
		one = json_object();
		state = (size_t)db_int(db, SQL_DELIVERY_OF, 1);
		json_set_text(one, "address", db_text(db, SQL_DELIVERY_OF, 0));
		json_set_text(one, "state", state < sizeof(states) / sizeof(states[0]) ? states[state] : NULL);
		json_set_number(one, "attempts", db_int(db, SQL_DELIVERY_OF, 2));
		json_set_time(one, "due", db_int(db, SQL_DELIVERY_OF, 3));
		json_set_text(one, "reply", db_text(db, SQL_DELIVERY_OF, 4));
		json_set_time(one, "at", db_int(db, SQL_DELIVERY_OF, 5));
		json_array_append_new(list, one);
	}
	db_done(db, SQL_DELIVERY_OF);
	if (json_array_size(list) > 0)
		json_object_set_new(o, "readers", list);
	else
		json_decref(list);
}

static json_t *
sink_json(struct ledger *l, const struct ledger_route *r, const struct cursor *g, const struct subject *s,
    const struct version *v)
{
	const int64_t unit = unit_of(l, r, g, v->n);
	const char *why = cursor_passed_over(l, g, v->n, v->apart);
	json_t *o = json_object();

	json_set_text(o, "name", g->name);
	if (v->revision > 0)
		set_format(o, "delivery", "%s-r%lld", s->rid, (long long)v->revision);
	else
		json_set_text(o, "delivery", s->rid);
	if (g->mail)
		put_readers(l, g, unit, o);
	if (outbox_json(l, g, unit, o)) {
		if (g->paused && v->n > g->delivered)
			set_state(o, "paused", "until `courant resume`");
	} else if (why != NULL) {
		set_state(o, "passed over", why);
	} else if (g->begun == -1) {
		set_state(o, "waiting", "how far back the sink begins is known once the past is judged");
	} else if (v->n > g->delivered) {
		put_ahead(g, o);
	} else if (g->takes == CR_BATCH_LIST) {
		put_listed(l, g, v, o);
	} else {
		json_set_text(o, "state", "delivered");
	}
	return o;
}

/* ---- Routes ---- */

static const char *
verdict_name(uint32_t verdict)
{
	static const char *const names[] = { "drop", "keep", "wait" };

	return verdict <= CR_WAIT ? names[verdict] : "failed";
}

static json_t *
filter_json(uint32_t verdict, const char *rule, const char *why)
{
	json_t *o = json_object();

	json_set_text(o, "rule", rule);
	json_set_text(o, "verdict", verdict_name(verdict));
	json_set_text(o, "why", why);
	return o;
}

/* The verdict of each filter that was asked, the deciding one last; NULL: none was asked. own: the
 * verdict is one of own_rules. */
static json_t *
filters_json(const struct verdict *v, int own)
{
	json_t *list = json_array();
	struct result_said said;
	struct wire w;

	wire_init(&w, v->trail.len > 0 ? v->trail.data : "", v->trail.len);
	while (!w.bad && w.at < w.end) {
		wire_get(&w, result_said, &said);
		if (!w.bad)
			json_array_append_new(list, filter_json(said.verdict, said.rule, said.why));
	}
	if (!own && v->rule != NULL)
		json_array_append_new(list, filter_json((uint32_t)v->verdict, v->rule, v->why));
	if (json_array_size(list) > 0)
		return list;
	json_decref(list);
	return NULL;
}

/* The story's other record that the route took; NULL: none of the first EXPLAIN_OTHERS. */
static json_t *
stood_for(struct ledger *l, struct ledger_route *r, const struct subject *s)
{
	int64_t other[EXPLAIN_OTHERS];
	size_t n = story_others(&l->book->db, s, other), i;

	for (i = 0; i < n; i++)
		if (judge_took(l, r, other[i]))
			return other_json(l, other[i]);
	return NULL;
}

/* The rules of ledger_judge.c, which no filter decides. why: put before the verdict's own
 * reason. */
static const struct own_rule {
	const char	*name, *why;
} own_rules[] = {
	{ "revision", "the route passes on no revisions: `updates` is not set" },
	{ RULE_STORY, "another source told its story before, and the route takes a story once" },
	{ RULE_FROM, "its source is not in the route's `from` any more" },
	{ "parked", NULL },
	{ "patience", "it waited longer than the route's `patience`" },
};

static const struct own_rule *
own_rule(const char *rule)
{
	for (size_t i = 0; rule != NULL && i < sizeof(own_rules) / sizeof(own_rules[0]); i++)
		if (strcmp(own_rules[i].name, rule) == 0)
			return &own_rules[i];
	return NULL;
}

/* Which edition of the route has the record of the row, and as which. */
static void
put_edition(struct ledger *l, const struct ledger_route *r, int64_t n, json_t *o)
{
	struct edition_row e;

	if (!r->rule.edition || !edition_of(l, r, n, &e))
		return;
	json_set_text(o, "edition", e.name);
	json_set_number(o, "edition_place", n - e.first + 1);
	edition_free(&e);
}

/* A record that is in no edition of the route. */
static void
put_no_edition(struct ledger *l, const struct ledger_route *r, const struct subject *s, json_t *o)
{
	const struct ledger_route *up = r->nroutes == 1 ? &l->route[r->routes[0]] : NULL;
	int64_t in = db_get(&l->book->db, SQL_EDITION_HAS, -1, DB_INT(r->id), DB_INT(s->story));

	json_set_text(o, "state", "in no edition");
	if (in == 0)
		json_set_text(o, "why", "an operator left it out (`courant editions --without`)");
	else if (in > 0)
		json_set_text(o, "why", "an edition has another record of its story");
	else
		set_format(o, "why", "`courant editions %s --next` shows what the next one would have; what %s "
		    "took and an edition had no room for is left out", r->name, up != NULL ? up->name : "it");
}

/* v->n: the row of the verdict `said`; origin: the version's own row. */
static void
put_judged(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v, int64_t origin, const struct verdict *said, json_t *o)
{
	static const char *const names[] = { "dropped", "taken", "waits", "failed" };
	const struct own_rule *own = own_rule(said->rule);
	json_t *filters = filters_json(said, own != NULL), *sinks, *instead;
	int verdict = said->verdict;

	json_set_text(o, "state", names[verdict & VERDICT_FAILED]);
	put_edition(l, r, v->n, o);
	json_set_text(o, "rule", said->rule);
	if (own == NULL || own->why == NULL)
		json_set_text(o, "why", said->why);
	else
		set_format(o, "why", said->why != NULL ? "%s: %s" : "%s", own->why, said->why);
	if (filters != NULL)
		json_object_set_new(o, "filters", filters);
	/* From here on `said` is invalid: other verdicts are read into its place. */
	if (own != NULL && strcmp(own->name, "story") == 0 && (instead = stood_for(l, r, s)) != NULL)
		json_object_set_new(o, "instead", instead);
	if (verdict != CR_KEEP && !pending_json(l, r->id, v->n, o))
		(void)pending_json(l, r->id, origin, o);
	if (verdict != CR_KEEP || r->nsinks == 0)
		return;
	sinks = json_array();
	for (uint32_t i = 0; i < r->nsinks; i++)
		json_array_append_new(sinks, sink_json(l, r, &r->sink[r->sinks[i]], s, v));
	json_object_set_new(o, "sinks", sinks);
}

/* A version on which the route has no verdict. */
static void
put_unjudged(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v, json_t *o)
{
	const char *source = roster_name(l->roster, s->source);

	if (r->rule.edition)
		put_no_edition(l, r, s, o);
	else if (v->n > r->filtered && !(r->resume > 0 && v->n > route_past(r))) {
		json_set_text(o, "state", "not judged");
		set_format(o, "why", "it has judged the log up to place %lld", (long long)r->filtered);
	} else if (!verdict_draws(l, r, v->n, s->source)) {
		json_set_text(o, "state", "not drawn");
		set_format(o, "why", r->nroutes > 0 ? "%s is not in its `from`, and no route in it took "
		    "the record" : "%s is not in its `from`", source);
	} else if (v->n <= r->begun) {
		set_state(o, "before", "it came before the route, whose `backlog` does not reach so far "
		    "back");
	} else {
		json_set_text(o, "state", "not drawn");
		set_format(o, "why", "when it was judged, %s was not in its `from`", source);
	}
}

/* The row by which the route judged a version last: the version's own row, or a late row. */
static int64_t
judged_at(struct ledger *l, struct ledger_route *r, const struct subject *s, const struct version *v)
{
	int64_t at = v->n;

	for (size_t i = 0; i < s->nlate && i < LATE_MAX; i++)
		if (s->late[i].revision == v->revision && s->late[i].n > at &&
		    verdict_of(l, r, s->late[i].n) != NULL)
			at = s->late[i].n;
	return at;
}

/* NULL: nothing to explain, a revision that a route without `updates` has not judged. */
static json_t *
route_json(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v)
{
	struct version last = *v;
	const struct verdict *said;
	json_t *o;

	last.n = judged_at(l, r, s, v);
	said = verdict_of(l, r, last.n);

	if (v->revision > 0 && said == NULL && !r->rule.updates)
		return NULL;
	o = json_object();
	json_set_text(o, "name", r->name);
	json_set_number(o, "revision", v->revision);
	last.apart = said != NULL && said->apart;
	if (said != NULL)
		put_judged(l, r, s, &last, v->n, said, o);
	else
		put_unjudged(l, r, s, v, o);
	return o;
}

/* ---- The answer ---- */

static void
put_came(struct ledger *l, const struct subject *s, json_t *o)
{
	struct cr_record *r = book_record(l->book, s->last);
	json_t *list, *document, *one;
	size_t i;

	json_set_text(o, "id", s->rid);
	put_texts(o, r);
	record_free(r);
	json_set_number(o, "place", s->id);
	json_set_time(o, "seen", s->seen);
	json_object_set_new(o, "first_fetch",
	    json_boolean(s->nversions > 0 && (s->version[0].flags & LOG_FIRST) != 0));
	json_object_set_new(o, "source", source_json(&l->book->db, s->source));
	if ((document = document_json(&l->book->db, s->source)) != NULL)
		json_object_set_new(o, "document", document);
	list = json_array();
	for (i = 1; i < s->nversions; i++) {
		one = json_object();
		json_set_number(one, "revision", s->version[i].revision);
		json_set_number(one, "place", s->version[i].n);
		json_set_time(one, "at", s->version[i].at);
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "revisions", list);
	json_object_set_new(o, "story", story_json(l, s));
	explain_ruled(l, s->id, s->story, o);
	json_object_set_new(o, "heat", heat_json(l, s->story));
}

static json_t *
item_json(struct ledger *l, int64_t item)
{
	json_t *o, *routes, *one;
	struct subject s;

	if (subject_read(&l->book->db, item, &s) == -1)
		return NULL;
	versions_read(&l->book->db, &s);
	o = json_object();
	put_came(l, &s, o);
	routes = json_array();
	for (size_t i = 0; i < l->nroute; i++)
		for (size_t k = 0; k < s.nversions && !l->route[i].gone; k++)
			if ((one = route_json(l, &l->route[i], &s, &s.version[k])) != NULL)
				json_array_append_new(routes, one);
	json_object_set_new(o, "routes", routes);
	return o;
}

int
explain(struct ledger *l, const char *what, struct buf *out)
{
	int64_t item[EXPLAIN_ITEMS + 1];
	size_t n = book_find(l->book, what, item, EXPLAIN_ITEMS + 1), i;	/* one more than told */
	json_t *top, *items, *one;

	if (n == 0) {
		shown_fmt(out, "no record has the id, guid or link %s\n", what);
		return 1;
	}
	top = json_object();
	items = json_array();
	json_set_text(top, "asked", what);
	for (i = 0; i < n && i < EXPLAIN_ITEMS; i++)
		if ((one = item_json(l, item[i])) != NULL)
			json_array_append_new(items, one);
	json_object_set_new(top, "more", json_boolean(n > EXPLAIN_ITEMS));
	json_object_set_new(top, "items", items);
	json_put(out, top);
	buf_char(out, '\n');
	return 0;
}

/* What became of a record, as JSON for `courant explain`:
 *
 *  {"asked", "more", "items": [{"id", "guid", "title", "link", "published", "place", "seen",
 *     "first_fetch", "source": {...}, "document": {...}, "revisions": [{"revision", "place", "at"}],
 *     "story": [{"id", "source", "title", "link", "seen"}],
 *     "routes": [{"name", "revision", "state", "rule", "why", "due", "instead": {...},
 *	  "filters": [{"rule", "verdict", "why"}],
 *	  "sinks": [{"name", "delivery", "state", "why", "attempts", "due", "error"}]}]}]}
 *
 * place: in the log. What has nothing to say is left out. Nothing here is secret that the database does
 * not hold: in a source's url a secret stands as {secret:NAME}. */
#include "explain.h"
#include "date.h"
#include "mem.h"
#include "result.h"
#include "schema.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define LATE_MAX	200		/* rows by which a record that waited was asked about again */

/* A version of an item, as it stands in the log. */
struct version {
	int64_t		 n, revision, at, flags;
};
struct subject {
	int64_t		 id, source, story;
	char		 rid[TEXT_BASE32_16];
	int64_t		 revision, last, seen;
	struct version	 version[ITEM_REVISIONS + 1];	/* the first, then the newest revisions */
	size_t		 nversions;
	struct { int64_t n, revision; } late[LATE_MAX];		/* of those rows, a ring */
	size_t		 nlate;
};

/* ---- JSON ---- */

/* Left out when there is nothing to say. */
static void
set_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(o, name, json_string(text));
}

static void
set_number(json_t *o, const char *name, int64_t n)
{
	json_object_set_new(o, name, json_integer(n));
}

static void
set_time(json_t *o, const char *name, int64_t ms)
{
	char text[DATE_MAX];

	if (ms > 0 && ms < INT64_MAX)
		set_text(o, name, date_rfc3339(text, ms));
}

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

/* The bytes of a version as a record; NULL: they are not kept. */
static struct cr_record *
record_of(struct db *db, int64_t n)
{
	struct cr_record *r = NULL;
	struct bytes blob;

	db_bind(db, SQL_RECORD_GET, DB_INT(n));
	if (db_step(db, SQL_RECORD_GET)) {
		blob = db_blob(db, SQL_RECORD_GET, 0);
		r = record_read(blob.data, blob.len);
	}
	db_done(db, SQL_RECORD_GET);
	return r;
}

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
			db_int(db, SQL_LOG_VERSIONS, 3) };
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
	set_text(o, "title", record_get(r, CR_TITLE, 0));
	set_text(o, "link", record_get(r, CR_LINK, 0));
	set_text(o, "guid", record_get(r, CR_GUID, 0));
	set_time(o, "published", record_get_time(r, CR_PUBLISHED));
}

/* Another record, in short. */
static json_t *
other_json(struct ledger *l, int64_t item)
{
	struct subject s;
	struct cr_record *r;
	json_t *o;

	if (subject_read(&l->book->db, item, &s) == -1)
		return NULL;
	o = json_object();
	r = record_of(&l->book->db, s.last);
	set_text(o, "id", s.rid);
	set_text(o, "source", roster_name(l->roster, s.source));
	put_texts(o, r);
	set_time(o, "seen", s.seen);
	record_free(r);
	return o;
}

static json_t *
source_json(struct db *db, int64_t id)
{
	json_t *o = json_object();

	db_bind(db, SQL_SOURCE_GET, DB_INT(id));
	if (db_step(db, SQL_SOURCE_GET)) {
		set_text(o, "name", db_text(db, SQL_SOURCE_GET, 0));
		set_text(o, "url", db_text(db, SQL_SOURCE_GET, 1));
		set_text(o, "plugin", db_text(db, SQL_SOURCE_GET, 2));
		set_time(o, "gone", db_int(db, SQL_SOURCE_GET, 3));
	}
	db_done(db, SQL_SOURCE_GET);
	return o;
}

/* What the source's document said of itself when it was last read; NULL: nothing. */
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
	set_text(o, "title", record_get(r, CR_TITLE, 0));
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++)
		set_text(o, extras[i], record_get_extra(r, extras[i]));
	record_free(r);
	return o;
}

/* The records of a story but for one. How many. */
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

/* ---- Sinks ---- */

/* What is noted of a version that is no plain delivery. 0: nothing is. */
static int
pending_json(struct ledger *l, int64_t route, int64_t leg, int64_t n, json_t *o)
{
	static const char *const names[] = { NULL, "waits", "dead", "parked", "retry" };
	struct db *db = &l->book->db;
	int64_t state;
	int found;

	db_bind(db, SQL_PENDING_GET, DB_INT(route), DB_INT(leg), DB_INT(n));
	found = db_step(db, SQL_PENDING_GET);
	if (found) {
		state = db_int(db, SQL_PENDING_GET, 0);
		set_text(o, "state", state > 0 && state <= PENDING_RETRY ? names[state] : "unknown");
		set_number(o, "attempts", db_int(db, SQL_PENDING_GET, 1));
		set_time(o, "due", db_int(db, SQL_PENDING_GET, 2));
		set_text(o, "error", db_text(db, SQL_PENDING_GET, 3));
	}
	db_done(db, SQL_PENDING_GET);
	return found;
}

static void
set_state(json_t *o, const char *state, const char *why)
{
	set_text(o, "state", state);
	set_text(o, "why", why);
}

/* A version that the sink has still to deliver. */
static void
put_ahead(const struct ledger_leg *g, json_t *o)
{
	if (g->paused) {
		set_state(o, "paused", "its receiver is gone: until `courant resume`");
	} else if (g->failures > 0) {
		set_state(o, "waiting", "one before it is tried again first");
		set_time(o, "due", g->due);
	} else {
		set_state(o, "waiting", "its turn has not come");
	}
	set_text(o, "error", g->reason);
}

/* Why a sink passes a version over that its route took. NULL: it does not. */
static const char *
passed_over(struct ledger *l, const struct ledger_leg *g, const struct version *v)
{
	if (g->begun == -1)
		return NULL;
	if (v->n <= g->begun)
		return "it came before the sink, whose `backlog` does not reach so far back";
	if (leg_skips(l, g, v->n))
		return "its source held it when it was first read, and `backlog` leaves that out";
	return NULL;
}

static json_t *
sink_json(struct ledger *l, const struct ledger_route *r, const struct ledger_leg *g,
    const struct subject *s, const struct version *v)
{
	const char *why = passed_over(l, g, v);
	json_t *o = json_object();

	set_text(o, "name", g->name);
	if (v->revision > 0)
		set_format(o, "delivery", "%s-r%lld", s->rid, (long long)v->revision);
	else
		set_text(o, "delivery", s->rid);
	if (why != NULL) {
		set_state(o, "passed over", why);
	} else if (pending_json(l, r->id, g->id, v->n, o)) {
		if (g->paused)
			set_state(o, "paused", "its receiver is gone: until `courant resume`");
	} else if (g->begun == -1) {
		set_state(o, "waiting", "how far back the sink begins is known once the past is judged");
	} else if (v->n > g->delivered) {
		put_ahead(g, o);
	} else {
		set_text(o, "state", "delivered");
		if (g->takes == CR_BATCH_LIST)
			set_format(o, "why", "in a list of the newest %u", g->keep);
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

	set_text(o, "rule", rule);
	set_text(o, "verdict", verdict_name(verdict));
	set_text(o, "why", why);
	return o;
}

/* What each filter said, the one that decided last; NULL: none was asked. */
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

/* Which of the story's other records the route took; NULL: none of those that are told. */
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

/* Rules by which judge.c decides, and no filter; why: before what the verdict says, if anything. */
static const struct own_rule {
	const char	*name, *why;
} own_rules[] = {
	{ "revision", "the route passes on no revisions: `updates` is not set" },
	{ "story", "another source told its story before, and the route takes a story once" },
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

/* origin: the row by which the route was first asked about what v says. */
static void
put_judged(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v, int64_t origin, const struct verdict *said, json_t *o)
{
	static const char *const names[] = { "dropped", "taken", "waits", "failed" };
	const struct own_rule *own = own_rule(said->rule);
	json_t *filters = filters_json(said, own != NULL), *sinks, *instead;
	int verdict = said->verdict;

	set_text(o, "state", names[verdict & VERDICT_FAILED]);
	set_text(o, "rule", said->rule);
	if (own == NULL || own->why == NULL)
		set_text(o, "why", said->why);
	else
		set_format(o, "why", said->why != NULL ? "%s: %s" : "%s", own->why, said->why);
	if (filters != NULL)
		json_object_set_new(o, "filters", filters);
	/* What follows reads other verdicts in place of the one said. */
	if (own != NULL && strcmp(own->name, "story") == 0 && (instead = stood_for(l, r, s)) != NULL)
		json_object_set_new(o, "instead", instead);
	if (verdict != CR_KEEP && !pending_json(l, r->id, PENDING_FILTER, v->n, o))
		(void)pending_json(l, r->id, PENDING_FILTER, origin, o);
	if (verdict != CR_KEEP || r->nlegs == 0)
		return;
	sinks = json_array();
	for (uint32_t i = 0; i < r->nlegs; i++)
		json_array_append_new(sinks, sink_json(l, r, &r->leg[r->legs[i]], s, v));
	json_object_set_new(o, "sinks", sinks);
}

/* A version on which the route has no verdict. */
static void
put_unjudged(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v, json_t *o)
{
	const char *source = roster_name(l->roster, s->source);

	if (v->n > r->filtered && !(r->resume > 0 && v->n > r->begun)) {
		set_text(o, "state", "not judged");
		set_format(o, "why", "it has judged the log up to place %lld", (long long)r->filtered);
	} else if (!judge_draws(l, r, v->n, s->source)) {
		set_text(o, "state", "not drawn");
		set_format(o, "why", r->nroutes > 0 ? "%s is not in its `from`, and no route in it took "
		    "the record" : "%s is not in its `from`", source);
	} else if (v->n <= r->begun) {
		set_state(o, "before", "it came before the route, whose `backlog` does not reach so far "
		    "back");
	} else {
		set_text(o, "state", "not drawn");
		set_format(o, "why", "when it was judged, %s was not in its `from`", source);
	}
}

/* The row by which the route judged a version last: its own, or a late one. */
static int64_t
judged_at(struct ledger *l, struct ledger_route *r, const struct subject *s, const struct version *v)
{
	int64_t at = v->n;

	for (size_t i = 0; i < s->nlate && i < LATE_MAX; i++)
		if (s->late[i].revision == v->revision && s->late[i].n > at &&
		    judge_verdict(l, r, s->late[i].n) != NULL)
			at = s->late[i].n;
	return at;
}

/* NULL: there is nothing to tell, a revision where the route takes none. */
static json_t *
route_json(struct ledger *l, struct ledger_route *r, const struct subject *s,
    const struct version *v)
{
	struct version last = *v;
	const struct verdict *said;
	json_t *o;

	last.n = judged_at(l, r, s, v);
	said = judge_verdict(l, r, last.n);

	if (v->revision > 0 && said == NULL && !r->rule.updates)
		return NULL;
	o = json_object();
	set_text(o, "name", r->name);
	set_number(o, "revision", v->revision);
	if (said != NULL)
		put_judged(l, r, s, &last, v->n, said, o);
	else
		put_unjudged(l, r, s, v, o);
	return o;
}

/* ---- The whole ---- */

static void
put_came(struct ledger *l, const struct subject *s, json_t *o)
{
	struct cr_record *r = record_of(&l->book->db, s->last);
	json_t *list, *document, *one;
	int64_t other[EXPLAIN_OTHERS];
	size_t n, i;

	set_text(o, "id", s->rid);
	put_texts(o, r);
	record_free(r);
	set_number(o, "place", s->id);
	set_time(o, "seen", s->seen);
	json_object_set_new(o, "first_fetch",
	    json_boolean(s->nversions > 0 && (s->version[0].flags & LOG_FIRST) != 0));
	json_object_set_new(o, "source", source_json(&l->book->db, s->source));
	if ((document = document_json(&l->book->db, s->source)) != NULL)
		json_object_set_new(o, "document", document);
	list = json_array();
	for (i = 1; i < s->nversions; i++) {
		one = json_object();
		set_number(one, "revision", s->version[i].revision);
		set_number(one, "place", s->version[i].n);
		set_time(one, "at", s->version[i].at);
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "revisions", list);
	list = json_array();
	n = story_others(&l->book->db, s, other);
	for (i = 0; i < n; i++)
		if ((one = other_json(l, other[i])) != NULL)
			json_array_append_new(list, one);
	json_object_set_new(o, "story", list);
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

/* The items that `what` may mean, the newest first; one more than EXPLAIN_ITEMS says: there are more. */
static size_t
find(struct ledger *l, const char *what, int64_t item[EXPLAIN_ITEMS + 1])
{
	struct db *db = &l->book->db;
	int64_t key[ITEM_KEYS];
	unsigned char rid[16];
	size_t n = 0;

	if (text_base32_read(rid, what, strcspn(what, "-")) == 0) {
		db_bind(db, SQL_ITEM_BY_RID, DB_BLOB(rid, sizeof(rid)));
		if (db_step(db, SQL_ITEM_BY_RID))
			item[n++] = db_int(db, SQL_ITEM_BY_RID, 0);
		db_done(db, SQL_ITEM_BY_RID);
	}
	if (n > 0)
		return n;
	item_keys(l->book->digest, what, key);
	db_bind(db, SQL_ITEMS_BY_KEY, DB_INT(key[0]), DB_INT(key[1]), DB_INT(key[2]),
	    DB_INT(EXPLAIN_ITEMS + 1));
	while (n <= EXPLAIN_ITEMS && db_step(db, SQL_ITEMS_BY_KEY))
		item[n++] = db_int(db, SQL_ITEMS_BY_KEY, 0);
	db_done(db, SQL_ITEMS_BY_KEY);
	return n;
}

int
explain(struct ledger *l, const char *what, struct buf *out)
{
	int64_t item[EXPLAIN_ITEMS + 1];
	size_t n = find(l, what, item), i;
	json_t *top, *items, *one;
	char *text;

	if (n == 0) {
		buf_fmt(out, "no record has the id, guid or link %s\n", what);
		return 1;
	}
	top = json_object();
	items = json_array();
	set_text(top, "asked", what);
	for (i = 0; i < n && i < EXPLAIN_ITEMS; i++)
		if ((one = item_json(l, item[i])) != NULL)
			json_array_append_new(items, one);
	json_object_set_new(top, "more", json_boolean(n > EXPLAIN_ITEMS));
	json_object_set_new(top, "items", items);
	text = json_dumps(top, JSON_COMPACT);
	buf_str(out, text);
	buf_char(out, '\n');
	free(text);
	json_decref(top);
	return 0;
}

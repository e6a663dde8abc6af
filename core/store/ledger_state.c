/* The state that a route's filters and sinks store. They get it with a batch; the changes in their
 * results are written in the commit that moves the route's position or the sink's cursor, so that
 * state and position always match. */
#include "ledger_state.h"
#include "book.h"
#include "ledger.h"
#include "state.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "record/result.h"

#include <stdlib.h>
#include <string.h>

static void
put(struct buf *items, const struct result_state *st)
{
	size_t begun = result_begin(items, RESULT_STATE);

	wire_put(items, result_state, st);
	result_end(items, begun);
}

void
ledger_state_give_sink(struct ledger *l, const struct cursor *g, struct buf *items)
{
	struct db *db = &l->book->db;
	char name[STATE_NAME];

	state_name(name, "leg", g->id, NULL);
	db_bind(db, SQL_STATES, DB_TEXT(name));
	while (db_step(db, SQL_STATES))
		put(items, &(struct result_state){ .key = db_text(db, SQL_STATES, 0),
		    .value = db_text(db, SQL_STATES, 1) });
}

/* The range of instance names in which the state of the route's filters lies. */
static void
filters_range(const struct ledger_route *r, char from[STATE_NAME], char to[STATE_NAME])
{
	state_name(from, "filter", r->id, "");
	memcpy(to, from, STATE_NAME);
	to[strlen(to) - 1]++;		/* the character after '/' */
}

void
ledger_state_give_filters(struct ledger *l, const struct ledger_route *r, struct buf *items)
{
	struct db *db = &l->book->db;
	char from[STATE_NAME], to[STATE_NAME];

	filters_range(r, from, to);
	db_bind(db, SQL_STATE_FILTERS, DB_TEXT(from), DB_TEXT(to));
	while (db_step(db, SQL_STATE_FILTERS))
		put(items, &(struct result_state){
		    .rule = db_text(db, SQL_STATE_FILTERS, 0) + strlen(from),
		    .key = db_text(db, SQL_STATE_FILTERS, 1),
		    .value = db_text(db, SQL_STATE_FILTERS, 2) });
}

int
ledger_state_rule(const struct ledger_route *r, const char *rule)
{
	const char *s = r->rules, *end = s + r->rules_len;

	for (; s < end; s += strlen(s) + 1)
		if (strcmp(s, rule) == 0)
			return 1;
	return 0;
}

void
ledger_state_take(struct ledger *l, const struct ledger_route *r, const struct cursor *g,
    struct bytes results, uint32_t done)
{
	struct state_sum sum = { .bytes = 0 };
	struct result_state st;
	enum result_kind kind;
	struct wire all, body;
	char name[STATE_NAME];
	int rc, bad = 0;

	wire_init(&all, results.data != NULL ? results.data : "", results.len);
	while ((rc = result_next(&all, &kind, &body)) == 1) {
		if (kind != RESULT_STATE || result_state_read(&body, &st) == -1 ||
		    (st.rule == NULL) != (g != NULL)) {
			bad |= g != NULL;
			continue;
		}
		if (st.done > done)
			continue;
		state_name(name, g != NULL ? "leg" : "filter", g != NULL ? g->id : r->id, st.rule);
		if (state_set(&l->book->db, &sum, name, st.key, st.value) == -1)
			log_warn("route %s, %s: more than %u bytes of state: %s stays as it was",
			    r->name, g != NULL ? g->name : st.rule, STATE_MAX, st.key);
	}
	if (g != NULL && (bad || rc == -1))
		log_warn("route %s, %s: its plugin forged what its host writes: state that is "
		    "malformed is left out", r->name, g->name);
}

void
ledger_state_drop_sink(struct ledger *l, const struct cursor *g)
{
	char name[STATE_NAME];

	state_name(name, "leg", g->id, NULL);
	state_drop(&l->book->db, name);
}

/* Deletes the state of the filters, but that of the filters in `kept`, a route; NULL: of none. */
static void
filters_drop(struct ledger *l, const struct ledger_route *r, const struct ledger_route *kept)
{
	struct db *db = &l->book->db;
	char from[STATE_NAME], to[STATE_NAME], **gone = NULL;
	const char *name;
	size_t n = 0;

	filters_range(r, from, to);
	db_bind(db, SQL_STATE_RULES, DB_TEXT(from), DB_TEXT(to));
	while (db_step(db, SQL_STATE_RULES)) {
		name = db_text(db, SQL_STATE_RULES, 0);
		if (kept != NULL && ledger_state_rule(kept, name + strlen(from)))
			continue;
		gone = xreallocarray(gone, n + 1, sizeof(char *));
		gone[n++] = xstrdup(name);
	}
	while (n > 0) {
		state_drop(db, gone[--n]);
		free(gone[n]);
	}
	free(gone);
}

void
ledger_state_drop_filters(struct ledger *l, const struct ledger_route *r)
{
	filters_drop(l, r, r);
}

void
ledger_state_clear_filters(struct ledger *l, const struct ledger_route *r)
{
	filters_drop(l, r, NULL);
}

/* Why records are one story.
 *
 * The table joined has, for an item that joined others, one of each story that it was found to
 * belong to, and the reason. With the rulings of operators these are the edges of a graph, in which a
 * path leads from each item of a story to each other one. */
#include "explain_story.h"
#include "book.h"
#include "ledger.h"
#include "story.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define EDGES_MAX	4000		/* of one story that are read */
#define MERGED_MAX	100		/* stories that became part of one that are told */

struct edge {
	size_t		 a, b;		/* places among the items */
	char		*why;		/* owned */
	json_t		*ruling;	/* or of an operator */
};
struct graph {
	struct edge	*edge;
	size_t		 n;
};

static json_t *
ruling_json(int64_t at, const char *who, const char *why)
{
	json_t *o = json_object();

	json_set_time(o, "at", at);
	json_set_text(o, "who", who);
	json_set_text(o, "why", why);
	return o;
}

/* The place of an item; n: it is not among them. */
static size_t
place_of(const int64_t *item, size_t n, int64_t one)
{
	size_t i = 0;

	while (i < n && item[i] != one)
		i++;
	return i;
}

static struct edge *
edge_add(struct graph *g, size_t a, size_t b, const char *why)
{
	if (g->n == EDGES_MAX)
		return NULL;
	g->edge[g->n] = (struct edge){ .a = a, .b = b };
	xreplace(&g->edge[g->n].why, why);
	return &g->edge[g->n++];
}

/* The edges that begin at the item. */
static void
edges_read(struct db *db, const int64_t *item, size_t n, size_t from, struct graph *g)
{
	struct edge *e;
	size_t to;

	db_bind(db, SQL_RULINGS, DB_INT(item[from]));
	while (db_step(db, SQL_RULINGS)) {
		to = place_of(item, n, db_int(db, SQL_RULINGS, 0));
		if (to == n || db_int(db, SQL_RULINGS, 1) == 0 ||
		    (e = edge_add(g, from, to, NULL)) == NULL)
			continue;
		e->ruling = ruling_json(db_int(db, SQL_RULINGS, 2), db_text(db, SQL_RULINGS, 3),
		    db_text(db, SQL_RULINGS, 4));
	}
	db_bind(db, SQL_JOINED, DB_INT(item[from]));
	while (db_step(db, SQL_JOINED)) {
		to = place_of(item, n, db_int(db, SQL_JOINED, 0));
		if (to < n)
			(void)edge_add(g, from, to, db_text(db, SQL_JOINED, 1));
	}
}

/* The edge by which the item is reached from the subject, item[0]; NULL: there is no path. by: room
 * for an edge of each item. */
static const struct edge *
edge_to(const struct graph *g, size_t other, const struct edge **by)
{
	size_t i, a, b;
	int more = 1;

	while (more && by[other] == NULL)
		for (more = 0, i = 0; i < g->n; i++) {
			a = g->edge[i].a;
			b = g->edge[i].b;
			if ((a == 0 || by[a] != NULL) && b != 0 && by[b] == NULL) {
				by[b] = &g->edge[i];
				more = 1;
			} else if ((b == 0 || by[b] != NULL) && a != 0 && by[a] == NULL) {
				by[a] = &g->edge[i];
				more = 1;
			}
		}
	return by[other];
}

/* The edge between the item and the subject themselves, else the last one of a path. */
static const struct edge *
edge_of(const struct graph *g, size_t other, const struct edge **by)
{
	for (size_t i = 0; i < g->n; i++)
		if ((g->edge[i].a == 0 && g->edge[i].b == other) ||
		    (g->edge[i].b == 0 && g->edge[i].a == other))
			return &g->edge[i];
	return edge_to(g, other, by);
}

static void
put_why(struct ledger *l, const int64_t *item, size_t other, const struct edge *e, json_t *o)
{
	size_t with = e == NULL ? 0 : e->a == other ? e->b : e->a;
	char id[TEXT_BASE32_16];

	if (e == NULL)
		json_set_text(o, "why", "an equal link or title: they joined when reasons were not "
		    "kept yet, or through a record that has left");
	else if (e->ruling != NULL)
		json_object_set(o, "joined", e->ruling);
	else
		json_set_text(o, "why", e->why);
	if (with != 0) {
		book_rid(l->book, item[with], id);
		json_set_text(o, "with", id);
	}
}

void
explain_why(struct ledger *l, const int64_t *item, size_t n, json_t *const *o)
{
	struct graph g = { .edge = xcalloc(EDGES_MAX, sizeof(*g.edge)) };
	const struct edge **by = xcalloc(n, sizeof(*by));
	size_t i;

	for (i = 0; i < n; i++)
		edges_read(&l->book->db, item, n, i, &g);
	for (i = 1; i < n; i++)
		put_why(l, item, i, edge_of(&g, i, by), o[i]);
	for (i = 0; i < g.n; i++) {
		free(g.edge[i].why);
		json_decref(g.edge[i].ruling);
	}
	free(g.edge);
	free(by);
}

/* ---- What operators said ---- */

static void
put_apart(struct ledger *l, int64_t item, json_t *o)
{
	struct db *db = &l->book->db;
	json_t *list = json_array(), *one;
	char id[TEXT_BASE32_16];

	db_bind(db, SQL_RULINGS, DB_INT(item));
	while (db_step(db, SQL_RULINGS)) {
		if (db_int(db, SQL_RULINGS, 1) != 0)
			continue;
		one = ruling_json(db_int(db, SQL_RULINGS, 2), db_text(db, SQL_RULINGS, 3),
		    db_text(db, SQL_RULINGS, 4));
		book_rid(l->book, db_int(db, SQL_RULINGS, 0), id);
		json_set_text(one, "id", id);
		json_array_append_new(list, one);
	}
	if (json_array_size(list) > 0)
		json_object_set(o, "apart", list);
	json_decref(list);
}

static void
put_merged(struct db *db, int64_t story, json_t *o)
{
	json_t *list = json_array();
	char id[TEXT_BASE32_16];
	struct bytes rid;

	db_bind(db, SQL_ALIASES, DB_INT(story), DB_INT(MERGED_MAX));
	while (db_step(db, SQL_ALIASES)) {
		rid = db_blob(db, SQL_ALIASES, 0);
		if (rid.len != 16)
			continue;
		text_base32(id, rid.data, rid.len);
		json_array_append_new(list, json_string(id));
	}
	if (json_array_size(list) > 0)
		json_object_set(o, "merged", list);
	json_decref(list);
}

void
explain_ruled(struct ledger *l, int64_t item, int64_t story, json_t *o)
{
	int64_t act = story_hidden(l->book, story);
	struct db *db = &l->book->db;

	if (act != 0) {
		db_bind(db, SQL_ACT_GET, DB_INT(act));
		if (db_step(db, SQL_ACT_GET))
			json_object_set_new(o, "hidden", ruling_json(db_int(db, SQL_ACT_GET, 0),
			    db_text(db, SQL_ACT_GET, 1), db_text(db, SQL_ACT_GET, 4)));
		db_done(db, SQL_ACT_GET);
	}
	put_apart(l, item, o);
	put_merged(db, story, o);
}

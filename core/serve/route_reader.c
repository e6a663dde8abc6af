/* The records that a route kept, which serve reads from the route's verdicts in the database. */
#include "route_reader.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/reader.h"
#include "record/verdict.h"

#include <stdlib.h>
#include <string.h>

/* Adds a kept row. 0, or -1: a maximum is reached. */
static int
route_reader_add(struct route_reader *k, const struct verdict *v)
{
	struct route_row *row = &k->row[k->n];
	char *copy;

	if (k->n == KEPT_ROWS || k->bytes + v->changes.len > KEPT_BYTES) {
		k->more = 1;
		return -1;
	}
	*row = (struct route_row){ .n = v->n };
	if (v->changes.len > 0) {
		copy = xmalloc(v->changes.len);
		memcpy(copy, v->changes.data, v->changes.len);
		row->changes = (struct bytes){ copy, v->changes.len };
		k->bytes += v->changes.len;
	}
	k->n++;
	return 0;
}

/* Adds the kept rows of a blob that lie beyond `from`. -1: a maximum is reached. */
static int
route_reader_blob(struct route_reader *k, const struct verdicts *all, int64_t from, int down)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct verdict *v = &all->row[down ? all->n - 1 - i : i];

		if (v->verdict == CR_KEEP && (down ? v->n < from : v->n > from) &&
		    route_reader_add(k, v) == -1)
			return -1;
	}
	return 0;
}

int
route_reader_read(struct route_reader *k, struct reader *r, int64_t route, int64_t from, int down)
{
	struct verdicts all = { .first = 0 };
	int rc;

	*k = (struct route_reader){ .row = NULL };
	if (reader_ask(r, down ? LOOK_VERDICTS_BEFORE : LOOK_VERDICTS_AFTER, DB_INT(route),
		DB_INT(from)) == -1)
		return -1;
	k->row = xcalloc(KEPT_ROWS, sizeof(*k->row));
	while ((rc = reader_step(r)) == 1) {
		if (verdicts_read(&all, reader_int(r, 0), reader_int(r, 1),
			reader_blob(r, 2)) == -1)
			log_warn("verdicts of route %lld cannot be read", (long long)route);
		else if (route_reader_blob(k, &all, from, down) == -1)
			break;
	}
	reader_done(r);
	verdicts_free(&all);
	if (rc == -1)
		route_reader_free(k);
	return rc == -1 ? -1 : 0;
}

void
route_reader_free(struct route_reader *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		free((char *)k->row[i].changes.data);
	free(k->row);
	*k = (struct route_reader){ .row = NULL };
}

/* Whether the route kept the log's row n; -1: the database cannot be read. seen: a cache, as in
 * route_reader_later(). */
static int
route_reader_at(struct reader *r, int64_t route, int64_t n, struct verdicts *seen)
{
	const struct verdict *v;
	int rc = 1;

	if (n < seen->first || n > seen->last) {
		if (reader_ask(r, LOOK_VERDICTS_AFTER, DB_INT(route), DB_INT(n - 1)) == -1)
			return -1;
		if ((rc = reader_step(r)) == 1 && verdicts_read(seen, reader_int(r, 0),
		    reader_int(r, 1), reader_blob(r, 2)) == -1)
			log_warn("verdicts of route %lld cannot be read", (long long)route);
		reader_done(r);
	}
	if (rc != 1)
		return rc;
	v = n >= seen->first && n <= seen->last ? verdicts_find(seen, n) : NULL;
	return v != NULL && v->verdict == CR_KEEP;
}

int
route_reader_later(struct reader *r, int64_t route, int64_t n, struct verdicts *seen)
{
	int64_t later[KEPT_LATER];
	size_t count = 0, i;
	int rc;

	if (reader_ask(r, LOOK_LATER, DB_INT(n)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1 && count < KEPT_LATER)
		later[count++] = reader_int(r, 0);
	reader_done(r);
	for (i = 0; rc != -1 && i < count; i++)
		if ((rc = route_reader_at(r, route, later[i], seen)) == 1)
			return 1;
	return rc == -1 ? -1 : 0;
}

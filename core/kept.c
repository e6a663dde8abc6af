/* What a route kept, as serve reads it from the ledger's verdicts. */
#include "kept.h"
#include "log.h"
#include "mem.h"
#include "reader.h"
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

/* 0, or -1: it is full. */
static int
kept_add(struct kept *k, const struct verdict *v)
{
	struct kept_row *row = &k->row[k->n];
	char *copy;

	if (k->n == KEPT_ROWS || k->bytes + v->changes.len > KEPT_BYTES) {
		k->more = 1;
		return -1;
	}
	*row = (struct kept_row){ .n = v->n };
	if (v->changes.len > 0) {
		copy = xmalloc(v->changes.len);
		memcpy(copy, v->changes.data, v->changes.len);
		row->changes = (struct bytes){ copy, v->changes.len };
		k->bytes += v->changes.len;
	}
	k->n++;
	return 0;
}

/* The kept ones of a blob that lie beyond `from`. -1: it is full. */
static int
kept_blob(struct kept *k, const struct verdicts *all, int64_t from, int down)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		const struct verdict *v = &all->row[down ? all->n - 1 - i : i];

		if (v->verdict == CR_KEEP && (down ? v->n < from : v->n > from) &&
		    kept_add(k, v) == -1)
			return -1;
	}
	return 0;
}

int
kept_read(struct kept *k, struct reader *r, int64_t route, int64_t from, int down)
{
	struct verdicts all = { .first = 0 };
	int rc;

	*k = (struct kept){ .row = NULL };
	if (reader_ask(r, down ? LOOK_VERDICTS_BEFORE : LOOK_VERDICTS_AFTER, LOOK_INT(route),
		LOOK_INT(from)) == -1)
		return -1;
	k->row = xcalloc(KEPT_ROWS, sizeof(*k->row));
	while ((rc = reader_step(r)) == 1) {
		if (verdicts_read(&all, reader_int(r, 0), reader_int(r, 1),
			reader_blob(r, 2)) == -1)
			log_warn("verdicts of route %lld cannot be read", (long long)route);
		else if (kept_blob(k, &all, from, down) == -1)
			break;
	}
	reader_done(r);
	verdicts_free(&all);
	if (rc == -1)
		kept_free(k);
	return rc == -1 ? -1 : 0;
}

void
kept_free(struct kept *k)
{
	size_t i;

	for (i = 0; i < k->n; i++)
		free((char *)k->row[i].changes.data);
	free(k->row);
	*k = (struct kept){ .row = NULL };
}

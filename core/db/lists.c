/* The lists of stories. */
#include "lists.h"
#include "reader.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct { enum reader_sql look; int span; } statements[] = {
	[LIST_BY_HEAT] = { LOOK_LIST_HEAT, 0 }, [LIST_BY_BIRTH] = { LOOK_LIST_BIRTH, 0 },
	[LIST_SPAN_HEAT] = { LOOK_LIST_SPAN_HEAT, 1 }, [LIST_SPAN_SCORE] = { LOOK_LIST_SPAN_SCORE, 1 },
};

int
list_read(struct reader *r, const struct list *l, const struct list_place *behind, size_t most,
    struct list_row *rows)
{
	const struct list_place first = { INFINITY, INT64_MAX, INT64_MAX };
	const int64_t from = statements[l->by].span ? l->from : 1, to = statements[l->by].span ? l->to : INT64_MAX;
	struct bytes rid;
	size_t n = 0;
	int rc;

	if (behind == NULL)
		behind = &first;
	if (reader_ask(r, statements[l->by].look, DB_INT(from), DB_INT(to), DB_REAL(behind->key),
	    DB_INT(behind->born), DB_INT(behind->story), DB_INT((int64_t)most)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1 && n < most) {
		rows[n] = (struct list_row){ .story = reader_int(r, 0), .heat = reader_real(r, 2),
			.score = reader_real(r, 3), .born = reader_int(r, 4), .items = reader_int(r, 5) };
		rid = reader_blob(r, 1);
		if (rid.len == LIST_RID)
			memcpy(rows[n++].rid, rid.data, LIST_RID);
	}
	reader_done(r);
	return rc == -1 ? -1 : (int)n;
}

void
list_place(const struct list *l, const struct list_row *row, struct list_place *to)
{
	to->born = row->born;
	to->story = row->story;
	switch (l->by) {
	case LIST_BY_HEAT:
	case LIST_SPAN_HEAT:
		to->key = row->heat;
		break;
	case LIST_SPAN_SCORE:
		to->key = row->score;
		break;
	case LIST_BY_BIRTH:
	default:
		to->key = 0;
	}
	if (isinf(to->key))		/* as the statements take what there is none of */
		to->key = LIST_NO_KEY;
}

void
list_place_write(const struct list_place *p, char out[LIST_PLACE])
{
	uint64_t key;

	memcpy(&key, &p->key, sizeof(key));
	snprintf(out, LIST_PLACE, "%016" PRIx64 "-%" PRIx64 "-%" PRIx64, key, (uint64_t)p->born, (uint64_t)p->story);
}

int
list_place_read(struct list_place *p, const char *s)
{
	char again[LIST_PLACE], *at = NULL;
	uint64_t part[3] = { 0 };

	if (strlen(s) >= LIST_PLACE)
		return -1;
	for (size_t i = 0; i < 3; i++)
		part[i] = strtoull(i == 0 ? s : at + (*at == '-'), &at, 16);
	*p = (struct list_place){ .born = (int64_t)part[1], .story = (int64_t)part[2] };
	memcpy(&p->key, &part[0], sizeof(p->key));
	list_place_write(p, again);
	return strcmp(s, again) == 0 && !isnan(p->key) ? 0 : -1;
}

/* What a search has found. */
#include "found.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/reader.h"
#include "record/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void
found_init(struct found *f, int64_t after, int64_t before, int dated)
{
	*f = (struct found){ .after = after, .before = before, .dated = dated };
}

void
found_clear(struct found *f)
{
	f->n = 0;
	free(f->story);
	f->story = NULL;
	f->stories = f->mask = 0;
}

void
found_free(struct found *f)
{
	found_clear(f);
	free(f->row);
	f->row = NULL;
	f->room = 0;
}

void
found_add(struct found *f, int64_t n, double score)
{
	if (f->n == f->room) {
		f->room = f->room > 0 ? 2 * f->room : 256;
		f->row = xreallocarray(f->row, f->room, sizeof(*f->row));
	}
	f->row[f->n++] = (struct found_row){ .n = n, .score = score };
}

/* The slot of a story, or the free one for it. */
static int64_t *
slot_of(const struct found *f, int64_t story)
{
	size_t i = (size_t)((uint64_t)story * UINT64_C(0x9e3779b97f4a7c15) >> 20) & f->mask;

	while (f->story[i] != 0 && f->story[i] != story)
		i = (i + 1) & f->mask;
	return &f->story[i];
}

/* Makes room for another story. */
static void
stories_grow(struct found *f)
{
	int64_t *old = f->story;
	const size_t slots = old != NULL ? f->mask + 1 : 0;

	f->mask = old != NULL ? 2 * f->mask + 1 : 255;
	f->story = xcalloc(f->mask + 1, sizeof(*f->story));
	for (size_t i = 0; i < slots; i++)
		if (old[i] != 0)
			*slot_of(f, old[i]) = old[i];
	free(old);
}

int
found_story(struct found *f, int64_t story)
{
	int64_t *slot;

	if (f->story == NULL || 2 * f->stories > f->mask)
		stories_grow(f);
	slot = slot_of(f, story);
	if (*slot == story)
		return 0;
	*slot = story;
	f->stories++;
	return 1;
}

void
found_first(struct found *f, const struct found *first)
{
	const size_t n = f->n;

	for (size_t i = 0; i < first->n; i++)
		found_add(f, 0, 0);
	if (first->n == 0)
		return;
	memmove(f->row + first->n, f->row, n * sizeof(*f->row));
	memcpy(f->row, first->row, first->n * sizeof(*f->row));
}

static int
failed(struct found *f, const struct reader *r)
{
	f->why = reader_why(r);
	return -1;
}

int
found_resolve(struct found *f, struct reader *r, struct found_row *row)
{
	int64_t seen;
	int rc;

	if (row->item != 0)
		return 1;
	if (reader_ask(r, LOOK_MATCH, DB_INT(row->n)) == -1)
		return failed(f, r);
	rc = reader_step(r);
	if (rc == 1) {
		row->item = reader_int(r, 0);
		row->story = reader_int(r, 1);
		row->heat = reader_real(r, 2);
		seen = reader_int(r, 3);
		if (f->dated && (seen < f->after || seen >= f->before))
			row->item = rc = 0;
	}
	reader_done(r);
	return rc == -1 ? failed(f, r) : rc;
}

static int
by_score(const void *a, const void *b)
{
	const struct found_row *x = a, *y = b;

	if (x->score < y->score || x->score > y->score)
		return x->score < y->score ? 1 : -1;
	return (x->n < y->n) - (x->n > y->n);
}

void
found_by_score(struct found *f)
{
	if (f->n > 1)
		qsort(f->row, f->n, sizeof(*f->row), by_score);
}

static int
by_age(const void *a, const void *b)
{
	const struct found_row *x = a, *y = b;

	return (x->item < y->item) - (x->item > y->item);
}

void
found_by_age(struct found *f)
{
	if (f->n > 1)
		qsort(f->row, f->n, sizeof(*f->row), by_age);
}

static int
by_heat(const void *a, const void *b)
{
	const struct found_row *x = a, *y = b;

	if (x->heat < y->heat || x->heat > y->heat)
		return x->heat < y->heat ? 1 : -1;
	return by_score(a, b);
}

int
found_by_heat(struct found *f, struct reader *r)
{
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < f->n; i++) {
		if ((rc = found_resolve(f, r, &f->row[i])) == -1)
			return -1;
		if (rc == 1)
			f->row[n++] = f->row[i];
	}
	f->n = n;
	if (n > 1)
		qsort(f->row, n, sizeof(*f->row), by_heat);
	return 0;
}

/* ---- Stories ---- */

/* Adds the story by one of its records. 1; 0: it is gone; -1. */
static int
story_json(struct found *f, struct reader *r, const struct found_row *row, json_t *list)
{
	struct reader_row at;
	struct cr_record *record;
	json_t *o;
	int rc;

	if (reader_ask(r, LOOK_ITEM, DB_INT(row->item)) == -1)
		return failed(f, r);
	if ((rc = reader_step(r)) == 1) {
		reader_row(r, &at);
		if ((record = reader_row_record(&at)) != NULL) {
			o = json_object();
			json_set_text(o, "id", record_get(record, CR_ID, 0));
			json_set_text(o, "title", record_get(record, CR_TITLE, 0));
			json_set_text(o, "link", record_get(record, CR_LINK, 0));
			json_set_text(o, "source", at.source);
			json_set_time(o, "published", record_get_time(record, CR_PUBLISHED));
			json_set_time(o, "seen", at.seen);
			json_set_number(o, "records", reader_int(r, 7));
			if (row->score > 0)
				json_object_set_new(o, "score", json_real(round(row->score * 1000) / 1000));
			json_array_append_new(list, o);
			record_free(record);
		} else {
			rc = 0;
		}
	}
	reader_done(r);
	return rc == -1 ? failed(f, r) : rc;
}

int
found_json(struct found *f, struct reader *r, size_t most, json_t *list, int *more)
{
	struct found once;
	int rc = 0;

	found_init(&once, 0, 0, 0);
	*more = 0;
	for (size_t i = 0; i < f->n && rc != -1; i++) {
		if ((rc = found_resolve(f, r, &f->row[i])) != 1)
			continue;
		if (!found_story(&once, f->row[i].story))
			continue;
		if (json_array_size(list) == most) {
			*more = 1;
			break;
		}
		rc = story_json(f, r, &f->row[i], list);
	}
	found_free(&once);
	return rc == -1 ? -1 : 0;
}

/* A story as pages and the API show it. */
#include "story_read.h"
#include "base/date.h"
#include "base/mem.h"
#include "db/reader.h"
#include "db/schema.h"
#include "record/heat.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *
copied(const char *s)
{
	return s != NULL && s[0] != '\0' ? xstrdup(s) : NULL;
}

static void
teller_add(struct story *s, const struct reader_row *row, const struct cr_record *rec)
{
	struct story_teller *t;

	s->teller = xreallocarray(s->teller, s->ntellers + 1, sizeof(*s->teller));
	t = &s->teller[s->ntellers++];
	*t = (struct story_teller){ .source = copied(row->source), .title = copied(record_get(rec, CR_TITLE, 0)),
		.link = copied(record_get(rec, CR_LINK, 0)), .seen = row->seen };
	if (row->rid.len == LIST_RID)
		text_base32(t->id, row->rid.data, LIST_RID);
}

/* Takes over the record as the face, or frees it once it has given what the face lacks. */
static void
face_take(struct story *s, struct cr_record *rec)
{
	static const int fields[] = { CR_TITLE, CR_LINK, CR_SUMMARY, CR_IMAGE, CR_LANGUAGE };
	struct record_author a;
	const char *text;

	if (s->face == NULL) {
		s->face = rec;
		return;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (record_get(s->face, fields[i], 0) == NULL && (text = record_get(rec, fields[i], 0)) != NULL)
			(void)record_set(s->face, fields[i], text, strlen(text));
	for (size_t i = 0; record_get(s->face, CR_AUTHOR, i) == NULL && record_author(rec, CR_AUTHOR, i, &a); i++)
		(void)record_add_author(s->face, CR_AUTHOR, a.name, a.mail, a.uri);
	record_free(rec);
}

static int
records_read(struct reader *r, struct story *s)
{
	struct cr_record *rec;
	struct reader_row row;
	int rc;

	if (reader_ask(r, LOOK_STORY_RECORDS, DB_INT(s->row.story), DB_INT(STORY_TELLERS)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1) {
		reader_row(r, &row);
		if ((rec = reader_row_record(&row)) == NULL)
			continue;
		teller_add(s, &row, rec);
		face_take(s, rec);
	}
	reader_done(r);
	return rc;
}

static int
numbers_read(struct reader *r, struct story *s)
{
	const char *name;
	int rc;

	if (reader_ask(r, LOOK_STORY_NUMBERS, DB_INT(s->row.story)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1 && s->nnumbers < STORY_NUMBERS) {
		if ((name = reader_text(r, 0)) == NULL)
			continue;
		snprintf(s->number[s->nnumbers].name, sizeof(s->number[0].name), "%s", name);
		s->number[s->nnumbers++].value = reader_int(r, 1);
	}
	reader_done(r);
	return rc == -1 ? -1 : 0;
}

int
story_load(struct reader *r, const struct list_row *row, struct story *s)
{
	*s = (struct story){ .row = *row };
	text_base32(s->id, row->rid, LIST_RID);
	if (records_read(r, s) == -1 || numbers_read(r, s) == -1) {
		story_unload(s);
		return -1;
	}
	if (s->face == NULL)
		s->face = record_new();
	return 0;
}

void
story_unload(struct story *s)
{
	for (size_t i = 0; i < s->ntellers; i++) {
		free(s->teller[i].source);
		free(s->teller[i].title);
		free(s->teller[i].link);
	}
	free(s->teller);
	record_free(s->face);
	*s = (struct story){ .ntellers = 0 };
}

int
story_find(struct reader *r, const unsigned char rid[LIST_RID], struct list_row *row, int64_t *hidden)
{
	struct bytes id;
	int rc;

	if (reader_ask(r, LOOK_STORY, DB_BLOB(rid, LIST_RID)) == -1)
		return -1;
	if ((rc = reader_step(r)) == 1) {
		*row = (struct list_row){ .story = reader_int(r, 0), .heat = reader_real(r, 2),
			.score = reader_real(r, 3), .born = reader_int(r, 4), .items = reader_int(r, 5) };
		*hidden = reader_int(r, 6);
		id = reader_blob(r, 1);
		if (id.len == LIST_RID)
			memcpy(row->rid, id.data, LIST_RID);
	}
	reader_done(r);
	return rc;
}

/* ---- Heat ---- */

static int
by_item(const void *a, const void *b)
{
	const struct story_term *x = a, *y = b;

	return (x->term.item > y->term.item) - (x->term.item < y->term.item);
}

static void
term_add(struct story_heat *h, struct reader *r)
{
	const char *name = reader_text(r, 2), *source = reader_text(r, 10);
	struct bytes rid = reader_blob(r, 9);
	struct story_term *one;

	h->term = xreallocarray(h->term, h->n + 1, sizeof(*h->term));
	one = &h->term[h->n++];
	*one = (struct story_term){ .source = source != NULL ? xstrdup(source) : NULL,
		.term = { .item = reader_int(r, 0), .source = reader_int(r, 1), .hi = reader_int(r, 3),
			.w = reader_real(r, 4), .heat = reader_real(r, 5), .n = reader_int(r, 6),
			.first = reader_int(r, 7), .last = reader_int(r, 8) } };
	snprintf(one->term.name, sizeof(one->term.name), "%s", name != NULL ? name : "");
	if (rid.len == LIST_RID)
		text_base32(one->id, rid.data, LIST_RID);
}

/* Marks the terms that count, and puts all in the order of heat_terms_count(). */
static void
terms_count(struct story_heat *h)
{
	struct story_term *given = h->term, key = { .source = NULL }, *by;
	struct heat_term *all = xcalloc(h->n + 1, sizeof(*all));

	for (size_t i = 0; i < h->n; i++)
		all[i] = given[i].term;
	heat_terms_count(all, h->n);
	if (h->n > 1)
		qsort(given, h->n, sizeof(*given), by_item);
	h->term = xcalloc(h->n + 1, sizeof(*h->term));
	for (size_t i = 0; i < h->n; i++) {
		key.term = all[i];
		by = bsearch(&key, given, h->n, sizeof(*given), by_item);
		h->term[i] = (struct story_term){ .term = all[i] };
		memcpy(h->term[i].id, by->id, sizeof(by->id));
		h->term[i].source = by->source != NULL ? xstrdup(by->source) : NULL;
	}
	for (size_t i = 0; i < h->n; i++)
		free(given[i].source);
	free(given);
	free(all);
}

int64_t
story_half_life(struct reader *r)
{
	int64_t ms = 0;

	if (reader_ask(r, LOOK_META, DB_TEXT(SCHEMA_HALF_LIFE)) == -1)
		return 0;
	if (reader_step(r) == 1)
		ms = reader_int(r, 0);
	reader_done(r);
	return ms;
}

/* 0; -1: the database cannot be read. */
static int
rank_read(struct reader *r, const struct list_row *row, struct story_heat *h)
{
	int rc;

	if (isinf(row->heat))
		return 0;
	if (reader_ask(r, LOOK_STORY_RANK, DB_REAL(row->heat), DB_INT(HEAT_RANKS)) == -1)
		return -1;
	if ((rc = reader_step(r)) == 1 && reader_int(r, 0) < HEAT_RANKS)
		h->rank = reader_int(r, 0) + 1;
	reader_done(r);
	return rc == -1 ? -1 : 0;
}

int
story_heat_read(struct reader *r, const struct list_row *row, struct story_heat *h)
{
	int rc;

	*h = (struct story_heat){ .n = 0 };
	if (reader_ask(r, LOOK_STORY_TERMS, DB_INT(row->story)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1)
		term_add(h, r);
	reader_done(r);
	terms_count(h);
	h->half_life = story_half_life(r);
	if (rc == 0 && rank_read(r, row, h) == 0)
		return 0;
	story_heat_free(h);
	return -1;
}

void
story_heat_free(struct story_heat *h)
{
	while (h->n > 0)
		free(h->term[--h->n].source);
	free(h->term);
	h->term = NULL;
}

double
story_heat_now(const struct list_row *row, int64_t half_life)
{
	const struct heat_rules rules = { .half_life = half_life };

	return isinf(row->heat) || half_life <= 0 ? 0 : heat_at(&rules, row->heat, date_now());
}

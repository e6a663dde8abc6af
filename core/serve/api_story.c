/* Stories in the API. */
#include "api_story.h"
#include "api.h"
#include "reply.h"
#include "serve.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/reader.h"
#include "db/schema.h"
#include "record/heat.h"
#include "record/heat_term.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record that has terms. */
struct teller {
	int64_t	 item;
	char	 id[TEXT_BASE32_16], *source;
};
struct story_answer {
	struct serve	*serve;
	int64_t		 story, born, items, hidden, rank, half_life;
	double		 heat, score;	/* heat: its logarithm */
	char		 id[TEXT_BASE32_16];
	struct heat_term *term;
	size_t		 nterm;
	struct teller	*teller;
	size_t		 nteller;
};

static void
rid_text(char text[TEXT_BASE32_16], struct bytes rid)
{
	text[0] = '\0';
	if (rid.len == API_RID)
		text_base32(text, rid.data, rid.len);
}

/* ---- Reading ---- */

/* 1; 0: there is no such story; -1: the database cannot be read. */
static int
story_read(struct story_answer *t, const unsigned char rid[API_RID])
{
	struct reader *r = t->serve->reader;
	int rc;

	if (reader_ask(r, LOOK_STORY, DB_BLOB(rid, API_RID)) == -1)
		return -1;
	if ((rc = reader_step(r)) == 1) {
		t->story = reader_int(r, 0);
		rid_text(t->id, reader_blob(r, 1));
		t->heat = reader_real(r, 2);
		t->score = reader_real(r, 3);
		t->born = reader_int(r, 4);
		t->items = reader_int(r, 5);
		t->hidden = reader_int(r, 6);
	}
	reader_done(r);
	return rc;
}

static void
term_read(struct story_answer *t, struct reader *r)
{
	const char *name = reader_text(r, 2), *source = reader_text(r, 10);
	struct heat_term *one;
	struct teller *by;

	t->term = xreallocarray(t->term, t->nterm + 1, sizeof(*t->term));
	one = &t->term[t->nterm++];
	*one = (struct heat_term){ .item = reader_int(r, 0), .source = reader_int(r, 1),
		.hi = reader_int(r, 3), .w = reader_real(r, 4), .heat = reader_real(r, 5),
		.n = reader_int(r, 6), .first = reader_int(r, 7), .last = reader_int(r, 8) };
	snprintf(one->name, sizeof(one->name), "%s", name != NULL ? name : "");
	if (t->nteller > 0 && t->teller[t->nteller - 1].item == one->item)
		return;
	t->teller = xreallocarray(t->teller, t->nteller + 1, sizeof(*t->teller));
	by = &t->teller[t->nteller++];
	by->item = one->item;
	by->source = source != NULL ? xstrdup(source) : NULL;
	rid_text(by->id, reader_blob(r, 9));
}

/* The terms, the place and the half-life. 0; -1: the database cannot be read. */
static int
heat_read(struct story_answer *t)
{
	struct reader *r = t->serve->reader;
	int rc;

	if (reader_ask(r, LOOK_STORY_TERMS, DB_INT(t->story)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1)
		term_read(t, r);
	reader_done(r);
	heat_terms_count(t->term, t->nterm);
	if (rc == -1 || reader_ask(r, LOOK_META, DB_TEXT(SCHEMA_HALF_LIFE)) == -1)
		return -1;
	if ((rc = reader_step(r)) == 1)
		t->half_life = reader_int(r, 0);
	reader_done(r);
	if (rc == -1 || isinf(t->heat))
		return rc == -1 ? -1 : 0;
	if (reader_ask(r, LOOK_STORY_RANK, DB_REAL(t->heat), DB_INT(HEAT_RANKS)) == -1)
		return -1;
	if ((rc = reader_step(r)) == 1 && reader_int(r, 0) < HEAT_RANKS)
		t->rank = reader_int(r, 0) + 1;
	reader_done(r);
	return rc == -1 ? -1 : 0;
}

static void
story_done(struct story_answer *t)
{
	while (t->nteller > 0)
		free(t->teller[--t->nteller].source);
	free(t->teller);
	free(t->term);
}

/* ---- The answers ---- */

/* What is left of the heat. */
static double
heat_now(const struct story_answer *t)
{
	const struct heat_rules rules = { .half_life = t->half_life };

	return isinf(t->heat) || t->half_life <= 0 ? 0 : heat_at(&rules, t->heat, date_now());
}

static json_t *
terms_json(const struct story_answer *t)
{
	json_t *all = json_array();
	size_t k;

	for (size_t i = 0; i < t->nterm; i++) {
		for (k = 0; k + 1 < t->nteller && t->teller[k].item != t->term[i].item; k++)
			;
		json_array_append_new(all, heat_term_json(&t->term[i], t->teller[k].id, t->teller[k].source));
	}
	return all;
}

static json_t *
numbers_json(const struct story_answer *t)
{
	json_t *all = json_object();

	for (size_t i = 0; i < t->nterm; i++)
		if (t->term[i].counts && t->term[i].name[0] != '\0')
			json_object_set_new(all, t->term[i].name, json_integer(t->term[i].hi));
	return all;
}

static void
answer(struct serve *s, struct evhttp_request *req, json_t *o)
{
	struct buf b;

	buf_init(&b, SERVE_ANSWER_MAX);
	json_put(&b, o);
	buf_char(&b, '\n');
	reply_buf(s, req, 200, API_JSON, &b);
}

static void
answer_heat(struct story_answer *t, struct evhttp_request *req)
{
	json_t *o = json_object();

	json_set_text(o, "id", t->id);
	heat_json_set(o, "sum", t->heat);
	heat_json_set(o, "now", heat_now(t));
	heat_json_set(o, "score", t->score);
	json_set_number(o, "rank", t->rank);
	json_set_number(o, "half_life", t->half_life);
	json_object_set_new(o, "terms", terms_json(t));
	answer(t->serve, req, o);
}

/* Adds those of the story's fields that it lacks and the record has. */
static void
face_add(json_t *o, json_t *record)
{
	static const char *const fields[] = { "title", "link", "authors", "image", "summary" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (json_object_get(o, fields[i]) == NULL && json_object_get(record, fields[i]) != NULL)
			json_object_set(o, fields[i], json_object_get(record, fields[i]));
}

/* The records, and what they give the story. 0; -1: the database cannot be read. */
static int
records_json(const struct story_answer *t, json_t *o, json_t *records)
{
	struct reader *r = t->serve->reader;
	struct reader_row row;
	json_t *record;
	struct buf b;
	int rc;

	if (reader_ask(r, LOOK_STORY_RECORDS, DB_INT(t->story), DB_INT(API_STORY_RECORDS)) == -1)
		return -1;
	buf_init(&b, SERVE_ANSWER_MAX);
	while ((rc = reader_step(r)) == 1) {
		reader_row(r, &row);
		buf_clear(&b);
		if (reader_row_json(&row, &b) == -1 || b.over ||
		    (record = json_loadb(b.data, b.len, 0, NULL)) == NULL)
			continue;
		face_add(o, record);
		json_array_append_new(records, record);
	}
	reader_done(r);
	buf_free(&b);
	return rc;
}

/* The stories that became part of this one. 0; -1: the database cannot be read. */
static int
merged_json(const struct story_answer *t, json_t *merged)
{
	struct reader *r = t->serve->reader;
	char id[TEXT_BASE32_16];
	int rc;

	if (reader_ask(r, LOOK_STORY_MERGED, DB_INT(t->story), DB_INT(API_STORY_RECORDS)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1) {
		rid_text(id, reader_blob(r, 0));
		json_array_append_new(merged, json_string(id));
	}
	reader_done(r);
	return rc;
}

static void
answer_story(struct story_answer *t, struct evhttp_request *req)
{
	json_t *o = json_object(), *records = json_array(), *merged = json_array();
	int rc;

	json_set_text(o, "id", t->id);
	rc = records_json(t, o, records) == -1 ? -1 : merged_json(t, merged);
	json_set_number(o, "sources", t->items);
	heat_json_set(o, "heat", heat_now(t));
	heat_json_set(o, "score", t->score);
	json_set_number(o, "rank", t->rank);
	json_set_time(o, "born", t->born);
	json_object_set_new(o, "numbers", numbers_json(t));
	json_object_set_new(o, "merged", merged);
	json_object_set_new(o, "records", records);
	if (rc == 0)
		answer(t->serve, req, o);
	else {
		json_decref(o);
		api_unreadable(t->serve, req);
	}
}

void
api_story(struct serve *s, struct evhttp_request *req, const char *path)
{
	const char *id = path + strlen("/api/v1/stories/"), *what = id + strcspn(id, "/");
	struct story_answer t = { .serve = s };
	unsigned char rid[API_RID];
	int rc;

	if (text_base32_read(rid, id, (size_t)(what - id)) == -1) {
		reply_error(s, req, 404, "\"%.100s\" is no id of a record", id);
		return;
	}
	if (what[0] != '\0' && strcmp(what, "/heat") != 0) {
		reply_error(s, req, 404, "a story has no \"%.100s\"", what + 1);
		return;
	}
	if ((rc = story_read(&t, rid)) == 1 && t.hidden == 0)
		rc = heat_read(&t) == 0 ? 1 : -1;
	if (rc == -1)
		api_unreadable(s, req);
	else if (rc == 0)
		reply_error(s, req, 404, "there is no record %s", id);
	else if (t.hidden != 0)
		reply_error(s, req, 410, "the story was hidden");
	else if (what[0] != '\0')
		answer_heat(&t, req);
	else
		answer_story(&t, req);
	story_done(&t);
}

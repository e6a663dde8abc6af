/* Stories in the API. */
#include "api_story.h"
#include "api.h"
#include "reply.h"
#include "serve.h"
#include "story_read.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/reader.h"
#include "record/heat_term.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct story_answer {
	struct serve	*serve;
	struct list_row	 row;
	struct story_heat heat;
	char		 id[TEXT_BASE32_16];
};

/* ---- The answers ---- */

static json_t *
terms_json(const struct story_answer *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->heat.n; i++)
		json_array_append_new(all, heat_term_json(&t->heat.term[i].term, t->heat.term[i].id,
		    t->heat.term[i].source));
	return all;
}

static json_t *
numbers_json(const struct story_answer *t)
{
	json_t *all = json_object();

	for (size_t i = 0; i < t->heat.n; i++) {
		const struct heat_term *one = &t->heat.term[i].term;

		if (one->counts && one->name[0] != '\0')
			json_object_set_new(all, one->name, json_integer(one->hi));
	}
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
	heat_json_set(o, "sum", t->row.heat);
	heat_json_set(o, "now", story_heat_now(&t->row, t->heat.half_life));
	heat_json_set(o, "score", t->row.score);
	json_set_number(o, "rank", t->heat.rank);
	json_set_number(o, "half_life", t->heat.half_life);
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

	if (reader_ask(r, LOOK_STORY_RECORDS, DB_INT(t->row.story), DB_INT(API_STORY_RECORDS)) == -1)
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
	struct bytes rid;
	int rc;

	if (reader_ask(r, LOOK_STORY_MERGED, DB_INT(t->row.story), DB_INT(API_STORY_RECORDS)) == -1)
		return -1;
	while ((rc = reader_step(r)) == 1) {
		rid = reader_blob(r, 0);
		if (rid.len != LIST_RID)
			continue;
		text_base32(id, rid.data, LIST_RID);
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
	json_set_number(o, "sources", t->row.items);
	heat_json_set(o, "heat", story_heat_now(&t->row, t->heat.half_life));
	heat_json_set(o, "score", t->row.score);
	json_set_number(o, "rank", t->heat.rank);
	json_set_time(o, "born", t->row.born);
	json_object_set_new(o, "numbers", numbers_json(t));
	json_object_set_new(o, "merged", merged);
	json_object_set_new(o, "records", records);
	if (rc == 0)
		answer(t->serve, req, o);
	else {
		json_decref(o);
		reply_unreadable(t->serve, req);
	}
}

void
api_story(struct serve *s, struct evhttp_request *req, const char *path)
{
	const char *id = path + strlen("/api/v1/stories/"), *what = id + strcspn(id, "/");
	struct story_answer t = { .serve = s };
	unsigned char rid[LIST_RID];
	int64_t hidden = 0;
	int rc;

	if (text_base32_read(rid, id, (size_t)(what - id)) == -1) {
		reply_error(s, req, 404, "\"%.100s\" is no id of a record", id);
		return;
	}
	if (what[0] != '\0' && strcmp(what, "/heat") != 0) {
		reply_error(s, req, 404, "a story has no \"%.100s\"", what + 1);
		return;
	}
	rc = story_find(s->reader, rid, &t.row, &hidden);
	if (rc == 1 && hidden == 0) {
		text_base32(t.id, t.row.rid, LIST_RID);
		rc = story_heat_read(s->reader, &t.row, &t.heat) == 0 ? 1 : -1;
	}
	if (rc == -1)
		reply_unreadable(s, req);
	else if (rc == 0)
		reply_error(s, req, 404, "there is no record %s", id);
	else if (hidden != 0)
		reply_error(s, req, 410, "the story was hidden");
	else if (what[0] != '\0')
		answer_heat(&t, req);
	else
		answer_story(&t, req);
	story_heat_free(&t.heat);
}

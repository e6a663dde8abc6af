/* Lists of stories in the API. */
#include "api_stories.h"
#include "api.h"
#include "list_name.h"
#include "reply.h"
#include "serve.h"
#include "story_read.h"
#include "base/buf.h"
#include "base/json.h"
#include "db/reader.h"
#include "record/heat_term.h"
#include "record/record.h"

#include <courant/plugin.h>

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

static json_t *
authors_json(const struct cr_record *face)
{
	json_t *all = json_array();
	const char *name;

	for (size_t i = 0; (name = record_get(face, CR_AUTHOR, i)) != NULL; i++)
		json_array_append_new(all, json_text(name));
	return all;
}

static json_t *
tellers_json(const struct story *s)
{
	json_t *all = json_array(), *o;

	for (size_t i = 0; i < s->ntellers; i++) {
		o = json_object();
		json_set_text(o, "id", s->teller[i].id);
		json_set_text(o, "source", s->teller[i].source);
		json_set_text(o, "link", s->teller[i].link);
		json_set_time(o, "seen", s->teller[i].seen);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *
story_json(const struct story *s, int64_t half_life)
{
	json_t *o = json_object(), *numbers = json_object();

	json_set_text(o, "id", s->id);
	json_set_text(o, "title", record_get(s->face, CR_TITLE, 0));
	json_set_text(o, "link", record_get(s->face, CR_LINK, 0));
	json_set_text(o, "summary", record_get(s->face, CR_SUMMARY, 0));
	json_set_text(o, "image", record_get(s->face, CR_IMAGE, 0));
	json_object_set_new(o, "authors", authors_json(s->face));
	json_set_number(o, "sources", s->row.items);
	json_set_time(o, "born", s->row.born);
	heat_json_set(o, "heat", story_heat_now(&s->row, half_life));
	heat_json_set(o, "score", s->row.score);
	for (size_t i = 0; i < s->nnumbers; i++)
		json_object_set_new(numbers, s->number[i].name, json_integer(s->number[i].value));
	json_object_set_new(o, "numbers", numbers);
	json_object_set_new(o, "records", tellers_json(s));
	return o;
}

/* Fills the answer. 0; -1: the database cannot be read. */
static int
stories_json(struct serve *s, const struct list *l, const struct list_place *behind, size_t most, json_t *answer)
{
	struct list_row *rows = calloc(most + 1, sizeof(*rows));
	int n = rows != NULL ? list_read(s->reader, l, behind, most + 1, rows) : -1, rc = n == -1 ? -1 : 0;
	const int64_t half_life = story_half_life(s->reader);
	json_t *all = json_array();
	struct list_place next;
	char place[LIST_PLACE];
	struct story story;
	size_t got = 0, bytes = 0;
	const char *text;

	for (; rc == 0 && got < most && got < (size_t)n && bytes < API_PAGE_BYTES; got++)
		if ((rc = story_load(s->reader, &rows[got], &story)) == 0) {
			text = record_get(story.face, CR_SUMMARY, 0);
			bytes += text != NULL ? strlen(text) : 0;
			json_array_append_new(all, story_json(&story, half_life));
			story_unload(&story);
		}
	json_object_set_new(answer, "stories", all);
	if (rc == 0 && n > (int)got) {
		list_place(l, &rows[got - 1], &next);
		list_place_write(&next, place);
		json_set_text(answer, "next", place);
	} else
		json_object_set_new(answer, "next", json_null());
	free(rows);
	return rc;
}

void
api_stories(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct api_list_ask ask = { .limit = API_STORIES, .list = "front" };
	struct evkeyvalq values;
	struct list_place behind;
	struct list list;
	struct span span;
	json_t *answer;
	struct buf b;

	(void)path;
	if (api_list_ask(s, req, &values, &ask) == -1)
		return;
	if (list_name_read(s->zone, ask.list, &list, &span) == -1)
		reply_error(s, req, 400, "list: \"%.100s\" is none of front, trending, new, day:D, week:W, month:M", ask.list);
	else if (ask.after != NULL && list_place_read(&behind, ask.after) == -1)
		reply_error(s, req, 400, "after: \"%.100s\" is no place in a list", ask.after);
	else {
		answer = json_object();
		if (stories_json(s, &list, ask.after != NULL ? &behind : NULL, (size_t)ask.limit, answer) == -1) {
			json_decref(answer);
			reply_unreadable(s, req);
		} else {
			json_set_number(answer, "head", api_head(s));
			buf_init(&b, SERVE_ANSWER_MAX);
			json_put(&b, answer);
			buf_char(&b, '\n');
			reply_buf(s, req, 200, API_JSON, &b);
		}
	}
	evhttp_clear_headers(&values);
}

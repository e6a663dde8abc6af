/* A story as pages and the API show it. */
#include "story_read.h"
#include "base/mem.h"
#include "db/reader.h"
#include "record/record.h"

#include <courant/plugin.h>

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

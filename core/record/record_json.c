/* A record as JSON, for JSON Lines, webhooks and the API. */
#include "record_json.h"
#include "record.h"
#include "base/date.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds a comma before all but the first member of an object or list. */
static void
comma(struct buf *b)
{
	char last = b->len > 0 ? b->data[b->len - 1] : '{';

	if (last != '{' && last != '[')
		buf_char(b, ',');
}

static void
name(struct buf *b, const char *s)
{
	comma(b);
	text_json(b, s, strlen(s));
	buf_char(b, ':');
}

static void
text(struct buf *b, const char *member, const char *s)
{
	if (s == NULL || s[0] == '\0')
		return;
	name(b, member);
	text_json(b, s, strlen(s));
}

static void
integer(struct buf *b, const char *member, int64_t value)
{
	name(b, member);
	buf_fmt(b, "%lld", (long long)value);
}

/* Adds a number with as few digits as are read as the same number. */
static void
number(struct buf *b, const char *member, double value)
{
	char s[32];
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, value);
		if (strtod(s, NULL) == value)	/* the worker's locale is "C" */
			break;
	}
	name(b, member);
	buf_str(b, s);
}

static void
when(struct buf *b, const char *member, int64_t ms)
{
	char out[DATE_MAX];

	if (ms != CR_NO_TIME)
		text(b, member, date_rfc3339(out, ms));
}

/* ---- The nth member of a list; 0: there are fewer ---- */

static int
category(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	const char *s = record_get(r, field, nth);

	if (s == NULL)
		return 0;
	comma(b);
	text_json(b, s, strlen(s));
	return 1;
}

static int
person(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	struct record_author who;

	if (!record_author(r, field, nth, &who))
		return 0;
	comma(b);
	buf_char(b, '{');
	text(b, "name", who.name);
	text(b, "mail", who.mail);
	text(b, "uri", who.uri);
	buf_char(b, '}');
	return 1;
}

static int
enclosure(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	struct record_enclosure file;

	(void)field;
	if (!record_enclosure(r, nth, &file))
		return 0;
	comma(b);
	buf_char(b, '{');
	text(b, "url", file.url);
	text(b, "type", file.type);
	if (file.size >= 0)
		integer(b, "size", file.size);
	buf_char(b, '}');
	return 1;
}

static int
extra(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	const char *key, *value;

	(void)field;
	if (!record_extra_at(r, nth, &key, &value))
		return 0;
	text(b, key, value);
	return 1;
}

static int
plain_number(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	const char *key;
	double value;

	(void)field;
	if (!record_number_at(r, nth, &key, &value))
		return 0;
	number(b, key, value);
	return 1;
}

static int
counter(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	const char *key;
	int64_t value;

	(void)field;
	if (!record_counter_at(r, nth, &key, &value))
		return 0;
	integer(b, key, value);
	return 1;
}

/* ---- The members, in their order ---- */

enum { SEEN = -1, DATE = -2 };

static const struct member {
	const char	*name;
	int		 field;
	const char	*ends;		/* around a list */
	int		(*nth)(struct buf *, const struct cr_record *, int, size_t);
} members[] = {
	{ "source", CR_SOURCE, NULL, NULL },
	{ "title", CR_TITLE, NULL, NULL },
	{ "link", CR_LINK, NULL, NULL },
	{ "published", CR_PUBLISHED, NULL, NULL },
	{ "updated", CR_UPDATED, NULL, NULL },
	{ "seen", SEEN, NULL, NULL },
	{ "date", DATE, NULL, NULL },
	{ "authors", CR_AUTHOR, "[]", person },
	{ "contributors", CR_CONTRIBUTOR, "[]", person },
	{ "categories", CR_CATEGORY, "[]", category },
	{ "summary", CR_SUMMARY, NULL, NULL },
	{ "content", CR_CONTENT, NULL, NULL },
	{ "language", CR_LANGUAGE, NULL, NULL },
	{ "image", CR_IMAGE, NULL, NULL },
	{ "comments", CR_COMMENTS, NULL, NULL },
	{ "rights", CR_RIGHTS, NULL, NULL },
	{ "enclosures", CR_ENCLOSURE, "[]", enclosure },
	{ "extras", 0, "{}", extra },
	{ "numbers", 0, "{}", plain_number },
	{ "counters", 0, "{}", counter },
	{ "guid", CR_GUID, NULL, NULL },
};

/* Adds a list or an inner object, unless it would be empty. */
static void
list(struct buf *b, const struct cr_record *r, const struct member *m)
{
	size_t before = b->len, begun, i;

	name(b, m->name);
	buf_char(b, m->ends[0]);
	begun = b->len;
	for (i = 0; m->nth(b, r, m->field, i); i++)
		;
	if (b->len == begun && !b->over) {
		b->len = before;
		b->data[before] = '\0';
		return;
	}
	buf_char(b, m->ends[1]);
}

static int
story_counter(struct buf *b, const struct cr_record *r, int field, size_t nth)
{
	const struct cr_record *numbers = record_story(r)->numbers;

	return numbers != NULL && counter(b, numbers, field, nth);
}

/* Adds what the record was handed out with of its story. */
static void
story(struct buf *b, const struct cr_record *r)
{
	static const struct member numbers = { "numbers", 0, "{}", story_counter };
	const struct record_story *s = record_story(r);

	if (s->sources == 0)
		return;
	name(b, "story");
	buf_char(b, '{');
	integer(b, "sources", s->sources);
	number(b, "heat", s->heat);
	number(b, "score", s->score);
	if (s->rank > 0)
		integer(b, "rank", s->rank);
	list(b, r, &numbers);
	buf_char(b, '}');
}

static void
members_write(const struct cr_record *r, const struct record_json *about, int64_t date,
    struct buf *b)
{
	const char *id = record_get(r, CR_ID, 0);
	const char *delivery = about->delivery != NULL ? about->delivery : id;
	const struct member *m;

	buf_char(b, '{');
	text(b, "id", delivery);
	integer(b, "schema", 1);
	for (m = members; m < members + sizeof(members) / sizeof(members[0]); m++)
		if (m->field == SEEN)
			when(b, m->name, about->seen);
		else if (m->field == DATE)
			when(b, m->name, date);
		else if (m->nth != NULL)
			list(b, r, m);
		else
			text(b, m->name, record_get(r, m->field, 0));
	if (id != NULL && strcmp(id, delivery) != 0)
		text(b, "record", id);
	if (about->revision > 0)
		integer(b, "revision", about->revision);
	story(b, r);
	buf_char(b, '}');
}

void
record_json(const struct cr_record *r, const struct record_json *about, struct buf *b)
{
	members_write(r, about, CR_NO_TIME, b);
}

void
record_json_dated(const struct cr_record *r, const struct record_json *about, struct buf *b)
{
	members_write(r, about, record_date(r, about->seen), b);
}

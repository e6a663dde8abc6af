/* A record in memory, and its serialised form. */
#include "record.h"
#include "field.h"
#include "record_json.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "ipc/wire.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_USED_MAX	(RECORD_MAX - (128u << 10))	/* bytes of texts; the rest: lengths */
#define CHUNK_MIN	4096u		/* bytes of a record's first chunk */
#define CHUNK_KEEP	(256u << 10)	/* bytes that record_clear() keeps, at most */

/* Texts lie in chunks that never move, so that returned texts stay readable. */
struct chunk {
	struct chunk	*next;
	size_t		 len, cap;
	char		 data[];
};

struct single {
	const char	*text;		/* NULL: none; "": unset, a change for record_changes() */
	size_t		 len;
};

/* One value of a list, or an extra, a number, a counter. */
struct item {
	uint8_t		 tag;		/* enum cr_field, TAG_* */
	uint8_t		 changed;	/* since record_watch() */
	const char	*a, *b, *c;	/* name, mail, uri; url, type; name, text */
	union {
		int64_t	 i;
		double	 d;
	} v;
};

/* Not part of the record's value, and so writable in a const record. */
struct beside {
	char			 shown[2][DATE_MAX];	/* times as text, for record_get() */
	struct record_json	 about;
	struct record_story	 story;
};

struct cr_record {
	struct chunk	*chunks;	/* the one being filled first */
	size_t		 used;		/* bytes in all chunks */
	struct single	 single[CR_RIGHTS + 1];
	int64_t		 time[2];	/* published, updated */
	uint32_t	 has_time;	/* bits by field: was set, perhaps to CR_NO_TIME */
	uint32_t	 changed;	/* bits by field, since record_watch() */
	int		 watched;
	struct beside	*beside;
	struct item	*items;
	size_t		 n, cap;
	uint16_t	 count[TAG_MAX];	/* items by tag */
	char		 bad[96];	/* why the record is bad; "": it is not */
};

/* ---- Memory ---- */

static struct chunk *
chunk_new(size_t cap)
{
	struct chunk *c = xmalloc(sizeof(*c) + cap);

	c->next = NULL;
	c->len = 0;
	c->cap = cap;
	return c;
}

static void
chunks_free(struct chunk *c)
{
	struct chunk *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

static struct cr_record *
record_sized(size_t cap)
{
	struct cr_record *r = xcalloc(1, sizeof(*r) + sizeof(*r->beside));

	r->beside = (void *)(r + 1);
	r->beside->about.seen = CR_NO_TIME;
	r->chunks = chunk_new(cap);
	r->time[0] = r->time[1] = CR_NO_TIME;
	return r;
}

struct cr_record *
record_new(void)
{
	return record_sized(CHUNK_MIN);
}

void
record_free(struct cr_record *r)
{
	if (r == NULL)
		return;
	record_free(r->beside->story.numbers);
	chunks_free(r->chunks);
	free(r->items);
	free(r);
}

/* Replaces several chunks by one of their total size, so that the next record fits into it. */
static struct chunk *
chunks_clear(struct chunk *c, size_t used)
{
	if (c->next == NULL && c->cap <= CHUNK_KEEP) {
		c->len = 0;
		return c;
	}
	chunks_free(c);
	return chunk_new(used < CHUNK_MIN ? CHUNK_MIN : used < CHUNK_KEEP ? used : CHUNK_KEEP);
}

void
record_clear(struct cr_record *r)
{
	struct cr_record was = *r;

	was.beside->about = (struct record_json){ NULL, 0, CR_NO_TIME };
	record_free(was.beside->story.numbers);
	was.beside->story = (struct record_story){ .revised = CR_NO_TIME };
	*r = (struct cr_record){
		.chunks = chunks_clear(was.chunks, was.used), .beside = was.beside,
		.items = was.items, .cap = was.cap, .time = { CR_NO_TIME, CR_NO_TIME },
	};
}

static char *
room(struct cr_record *r, size_t n)
{
	struct chunk *c = r->chunks;
	size_t cap;

	if (c->cap - c->len < n) {
		cap = c->cap * 2 > n ? c->cap * 2 : n;
		c = chunk_new(cap < CHUNK_KEEP || n > CHUNK_KEEP ? cap : CHUNK_KEEP);
		c->next = r->chunks;
		r->chunks = c;
	}
	c->len += n;
	r->used += n;
	return c->data + c->len - n;
}

void
record_mark(struct cr_record *r, const char *why)
{
	if (r->bad[0] == '\0')
		snprintf(r->bad, sizeof(r->bad), "%s", why);
}

int
record_spare(const struct cr_record *r, size_t bytes)
{
	return r->bad[0] == '\0' && r->count[TAG_EXTRA] < RECORD_LIST_MAX &&
	    bytes <= RECORD_TEXT_MAX && r->used + bytes + 2 <= RECORD_USED_MAX;
}

static int
over(struct cr_record *r, int tag, const char *what, size_t max)
{
	char why[sizeof(r->bad)];

	snprintf(why, sizeof(why), "%s: more than %zu %s", record_fields[tag].name, max, what);
	record_mark(r, why);
	return -1;
}

/* A copy of len bytes; NULL: over a maximum, and the record is marked. */
static const char *
copy_text(struct cr_record *r, int tag, const char *text, size_t len, size_t max)
{
	char *to;

	if (len > max) {
		over(r, tag, "bytes", max);
		return NULL;
	}
	if (r->used + len + 1 > RECORD_USED_MAX) {
		record_mark(r, "more than 4 MiB in all");
		return NULL;
	}
	to = room(r, len + 1);
	memcpy(to, text, len);
	to[len] = '\0';
	return to;
}

/* The same for a string, where NULL and "" give NULL; -1 over a maximum. */
static int
copy_str(struct cr_record *r, int tag, const char *text, const char **to)
{
	*to = NULL;
	if (text == NULL || text[0] == '\0')
		return 0;
	*to = copy_text(r, tag, text, strlen(text), RECORD_LINE_MAX);
	return *to != NULL ? 0 : -1;
}

/* ---- Setting ---- */

static enum shape
shape_of(int tag)
{
	return tag > 0 && tag < TAG_MAX ? record_fields[tag].shape : SHAPE_NONE;
}

static void
touch(struct cr_record *r, int field)
{
	if (r->watched)
		r->changed |= UINT32_C(1) << field;
}

/* A new item at the end; NULL over the maximum of its list. */
static struct item *
item_add(struct cr_record *r, int tag)
{
	struct item *it;

	if (r->count[tag] >= RECORD_LIST_MAX) {
		over(r, tag, "values", RECORD_LIST_MAX);
		return NULL;
	}
	if (r->n == r->cap) {
		r->cap = r->cap > 0 ? r->cap * 2 : 16;
		r->items = xreallocarray(r->items, r->cap, sizeof(*r->items));
	}
	it = &r->items[r->n++];
	*it = (struct item){ .tag = (uint8_t)tag, .changed = (uint8_t)r->watched };
	r->count[tag]++;
	if (tag < TAG_EXTRA)
		touch(r, tag);
	return it;
}

static const struct item *
item_at(const struct cr_record *r, int tag, size_t nth)
{
	size_t i;

	if (tag >= TAG_MAX || nth >= r->count[tag])
		return NULL;
	for (i = 0; i < r->n; i++)
		if (r->items[i].tag == tag && nth-- == 0)
			return &r->items[i];
	return NULL;
}

static struct item *
item_named(const struct cr_record *r, int tag, const char *name)
{
	size_t i;

	if (r->count[tag] == 0)
		return NULL;
	for (i = 0; i < r->n; i++)
		if (r->items[i].tag == tag && strcmp(r->items[i].a, name) == 0)
			return &r->items[i];
	return NULL;
}

/* The item of that name, added when missing. */
static struct item *
item_put(struct cr_record *r, int tag, const char *name)
{
	struct item *it = item_named(r, tag, name);
	const char *copy;
	size_t len = strlen(name);

	if (it != NULL) {
		it->changed = (uint8_t)r->watched;
		return it;
	}
	if (len == 0) {
		record_mark(r, "an extra, number or counter without a name");
		return NULL;
	}
	copy = copy_text(r, tag, name, len, RECORD_NAME_MAX);
	if (copy == NULL || (it = item_add(r, tag)) == NULL)
		return NULL;
	it->a = copy;
	return it;
}

int
record_set(struct cr_record *r, int field, const char *text, size_t len)
{
	enum shape shape = shape_of(field);
	const char *copy;
	struct item *it;

	if (shape == SHAPE_NONE || shape == SHAPE_TIME || field >= TAG_EXTRA) {
		record_mark(r, "a text for what is no field of text");
		return -1;
	}
	if (shape != SHAPE_TEXT && len == 0)
		return 0;
	if ((copy = copy_text(r, field, text, len, record_fields[field].max)) == NULL)
		return -1;
	if (shape == SHAPE_TEXT) {
		r->single[field] = (struct single){ len > 0 || r->watched ? copy : NULL, len };
		touch(r, field);
		return 0;
	}
	if ((it = item_add(r, field)) == NULL)
		return -1;
	it->a = copy;
	it->v.i = -1;			/* an enclosure's size is unknown */
	return 0;
}

int
record_set_time(struct cr_record *r, int field, int64_t ms)
{
	if (shape_of(field) != SHAPE_TIME) {
		record_mark(r, "a time for what is no field of time");
		return -1;
	}
	r->time[field == CR_UPDATED] = ms;
	r->has_time |= UINT32_C(1) << field;
	touch(r, field);
	return 0;
}

int
record_set_extra(struct cr_record *r, const char *name, const char *text)
{
	const char *copy = copy_text(r, TAG_EXTRA, text, strlen(text), RECORD_TEXT_MAX);
	struct item *it;

	if (copy == NULL || (it = item_put(r, TAG_EXTRA, name)) == NULL)
		return -1;
	it->b = copy;
	return 0;
}

int
record_set_number(struct cr_record *r, const char *name, double value)
{
	struct item *it;

	if (!isfinite(value)) {
		record_mark(r, "a number that is not finite");
		return -1;
	}
	if ((it = item_put(r, TAG_NUMBER, name)) == NULL)
		return -1;
	it->v.d = value;
	return 0;
}

int
record_set_counter(struct cr_record *r, const char *name, int64_t value)
{
	struct item *it = item_put(r, TAG_COUNTER, name);

	if (it == NULL)
		return -1;
	it->v.i = value;
	return 0;
}

int
record_add_author(struct cr_record *r, int field, const char *name, const char *mail,
    const char *uri)
{
	struct item it = { 0 }, *to;

	if (shape_of(field) != SHAPE_PERSON) {
		record_mark(r, "an author for what is no field of persons");
		return -1;
	}
	if (copy_str(r, field, name, &it.a) == -1 || copy_str(r, field, mail, &it.b) == -1 ||
	    copy_str(r, field, uri, &it.c) == -1)
		return -1;
	if (it.a == NULL && it.b == NULL && it.c == NULL)
		return 0;
	if ((to = item_add(r, field)) == NULL)
		return -1;
	to->a = it.a;
	to->b = it.b;
	to->c = it.c;
	return 0;
}

int
record_add_enclosure(struct cr_record *r, const char *url, const char *type, int64_t size)
{
	struct item it = { 0 }, *to;

	if (url[0] == '\0')
		return 0;
	if (copy_str(r, CR_ENCLOSURE, url, &it.a) == -1 ||
	    copy_str(r, CR_ENCLOSURE, type, &it.b) == -1)
		return -1;
	if ((to = item_add(r, CR_ENCLOSURE)) == NULL)
		return -1;
	to->a = it.a;
	to->b = it.b;
	to->v.i = size >= 0 ? size : -1;
	return 0;
}

struct record_json *
record_about(const struct cr_record *r)
{
	return &r->beside->about;
}

struct record_story *
record_story(const struct cr_record *r)
{
	return &r->beside->story;
}

#define OF_STORY	"story."

int
record_number_reserved(const char *name)
{
	return strcmp(name, "sources") == 0 || strcmp(name, "heat") == 0 ||
	    strcmp(name, "score") == 0 || strcmp(name, "rank") == 0 ||
	    strncmp(name, OF_STORY, strlen(OF_STORY)) == 0;
}

/* A number of the record's story. */
static int
story_number(const struct record_story *story, const char *name, double *value)
{
	const struct { const char *name; double value; int known; } own[] = {
		{ "sources", story->sources, story->sources > 0 },
		{ "heat", story->heat, story->sources > 0 },
		{ "score", story->score, story->sources > 0 },
		{ "rank", story->rank, story->rank > 0 },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(name, own[i].name) == 0) {
			*value = own[i].value;
			return own[i].known;
		}
	return story->numbers != NULL && record_get_number(story->numbers, name, value);
}

int
record_number_read(const struct cr_record *r, const char *name, double *value)
{
	if (strncmp(name, OF_STORY, strlen(OF_STORY)) == 0)
		return story_number(record_story(r), name + strlen(OF_STORY), value);
	return (!record_number_reserved(name) && record_get_number(r, name, value)) ||
	    story_number(record_story(r), name, value);
}

const char *
record_bad(const struct cr_record *r)
{
	return r->bad[0] != '\0' ? r->bad : NULL;
}

/* ---- Getting ---- */

static const char *
filled(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

const char *
record_get(const struct cr_record *r, int field, size_t nth)
{
	enum shape shape = field < TAG_EXTRA ? shape_of(field) : SHAPE_NONE;
	const struct item *it;
	int64_t ms;

	if (shape == SHAPE_NONE || ((shape == SHAPE_TEXT || shape == SHAPE_TIME) && nth > 0))
		return NULL;
	if (shape == SHAPE_TEXT)
		return filled(r->single[field].text);
	if (shape == SHAPE_TIME) {
		ms = record_get_time(r, field);
		return ms != CR_NO_TIME ? date_rfc3339(r->beside->shown[field == CR_UPDATED], ms) : NULL;
	}
	if ((it = item_at(r, field, nth)) == NULL)
		return NULL;
	return it->a != NULL ? it->a : it->b != NULL ? it->b : it->c;
}

int64_t
record_get_time(const struct cr_record *r, int field)
{
	return shape_of(field) == SHAPE_TIME ? r->time[field == CR_UPDATED] : CR_NO_TIME;
}

int64_t
record_date(const struct cr_record *r, int64_t seen)
{
	int64_t published = record_get_time(r, CR_PUBLISHED);
	int64_t updated = record_get_time(r, CR_UPDATED);

	return published != CR_NO_TIME ? published : updated != CR_NO_TIME ? updated : seen;
}

const char *
record_get_extra(const struct cr_record *r, const char *name)
{
	const struct item *it = item_named(r, TAG_EXTRA, name);

	return it != NULL ? filled(it->b) : NULL;
}

int
record_get_number(const struct cr_record *r, const char *name, double *value)
{
	const struct item *it = item_named(r, TAG_NUMBER, name);

	if (it != NULL) {
		*value = it->v.d;
		return 1;
	}
	if ((it = item_named(r, TAG_COUNTER, name)) == NULL)
		return 0;
	*value = (double)it->v.i;
	return 1;
}

int
record_author(const struct cr_record *r, int field, size_t nth, struct record_author *author)
{
	const struct item *it =
	    shape_of(field) == SHAPE_PERSON ? item_at(r, field, nth) : NULL;

	if (it == NULL)
		return 0;
	*author = (struct record_author){ it->a, it->b, it->c };
	return 1;
}

int
record_enclosure(const struct cr_record *r, size_t nth, struct record_enclosure *file)
{
	const struct item *it = item_at(r, CR_ENCLOSURE, nth);

	if (it == NULL)
		return 0;
	*file = (struct record_enclosure){ it->a, it->b, it->v.i };
	return 1;
}

int
record_extra_at(const struct cr_record *r, size_t nth, const char **name, const char **text)
{
	const struct item *it = item_at(r, TAG_EXTRA, nth);

	if (it == NULL)
		return 0;
	*name = it->a;
	*text = it->b;
	return 1;
}

int
record_number_at(const struct cr_record *r, size_t nth, const char **name, double *value)
{
	const struct item *it = item_at(r, TAG_NUMBER, nth);

	if (it == NULL)
		return 0;
	*name = it->a;
	*value = it->v.d;
	return 1;
}

int
record_counter_at(const struct cr_record *r, size_t nth, const char **name, int64_t *value)
{
	const struct item *it = item_at(r, TAG_COUNTER, nth);

	if (it == NULL)
		return 0;
	*name = it->a;
	*value = it->v.i;
	return 1;
}

/* ---- Overlays ---- */

/* Removes the values of a list. */
static void
list_clear(struct cr_record *r, int tag)
{
	size_t i, to = 0;

	for (i = 0; i < r->n; i++)
		if (r->items[i].tag != tag)
			r->items[to++] = r->items[i];
	r->n = to;
	r->count[tag] = 0;
}

static void
item_copy(struct cr_record *r, const struct item *it)
{
	struct item *to;

	switch (record_fields[it->tag].shape) {
	case SHAPE_PERSON:
		record_add_author(r, it->tag, it->a, it->b, it->c);
		break;
	case SHAPE_FILE:
		record_add_enclosure(r, it->a, it->b, it->v.i);
		break;
	case SHAPE_EXTRA:
		record_set_extra(r, it->a, it->b);
		break;
	case SHAPE_NUMBER:
	case SHAPE_COUNTER:
		if ((to = item_put(r, it->tag, it->a)) != NULL)
			to->v = it->v;
		break;
	default:
		record_set(r, it->tag, it->a, strlen(it->a));
	}
}

static void
field_copy(struct cr_record *r, const struct cr_record *from, int field)
{
	const struct single *s = &from->single[field];

	if (record_fields[field].shape == SHAPE_TEXT && s->text != NULL)
		record_set(r, field, s->text, s->len);
	else if (record_fields[field].shape == SHAPE_TIME && (from->has_time >> field & 1) != 0)
		record_set_time(r, field, from->time[field == CR_UPDATED]);
}

void
record_overlay(struct cr_record *r, const struct cr_record *from)
{
	int field;
	size_t i;

	for (field = 0; field <= CR_RIGHTS; field++) {
		if (record_fields[field].holds != HOLDS_ID)
			field_copy(r, from, field);
		if (from->count[field] > 0)
			list_clear(r, field);
	}
	for (i = 0; i < from->n; i++)
		item_copy(r, &from->items[i]);
}

void
record_watch(struct cr_record *r)
{
	size_t i;

	r->watched = 1;
	r->changed = 0;
	for (i = 0; i < r->n; i++)
		r->items[i].changed = 0;
}

int
record_changes(const struct cr_record *r, struct cr_record *out)
{
	int field, any = r->changed != 0;
	size_t i;

	out->watched = 1;		/* stores unset fields as "" */
	for (field = 0; field <= CR_RIGHTS; field++)
		if ((r->changed >> field & 1) != 0)
			field_copy(out, r, field);
	for (i = 0; i < r->n; i++)
		if (r->items[i].tag < TAG_EXTRA ? (r->changed >> r->items[i].tag & 1) != 0 :
		    r->items[i].changed) {
			item_copy(out, &r->items[i]);
			any = 1;
		}
	return any;
}

/* ---- The serialised form ---- */

static void
put_text(struct buf *b, int tag, const char *text, size_t len)
{
	uint32_t n = (uint32_t)len;
	char *to = buf_room(b, len + 6);

	if (to == NULL)
		return;
	to[0] = (char)tag;
	memcpy(to + 1, &n, sizeof(n));
	memcpy(to + 5, text, len);
	to[5 + len] = '\0';
	b->len += len + 6;
}

static void
put_item(struct buf *b, const struct item *it)
{
	enum shape shape = record_fields[it->tag].shape;

	if (shape == SHAPE_LIST) {
		put_text(b, it->tag, it->a, strlen(it->a));
		return;
	}
	wire_put_u8(b, it->tag);
	wire_put_str(b, it->a);
	if (shape == SHAPE_PERSON || shape == SHAPE_FILE || shape == SHAPE_EXTRA)
		wire_put_str(b, it->b);
	if (shape == SHAPE_PERSON)
		wire_put_str(b, it->c);
	else if (shape == SHAPE_NUMBER)
		wire_put_f64(b, it->v.d);
	else if (shape != SHAPE_EXTRA)
		wire_put_i64(b, it->v.i);
}

void
record_write(const struct cr_record *r, struct buf *b)
{
	int field;
	size_t i;

	wire_put_u8(b, RECORD_FORMAT);
	for (field = 0; field <= CR_RIGHTS; field++)
		if (record_fields[field].shape == SHAPE_TEXT && r->single[field].text != NULL)
			put_text(b, field, r->single[field].text, r->single[field].len);
		else if (record_fields[field].shape == SHAPE_TIME && (r->has_time >> field & 1) != 0) {
			wire_put_u8(b, (uint8_t)field);
			wire_put_i64(b, r->time[field == CR_UPDATED]);
		}
	for (i = 0; i < r->n; i++)
		put_item(b, &r->items[i]);
}

/* Whether text is UTF-8 as the worker's sanitiser leaves it: no control characters but tab, LF, CR,
 * and neither U+FFFE nor U+FFFF, which XML cannot hold. */
static int
fit(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = text_ascii(text, len);

	if (i == len)
		return 1;
	for (; i < len; i++) {
		if (s[i] < ' ' && s[i] != '\t' && s[i] != '\n' && s[i] != '\r')
			return 0;
		if (s[i] == 0xef && len - i >= 3 && s[i + 1] == 0xbf && s[i + 2] >= 0xbe)
			return 0;
	}
	return text_valid(text, len) == len;
}

/* Reads a string of at most max bytes into the record's memory; NULL: no string, or bad is set. */
static struct bytes
take(struct wire *w, size_t max)
{
	struct bytes b = wire_bytes(w);

	if (b.data != NULL && (b.len > max || !fit(b.data, b.len)))
		w->bad = 1;
	return w->bad ? (struct bytes){ NULL, 0 } : b;
}

static int
read_item(struct cr_record *r, struct wire *w, int tag)
{
	enum shape shape = record_fields[tag].shape;
	struct item *it = item_add(r, tag);

	if (it == NULL)
		return -1;
	it->a = take(w, shape >= SHAPE_EXTRA ? RECORD_NAME_MAX : RECORD_LINE_MAX).data;
	if (shape == SHAPE_PERSON || shape == SHAPE_FILE || shape == SHAPE_EXTRA)
		it->b = take(w, record_fields[tag].max).data;
	if (shape == SHAPE_PERSON)
		it->c = take(w, RECORD_LINE_MAX).data;
	else if (shape == SHAPE_NUMBER)
		it->v.d = wire_f64(w);
	else if (shape == SHAPE_COUNTER || shape == SHAPE_FILE)
		it->v.i = wire_i64(w);
	if (w->bad || (shape == SHAPE_NUMBER && !isfinite(it->v.d)))
		return -1;
	if (shape == SHAPE_PERSON)
		return it->a != NULL || it->b != NULL || it->c != NULL ? 0 : -1;
	return it->a == NULL || (shape == SHAPE_EXTRA && it->b == NULL) ? -1 : 0;
}

static int
read_field(struct cr_record *r, struct wire *w)
{
	int tag = wire_u8(w);
	enum shape shape = shape_of(tag);
	struct bytes text;

	switch (shape) {
	case SHAPE_NONE:
		return -1;
	case SHAPE_TEXT:
		text = take(w, record_fields[tag].max);
		r->single[tag] = (struct single){ text.data, text.len };
		return w->bad || text.data == NULL ? -1 : 0;
	case SHAPE_TIME:
		r->time[tag == CR_UPDATED] = wire_i64(w);
		r->has_time |= UINT32_C(1) << tag;
		return w->bad ? -1 : 0;
	default:
		return read_item(r, w, tag);
	}
}

struct cr_record *
record_read(const void *data, size_t len)
{
	struct cr_record *r;
	struct wire w;
	char *copy;

	if (len == 0 || len > RECORD_MAX)
		return NULL;
	r = record_sized(len);
	copy = room(r, len);
	memcpy(copy, data, len);
	wire_init(&w, copy, len);
	if (wire_u8(&w) != RECORD_FORMAT)
		goto bad;
	while (w.at < w.end)
		if (read_field(r, &w) == -1)
			goto bad;
	return r;
bad:
	record_free(r);
	return NULL;
}

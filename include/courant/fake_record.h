/* Part of <courant/fakehost.h>: a record, its setters, its getters and its JSON. */
#ifndef COURANT_FAKE_RECORD_H
#define COURANT_FAKE_RECORD_H
#include "fake_text.h"

#include <math.h>

#define CR_FAKE_TEXT_MAX	(1u << 20)	/* bytes of a summary, a content, an extra */
#define CR_FAKE_LINE_MAX	(16u << 10)	/* of every other text */
#define CR_FAKE_NAME_MAX	255		/* of the name of an extra, a number, a counter */
#define CR_FAKE_LIST_MAX	256		/* values of one list; extras; numbers; counters */
#define CR_FAKE_FIELDS		(CR_FAKE_REVISED + 1)
#define CR_FAKE_DATE		23	/* CR_DATE, CR_REVISED: not in older plugin.h */
#define CR_FAKE_REVISED		24

/* Besides enum cr_field: kinds of values with a name. */
enum { CR_FAKE_EXTRA = 32, CR_FAKE_NUMBER, CR_FAKE_COUNTER };

/* One value of a list, or one extra, number or counter. */
struct cr_fake_value {
	int		 field;		/* enum cr_field, or one of the above */
	const char	*name;		/* of a person, an extra, a number; a category; a URL */
	const char	*text;		/* mail, media type, the text of an extra; or NULL */
	const char	*uri;		/* of a person; or NULL */
	int64_t		 count;		/* a counter; the size of an enclosure, -1: unknown */
	double		 number;
	int		 changed;	/* by the last filter() */
};

struct cr_record {
	struct cr_fake_mem	*mem;
	const char		*const *base;	/* of relative URLs */
	const int64_t		*arrived;	/* time of its page; CR_NO_TIME: not in parse() */
	const char		*text[CR_FAKE_FIELDS];	/* NULL, "": none */
	int64_t			 time[CR_FAKE_FIELDS];
	int			 changed[CR_FAKE_FIELDS];
	struct cr_fake_value	*values;
	size_t			 n, cap;
	const char		*bad;		/* why emit() would refuse it, or NULL */
	const char		*delivery;	/* id of its delivery; NULL: CR_ID */
	const struct cr_record	*feed;		/* the result of feed_of() */
	int			 revision;
	int			 open;		/* made by record(), not yet emitted */
	int			 by_title;	/* made with CR_BY_TITLE */
};

static inline int
cr_fake_mark(struct cr_record *r, const char *why)
{
	if (r->bad == NULL)
		r->bad = why;
	return -1;
}

/* A clean copy. NULL: over the maximum; the record is marked. */
static inline const char *
cr_fake_kept(struct cr_record *r, const char *s, int fold, size_t max)
{
	struct cr_fake_text t = { .mem = r->mem };

	cr_fake_clean(&t, s, strlen(s), fold);
	if (t.len > max) {
		cr_fake_mark(r, "a text is over its maximum");
		return NULL;
	}
	return t.data;
}

static inline struct cr_fake_value *
cr_fake_find(const struct cr_record *r, int field, const char *name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->values[i].field == field && strcmp(r->values[i].name, name) == 0)
			return &r->values[i];
	return NULL;
}

static inline const struct cr_fake_value *
cr_fake_nth(const struct cr_record *r, int field, size_t nth)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->values[i].field == field && nth-- == 0)
			return &r->values[i];
	return NULL;
}

/* Appends a value. NULL: over the maximum; the record is marked. */
static inline struct cr_fake_value *
cr_fake_append(struct cr_record *r, int field, const char *name)
{
	struct cr_fake_value *v;

	if (cr_fake_nth(r, field, CR_FAKE_LIST_MAX - 1) != NULL) {
		cr_fake_mark(r, "a list has more than 256 values");
		return NULL;
	}
	if (r->n == r->cap) {
		r->cap = 2 * r->cap + 16;
		v = cr_fake_alloc(r->mem, r->cap * sizeof(*v));
		if (r->n > 0)
			memcpy(v, r->values, r->n * sizeof(*v));
		r->values = v;
	}
	if (field < CR_FAKE_FIELDS)
		r->changed[field] = 1;
	r->values[r->n] = (struct cr_fake_value){ .field = field, .name = name, .count = -1,
		.changed = 1 };
	return &r->values[r->n++];
}

/* The extra, number or counter with that name; a new one if there is none. */
static inline struct cr_fake_value *
cr_fake_named(struct cr_record *r, int kind, const char *name)
{
	struct cr_fake_value *v;

	if ((name = cr_fake_kept(r, name, 1, CR_FAKE_NAME_MAX)) == NULL)
		return NULL;
	if (*name == '\0') {
		cr_fake_mark(r, "an extra, number or counter without a name");
		return NULL;
	}
	if ((v = cr_fake_find(r, kind, name)) == NULL)
		v = cr_fake_append(r, kind, name);
	if (v != NULL)
		v->changed = 1;
	return v;
}

/* ---- Setters, for the plugin and for a test's own records. 0, or -1: the record is marked.
 * ---- */

static inline int
cr_fake_set_text(struct cr_record *r, int field, const char *text)
{
	if (text == NULL)
		return -1;
	r->text[field] = text;
	r->changed[field] = 1;
	return 0;
}

static inline int
cr_fake_set_time(struct cr_record *r, int field, int64_t ms)
{
	int64_t arrived = *r->arrived;

	if (field != CR_PUBLISHED && field != CR_UPDATED && field != CR_SEEN &&
	    field != CR_FAKE_REVISED)
		return cr_fake_mark(r, "a time for what is no field of time");
	if (arrived != CR_NO_TIME && ms != CR_NO_TIME && ms > arrived + 86400000)
		ms = arrived;		/* later than wrong clocks and zones explain */
	r->time[field] = ms;
	r->changed[field] = 1;
	return 0;
}

static inline int
cr_fake_set_extra(struct cr_record *r, const char *name, const char *text)
{
	struct cr_fake_value *v;

	if (name == NULL || text == NULL)
		return 0;
	text = cr_fake_kept(r, text, 0, CR_FAKE_TEXT_MAX);
	if (text == NULL || (v = cr_fake_named(r, CR_FAKE_EXTRA, name)) == NULL)
		return -1;
	v->text = text;
	return 0;
}

static inline int
cr_fake_set_number(struct cr_record *r, const char *name, double number)
{
	struct cr_fake_value *v;

	if (name == NULL)
		return 0;
	if (!isfinite(number))
		return cr_fake_mark(r, "a number that is not finite");
	if ((v = cr_fake_named(r, CR_FAKE_NUMBER, name)) == NULL)
		return -1;
	v->number = number;
	return 0;
}

static inline int
cr_fake_set_counter(struct cr_record *r, const char *name, int64_t count)
{
	struct cr_fake_value *v;

	if (name == NULL)
		return 0;
	if ((v = cr_fake_named(r, CR_FAKE_COUNTER, name)) == NULL)
		return -1;
	v->count = count;
	return 0;
}

/* A URL as a record stores it; NULL: it cannot be resolved. */
static inline const char *
cr_fake_url(struct cr_record *r, const char *url)
{
	struct cr_fake_text clean = { .mem = r->mem }, made = { .mem = r->mem };

	if (url == NULL)
		return NULL;
	cr_fake_clean(&clean, url, strlen(url), 1);
	if (clean.len == 0 || cr_fake_resolve(&made, *r->base, clean.data) == -1)
		return NULL;
	return made.data;
}

static inline const char *
cr_fake_part(struct cr_record *r, const char *s)
{
	s = s != NULL ? cr_fake_kept(r, s, 1, CR_FAKE_LINE_MAX) : NULL;
	return s != NULL && *s != '\0' ? s : NULL;
}

static inline int
cr_fake_add_person(struct cr_record *r, int field, const char *name, const char *mail,
    const char *uri)
{
	struct cr_fake_value *v;

	name = cr_fake_part(r, name);
	mail = cr_fake_part(r, mail);
	if (mail != NULL && strncmp(mail, "mailto:", 7) == 0)
		mail += 7;
	uri = cr_fake_url(r, uri);
	if (name == NULL && mail == NULL && uri == NULL)
		return 0;
	if ((v = cr_fake_append(r, field, name != NULL ? name : "")) == NULL)
		return -1;
	v->text = mail;
	v->uri = uri;
	return 0;
}

/* `Name <mail>`, `mail`, `Name`. */
static inline int
cr_fake_set_person(struct cr_record *r, int field, const char *text)
{
	const char *s = cr_fake_part(r, text), *open = s != NULL ? strrchr(s, '<') : NULL;
	size_t n = s != NULL ? strlen(s) : 0;

	if (s == NULL)
		return r->bad != NULL ? -1 : 0;
	if (open != NULL && s[n - 1] == '>' && strchr(open, '@') != NULL)
		return cr_fake_add_person(r, field, cr_fake_copy(r->mem, s, (size_t)(open - s)),
		    cr_fake_copy(r->mem, open + 1, (size_t)(s + n - 1 - (open + 1))), NULL);
	if (strchr(s, '@') != NULL && strpbrk(s, " /") == NULL)
		return cr_fake_add_person(r, field, NULL, s, NULL);
	return cr_fake_add_person(r, field, s, NULL, NULL);
}

static inline int
cr_fake_add_enclosure(struct cr_record *r, const char *url, const char *type, int64_t size)
{
	struct cr_fake_value *v;

	if ((url = cr_fake_url(r, url)) == NULL)
		return 0;
	if ((v = cr_fake_append(r, CR_ENCLOSURE, url)) == NULL)
		return -1;
	v->text = cr_fake_part(r, type);
	v->count = size >= 0 ? size : -1;
	return 0;
}

/* A date that cannot be parsed is stored as an extra. */
static inline int
cr_fake_set_date(struct cr_record *r, int field, const char *text)
{
	int64_t ms = cr_fake_time(text);

	if (ms != CR_NO_TIME)
		return cr_fake_set_time(r, field, ms);
	if (*text == '\0')
		return *r->arrived != CR_NO_TIME ? 0 : cr_fake_set_time(r, field, CR_NO_TIME);
	return cr_fake_set_extra(r, field == CR_PUBLISHED ? "published-text" : "updated-text", text);
}

/* As cr->set(), but for a test's own records CR_ID, CR_SOURCE and CR_GUID too. */
static inline int
cr_fake_set(struct cr_record *r, int field, const char *text)
{
	struct cr_fake_text t = { .mem = r->mem };

	if (text == NULL)
		return 0;
	switch (field) {
	case CR_ID: case CR_SOURCE: case CR_TITLE: case CR_LANGUAGE: case CR_RIGHTS:
		return cr_fake_set_text(r, field, cr_fake_kept(r, text, 1, CR_FAKE_LINE_MAX));
	case CR_GUID:
		return cr_fake_set_text(r, field, cr_fake_kept(r, text, 0, CR_FAKE_LINE_MAX));
	case CR_LINK: case CR_IMAGE: case CR_COMMENTS:
		return *text == '\0' ? cr_fake_set_text(r, field, "") :
		    cr_fake_url(r, text) == NULL ? 0 :
		    cr_fake_set_text(r, field, cr_fake_url(r, text));
	case CR_SUMMARY: case CR_CONTENT:
		return cr_fake_set_text(r, field, cr_fake_kept(r, text, 0, CR_FAKE_TEXT_MAX));
	case CR_TITLE_HTML: case CR_RIGHTS_HTML:
		if (strchr(text, '<') != NULL || strstr(text, "&lt;") != NULL)
			cr_fake_set_extra(r, field == CR_TITLE_HTML ? "title-html" : "rights-html",
			    text);
		cr_fake_untag(&t, text);
		return cr_fake_set(r, field == CR_TITLE_HTML ? CR_TITLE : CR_RIGHTS,
		    t.data != NULL ? t.data : "");
	case CR_SUMMARY_TEXT: case CR_CONTENT_TEXT:
		cr_fake_lines(&t, text);
		return cr_fake_set(r, field == CR_SUMMARY_TEXT ? CR_SUMMARY : CR_CONTENT,
		    t.data != NULL ? t.data : "");
	case CR_PUBLISHED: case CR_UPDATED:
		return cr_fake_set_date(r, field, text);
	case CR_CATEGORY:
		text = cr_fake_part(r, text);
		return text != NULL && cr_fake_append(r, field, text) == NULL ? -1 : 0;
	case CR_AUTHOR: case CR_CONTRIBUTOR:
		return cr_fake_set_person(r, field, text);
	case CR_ENCLOSURE:
		return cr_fake_add_enclosure(r, text, NULL, -1);
	default:
		return cr_fake_mark(r, "a text for what is no field that can be set");
	}
}

/* ---- Getters. NULL, CR_NO_TIME, NAN: the record has no such value. ---- */

static inline int64_t
cr_fake_get_time(const struct cr_record *r, int field)
{
	static const int dates[] = { CR_PUBLISHED, CR_UPDATED, CR_SEEN };
	int64_t ms = CR_NO_TIME;
	size_t i;

	if (field == CR_PUBLISHED || field == CR_UPDATED || field == CR_SEEN ||
	    field == CR_FAKE_REVISED)
		return r->time[field];
	for (i = 0; field == CR_FAKE_DATE && ms == CR_NO_TIME && i < 3; i++)
		ms = r->time[dates[i]];
	return ms;
}

/* A person by name, else mail, else URI; a time as RFC 3339. */
static inline const char *
cr_fake_get(const struct cr_record *r, int field, size_t nth)
{
	const struct cr_fake_value *v;

	if (field == CR_FAKE_DATE)
		return nth == 0 && cr_fake_get_time(r, field) != CR_NO_TIME ?
		    cr_fake_rfc3339(r->mem, cr_fake_get_time(r, field)) : NULL;
	if (field <= 0 || field >= CR_FAKE_FIELDS)
		return NULL;
	if ((v = cr_fake_nth(r, field, nth)) != NULL)
		return v->name[0] != '\0' ? v->name : v->text != NULL ? v->text : v->uri;
	if (nth == 0 && cr_fake_get_time(r, field) != CR_NO_TIME)
		return cr_fake_rfc3339(r->mem, r->time[field]);
	return nth == 0 && r->text[field] != NULL && r->text[field][0] != '\0' ? r->text[field] :
	    NULL;
}

static inline const char *
cr_fake_get_extra(const struct cr_record *r, const char *name)
{
	const struct cr_fake_value *v = cr_fake_find(r, CR_FAKE_EXTRA, name);

	return v != NULL && v->text[0] != '\0' ? v->text : NULL;
}

/* A number or counter. */
static inline double
cr_fake_get_number(const struct cr_record *r, const char *name)
{
	const struct cr_fake_value *v = cr_fake_find(r, CR_FAKE_NUMBER, name);

	if (v != NULL)
		return v->number;
	v = cr_fake_find(r, CR_FAKE_COUNTER, name);
	return v != NULL ? (double)v->count : NAN;
}

/* ---- JSON, as of cr->json() ---- */

static inline void
cr_fake_member(struct cr_fake_text *t, const char *name)
{
	if (t->len > 0 && t->data[t->len - 1] != '{' && t->data[t->len - 1] != '[')
		cr_fake_add(t, ",", 1);
	if (name != NULL) {
		cr_fake_quote(t, name);
		cr_fake_add(t, ":", 1);
	}
}

static inline void
cr_fake_pair(struct cr_fake_text *t, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	cr_fake_member(t, name);
	cr_fake_quote(t, text);
}

static inline void
cr_fake_integer(struct cr_fake_text *t, const char *name, int64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	cr_fake_member(t, name);
	cr_fake_str(t, text);
}

/* Adds one value of a list or of an inner object. */
static inline void
cr_fake_element(struct cr_fake_text *t, const struct cr_fake_value *v)
{
	char text[32];
	int digits = 15;

	switch (v->field) {
	case CR_CATEGORY:
		cr_fake_member(t, NULL);
		cr_fake_quote(t, v->name);
		break;
	case CR_FAKE_EXTRA:
		cr_fake_pair(t, v->name, v->text);
		break;
	case CR_FAKE_COUNTER:
		cr_fake_integer(t, v->name, v->count);
		break;
	case CR_FAKE_NUMBER:
		do
			snprintf(text, sizeof(text), "%.*g", digits, v->number);
		while (strtod(text, NULL) != v->number && ++digits <= 17);
		cr_fake_member(t, v->name);
		cr_fake_str(t, text);
		break;
	default:
		cr_fake_member(t, NULL);
		cr_fake_add(t, "{", 1);
		cr_fake_pair(t, v->field == CR_ENCLOSURE ? "url" : "name", v->name);
		cr_fake_pair(t, v->field == CR_ENCLOSURE ? "type" : "mail", v->text);
		cr_fake_pair(t, "uri", v->uri);
		if (v->field == CR_ENCLOSURE && v->count >= 0)
			cr_fake_integer(t, "size", v->count);
		cr_fake_add(t, "}", 1);
	}
}

/* Adds a list or an inner object, unless it is empty. */
static inline void
cr_fake_elements(struct cr_fake_text *t, const char *name, const struct cr_record *r, int field)
{
	int object = field >= CR_FAKE_EXTRA;
	size_t before = t->len, begun, i;

	cr_fake_member(t, name);
	cr_fake_add(t, object ? "{" : "[", 1);
	begun = t->len;
	for (i = 0; i < r->n; i++)
		if (r->values[i].field == field)
			cr_fake_element(t, &r->values[i]);
	if (t->len > begun) {
		cr_fake_add(t, object ? "}" : "]", 1);
		return;
	}
	t->len = before;
	t->data[before] = '\0';
}

static inline const char *
cr_fake_json(const struct cr_record *r)
{
	static const struct {
		const char	*name;
		int		 field;
	} members[] = {
		{ "source", CR_SOURCE }, { "title", CR_TITLE }, { "link", CR_LINK },
		{ "published", CR_PUBLISHED }, { "updated", CR_UPDATED }, { "seen", CR_SEEN },
		{ "authors", CR_AUTHOR }, { "contributors", CR_CONTRIBUTOR },
		{ "categories", CR_CATEGORY }, { "summary", CR_SUMMARY },
		{ "content", CR_CONTENT }, { "language", CR_LANGUAGE }, { "image", CR_IMAGE },
		{ "comments", CR_COMMENTS }, { "rights", CR_RIGHTS },
		{ "enclosures", CR_ENCLOSURE }, { "extras", CR_FAKE_EXTRA },
		{ "numbers", CR_FAKE_NUMBER }, { "counters", CR_FAKE_COUNTER }, { "guid", CR_GUID },
	};
	const char *id = cr_fake_get(r, CR_ID, 0);
	struct cr_fake_text t = { .mem = r->mem };
	size_t i;
	int field;

	cr_fake_str(&t, "{");
	cr_fake_pair(&t, "id", r->delivery != NULL ? r->delivery : id);
	cr_fake_integer(&t, "schema", 1);
	for (i = 0; i < sizeof(members) / sizeof(*members); i++) {
		field = members[i].field;
		if (field >= CR_FAKE_EXTRA || field == CR_AUTHOR || field == CR_CONTRIBUTOR ||
		    field == CR_CATEGORY || field == CR_ENCLOSURE)
			cr_fake_elements(&t, members[i].name, r, field);
		else
			cr_fake_pair(&t, members[i].name, cr_fake_get(r, field, 0));
	}
	if (id != NULL && r->delivery != NULL && strcmp(id, r->delivery) != 0)
		cr_fake_pair(&t, "record", id);
	if (r->revision > 0)
		cr_fake_integer(&t, "revision", r->revision);
	cr_fake_str(&t, "}");
	return t.data;
}
#endif

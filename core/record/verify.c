/* The verifier of serialised records: what the setters of the host (worker/host_record.c) make of
 * texts, URLs, HTML, times and numbers is what is taken. */
#include "verify.h"
#include "field.h"
#include "markup.h"
#include "record.h"
#include "base/text.h"
#include "base/url.h"
#include "base/utf8.h"
#include "ipc/wire.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NAMED		(TAG_MAX - TAG_EXTRA)	/* kinds of values with names */
#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))
#define NAME_SHOWN	64			/* bytes of an extra's name in a reason */
/* The host's clock may have been ahead of ours for a moment. */
#define CLOCK_SLACK	INT64_C(86400000)

struct verify {
	struct wire	 w;
	enum verify_as	 as;
	int64_t		 latest;		/* of times, ms */
	uint32_t	 seen;			/* bits by field: those with one value */
	uint16_t	 count[TAG_MAX];
	uint32_t	 names[NAMED][RECORD_LIST_MAX];	/* hashes, by kind */
	const char	*name[NAMED][RECORD_LIST_MAX];
	char		*why;
};

static int wrong(struct verify *, int tag, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* name: of an extra, number or counter, which is a clean line; else NULL. */
static int
wrong(struct verify *v, int tag, const char *name, const char *fmt, ...)
{
	const char *field = record_fields[tag].name, *between = name != NULL ? " " : "";
	int n = name != NULL ? (int)text_valid(name, strnlen(name, NAME_SHOWN)) : 0;
	va_list ap;
	int at;

	at = snprintf(v->why, VERIFY_WHY, "%s%s%.*s: ", field, between, n, name != NULL ? name : "");
	va_start(ap, fmt);
	vsnprintf(v->why + at, (size_t)(VERIFY_WHY - at), fmt, ap);
	va_end(ap);
	return -1;
}

static int
cut_off(struct verify *v)
{
	snprintf(v->why, VERIFY_WHY, "a field that is cut off");
	return -1;
}

/* ---- Texts ---- */

/* Why a text is not clean; NULL: it is. */
static const char *
unclean(const char *s, size_t n)
{
	if (text_clean(s, n) == n)
		return NULL;
	return text_valid(s, n) < n ? "it is no UTF-8" : "a control character or non-character";
}

/* The same of plain text, whose bidirectional embeddings the host balances. line: of one line. */
static const char *
text_wrong(const char *s, size_t n, int line)
{
	const char *why;

	if (text_folded(s, n))
		return NULL;
	if ((why = unclean(s, n)) != NULL)
		return why;
	for (size_t i = 0; line && i < n; i++)
		if ((unsigned char)s[i] < ' ')
			return "more than one line";
	return text_balanced(s, n) ? NULL : "bidirectional signs that are not balanced";
}

const char *
verify_line(const char *s, size_t max)
{
	if (s == NULL)
		return NULL;
	return strlen(s) > max ? "it is too long" : text_wrong(s, strlen(s), 1);
}

/* Why a text is no URL as url_resolve() makes it, of a scheme that is allowed. */
static const char *
url_wrong(const char *s, size_t n, int web)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '"' || s[i] == '<' || s[i] == '>')
			return "a URL with characters that no resolved URL has";
	if (n > URL_MAX)
		return "it is too long";
	if (!(web ? field_web_leads(s) : field_url_leads(s)))
		return "a URL of a scheme that is not allowed";
	if (field_web_leads(s) && (strncmp(strchr(s, ':'), "://", 3) != 0 ||
	    strchr("/?#\\", strchr(s, ':')[3]) != NULL))
		return "a URL without a host";
	return NULL;
}

static int
html(struct verify *v, int tag, const char *name, const char *s, size_t n)
{
	const char *why = unclean(s, n);
	size_t at = 0;

	if (why == NULL && (why = markup_wrong(s, n, &at)) == NULL)
		return 0;
	return wrong(v, tag, name, "at byte %zu of its HTML: %s", at, why);
}

static int
holds(struct verify *v, int tag, enum holds what, const char *s, size_t n)
{
	const char *why = NULL;

	switch (what) {
	case HOLDS_NONE:
	case HOLDS_ID:
		why = "only the store gives it";
		break;
	case HOLDS_NAME:
	case HOLDS_TEXT:
	case HOLDS_LINE:
		why = text_wrong(s, n, what == HOLDS_LINE);
		break;
	case HOLDS_URL:
	case HOLDS_WEB:
		why = url_wrong(s, n, what == HOLDS_WEB);
		break;
	case HOLDS_HTML:
		return html(v, tag, NULL, s, n);
	}
	return why != NULL ? wrong(v, tag, NULL, "%s", why) : 0;
}

/* Reads a string that may be NULL, of at most max bytes. -1: malformed, or too long. */
static int
take(struct verify *v, int tag, size_t max, struct bytes *b)
{
	*b = wire_bytes(&v->w);
	if (v->w.bad)
		return cut_off(v);
	if (b->data == NULL)
		b->len = 0;
	return b->len > max ? wrong(v, tag, NULL, "it is too long") : 0;
}

/* A string of that kind that is there and not empty; NULL is allowed when `may` says so. */
static int
part(struct verify *v, int tag, enum holds what, int may)
{
	struct bytes b;

	if (take(v, tag, RECORD_LINE_MAX, &b) == -1)
		return -1;
	if (b.data == NULL && may)
		return 0;
	return b.len == 0 ? wrong(v, tag, NULL, "an empty value") : holds(v, tag, what, b.data, b.len);
}

/* ---- Fields ---- */

/* A field of one value comes once. */
static int
once(struct verify *v, int tag)
{
	if ((v->seen >> tag & 1) != 0)
		return wrong(v, tag, NULL, "it is there twice");
	v->seen |= UINT32_C(1) << tag;
	return 0;
}

static int
single(struct verify *v, int tag)
{
	const struct record_field *f = &record_fields[tag];
	struct bytes b;

	if (once(v, tag) == -1 || take(v, tag, f->max, &b) == -1)
		return -1;
	if (f->holds == HOLDS_NAME && v->as == VERIFY_CHANGES)
		return wrong(v, tag, NULL, "no filter changes it");
	if (b.len > 0 || f->holds == HOLDS_ID)
		return holds(v, tag, f->holds, b.data != NULL ? b.data : "", b.len);
	return b.data != NULL && v->as == VERIFY_CHANGES ? 0 : wrong(v, tag, NULL, "an empty value");
}

static int
when(struct verify *v, int tag)
{
	int64_t ms = wire_i64(&v->w);

	if (v->w.bad)
		return cut_off(v);
	if (once(v, tag) == -1)
		return -1;
	return ms == CR_NO_TIME || (ms >= FIELD_TIME_MIN && ms <= v->latest) ? 0 :
	    wrong(v, tag, NULL, "a time that the host does not write");
}

static int
person(struct verify *v, int tag)
{
	static const enum holds parts[] = { HOLDS_LINE, HOLDS_LINE, HOLDS_URL };
	const unsigned char *at = v->w.at;
	int any = 0;

	for (size_t i = 0; i < COUNT(parts); i++)
		any |= wire_bytes(&v->w).len > 0;
	if (v->w.bad)
		return cut_off(v);
	v->w.at = at;
	if (!any)
		return wrong(v, tag, NULL, "it names nobody");
	for (size_t i = 0; i < COUNT(parts); i++)
		if (part(v, tag, parts[i], 1) == -1)
			return -1;
	return 0;
}

static int
file(struct verify *v, int tag)
{
	int64_t size;

	if (part(v, tag, HOLDS_URL, 0) == -1 || part(v, tag, HOLDS_LINE, 1) == -1)
		return -1;
	size = wire_i64(&v->w);
	if (v->w.bad)
		return cut_off(v);
	return size >= -1 && size <= FIELD_WHOLE_MAX ? 0 :
	    wrong(v, tag, NULL, "a size that the host does not write");
}

/* Reads the name of an extra, number or counter, which no other of its kind has. NULL: wrong. */
static const char *
named(struct verify *v, int tag)
{
	size_t n = (size_t)v->count[tag] - 1;
	uint32_t hash = UINT32_C(2166136261), *names = v->names[tag - TAG_EXTRA];
	const char **name = v->name[tag - TAG_EXTRA], *why;
	struct bytes b;

	if (take(v, tag, RECORD_NAME_MAX, &b) == -1)
		return NULL;
	why = b.len == 0 ? "it has no name" : text_wrong(b.data, b.len, 1);
	if (why != NULL) {
		wrong(v, tag, NULL, "its name: %s", why);
		return NULL;
	}
	for (size_t i = 0; i < b.len; i++)
		hash = (hash ^ (unsigned char)b.data[i]) * UINT32_C(16777619);
	for (size_t i = 0; i < n; i++)
		if (names[i] == hash && strcmp(name[i], b.data) == 0) {
			wrong(v, tag, b.data, "it is there twice");
			return NULL;
		}
	names[n] = hash;
	return name[n] = b.data;
}

static int
extra(struct verify *v, int tag)
{
	const char *name = named(v, tag), *why;
	struct bytes b;

	if (name == NULL || take(v, tag, record_fields[tag].max, &b) == -1)
		return -1;
	if (b.data == NULL)
		return wrong(v, tag, name, "it has no text");
	if (field_markup(name))
		return html(v, tag, name, b.data, b.len);
	why = text_wrong(b.data, b.len, 0);
	return why != NULL ? wrong(v, tag, name, "%s", why) : 0;
}

static int
quantity(struct verify *v, int tag)
{
	const char *name = named(v, tag);
	int64_t whole;
	double real;

	if (name == NULL)
		return -1;
	if (tag == TAG_NUMBER) {
		real = wire_f64(&v->w);
		if (!v->w.bad && !isfinite(real))
			return wrong(v, tag, name, "a number that is not finite");
	} else {
		whole = wire_i64(&v->w);
		if (!v->w.bad && (whole > FIELD_WHOLE_MAX || whole < -FIELD_WHOLE_MAX))
			return wrong(v, tag, name, "a counter beyond 2^53");
	}
	return v->w.bad ? cut_off(v) : 0;
}

static int
field(struct verify *v)
{
	int tag = wire_u8(&v->w);
	enum shape shape = tag < TAG_MAX ? record_fields[tag].shape : SHAPE_NONE;

	if (shape == SHAPE_NONE) {
		snprintf(v->why, VERIFY_WHY, "an unknown field, %d", tag);
		return -1;
	}
	if (v->count[tag]++ == RECORD_LIST_MAX)
		return wrong(v, tag, NULL, "more than %d values", RECORD_LIST_MAX);
	switch (shape) {
	case SHAPE_TEXT:
		return single(v, tag);
	case SHAPE_TIME:
		return when(v, tag);
	case SHAPE_LIST:
		return part(v, tag, record_fields[tag].holds, 0);
	case SHAPE_PERSON:
		return person(v, tag);
	case SHAPE_FILE:
		return file(v, tag);
	case SHAPE_EXTRA:
		return extra(v, tag);
	default:
		return quantity(v, tag);
	}
}

int
verify_record(struct bytes b, enum verify_as as, int64_t now, char why[VERIFY_WHY])
{
	struct verify v;			/* names are written before they are read */

	wire_init(&v.w, b.data != NULL ? b.data : "", b.len);
	v.as = as;
	v.latest = as == VERIFY_CHANGES || now > FIELD_TIME_MAX - FIELD_AHEAD - CLOCK_SLACK ?
	    FIELD_TIME_MAX : now + FIELD_AHEAD + CLOCK_SLACK;
	v.seen = 0;
	memset(v.count, 0, sizeof(v.count));
	v.why = why;
	why[0] = '\0';
	if (b.len > RECORD_MAX || wire_u8(&v.w) != RECORD_FORMAT) {
		snprintf(why, VERIFY_WHY, b.len > RECORD_MAX ? "it is over 4 MiB" :
		    "it is of no known form");
		return -1;
	}
	while (v.w.at < v.w.end)
		if (field(&v) == -1)
			return -1;
	return 0;
}

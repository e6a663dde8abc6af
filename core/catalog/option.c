/* Typed options: their checks, their values as text, and the struct that a callback gets. */
#include "option.h"
#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPTION_NAME_MAX	64		/* bytes of an option's name */
#define OPTION_SHOWN	80		/* bytes of a value in an error message */
#define OPTION_URL_MAX	8192
#define OPTION_UNITS_MAX INT64_C(1000000000000000)	/* ms or bytes: larger is an error */

/* One value, typed. */
struct typed {
	int64_t	 i;
	double	 number;
};

static int	 type_text(const struct cr_option *, const char *, struct typed *);
static int	 type_int(const struct cr_option *, const char *, struct typed *);
static int	 type_bool(const struct cr_option *, const char *, struct typed *);
static int	 type_number(const struct cr_option *, const char *, struct typed *);
static int	 type_duration(const struct cr_option *, const char *, struct typed *);
static int	 type_size(const struct cr_option *, const char *, struct typed *);
static int	 type_url(const struct cr_option *, const char *, struct typed *);
static int	 type_enum(const struct cr_option *, const char *, struct typed *);

/* By enum cr_type. A range of numbers is two values of the type. */
static const struct type {
	const char	*name, *article;
	const char	*such;		/* examples, for people */
	int		(*parse)(const struct cr_option *, const char *, struct typed *);
	size_t		 size;		/* of the member */
	int		 ranged;	/* a range is MIN..MAX */
} types[] = {
	[CR_STRING] =	{ "text", "a", NULL, type_text, sizeof(CR_C_STRING), 0 },
	[CR_INT] =	{ "whole number", "a", NULL, type_int, sizeof(CR_C_INT), 1 },
	[CR_BOOL] =	{ "switch", "a", "yes or no", type_bool, sizeof(CR_C_BOOL), 0 },
	[CR_NUMBER] =	{ "number", "a", "3, 0.5", type_number, sizeof(CR_C_NUMBER), 1 },
	[CR_DURATION] =	{ "duration", "a", "30 s, 5 min, 2 h, 7 d", type_duration,
			    sizeof(CR_C_DURATION), 1 },
	[CR_SIZE] =	{ "size", "a", "500 kB, 10 MB, 64 KiB", type_size, sizeof(CR_C_SIZE), 1 },
	[CR_URL] =	{ "URL", "a", "https://example.org/", type_url, sizeof(CR_C_URL), 0 },
	[CR_LIST] =	{ "list", "a", NULL, type_enum, sizeof(CR_C_LIST), 0 },
	[CR_ENUM] =	{ "choice", "a", NULL, type_enum, sizeof(CR_C_ENUM), 0 },
	[CR_SECRET] =	{ "secret", "a", NULL, type_text, sizeof(CR_C_SECRET), 0 },
};

struct unit { const char *name; int64_t of; };
static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	{ "w", 604800000 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "B", 1 }, { "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 }, { "KiB", 1 << 10 },
	{ "MiB", 1 << 20 }, { "GiB", 1 << 30 }, { NULL, 0 },
};

static const struct type *
type_of(const struct cr_option *o)
{
	return o->type >= CR_STRING && o->type <= CR_SECRET ? &types[o->type] : NULL;
}

const char *
option_type_name(int type)
{
	const struct type *t = type_of(&(struct cr_option){ .type = type });

	return t != NULL ? t->name : NULL;
}

/* ---- One value ---- */

/* DIGITS[.DIGITS][ ]UNIT: not by strtod(), whose point depends on the locale. */
static int
unit_parse(const char *s, const struct unit *units, int64_t *to)
{
	int64_t whole = 0, part = 0, scale = 1;
	size_t n = strspn(s, "0123456789"), i;

	if (n == 0 || n > 15)
		return -1;
	for (; n > 0; n--, s++)
		whole = whole * 10 + (*s - '0');
	if (*s == '.') {
		n = strspn(++s, "0123456789");
		if (n == 0 || n > 6)
			return -1;
		for (; n > 0; n--, s++, scale *= 10)
			part = part * 10 + (*s - '0');
	}
	if (*s == '\0' && whole == 0 && part == 0) {
		*to = 0;
		return 0;
	}
	s += strspn(s, " ");
	for (i = 0; units[i].name != NULL && strcmp(s, units[i].name) != 0;)
		i++;
	if (units[i].name == NULL || whole > OPTION_UNITS_MAX / units[i].of)
		return -1;
	*to = whole * units[i].of + part * units[i].of / scale;
	return 0;
}

int
option_duration(const char *s, int64_t *ms)
{
	return unit_parse(s, durations, ms);
}

int
option_size(const char *s, int64_t *bytes)
{
	return unit_parse(s, sizes, bytes);
}

int
option_bool(const char *s)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return (int)(i % 2);
	return -1;
}

static int
type_text(const struct cr_option *o, const char *s, struct typed *v)
{
	(void)o, (void)v;
	return *s != '\0' || (o->type == CR_STRING && o->value != NULL) ? 0 : -1;
}

static int
type_int(const struct cr_option *o, const char *s, struct typed *v)
{
	char *end;

	(void)o;
	if (s[strspn(s, "+-0123456789")] != '\0')
		return -1;
	errno = 0;
	v->i = strtoll(s, &end, 10);
	v->number = (double)v->i;
	return end == s || *end != '\0' || errno != 0 ? -1 : 0;
}

static int
type_bool(const struct cr_option *o, const char *s, struct typed *v)
{
	(void)o;
	v->i = option_bool(s);
	return v->i < 0 ? -1 : 0;
}

static int
type_number(const struct cr_option *o, const char *s, struct typed *v)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	char *end;

	(void)o;
	if (c == (locale_t)0 || s[strspn(s, "+-0123456789.eE")] != '\0')
		return -1;
	v->number = strtod_l(s, &end, c);
	freelocale(c);
	return end == s || *end != '\0' || !isfinite(v->number) ? -1 : 0;
}

static int
type_duration(const struct cr_option *o, const char *s, struct typed *v)
{
	(void)o;
	return option_duration(s, &v->i);
}

static int
type_size(const struct cr_option *o, const char *s, struct typed *v)
{
	(void)o;
	return option_size(s, &v->i);
}

/* SCHEME:REST, without control characters and spaces; plugins check the rest. */
static int
type_url(const struct cr_option *o, const char *s, struct typed *v)
{
	static const char scheme_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789+-.";
	size_t scheme = strspn(s, scheme_chars), i;

	(void)o, (void)v;
	if (scheme == 0 || s[scheme] != ':' || s[scheme + 1] == '\0' ||
	    strspn(s, "0123456789+-.") > 0)
		return -1;
	for (i = 0; s[i] != '\0'; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f || s[i] == '"' || s[i] == '<')
			return -1;
	return i <= OPTION_URL_MAX ? 0 : -1;
}

/* The index among the words of the range; a list without a range takes any text. */
static int
type_enum(const struct cr_option *o, const char *s, struct typed *v)
{
	const char *at = o->range;
	size_t len = strlen(s), n;

	if (at == NULL || *s == '\0')
		return *s == '\0' ? -1 : 0;
	for (v->i = 0;; v->i++, at += n + 1) {
		n = strcspn(at, "|");
		if (n == len && memcmp(at, s, n) == 0)
			return 0;
		if (at[n] == '\0')
			return -1;
	}
}

/* MIN..MAX, each of which may be missing. -1: malformed, or an empty range. */
static int
range_parse(const struct cr_option *o, struct typed ends[2], int has[2])
{
	const struct type *t = type_of(o);
	const char *dots = strstr(o->range, "..");
	char *text[2];
	int i, bad = dots == NULL;

	if (bad)
		return -1;
	text[0] = xstrndup(o->range, (size_t)(dots - o->range));
	text[1] = xstrdup(dots + 2);
	for (i = 0; i < 2; i++) {
		has[i] = *text[i] != '\0';
		ends[i] = (struct typed){ 0 };
		if (has[i] && t->parse(o, text[i], &ends[i]) == -1)
			bad = 1;
		free(text[i]);
	}
	if (has[0] && has[1] && (ends[0].i > ends[1].i || ends[0].number > ends[1].number))
		bad = 1;
	return bad || (!has[0] && !has[1]) ? -1 : 0;
}

static int
in_range(const struct cr_option *o, const struct typed *v)
{
	struct typed ends[2];
	int has[2];

	if (o->range == NULL || !type_of(o)->ranged)
		return 1;
	if (range_parse(o, ends, has) == -1)
		return 0;
	if (o->type == CR_NUMBER)
		return !(has[0] && v->number < ends[0].number) &&
		    !(has[1] && v->number > ends[1].number);
	return !(has[0] && v->i < ends[0].i) && !(has[1] && v->i > ends[1].i);
}

void
option_takes(const struct cr_option *o, struct buf *b)
{
	const struct type *t = type_of(o);
	const char *at;
	size_t n;

	if (o->range != NULL && (o->type == CR_ENUM || o->type == CR_LIST)) {
		buf_str(b, o->type == CR_ENUM ? "one of " : "some of ");
		for (at = o->range;; at += n + 1) {
			n = strcspn(at, "|");
			buf_add(b, at, n);
			if (at[n] == '\0')
				return;
			buf_str(b, ", ");
		}
	}
	buf_fmt(b, "%s %s", t->article, t->name);
	if (o->range != NULL && t->ranged)
		buf_fmt(b, " in %s", o->range);
	else if (t->such != NULL)
		buf_fmt(b, " such as %s", t->such);
}

/* Adds the value for an error message: `name: "value"`, cut; of a secret the name alone. */
static void
complain(const struct cr_option *o, const char *s, struct buf *err)
{
	size_t len = strlen(s), shown = len < OPTION_SHOWN ? len : OPTION_SHOWN;

	if (o->type == CR_SECRET) {
		buf_fmt(err, "%s:", o->name);
		return;
	}
	while (shown < len && shown > 0 && ((unsigned char)s[shown] & 0xc0) == 0x80)
		shown--;
	buf_fmt(err, "%s: \"%.*s%s\"", o->name, (int)shown, s, shown < len ? "..." : "");
}

static int
bare_number(const struct cr_option *o, const char *s)
{
	return (o->type == CR_DURATION || o->type == CR_SIZE) && *s != '\0' &&
	    s[strspn(s, "0123456789")] == '\0';
}

/* Adds the whole error message for the value s. */
static void
complain_type(const struct cr_option *o, const char *s, struct buf *err)
{
	const struct type *t = type_of(o);

	complain(o, s, err);
	if (*s == '\0') {
		buf_str(err, " is empty; say ");
		option_takes(o, err);
	} else if (o->type == CR_ENUM || o->type == CR_LIST) {
		buf_str(err, " is not ");
		option_takes(o, err);
	} else if (bare_number(o, s)) {
		buf_fmt(err, " lacks a unit; say %s", t->such);
	} else {
		buf_fmt(err, " is no %s", t->name);
		if (t->such != NULL)
			buf_fmt(err, "; say %s", t->such);
	}
}

/* 1: v has the typed value, 0: the text is the default "" and the member stays empty, -1
 * and why. */
static int
option_parse(const struct cr_option *o, const char *s, struct typed *v, struct buf *err)
{
	*v = (struct typed){ 0 };
	if (*s == '\0' && o->value != NULL && *o->value == '\0')
		return 0;
	if (strlen(s) > OPTION_VALUE_MAX) {
		buf_fmt(err, "%s: longer than %u bytes", o->name, OPTION_VALUE_MAX);
		return -1;
	}
	if (type_of(o)->parse(o, s, v) == -1) {
		complain_type(o, s, err);
		return -1;
	}
	if (!in_range(o, v)) {
		complain(o, s, err);
		buf_fmt(err, " is out of range; say %s", o->range);
		return -1;
	}
	return 1;
}

int
option_check(const struct cr_option *o, const char *text, struct buf *err)
{
	struct typed v;

	return option_parse(o, text, &v, err) == -1 ? -1 : 0;
}

/* ---- Values as text ---- */

void
options_add(struct options *all, const char *name, const char *value)
{
	if ((all->n & (all->n - 1)) == 0)	/* full at each power of two */
		all->v = xreallocarray(all->v, all->n > 0 ? 2 * all->n : 1, sizeof(*all->v));
	all->v[all->n].name = xstrdup(name);
	all->v[all->n++].value = xstrdup(value);
}

void
options_free(struct options *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->v[i].name);
		free(all->v[i].value);
	}
	free(all->v);
	*all = (struct options){ 0 };
}

const char *
options_get(const struct options *all, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return all->v[i].value;
	return NULL;
}

void
options_write(const struct options *all, struct buf *b)
{
	for (size_t i = 0; i < all->n; i++) {
		buf_add(b, all->v[i].name, strlen(all->v[i].name) + 1);
		buf_add(b, all->v[i].value, strlen(all->v[i].value) + 1);
	}
}

int
options_read(struct options *all, struct bytes from)
{
	const char *at = from.data, *end = from.data + from.len, *value, *stop;

	*all = (struct options){ 0 };
	while (at < end) {
		value = memchr(at, '\0', (size_t)(end - at));
		stop = value == NULL ? NULL : memchr(value + 1, '\0', (size_t)(end - value - 1));
		if (stop == NULL || *at == '\0') {
			options_free(all);
			return -1;
		}
		options_add(all, at, value + 1);
		at = stop + 1;
	}
	return 0;
}

const struct cr_option *
option_find(const struct cr_option *table, const char *name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* ---- The table ---- */

static int
table_name(const struct cr_option *o)
{
	size_t len = strlen(o->name);

	return len > 0 && len <= OPTION_NAME_MAX && (unsigned char)(*o->name - '0') > 9 &&
	    o->name[strspn(o->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_")] == '\0';
}

static int
table_range(const struct cr_option *o)
{
	struct typed ends[2];
	int has[2];

	if (o->type == CR_ENUM)
		return o->range != NULL && *o->range != '\0';
	if (o->range == NULL)
		return 1;
	return o->type == CR_LIST || (type_of(o)->ranged && range_parse(o, ends, has) == 0);
}

/* A list's default is checked value by value. */
static int
table_default(const struct cr_option *o, struct buf *err)
{
	const char *at = o->value;
	char *one;
	size_t n;
	int bad;

	if (at == NULL || *at == '\0')
		return 1;
	if (o->type != CR_LIST)
		return option_check(o, at, err) == 0;
	for (bad = 0;; at += n + 1) {
		n = strcspn(at, "|");
		one = xstrndup(at, n);
		bad |= option_check(o, one, err) == -1;
		free(one);
		if (bad || at[n] == '\0')
			return !bad;
	}
}

static int
table_overlaps(const struct cr_option *table, const struct cr_option *o)
{
	for (; table < o; table++)
		if (table->offset < o->offset + type_of(o)->size &&
		    o->offset < table->offset + type_of(table)->size)
			return 1;
	return 0;
}

int
option_table(const struct cr_option *table, size_t size, struct buf *err)
{
	const struct cr_option *o;
	const struct type *t;

	for (o = table; o != NULL && o->name != NULL; o++) {
		if (o - table >= OPTION_MAX) {
			buf_fmt(err, "more than %d options, or CR_END is missing", OPTION_MAX);
			return -1;
		}
		t = type_of(o);
		if (!table_name(o))
			buf_fmt(err, "option %td: its name is no C name", o - table + 1);
		else if (option_find(table, o->name) != o)
			buf_fmt(err, "option %s: twice in the table", o->name);
		else if (t == NULL)
			buf_fmt(err, "option %s: no type %d in this version", o->name, o->type);
		else if (o->offset > size || size - o->offset < t->size)
			buf_fmt(err, "option %s: outside of options_size", o->name);
		else if (o->offset % t->size != 0 || table_overlaps(table, o))
			buf_fmt(err, "option %s: its member overlaps another", o->name);
		else if (!table_range(o))
			buf_fmt(err, "option %s: its range \"%s\" is none of a %s", o->name,
			    o->range != NULL ? o->range : "", t->name);
		else if (table_default(o, err))
			continue;
		return -1;
	}
	return 0;
}

/* ---- The struct ---- */

static void
list_free(char **list)
{
	for (size_t i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

/* The configured values, or the parts of the default. */
static int
fill_list(const struct cr_option *o, char ***to, const struct options *given, struct buf *err)
{
	const char *at = o->value != NULL ? o->value : "";
	size_t i, n, len, count = 0;
	char **list = xcalloc(given->n + strlen(at) + 2, sizeof(char *));

	*to = list;
	for (i = 0; i < given->n; i++) {
		if (strcmp(given->v[i].name, o->name) != 0 ||
		    (++count == 1 && *given->v[i].value == '\0'))
			continue;
		if (option_check(o, given->v[i].value, err) == -1)
			return -1;
		*list++ = xstrdup(given->v[i].value);
	}
	for (n = 0; count == 0 && at[n] != '\0'; n += len + (at[n + len] == '|')) {
		len = strcspn(at + n, "|");
		*list++ = xstrndup(at + n, len);
	}
	return 0;
}

/* A text, owned by the caller; the values of a secret become lines. */
static int
fill_text(const struct cr_option *o, char **to, const char *first, const struct options *given,
    struct buf *err)
{
	char *longer;
	size_t i;
	int more = 0;

	if (option_check(o, first, err) == -1)
		return -1;
	if (*first != '\0' || (o->value != NULL && *o->value != '\0'))
		*to = xstrdup(first);
	for (i = 0; *to != NULL && i < given->n; i++) {
		if (strcmp(given->v[i].name, o->name) != 0 || !more++)
			continue;
		longer = xasprintf("%s\n%s", *to, given->v[i].value);
		free(*to);
		*to = longer;
	}
	return 0;
}

static int
fill_one(const struct cr_option *o, void *member, const struct options *given, struct buf *err)
{
	const char *text = options_get(given, o->name);
	struct typed v;

	if (text == NULL && o->value == NULL) {
		buf_fmt(err, "%s: has to be given", o->name);
		if (o->help != NULL)
			buf_fmt(err, " (%s)", o->help);
		return -1;
	}
	if (text == NULL)
		text = o->value;
	switch (o->type) {
	case CR_LIST:
		return fill_list(o, member, given, err);
	case CR_STRING:
	case CR_URL:
	case CR_SECRET:
		return fill_text(o, member, text, given, err);
	default:
		break;
	}
	if (option_parse(o, text, &v, err) == -1)
		return -1;
	if (o->type == CR_NUMBER)
		*(double *)member = v.number;
	else if (o->type == CR_BOOL || o->type == CR_ENUM)
		*(int *)member = (int)v.i;
	else
		*(int64_t *)member = v.i;
	return 0;
}

/* Refuses names that the table lacks, and second values of an option that is no list. */
static int
fill_names(const struct cr_option *table, const struct options *given, struct buf *err)
{
	const char *names[OPTION_MAX], *near;
	const struct cr_option *o;
	size_t i, j, n = 0;

	for (o = table; o != NULL && o->name != NULL && n < OPTION_MAX; o++)
		names[n++] = o->name;
	for (i = 0; i < given->n; i++) {
		o = option_find(table, given->v[i].name);
		if (o == NULL) {
			near = option_nearest(given->v[i].name, names, n);
			buf_fmt(err, "%s: no such option", given->v[i].name);
			if (near != NULL)
				buf_fmt(err, "; did you mean %s", near);
			return -1;
		}
		for (j = 0; j < i && o->type != CR_LIST && o->type != CR_SECRET; j++)
			if (strcmp(given->v[j].name, o->name) == 0) {
				buf_fmt(err, "%s: takes one value", o->name);
				return -1;
			}
	}
	return 0;
}

int
option_fill(const struct cr_option *table, void *opts, size_t size, const struct options *given,
    struct buf *err)
{
	const struct cr_option *o;

	if (fill_names(table, given, err) == -1)
		return -1;
	for (o = table; o != NULL && o->name != NULL; o++)
		if (o->offset > size || size - o->offset < type_of(o)->size ||
		    fill_one(o, (char *)opts + o->offset, given, err) == -1) {
			option_unfill(table, opts);
			memset(opts, 0, size);
			return -1;
		}
	return 0;
}

void
option_unfill(const struct cr_option *table, void *opts)
{
	const struct cr_option *o;
	char **text;

	for (o = table; o != NULL && o->name != NULL; o++) {
		text = (char **)(void *)((char *)opts + o->offset);
		if (o->type == CR_LIST) {
			list_free(*(char ***)(void *)text);
			*text = NULL;
		} else if (o->type == CR_STRING || o->type == CR_URL || o->type == CR_SECRET) {
			free(*text);
			*text = NULL;
		}
	}
}

/* ---- Did you mean ---- */

#define NEAR_MAX	64		/* bytes compared */

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c == '-' ? '_' : c;
}

/* The number of typing errors between two words: letters omitted, added, replaced, or swapped with
 * the next. */
static size_t
distance(const char *a, const char *b)
{
	size_t rows[3][NEAR_MAX + 1], n = strlen(a), m = strlen(b), i, j, best;
	size_t *two = rows[0], *one = rows[1], *row = rows[2], *spare;

	if (n > NEAR_MAX || m > NEAR_MAX)
		return SIZE_MAX;
	for (j = 0; j <= m; j++)
		row[j] = j;
	for (i = 1; i <= n; i++) {
		spare = two;
		two = one;
		one = row;
		row = spare;
		row[0] = i;
		for (j = 1; j <= m; j++) {
			best = one[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
			if (one[j] + 1 < best)
				best = one[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && two[j - 2] + 1 < best)
				best = two[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[m];
}

const char *
option_nearest(const char *written, const char *const *names, size_t n)
{
	size_t limit = strlen(written) / 3 + 1, least = limit + 1, d, i;
	const char *best = NULL;

	for (i = 0; i < n; i++) {
		d = distance(written, names[i]);
		if (d < least && d < strlen(names[i])) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

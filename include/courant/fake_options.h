/* Part of <courant/fakehost.h>: options from `name=value` lines, by the plugin's table. */
#ifndef COURANT_FAKE_OPTIONS_H
#define COURANT_FAKE_OPTIONS_H
#include "fake_text.h"

struct cr_fake_given { const char *name, *value; };	/* name NULL: end of the list */

static inline size_t
cr_fake_size(int type)
{
	switch (type) {
	case CR_BOOL: return sizeof(CR_C_BOOL);
	case CR_ENUM: return sizeof(CR_C_ENUM);
	case CR_NUMBER: return sizeof(CR_C_NUMBER);
	case CR_INT: case CR_DURATION: case CR_SIZE: return sizeof(int64_t);
	default: return sizeof(const char *);
	}
}

/* Splits lines of name=value; a second line with a name is a second value of a list. NULL: a line
 * has no '='. */
static inline struct cr_fake_given *
cr_fake_given(struct cr_fake_mem *m, const char *lines)
{
	struct cr_fake_given *g = cr_fake_alloc(m, (strlen(lines) + 1) * sizeof(*g));
	size_t n = 0, len;
	const char *is;

	for (; *lines != '\0'; lines += len + (lines[len] == '\n')) {
		len = strcspn(lines, "\n");
		if (len == 0)
			continue;
		if ((is = memchr(lines, '=', len)) == NULL)
			return NULL;
		g[n].name = cr_fake_copy(m, lines, (size_t)(is - lines));
		g[n++].value = cr_fake_copy(m, is + 1, (size_t)(lines + len - is - 1));
	}
	return g;
}

/* Reads NUMBER UNIT; 0 needs no unit. -1: malformed. */
static inline int
cr_fake_units(const char *s, int size, int64_t *to)
{
	static const struct { const char *name; int64_t of; } units[2][8] = {
		{ { "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
		    { "w", 604800000 } },
		{ { "B", 1 }, { "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 },
		    { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 } },
	};
	size_t i;
	double n;
	char *end;

	if (*s < '0' || *s > '9' || s[strspn(s, "0123456789.")] == 'e')
		return -1;
	n = strtod(s, &end);
	end += strspn(end, " ");
	for (i = 0; i < 7 && units[size][i].name != NULL; i++)
		if (strcmp(end, units[size][i].name) == 0) {
			*to = (int64_t)(n * (double)units[size][i].of + 0.5);
			return n < 1e15 / (double)units[size][i].of ? 0 : -1;
		}
	*to = 0;
	return *end == '\0' && n == 0 ? 0 : -1;
}

/* The index of a word in a range such as "any|all"; -1: it is not in the range. */
static inline int
cr_fake_choice(const char *range, const char *word)
{
	size_t len;
	int place = 0;

	for (;; range += len + 1, place++) {
		len = strcspn(range, "|");
		if (len == strlen(word) && memcmp(range, word, len) == 0)
			return place;
		if (range[len] == '\0')
			return -1;
	}
}

static inline int
cr_fake_bool(const char *s)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };
	int i;

	for (i = 0; i < 8; i++)
		if (cr_fake_is(s, strlen(s), words[i]))
			return i % 2;
	return -1;
}

/* Reads a value by the option's type: numbers into *d, whole ones, indices and
 * booleans into *i. -1: malformed. */
static inline int
cr_fake_typed(const struct cr_option *o, const char *s, int64_t *i, double *d)
{
	char *end;

	*i = 0;
	*d = 0;
	switch (o->type) {
	case CR_INT:
		*i = strtoll(s, &end, 10);
		*d = (double)*i;
		return end == s || *end != '\0' || s[strspn(s, "+-0123456789")] != '\0' ? -1 : 0;
	case CR_NUMBER:
		*d = strtod(s, &end);
		return end == s || *end != '\0' || s[strspn(s, "+-0123456789.eE")] != '\0' ? -1 : 0;
	case CR_DURATION:
	case CR_SIZE:
		if (cr_fake_units(s, o->type == CR_SIZE, i) == -1)
			return -1;
		*d = (double)*i;
		return 0;
	case CR_BOOL:
		return (*i = cr_fake_bool(s)) == -1 ? -1 : 0;
	case CR_ENUM:
	case CR_LIST:
		if (o->range != NULL)
			return (*i = cr_fake_choice(o->range, s)) == -1 ? -1 : 0;
		return *s == '\0' ? -1 : 0;
	case CR_URL:
		return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")]
		    != ':' || strpbrk(s, " \t\n\"<") != NULL ? -1 : 0;
	default:
		return *s == '\0' && (o->type == CR_SECRET || o->value == NULL) ? -1 : 0;
	}
}

/* Whether n is in the option's range MIN..MAX. */
static inline int
cr_fake_within(const struct cr_option *o, double n)
{
	const char *dots = o->range != NULL ? strstr(o->range, "..") : NULL;
	char low[64];
	double end;
	int64_t i;

	if (dots == NULL || o->type == CR_ENUM || o->type == CR_LIST)
		return 1;
	snprintf(low, sizeof(low), "%.*s", (int)(dots - o->range), o->range);
	if (low[0] != '\0' && cr_fake_typed(o, low, &i, &end) == 0 && n < end)
		return 0;
	return dots[2] == '\0' || cr_fake_typed(o, dots + 2, &i, &end) == -1 || n <= end;
}

/* Fills a list: with the values given, else those of the default, separated by '|'. -1: a value is
 * not in the range. */
static inline int
cr_fake_list(struct cr_fake_mem *m, const struct cr_option *o, const struct cr_fake_given *g,
    void *member)
{
	const char *at = o->value != NULL ? o->value : "", **list;
	size_t n = 0, max = strlen(at) + 2, i, len;
	int64_t place;
	double d;

	for (i = 0; g[i].name != NULL; i++)
		max++;
	list = cr_fake_alloc(m, max * sizeof(*list));
	for (i = 0; g[i].name != NULL; i++)
		if (strcmp(g[i].name, o->name) == 0) {
			at = "";
			if (n == 0 && g[i].value[0] == '\0')
				continue;
			if (cr_fake_typed(o, g[i].value, &place, &d) == -1)
				return -1;
			list[n++] = g[i].value;
		}
	for (; *at != '\0'; at += len + (at[len] == '|')) {
		len = strcspn(at, "|");
		list[n++] = cr_fake_copy(m, at, len);
	}
	memcpy(member, &list, sizeof(list));
	return 0;
}

static inline void
cr_fake_put(const struct cr_option *o, void *member, const char *s, int64_t i, double d)
{
	int small = (int)i;

	switch (o->type) {
	case CR_NUMBER:
		memcpy(member, &d, sizeof(d));
		break;
	case CR_BOOL:
	case CR_ENUM:
		memcpy(member, &small, sizeof(small));
		break;
	case CR_INT:
	case CR_DURATION:
	case CR_SIZE:
		memcpy(member, &i, sizeof(i));
		break;
	default:
		s = *s != '\0' || (o->value != NULL && *o->value != '\0') ? s : NULL;
		memcpy(member, &s, sizeof(s));
	}
}

/* The stand-in "{secret:NAME}", which a plugin without CR_SECRETS gets. */
static inline const char *
cr_fake_stand_in(struct cr_fake_mem *m, const char *name)
{
	struct cr_fake_text t = { .mem = m };

	cr_fake_str(&t, "{secret:");
	cr_fake_str(&t, name);
	cr_fake_str(&t, "}");
	return t.data;
}

static inline int
cr_fake_complain(struct cr_fake_text *err, const struct cr_option *o, const char *why)
{
	cr_fake_str(err, o->name);
	cr_fake_str(err, why);
	if (o->range != NULL) {
		cr_fake_str(err, "; say ");
		cr_fake_str(err, o->range);
	}
	return -1;
}

/* Fills one member. -1: err has the reason. */
static inline int
cr_fake_option(struct cr_fake_mem *m, const struct cr_option *o, const struct cr_fake_given *g,
    void *member, int stand_ins, struct cr_fake_text *err)
{
	const char *s = o->value;
	int64_t i = 0;
	double d = 0;
	size_t k, times = 0;

	for (k = 0; g[k].name != NULL; k++)
		if (strcmp(g[k].name, o->name) == 0 && times++ == 0)
			s = g[k].value;
	if (s == NULL)
		return cr_fake_complain(err, o, ": has to be given");
	if (o->type == CR_LIST)
		return cr_fake_list(m, o, g, member) == 0 ? 0 :
		    cr_fake_complain(err, o, ": holds what it cannot");
	if (times > 1 && o->type != CR_SECRET)
		return cr_fake_complain(err, o, ": takes one value");
	if (*s != '\0' || o->value == NULL || *o->value != '\0') {
		if (cr_fake_typed(o, s, &i, &d) == -1)
			return cr_fake_complain(err, o, ": is none of its type");
		if (!cr_fake_within(o, d))
			return cr_fake_complain(err, o, ": is out of range");
	}
	if (stand_ins && o->type == CR_SECRET && times > 0)
		s = cr_fake_stand_in(m, o->name);
	cr_fake_put(o, member, s, i, d);
	return 0;
}

/* The struct of options for the callbacks; NULL: err has the reason. stand_ins: with stand-ins for
 * secrets. */
static inline void *
cr_fake_fill(struct cr_fake_mem *m, const struct cr_plugin *p, const struct cr_fake_given *g,
    int stand_ins, struct cr_fake_text *err)
{
	static const struct cr_option none[] = { CR_END };
	const struct cr_option *table = p->options != NULL ? p->options : none, *o;
	char *opts = cr_fake_alloc(m, p->options_size);
	size_t k;

	for (k = 0; g[k].name != NULL; k++) {
		for (o = table; o->name != NULL && strcmp(o->name, g[k].name) != 0; o++)
			;
		if (o->name == NULL) {
			cr_fake_str(err, g[k].name);
			cr_fake_str(err, ": no such option");
			return NULL;
		}
	}
	for (o = table; o->name != NULL; o++)
		if (o->offset + cr_fake_size(o->type) > p->options_size) {
			cr_fake_str(err, o->name);
			cr_fake_str(err, ": outside of options_size");
			return NULL;
		} else if (cr_fake_option(m, o, g, opts + o->offset, stand_ins, err) == -1) {
			return NULL;
		}
	return opts;
}

/* Adds a value; url: with the reserved characters of URLs escaped. */
static inline void
cr_fake_place(struct cr_fake_text *to, const char *s, int url)
{
	char code[4];

	for (; *s != '\0'; s++) {
		snprintf(code, sizeof(code), "%%%02X", (unsigned)(unsigned char)*s);
		if (url && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789-._~/:,@", *s) == NULL)
			cr_fake_str(to, code);
		else
			cr_fake_add(to, s, 1);
	}
}

/* The option whose name is the n bytes at s; NULL: none. */
static inline const struct cr_option *
cr_fake_named_option(const struct cr_plugin *p, const char *s, size_t n)
{
	const struct cr_option *o;

	for (o = p->options; o != NULL && o->name != NULL; o++)
		if (strlen(o->name) == n && memcmp(o->name, s, n) == 0)
			return o;
	return NULL;
}

/* Adds a template, a plugin's url or headers, with each {OPTION} replaced by the option's value. */
static inline void
cr_fake_template(struct cr_fake_text *to, const struct cr_plugin *p,
    const struct cr_fake_given *g, const char *s, int url)
{
	const struct cr_option *o;
	const char *end;
	size_t k;
	int times;

	for (; *s != '\0'; s++) {
		end = *s == '{' ? strchr(s, '}') : NULL;
		o = end != NULL ? cr_fake_named_option(p, s + 1, (size_t)(end - s - 1)) : NULL;
		if (o == NULL) {
			cr_fake_add(to, s, 1);
			continue;
		}
		for (k = 0, times = 0; g[k].name != NULL; k++)
			if (strcmp(g[k].name, o->name) == 0) {
				cr_fake_str(to, times++ > 0 ? "," : "");
				cr_fake_place(to, g[k].value, url);
			}
		if (times == 0 && o->value != NULL)
			cr_fake_place(to, o->value, url);
		s = end;
	}
}
#endif

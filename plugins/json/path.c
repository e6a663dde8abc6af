/* Paths into a JSON document, and the values at their ends. */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Paths ---- */

/* Takes the next step off the path. NULL: it ends here. */
static const char *
step_take(const char *path, char *step)
{
	size_t len = strcspn(path, ".");

	while (*path == '.')
		len = strcspn(++path, ".");
	if (*path == '\0' || len >= API_PATH)
		return NULL;
	memcpy(step, path, len);
	step[len] = '\0';
	return path + len;
}

/* The place that a step names in a list; -1: it names none. */
static long
step_place(const char *step)
{
	char *end;
	long place = strtol(step, &end, 10);

	return *step >= '0' && *step <= '9' && *end == '\0' ? place : -1;
}

/* Lists in place of their members: at the end of the path too, when `whole` is not set. */
static void
find(struct found *f, const json_t *at, const char *path, int whole, int depth)
{
	const json_t *member;
	char step[API_PATH];
	const char *rest;
	size_t i;

	if (at == NULL || json_is_null(at) || f->n == API_LIST || depth == API_DEPTH)
		return;
	rest = step_take(path, step);
	if (rest == NULL && (whole || !json_is_array(at))) {
		f->v[f->n++] = at;
	} else if (json_is_array(at) && rest != NULL && step_place(step) >= 0) {
		find(f, json_array_get(at, (size_t)step_place(step)), rest, whole, depth + 1);
	} else if (json_is_array(at)) {
		json_array_foreach(at, i, member)
			find(f, member, path, whole, depth + 1);
	} else if ((member = json_object_get(at, path + strspn(path, "."))) != NULL) {
		find(f, member, "", whole, depth + 1);	/* a name with dots in it */
	} else {
		find(f, json_object_get(at, step), rest, whole, depth + 1);
	}
}

void
path_find(struct found *f, const json_t *at, const char *path)
{
	f->n = 0;
	find(f, at, path, 0, 0);
}

const json_t *
path_one(const json_t *at, const char *path)
{
	struct found f = { .n = 0 };

	find(&f, at, path, 1, 0);
	return f.n > 0 ? f.v[0] : NULL;
}

int
path_choice(const char **rest, char *out, size_t size)
{
	const char *s = *rest, *end;
	int inside = 0;
	size_t len;

	s += strspn(s, " |");
	for (end = s; *end != '\0' && (inside || *end != '|'); end++)
		inside = *end == '{' || (inside && *end != '}');
	*rest = end;
	for (len = (size_t)(end - s); len > 0 && s[len - 1] == ' ';)
		len--;
	if (len == 0 || len >= size)
		return 0;
	memcpy(out, s, len);
	out[len] = '\0';
	return 1;
}

/* ---- Values ---- */

/* Zero bytes stay visible: two guids that differ behind one are not the same. */
static char *
text_zeros(const char *s, size_t len)
{
	char *text = malloc(3 * len + 1), *to = text;

	for (; to != NULL && len > 0; s++, len--)
		if (*s == '\0')
			to = stpcpy(to, "\xef\xbf\xbd");
		else
			*to++ = *s;
	if (to != NULL)
		*to = '\0';
	return text;
}

static char *
text_cut(const char *s, size_t len)
{
	if (len > API_TEXT)
		for (len = API_TEXT; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80;)
			len--;
	if (memchr(s, '\0', len) != NULL)
		return text_zeros(s, len);
	return len > 0 ? strndup(s, len) : NULL;
}

static char *
number_text(const json_t *v)
{
	char s[64];

	if (json_is_integer(v))
		snprintf(s, sizeof(s), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else
		snprintf(s, sizeof(s), "%.15g", json_real_value(v));
	return strdup(s);
}

char *
value_text(const json_t *v)
{
	char *dump, *s;

	if (json_is_string(v))
		return text_cut(json_string_value(v), json_string_length(v));
	if (json_is_number(v))
		return number_text(v);
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "true" : "false");
	if (json_is_null(v) || v == NULL || (dump = json_dumps(v, JSON_COMPACT)) == NULL)
		return NULL;
	s = text_cut(dump, strlen(dump));
	free(dump);
	return s;
}

int
value_number(const json_t *v, double *d)
{
	char *end;
	const char *s;

	if (json_is_number(v)) {
		*d = json_number_value(v);
	} else if (json_is_boolean(v)) {
		*d = json_is_true(v);
	} else if (json_is_array(v)) {
		*d = (double)json_array_size(v);
	} else if ((s = json_string_value(v)) != NULL && *s != '\0' &&
	    strlen(s) == json_string_length(v)) {
		*d = strtod(s, &end);
		if (s[strspn(s, "+-.0123456789eE")] != '\0' || *end != '\0' || end == s)
			return 0;
	} else {
		return 0;
	}
	return isfinite(*d) != 0;
}

/* The first alternative with a value inside of one pair of braces. */
static char *
brace_text(const json_t *item, const char *inner)
{
	char path[API_PATH], *text;
	struct found f;

	while (path_choice(&inner, path, sizeof(path))) {
		path_find(&f, item, path);
		if (f.n > 0 && (text = value_text(f.v[0])) != NULL)
			return text;
	}
	return NULL;
}

char *
template_text(const json_t *item, const char *template)
{
	char inner[API_PATH], *text = NULL;
	size_t size = 0, len;
	FILE *out = open_memstream(&text, &size);
	int missing = 0;
	char *value;

	while (out != NULL && *template != '\0' && !missing) {
		len = strcspn(template, *template == '{' ? "}" : "{");
		if (*template == '{' && template[len] == '}') {
			snprintf(inner, sizeof(inner), "%.*s", (int)len - 1, template + 1);
			value = brace_text(item, inner);
			missing = value == NULL;
			fputs(value != NULL ? value : "", out);
			free(value);
			template += len + 1;
		} else {
			fwrite(template, 1, len, out);
			template += len;
		}
	}
	if (out == NULL || fclose(out) != 0 || missing || size > API_TEXT) {
		free(text);
		return NULL;
	}
	return text;
}

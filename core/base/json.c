/* Members of JSON objects. */
#include "json.h"
#include "buf.h"
#include "date.h"
#include "utf8.h"

#include <string.h>

json_t *
json_text(const char *text)
{
	struct buf b;
	json_t *s;

	if ((s = json_string(text)) != NULL)
		return s;
	buf_init(&b, 4 * strlen(text));
	(void)text_utf8(&b, text, strlen(text));
	s = json_string(b.data != NULL ? b.data : "");
	buf_free(&b);
	return s;
}

void
json_set_text(json_t *o, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(o, name, json_text(text));
}

void
json_set_number(json_t *o, const char *name, int64_t n)
{
	json_object_set_new(o, name, json_integer(n));
}

void
json_set_time(json_t *o, const char *name, int64_t ms)
{
	char text[DATE_MAX];

	if (ms > 0 && ms < INT64_MAX)
		json_object_set_new(o, name, json_string(date_rfc3339(text, ms)));
}

const char *
json_get_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

long long
json_get_number(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

void
json_put(struct buf *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	buf_str(out, text);
	free(text);
	json_decref(value);
}

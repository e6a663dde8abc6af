/* JSON out of bytes in whichever encoding they came. */
#include "json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
convert(struct cr *cr, const char *charset, struct loaded *l)
{
	const char *text = cr->convert(cr, charset, l->text, l->len, &l->len, &l->bad);

	if (text != NULL)
		l->text = text;
	return text != NULL;
}

static json_t *
read_json(const char *s, size_t len, json_error_t *e)
{
	return json_loadb(s, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, e);
}

/* What can be read of it once it is mended; NULL: nothing. The error stays that of the first time. */
static json_t *
mended(struct cr *cr, struct loaded *l)
{
	struct loaded other = *l;
	char *text = json_mend(l->text, l->len, &other.len);
	json_t *doc = NULL;

	other.text = text;
	if (text != NULL && (doc = read_json(text, other.len, &other.error)) == NULL &&
	    json_error_code(&other.error) == json_error_invalid_utf8 &&
	    convert(cr, "utf-8", &other))
		doc = read_json(other.text, other.len, &other.error);
	free(text);
	l->mended = doc != NULL;
	l->bad = other.bad;
	return doc;
}

json_t *
load_text(struct cr *cr, const char *charset, struct loaded *l)
{
	json_t *doc;

	l->bad = 0;
	l->mended = 0;
	if (l->len >= 2 && (memcmp(l->text, "\xff\xfe", 2) == 0 ||
	    memcmp(l->text, "\xfe\xff", 2) == 0))
		charset = l->text[0] == '\xff' ? "utf-16le" : "utf-16be";
	if (charset[0] != '\0' && strcasecmp(charset, "utf-8") != 0)
		(void)convert(cr, charset, l);
	for (; l->len > 0 && *l->text != '\0' && strchr("\xef\xbb\xbf \t\r\n", *l->text) != NULL;
	    l->len--)
		l->text++;
	doc = read_json(l->text, l->len, &l->error);
	if (doc == NULL && json_error_code(&l->error) == json_error_invalid_utf8 &&
	    convert(cr, "utf-8", l))
		doc = read_json(l->text, l->len, &l->error);
	return doc != NULL || l->len == 0 ? doc : mended(cr, l);
}

/* JSON out of bytes in whichever encoding they came. */
#include "api.h"

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

json_t *
load_text(struct cr *cr, const char *charset, struct loaded *l)
{
	size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_t *doc;

	l->bad = 0;
	if (l->len >= 2 && (memcmp(l->text, "\xff\xfe", 2) == 0 ||
	    memcmp(l->text, "\xfe\xff", 2) == 0))
		charset = l->text[0] == '\xff' ? "utf-16le" : "utf-16be";
	if (charset[0] != '\0' && strcasecmp(charset, "utf-8") != 0)
		(void)convert(cr, charset, l);
	for (; l->len > 0 && *l->text != '\0' && strchr("\xef\xbb\xbf \t\r\n", *l->text) != NULL;
	    l->len--)
		l->text++;
	doc = json_loadb(l->text, l->len, flags, &l->error);
	if (doc == NULL && json_error_code(&l->error) == json_error_numeric_overflow) {
		flags |= JSON_DECODE_INT_AS_REAL;
		doc = json_loadb(l->text, l->len, flags, &l->error);
	}
	if (doc == NULL && json_error_code(&l->error) == json_error_invalid_utf8 &&
	    convert(cr, "utf-8", l))
		doc = json_loadb(l->text, l->len, flags, &l->error);
	return doc;
}

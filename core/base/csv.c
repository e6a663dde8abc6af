/* Reads and writes tables as text with commas between. */
#include "csv.h"

#include <stdint.h>
#include <string.h>

#define ROW_MAX		(64u << 10)	/* bytes of a row */

void
csv_begin(struct csv *c, const char *s, size_t n)
{
	*c = (struct csv){ .at = s, .end = s + n };
	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0)
		c->at += 3;
	buf_init(&c->text, ROW_MAX);
}

void
csv_free(struct csv *c)
{
	buf_free(&c->text);
}

/* Reads a field, up to the comma or line end behind it. */
static void
csv_read(struct csv *c)
{
	int quoted = c->at < c->end && *c->at == '"';

	if (c->n < CSV_FIELDS)
		c->field[c->n++] = c->text.len;
	for (c->at += quoted; c->at < c->end; c->at++) {
		c->ends += quoted && *c->at == '\n';
		if (quoted && *c->at == '"') {
			if (c->at + 1 == c->end || c->at[1] != '"') {
				quoted = 0;
				continue;
			}
			c->at++;
		} else if (!quoted && (*c->at == ',' || *c->at == '\n' || *c->at == '\r'))
			break;
		if (c->n <= CSV_FIELDS && *c->at != '\0')
			buf_char(&c->text, *c->at);
	}
	buf_add(&c->text, "", 1);
}

int
csv_next(struct csv *c)
{
	while (c->at < c->end && (*c->at == '\n' || *c->at == '\r')) {
		c->ends += *c->at == '\n';
		c->at++;
	}
	if (c->at == c->end)
		return 0;
	c->line = c->ends + 1;
	buf_clear(&c->text);
	c->text.over = 0;
	c->n = 0;
	csv_read(c);
	while (c->at < c->end && *c->at == ',') {
		c->at++;
		csv_read(c);
	}
	return 1;
}

const char *
csv_field(const struct csv *c, size_t i)
{
	return i < c->n && c->field[i] < c->text.len ? c->text.data + c->field[i] : "";
}

void
csv_put(struct buf *b, const char *s)
{
	if (s[strcspn(s, ",\"\r\n")] == '\0') {
		buf_str(b, s);
		return;
	}
	buf_char(b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			buf_char(b, '"');
		buf_char(b, *s);
	}
	buf_char(b, '"');
}

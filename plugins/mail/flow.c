/* Lines of plain text: words fill them up to a width, behind what begins each line. */
#include "mail.h"

#include <stdio.h>
#include <string.h>

static size_t
width(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* A new line, begun by `with`. */
static void
line_begin(struct flow *f, const char *with)
{
	text_str(f->out, with);
	f->col = width(with, strlen(with));
}

static void
word_put(struct flow *f)
{
	size_t w = width(f->word.data, f->word.len);
	int fresh = f->owed > 0 || !f->begun;

	if (fresh) {
		for (; f->begun && f->owed > 0; f->owed--)
			text_add(f->out, "\n", 1);
		f->owed = 0;
		line_begin(f, f->first);
		memcpy(f->first, f->rest, sizeof(f->first));
	} else if (f->col + 1 + w > FLOW_WIDTH) {
		text_add(f->out, "\n", 1);
		line_begin(f, f->rest);
	} else {
		text_add(f->out, " ", 1);
		f->col++;
	}
	text_add(f->out, f->word.data, f->word.len);
	f->col += w;
	f->begun = 1;
	f->out->bad |= f->word.bad;
	text_clear(&f->word);
}

void
flow_add(struct flow *f, const char *s, size_t len)
{
	text_add(&f->word, s, len);
}

void
flow_space(struct flow *f)
{
	if (f->word.len > 0)
		word_put(f);
}

void
flow_break(struct flow *f, int lines)
{
	flow_space(f);
	if (f->begun && f->owed < lines)
		f->owed = lines;
}

void
flow_words(struct flow *f, const char *s)
{
	size_t len;

	for (; s != NULL && *s != '\0'; s += len) {
		len = strcspn(s, " \t\r\n");
		flow_add(f, s, len);
		if (s[len] != '\0') {
			flow_space(f);
			len++;
		}
	}
	flow_space(f);
}

void
flow_end(struct flow *f)
{
	flow_space(f);
	if (f->begun)
		text_add(f->out, "\n", 1);
	text_free(&f->word);
}

/* Text that grows, in one block of memory. */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define ROOM	4096		/* bytes that a text begins with */

void
text_add(struct text *t, const char *s, size_t len)
{
	size_t cap = t->cap > 0 ? t->cap : ROOM;
	char *p;

	if (t->bad || len == 0)
		return;
	while (cap - t->len <= len)
		cap *= 2;
	if (cap > t->cap) {
		if ((p = realloc(t->data, cap)) == NULL) {
			t->bad = 1;
			return;
		}
		t->data = p;
		t->cap = cap;
	}
	memcpy(t->data + t->len, s, len);
	t->len += len;
	t->data[t->len] = '\0';
}

void
text_str(struct text *t, const char *s)
{
	if (s != NULL)
		text_add(t, s, strlen(s));
}

void
text_clear(struct text *t)
{
	t->len = 0;
	t->bad = 0;
}

void
text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){ NULL, 0, 0, 0 };
}

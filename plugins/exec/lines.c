/* Bytes cut into lines, of which none is kept longer than its maximum. */
#include "exec.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN	4096

static int
room(struct lines *l, size_t more)
{
	size_t want = l->room > 0 ? l->room : ROOM_MIN;
	char *grown;

	while (want < l->len + more + 1)
		want *= 2;
	if (want == l->room)
		return 0;
	if ((grown = realloc(l->text, want)) == NULL)
		return -1;
	l->text = grown;
	l->room = want;
	return 0;
}

static void
end(struct lines *l)
{
	size_t len = l->len;

	if (len > 0 && l->text[len - 1] == '\r')
		len--;
	if (len > 0) {
		l->text[len] = '\0';
		l->line(l->arg, l->text, len, l->over);
	}
	l->number++;
	l->len = 0;
	l->over = 0;
}

int
lines_add(struct lines *l, const char *text, size_t len)
{
	const char *stop;
	size_t n, take;

	for (; len > 0; text += n, len -= n) {
		stop = memchr(text, '\n', len);
		n = stop != NULL ? (size_t)(stop - text) : len;
		take = n < l->max - l->len ? n : l->max - l->len;
		if (room(l, take) == -1)
			return -1;
		memcpy(l->text + l->len, text, take);
		l->len += take;
		l->over |= take < n;
		if (stop != NULL) {
			end(l);
			n++;
		}
	}
	return 0;
}

void
lines_end(struct lines *l)
{
	if (l->len > 0)
		end(l);
	free(l->text);
	l->text = NULL;
	l->len = l->room = 0;
}

/* Keys and values in one buffer, the form in which state is sent: KEY\0VALUE\0... */
#include "pairs.h"
#include "base/buf.h"

#include <string.h>

const char *
pairs_get(struct bytes pairs, const char *key)
{
	const char *s = pairs.data, *end, *value;

	if (s == NULL)
		return NULL;
	for (end = s + pairs.len; s < end; s = value + strlen(value) + 1) {
		value = s + strlen(s) + 1;
		if (value >= end)
			break;
		if (strcmp(s, key) == 0)
			return value;
	}
	return NULL;
}

static void
cut(struct buf *b, size_t from, size_t n)
{
	memmove(b->data + from, b->data + from + n, b->len - from - n);
	b->len -= n;
}

int
pairs_set(struct buf *b, const char *key, const char *value, size_t max)
{
	const char *old = pairs_get((struct bytes){ b->data, b->len }, key);
	size_t n = strlen(key) + 1, v = value != NULL ? strlen(value) + 1 : 0;
	size_t was = old != NULL ? n + strlen(old) + 1 : 0;

	if (value != NULL && b->len - was + n + v > max)
		return -1;
	if (old != NULL)
		cut(b, (size_t)(old - b->data) - n, was);
	if (value != NULL) {
		buf_add(b, key, n);
		buf_add(b, value, v);
	}
	return 0;
}

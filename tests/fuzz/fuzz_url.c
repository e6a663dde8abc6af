/* Addresses from anywhere, the first line as base of the second: what resolves can be taken apart,
 * a key is the key of each form of its page. */
#include "base/buf.h"
#include "base/url.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

static void
whole(const char *url)
{
	struct buf key, origin;
	struct url u;

	need(strlen(url) <= URL_MAX);
	need(url_split(&u, url) == 0);
	for (const char *s = url; *s != '\0'; s++)
		need((unsigned char)*s > ' ' && *s != 0x7f && *s != '<' && *s != '>' && *s != '"');
	buf_init(&key, 4 * URL_MAX);
	buf_init(&origin, 2 * URL_MAX);
	if (url_canonical(&key, url) == 0)
		need(key.len > 0 && !key.over);
	else
		need(key.len == 0);
	if (url_fetchable(url))
		need(url_origin(&origin, url) == 0);
	buf_free(&key);
	buf_free(&origin);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *ref;
	struct buf out, again;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if ((ref = strchr(text, '\n')) != NULL)
		*ref++ = '\0';
	buf_init(&out, 4 * URL_MAX);
	buf_init(&again, 4 * URL_MAX);
	if (url_resolve(&out, ref != NULL ? text : NULL, ref != NULL ? ref : text) == 0) {
		whole(out.data);
		/* What is resolved is absolute: no base changes it. */
		need(url_resolve(&again, NULL, out.data) == 0 && strcmp(again.data, out.data) == 0);
	} else {
		need(out.len == 0);
	}
	url_fetchable(text);
	buf_clear(&out);
	url_canonical(&out, text);
	buf_clear(&out);
	url_origin(&out, text);
	buf_free(&out);
	buf_free(&again);
	free(text);
	return 0;
}

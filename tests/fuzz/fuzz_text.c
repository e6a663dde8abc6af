/* Text from anywhere: what comes out is valid, folded, decoded, and the same the second time. */
#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"

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

/* f of f of s is f of s. */
static void
settles(void (*f)(struct buf *, const char *, size_t), const char *s, size_t n)
{
	struct buf once, twice;

	buf_init(&once, 8 * n + 64);
	buf_init(&twice, 8 * n + 64);
	f(&once, s, n);
	need(!once.over && text_valid(once.data != NULL ? once.data : "", once.len) == once.len);
	f(&twice, once.data != NULL ? once.data : "", once.len);
	need(once.len == twice.len && (once.len == 0 ||
	    memcmp(once.data, twice.data, once.len) == 0));
	buf_free(&once);
	buf_free(&twice);
}

static void
adds(void (*f)(struct buf *, const char *, size_t), const char *s, size_t n)
{
	struct buf b;

	buf_init(&b, 8 * n + 64);
	f(&b, s, n);
	need(!b.over && text_valid(b.data != NULL ? b.data : "", b.len) == b.len);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf clean;
	size_t bad;

	buf_init(&clean, 4 * size + 64);
	buf_str(&clean, "");
	bad = text_utf8(&clean, (const char *)data, size);
	need(text_valid(clean.data, clean.len) == clean.len);
	need(bad > 0 || (clean.len == size && (size == 0 || memcmp(clean.data, data, size) == 0)));
	need(text_valid((const char *)data, size) <= size);
	settles(text_fold, clean.data, clean.len);
	settles(text_title_key, clean.data, clean.len);
	settles(text_bidi, clean.data, clean.len);
	adds(text_xml, clean.data, clean.len);
	adds(text_json, clean.data, clean.len);
	adds(text_of_html, clean.data, clean.len);
	/* Bytes that are not checked yet harm nothing either. */
	buf_clear(&clean);
	text_title_key(&clean, (const char *)data, size);
	text_of_html(&clean, (const char *)data, size);
	buf_free(&clean);
	return 0;
}

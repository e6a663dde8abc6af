/* HTML and records that a worker may have forged. What the recogniser takes is safe and well-formed, by
 * a reader of its own, and nested as the sanitiser would nest it; what the sanitiser writes of anything
 * is taken. What the verifier takes as a record is read, and shown. */
#include "strict_html.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "record/markup.h"
#include "record/record.h"
#include "record/verify.h"
#include "worker/html.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW	INT64_C(1700000000000)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
refuse(const char *why, const char *text, size_t n)
{
	fprintf(stderr, "%s: %.*s\n", why, (int)n, text);
	abort();
}

static void
taken(const char *text, size_t n)
{
	const char *why;
	size_t at = 0;

	if ((why = markup_wrong(text, n, &at)) != NULL)
		refuse(why, text, n);
	if ((why = strict_html(text, n, 0)) != NULL)
		refuse(why, text, n);
}

/* The names of the tags, of end tags with '/', a space behind each. Those of media are left out: what
 * none may be resolved of goes. */
static void
tags(struct buf *b, const char *s, size_t n)
{
	static const char *const media[] = { "audio", "img", "source", "track", "video" };
	const char *end = s + n;
	size_t len, i;

	for (; (s = memchr(s, '<', (size_t)(end - s))) != NULL; s++) {
		const char *name = s + 1 + (s[1] == '/');

		for (len = 0; strchr(" />", name[len]) == NULL; len++)
			;
		for (i = 0; i < 5; i++)
			if (strlen(media[i]) == len && memcmp(name, media[i], len) == 0)
				break;
		if (i < 5)
			continue;
		buf_add(b, s + 1, (size_t)(name + len - s - 1));
		buf_char(b, ' ');
	}
}

/* What the recogniser takes is nested as the sanitiser would nest it. */
static void
nested(const char *text, size_t n)
{
	struct buf again, were, are;

	buf_init(&again, 1024 * n + 65536);
	buf_init(&were, n + 16);
	buf_init(&are, 1024 * n + 65536);
	buf_str(&again, "");
	buf_str(&were, "");
	buf_str(&are, "");
	html_sanitise(&again, text, n, NULL, 0);
	tags(&were, text, n);
	tags(&are, again.data, again.len);
	if (were.len != are.len || memcmp(were.data, are.data, were.len) != 0)
		refuse(are.data, text, n);
	buf_free(&again);
	buf_free(&were);
	buf_free(&are);
}

static void
sanitised(const char *text, size_t n, const char *base)
{
	struct buf b;

	buf_init(&b, 1024 * n + 65536);
	buf_str(&b, "");
	html_sanitise(&b, text, n, base, 0);
	taken(b.data, b.len);
	buf_free(&b);
}

static void
record(const uint8_t *data, size_t size)
{
	const struct bytes b = { (const char *)data, size };
	char why[VERIFY_WHY];
	struct cr_record *r;
	struct buf again;

	if (verify_record(b, VERIFY_RECORD, NOW, why) == -1 &&
	    verify_record(b, VERIFY_CHANGES, NOW, why) == -1) {
		if (why[0] == '\0' || text_clean(why, strlen(why)) != strlen(why))
			refuse("no clean reason", why, strlen(why));
		return;
	}
	if ((r = record_read(data, size)) == NULL || record_get(r, CR_ID, 0) != NULL ||
	    record_get(r, CR_SOURCE, 0) != NULL)
		refuse("a record", "that is taken", 13);
	buf_init(&again, 2 * RECORD_MAX);
	record_write(r, &again);
	if (again.len != size)
		refuse("a record", "of another length", 17);
	buf_free(&again);
	record_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t at;

	record(data, size);
	if (text_clean(text, size) != size)
		return 0;
	sanitised(text, size, "http://example.org/dir/page");
	sanitised(text, size, NULL);
	if (markup_wrong(text, size, &at) == NULL) {
		taken(text, size);
		nested(text, size);
	}
	return 0;
}

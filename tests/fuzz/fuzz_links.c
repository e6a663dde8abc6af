/* Links in texts from anywhere: few, on the web, without credentials, each of one line and no spaces; and
 * the record is never spoilt. */
#include "base/buf.h"
#include "base/url.h"
#include "record/record.h"
#include "worker/html.h"
#include "worker/links.h"

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

/* Checks the addresses of an extra; returns their number. */
static size_t
check(const char *all)
{
	char url[LINKS_URL + 1];
	size_t n = 0, len;

	for (; *all != '\0'; all += len + (all[len] == ' '), n++) {
		len = strcspn(all, " ");
		need(len > 0 && len <= LINKS_URL);
		memcpy(url, all, len);
		url[len] = '\0';
		need(url_fetchable(url));
	}
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "code", "data", "project", "video", "demo" };
	struct cr_record *r = record_new();
	const char *all;
	struct buf b;
	size_t n = 0;

	buf_init(&b, RECORD_TEXT_MAX);
	html_sanitise(&b, (const char *)data, size, NULL, 0);
	if (!b.over && b.len > 0)
		record_set(r, CR_CONTENT, b.data, b.len);
	links_set(r, NULL);
	need(record_bad(r) == NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((all = record_get_extra(r, names[i])) != NULL)
			n += check(all);
	need(n <= LINKS_MAX);
	record_free(r);
	buf_free(&b);
	return 0;
}

/* HTML from anywhere: what comes out is safe and well-formed, judged by a reader of its own, and
 * sanitising it once more changes nothing. (Beacons are looked for in what was written, before
 * it is resolved: there once more may find more.) */
#include "strict_html.h"
#include "base/buf.h"
#include "worker/html.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
run(const char *text, size_t size, const char *base, int flags)
{
	struct buf once, twice;
	const char *why;

	buf_init(&once, 1024 * size + 65536);
	buf_init(&twice, 1024 * size + 65536);
	buf_str(&once, "");
	buf_str(&twice, "");
	html_sanitise(&once, text, size, base, flags);
	if ((why = strict_html(once.data, once.len, base != NULL)) != NULL) {
		fprintf(stderr, "%s: %s\n", why, once.data);
		abort();
	}
	html_sanitise(&twice, once.data, once.len, base, flags);
	if (flags == 0 && (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)) {
		fprintf(stderr, "once:  %s\ntwice: %s\n", once.data, twice.data);
		abort();
	}
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run((const char *)data, size, "http://example.org/dir/page", HTML_STRIP_TRACKERS);
	run((const char *)data, size, "http://example.org/dir/page", 0);
	run((const char *)data, size, NULL, 0);
	return 0;
}

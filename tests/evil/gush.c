/* A stream that never stops making large records.
 * test: test_sums
 */
#include "evil.h"

struct gush { int64_t size, burst, pause; };

static const struct cr_option options[] = {
	CR_OPTION(struct gush, size, SIZE, "100 kB", NULL, "bytes of a record"),
	CR_OPTION(struct gush, burst, INT, "1", "1..", "records at once"),
	CR_OPTION(struct gush, pause, DURATION, "0", NULL, "between two bursts"),
	CR_END
};

static int
stream(struct cr *cr, void *opts)
{
	static char text[1 << 20];
	const struct gush *f = opts;
	struct cr_record *rec;
	int64_t n = 0, all = f->size < (int64_t)sizeof(text) ? f->size : (int64_t)sizeof(text) - 1;
	const char *kept = cr->state_get(cr, "n");
	char guid[32];

	if (kept != NULL)
		(void)sscanf(kept, "%lld", (long long *)&n);
	memset(text, 'x', (size_t)all);
	while (cr->wait(cr, -1, f->pause) != -1)
		for (int64_t i = 0; i < f->burst; i++) {
			snprintf(guid, sizeof(guid), "%lld", (long long)++n);
			rec = cr->record(cr, guid);
			cr->set(rec, CR_TITLE, guid);
			cr->set(rec, CR_CONTENT_TEXT, text);
			cr->emit(cr, rec);
			cr->state_set(cr, "n", guid);
		}
	return 0;
}

EVIL_STREAM("gush", struct gush, 0);

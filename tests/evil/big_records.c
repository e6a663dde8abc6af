/* Makes more records than a page may give, then stops.
 * status: bytes of records
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	static char text[1 << 19];
	struct cr_record *rec;
	int i;

	memset(text, 'x', sizeof(text) - 1);
	for (i = 0; i < 2000; i++) {
		rec = cr->record(cr, "one more");
		cr->set(rec, CR_TITLE, "a big one");
		cr->set_extra(rec, "text", text);
		if (cr->emit(cr, rec) == -1)
			break;
	}
}

EVIL_SOURCE("big_records");

/* Never stops making records.
 * status: CPU|deadline
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	struct cr_record *rec;

	for (;;) {
		rec = cr->record(cr, "one more");
		cr->set(rec, CR_TITLE, "one more");
		cr->emit(cr, rec);
	}
}

EVIL_SOURCE("records");

/* Calls the host as nobody should: no record, no text, wrong fields, twice, too much. */
#include "evil.h"

static void
evil(struct cr *cr)
{
	struct cr_record *rec = cr->record(cr, "twice");
	static char big[1 << 21];
	int i;

	memset(big, 'y', sizeof(big) - 1);
	for (i = -2; i < 40; i++) {
		cr->set(NULL, i, "x");
		cr->set(cr->record(cr, NULL), i, "x");
	}
	for (i = 0; i < 1000; i++)
		cr->record(cr, "never emitted");
	cr->set(rec, CR_CONTENT_TEXT, big);
	cr->set(rec, CR_TITLE, "refused");
	tell(cr, "emitted", cr->emit(cr, rec) == 0);
	tell(cr, "emitted twice", cr->emit(cr, rec) == 0);
	tell(cr, "emitted nothing", cr->emit(cr, NULL) == 0);
	tell(cr, "got", cr->get(rec, CR_TITLE, 0) != NULL || cr->json(rec) != NULL);
	tell(cr, "answered", cr->answer(cr, 200, "text/plain", "x", 1) == 0);
}

EVIL_SOURCE("misuse");

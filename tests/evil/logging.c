/* Never stops logging, by the host and by itself.
 * status: CPU|deadline
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	for (;;) {
		cr->log(cr, "a line by the host");
		fprintf(stderr, "a line by itself\n");
	}
}

EVIL_SOURCE("logging");

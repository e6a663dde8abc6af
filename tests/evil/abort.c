/* Aborts, as a failed assertion does.
 * status: signal 6
 */
#include "evil.h"

#include <stdlib.h>

static void
evil(struct cr *cr)
{
	(void)cr;
	abort();
}

EVIL_SOURCE("abort");

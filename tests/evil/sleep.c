/* Sleeps for ever.
 * status: deadline
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	(void)cr;
	for (;;)
		pause();
}

EVIL_SOURCE("sleep");

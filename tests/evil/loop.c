/* Never stops computing.
 * status: CPU|deadline
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	volatile unsigned long n = 0;

	(void)cr;
	for (;;)
		n++;
}

EVIL_SOURCE("loop");

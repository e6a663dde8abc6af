/* Writes to where nothing is.
 * status: signal 11
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	volatile int *volatile nowhere = (volatile int *)64;

	(void)cr;
	*nowhere = 1;
}

EVIL_SOURCE("crash");

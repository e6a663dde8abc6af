/* Crashes while it is loaded.
 * status: signal 11
 */
#include "evil.h"

__attribute__((constructor)) static void
evil(void)
{
	volatile int *volatile nowhere = (volatile int *)64;

	*nowhere = 1;
}

EVIL_CONSTRUCTOR("c_crash");

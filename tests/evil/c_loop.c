/* Never ends being loaded.
 * status: constructor|CPU|signal
 */
#include "evil.h"

__attribute__((constructor)) static void
evil(void)
{
	volatile unsigned long n = 0;

	for (;;)
		n++;
}

EVIL_CONSTRUCTOR("c_loop");

/* Aborts while it is loaded.
 * status: signal 6
 */
#include "evil.h"

#include <stdlib.h>

__attribute__((constructor)) static void
evil(void)
{
	abort();
}

EVIL_CONSTRUCTOR("c_abort");

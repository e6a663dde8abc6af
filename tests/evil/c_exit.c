/* Ends its process while it is loaded.
 * status: exit
 */
#include "evil.h"

__attribute__((constructor)) static void
evil(void)
{
	_exit(0);
}

EVIL_CONSTRUCTOR("c_exit");

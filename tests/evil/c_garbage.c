/* Writes nonsense to the channel while it is loaded.
 * status: frame|died
 */
#include "evil.h"

__attribute__((constructor)) static void
evil(void)
{
	static const char nonsense[64] = "\xff\xff\xff\xff\xff\xff\xff\xff";

	(void)!write(3, nonsense, sizeof(nonsense));
}

EVIL_CONSTRUCTOR("c_garbage");

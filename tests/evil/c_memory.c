/* Takes all memory while it is loaded.
 * tags: memory
 * status: signal 6
 */
#include "evil.h"

#include <stdlib.h>

__attribute__((constructor)) static void
evil(void)
{
	char *p;

	while ((p = malloc(1 << 20)) != NULL)
		memset(p, 1, 1 << 20);
	abort();
}

EVIL_CONSTRUCTOR("c_memory");

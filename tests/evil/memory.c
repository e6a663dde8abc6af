/* Takes all the memory that it gets, then some.
 * tags: memory
 * status: out of memory|CPU|deadline|signal
 */
#include "evil.h"

#include <stdlib.h>

static void
evil(struct cr *cr)
{
	char *p;

	while ((p = malloc(1 << 20)) != NULL)
		memset(p, 1, 1 << 20);
	tell(cr, "memory", 0);
	for (;;)
		cr->set(cr->feed(cr), CR_TITLE, "out of memory by now");
}

EVIL_SOURCE("memory");

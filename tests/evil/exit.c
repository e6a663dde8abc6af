/* Ends its process as if all were well.
 * status: exit
 */
#include "evil.h"

#include <stdlib.h>

static void
evil(struct cr *cr)
{
	(void)cr;
	exit(0);
}

EVIL_SOURCE("exit");

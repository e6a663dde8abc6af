/* Closes the channel and goes on as if nothing had been.
 * status: exit|died|gone|closed
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	close(3);
	tell(cr, "close", 0);
}

EVIL_SOURCE("close_channel");

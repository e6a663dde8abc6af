/* Writes nonsense to the channel.
 * status: bad frame
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	static const char nonsense[4096] = "\xff\xff\xff\xff\xff\xff\xff\xff nonsense";

	(void)cr;
	(void)!write(3, nonsense, sizeof(nonsense));
	pause();
}

EVIL_SOURCE("garbage_frames");

/* Writes half a frame to the channel, and waits.
 * status: deadline
 */
#include "evil.h"

static void
evil(struct cr *cr)
{
	static const unsigned char head[12] = { 0, 1, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0 };

	(void)cr;
	(void)!write(3, head, sizeof(head));
	(void)!write(3, "half", 4);
	pause();
}

EVIL_SOURCE("half_frame");

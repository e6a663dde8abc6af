/* Calls itself until the stack is over.
 * status: signal 11
 */
#include "evil.h"

static int
deeper(int n)
{
	volatile char room[4096];
	int (*volatile again)(int) = deeper;

	room[0] = (char)n;
	return again(n + 1) + room[0];
}

static void
evil(struct cr *cr)
{
	(void)cr;
	deeper(0);
}

EVIL_SOURCE("recursion");

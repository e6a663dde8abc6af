/* Ignores every signal that can be ignored, and sleeps for ever.
 * status: deadline
 */
#include "evil.h"

#include <signal.h>

static void
evil(struct cr *cr)
{
	int sig;

	(void)cr;
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_IGN);
	for (;;)
		sleep(1);
}

EVIL_SOURCE("ignore_signals");

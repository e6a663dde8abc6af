/* Becomes another program.
 * tags: sandbox
 */
#include "evil.h"

#include <stdlib.h>

static void
evil(struct cr *cr)
{
	char *argv[] = { (char []){ "true" }, NULL };

	execv("/bin/true", argv);
	tell(cr, "exec", 0);
	tell(cr, "system", system("exit 0") == 0);
	tell(cr, "popen", popen("true", "r") != NULL);
}

EVIL_SOURCE("become");

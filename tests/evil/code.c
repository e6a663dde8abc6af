/* Makes memory that holds new code.
 * tags: sandbox
 */
#include "evil.h"

#include <sys/mman.h>

static void
evil(struct cr *cr)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tell(cr, "mprotect", mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	tell(cr, "mmap", p != MAP_FAILED);
}

EVIL_SOURCE("code");

/* Fills memory files with 2 GB while it is loaded, and keeps them for a second: they are in no limit
 * of address space. It says how much it got.
 * test: test_sums
 */
#include "evil.h"

#include <sys/mman.h>

#define EACH_MB	64
#define FILES	32

__attribute__((constructor)) static void
evil(void)
{
	static char block[1 << 20];
	int i, k, fd, all = 0;

	memset(block, 'x', sizeof(block));
	for (i = 0; i < FILES && (fd = memfd_create("hoard", 0)) != -1; i++)
		for (k = 0; k < EACH_MB && write(fd, block, sizeof(block)) == sizeof(block); k++)
			all++;
	fprintf(stderr, "has %d MB of memory files\n", all);
	sleep(1);
}

EVIL_CONSTRUCTOR("c_memory_files");

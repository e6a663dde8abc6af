/* A stream that takes memory and does nothing with it: of its heap, or with `files` in memory
 * files.
 * test: test_sums
 */
#include "evil.h"

#include <stdlib.h>
#include <sys/mman.h>

struct hoard { int64_t take; int files; };

static const struct cr_option options[] = {
	CR_OPTION(struct hoard, take, SIZE, "300 MB", NULL, "bytes that it takes"),
	CR_OPTION(struct hoard, files, BOOL, "no", NULL, "in memory files"),
	CR_END
};

/* A memory file of at most 8 MiB; the bytes that it got. */
static int64_t
fill(void)
{
	static char block[1 << 20];
	int64_t all = 0;
	int fd = memfd_create("hoard", 0);

	memset(block, 'x', sizeof(block));
	while (fd != -1 && all < 8 << 20 && write(fd, block, sizeof(block)) == sizeof(block))
		all += (int64_t)sizeof(block);
	return all;
}

static int
stream(struct cr *cr, void *opts)
{
	const struct hoard *h = opts;
	int64_t all = 0, more;
	char *p;

	while (all < h->take && cr->wait(cr, -1, 0) != -1) {
		if (h->files)
			more = fill();
		else if ((p = malloc(1 << 20)) != NULL)
			memset(p, 1, (size_t)(more = 1 << 20));
		else
			more = 0;
		if (more == 0)
			break;
		all += more;
	}
	cr->log(cr, "has %lld MB", (long long)all >> 20);
	while (cr->wait(cr, -1, -1) != -1)
		;
	return 0;
}

EVIL_STREAM("hoard", struct hoard, CR_HTTP);

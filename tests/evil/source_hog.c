/* Sleeps, or burns CPU, for so long in each job. Tests build it under several names.
 * test: test_fair
 */
#include "evil.h"

#include <time.h>

#ifndef NAME
#define NAME	"hog"
#endif

struct hog {
	int64_t		 hold;
	int		 burn;
};

static const struct cr_option options[] = {
	CR_OPTION(struct hog, hold, DURATION, "1 s", NULL, "how long each job takes"),
	CR_OPTION(struct hog, burn, BOOL, "no", NULL, "with all its CPU"),
	CR_END
};

static int64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const struct hog *o = opts;
	int64_t until = now() + o->hold;

	(void)page;
	while (now() < until)
		if (!o->burn)
			usleep(10000);
	tell(cr, NAME, 0);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = NAME, .version = "1", .help = "holds its worker",
	.options = options, .options_size = sizeof(struct hog), .parse = parse,
};

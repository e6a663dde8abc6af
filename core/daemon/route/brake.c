/* What slows a station down whose workers die. */
#include "brake.h"
#include "base/date.h"

void
brake_release(struct brake *b)
{
	*b = (struct brake){ .starts = (int64_t)BRAKE_STARTS * BRAKE_START_MS, .at = date_ticks() };
}

void
brake_done(struct brake *b, uint32_t records)
{
	if (records == 0)
		return;
	b->row = 0;
	b->done += records;
	while (b->died + b->done > BRAKE_MEMORY) {
		b->died /= 2;
		b->done /= 2;
	}
}

int64_t
brake_died(struct brake *b)
{
	int64_t ms = BRAKE_MIN;

	if (b->row >= BRAKE_DEATHS ||
	    (b->died >= BRAKE_DIED && b->died * BRAKE_SHARE > b->died + b->done)) {
		b->paused = 1;
		return -1;
	}
	b->died++;
	if (++b->row < 3)
		return 0;
	for (unsigned i = 3; i < b->row && ms < BRAKE_MAX; i++)
		ms *= 2;
	return ms < BRAKE_MAX ? ms : BRAKE_MAX;
}

static void
save_up(struct brake *b)
{
	const int64_t most = (int64_t)BRAKE_STARTS * BRAKE_START_MS;
	int64_t now = date_ticks();

	b->starts = b->starts + now - b->at < most ? b->starts + now - b->at : most;
	b->at = now;
}

int64_t
brake_wait(struct brake *b)
{
	save_up(b);
	return b->starts >= 2 * BRAKE_START_MS ? 0 : 2 * BRAKE_START_MS - b->starts;
}

void
brake_start(struct brake *b)
{
	save_up(b);
	b->starts -= BRAKE_START_MS;
}

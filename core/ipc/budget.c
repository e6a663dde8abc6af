/* How many frames a worker may send. */
#include "budget.h"
#include "base/date.h"

#define FRAME	INT64_C(1000)

void
budget_init(struct budget *b)
{
	b->left = BUDGET_BURST * FRAME;
	b->at = date_ticks();
}

void
budget_add(struct budget *b, uint32_t frames)
{
	int64_t most = BUDGET_MAX * FRAME;

	b->left += frames * FRAME;
	if (b->left > most)
		b->left = most;
}

/* Time fills the bucket up to BUDGET_BURST; it may hold more for what was asked. */
static void
refill(struct budget *b)
{
	int64_t now = date_ticks(), most = BUDGET_BURST * FRAME;
	int64_t ms = now - b->at < most ? now - b->at : most;

	b->at = now;
	if (b->left < most)
		b->left = b->left + ms * BUDGET_RATE < most ? b->left + ms * BUDGET_RATE : most;
}

int
budget_take(struct budget *b)
{
	if (b->left < FRAME)
		refill(b);
	if (b->left < FRAME)
		return -1;
	b->left -= FRAME;
	return 0;
}

/* done() of a sink: core hears how many records of a batch are confirmed while deliver() goes on, so
 * that what people are shown is so now, also while a receiver is slow or hangs. */
#include "host_done.h"
#include "host.h"
#include "host_batch.h"
#include "base/date.h"

#define DONE_MS	INT64_C(100)

static struct {
	const struct host_batch *hb;	/* NULL: no deliver() runs that core is to hear of */
	uint32_t	 n, done, told;	/* records of the batch; confirmed; of these core has heard */
	int64_t		 at;		/* ticks: not before */
} batch;

void
host_done_begin(const struct host_batch *hb, uint32_t n)
{
	batch.hb = hb;
	batch.n = n;
	batch.done = batch.told = 0;
	batch.at = date_ticks() + DONE_MS;
}

uint32_t
host_done_end(void)
{
	batch.hb = NULL;
	return batch.done;
}

int
host_done_due(void)
{
	int64_t ms;

	if (batch.hb == NULL || batch.done == batch.told || batch.done == batch.n)
		return -1;		/* the job's end tells of the last */
	ms = batch.at - date_ticks();
	return ms > 0 ? (int)ms : 0;
}

void
host_done_tell(void)
{
	if (host_done_due() != 0)
		return;
	batch.hb->progress(batch.done, batch.hb->arg);
	batch.told = batch.done;
	batch.at = date_ticks() + DONE_MS;
}

void
host_done(size_t n)
{
	if (n > batch.n)
		n = batch.n;
	if (batch.hb != NULL && n > batch.done)
		batch.done = (uint32_t)n;
	host_done_tell();
}

static int
cr_done(struct cr *cr, size_t n)
{
	(void)cr;
	if (host.phase != PHASE_DELIVER) {
		host_say("done() is not for this callback");
		return -1;
	}
	host_done(n);
	return 0;
}

void
host_done_table(struct cr *cr)
{
	cr->done = cr_done;
}

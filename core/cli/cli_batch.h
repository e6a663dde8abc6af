/* Batches of records for the filters of a worker, as the daemon gives them, and their verdicts. */
#ifndef CORE_CLI_BATCH_H
#define CORE_CLI_BATCH_H
#include "base/buf.h"
#include "record/result.h"

#include <stddef.h>

struct cli_job;

/* items: RESULT_ITEM of each record, appended by the caller. */
struct cli_batch {
	const char	*route;		/* borrowed */
	struct buf	 items;
	struct buf	 state;		/* what the filters keep from batch to batch: RULE\nKEY\0VALUE\0... */
};

/* A record's verdict; nth: its place in the batch, from 0. -1: malformed, the batch ends. */
typedef int cli_verdict_fn(void *arg, size_t nth, const struct result_verdict *);

void	cli_batch_open(struct cli_batch *, const char *route);
void	cli_batch_close(struct cli_batch *);
/* Runs the worker's filters on the batch of n records and calls fn for each verdict, in order; forged
 * changes make it a failure, as in the daemon. Returns the number of verdicts; if they are fewer, *why
 * has the reason, and j->chan is NULL if the worker is gone; an empty *why: the rest goes in another
 * batch. */
size_t	cli_batch_run(struct cli_job *j, struct cli_batch *, size_t n, cli_verdict_fn *fn, void *arg,
	    struct buf *why);
const char *cli_batch_verdict(uint32_t verdict);	/* "keep", for people */
#endif

/* A sink's cursor: hands the route's records to the sink in batches and takes acknowledgements. */
#ifndef CORE_LEDGER_CURSOR_H
#define CORE_LEDGER_CURSOR_H
#include "ledger.h"
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct ack;
struct buf;
struct cr_record;
struct ledger;
struct cursor;
struct ledger_route;
struct pull;
struct work;

/* Hands out a batch, or says when to ask again. 1: the sink is unordered and may get a record:
 * flight_pull() hands it out. */
int	cursor_pull(struct ledger *, struct ledger_route *, struct cursor *, const struct pull *,
	    struct work *, struct buf *);
/* The number of kept records that the sink has still to deliver, including those behind a retry.
 * *looks: the number of records for which `backlog` is still checked, counted down; beyond it
 * records count as undelivered without a check. */
uint64_t cursor_waiting(struct ledger *, struct ledger_route *, const struct cursor *, size_t *looks);
/* When the oldest of these was stored, ms; 0: there is none near. */
int64_t	cursor_oldest(struct ledger *, struct ledger_route *, const struct cursor *);
/* Moves the cursor behind the row n; what the sink did not confirm up to there is skipped for good.
 * -1: a batch is under way, nothing is done. */
int	cursor_skip(struct ledger *, struct cursor *, int64_t n);
/* Moves the cursor over the next kept records that the sink takes, at most so many, and puts their
 * rows of the log into n. Returns their number; the caller saves the cursor. */
size_t	cursor_advance(struct ledger *, struct ledger_route *, struct cursor *, int64_t *n, size_t most);
void	cursor_pause_full(struct cursor *, const struct ack *);	/* for its dead letters */
/* Counts for how long the sink has failed, and pauses it after OUTBOX_FAILING; while the daemon is
 * down, and when the clock steps, no time passes. A list is no such sink: its output is written anew
 * whenever that is possible again. */
void	cursor_failing(struct cursor *, const struct ack *);
/* An operator resumes the sink: ends its pause and backoff. */
void	cursor_resume(struct ledger *, struct cursor *);
void	cursor_ack(struct ledger *, struct ledger_route *, struct cursor *, const struct ack *,
	    struct bytes kept);
#endif

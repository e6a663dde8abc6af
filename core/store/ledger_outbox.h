/* The outbox of a sink: its records outside the cursor. A dead letter, the record that is tried
 * again, and records that an operator replays, in the order of the log, beside the cursor. */
#ifndef CORE_LEDGER_OUTBOX_H
#define CORE_LEDGER_OUTBOX_H
#include "db/schema.h"

#include <stddef.h>
#include <stdint.h>

struct ack;
struct buf;
struct cursor;
struct ledger;
struct ledger_route;
struct work;

#define OUTBOX_DEAD	100000			/* dead letters of a sink, at which it pauses */
#define OUTBOX_FAILING	INT64_C(432000000)	/* ms of failing, after which a sink pauses */

/* A row; state 0: there is none. */
struct outbox_row {
	enum outbox_kind	 kind;
	enum pending_state	 state;
	int64_t			 attempts;
	int64_t			 due;		/* not before, ms; 0: at once */
	int64_t			 gap;		/* of a replay: ms until the next one */
	const char		*reason;	/* of the last failure, or NULL; borrowed */
};

/* Writes the row of the sink's record n, or deletes it (state 0); counts it in the cursor. */
void	outbox_move(struct ledger *, struct cursor *, int64_t n, const struct outbox_row *);
/* The row of record n; its reason is owned by the caller. */
struct outbox_row outbox_get(struct ledger *, const struct cursor *, int64_t n);
/* Appends what the row n is to the sink: a record, or the edition that begins with it; *last: its last row;
 * *count: records. 0; -1: nothing of it is stored any more. */
int	outbox_give(struct ledger *, struct ledger_route *, const struct cursor *, int64_t n, int64_t *last,
	    uint32_t *count, struct buf *items);
/* Puts replays that are due into the batch, into *w and items. 0: none is due; w->replay says when. */
int	outbox_pull(struct ledger *, struct ledger_route *, struct cursor *, uint32_t max, struct work *,
	    struct buf *items);
/* Settles a batch of replays. Failures of replays delay replays alone. */
void	outbox_ack(struct ledger *, struct ledger_route *, struct cursor *, const struct ack *);
#endif

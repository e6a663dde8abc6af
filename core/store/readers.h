/* The readers of a sink that writes mail: of each record or edition under way a row for each reader who has
 * not got it, so that what becomes of one reader's message is of no concern to the others. */
#ifndef CORE_READERS_H
#define CORE_READERS_H
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>

struct cursor;
struct ledger;
struct ledger_route;
struct outbox_row;
struct mail_outcome;

/* delivery.state */
enum reader_state {
	READER_OPEN	= 1,		/* the message is to be sent, or sent again */
	READER_PERHAPS	= 2,		/* likewise; it may have arrived */
	READER_DEAD	= 3,		/* refused for good, or tried for too long */
	READER_HAS	= 4,		/* accepted */
};

/* Puts into l->readers a struct mail_reader for each reader who is due to get what begins with the log's row n, at
 * most MAIL_READERS; makes their rows before, the first time. again: those of dead letters, too, or all, if there
 * are no rows. Returns how many; 0: *due is the time of the next, ms, or 0 if all have an outcome. */
size_t	readers_give(struct ledger *, struct ledger_route *, struct cursor *, int64_t n, int again, int64_t *due);

/* The id of the message of n to the reader. */
void	reader_message_id(struct ledger *, const struct ledger_route *, const struct cursor *, int64_t n,
	    const char *reader, char id[TEXT_BASE32_16]);

/* A reader's row, as it will be. */
struct reader_row {
	enum reader_state	 state;
	int64_t			 attempts, due;
};
/* What the reply means for the reader; attempts: the failed ones so far; since: the age of the message, ms.
 * *expired: it was tried for long enough. */
struct reader_row reader_judge(const struct mail_outcome *, int64_t now, int64_t attempts, int64_t since, int64_t expiry,
	    int *expired);
/* The sink is paused for that reason, which becomes the cursor's, if it is not yet. */
void	reader_pause(struct ledger *, struct cursor *, char *why);

/* Notes what became of a reader's message. Whether the sink is paused now. */
int	readers_outcome(struct ledger *, const struct mail_outcome *);

/* Whether n has been tried for as long as it is to be. */
int	readers_expired(struct ledger *, const struct cursor *, int64_t n);
/* An operator resumes the sink: what waits is due, and what was refused so far tells nothing any more. */
void	readers_resume(struct ledger *, const struct cursor *);
/* A subscriber is forgotten: so is what it was sent. */
void	readers_forget(struct ledger *, struct ledger_route *, const char *reader);

/* All open rows of n are dead letters for that reason: there is no message for them. */
void	readers_bury(struct ledger *, const struct cursor *, int64_t n, const char *reason);

/* Sets state, due and reason of the outbox row of n by how its readers stand; without a row to be (state 0) those
 * of its readers are gone. Returns the reason, owned by the caller; NULL: none. */
char	*readers_row(struct ledger *, const struct cursor *, int64_t n, struct outbox_row *);
/* An operator gave n up, or all readers have it: its rows go, but those that tell who has it. */
void	readers_end(struct ledger *, const struct cursor *, int64_t n);
#endif

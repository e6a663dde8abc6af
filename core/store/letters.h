/* Letters of the daemon's own to subscribers: which one the sink gets, and what becomes of it. Their rows are made
 * in subscribers.c. In a batch, an outcome and an acknowledgement a letter is known by its negative id. */
#ifndef CORE_LETTERS_H
#define CORE_LETTERS_H
#include <stdint.h>

struct ack;
struct cursor;
struct ledger;
struct ledger_route;
struct mail_outcome;
struct work;

/* Fills *w and l->readers with the first letter to a subscriber of the route that is due and not under way with
 * another lane. 0: there is none; 1. */
int	letters_give(struct ledger *, struct ledger_route *, struct cursor *, struct work *w);
/* When the next one is due, ms; 0: none waits. */
int64_t	letters_later(struct ledger *, const struct ledger_route *);
/* Notes what the mail server said. Whether the sink is paused now. */
int	letters_outcome(struct ledger *, const struct mail_outcome *);
/* The sink is done with the letter, or cannot make it; outcomes: replies to it so far. */
void	letters_ack(struct ledger *, const struct ack *, unsigned outcomes);
#endif

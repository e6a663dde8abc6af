/* What an operator orders about stories: split, join, hide, unhide; each order is a row of the table
 * act. */
#ifndef CORE_RULING_H
#define CORE_RULING_H

struct buf;
struct ledger;

/* arg: JSON with the members a, b (ids, guids or links of records) and why; who: the operator, for
 * people. 0: out has lines that say what was done; 1: why it was not. */
int	ruling_split(struct ledger *, const char *arg, const char *who, struct buf *out);
int	ruling_join(struct ledger *, const char *arg, const char *who, struct buf *out);
int	ruling_hide(struct ledger *, const char *arg, const char *who, struct buf *out);
int	ruling_unhide(struct ledger *, const char *arg, const char *who, struct buf *out);
#endif

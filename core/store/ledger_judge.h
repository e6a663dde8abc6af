/* Judging: selects the rows of the log that belong to a route, asks the route's filters about them
 * and stores the verdicts. The story check comes after the filters, since only a record that the
 * route keeps makes its story taken. */
#ifndef CORE_LEDGER_JUDGE_H
#define CORE_LEDGER_JUDGE_H
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct judged;
struct ledger;
struct cursor;
struct ledger_route;
struct row;
struct rows;
struct work;

/* Stores the filters' verdicts on a batch (verdicts NULL: none). 0, or enum settled_bad. */
uint32_t ledger_judged(struct ledger *, const struct judged *, const void *verdicts, size_t len);
/* Reads the row that SQL_LOG_SCAN stands at; what row owns is the caller's. rows: those that the route
 * judges beside. 1: the row belongs to the route; 0: not, and row owns nothing; -1: the same, a row
 * before has to be judged first. */
int	judge_row(struct ledger *, struct ledger_route *, const struct rows *, struct row *);
/* Whether the route kept any version of an item. */
int	judge_took(struct ledger *, struct ledger_route *, int64_t item);
/* The item's story; 0: it has no other items. */
int64_t	judge_story(struct ledger *, int64_t item);
/* Whether the route kept another item of the story. */
int	judge_took_story(struct ledger *, struct ledger_route *, int64_t story, int64_t item);
/* For a route without filters: judges committed rows, at most one scan. 1: more rows to judge. */
int	judge_all(struct ledger *, struct ledger_route *);
/* Puts the next rows for the route's filters into *w and items. 1: more rows to judge. */
int	judge_pull(struct ledger *, struct ledger_route *, uint32_t max, struct work *, struct buf *);
#endif

/* A route's stored verdicts on rows of the log, and which rows a route draws from its sources and
 * from other routes. */
#ifndef CORE_LEDGER_VERDICT_H
#define CORE_LEDGER_VERDICT_H
#include <stdint.h>

struct bytes;
struct ledger;
struct ledger_route;
struct verdict;

#define RULE_REVISION	"revision"	/* the rule that drops a revision without asking filters */
#define RULE_STORY	"story"		/* drops what another record of the story stands for */
#define RULE_PATIENCE	"patience"	/* drops what waited for too long */
#define RULE_FROM	"from"		/* drops, in a refilter, what the route draws no more but has
					 * delivered */

/* Whether the verdict only says that the route takes no revisions. */
int	verdict_passed_over(const struct verdict *);
/* Whether the verdict says that another record of the story was taken. */
int	verdict_story_taken(const struct verdict *);
/* Whether the verdict (NULL: none) is no judgement of a row that the route draws. */
int	verdict_undrawn(const struct verdict *);
/* The route's verdict on the log's row n; NULL: not judged, or not the route's row. Borrowed until
 * the next call for the route. */
const struct verdict *verdict_of(struct ledger *, struct ledger_route *, int64_t n);
/* The same, but NULL also for a row that a refilter has still to judge: what counts for the rows
 * that the route judges now. */
const struct verdict *verdict_settled(struct ledger *, struct ledger_route *, int64_t n);
/* Hash of the record, of its story's face and numbers, as a filter asked at this moment about row n would
 * see them. */
int64_t	verdict_seen(struct ledger *, int64_t n);
/* Whether the route draws the log's row n, which is of that source. */
int	verdict_draws(struct ledger *, struct ledger_route *, int64_t n, int64_t source);
/* Whether the route judges a later version of an item by that version's own row n, in the past or
 * in the future. 1: yes; 0: no; -1: not decided, since a route that it draws from has not judged
 * n. */
int	verdict_asks(struct ledger *, struct ledger_route *, int64_t n, int64_t source);
/* As verdict_seen(), of the row that SQL_LOG_GET has read. */
int64_t	verdict_seen_now(struct ledger *);
/* Whether a route that this one draws from kept the row n; *changes: that route's changes,
 * borrowed. */
int	verdict_handed_on(struct ledger *, const struct ledger_route *, int64_t n,
	    struct bytes *changes);
/* Whether the route draws from a source itself. */
int	verdict_draws_itself(const struct ledger *, const struct ledger_route *, int64_t source);
/* Whether the row n belongs to the route: by its source, or since a route that it draws from kept
 * it. *changes: as above, or none. */
int	verdict_belongs(struct ledger *, const struct ledger_route *, int64_t n, int64_t source,
	    struct bytes *changes);
/* Whether the route judged the row n, other than by RULE_REVISION. */
int	verdict_met(struct ledger *, struct ledger_route *, int64_t n);
/* Whether the route kept the row n. */
int	verdict_kept(struct ledger *, struct ledger_route *, int64_t n);
#endif

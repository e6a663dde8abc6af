/* What an operator asks and orders about subscribers, and mails that came back. */
#ifndef CORE_SUBSCRIBERS_ASK_H
#define CORE_SUBSCRIBERS_ASK_H

struct buf;
struct ledger;

#define SUBSCRIBERS_PAGE	500	/* rows of one answer, or of one import */

/* arg: JSON, {"route", "do": one of
 *	"list"		from "after" (0) on: {"subscribers": [...], "after"}; without "after" it was all
 *	"show"		"address": the row, with its token and letters
 *	"add", "remove", "forget"	"address"; add: "confirmed": true: without asking
 *	"import"	"rows": [[address, state, asked, confirmed, ended, leave key]], times in ms or
 *			0, state and key "" if unknown; "confirmed": true: there is consent
 * }. 0: JSON in out, {"did": ..., "state": ...}; of an import, how many rows had which outcome. 1: an
 * error for people. */
int	subscribers_ask(struct ledger *, const char *arg, struct buf *out);
/* arg: JSON, {"key" or "address", "status"}, or {"leave": key} of a reader who wants no more. 0: JSON in out, {"subscribers": [{"route", "address",
 * "state", "soft"}]}: the rows that were meant, as they are now. 1: an error for people. */
int	subscribers_bounce(struct ledger *, const char *arg, struct buf *out);
#endif

/* Why records are one story, and what operators said of it, for `courant explain`. */
#ifndef CORE_EXPLAIN_STORY_H
#define CORE_EXPLAIN_STORY_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct ledger;

/* item[0] is the subject, the others are items of its story. Adds to o[1] and on, which tell of
 * them: "why" they are one story, or "joined": {"at", "who", "why"} by an operator; "with": the id of
 * the record that the reason is about, unless that is the subject itself. */
void	explain_why(struct ledger *, const int64_t *item, size_t n, json_t *const *o);
/* Adds to o what operators said: "hidden": {"at", "who", "why"}; "apart": [{"id", "at", "who",
 * "why"}], the records that the item was split from; and "merged": [ids of records whose stories
 * became part of this one]. */
void	explain_ruled(struct ledger *, int64_t item, int64_t story, json_t *o);
#endif

/* Which waiting records an event of a story wakes. */
#ifndef CORE_STORY_WAKE_H
#define CORE_STORY_WAKE_H
#include <stdint.h>

struct book;
struct cr_record;
struct item_source;

/* An item was met with another record, maybe with other counters, which is no revision yet. hotter 1:
 * the story's heat rose. */
void	wake_met(struct book *, const struct item_source *, const struct cr_record *, int64_t item,
	    int64_t story, int hotter);
#endif

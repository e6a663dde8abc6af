/* The lists of stories by the names that pages and the API have for them. */
#ifndef CORE_LIST_NAME_H
#define CORE_LIST_NAME_H
#include "span.h"
#include "db/lists.h"

/* "front" (today's stories, by heat), "trending", "new", "day:2026-11-27", "week:2026-W48", "month:2026-11"; without
 * a name behind the colon the present one. Sets *span if the list is of one. 1: it is of a span; 0; -1: there is no
 * such list. */
int	list_name_read(const char *zone, const char *name, struct list *, struct span *);
#endif

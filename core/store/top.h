/* "Entered the first N": records of the source courant/top, which store itself makes. */
#ifndef CORE_TOP_H
#define CORE_TOP_H
#include <stddef.h>
#include <stdint.h>

struct book;
struct roster;
struct store_source;

#define TOP_SOURCE	"courant/top"

/* Takes a configuration's sources: whether courant/top is one. id[n]: of store. */
void	top_take(struct book *, struct roster *, const struct store_source *, const uint32_t *id, size_t n);
/* Of the stories that had an event since the last call, stores a record for each that is among the
 * first book->top by its heat and never was before, in the open transaction: it is in the commit of the
 * event. when: ms. */
void	top_check(struct book *, struct roster *, int64_t when);
#endif

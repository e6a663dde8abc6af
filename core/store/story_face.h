/* What a record is handed out with of its story: the numbers, and in one of several items the fields
 * that the record lacks. */
#ifndef CORE_STORY_FACE_H
#define CORE_STORY_FACE_H
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct book;

#define FACE_ITEMS	64		/* items of a story that are looked into for a missing field */

/* A story at this moment. */
struct story_view {
	double		 heat, score;	/* heat: what is left of it now */
	uint32_t	 rank;		/* place by heat, from 1 on; 0: none */
};
/* heat: the sum's logarithm. */
void	face_view(struct book *, double heat, double score, int hidden, struct story_view *);
/* Appends a serialised record with the story's counters, each the highest of its items, if it has
 * any. */
void	face_numbers(struct book *, int64_t story, struct buf *);
/* Appends a serialised record with those of the fields link, authors, image and summary that the
 * record (serialised too, of that item) lacks and another of the story's items has, if there are any:
 * of the first item in the order of the sources in `prefer`, n of them, then of arrival. */
void	face_fields(struct book *, int64_t story, int64_t item, struct bytes record,
	    const uint32_t *prefer, size_t n, struct buf *);
#endif

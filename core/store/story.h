/* Stories: groups of items from different sources that report the same thing. */
#ifndef CORE_STORY_H
#define CORE_STORY_H
#include <stddef.h>
#include <stdint.h>

struct book;
struct cr_record;

/* All of these write in the open transaction. A story's id is that of its first item. */

/* Adds an item, which is stored next, to the stories that its record belongs to, which become one,
 * or to a new story. Returns the story's id. */
int64_t	story_new(struct book *, const struct cr_record *, int64_t item, int64_t source);
/* The same, for an item that is in a story of its own and no other joins. */
int64_t	story_alone(struct book *, int64_t item);
/* Looks a revised item up again: its story may become one with others, and never loses an item. */
void	story_revise(struct book *, const struct cr_record *, int64_t item, int64_t source);
/* The same for an item that changed without a revision, if one of its extras is the id of a work that is
 * not among its keys yet. */
void	story_named(struct book *, const struct cr_record *, int64_t item, int64_t source);
/* Makes one story of two; returns the id of the older one, which stays. */
int64_t	story_merge(struct book *, int64_t a, int64_t b);
/* Makes a story of its own of an item; the story has others. Returns the id under which the others
 * are now. */
int64_t	story_part(struct book *, int64_t story, int64_t item);
/* Hides a story by an operator's act; 0: shows it again. */
void	story_hide(struct book *, int64_t story, int64_t act);

int64_t	story_of(struct book *, int64_t item);		/* 0: there is no such item */
int64_t	story_hidden(struct book *, int64_t story);	/* the act that hid it; 0: it is shown */
/* The items of a story, allocated, the first one first; *n: their number. */
int64_t	*story_items(struct book *, int64_t story, size_t *n);

/* For a story that lost items, or got those of another one, or was hidden or shown: whatever is
 * derived of its items is made again, and its waiting records are asked about. */
void	story_changed(struct book *, int64_t story);
#endif

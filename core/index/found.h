/* What a search has found: rows of the log with their scores, and the stories that they stand for. */
#ifndef CORE_FOUND_H
#define CORE_FOUND_H
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct reader;

#define FOUND_MAX	2000		/* matches that are ranked: the newest; */
#define FOUND_ANY	6000		/* of the step that takes any word, of the rarest ones */
#define FOUND_STORIES	10000		/* of one answer, at most */

struct found_row { int64_t n, item, story; double score, heat; };
struct found {
	struct found_row	*row;
	size_t			 n, room;
	int64_t			 after, before;	/* first seen: ms */
	int			 dated;		/* these say something */
	const char		*why;		/* a failure of the database; or NULL */
	int64_t			*story;		/* a set of stories; 0: a free slot */
	size_t			 stories, mask;
};

void	found_init(struct found *, int64_t after, int64_t before, int dated);
void	found_free(struct found *);
void	found_clear(struct found *);
void	found_add(struct found *, int64_t n, double score);
/* Looks a row up: its item, story and heat. 1; 0: it is outdated, hidden, or not of these dates; -1. */
int	found_resolve(struct found *, struct reader *, struct found_row *);
/* 1: the story is another than those of earlier calls, since found_clear(). */
int	found_story(struct found *, int64_t story);
/* Puts the rows of `first` before the others. */
void	found_first(struct found *, const struct found *first);
/* Sorts by score, by heat; the newer first where these are equal. found_by_heat() looks all up. */
void	found_by_score(struct found *);
void	found_by_age(struct found *);		/* of rows that are looked up: by item */
int	found_by_heat(struct found *, struct reader *);
/* Adds the stories of the rows to a list, in their order, each once, until it has `most`: id, title, link,
 * source, published, seen, records, score. *more: there are others. 0; -1: the database failed. */
int	found_json(struct found *, struct reader *, size_t most, json_t *list, int *more);
#endif

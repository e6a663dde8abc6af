/* A story in a page. */
#ifndef CORE_STORY_HTML_H
#define CORE_STORY_HTML_H
#include <stddef.h>
#include <stdint.h>

struct buf;
struct story;

/* Adds an <article>: title, who wrote it, its numbers, its text, who tells it. */
void	story_put(struct buf *, const struct story *);
/* The same for the story's own page: the title as <h1>, and all of its text. */
void	story_put_whole(struct buf *, const struct story *);
/* A moment as people read it, with the machine's form beside: <time>. */
void	time_put(struct buf *, int64_t ms);
/* 1: the URL is of http or https. A feed may have any other, such as javascript:, as a link. */
int	is_page(const char *url);
void	link_open(struct buf *, const char *url);	/* <a ...> to another site */
void	xml_put(struct buf *, const char *);		/* escaped; NULL is fine */
#endif

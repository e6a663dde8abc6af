/* The page of a story: who tells it, and how its heat comes about. */
#ifndef CORE_PAGE_STORY_H
#define CORE_PAGE_STORY_H

struct evhttp_request;
struct serve;

void	page_story(struct serve *, struct evhttp_request *, const char *path);	/* /s/ID: of any of its records */
#endif

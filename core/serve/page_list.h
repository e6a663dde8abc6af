/* The pages of lists of stories: the day's, what is trending, what is new, a day, a week, a month. */
#ifndef CORE_PAGE_LIST_H
#define CORE_PAGE_LIST_H

struct evhttp_request;
struct serve;

#define PAGE_STORIES	20		/* of a page */

void	page_front(struct serve *, struct evhttp_request *, const char *path);
void	page_trending(struct serve *, struct evhttp_request *, const char *path);
void	page_new(struct serve *, struct evhttp_request *, const char *path);
void	page_day(struct serve *, struct evhttp_request *, const char *path);
void	page_week(struct serve *, struct evhttp_request *, const char *path);
void	page_month(struct serve *, struct evhttp_request *, const char *path);
#endif

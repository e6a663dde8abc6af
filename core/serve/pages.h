/* The HTML pages: the front page with the newest records, and its style sheet. */
#ifndef CORE_PAGES_H
#define CORE_PAGES_H

struct evhttp_request;
struct serve;

#define PAGES_RECORDS	50		/* on the front page */
#define PAGES_ARCHIVES	50		/* of editions that are linked there */
#define PAGES_TEXT	280		/* bytes of a record's text there */

void	page_front(struct serve *, struct evhttp_request *, const char *path);
void	page_style(struct serve *, struct evhttp_request *, const char *path);
#endif

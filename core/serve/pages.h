/* What the HTML pages share: their beginning, their end, the style sheet, the answer. */
#ifndef CORE_PAGES_H
#define CORE_PAGES_H

struct buf;
struct evhttp_request;
struct serve;

#define PAGES_ARCHIVES	50		/* of editions that are linked */

/* Begins a page; asks the database, so no statement may be open. title: of the window, before that of the site; NULL: the site's alone. here: the path of the list in
 * the navigation that it is; or "". */
void	page_begin(struct serve *, struct buf *, const char *title, const char *here);
void	page_end(struct serve *, struct buf *);
/* Answers with the page, or with 304 if the visitor has it. Leaves b empty. */
void	page_answer(struct serve *, struct evhttp_request *, struct buf *);
void	page_style(struct serve *, struct evhttp_request *, const char *path);
#endif

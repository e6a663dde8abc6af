/* The archive of editions: the list of a route's, and the page and documents of each. */
#ifndef CORE_PAGE_EDITION_H
#define CORE_PAGE_EDITION_H

struct evhttp_request;
struct serve;

#define PAGE_EDITIONS	100		/* in one page of the list */

/* /edition/ROUTE, with or without a slash behind it: the list, the newest first; ?page=N: older ones.
 * /edition/ROUTE/NAME: its page; with .rss, .atom or .json: its archive document. The sink that writes them keeps
 * them in the folder of outputs, under this path, the page with .html. 410: the archive no longer has it. */
void	page_edition(struct serve *, struct evhttp_request *, const char *path);
#endif

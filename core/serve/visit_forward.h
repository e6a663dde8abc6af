/* Requests below /x/: forwarded to core for a plugin to answer. */
#ifndef CORE_VISIT_FORWARD_H
#define CORE_VISIT_FORWARD_H
struct evhttp_request;
struct frame;
struct visit_forward;
struct serve;
struct buf;

struct visit_forward	*visit_forward_new(void);
void		 visit_forward_free(struct visit_forward *);
/* Forwards the request to core; path begins with /x/. */
void		 visit_forward_answer(struct serve *, struct evhttp_request *, const char *path);
/* Adds the request's headers, as lines of headers_add(). */
void		 visit_headers(struct evhttp_request *, struct buf *);
void		 visit_forward_back(struct serve *, struct frame *);	/* core's answer */
void		 visit_forward_stop(struct serve *);	/* answers all waiting requests with 503 */
#endif

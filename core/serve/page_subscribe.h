/* The pages at which readers subscribe to a route, confirm that, and leave. */
#ifndef CORE_PAGE_SUBSCRIBE_H
#define CORE_PAGE_SUBSCRIBE_H
struct consents;
struct evhttp_request;
struct frame;
struct serve;

void	consents_open(struct serve *);
void	consents_close(struct serve *);
/* A request for /subscribe/ROUTE, /confirm/TOKEN, /leave/KEY. Only POST acts: by core, which hands the
 * act to store; the answer waits until it is on disk. */
void	page_subscribe(struct serve *, struct evhttp_request *, const char *path);
void	page_confirm(struct serve *, struct evhttp_request *, const char *path);
void	page_leave(struct serve *, struct evhttp_request *, const char *path);
void	consents_back(struct serve *, const struct frame *);	/* MSG_CONSENTED */
void	consents_stop(struct serve *);		/* answers all waiting requests with 503 */
#endif

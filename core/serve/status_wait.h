/* Requests for the daemon's status, which wait for core's answer (JSON). */
#ifndef CORE_STATUS_WAIT_H
#define CORE_STATUS_WAIT_H
struct evhttp_request;
struct frame;
struct serve;

void	status_wait_open(struct serve *);
void	status_wait_close(struct serve *);
/* Answers the request when core's answer arrives; path is ignored. */
void	status_wait_answer(struct serve *, struct evhttp_request *, const char *path);
void	status_wait_answered(struct serve *, const struct frame *);	/* core's answer */
#endif

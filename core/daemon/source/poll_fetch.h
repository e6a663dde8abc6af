/* A poll's HTTP requests and their answers. */
#ifndef CORE_POLL_FETCH_H
#define CORE_POLL_FETCH_H
struct core;
struct frame;
struct poll;

void	poll_fetch(struct poll *);			/* requests its page */
void	poll_fetched(struct core *, struct frame *);	/* MSG_FETCHED */
void	poll_fetch_back(struct core *);		/* fetch is ready: repeats lost requests */
#endif

/* A poll's page, or its plan, in a worker. */
#ifndef CORE_POLL_PARSE_H
#define CORE_POLL_PARSE_H
struct core;
struct poll;

void	poll_queue(struct poll *);		/* the document, or the plan, waits for a worker */
void	poll_parse(struct core *);		/* gives waiting polls to free workers */
#endif

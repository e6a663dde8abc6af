/* When polls begin. */
#ifndef CORE_POLL_BEGIN_H
#define CORE_POLL_BEGIN_H
struct core;
struct setup;

void	poll_begin_init(struct core *);		/* to be called after workers_init() */
void	poll_begin_setup(struct core *, const struct setup *old);
void	poll_begin_end(struct core *);
#endif

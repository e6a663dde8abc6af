/* The running core: its loop, the setups that it takes, and how it stops. */
#ifndef CORE_RUN_H
#define CORE_RUN_H
struct core;
struct setup;

int	core_run(struct core *, struct setup *);	/* until it stops: the exit status */
#endif

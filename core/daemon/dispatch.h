/* The first frames that each role is sent, and the owners of the frames that roles send. */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H
struct core;

void	dispatch_init(struct core *);
void	dispatch_start(struct core *);		/* starts the roles */
void	dispatch_setup(struct core *);		/* sends store, fetch and send a new setup */
#endif

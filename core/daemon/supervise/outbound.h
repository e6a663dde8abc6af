/* Outbound HTTP: requests that plugins make by http(), passed to the send role, and its answers. */
#ifndef CORE_OUTBOUND_H
#define CORE_OUTBOUND_H
#include "ipc/roles.h"

struct core;
struct frame;

void	 outbound_init(struct core *);		/* to be called after workers_init() */
void	 outbound_answered(struct core *, struct frame *);	/* MSG_FETCHED from send */
void	 outbound_send_back(struct core *);	/* send is ready: it gets the requests that wait */
void	 outbound_gone(struct core *, enum role_id);
void	 outbound_end(struct core *);
#endif

/* Mail that sinks hand over by mails(): checked, passed to the role mail, and what becomes of each message kept
 * by store before its connection goes on. */
#ifndef CORE_MAILS_H
#define CORE_MAILS_H
#include "ipc/roles.h"

struct core;
struct frame;
struct station;

void	mails_init(struct core *);
void	mails_ready(struct core *);		/* store has read the setup, and nothing was pulled yet */
void	mails_gone(struct core *, enum role_id);
int	mails_busy(const struct core *);
void	mails_end(struct core *);
void	mails_stored(struct core *, struct frame *);	/* MSG_OUTCOME_KEPT */
/* The reader with that key leaves: its messages that wait for their turn are not sent. */
void	mails_leave(struct core *, const char *key);
/* The station is no more: what becomes of its messages is of no use. */
void	mails_forget(struct core *, const struct station *);
#endif

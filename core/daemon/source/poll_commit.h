/* A poll's exchange with store: the recall before it, and the commit of each page. */
#ifndef CORE_POLL_COMMIT_H
#define CORE_POLL_COMMIT_H
#include "ipc/roles.h"

#include <stdint.h>

struct committed;
struct core;
struct frame;
struct poll;
struct wire;

void	poll_recall(struct poll *);		/* asks store for its state and owed page */
void	poll_commit(struct poll *);		/* sends store a worker's results */
/* An owed page failed, or cannot be had (flags: enum commit_flag): store records the failure. */
void	poll_commit_failure(struct poll *, int kind, const char *error, int flags);
void	poll_recalled(struct core *, struct frame *);	/* MSG_RECALLED */
/* MSG_COMMITTED of a poll. next: positioned at the struct owed_page, if cd->more. */
void	poll_committed(struct core *, uint32_t id, const struct committed *cd, struct wire *next);
void	poll_gone(struct core *, enum role_id);	/* store died: its polls are made again */
#endif

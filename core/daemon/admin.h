/* The admin socket. */
#ifndef CORE_ADMIN_H
#define CORE_ADMIN_H

struct core;
struct frame;
struct buf;
struct peer;

#define ADMIN_PEERS	16		/* connections to the admin socket */

void	 admin_start(struct core *);
void	 admin_stop(struct core *);
void	 admin_answered(struct core *, struct frame *);	/* MSG_ANSWER from store or index */
void	 admin_store_ready(struct core *);	/* store has read the setup: what waited for that is done */
void	 admin_store_gone(struct core *);	/* answers all that wait for store */
void	 admin_index_gone(struct core *);	/* the same of those that wait for index */

/* Answers all that wait for a reload: status 0 and a summary, or 1 and the mistakes. */
void	 admin_reloaded(struct core *, int status, const struct buf *said);
void	 admin_forget(struct core *, const struct peer *);	/* the peer is about to be freed */

/* A request from courant (trusted) or from serve (which may ask for "status",
 * and search). */
void	 admin_ask(struct core *, struct peer *, struct frame *, int trusted);

#endif

/* The roles store, fetch, send and serve as core sees them: started, and started again when they
 * die. */
#ifndef CORE_ROLE_H
#define CORE_ROLE_H
#include "ipc/roles.h"

#include <stdint.h>
#include <sys/types.h>

#define FETCH_TRIES	2		/* times that a request is made if its role dies */

struct buf;
struct core;
struct event;
struct frame;
struct peer;

struct role {
	enum role_id	 id;
	pid_t		 pid;		/* 0: not running */
	struct peer	*peer;
	int		 ready;		/* has sent MSG_READY since its start */
	int		 was_ready;	/* once, since the daemon started */
	int64_t		 started;	/* date_ticks() */
	int64_t		 delay;		/* ms before it starts again */
	unsigned	 restarts;
	char		*obituary;	/* how its last process died; or NULL */
	struct event	*timer;
	struct core	*core;
};
/* What the owner of a role's messages does for the role. */
struct role_use {
	void	(*setup)(struct role *);	/* it has started: sends its first frames */
	void	(*frame)(struct role *, struct frame *);
	/* The role ended, with that status of waitpid(2); also when the daemon stops. lost: its
	 * channel, which is freed after the call. */
	void	(*gone)(struct role *, const struct peer *lost, int status);
	int	 late;			/* roles_start() leaves its start to role_start() */
};

void	 roles_start(struct core *, const struct role_use use[ROLES]);
void	 roles_stop(struct core *);		/* asks all to stop, and waits for their end */
void	 role_start(struct core *, enum role_id);	/* unless it runs, or is to restart */
const struct role *roles_get(const struct core *, enum role_id);
const char *role_name(enum role_id);

/* Sends a frame; while the role is away it is dropped with a debug line. A role that takes no frame
 * is killed, so that requests that wait for its answer are made again. */
void	 roles_send(struct core *, enum role_id, uint16_t type, uint32_t id, const struct buf *,
	    int fd);
int	 roles_full(const struct core *, enum role_id);	/* half of its queue: send no requests */
#endif

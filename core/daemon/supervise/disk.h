/* The room on the disk of `state`: below `limits: disk_free` no new records are fetched, delivery
 * goes on. */
#ifndef CORE_DISK_H
#define CORE_DISK_H
#include "ipc/roles.h"

#include <stdint.h>

struct buf;
struct core;
struct frame;

void	 disk_init(struct core *);
void	 disk_end(struct core *);
void	 disk_gone(struct core *, enum role_id);
/* To be called once: back is called when there is room again. */
void	 disk_tell(struct core *, void (*back)(struct core *));
int	 disk_low(struct core *);		/* 1: what would bring records waits */
void	 disk_why(const struct core *, struct buf *);	/* appends why, for people */
uint64_t disk_left(const struct core *);	/* bytes that are free, as seen last */
uint64_t disk_wanted(const struct core *);	/* bytes that are to be free */
/* MSG_ROOM: store waits for room, or has found some. */
void	 disk_store(struct core *, const struct frame *);
int	 disk_store_waits(const struct core *);
#endif

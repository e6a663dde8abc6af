/* The memory of all workers together, kept below `limits: memory`. It is measured many times a
 * second. Above five eighths of the limit no worker starts; above three quarters, or when work waits
 * for memory, the largest worker of the plugin that holds the most is ended. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

struct buf;
struct core;

void	 memory_init(struct core *);		/* to be called after workers_init() */
void	 memory_end(struct core *);
/* Whether no worker may start now: the caller asks again after MEMORY_AGAIN ms. */
int	 memory_full(struct core *);
#define MEMORY_AGAIN	200
/* Appends why no worker may start, for people. */
void	 memory_why(const struct core *, struct buf *);
uint64_t memory_used(const struct core *);	/* bytes, as measured last */
uint64_t memory_of(const struct core *, pid_t);	/* bytes of one worker; 0: not measured yet */
/* Bytes of documents that may wait for workers. */
uint64_t memory_documents(const struct core *);
#endif

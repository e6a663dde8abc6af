/* MSG_W_START, the first message to a worker. */
#ifndef CORE_WORKER_START_H
#define CORE_WORKER_START_H
#include "msg.h"

/* The largest file that a worker may write, struct w_start's `out`: memory files are in no limit of
 * address space, but in this one. Workers of parse jobs and filters have their own, by their
 * results. */
#define WORKER_OUT_PROBE	(UINT64_C(1) << 20)	/* it describes, or checks options */
#define WORKER_OUT_FILES	(UINT64_C(4) << 30)	/* with CR_FILES or CR_EXEC */

/* Begins the message in b, for a worker of n plugins, with the system calls that its grants allow.
 * The caller adds each plugin by worker_start_plugin(), for W_FILTER then each filter's rule by
 * wire_put_str(), and frees b. */
void	worker_start_begin(struct buf *b, const struct w_start *, uint32_t n);
void	worker_start_plugin(struct buf *b, const char *path, struct bytes options);
/* The whole message for one plugin, whose options are sent with its jobs. The caller frees b. */
void	worker_start_one(struct buf *b, const struct w_start *, const char *path);
#endif

/* MSG_W_START, the first message to a worker. */
#include "worker_start.h"
#include "landlock.h"
#include "seccomp.h"

void
worker_start_begin(struct buf *b, const struct w_start *start, uint32_t n)
{
	struct w_start ws = *start;

	seccomp_fill(&ws);
	ws.landlock = (uint32_t)landlock_abi();
	buf_init(b, msg_limit(MSG_W_START));
	wire_put(b, w_start, &ws);
	wire_put_u32(b, n);
}

void
worker_start_plugin(struct buf *b, const char *path, struct bytes options)
{
	wire_put_str(b, path);
	wire_put_bytes(b, options.data != NULL ? options.data : "", options.len);
}

void
worker_start_one(struct buf *b, const struct w_start *start, const char *path)
{
	worker_start_begin(b, start, 1);
	worker_start_plugin(b, path, (struct bytes){ NULL, 0 });
}

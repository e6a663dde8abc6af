/* Answers its job itself, with a count of records that are not there.
 * status: other results than it wrote
 */
#include "evil.h"
#include "../../core/ipc/msg.h"

static void
evil(struct cr *cr)
{
	static const struct {
		uint32_t len;
		uint16_t type, nfds;
		uint32_t id, failed, error, partial, retry[2], records, refused, out[2], ttl[2],
		    skip[2];
	} frame = { .len = 52, .type = MSG_W_PARSED, .id = 1, .error = UINT32_MAX,
		.partial = UINT32_MAX, .records = 255, .out = { 1 << 24, 0 } };

	(void)cr;
	(void)!write(3, &frame, sizeof(frame));
}

EVIL_SOURCE("forged");

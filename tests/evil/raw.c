/* Writes the page into the memory file of its results, and answers its job itself.
 * status: malformed
 */
#include "evil.h"
#include "raw.h"

static void
evil(struct cr *cr)
{
	struct {
		struct raw_head head;
		uint32_t failed, error, partial, retry[2], records, refused, out[2], ttl[2], skip[2];
	} frame = { .head = { 52, MSG_W_PARSED, 0, 1 }, .error = UINT32_MAX,
		.partial = UINT32_MAX, .retry = { UINT32_MAX, UINT32_MAX } };

	(void)cr;
	frame.records = raw_write(evil_page->body, evil_page->len);
	frame.out[0] = (uint32_t)(evil_page->len - sizeof(uint32_t));
	raw_tell(&frame, sizeof(frame));
	_exit(0);
}

EVIL_SOURCE("raw");

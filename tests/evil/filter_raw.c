/* A filter that writes its option into the memory file of the verdicts, and answers its job itself.
 * The bytes are those of the first verdict and of all that follow it. */
#include "evil.h"
#include "raw.h"

struct raw {
	const char	*bytes;
};

static const struct cr_option options[] = {
	CR_OPTION(struct raw, bytes, STRING, NULL, NULL, "hexadecimal digits"),
	CR_END
};

static int
filter(struct cr *cr, void *opts, struct cr_record *rec)
{
	static char text[65536];
	struct {
		struct raw_head head;
		uint32_t done, failed, retry[2], out[2], error;
	} frame = { .head = { 28, MSG_W_FILTERED, 0, 1 }, .retry = { UINT32_MAX, UINT32_MAX },
		.error = UINT32_MAX };
	const struct raw *o = opts;
	size_t len;

	(void)cr, (void)rec;
	snprintf(text, sizeof(text), "%s", o->bytes);
	len = raw_hex(text);
	frame.done = raw_write(text, len);
	frame.out[0] = (uint32_t)(len - sizeof(uint32_t));
	raw_tell(&frame, sizeof(frame));
	_exit(0);
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "raw", .version = "1", .help = "hostile",
	.options = options, .options_size = sizeof(struct raw), .filter = filter,
};

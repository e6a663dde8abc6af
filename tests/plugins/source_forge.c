/* source_forge: a stream that writes its option into the memory file of a batch, and tells core of the
 * batch itself. Hostile: for tests of what core and store do with it. */
#include <courant/plugin.h>

#include "../evil/raw.h"

#include <stdio.h>

struct forge {
	const char	*bytes;
};

static const struct cr_option options[] = {
	CR_OPTION(struct forge, bytes, STRING, NULL, NULL, "hexadecimal digits"),
	CR_END
};

static int
stream(struct cr *cr, void *opts)
{
	static char text[65536];
	struct {
		struct raw_head head;
		uint32_t records, refused, out[2];
	} frame = { .head = { 16, MSG_W_BATCH, 0, 0 } };
	const struct forge *o = opts;
	size_t len;

	snprintf(text, sizeof(text), "%s", o->bytes);
	len = raw_hex(text);
	frame.records = raw_write(text, len);
	frame.out[0] = (uint32_t)(len - sizeof(uint32_t));
	raw_tell(&frame, sizeof(frame));
	while (cr->wait(cr, -1, 1000) != -1)
		;
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "forge", .version = "1", .help = "hostile",
	.options = options, .options_size = sizeof(struct forge), .stream = stream,
};

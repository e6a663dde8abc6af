/* sink_slow: a consumer that takes its time over each record; for the kill test. */
#include <courant/plugin.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct slow {
	const char	*path;
	int64_t		 each;
};

static const struct cr_option options[] = {
	CR_OPTION(struct slow, path, STRING, NULL, NULL, "file to append to"),
	CR_OPTION(struct slow, each, DURATION, "3 ms", NULL, "time that a record takes"),
	CR_END
};

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct slow *o = opts;
	int fd = open(o->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	size_t i;

	if (fd == -1) {
		cr->retry(cr, -1, "%s cannot be opened", o->path);
		return 0;
	}
	for (i = 0; i < batch->n; i++) {
		char line[512];
		const char *parts[] = { cr->get(batch->items[i], CR_ID, 0), " ",
			cr->get(batch->items[i], CR_GUID, 0), "\n" };
		size_t len = 0, n;

		for (size_t k = 0; k < 4; k++) {
			n = parts[k] != NULL ? strlen(parts[k]) : 0;
			if (len + n > sizeof(line))
				break;
			memcpy(line + len, parts[k] != NULL ? parts[k] : "", n);
			len += n;
		}
		if (write(fd, line, len) != (ssize_t)len)
			break;
		poll(NULL, 0, (int)o->each);
	}
	close(fd);
	if (i < batch->n)
		cr->retry(cr, -1, "%s cannot be written", o->path);
	return i;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "slow", .version = "1", .help = "takes its time over each record",
	.options = options, .options_size = sizeof(struct slow), .wants = CR_FILES,
	.deliver = deliver,
};

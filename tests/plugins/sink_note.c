/* sink_note: appends the JSON of each record to a file in its own folder, and logs batches. */
#include <courant/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct note {
	const char	*file;
};

static const struct cr_option options[] = {
	CR_OPTION(struct note, file, STRING, "note", NULL, "name of the file"),
	CR_END
};

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct note *o = opts;
	FILE *f = fopen(o->file, "a");
	size_t i;

	if (f == NULL) {
		cr->retry(cr, 1000, "%s: %s", o->file, strerror(errno));
		return 0;
	}
	for (i = 0; i < batch->n; i++)
		fprintf(f, "%s\n", cr->json(batch->items[i]));
	if (fclose(f) != 0) {
		cr->retry(cr, 1000, "%s: %s", o->file, strerror(errno));
		return 0;
	}
	cr->log(cr, "batch %s of %s: %zu, kind %d", batch->id, batch->route, batch->n, batch->kind);
	return batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "note", .version = "1", .help = "JSON into a file",
	.options = options, .options_size = sizeof(struct note), .wants = CR_FILES,
	.takes = CR_BATCH_RECORDS | CR_BATCH_LIST, .deliver = deliver,
};

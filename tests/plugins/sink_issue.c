/* sink_issue: appends a line of JSON to a file in its own folder for each edition. */
#include <courant/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct issue {
	const char	*file;
	int64_t		 fails;
};

static const struct cr_option options[] = {
	CR_OPTION(struct issue, file, STRING, "issues", NULL, "name of the file"),
	CR_OPTION(struct issue, fails, INT, "0", "0..9", "attempts with each edition that fail; 9: it is refused"),
	CR_END
};

static int
write_issue(FILE *f, const struct cr_batch *b)
{
	fprintf(f, "{\"name\": \"%s\", \"id\": \"%s\", \"zone\": \"%s\", \"from\": %lld, \"to\": %lld, "
	    "\"sealed\": %lld, \"left_out\": %lld, \"attempt\": %d, \"sections\": [", b->name, b->id, b->zone,
	    (long long)b->from, (long long)b->to, (long long)b->sealed, (long long)b->left_out, b->attempt);

	for (size_t i = 0; i < b->nsections; i++)
		fprintf(f, "%s{\"title\": \"%s\", \"first\": %zu, \"n\": %zu, \"left_out\": %lld}",
		    i > 0 ? ", " : "", b->sections[i]->title, b->sections[i]->first, b->sections[i]->n,
		    (long long)b->sections[i]->left_out);
	return fprintf(f, "], \"guids\": [");
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct issue *o = opts;
	FILE *f = fopen(o->file, "a");

	if (f == NULL || batch->kind != CR_BATCH_EDITION) {
		cr->retry(cr, 1000, "%s: %s", o->file, strerror(errno));
		return 0;
	}
	write_issue(f, batch);
	for (size_t i = 0; i < batch->n; i++)
		fprintf(f, "%s\"%s\"", i > 0 ? ", " : "", cr->get(batch->items[i], CR_GUID, 0));
	fprintf(f, "], \"records\": [");
	for (size_t i = 0; i < batch->n; i++)
		fprintf(f, "%s%s", i > 0 ? ", " : "", cr->json(batch->items[i]));
	fprintf(f, "]}\n");
	fclose(f);
	if (o->fails == 9) {
		cr->fail(cr, CR_REJECTED, "refused");
		return 0;
	}
	if (batch->attempt < o->fails) {
		cr->retry(cr, 100, "not yet");
		return 0;
	}
	return batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "issue", .version = "1", .help = "a line an edition", .needs = 5,
	.options = options, .options_size = sizeof(struct issue), .wants = CR_FILES,
	.takes = CR_BATCH_EDITION, .deliver = deliver,
};

/* A document of any kind through the plugin that reads feeds, in a real host but without a sandbox:
 * source_feed.so of the same build. A first byte 0x80..0x8f tells type and charset, as HTTP does. */
#include "base/log.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "worker/convert.h"
#include "worker/host.h"
#include "worker/host_parse.h"
#include "worker/host_table.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLUGIN	"/../../plugins/source_feed.so"		/* seen from this program's folder */
#define WHEN	INT64_C(1700000000000)			/* 2023-11-14T22:13:20Z */
#define OUT	(UINT64_C(64) << 20)
#define HINTS	3					/* mask: type, charset */

int	LLVMFuzzerInitialize(int *, char ***);
int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct slot slot;

static void
need(int holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct w_start ws = { .mode = W_PARSE, .out = OUT, .name = "fuzz" };
	char path[4096 + sizeof(PLUGIN)];
	ssize_t n = readlink("/proc/self/exe", path, 4096);
	const struct cr_plugin *plugin;
	void *library;
	char *end;

	(void)argc, (void)argv;
	need(n > 0);
	path[n] = '\0';
	need((end = strrchr(path, '/')) != NULL);
	snprintf(end, sizeof(path) - (size_t)(end - path), "%s", PLUGIN);
	if ((library = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	need((plugin = dlsym(library, "cr_plugin_v1")) != NULL);
	slot.plugin = *plugin;
	log_open("fuzz", 0);
	host_init(&ws);
	convert_open();
	return 0;
}

/* Every result is well-formed, as store will have it. */
static void
check(int out, uint64_t len, const struct parse_done *done)
{
	enum result_kind kind;
	struct wire all, body;
	struct cr_record *r;
	uint32_t records = 0;
	size_t size;
	const void *p;
	int rc;

	need(memfd_seal(out) == 0);
	need((p = memfd_map(out, (size_t)len, &size)) != NULL);
	wire_init(&all, p, size);
	while ((rc = result_next(&all, &kind, &body)) == 1) {
		if (kind == RESULT_STATE)
			continue;
		records += kind == RESULT_RECORD;
		need((r = record_read(body.at, (size_t)(body.end - body.at))) != NULL);
		record_free(r);
	}
	need(rc == 0 && records == done->records);
	need(done->failed == 0 || (done->error != NULL && done->error[0] != '\0'));
	memfd_unmap(p, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "", "text/xml", "application/json", "text/html" };
	static const char *const charsets[] = { "", "utf-8", "windows-1251", "utf-16" };
	struct parse_job job = { .source = "s", .url = "http://a.example/feeds/main.xml",
		.headers = "link: <https://hub.example/>; rel=\"hub\"\n", .tag = "", .when = WHEN,
		.now = WHEN, .options = { "", 0 }, .state = { "", 0 } };
	struct parse_done done;
	uint8_t hint = size > 0 ? data[0] : 0;
	int body, out;
	char *text;

	/* A byte that no document begins with tells type and charset. */
	if (hint >= 0x80 && hint < 0x90) {
		data++;
		size--;
	} else {
		hint = 0;
	}
	job.type = types[hint & HINTS];
	job.charset = charsets[hint >> 2 & HINTS];
	job.len = size;
	need((text = calloc(1, size + 1)) != NULL);
	memcpy(text, data, size);
	body = memfd_new(text, size + 1);
	out = memfd_new(NULL, 0);
	free(text);
	need(body != -1 && out != -1 && memfd_seal(body) == 0);
	host_job(WHEN);
	host_parse(&slot, &job, body, out, &done);
	check(out, done.out, &done);
	close(body);
	close(out);
	return 0;
}

/* The rules of filter match: lists of words, phrases and patterns, conditions, fields, and a record that
 * they are asked about. What is refused is refused with a reason, what is said is UTF-8, and said again
 * when it is asked again. Lines NAME=VALUE are options, up to an empty one; the rest are texts. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "catalog/option.h"
#include "daemon/supervise/workers.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/record.h"
#include "worker/host.h"
#include "worker/host_batch.h"
#include "worker/host_slot.h"
#include "worker/host_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW	INT64_C(1795219200000)
#define LINES	24		/* of both together, at most */
#define INPUT	4000		/* bytes */
#define OUT	(UINT64_C(8) << 20)

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct slot slot;

static void
need(int holds)
{
	if (!holds)
		abort();
}

static int
valid(const char *s)
{
	return text_valid(s, strlen(s)) == strlen(s);
}

/* -1: they are refused. */
static int
opens(const struct options *set)
{
	struct buf b;
	int rc;

	slot_close(&slot);
	slot = (struct slot){ .plugin = cr_plugin_v1, .rule = "match#1" };
	buf_init(&b, OPTION_SET_MAX);
	options_write(set, &b);
	host_job(NOW);
	rc = slot_ready(&slot, (struct bytes){ b.len > 0 ? b.data : "", b.len }, 1);
	need(rc == 0 || (host.error[0] != '\0' && valid(host.error)));
	buf_free(&b);
	return rc;
}

/* A batch of the one record. */
static int
batch(struct cr_record *r, uint64_t *len)
{
	struct result_item item = { .n = 1, .id = "a", .delivery = "a", .source = "blog", .seen = NOW };
	struct buf b, bytes;
	size_t begun;
	int fd;

	buf_init(&b, 1u << 20);
	buf_init(&bytes, RECORD_MAX);
	record_write(r, &bytes);
	item.record = (struct bytes){ bytes.data, bytes.len };
	begun = result_begin(&b, RESULT_ITEM);
	wire_put(&b, result_item, &item);
	result_end(&b, begun);
	fd = memfd_new(b.data, b.len);
	need(fd != -1 && memfd_seal(fd) == 0);
	*len = b.len;
	buf_free(&b);
	buf_free(&bytes);
	return fd;
}

/* The verdict in words, or what failed. */
static void
ask(struct cr_record *r, struct buf *said)
{
	struct batch_job job = { .route = "r", .count = 1, .now = NOW };
	struct host_batch hb = { .slots = &slot, .n = 1, .out = memfd_new(NULL, 0) };
	struct result_verdict v = { .verdict = UINT32_MAX };
	struct batch_done done;
	enum result_kind kind;
	struct wire all, body;
	const void *p;
	size_t size;

	hb.batch = batch(r, &job.len);
	host_job(NOW);
	host_filter(&hb, &job, &done);
	need(memfd_seal(hb.out) == 0);
	p = memfd_map(hb.out, (size_t)done.out, &size);
	need(p != NULL);
	wire_init(&all, p, size);
	need(result_next(&all, &kind, &body) == 1 && kind == RESULT_VERDICT);
	wire_get(&body, result_verdict, &v);
	need(wire_end(&body) == 0 && v.why != NULL && v.why[0] != '\0' && valid(v.why));
	buf_fmt(said, "%u %s", v.verdict, v.why);
	memfd_unmap(p, size);
	close(hb.batch);
	close(hb.out);
}

/* "title=...", "summary=...", "content=...", "tag=...", a number by its name; else text of the summary. */
static void
record_line(struct cr_record *r, char *line)
{
	static const struct { const char *name; int field; } fields[] = {
		{ "title=", CR_TITLE }, { "summary=", CR_SUMMARY }, { "content=", CR_CONTENT },
		{ "tag=", CR_CATEGORY }, { "author=", CR_AUTHOR }, { "", CR_SUMMARY },
	};
	char *value = strchr(line, '=');
	size_t i = 0, n;

	if (strncmp(line, "number:", 7) == 0 && value != NULL) {
		*value = '\0';
		record_set_number(r, line + 7, atoi(value + 1));
		record_set_extra(r, "text", value + 1);
		return;
	}
	while ((n = strlen(fields[i].name)) > 0 && strncmp(line, fields[i].name, n) != 0)
		i++;
	record_set(r, fields[i].field, line + n, strlen(line + n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options set = { NULL, 0 };
	struct cr_record *r;
	struct buf clean, once, twice;
	char *rest, *line, *value;
	int lines = LINES;

	if (host.out.max == 0)
		host_init(&(struct w_start){ .memory = UINT64_C(256) << 20, .out = OUT });
	if (size > INPUT || memchr(data, '\0', size) != NULL)
		return 0;
	buf_init(&clean, 4 * INPUT);
	buf_init(&once, 1u << 16);
	buf_init(&twice, 1u << 16);
	buf_str(&clean, "");
	(void)text_utf8(&clean, (const char *)data, size);
	for (rest = clean.data; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
		if ((value = strchr(line, '=')) != NULL && lines-- > 0) {
			*value = '\0';
			options_add(&set, line, value + 1);
		}
	r = record_new();
	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL && lines-- > 0)
		record_line(r, line);
	if (opens(&set) == 0 && record_bad(r) == NULL) {
		ask(r, &once);
		ask(r, &twice);
		need(strcmp(once.data, twice.data) == 0);
	}
	record_free(r);
	options_free(&set);
	buf_free(&clean);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}

/* What a worker left in its memfd: records, verdicts, states and items. What is taken is UTF-8,
 * within its maxima, and comes out of a second writing the same. */
#include "base/buf.h"
#include "base/text.h"
#include "base/utf8.h"
#include "record/record.h"
#include "record/record_json.h"
#include "record/result.h"
#include "worker/host_edition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
need(int holds)
{
	if (!holds)
		abort();
}

static void
json(const struct cr_record *r)
{
	const struct record_json about = { "delivery", 1, 0 };
	struct buf b;

	buf_init(&b, 8u << 20);
	record_json(r, &about, &b);
	need(b.over || (text_valid(b.data, b.len) == b.len && memchr(b.data, '\n', b.len) == NULL));
	buf_free(&b);
}

static void
record(const void *data, size_t len)
{
	struct cr_record *r = record_read(data, len), *same, *changed;
	struct buf once, twice;

	if (r == NULL)
		return;
	need(record_bad(r) == NULL);
	json(r);
	buf_init(&once, RECORD_MAX);
	buf_init(&twice, RECORD_MAX);
	record_write(r, &once);
	same = record_read(once.data, once.len);
	need(!once.over && same != NULL);
	record_write(same, &twice);
	need(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	/* Laid over an empty one it is what it was. */
	changed = record_new();
	record_overlay(changed, r);
	json(changed);
	record_free(changed);
	record_free(same);
	record_free(r);
	buf_free(&once);
	buf_free(&twice);
}

/* The body of one item, by its kind. */
static void
item(enum result_kind kind, struct wire *body)
{
	struct result_request asked;
	struct result_state st;
	struct result_verdict v;
	struct result_past past;
	struct result_item i;
	struct host_edition edition = { .n = 0 };

	switch (kind) {
	case RESULT_RECORD:
	case RESULT_FEED:
		record(body->at, (size_t)(body->end - body->at));
		break;
	case RESULT_STATE:
		(void)result_state_read(body, &st);
		break;
	case RESULT_VERDICT:
		wire_get(body, result_verdict, &v);
		if (wire_end(body) == 0 && v.changes.data != NULL)
			record(v.changes.data, v.changes.len);
		break;
	case RESULT_ITEM:
		wire_get(body, result_item, &i);
		if (wire_end(body) == 0 && i.record.data != NULL)
			record(i.record.data, i.record.len);
		break;
	case RESULT_PAST:
		wire_get(body, result_past, &past);
		break;
	case RESULT_EDITION:
		if (host_edition_read(&edition, body, 3) == 0)
			need(edition.of.name != NULL && edition.list[edition.n] == NULL);
		host_edition_free(&edition);
		break;
	case RESULT_REQUEST:
		wire_get(body, result_request, &asked);
		if (wire_end(body) == 0 && result_request_bad(&asked) == NULL)
			need(asked.url != NULL);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum result_kind kind;
	struct wire all, body;

	record(data, size);
	wire_init(&all, data, size);
	while (result_next(&all, &kind, &body) == 1)
		item(kind, &body);
	return 0;
}

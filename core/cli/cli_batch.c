/* Batches of records for the filters of a worker, as the daemon gives them, and their verdicts. */
#include "cli_batch.h"
#include "cli_job.h"
#include "cli_print.h"
#include "base/date.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "record/pairs.h"

#include <courant/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BATCH_STATE	(4u << 20)	/* bytes of what filters keep between batches */

void
cli_batch_open(struct cli_batch *b, const char *route)
{
	b->route = route;
	buf_init(&b->items, CLI_OUT);
	buf_init(&b->state, BATCH_STATE);
}

void
cli_batch_close(struct cli_batch *b)
{
	buf_free(&b->items);
	buf_free(&b->state);
}

const char *
cli_batch_verdict(uint32_t verdict)
{
	static const char *const names[] = { "drop", "keep", "wait" };

	return verdict < 3 ? names[verdict] : "failed";
}

/* Adds the filters' state from the batches before. */
static void
put_state(struct buf *b, const struct buf *state)
{
	const char *s = state->data, *end = s + state->len, *value, *key;
	size_t begun;
	char *rule;

	for (; s != NULL && s < end; s = value + strlen(value) + 1) {
		value = s + strlen(s) + 1;
		key = strchr(s, '\n') + 1;
		rule = xstrndup(s, (size_t)(key - s) - 1);
		begun = result_begin(b, RESULT_STATE);
		wire_put(b, result_state,
		    (&(struct result_state){ .key = key, .value = value, .rule = rule }));
		result_end(b, begun);
		free(rule);
	}
}

static void
take_state(struct wire *body, struct buf *state)
{
	struct result_state st;
	char *key;

	if (result_state_read(body, &st) == -1 || st.rule == NULL)
		return;
	key = xasprintf("%s\n%s", st.rule, st.key);
	(void)pairs_set(state, key, st.value, state->max);
	free(key);
}

/* Sends the batch. Returns the memfd that will have the verdicts, closed by the caller. */
static int
batch_send(struct cli_job *j, const struct cli_batch *batch, size_t n)
{
	struct batch_job job = { .route = batch->route, .id = "", .title = "", .self = "",
		.count = (uint32_t)n, .now = date_now() };
	int out = memfd_new(NULL, 0), fd;
	struct buf b;

	buf_init(&b, CLI_OUT);
	put_state(&b, &batch->state);
	buf_add(&b, batch->items.data, batch->items.len);
	job.len = b.len;
	fd = b.over || batch->items.over ? -1 : memfd_new(b.data, b.len);
	buf_free(&b);
	if (fd == -1 || out == -1 || memfd_seal(fd) == -1) {
		print_error("courant: no memory for a batch: %s\n", strerror(errno));
		exit(1);
	}
	buf_init(&b, msg_limit(MSG_W_FILTER));
	wire_put(&b, batch_job, &job);
	(void)chan_send(j->chan, MSG_W_FILTER, 1, &b, fd, out);
	buf_free(&b);
	close(fd);
	return out;
}

/* Reads the verdicts, and stores the filters' state. Returns how many verdicts there were. */
static size_t
verdicts_read_all(struct cli_job *j, struct cli_batch *b, size_t most, int out, size_t len,
    cli_verdict_fn *fn, void *arg)
{
	struct result_verdict v;
	enum result_kind kind;
	struct wire all, body;
	size_t size = 0, n = 0;
	const void *p = memfd_seal(out) == 0 ? memfd_map(out, len, &size) : NULL;

	wire_init(&all, p, p != NULL ? size : 0);
	while (p != NULL && result_next(&all, &kind, &body) == 1) {
		if (kind == RESULT_STATE)
			take_state(&body, &b->state);
		if (kind != RESULT_VERDICT || n == most)
			continue;
		wire_get(&body, result_verdict, &v);
		if (wire_end(&body) == -1)
			break;
		if (v.changes.data != NULL && !cli_verified(j, v.changes, VERIFY_CHANGES, n + 1)) {
			v.verdict = UINT32_MAX;		/* as in the daemon */
			v.changes = (struct bytes){ NULL, 0 };
		}
		if (fn(arg, n, &v) == -1)
			break;
		n++;
	}
	memfd_unmap(p, p != NULL ? size : 0);
	return n;
}

size_t
cli_batch_run(struct cli_job *j, struct cli_batch *b, size_t most, cli_verdict_fn *fn, void *arg,
    struct buf *why)
{
	int out = batch_send(j, b, most);
	struct batch_done done = { 0 };
	struct frame f;
	struct wire w;
	size_t n = 0;

	if (cli_wait(j, MSG_W_FILTERED, &f, why) == 0) {
		wire_init(&w, f.data, f.len);
		wire_get(&w, batch_done, &done);
		if (wire_end(&w) == 0)
			n = verdicts_read_all(j, b, most, out, (size_t)done.out, fn, arg);
		if (done.failed != 0)
			buf_str(why, done.error != NULL ? done.error : "the filter failed");
		else if (n == 0 && most > 0)
			buf_str(why, "not all verdicts came");
	}
	close(out);
	return n;
}

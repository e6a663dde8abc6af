/* A source plugin's job of several pages, for `courant parse` and `fetch`. */
#include "cli_walk.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "catalog/option.h"
#include "conf/setup_template.h"
#include "ipc/chan.h"

#include <stdlib.h>
#include <string.h>

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

void
wanted_add(struct wanteds *all, const struct result_request *q, uint32_t nth)
{
	static const struct result_request own = { .body = { "", 0 } };
	struct wanted *w = xcalloc(1, sizeof(*w));

	if (q == NULL)
		q = &own;
	w->nth = nth;
	w->url = copy(q->url);
	w->method = copy(q->method);
	w->headers = copy(q->headers);
	w->tag = xstrdup(q->tag != NULL ? q->tag : "");
	w->len = q->body.len;
	if (w->len > 0)
		w->body = memcpy(xmalloc(w->len), q->body.data, w->len);
	STAILQ_INSERT_TAIL(all, w, entry);
}

struct wanted *
wanted_take(struct wanteds *all)
{
	struct wanted *w = STAILQ_FIRST(all);

	if (w != NULL)
		STAILQ_REMOVE_HEAD(all, entry);
	return w;
}

void
wanted_free(struct wanted *w)
{
	if (w == NULL)
		return;
	free(w->url);
	free(w->method);
	free(w->headers);
	free(w->tag);
	free(w->body);
	free(w);
}

struct parse_job
walk_job(const struct source *s)
{
	return (struct parse_job){ .source = s->name, .url = "", .type = "", .charset = "",
		.headers = "", .tag = "", .when = date_now(), .now = date_now(), .hash = 1,
		.strip = s->strip };
}

int
walk_run(struct cli_job *j, const struct source *s, struct parse_job *pj, int body, int out,
    struct parse_done *done, struct buf *why)
{
	struct buf options, b;
	struct frame f;
	struct wire w;
	int rc;

	buf_init(&options, OPTION_SET_MAX);
	buf_init(&b, msg_limit(MSG_W_PARSE));
	setup_source_options(s, &options);
	pj->options = (struct bytes){ options.len > 0 ? options.data : "", options.len };
	pj->state = (struct bytes){ "", 0 };	/* a job's state takes effect only after its end */
	wire_put(&b, parse_job, pj);
	if (body == -1)
		(void)chan_send(j->chan, MSG_W_PLAN, 1, &b, out, -1);
	else
		(void)chan_send(j->chan, MSG_W_PARSE, 1, &b, body, out);
	rc = cli_wait(j, MSG_W_PARSED, &f, why);
	buf_free(&options);
	buf_free(&b);
	if (rc == -1)
		return -1;
	wire_init(&w, f.data, f.len);
	wire_get(&w, parse_done, done);
	if (wire_end(&w) == 0)
		return 0;
	buf_str(why, "the worker sent a bad frame: ");
	cli_stop(j, why);
	return -1;
}

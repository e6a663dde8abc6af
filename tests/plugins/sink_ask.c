/* sink_ask: makes one request a record and logs what came; it names its token and never has it. */
#include <courant/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ask {
	const char	*url, *to, *token, *password, *method;
	int64_t		 size, count;
	int		 turn;
};

static const struct cr_option options[] = {
	CR_OPTION(struct ask, url, URL, NULL, NULL, "where the token may go"),
	CR_OPTION(struct ask, to, STRING, "", NULL, "where requests go; url unless told"),
	CR_OPTION(struct ask, token, SECRET, "", NULL, "sent with each request"),
	CR_OPTION(struct ask, password, SECRET, "", NULL, "sent nowhere"),
	CR_OPTION(struct ask, method, STRING, "POST", NULL, "HTTP method"),
	CR_OPTION(struct ask, size, INT, "0", "0..", "bytes of the body"),
	CR_OPTION(struct ask, count, INT, "1", "1..100", "requests at once"),
	CR_OPTION(struct ask, turn, BOOL, "no", NULL, "one after the other"),
	CR_END
};

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	const struct ask *o = opts;
	struct cr_request rq[100] = { 0 };
	struct cr_response rs[100] = { 0 };
	char *body = calloc(1, (size_t)o->size + 1), headers[1000];
	int64_t i;
	int n;

	memset(body, 'x', (size_t)o->size);
	snprintf(headers, sizeof(headers), "X-Token: %s\n", o->token != NULL ? o->token : "none");
	for (i = 0; i < o->count; i++) {
		rq[i] = (struct cr_request){ .size = sizeof(rq[0]), .method = o->method,
			.url = o->to != NULL ? o->to : o->url, .headers = headers, .in_turn = o->turn,
			.body = o->size > 0 ? body : NULL, .len = (size_t)o->size };
		rs[i].size = sizeof(rs[0]);
	}
	n = cr->http(cr, rq, rs, (size_t)o->count);
	cr->log(cr, "holds %s", headers);
	for (i = 0; n >= 0 && i < o->count; i++)
		cr->log(cr, "asked: %d status %d error %s body %.60s of %zu", n, rs[i].status,
		    rs[i].error != NULL ? rs[i].error : "-", rs[i].body, rs[i].len);
	if (n == -1)
		cr->log(cr, "asked: not at all");
	free(body);
	return batch->n;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "ask", .version = "1", .help = "asks by HTTP",
	.options = options, .options_size = sizeof(struct ask), .wants = CR_HTTP,
	.needs = 1, .deliver = deliver,
};

/* The program courant-worker: loads one source plugin, the filters of a route, or a sink, and runs
 * the jobs that come over descriptor 3. */
#include "about.h"
#include "chan.h"
#include "child.h"
#include "convert.h"
#include "date.h"
#include "host.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "sandbox.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL		3
#define PLUGINS_MAX	64		/* filters of a route */
#define MAJORS_MAX	9		/* later and earlier contracts that are looked for */

struct worker {
	struct chan	*chan;
	struct w_start	 start;		/* its strings point into `kept` */
	char		*kept;
	struct slot	 slots[PLUGINS_MAX];
	const char	*path[PLUGINS_MAX];
	struct bytes	 options[PLUGINS_MAX];
	size_t		 n;
};

static void
reply(struct worker *w, uint16_t type, uint32_t id, const struct buf *b)
{
	if (chan_send(w->chan, type, id, b, -1, -1) == -1)
		_exit(1);		/* nobody is there to hear */
}

/* ---- Starting ---- */

static int
rule_take(struct slot *s, const char *rule)
{
	if (rule == NULL || strlen(rule) >= sizeof(s->rule))
		return -1;
	memcpy(s->rule, rule, strlen(rule) + 1);
	return 0;
}

static int
start_read(struct worker *w)
{
	struct frame f;
	struct wire wire;
	uint32_t i;

	if (chan_recv(w->chan, &f, -1) != 1 || f.type != MSG_W_START)
		return -1;
	w->kept = xmalloc(f.len + 1);
	memcpy(w->kept, f.data, f.len);
	wire_init(&wire, w->kept, f.len);
	wire_get(&wire, w_start, &w->start);
	w->n = wire_u32(&wire);
	if (wire.bad || w->n == 0 || w->n > PLUGINS_MAX)
		return -1;
	for (i = 0; i < w->n; i++) {
		w->path[i] = wire_str(&wire);
		w->options[i] = wire_bytes(&wire);
		if (w->path[i] == NULL)
			return -1;
	}
	for (i = 0; i < w->n && w->start.mode == W_FILTER; i++)
		if (rule_take(&w->slots[i], wire_str(&wire)) == -1)
			return -1;
	return wire_end(&wire);
}

/* Why a library without our symbol is no plugin for us. */
static void
no_symbol(void *library, struct buf *why)
{
	char symbol[32];
	int major;

	for (major = 0; major <= MAJORS_MAX; major++) {
		snprintf(symbol, sizeof(symbol), "cr_plugin_v%d", major);
		if (dlsym(library, symbol) == NULL)
			continue;
		buf_fmt(why, "made for major version %d of the plugin contract, this Courant takes "
		    "1: get a build of the plugin for it", major);
		return;
	}
	buf_str(why, "exports no cr_plugin_v1: it is no plugin, or it was linked with the symbol "
	    "hidden");
}

/* jansson seeds its tables from a file, which cannot be opened once the sandbox is sealed. */
static void
seed(void *library)
{
	union {
		void	*symbol;
		void	(*call)(size_t);
	} json = { dlsym(library, "json_object_seed") };

	if (json.symbol != NULL)
		json.call(0);
}

/* Loads a plugin. 0, or -1 and why, for the operator. */
static int
load(struct slot *s, const char *path, struct buf *why)
{
	const struct cr_plugin *found;
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const char *error;

	if (library == NULL) {
		error = dlerror();
		buf_fmt(why, "cannot be loaded: %s", error != NULL ? error : "unknown reason");
		return -1;
	}
	found = dlsym(library, "cr_plugin_v1");
	if (found == NULL) {
		no_symbol(library, why);
		return -1;
	}
	if (plugin_about_take(&s->plugin, found, why) == -1)
		return -1;
	seed(library);
	return 0;
}

/* What was loaded, or why it was not. */
static void
describe(struct worker *w, int rc, const struct buf *why)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_W_ABOUT));
	wire_put_u32(&b, rc == 0);
	if (rc == 0)
		plugin_about_write(&b, &w->slots[0].plugin);
	else
		wire_put_str(&b, why->data);
	reply(w, MSG_W_ABOUT, 0, &b);
	buf_free(&b);
}

/* Loads all and closes the sandbox. A plugin that cannot be loaded ends the worker. */
static void
start(struct worker *w)
{
	const struct w_start *ws = &w->start;
	struct buf why;
	size_t i;
	int rc = 0;

	log_open("worker", ws->debug != 0);
	host_init(ws);
	host.chan = w->chan;
	if (sandbox_enter(ws, w->path, w->n) == -1)
		exit(1);
	tzset();
	if (ws->mode != W_DESCRIBE)
		convert_open();
	buf_init(&why, HOST_ERROR);
	for (i = 0; i < w->n && rc == 0; i++)
		rc = load(&w->slots[i], w->path[i], &why);
	if (ws->mode == W_DESCRIBE || rc == -1)
		describe(w, rc, &why);
	buf_free(&why);
	if (rc == -1 || sandbox_seal(ws) == -1)
		exit(1);
	if (ws->mode != W_DESCRIBE)
		reply(w, MSG_READY, 0, NULL);
}

/* ---- Jobs ---- */

static int
check(struct worker *w, struct frame *f)
{
	struct bytes options;
	struct wire wire;
	struct buf b;

	wire_init(&wire, f->data, f->len);
	options = wire_bytes(&wire);
	if (wire_end(&wire) == -1)
		return -1;
	host_job(date_now());
	buf_init(&b, msg_limit(MSG_W_CHECKED));
	wire_put_str(&b, slot_check(&w->slots[0], options) == -1 ? host.error : NULL);
	reply(w, MSG_W_CHECKED, f->id, &b);
	buf_free(&b);
	return 0;
}

static int
parse(struct worker *w, struct frame *f)
{
	struct parse_job job;
	struct parse_done done;
	struct wire wire;
	struct buf b;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, parse_job, &job);
	if (wire_end(&wire) == -1 || w->slots[0].plugin.parse == NULL || f->fd[1] == -1)
		return -1;
	host_job(job.now);
	host_parse(&w->slots[0], &job, f->fd[0], f->fd[1], &done);
	buf_init(&b, msg_limit(MSG_W_PARSED));
	wire_put(&b, parse_done, &done);
	reply(w, MSG_W_PARSED, f->id, &b);
	buf_free(&b);
	return 0;
}

static int
plan(struct worker *w, struct frame *f)
{
	struct parse_job job;
	struct parse_done done;
	struct wire wire;
	struct buf b;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, parse_job, &job);
	if (wire_end(&wire) == -1 || w->slots[0].plugin.plan == NULL || f->fd[0] == -1)
		return -1;
	host_job(job.now);
	host_plan(&w->slots[0], &job, f->fd[0], &done);
	buf_init(&b, msg_limit(MSG_W_PARSED));
	wire_put(&b, parse_done, &done);
	reply(w, MSG_W_PARSED, f->id, &b);
	buf_free(&b);
	return 0;
}

struct progress {
	struct worker	*worker;
	uint32_t	 id;
};

static void
progress(uint32_t done, void *arg)
{
	struct progress *p = arg;
	struct buf b;

	buf_init(&b, msg_limit(MSG_W_PROGRESS));
	wire_put_u32(&b, done);
	reply(p->worker, MSG_W_PROGRESS, p->id, &b);
	buf_free(&b);
}

/* All plugins of the route are open. */
static int
ready(struct worker *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (slot_ready(&w->slots[i], w->options[i], 0) == -1)
			return 0;
	return 1;
}

static int
batch(struct worker *w, struct frame *f, int filter)
{
	struct progress p = { w, f->id };
	struct host_batch hb = { .slots = w->slots, .n = w->n, .batch = f->fd[0],
		.out = f->fd[1], .progress = progress, .arg = &p };
	struct batch_job job;
	struct batch_done done;
	struct wire wire;
	struct buf b;
	size_t i;

	wire_init(&wire, f->data, f->len);
	wire_get(&wire, batch_job, &job);
	if (wire_end(&wire) == -1 || hb.out == -1)
		return -1;
	for (i = 0; i < w->n; i++)
		if (filter ? w->slots[i].plugin.filter == NULL :
		    w->slots[i].plugin.deliver == NULL)
			return -1;
	host_job(job.now);
	if (!ready(w))
		done = (struct batch_done){ .failed = host.failed, .retry = host.retry,
			.error = host.error };
	else if (filter)
		host_filter(&hb, &job, &done);
	else
		host_deliver(&hb, &job, &done);
	buf_init(&b, msg_limit(MSG_W_DELIVERED));
	wire_put(&b, batch_done, &done);
	reply(w, filter ? MSG_W_FILTERED : MSG_W_DELIVERED, f->id, &b);
	buf_free(&b);
	return 0;
}

static int
stream(struct worker *w, struct frame *f)
{
	int out = f->fd[0], spare = f->fd[1];
	struct stream_job job;
	struct batch_done done;
	struct wire wire;
	struct buf b;
	char *kept = xmalloc(f->len + 1);

	memcpy(kept, f->data, f->len);	/* frames come while the job lasts */
	wire_init(&wire, kept, f->len);
	wire_get(&wire, stream_job, &job);
	if (wire_end(&wire) == -1 || w->slots[0].plugin.stream == NULL || spare == -1)
		return -1;
	f->fd[0] = f->fd[1] = -1;
	host_job(date_now());
	host_stream(&w->slots[0], &job, out, spare, &done);
	buf_init(&b, msg_limit(MSG_W_STREAMED));
	wire_put(&b, batch_done, &done);
	reply(w, MSG_W_STREAMED, 0, &b);
	buf_free(&b);
	explicit_bzero(kept, f->len);
	free(kept);
	return 0;
}

static int
visit(struct worker *w, struct frame *f)
{
	int out = f->fd[0], body = f->fd[1];
	struct visit_job job;
	struct visit_ask asked;
	struct visit_done done;
	struct wire wire;
	struct buf b;
	char *kept = xmalloc(f->len + 1);

	memcpy(kept, f->data, f->len);	/* frames come while the job lasts */
	wire_init(&wire, kept, f->len);
	wire_get(&wire, visit_job, &job);
	wire_get(&wire, visit_ask, &asked);
	if (wire_end(&wire) == -1 || w->slots[0].plugin.request == NULL || out == -1)
		return -1;
	f->fd[0] = f->fd[1] = -1;
	host_job(job.now);
	host_visit(&w->slots[0], &job, &asked, body, out, &done);
	buf_init(&b, msg_limit(MSG_W_VISITED));
	wire_put(&b, visit_done, &done);
	reply(w, MSG_W_VISITED, 0, &b);
	buf_free(&b);
	explicit_bzero(kept, f->len);
	free(kept);
	return 0;
}

/* One frame. -1: no job of ours, which is core's mistake. */
static int
serve(struct worker *w, struct frame *f)
{
	switch (f->type) {
	case MSG_W_CHECK:
		return check(w, f);
	case MSG_W_PARSE:
		return parse(w, f);
	case MSG_W_PLAN:
		return plan(w, f);
	case MSG_W_FILTER:
		return batch(w, f, 1);
	case MSG_W_DELIVER:
		return batch(w, f, 0);
	case MSG_W_STREAM:
		return stream(w, f);
	case MSG_W_VISIT:
		return visit(w, f);
	default:
		return -1;
	}
}

int
main(void)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct frame f;
	size_t i;

	if (spawn_bind() == -1)
		_exit(1);		/* core was killed while this one started */
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);	/* not for a command that a plugin runs */
	w->chan = chan_new(CHANNEL);
	if (start_read(w) == -1) {
		fprintf(stderr, "courant-worker is started by courantd and courant\n");
		return 64;
	}
	start(w);
	while (!host.stop && chan_recv(w->chan, &f, -1) == 1 && f.type != MSG_STOP) {
		if (serve(w, &f) == -1) {
			host_say("a message that this worker has no use for: %s", msg_name(f.type));
			return 70;
		}
		fflush(stdout);
	}
	host_job(0);
	for (i = 0; i < w->n; i++)
		slot_close(&w->slots[i]);
	fflush(stdout);
	_exit(0);			/* no destructors of plugins */
}

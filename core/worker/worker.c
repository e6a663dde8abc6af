/* The program courant-worker: loads one source plugin, the filters of a route, or a sink, and runs
 * the jobs that core sends over file descriptor 3. */
#include "convert.h"
#include "crash.h"
#include "host.h"
#include "host_batch.h"
#include "host_parse.h"
#include "host_slot.h"
#include "host_stream.h"
#include "host_table.h"
#include "host_visit.h"
#include "sandbox.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/idn.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/descriptor.h"
#include "ipc/chan.h"
#include "ipc/child.h"
#include "ipc/msg.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHANNEL		3
#define PLUGINS_MAX	64		/* filters of a route */
#define PATHS_MAX	(2 * PLUGINS_MAX + 64)	/* of plugins and of their libraries' folders */
#define MAJORS_MAX	9		/* other major versions tried for an error message */

struct worker {
	struct chan	*chan;
	struct w_start	 start;		/* its strings point into `kept` */
	char		*kept;		/* payload of MSG_W_START */
	char		*folders;	/* LD_LIBRARY_PATH, split; paths() returns parts of it */
	struct slot	 slots[PLUGINS_MAX];
	const char	*path[PLUGINS_MAX];
	int		 fd[PLUGINS_MAX];	/* what is loaded in place of path[]; -1: none */
	char		 file[PLUGINS_MAX][32];	/* their names in /proc */
	struct bytes	 options[PLUGINS_MAX];
	size_t		 n;
};

static void
reply(struct worker *w, uint16_t type, uint32_t id, const struct buf *b)
{
	if (chan_send(w->chan, type, id, b, -1, -1) == -1)
		_exit(1);		/* core is gone */
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

/* Takes a plugin's copy out of a frame; it may have none. */
static void
copy_take(struct worker *w, size_t i, struct frame *f)
{
	w->fd[i] = f->fd[0];
	f->fd[0] = -1;
	snprintf(w->file[i], sizeof(w->file[i]), "/proc/self/fd/%d", w->fd[i]);
}

static int
copies_read(struct worker *w)
{
	struct frame f;

	if (w->start.copies == 0)
		return 0;
	for (size_t i = 0; i < w->n; i++) {
		if (chan_recv(w->chan, &f, -1) != 1 || f.type != MSG_W_COPY || f.fd[0] == -1)
			return -1;
		copy_take(w, i, &f);
	}
	return w->start.copies == w->n ? 0 : -1;
}

static int
start_read(struct worker *w)
{
	struct frame f;
	struct wire wire;
	uint32_t i;

	if (chan_recv(w->chan, &f, -1) != 1 || f.type != MSG_W_START)
		return -1;
	for (i = 0; i < PLUGINS_MAX; i++)
		w->fd[i] = -1;
	copy_take(w, 0, &f);
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
	if (wire_end(&wire) == -1 || (w->fd[0] != -1 && w->n > 1))
		return -1;
	return copies_read(w);
}

/* Lists the paths that may be read while plugins are loaded: the plugins, and the folders of
 * LD_LIBRARY_PATH, which is then unset, so that commands of plugins do not get it. Returns their
 * number. */
static size_t
paths(struct worker *w, const char *path[PATHS_MAX])
{
	const char *told = getenv("LD_LIBRARY_PATH"), *one;
	size_t n = w->fd[0] == -1 ? w->n : 0;
	char *rest;

	memcpy(path, w->path, n * sizeof(*path));
	w->folders = rest = xstrdup(told != NULL ? told : "");
	while ((one = strsep(&rest, ":")) != NULL && n < PATHS_MAX)
		if (one[0] == '/')
			path[n++] = one;
	unsetenv("LD_LIBRARY_PATH");
	return n;
}

/* Adds where libraries are searched, when the loader did not find one. */
static void
tell_rule(const char *error, struct buf *why)
{
	if (strstr(error, "cannot open shared object file") != NULL)
		buf_str(why, "; a plugin's libraries lie in the system's folders (/lib, /usr/lib, "
		    "/usr/local/lib), or where its RUNPATH says: link it with "
		    "-Wl,-rpath,'$ORIGIN' for one beside it");
}

/* Adds why a library without cr_plugin_v1 is no plugin for this version. */
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

/* Seeds jansson's hash tables: it would read a file, which the sealed sandbox forbids. */
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

/* Adds why the loader refused a plugin; file: as it was loaded, path: as people know it. */
static void
no_load(const char *file, const char *path, struct buf *why)
{
	const char *error = dlerror();

	error = error != NULL ? error : "unknown reason";
	buf_str(why, "cannot be loaded: ");
	if (strncmp(error, file, strlen(file)) == 0) {
		buf_str(why, path);
		error += strlen(file);
	}
	buf_str(why, error);
	tell_rule(error, why);
}

/* Loads the plugin in a file, which path names for people. -1: `why` has the reason, for the
 * operator. */
static int
load(struct slot *s, const char *file, const char *path, struct buf *why)
{
	const char *slash = strrchr(path, '/');
	const struct cr_plugin *found;
	void *library;

	crash_plugin(file);
	if (file != path)
		crash_name(slash != NULL ? slash + 1 : path);
	library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		no_load(file, path, why);
		return -1;
	}
	found = dlsym(library, "cr_plugin_v1");
	if (found == NULL) {
		no_symbol(library, why);
		return -1;
	}
	if (descriptor_take(&s->plugin, found, why) == -1)
		return -1;
	crash_name(s->rule[0] != '\0' ? s->rule : s->plugin.name);
	seed(library);
	return 0;
}

/* Sends MSG_W_ABOUT: the plugin's descriptor, or why it cannot be loaded. */
static void
describe(struct worker *w, int rc, const struct buf *why)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_W_ABOUT));
	wire_put_u32(&b, rc == 0);
	if (rc == 0)
		descriptor_write(&b, &w->slots[0].plugin);
	else
		wire_put_str(&b, why->data);
	reply(w, MSG_W_ABOUT, 0, &b);
	buf_free(&b);
}

/* From here on, what a plugin prints goes to the log. */
static void
prints(void)
{
	if (dup2(CHILD_LOG, STDOUT_FILENO) == -1 || dup2(CHILD_LOG, STDERR_FILENO) == -1)
		log_warn("what plugins print is lost: %s", strerror(errno));
}

/* Loads all plugins and seals the sandbox. A plugin that cannot be loaded ends the worker. */
static void
start(struct worker *w)
{
	const struct w_start *ws = &w->start;
	const char *path[PATHS_MAX];
	struct buf why;
	size_t i, n = paths(w, path);
	int rc = 0;

	log_open("worker", ws->debug != 0);
	crash_watch();
	host_init(ws);
	host.chan = w->chan;
	if (sandbox_enter(ws, path, n) == -1)
		exit(1);
	tzset();
	if (ws->mode != W_DESCRIBE)
		convert_open();
	if (ws->mode != W_DESCRIBE && ws->mode != W_CHECK && ws->mode != W_DELIVER)
		idn_open();		/* links of records have host names */
	buf_init(&why, HOST_ERROR);
	for (i = 0; i < w->n && rc == 0; i++)
		rc = load(&w->slots[i], w->fd[i] != -1 ? w->file[i] : w->path[i], w->path[i], &why);
	for (i = 0; i < w->n; i++)
		if (w->fd[i] != -1)
			close(w->fd[i]);
	if (ws->mode == W_DESCRIBE || rc == -1)
		describe(w, rc, &why);
	buf_free(&why);
	if (rc == -1)
		exit(1);
	prints();
	if (sandbox_seal(ws) == -1)
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

/* MSG_W_PARSE, or with plan MSG_W_PLAN, which has no page. */
static int
page(struct worker *w, struct frame *f, int plan)
{
	const struct cr_plugin *p = &w->slots[0].plugin;
	int out = f->fd[plan ? 0 : 1];
	struct parse_job job;
	struct parse_done done;
	struct buf b;

	if (wire_whole(f->data, f->len, parse_job, &job) == -1 || out == -1 ||
	    (plan ? p->plan == NULL : p->parse == NULL))
		return -1;
	host_job(job.now);
	if (plan)
		host_plan(&w->slots[0], &job, out, &done);
	else
		host_parse(&w->slots[0], &job, f->fd[0], out, &done);
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

/* Opens all plugins of the route. 0: one failed; host.failed and host.error are set. */
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
	struct buf b;
	size_t i;

	if (wire_whole(f->data, f->len, batch_job, &job) == -1 || hb.out == -1)
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

	memcpy(kept, f->data, f->len);	/* frames received during the job reuse the buffer */
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

	memcpy(kept, f->data, f->len);	/* frames received during the job reuse the buffer */
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

/* Runs the job of a frame. -1: not a job for this worker, an error of core. */
static int
serve(struct worker *w, struct frame *f)
{
	switch (f->type) {
	case MSG_W_CHECK:
		return check(w, f);
	case MSG_W_PARSE:
		return page(w, f, 0);
	case MSG_W_PLAN:
		return page(w, f, 1);
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

	if (child_bind() == -1)
		_exit(1);		/* core was killed while this process started */
	child_expendable(CHILD_OOM_WORKER);
	setvbuf(stdout, NULL, _IOLBF, 0);
	fcntl(CHANNEL, F_SETFD, FD_CLOEXEC);	/* not for commands that a plugin runs */
	if (fcntl(CHILD_LOG, F_SETFD, FD_CLOEXEC) == 0)
		log_to(CHILD_LOG);
#ifndef COURANT_SANDBOX
	prints();			/* reports of sanitizers too */
#endif
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
	_exit(0);			/* without destructors of plugins */
}

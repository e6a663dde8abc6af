/* One station of a route: its worker, the worker's batch, and the result for store. */
#include "station.h"
#include "letter_words.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "catalog/plugin.h"
#include "catalog/versions.h"
#include "conf/setup_mail.h"
#include "conf/setup_template.h"
#include "daemon/supervise/core.h"
#include "daemon/supervise/dedicated.h"
#include "daemon/supervise/egress.h"
#include "daemon/supervise/role.h"
#include "daemon/supervise/workers.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/worker_start.h"

#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_MIN	INT64_C(1000)		/* ms; doubles with each failure in a row */
#define RETRY_MAX	INT64_C(3600000)
#define PROGRESS_MIN	50			/* ms from one progress that store hears of to the next */
#define VERDICTS_MAX	(64u << 20)		/* bytes of verdicts for one batch */
#define ROUTE_USES	1000000			/* CPU backstop of a route worker, in jobs */

/* ---- one station ---- */

const char *
station_name(const struct station *s)
{
	return s->place == PULL_FILTER ? "filters" : s->route->sinks[s->place].name;
}

int
station_lists(const struct station *s)
{
	return s->instance != NULL && s->instance->plugin != NULL &&
	    setup_gives(s->route, &s->route->sinks[s->place]) == CR_BATCH_LIST;
}

int
station_mails(const struct station *s)
{
	return s->instance != NULL && s->instance->plugin != NULL &&
	    (s->instance->plugin->wants & CR_MAIL) != 0;
}

int
station_unordered(const struct station *s)
{
	return s->instance != NULL && s->route->sinks[s->place].unordered;
}

const char *
station_waiting(const struct station *s)
{
	if (s->instance != NULL)
		return s->instance->waiting;
	for (size_t i = 0; i < s->route->nfilters; i++)
		if (s->route->filters[i].instance->waiting != NULL)
			return s->route->filters[i].instance->waiting;
	return NULL;
}

void
station_timer(struct station *s, int64_t ticks)
{
	int64_t ms = ticks - date_ticks();
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv = (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(s->timer, &tv);
}

static void
batch_close(struct station *s)
{
	if (s->batch != -1)
		close(s->batch);
	if (s->out != -1)
		close(s->out);
	s->batch = s->out = -1;
	free((char *)(uintptr_t)s->work.id);
	free((char *)(uintptr_t)s->work.readers.data);
	free((char *)(uintptr_t)s->work.token);
	s->work = (struct work){ 0 };
	s->tries = 0;
	s->progress = 0;
}

void
station_state(struct station *s, enum station_state state)
{
	struct core *c = s->core;

	if (state != STATION_WORK) {
		c->deliver->waiting -= s->waits != 0;
		s->waits = 0;
	}
	if (s->state == STATION_IDLE && state != STATION_IDLE)
		c->deliver->busy++;
	if (s->state != STATION_IDLE && state == STATION_IDLE) {
		c->deliver->busy--;
		batch_close(s);
		if (s->changed && s->worker != NULL)
			worker_stop(s->worker);
		s->changed = 0;
		station_timer(s, date_ticks() + WORKER_IDLE);
	}
	s->state = state;
}

/* ---- its worker ---- */

static void
put_plugin(struct buf *b, const struct instance *in, uint32_t granted)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	instance_options(in, (granted & CR_SECRETS) != 0, &options);
	worker_start_plugin(b, in->plugin->copy, (struct bytes){ options.data, options.len });
	buf_free(&options);
}

static void
put_filters(struct buf *b, const struct route *r)
{
	for (size_t i = 0; i < r->nfilters; i++)
		put_plugin(b, r->filters[i].instance, 0);
	for (size_t i = 0; i < r->nfilters; i++)
		wire_put_str(b, r->filters[i].rule);
}

static void
put_libraries(struct buf *b, const struct instance *in)
{
	if (in->plugin->libraries != NULL)
		buf_fmt(b, "%s%s", b->len > 0 ? ":" : "", in->plugin->libraries);
}

/* The libraries of the sink's plugin, or of the plugins of all filters. */
static void
station_libraries(const struct station *s, struct buf *b)
{
	if (s->instance != NULL)
		put_libraries(b, s->instance);
	for (size_t i = 0; s->instance == NULL && i < s->route->nfilters; i++)
		put_libraries(b, s->route->filters[i].instance);
}

/* Adds to the digest what a plugin is started with: its copy, grants and options. */
static void
plugin_means(struct digest *d, const struct instance *in, uint32_t granted)
{
	struct buf options;

	buf_init(&options, 2 * OPTION_SET_MAX);
	instance_options(in, 1, &options);
	digest_str(d, in->plugin != NULL ? in->plugin->copy : NULL);
	digest_int(d, granted);
	digest_add(d, options.len > 0 ? options.data : "", options.len);
	if (options.data != NULL)
		explicit_bzero(options.data, options.len);
	buf_free(&options);
}

static const char *
list_title(const struct route *r)
{
	return r->title != NULL ? r->title : r->name;
}

void
station_means(const struct station *s, struct digest *d, unsigned char out[DIGEST_SIZE])
{
	const struct route *r = s->route;

	digest_begin(d);
	digest_int(d, (int64_t)s->core->setup->worker_memory);
	if (s->instance != NULL)
		plugin_means(d, s->instance, s->instance->plugin != NULL ?
		    setup_grants(s->core->setup, s->instance->plugin) : 0);
	if (station_mails(s))
		mail_conf_means(&s->core->setup->mail, d);	/* a change resumes it */
	if (station_lists(s)) {		/* the list shows these besides its records */
		digest_str(d, list_title(r));
		digest_str(d, s->core->setup->base);
		digest_int(d, r->sinks[s->place].keep);
		digest_int(d, r->sinks[s->place].order);
	}
	for (size_t i = 0; s->instance == NULL && i < r->nfilters; i++) {
		digest_str(d, r->filters[i].rule);
		plugin_means(d, r->filters[i].instance, 0);
	}
	digest_end(d, out);
}

/* The working directory of the sink's plugin, freed by the caller: the folder of outputs, or one of
 * its own for commands, whose files nobody is to be served. NULL: it has none. -1: it cannot be. */
static int
station_folder(const struct station *s, uint32_t grants, char **folder)
{
	char *name, *of;

	*folder = NULL;
	if ((grants & CR_FILES) != 0 && (grants & CR_EXEC) == 0)
		*folder = xstrdup(s->core->out);
	if ((grants & CR_FILES) == 0 || (grants & CR_EXEC) == 0)
		return 0;
	of = xasprintf("%s/%s", s->route->name, station_name(s));
	name = xasprintf("sink-%u-%s", s->id, station_name(s));
	*folder = dedicated_folder(s->core, of, name);
	free(name);
	free(of);
	return *folder != NULL ? 0 : -1;
}

static int
station_start(struct station *s)
{
	struct core *c = s->core;
	struct w_start ws = { .mode = s->place == PULL_FILTER ? W_FILTER : W_DELIVER,
		.debug = (uint32_t)c->debug, .memory = c->setup->worker_memory,
		.out = VERDICTS_MAX, .cpu = c->setup->job_cpu * ROUTE_USES,
		.name = s->route->name };
	struct worker *w;
	struct buf b, libraries;
	char *name, *folder = NULL;

	if (s->instance != NULL) {
		ws.grants = setup_grants(c->setup, s->instance->plugin);
		if (ws.grants & (CR_FILES | CR_EXEC))
			ws.out = WORKER_OUT_FILES;
		if (station_folder(s, ws.grants, &folder) == -1)
			return -1;
		ws.folder = folder;
	}
	worker_start_begin(&b, &ws, s->instance != NULL ? 1 : (uint32_t)s->route->nfilters);
	free(folder);
	if (s->instance != NULL)
		put_plugin(&b, s->instance, ws.grants);
	else
		put_filters(&b, s->route);
	name = xasprintf("%s/%s", s->route->name, station_name(s));
	buf_init(&libraries, SIZE_MAX / 4);
	station_libraries(s, &libraries);
	w = worker_start(c, WORKER_ROUTE, name, libraries.data, &b);
	buf_free(&libraries);
	if (w != NULL && s->instance != NULL)
		worker_allow(w, egress_new(s->instance, ws.grants, name, NULL));
	free(name);
	buf_free(&b);
	if (w == NULL)
		return -1;
	worker_owner(w, &s->worker);
	brake_start(&s->brake);
	return 0;
}

/* ---- settling ---- */

/* After so many failures in a row; asked: by the sink, ms; -1: it did not. */
static int64_t
retry_delay(unsigned failures, int64_t asked)
{
	int64_t ms = RETRY_MIN;

	if (asked >= 0)
		return asked < ACK_DUE_MAX ? asked : ACK_DUE_MAX;
	for (unsigned i = 1; i < failures && ms < RETRY_MAX; i++)
		ms *= 2;
	return ms < RETRY_MAX ? ms : RETRY_MAX;
}

void
held_set(struct held *h, const char *id, uint32_t done, enum ack_then then, int64_t retry,
    const char *reason, int out)
{
	if (h->out != -1)
		close(h->out);
	h->out = out;
	xreplace(&h->id, id);
	xreplace(&h->reason, reason);
	h->done = done;
	h->then = then;
	h->retry = retry;
}

/* Sets when the station may go on, by its sink's answer. The wall clock time of a retry, or 0. */
static int64_t
pause_for(struct station *s, const struct held *h)
{
	int64_t ms;

	/* A replay counts in nobody's failures, and delays replays alone; a record of an unordered sink
	 * delays none but itself. */
	if (s->work.kind == WORK_REPLAY || station_unordered(s))
		return h->then != ACK_RETRY ? 0 : date_now() +
		    retry_delay(h->done > 0 ? 1 : s->work.attempt + 1, h->retry);
	if (h->then == ACK_ALL || h->then == ACK_PART)
		s->failures = 0;
	if (h->then != ACK_RETRY) {
		if (s->asked_anew && h->then != ACK_GONE)
			s->anew = 0;
		if (s->work.kind == WORK_LIST && s->work.count > 0)
			s->not_before = date_ticks() + LIST_SPACING;
		return 0;
	}
	s->failures = h->done > 0 ? 1 : s->failures + 1;
	ms = retry_delay(s->failures, h->retry);
	s->not_before = date_ticks() + ms;
	return date_now() + ms;
}

void
station_again(struct station *s)
{
	struct core *c = s->core;

	s->behind = 1;
	station_state(s, STATION_IDLE);
	event_active(c->deliver->wake, EV_TIMEOUT, 0);
	core_idle(c);
}

void
station_pause(struct station *s, int64_t asked, const char *why)
{
	log_warn("route %s, %s: %s", s->route->name, station_name(s), why);
	xreplace(&s->reason, why);
	s->failures++;
	s->not_before = date_ticks() + retry_delay(s->failures, asked);
	station_again(s);
}

/* Whether store restarted since it gave the batch: it hands it out again. */
static int
is_restarted(const struct station *s)
{
	const struct role *store = roles_get(s->core, ROLE_STORE);

	return s->epoch != store->restarts || store->pid == 0;
}

void
station_tell(struct station *s)
{
	struct core *c = s->core;
	const struct held *h = &s->held;
	struct ack a = { .route = s->id, .sink = s->sink, .lane = s->lane, .done = h->done,
		.then = h->then, .first = s->work.first, .last = s->work.last, .reason = h->reason };
	struct buf b;

	if (is_restarted(s)) {
		station_again(s);
		return;
	}
	if (!c->known) {
		station_state(s, STATION_ANSWERED);
		return;			/* sent once store has read the new setup */
	}
	a.due = pause_for(s, h);
	station_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_ACK));
	wire_put(&b, ack, &a);
	roles_send(c, ROLE_STORE, MSG_ACK, 0, &b, h->out);
	buf_free(&b);
}

void
station_tested(struct station *s, int status, const char *text)
{
	uint32_t question = s->sample;
	struct buf said;

	if (question == 0)
		return;
	s->sample = 0;
	buf_init(&said, 64u << 10);
	shown_fmt(&said, "%s/%s: %s", s->route->name, station_name(s), text);
	if (s->mailed != NULL)		/* lines, each of them shown already */
		buf_fmt(&said, "%s%s", text[0] != '\0' ? ": " : "", s->mailed);
	buf_char(&said, '\n');
	s->core->deliver->tested(s->core, question, status, said.data);
	buf_free(&said);
}

/* The sample is done: nothing of it is stored or counted. why: NULL: the sink took it. */
static void
sampled(struct station *s, const char *why)
{
	char *took = xasprintf("took the sample %s, marked [test]", s->work.id);

	if (why == NULL && s->sample_to != NULL && s->mailed_class != MAIL_ACCEPTED)
		station_tested(s, 1, s->mailed != NULL ? "" : "sent no mail");
	else if (why == NULL)
		station_tested(s, 0, took);
	else
		station_tested(s, 1, why[0] != '\0' ? why : "failed without saying why");
	free(took);
	xreplace(&s->mailed, NULL);
	s->mailed_class = 0;
	xreplace(&s->sample_to, NULL);
	station_again(s);
}

/* The memfd of the state that the sink's plugin set, sealed; -1: none. */
static int
out_take(struct station *s)
{
	int fd = s->out;

	if (lseek(fd, 0, SEEK_END) <= 0 || memfd_seal(fd) == -1)
		return -1;
	s->out = -1;
	return fd;
}

/* Whether the batch is one thing that counts, whatever number of records it has. */
static int
is_one(const struct station *s)
{
	return s->work.kind == WORK_EDITION || s->work.kind == WORK_LETTER;
}

/* The sink's result: held, and sent to store. */
static void
station_ack(struct station *s, uint32_t done, enum ack_then then, int64_t retry, const char *reason)
{
	if (then != ACK_ALL && then != ACK_PART)
		log_warn("route %s, %s: %s%s", s->route->name, station_name(s),
		    reason != NULL ? reason : "failed without saying why",
		    s->work.kind == WORK_REPLAY ? "; of a replay" :
		    then == ACK_GONE ? "; paused until `courant resume`" : "");
	log_debug("route %s, %s: %u of %u delivered", s->route->name, station_name(s), done,
	    s->work.count);
	if (is_one(s))
		done = then == ACK_ALL;	/* it may have no record */
	if (then != ACK_PARK && !s->brake.paused)
		brake_done(&s->brake, done);
	held_set(&s->held, s->work.id, done, then, retry, reason, out_take(s));
	station_tell(s);
}

/* The filters' verdicts, to store. guilty: place of the record that two workers died of, or
 * UINT32_MAX. */
static void
station_judged(struct station *s, uint32_t guilty, const char *reason)
{
	const struct judged j = { .route = s->id, .guilty = guilty, .first = s->work.first,
		.last = s->work.last, .reason = reason };
	struct buf b;

	if (!s->core->known) {
		station_again(s);	/* store may no longer expect these verdicts */
		return;
	}
	brake_done(&s->brake, guilty == UINT32_MAX ? s->work.count : 0);
	station_state(s, STATION_SETTLE);
	buf_init(&b, msg_limit(MSG_JUDGED));
	wire_put(&b, judged, &j);
	roles_send(s->core, ROLE_STORE, MSG_JUDGED, 0, &b, s->out);
	buf_free(&b);
}

/* Reports a job's result for the history of its plugins. 1: a plugin is replaced by another
 * version. */
static int
station_blame(const struct station *s, int well, const char *why)
{
	const enum job_how how = well ? JOB_WELL : JOB_FAILED;
	int gone = 0;

	if (s->instance != NULL)
		return catalog_job(s->core->catalog, s->instance->plugin, how, why);
	for (size_t i = 0; i < s->route->nfilters; i++)
		gone |= catalog_job(s->core->catalog, s->route->filters[i].instance->plugin, how,
		    why);
	return gone;
}

static int
is_fault(const struct batch_done *d)
{
	return d->failed == CR_BAD_DATA || d->failed == CR_BAD_OPTION;
}

/* Whether the batch is delivered as a whole: a list, an edition, or a letter. */
static int
is_whole(const struct station *s)
{
	return s->work.kind == WORK_LIST || is_one(s);
}

/* The sink ended its job, with or without a failure. */
static void
delivered(struct station *s, const struct batch_done *d)
{
	uint32_t done = d->done <= s->work.count ? d->done : s->work.count;
	struct buf why;

	if (done < s->progress)
		done = s->progress;

	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	if (s->work.kind == WORK_SAMPLE) {
		sampled(s, d->failed == 0 && done == 1 ? NULL : why.data != NULL ? why.data : "");
		buf_free(&why);
		return;
	}
	if (is_whole(s))
		done = d->failed == 0 ? s->work.count : 0;
	if (s->work.kind != WORK_REPLAY && (d->failed == 0 || is_fault(d)))
		(void)station_blame(s, d->failed == 0, why.data);
	if (d->failed == 0 && done == s->work.count)
		station_ack(s, done, ACK_ALL, 0, NULL);
	else if (d->failed == 0 && done > 0 && !is_whole(s))
		station_ack(s, done, ACK_PART, 0, NULL);
	else if (d->failed == FAILED_RETRY && done == 0 && s->broken_off)
		station_again(s);	/* this was no attempt */
	else if (d->failed == CR_GONE)
		station_ack(s, done, ACK_GONE, 0, why.data);
	else if (d->failed == CR_REJECTED && s->work.kind != WORK_LIST && (done < s->work.count || is_one(s)))
		station_ack(s, done, ACK_DEAD, 0, why.data);
	else
		station_ack(s, done, ACK_RETRY, d->failed == FAILED_RETRY ? d->retry : -1,
		    why.data);
	buf_free(&why);
}

/* The filters answered, or could not begin. A record that a filter failed on has its verdict. */
static void
filtered(struct station *s, const struct batch_done *d)
{
	struct buf why;

	if (d->failed == 0)
		(void)station_blame(s, 1, NULL);
	if (d->failed == 0 || d->done == s->work.count) {
		station_judged(s, UINT32_MAX, NULL);
		return;
	}
	buf_init(&why, 4 * REASON_MAX);
	if (d->error != NULL)
		worker_text(&why, d->error);
	if (is_fault(d))
		(void)station_blame(s, 0, why.data);
	station_pause(s, d->failed == FAILED_RETRY ? d->retry : -1,
	    why.len > 0 ? why.data : "failed without saying why");
	buf_free(&why);
}

/* Whether the batch is given one record after the other: two workers may not die of it. */
static int
is_careful(const struct station *s)
{
	return s->tries > 1 && !is_whole(s);
}

/* The sink's receiver has confirmed so many records of the batch, which goes on: so store counts them
 * now, and does not hand them out again. */
static void
so_far(struct station *s, uint32_t done)
{
	const struct ack a = { .route = s->id, .sink = s->sink, .lane = s->lane, .done = done,
		.then = ACK_SO_FAR, .first = s->work.first, .last = s->work.last };
	struct core *c = s->core;
	struct buf b;

	if (date_ticks() - s->heard < PROGRESS_MIN || is_restarted(s) || !c->known)
		return;			/* the batch's end tells of them */
	s->progress = done;
	s->heard = date_ticks();
	buf_init(&b, msg_limit(MSG_ACK));
	wire_put(&b, ack, &a);
	roles_send(c, ROLE_STORE, MSG_ACK, 0, &b, -1);
	buf_free(&b);
}

/* The worker is done with so many records of the batch: in a careful run, with one more each time. */
static void
on_progress(struct station *s, struct worker *w, const struct frame *f)
{
	const int sink = s->place != PULL_FILTER &&
		(s->work.kind == WORK_RECORDS || s->work.kind == WORK_REPLAY);
	struct wire wire;
	uint32_t done;

	wire_init(&wire, f->data, f->len);
	done = wire_u32(&wire);
	if (wire_end(&wire) == -1 || done <= s->progress || done > s->work.count ||
	    (is_careful(s) ? done != s->progress + 1 : !sink))
		worker_kill(w, "it sent a bad frame");
	else if (is_careful(s))
		s->progress = done;
	else if (done < s->work.count)
		so_far(s, done);
}

/* A sink's deliver() waits, for the command that it runs or until it may send again. */
static void
on_wait(struct station *s, struct worker *w, const struct frame *f)
{
	struct wire wire;
	int64_t ms;

	wire_init(&wire, f->data, f->len);
	ms = wire_i64(&wire);
	if (wire_end(&wire) == -1 || s->place == PULL_FILTER || ms < 0 || ms > WAIT_MAX)
		worker_kill(w, "it sent a bad frame");
	else {
		worker_waits(w, ms);
		if (s->waits)
			return;
		s->waits = 1;
		s->core->deliver->waiting++;
		event_active(s->core->deliver->wake, EV_TIMEOUT, 0);	/* another may begin */
	}
}

static void
on_frame(struct worker *w, struct frame *f, void *arg)
{
	struct station *s = arg;
	uint16_t answer = s->place == PULL_FILTER ? MSG_W_FILTERED : MSG_W_DELIVERED;
	struct batch_done d;
	struct wire wire;

	if (f->type == MSG_W_PROGRESS) {
		on_progress(s, w, f);
		return;
	}
	if (f->type == MSG_W_WAIT) {
		on_wait(s, w, f);
		return;
	}
	wire_init(&wire, f->data, f->len);
	wire_get(&wire, batch_done, &d);
	if (f->type != answer || wire_end(&wire) == -1) {
		worker_kill(w, "it sent a bad frame");
		return;
	}
	if (memfd_seal(s->out) == -1) {
		worker_kill(w, "it keeps its results open for writing");
		return;
	}
	worker_free_job(w);
	if (s->place == PULL_FILTER)
		filtered(s, &d);
	else
		delivered(s, &d);
}

/* Record after record kills the workers: the station pauses before it makes dead letters of all. */
static void
brake(struct station *s, const char *why)
{
	char *text = xasprintf("record after record kills its workers: %s", why);

	log_warn("route %s, %s: paused for %d min, since %s; `courant resume %s` goes on now",
	    s->route->name, station_name(s), (int)(BRAKE_PAUSE / 60000), text, s->route->name);
	if (s->place == PULL_FILTER)
		station_pause(s, BRAKE_PAUSE, text);
	else
		station_ack(s, s->progress, ACK_RETRY, BRAKE_PAUSE, text);
	free(text);
}

/* Makes the guilty record a dead letter, and waits before the next. */
static void
park(struct station *s, const char *text, int64_t ms)
{
	log_warn("route %s, %s: parked the record after %u of batch %s: %s", s->route->name,
	    station_name(s), s->progress, s->work.id, text);
	if (ms > 0)
		log_info("route %s, %s: goes on in %lld ms", s->route->name, station_name(s),
		    (long long)ms);
	if (s->place == PULL_FILTER && memfd_seal(s->out) == -1) {
		station_pause(s, -1, text);
		return;
	}
	s->not_before = date_ticks() + ms;
	if (s->place == PULL_FILTER) {
		xreplace(&s->reason, text);
		station_judged(s, s->progress, text);
	} else
		station_ack(s, s->progress, ACK_PARK, 0, text);
}

/* Two workers died of the batch: the record after the last progress is guilty. */
static void
condemn(struct station *s, const char *why)
{
	char *text = xasprintf("%d workers died of it: %s", WORKER_TRIES, why);
	int64_t ms;

	if (!is_whole(s) && s->progress >= s->work.count) {
		log_warn("route %s, %s: %s, once all was done", s->route->name, station_name(s),
		    text);		/* the last progress counts */
		if (s->sink != PULL_FILTER)
			station_ack(s, s->work.count, ACK_ALL, 0, NULL);
		else if (memfd_seal(s->out) == 0)
			station_judged(s, UINT32_MAX, NULL);
		else
			station_pause(s, -1, text);
	} else if (is_whole(s)) {
		log_warn("route %s, %s: its %s: %s", s->route->name, station_name(s),
		    s->work.kind == WORK_LIST ? "list" : s->work.kind == WORK_LETTER ? "letter" : "edition", text);
		station_ack(s, 0, ACK_RETRY, -1, text);
	} else {
		brake_done(&s->brake, s->progress);
		if ((ms = brake_died(&s->brake)) == -1)
			brake(s, why);
		else
			park(s, text, ms);
	}
	free(text);
}

static void
on_death(struct worker *w, const char *why, void *arg)
{
	struct station *s = arg;

	(void)w;
	if (s->work.kind == WORK_SAMPLE)
		sampled(s, why);
	else if (!is_careful(s) && s->progress > 0)
		station_ack(s, s->progress, ACK_PART, 0, NULL);	/* store has counted them */
	else if (s->tries < WORKER_TRIES) {
		log_info("route %s, %s: tried once more in a fresh worker", s->route->name,
		    station_name(s));
		station_give(s);
	} else if (station_blame(s, 0, why)) {
		s->not_before = date_ticks() + RETRY_MIN;	/* it is replaced by then */
		station_again(s);
	} else
		condemn(s, why);
}

static const struct worker_use station_use = { on_frame, on_death };

/* What a job says to a sink that writes mail. */
struct mail_words {
	char			*sender, *list_id, *leave;
	struct letter_words	 letter;
};

static void
mail_words_put(struct mail_words *to, const struct station *s, struct batch_job *bj)
{
	const struct setup *conf = s->core->setup;

	bj->readers = s->work.readers;
	bj->sender = to->sender = xasprintf("%s <%s>", conf->mail.from_name, conf->mail.from);
	bj->list_id = to->list_id = xasprintf("%s.%s", s->route->name, conf->mail.hello);
	if (conf->base[0] != '\0')
		bj->leave = to->leave = xasprintf("%s/leave/", conf->base);
	bj->leave_mail = conf->mail.leave;
	if (s->work.kind != WORK_LETTER)
		return;
	letter_words(&to->letter, s->route, conf->base, &s->work);
	bj->kind = CR_BATCH_LETTER;
	bj->title = to->letter.title;
	bj->text = to->letter.text;
	bj->self = to->letter.link;
	bj->made = s->work.made;
}

static void
mail_words_free(struct mail_words *w)
{
	free(w->sender);
	free(w->list_id);
	free(w->leave);
	letter_words_free(&w->letter);
}

void
station_give(struct station *s)
{
	struct core *c = s->core;
	struct mail_words mail = { .sender = NULL };
	struct batch_job bj = { .route = s->route->name, .id = s->work.id, .title = "", .self = "",
		.count = s->work.count, .now = date_now(), .attempt = s->work.attempt };
	off_t len = lseek(s->batch, 0, SEEK_END);
	char *archive = NULL;
	struct buf b;

	if (s->worker == NULL && (station_waiting(s) != NULL || station_start(s) == -1)) {
		station_tested(s, 1, "its worker cannot start now; ask again");
		s->not_before = date_ticks() + RETRY_MIN;
		station_again(s);
		return;
	}
	if (s->tries++ == 0)
		s->begun = date_ticks();
	s->progress = 0;
	s->written = 0;
	bj.careful = (uint32_t)is_careful(s);
	station_state(s, STATION_WORK);
	log_debug("route %s, %s: delivers %u of batch %s", s->route->name, station_name(s),
	    s->work.count, s->work.id);
	bj.len = len > 0 ? (uint64_t)len : 0;
	if (s->out != -1)
		close(s->out);
	s->out = memfd_new(NULL, 0);
	if (s->out == -1)
		fatal("no memory file for results: %s", strerror(errno));
	if (s->place != PULL_FILTER) {
		bj.kind = is_whole(s) || s->work.kind == WORK_SAMPLE ?
		    setup_gives(s->route, &s->route->sinks[s->place]) : CR_BATCH_RECORDS;
		if (is_whole(s)) {
			bj.title = list_title(s->route);
			bj.self = c->setup->base;
		}
		if (s->work.kind == WORK_EDITION && setup_archives(s->route) && c->setup->base[0] != '\0')
			bj.archive = archive = xasprintf("%s/" ARCHIVE_FOLDER "/%s", c->setup->base, s->route->name);
	}
	if (station_mails(s))
		mail_words_put(&mail, s, &bj);
	buf_init(&b, msg_limit(MSG_W_DELIVER));
	wire_put(&b, batch_job, &bj);
	mail_words_free(&mail);
	worker_job(s->worker, &station_use, s, s->route->name,
	    s->place == PULL_FILTER ? MSG_W_FILTER : MSG_W_DELIVER, &b, s->batch, s->out);
	if (is_careful(s))
		worker_expect(s->worker, s->work.count);
	buf_free(&b);
	free(archive);
}

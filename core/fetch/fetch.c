/* The roles fetch and send: each host has a queue of jobs, the hosts get requests in round robin,
 * and core gets the answers. Jobs of fetch follow redirects, one request at a time; jobs of send
 * are direct: one request, and no redirect is followed. */
#include "answer.h"
#include "job.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/chan.h"
#include "ipc/lookup.h"
#include "ipc/peer.h"
#include "ipc/roles.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CHANNEL		3		/* file descriptor of the channel to core */
#define STOP_WAIT	2000		/* ms for requests under way after MSG_STOP */
#define REPLACED_MS	1000		/* between two checks whether a file was replaced */

/* ---- Frames from core ---- */

/* Applies the MSG_FETCH_START in f->start: new limits, a new set of connections. Requests under way
 * finish on the old set, which may take an hour; nothing waits for them. */
static void
reconfigure(struct fetch *f)
{
	struct fetch_start start;
	struct fetch_host *hosts;
	struct wire w;
	uint32_t n, i;

	wire_init(&w, f->start.data, f->start.len);
	wire_get(&w, fetch_start, &start);
	n = wire_u32(&w);
	if (w.bad || n > POLICY_HOSTS)
		fatal("core sent a malformed FETCH_START");
	hosts = xcalloc(n, sizeof(*hosts));
	for (i = 0; i < n; i++)
		wire_get(&w, fetch_host, &hosts[i]);
	for (i = 0; i < n; i++)
		if (w.bad || hosts[i].host == NULL)
			fatal("core sent a malformed FETCH_START");
	f->total = start.total > 0 ? start.total : POLICY_TOTAL;
	limits_free(f->limits);
	f->limits = limits_new(&start, hosts, n);
	free(hosts);
	f->transfers = transfers_new(f->base, &start, f->transfers);
	hosts_renew(f);
}

/* The CA bundle of the MSG_FETCH_START in f->start, or NULL. Points into f->start. */
static const char *
own_ca(const struct fetch *f)
{
	struct fetch_start start;
	struct wire w;

	wire_init(&w, f->start.data, f->start.len);
	wire_get(&w, fetch_start, &start);
	return w.bad ? NULL : start.ca;
}

/* Ends the role, to be started again by core, if a file that it is confined to was replaced. 1: it
 * ends. Core sends the jobs once more. */
static int
begin_anew(struct fetch *f)
{
	const char *path = lookup_replaced(own_ca(f));

	f->looked = date_ticks();
	if (path == NULL)
		return 0;
	log_info("%s is another file than before: this role starts again, to be confined to it",
	    path);
	event_base_loopbreak(f->base);
	return 1;
}

static void
confine_to_lookups(const struct fetch *f)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	const int knows = curl->age >= CURLVERSION_SEVENTH;

	lookup_confine(f->role, own_ca(f), knows ? curl->cainfo : NULL, knows ? curl->capath : NULL);
}

static void
take_start(struct fetch *f, const struct frame *fr)
{
	int first = f->limits == NULL;

	if (!first && fr->len == f->start.len && memcmp(fr->data, f->start.data, fr->len) == 0)
		return;
	buf_clear(&f->start);
	buf_add(&f->start, fr->data, fr->len);
	if (!first && begin_anew(f))
		return;
	reconfigure(f);
	if (first)
		confine_to_lookups(f);
	fetch_pump(f);
	if (first)
		peer_send(f->peer, MSG_READY, 0, NULL, -1, -1);
}

static void
take_job(struct fetch *f, const struct frame *fr)
{
	struct job *first = NULL, *last = NULL, *j;
	struct fetch_job want;
	struct wire w;
	const unsigned char *from;
	uint32_t id = fr->id;

	if (date_ticks() - f->looked >= REPLACED_MS && begin_anew(f))
		return;
	wire_init(&w, fr->data, fr->len);
	do {
		from = w.at;
		wire_get(&w, fetch_job, &want);
		if (w.bad || f->limits == NULL || (first != NULL && !want.direct))
			fatal("core sent a malformed FETCH");
		j = job_new(f, id++, from, (size_t)(w.at - from), fr->fd[0]);
		if (last == NULL)
			first = j;
		else
			last->then = j;
		last = j;
	} while (w.at < w.end);
	job_begin(f, first);
	fetch_pump(f);
}

static void
take_forget(struct fetch *f, const struct frame *fr)
{
	struct host *h;
	struct wire w;
	uint32_t n;

	wire_init(&w, fr->data, fr->len);
	n = wire_u32(&w);
	if (wire_end(&w) == -1)
		fatal("core sent a malformed FORGET");
	jobs_forget(f, &f->flying, 1, fr->id, n);
	for (size_t i = 0; i < HOST_BUCKETS; i++)
		for (h = f->hosts[i]; h != NULL; h = h->next)
			jobs_forget(f, &h->jobs, 0, fr->id, n);
}

static void
take_stop(struct fetch *f)
{
	static const struct timeval wait = { STOP_WAIT / 1000, STOP_WAIT % 1000 * 1000 };

	f->stopping = 1;
	event_base_loopexit(f->base, &wait);
	fetch_pump(f);
}

static void
on_frame(struct peer *peer, struct frame *fr, int bad, void *arg)
{
	struct fetch *f = arg;

	(void)peer;
	if (fr == NULL) {
		f->status = bad;
		event_base_loopbreak(f->base);
		return;
	}
	switch (fr->type) {
	case MSG_FETCH_START:
		take_start(f, fr);
		break;
	case MSG_FETCH:
		take_job(f, fr);
		break;
	case MSG_FORGET:
		take_forget(f, fr);
		break;
	case MSG_STOP:
		take_stop(f);
		break;
	default:
		fatal("core sent a %s", msg_name(fr->type));
	}
}

/* ---- The process ---- */

static void
fetch_free(struct fetch *f)
{
	struct host *h;

	transfers_free(f->transfers);
	jobs_free(f, &f->flying);
	for (size_t i = 0; i < HOST_BUCKETS; i++)
		while ((h = f->hosts[i]) != NULL) {
			jobs_free(f, &h->jobs);
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it unlinks it first */
			host_free(h);
		}
	limits_free(f->limits);
	buf_free(&f->start);
	peer_free(f->peer);
	event_free(f->again);
	event_free(f->tell);
	event_base_free(f->base);
	free(f);
}

/* As many sockets as may be, and no core file. */
static void
limits_set(void)
{
	struct rlimit limit = { 0, 0 };

	setrlimit(RLIMIT_CORE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int
role_main(enum role_id id, const char *name, int debug)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	int status;

	log_open(name, debug);
	signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("curl does not start");
	limits_set();
	f->role = id;
	buf_init(&f->start, msg_limit(MSG_FETCH_START));
	f->base = event_base_new();
	if (f->base == NULL)
		fatal("no event loop");
	f->take = answer_take;
	jobs_init(f);
	f->peer = peer_new(f->base, CHANNEL, on_frame, f);
	event_base_dispatch(f->base);
	if (f->stopping)
		peer_flush(f->peer);
	status = f->status;
	fetch_free(f);
	curl_global_cleanup();
	return status;
}

int
fetch_main(int debug)
{
	return role_main(ROLE_FETCH, "fetch", debug);
}

int
send_main(int debug)
{
	return role_main(ROLE_SEND, "send", debug);
}

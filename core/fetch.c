/* The roles fetch and send: jobs wait at their hosts, each host has its turn, and core is told what
 * came. For fetch redirects are followed, one request at a time; what send is asked for is direct. */
#include "chan.h"
#include "date.h"
#include "headers.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "peer.h"
#include "policy.h"
#include "result.h"
#include "roles.h"
#include "transfer.h"
#include "url.h"
#include "veil.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANNEL		3		/* descriptor of core's channel */
#define HOPS_MAX	10		/* redirects of one job */
#define JOBS_MAX	100000		/* waiting and under way */
#define HOST_BUCKETS	4096
#define ANSWERS_MAX	(1u << 20)	/* bytes of answers that core has not read; no more begins */
#define ANSWERS_WAIT	20		/* ms before another look at them */
#define TIMEOUT		60000		/* ms for all hops, unless told */
#define STOP_WAIT	2000		/* ms that requests under way are given at the end */
#define HOST_MAX	256		/* bytes of a host's name */
#define METHOD_MAX	16		/* letters of a method */

/* A frame of core's, kept while it waits; what its hops have led to so far. */
struct job {
	TAILQ_ENTRY(job)	 entry;		/* at its host, or among those under way */
	struct host		*host;
	uint32_t		 id, requests;
	int			 lasting;	/* every redirect so far was for good */
	int			 changed;	/* a 303 made it a GET */
	int			 conditional;	/* this hop was */
	int64_t			 left;		/* ms of its time */
	int64_t			 began;		/* date_ticks() of this hop */
	char			*url[HOPS_MAX + 1];	/* where redirects led */
	unsigned		 hops;
	char			*moved;
	const void		*body;		/* mapped; NULL: it came with the frame */
	size_t			 body_size;
	struct fetch_job	 want;		/* points into frame */
	struct veil		*veil;		/* over the secrets of want; NULL: there are none */
	size_t			 len;
	char			 frame[];
};
TAILQ_HEAD(jobs, job);
struct host {
	struct host		*next;		/* in its bucket */
	TAILQ_ENTRY(host)	 turn;
	struct jobs		 jobs;
	struct fetch		*all;
	struct limit		 limit;
	struct event		*timer;		/* until it may be asked again */
	int64_t			 not_before;	/* date_ticks() */
	unsigned		 active;
	int			 ready;		/* it is among those whose turn will come */
	char			 name[];
};
struct fetch {
	struct event_base	*base;
	struct peer		*peer;
	struct transfers	*transfers;
	struct limits		*limits;
	struct event		*again;		/* looks whether core has read its answers */
	TAILQ_HEAD(, host)	 ready;		/* hosts that may be asked, in turn */
	struct jobs		 flying;	/* under way */
	struct host		*hosts[HOST_BUCKETS];
	uint32_t		 total, active, jobs;
	struct buf		 start;		/* what this was configured by */
	int			 renew;		/* another policy: begins when nothing is under way */
	int			 stopping;
	int			 status;
};

static void	pump(struct fetch *);

/* ---- Hosts ---- */

static void
host_name(const char *url, char *name)
{
	struct url u;
	size_t i, len = 0;

	if (url_split(&u, url) == 0)
		len = u.host_len < HOST_MAX ? u.host_len : HOST_MAX - 1;
	for (i = 0; i < len; i++)
		name[i] = u.host[i] >= 'A' && u.host[i] <= 'Z' ? (char)(u.host[i] | 0x20) : u.host[i];
	while (i > 0 && name[i - 1] == '.')
		i--;
	name[i] = '\0';
}

static struct host **
host_bucket(struct fetch *f, const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return &f->hosts[(h ^ h >> 16) % HOST_BUCKETS];
}

static void
host_free(struct host *h)
{
	struct host **at = host_bucket(h->all, h->name);

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	if (h->ready)
		TAILQ_REMOVE(&h->all->ready, h, turn);
	event_free(h->timer);
	free(h);
}

/* Puts the host where it belongs: among the ready, on its timer, or away. */
static void
host_settle(struct host *h)
{
	int64_t wait = h->not_before - date_ticks();
	struct timeval t = { wait / 1000, wait % 1000 * 1000 };
	int wants = !TAILQ_EMPTY(&h->jobs) && h->active < h->limit.at_once;

	if (h->ready)
		return;
	if (wait > 0 && (wants || h->active == 0)) {
		event_add(h->timer, &t);
	} else if (wants) {
		h->ready = 1;
		TAILQ_INSERT_TAIL(&h->all->ready, h, turn);
	} else if (h->active == 0 && TAILQ_EMPTY(&h->jobs)) {
		host_free(h);
	}
}

static void
on_host(evutil_socket_t fd, short what, void *arg)
{
	struct host *h = arg;
	struct fetch *f = h->all;

	(void)fd;
	(void)what;
	host_settle(h);
	pump(f);
}

static struct host *
host_get(struct fetch *f, const char *url)
{
	char name[HOST_MAX];
	struct host **bucket, *h;

	host_name(url, name);
	bucket = host_bucket(f, name);
	for (h = *bucket; h != NULL; h = h->next)
		if (strcmp(h->name, name) == 0)
			return h;
	h = xcalloc(1, sizeof(*h) + strlen(name) + 1);
	memcpy(h->name, name, strlen(name) + 1);
	h->all = f;
	h->limit = limits_find(f->limits, name);
	h->timer = evtimer_new(f->base, on_host, h);
	if (h->timer == NULL)
		fatal("no event for a host");
	TAILQ_INIT(&h->jobs);
	h->next = *bucket;
	*bucket = h;
	return h;
}

/* ---- Jobs ---- */

static const char *
job_url(const struct job *j)
{
	return j->hops > 0 ? j->url[j->hops - 1] : j->want.url;
}

static void
job_free(struct fetch *f, struct job *j)
{
	for (unsigned i = 0; i < j->hops; i++)
		free(j->url[i]);
	free(j->moved);
	veil_free(j->veil);
	if (j->body != NULL)
		result_unmap(j->body, j->body_size);
	free(j);
	f->jobs--;
}

/* Queues a job at its host: behind the others, or in front when it is under way. */
static void
job_queue(struct fetch *f, struct job *j)
{
	struct host *h = host_get(f, job_url(j));

	j->host = h;
	if (j->requests > 0)
		TAILQ_INSERT_HEAD(&h->jobs, j, entry);
	else
		TAILQ_INSERT_TAIL(&h->jobs, j, entry);
	host_settle(h);
}

/* Tells core, and forgets the job. */
static void
job_done(struct fetch *f, struct job *j, struct fetch_done *d, int fd)
{
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCHED));
	if (d->url == NULL)
		d->url = job_url(j);
	d->requests = j->requests;
	wire_put(&b, fetch_done, d);
	/* Its URL and what is said of it may hold a secret: core, which knows it, tells them. */
	log_debug("%s: %s: status %u, %u requests, %llu bytes",
	    j->want.source != NULL ? j->want.source : "?",
	    j->host != NULL ? j->host->name : "no host", d->status, d->requests,
	    (unsigned long long)d->len);
	if (b.over || peer_send(f->peer, MSG_FETCHED, j->id, &b, fd, -1) == -1)
		fatal("an answer cannot be sent to core");
	buf_free(&b);
	job_free(f, j);
}

static void
job_fail(struct fetch *f, struct job *j, enum fetch_why why, const char *error)
{
	struct fetch_done d = { .why = (uint32_t)why, .error = error, .type = "", .charset = "",
		.headers = "", .retry_after = -1, .max_age = -1 };

	job_done(f, j, &d, -1);
}

/* ---- Answers ---- */

static const char *
reason(uint32_t status)
{
	static const struct { uint32_t status; const char *text; } table[] = {
		{ 204, "no content" }, { 205, "no content" },
		{ 206, "a part, though all was asked for" }, { 300, "several choices" },
		{ 304, "not modified, though that was not asked" }, { 400, "bad request" },
		{ 401, "who is asking?" }, { 402, "payment required" }, { 403, "forbidden" },
		{ 404, "not found" }, { 405, "method not allowed" }, { 406, "not acceptable" },
		{ 408, "request timeout" }, { 410, "gone for good" }, { 421, "misdirected request" },
		{ 426, "upgrade required" }, { 429, "too many requests" },
		{ 451, "withheld for legal reasons" }, { 500, "internal server error" },
		{ 501, "not implemented" }, { 502, "bad gateway" }, { 503, "service unavailable" },
		{ 504, "gateway timeout" }, { 520, "the server behind the CDN fails" },
		{ 521, "the server behind the CDN is down" },
		{ 522, "the server behind the CDN does not answer" },
		{ 530, "the CDN does not find the server" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].status == status)
			return table[i].text;
	return status < 300 ? "no document" : status < 400 ? "no redirect that we know" :
	    status < 500 ? "refused" : "the server fails";
}

/* Whether the answer is a document, or says that ours is still the newest. */
static int
is_good(const struct job *j, const struct answer *a)
{
	if (a->status == 304)
		return j->conditional;
	return a->status >= 200 && a->status < 300 && a->status != 204 && a->status != 205 &&
	    a->status != 206;
}

/* The document of an answer, sealed, told without the secrets that its request brought. */
static void
document_take(const struct job *j, struct answer *a, struct fetch_done *d)
{
	if (a->fd == -1) {
		a->fd = result_fd("", 1);
		a->len = 0;
	}
	if (a->fd == -1 || result_seal(a->fd) == -1)
		fatal("no memory for a document");
	if (veil_file(j->veil, &a->fd, &a->len, j->want.max) == -1) {
		d->why = FETCH_TOO_LARGE;
		d->error = "the document repeats a secret of its source too often";
	}
	d->len = d->why == FETCH_OK ? a->len : 0;
}

/* The last answer of a job: core gets all that it says. */
static void
finish(struct fetch *f, struct job *j, struct answer *a)
{
	int64_t now = date_now();
	int good = a->why == FETCH_OK && is_good(j, a);
	struct buf type, charset, etag, modified, error;
	struct fetch_done d = { .why = (uint32_t)a->why, .status = a->status, .error = a->error,
		.headers = a->headers, .moved = good ? j->moved : NULL };

	buf_init(&type, HEADERS_MAX);
	buf_init(&charset, HEADERS_MAX);
	buf_init(&etag, HEADERS_MAX);
	buf_init(&modified, HEADERS_MAX);
	buf_init(&error, URL_MAX);
	headers_type(a->headers, &type, &charset);
	d.type = type.data;
	d.charset = charset.data;
	d.etag = headers_str(a->headers, "etag", &etag);
	d.modified = headers_str(a->headers, "last-modified", &modified);
	d.retry_after = headers_retry_after(a->headers, now);
	d.max_age = headers_max_age(a->headers, now);
	if (a->why == FETCH_OK && !good) {
		d.why = FETCH_STATUS;
		buf_fmt(&error, "%s: status %u, %s", j->host->name, a->status, reason(a->status));
		d.error = error.data;
	}
	if (good && a->status != 304)
		document_take(j, a, &d);
	job_done(f, j, &d, d.why == FETCH_OK ? a->fd : -1);
	buf_free(&type);
	buf_free(&charset);
	buf_free(&etag);
	buf_free(&modified);
	buf_free(&error);
}

/* The only answer of a direct job, whatever its status. */
static void
finish_direct(struct fetch *f, struct job *j, const struct answer *a)
{
	struct fetch_done d = { .why = (uint32_t)a->why, .status = a->status, .error = a->error,
		.headers = a->headers, .type = "", .charset = "", .body = a->body, .len = a->len,
		.retry_after = headers_retry_after(a->headers, date_now()), .max_age = -1 };
	struct buf cut;

	buf_init(&cut, URL_MAX);
	if (a->why != FETCH_OK)
		d.status = 0;
	else if (a->cut)
		buf_fmt(&cut, "%s: the answer is longer than %llu bytes and was cut", j->host->name,
		    (unsigned long long)a->len);
	if (a->cut && a->why == FETCH_OK)
		d.error = cut.data;
	if (a->fd != -1 && result_seal(a->fd) == -1)
		fatal("no memory for an answer");
	job_done(f, j, &d, a->fd);
	buf_free(&cut);
}

static int
same_origin(const char *a, const char *b)
{
	struct buf x, y;
	int same;

	buf_init(&x, URL_MAX);
	buf_init(&y, URL_MAX);
	same = url_origin(&x, a) == 0 && url_origin(&y, b) == 0 && x.len == y.len &&
	    memcmp(x.data, y.data, x.len) == 0;
	buf_free(&x);
	buf_free(&y);
	return same;
}

static int
is_post(const struct job *j)
{
	return !j->changed && j->want.method != NULL && strcmp(j->want.method, "POST") == 0;
}

static int
was_there(const struct job *j, const char *url)
{
	if (strcmp(j->want.url, url) == 0)
		return 1;
	for (unsigned i = 0; i < j->hops; i++)
		if (strcmp(j->url[i], url) == 0)
			return 1;
	return 0;
}

/* Whether a URL takes a secret to another origin than the one that it is for. */
static int
takes_secret(const struct job *j, const char *url)
{
	const char *instead;
	size_t at;

	return veil_find(j->veil, url, strlen(url), &at, &instead) > 0 &&
	    !same_origin(j->want.url, url);
}

/* Where a redirect leads, into to; else why not, into err. */
static int
redirect_to(const struct job *j, const struct answer *a, struct buf *to, struct buf *err)
{
	struct buf location;
	int rc = -1;

	buf_init(&location, URL_MAX);
	if (headers_str(a->headers, "location", &location) == NULL) {
		buf_fmt(err, "%s: a redirect (%u) that does not say where to", j->host->name,
		    a->status);
	} else if (url_resolve(to, job_url(j), location.data) == -1) {
		buf_fmt(err, "redirected to %.200s, which is no URL", location.data);
	} else if (to->data[strcspn(to->data, "#")] = '\0', policy_url(to->data, err) == -1) {
		to->len = 0;
	} else if (takes_secret(j, to->data)) {
		buf_fmt(err, "redirected to another origin, with a secret in the URL: %.200s; say so "
		    "in url if it is to go there", to->data);
	} else if (was_there(j, to->data) && a->status != 303) {
		buf_fmt(err, "redirected in a circle, to %.200s again", to->data);
	} else if (j->hops >= HOPS_MAX) {
		buf_fmt(err, "more than %d redirects, the last to %.200s", HOPS_MAX, to->data);
	} else if (is_post(j) && a->status != 303 &&
	    (a->status < 307 || !same_origin(j->want.url, to->data))) {
		buf_fmt(err, "a POST is not redirected to %.200s", to->data);
	} else {
		rc = 0;
	}
	buf_free(&location);
	return rc;
}

static int
is_redirect(uint32_t status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Sends the job to where the answer points; -1: nowhere, and core has been told. */
static int
follow(struct fetch *f, struct job *j, const struct answer *a)
{
	struct buf to, err;
	int rc;

	buf_init(&to, URL_MAX);
	buf_init(&err, URL_MAX);
	rc = redirect_to(j, a, &to, &err);
	if (rc == 0) {
		j->url[j->hops++] = xstrdup(to.data);
		j->lasting = j->lasting && (a->status == 301 || a->status == 308);
		if (j->lasting)
			xreplace(&j->moved, to.data);
		if (a->status == 303)
			j->changed = 1;
		job_queue(f, j);
	} else {
		job_fail(f, j, FETCH_REDIRECTS, err.data);
	}
	buf_free(&to);
	buf_free(&err);
	return rc;
}

static void
on_answer(struct answer *a, void *arg)
{
	struct job *j = arg;
	struct host *h = j->host;
	struct fetch *f = h->all;

	TAILQ_REMOVE(&f->flying, j, entry);
	f->active--;
	h->active--;
	j->left -= date_ticks() - j->began;
	if (j->want.direct)
		finish_direct(f, j, a);
	else if (a->why == FETCH_OK && is_redirect(a->status))
		follow(f, j, a);
	else
		finish(f, j, a);
	host_settle(h);
	pump(f);
}

/* ---- Turns ---- */

/* Makes the next request of a job. */
static void
job_start(struct fetch *f, struct job *j)
{
	struct host *h = j->host;
	const struct fetch_job *want = &j->want;
	const char *url = job_url(j);
	struct request q = { .url = url, .headers = want->headers, .max = want->max,
		.timeout = j->left, .plain = !same_origin(want->url, url) };

	if (j->left <= 0) {
		job_fail(f, j, FETCH_TIMEOUT, "the redirects took all the time there was");
		return;
	}
	if (want->validated != NULL && strcmp(want->validated, url) == 0 && !is_post(j)) {
		q.etag = want->etag;
		q.modified = want->modified;
	}
	j->conditional = q.etag != NULL || q.modified != NULL;
	if (is_post(j) || want->direct) {
		q.method = want->method != NULL ? want->method : "GET";
		q.body = j->body != NULL ? (struct bytes){ j->body, (size_t)want->len } : want->body;
	}
	q.whole = want->direct != 0;
	j->requests++;
	j->began = date_ticks();
	h->not_before = j->began + h->limit.spacing;
	h->active++;
	f->active++;
	TAILQ_INSERT_TAIL(&f->flying, j, entry);
	transfer_start(f->transfers, &q, on_answer, j);
}

static void	reconfigure(struct fetch *);

/* Begins what may begin: each ready host one request, then the next round. A new configuration is
 * taken in a turn of its own: here a connection may just have called back, which it would free. */
static void
pump(struct fetch *f)
{
	static const struct timeval wait = { 0, ANSWERS_WAIT * 1000 }, now = { 0, 0 };
	struct host *h;
	struct job *j;

	if (f->renew && f->active == 0)
		event_add(f->again, &now);
	while (!f->renew && !f->stopping && f->active < f->total &&
	    (h = TAILQ_FIRST(&f->ready)) != NULL) {
		if (peer_queued(f->peer) > ANSWERS_MAX) {
			event_add(f->again, &wait);
			return;
		}
		TAILQ_REMOVE(&f->ready, h, turn);
		h->ready = 0;
		j = TAILQ_FIRST(&h->jobs);
		TAILQ_REMOVE(&h->jobs, j, entry);
		job_start(f, j);
		host_settle(h);
	}
	if (f->stopping && f->active == 0)
		event_base_loopexit(f->base, NULL);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *f = arg;

	(void)fd;
	(void)what;
	if (f->renew && f->active == 0)
		reconfigure(f);
	pump(f);
}

/* ---- What core says ---- */

/* Takes the configuration kept in f->start: new limits for all hosts, a new set of connections. */
static void
reconfigure(struct fetch *f)
{
	struct fetch_start start;
	struct fetch_host *hosts;
	struct host *h;
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
	transfers_free(f->transfers);
	f->transfers = transfers_new(f->base, &start);
	f->renew = 0;
	for (i = 0; i < HOST_BUCKETS; i++)
		for (h = f->hosts[i]; h != NULL; h = h->next)
			h->limit = limits_find(f->limits, h->name);
}

static void
take_start(struct fetch *f, const struct frame *fr)
{
	int first = f->limits == NULL;

	if (!first && fr->len == f->start.len && memcmp(fr->data, f->start.data, fr->len) == 0)
		return;
	buf_clear(&f->start);
	buf_add(&f->start, fr->data, fr->len);
	f->renew = 1;
	if (f->active == 0)
		reconfigure(f);
	pump(f);
	if (first)
		peer_send(f->peer, MSG_READY, 0, NULL, -1, -1);
}

static int
method_good(const struct job *j)
{
	const char *m = j->want.method;
	size_t n;

	if (m == NULL)
		return 1;
	if (!j->want.direct)
		return strcmp(m, "GET") == 0 || strcmp(m, "POST") == 0;
	n = strspn(m, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return n > 0 && n <= METHOD_MAX && m[n] == '\0';
}

static void
take_job(struct fetch *f, const struct frame *fr)
{
	struct job *j = xcalloc(1, sizeof(*j) + fr->len);
	struct buf err;
	struct wire w;

	j->id = fr->id;
	j->len = fr->len;
	memcpy(j->frame, fr->data, fr->len);
	wire_init(&w, j->frame, j->len);
	wire_get(&w, fetch_job, &j->want);
	if (wire_end(&w) == -1 || f->limits == NULL)
		fatal("core sent a malformed FETCH");
	j->veil = veil_new(j->want.veil);
	if (j->want.len > 0)
		j->body = result_map(fr->fd[0], (size_t)j->want.len, &j->body_size);
	f->jobs++;
	j->lasting = 1;
	j->left = j->want.timeout > 0 ? j->want.timeout : TIMEOUT;
	buf_init(&err, URL_MAX);
	if (j->want.url == NULL)
		j->want.url = "";
	if (f->jobs > JOBS_MAX)
		job_fail(f, j, FETCH_BROKEN, "too much is waiting to be fetched");
	else if (j->want.len > 0 && j->body == NULL)
		job_fail(f, j, FETCH_URL, "the body to be sent is no sealed memory of that length");
	else if (!method_good(j))
		job_fail(f, j, FETCH_URL, j->want.direct ? "a method is of 1 to 16 letters" :
		    "only GET and POST are made");
	else if (policy_url(j->want.url, &err) == -1)
		job_fail(f, j, FETCH_URL, err.data);
	else
		job_queue(f, j);
	buf_free(&err);
	pump(f);
}

static void
take_stop(struct fetch *f)
{
	static const struct timeval wait = { STOP_WAIT / 1000, STOP_WAIT % 1000 * 1000 };

	f->stopping = 1;
	event_base_loopexit(f->base, &wait);
	pump(f);
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
	case MSG_STOP:
		take_stop(f);
		break;
	default:
		fatal("core sent a %s", msg_name(fr->type));
	}
}

/* ---- The process ---- */

/* Gives up what this role never needs: more rights, a core file, writing to any file. */
static void
drop(void)
{
	const struct landlock_ruleset_attr none = { .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE |
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM };
	struct rlimit limit = { 0, 0 };
	long fd;

	setrlimit(RLIMIT_CORE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs is refused");
	fd = syscall(SYS_landlock_create_ruleset, &none, sizeof(none), 0);
	if (fd == -1 || syscall(SYS_landlock_restrict_self, (int)fd, 0) == -1)
		log_debug("this kernel has no Landlock: fetch could write files");
	if (fd != -1)
		close((int)fd);
}

static void
jobs_free(struct fetch *f, struct jobs *jobs)
{
	struct job *j;

	while ((j = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, j, entry);
		job_free(f, j);
	}
}

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
	event_base_free(f->base);
	free(f);
}

static int
role_main(const char *name, int debug)
{
	struct fetch *f = xcalloc(1, sizeof(*f));
	int status;

	log_open(name, debug);
	signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fatal("curl does not start");
	drop();
	TAILQ_INIT(&f->ready);
	TAILQ_INIT(&f->flying);
	buf_init(&f->start, msg_limit(MSG_FETCH_START));
	f->base = event_base_new();
	if (f->base == NULL || (f->again = evtimer_new(f->base, on_again, f)) == NULL)
		fatal("no event loop");
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
	return role_main("fetch", debug);
}

int
send_main(int debug)
{
	return role_main("send", debug);
}

/* Jobs and their hosts: when each job may begin, and the MSG_FETCHED that ends it. */
#include "job.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/url.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/peer.h"

#include <event2/event.h>

#include <stdlib.h>
#include <string.h>

#define FETCH_JOBS_MAX	100000		/* waiting and under way */
#define ANSWERS_MAX	(1u << 20)	/* bytes of answers unread by core, over which no request
					 * begins */
#define ANSWERS_WAIT	20		/* ms until the unread bytes are checked again */
#define TIMEOUT		60000		/* ms for all hops, by default */
#define HOST_MAX	256		/* bytes of a host's name */
#define METHOD_MAX	16		/* letters of a method */
#define TELL_WAIT	5		/* ms that tell_later() may delay an answer */

static void	turn_end(struct fetch *, struct job *);

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

void
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

void
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
	fetch_pump(f);
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

const char *
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
	redact_free(j->redact);
	if (j->body != NULL)
		memfd_unmap(j->body, j->body_size);
	free(j);
	f->jobs--;
}

void
fetch_queue(struct fetch *f, struct job *j)
{
	struct host *h = host_get(f, job_url(j));

	j->host = h;
	if (j->requests > 0)
		TAILQ_INSERT_HEAD(&h->jobs, j, entry);
	else
		TAILQ_INSERT_TAIL(&h->jobs, j, entry);
	host_settle(h);
}

/* Frees a job and the jobs that would have followed it. */
static void
turn_free(struct fetch *f, struct job *j)
{
	struct job *then;

	for (; j != NULL; j = then) {
		then = j->then;
		job_free(f, j);
	}
}

/* Queues an answer without writing it, since another job follows at once: the next answer, or a
 * timer after TELL_WAIT, writes both. */
static int
tell_later(struct fetch *f, uint32_t id, const struct buf *b, int fd)
{
	static const struct timeval wait = { 0, TELL_WAIT * 1000 };

	if (!evtimer_pending(f->tell, NULL))
		event_add(f->tell, &wait);
	return peer_queue(f->peer, MSG_FETCHED, id, b, fd, -1);
}

static void
on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *f = arg;

	(void)fd;
	(void)what;
	peer_write(f->peer);
}

void
fetch_tell(struct fetch *f, struct job *j, struct fetch_done *d, int fd)
{
	struct job *then = j->then;
	int taken = d->why == FETCH_OK && d->status >= 200 && d->status < 300, rc;
	struct buf b;

	buf_init(&b, msg_limit(MSG_FETCHED));
	if (d->url == NULL)
		d->url = job_url(j);
	d->requests = j->requests;
	wire_put(&b, fetch_done, d);
	/* The URL and the error may contain a secret, so they are not logged here: core, which has
	 * the secrets, redacts and logs them. */
	log_debug("%s: %s: status %u, %u requests, %llu bytes",
	    j->want.source != NULL ? j->want.source : "?",
	    j->host != NULL ? j->host->name : "no host", d->status, d->requests,
	    (unsigned long long)d->len);
	rc = then != NULL && taken ? tell_later(f, j->id, &b, fd) :
	    peer_send(f->peer, MSG_FETCHED, j->id, &b, fd, -1);
	if (rc == -1)
		fatal("an answer cannot be sent to core");
	buf_free(&b);
	job_free(f, j);
	if (then != NULL && taken)
		job_begin(f, then);
	else
		turn_end(f, then);
}

void
fetch_fail(struct fetch *f, struct job *j, enum fetch_why why, const char *error)
{
	struct fetch_done d = { .why = (uint32_t)why, .error = error, .type = "", .charset = "",
		.headers = "", .retry_after = -1, .max_age = -1 };

	fetch_tell(f, j, &d, -1);
}

/* Fails the jobs that were to follow one whose answer was no 2xx. */
static void
turn_end(struct fetch *f, struct job *j)
{
	struct job *then;

	for (; j != NULL; j = then) {
		then = j->then;
		j->then = NULL;
		fetch_fail(f, j, FETCH_STATUS, "not sent: the one before it was not taken");
	}
}

/* Starts the next request of a job. */
static void
job_start(struct fetch *f, struct job *j)
{
	struct host *h = j->host;
	const struct fetch_job *want = &j->want;
	const char *url = job_url(j);
	struct request q = { .url = url, .headers = want->headers, .max = want->max,
		.timeout = j->left, .plain = !job_is_home(j, url) };

	if (j->left <= 0) {
		fetch_fail(f, j, FETCH_TIMEOUT, "the redirects took all the time there was");
		return;
	}
	if (want->validated != NULL && strcmp(want->validated, url) == 0 && !job_is_post(j)) {
		q.etag = want->etag;
		q.modified = want->modified;
	}
	j->conditional = q.etag != NULL || q.modified != NULL;
	if (job_is_post(j) || want->direct) {
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
	transfer_start(f->transfers, &q, f->take, j);
}

/* Round robin: one request for each ready host, then the next round. */
void
fetch_pump(struct fetch *f)
{
	static const struct timeval wait = { 0, ANSWERS_WAIT * 1000 };
	struct host *h;
	struct job *j;

	while (!f->stopping && f->active < f->total && (h = TAILQ_FIRST(&f->ready)) != NULL) {
		if (peer_queued(f->peer) > ANSWERS_MAX) {
			event_add(f->again, &wait);
			return;
		}
		TAILQ_REMOVE(&f->ready, h, turn);
		h->ready = 0;
		if ((j = TAILQ_FIRST(&h->jobs)) != NULL) {	/* NULL after MSG_FORGET */
			TAILQ_REMOVE(&h->jobs, j, entry);
			job_start(f, j);
		}
		host_settle(h);
	}
	if (f->stopping && f->active == 0)
		event_base_loopexit(f->base, NULL);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fetch_pump(arg);
}

void
jobs_init(struct fetch *f)
{
	TAILQ_INIT(&f->ready);
	TAILQ_INIT(&f->flying);
	if ((f->again = evtimer_new(f->base, on_again, f)) == NULL ||
	    (f->tell = evtimer_new(f->base, on_tell, f)) == NULL)
		fatal("no event for requests");
}

void
hosts_renew(struct fetch *f)
{
	struct host *h, *next;

	for (size_t i = 0; i < HOST_BUCKETS; i++)
		for (h = f->hosts[i]; h != NULL; h = next) {
			next = h->next;
			h->limit = limits_find(f->limits, h->name);
			host_settle(h);
		}
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

struct job *
job_new(struct fetch *f, uint32_t id, const void *bytes, size_t len, int fd)
{
	struct job *j = xcalloc(1, sizeof(*j) + len);
	struct wire w;

	j->id = id;
	j->len = len;
	memcpy(j->frame, bytes, len);
	wire_init(&w, j->frame, j->len);
	wire_get(&w, fetch_job, &j->want);
	j->redact = redact_new(j->want.redact);
	if (j->want.len > 0)
		j->body = memfd_map(fd, (size_t)j->want.len, &j->body_size);
	f->jobs++;
	j->lasting = 1;
	j->left = j->want.timeout > 0 ? j->want.timeout : TIMEOUT;
	if (j->want.url == NULL)
		j->want.url = "";
	return j;
}

void
job_begin(struct fetch *f, struct job *j)
{
	struct buf err;

	buf_init(&err, URL_MAX);
	if (f->jobs > FETCH_JOBS_MAX)
		fetch_fail(f, j, FETCH_BROKEN, "too much is waiting to be fetched");
	else if (j->want.len > 0 && j->body == NULL)
		fetch_fail(f, j, FETCH_URL, "the body to be sent is no sealed memory of that length");
	else if (!method_good(j))
		fetch_fail(f, j, FETCH_URL, j->want.direct ? "a method is of 1 to 16 letters" :
		    "only GET and POST are made");
	else if (policy_url(j->want.url, &err) == -1)
		fetch_fail(f, j, FETCH_URL, err.data);
	else
		fetch_queue(f, j);
	buf_free(&err);
}

void
jobs_forget(struct fetch *f, struct jobs *jobs, int begun, uint32_t id, uint32_t n)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, entry);
		if (j->id - id >= n)
			continue;
		turn_free(f, j->then);
		j->then = NULL;
		if (begun)
			continue;
		TAILQ_REMOVE(jobs, j, entry);
		job_free(f, j);
	}
}

void
jobs_free(struct fetch *f, struct jobs *jobs)
{
	struct job *j;

	while ((j = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, j, entry);
		turn_free(f, j);
	}
}

int
job_is_home(const struct job *j, const char *url)
{
	struct buf x, y;
	int same;

	buf_init(&x, URL_MAX);
	buf_init(&y, URL_MAX);
	same = url_origin(&x, j->want.url) == 0 && url_origin(&y, url) == 0 && x.len == y.len &&
	    memcmp(x.data, y.data, x.len) == 0;
	buf_free(&x);
	buf_free(&y);
	return same;
}

int
job_is_post(const struct job *j)
{
	return !j->changed && j->want.method != NULL && strcmp(j->want.method, "POST") == 0;
}

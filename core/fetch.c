/* The roles fetch and send: jobs wait at their hosts, each host has its turn, and core is told what
 * came. For fetch redirects are followed, one request at a time; what send is asked for is direct. */
#include "fetch.h"
#include "chan.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "peer.h"
#include "result.h"
#include "roles.h"
#include "url.h"
#include "veil.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANNEL		3		/* descriptor of core's channel */
#define JOBS_MAX	100000		/* waiting and under way */
#define ANSWERS_MAX	(1u << 20)	/* bytes of answers that core has not read; no more begins */
#define ANSWERS_WAIT	20		/* ms before another look at them */
#define TIMEOUT		60000		/* ms for all hops, unless told */
#define STOP_WAIT	2000		/* ms that requests under way are given at the end */
#define HOST_MAX	256		/* bytes of a host's name */
#define METHOD_MAX	16		/* letters of a method */
#define TELL_WAIT	5		/* ms that the answers of a turn wait for each other, at most */

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

/* ---- Jobs ---- */

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
	veil_free(j->veil);
	if (j->body != NULL)
		result_unmap(j->body, j->body_size);
	free(j);
	f->jobs--;
}

/* Queues a job at its host: behind the others, or in front when it is under way. */
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

/* Forgets a job and those that would have followed it. */
static void
turn_free(struct fetch *f, struct job *j)
{
	struct job *then;

	for (; j != NULL; j = then) {
		then = j->then;
		job_free(f, j);
	}
}

/* More of its turn is to come, which is when core hears of it, or soon. */
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

static void	job_begin(struct fetch *, struct job *);
static void	turn_end(struct fetch *, struct job *);

/* Tells core, forgets the job, and goes on with its turn. */
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
	/* Its URL and what is said of it may hold a secret: core, which knows it, tells them. */
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

/* What is not made, since what stood before it was not taken. */
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

/* ---- Turns ---- */

/* Makes the next request of a job. */
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
	transfer_start(f->transfers, &q, answer_take, j);
}

/* Begins what may begin: each ready host one request, then the next round. */
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
		if ((j = TAILQ_FIRST(&h->jobs)) != NULL) {	/* it was not forgotten */
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

/* ---- What core says ---- */

/* New limits for all hosts. */
static void
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

/* Takes the configuration kept in f->start: new limits, a new set of connections. What is under way
 * is finished by the old one, and nothing waits for that: it may take an hour. */
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

static void
take_start(struct fetch *f, const struct frame *fr)
{
	int first = f->limits == NULL;

	if (!first && fr->len == f->start.len && memcmp(fr->data, f->start.data, fr->len) == 0)
		return;
	buf_clear(&f->start);
	buf_add(&f->start, fr->data, fr->len);
	reconfigure(f);
	fetch_pump(f);
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

/* One job of a frame: bytes are its own, fd is the frame's. */
static struct job *
job_new(struct fetch *f, uint32_t id, const void *bytes, size_t len, int fd)
{
	struct job *j = xcalloc(1, sizeof(*j) + len);
	struct wire w;

	j->id = id;
	j->len = len;
	memcpy(j->frame, bytes, len);
	wire_init(&w, j->frame, j->len);
	wire_get(&w, fetch_job, &j->want);
	j->veil = veil_new(j->want.veil);
	if (j->want.len > 0)
		j->body = result_map(fd, (size_t)j->want.len, &j->body_size);
	f->jobs++;
	j->lasting = 1;
	j->left = j->want.timeout > 0 ? j->want.timeout : TIMEOUT;
	if (j->want.url == NULL)
		j->want.url = "";
	return j;
}

/* Queues it, or says why it cannot be made. */
static void
job_begin(struct fetch *f, struct job *j)
{
	struct buf err;

	buf_init(&err, URL_MAX);
	if (f->jobs > JOBS_MAX)
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

static void
take_job(struct fetch *f, const struct frame *fr)
{
	struct job *first = NULL, **at = &first;
	struct fetch_job want;
	struct wire w;
	const unsigned char *from;
	uint32_t id = fr->id;

	wire_init(&w, fr->data, fr->len);
	do {
		from = w.at;
		wire_get(&w, fetch_job, &want);
		if (w.bad || f->limits == NULL || (first != NULL && !want.direct))
			fatal("core sent a malformed FETCH");
		*at = job_new(f, id++, from, (size_t)(w.at - from), fr->fd[0]);
		at = &(*at)->then;
	} while (w.at < w.end);
	job_begin(f, first);
	fetch_pump(f);
}

/* Nobody waits for these any more: what is not yet begun is not made. */
static void
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
		turn_free(f, j);
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
	event_free(f->tell);
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
	if (f->base == NULL || (f->again = evtimer_new(f->base, on_again, f)) == NULL ||
	    (f->tell = evtimer_new(f->base, on_tell, f)) == NULL)
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

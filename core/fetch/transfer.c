/* One HTTP request and its answer: libcurl's multi interface on the event loop. */
#include "transfer.h"
#include "policy.h"
#include "unpack.h"
#include "base/buf.h"
#include "base/headers.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "ipc/memfd.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ERROR_MAX	1024		/* bytes of an error's text */
#define BUFFER		16384		/* bytes of curl's receive buffer */
#define IDLE_MAX	32		/* idle handles, at most */
#define CONNECTIONS_IDLE 256		/* idle connections, at most */

struct transfer {
	struct transfer		*next, **prev;	/* in all->busy or all->idle */
	struct transfers	*all;
	CURL			*curl;
	struct curl_slist	*lines;
	struct request		 request;	/* url, body (owned), max and whole only */
	transfer_cb		*cb;
	void			*arg;

	struct buf		 headers, error;
	struct buf		 brief;		/* a body up to TRANSFER_SHORT */
	int			 headers_done;
	long			 status;	/* of the last headers received */
	int			 fd;
	uint64_t		 received, len;	/* bytes of body, as sent and decoded */
	struct unpack		*unpack;	/* NULL: no byte of a body received */
	enum fetch_why		 stop;		/* why stop() ended it; FETCH_OK: it did not */
	int			 enough;	/* ended early without error: the body is not used,
						 * or cut */
	int			 cut;
	const char		*refused;	/* the kind of address that the policy refused */
	char			 address[INET6_ADDRSTRLEN + 8];	/* tried last, with port */
	char			 said[CURL_ERROR_SIZE];
};
struct transfers {
	struct event_base	*base;
	CURLM			*multi;
	struct event		*timer;
	struct transfer		*busy, *idle;
	size_t			 nidle;
	char			*agent, *ca;
	int			 private_ok;
	struct transfers	*old, **ref;	/* the set this one replaced; the pointer to this
						 * one in the set that replaced it; NULL: none */
};

/* ---- curl on the event loop ---- */

/* Ends a request: takes it from curl and calls its callback. */
static void	transfer_done(struct transfer *, CURLcode);

static void
collect(struct transfers *all)
{
	CURLMsg *m;
	struct transfer *t;
	int left;

	while ((m = curl_multi_info_read(all->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
		transfer_done(t, m->data.result);
	}
}

/* Frees a replaced set when its last request is done. Not to be called from within curl. */
static void
leave(struct transfers *all)
{
	if (all->ref == NULL || all->busy != NULL)
		return;
	*all->ref = all->old;
	if (all->old != NULL)
		all->old->ref = all->ref;
	all->old = NULL;
	transfers_free(all);
}

static void
on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct transfers *all = arg;
	int running, how = 0;

	if (what & EV_READ)
		how |= CURL_CSELECT_IN;
	if (what & EV_WRITE)
		how |= CURL_CSELECT_OUT;
	curl_multi_socket_action(all->multi, fd, how, &running);
	collect(all);
	leave(all);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct transfers *all = arg;
	int running;

	(void)fd;
	(void)what;
	curl_multi_socket_action(all->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(all);
	leave(all);
}

/* CURLMOPT_SOCKETFUNCTION: curl asks for events of a socket. */
static int
watch(CURL *curl, curl_socket_t fd, int what, void *arg, void *old)
{
	struct transfers *all = arg;
	struct event *e = old;
	short events = EV_PERSIST;

	(void)curl;
	if (e != NULL)
		event_free(e);
	e = NULL;
	if (what != CURL_POLL_REMOVE) {
		if (what != CURL_POLL_OUT)
			events |= EV_READ;
		if (what != CURL_POLL_IN)
			events |= EV_WRITE;
		e = event_new(all->base, fd, events, on_socket, all);
		if (e == NULL || event_add(e, NULL) == -1)
			fatal("no event for a connection");
	}
	curl_multi_assign(all->multi, fd, e);
	return 0;
}

/* CURLMOPT_TIMERFUNCTION: curl asks to be called in ms; -1: not at all. */
static int
set_timer(CURLM *multi, long ms, void *arg)
{
	struct transfers *all = arg;
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(all->timer);
	else
		event_add(all->timer, &t);
	return 0;
}

/* ---- curl's callbacks during a request ---- */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	char ip[INET6_ADDRSTRLEN] = "?";
	const char *refused = policy_address(&a->addr, t->all->private_ok);
	const struct sockaddr_in *in4 = (const void *)&a->addr;
	const struct sockaddr_in6 *in6 = (const void *)&a->addr;

	(void)purpose;
	if (a->family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		snprintf(t->address, sizeof(t->address), "[%s]:%u", ip, ntohs(in6->sin6_port));
	} else if (a->family == AF_INET) {
		inet_ntop(AF_INET, &in4->sin_addr, ip, sizeof(ip));
		snprintf(t->address, sizeof(t->address), "%s:%u", ip, ntohs(in4->sin_port));
	}
	if (refused != NULL) {
		t->refused = refused;
		buf_clear(&t->error);
		buf_fmt(&t->error, "%s is %s; `private: yes` allows it", ip, refused);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

/* Ends the request for a reason that is not curl's. 0, which as a callback's value aborts it. */
static size_t
stop(struct transfer *t, enum fetch_why why, const char *error)
{
	t->stop = why;
	buf_clear(&t->error);
	buf_str(&t->error, error);
	return 0;
}

static size_t
on_header(char *line, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;

	(void)one;
	if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
		buf_clear(&t->headers);
		t->headers_done = 0;
		curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->status);
		return len;
	}
	if (t->headers_done)		/* a trailer, which is ignored */
		return len;
	if (len > 0 && (*line == '\r' || *line == '\n')) {
		t->headers_done = 1;
		return len;
	}
	headers_add(&t->headers, line, len);
	if (t->headers.over) {
		buf_clear(&t->headers);
		return stop(t, FETCH_TOO_LARGE, "the answer's headers are over 64 KiB");
	}
	return len;
}

static int
write_all(int fd, const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Whether the body is over its maximum or its ratio; then stop() was called. */
static int
too_large(struct transfer *t)
{
	char text[128];

	if (t->len > t->request.max) {
		snprintf(text, sizeof(text), "the document is over %llu bytes",
		    (unsigned long long)t->request.max);
		stop(t, FETCH_TOO_LARGE, text);
		return 1;
	}
	if (t->len > TRANSFER_RATIO_FROM && t->len > TRANSFER_RATIO * t->received) {
		stop(t, FETCH_TOO_LARGE, "the document unpacks to over 100 times what was sent");
		return 1;
	}
	return 0;
}

/* Appends to the body's memfd. */
static int
store(struct transfer *t, const char *p, size_t len)
{
	if (t->fd == -1)
		t->fd = memfd_new(t->brief.data, t->brief.len);
	if (t->fd != -1 && write_all(t->fd, p, len) == 0)
		return 0;
	log_warn("no memory for a document: %s", strerror(errno));
	stop(t, FETCH_TOO_LARGE, "no memory for the document");
	return -1;
}

/* Takes decoded bytes of the body. -1: no more are taken. */
static int
take_bytes(const char *p, size_t len, void *arg)
{
	struct transfer *t = arg;

	if (t->request.whole && t->len + len > t->request.max) {
		len = (size_t)(t->request.max - t->len);
		t->cut = t->enough = 1;
	}
	t->len += len;
	if (too_large(t))
		return -1;
	if (t->request.whole && t->len <= TRANSFER_SHORT)
		buf_add(&t->brief, p, len);
	else if (store(t, p, len) == -1)
		return -1;
	return t->cut ? -1 : 0;
}

/* At the first byte of a body: a decoder for its Content-Encoding. */
static void
unpack_begin(struct transfer *t)
{
	struct buf encoding;

	buf_init(&encoding, HEADERS_MAX);
	t->unpack = unpack_new(headers_str(t->headers.data, "content-encoding", &encoding),
	    !t->request.whole, take_bytes, t);
	buf_free(&encoding);
}

/* Passes on the decoder's result; a failure without a reason yet gets the decoder's. */
static int
unpacked(struct transfer *t, int rc)
{
	if (rc == -1 && t->stop == FETCH_OK && !t->cut)
		stop(t, FETCH_BROKEN, unpack_error(t->unpack));
	return rc;
}

static size_t
on_body(char *p, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;

	(void)one;
	if ((t->status < 200 || t->status > 299) && !t->request.whole) {
		t->received += len;
		t->enough = t->received > TRANSFER_DISCARD;
		return t->enough ? 0 : len;
	}
	if (t->unpack == NULL)
		unpack_begin(t);
	t->received += len;
	return unpacked(t, unpack_more(t->unpack, p, len)) == 0 ? len : 0;
}

/* ---- Error messages ---- */

/* The enum fetch_why of an error of curl. */
static enum fetch_why
why_of(CURLcode code)
{
	static const struct { CURLcode code; enum fetch_why why; } table[] = {
		{ CURLE_UNSUPPORTED_PROTOCOL, FETCH_BROKEN },	/* HTTP/0.9 */
		{ CURLE_URL_MALFORMAT, FETCH_URL },
		{ CURLE_COULDNT_RESOLVE_HOST, FETCH_DNS },
		{ CURLE_COULDNT_CONNECT, FETCH_CONNECT },
		{ CURLE_OPERATION_TIMEDOUT, FETCH_TIMEOUT },
		{ CURLE_SSL_CONNECT_ERROR, FETCH_TLS },
		{ CURLE_PEER_FAILED_VERIFICATION, FETCH_TLS },
		{ CURLE_SSL_CERTPROBLEM, FETCH_TLS },
		{ CURLE_SSL_CIPHER, FETCH_TLS },
		{ CURLE_SSL_CACERT_BADFILE, FETCH_TLS },
		{ CURLE_SSL_ISSUER_ERROR, FETCH_TLS },
		{ CURLE_SSL_INVALIDCERTSTATUS, FETCH_TLS },
		{ CURLE_SSL_ENGINE_INITFAILED, FETCH_TLS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].why;
	return FETCH_BROKEN;
}

static void
say_connect(struct transfer *t)
{
	static const struct { int error; const char *text; } table[] = {
		{ ECONNREFUSED, "connection refused by" }, { ECONNRESET, "connection reset by" },
		{ ENETUNREACH, "there is no way to" }, { EHOSTUNREACH, "there is no way to" },
		{ ETIMEDOUT, "no answer from" }, { EADDRNOTAVAIL, "cannot connect to" },
	};
	long error = 0;

	curl_easy_getinfo(t->curl, CURLINFO_OS_ERRNO, &error);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].error == error) {
			buf_fmt(&t->error, "%s %s", table[i].text, t->address);
			return;
		}
	buf_fmt(&t->error, "cannot connect to %s: %s", t->address,
	    error != 0 ? strerror((int)error) : t->said);
}

static void
say_timeout(struct transfer *t, const char *host)
{
	curl_off_t connected = 0, total = 0;
	double seconds;

	curl_easy_getinfo(t->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
	curl_easy_getinfo(t->curl, CURLINFO_TOTAL_TIME_T, &total);
	seconds = (double)total / 1e6;
	if (connected == 0)
		buf_fmt(&t->error, "%s: no connection within %.3g s", host, seconds);
	else if (t->status == 0)
		buf_fmt(&t->error, "%s: no answer within %.3g s", host, seconds);
	else
		buf_fmt(&t->error, "%s: the answer was not whole after %.3g s, with %llu bytes of it",
		    host, seconds, (unsigned long long)t->received);
}

static void
say_tls(struct transfer *t, const char *host)
{
	static const char prefix[] = "SSL certificate problem: ";
	const char *said = t->said;

	if (strncmp(said, prefix, sizeof(prefix) - 1) == 0)
		buf_fmt(&t->error, "%s: TLS: the certificate is not valid: %s", host,
		    said + sizeof(prefix) - 1);
	else
		buf_fmt(&t->error, "%s: TLS: %s", host, said);
}

/* The reason of a failure, with its message in t->error unless stop() wrote one. */
static enum fetch_why
explain(struct transfer *t, CURLcode code)
{
	enum fetch_why why = why_of(code);
	char host[256] = "";
	struct url u;

	if (t->stop != FETCH_OK)
		return t->stop;
	if (t->refused != NULL && why == FETCH_CONNECT)
		return FETCH_DENIED;
	buf_clear(&t->error);
	if (url_split(&u, t->request.url) == 0)
		snprintf(host, sizeof(host), "%.*s", (int)u.host_len, u.host);
	if (t->said[0] == '\0')
		snprintf(t->said, sizeof(t->said), "%s", curl_easy_strerror(code));
	t->said[strcspn(t->said, "\r\n")] = '\0';
	if (why == FETCH_DNS)
		buf_fmt(&t->error, "%s: no such host (DNS)", host);
	else if (why == FETCH_CONNECT)
		say_connect(t);
	else if (why == FETCH_TIMEOUT)
		say_timeout(t, host);
	else if (why == FETCH_TLS)
		say_tls(t, host);
	else
		buf_fmt(&t->error, "%s: %s: %s", host, t->status == 0 ? "no answer that can be read" :
		    "the answer broke off", t->said);
	return why;
}

/* ---- A request ---- */

static void
transfer_link(struct transfer **list, struct transfer *t)
{
	t->next = *list;
	t->prev = list;
	if (*list != NULL)
		(*list)->prev = &t->next;
	*list = t;
}

static void
transfer_unlink(struct transfer *t)
{
	*t->prev = t->next;
	if (t->next != NULL)
		t->next->prev = t->prev;
}

/* Frees the request, not the curl handle. */
static void
transfer_clear(struct transfer *t)
{
	curl_slist_free_all(t->lines);
	t->lines = NULL;
	free((void *)(uintptr_t)t->request.url);
	free((void *)(uintptr_t)t->request.body.data);
	t->request = (struct request){ 0 };
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
	unpack_free(t->unpack);
	t->unpack = NULL;
	buf_free(&t->headers);
	buf_free(&t->error);
	buf_free(&t->brief);
}

static void
transfer_free(struct transfer *t)
{
	transfer_clear(t);
	curl_easy_cleanup(t->curl);
	free(t);
}

static struct transfer *
transfer_new(struct transfers *all)
{
	struct transfer *t = all->idle;

	if (t != NULL) {
		transfer_unlink(t);
		all->nidle--;
		curl_easy_reset(t->curl);
	} else {
		t = xcalloc(1, sizeof(*t));
		t->all = all;
		t->fd = -1;
		if ((t->curl = curl_easy_init()) == NULL)
			fatal("no curl handle");
	}
	transfer_link(&all->busy, t);
	buf_init(&t->headers, HEADERS_MAX);
	buf_init(&t->error, ERROR_MAX);
	buf_init(&t->brief, TRANSFER_SHORT);
	t->headers_done = t->enough = t->cut = 0;
	t->status = 0;
	t->len = t->received = 0;
	t->stop = FETCH_OK;
	t->refused = NULL;
	t->address[0] = t->said[0] = '\0';
	return t;
}

static void
transfer_done(struct transfer *t, CURLcode code)
{
	struct transfers *all = t->all;
	struct answer a = { .fd = -1 };

	if (t->enough && t->stop == FETCH_OK)
		code = CURLE_OK;
	if (code == CURLE_OK && t->stop == FETCH_OK && t->unpack != NULL && !t->cut)
		(void)unpacked(t, unpack_end(t->unpack));
	a.why = code != CURLE_OK || t->stop != FETCH_OK ? explain(t, code) : FETCH_OK;
	a.status = (uint32_t)t->status;
	a.headers = t->headers.data != NULL ? t->headers.data : "";
	if (a.why != FETCH_OK)
		a.error = t->error.data != NULL ? t->error.data : "failed";
	else if (t->fd != -1 && write_all(t->fd, "", 1) == 0) {
		a.fd = t->fd;
		a.len = t->len;
		t->fd = -1;
	} else {
		a.body = (struct bytes){ t->brief.data, t->brief.len };
		a.len = t->brief.len;
	}
	a.cut = t->cut;
	curl_multi_remove_handle(all->multi, t->curl);
	transfer_unlink(t);
	t->cb(&a, t->arg);
	if (a.fd != -1)
		close(a.fd);
	transfer_clear(t);
	if (all->nidle >= IDLE_MAX) {
		transfer_free(t);
		return;
	}
	all->nidle++;
	transfer_link(&all->idle, t);
}

static void
line_add(struct transfer *t, const char *name, const char *value, size_t len)
{
	char *line = xasprintf("%s%.*s", name, (int)len, value);
	struct curl_slist *more = curl_slist_append(t->lines, line);

	if (more == NULL)
		fatal("no memory for a header");
	t->lines = more;
	free(line);
}

/* Headers that a job may not set: those that curl or this file sends, and those that would change
 * the meaning of the request (conditions, ranges). */
static int
reserved(const char *line, size_t name)
{
	static const char *const names[] = {
		"accept-encoding", "connection", "content-length", "cookie2", "expect", "host",
		"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
		"keep-alive", "proxy-authorization", "proxy-connection", "range", "referer", "te",
		"trailer", "transfer-encoding", "upgrade", "user-agent",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == name && strncasecmp(names[i], line, name) == 0)
			return 1;
	return 0;
}

/* Adds the job's headers, without the reserved ones; on another origin (plain) only Accept. */
static void
lines_add(struct transfer *t, const struct request *q)
{
	const char *at, *end;
	size_t name;
	int accept;

	for (at = q->headers; at != NULL && *at != '\0'; at = *end != '\0' ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		name = strcspn(at, ":\n");
		accept = name == 6 && strncasecmp(at, "accept", 6) == 0;
		if (at[name] != ':' || name == 0 || (q->plain && !accept) || reserved(at, name))
			continue;
		/* A header without a value is left out: curl would take "Name:" as "do not send
		 * this header", and sends an empty one only for "Name;". */
		if (strspn(at + name + 1, " \t\r") < (size_t)(end - at) - name - 1)
			line_add(t, "", at, (size_t)(end - at) - (end[-1] == '\r'));
	}
}

/* Sets the method and the body; a body is sent by curl's POST options, whatever the method. */
static void
set_method(struct transfer *t, const struct request *q)
{
	char *copy;

	if (strcmp(q->method, "GET") == 0)
		return;
	if (strcmp(q->method, "HEAD") == 0) {
		curl_easy_setopt(t->curl, CURLOPT_NOBODY, 1L);
		return;
	}
	copy = xmalloc(q->body.len + 1);
	if (q->body.len > 0)
		memcpy(copy, q->body.data, q->body.len);
	t->request.body = (struct bytes){ copy, q->body.len };
	curl_easy_setopt(t->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, copy);
	line_add(t, "Expect:", "", 0);
	if (strcmp(q->method, "POST") != 0)
		curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, q->method);
}

/* Sets the options that all requests share. */
static void
set_common(struct transfer *t)
{
	const struct transfers *all = t->all;
	CURL *c = t->curl;

	curl_easy_setopt(c, CURLOPT_PRIVATE, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->said);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, UNPACK_ACCEPT);
	curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, all->agent);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)BUFFER);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)TRANSFER_STALL);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (all->ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, all->ca);
}

void
transfer_start(struct transfers *all, const struct request *q, transfer_cb *cb, void *arg)
{
	struct transfer *t = transfer_new(all);
	long timeout = q->timeout < 1 ? 1 : q->timeout > INT32_MAX ? INT32_MAX : (long)q->timeout;

	t->cb = cb;
	t->arg = arg;
	t->request.url = xstrdup(q->url);
	t->request.max = q->max > 0 ? q->max : TRANSFER_BODY_MAX;
	t->request.whole = q->whole;
	set_common(t);
	curl_easy_setopt(t->curl, CURLOPT_URL, t->request.url);
	curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, timeout);
	curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT_MS,
	    timeout < TRANSFER_CONNECT ? timeout : (long)TRANSFER_CONNECT);
	lines_add(t, q);
	if (q->etag != NULL)
		line_add(t, "If-None-Match: ", q->etag, strlen(q->etag));
	if (q->modified != NULL)
		line_add(t, "If-Modified-Since: ", q->modified, strlen(q->modified));
	if (q->method != NULL)
		set_method(t, q);
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->lines);
	if (curl_multi_add_handle(all->multi, t->curl) != CURLM_OK)
		fatal("curl takes no request");
}

struct transfers *
transfers_new(struct event_base *base, const struct fetch_start *start, struct transfers *old)
{
	struct transfers *all = xcalloc(1, sizeof(*all));

	all->base = base;
	all->agent = xstrdup(start->agent != NULL ? start->agent : "courant");
	all->ca = start->ca != NULL ? xstrdup(start->ca) : NULL;
	all->private_ok = start->private_ok != 0;
	all->timer = evtimer_new(base, on_timer, all);
	all->multi = curl_multi_init();
	if (all->timer == NULL || all->multi == NULL)
		fatal("curl does not start");
	curl_multi_setopt(all->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(all->multi, CURLMOPT_SOCKETDATA, all);
	curl_multi_setopt(all->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(all->multi, CURLMOPT_TIMERDATA, all);
	curl_multi_setopt(all->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_IDLE);
	curl_multi_setopt(all->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	if ((all->old = old) != NULL) {
		old->ref = &all->old;
		leave(old);
	}
	return all;
}

static void
free_one(struct transfers *all)
{
	struct transfer *t;

	/* NOLINTBEGIN(clang-analyzer-unix.Malloc): transfer_unlink() takes it out of its list */
	while ((t = all->busy) != NULL) {
		transfer_unlink(t);
		curl_multi_remove_handle(all->multi, t->curl);
		transfer_free(t);
	}
	while ((t = all->idle) != NULL) {
		transfer_unlink(t);
		transfer_free(t);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	curl_multi_cleanup(all->multi);
	event_free(all->timer);
	free(all->agent);
	free(all->ca);
	free(all);
}

void
transfers_free(struct transfers *all)
{
	struct transfers *old;

	for (; all != NULL; all = old) {
		old = all->old;
		free_one(all);
	}
}

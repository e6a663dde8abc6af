/* The role serve: answers HTTP with output files, the API and a page, from a read-only database, and by
 * plugins below /x/. It gives no orders to core: it may ask how the daemon is, and for their answers. */
#include "serve.h"
#include "api.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "msg.h"
#include "outputs.h"
#include "pages.h"
#include "peer.h"
#include "proxy.h"
#include "reader.h"
#include "roles.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHANNEL		3
#define ASK_MS		5000		/* that core has to tell its status */
#define WAITING_MAX	256		/* visitors that wait for it */
#define STOP_MS		1000		/* to finish what is being sent */
#define STOP_LOOK_MS	10
#define ACCEPT_PAUSE_MS	100		/* after accept() failed: out of descriptors */
#define PATH_BYTES	2048		/* of a request's path */
#define CONNECTIONS_MAX	10000
#define BACKLOG		128
#define GATE		"/x/"		/* below, plugins answer */

/* Visitors who asked for the status. Core is asked once for all who came before its answer. */
struct waiting {
	struct serve		*serve;
	struct evhttp_request	*req[WAITING_MAX];
	size_t			 n;
	uint32_t		 id;		/* of the question */
	struct event		*timer;
};

/* ---- the status ---- */

/* Takes all who wait, so that an answer that fails cannot meet them twice. */
static size_t
waiting_take(struct waiting *w, struct evhttp_request *req[WAITING_MAX])
{
	size_t n = w->n, i;

	for (i = 0; i < n; i++)
		req[i] = w->req[i];
	w->n = 0;
	evtimer_del(w->timer);
	return n;
}

static void
on_no_status(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;
	struct evhttp_request *req[WAITING_MAX];
	size_t n = waiting_take(w, req), i;

	(void)fd;
	(void)what;
	for (i = 0; i < n; i++)
		reply_error(w->serve, req[i], 504, "the daemon does not tell its status");
}

static void
waiting_begin(struct serve *s)
{
	struct waiting *w = s->waiting = xcalloc(1, sizeof(*w));

	w->serve = s;
	if ((w->timer = evtimer_new(s->base, on_no_status, w)) == NULL)
		fatal("no timer");
}

/* Asks core. -1: it cannot be asked. */
static int
ask(struct serve *s)
{
	const struct timeval patience = { .tv_sec = ASK_MS / 1000 };
	struct buf b;
	int rc;

	buf_init(&b, msg_limit(MSG_ASK));
	wire_put_str(&b, "status");
	wire_put_str(&b, NULL);
	rc = peer_send(s->peer, MSG_ASK, ++s->waiting->id, &b, -1, -1);
	buf_free(&b);
	evtimer_add(s->waiting->timer, &patience);
	return rc;
}

static void
answer_status(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct waiting *w = s->waiting;

	(void)path;
	if (w->n == WAITING_MAX) {
		reply_error(s, req, 503, "too many are asking; try again");
		return;
	}
	if (w->n == 0 && ask(s) == -1) {
		evtimer_del(w->timer);
		reply_error(s, req, 504, "the daemon cannot be asked for its status");
		return;
	}
	w->req[w->n++] = req;
}

/* A descriptor's bytes into b. -1 with errno. */
static int
read_fd(int fd, struct buf *b)
{
	struct stat st;
	char *room;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	while (b->len < (size_t)st.st_size) {
		if ((room = buf_room(b, (size_t)st.st_size - b->len)) == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = pread(fd, room, (size_t)st.st_size - b->len, (off_t)b->len);
		if (n <= 0)
			return -1;
		b->len += (size_t)n;
	}
	return 0;
}

/* What core told. -1: nothing that can be shown. */
static int
told(const struct frame *f, struct buf *b)
{
	struct wire w;
	const char *text;
	uint32_t status;

	wire_init(&w, f->data, f->len);
	status = wire_u32(&w);
	text = wire_str(&w);
	if (wire_end(&w) == -1) {
		log_warn("core told something malformed");
		return -1;
	}
	if (f->fd[0] != -1) {
		if (read_fd(f->fd[0], b) == -1) {
			log_warn("the status cannot be read: %s", strerror(errno));
			return -1;
		}
	} else
		buf_str(b, text);
	return status == 0 ? 0 : -1;
}

static void
on_told(struct serve *s, const struct frame *f)
{
	struct evhttp_request *req[WAITING_MAX];
	struct buf b, copy;
	size_t n, i;
	int rc;

	if (f->id != s->waiting->id)
		return;		/* it came too late */
	buf_init(&b, SERVE_ANSWER_MAX);
	rc = told(f, &b);
	n = waiting_take(s->waiting, req);
	for (i = 0; i < n; i++) {
		if (rc == -1) {
			reply_error(s, req[i], 503, "the daemon does not tell its status");
			continue;
		}
		buf_init(&copy, SERVE_ANSWER_MAX);
		buf_add(&copy, b.data, b.len);
		reply_buf(s, req[i], 200, "application/json", &copy);
	}
	buf_free(&b);
}

/* ---- requests ---- */

static void
answer_nothing(struct serve *s, struct evhttp_request *req, const char *path)
{
	reply_error(s, req, 404, "there is no %s", path);
}

/* What answers a path; one that ends in "/" answers all that begin with it. The rest are files. */
static const struct {
	const char	*path;
	void		(*answer)(struct serve *, struct evhttp_request *, const char *path);
} table[] = {
	{ "/healthz", api_health },
	{ "/api/v1/status", answer_status },
	{ "/api/v1/records", api_records },
	{ "/api/v1/records/", api_record },
	{ "/api/v1/sources", api_sources },
	{ "/api/", answer_nothing },
	{ GATE, gate_answer },
	{ "/style.css", page_style },
	{ "/favicon.ico", answer_nothing },
};

static void
dispatch(struct serve *s, struct evhttp_request *req, const char *path)
{
	size_t i, len;

	if (strcmp(path, "/") == 0) {
		page_front(s, req, path);
		return;
	}
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		len = strlen(table[i].path);
		if (table[i].path[len - 1] == '/' ? strncmp(path, table[i].path, len) == 0 :
		    strcmp(path, table[i].path) == 0) {
			table[i].answer(s, req, path);
			return;
		}
	}
	outputs_answer(s, req, path);
}

/* The path, percent-decoded, into out. -1: it is none that we could have. */
static int
request_path(struct evhttp_request *req, char out[PATH_BYTES])
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	char *path = raw != NULL ? evhttp_uridecode(raw, 0, NULL) : NULL;
	size_t len, i, raw_len;
	int rc = -1;

	if (path != NULL) {
		/* %00 would end the name early: as long as what was sent, less 2 for each "%XX" */
		for (raw_len = i = 0; raw[i] != '\0'; raw_len++)
			i += raw[i] == '%' && strspn(raw + i + 1,
			    "0123456789abcdefABCDEF") >= 2 ? 3 : 1;
		len = strlen(path);
		rc = path[0] == '/' && len == raw_len && len < PATH_BYTES ? 0 : -1;
		for (i = 0; rc == 0 && i < len; i++)
			if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
				rc = -1;
		if (rc == 0)
			memcpy(out, path, len + 1);
	}
	free(path);
	return rc;
}

/* What is wrong with how its body is told of; NULL: nothing. Where such a request ends, a proxy
 * before us may see otherwise (RFC 9112 6.3, 11.2). The body of a method that may have one, evhttp
 * reads whole, by the first header that it knows. */
static const char *
body_wrong(struct evhttp_request *req)
{
	const enum evhttp_cmd_type may = EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH;
	const struct evkeyval *kv;
	size_t lengths = 0, codings = 0;
	int empty = 1, odd = 0;

	TAILQ_FOREACH(kv, evhttp_request_get_input_headers(req), next)
		if (strcasecmp(kv->key, "Content-Length") == 0) {
			lengths++;
			empty &= strcmp(kv->value, "0") == 0;
			odd |= kv->value[strspn(kv->value, "0123456789")] != '\0';
		} else if (strcasecmp(kv->key, "Transfer-Encoding") == 0) {
			codings++;
			odd |= strcasecmp(kv->value, "chunked") != 0;
		}
	if (odd || lengths + codings > 1)
		return "how long the body is, is not clear";
	if ((evhttp_request_get_command(req) & may) == 0 && (codings > 0 || !empty))
		return "such a request has no body";
	return NULL;
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct serve *s = arg;
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *wrong;
	char path[PATH_BYTES];
	int known;

	if (!connection_begin(s, req))
		return;
	known = request_path(req, path) == 0;
	if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD &&
	    (!known || strncmp(path, GATE, strlen(GATE)) != 0)) {
		reply_header(req, "Allow", "GET, HEAD");
		reply_header(req, "Connection", "close");
		reply_error(s, req, 405, "only GET and HEAD are answered here");
	} else if ((wrong = body_wrong(req)) != NULL) {
		reply_header(req, "Connection", "close");
		reply_error(s, req, 400, "%s", wrong);
	} else if (!known)
		reply_error(s, req, 400, "the path cannot be read");
	else
		dispatch(s, req, path);
}

/* ---- the role ---- */

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	const struct timeval pause = { .tv_usec = ACCEPT_PAUSE_MS * 1000 };
	struct serve *s = arg;

	log_warn("no connection taken: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_base_once(s->base, -1, EV_TIMEOUT, on_accept_again, listener, &pause);
}

/* Takes the listening socket. */
static void
listen_on(struct serve *s, int fd)
{
	struct evconnlistener *listener;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	listener = evconnlistener_new(s->base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
	if (listener == NULL || evhttp_bind_listener(s->http, listener) == NULL)
		fatal("cannot listen: %s", strerror(errno));
	evconnlistener_set_error_cb(listener, on_accept_error);
	if (evconnlistener_enable(listener) == -1)
		fatal("cannot listen: %s", strerror(errno));
}

static void
http_begin(struct serve *s)
{
	if ((s->http = evhttp_new(s->base)) == NULL)
		fatal("no memory for HTTP");
	evhttp_set_max_headers_size(s->http, SERVE_HEADERS_MAX);
	evhttp_set_max_body_size(s->http, VISIT_BODY_MAX);
	evhttp_set_timeout(s->http, SERVE_TIMEOUT);
	evhttp_set_default_content_type(s->http, NULL);
	evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST |
	    EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
	    EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(s->http, on_request, s);
}

static uint32_t
limit(uint32_t n)
{
	return n < 1 ? 1 : n > CONNECTIONS_MAX ? CONNECTIONS_MAX : n;
}

static void
on_start(struct serve *s, struct frame *f)
{
	struct serve_start start;
	struct wire w;

	wire_init(&w, f->data, f->len);
	wire_get(&w, serve_start, &start);
	if (wire_end(&w) == -1 || f->fd[0] == -1 || start.database == NULL || start.out == NULL)
		fatal("a malformed %s", msg_name(f->type));
	if (s->http != NULL)
		fatal("started twice");
	s->reader = reader_new(start.database);
	s->outputs = outputs_new(start.out);
	s->proxies = proxies_new(start.proxies);
	http_begin(s);
	s->connections = connections_new(s, limit(start.connections), limit(start.per_address));
	listen_on(s, f->fd[0]);
	f->fd[0] = -1;
	peer_send(s->peer, MSG_READY, 0, NULL, -1, -1);
}

/* Ends the loop once all that was asked is answered, or it takes too long. */
static void
on_stopping(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = STOP_LOOK_MS * 1000 };
	struct serve *s = arg;

	(void)fd;
	(void)what;
	if (s->connections == NULL || connections_busy(s->connections) == 0 ||
	    ++s->stopping > STOP_MS / STOP_LOOK_MS)
		event_base_loopbreak(s->base);
	else
		event_base_once(s->base, -1, EV_TIMEOUT, on_stopping, s, &soon);
}

static void
on_frame(struct peer *p, struct frame *f, int bad, void *arg)
{
	struct serve *s = arg;

	(void)p;
	if (f == NULL) {
		if (bad)
			log_warn("core sent a bad frame");
		event_base_loopbreak(s->base);
	} else if (f->type == MSG_SERVE_START)
		on_start(s, f);
	else if (f->type == MSG_TOLD)
		on_told(s, f);
	else if (f->type == MSG_VISITED)
		gate_visited(s, f);
	else if (f->type == MSG_STOP) {
		gate_stop(s);
		on_stopping(-1, 0, s);
	}
	else
		log_warn("core sent a %s, which is not for serve", msg_name(f->type));
}

int
serve_main(int debug)
{
	struct serve s = { .base = event_base_new() };

	log_open("serve", debug);
	signal(SIGPIPE, SIG_IGN);
	if (s.base == NULL)
		fatal("no event loop");
	waiting_begin(&s);
	s.gate = gate_new();
	s.peer = peer_new(s.base, CHANNEL, on_frame, &s);
	if (event_base_dispatch(s.base) == -1)
		fatal("the event loop failed");
	if (s.http != NULL)
		evhttp_free(s.http);
	connections_free(s.connections);
	outputs_free(s.outputs);
	reader_free(s.reader);
	peer_free(s.peer);
	gate_free(s.gate);
	proxies_free(s.proxies);
	event_free(s.waiting->timer);
	free(s.waiting);
	event_base_free(s.base);
	return 0;
}

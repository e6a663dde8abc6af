/* The role serve: answers HTTP requests with output files, the API and HTML pages, from a database
 * opened read-only, and forwards requests below /x/ to plugins. Serve gives no orders to core: it
 * asks only for the daemon's status and for the answers of plugins, and hands on what readers do about
 * their subscriptions. */
#include "serve.h"
#include "api.h"
#include "api_stories.h"
#include "api_story.h"
#include "connections.h"
#include "outputs.h"
#include "page_edition.h"
#include "page_list.h"
#include "page_story.h"
#include "page_subscribe.h"
#include "pages.h"
#include "proxies.h"
#include "reply.h"
#include "status_wait.h"
#include "visit_forward.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/zone.h"
#include "db/reader.h"
#include "ipc/confine.h"
#include "ipc/landlock.h"
#include "ipc/memfd.h"
#include "ipc/msg.h"
#include "ipc/peer.h"
#include "ipc/roles.h"

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANNEL		3
#define STOP_MS		1000		/* to finish answers when stopping */
#define STOP_LOOK_MS	10
#define ACCEPT_PAUSE_MS	100		/* after accept() failed for lack of file descriptors */
#define PATH_BYTES	2048		/* of a request's path */
#define CONNECTIONS_MAX	10000
#define BACKLOG		128
#define FORWARDED		"/x/"		/* plugins answer paths below */

/* ---- requests ---- */

static void
answer_nothing(struct serve *s, struct evhttp_request *req, const char *path)
{
	reply_error(s, req, 404, "there is no %s", path);
}

/* The handlers of paths; a path with "/" at its end stands for all that begin with it. Paths that
 * match no row are output files. methods: GET and HEAD, these and POST, or any. */
enum methods { READ, POST, ANY };
static const struct {
	const char	*path;
	void		(*answer)(struct serve *, struct evhttp_request *, const char *path);
	enum methods	 methods;
} table[] = {
	{ "/healthz", api_health, READ },
	{ "/api/v1/status", status_wait_answer, READ },
	{ "/api/v1/records", api_records, READ },
	{ "/api/v1/records/", api_record, READ },
	{ "/api/v1/sources", api_sources, READ },
	{ "/api/v1/stories", api_stories, READ },
	{ "/api/v1/stories/", api_story, READ },
	{ "/api/", answer_nothing, READ },
	{ FORWARDED, visit_forward_answer, ANY },
	{ "/s/", page_story, READ },
	{ "/trending", page_trending, READ },
	{ "/new", page_new, READ },
	{ "/day/", page_day, READ },
	{ "/week/", page_week, READ },
	{ "/month/", page_month, READ },
	{ "/edition/", page_edition, READ },
	{ "/subscribe/", page_subscribe, POST },
	{ "/confirm/", page_confirm, POST },
	{ "/leave/", page_leave, POST },
	{ "/style.css", page_style, READ },
	{ "/favicon.ico", answer_nothing, READ },
};

#define NO_ROW	(sizeof(table) / sizeof(table[0]))

/* The row of a path, or NO_ROW. */
static size_t
row_of(const char *path)
{
	size_t i, len;

	for (i = 0; i < NO_ROW; i++) {
		len = strlen(table[i].path);
		if (table[i].path[len - 1] == '/' ? strncmp(path, table[i].path, len) == 0 :
		    strcmp(path, table[i].path) == 0)
			break;
	}
	return i;
}

static void
dispatch(struct serve *s, struct evhttp_request *req, const char *path)
{
	const size_t row = row_of(path);

	if (strcmp(path, "/") == 0)
		page_front(s, req, path);
	else if (row != NO_ROW)
		table[row].answer(s, req, path);
	else
		outputs_answer(s, req, path);
}

static int
is_allowed(enum evhttp_cmd_type method, enum methods methods)
{
	return method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD || methods == ANY ||
	    (method == EVHTTP_REQ_POST && methods == POST);
}

/* Copies the percent-decoded path into out. -1: malformed, too long, or with control characters. */
static int
request_path(struct evhttp_request *req, char out[PATH_BYTES])
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *raw = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	char *path = raw != NULL ? evhttp_uridecode(raw, 0, NULL) : NULL;
	size_t len, i, raw_len;
	int rc = -1;

	if (path != NULL) {
		/* %00 would end the path early: its length must be that of raw, less 2 for each
		 * %XX */
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

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct serve *s = arg;
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	char path[PATH_BYTES];
	enum methods methods = READ;
	size_t row;
	int known;

	if (!connection_begin(s, req))
		return;
	known = request_path(req, path) == 0;
	if (known && (row = row_of(path)) != NO_ROW)
		methods = table[row].methods;
	if (!is_allowed(method, methods)) {
		reply_header(req, "Allow", methods == POST ? "GET, HEAD, POST" : "GET, HEAD");
		reply_header(req, "Connection", "close");
		reply_error(s, req, 405, "only %s are answered here", methods == POST ?
		    "GET, HEAD and POST" : "GET and HEAD");
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

/* Takes ownership of the listening socket. */
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

/* The folders stay open to reading: outputs come and go, and so do the database's WAL and index. */
static void
serve_confine(const struct serve_start *start)
{
	char *folder = xstrdup(start->database);
	const struct confine_path paths[] = { { dirname(folder), LAND_READ },
		{ start->out, LAND_READ }, { ZONE_FOLDER, LAND_READ } };

	confine(ROLE_SERVE, paths, sizeof(paths) / sizeof(paths[0]));
	free(folder);
}

static void
on_start(struct serve *s, struct frame *f)
{
	struct serve_start start;

	if (wire_whole(f->data, f->len, serve_start, &start) == -1 || f->fd[0] == -1 ||
	    start.database == NULL || start.out == NULL)
		fatal("a malformed %s", msg_name(f->type));
	if (s->http != NULL)
		fatal("started twice");
	s->reader = reader_new(start.database);
	s->outputs = outputs_new(start.out);
	s->proxies = proxies_new(start.proxies);
	s->title = xstrdup(start.title != NULL ? start.title : "");
	s->zone = xstrdup(start.zone != NULL ? start.zone : "UTC");
	http_begin(s);
	s->connections = connections_new(s, limit(start.connections), limit(start.per_address));
	listen_on(s, f->fd[0]);
	f->fd[0] = -1;
	serve_confine(&start);
	peer_send(s->peer, MSG_READY, 0, NULL, -1, -1);
}

static void
on_files(struct serve *s, struct frame *f)
{
	size_t size;
	const void *p = memfd_map(f->fd[0], SIZE_MAX, &size);
	struct wire w;

	if (p == NULL || s->outputs == NULL)
		fatal("the list of outputs cannot be read: %s", strerror(errno));
	wire_init(&w, p, size);
	if (outputs_take(s->outputs, &w) == -1)
		fatal("the list of outputs is malformed");
	memfd_unmap(p, size);
}

/* Ends the loop once all requests are answered, or after STOP_MS. */
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
	else if (f->type == MSG_SERVE_FILES)
		on_files(s, f);
	else if (f->type == MSG_TOLD)
		status_wait_answered(s, f);
	else if (f->type == MSG_VISITED)
		visit_forward_back(s, f);
	else if (f->type == MSG_CONSENTED)
		consents_back(s, f);
	else if (f->type == MSG_STOP) {
		visit_forward_stop(s);
		consents_stop(s);
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
	status_wait_open(&s);
	s.visits = visit_forward_new();
	consents_open(&s);
	s.peer = peer_new(s.base, CHANNEL, on_frame, &s);
	if (event_base_dispatch(s.base) == -1)
		fatal("the event loop failed");
	if (s.http != NULL)
		evhttp_free(s.http);
	connections_free(s.connections);
	outputs_free(s.outputs);
	reader_free(s.reader);
	peer_free(s.peer);
	visit_forward_free(s.visits);
	consents_close(&s);
	proxies_free(s.proxies);
	free(s.title);
	free(s.zone);
	status_wait_close(&s);
	event_base_free(s.base);
	return 0;
}

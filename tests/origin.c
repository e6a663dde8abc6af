/* The recording HTTP origin of the whole-daemon tests: serves files and made-up behaviour on the
 * loopback, and writes down each request that it gets.
 *
 *	origin [--port N] [--bind ADDRESS]... [--root DIR] [--record FILE] [--script FILE]
 *
 * Prints "port N" and serves until killed. --port 0, the default, takes a free one. --bind, up to
 * eight times, takes addresses of 127.0.0.0/8 and ::1 only; without it, 127.0.0.1. Many hosts: curl
 * takes every name below .localhost for the loopback (a.localhost:PORT, b.localhost:PORT).
 *
 * Record: one JSON object a line, flushed at once, when the request is whole and its answer chosen:
 *	{"time": ms of a clock that nobody sets, "conn": number of its connection, "busy": requests
 *	 under way, this one included, "method", "path", "query" (null: none), "headers":
 *	 [[name, value]...] as sent, "body" or
 *	 "body_hex" when there is one, "status": sent (0: none), "bytes": of the body as chosen}
 *
 * Without a rule a path is a file below DIR, with ETag and Last-Modified, 304 when asked for, HEAD.
 * A rule is a JSON object; a rule file maps paths to rules: {"/feed": {"status": 503}}. The path with
 * its query is looked up first, then the path, then the folders above it ("/many/" is for all below it,
 * "/" for all). A list of rules is taken one after the other, each "times" requests long (1 unless
 * told), the last for ever.
 *	"status": N			200 unless told
 *	"headers": {name: value}	besides, or in place of, the usual; null leaves one out
 *	"file": "NAME below DIR", "body": "text", "type": "text/xml"
 *	"size": N			a body of N times the same letter
 *	"generate": N, "grow": K	a feed of N + K * (earlier requests) items, the newest first;
 *	  "grow_ms": MS			grow by K each MS instead; "window": W shows the newest W only;
 *	  "format": "rss" or "atom"; "item_bytes": of text in each; "name": of guids, else the path
 *	"etag", "modified": "value"	validators as told; null: none. "conditional": false: no 304
 *	"redirect": "URL"		Location, with status 302 unless told
 *	"gzip": true			when the client takes it; "force": always; "lie": says so only
 *	"chunked": true			no Content-Length. "broken": a bad chunk behind half the body
 *	"length": N			this Content-Length, whatever the body is
 *	"pad": N			a header X-Pad of N bytes
 *	"delay": MS			before the answer begins
 *	"drip": [BYTES, MS]		the body in pieces
 *	"stall": N, "close": N, "reset": N	after N bytes of body: silence, an end, a TCP reset;
 *					-1: in place of any answer
 *	"raw": "bytes"			this in place of a whole answer, then closed
 *	"fail": PERCENT, "fail_status": 500 (0: a reset), "seed": N	chosen by seed, path and count
 *
 * Orders, not recorded, answered {"ok": true} or 400: POST /_/set with a rule file lays it over the
 * rules (null removes one); POST /_/reset forgets rules and counts; GET /_/hits tells requests a path;
 * GET /_/state tells connections open and requests under way, now and at most. --script is read
 * again, in place of all rules, when its mtime or size changed. */
#include "origin.h"
#include "serve/status_wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX	(256u << 10)	/* bytes of a request's head */
#define HEADERS_MAX	1000
#define BINDS_MAX	8

static void	conn_read(struct bufferevent *, void *);

_Noreturn void
die(const char *fmt, ...)
{
	va_list ap;

	fputs("origin: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void *
need(void *p)
{
	if (p == NULL)
		die("out of memory");
	return p;
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- Requests ---- */

const char *
request_header(const struct request *q, const char *name)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(q->headers, i, pair)
		if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0)
			return json_string_value(json_array_get(pair, 1));
	return NULL;
}

static void
request_free(struct request *q)
{
	free(q->method);
	free(q->path);
	free(q->query);
	free(q->body);
	json_decref(q->headers);
	*q = (struct request){ 0 };
}

static json_t *
text_json(const char *s, size_t len)
{
	json_t *j = json_stringn(s, len);

	return j != NULL ? j : json_string("(not UTF-8)");
}

static void
path_decode(char *s)
{
	char *to = s, hex[3] = "";

	for (; *s != '\0'; s++, to++) {
		*to = *s;
		if (*s == '%' && strspn(s + 1, "0123456789abcdefABCDEF") >= 2) {
			memcpy(hex, s + 1, 2);
			*to = (char)strtol(hex, NULL, 16);
			s += 2;
		}
	}
	*to = '\0';
}

/* "GET /path?query HTTP/1.1" */
static int
request_line(struct request *q, char *line)
{
	char *target = strchr(line, ' '), *end, *query;

	if (target == NULL || (end = strchr(target + 1, ' ')) == NULL)
		return -1;
	*target++ = '\0';
	*end = '\0';
	if ((query = strchr(target, '?')) != NULL) {
		*query++ = '\0';
		q->query = need(strdup(query));
	}
	q->method = need(strdup(line));
	q->path = need(strdup(target));
	path_decode(q->path);
	return 0;
}

static int
request_head(struct request *q, char *head)
{
	char *line = head, *next, *value;
	json_t *pair;

	q->headers = need(json_array());
	for (; *line != '\0'; line = next) {
		next = strstr(line, "\r\n");
		*next = '\0';
		next += 2;
		if (line == head) {
			if (request_line(q, line) == -1)
				return -1;
			continue;
		}
		if ((value = strchr(line, ':')) == NULL || json_array_size(q->headers) >= HEADERS_MAX)
			return -1;
		pair = json_array();
		json_array_append_new(pair, text_json(line, (size_t)(value - line)));
		value += 1 + strspn(value + 1, " \t");
		json_array_append_new(pair, text_json(value, strlen(value)));
		json_array_append_new(q->headers, pair);
	}
	return q->method != NULL ? 0 : -1;
}

/* Takes a whole request out of the buffer: 1; 0: not all there yet; -1: none. */
static int
request_take(struct request *q, struct evbuffer *in)
{
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	unsigned long length = 0;
	const char *told;
	char first, *head;
	int ok;

	if (evbuffer_copyout(in, &first, 1) == 1 && (first < 'A' || first > 'Z'))
		return -1;
	if (end.pos == -1)
		return evbuffer_get_length(in) > HEAD_MAX ? -1 : 0;
	head = need(malloc((size_t)end.pos + 3));
	evbuffer_copyout(in, head, (size_t)end.pos + 2);
	head[end.pos + 2] = '\0';
	ok = request_head(q, head);
	free(head);
	if (ok == -1)
		return -1;
	if ((told = request_header(q, "content-length")) != NULL)
		length = strtoul(told, NULL, 10);
	if (length > BODY_MAX)
		return -1;
	if (evbuffer_get_length(in) < (size_t)end.pos + 4 + length) {
		request_free(q);
		return 0;
	}
	evbuffer_drain(in, (size_t)end.pos + 4);
	q->body = need(malloc(length + 1));
	evbuffer_remove(in, q->body, length);
	q->body[length] = '\0';
	q->len = length;
	return 1;
}

static void
body_record(json_t *line, const char *p, size_t len)
{
	json_t *text = json_stringn(p, len);
	char *hex;
	size_t i;

	if (text != NULL) {
		json_object_set_new(line, "body", text);
		return;
	}
	hex = need(malloc(len * 2 + 1));
	for (i = 0; i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", (unsigned char)p[i]);
	json_object_set_new(line, "body_hex", json_stringn(hex, len * 2));
	free(hex);
}

static void
record(const struct conn *c)
{
	const struct request *q = &c->q;
	json_t *line;

	if (c->o->record == NULL)
		return;
	line = json_pack("{s:I, s:i, s:i, s:s, s:o, s:o, s:O, s:i, s:I}",
	    "time", (json_int_t)now_ms(), "conn", (int)c->id, "busy", (int)c->o->busy,
	    "method", q->method, "path", text_json(q->path, strlen(q->path)),
	    "query", q->query != NULL ? text_json(q->query, strlen(q->query)) : json_null(),
	    "headers", q->headers, "status", c->r.silent ? 0 : c->r.status,
	    "bytes", (json_int_t)(c->r.body != NULL ? evbuffer_get_length(c->r.body) : 0));
	if (line == NULL)
		return;
	if (q->len > 0)
		body_record(line, q->body, q->len);
	json_dumpf(line, c->o->record, JSON_COMPACT);
	fputc('\n', c->o->record);
	fflush(c->o->record);
	json_decref(line);
}

/* ---- Answers ---- */

static void
conn_free(struct conn *c)
{
	c->o->open--;
	if (c->busy)
		c->o->busy--;
	request_free(&c->q);
	event_free(c->timer);
	evbuffer_free(c->rest);
	bufferevent_free(c->bev);
	free(c);
}

static void
conn_reset(struct conn *c)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	conn_free(c);
}

/* All that is to be sent has left. */
static void
reply_end(struct conn *c)
{
	if (c->r.end == END_STALL)
		return;
	if (c->r.end == END_RESET) {
		conn_reset(c);
		return;
	}
	if (c->r.end == END_CLOSE) {
		conn_free(c);
		return;
	}
	c->busy = 0;
	c->o->busy--;
	request_free(&c->q);
	conn_read(c->bev, c);
}

static void
timer_ms(struct conn *c, int ms)
{
	struct timeval t = { ms / 1000, ms % 1000 * 1000 };

	evtimer_add(c->timer, &t);
}

static void
conn_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	if (c->busy && !evtimer_pending(c->timer, NULL) && evbuffer_get_length(c->rest) == 0 &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		reply_end(c);
}

/* The delay is over, or the next piece is due. */
static void
conn_timer(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t n = c->r.drip;

	(void)fd;
	(void)what;
	if (c->r.silent) {
		reply_end(c);
		return;
	}
	if (n == 0 || n > evbuffer_get_length(c->rest))
		n = evbuffer_get_length(c->rest);
	if (evbuffer_get_length(c->rest) > n)
		timer_ms(c, c->r.drip_ms);
	evbuffer_remove_buffer(c->rest, out, n);
}

static void
head_put(const struct conn *c, struct evbuffer *to)
{
	const char *name;
	json_t *value;

	evbuffer_add_printf(to, "HTTP/1.1 %d Status\r\n", c->r.status);
	json_object_foreach(c->r.headers, name, value)
		evbuffer_add_printf(to, "%s: %s\r\n", name, json_string_value(value));
	evbuffer_add(to, "\r\n", 2);
}

/* Hands the chosen answer to the connection. */
static void
reply_send(struct conn *c)
{
	const char *raw = rule_str(c->r.rule, "raw"), *close_it = request_header(&c->q, "connection");
	struct evbuffer *head = bufferevent_get_output(c->bev);
	size_t n = evbuffer_get_length(c->r.body);

	if (close_it != NULL && strcasecmp(close_it, "close") == 0 && c->r.end == END_KEEP)
		c->r.end = END_CLOSE;
	if (strcmp(c->q.method, "HEAD") == 0)
		n = 0;
	if (c->r.cut >= 0 && n > (size_t)c->r.cut)
		n = (size_t)c->r.cut;
	if (c->r.delay > 0)
		head = c->rest;
	if (raw != NULL) {
		evbuffer_add(head, raw, json_string_length(json_object_get(c->r.rule, "raw")));
		c->r.end = END_CLOSE;
	} else if (!c->r.silent) {
		head_put(c, head);
		evbuffer_remove_buffer(c->r.body, c->rest, n);
	}
	evbuffer_free(c->r.body);
	json_decref(c->r.headers);
	c->r.body = NULL;
	c->r.headers = NULL;
	if (c->r.delay > 0)
		timer_ms(c, c->r.delay);
	else
		conn_timer(-1, 0, c);
}

/* Orders of the test: "/_/NAME". */
static void
order(struct conn *c)
{
	struct origin *o = c->o;
	const char *name = c->q.path + 3;
	json_t *told = json_pack("{s:b}", "ok", 1);
	char *text;

	c->r.status = 200;
	if (strcmp(name, "set") == 0 && rules_load(o, c->q.body, c->q.len) == 0) {
	} else if (strcmp(name, "reset") == 0) {
		json_object_clear(o->rules);
		json_object_clear(o->hits);
		o->most_open = o->open;
		o->most_busy = o->busy;
	} else if (strcmp(name, "hits") == 0) {
		json_object_update(told, o->hits);
	} else if (strcmp(name, "state") == 0) {
		json_object_set_new(told, "open", json_integer(o->open));
		json_object_set_new(told, "busy", json_integer(o->busy - 1));
		json_object_set_new(told, "most_open", json_integer(o->most_open));
		json_object_set_new(told, "most_busy", json_integer(o->most_busy));
	} else {
		c->r.status = 400;
	}
	text = need(json_dumps(told, JSON_COMPACT));
	evbuffer_add_printf(c->r.body, "%s\n", text);
	free(text);
	json_decref(told);
	header_set(&c->r, "Content-Type", "application/json");
	reply_encode(&c->r, &c->q);
	reply_send(c);
}

static void
answer(struct conn *c)
{
	struct origin *o = c->o;

	c->busy = 1;
	o->busy++;
	c->r = (struct reply){ .cut = -1 };
	if (strncmp(c->q.path, "/_/", 3) == 0) {
		c->r.headers = need(json_object());
		c->r.body = need(evbuffer_new());
		order(c);
		return;
	}
	if (o->busy > o->most_busy)
		o->most_busy = o->busy;
	script_look(o);
	reply_choose(o, &c->r, &c->q);
	record(c);
	reply_send(c);
}

/* ---- Connections ---- */

static void
conn_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;
	int got;

	if (c->busy)
		return;
	got = request_take(&c->q, bufferevent_get_input(bev));
	if (got == 1)
		answer(c);
	else if (got == -1)
		conn_free(c);
}

static void
conn_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		conn_free(arg);
}

static void
conn_new(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct origin *o = arg;
	struct conn *c = need(calloc(1, sizeof(*c)));

	(void)l;
	(void)sa;
	(void)len;
	c->o = o;
	c->id = ++o->conns;
	c->bev = need(bufferevent_socket_new(o->base, fd, BEV_OPT_CLOSE_ON_FREE |
	    BEV_OPT_DEFER_CALLBACKS));
	c->timer = need(evtimer_new(o->base, conn_timer, c));
	c->rest = need(evbuffer_new());
	if (++o->open > o->most_open)
		o->most_open = o->open;
	bufferevent_setcb(c->bev, conn_read, conn_written, conn_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* Listens on a loopback address; gives the port. */
static int
origin_listen(struct origin *o, const char *address, int port)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *in4 = (void *)&ss;
	struct sockaddr_in6 *in6 = (void *)&ss;
	socklen_t len = sizeof(*in4);
	struct evconnlistener *l;

	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1 &&
	    ntohl(in4->sin_addr.s_addr) >> 24 == 127) {
		ss.ss_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
	} else if (strcmp(address, "::1") == 0) {
		ss.ss_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons((uint16_t)port);
		len = sizeof(*in6);
	} else {
		die("%s is no address of the loopback", address);
	}
	l = evconnlistener_new_bind(o->base, conn_new, o, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE |
	    LEV_OPT_CLOSE_ON_EXEC, 4096, (void *)&ss, (int)len);
	if (l == NULL)
		die("cannot listen on %s port %d: %s", address, port, strerror(errno));
	len = sizeof(ss);
	getsockname(evconnlistener_get_fd(l), (void *)&ss, &len);
	return ntohs(ss.ss_family == AF_INET ? in4->sin_port : in6->sin6_port);
}

int
main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "port", 1, NULL, 'p' }, { "bind", 1, NULL, 'b' }, { "root", 1, NULL, 'r' },
		{ "record", 1, NULL, 'o' }, { "script", 1, NULL, 's' }, { NULL, 0, NULL, 0 },
	};
	struct origin o = { .root = -1, .rules = json_object(), .hits = json_object() };
	const char *bind_to[BINDS_MAX] = { "127.0.0.1" };
	int c, port = 0, binds = 0, i;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'p')
			port = (int)strtol(optarg, NULL, 10);
		else if (c == 'b' && binds < BINDS_MAX)
			bind_to[binds++] = optarg;
		else if (c == 's')
			o.script = optarg;
		else if (c == 'r' && (o.root = open(optarg, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
			die("%s: %s", optarg, strerror(errno));
		else if (c == 'o' && (o.record = fopen(optarg, "ae")) == NULL)
			die("%s: %s", optarg, strerror(errno));
		else if (c == '?' || c == 'b')
			die("usage: see the top of tests/origin.c");
	}
	signal(SIGPIPE, SIG_IGN);
	o.started = now_ms();
	o.base = need(event_base_new());
	script_look(&o);
	for (i = 0; i < (binds > 0 ? binds : 1); i++)
		port = origin_listen(&o, bind_to[i], port);
	printf("port %d\n", port);
	fflush(stdout);
	event_base_dispatch(o.base);
	return 0;
}

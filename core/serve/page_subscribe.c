/* The pages at which readers subscribe to a route, confirm that, and leave. Serve itself writes nothing:
 * what a POST does travels to store, and is on disk when it is answered. GET and HEAD never act, since
 * scanners of mail follow each link. The answer to the form is one and the same for all addresses. */
#include "page_subscribe.h"
#include "connections.h"
#include "proxies.h"
#include "reply.h"
#include "serve.h"
#include "visit_forward.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/headers.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/text.h"
#include "db/reader.h"
#include "ipc/chan.h"
#include "ipc/msg.h"
#include "ipc/peer.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define CONSENTS_MAX	256		/* requests that wait for store */
#define CONSENT_MS	5000		/* for which one waits, at most */
#define TICK_MS		500		/* between two looks for those that waited so long */
#define FORM_MAX	4096		/* bytes of a filled form */
#define PAGE_MAX	(16u << 10)
#define TRAP		"website"	/* the field that people do not see and programs fill */

#define POLICY	"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self';" \
		" frame-ancestors 'none'"

struct consents {
	struct serve	*serve;
	struct {
		struct evhttp_request	*req;
		uint32_t		 id, act;	/* act: of its page */
		int64_t			 until;		/* date_ticks() */
	} at[CONSENTS_MAX];
	size_t		 n;
	uint32_t	 last;		/* id of the last one */
	struct event	*tick;
};

/* ---- Pages ---- */

static void
bare_begin(struct buf *b, const char *title)
{
	buf_init(b, PAGE_MAX);
	buf_str(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
	text_xml(b, title, strlen(title));
	buf_str(b, "</title>\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"robots\" content=\"noindex\">\n"
	    "<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n");
}

static void
bare_end(struct serve *s, struct evhttp_request *req, int status, struct buf *b)
{
	buf_str(b, "</main>\n</body>\n</html>\n");
	reply_header(req, "Content-Security-Policy", POLICY);
	reply_header(req, "Referrer-Policy", "no-referrer");
	reply_header(req, "X-Robots-Tag", "noindex");
	reply_header(req, "Cache-Control", "no-store");
	reply_buf(s, req, status, "text/html; charset=utf-8", b);
}

/* A page that tells one thing. */
static void
page_word(struct serve *s, struct evhttp_request *req, int status, const char *title, const char *text)
{
	struct buf b;

	bare_begin(&b, title);
	buf_fmt(&b, "<h1>%s</h1>\n<p>%s</p>\n", title, text);
	bare_end(s, req, status, &b);
}

/* A page with one button, which posts to the page's own address. */
static void
page_button(struct serve *s, struct evhttp_request *req, const char *label)
{
	struct buf b;

	bare_begin(&b, label);
	buf_fmt(&b, "<form method=\"post\"><button type=\"submit\">%s</button></form>\n", label);
	bare_end(s, req, 200, &b);
}

/* wrong: what is wrong with the address that was sent; or NULL. */
static void
page_form(struct serve *s, struct evhttp_request *req, const char *title, const char *wrong)
{
	struct buf b;

	bare_begin(&b, title);
	buf_str(&b, "<h1>");
	text_xml(&b, title, strlen(title));
	buf_str(&b, " by mail</h1>\n");
	if (wrong != NULL) {
		buf_str(&b, "<p role=\"alert\">");
		text_xml(&b, wrong, strlen(wrong));
		buf_str(&b, "</p>\n");
	}
	buf_str(&b, "<form method=\"post\">\n<label for=\"address\">Your mail address</label>\n"
	    "<input id=\"address\" name=\"address\" type=\"email\" autocomplete=\"email\" required"
	    " maxlength=\"254\">\n"
	    "<p class=\"trap\" aria-hidden=\"true\"><label>Leave this empty <input name=\"" TRAP "\""
	    " tabindex=\"-1\" autocomplete=\"off\"></label></p>\n"
	    "<button type=\"submit\">Subscribe</button>\n</form>\n"
	    "<p class=\"from\">A mail will ask you to confirm. Each mail after that has a link by which you leave. The "
	    "address is kept for these mails alone.</p>\n");
	bare_end(s, req, wrong != NULL ? 400 : 200, &b);
}

/* ---- To core ---- */

/* The network of an address: /24 of IPv4, /48 of IPv6. */
static void
network_of(const char *address, char out[NETWORK_MAX])
{
	unsigned char a[16], mapped[12] = { [10] = 0xff, 0xff };
	char text[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, address, a) == 1) {
		snprintf(out, NETWORK_MAX, "%d.%d.%d.0/24", a[0], a[1], a[2]);
		return;
	}
	if (inet_pton(AF_INET6, address, a) != 1) {
		snprintf(out, NETWORK_MAX, "unknown");
		return;
	}
	if (memcmp(a, mapped, sizeof(mapped)) == 0) {
		snprintf(out, NETWORK_MAX, "%d.%d.%d.0/24", a[12], a[13], a[14]);
		return;
	}
	memset(a + 6, 0, sizeof(a) - 6);
	snprintf(out, NETWORK_MAX, "%s/48", inet_ntop(AF_INET6, a, text, sizeof(text)));
}

static void
visitor_network(struct serve *s, struct evhttp_request *req, char out[NETWORK_MAX])
{
	char visitor[PROXY_ADDRESS];
	struct buf headers;

	buf_init(&headers, HEADERS_MAX);
	visit_headers(req, &headers);
	proxies_visitor(s->proxies, connection_peer(req), headers.data != NULL && !headers.over ?
	    headers.data : "", visitor);
	buf_free(&headers);
	network_of(visitor, out);
}

static void
page_away(struct serve *s, struct evhttp_request *req)
{
	reply_header(req, "Retry-After", "30");
	page_word(s, req, 503, "Not now", "This cannot be stored at the moment. Please try again in a "
	    "minute.");
}

/* Hands the act over; page: whose answer it gets. */
static void
consent_send(struct serve *s, struct evhttp_request *req, uint32_t page, const struct consent *c)
{
	const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	struct consents *all = s->consents;
	struct consent sent = *c;
	char network[NETWORK_MAX];
	struct buf b;
	int rc = -1;

	visitor_network(s, req, network);
	sent.network = network;
	buf_init(&b, msg_limit(MSG_CONSENT));
	wire_put(&b, consent, &sent);
	if (all->n < CONSENTS_MAX && !b.over)
		rc = peer_send(s->peer, MSG_CONSENT, ++all->last, &b, -1, -1);
	buf_free(&b);
	if (rc == -1) {
		page_away(s, req);
		return;
	}
	all->at[all->n].req = req;
	all->at[all->n].id = all->last;
	all->at[all->n].act = page;
	all->at[all->n++].until = date_ticks() + CONSENT_MS;
	if (!event_pending(all->tick, EV_TIMEOUT, NULL))
		event_add(all->tick, &tick);
}

/* ---- From core ---- */

static void
consent_answer(struct serve *s, struct evhttp_request *req, uint32_t act, uint32_t done)
{
	if (done == CONSENTED_AWAY)
		page_away(s, req);
	else if (act == CONSENT_LEAVE)
		page_word(s, req, 200, "Done", "You get no more mail of this list.");
	else if (act == CONSENT_CONFIRM && done == CONSENTED_DONE)
		page_word(s, req, 200, "You are subscribed", "Each mail has a link by which you leave "
		    "again.");
	else if (act == CONSENT_CONFIRM)
		page_word(s, req, 410, "This link is used up", "It is good for two days, and once. "
		    "You may have confirmed already; if no mail comes, subscribe again.");
	else
		page_word(s, req, 200, "Look into your mailbox", "A mail is on its way to the address, "
		    "with a link to a page. Press the button there, and you are subscribed. "
		    "At most one such mail a day is sent.");
}

void
consents_back(struct serve *s, const struct frame *f)
{
	struct consents *all = s->consents;
	struct evhttp_request *req;
	uint32_t done, act;
	struct wire w;

	wire_init(&w, f->data, f->len);
	done = wire_u32(&w);
	if (wire_end(&w) == -1)
		fatal("core's CONSENTED is malformed");
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i].id == f->id) {
			req = all->at[i].req;
			act = all->at[i].act;
			all->at[i] = all->at[--all->n];
			consent_answer(s, req, act, done);
			return;
		}
}

static void
consents_end(struct consents *all, int64_t before)
{
	struct evhttp_request *req;

	for (size_t i = 0; i < all->n;)
		if (all->at[i].until <= before) {
			req = all->at[i].req;
			all->at[i] = all->at[--all->n];
			page_away(all->serve, req);
		} else
			i++;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval tick = { .tv_usec = TICK_MS * 1000 };
	struct consents *all = arg;

	(void)fd;
	(void)what;
	consents_end(all, date_ticks());
	if (all->n > 0)
		event_add(all->tick, &tick);
}

void
consents_stop(struct serve *s)
{
	consents_end(s->consents, INT64_MAX);
}

void
consents_open(struct serve *s)
{
	struct consents *all = s->consents = xcalloc(1, sizeof(*all));

	all->serve = s;
	all->tick = evtimer_new(s->base, on_tick, all);
	/* Answers to a serve before this one have other ids. */
	if (all->tick == NULL || getrandom(&all->last, sizeof(all->last), 0) != sizeof(all->last))
		fatal("no timer, or no random numbers");
}

void
consents_close(struct serve *s)
{
	event_free(s->consents->tick);
	free(s->consents);
}

/* ---- Requests ---- */

/* The path behind its first two slashes. */
static const char *
path_rest(const char *path)
{
	return strchr(path + 1, '/') + 1;
}

static int
is_post(struct evhttp_request *req)
{
	return evhttp_request_get_command(req) == EVHTTP_REQ_POST;
}

/* The title of a route to which readers can subscribe, copied. 0: there is none; -1: the database cannot
 * be read. */
static int
route_title(struct serve *s, const char *route, struct buf *title)
{
	int rc;

	if (reader_ask(s->reader, LOOK_SUBSCRIBE, DB_TEXT(route)) == -1)
		return -1;
	if ((rc = reader_step(s->reader)) == 1) {
		buf_str(title, reader_text(s->reader, 0));
		if (title->len == 0)
			buf_str(title, route);
	}
	reader_done(s->reader);
	return rc;
}

/* A value of the form without spaces around it; "": there is none. */
static char *
form_value(struct evkeyvalq *form, const char *name)
{
	const char *s = evhttp_find_header(form, name);
	size_t n;

	if (s == NULL)
		s = "";
	while (*s != '\0' && text_space((unsigned char)*s))
		s++;
	for (n = strlen(s); n > 0 && text_space((unsigned char)s[n - 1]);)
		n--;
	return xstrndup(s, n);
}

/* A filled form: an address of wrong form is told, since that says nothing of who subscribes. */
static void
form_take(struct serve *s, struct evhttp_request *req, const char *route, const char *title,
    struct evkeyvalq *form)
{
	char *address = form_value(form, "address"), *trap = form_value(form, TRAP), why[128];
	struct consent c = { .act = trap[0] != '\0' ? CONSENT_NOTHING : CONSENT_ASK, .route = route,
		.address = address };

	if (mailbox_check(address, why, sizeof(why)) == -1)
		page_form(s, req, title, why);
	else
		consent_send(s, req, CONSENT_ASK, &c);
	free(address);
	free(trap);
}

static void
form_read(struct serve *s, struct evhttp_request *req, const char *route, const char *title)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	struct evkeyvalq form;
	const char *text;

	if (evbuffer_get_length(in) > FORM_MAX) {
		reply_error(s, req, 413, "the form is too large");
		return;
	}
	if (evbuffer_add(in, "", 1) == -1 || (text = (char *)evbuffer_pullup(in, -1)) == NULL)
		fatal("no memory for a form");
	if (evhttp_parse_query_str(text, &form) == -1) {
		page_form(s, req, title, "the form cannot be read");
		return;
	}
	form_take(s, req, route, title, &form);
	evhttp_clear_headers(&form);
}

void
page_subscribe(struct serve *s, struct evhttp_request *req, const char *path)
{
	const char *route = path_rest(path);
	struct buf title;
	int rc;

	buf_init(&title, PAGE_MAX / 4);
	rc = route_title(s, route, &title);
	if (rc == -1)
		page_away(s, req);
	else if (rc == 0)
		reply_error(s, req, 404, "there is nothing to subscribe to at %s", path);
	else if (is_post(req))
		form_read(s, req, route, title.data);
	else
		page_form(s, req, title.data, NULL);
	buf_free(&title);
}

/* The act of a token; one that is no token takes as long. */
static void
token_send(struct serve *s, struct evhttp_request *req, const char *text, uint32_t act)
{
	unsigned char token[16];
	struct consent c = { .act = act };

	if (text_base32_read(token, text, strlen(text)) == 0)
		c.token = (struct bytes){ (const char *)token, sizeof(token) };
	else
		c.act = CONSENT_NOTHING;
	consent_send(s, req, act, &c);
}

void
page_confirm(struct serve *s, struct evhttp_request *req, const char *path)
{
	if (is_post(req))
		token_send(s, req, path_rest(path), CONSENT_CONFIRM);
	else
		page_button(s, req, "Yes, subscribe me");
}

void
page_leave(struct serve *s, struct evhttp_request *req, const char *path)
{
	if (is_post(req))
		token_send(s, req, path_rest(path), CONSENT_LEAVE);
	else
		page_button(s, req, "Send me no more mail");
}

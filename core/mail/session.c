/* One connection to the mail server, by libcurl: logs in, sends messages, and follows the dialogue, since
 * libcurl's own errors do not tell which command a server refused. */
#include "session.h"
#include "smtp_reply.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/redact.h"
#include "base/shown.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS	300000L		/* until logged in (RFC 5321 4.5.3.2.1) */
#define TRY_MS		30000L		/* the same, with somebody waiting for it */
#define REPLY_S		600L		/* for a reply, and without progress (RFC 5321 4.5.3.2.6) */
#define REPLY_LINES	200		/* of one reply */
#define SOCKETS		8		/* open at once, while addresses are tried */
#define IDLE_MS		5000		/* a connection that ends after so long ended for that */
#define MASK		"***"

struct offers {
	int		 login;		/* of a kind that our secret is of use for */
	int		 utf8;
	uint64_t	 size;		/* bytes of a message, at most; 0: no limit is told */
};

struct session {
	char		*url, *user, *secret, *ca;
	int		 token, plain, tls_first;
	uint32_t	 limit;		/* messages of one connection, at most; learnt downwards */
	struct redact	*redact;
	struct buf	 words;		/* of redact */
	CURL		*curl;		/* NULL: no connection */
	char		 said[CURL_ERROR_SIZE];
	int		 socket[SOCKETS];	/* those open; -1 */

	/* The connection. */
	int		 open;		/* libcurl may use it again */
	uint32_t	 sent;		/* messages that went over it */
	int64_t		 rested;	/* when the last one was answered, ticks */
	struct offers	 offers;

	/* The message under way. */
	const struct letter *letter;	/* NULL: session_try() */
	size_t		 at;		/* bytes of it that libcurl has read */
	size_t		 size;		/* bytes of it on the wire */
	struct outcome	*to;
	struct reply	 last;
	struct buf	 text;		/* of the last reply */
	unsigned	 lines;		/* of it */
	int		 whole;		/* its last line is there */
	int		 secure;	/* the next EHLO is the last one */
	int		 parting;	/* QUIT was sent */
};

void
outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->reply, 8 * SESSION_REPLY);
	buf_init(&o->offers, SESSION_OFFERS);
	buf_init(&o->tls, SESSION_REPLY);
	buf_init(&o->dialogue, SESSION_DIALOGUE);
}

void
outcome_free(struct outcome *o)
{
	buf_free(&o->reply);
	buf_free(&o->offers);
	buf_free(&o->tls);
	buf_free(&o->dialogue);
}

/* ---- What is shown ---- */

/* Adds a line of the server's without secrets that it repeats, and harmless. */
static void
put_shown(const struct session *s, struct buf *to, const char *text, size_t n)
{
	struct buf b;

	buf_init(&b, 64u << 10);
	redact_put(s->redact, text, n, &b);
	if (b.data != NULL)
		shown_add(to, b.data, b.len, 0);
	buf_free(&b);
}

static void
put_dialogue(const struct session *s, const char *before, const char *line, size_t n)
{
	struct buf one;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	buf_init(&one, SESSION_DIALOGUE);
	buf_str(&one, before);
	put_shown(s, &one, line, n);
	buf_char(&one, '\n');
	if (!one.over)
		buf_add(&s->to->dialogue, one.data, one.len);
	buf_free(&one);
}

/* ---- The dialogue, as libcurl has it ---- */

static int
begins(const char *s, size_t n, const char *with)
{
	return n >= strlen(with) && memcmp(s, with, strlen(with)) == 0;
}

/* Follows the commands. What is sent between AUTH and MAIL is secret. */
static void
on_command(struct session *s, const char *line, size_t n)
{
	static const struct { const char *command; enum mail_stage stage; } commands[] = {
		{ "EHLO ", MAIL_AT_HELLO }, { "HELO ", MAIL_AT_HELLO },
		{ "STARTTLS\r\n", MAIL_AT_TLS }, { "AUTH ", MAIL_AT_LOGIN },
		{ "MAIL FROM:", MAIL_AT_SENDER }, { "RCPT TO:", MAIL_AT_RECIPIENT },
		{ "DATA\r\n", MAIL_AT_DATA },
	};
	size_t shown = n, i;

	s->parting |= begins(line, n, "QUIT\r\n");
	if (s->parting)
		return;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (begins(line, n, commands[i].command))
			break;
	if (i < sizeof(commands) / sizeof(commands[0]))
		s->last.stage = commands[i].stage;
	s->last.code = 0;
	s->whole = 1;
	if (s->last.stage == MAIL_AT_HELLO)
		s->offers = (struct offers){ 0 };
	if (s->last.stage == MAIL_AT_LOGIN) {
		shown = begins(line, n, "AUTH ") ? 5 + strcspn(line + 5, " \r\n") : 0;
		put_dialogue(s, shown == 0 ? "> " MASK : "> ", line, shown);
		return;
	}
	put_dialogue(s, "> ", line, n);
}

static int
on_debug(CURL *c, curl_infotype type, char *data, size_t n, void *arg)
{
	static const char tls[] = "SSL connection using ";
	struct session *s = arg;

	(void)c;
	if (s->to == NULL)
		return 0;
	if (type == CURLINFO_HEADER_OUT)
		on_command(s, data, n);
	else if (type == CURLINFO_TEXT && begins(data, n, tls) && s->to->tls.len == 0)
		shown_add(&s->to->tls, data + strlen(tls),
		    n - strlen(tls) - (data[n - 1] == '\n'), 0);
	return 0;
}

/* A line of the reply to EHLO behind its first one. libcurl knows keywords in capitals alone. */
static void
on_offer(struct session *s, const char *text, size_t n)
{
	static const char *const password[] = { "PLAIN", "LOGIN" };
	static const char *const token[] = { "XOAUTH2", "OAUTHBEARER" };
	char *line = xstrndup(text, n), *rest = line, *word;
	const char *key = strsep(&rest, " ");

	shown_add(&s->to->offers, text, n, 0);
	buf_char(&s->to->offers, '\n');
	if (strcmp(key, "SMTPUTF8") == 0)
		s->offers.utf8 = 1;
	else if (strcasecmp(key, "SIZE") == 0 && rest != NULL)
		s->offers.size = strtoull(rest, NULL, 10);
	else if (strcmp(key, "AUTH") == 0)
		while ((word = strsep(&rest, " ")) != NULL)
			for (size_t i = 0; i < 2; i++)
				s->offers.login |= strcmp(word, (s->token ? token : password)[i]) == 0;
	free(line);
}

/* What the message needs and the server lacks. */
static enum mail_lack
lack(const struct session *s)
{
	if (s->user != NULL && !s->offers.login)
		return MAIL_LACKS_LOGIN;
	if (s->letter != NULL && s->letter->wide && !s->offers.utf8)
		return MAIL_LACKS_UTF8;
	if (s->letter != NULL && s->offers.size != 0 && s->size > s->offers.size)
		return MAIL_LACKS_SIZE;
	return MAIL_LACKS_NOTHING;
}

/* Nothing more is read: libcurl sends QUIT, and does not wait for the answer to it. */
static void
stop_reading(const struct session *s)
{
	for (size_t i = 0; i < SOCKETS; i++)
		if (s->socket[i] != -1)
			shutdown(s->socket[i], SHUT_RD);
}

/* A whole reply. 0; -1: the attempt ends here. */
static int
on_reply(struct session *s)
{
	struct reply *r = &s->last;

	if (r->stage == MAIL_AT_HELLO && r->code == 250 && s->secure)
		r->lacks = lack(s);
	if (r->stage == MAIL_AT_TLS && r->code == 220)
		s->secure = 1;
	if (r->stage == MAIL_AT_DATA && r->code == 354) {
		r->stage = MAIL_AT_TEXT;
		r->code = 0;
	}
	if (r->stage >= MAIL_AT_SENDER && r->stage < MAIL_AT_TEXT && r->code >= 400)
		stop_reading(s);
	return r->lacks == MAIL_LACKS_NOTHING ? 0 : -1;
}

static size_t
on_line(char *line, size_t size, size_t n, void *arg)
{
	struct session *s = arg;
	const char *text;
	size_t len;
	int first;

	(void)size;
	if (s->parting || s->to == NULL)
		return n;
	if (s->last.stage == MAIL_AT_CONNECT)
		s->last.stage = MAIL_AT_GREETING;
	put_dialogue(s, "< ", line, n);
	first = s->whole;
	if (first) {
		buf_clear(&s->text);
		s->lines = 0;
	}
	s->whole = reply_line(&s->last, line, n, &text, &len);
	if (!first && s->last.stage == MAIL_AT_HELLO)
		on_offer(s, text, len);
	if (len > 0 && s->text.len < SESSION_REPLY) {
		if (s->text.len > 0)
			buf_char(&s->text, ' ');
		buf_add(&s->text, text, len < SESSION_REPLY ? len : SESSION_REPLY);
	}
	if (++s->lines > REPLY_LINES || (s->whole && on_reply(s) == -1))
		return 0;
	return n;
}

static size_t
on_read(char *to, size_t size, size_t n, void *arg)
{
	struct session *s = arg;
	const size_t left = s->letter->len - s->at;

	(void)size;
	if (n > left)
		n = left;
	memcpy(to, s->letter->text + s->at, n);
	s->at += n;
	return n;
}

/* ---- The connection ---- */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct session *s = arg;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	(void)purpose;
	for (size_t i = 0; i < SOCKETS && fd != -1; i++)
		if (s->socket[i] == -1) {
			s->socket[i] = fd;
			break;
		}
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

static int
close_socket(void *arg, curl_socket_t fd)
{
	struct session *s = arg;

	for (size_t i = 0; i < SOCKETS; i++)
		if (s->socket[i] == fd)
			s->socket[i] = -1;
	return close(fd);
}

static CURL *
handle_new(struct session *s, long connect_ms)
{
	CURL *c = curl_easy_init();

	if (c == NULL)
		fatal("curl does not start");
	curl_easy_setopt(c, CURLOPT_URL, s->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->said);
	curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);	/* or on_debug() is not called */
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, s);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_line);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, s);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(c, CURLOPT_READDATA, s);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, s);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, s);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, REPLY_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, REPLY_S);
	curl_easy_setopt(c, CURLOPT_USE_SSL, s->plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
	if (s->ca != NULL)
		curl_easy_setopt(c, CURLOPT_CAINFO, s->ca);
	if (s->user == NULL)
		return c;
	curl_easy_setopt(c, CURLOPT_USERNAME, s->user);
	curl_easy_setopt(c, s->token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD, s->secret);
	curl_easy_setopt(c, CURLOPT_LOGIN_OPTIONS, s->token ? "AUTH=XOAUTH2;AUTH=OAUTHBEARER" :
	    "AUTH=PLAIN;AUTH=LOGIN");
	curl_easy_setopt(c, CURLOPT_SASL_IR, 1L);
	return c;
}

static void
connection_end(struct session *s)
{
	if (s->curl == NULL)
		return;
	stop_reading(s);
	s->parting = 1;
	curl_easy_cleanup(s->curl);
	s->curl = NULL;
	s->open = 0;
	s->sent = 0;
}

struct session *
session_new(const struct mail_start *start)
{
	struct session *s = xcalloc(1, sizeof(*s));

	if (start->url == NULL || start->hello == NULL)
		fatal("core sent a malformed MAIL_START");
	s->url = xasprintf("%s/%s", start->url, start->hello);
	s->user = start->user != NULL ? xstrdup(start->user) : NULL;
	s->secret = xstrdup(start->password != NULL ? start->password : "");
	s->ca = start->ca != NULL ? xstrdup(start->ca) : NULL;
	s->token = start->token != 0;
	s->plain = start->plain != 0;
	s->tls_first = strncmp(start->url, "smtps:", 6) == 0;
	s->limit = start->per_connection > 0 ? start->per_connection : 1;
	buf_init(&s->words, msg_limit(MSG_MAIL_START));
	buf_add(&s->words, s->secret, strlen(s->secret) + 1);
	buf_add(&s->words, MASK, sizeof(MASK));
	s->redact = redact_new((struct bytes){ s->words.data, s->words.len });
	buf_init(&s->text, 4 * SESSION_REPLY);
	for (size_t i = 0; i < SOCKETS; i++)
		s->socket[i] = -1;
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	connection_end(s);
	redact_free(s->redact);
	buf_forget(&s->words);
	buf_free(&s->text);
	explicit_bzero(s->secret, strlen(s->secret));
	free(s->secret);
	free(s->url);
	free(s->user);
	free(s->ca);
	free(s);
}

/* ---- What became of it ---- */

static void
explain(struct session *s, struct buf *to)
{
	static const char *const stages[] = {
		[MAIL_AT_CONNECT] = "connecting", [MAIL_AT_GREETING] = "the greeting",
		[MAIL_AT_HELLO] = "EHLO", [MAIL_AT_TLS] = "STARTTLS", [MAIL_AT_LOGIN] = "AUTH",
		[MAIL_AT_SENDER] = "MAIL", [MAIL_AT_RECIPIENT] = "RCPT", [MAIL_AT_DATA] = "DATA",
		[MAIL_AT_TEXT] = "the message",
	};
	const struct reply *r = &s->last;

	if (r->lacks == MAIL_LACKS_LOGIN)
		buf_str(to, s->token ? "the server offers no login by XOAUTH2 or OAUTHBEARER" :
		    "the server offers no login by PLAIN or LOGIN");
	else if (r->lacks == MAIL_LACKS_UTF8)
		buf_str(to, "the server takes no such address: it does not offer SMTPUTF8");
	else if (r->lacks == MAIL_LACKS_SIZE)
		buf_fmt(to, "the message has %zu bytes, the server takes %llu", s->size,
		    (unsigned long long)s->offers.size);
	else if (r->stage == MAIL_AT_HELLO && r->curl == CURLE_USE_SSL_FAILED)
		buf_str(to, "the server does not offer STARTTLS");
	else if (r->code == 334)		/* the reason is in it, encoded */
		buf_str(to, "the server refuses the token");
	else if (r->code >= 400 || r->curl == CURLE_OK || r->curl == CURLE_LOGIN_DENIED) {
		if (r->code != 0)
			buf_fmt(to, "%u ", r->code);
		if (r->enhanced[0] != 0 && r->code != 0)
			buf_fmt(to, "%u.%u.%u ", r->enhanced[0], r->enhanced[1], r->enhanced[2]);
		if (s->text.data != NULL)
			put_shown(s, to, s->text.data, s->text.len);
	} else {
		buf_fmt(to, "at %s: ", stages[r->stage]);
		put_shown(s, to, s->said[0] != '\0' ? s->said :
		    curl_easy_strerror((CURLcode)r->curl), strlen(s->said[0] != '\0' ? s->said :
		    curl_easy_strerror((CURLcode)r->curl)));
	}
}

static void
conclude(struct session *s, enum mail_class class)
{
	struct outcome *o = s->to;

	o->class = class;
	o->code = s->last.lacks == MAIL_LACKS_NOTHING ? s->last.code : 0;
	explain(s, &o->reply);
	s->to = NULL;
	s->letter = NULL;
}

/* ---- Sending ---- */

static void
begin(struct session *s)
{
	s->at = 0;
	s->last = (struct reply){ .stage = MAIL_AT_CONNECT };
	buf_clear(&s->text);
	s->said[0] = '\0';
	s->lines = 0;
	s->whole = 1;
	s->parting = 0;
	s->secure = s->plain || s->tls_first;
}

/* Bytes of a message with the dots that are doubled (RFC 5321 4.5.2). libcurl counts these as well: when
 * it has written the size that it was told it stops, and leaves out what it has not read. */
static size_t
wire_size(const struct letter *l)
{
	size_t n = l->len;

	for (size_t i = 0; i < l->len; i++)
		n += l->text[i] == '.' && (i == 0 || l->text[i - 1] == '\n');
	return n;
}

/* A server that ends a connection in the midst of work takes so many messages over one, and no more. */
static void
learn(struct session *s)
{
	if (s->sent == 0 || s->sent >= s->limit || date_ticks() - s->rested >= IDLE_MS)
		return;
	s->limit = s->sent;
	log_info("the mail server takes %u messages over one connection", s->limit);
}

/* One attempt, over the connection that there is, or a new one. */
static void
attempt(struct session *s)
{
	struct curl_slist *to = curl_slist_append(NULL, s->letter->recipient);
	CURL *c = s->curl != NULL ? s->curl : (s->curl = handle_new(s, CONNECT_MS));
	long connects = 0;

	begin(s);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, s->letter->sender[0] != '\0' ? s->letter->sender : NULL);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->size);
	s->last.curl = (int)curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
	s->last.used = connects == 0 && s->open;
	if (s->last.used && s->last.stage == MAIL_AT_CONNECT)
		s->last.stage = MAIL_AT_SENDER;
	if (s->last.used)
		return;
	if (s->open)		/* libcurl saw that it had ended */
		learn(s);
	s->sent = 0;
}

void
session_send(struct session *s, const struct letter *letter, struct outcome *o)
{
	const struct reply none = { .stage = MAIL_AT_SENDER };

	s->letter = letter;
	s->size = wire_size(letter);
	s->to = o;
	if (s->open && (s->last = none, s->last.lacks = lack(s)) != MAIL_LACKS_NOTHING) {
		conclude(s, reply_class(&s->last));
		return;
	}
	attempt(s);
	if (reply_closed(&s->last)) {
		if (s->last.used)
			learn(s);
		connection_end(s);
		attempt(s);
	}
	if (reply_few(&s->last))
		learn(s);
	s->open = s->last.stage == MAIL_AT_TEXT && s->last.code != 0 && s->last.code != 421;
	s->sent = s->open ? s->sent + 1 : 0;
	s->rested = date_ticks();
	conclude(s, reply_class(&s->last));
}

void
session_rest(struct session *s)
{
	if (!s->open || s->sent >= s->limit)
		connection_end(s);
}

void
session_try(struct session *s, struct outcome *o)
{
	CURL *c = handle_new(s, TRY_MS);
	size_t sent;

	s->to = o;
	begin(s);
	curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	s->last.curl = (int)curl_easy_perform(c);
	conclude(s, s->last.curl == CURLE_OK ? MAIL_ACCEPTED : reply_class(&s->last));
	s->parting = 1;
	if (s->last.curl == CURLE_OK)	/* libcurl parts from such a connection without a word */
		(void)curl_easy_send(c, "QUIT\r\n", 6, &sent);
	stop_reading(s);
	curl_easy_cleanup(c);
}

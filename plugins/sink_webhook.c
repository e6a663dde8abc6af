/* sink_webhook: sends records as signed webhooks (Standard Webhooks 1.0.0), one request after the
 * other, so that they arrive in order. */
#include "hook/hook.h"
#include "out/out.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES_MAX	32		/* entries of `retry` */
#define HOST_SHOWN	200		/* bytes of a host's name in a reason */
#define ID_MAX		128		/* bytes of a webhook-id */
#define DAY		INT64_C(86400000)
#define TURN_MAX	16		/* messages that are handed out together */
#define TURN_MS		INT64_C(2000)	/* that they may take, by what those before took: their times
					 * are signed */
#define TURN_OLD	INT64_C(240000)	/* ms that the last may have to wait for the others */

struct message {
	struct text	 text, lines;
	size_t		 n;		/* records in it */
};
struct webhook {
	const char		*url, *secret, *bearer;
	const char *const	*headers;
	int			 method;
	const char		*body, *content_type;
	int64_t			 batch, timeout;
	const char *const	*retry;
	/* ours */
	struct sign		*sign;
	int64_t			 delay[RETRIES_MAX];
	size_t			 ndelays;
	struct message		 message[TURN_MAX];
	size_t			 turn;		/* so many together next time */
	char			 host[HOST_SHOWN];	/* of url, for people: the rest may be secret */
};

static const char *const methods[] = { "POST", "PUT", "PATCH" };

static const struct cr_option options[] = {
	CR_OPTION(struct webhook, url, URL, NULL, NULL, "where to send; url_file when it is secret"),
	CR_OPTION(struct webhook, secret, SECRET, "", NULL,
	    "keys to sign with, one or several: whsec_BASE64 or raw:TEXT"),
	CR_OPTION(struct webhook, bearer, SECRET, "", NULL, "token for an Authorization header"),
	CR_OPTION(struct webhook, headers, LIST, "", NULL, "more headers, a map"),
	CR_OPTION(struct webhook, method, ENUM, "POST", "POST|PUT|PATCH", "HTTP method"),
	CR_OPTION(struct webhook, body, STRING, "json", NULL,
	    "json, mattermost, slack, discord, or a template with {title}, {link}, ..."),
	CR_OPTION(struct webhook, content_type, STRING, "application/json", NULL,
	    "Content-Type of the body"),
	CR_OPTION(struct webhook, batch, INT, "1", "1..32", "records of one message, at most"),
	CR_OPTION(struct webhook, timeout, DURATION, "20 s", "1 s..10 min",
	    "for one request, its answer included"),
	CR_OPTION(struct webhook, retry, LIST, "5 s|5 min|30 min|2 h|5 h|10 h|14 h|20 h|24 h", NULL,
	    "delays before each further try of a message; then it is a dead letter"),
	CR_END
};

/* ---- Options ---- */

/* "5 s", "30 min", "2 h" in ms; -1: not one of these, or over a day. */
static int64_t
duration(const char *s)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "min", 60000 }, { "h", 3600000 }, { "d", DAY },
	};
	char *end;
	long n = strtol(s, &end, 10);
	size_t i;

	if (*s < '0' || *s > '9' || n < 0 || n > DAY)
		return -1;
	end += strspn(end, " ");
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0 && n <= DAY / units[i].ms)
			return n * units[i].ms;
	return n == 0 && *end == '\0' ? 0 : -1;
}

static int
check_retry(struct cr *cr, const struct webhook *o)
{
	for (size_t i = 0; o->retry != NULL && o->retry[i] != NULL; i++) {
		if (i == RETRIES_MAX)
			return cr->fail(cr, CR_BAD_OPTION, "retry: more than %d delays",
			    RETRIES_MAX);
		if (duration(o->retry[i]) == -1)
			return cr->fail(cr, CR_BAD_OPTION, "retry: \"%s\" is no delay of up to a "
			    "day, such as 5 s, 30 min, 2 h", o->retry[i]);
	}
	return 0;
}

/* A header's line may hold no control, and its name is a token (RFC 9110 5.6.2). */
static int
line_good(const char *name, size_t len, const char *value)
{
	static const char token[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "!#$%&'*+-.^_`|~";
	size_t i;

	if (len == 0 || strspn(name, token) < len)
		return 0;
	for (i = 0; value[i] != '\0'; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return 0;
	return 1;
}

static int
check_headers(struct cr *cr, const struct webhook *o)
{
	const char *equals;

	for (size_t i = 0; o->headers != NULL && o->headers[i] != NULL; i++) {
		equals = strchr(o->headers[i], '=');
		if (equals == NULL || !line_good(o->headers[i], (size_t)(equals - o->headers[i]),
		    equals + 1))
			return cr->fail(cr, CR_BAD_OPTION, "headers: entry %zu is no header: say "
			    "{ NAME: VALUE }", i + 1);
	}
	if (!line_good("Content-Type", 12, o->content_type))
		return cr->fail(cr, CR_BAD_OPTION, "content_type: controls cannot be in a header");
	if (o->bearer != NULL && !line_good("Authorization", 13, o->bearer))
		return cr->fail(cr, CR_BAD_OPTION, "bearer: one line is wanted");
	return 0;
}

static int
check_body(struct cr *cr, const struct webhook *o)
{
	char name[32];

	if (body_preset(o->body) == NULL && strchr(o->body, '{') == NULL)
		return cr->fail(cr, CR_BAD_OPTION, "body: \"%s\" is none of json, mattermost, slack, "
		    "discord, and no template: those hold names such as {title}", o->body);
	if (body_unknown(o->body, name))
		return cr->fail(cr, CR_BAD_OPTION, "body: there is no {%s}; there are {json}, {id}, "
		    "{title}, {link}, {source}, {summary}, {content}, {published}, {authors}, "
		    "{categories}, ...", name);
	return 0;
}

static int
check(struct cr *cr, const void *opts)
{
	const struct webhook *o = opts;
	struct sign *s;
	const char *why;

	if (strncmp(o->url, "https://", 8) != 0 && strncmp(o->url, "http://", 7) != 0)
		return cr->fail(cr, CR_BAD_OPTION, "url: https://... or http://... is wanted");
	/* Where secrets are only named, they are looked at when they are used. */
	if (o->secret != NULL && strncmp(o->secret, "{secret:", 8) != 0) {
		s = sign_new(o->secret, &why);
		sign_free(s);
		if (s == NULL)
			return cr->fail(cr, CR_BAD_OPTION, "secret: %s", why);
	}
	if (check_headers(cr, o) != 0 || check_body(cr, o) != 0)
		return -1;
	return check_retry(cr, o);
}

/* ---- Opening ---- */

static void
close_(struct cr *cr, void *opts)
{
	struct webhook *o = opts;

	(void)cr;
	sign_free(o->sign);
	o->sign = NULL;
	for (size_t i = 0; i < TURN_MAX; i++) {
		text_free(&o->message[i].text);
		text_free(&o->message[i].lines);
	}
}

static int
open_(struct cr *cr, void *opts)
{
	struct webhook *o = opts;
	const char *host = strstr(o->url, "://") + 3, *why;
	size_t len = strcspn(host, "/?#"), i;

	if (memchr(host, '@', len) != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "url: holds a user; say `bearer` or `headers`");
	snprintf(o->host, sizeof(o->host), "%.*s", (int)(len < HOST_SHOWN ? len : HOST_SHOWN - 1),
	    host);
	for (i = 0; o->retry != NULL && o->retry[i] != NULL && i < RETRIES_MAX; i++)
		o->delay[i] = duration(o->retry[i]);
	o->ndelays = i;
	o->turn = 1;
	if (o->secret != NULL && strncmp(o->secret, "{secret:", 8) == 0)
		return cr->fail(cr, CR_BAD_OPTION, "secret: signing needs the key itself: add "
		    "sink_webhook to `allow:`");
	o->sign = sign_new(o->secret, &why);
	return o->sign != NULL ? 0 : cr->fail(cr, CR_BAD_OPTION, "secret: %s", why);
}

/* ---- One message ---- */

/* The id of a message: the delivery's; of several records, of the first and how many, so that a
 * message under the same id is the same message. */
static void
message_id(struct cr *cr, const struct cr_record *const *items, size_t n, char id[ID_MAX])
{
	const char *value = json_member(cr->json(items[0]), "id");
	int len = value != NULL && *value == '"' ? (int)strcspn(value + 1, "\"") : 0;

	if (n == 1)
		snprintf(id, ID_MAX, "%.*s", len, len > 0 ? value + 1 : "");
	else
		snprintf(id, ID_MAX, "%.*s-b%zu", len, len > 0 ? value + 1 : "", n);
}

static void
line(struct text *t, const char *name, const char *value)
{
	text_str(t, name);
	text_str(t, value);
	text_str(t, "\n");
}

/* The request's headers. -1: the signature failed. */
static int
message_lines(struct cr *cr, const struct webhook *o, struct message *m, const char *id)
{
	char text[ID_MAX + 128], signature[SIGN_MAX + 1];
	int64_t now = cr->now(cr) / 1000;
	const char *equals;

	text_clear(&m->lines);
	if (sign(o->sign, id, now, m->text.data, m->text.len, signature) == -1)
		return -1;
	snprintf(text, sizeof(text), "webhook-id: %s\nwebhook-timestamp: %" PRId64 "\n", id, now);
	text_str(&m->lines, text);
	if (signature[0] != '\0')
		line(&m->lines, "webhook-signature: ", signature);
	line(&m->lines, "Content-Type: ", o->content_type);
	if (o->bearer != NULL)
		line(&m->lines, "Authorization: Bearer ", o->bearer);
	for (size_t i = 0; o->headers != NULL && o->headers[i] != NULL; i++) {
		equals = strchr(o->headers[i], '=');
		text_add(&m->lines, o->headers[i], (size_t)(equals - o->headers[i]));
		line(&m->lines, ": ", equals + 1);
	}
	return 0;
}

/* Writes n records as one message. -1: it cannot be; fail() or retry() was called. */
static int
message_write(struct cr *cr, const struct webhook *o, struct message *m,
    const struct cr_record *const *items, size_t n)
{
	const char *preset = body_preset(o->body);
	enum body_escape how = body_escape_for(o->content_type);
	char id[ID_MAX];

	m->n = n;
	text_clear(&m->text);
	body_write(&m->text, cr, preset != NULL ? preset : o->body, preset != NULL ? BODY_JSON : how,
	    items, n, o->batch > 1 && (preset != NULL || how == BODY_JSON), body_joins(o->body));
	message_id(cr, items, n, id);
	if (message_lines(cr, o, m, id) == -1)
		return cr->retry(cr, -1, "the message could not be signed");
	if (m->text.bad || m->lines.bad)
		return cr->retry(cr, -1, "no memory for a message");
	return 0;
}

/* How many messages go together after k took so many ms: none is to wait so long that its time no
 * longer counts. */
static size_t
turn_next(const struct webhook *o, size_t k, int64_t ms)
{
	int64_t each = ms / (int64_t)k + 1, n = TURN_MS / each, most = TURN_OLD / o->timeout;

	n = n < most ? n : most;
	return n < 1 ? 1 : n > TURN_MAX ? TURN_MAX : (size_t)n;
}

/* Sends k messages, each once the one before was taken. Returns how many were; *rs: the answer to the
 * one that was not. -1: they cannot be sent; fail() was called. */
static int
turn_send(struct cr *cr, struct webhook *o, size_t k, struct cr_response *rs)
{
	struct cr_request rq[TURN_MAX];
	struct cr_response all[TURN_MAX];
	int64_t begun = cr->now(cr);
	size_t i;

	for (i = 0; i < k; i++) {
		rq[i] = (struct cr_request){ .size = sizeof(rq[i]), .url = o->url,
			.method = methods[o->method], .timeout = o->timeout, .in_turn = 1,
			.headers = o->message[i].lines.data, .body = o->message[i].text.data,
			.len = o->message[i].text.len };
		all[i] = (struct cr_response){ .size = sizeof(all[i]) };
	}
	if (cr->http(cr, rq, all, k) < 0)
		return cr->fail(cr, CR_BAD_DATA,
		    "the daemon sends nothing for this plugin: see its log");
	for (i = 0; i < k && all[i].status >= 200 && all[i].status < 300; i++)
		;
	o->turn = i < k ? 1 : turn_next(o, k, cr->now(cr) - begun);
	if (i < k)
		*rs = all[i];
	return (int)i;
}

/* ---- What an answer means ---- */

/* A tenth more at most, other for each message, so that not all come back at once. */
static int64_t
jitter(const struct message *m, int64_t ms)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < m->lines.len && m->lines.data[i] != '\n'; i++)
		h = (h ^ (unsigned char)m->lines.data[i]) * 16777619u;
	return ms + ms / 10 * (h % 100) / 100;
}

static void
reason(const struct webhook *o, const struct cr_response *rs, char *out, size_t size)
{
	if (rs->status == 0)
		snprintf(out, size, "%.200s: %.400s", o->host, rs->error);
	else if (rs->status >= 300 && rs->status < 400)
		snprintf(out, size, "%.200s: status %d, a redirect, which a webhook does not follow: "
		    "change `url`", o->host, rs->status);
	else
		snprintf(out, size, "%.200s: status %d", o->host, rs->status);
}

/* Says what is to become of a message that was not taken, tried before `attempt` times. */
static void
refused(struct cr *cr, const struct webhook *o, const struct message *m,
    const struct cr_response *rs, int attempt)
{
	char why[800];
	int64_t ms;

	reason(o, rs, why, sizeof(why));
	if (rs->status == 410) {
		cr->fail(cr, CR_GONE, "%s: it wants no more", why);
	} else if (attempt < 0 || (size_t)attempt >= o->ndelays) {
		cr->fail(cr, CR_REJECTED, "%s, tried %d times", why, attempt + 1);
	} else {
		ms = jitter(m, o->delay[attempt]);
		if ((rs->status == 429 || rs->status == 503) && rs->retry_after > ms)
			ms = rs->retry_after;
		cr->retry(cr, ms, "%s", why);
	}
}

/* Writes messages of the next records, as many as may go together. Returns how many; 0: none, and
 * fail() or retry() was called. */
static size_t
turn_write(struct cr *cr, struct webhook *o, const struct cr_record *const *items, size_t left)
{
	size_t k, n;

	for (k = 0; k < o->turn && left > 0; k++, items += n, left -= n) {
		n = left < (size_t)o->batch ? left : (size_t)o->batch;
		if (message_write(cr, o, &o->message[k], items, n) == -1)
			break;
	}
	return k;
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	struct webhook *o = opts;
	int attempt = CR_HAS(batch, attempt) ? batch->attempt : 0;
	struct cr_response rs = { .size = sizeof(rs) };
	size_t i = 0, k;
	int taken;

	while (i < batch->n) {
		if ((k = turn_write(cr, o, batch->items + i, batch->n - i)) == 0 ||
		    (taken = turn_send(cr, o, k, &rs)) == -1)
			break;
		for (int j = 0; j < taken; j++)
			i += o->message[j].n;
		if ((size_t)taken < k) {
			refused(cr, o, &o->message[taken], &rs, i == 0 ? attempt : 0);
			break;
		}
	}
	return i;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "webhook", .version = "1",
	.help = "sends records as signed webhooks (Standard Webhooks)",
	.options = options, .options_size = sizeof(struct webhook),
	.wants = CR_HTTP | CR_SECRETS, .needs = 1,
	.check = check, .open = open_, .close = close_, .deliver = deliver,
};

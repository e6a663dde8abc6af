/* sink_webhook: sends records as signed webhooks (Standard Webhooks 1.0.0), one request after the
 * other, so that they arrive in order. */
#include "shared/delivery.h"
#include "webhook/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOST_SHOWN	200		/* bytes of a host's name in a reason */
#define SEND_MAX	((size_t)64 << 20)	/* bytes of a message that the host sends */
#define REFUSED_TRIES	3		/* of a record that is refused for what it is */
#define MATRIX_EVENT	"/send/m.room.message"	/* the end of a Matrix room's address */
#define TURN_MAX	16		/* messages that are handed out together */
#define TURN_MS		INT64_C(2000)	/* that they may take, by what those before took: their times
					 * are signed */
#define PAUSE_FIRST	INT64_C(500)	/* ms between two messages once the receiver is too slow; doubles
					 * with each such answer... */
#define PAUSE_MAX	INT64_C(16000)	/* ...up to this... */
#define PAUSE_LESS	INT64_C(250)	/* ...and shrinks by this with each message that is taken */
#define TURN_OLD	INT64_C(240000)	/* ms that the last may have to wait for the others */

struct message {
	struct text	 text, lines, url;
	size_t		 n;		/* records in it */
};
struct webhook {
	const char		*url, *secret, *bearer;
	const char *const	*headers;
	int			 method;
	const char		*body, *channel, *content_type;
	int64_t			 batch, timeout;
	const char *const	*retry;
	/* ours */
	struct sign		*sign;
	const struct preset	*preset;	/* NULL: body is a template */
	struct retries		 retries;
	struct message		 message[TURN_MAX];
	size_t			 turn;		/* so many together next time */
	struct culprit		 culprit;
	int64_t			 pause;		/* ms from the end of one request to the next one */
	int64_t			 ended;		/* ticks: when the last request did */
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
	    "json, mattermost, slack, discord, telegram, matrix, ntfy, or a template with {title}, "
	    "{link}, {summary:200}, ..."),
	CR_OPTION(struct webhook, channel, STRING, "", NULL,
	    "channel of the chat, where url does not say it: Telegram's chat"),
	CR_OPTION(struct webhook, content_type, STRING, "application/json", NULL,
	    "Content-Type of the body"),
	CR_OPTION(struct webhook, batch, INT, "1", "1..32", "records of one message, at most"),
	CR_OPTION(struct webhook, timeout, DURATION, "20 s", "1 s..10 min",
	    "for one request, its answer included"),
	CR_OPTION(struct webhook, retry, LIST, RETRIES_USUAL, NULL,
	    "delays before each further try of a message; then it is a dead letter"),
	CR_END
};

/* ---- Options ---- */

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
	const struct preset *preset = preset_find(o->body);
	char why[BODY_WHY];

	if (preset == NULL && strchr(o->body, '{') == NULL)
		return cr->fail(cr, CR_BAD_OPTION,
		    "body: \"%s\" is none of json, mattermost, slack, "
		    "discord, telegram, matrix, ntfy, and no template: those hold names such as "
		    "{title}",
		    o->body);
	if (preset == NULL && body_wrong(o->body, why) == -1)
		return cr->fail(cr, CR_BAD_OPTION, "body: %s", why);
	if (o->channel != NULL && preset != NULL && preset_channel(preset) == NULL)
		return cr->fail(cr, CR_BAD_OPTION, "channel: %s has none: its url says where to",
		    o->body);
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
	return retries_check(cr, o->retry);
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
		text_free(&o->message[i].url);
	}
}

static int
open_(struct cr *cr, void *opts)
{
	struct webhook *o = opts;
	const char *host = strstr(o->url, "://") + 3, *why;
	size_t len = strcspn(host, "/?#");

	if (memchr(host, '@', len) != NULL)
		return cr->fail(cr, CR_BAD_OPTION, "url: holds a user; say `bearer` or `headers`");
	snprintf(o->host, sizeof(o->host), "%.*s", (int)(len < HOST_SHOWN ? len : HOST_SHOWN - 1),
	    host);
	retries_read(&o->retries, o->retry);
	o->turn = 1;
	o->preset = preset_find(o->body);
	if (o->secret != NULL && strncmp(o->secret, "{secret:", 8) == 0)
		return cr->fail(cr, CR_BAD_OPTION, "secret: signing needs the key itself: add "
		    "sink_webhook to `allow:`");
	o->sign = sign_new(o->secret, &why);
	return o->sign != NULL ? 0 : cr->fail(cr, CR_BAD_OPTION, "secret: %s", why);
}

/* ---- One message ---- */

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
	char text[DELIVERY_ID + 128], signature[SIGN_MAX + 1];
	int64_t now = cr->now(cr) / 1000;
	const char *equals;

	text_clear(&m->lines);
	if (sign(o->sign, id, now, m->text.data, m->text.len, signature) == -1)
		return -1;
	snprintf(text, sizeof(text), "webhook-id: %s\nwebhook-timestamp: %" PRId64 "\n", id, now);
	text_str(&m->lines, text);
	if (signature[0] != '\0')
		line(&m->lines, "webhook-signature: ", signature);
	line(&m->lines, "Content-Type: ", body_type(o->preset, o->content_type));
	if (o->bearer != NULL)
		line(&m->lines, "Authorization: Bearer ", o->bearer);
	for (size_t i = 0; o->headers != NULL && o->headers[i] != NULL; i++) {
		equals = strchr(o->headers[i], '=');
		text_add(&m->lines, o->headers[i], (size_t)(equals - o->headers[i]));
		line(&m->lines, ": ", equals + 1);
	}
	return 0;
}

static int
is_matrix(const struct webhook *o)
{
	return o->preset == preset_find("matrix") && strstr(o->url, MATRIX_EVENT) != NULL;
}

/* Where the message goes. A homeserver takes an event once under a transaction's id, which stands
 * at the end of the path. */
static void
message_url(const struct webhook *o, struct message *m, const char *id)
{
	size_t len = strcspn(o->url, "?#");

	text_clear(&m->url);
	text_add(&m->url, o->url, len);
	if (is_matrix(o)) {
		text_str(&m->url, o->url[len - 1] == '/' ? "" : "/");
		text_str(&m->url, id);
	}
	text_str(&m->url, o->url + len);
}

/* Writes n records as one message. -1: it cannot be now; retry() was called. */
static int
message_write(struct cr *cr, const struct webhook *o, struct message *m,
    const struct cr_record *const *items, size_t n)
{
	struct body b = { .cr = cr, .preset = o->preset, .template = o->body,
		.how = body_escape_for(o->preset, o->content_type), .channel = o->channel };
	char id[DELIVERY_ID];

	b.array = o->batch > 1 && (b.preset != NULL || b.how == BODY_JSON);
	m->n = n;
	text_clear(&m->text);
	body_write(&m->text, &b, items, n);
	delivery_id(cr, items, n, id);
	message_url(o, m, id);
	if (message_lines(cr, o, m, id) == -1)
		return cr->retry(cr, -1, "the message could not be signed");
	if (m->text.bad || m->lines.bad || m->url.bad)
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

/* ---- The rate ---- */

static int64_t
ticks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The receiver, or what stands before it, is too slow for what it gets: half the rate. */
static void
rate_halve(struct cr *cr, struct webhook *o, const char *why)
{
	o->pause = o->pause == 0 ? PAUSE_FIRST : 2 * o->pause;
	if (o->pause > PAUSE_MAX)
		o->pause = PAUSE_MAX;
	cr->log(cr, "%s: from now on a pause of %" PRId64 " ms between two messages", why, o->pause);
}

static void
rate_recover(struct cr *cr, struct webhook *o, size_t taken)
{
	const int64_t less = (int64_t)taken * PAUSE_LESS;

	if (o->pause == 0 || taken == 0)
		return;
	o->pause = o->pause > less ? o->pause - less : 0;
	if (o->pause == 0)
		cr->log(cr, "%s takes messages again: no more pause between them", o->host);
}

/* Waits for the rest of the pause. -1: the daemon stops. */
static int
rate_wait(struct cr *cr, const struct webhook *o)
{
	int64_t rest = o->pause > 0 ? o->ended + o->pause - ticks() : 0;

	return rest > 0 ? cr->wait(cr, -1, rest) : 0;
}

/* Sends k messages, each once the one before was taken. Returns how many were; *rs: the answer to the
 * one that was not, *ms: the time that all took. -1: they cannot be sent; fail() was called. */
static int
turn_send(struct cr *cr, struct webhook *o, size_t k, size_t at, struct cr_response *rs, int64_t *ms)
{
	struct cr_request rq[TURN_MAX];
	struct cr_response all[TURN_MAX];
	const int64_t begun = ticks();
	size_t i;

	for (i = 0; i < k; i++) {
		at += o->message[i].n;
		rq[i] = (struct cr_request){ .size = sizeof(rq[i]), .done = at,
			.url = o->message[i].url.data,
			.method = is_matrix(o) ? "PUT" : methods[o->method],
			.timeout = o->timeout, .in_turn = 1,
			.headers = o->message[i].lines.data, .body = o->message[i].text.data,
			.len = o->message[i].text.len };
		all[i] = (struct cr_response){ .size = sizeof(all[i]) };
	}
	if (cr->http(cr, rq, all, k) < 0)
		return cr->fail(cr, CR_BAD_DATA,
		    "the daemon sends nothing for this plugin: see its log");
	for (i = 0; i < k && all[i].status >= 200 && all[i].status < 300; i++)
		;
	o->ended = ticks();
	*ms = o->ended - begun;
	o->turn = i < k ? 1 : turn_next(o, k, *ms);
	if (i < k)
		*rs = all[i];
	return (int)i;
}

/* ---- What an answer means ---- */

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

/* Whether the receiver refuses what it was sent, rather than now or us. A batch that is refused for
 * anything that another one may not be refused for is worth a search. */
static int
is_verdict(const struct webhook *o, const struct cr_response *rs)
{
	static const int not_it[] = { 401, 403, 408, 409, 410, 425, 429 };

	if (rs->status == 400 || rs->status == 413 || rs->status == 422)
		return 1;
	for (size_t i = 0; i < sizeof(not_it) / sizeof(not_it[0]); i++)
		if (rs->status == not_it[i])
			return 0;
	return o->batch > 1 && rs->status >= 400 && rs->status < 500;
}

/* Whether it, or a proxy before it, gets more than it can take. ms: the time of the request. */
static int
is_slow(const struct webhook *o, const struct cr_response *rs, int64_t ms)
{
	return rs->status == 429 || rs->status == 502 || rs->status == 504 ||
	    (rs->status == 0 && ms >= o->timeout);
}

/* Says what is to become of a message with this id that was not taken, tried before `attempt`
 * times. */
static void
refused(struct cr *cr, const struct webhook *o, const char *id, const struct cr_response *rs,
    int attempt)
{
	const struct retries *t = &o->retries;
	size_t tries = is_verdict(o, rs) && t->n >= REFUSED_TRIES ? REFUSED_TRIES - 1 : t->n;
	char why[800];
	int64_t ms;

	reason(o, rs, why, sizeof(why));
	if (rs->status == 410) {
		cr->fail(cr, CR_GONE, "%s: it wants no more", why);
	} else if (attempt < 0 || (size_t)attempt >= tries) {
		cr->fail(cr, CR_REJECTED, "%s, tried %d times", why, attempt + 1);
	} else {
		ms = retries_spread(id, t->delay[attempt]);
		if ((rs->status == 429 || rs->status == 503) && rs->retry_after > ms)
			ms = rs->retry_after;
		cr->retry(cr, ms, "%s", why);
	}
}

/* Writes the next message, of at most n records, fewer when its service or the host takes no more.
 * 0; 1: not even the first fits; -1: it cannot be now, and retry() was called. */
static int
message_fit(struct cr *cr, const struct webhook *o, struct message *m,
    const struct cr_record *const *items, size_t n)
{
	const struct body b = { .cr = cr, .preset = o->preset };
	size_t fits = body_fits(&b, items, n);

	if (fits == 0)
		return 1;
	for (n = fits;; n /= 2) {
		if (message_write(cr, o, m, items, n) == -1)
			return -1;
		if (m->text.len <= SEND_MAX)
			return 0;
		if (n == 1)
			return 1;
	}
}

/* Writes messages of the records from `at` on, as many as may go together; id: of the first record.
 * Returns how many; 0: none, and fail() or retry() was called. */
static size_t
turn_write(struct cr *cr, struct webhook *o, const struct cr_batch *batch, size_t at, const char *id)
{
	const size_t turn = o->pause > 0 || culprit_near(&o->culprit, id) ? 1 : o->turn;
	size_t k, n;
	int rc;

	for (k = 0; k < turn && (k == 0 || delivery_now(batch, at, (size_t)o->batch));
	    at += o->message[k++].n) {
		n = batch->n - at < (size_t)o->batch ? batch->n - at : (size_t)o->batch;
		if (k == 0)
			n = culprit_most(&o->culprit, id, n);
		rc = message_fit(cr, o, &o->message[k], batch->items + at, n);
		if (rc == 1 && k == 0)
			cr->fail(cr, CR_REJECTED,
			    "not sent: it is longer than a message %s%s may be, "
			    "however it is cut",
			    o->preset != NULL ? "of " : "", o->preset != NULL ? o->body : "");
		if (rc != 0)
			break;
	}
	return k;
}

/* A message of the n records from `at` on, the first with the id `first`, was not taken. 1: fewer of
 * them are to be sent at once; 0: what is to become of them was said. */
static int
not_taken(struct cr *cr, struct webhook *o, const struct cr_batch *batch, size_t at, size_t n,
    const struct cr_response *rs, int64_t ms)
{
	char first[DELIVERY_ID], id[DELIVERY_ID], why[800];

	delivery_id(cr, batch->items + at, 1, first);
	delivery_id(cr, batch->items + at, n, id);
	reason(o, rs, why, sizeof(why));
	if (is_slow(o, rs, ms))
		rate_halve(cr, o, why);
	if (is_verdict(o, rs))
		culprit_refused(&o->culprit, first, n);
	if (is_verdict(o, rs) && n > 1)
		return 1;
	refused(cr, o, id, rs, at == 0 && CR_HAS(batch, attempt) ? batch->attempt : 0);
	return 0;
}

/* What is done before a pause is told to the host first: it comes again for the others. */
static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	struct webhook *o = opts;
	struct cr_response rs = { .size = sizeof(rs) };
	char id[DELIVERY_ID], next[DELIVERY_ID];
	size_t at = 0, k, n;
	int64_t ms = 0;
	int taken;

	while (delivery_now(batch, at, (size_t)o->batch) && (at == 0 || o->pause == 0)) {
		if (rate_wait(cr, o) == -1) {
			cr->retry(cr, 0, "not sent: the daemon stops");
			break;
		}
		delivery_id(cr, batch->items + at, 1, id);
		if ((k = turn_write(cr, o, batch, at, id)) == 0 ||
		    (taken = turn_send(cr, o, k, at, &rs, &ms)) == -1)
			break;
		n = 0;
		for (int j = 0; j < taken; j++)
			n += o->message[j].n;
		at += n;
		rate_recover(cr, o, (size_t)taken);
		if (n > 0 && at < batch->n)
			delivery_id(cr, batch->items + at, 1, next);
		if (n > 0)
			culprit_taken(&o->culprit, id, n, at < batch->n ? next : NULL);
		if ((size_t)taken < k && !not_taken(cr, o, batch, at, o->message[taken].n, &rs, ms))
			break;
	}
	return at;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "webhook", .version = "1",
	.help = "sends records as signed webhooks (Standard Webhooks)",
	.options = options, .options_size = sizeof(struct webhook),
	.wants = CR_HTTP | CR_SECRETS, .needs = 3,
	.check = check, .open = open_, .close = close_, .deliver = deliver,
};

/* What the server's replies mean for a message. */
#include "smtp_reply.h"

#include <curl/curl.h>

/* ---- Reading ---- */

static int
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads "5.1.1 " at the start of a text; returns its length, or 0. */
static size_t
enhanced_read(unsigned to[3], unsigned code, const char *s, size_t n)
{
	unsigned part[3] = { 0 };
	size_t i = 0, k;

	for (k = 0; k < 3; k++) {
		const size_t start = i;

		while (i < n && i < start + 3 && digit(s[i]))
			part[k] = 10 * part[k] + (unsigned)(s[i++] - '0');
		if (i == start || (k < 2 && (i == n || s[i++] != '.')))
			return 0;
	}
	if (part[0] != code / 100 || (i < n && s[i] != ' '))
		return 0;
	for (k = 0; k < 3; k++)
		to[k] = part[k];
	return i < n ? i + 1 : i;
}

int
reply_line(struct reply *r, const char *line, size_t n, const char **text, size_t *len)
{
	size_t skip;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	*text = line;
	*len = n;
	if (n < 3 || !digit(line[0]) || !digit(line[1]) || !digit(line[2]) ||
	    (n > 3 && line[3] != ' ' && line[3] != '-'))
		return 0;
	r->code = (unsigned)(100 * (line[0] - '0') + 10 * (line[1] - '0') + line[2] - '0');
	skip = n > 3 ? 4 : 3;
	r->enhanced[0] = r->enhanced[1] = r->enhanced[2] = 0;
	skip += enhanced_read(r->enhanced, r->code, line + skip, n - skip);
	*text = line + skip;
	*len = n - skip;
	return n == 3 || line[3] == ' ';
}

/* ---- Meaning ---- */

/* The enhanced code is 5.SUBJECT.x; of detail -1: any. */
static int
about(const struct reply *r, unsigned subject, int detail)
{
	return r->enhanced[0] == 5 && r->enhanced[1] == subject &&
	    (detail == -1 || r->enhanced[2] == (unsigned)detail);
}

/* A refusal that is said to be for good, before the envelope: of us, or of how we log in. */
static enum mail_class
class_session(const struct reply *r)
{
	const int refused = r->code >= 500;

	switch (r->stage) {
	case MAIL_AT_GREETING:
		return refused ? MAIL_SENDER : MAIL_SERVER;
	case MAIL_AT_HELLO:
		if (r->curl == CURLE_USE_SSL_FAILED)
			return MAIL_CONFIG;
		return refused ? MAIL_SENDER : MAIL_SERVER;
	case MAIL_AT_TLS:
		return refused ? MAIL_CONFIG : MAIL_SERVER;
	case MAIL_AT_LOGIN:
		/* A last 334 has the reason why a token is refused. */
		return refused || (r->curl == CURLE_LOGIN_DENIED && r->code / 100 != 4) ? MAIL_CONFIG :
		    MAIL_SERVER;
	default:
		return MAIL_SERVER;
	}
}

/* 5.1.7 and 5.1.8 are of the sender's address, though RCPT is answered so. */
static enum mail_class
class_recipient(const struct reply *r)
{
	if (about(r, 7, -1))
		return MAIL_POLICY;
	if (about(r, 1, 7) || about(r, 1, 8))
		return MAIL_SENDER;
	if (about(r, 1, -1) || r->code == 551 || r->code == 553)
		return MAIL_NO_MAILBOX;
	return MAIL_REFUSED;
}

static enum mail_class
class_refused(const struct reply *r)
{
	if (r->code == 552 && (about(r, 3, 4) || (r->stage == MAIL_AT_SENDER && r->enhanced[0] == 0)))
		return MAIL_TOO_LARGE;
	switch (r->stage) {
	case MAIL_AT_SENDER:
		return MAIL_SENDER;
	case MAIL_AT_RECIPIENT:
		return class_recipient(r);
	case MAIL_AT_TEXT:
		if (about(r, 6, -1) || r->code == 554)
			return MAIL_POLICY;
		break;
	default:
		break;
	}
	return about(r, 7, -1) ? MAIL_POLICY : MAIL_BAD;
}

enum mail_class
reply_class(const struct reply *r)
{
	static const enum mail_class lacks[] = { [MAIL_LACKS_LOGIN] = MAIL_CONFIG,
		[MAIL_LACKS_UTF8] = MAIL_NO_MAILBOX, [MAIL_LACKS_SIZE] = MAIL_TOO_LARGE };

	if (r->lacks != MAIL_LACKS_NOTHING)
		return lacks[r->lacks];
	if (r->curl == CURLE_OK && r->stage == MAIL_AT_TEXT && r->code == 250)
		return MAIL_ACCEPTED;
	if (r->stage < MAIL_AT_SENDER)
		return class_session(r);
	if (r->code >= 500)
		return class_refused(r);
	if (r->code >= 400)
		return r->stage == MAIL_AT_SENDER || (r->code == 421 && r->stage < MAIL_AT_TEXT) ?
		    MAIL_SERVER : MAIL_AGAIN;
	return r->stage == MAIL_AT_TEXT ? MAIL_PERHAPS : MAIL_SERVER;
}

int
reply_closed(const struct reply *r)
{
	const int lost = r->curl == CURLE_RECV_ERROR || r->curl == CURLE_SEND_ERROR ||
	    r->curl == CURLE_GOT_NOTHING || r->curl == CURLE_WEIRD_SERVER_REPLY;

	if (r->lacks != MAIL_LACKS_NOTHING || r->curl == CURLE_OK)
		return 0;
	if (r->code == 421)
		return r->used;
	return lost && r->code < 400 && r->stage > MAIL_AT_CONNECT && r->stage < MAIL_AT_TEXT;
}

int
reply_few(const struct reply *r)
{
	return r->code == 452 && r->enhanced[0] == 4 && r->enhanced[1] == 5 && r->enhanced[2] == 3;
}

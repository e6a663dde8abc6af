/* The framing of HTTP requests, read byte by byte. */
#include "framing.h"

#include <string.h>
#include <strings.h>

#define SIZE_DIGITS	15		/* of a chunk's size, and 18 of a length: fit 64 bits */
#define LENGTH_DIGITS	18

enum state {
	METHOD, TARGET, VERSION, LINE_END,	/* the request line */
	LINE, NAME, BEFORE_VALUE, VALUE, VALUE_END, HEAD_END,	/* header lines; trailers too */
	BODY,
	SIZE, AFTER_SIZE, EXTENSION, SIZE_END, CHUNK, CHUNK_CR, CHUNK_LF
};
enum field { FIELD_OTHER, FIELD_HOST, FIELD_LENGTH, FIELD_CODING };

#define TOKEN		1		/* RFC 9110 5.6.2 */
#define HOST		2		/* RFC 3986 3.2.2, and the port */
#define ALNUM		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int
is(unsigned kind, unsigned char c)
{
	static unsigned char kinds[256];

	if (kinds['a'] == 0) {
		for (const char *p = ALNUM "!#$%&'*+-.^_`|~"; *p != '\0'; p++)
			kinds[(unsigned char)*p] |= TOKEN;
		for (const char *p = ALNUM "-._~%!$&'()*+,;=:[]"; *p != '\0'; p++)
			kinds[(unsigned char)*p] |= HOST;
	}
	return (kinds[c] & kind) != 0;
}

/* A byte of a value, or of a target: no control. */
static int
visible(unsigned char c)
{
	return c > ' ' && c != 0x7f;
}

static void
wrong(struct framing *f, const char *why)
{
	if (f->wrong == NULL)
		f->wrong = why;
}

static void
word_add(struct framing *f, char c)
{
	if (f->len < FRAMING_TEXT)
		f->text[f->len] = c;
	f->len += f->len <= FRAMING_TEXT;
}

static int
word_is(const struct framing *f, const char *s)
{
	return f->len == strlen(s) && strncasecmp(f->text, s, f->len) == 0;
}

static void
next(struct framing *f, enum state state)
{
	f->state = state;
	f->len = 0;
}

static void
request_end(struct framing *f)
{
	const uint64_t n = f->requests + 1;

	*f = (struct framing){ .requests = n };
}

/* ---- The request line ---- */

static void
on_method(struct framing *f, char *at)
{
	static const char *const with_body[] = { "POST", "PUT", "PATCH" };

	if (is(TOKEN, (unsigned char)*at)) {
		word_add(f, *at);
		return;
	}
	if (*at != ' ' || f->len == 0)
		wrong(f, "this is no request line");
	for (size_t i = 0; i < sizeof(with_body) / sizeof(with_body[0]); i++)
		if (f->len == strlen(with_body[i]) && memcmp(f->text, with_body[i], f->len) == 0)
			f->may_have_body = 1;
	next(f, TARGET);
}

/* Keeps the authority of a target in the absolute form (RFC 9112 3.2.2). */
static void
target_take(struct framing *f)
{
	static const char *const schemes[] = { "http://", "https://" };
	size_t n, skip = 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (f->len >= strlen(schemes[i]) &&
		    strncasecmp(f->text, schemes[i], strlen(schemes[i])) == 0)
			skip = strlen(schemes[i]);
	f->absolute = skip > 0;
	if (!f->absolute)
		return;
	for (n = skip; n < f->len && n < FRAMING_TEXT && strchr("/?#", f->text[n]) == NULL; n++)
		;
	if (n == FRAMING_TEXT || n == skip) {
		wrong(f, "the target has no host that can be read");
		return;
	}
	memcpy(f->authority, f->text + skip, n - skip);
	f->authority[n - skip] = '\0';
}

static void
on_target(struct framing *f, char *at)
{
	if (visible((unsigned char)*at)) {
		word_add(f, *at);
		return;
	}
	if (*at != ' ' || f->len == 0)
		wrong(f, "this is no request line");
	else
		target_take(f);
	next(f, VERSION);
}

static void
on_version(struct framing *f, char *at)
{
	if (*at != '\r') {
		word_add(f, *at);
		return;
	}
	if (f->len != 8 || memcmp(f->text, "HTTP/1.", 7) != 0 || f->text[7] < '0' ||
	    f->text[7] > '9')
		wrong(f, "this is no request of HTTP/1.1");
	else
		f->minor = (unsigned)(f->text[7] - '0');
	next(f, LINE_END);
}

/* ---- Header lines ---- */

static void
on_line_end(struct framing *f, char *at)
{
	if (*at != '\n')
		wrong(f, "a line ends with a carriage return alone");
	next(f, LINE);
}

static void
on_line(struct framing *f, char *at)
{
	f->field = FIELD_OTHER;
	if (*at == '\r')
		next(f, HEAD_END);
	else if (is(TOKEN, (unsigned char)*at)) {
		next(f, NAME);
		word_add(f, *at);
	} else
		wrong(f, *at == ' ' || *at == '\t' ? "a header goes on in a second line" :
		    "a header has no name, or a line no carriage return");
}

static void
on_name(struct framing *f, char *at)
{
	if (is(TOKEN, (unsigned char)*at)) {
		word_add(f, *at);
		return;
	}
	if (*at != ':')
		wrong(f, "a header's name is not followed by a colon");
	f->field = word_is(f, "Host") ? FIELD_HOST : word_is(f, "Content-Length") ? FIELD_LENGTH :
	    word_is(f, "Transfer-Encoding") ? FIELD_CODING : FIELD_OTHER;
	if (f->field != FIELD_OTHER && f->trailers)
		wrong(f, "a trailer would change the request");
	next(f, BEFORE_VALUE);
}

/* Takes the value's white space at the end off, and the value of a header that counts. */
static void
value_take(struct framing *f)
{
	size_t n;

	if (f->len > FRAMING_TEXT && f->field != FIELD_OTHER) {
		wrong(f, "a header is too long");
		return;
	}
	while (f->len > 0 && (f->text[f->len - 1] == ' ' || f->text[f->len - 1] == '\t'))
		f->len--;
	switch (f->field) {
	case FIELD_HOST:
		for (n = 0; n < f->len && is(HOST, (unsigned char)f->text[n]); n++)
			;
		if (n < f->len || f->len == FRAMING_TEXT || f->hosts++ > 0)
			wrong(f, "which host is asked, is not clear");
		else
			memcpy(f->host, f->text, f->len);
		break;
	case FIELD_LENGTH:
		f->left = 0;
		for (n = 0; n < f->len && f->text[n] >= '0' && f->text[n] <= '9'; n++)
			f->left = n < LENGTH_DIGITS ? f->left * 10 + (uint64_t)(f->text[n] - '0') : 0;
		f->no_body = word_is(f, "0");
		if (n < f->len || n == 0 || n > LENGTH_DIGITS || f->lengths++ > 0)
			wrong(f, "how long the body is, is not clear");
		break;
	case FIELD_CODING:
		if (!word_is(f, "chunked") || f->codings++ > 0)
			wrong(f, "how long the body is, is not clear");
		break;
	}
}

static void
on_value(struct framing *f, char *at)
{
	if (*at == '\r') {
		value_take(f);
		next(f, VALUE_END);
	} else if (!visible((unsigned char)*at) && *at != ' ' && *at != '\t')
		wrong(f, f->field == FIELD_LENGTH || f->field == FIELD_CODING ?
		    "how long the body is, is not clear" : "a header has a control character");
	else if (f->field != FIELD_OTHER)
		word_add(f, *at);
}

static void
on_before_value(struct framing *f, char *at)
{
	if (*at == '\t')
		*at = ' ';
	else if (*at != ' ') {
		f->state = VALUE;
		on_value(f, at);
	}
}

/* ---- The end of the header, and the body ---- */

/* By a target in the absolute form and the header Host. */
static int
hosts_differ(const struct framing *f)
{
	return f->hosts > 0 && f->absolute && strcasecmp(f->host, f->authority) != 0;
}

static void
on_head_end(struct framing *f, char *at)
{
	if (*at != '\n')
		wrong(f, "a line ends with a carriage return alone");
	else if (f->trailers)
		request_end(f);
	else if (f->minor > 0 && f->hosts == 0)
		wrong(f, "the header Host is missing");
	else if (hosts_differ(f))
		wrong(f, "which host is asked, is not clear");
	else if (f->codings > 0 && (f->lengths > 0 || f->minor == 0))
		wrong(f, "how long the body is, is not clear");
	else if ((f->codings > 0 || (f->lengths > 0 && !f->no_body)) && !f->may_have_body)
		wrong(f, "such a request has no body");
	else if (f->codings > 0) {
		f->digits = 0;
		f->left = 0;
		next(f, SIZE);
	} else if (f->left > 0)
		next(f, BODY);
	else
		request_end(f);
}

static int
hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	    c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void
on_size(struct framing *f, char *at)
{
	const int digit = hex(*at);

	if (digit != -1 && f->digits++ < SIZE_DIGITS)
		f->left = f->left * 16 + (uint64_t)digit;
	else if (digit != -1 || f->digits == 0)
		wrong(f, "a chunk has no size, or one that cannot be read");
	else {
		f->digits = 0;
		f->state = AFTER_SIZE;
		switch (*at) {
		case '\r':
			f->state = SIZE_END;
			break;
		case ';':
			f->state = EXTENSION;
			*at = ' ';
			break;
		case ' ':
		case '\t':
			*at = ' ';
			break;
		default:
			wrong(f, "a chunk has no size, or one that cannot be read");
		}
	}
}

/* White space behind the size is allowed before an extension alone (RFC 9112 7.1.1). */
static void
on_after_size(struct framing *f, char *at)
{
	if (*at == ';')
		f->state = EXTENSION;
	else if ((*at != ' ' && *at != '\t') || ++f->digits > FRAMING_EXTENSION)
		wrong(f, "a chunk has no size, or one that cannot be read");
	*at = ' ';
}

static void
on_extension(struct framing *f, char *at)
{
	if (*at == '\r') {
		f->state = SIZE_END;
		return;
	}
	if ((!visible((unsigned char)*at) && *at != ' ' && *at != '\t') ||
	    ++f->digits > FRAMING_EXTENSION)
		wrong(f, "a chunk's extension cannot be read, or is too long");
	*at = ' ';
}

static void
on_size_end(struct framing *f, char *at)
{
	if (*at != '\n')
		wrong(f, "a line ends with a carriage return alone");
	f->trailers = f->left == 0;
	f->state = f->trailers ? LINE : CHUNK;
}

static void
on_chunk_cr(struct framing *f, char *at)
{
	if (*at != '\r')
		wrong(f, "a chunk is not as long as its size says");
	f->state = CHUNK_LF;
}

static void
on_chunk_lf(struct framing *f, char *at)
{
	if (*at != '\n')
		wrong(f, "a chunk is not as long as its size says");
	f->digits = 0;
	f->left = 0;
	f->state = SIZE;
}

/* How many bytes leave the state as it is: of a body, and of a value that does not count. */
static size_t
run_length(struct framing *f, const char *bytes, size_t n)
{
	size_t run = 0;

	if (f->state == BODY || f->state == CHUNK)
		return n < f->left ? n : (size_t)f->left;
	if (f->state == VALUE && f->field == FIELD_OTHER)
		while (run < n && (visible((unsigned char)bytes[run]) || bytes[run] == ' '))
			run++;
	return run;
}

void
framing_read(struct framing *f, char *bytes, size_t n)
{
	static void (*const steps[])(struct framing *, char *) = {
		[METHOD] = on_method, [TARGET] = on_target, [VERSION] = on_version,
		[LINE_END] = on_line_end, [LINE] = on_line, [NAME] = on_name,
		[BEFORE_VALUE] = on_before_value, [VALUE] = on_value, [VALUE_END] = on_line_end,
		[HEAD_END] = on_head_end, [SIZE] = on_size, [AFTER_SIZE] = on_after_size,
		[EXTENSION] = on_extension, [SIZE_END] = on_size_end, [CHUNK_CR] = on_chunk_cr,
		[CHUNK_LF] = on_chunk_lf,
	};
	size_t part;

	while (n > 0 && f->wrong == NULL) {
		part = run_length(f, bytes, n);
		if (f->state == BODY || f->state == CHUNK) {
			f->left -= part;
			if (f->left == 0 && f->state == BODY)
				request_end(f);
			else if (f->left == 0)
				f->state = CHUNK_CR;
		} else if (part == 0) {
			part = 1;
			steps[f->state](f, bytes);
		}
		bytes += part;
		n -= part;
	}
}

/* The headers of an HTTP answer. */
#include "headers.h"
#include "date.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX	8192		/* bytes of a value; the rest is ignored */

static int
token(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && strchr("!#$%&'*+-.^_`|~", s[i]) == NULL)
			return 0;
	return len > 0;
}

/* Adds the value without white space around it, controls as spaces, and a line end. */
static void
value_add(struct buf *b, const char *s, size_t len)
{
	while (len > 0 && (unsigned char)*s <= ' ') {
		s++;
		len--;
	}
	while (len > 0 && (unsigned char)s[len - 1] <= ' ')
		len--;
	for (; len > 0; s++, len--)
		buf_char(b, (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s);
	buf_char(b, '\n');
}

void
headers_add(struct buf *b, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t i, name;

	if (len > 0 && (*line == ' ' || *line == '\t') && b->len > 0 && !b->over) {
		b->data[b->len - 1] = ' ';
		value_add(b, line, len);
		return;
	}
	if (colon == NULL || !token(line, (size_t)(colon - line)))
		return;
	name = (size_t)(colon - line);
	for (i = 0; i < name; i++)
		buf_char(b, (char)tolower((unsigned char)line[i]));
	buf_str(b, ": ");
	value_add(b, colon + 1, len - name - 1);
}

const char *
headers_get(const char *headers, const char *name, size_t nth, size_t *len)
{
	size_t n = strlen(name);
	const char *at, *end;

	for (at = headers; at != NULL && *at != '\0'; at = end + 1) {
		if ((end = strchr(at, '\n')) == NULL)
			break;
		if (strncmp(at, name, n) != 0 || at[n] != ':' || nth-- > 0)
			continue;
		*len = (size_t)(end - at) - n - 2;
		return at + n + 2;
	}
	return NULL;
}

const char *
headers_str(const char *headers, const char *name, struct buf *b)
{
	size_t len;
	const char *v = headers_get(headers, name, 0, &len);

	buf_clear(b);
	if (v == NULL)
		return NULL;
	buf_add(b, v, len);
	return b->over ? NULL : b->data;
}

/* Adds a parameter's value: a token or a quoted string, in lower case. */
static void
parameter(struct buf *b, const char *s)
{
	int quoted = *s == '"' || *s == '\'';

	if (quoted)
		s++;
	for (; *s != '\0' && *s != ';' && *s != '"' && *s != '\''; s++)
		if (!isspace((unsigned char)*s))
			buf_char(b, (char)tolower((unsigned char)*s));
		else if (!quoted)
			break;
}

void
headers_type(const char *headers, struct buf *type, struct buf *charset)
{
	struct buf v;
	const char *s, *slash;
	size_t len;

	buf_init(&v, VALUE_MAX);
	buf_clear(type);
	buf_clear(charset);
	buf_str(type, "");
	buf_str(charset, "");
	if ((s = headers_str(headers, "content-type", &v)) == NULL)
		goto out;
	len = strcspn(s, "; \t,");
	slash = memchr(s, '/', len);
	if (slash != NULL && token(s, (size_t)(slash - s)) &&
	    token(slash + 1, len - (size_t)(slash - s) - 1))
		for (size_t i = 0; i < len; i++)
			buf_char(type, (char)tolower((unsigned char)s[i]));
	while ((s = strchr(s, ';')) != NULL && charset->len == 0) {
		s += 1 + strspn(s + 1, " \t");
		if (strncasecmp(s, "charset", 7) != 0)
			continue;
		s += 7 + strspn(s + 7, " \t");
		if (*s == '=')
			parameter(charset, s + 1 + strspn(s + 1, " \t"));
	}
out:
	buf_free(&v);
}

/* Reads digits as seconds; returns ms; -1: no digits. */
static int64_t
seconds(const char *s)
{
	int64_t v = 0;

	if (!isdigit((unsigned char)*s))
		return -1;
	for (; isdigit((unsigned char)*s); s++)
		if (v < HEADERS_WAIT_MAX / 1000)
			v = v * 10 + (*s - '0');
	v *= 1000;
	return v < HEADERS_WAIT_MAX ? v : HEADERS_WAIT_MAX;
}

static int64_t
limited(int64_t wait)
{
	return wait < 0 ? 0 : wait < HEADERS_WAIT_MAX ? wait : HEADERS_WAIT_MAX;
}

/* The server's time by its Date header, else ours. */
static int64_t
server_now(const char *headers, int64_t now)
{
	struct buf v;
	const char *s;

	buf_init(&v, VALUE_MAX);
	s = headers_str(headers, "date", &v);
	if (s != NULL)
		date_parse(s, &now);
	buf_free(&v);
	return now;
}

int64_t
headers_retry_after(const char *headers, int64_t now)
{
	struct buf v;
	const char *s;
	int64_t wait = -1, at;

	buf_init(&v, VALUE_MAX);
	s = headers_str(headers, "retry-after", &v);
	if (s != NULL && s[strspn(s, "0123456789")] == '\0')
		wait = seconds(s);
	else if (s != NULL && date_parse(s, &at) == 0)
		wait = limited(at - server_now(headers, now));
	buf_free(&v);
	return wait;
}

/* The freshness by all Cache-Control lines, ms; -1: they do not state it. */
static int64_t
cache_control(const char *headers)
{
	int64_t age = -1;
	struct buf v;
	const char *s, *line;
	size_t len;

	buf_init(&v, VALUE_MAX);
	for (size_t nth = 0; (line = headers_get(headers, "cache-control", nth, &len)); nth++) {
		buf_add(&v, line, len);
		buf_char(&v, ',');
	}
	for (s = v.data; s != NULL && *s != '\0' && !v.over; s += strcspn(s, ","), s += *s == ',') {
		s += strspn(s, " \t");
		if (strncasecmp(s, "no-store", 8) == 0 || strncasecmp(s, "no-cache", 8) == 0) {
			age = 0;
			break;
		}
		if (strncasecmp(s, "max-age=", 8) == 0 && age == -1)
			age = seconds(s + 8 + (s[8] == '"'));
	}
	buf_free(&v);
	return age;
}

int64_t
headers_max_age(const char *headers, int64_t now)
{
	int64_t fresh = cache_control(headers), old, at;
	struct buf v;
	const char *s;

	buf_init(&v, VALUE_MAX);
	if (fresh == -1 && (s = headers_str(headers, "expires", &v)) != NULL)
		fresh = date_parse(s, &at) == 0 ? limited(at - server_now(headers, now)) : 0;
	if (fresh > 0 && (s = headers_str(headers, "age", &v)) != NULL && (old = seconds(s)) > 0)
		fresh = limited(fresh - old);
	buf_free(&v);
	return fresh;
}

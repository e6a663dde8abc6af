/* The host: its state, the functions for all callbacks, and the writing of results. */
#include "host.h"
#include "convert.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tex.h"
#include "base/text.h"
#include "base/utf8.h"
#include "ipc/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_	2048		/* bytes of a line that a plugin logs */

/* One per process, and global, since the setters of the contract get a record and no host. */
struct host host;

struct lent {
	struct lent	*next;
	max_align_t	 data[];
};

/* ---- Log and reasons ---- */

static void __attribute__((format(printf, 1, 0)))
say_line(const char *fmt, va_list ap)
{
	static const char enough[] = "more lines than a job may log: the rest is not shown\n";
	MEM_UNSET char line[LINE_MAX_ + 1];
	/* A filter's line begins with its rule. */
	int of = host.slot != NULL && host.slot->rule[0] != '\0' ?
	    snprintf(line, LINE_MAX_, "%s: ", host.slot->rule) : 0;
	int n = vsnprintf(line + of, (size_t)(LINE_MAX_ - of), fmt, ap);
	size_t len = n < 0 ? 0 : n < LINE_MAX_ - of ? (size_t)(of + n) : LINE_MAX_ - 1, i;

	if (host.lines > HOST_LINES)
		return;
	if (host.lines++ == HOST_LINES) {
		(void)!write(log_fd(), enough, sizeof(enough) - 1);
		return;
	}
	for (i = 0; i < len; i++)
		if (line[i] == '\n' || line[i] == '\r')
			line[i] = ' ';
	line[len++] = '\n';
	(void)!write(log_fd(), line, len);
}

void
host_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line(fmt, ap);
	va_end(ap);
}

static void CR_PRINTF(2, 3)
cr_log(struct cr *cr, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	va_start(ap, fmt);
	say_line(fmt, ap);
	va_end(ap);
}

void
host_reason(char to[HOST_ERROR], const char *fmt, va_list ap)
{
	MEM_UNSET char raw[HOST_ERROR];
	struct bytes b;
	size_t len;
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);

	len = n < 0 ? 0 : (size_t)n < sizeof(raw) ? (size_t)n : sizeof(raw) - 1;
	while (n >= (int)sizeof(raw) && len > 0 && (raw[len - 1] & 0xc0) == 0x80)
		len--;			/* do not cut inside a character */
	b = host_clean(raw, len, 1);
	if (b.len >= HOST_ERROR)	/* U+FFFD is longer than the byte it replaces */
		b.len = text_valid(b.data, HOST_ERROR - 1);
	if (b.len > 0)
		memcpy(to, b.data, b.len);
	to[b.len] = '\0';
}

int
host_fail(struct cr *cr, int why, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	va_start(ap, fmt);
	host_reason(host.error, fmt, ap);
	va_end(ap);
	host.failed = why >= CR_BAD_DATA && why <= CR_REJECTED ? (uint32_t)why : CR_BAD_DATA;
	return -1;
}

static int CR_PRINTF(3, 4)
cr_retry(struct cr *cr, int64_t ms, const char *fmt, ...)
{
	va_list ap;

	(void)cr;
	va_start(ap, fmt);
	host_reason(host.error, fmt, ap);
	va_end(ap);
	host.failed = FAILED_RETRY;
	host.retry = ms >= 0 ? ms : -1;
	return -1;
}

void
host_blame(const char *callback)
{
	if (host.failed == 0)
		host.failed = CR_BAD_DATA;
	if (host.error[0] == '\0')
		snprintf(host.error, sizeof(host.error), "%s: %s() failed without saying why",
		    host.slot != NULL ? host.slot->plugin.name : "plugin", callback);
}

/* ---- Clean text ---- */

/* Whether the text has a bidirectional embedding, override or isolate (U+202A to U+202E, U+2066 to
 * U+2069). */
static int
has_bidi(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text, *end = s + len;

	while ((s = memchr(s, 0xe2, (size_t)(end - s))) != NULL && end - s >= 3) {
		if ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
		    (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9))
			return 1;
		s++;
	}
	return 0;
}

struct bytes
host_clean(const char *text, size_t len, int fold)
{
	if (fold && text_folded(text, len))
		return (struct bytes){ text, len };
	if (text_clean(text, len) < len) {
		buf_clear(&host.clean);
		host.replaced += text_utf8(&host.clean, text, len);
		if (host.clean.over)
			return (struct bytes){ NULL, 0 };
		text = host.clean.data != NULL ? host.clean.data : "";
		len = host.clean.len;
	}
	if (fold) {
		buf_clear(&host.folded);
		text_fold(&host.folded, text, len);
		if (host.folded.over)
			return (struct bytes){ NULL, 0 };
		text = host.folded.data != NULL ? host.folded.data : "";
		len = host.folded.len;
	}
	if (has_bidi(text, len)) {
		buf_clear(&host.balanced);
		text_bidi(&host.balanced, text, len);
		text = host.balanced.data != NULL ? host.balanced.data : "";
		len = host.balanced.len;
	}
	return (struct bytes){ text, len };
}

/* ---- Time, encodings ---- */

static int64_t
cr_now(struct cr *cr)
{
	(void)cr;
	return host.now + (date_ticks() - host.since);
}

static int64_t
cr_parse_time(struct cr *cr, const char *text)
{
	int64_t ms;

	(void)cr;
	return text != NULL && date_parse(text, &ms) == 0 ? ms : CR_NO_TIME;
}

static const char *
cr_convert(struct cr *cr, const char *charset, const char *text, size_t size, size_t *len,
    size_t *bad)
{
	size_t count = 0;

	(void)cr;
	if (charset == NULL || text == NULL)
		return NULL;
	buf_clear(&host.converted);
	if (convert(&host.converted, charset, text, size, &count) == -1)
		return NULL;
	if (host.converted.over) {
		host_say("a text in %s is over %zu bytes", charset, host.converted.max);
		return NULL;
	}
	*len = host.converted.len;
	if (bad != NULL)
		*bad = count;
	return host.converted.data != NULL ? host.converted.data : "";
}

static const char *
cr_tex(struct cr *cr, const char *text, int html)
{
	struct bytes b;

	(void)cr;
	if (text == NULL)
		return NULL;
	b = host_clean(text, strlen(text), 0);
	buf_clear(&host.made);
	if (b.data != NULL && html)
		tex_html(&host.made, b.data, b.len);
	else if (b.data != NULL)
		tex_text(&host.made, b.data, b.len);
	return host_lend_text(host.made.data != NULL ? host.made.data : "", host.made.len);
}

/* ---- Memory of a callback ---- */

static void *
host_lend(size_t n)
{
	struct lent *l = xmalloc(sizeof(*l) + n);

	l->next = host.lent;
	host.lent = l;
	return l->data;
}

const char *
host_lend_text(const char *text, size_t len)
{
	char *copy = host_lend(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void
host_unlend(struct lent *until)
{
	struct lent *l;

	while ((l = host.lent) != until) {
		host.lent = l->next;
		free(l);
	}
}

void
host_enter(struct slot *s, enum phase phase)
{
	host.slot = s;
	host.phase = phase;
}

void
host_leave(void)
{
	host.phase = PHASE_NONE;
	host.slot = NULL;
	host_unlend(NULL);
}

void
host_job(int64_t now)
{
	host.now = now;
	host.since = date_ticks();
	host.lines = 0;
	host.failed = 0;
	host.retry = -1;
	host.error[0] = host.partial[0] = host.why[0] = '\0';
	host.replaced = 0;
}

/* ---- Results ---- */

void
out_open(int fd, uint64_t max)
{
	struct out *o = &host.out;

	o->fd = fd;
	o->at = 0;
	o->max = max;
	o->full = o->failed = 0;
	buf_clear(&o->b);
}

int
out_flush(void)
{
	struct out *o = &host.out;
	size_t done = 0;
	ssize_t n;

	while (o->fd != -1 && !o->failed && done < o->b.len) {
		n = pwrite(o->fd, o->b.data + done, o->b.len - done, (off_t)o->at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			host_say("results cannot be written: %s", strerror(errno));
			o->failed = 1;
			break;
		}
		done += (size_t)n;
		o->at += (uint64_t)n;
	}
	buf_clear(&o->b);
	return o->failed || o->full ? -1 : 0;
}

size_t
out_begin(enum result_kind kind)
{
	if (host.out.b.len >= HOST_FLUSH)
		out_flush();
	return result_begin(&host.out.b, kind);
}

int
out_end(size_t begun)
{
	struct out *o = &host.out;

	if (!o->b.over && o->at + o->b.len > o->max)
		o->full = 1;
	if (o->b.over || o->full || o->failed) {
		o->b.over = 0;
		o->b.len = begun;
		return -1;
	}
	result_end(&o->b, begun);
	return 0;
}

/* ---- The table ---- */

void
host_common_table(struct cr *cr)
{
	cr->log = cr_log;
	cr->fail = host_fail;
	cr->retry = cr_retry;
	cr->now = cr_now;
	cr->parse_time = cr_parse_time;
	cr->convert = cr_convert;
	cr->tex = cr_tex;
}

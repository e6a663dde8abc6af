/* The host: what every callback may call, and the results on their way out. */
#include "host.h"
#include "convert.h"
#include "date.h"
#include "mem.h"
#include "option.h"
#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_	2048		/* bytes of a line that a plugin logs */

/* The one of this process: setters get a record and no host, so it has to be found without one. */
struct host host;

struct lent {
	struct lent	*next;
	max_align_t	 data[];
};

/* ---- The log, and reasons ---- */

static void __attribute__((format(printf, 1, 0)))
say_line(const char *fmt, va_list ap)
{
	static const char enough[] = "more lines than a job may log: the rest is not shown\n";
	MEM_UNSET char line[LINE_MAX_ + 1];
	int n = vsnprintf(line, LINE_MAX_, fmt, ap);
	size_t len = n < 0 ? 0 : n < LINE_MAX_ ? (size_t)n : LINE_MAX_ - 1, i;

	if (host.lines > HOST_LINES)
		return;
	if (host.lines++ == HOST_LINES) {
		(void)!write(STDERR_FILENO, enough, sizeof(enough) - 1);
		return;
	}
	for (i = 0; i < len; i++)
		if (line[i] == '\n' || line[i] == '\r')
			line[i] = ' ';
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len);
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
		len--;			/* no half a character at the cut */
	b = host_clean(raw, len, 1);
	if (b.len >= HOST_ERROR)	/* replacements are longer than what they replace */
		b.len = text_valid(b.data, HOST_ERROR - 1);
	memcpy(to, b.data, b.len);
	to[b.len] = '\0';
}

static int CR_PRINTF(3, 4)
cr_fail(struct cr *cr, int why, const char *fmt, ...)
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

/* ---- Memory of a callback ---- */

void *
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

/* ---- Options, open, close ---- */

static int
slot_fill(struct slot *s, struct bytes text)
{
	static const struct cr_option none[] = { CR_END };
	const struct cr_option *table = s->plugin.options != NULL ? s->plugin.options : none;
	size_t size = s->plugin.options_size;
	struct options values = { NULL, 0 };
	struct buf err;
	int rc;

	buf_init(&err, HOST_ERROR - 1);
	s->opts = xcalloc(1, size);
	rc = options_read(&values, text);
	if (rc == 0)
		rc = option_fill(table, s->opts, size, &values, &err);
	options_free(&values);
	if (rc == -1) {
		cr_fail(&host.cr, CR_BAD_OPTION, "%s", err.len > 0 ? err.data :
		    "the options cannot be read");
		free(s->opts);
		s->opts = NULL;
	}
	buf_free(&err);
	s->filled = rc == 0;
	return rc;
}

static void
slot_unfill(struct slot *s)
{
	if (s->filled && s->plugin.options != NULL)
		option_unfill(s->plugin.options, s->opts);
	free(s->opts);
	s->opts = NULL;
	s->filled = 0;
}

void
slot_close(struct slot *s)
{
	if (s->opened && s->plugin.close != NULL) {
		host_enter(s, PHASE_CLOSE);
		s->plugin.close(&host.cr, s->opts);
		host_leave();
	}
	s->opened = 0;
	slot_unfill(s);
	host_keep_free(s);
}

/* Has the plugin look at its options. 0, or -1 and it is blamed. */
static int
slot_look(struct slot *s)
{
	if (s->plugin.check == NULL || (s->plugin.check(&host.cr, s->opts) == 0 &&
	    host.failed == 0))
		return 0;
	host_blame("check");
	return -1;
}

int
slot_check(struct slot *s, struct bytes options)
{
	int rc = slot_fill(s, options);

	if (rc == -1)
		return -1;
	host_enter(s, PHASE_OPEN);
	rc = slot_look(s);
	host_leave();
	slot_unfill(s);
	return rc;
}

/* Has the plugin look at its options, then set itself up. 0, or -1 and it is blamed. */
static int
slot_begin(struct slot *s)
{
	int rc;

	host_enter(s, PHASE_OPEN);
	rc = slot_look(s);
	if (rc == 0 && s->plugin.open != NULL) {
		if (s->plugin.open(&host.cr, s->opts) != 0 || host.failed != 0)
			host_blame("open");
		rc = host.failed != 0 ? -1 : 0;
	}
	host_leave();
	return rc;
}

/* What a record says of a secret has to be the same in the next run, whose nonce is another. */
static void
nonce_find(struct bytes options)
{
	const char *s = options.data, *end = s + options.len, *colon;
	size_t len;

	host.nonce[0] = '\0';
	for (; options.len > 0 && s < end; s += strlen(s) + 1) {
		colon = strncmp(s, STAND_IN, strlen(STAND_IN)) == 0 ? strrchr(s, ':') : NULL;
		len = colon != NULL ? strcspn(colon + 1, "}") : 0;
		if (len == 0 || len >= HOST_NONCE)
			continue;
		memcpy(host.nonce, colon + 1, len);
		host.nonce[len] = '\0';
		return;
	}
}

int
slot_ready(struct slot *s, struct bytes options, uint64_t hash)
{
	nonce_find(options);
	if (s->opened && s->hash == hash && strcmp(s->nonce, host.nonce) == 0)
		return 0;
	slot_close(s);
	if (slot_fill(s, options) == -1)
		return -1;
	if (slot_begin(s) == -1) {
		slot_unfill(s);
		return -1;
	}
	s->opened = 1;
	s->hash = hash;
	memcpy(s->nonce, host.nonce, sizeof(s->nonce));
	return 0;
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

/* What comes with later jobs: none of this release calls a callback that may use these. */
static int
no_mail(struct cr *cr, const char *from, const char *to, const char *message, size_t len)
{
	(void)cr, (void)from, (void)to, (void)message, (void)len;
	return -1;
}

void
host_init(const struct w_start *start)
{
	struct cr *cr = &host.cr;

	cr->size = sizeof(*cr);
	cr->minor = CR_MINOR;
	cr->log = cr_log;
	cr->fail = cr_fail;
	cr->retry = cr_retry;
	cr->now = cr_now;
	cr->parse_time = cr_parse_time;
	cr->convert = cr_convert;
	cr->mail = no_mail;
	host_set_table(cr);
	host_parse_table(cr);
	host_state_table(cr);
	host_stream_table(cr);
	host_batch_table(cr);
	host_http_table(cr);
	host_visit_table(cr);
	host.grants = start->grants;
	buf_init(&host.clean, HOST_SCRATCH);
	buf_init(&host.folded, HOST_SCRATCH);
	buf_init(&host.balanced, HOST_SCRATCH);
	buf_init(&host.made, HOST_SCRATCH);
	buf_init(&host.base, HOST_SCRATCH);
	buf_init(&host.converted, start->memory > 0 ? start->memory / 2 : SIZE_MAX / 2);
	buf_init(&host.state, 4 * HOST_STATE);
	buf_init(&host.asked, HOST_ASKED);
	buf_init(&host.trail, HOST_TRAIL);
	buf_init(&host.ahead, 4 * HOST_STATE);
	buf_init(&host.out.b, HOST_FLUSH + RECORD_MAX);
	host.out.fd = -1;
	host.out.max = start->out;
}

/* The log: one line a message on standard error. */
#include "log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_who = "courant";
static int log_verbose;
static int log_stuck;			/* nobody read when it was last waited for */
static unsigned log_lost;		/* lines since then */

void
log_open(const char *who, int debug)
{
	log_who = who;
	log_verbose = debug;
}

/* The length of the UTF-8 sequence at s, or 0 when it is none or a C1 control. */
static size_t
sequence(const unsigned char *s)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2, i;

	if (s[0] < 0xc2 || s[0] > 0xf4 || (s[0] == 0xc2 && s[1] < 0xa0))
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* Appends text to the line, nothing in it able to start another one. */
static size_t
clean(char *line, size_t at, size_t max, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	for (; *s != '\0' && at + 8 < max; s += n) {
		n = *s >= 0x80 ? sequence(s) : 1;
		if (n == 0 || *s < ' ' || *s == 0x7f) {
			at += (size_t)snprintf(line + at, max - at, "\\x%02x", *s);
			n = 1;
		} else {
			memcpy(line + at, s, n);
			at += n;
		}
	}
	return at;
}

/* Whether a line can be written. A full pipe is waited for once and briefly: no role stands still
 * because nobody reads its log. */
static int
writable(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	log_stuck = poll(&p, 1, log_stuck ? 0 : LOG_PATIENCE) == 0;
	return !log_stuck;
}

static void
put(const char *who, int pid, const char *level, const char *text)
{
	char line[LOG_LINE];
	struct timespec now;
	struct tm tm;
	unsigned lost = log_lost;
	size_t at;

	if (!writable()) {
		log_lost++;
		return;
	}
	log_lost = 0;
	if (lost > 0)
		log_warn("%u lines were lost: nobody read the log", lost);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	at = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	at += (size_t)snprintf(line + at, sizeof(line) - at, ".%03ldZ %.64s[%d]: %s",
	    now.tv_nsec / 1000000, who, pid, level);
	at = clean(line, at, sizeof(line) - 1, text);
	line[at++] = '\n';
	(void)!write(STDERR_FILENO, line, at);
}

static void __attribute__((format(printf, 2, 0)))
vlog(const char *level, const char *fmt, va_list ap)
{
	char text[LOG_LINE];

	vsnprintf(text, sizeof(text), fmt, ap);
	put(log_who, getpid(), level, text);
}

void
log_debug(const char *fmt, ...)
{
	va_list ap;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	vlog("debug: ", fmt, ap);
	va_end(ap);
}

void
log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog("", fmt, ap);
	va_end(ap);
}

void
log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog("warning: ", fmt, ap);
	va_end(ap);
}

void
log_other(const char *name, int pid, const char *text)
{
	put(name, pid, "says: ", text);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog("fatal: ", fmt, ap);
	va_end(ap);
	exit(70);
}

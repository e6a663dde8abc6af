/* The log: one line a message on standard error. */
#include "log.h"
#include "mem.h"
#include "shown.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *log_who = "courant";
static int log_verbose;
static int log_out = STDERR_FILENO;
static int log_stuck;			/* the pipe was still full after the last wait */
static unsigned log_lost;		/* lines lost since then */

void
log_open(const char *who, int debug)
{
	log_who = who;
	log_verbose = debug;
}

void
log_to(int fd)
{
	log_out = fd;
	mem_tell(fd);
}

int
log_fd(void)
{
	return log_out;
}

/* Appends text to the line, escaped so that it cannot start another line or steer a terminal. */
static size_t
clean(char *line, size_t at, size_t max, const char *text)
{
	char one[SHOWN_CHAR];
	const char *end = text + strlen(text);

	while (text < end && at + SHOWN_CHAR < max) {
		text += shown_char(one, text, (size_t)(end - text));
		at += (size_t)snprintf(line + at, max - at, "%s", one);
	}
	return at;
}

/* Whether a line can be written. Waits for a full pipe only once, and briefly: a role must not stop
 * because its log is not read. */
static int
writable(void)
{
	struct pollfd p = { .fd = log_out, .events = POLLOUT };

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
	(void)!write(log_out, line, at);
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
log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog("error: ", fmt, ap);
	va_end(ap);
}

void
log_lines(void (*log)(const char *fmt, ...), const char *text)
{
	char line[LOG_LINE];
	size_t n;

	for (; text != NULL && *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		if (n > 0)
			log("%s", line);
	}
}

void
log_other(const char *name, int pid, int warn, const char *of, const char *text)
{
	char line[LOG_LINE];

	snprintf(line, sizeof(line), "%s says: %s", of, text);
	put(name, pid, warn ? "warning: " : "", line);
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vlog("error: ", fmt, ap);
	va_end(ap);
	exit(70);
}

/* A run of a command from its start to its end: what it prints is read, and it is ended when it takes
 * too long, prints too much or is no longer wanted. */
#include "exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS	1500		/* between SIGTERM and SIGKILL; a stream has 3 s to stop */
#define DRAIN_MS	500		/* for what is still in the pipes once all are dead */
#define WAIT_MS		INT64_C(60000)	/* of one wait(), at most */
#define READ_BYTES	65536		/* taken of one pipe in a turn */
#define ERROR_LINE	4096		/* bytes of a line of standard error that are looked at */
#define PRINTED_FAST	(1u << 20)	/* bytes of a sink's command that are read without a pause: what
					 * it prints is of no use, and costs the worker its CPU time */

int64_t
run_ticks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- The last lines ---- */

void
tail_add(struct tail *t, const struct exec_opts *o, char *text, size_t len)
{
	char *kept = t->line[t->n++ % EXEC_TAIL];

	secrets_hide(o, text);
	if (len > EXEC_ERROR)
		text[len = EXEC_ERROR] = '\0';
	memcpy(kept, text, len + 1);
}

const char *
tail_last(const struct tail *t)
{
	return t->n > 0 ? t->line[(t->n - 1) % EXEC_TAIL] : "";
}

/* Standard error: the last lines are kept; of one that stays, each is told as it comes. */
static void
on_error(void *arg, char *text, size_t len, int over)
{
	struct run *r = arg;

	(void)over;
	tail_add(&r->errors, r->o, text, len);
	if (r->o->follow)
		r->cr->log(r->cr, "%s: stderr: %s", r->name, tail_last(&r->errors));
}

static void
tell_errors(struct run *r)
{
	const struct tail *t = &r->errors;
	size_t from = t->n > EXEC_TAIL ? t->n - EXEC_TAIL : 0;

	if (r->o->follow)
		return;			/* told already */
	if (from > 0)
		r->cr->log(r->cr, "%s: stderr: %zu lines, the last %d:", r->name, t->n, EXEC_TAIL);
	for (; from < t->n; from++)
		r->cr->log(r->cr, "%s: stderr: %s", r->name, t->line[from % EXEC_TAIL]);
}

/* ---- Its end ---- */

/* Tells it to end: by SIGTERM, and a moment later by SIGKILL. */
static void CR_PRINTF(2, 3)
cut_short(struct run *r, const char *fmt, ...)
{
	va_list ap;

	if (r->phase != RUNS)
		return;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, ap);
	va_end(ap);
	r->phase = TOLD;
	r->until = run_ticks() + GRACE_MS;
	command_signal(&r->command, SIGTERM);
}

/* The phase's time is up. 0: it was the last. */
static int
phase_next(struct run *r)
{
	if (r->phase == OVER)
		return 0;
	if (r->phase == TOLD) {
		command_signal(&r->command, SIGKILL);
		r->phase = OVER;
		r->until = run_ticks() + DRAIN_MS;
	} else if (r->stopping) {
		cut_short(r, "the daemon stops it");
	} else if (r->o->follow) {
		cut_short(r, "it printed nothing for %lld ms (timeout)", (long long)r->limit);
	} else if (r->limit < 1000) {
		cut_short(r, "it ran longer than %lld ms (timeout)", (long long)r->limit);
	} else {
		cut_short(r, "it ran longer than %lld s (timeout)", (long long)r->limit / 1000);
	}
	return 1;
}

/* ---- While it runs ---- */

/* Takes what a pipe has. *fd is closed at its end. */
static int
take(struct run *r, int *fd, struct lines *lines)
{
	static char bytes[READ_BYTES];
	ssize_t n = *fd != -1 ? read(*fd, bytes, sizeof(bytes)) : -1;

	if (n == 0)
		command_shut(&r->command, fd);
	return n > 0 && lines_add(lines, bytes, (size_t)n) == 0 ? (int)n : 0;
}

static void
read_pipes(struct run *r)
{
	struct command *c = &r->command;
	int got = take(r, &c->out, &r->out), errors = take(r, &c->err, &r->err);

	r->bytes += (size_t)got;
	r->error_bytes += (size_t)errors;
	if (got > 0 && r->o->follow && r->limit > 0 && r->phase == RUNS)
		r->until = run_ticks() + r->limit;
	if (r->max_bytes > 0 && r->bytes > r->max_bytes) {
		cut_short(r, "it printed more than %zu bytes (max_output)", r->max_bytes);
		command_shut(c, &c->out);
	}
	if (r->sink && got + errors > 0 && r->bytes + r->error_bytes > PRINTED_FAST)
		(void)poll(NULL, 0, 1);
	if (c->report != -1 && command_report(c)) {
		command_shut(c, &c->report);
		r->phase = OVER;
		r->until = run_ticks() + DRAIN_MS;
	}
}

/* Waits until there is something to read, or the phase ends. The host waits no more once it has
 * said that it wants to stop. */
static void
await(struct run *r)
{
	struct pollfd p = { .fd = r->command.ready, .events = POLLIN };
	int64_t now = run_ticks(), ms = r->until > now ? r->until - now : 0;

	ms = ms < WAIT_MS ? ms : WAIT_MS;
	if (r->stopping) {
		(void)poll(&p, 1, (int)ms);
	} else if (r->cr->wait(r->cr, p.fd, ms) == -1) {
		r->stopping = 1;
		if (r->phase == RUNS && r->until > now + r->stop_ms)
			r->until = now + r->stop_ms;
	}
}

int
run_command(struct run *r, char *const environment[], int input)
{
	const struct exec_opts *o = r->o;
	const struct command *c = &r->command;
	const char *slash = strrchr(o->command[0], '/');

	r->name = slash != NULL ? slash + 1 : o->command[0];
	r->out.number = r->err.number = 1;
	r->err.max = ERROR_LINE;
	r->err.line = on_error;
	r->err.arg = r;
	if (command_start(&r->command, o, environment, input) == -1)
		return -1;
	r->until = r->limit > 0 ? run_ticks() + r->limit : INT64_MAX;
	while (c->out != -1 || c->err != -1 || c->report != -1) {
		if (run_ticks() >= r->until && !phase_next(r))
			break;
		await(r);
		read_pipes(r);
	}
	command_end(&r->command);
	if (r->why[0] != '\0')
		r->out.len = 0;		/* half a line, by no fault of its own */
	lines_end(&r->out);
	lines_end(&r->err);
	tell_errors(r);
	return 0;
}

const char *
run_wrong(const struct run *r, char why[EXEC_WHY])
{
	const struct command *c = &r->command;

	if (c->failed != 0)
		snprintf(why, EXEC_WHY, "cannot be run: %s", strerror(c->failed));
	else if (r->why[0] != '\0')
		snprintf(why, EXEC_WHY, "was killed: %.*s", EXEC_WHY - 20, r->why);
	else if (!c->ended)
		snprintf(why, EXEC_WHY, "was killed, and its guard with it");
	else if (WIFSIGNALED(c->status))
		snprintf(why, EXEC_WHY, "ended by signal %d (%s)", WTERMSIG(c->status),
		    strsignal(WTERMSIG(c->status)));
	else if (WEXITSTATUS(c->status) != 0)
		snprintf(why, EXEC_WHY, "ended with exit status %d", WEXITSTATUS(c->status));
	else
		return NULL;
	return why;
}

int
run_status(const struct run *r)
{
	const struct command *c = &r->command;

	return c->failed == 0 && r->why[0] == '\0' && c->ended && WIFEXITED(c->status) ?
	    WEXITSTATUS(c->status) : -1;
}

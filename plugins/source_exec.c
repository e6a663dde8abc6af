/* source_exec: runs a command, without a shell; each line of JSON that it prints is a record. */
#include "exec/exec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN_MS		INT64_C(300000)	/* of a run, without `timeout` */
#define GRACE_MS	1500		/* between SIGTERM and SIGKILL; a stream has 3 s to stop */
#define DRAIN_MS	500		/* for what is still in the pipes once all are dead */
#define READ_BYTES	65536		/* taken of one pipe in a turn */
#define ERROR_LINE	4096		/* bytes of a line of standard error that are looked at */
#define BAD_SHOWN	10		/* bad lines of a run that are told one by one */

static const struct cr_option options[] = {
	CR_OPTION(struct exec_opts, command, LIST, NULL, NULL,
	    "the program and its arguments; there is no shell"),
	CR_OPTION(struct exec_opts, environment, LIST, "", NULL,
	    "variables besides PATH, HOME and LANG, as a map"),
	CR_OPTION(struct exec_opts, every, DURATION, NULL, "100 ms..",
	    "how long after its end it is run again"),
	CR_OPTION(struct exec_opts, folder, STRING, "", NULL,
	    "working directory; without it one of its own in the state folder"),
	CR_OPTION(struct exec_opts, follow, BOOL, "no", NULL,
	    "it stays, and prints a line whenever there is something new"),
	CR_OPTION(struct exec_opts, max_line, SIZE, "1 MiB", "1 kB..16 MiB",
	    "bytes of a line; a longer one is no record"),
	CR_OPTION(struct exec_opts, max_output, SIZE, "64 MiB", "1 kB..",
	    "bytes of a run's output; not with follow"),
	CR_OPTION(struct exec_opts, memory, SIZE, "0", "0..",
	    "address space of each of its processes; 0: as the daemon's own limit"),
	CR_OPTION(struct exec_opts, secrets, SECRET, "", NULL,
	    "more variables, lines of NAME=VALUE, that no log shows"),
	CR_OPTION(struct exec_opts, timeout, DURATION, "0", "0..",
	    "of a run, 0: 5 min; with follow: of silence, 0: none"),
	CR_END
};

enum phase { RUNS, TOLD, OVER };	/* told to end; over: only the pipes are read to their end */

struct run {
	struct cr		*cr;
	const struct exec_opts	*o;
	const char		*name;		/* of the command, without its folder */
	struct command		 command;
	struct lines		 out, err;
	enum phase		 phase;
	int64_t			 until;		/* ticks: when the phase ends; INT64_MAX: never */
	size_t			 bytes, good, bad;
	int			 odd;		/* that something is left out was told */
	int			 stopping;	/* the daemon wants it to */
	char			 why[EXEC_WHY];	/* why it was ended early; "": it was not */
	char			 first[EXEC_WHY];	/* of the bad lines */
	char			 tail[EXEC_TAIL][EXEC_ERROR + 1];
	size_t			 ntail;		/* lines of standard error so far */
};

static int64_t
ticks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- What it prints ---- */

static void
bad_line(struct run *r, char *text, size_t len, const char *why)
{
	char all[EXEC_WHY];

	secrets_hide(r->o, text);
	snprintf(all, sizeof(all), "line %zu: %s: \"%.*s\"", r->out.number, why,
	    (int)(len < EXEC_SHOWN ? len : EXEC_SHOWN), text);
	if (r->bad++ == 0)
		memcpy(r->first, all, sizeof(all));
	if (r->o->follow || r->bad <= BAD_SHOWN)
		r->cr->log(r->cr, "%s: %s", r->name, all);
}

static void
on_line(void *arg, char *text, size_t len, int over)
{
	struct run *r = arg;
	char why[EXEC_WHY], odd[EXEC_WHY];

	if (text[strspn(text, " \t")] == '\0' && !over)
		return;
	if (over) {
		snprintf(why, sizeof(why), "it is longer than %lld bytes (max_line)",
		    (long long)r->o->max_line);
		bad_line(r, text, len, why);
		return;
	}
	if (line_emit(r->cr, text, len, why, odd) == -1) {
		bad_line(r, text, len, why);
		return;
	}
	r->good++;
	if (odd[0] != '\0' && !r->odd)
		r->cr->log(r->cr, "%s: line %zu: a record has no such fields, which are left out "
		    "here and in later lines: %s", r->name, r->out.number, odd);
	r->odd |= odd[0] != '\0';
}

/* Standard error: the last lines are kept; of one that stays, each is told as it comes. */
static void
on_error(void *arg, char *text, size_t len, int over)
{
	struct run *r = arg;
	char *kept = r->tail[r->ntail++ % EXEC_TAIL];

	(void)over;
	secrets_hide(r->o, text);
	if (len > EXEC_ERROR)
		text[len = EXEC_ERROR] = '\0';
	memcpy(kept, text, len + 1);
	if (r->o->follow)
		r->cr->log(r->cr, "%s: stderr: %s", r->name, kept);
}

/* The last line of standard error, or "". */
static const char *
last_error(const struct run *r)
{
	return r->ntail > 0 ? r->tail[(r->ntail - 1) % EXEC_TAIL] : "";
}

static void
tell_errors(struct run *r)
{
	size_t from = r->ntail > EXEC_TAIL ? r->ntail - EXEC_TAIL : 0;

	if (r->o->follow)
		return;			/* told already */
	if (from > 0)
		r->cr->log(r->cr, "%s: stderr: %zu lines, the last %d:", r->name, r->ntail,
		    EXEC_TAIL);
	for (; from < r->ntail; from++)
		r->cr->log(r->cr, "%s: stderr: %s", r->name, r->tail[from % EXEC_TAIL]);
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
	r->until = ticks() + GRACE_MS;
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
		r->until = ticks() + DRAIN_MS;
	} else if (r->o->follow) {
		cut_short(r, "it printed nothing for %lld ms (timeout)", (long long)r->o->timeout);
	} else {
		cut_short(r, "it ran longer than %lld s (timeout)",
		    (long long)(r->o->timeout > 0 ? r->o->timeout : RUN_MS) / 1000);
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
look(struct run *r)
{
	struct command *c = &r->command;
	int got = take(r, &c->out, &r->out);

	r->bytes += (size_t)got;
	if (got > 0 && r->o->follow && r->o->timeout > 0 && r->phase == RUNS)
		r->until = ticks() + r->o->timeout;
	if (!r->o->follow && r->bytes > (size_t)r->o->max_output) {
		cut_short(r, "it printed more than %lld bytes (max_output)",
		    (long long)r->o->max_output);
		command_shut(c, &c->out);
	}
	(void)take(r, &c->err, &r->err);
	if (c->report != -1 && command_report(c)) {
		command_shut(c, &c->report);
		r->phase = OVER;
		r->until = ticks() + DRAIN_MS;
	}
}

/* Waits until there is something to read, or the phase ends. The host waits no more once it has
 * said that it wants to stop. */
static void
await(struct run *r)
{
	struct pollfd p = { .fd = r->command.ready, .events = POLLIN };
	int64_t now = ticks(), ms = r->until == INT64_MAX ? -1 : r->until > now ? r->until - now : 0;

	if (r->stopping) {
		(void)poll(&p, 1, (int)ms);
	} else if (r->cr->wait(r->cr, p.fd, ms) == -1) {
		r->stopping = 1;
		cut_short(r, "the daemon stops it");
	}
}

static void
run_watch(struct run *r)
{
	const struct command *c = &r->command;
	const struct exec_opts *o = r->o;

	r->until = o->timeout > 0 ? ticks() + o->timeout : o->follow ? INT64_MAX :
	    ticks() + RUN_MS;
	while (c->out != -1 || c->err != -1 || c->report != -1) {
		if (ticks() >= r->until && !phase_next(r))
			break;
		await(r);
		look(r);
	}
}

/* What the command did wrong, which is no fault of this plugin's. NULL: it did well. */
static const char *
wrong(const struct run *r, char why[EXEC_WHY])
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

/* What came of it: 0, or what fail() or retry() gives. */
static int
verdict(struct run *r)
{
	const char *name = r->o->command[0], *said = last_error(r);
	char why[EXEC_WHY];

	if (r->stopping)
		return 0;
	if (wrong(r, why) != NULL)
		return r->cr->retry(r->cr, -1, "%s %s%s%s", name, why,
		    *said != '\0' ? ": " : "", said);
	if (r->good == 0 && r->bad > 0)
		return r->cr->fail(r->cr, CR_BAD_DATA, "none of %zu lines that %s printed is a "
		    "record; %s", r->bad, name, r->first);
	return 0;
}

static int
run_end(struct run *r)
{
	if (r->why[0] != '\0')
		r->out.len = 0;		/* half a line, by no fault of its own */
	lines_end(&r->out);
	lines_end(&r->err);
	tell_errors(r);
	if (r->bad > BAD_SHOWN || (r->bad > 0 && r->o->follow))
		r->cr->log(r->cr, "%s: %zu of %zu lines are no records", r->name, r->bad,
		    r->bad + r->good);
	(void)r->cr->stored(r->cr);	/* before it is run again */
	return verdict(r);
}

/* Runs the command once: the host comes again after `every`. */
static int
exec_stream(struct cr *cr, void *opts)
{
	const struct exec_opts *o = opts;
	const char *slash = strrchr(o->command[0], '/');
	struct run r = { .cr = cr, .o = o, .phase = RUNS,
		.name = slash != NULL ? slash + 1 : o->command[0],
		.out = { .max = (size_t)o->max_line, .number = 1, .line = on_line },
		.err = { .max = ERROR_LINE, .number = 1, .line = on_error } };
	char **environment = environment_new(o);
	int rc = environment != NULL ? command_start(&r.command, o, environment) : -1;

	environment_free(environment);
	if (rc == -1)
		return cr->fail(cr, CR_BAD_DATA, "no process for %s: %s", o->command[0],
		    strerror(errno));
	r.out.arg = r.err.arg = &r;
	run_watch(&r);
	command_end(&r.command);
	return run_end(&r);
}

static int
exec_options(struct cr *cr, const void *opts)
{
	char why[EXEC_WHY];

	return exec_check(opts, why) == -1 ? cr->fail(cr, CR_BAD_OPTION, "%s", why) : 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "exec", .version = "1",
	.help = "lines of JSON that a command prints", .options = options,
	.options_size = sizeof(struct exec_opts), .wants = CR_EXEC | CR_FILES | CR_SECRETS,
	.check = exec_options, .stream = exec_stream,
};

/* sink_exec: runs a command for each record, or for a batch of them, without a shell; the records are
 * JSON Lines on its standard input, and its exit status says what becomes of them. */
#include "exec/exec.h"
#include "shared/delivery.h"
#include "shared/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#define STOP_MS		INT64_C(2500)	/* that a command may go on when the daemon stops, in 5 s */
#define LINE_MAX	4096		/* bytes of a line of output that are kept */

struct sink {
	struct exec_opts	 o;
	int64_t			 batch;
	const char *const	*retry;
	/* ours */
	struct retries		 retries;
	struct culprit		 culprit;
	int			 searched;	/* tries before the search for the culprit began */
};

static const struct cr_option options[] = {
	CR_OPTION(struct exec_opts, command, LIST, NULL, NULL,
	    "the program and its arguments; there is no shell"),
	CR_OPTION(struct sink, batch, INT, "1", "1..32", "records of one run, at most"),
	CR_OPTION(struct exec_opts, environment, LIST, "", NULL,
	    "variables besides PATH, HOME, LANG and COURANT_..., as a map"),
	CR_OPTION(struct exec_opts, folder, STRING, "", NULL,
	    "working directory; without it one of its own in the state folder"),
	CR_OPTION(struct exec_opts, memory, SIZE, "0", "0..",
	    "address space of each of its processes; 0: as the daemon's own limit"),
	CR_OPTION(struct sink, retry, LIST, RETRIES_USUAL, NULL,
	    "delays before each further try after a failure; then it is a dead letter"),
	CR_OPTION(struct exec_opts, secrets, SECRET, "", NULL,
	    "more variables, lines of NAME=VALUE, that no log shows"),
	CR_OPTION(struct exec_opts, timeout, DURATION, "60 s", "100 ms..1 d", "of one run"),
	CR_END
};

/* What an exit status, or the lack of one, means for the records. */
enum outcome {
	DELIVERED,
	REFUSED,			/* these will never be accepted */
	FAILED,				/* so often as `retry` says */
	LATER,				/* again, for as long as it takes */
	PAUSED,				/* until an operator resumes the sink */
	STOPPED				/* it was not let run to its end */
};
static const struct { int status; enum outcome outcome; } statuses[] = {
	{ -1, LATER },			/* not started, out of time, or killed */
	{ EX_OK, DELIVERED }, { EX_DATAERR, REFUSED }, { EX_UNAVAILABLE, LATER },
	{ EX_TEMPFAIL, LATER }, { EX_CONFIG, PAUSED },
};

/* A run and what it printed last. */
struct attempt {
	struct run	 run;
	struct tail	 printed;
	char		 id[DELIVERY_ID];
	int		 count;		/* tries before this one */
};

/* ---- A run ---- */

static void
on_line(void *arg, char *text, size_t len, int over)
{
	struct attempt *a = arg;

	(void)over;
	tail_add(&a->printed, a->run.o, text, len);
}

/* The records as JSON Lines in a file in memory, which a command may read as late as it wants, or not
 * at all. -1 with errno. */
static int
input_new(struct cr *cr, const struct cr_record *const *items, size_t n)
{
	int fd = memfd_create("records", MFD_CLOEXEC | MFD_ALLOW_SEALING), saved;
	const char *json;

	for (size_t i = 0; fd != -1 && i < n; i++) {
		json = cr->json(items[i]);
		errno = ENOMEM;
		if (json == NULL || files_write(fd, json, strlen(json)) == -1 ||
		    files_write(fd, "\n", 1) == -1)
			goto bad;
	}
	if (fd == -1 || (lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0))
		return fd;
bad:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static void
variables_free(char *more[EXEC_MORE])
{
	for (size_t i = 0; i < EXEC_MORE; i++)
		free(more[i]);
}

/* The command's environment; NULL: no memory. */
static char **
surroundings(const struct sink *s, const struct attempt *a, const char *route)
{
	char *more[EXEC_MORE] = { NULL }, **all = NULL;

	if (asprintf(&more[0], "COURANT_ROUTE=%s", route) == -1)
		more[0] = NULL;
	if (more[0] != NULL && asprintf(&more[1], "COURANT_DELIVERY=%s", a->id) == -1)
		more[1] = NULL;
	if (more[1] != NULL && asprintf(&more[2], "COURANT_ATTEMPT=%d", a->count + 1) == -1)
		more[2] = NULL;
	if (more[2] != NULL)
		all = environment_new(&s->o, (const char *const *)more);
	variables_free(more);
	return all;
}

/* Runs the command for n records. 0; -1 with errno: there is no process. */
static int
attempt_run(struct cr *cr, const struct sink *s, struct attempt *a, const struct cr_batch *batch,
    size_t at, size_t n)
{
	int input = input_new(cr, batch->items + at, n), rc = -1, saved;
	char **environment = input != -1 ? surroundings(s, a, batch->route) : NULL;

	a->run = (struct run){ .cr = cr, .o = &s->o, .limit = s->o.timeout, .stop_ms = STOP_MS,
		.sink = 1, .out = { .max = LINE_MAX, .line = on_line, .arg = a } };
	if (environment != NULL)
		rc = run_command(&a->run, environment, input);
	saved = errno;
	environment_free(environment);
	if (input != -1)
		close(input);
	errno = saved;
	return rc;
}

/* ---- What came of it ---- */

static enum outcome
outcome(const struct run *r)
{
	int status = run_status(r);

	if (r->stopping && status == -1)
		return STOPPED;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status)
			return statuses[i].outcome;
	return FAILED;
}

/* Says what is to become of n records, which the command did not take. */
static void
refused(struct cr *cr, const struct sink *s, const struct attempt *a, enum outcome what)
{
	const struct retries *t = &s->retries;
	const size_t nth = (size_t)a->count;
	const char *name = s->o.command[0], *said = tail_last(&a->run.errors);
	char why[EXEC_WHY] = "", text[EXEC_WHY + EXEC_ERROR];

	if (*said == '\0')
		said = tail_last(&a->printed);
	(void)run_wrong(&a->run, why);
	snprintf(text, sizeof(text), "%.200s %.190s%s%s", name, why, *said != '\0' ? ": " : "", said);
	if (what == STOPPED)
		cr->retry(cr, 0, "%s was ended, since the daemon stops it", name);
	else if (what == PAUSED)
		cr->fail(cr, CR_GONE, "%s", text);
	else if (what == REFUSED)
		cr->fail(cr, CR_REJECTED, "%s", text);
	else if (what == FAILED && nth >= t->n)
		cr->fail(cr, CR_REJECTED, "%s, tried %d times", text, a->count + 1);
	else if (t->n == 0)
		cr->retry(cr, -1, "%s", text);
	else
		cr->retry(cr, retries_spread(a->id, t->delay[nth < t->n ? nth : t->n - 1]), "%s",
		    text);
}

/* Whether one of several records may be the culprit: those that are tried no more are told apart. */
static int
is_verdict(const struct sink *s, const struct attempt *a, enum outcome what)
{
	return what == REFUSED || (what == FAILED && (size_t)a->count >= s->retries.n);
}

/* Delivers some of the records from `at` on. How many; 0: none was taken, and what is to become of
 * them was said; -1: none, and fewer of them are to be tried now. */
static int
deliver_some(struct cr *cr, struct sink *s, const struct cr_batch *batch, size_t at, int tries)
{
	size_t left = batch->n - at, n = left < (size_t)s->batch ? left : (size_t)s->batch;
	char first[DELIVERY_ID], next[DELIVERY_ID];
	struct attempt a = { .count = tries };
	enum outcome what;

	delivery_id(cr, batch->items + at, 1, first);
	if (culprit_near(&s->culprit, first) && s->searched > tries)
		a.count = s->searched;
	n = culprit_most(&s->culprit, first, n);
	delivery_id(cr, batch->items + at, n, a.id);
	if (attempt_run(cr, s, &a, batch, at, n) == -1) {
		cr->retry(cr, -1, "no process for %s: %s", s->o.command[0], strerror(errno));
		return 0;
	}
	if ((what = outcome(&a.run)) == DELIVERED) {
		if (at + n < batch->n)
			delivery_id(cr, batch->items + at + n, 1, next);
		culprit_taken(&s->culprit, first, n, at + n < batch->n ? next : NULL);
		return (int)n;
	}
	if (is_verdict(s, &a, what)) {
		culprit_refused(&s->culprit, first, n);
		s->searched = what == FAILED ? a.count : 0;
		if (n > 1)
			return -1;
	}
	if (what != STOPPED || at == 0)
		refused(cr, s, &a, what);
	return 0;
}

static size_t
deliver(struct cr *cr, void *opts, const struct cr_batch *batch)
{
	struct sink *s = opts;
	size_t at = 0;
	int n;

	while (delivery_now(batch, at, (size_t)s->batch)) {
		if (at > 0 && cr->wait(cr, -1, 0) == -1)
			break;		/* the daemon stops: what is done counts */
		n = deliver_some(cr, s, batch, at, at == 0 ? batch->attempt : 0);
		if (n == 0)
			break;
		if (n > 0)
			cr->done(cr, at += (size_t)n);
	}
	return at;
}

/* ---- Options ---- */

static int
check(struct cr *cr, const void *opts)
{
	const struct sink *s = opts;
	char why[EXEC_WHY];

	if (exec_check(&s->o, why) == -1)
		return cr->fail(cr, CR_BAD_OPTION, "%s", why);
	return retries_check(cr, s->retry);
}

static int
open_(struct cr *cr, void *opts)
{
	struct sink *s = opts;

	(void)cr;
	retries_read(&s->retries, s->retry);
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "exec", .version = "1",
	.help = "runs a command for each record, which gets it as JSON", .options = options,
	.options_size = sizeof(struct sink), .wants = CR_EXEC | CR_FILES | CR_SECRETS, .needs = 3,
	.takes = CR_BATCH_RECORDS, .check = check, .open = open_, .deliver = deliver,
};

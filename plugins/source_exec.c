/* source_exec: runs a command, without a shell; each line of JSON that it prints is a record. */
#include "exec/exec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RUN_MS		INT64_C(300000)	/* of a run, without `timeout` */
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

struct printed {
	struct run	 run;
	size_t		 good, bad;	/* lines that are records, and that are none */
	int		 odd;		/* that something is left out was told */
	char		 first[EXEC_WHY];	/* of the bad lines */
};

/* ---- What it prints ---- */

static void
bad_line(struct printed *p, char *text, size_t len, const char *why)
{
	const struct run *r = &p->run;
	char all[EXEC_WHY];

	secrets_hide(r->o, text);
	snprintf(all, sizeof(all), "line %zu: %s: \"%.*s\"", r->out.number, why,
	    (int)(len < EXEC_SHOWN ? len : EXEC_SHOWN), text);
	if (p->bad++ == 0)
		memcpy(p->first, all, sizeof(all));
	if (r->o->follow || p->bad <= BAD_SHOWN)
		r->cr->log(r->cr, "%s: %s", r->name, all);
}

static void
on_line(void *arg, char *text, size_t len, int over)
{
	struct printed *p = arg;
	const struct run *r = &p->run;
	char why[EXEC_WHY], odd[EXEC_WHY];

	if (text[strspn(text, " \t")] == '\0' && !over)
		return;
	if (over) {
		snprintf(why, sizeof(why), "it is longer than %lld bytes (max_line)",
		    (long long)r->o->max_line);
		bad_line(p, text, len, why);
		return;
	}
	if (line_emit(r->cr, text, len, why, odd) == -1) {
		bad_line(p, text, len, why);
		return;
	}
	p->good++;
	if (odd[0] != '\0' && !p->odd)
		r->cr->log(r->cr, "%s: line %zu: a record has no such fields, which are left out "
		    "here and in later lines: %s", r->name, r->out.number, odd);
	p->odd |= odd[0] != '\0';
}

/* ---- Its end ---- */

/* What came of it: 0, or what fail() or retry() gives. */
static int
verdict(struct printed *p)
{
	struct run *r = &p->run;
	const char *name = r->o->command[0], *said = tail_last(&r->errors);
	char why[EXEC_WHY];

	if (r->stopping)
		return 0;
	if (run_wrong(r, why) != NULL)
		return r->cr->retry(r->cr, -1, "%s %s%s%s", name, why,
		    *said != '\0' ? ": " : "", said);
	if (p->good == 0 && p->bad > 0)
		return r->cr->fail(r->cr, CR_BAD_DATA, "none of %zu lines that %s printed is a "
		    "record; %s", p->bad, name, p->first);
	return 0;
}

/* Runs the command once: the host comes again after `every`. */
static int
exec_stream(struct cr *cr, void *opts)
{
	const struct exec_opts *o = opts;
	struct printed p = { .run = { .cr = cr, .o = o,
		.limit = o->timeout > 0 || o->follow ? o->timeout : RUN_MS,
		.max_bytes = o->follow ? 0 : (size_t)o->max_output,
		.out = { .max = (size_t)o->max_line, .line = on_line } } };
	char **environment = environment_new(o, NULL);
	int rc;

	p.run.out.arg = &p;
	rc = environment != NULL ? run_command(&p.run, environment, -1) : -1;
	environment_free(environment);
	if (rc == -1)
		return cr->fail(cr, CR_BAD_DATA, "no process for %s: %s", o->command[0],
		    strerror(errno));
	if (p.bad > BAD_SHOWN || (p.bad > 0 && o->follow))
		cr->log(cr, "%s: %zu of %zu lines are no records", p.run.name, p.bad,
		    p.bad + p.good);
	(void)cr->stored(cr);		/* before it is run again */
	return verdict(&p);
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

/* source_visited: answers visitors; what it does is what the path asks for. */
#include <courant/plugin.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct visited {
	const char	*token;
	const char	*hook;
};

static const struct cr_option options[] = {
	CR_OPTION(struct visited, token, SECRET, "", NULL, "sent to the hook"),
	CR_OPTION(struct visited, hook, URL, "", NULL, "where /http sends its token"),
	CR_END
};

static int	served;			/* in this process */

/* The value of a name in the form; "": there is none. */
static const char *
form(const struct cr_visit *v, const char *name)
{
	static char value[4096];
	const char *s = v->form, *end;
	size_t n = strlen(name);

	value[0] = '\0';
	for (; *s != '\0'; s = end + 1) {
		end = strchr(s, '\n');
		if (strncmp(s, name, n) == 0 && s[n] == '=') {
			snprintf(value, sizeof(value), "%.*s", (int)(end - s - (long)n - 1), s + n + 1);
			break;
		}
	}
	return value;
}

static long
number(const struct cr_visit *v, const char *name)
{
	return strtol(form(v, name), NULL, 10);
}

static int CR_PRINTF(3, 4)
say(struct cr *cr, int status, const char *fmt, ...)
{
	static char text[65536];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cr->answer(cr, status, NULL, text, n < (int)sizeof(text) ? (size_t)n :
	    sizeof(text) - 1);
}

static int
emit(struct cr *cr, const char *name)
{
	struct cr_record *rec = cr->record(cr, name);

	cr->set(rec, CR_TITLE, name);
	return cr->emit(cr, rec);
}

/* Counts what was added, in the state. */
static long
count(struct cr *cr, long more)
{
	const char *was = cr->state_get(cr, "count");
	long n = (was != NULL ? strtol(was, NULL, 10) : 0) + more;
	char text[24];

	snprintf(text, sizeof(text), "%ld", n);
	cr->state_set(cr, "count", text);
	return n;
}

static int
do_add(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)o;
	if (emit(cr, form(v, "name")) == -1)
		return cr->fail(cr, CR_BAD_DATA, "it has no name");
	return say(cr, 201, "added %ld\n", count(cr, 1));
}

static int
do_many(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	long n = number(v, "n"), i;
	const char *was;
	char name[32];

	(void)o;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "many-%ld", i);
		emit(cr, name);
	}
	count(cr, n);
	if (cr->stored(cr) != 0)
		return -1;
	was = cr->state_get(cr, "count");
	return say(cr, 200, "stored %s\n", was != NULL ? was : "nothing");
}

static int
do_echo(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)o;
	return say(cr, 200, "method %s\npath %s\npeer %s\nform\n%s\nheaders\n%s\nbody %zu\n%s", v->method,
	    v->path, v->peer, v->form, v->headers, v->len, v->body);
}

static int
do_state(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)o;
	(void)v;
	return say(cr, 200, "%s\n", cr->state_get(cr, "count"));
}

static int
do_fail(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	long why = number(v, "why");

	(void)o;
	emit(cr, "emitted before it failed");
	count(cr, 1000);
	say(cr, 200, "never seen\n");
	if (why == 0)
		return -1;
	if (why < 100)
		return cr->fail(cr, (int)why, "no %ld", why);
	return cr->retry(cr, why == 100 ? 90000 : why == 101 ? -1 : INT64_MAX, "come back");
}

static int
do_crash(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)o;
	if (*form(v, "old") == '\0' || served > 1)
		abort();
	return say(cr, 200, "fresh\n");
}

static int
do_hang(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)o;
	cr->log(cr, "hangs");
	if (*form(v, "ms") != '\0')
		usleep((useconds_t)number(v, "ms") * 1000);
	else
		for (;;)
			sleep(1);
	if (*form(v, "emit") != '\0')
		emit(cr, form(v, "emit"));
	return say(cr, 200, "woke %s\n", form(v, "name"));
}

static int
do_big(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	size_t n = (size_t)number(v, "n");
	char *text = malloc(n + 1);

	(void)o;
	memset(text, 'x', n + 1);
	cr->answer(cr, 202, "text/x-big", text, n);
	free(text);
	return 0;
}

static int
do_answer(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	const char *type = form(v, "type");
	char copy[300];

	(void)o;
	snprintf(copy, sizeof(copy), "%s", type);
	if (cr->answer(cr, (int)number(v, "status"), copy, "body\n", 5) == -1)
		return say(cr, 418, "refused\n");
	return 0;
}

static int
do_nothing(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	(void)cr;
	(void)o;
	(void)v;
	return 0;
}

static int
do_http(struct cr *cr, const struct visited *o, const struct cr_visit *v)
{
	char headers[300];
	struct cr_request rq = { .size = sizeof(rq), .url = o->hook, .headers = headers };
	struct cr_response rs = { .size = sizeof(rs) };

	(void)v;
	snprintf(headers, sizeof(headers), "X-Token: %s\n", o->token);
	emit(cr, "before http");
	if (cr->http(cr, &rq, &rs, 1) != 1)
		return cr->retry(cr, -1, "%s", rs.error);
	return say(cr, 200, "status %d body %.100s holds %.9s\n", rs.status, rs.body, o->token);
}

static const struct {
	const char	*path;
	int		(*go)(struct cr *, const struct visited *, const struct cr_visit *);
} paths[] = {
	{ "/add", do_add }, { "/many", do_many }, { "/echo", do_echo }, { "/state", do_state },
	{ "/fail", do_fail }, { "/crash", do_crash }, { "/hang", do_hang }, { "/big", do_big },
	{ "/answer", do_answer }, { "/nothing", do_nothing }, { "/http", do_http },
};

static int
request(struct cr *cr, void *opts, const struct cr_visit *v)
{
	served++;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strncmp(v->path, paths[i].path, strlen(paths[i].path)) == 0)
			return paths[i].go(cr, opts, v);
	return say(cr, 404, "no %s here\n", v->path);
}

static int
parse(struct cr *cr, void *opts, const struct cr_page *page)
{
	const char *n = cr->state_get(cr, "count");

	(void)opts;
	(void)page;
	cr->log(cr, "counted %s", n != NULL ? n : "nothing");
	return 0;
}

const struct cr_plugin cr_plugin_v1 = {
	CR_PLUGIN, .name = "visited", .version = "1", .help = "answers visitors",
	.options = options, .options_size = sizeof(struct visited), .wants = CR_HTTP,
	.parse = parse, .request = request,
};

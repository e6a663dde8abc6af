/* Runs one plugin for `courant`: finds it, reads its options, starts its sandboxed worker. */
#include "cli_job.h"
#include "cli_daemon.h"
#include "cli_print.h"
#include "cli_usage.h"
#include "cli_user.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "base/text.h"
#include "catalog/option.h"
#include "catalog/plugin.h"
#include "conf/conf.h"
#include "conf/setup_default.h"
#include "conf/setup_read.h"
#include "conf/setup_template.h"
#include "ipc/chan.h"
#include "ipc/memfd.h"
#include "ipc/worker_start.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONF_MAX	(1u << 20)	/* bytes of the configuration made here */
#define LAST_READS	17		/* of what a worker said before a frame: a full pipe */

void
cli_option(struct cli_job *j, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		cli_misused("-o %s: NAME=VALUE is wanted", text);
	/* cppcheck-suppress [nullPointerRedundantCheck,nullPointerArithmeticRedundantCheck] ; it
	 * exits */
	*value++ = '\0';
	options_add(&j->given, text, value);
}

/* ---- The plugin ---- */

/* Reads the settings of the daemon's configuration; NULL: there is none. tree: for setup_read(), or
 * to be freed. On mistakes ends the program. */
static struct setup *
settings_open(struct node **tree)
{
	const char *file = cli_conf();
	struct mistakes m;
	struct setup *s;

	if (file == NULL)
		return NULL;
	mistakes_init(&m);
	s = setup_open(file, &m, tree);
	if (s == NULL) {
		print_lines(m.text.data, 1);
		exit(1);
	}
	mistakes_free(&m);
	return s;
}

struct setup *
cli_settings(void)
{
	struct node *tree = NULL;
	struct setup *s = settings_open(&tree);

	conf_free(tree);
	return s;
}

static void
scan(struct cli_job *j, const char *folder)
{
	struct buf err;

	buf_init(&err, 4096);
	if (catalog_scan(j->catalog, folder, NULL, &err) == -1)
		print_error("courant: %s\n", err.data);
	buf_free(&err);
}

static int
is_file(const char *which)
{
	return strchr(which, '/') != NULL || strstr(which, ".so") != NULL;
}

/* Scans all plugin folders of the daemon. */
static void
scan_all(struct cli_job *j)
{
	scan(j, child_plugin_dir());
	for (size_t i = 0; j->settings != NULL && i < j->settings->nplugin_dirs; i++)
		scan(j, j->settings->plugin_dirs[i]);
}

/* The source, or the plugin of that kind, with the nearest name; NULL: none is near. */
static const char *
nearest(const struct cli_job *j, const char *kind, const char *which)
{
	size_t n = 0, sources = j->settings != NULL ? j->settings->nsources : 0, i;
	const char **names = xcalloc(sources + catalog_count(j->catalog) + 1, sizeof(*names)), *near;

	for (i = 0; i < sources; i++)
		names[n++] = j->settings->sources[i].name;
	for (i = 0; i < catalog_count(j->catalog); i++)
		if (strcmp(catalog_at(j->catalog, i)->kind, kind) == 0)
			names[n++] = catalog_at(j->catalog, i)->name;
	near = option_nearest(which, names, n);
	free(names);
	return near;
}

static void
tell_none(const struct cli_job *j, const char *kind, const char *which)
{
	const char *near = nearest(j, kind, which);

	if (near != NULL)
		print_error("courant: there is no %s named %s; did you mean %s?\n", kind, which,
		    near);
	else
		print_error("courant: there is no %s named %s; `courant plugins` lists what there "
		    "is, --plugin FILE takes a file\n", kind, which);
	if (cli_conf() == NULL && cli_conf_denied() != NULL)
		print_error("courant: %s: the configuration was not looked at: permission denied\n",
		    cli_conf_denied());
}

/* Gives up root, before the first worker. which: the plugin's file, or another name. */
static void
drop_root(struct cli_job *j, const char *which)
{
	uid_t own = cli_user(j->settings);

	if (is_file(which))
		catalog_open(j->catalog, which, own);
	cli_user_options(&j->given);
	cli_user_drop(&j->given);
}

void
cli_plugin(struct cli_job *j, const char *kind, const char *which)
{
	if (j->catalog == NULL) {	/* otherwise cli_source() has scanned all folders */
		j->catalog = catalog_new(defaults_fit);
		j->settings = cli_settings();
		drop_root(j, which);
		if (!is_file(which))
			scan_all(j);
	}
	j->plugin = is_file(which) ? catalog_file(j->catalog, which, NULL) :
	    catalog_find(j->catalog, kind, which);
	j->name = j->plugin != NULL ? j->plugin->name : which;
	if (j->plugin == NULL)
		tell_none(j, kind, which);
	else if (j->plugin->error != NULL)
		print_error("courant: %s: %s\n", which, j->plugin->error);
	else if (strcmp(j->plugin->kind, kind) != 0)
		print_error("courant: %s is a %s, and no %s\n", which, j->plugin->kind, kind);
	else
		return;
	exit(1);
}

/* Reads the whole configuration, with all plugins, and gives up root. which: as for drop_root(). -1:
 * it has mistakes. */
static int
configuration(struct cli_job *j, const char *which, struct mistakes *m)
{
	struct node *tree = NULL;

	j->settings = settings_open(&tree);
	j->catalog = catalog_new(defaults_fit);
	drop_root(j, which);
	scan_all(j);
	mistakes_init(m);
	return setup_read(j->settings, tree, j->catalog, m);
}

const struct setup *
cli_configuration(struct cli_job *j)
{
	struct node *tree = NULL;
	struct mistakes m;

	j->settings = settings_open(&tree);
	if (j->settings == NULL) {
		print_error("courant: there is no configuration%s%s: -c FILE names one\n",
		    cli_conf_denied() != NULL ? " that may be read: " : "",
		    cli_conf_denied() != NULL ? cli_conf_denied() : "");
		exit(1);
	}
	(void)cli_user(j->settings);
	cli_user_drop(&j->given);
	mistakes_init(&m);
	if (setup_read(j->settings, tree, NULL, &m) == -1) {
		print_lines(m.text.data, 1);
		exit(1);
	}
	mistakes_free(&m);
	return j->settings;
}

const struct source *
cli_source(struct cli_job *j, const char *name)
{
	const struct source *s = NULL;
	struct mistakes m;

	if (cli_conf() == NULL)
		return NULL;
	if (configuration(j, name, &m) == -1) {
		if (strstr(name, ".so") != NULL)
			return NULL;
		print_lines(m.text.data, 1);
		print_error("courant: whether %s is a source is not known; --plugin %s takes the "
		    "plugin\n", name, name);
		exit(1);
	}
	mistakes_free(&m);
	for (size_t i = 0; i < j->settings->nsources && s == NULL; i++)
		if (strcmp(j->settings->sources[i].name, name) == 0)
			s = &j->settings->sources[i];
	if (s != NULL && s->instance->plugin == NULL) {
		print_error("courant: %s: %s\n", name, s->own ? "the daemon itself makes its records" :
		    s->instance->waiting);
		exit(1);
	}
	if (s != NULL) {
		j->plugin = s->instance->plugin;
		j->name = j->plugin->name;
	}
	return s;
}

/* Whether the route's filters can run; if not, prints why. */
static int
filters_there(const struct route *r)
{
	for (size_t i = 0; i < r->nfilters; i++) {
		const struct instance *in = r->filters[i].instance;

		if (in->plugin != NULL && in->plugin->fd != -1)
			continue;
		print_error("courant: route %s: %s: %s\n", r->name, r->filters[i].rule,
		    in->waiting != NULL ? in->waiting : "its plugin cannot be loaded");
		return 0;
	}
	return 1;
}

const struct route *
cli_route(struct cli_job *j, const char *name)
{
	struct mistakes m;

	if (cli_conf() == NULL) {
		print_error("courant: the filters stand in the configuration: name it with -c\n");
		exit(1);
	}
	if (configuration(j, "", &m) == -1) {
		print_lines(m.text.data, 1);
		exit(1);
	}
	mistakes_free(&m);
	for (size_t i = 0; i < j->settings->nroutes; i++)
		if (strcmp(j->settings->routes[i].name, name) == 0) {
			if (j->settings->routes[i].edition != NULL)
				i = j->settings->routes[i].routes[0];	/* the one that has the filters */
			j->name = j->settings->routes[i].name;
			if (filters_there(&j->settings->routes[i]))
				return &j->settings->routes[i];
			exit(1);
		}
	print_error("courant: %s: there is no route %s\n", cli_conf(), name);
	exit(1);
}

/* ---- Its options ---- */

static void
put_value(struct buf *b, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *path = NULL;

	/* Relative paths begin in the working directory, not in a configuration's folder. */
	if (len > 5 && strcmp(name + len - 5, "_file") == 0)
		path = realpath(value, NULL);
	value = path != NULL ? path : value;
	text_json(b, value, strlen(value));
	free(path);
}

/* Appends all values of the nth option's name, as a scalar or a list, unless done before. */
static void
put_option(struct buf *b, const struct options *all, size_t nth)
{
	const char *name = all->v[nth].name;
	size_t i, n = 0;

	for (i = 0; i < nth; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return;		/* was appended with the first of its name */
	for (i = nth; i < all->n; i++)
		n += strcmp(all->v[i].name, name) == 0;
	buf_fmt(b, ", %s: ", name);
	if (n > 1)
		buf_char(b, '[');
	for (i = nth; i < all->n; i++)
		if (strcmp(all->v[i].name, name) == 0) {
			if (i > nth)
				buf_char(b, ',');
			put_value(b, name, all->v[i].value);
		}
	if (n > 1)
		buf_char(b, ']');
}

/* Writes the configuration that runs the plugin: one source, or one route with one filter. */
static void
write_conf(const struct cli_job *j, const char *url, struct buf *b)
{
	int source = strcmp(j->plugin->kind, "source") == 0;
	size_t i, begun;

	buf_fmt(b, "state: /nonexistent\nallow: [%s_%s]\n", j->plugin->kind, j->plugin->name);
	if (source)
		buf_fmt(b, "sources:\n  %s: { plugin: %s", j->plugin->name, j->plugin->name);
	else
		buf_fmt(b, "routes:\n  %s: { from: [\"*\"], filters: [ { %s: { ", j->plugin->name,
		    j->plugin->name);
	begun = b->len;
	if (source && url != NULL) {
		buf_str(b, ", url: ");
		text_json(b, url, strlen(url));
	}
	for (i = 0; i < j->given.n; i++)
		put_option(b, &j->given, i);
	if (!source && b->len > begun)
		b->data[begun] = ' ';	/* no comma before the first */
	buf_str(b, source ? " }\n" : " } } ] }\n");
}

/* Prints mistakes without file and line, since the user never saw that configuration. */
static void
tell_mistakes(const struct mistakes *m)
{
	const char *at = m->text.data, *what;

	for (; at != NULL && *at != '\0'; at += strcspn(at, "\n") + 1) {
		what = strstr(at, ": ");
		what = what != NULL ? what + 2 : at;
		print_error("courant: %.*s\n", (int)strcspn(what, "\n"), what);
		at = what;
	}
}

void
cli_setup(struct cli_job *j, const char *url)
{
	char path[PATH_MAX];
	struct mistakes m;
	struct node *tree = NULL;
	struct buf b;
	int fd;

	buf_init(&b, CONF_MAX);
	write_conf(j, url, &b);
	fd = b.over ? -1 : memfd_new(b.data, b.len);
	if (fd == -1) {
		print_error("courant: the options are too long\n");
		exit(1);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mistakes_init(&m);
	j->setup = setup_open(path, &m, &tree);
	if (j->setup == NULL || setup_read(j->setup, tree, j->catalog, &m) == -1) {
		tell_mistakes(&m);
		exit(1);
	}
	mistakes_free(&m);
	buf_free(&b);
	close(fd);
}

/* ---- The worker ---- */

/* What a worker says: it has no terminal, its lines come by a pipe. */
static void
say(const char *line, void *arg)
{
	const struct cli_job *j = arg;

	print_error("%s says: %s\n", j->name, line);
}

/* Waits until the worker says something or sends a frame. */
static void
await(struct cli_job *j, int ms)
{
	struct pollfd p[] = { { .fd = chan_fd(j->chan), .events = POLLIN },
		{ .fd = j->output.fd, .events = POLLIN } };

	if (poll(p, 2, ms) <= 0)
		return;
	if (p[1].revents != 0 && child_output_read(&j->output) == -1) {
		close(j->output.fd);
		j->output.fd = -1;
	}
}

/* Receives a frame, and prints what the worker said before. As chan_recv(). */
static int
receive(struct cli_job *j, struct frame *f, int64_t until)
{
	int64_t left;
	int rc;

	while ((rc = chan_recv(j->chan, f, 0)) == 0 && (left = until - date_ticks()) > 0)
		await(j, (int)left);
	for (int i = 0; i < LAST_READS && j->output.fd != -1; i++)
		await(j, 0);
	return rc;
}

/* Starts a worker process, and begins its first message. */
static void
start(struct cli_job *j, const char *libraries, struct w_start *ws, uint32_t n, struct buf *b)
{
	ws->memory = CLI_MEMORY;
	ws->out = CLI_OUT;
	ws->cpu = INT64_C(3600000);
	ws->name = j->name;
	if (child_worker(&j->child, libraries) == -1)
		exit(1);
	j->ready = 0;
	j->chan = chan_new(j->child.fd);
	j->output = (struct child_output){ .fd = j->child.out, .say = say, .arg = j,
		.most = CLI_LINES };
	fcntl(j->output.fd, F_SETFL, O_NONBLOCK);
	worker_start_begin(b, ws, n);
}

void
cli_start(struct cli_job *j, enum w_mode mode, struct bytes options)
{
	struct w_start ws = { .mode = mode, .grants = j->grants, .folder = j->folder };
	struct buf b;

	start(j, j->plugin->libraries, &ws, 1, &b);
	worker_start_plugin(&b, j->plugin->copy, options);
	if (mode == W_FILTER)
		wire_put_str(&b, j->setup->routes[0].filters[0].rule);
	(void)chan_send(j->chan, MSG_W_START, 0, &b, j->plugin->fd, -1);
	buf_free(&b);
}

/* The libraries' folders of all filters, a colon between; NULL: there are none. */
static char *
route_libraries(const struct route *r)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	for (size_t i = 0; i < r->nfilters; i++)
		if (r->filters[i].instance->plugin->libraries != NULL)
			buf_fmt(&b, "%s%s", b.len > 0 ? ":" : "",
			    r->filters[i].instance->plugin->libraries);
	return b.data;
}

void
cli_start_route(struct cli_job *j, const struct route *r)
{
	struct w_start ws = { .mode = W_FILTER, .copies = (uint32_t)r->nfilters };
	char *libraries = route_libraries(r);
	struct buf b, options;

	start(j, libraries, &ws, ws.copies, &b);
	free(libraries);
	for (size_t i = 0; i < r->nfilters; i++) {
		buf_init(&options, 2 * OPTION_SET_MAX);
		instance_options(r->filters[i].instance, 0, &options);
		worker_start_plugin(&b, r->filters[i].instance->plugin->copy,
		    (struct bytes){ options.data, options.len });
		buf_free(&options);
	}
	for (size_t i = 0; i < r->nfilters; i++)
		wire_put_str(&b, r->filters[i].rule);
	(void)chan_send(j->chan, MSG_W_START, 0, &b, -1, -1);
	buf_clear(&b);
	for (size_t i = 0; i < r->nfilters; i++)
		(void)chan_send(j->chan, MSG_W_COPY, 0, &b, r->filters[i].instance->plugin->fd, -1);
	buf_free(&b);
}

void
cli_stop(struct cli_job *j, struct buf *why)
{
	int status = 0;

	if (j->chan == NULL)
		return;
	chan_free(j->chan);
	j->chan = NULL;
	usleep(1000);
	child_reap(j->child.pid, 0, &status);
	if (j->output.fd != -1) {
		child_output_end(&j->output);
		close(j->output.fd);
	}
	if (why != NULL)
		child_obituary_at(why, status, j->output.crash);
	free(j->output.crash);
}

/* The next frame besides one MSG_READY. As chan_recv(); -2: a second one came. */
static int
next_frame(struct cli_job *j, struct frame *f)
{
	int64_t until = date_ticks() + CLI_DEADLINE;
	int rc;

	j->output.lines = 0;
	while ((rc = receive(j, f, until)) == 1 && f->type == MSG_READY)
		if (j->ready++)
			return -2;
	return rc;
}

int
cli_wait(struct cli_job *j, uint16_t type, struct frame *f, struct buf *why)
{
	struct wire w;
	const char *s;
	int rc = next_frame(j, f);

	if (rc == 1 && f->type == type)
		return 0;
	if (rc == -2)
		buf_str(why, "the worker floods the command with frames");
	else if (rc == 1 && f->type == MSG_W_ABOUT) {
		wire_init(&w, f->data, f->len);
		(void)wire_u32(&w);
		s = wire_str(&w);
		buf_fmt(why, "%s: ", s != NULL ? s : "the worker could not be set up");
	} else if (rc == 1)
		buf_fmt(why, "the worker sent a %s: ", msg_name(f->type));
	else if (rc == 0)
		buf_fmt(why, "the deadline of %d s passed: ", CLI_DEADLINE / 1000);
	else if (chan_error(j->chan) != NULL)
		buf_fmt(why, "the worker sent a bad frame: %s", chan_error(j->chan));
	else
		buf_str(why, "the worker died: ");
	cli_stop(j, rc == -2 || chan_error(j->chan) != NULL ? NULL : why);
	return -1;
}

int
cli_verified(struct cli_job *j, struct bytes record, enum verify_as as, size_t n)
{
	char why[VERIFY_WHY];

	if (verify_record(record, as, date_now(), why) == 0)
		return 1;
	j->forged++;
	print_error("courant: %s: %s %zu refused, forged by the plugin: %s\n", j->name,
	    as == VERIFY_FEED ? "the feed of document" : "record", n, why);
	return 0;
}

void
cli_free(struct cli_job *j)
{
	cli_stop(j, NULL);
	options_free(&j->given);
	setup_free(j->setup);
	setup_free(j->settings);
	catalog_free(j->catalog);
}

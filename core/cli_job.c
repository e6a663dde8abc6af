/* One plugin under `courant`: found, given its options, and run in the daemon's sandbox. */
#include "cli_job.h"
#include "cli.h"
#include "chan.h"
#include "conf.h"
#include "filter.h"
#include "mem.h"
#include "option.h"
#include "result.h"
#include "text.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONF_MAX	(1u << 20)	/* bytes of the configuration made here */

void
cli_option(struct cli_job *j, char *text)
{
	char *value = strchr(text, '=');

	if (value == NULL)
		cli_usage();
	/* cppcheck-suppress [nullPointerRedundantCheck,nullPointerArithmeticRedundantCheck] ; it exits */
	*value++ = '\0';
	options_add(&j->given, text, value);
}

/* ---- The plugin ---- */

/* The daemon's configuration, for its plugin folders and manners; without one, defaults. */
static struct setup *
settings_read(void)
{
	const char *file = cli_conf();
	struct mistakes m;
	struct node *tree = NULL;
	struct setup *s;

	if (file == NULL)
		return NULL;
	mistakes_init(&m);
	s = setup_open(file, &m, &tree);
	if (s == NULL) {
		fputs(m.text.data, stderr);
		exit(1);
	}
	/* Sources and routes may wait for plugins that are not looked for here: only what stands before
	 * them counts. */
	conf_free(tree);
	mistakes_free(&m);
	return s;
}

static void
scan(struct cli_job *j, const char *folder)
{
	struct buf err;

	buf_init(&err, 4096);
	if (catalog_scan(j->catalog, folder, NULL, &err) == -1)
		fprintf(stderr, "courant: %s\n", err.data);
	buf_free(&err);
}

static const struct plugin *
find(struct cli_job *j, const char *kind, const char *which)
{
	if (strchr(which, '/') != NULL || strstr(which, ".so") != NULL)
		return catalog_file(j->catalog, which, NULL);
	scan(j, spawn_plugin_dir());
	for (size_t i = 0; j->settings != NULL && i < j->settings->nplugin_dirs; i++)
		scan(j, j->settings->plugin_dirs[i]);
	return catalog_find(j->catalog, kind, which);
}

void
cli_plugin(struct cli_job *j, const char *kind, const char *which)
{
	j->catalog = catalog_new();
	j->settings = settings_read();
	j->plugin = find(j, kind, which);
	if (j->plugin == NULL)
		fprintf(stderr, "courant: there is no %s named %s; `courant plugins` lists what there "
		    "is, --plugin FILE takes a file\n", kind, which);
	else if (j->plugin->error != NULL)
		fprintf(stderr, "courant: %s: %s\n", which, j->plugin->error);
	else if (strcmp(j->plugin->kind, kind) != 0)
		fprintf(stderr, "courant: %s is a %s, and no %s\n", which, j->plugin->kind, kind);
	else
		return;
	exit(1);
}

/* ---- Its options ---- */

static void
put_value(struct buf *b, const char *name, const char *value)
{
	size_t len = strlen(name);
	char *path = NULL;

	/* Relative paths begin in our folder, not in that of a configuration. */
	if (len > 5 && strcmp(name + len - 5, "_file") == 0)
		path = realpath(value, NULL);
	value = path != NULL ? path : value;
	text_json(b, value, strlen(value));
	free(path);
}

/* Values of one name: a scalar, or a list of them. */
static void
put_option(struct buf *b, const struct options *all, size_t nth)
{
	const char *name = all->v[nth].name;
	size_t i, n = 0;

	for (i = 0; i < nth; i++)
		if (strcmp(all->v[i].name, name) == 0)
			return;		/* stands there already */
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

/* The configuration that would run it: one source, or one route with one filter. */
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

/* Mistakes without the file and line of what the user never saw. */
static void
tell_mistakes(const struct mistakes *m)
{
	const char *at = m->text.data, *what;

	for (; at != NULL && *at != '\0'; at += strcspn(at, "\n") + 1) {
		what = strstr(at, ": ");
		what = what != NULL ? what + 2 : at;
		fprintf(stderr, "courant: %.*s\n", (int)strcspn(what, "\n"), what);
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
	fd = b.over ? -1 : result_fd(b.data, b.len);
	if (fd == -1) {
		fprintf(stderr, "courant: the options are too long\n");
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

void
cli_start(struct cli_job *j, enum w_mode mode, struct bytes options)
{
	struct w_start ws = { .mode = mode, .memory = CLI_MEMORY, .out = CLI_OUT,
		.cpu = INT64_C(3600000), .name = j->plugin->name };
	struct buf b;

	if (spawn_worker(&j->child, 0) == -1)
		exit(1);
	j->chan = chan_new(j->child.fd);
	filter_fill(&ws);
	buf_init(&b, msg_limit(MSG_W_START));
	wire_put(&b, w_start, &ws);
	wire_put_u32(&b, 1);
	wire_put_str(&b, j->plugin->copy);
	wire_put_bytes(&b, options.data != NULL ? options.data : "", options.len);
	if (mode == W_FILTER)
		wire_put_str(&b, j->setup->routes[0].filters[0].rule);
	(void)chan_send(j->chan, MSG_W_START, 0, &b, -1, -1);
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
	kill(j->child.pid, SIGKILL);
	while (waitpid(j->child.pid, &status, 0) == -1 && errno == EINTR)
		;
	if (why != NULL)
		spawn_obituary(why, status);
}

int
cli_wait(struct cli_job *j, uint16_t type, struct frame *f, struct buf *why)
{
	struct wire w;
	const char *s;
	int rc;

	while ((rc = chan_recv(j->chan, f, CLI_DEADLINE)) == 1 && f->type == MSG_READY)
		;
	if (rc == 1 && f->type == type)
		return 0;
	if (rc == 1 && f->type == MSG_W_ABOUT) {
		wire_init(&w, f->data, f->len);
		(void)wire_u32(&w);
		s = wire_str(&w);
		buf_fmt(why, "%s: ", s != NULL ? s : "the worker could not be set up");
	} else if (rc == 1)
		buf_fmt(why, "the worker sent a %s: ", msg_name(f->type));
	else if (rc == 0)
		buf_fmt(why, "the deadline of %d s passed: ", CLI_DEADLINE / 1000);
	else
		buf_str(why, "the worker died: ");
	cli_stop(j, why);
	return -1;
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

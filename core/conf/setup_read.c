/* Reads a configuration: its settings here; `defaults`, sources and routes in setup_preset.c,
 * setup_source.c and setup_route.c. */
#include "setup_read.h"
#include "setup_default.h"
#include "setup_instance.h"
#include "setup_mail.h"
#include "setup_preset.h"
#include "setup_route.h"
#include "setup_source.h"
#include "setup_value.h"
#include "base/digest.h"
#include "base/idn.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "ipc/msg.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef COURANT_STATE
#define COURANT_STATE	"/var/lib/courant"
#endif
#define CONTACT_MAX	200		/* bytes, since it goes into a header */

struct top {
	const char		*contact, *user, *state, *ca;
	const char *const	*files, *const *plugins, *const *allow;
	int			 private;
};
static const struct cr_option top_own[] = {
	CR_OPTION(struct top, contact, STRING, "", NULL, NULL),
	CR_OPTION(struct top, user, STRING, "", NULL, NULL),
	CR_OPTION(struct top, state, STRING, COURANT_STATE, NULL, NULL),
	CR_OPTION(struct top, ca, STRING, "", NULL, NULL),
	CR_OPTION(struct top, private, BOOL, "no", NULL, NULL),
	CR_OPTION(struct top, files, LIST, "", NULL, NULL),
	CR_OPTION(struct top, plugins, LIST, "", NULL, NULL),
	CR_OPTION(struct top, allow, LIST, "", NULL, NULL),
	CR_END
};
static const struct cr_option top_nodes[] = {
	{ "serve", CR_STRING, 0, "", NULL, NULL },
	{ "mail", CR_STRING, 0, "", NULL, NULL },
	{ "hosts", CR_STRING, 0, "", NULL, NULL },
	{ "heat", CR_STRING, 0, "", NULL, NULL },
	{ "limits", CR_STRING, 0, "", NULL, NULL },
	{ "defaults", CR_STRING, 0, "", NULL, NULL },
	{ "sources", CR_STRING, 0, "", NULL, NULL },
	{ "routes", CR_STRING, 0, "", NULL, NULL },
	CR_END
};

#define SERVE_TOP	"10"

struct serve_said { const char *listen, *base, *title, *tz; int metrics; const char *const *proxies; int64_t top; };
static const struct cr_option serve_own[] = {
	CR_OPTION(struct serve_said, listen, STRING, "", NULL, NULL),
	CR_OPTION(struct serve_said, base, URL, "", NULL, NULL),
	CR_OPTION(struct serve_said, title, STRING, "Courant", NULL, NULL),
	CR_OPTION(struct serve_said, tz, STRING, "", NULL, NULL),
	CR_OPTION(struct serve_said, metrics, BOOL, "no", NULL, NULL),
	CR_OPTION(struct serve_said, proxies, LIST, "", NULL, NULL),
	CR_OPTION(struct serve_said, top, INT, SERVE_TOP, "1..1000", NULL),
	CR_END
};

struct heat_said { int64_t half_life, cap; double votes, comments; };
static const struct cr_option heat_own[] = {
	CR_OPTION(struct heat_said, half_life, DURATION, "24 h", "1 min..366 d", NULL),
	CR_OPTION(struct heat_said, votes, NUMBER, "0.25", "0..100", NULL),
	CR_OPTION(struct heat_said, comments, NUMBER, "0.125", "0..100", NULL),
	CR_OPTION(struct heat_said, cap, INT, "1000000", "1..1000000000000", NULL),
	CR_END
};

struct limits {
	int64_t	 at_once, total, spacing, timeout, max_body, workers, job_deadline, job_cpu,
		 worker_memory, memory, disk_free,
		 hour_records, hour_bytes;
};
static const struct cr_option limits_own[] = {
	CR_OPTION(struct limits, at_once, INT, "2", "1..64", NULL),
	CR_OPTION(struct limits, total, INT, "64", "1..4096", NULL),
	CR_OPTION(struct limits, spacing, DURATION, "0", "0..1 h", NULL),
	CR_OPTION(struct limits, timeout, DURATION, "60 s", "1 s..1 h", NULL),
	CR_OPTION(struct limits, max_body, SIZE, "16 MiB", "1 kB..256 MiB", NULL),
	CR_OPTION(struct limits, workers, INT, "0", "0..256", NULL),
	CR_OPTION(struct limits, job_deadline, DURATION, "60 s", "100 ms..1 h", NULL),
	CR_OPTION(struct limits, job_cpu, DURATION, "20 s", "100 ms..1 h", NULL),
	CR_OPTION(struct limits, worker_memory, SIZE, "512 MiB", "32 MiB..64 GiB", NULL),
	CR_OPTION(struct limits, memory, SIZE, "1 GiB", "128 MiB..16384 GiB", NULL),
	CR_OPTION(struct limits, disk_free, SIZE, "200 MB", "0..16384 GiB", NULL),
	CR_OPTION(struct limits, hour_records, INT, "1000000", "1..", NULL),
	CR_OPTION(struct limits, hour_bytes, SIZE, "1 GB", "1 kB..", NULL),
	CR_END
};

struct host_said { int64_t at_once, spacing; };
static const struct cr_option host_own[] = {
	CR_OPTION(struct host_said, at_once, INT, "", "1..64", NULL),
	CR_OPTION(struct host_said, spacing, DURATION, "", "0..1 h", NULL),
	CR_END
};

/* ---- What scanning for plugins needs ---- */

/* 0; or -1, and a mistake: root cannot become this user. */
static int
user_read(struct setup_reader *r, const struct node *tree, const char *user)
{
	const struct node *n = conf_get(tree, "user");
	const struct passwd *pw;

	if (user == NULL)
		return 0;
	r->setup->user = text_copy(r, user);
	if (geteuid() != 0)		/* `user` is used by root only */
		return 0;
	pw = getpwnam(user);
	if (pw == NULL)
		wrong(
		    r, n != NULL ? n->line : 0, "user: there is no user %s on this machine", user);
	else if (pw->pw_uid == 0)
		wrong(r, n != NULL ? n->line : 0,
		    "user: %s is root itself; say one with fewer rights", user);
	return pw == NULL || pw->pw_uid == 0 ? -1 : 0;
}

/* Copies a list of texts; each an absolute path when `paths`. */
static void
list_copy(struct setup_reader *r, const char *const *from, int paths, char ***to, size_t *n)
{
	size_t i;

	for (i = 0; from != NULL && from[i] != NULL; i++)
		;
	*to = xcalloc(i + 1, sizeof(char *));
	*n = i;
	while (i-- > 0)
		(*to)[i] = paths ? setup_path(r, from[i]) : text_copy(r, from[i]);
}

/* Replaces the folders of `files` by their real paths, so that no symbolic link leads out of them.
 * */
static void
files_read(struct setup_reader *r, const struct node *tree)
{
	struct setup *s = r->setup;
	char real[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < s->nfiles; i++)
		if (realpath(s->files[i], real) == NULL)
			wrong(r, conf_line(tree, "files", i, 0), "files: %s: %s", s->files[i],
			    strerror(errno));
		else if (stat(real, &st) == -1 || !S_ISDIR(st.st_mode))
			wrong(r, conf_line(tree, "files", i, 0), "files: %s is no folder",
			    s->files[i]);
		else
			s->files[i] = text_copy(r, real);
}

static void
contact_read(struct setup_reader *r, const struct node *tree, const char *contact)
{
	const struct node *n = conf_get(tree, "contact");
	size_t len;

	if (contact == NULL)
		return;
	for (len = 0;
	     contact[len] >= ' ' && contact[len] <= '~' && !strchr("()<>\\", contact[len]);)
		len++;
	if (contact[len] != '\0' || len > CONTACT_MAX)
		wrong(r, n != NULL ? n->line : 0,
		    "contact: is a mail address or URL of at most %d plain "
		    "characters",
		    CONTACT_MAX);
	r->setup->contact = text_copy(r, contact);
}

static void
allow_check(struct setup_reader *r, const struct node *tree)
{
	static const char *const kinds[] = { "source_", "filter_", "sink_" };
	size_t i, k;

	for (i = 0; i < r->setup->nallow; i++) {
		for (k = 0; k < 3; k++)
			if (strncmp(r->setup->allow[i], kinds[k], strlen(kinds[k])) == 0)
				break;
		if (k == 3)
			wrong(r, conf_line(tree, "allow", i, 0),
			    "allow: `%s` names no plugin: say source_NAME, filter_NAME or "
			    "sink_NAME",
			    r->setup->allow[i]);
	}
}

/* -1: `state`, `user` or `plugins` is wrong, so that plugins cannot be scanned for. */
static int
top_read(struct setup_reader *r, const struct node *tree)
{
	const struct node *state = conf_get(tree, "state"), *plugins = conf_get(tree, "plugins");
	struct setup *s = r->setup;
	struct top top = { 0 };
	int rc;

	section_read(r, tree, top_own, top_nodes, &top, sizeof(top), NULL);
	contact_read(r, tree, top.contact);
	rc = user_read(r, tree, top.user);
	s->state = setup_path(r, top.state);
	s->ca = top.ca != NULL ? setup_path(r, top.ca) : NULL;
	s->private_ok = top.private;
	list_copy(r, top.files, 1, &s->files, &s->nfiles);
	list_copy(r, top.plugins, 1, &s->plugin_dirs, &s->nplugin_dirs);
	list_copy(r, top.allow, 0, &s->allow, &s->nallow);
	files_read(r, tree);
	allow_check(r, tree);
	if (s->ca != NULL && access(s->ca, R_OK) == -1)
		wrong(r, conf_get(tree, "ca") != NULL ? conf_get(tree, "ca")->line : 0,
		    "ca: %s: %s", s->ca, strerror(errno));
	option_unfill(top_own, &top);
	if ((state != NULL && (state->text == NULL || *state->text == '\0')) ||
	    (plugins != NULL && plugins->kind == CONF_MAP))
		rc = -1;
	return rc;
}

/* ---- serve, limits, hosts ---- */

/* ADDRESS:PORT, [IPV6]:PORT, or :PORT for all addresses. */
static int
listen_good(const char *s)
{
	const char *colon = strrchr(s, ':');
	char host[INET6_ADDRSTRLEN + 2];
	unsigned char address[16];
	size_t len;

	if (colon == NULL || (len = (size_t)(colon - s)) >= sizeof(host))
		return 0;
	if (colon[1] == '\0' || strlen(colon + 1) > 5 ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    strtol(colon + 1, NULL, 10) > 65535)
		return 0;
	memcpy(host, s, len);
	host[len] = '\0';
	if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, address) == 1;
	}
	return len == 0 || strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, address) == 1;
}

static void
proxies_read(struct setup_reader *r, const struct node *n, const char *const *list)
{
	struct setup *s = r->setup;
	unsigned char address[16];
	struct buf all;
	size_t count = 0;

	buf_init(&all, PROXIES_MAX * PROXY_ADDRESS);
	for (; list != NULL && *list != NULL; list++, count++) {
		if (inet_pton(AF_INET, *list, address) != 1 &&
		    inet_pton(AF_INET6, *list, address) != 1)
			wrong(r, conf_line(n, "proxies", count, n->line),
			    "proxies: \"%s\" is no address, as 127.0.0.1 is one", *list);
		buf_fmt(&all, "%s%s", count > 0 ? " " : "", *list);
	}
	if (count > PROXIES_MAX)
		wrong(r, conf_line(n, "proxies", PROXIES_MAX, n->line), "proxies: more than %d",
		    PROXIES_MAX);
	s->proxies = text_copy(r, all.data != NULL ? all.data : "");
	buf_free(&all);
}

static void
serve_read(struct setup_reader *r, const struct node *n)
{
	struct setup *s = r->setup;
	struct serve_said said = { 0 };
	struct buf base;
	size_t len;

	s->base = s->proxies = s->title = text_copy(r, "");
	s->zone = text_copy(r, "UTC");
	s->top_n = (uint32_t)strtoul(SERVE_TOP, NULL, 10);
	if (n == NULL || !is_map(r, n, "serve") || n->child == NULL)
		return;
	snprintf(r->where, sizeof(r->where), "serve: ");
	section_read(r, n, serve_own, NULL, &said, sizeof(said), NULL);
	if (said.listen == NULL)
		wrong(r, n->line, "listen: has to be given, as in `listen: 127.0.0.1:8080`");
	else if (!listen_good(said.listen))
		wrong(r, conf_line(n, "listen", 0, n->line), "listen: \"%s\" is not ADDRESS:PORT, "
		    "[ADDRESS]:PORT or :PORT", said.listen);
	s->listen = text_copy(r, said.listen);
	s->metrics = said.metrics;
	s->title = text_copy(r, said.title);
	s->zone = zone_read(r, said.tz, conf_line(n, "tz", 0, n->line));
	s->top_n = (uint32_t)said.top;
	s->serve_line = n->line;
	proxies_read(r, n, said.proxies);
	buf_init(&base, URL_MAX);
	if (said.base != NULL && (url_resolve(&base, NULL, said.base) == -1 ||
	    !url_fetchable(base.data)))
		wrong(r, conf_line(n, "base", 0, n->line),
		    "base: \"%s\" is not https://HOST or http://HOST, with or without a "
		    "path",
		    said.base);
	if (base.len > 0) {
		s->base = text_copy(r, base.data);
		for (len = strlen(s->base); len > 0 && s->base[len - 1] == '/';)
			s->base[--len] = '\0';
	}
	buf_free(&base);
	r->where[0] = '\0';
	option_unfill(serve_own, &said);
}

static void
limits_read(struct setup_reader *r, const struct node *n)
{
	static const struct node none = { .kind = CONF_MAP };
	struct setup *s = r->setup;
	struct limits l = { 0 };
	long cpus;

	if (n == NULL || !is_map(r, n, "limits"))
		n = &none;
	snprintf(r->where, sizeof(r->where), "limits: ");
	section_read(r, n, limits_own, NULL, &l, sizeof(l), NULL);
	r->where[0] = '\0';
	if (l.workers == 0) {
		cpus = sysconf(_SC_NPROCESSORS_ONLN);
		l.workers = cpus < 1 ? 1 : cpus > 256 ? 256 : cpus;
	}
	s->at_once = (uint32_t)l.at_once;
	s->total = (uint32_t)l.total;
	s->workers = (uint32_t)l.workers;
	s->spacing = l.spacing;
	s->fetch_timeout = l.timeout;
	s->job_deadline = l.job_deadline;
	s->job_cpu = l.job_cpu;
	s->max_body = (uint64_t)l.max_body;
	s->worker_memory = (uint64_t)l.worker_memory;
	s->hour_records = (uint64_t)l.hour_records;
	s->hour_bytes = (uint64_t)l.hour_bytes;
	s->disk_free = (uint64_t)l.disk_free;
	s->all_memory = (uint64_t)l.memory;
}

static void
heat_read(struct setup_reader *r, const struct node *n)
{
	static const struct node none = { .kind = CONF_MAP };
	struct heat_said said = { 0 };

	if (n == NULL || !is_map(r, n, "heat"))
		n = &none;
	snprintf(r->where, sizeof(r->where), "heat: ");
	section_read(r, n, heat_own, NULL, &said, sizeof(said), NULL);
	r->where[0] = '\0';
	r->setup->heat = (struct store_heat){ .half_life = said.half_life, .votes = said.votes,
		.comments = said.comments, .cap = said.cap };
}

static void
host_read(struct setup_reader *r, const struct node *n, struct host_limit *host)
{
	struct host_said said = { 0 };
	struct options given = { 0 };
	char name[IDN_HOST_MAX + 1];
	size_t len = idn_host(name, n->key, strlen(n->key));

	snprintf(r->where, sizeof(r->where), "hosts: %.200s: ", n->key);
	*host = (struct host_limit){ .host = text_copy(r, len > 0 ? name : n->key) };
	if (len == 0)
		wrong(r, n->line, "a host is wanted, such as example.org, no URL");
	if (!is_map(r, n, "a host"))
		return;
	section_read(r, n, host_own, NULL, &said, sizeof(said), &given);
	host->at_once = options_get(&given, "at_once") != NULL ? (uint32_t)said.at_once :
	    r->setup->at_once;
	host->spacing = options_get(&given, "spacing") != NULL ? said.spacing : r->setup->spacing;
	options_free(&given);
}

static void
hosts_read(struct setup_reader *r, const struct node *map)
{
	struct setup *s = r->setup;
	const struct node *n;
	size_t count = 0;

	if (map == NULL || !is_map(r, map, "hosts"))
		return;
	for (n = map->child; n != NULL; n = n->next)
		count++;
	s->hosts = xcalloc(count + 1, sizeof(*s->hosts));
	for (n = map->child; n != NULL; n = n->next)
		host_read(r, n, &s->hosts[s->nhosts++]);
	r->where[0] = '\0';
}

/* ---- Readable secrets ---- */

/* Warns when others can read a configuration that has secrets in it. */
static void
secrets_warn(const struct setup *s)
{
	struct stat st;
	int line = 0;

	/* A memfd has no name: courant made this configuration from its command line. */
	if (stat(s->file, &st) == -1 || st.st_nlink == 0 || (st.st_mode & S_IROTH) == 0)
		return;
	if (s->mail.inline_secret)
		line = s->mail.line;
	for (size_t i = 0; i < s->ninstances && line == 0; i++)
		if (s->instances[i]->inline_secret)
			line = s->instances[i]->line;
	if (line != 0)
		log_warn("%s:%d: holds a secret, and others can read it: chmod o-r, or use NAME_file",
		    s->file, line);
}

/* ---- The whole ---- */

static void
reader_begin(struct setup_reader *r, struct setup *s, const struct catalog *catalog, struct mistakes *m)
{
	*r = (struct setup_reader){ .setup = s, .mistakes = m, .catalog = catalog, .file = s->file };
	r->digest = digest_new();
}

static void
reader_end(struct setup_reader *r)
{
	for (size_t i = 0; i < r->npresets; i++) {
		options_free(&r->presets[i].own);
		options_free(&r->presets[i].start);
		instance_clear(&r->presets[i].instance);
	}
	free(r->presets);
	free(r->files);
	free(r->by_name);
	free(r->shared);
	free(r->shared_hash);
	digest_free(r->digest);
}

/* Reads all but the settings at the top. */
static void
rest_read(struct setup_reader *r, const struct node *tree)
{
	serve_read(r, conf_get(tree, "serve"));
	mail_read(r, conf_get(tree, "mail"));
	limits_read(r, conf_get(tree, "limits"));
	heat_read(r, conf_get(tree, "heat"));
	hosts_read(r, conf_get(tree, "hosts"));
	presets_read(r, conf_get(tree, "defaults"));
	r->routes = conf_get(tree, "routes");
	sources_read(r, conf_get(tree, "sources"));
	defaults_read(r);
	routes_read(r, conf_get(tree, "routes"));
}

/* Reads the settings at the top. s; or NULL, and s and the tree are freed. */
static struct setup *
setup_begin(struct setup *s, struct mistakes *m, struct node **tree)
{
	struct setup_reader r;
	int usable;

	reader_begin(&r, s, NULL, m);
	usable = top_read(&r, *tree) == 0;
	if (!usable)
		rest_read(&r, *tree);	/* to report its mistakes as well */
	reader_end(&r);
	if (usable)
		return s;
	conf_free(*tree);
	*tree = NULL;
	setup_free(s);
	return NULL;
}

struct setup *
setup_open(const char *file, struct mistakes *m, struct node **tree)
{
	struct setup *s;
	size_t len = 0;
	char *text = conf_text(file, &len, m);

	*tree = text != NULL ? conf_parse(file, text, len, m) : NULL;
	if (*tree == NULL) {
		free(text);
		return NULL;
	}
	s = setup_new(file);
	s->text = text;
	s->text_len = len;
	return setup_begin(s, m, tree);
}

struct setup *
setup_again(const struct setup *good, struct mistakes *m, struct node **tree)
{
	struct setup *s;

	*tree = conf_parse(good->file, good->text, good->text_len, m);
	if (*tree == NULL)
		return NULL;
	s = setup_new(good->file);
	s->folder = arena_text(&s->memory, good->folder, strlen(good->folder));
	s->text = xmalloc(good->text_len + 1);
	memcpy(s->text, good->text, good->text_len + 1);
	s->text_len = good->text_len;
	s->again = 1;
	return setup_begin(s, m, tree);
}

int
setup_read(struct setup *s, struct node *tree, const struct catalog *catalog, struct mistakes *m)
{
	struct setup_reader r;

	reader_begin(&r, s, catalog, m);
	rest_read(&r, tree);
	reader_end(&r);
	conf_free(tree);
	malloc_trim(0);
	if (m->n == 0) {
		secrets_warn(s);
		return 0;
	}
	if (catalog != NULL)
		setup_mistaken(s, m);
	return -1;
}

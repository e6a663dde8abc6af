/* What a configuration means: its settings; sources and routes are read by setup_source.c and
 * setup_route.c. */
#include "child.h"
#include "log.h"
#include "mem.h"
#include "proxy.h"
#include "setup_reader.h"
#include "text.h"
#include "url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef COURANT_STATE
#define COURANT_STATE	"/var/lib/courant"
#endif
#define CONTACT_MAX	200		/* bytes: it goes into a header */

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
	{ "hosts", CR_STRING, 0, "", NULL, NULL },
	{ "limits", CR_STRING, 0, "", NULL, NULL },
	{ "defaults", CR_STRING, 0, "", NULL, NULL },
	{ "sources", CR_STRING, 0, "", NULL, NULL },
	{ "routes", CR_STRING, 0, "", NULL, NULL },
	CR_END
};

struct serve_said { const char *listen, *base; int metrics; const char *const *proxies; };
static const struct cr_option serve_own[] = {
	CR_OPTION(struct serve_said, listen, STRING, "", NULL, NULL),
	CR_OPTION(struct serve_said, base, URL, "", NULL, NULL),
	CR_OPTION(struct serve_said, metrics, BOOL, "no", NULL, NULL),
	CR_OPTION(struct serve_said, proxies, LIST, "", NULL, NULL),
	CR_END
};

struct limits {
	int64_t	 at_once, total, spacing, timeout, max_body, workers, job_deadline, job_cpu,
		 worker_memory;
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
	CR_END
};

struct host_said { int64_t at_once, spacing; };
static const struct cr_option host_own[] = {
	CR_OPTION(struct host_said, at_once, INT, "", "1..64", NULL),
	CR_OPTION(struct host_said, spacing, DURATION, "", "0..1 h", NULL),
	CR_END
};

/* ---- What is needed before plugins are known ---- */

/* 0, or -1: nobody to become. */
static int
user_read(struct reader *r, const struct node *tree, const char *user)
{
	const struct node *n = conf_get(tree, "user");
	const struct passwd *pw;

	if (user == NULL)
		return 0;
	r->setup->user = keep_text(r, user);
	if (geteuid() != 0)		/* then it is not used */
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
list_keep(struct reader *r, const char *const *from, int paths, char ***to, size_t *n)
{
	size_t i;

	for (i = 0; from != NULL && from[i] != NULL; i++)
		;
	*to = xcalloc(i + 1, sizeof(char *));
	*n = i;
	while (i-- > 0)
		(*to)[i] = paths ? setup_path(r, from[i]) : keep_text(r, from[i]);
}

/* Folders below which file: may read: as they really are, so that a link cannot lead out. */
static void
files_read(struct reader *r, const struct node *tree)
{
	struct setup *s = r->setup;
	const struct node *n = conf_get(tree, "files");
	char real[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < s->nfiles; i++)
		if (realpath(s->files[i], real) == NULL)
			wrong(r, n->line, "files: %s: %s", s->files[i], strerror(errno));
		else if (stat(real, &st) == -1 || !S_ISDIR(st.st_mode))
			wrong(r, n->line, "files: %s is no folder", s->files[i]);
		else
			s->files[i] = keep_text(r, real);
}

static void
contact_read(struct reader *r, const struct node *tree, const char *contact)
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
	r->setup->contact = keep_text(r, contact);
}

static void
allow_check(struct reader *r, const struct node *tree)
{
	static const char *const kinds[] = { "source_", "filter_", "sink_" };
	const struct node *n = conf_get(tree, "allow");
	size_t i, k;

	for (i = 0; i < r->setup->nallow; i++) {
		for (k = 0; k < 3; k++)
			if (strncmp(r->setup->allow[i], kinds[k], strlen(kinds[k])) == 0)
				break;
		if (k == 3)
			wrong(r, n->line,
			    "allow: `%s` names no plugin: say source_NAME, filter_NAME or "
			    "sink_NAME",
			    r->setup->allow[i]);
	}
}

/* -1: what plugins are looked for with (state, user, plugins) cannot be relied on. */
static int
top_read(struct reader *r, const struct node *tree)
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
	list_keep(r, top.files, 1, &s->files, &s->nfiles);
	list_keep(r, top.plugins, 1, &s->plugin_dirs, &s->nplugin_dirs);
	list_keep(r, top.allow, 0, &s->allow, &s->nallow);
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
proxies_read(struct reader *r, const struct node *n, const char *const *list)
{
	struct setup *s = r->setup;
	unsigned char address[16];
	struct buf all;
	size_t count = 0;

	buf_init(&all, PROXIES_MAX * PROXY_ADDRESS);
	for (; list != NULL && *list != NULL; list++, count++) {
		if (inet_pton(AF_INET, *list, address) != 1 &&
		    inet_pton(AF_INET6, *list, address) != 1)
			wrong(r, n->line, "proxies: \"%s\" is no address, as 127.0.0.1 is one",
			    *list);
		buf_fmt(&all, "%s%s", count > 0 ? " " : "", *list);
	}
	if (count > PROXIES_MAX)
		wrong(r, n->line, "proxies: more than %d", PROXIES_MAX);
	s->proxies = keep_text(r, all.data != NULL ? all.data : "");
	buf_free(&all);
}

static void
serve_read(struct reader *r, const struct node *n)
{
	struct setup *s = r->setup;
	struct serve_said said = { 0 };
	size_t len;

	s->base = s->proxies = keep_text(r, "");
	if (n == NULL || !is_map(r, n, "serve") || n->child == NULL)
		return;
	snprintf(r->where, sizeof(r->where), "serve: ");
	section_read(r, n, serve_own, NULL, &said, sizeof(said), NULL);
	if (said.listen == NULL)
		wrong(r, n->line, "listen: has to be given, as in `listen: 127.0.0.1:8080`");
	else if (!listen_good(said.listen))
		wrong(r, n->line, "listen: \"%s\" is not ADDRESS:PORT, [ADDRESS]:PORT or :PORT",
		    said.listen);
	s->listen = keep_text(r, said.listen);
	s->metrics = said.metrics;
	proxies_read(r, n, said.proxies);
	if (said.base != NULL && !url_fetchable(said.base))
		wrong(r, n->line,
		    "base: \"%s\" is not https://HOST or http://HOST, with or without a "
		    "path",
		    said.base);
	if (said.base != NULL) {
		s->base = keep_text(r, said.base);
		for (len = strlen(s->base); len > 0 && s->base[len - 1] == '/';)
			s->base[--len] = '\0';
	}
	r->where[0] = '\0';
	option_unfill(serve_own, &said);
}

static void
limits_read(struct reader *r, const struct node *n)
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
}

static void
host_read(struct reader *r, const struct node *n, struct host_limit *host)
{
	struct host_said said = { 0 };
	struct options given = { 0 };
	char *c;

	snprintf(r->where, sizeof(r->where), "hosts: %.200s: ", n->key);
	*host = (struct host_limit){ .host = keep_text(r, n->key) };
	for (c = host->host; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (host->host[strspn(host->host, "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]")] != '\0')
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
hosts_read(struct reader *r, const struct node *map)
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

/* ---- Secrets in the open ---- */

/* Who may read the configuration may read the secrets in it. */
static void
secrets_warn(const struct setup *s)
{
	struct stat st;

	if (stat(s->file, &st) == -1 || (st.st_mode & S_IROTH) == 0)
		return;
	for (size_t i = 0; i < s->ninstances; i++)
		if (s->instances[i]->inline_secret) {
			log_warn("%s:%d: holds a secret, and others can read it: chmod o-r, or use "
			    "NAME_file", s->file, s->instances[i]->line);
			return;
		}
}

/* ---- The whole ---- */

static void
reader_begin(struct reader *r, struct setup *s, const struct catalog *catalog, struct mistakes *m)
{
	*r = (struct reader){ .setup = s, .mistakes = m, .catalog = catalog, .file = s->file };
	r->digest = digest_new();
}

static void
reader_end(struct reader *r)
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

/* All but the top. */
static void
rest_read(struct reader *r, const struct node *tree)
{
	serve_read(r, conf_get(tree, "serve"));
	limits_read(r, conf_get(tree, "limits"));
	hosts_read(r, conf_get(tree, "hosts"));
	presets_read(r, conf_get(tree, "defaults"));
	sources_read(r, conf_get(tree, "sources"));
	routes_read(r, conf_get(tree, "routes"));
}

static struct setup *
setup_new(const char *file)
{
	struct setup *s = xcalloc(1, sizeof(*s));
	char real[PATH_MAX], *slash;
	uint64_t random;

	if (realpath(file, real) == NULL)
		snprintf(real, sizeof(real), "./%s", file);
	slash = strrchr(real, '/');
	s->file = arena_text(&s->memory, file, strlen(file));
	s->folder = arena_text(&s->memory, real, (size_t)(slash - real));
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		fatal("getrandom: %s", strerror(errno));
	snprintf(s->nonce, sizeof(s->nonce), "%016" PRIx64, random);
	return s;
}

/* The top of the tree; or NULL, and the tree is freed. */
static struct setup *
setup_begin(struct setup *s, struct mistakes *m, struct node **tree)
{
	struct reader r;
	int usable;

	reader_begin(&r, s, NULL, m);
	usable = top_read(&r, *tree) == 0;
	if (!usable)
		rest_read(&r, *tree);	/* the other mistakes, at once */
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

/* Whether instance i waits, and is the first to do so for its reason. */
static int
waits_first(const struct setup *s, size_t i)
{
	const char *why = s->instances[i]->waiting;

	for (size_t j = 0; why != NULL && j < i; j++)
		if (s->instances[j]->waiting != NULL && strcmp(s->instances[j]->waiting, why) == 0)
			return 0;
	return why != NULL;
}

void
setup_mistaken(const struct setup *s, struct mistakes *m)
{
	for (size_t i = 0; i < s->ninstances; i++)
		if (waits_first(s, i))
			mistake(m, s->file, s->instances[i]->line, "%s", s->instances[i]->waiting);
}

int
setup_read(struct setup *s, struct node *tree, const struct catalog *catalog, struct mistakes *m)
{
	struct reader r;

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

void
setup_free(struct setup *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->ninstances; i++) {
		instance_clear(s->instances[i]);
		free(s->instances[i]);
	}
	for (i = 0; i < s->nroutes; i++)
		route_clear(&s->routes[i]);
	free(s->instances);
	free(s->checks);
	free(s->sources);
	free(s->routes);
	free(s->hosts);
	free(s->files);
	free(s->plugin_dirs);
	free(s->allow);
	if (s->text != NULL)		/* there may be secrets in it */
		explicit_bzero(s->text, s->text_len);
	free(s->text);
	arena_free(&s->memory);
	free(s);
}

size_t
setup_waiting(const struct setup *s, struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < s->ninstances; i++)
		if (waits_first(s, i)) {
			buf_fmt(b, "%s:%d: %s\n", s->file, s->instances[i]->line,
			    s->instances[i]->waiting);
			n++;
		}
	return n;
}

int
setup_allows(const struct setup *s, const struct plugin *p)
{
	size_t len = strlen(p->kind);

	for (size_t i = 0; i < s->nallow; i++)
		if (strncmp(s->allow[i], p->kind, len) == 0 && s->allow[i][len] == '_' &&
		    strcmp(s->allow[i] + len + 1, p->name) == 0)
			return 1;
	return 0;
}

/* Whether it lies in the daemon's own folder of plugins. */
static int
plugin_ours(const struct plugin *p)
{
	const char *folder = spawn_plugin_dir();
	size_t len = strlen(folder);

	return p->file != NULL && strncmp(p->file, folder, len) == 0 && p->file[len] == '/' &&
	    strchr(p->file + len + 1, '/') == NULL;
}

uint32_t
setup_grants(const struct setup *s, const struct plugin *p)
{
	uint32_t wants = (uint32_t)p->wants, free = CR_HTTP | CR_FILES;

	if (plugin_ours(p))
		free |= CR_SECRETS;
	return setup_allows(s, p) ? wants : wants & free;
}

/* The setup: its memory, its instances, the warnings about it, and the grants of plugins. */
#include "setup.h"
#include "conf.h"
#include "setup_mail.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/url.h"
#include "catalog/plugin.h"
#include "ipc/child.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- Instances ---- */

const struct cr_option *
plugin_options(const struct instance *in)
{
	return in->plugin != NULL ? in->plugin->options : NULL;
}

const char *
instance_secret(const struct instance *in, const char *name)
{
	for (size_t i = 0; i < in->nsecrets; i++)
		if (strcmp(in->secrets[i].name, name) == 0)
			return in->secrets[i].value;
	return NULL;
}

const char *
instance_login(const struct instance *in, const char *url)
{
	const char *login = NULL;
	struct buf origin;

	if (in->nlogins == 0)
		return NULL;
	buf_init(&origin, URL_MAX);
	if (url_origin(&origin, url) == 0)
		for (size_t i = 0; i < in->nlogins; i++)
			if (strcmp(in->logins[i].name, origin.data) == 0)
				login = in->logins[i].value;
	buf_free(&origin);
	return login;
}

void
instance_add_login(struct instance *in, const char *url, const char *login)
{
	struct options logins = { in->logins, in->nlogins };
	struct buf origin;

	buf_init(&origin, URL_MAX);
	if (url_origin(&origin, url) == 0)
		options_add(&logins, origin.data, login);
	in->logins = logins.v;
	in->nlogins = logins.n;
	buf_free(&origin);
}

static void
secrets_free(struct option_value **v, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		explicit_bzero((*v)[i].value, strlen((*v)[i].value));
		free((*v)[i].name);
		free((*v)[i].value);
	}
	free(*v);
	*v = NULL;
	*n = 0;
}

void
instance_clear(struct instance *in)
{
	secrets_free(&in->secrets, &in->nsecrets);
	secrets_free(&in->logins, &in->nlogins);
	options_free(&in->options);
}

struct instance *
setup_instance(struct setup *s, const struct instance *in)
{
	struct instance *kept = xmalloc(sizeof(*kept));

	*kept = *in;
	if ((s->ninstances & (s->ninstances - 1)) == 0)		/* full at each power of two */
		s->instances = xreallocarray(s->instances,
		    s->ninstances > 0 ? 2 * s->ninstances : 1, sizeof(struct instance *));
	s->instances[s->ninstances++] = kept;
	return kept;
}

/* ---- The whole ---- */

struct setup *
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
	s->trouble = s->top = UINT32_MAX;
	return s;
}

uint32_t
setup_gives(const struct route *route, const struct sink *sink)
{
	int takes = sink->instance->plugin != NULL ? sink->instance->plugin->takes : 0;

	if (route->edition != NULL && (takes & CR_BATCH_EDITION) != 0)
		return CR_BATCH_EDITION;
	return (takes & (CR_BATCH_RECORDS | CR_BATCH_LIST)) == CR_BATCH_LIST ? CR_BATCH_LIST : CR_BATCH_RECORDS;
}

int
sink_archives(const struct sink *sink)
{
	const struct plugin *p = sink->instance->plugin;

	return p != NULL && (p->takes & CR_BATCH_ARCHIVE) != 0;
}

int
setup_archives(const struct route *route)
{
	for (size_t i = 0; route->edition != NULL && i < route->nsinks; i++)
		if (sink_archives(&route->sinks[i]))
			return 1;
	return 0;
}

void
route_clear(struct route *route)
{
	free(route->from);
	free(route->prefer);
	free(route->edition);
	free(route->routes);
	free(route->filters);
	free(route->sinks);
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
	mail_conf_forget(&s->mail);
	arena_free(&s->memory);
	free(s);
}

/* ---- Warnings ---- */

/* Whether instance i waits, and no instance before it for the same reason. */
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

size_t
setup_waiting(const struct setup *s, struct buf *b)
{
	size_t i, n = 0;

	for (i = 0; i < s->ninstances; i++)
		if (waits_first(s, i)) {
			shown_fmt(b, "%s:%d: %s\n", s->file, s->instances[i]->line,
			    s->instances[i]->waiting);
			n++;
		}
	return n;
}

int
setup_subscribed(const struct route *r)
{
	for (size_t i = 0; i < r->nsinks; i++)
		if (r->sinks[i].subscribe)
			return 1;
	return 0;
}

size_t
setup_warnings(const struct setup *s, struct buf *b)
{
	size_t n = 0;

	if (s->metrics) {
		buf_fmt(b, "%s:%d: warning: serve: metrics: /metrics is coming; this version answers "
		    "404 there\n", s->file, s->serve_line);
		n++;
	}
	for (size_t i = 0; i < s->nroutes && s->proxies[0] == '\0'; i++)
		if (setup_subscribed(&s->routes[i])) {
			buf_fmt(b, "%s:%d: warning: serve: without `proxies: [ADDRESS]` all who subscribe at the proxy come "
			    "from one network, from which five letters an hour are sent\n", s->file, s->serve_line);
			return n + 1;
		}
	return n;
}

/* ---- Grants ---- */

/* Whether `allow` names the plugin. */
static int
setup_allows(const struct setup *s, const struct plugin *p)
{
	size_t len = strlen(p->kind);

	for (size_t i = 0; i < s->nallow; i++)
		if (strncmp(s->allow[i], p->kind, len) == 0 && s->allow[i][len] == '_' &&
		    strcmp(s->allow[i] + len + 1, p->name) == 0)
			return 1;
	return 0;
}

/* Whether the plugin's file is in the daemon's own plugin folder. */
static int
plugin_ours(const struct plugin *p)
{
	const char *folder = child_plugin_dir();
	size_t len = strlen(folder);

	return p->file != NULL && strncmp(p->file, folder, len) == 0 && p->file[len] == '/' &&
	    strchr(p->file + len + 1, '/') == NULL;
}

uint32_t
setup_grants(const struct setup *s, const struct plugin *p)
{
	uint32_t wants = (uint32_t)p->wants, free = CR_HTTP | CR_FILES;

	if (plugin_ours(p))
		free |= CR_SECRETS | CR_MAIL;
	return setup_allows(s, p) ? wants : wants & free;
}

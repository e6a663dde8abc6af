/* A version of a plugin: its description, as the catalog holds it. */
#include "plugin.h"
#include "option.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/shown.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REASON_BYTES	1024		/* of struct plugin's error */
#define NAME_BYTES	32		/* of a plugin's name */

void
plugin_wants_text(struct buf *b, uint32_t wants)
{
	static const struct { uint32_t want; const char *text; } table[] = {
		{ CR_HTTP, "to send HTTP requests" }, { CR_NETWORK, "to open sockets" },
		{ CR_FILES, "to keep files" }, { CR_EXEC, "to run commands" },
		{ CR_SECRETS, "to read its secrets" }, { CR_MAIL, "to write mail to its readers" },
	};
	size_t before = b->len;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if ((wants & table[i].want) != 0)
			buf_fmt(b, "%s%s", b->len > before ? ", " : "", table[i].text);
}

int
plugin_is_name(const char *s)
{
	size_t n = strnlen(s, NAME_BYTES + 1);

	return n <= NAME_BYTES && *s >= 'a' && *s <= 'z' &&
	    strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* Takes kind and name from the file's, KIND_NAME.so. */
static void
name_take(struct plugin *p)
{
	static const char *const kinds[] = { "source", "filter", "sink" };
	const char *base = strrchr(p->file, '/'), *dot;
	char *stem;
	size_t len;

	base = base != NULL ? base + 1 : p->file;
	dot = strchr(base, '.');
	stem = xstrndup(base, dot != NULL ? (size_t)(dot - base) : strlen(base));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && p->kind == NULL; i++) {
		len = strlen(kinds[i]);
		if (dot != NULL && strcmp(dot, ".so") == 0 && strncmp(stem, kinds[i], len) == 0 &&
		    stem[len] == '_' && plugin_is_name(stem + len + 1)) {
			p->kind = xstrdup(kinds[i]);
			p->name = xstrdup(stem + len + 1);
		}
	}
	if (p->kind == NULL) {
		p->kind = xstrdup("");
		p->name = xstrdup(stem);
	}
	free(stem);
}

struct plugin *
plugin_new(const char *file)
{
	struct plugin *p = xcalloc(1, sizeof(*p));

	p->file = xstrdup(file);
	name_take(p);
	p->fd = -1;
	return p;
}

static void
options_clear(struct plugin *p)
{
	for (size_t i = 0; i < p->noptions; i++) {
		free((char *)(uintptr_t)p->options[i].name);
		free((char *)(uintptr_t)p->options[i].value);
		free((char *)(uintptr_t)p->options[i].range);
		free((char *)(uintptr_t)p->options[i].help);
	}
	free(p->options);
}

void
plugin_free(struct plugin *p)
{
	if (p == NULL)
		return;
	options_clear(p);
	for (size_t i = 0; i < p->ndefaults; i++) {
		free(p->defaults[i].name);
		free(p->defaults[i].options);
	}
	free(p->defaults);
	free(p->name);
	free(p->kind);
	free(p->file);
	if (p->fd != -1)
		close(p->fd);
	free(p->copy);
	free(p->own);
	free(p->libraries);
	free(p->version);
	free(p->help);
	free(p->url);
	free(p->headers);
	free(p->error);
	free(p);
}

void
plugin_refuse(struct plugin *p, const char *fmt, ...)
{
	char line[REASON_BYTES];
	struct buf shown;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_init(&shown, sizeof(line) * SHOWN_CHAR);	/* a worker's words may be in it */
	shown_add(&shown, line, strlen(line), 0);
	xreplace(&p->error, shown.len > 0 ? shown.data : "");
	buf_free(&shown);
}

struct plugin *
plugin_removed(const struct plugin *p)
{
	struct plugin *r = plugin_new(p->file);
	size_t i;

	r->removed = 1;
	r->since = p->since;
	r->error = xasprintf("its file %s was removed", p->file);
	r->defaults = xcalloc(p->ndefaults + 1, sizeof(*r->defaults));
	for (i = 0; i < p->ndefaults; i++) {
		r->defaults[i].name = xstrdup(p->defaults[i].name);
		r->defaults[i].options = xstrdup(p->defaults[i].options);
	}
	r->ndefaults = p->ndefaults;
	return r;
}

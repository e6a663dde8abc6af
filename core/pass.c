/* What a worker may have sent for it, and where the secrets of its instance may go. */
#include "pass.h"
#include "mem.h"
#include "setup_reader.h"
#include "url.h"

#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

#define PASS_ORIGINS	64		/* origins that secrets may go to */

struct pass {
	char		*name;
	uint32_t	 grants;
	struct instance	 own;		/* stand-ins and secrets; none when the plugin has them */
	char		*origin[PASS_ORIGINS];
	size_t		 norigins;
};

/* Notes where secrets may go; what is no URL is none. */
static void
allow(struct pass *p, const char *url)
{
	struct buf b;

	buf_init(&b, URL_MAX);
	if (url != NULL && p->norigins < PASS_ORIGINS && url_origin(&b, url) == 0)
		p->origin[p->norigins++] = xstrdup(b.data);
	buf_free(&b);
}

/* The origins that the configuration names, or the plugin's own defaults for what it does not. */
static void
allow_options(struct pass *p, const struct instance *in)
{
	const struct cr_option *o;
	const struct option_value *v;

	for (o = in->plugin->options; o != NULL && o->name != NULL; o++) {
		if (o->type != CR_URL)
			continue;
		if (options_get(&in->options, o->name) == NULL)
			allow(p, o->value);
		for (v = in->options.v; v < in->options.v + in->options.n; v++)
			if (strcmp(v->name, o->name) == 0)
				allow(p, v->value);
	}
}

struct pass *
pass_new(const struct instance *in, uint32_t grants, const char *name, const char *url)
{
	struct pass *p = xcalloc(1, sizeof(*p));
	const struct option_value *s;

	p->name = xstrdup(name);
	p->grants = grants;
	if ((grants & CR_SECRETS) != 0 || in->nsecrets == 0)
		return p;
	allow(p, url);
	allow_options(p, in);
	p->own.secrets = xcalloc(in->nsecrets, sizeof(*p->own.secrets));
	for (s = in->secrets; s < in->secrets + in->nsecrets; s++) {
		allow(p, s->value);
		p->own.secrets[p->own.nsecrets++] = (struct option_value){ xstrdup(s->name),
			xstrdup(s->value) };
		options_add(&p->own.options, s->name, options_get(&in->options, s->name));
	}
	return p;
}

void
pass_free(struct pass *p)
{
	if (p == NULL)
		return;
	instance_clear(&p->own);
	while (p->norigins > 0)
		free(p->origin[--p->norigins]);
	free(p->name);
	free(p);
}

const char *
pass_name(const struct pass *p)
{
	return p->name;
}

int
pass_http(const struct pass *p)
{
	return p != NULL && (p->grants & CR_HTTP) != 0;
}

static int
may_go(const struct pass *p, const char *url)
{
	struct buf b;
	size_t i = p->norigins;

	buf_init(&b, URL_MAX);
	if (url_origin(&b, url) == 0)
		for (i = 0; i < p->norigins && strcmp(p->origin[i], b.data) != 0;)
			i++;
	buf_free(&b);
	return i < p->norigins;
}

/* Whether to is not what was written. */
static int
differs(const char *from, const struct buf *to)
{
	return strcmp(from, to->data != NULL ? to->data : "") != 0;
}

int
pass_reveal(const struct pass *p, const char *url, const char *headers, struct buf *to_url,
    struct buf *to_headers, struct buf *err)
{
	if (headers == NULL)
		headers = "";
	setup_reveal(&p->own, url, to_url);
	setup_reveal(&p->own, headers, to_headers);
	if ((!differs(url, to_url) && !differs(headers, to_headers)) ||
	    (to_url->data != NULL && may_go(p, to_url->data)))
		return 0;
	buf_str(err, "a secret goes only where an option of type URL leads, and this request leads "
	    "elsewhere");
	return -1;
}

int
pass_conceal(const struct pass *p, const char *text, size_t len, struct buf *b)
{
	size_t begun = b->len;
	int found;

	if (p->own.nsecrets == 0 || len == 0)
		return 0;
	setup_conceal(&p->own, text, len, b);
	found = b->over || b->len - begun != len || memcmp(b->data + begun, text, len) != 0;
	if (!found)
		b->len = begun;
	return found;
}

/* A worker's egress: whether requests are made for it, and where the secrets of its instance may
 * go. */
#include "egress.h"
#include "base/login.h"
#include "base/mem.h"
#include "base/url.h"
#include "catalog/plugin.h"
#include "conf/setup_secret.h"

#include <courant/plugin.h>

#include <stdlib.h>
#include <string.h>

#define EGRESS_ORIGINS	64		/* origins that secrets may go to */

struct egress {
	char		*name;
	uint32_t	 grants;
	struct instance	 own;		/* stand-ins and secrets; none if CR_SECRETS is granted */
	char		*origin[EGRESS_ORIGINS];
	size_t		 norigins;
};

/* Adds the URL's origin to those that secrets may go to; a text that is no URL has none. */
static void
allow(struct egress *p, const char *url)
{
	struct buf uri, b;

	buf_init(&b, URL_MAX);
	buf_init(&uri, URL_MAX);
	if (url != NULL && p->norigins < EGRESS_ORIGINS && url_resolve(&uri, NULL, url) == 0 &&
	    url_origin(&b, uri.data) == 0)
		p->origin[p->norigins++] = xstrdup(b.data);
	buf_free(&uri);
	buf_free(&b);
}

/* Adds the origins of the options of type URL: configured values, or else the plugin's defaults. */
static void
allow_options(struct egress *p, const struct instance *in)
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

struct egress *
egress_new(const struct instance *in, uint32_t grants, const char *name, const char *url)
{
	struct egress *p = xcalloc(1, sizeof(*p));
	const struct option_value *s;

	p->name = xstrdup(name);
	p->grants = grants;
	for (s = in->logins; s < in->logins + in->nlogins; s++)
		instance_add_login(&p->own, s->name, s->value);
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
egress_free(struct egress *p)
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
egress_name(const struct egress *p)
{
	return p->name;
}

int
egress_http(const struct egress *p)
{
	return p != NULL && (p->grants & CR_HTTP) != 0;
}

int
egress_mail(const struct egress *p)
{
	return p != NULL && (p->grants & CR_MAIL) != 0;
}

static int
may_go(const struct egress *p, const char *url)
{
	struct buf uri, b;
	size_t i = p->norigins;

	buf_init(&b, URL_MAX);
	buf_init(&uri, URL_MAX);
	if (url_resolve(&uri, NULL, url) == 0 && url_origin(&b, uri.data) == 0)
		for (i = 0; i < p->norigins && strcmp(p->origin[i], b.data) != 0;)
			i++;
	buf_free(&uri);
	buf_free(&b);
	return i < p->norigins;
}

/* Whether filling in the secrets changed the text. */
static int
differs(const char *from, const struct buf *to)
{
	return strcmp(from, to->data != NULL ? to->data : "") != 0;
}

/* The request's URL as a URI; its user, or that of its origin, goes into a header. */
static void
address(const struct egress *p, const char *url, struct buf *to_url, struct buf *to_headers)
{
	const char *login = NULL;
	struct buf own;

	buf_init(&own, URL_MAX);
	if (url_resolve(to_url, NULL, url) == -1)
		login_shown(to_url, url);	/* the send role reports the error */
	else if (login_of(url, &own))
		login = own.data != NULL ? own.data : "";
	else
		login = instance_login(&p->own, to_url->data);
	if (login != NULL && !login_said(to_headers->data)) {
		if (to_headers->len > 0 && to_headers->data[to_headers->len - 1] != '\n')
			buf_char(to_headers, '\n');
		login_header(to_headers, login, strlen(login));
	}
	if (own.data != NULL)
		explicit_bzero(own.data, own.len);
	buf_free(&own);
}

int
egress_fill(const struct egress *p, const char *url, const char *headers, struct buf *to_url,
    struct buf *to_headers, struct buf *err)
{
	struct buf real;
	int rc = 0;

	if (headers == NULL)
		headers = "";
	buf_init(&real, 4 * URL_MAX);
	secret_fill(&p->own, url, &real);
	secret_fill(&p->own, headers, to_headers);
	if ((differs(url, &real) || differs(headers, to_headers)) &&
	    (real.data == NULL || !may_go(p, real.data))) {
		buf_str(err, "a secret goes only where an option of type URL leads, and this "
		    "request leads elsewhere");
		rc = -1;
	}
	address(p, real.data != NULL ? real.data : "", to_url, to_headers);
	if (real.data != NULL)
		explicit_bzero(real.data, real.len);
	buf_free(&real);
	return rc;
}

int
egress_hide(const struct egress *p, const char *text, size_t len, struct buf *b)
{
	size_t begun = b->len;
	int found;

	if (p->own.nsecrets + p->own.nlogins == 0 || len == 0)
		return 0;
	secret_hide(&p->own, text, len, b);
	found = b->over || b->len - begun != len || memcmp(b->data + begun, text, len) != 0;
	if (!found)
		b->len = begun;
	return found;
}

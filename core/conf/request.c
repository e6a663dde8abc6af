/* The settings of the roles fetch and mail, and requests for pages: for core and for courant. */
#include "request.h"
#include "setup_secret.h"
#include "setup_template.h"
#include "base/headers.h"
#include "base/mem.h"
#include "base/url.h"

#include <stdlib.h>
#include <string.h>

void
request_settings(const struct setup *s, struct buf *b)
{
	char *agent = s->contact != NULL ?
	    xasprintf("Courant/%s (+%s)", PACKAGE_VERSION, s->contact) :
	    xasprintf("Courant/%s", PACKAGE_VERSION);
	const struct fetch_start fs = { .agent = agent, .at_once = s->at_once, .total = s->total,
		.spacing = s->spacing, .private_ok = (uint32_t)s->private_ok, .ca = s->ca };

	wire_put(b, fetch_start, &fs);
	wire_put_u32(b, (uint32_t)s->nhosts);
	for (size_t i = 0; i < s->nhosts; i++) {
		const struct fetch_host fh = { .host = s->hosts[i].host,
			.at_once = s->hosts[i].at_once, .spacing = s->hosts[i].spacing };

		wire_put(b, fetch_host, &fh);
	}
	free(agent);
}

void
request_mail(const struct setup *s, struct buf *b)
{
	const struct mail_conf *m = &s->mail;
	const struct mail_start start = { .url = m->server, .user = m->user,
		.password = m->password, .token = (uint32_t)m->token, .hello = m->hello, .ca = s->ca,
		.plain = (uint32_t)m->plain, .per_connection = m->per_connection };

	wire_put(b, mail_start, &start);
}

int
request_same_origin(const char *a, const char *b)
{
	struct buf x, y;
	int same;

	buf_init(&x, URL_MAX);
	buf_init(&y, URL_MAX);
	same = url_origin(&x, a) == 0 && url_origin(&y, b) == 0 && strcmp(x.data, y.data) == 0;
	buf_free(&x);
	buf_free(&y);
	return same;
}

const char *
request_page(const struct source *s, const char *url, const char *lines, struct buf *to_url,
    struct buf *to_headers)
{
	struct buf asked, own, own_headers;
	const char *why = NULL;
	int secrets, more, home;

	buf_init(&asked, 4 * URL_MAX);
	secrets = secret_unmark(s->instance, url, 1, &asked);
	if (asked.data != NULL)		/* an earlier version stored URLs unresolved */
		(void)url_resolve(to_url, NULL, asked.data);
	buf_init(&own, 4 * URL_MAX);
	buf_init(&own_headers, HEADERS_MAX);
	setup_source_request(s, &own, &own_headers);
	home = to_url->data != NULL && own.data != NULL && request_same_origin(to_url->data, own.data);
	if (home && own_headers.len > 0) {
		buf_add(to_headers, own_headers.data, own_headers.len);
		if (to_headers->data[to_headers->len - 1] != '\n')
			buf_char(to_headers, '\n');
	}
	more = secret_unmark(s->instance, lines != NULL ? lines : "", 0, to_headers);
	if (secrets == -1 || more == -1)
		why = "it names a secret that is not configured any more";
	else if (!home && secrets + more > 0)
		why = "it would take a secret to another origin than that of the source's url";
	else if (to_url->data == NULL || to_url->over || !url_fetchable(to_url->data))
		why = "its url is none that can be fetched";
	else if (to_headers->over)
		why = "its headers are too long";
	buf_forget(&asked);
	buf_forget(&own);
	buf_forget(&own_headers);
	return why;
}

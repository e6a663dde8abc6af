/* The archive of editions: the list of a route's, and the page and documents of each. */
#include "page_edition.h"
#include "outputs.h"
#include "pages.h"
#include "reply.h"
#include "serve.h"
#include "story_html.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "db/reader.h"
#include "ipc/msg.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT		"/edition/"
#define STYLE_LOOKED	16384		/* bytes of a page, at its beginning, that have its style */
#define PAGE_MAX	10000		/* of the list */
#define FOREVER		"public, max-age=31536000, immutable"

/* What is asked for. */
struct asked {
	char		*route, *name;	/* owned; name NULL: the list */
	char		*file;		/* of the edition, owned; NULL: of the list */
	int		 json;
	int64_t		 id;		/* of the route */
	char		*title;		/* owned; NULL: none */
};

static void
asked_free(struct asked *a)
{
	free(a->route);
	free(a->name);
	free(a->file);
	free(a->title);
}

/* -1: no edition has such an address. */
static int
asked_read(struct asked *a, const char *path)
{
	const char *rest = path + strlen(ROOT), *slash = strchr(rest, '/'), *dot;

	*a = (struct asked){ .route = slash != NULL ? xstrndup(rest, (size_t)(slash - rest)) : xstrdup(rest) };
	if (slash == NULL || slash[1] == '\0')
		return 0;
	dot = strchr(slash + 1, '.');
	a->name = dot != NULL ? xstrndup(slash + 1, (size_t)(dot - slash - 1)) : xstrdup(slash + 1);
	a->file = xasprintf("%s%s", path, dot != NULL ? "" : ".html");
	a->json = dot != NULL && strcmp(dot, ".json") == 0;
	return strchr(slash + 1, '/') == NULL ? 0 : -1;
}

/* Finds the route. 1; 0: it has no editions; -1: the database cannot be read. */
static int
route_find(struct serve *s, struct asked *a)
{
	int rc;

	if (text_valid(a->route, strlen(a->route)) != strlen(a->route))
		return 0;
	if (reader_ask(s->reader, LOOK_EDITION_ROUTE, DB_TEXT(a->route)) == -1)
		return -1;
	if ((rc = reader_step(s->reader)) == 1) {
		a->id = reader_int(s->reader, 0);
		xreplace(&a->title, reader_text(s->reader, 1));
	}
	reader_done(s->reader);
	return rc;
}

/* ---- One edition ---- */

/* Lets the page use the one style that stands in it: no other, and nothing else. */
static void
policy_set(struct evhttp_request *req, int fd)
{
	char *head = xcalloc(1, STYLE_LOOKED + 1), *style, *end, hash[DIGEST_BASE64], *policy;
	ssize_t n = pread(fd, head, STYLE_LOOKED, 0);

	if (n > 0)
		head[n] = '\0';
	style = strstr(head, "<style>");
	end = style != NULL ? strstr(style, "</style>") : NULL;
	if (end != NULL) {
		style += strlen("<style>");
		digest_base64(style, (size_t)(end - style), hash);
		policy = xasprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none';"
		    " form-action 'none'; frame-ancestors 'none'", hash);
		reply_header(req, "Content-Security-Policy", policy);
		free(policy);
	}
	free(head);
}

/* Hands out the file. next: when the edition behind it was sealed; 0: there is none. */
static void
file_answer(struct serve *s, struct evhttp_request *req, const struct asked *a, int64_t next)
{
	int fd = outputs_open(s->outputs, a->file);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		reply_error(s, req, 404, "edition %s of %s has no %s: a sink that writes the archive makes it",
		    a->name, a->route, a->file);
	} else {
		/* It changes once, for its link to the next one; a document of JSON Feed has none. */
		if (a->json || (next != 0 && (int64_t)st.st_mtim.tv_sec * 1000 + 999 >= next))
			reply_header(req, "Cache-Control", FOREVER);
		if (strcmp(a->file + strlen(a->file) - 5, ".html") == 0)
			policy_set(req, fd);
		outputs_answer(s, req, a->file);
	}
	if (fd != -1)
		close(fd);
}

static void
edition_answer(struct serve *s, struct evhttp_request *req, const struct asked *a)
{
	int64_t state = 0, next = 0;
	int rc = 0;

	if (text_valid(a->name, strlen(a->name)) == strlen(a->name)) {
		if (reader_ask(s->reader, LOOK_EDITION, DB_INT(a->id), DB_TEXT(a->name)) == -1 ||
		    (rc = reader_step(s->reader)) == -1) {
			reply_unreadable(s, req);
			return;
		}
		if (rc == 1) {
			state = reader_int(s->reader, 0);
			next = reader_int(s->reader, 1);
		}
		reader_done(s->reader);
	}
	if (state == EDITION_SEALED)
		file_answer(s, req, a, next);
	else if (state == EDITION_PRUNED)
		reply_error(s, req, 410, "the archive of %s no longer has edition %s", a->route, a->name);
	else
		reply_error(s, req, 404, state == EDITION_SKIPPED ?
		    "%s has no edition %s: there was nothing new" : "%s has no edition %s", a->route, a->name);
}

/* ---- The list ---- */

/* The page of the list that is asked for, from 1; 0: none. */
static long
page_asked(struct evhttp_request *req)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req)), *said;
	struct evkeyvalq values;
	char *end = NULL;
	long page = 1;

	TAILQ_INIT(&values);
	if (query == NULL || query[0] == '\0')
		return 1;
	if (evhttp_parse_query_str(query, &values) == -1)
		return 0;
	if ((said = evhttp_find_header(&values, "page")) != NULL) {
		page = strtol(said, &end, 10);
		if (*said < '0' || *said > '9' || *end != '\0' || page > PAGE_MAX)
			page = 0;
	}
	evhttp_clear_headers(&values);
	return page;
}

/* Adds the row that was read: a link, if the edition has a page. */
static void
put_row(struct serve *s, struct buf *b, const struct asked *a)
{
	const char *name = reader_text(s->reader, 0);
	int64_t n = reader_int(s->reader, 1), left_out = reader_int(s->reader, 2);
	char *file = xasprintf(ROOT "%s/%s.html", a->route, name), sealed[DATE_MAX];
	int fd = outputs_open(s->outputs, file);

	date_rfc3339(sealed, reader_int(s->reader, 3));
	buf_str(b, "<article>\n<h2>");
	if (fd != -1) {
		buf_str(b, "<a href=\"" ROOT);
		xml_put(b, a->route);
		buf_str(b, "/");
		xml_put(b, name);
		buf_str(b, "\">");
	}
	xml_put(b, name);
	buf_str(b, fd != -1 ? "</a></h2>\n" : "</h2>\n");
	buf_fmt(b, "<p class=\"from\">%lld record%s", (long long)n, n == 1 ? "" : "s");
	if (left_out > 0)
		buf_fmt(b, ", %lld left out", (long long)left_out);
	buf_fmt(b, " \xc2\xb7 sealed <time datetime=\"%s\">%.10s %.5s</time> UTC</p>\n</article>\n", sealed, sealed,
	    sealed + 11);
	if (fd != -1)
		close(fd);
	free(file);
}

static void
put_around(struct buf *b, const struct asked *a, long page, int more)
{
	buf_str(b, "<nav class=\"around from\" aria-label=\"Pages\">");
	if (page > 1) {
		buf_str(b, "<a rel=\"prev\" href=\"" ROOT);
		xml_put(b, a->route);
		buf_fmt(b, "?page=%ld\">newer</a>", page - 1);
	}
	if (more) {
		buf_str(b, "<a rel=\"next\" href=\"" ROOT);
		xml_put(b, a->route);
		buf_fmt(b, "?page=%ld\">older</a>", page + 1);
	}
	buf_str(b, "</nav>\n");
}

static void
list_answer(struct serve *s, struct evhttp_request *req, const struct asked *a)
{
	long page = page_asked(req);
	const char *title;
	struct buf b;
	int rc, n = 0;

	if (page == 0) {
		reply_error(s, req, 400, "page is no number from 1 to %d", PAGE_MAX);
		return;
	}
	title = a->title != NULL && a->title[0] != '\0' ? a->title : a->route;
	page_begin(s, &b, title, "");
	buf_str(&b, "<h1>");
	xml_put(&b, title);
	buf_str(&b, "</h1>\n");
	if (reader_ask(s->reader, LOOK_EDITIONS, DB_INT(a->id), DB_INT(PAGE_EDITIONS + 1),
	    DB_INT((page - 1) * PAGE_EDITIONS)) == -1) {
		buf_free(&b);
		reply_unreadable(s, req);
		return;
	}
	while ((rc = reader_step(s->reader)) == 1 && n++ < PAGE_EDITIONS)
		put_row(s, &b, a);
	reader_done(s->reader);
	if (rc == -1) {
		buf_free(&b);
		reply_unreadable(s, req);
		return;
	}
	if (n == 0)
		buf_str(&b, "<p>There are no editions here yet.</p>\n");
	put_around(&b, a, page, rc == 1);
	page_end(s, &b);
	page_answer(s, req, &b);
}

void
page_edition(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct asked a;
	int rc = asked_read(&a, path) == 0 ? route_find(s, &a) : 0;

	if (rc == -1)
		reply_unreadable(s, req);
	else if (rc == 0)
		reply_error(s, req, 404, "there is no %s", path);
	else if (a.name != NULL)
		edition_answer(s, req, &a);
	else
		list_answer(s, req, &a);
	asked_free(&a);
}

/* The pages of lists of stories. */
#include "page_list.h"
#include "list_name.h"
#include "pages.h"
#include "reply.h"
#include "serve.h"
#include "story_html.h"
#include "story_read.h"
#include "base/buf.h"
#include "base/date.h"
#include "db/lists.h"
#include "db/reader.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

/* A list, and how its page speaks of it. */
struct listing {
	struct list	 list;
	const char	*path, *here;	/* of the page; of the navigation */
	const char	*title, *about;
	const char	*empty;		/* what is said instead of stories */
	const struct span *span;	/* NULL: none */
	const char	*folder;	/* of the spans beside it: "/day/" */
};

/* Where the page begins. 1: it is said; 0: at the beginning; -1: it is no place. */
static int
behind_asked(struct evhttp_request *req, struct list_place *p)
{
	const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req)), *said;
	struct evkeyvalq values;
	int rc = 0;

	TAILQ_INIT(&values);
	if (query == NULL || query[0] == '\0')
		return 0;
	if (evhttp_parse_query_str(query, &values) == -1)
		return -1;
	if ((said = evhttp_find_header(&values, "after")) != NULL)
		rc = list_place_read(p, said) == 0 ? 1 : -1;
	evhttp_clear_headers(&values);
	return rc;
}

static void
around_put(struct buf *b, const struct listing *l, const struct list_place *next)
{
	char place[LIST_PLACE];

	buf_str(b, "<nav class=\"around from\" aria-label=\"Pages\">");
	if (l->span != NULL)
		buf_fmt(b, "<a rel=\"prev\" href=\"%s%s\">%s</a>", l->folder, l->span->before, l->span->before);
	if (next != NULL) {
		list_place_write(next, place);
		buf_fmt(b, "<a rel=\"next\" href=\"%s?after=%s\">more</a>", l->path, place);
	}
	if (l->span != NULL && l->span->to <= date_now())
		buf_fmt(b, "<a rel=\"next\" href=\"%s%s\">%s</a>", l->folder, l->span->after, l->span->after);
	buf_str(b, "</nav>\n");
}

/* The stories of the rows. -1: the database cannot be read. */
static int
stories_put(struct serve *s, struct buf *b, const struct list_row *rows, size_t n)
{
	struct story story;

	buf_str(b, "<ol class=\"stories\">\n");
	for (size_t i = 0; i < n; i++) {
		if (story_load(s->reader, &rows[i], &story) == -1)
			return -1;
		buf_str(b, "<li>");
		story_put(b, &story);
		buf_str(b, "</li>\n");
		story_unload(&story);
	}
	buf_str(b, "</ol>\n");
	return 0;
}

static void
listing_answer(struct serve *s, struct evhttp_request *req, const struct listing *l)
{
	struct list_row rows[PAGE_STORIES + 1];
	struct list_place behind, next;
	const int said = behind_asked(req, &behind);
	struct buf b;
	int n;

	if (said == -1) {
		reply_error(s, req, 400, "after: it is no place in a list");
		return;
	}
	n = list_read(s->reader, &l->list, said ? &behind : NULL, PAGE_STORIES + 1, rows);
	if (n == -1) {
		reply_unreadable(s, req);
		return;
	}
	page_begin(s, &b, l->here[0] == '/' && l->here[1] == '\0' ? NULL : l->title, l->here);
	buf_fmt(&b, "<h1>%s</h1>\n<p class=\"when\">%s</p>\n", l->title, l->about);
	if (n == 0)
		buf_fmt(&b, "<p>%s</p>\n", l->empty);
	else if (stories_put(s, &b, rows, n > PAGE_STORIES ? PAGE_STORIES : (size_t)n) == -1) {
		buf_free(&b);
		reply_unreadable(s, req);
		return;
	}
	if (n > PAGE_STORIES)
		list_place(&l->list, &rows[PAGE_STORIES - 1], &next);
	around_put(&b, l, n > PAGE_STORIES ? &next : NULL);
	page_end(s, &b);
	page_answer(s, req, &b);
}

/* ---- The pages ---- */

void
page_front(struct serve *s, struct evhttp_request *req, const char *path)
{
	char about[128];
	struct span day;
	struct listing l = { .path = path, .here = "/", .title = "Today", .about = about, .span = &day, .folder = "/day/",
		.empty = "Nothing new so far today." };

	(void)list_name_read(s->zone, "front", &l.list, &day);
	snprintf(about, sizeof(about), "%s, %s. What is most talked about comes first.", day.name, s->zone);
	listing_answer(s, req, &l);
}

void
page_trending(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct listing l = { .path = path, .here = "/trending", .title = "Trending",
		.about = "Of all days, by heat: how much is going on about a story, and how lately.",
		.empty = "There are no stories yet." };

	(void)list_name_read(s->zone, "trending", &l.list, NULL);
	listing_answer(s, req, &l);
}

void
page_new(struct serve *s, struct evhttp_request *req, const char *path)
{
	struct listing l = { .path = path, .here = "/new", .title = "New",
		.about = "The newest first.", .empty = "There are no stories yet." };

	(void)list_name_read(s->zone, "new", &l.list, NULL);
	listing_answer(s, req, &l);
}

/* A span by its name in the path, "/day/2026-11-27"; without one that of today. */
static void
span_answer(struct serve *s, struct evhttp_request *req, const char *path, const char *word)
{
	char folder[16], name[64], about[128];
	struct span span;
	struct listing l = { .path = path, .here = "", .title = span.name, .about = about, .span = &span, .folder = folder,
		.empty = "There was nothing." };

	snprintf(folder, sizeof(folder), "/%s/", word);
	snprintf(name, sizeof(name), "%s:%s", word, path + strlen(folder));
	if (list_name_read(s->zone, name, &l.list, &span) == -1) {
		reply_error(s, req, 404, "there is no %s \"%.40s\"", word, path + strlen(folder));
		return;
	}
	if (path[strlen(folder)] == '\0')
		l.here = folder;
	snprintf(about, sizeof(about), "What was new in this %s (%s), by how much was told about it%s.", word, s->zone,
	    span.to > date_now() ? " so far" : "");
	listing_answer(s, req, &l);
}

void
page_day(struct serve *s, struct evhttp_request *req, const char *path)
{
	span_answer(s, req, path, "day");
}

void
page_week(struct serve *s, struct evhttp_request *req, const char *path)
{
	span_answer(s, req, path, "week");
}

void
page_month(struct serve *s, struct evhttp_request *req, const char *path)
{
	span_answer(s, req, path, "month");
}

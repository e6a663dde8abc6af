/* The JSON API below /api/v1/, and /healthz.
 *
 * /api/v1/records?limit=50&after=N&before=N&source=NAME&route=NAME&since=TIME
 *	{"records": [...], "next": N, "older": N}: each record as in JSON Lines (record_json.h).
 *	Without `after`: the newest records first; with it: records after place N of the log, the
 *	oldest first. `next`: value of `after` for later records; `older`: value of `before` for
 *	the page of older records, absent if there are none. A page may have fewer records than
 *	`limit`, even none, and not be the last: only `next` and `older` tell. `since`: records
 *	first seen at that time or later, RFC 3339 or ms since 1970. `route`: records that the
 *	route kept, with the changes that its filters made.
 * /api/v1/records/ID	one record
 * /api/v1/stories/ID	a story with its records; /heat below it: the terms of its heat (api_story.h)
 * /api/v1/stories	lists of stories (api_stories.h)
 * /api/v1/sources?limit=100&after=NAME	{"sources": [...], "next": NAME}
 * /api/v1/status	the daemon's status, from core (status_wait.c)
 * Errors: {"error": "..."} with 400, 404, 405, 503, 504. */
#ifndef CORE_API_H
#define CORE_API_H
#include <stdint.h>

struct evhttp_request;
struct serve;

#define API_JSON		"application/json"
#define API_RID			16	/* bytes of a record's id, which is shown in base32 */
#define API_LIMIT		50	/* records of a page, by default */
#define API_LIMIT_MAX		1000
#define API_SOURCES		100	/* sources of a page, by default */
#define API_PAGE_BYTES		(4u << 20)	/* bytes after which a page ends */

#define API_STORIES		20	/* stories of a page, by default */

/* What a list of stories is asked for; values own the texts, and are cleared by the caller. -1: answered with 400. */
struct api_list_ask { int64_t limit; const char *list, *after; };
struct evkeyvalq;
int	api_list_ask(struct serve *, struct evhttp_request *, struct evkeyvalq *values, struct api_list_ask *);
int64_t	api_head(struct serve *);	/* the log's last n; 0: unknown */

void	api_health(struct serve *, struct evhttp_request *, const char *path);
void	api_records(struct serve *, struct evhttp_request *, const char *path);
void	api_record(struct serve *, struct evhttp_request *, const char *path);
void	api_sources(struct serve *, struct evhttp_request *, const char *path);
#endif
